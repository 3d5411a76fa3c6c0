//! The QR code of an invitation: a signed token that reception can check with no network, and its picture.
//!
//! The hub signs the claims of one credential ([`token::sign`]); mail, page and wallet pass draw the text
//! ([`picture`]); a reception desk that holds the hub's keys ([`keys::QrKeys`]) reads it back and knows offline whether
//! the hub let this credential in, at which site and when. The token names no person.

pub mod keys;
pub mod picture;
pub mod token;

pub use keys::{QrKey, QrKeys};
pub use picture::QrMatrix;
pub use token::{QrClaims, QrRefusal, sign};
