//! Signing passes: what of the wallets needs keys. Everything is per organisation, in a directory of its own.
//!
//! At its first start an organisation gets a certificate chain shaped like Apple's and a service account shaped like
//! Google's ([`PassSigner::open_or_create`], [`GoogleIssuer::open_or_create`]), so that passes can be made, checked and
//! looked at from the first day. No phone trusts them: an operator replaces the files by the ones Apple and Google gave.
//!
//! A pass goes from `vestibule_core::wallet` through [`PassSigner::sign`] into a `.pkpass`, or through
//! [`GoogleIssuer::save_link`] into a link. The time and the randomness come from the caller.

pub mod certificates;
pub mod cms;
pub mod expiry;
pub mod google_link;
pub mod key_files;
pub mod signer;

pub use expiry::Expiry;
pub use google_link::GoogleIssuer;
pub use signer::{PassIdentity, PassSigner};

/// Why passes cannot be signed. Nothing of a key is repeated.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// A file could not be read or written.
    #[error("failed to access `{file}` of the wallet directory: {source}")]
    File {
        /// The file's name.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("failed to read `{file}` of the wallet directory: {reason}")]
    Content {
        /// The file's name.
        file: String,
        /// What is wrong, and what belongs there.
        reason: String,
    },
    /// Certificate, key and configuration do not belong together.
    #[error("the pass certificate does not fit: {0}")]
    Mismatch(&'static str),
    /// A key could not be made, or something could not be signed or encoded.
    #[error("failed to {what}: {reason}")]
    Crypto {
        /// What was to be done.
        what: &'static str,
        /// What the library said.
        reason: String,
    },
    /// The Google object or its link.
    #[error(transparent)]
    Google(#[from] vestibule_core::wallet::google::GoogleProblem),
}

impl WalletError {
    fn crypto(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Self {
        move |reason| Self::Crypto { what, reason: reason.to_string() }
    }

    fn content(file: &str, reason: impl Into<String>) -> Self {
        Self::Content { file: file.to_owned(), reason: reason.into() }
    }
}
