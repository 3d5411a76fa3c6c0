//! Passes for Apple Wallet and Google Wallet (S1.34, S1.35): convenience passes, never security credentials (S1.32, S1.36).
//!
//! What a visitor's pass says is decided once, in [`visitor::VisitorPass`]. From it come an Apple pass
//! ([`apple::Pass`], put into a file by [`package::PassPackage`] together with [`images`]) and a Google object
//! ([`google::GenericObject`], put into a link by [`google::SaveClaims`]). Signing needs keys and is the hub's: this
//! module takes a function that signs, and does no I/O. The same input gives the same bytes.

pub mod admission;
pub mod apple;
pub mod apple_check;
pub mod apple_fields;
pub mod apple_values;
pub mod google;
pub mod google_link;
pub mod google_template;
pub mod images;
pub mod package;
pub mod package_read;
#[cfg(test)]
mod sample;
pub mod visitor;
pub mod visitor_google;
