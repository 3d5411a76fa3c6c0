//! What can go wrong in the store, without personal data in any text.

use crate::document::Refusal;
use crate::fault;
use crate::id::IdError;
use crate::keys::SignerError;

/// Completes "failed to use the phone's file: …".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The key does not open the file.
    #[error("the key does not open it; use the key it was made with")]
    WrongKey,
    /// The file would not be encrypted.
    #[error("it would not be encrypted")]
    NotEncrypted,
    /// The file was written by a later version.
    #[error("it has schema {found}, this version knows {known}; update the app")]
    Newer {
        /// The file's schema.
        found: u32,
        /// The highest schema known here.
        known: u32,
    },
    /// There is no room left; nothing was changed.
    #[error("there is no room left on the device; nothing was changed")]
    Full,
    /// The device's storage does not do what it is asked to: a damaged card, a limit on files, a full file system that
    /// says so late.
    #[error("the device's storage fails; what was saved before is kept: see whether there is room and try again")]
    Storage,
    /// A long read was interrupted.
    #[error("it was interrupted")]
    Interrupted,
    /// Nobody has signed in on this phone yet.
    #[error("nobody has signed in on this phone; sign in first")]
    NotSignedIn,
    /// The file belongs to another organisation or member.
    #[error("it belongs to another organisation or member; use a file of its own for each")]
    OtherOwner,
    /// There is no such visit on this phone, or no such operation.
    #[error("there is no such visit or operation on this phone")]
    NotFound,
    /// The visit was erased.
    #[error("the visit was erased")]
    Erased,
    /// Something in it is not what was written; the text names the table.
    #[error("a row of {0} is damaged")]
    Damaged(&'static str),
    /// The document does not take the change.
    #[error("the visit does not take the change: {0}")]
    Document(#[from] Refusal),
    /// The device's key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A step that a test made fail.
    #[error(transparent)]
    Injected(#[from] fault::Injected),
    /// SQLite's own word; it names tables and columns, never values.
    #[error("the database failed: {0}")]
    Sqlite(rusqlite::Error),
    /// The file system's word.
    #[error("the file cannot be used: {0}")]
    File(#[from] std::io::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::WrongKey,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Storage,
            Some(ErrorCode::OperationInterrupted) => Self::Interrupted,
            _ => Self::Sqlite(error),
        }
    }
}

impl From<IdError> for StoreError {
    fn from(_: IdError) -> Self {
        Self::Damaged("ids")
    }
}

impl From<crate::cbor::NotCanonical> for StoreError {
    fn from(error: crate::cbor::NotCanonical) -> Self {
        Self::Damaged(error.0)
    }
}
