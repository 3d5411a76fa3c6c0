//! The feed: everything new to the scopes it belongs to, and each phone the rows of its scopes it has not seen.
//!
//! [`publish`] appends to the scopes a visit is in, lets it enter and leave scopes as its host, site and approval
//! change, and is called in the transaction that accepts or decides. [`held`] says which scopes a member's phones hold;
//! those of a site are kept from when somebody first holds them ([`open`]), and [`keep_in_step`] fills them and moves
//! their windows as days pass.
//! [`pull`] answers a request from where the phone stands, with signed pages and one signed statement.

mod audience;
mod held;
mod pull;
mod restored;
mod window;

pub use audience::{News, publish, publish_note, publish_row};
pub use held::{held, open};
pub use pull::{Pulled, pull};
pub use restored::{proves, restored};
pub use window::{days, is_out_of_step, keep_in_step};

use crate::record::RecordError;
use crate::store::StoreError;
use crate::store::apart::Trouble;
use vestibule_core::keys::SignerError;

/// A sync is refused as a whole; completes "failed to sync: …". Nothing was taken, and the phone keeps its work.
#[derive(Debug, thiserror::Error)]
pub enum SyncProblem {
    /// A version of the messages this hub does not speak.
    #[error("the message's version is not spoken here; update the app")]
    Version,
    /// The request names another organisation than the device's.
    #[error("the request is for another organisation than the device's")]
    OtherOrganisation,
    /// The device or its member may not act any more.
    #[error("the device is not enrolled any more; sign in again")]
    SignInAgain,
    /// The phone holds something this hub never gave out: the hub was restored from a backup, or the scope was altered.
    #[error("the phone stands where this hub has never been; start again from the beginning of its scopes")]
    UnknownHead,
    /// More than 4 MB, or more than 4,096 envelopes, pushed at once.
    #[error("more than 4 MB, or more than 4,096 envelopes, were pushed at once; push less at a time")]
    TooLarge,
    /// The database failed, or an effect could not be carried out.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The hub's own key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl From<StoreError> for SyncProblem {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl Trouble for SyncProblem {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Record(error) => Trouble::code(error),
            _ => None,
        }
    }
}

impl SyncProblem {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::OtherOrganisation => "other_organisation",
            Self::SignInAgain => "sign_in_again",
            Self::UnknownHead => "unknown_head",
            Self::TooLarge => "too_large",
            Self::Record(_) | Self::Signer(_) => "internal",
        }
    }
}

#[cfg(test)]
mod role_tests;
#[cfg(test)]
mod tests;
