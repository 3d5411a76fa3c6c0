//! What a shell has to tell a person, or act upon. No text holds personal data.

use super::gate::Closed;
use crate::problem::FieldProblem;
use crate::store::StoreError;
use crate::sync::client::ClientError;
use crate::sync::machine::{Disbelief, Outcome};

/// Why a phone's operation did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhoneError {
    /// The form has problems: all of them, in its order.
    #[error("the form has {} problem(s)", .0.len())]
    BadDraft(Vec<FieldProblem>),
    /// No answer from the hub; everything is kept.
    #[error("the hub does not answer; everything is kept, try again when there is a network")]
    Unreachable,
    /// The hub, or the state of the visit, does not allow it.
    #[error("{message} ({code})")]
    Refused {
        /// A stable code.
        code: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// Not now: the hub failed, has too much to do, or this phone has sent as much as it may. Everything is kept, and sent
    /// when it is tried again.
    #[error("{message}{}", when(*.seconds))]
    Later {
        /// A stable code: `later` where this phone has sent as much as it may, `busy`, `hub_failed`, `not_the_hub`,
        /// `unsettled`.
        code: String,
        /// Why.
        message: String,
        /// When to try again, in seconds, if the hub has said so.
        seconds: Option<u64>,
    },
    /// The device or member has to sign in again; unsent work stays.
    #[error("sign in again; unsent work is kept")]
    SignInAgain,
    /// Nobody has signed in on this phone yet.
    #[error("sign in first")]
    NotSignedIn,
    /// The hub does not know where this phone stands, and beginning anew does not help.
    #[error("the hub does not recognise what this phone received from it; tell an administrator, unsent work is kept")]
    HubRestored,
    /// This phone is a copy of another, or was restored from a copy of itself, and needs a device key of its own.
    #[error("this phone is a copy of another and needs a key of its own; sign in again, unsent work is kept")]
    NeedsNewKey,
    /// What the hub said does not verify; nothing of it was taken.
    #[error("failed to believe the hub: {0}")]
    Disbelieved(#[from] Disbelief),
    /// Stopped by a person.
    #[error("stopped; what was done stays")]
    Cancelled,
    /// There is no such visit or operation on this phone.
    #[error("there is no such visit or operation on this phone")]
    NotFound,
    /// The hub's address may not be called.
    #[error("the hub's address has to begin with https://")]
    Address,
    /// The phone's file is a later version's.
    #[error("the phone's file is a later version's; update the app")]
    UpdateApp,
    /// The phone was closed.
    #[error("the phone is closed; open it again")]
    Closed,
    /// The phone's file failed.
    #[error("failed to use the phone's file: {0}")]
    Store(#[source] StoreError),
}

impl PhoneError {
    /// The kind's name, for logs: what a hub or a file system says stays out of them.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadDraft(_) => "bad_draft",
            Self::Unreachable => "unreachable",
            Self::Later { .. } => "later",
            Self::Refused { .. } => "refused",
            Self::SignInAgain => "sign_in_again",
            Self::NotSignedIn => "not_signed_in",
            Self::HubRestored => "hub_restored",
            Self::NeedsNewKey => "needs_new_key",
            Self::Disbelieved(disbelief) => disbelief.code(),
            Self::Cancelled => "cancelled",
            Self::NotFound => "not_found",
            Self::Address => "bad_address",
            Self::UpdateApp => "update_app",
            Self::Closed => "closed",
            Self::Store(_) => "store",
        }
    }
}

/// When it is worth trying again, for a sentence.
fn when(seconds: Option<u64>) -> String {
    match seconds {
        None => String::new(),
        Some(seconds @ 0..=90) => format!("; try again in {seconds} seconds"),
        Some(seconds @ ..=5_400) => format!("; try again in {} minutes", seconds.div_ceil(60)),
        Some(seconds) => format!("; try again in {} hours", seconds.div_ceil(3_600)),
    }
}

impl From<Closed> for PhoneError {
    fn from(Closed: Closed) -> Self {
        Self::Closed
    }
}

impl From<StoreError> for PhoneError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotSignedIn => Self::NotSignedIn,
            StoreError::NotFound | StoreError::Erased => Self::NotFound,
            StoreError::Newer { .. } => Self::UpdateApp,
            StoreError::Document(refusal) => {
                Self::Refused { code: refusal.code().into(), message: refusal.to_string() }
            }
            StoreError::OtherOwner => Self::Refused { code: "other_owner".into(), message: error.to_string() },
            other => Self::Store(other),
        }
    }
}

impl From<ClientError> for PhoneError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable => Self::Unreachable,
            ClientError::Address => Self::Address,
            ClientError::SignInAgain => Self::SignInAgain,
            ClientError::Refused { code, message } => Self::Refused { code, message },
            ClientError::Later { code, message, seconds } => Self::Later { code, message, seconds },
            ClientError::Store(error) => error.into(),
        }
    }
}

/// Only a run that left nothing to do is a success.
pub(super) fn of_outcome(outcome: Outcome) -> Result<(), PhoneError> {
    Err(match outcome {
        Outcome::UpToDate => return Ok(()),
        Outcome::Unsettled => PhoneError::Later {
            code: "unsettled".into(),
            message: "the hub has not answered everything; it is kept and sent again".into(),
            seconds: None,
        },
        Outcome::Unreachable => PhoneError::Unreachable,
        Outcome::SignInAgain => PhoneError::SignInAgain,
        Outcome::HubRestored => PhoneError::HubRestored,
        Outcome::NeedsNewKey => PhoneError::NeedsNewKey,
        Outcome::Cancelled => PhoneError::Cancelled,
        Outcome::Disbelieved(disbelief) => PhoneError::Disbelieved(disbelief),
        Outcome::Later { code, message, seconds } => PhoneError::Later { code, message, seconds },
        Outcome::Refused { code, message } => PhoneError::Refused { code, message },
    })
}
