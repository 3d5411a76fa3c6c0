//! Keys and what is signed with them.
//!
//! Everything signed by anyone is a `COSE_Sign1` (RFC 9052) whose external data names its [`Purpose`], so that nothing
//! signed for one purpose serves another. A key is named by its thumbprint (RFC 9679). The organisation's root key
//! signs a numbered [`KeySet`]; the phone learns the root's thumbprint when it enrols, and from then on believes a
//! signature of the hub only if the key set names its key for that use and time.

mod key_set;
mod sign1;
mod signer;
pub mod thumbprint;

pub use key_set::{KeyEntry, KeySet, KeySetError, KeyUse, SignedKeySet};
pub use sign1::{Purpose, Sign1, SignatureError, sign};
#[cfg(test)]
pub(crate) use signer::es256;
pub use signer::{DeviceSigner, PublicKey, SignerError, SoftwareSigner};
