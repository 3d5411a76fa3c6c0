//! What went wrong, as a shell has to tell a person or act upon it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vestibule_core::phone::PhoneError;
use vestibule_core::problem;
use vestibule_core::store::StoreError;

use crate::provider::ProviderError;

/// A field of the visitor form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Field {
    /// Neither name was given: the problem is of both.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The visitor's e-mail address.
    Email,
    /// The visitor's company.
    Company,
    /// The visitor's phone number.
    Phone,
    /// The visitor's number in the access control system.
    PacsId,
    /// The site.
    Site,
    /// The space within the site.
    Space,
    /// The visitor type.
    VisitorType,
    /// The host.
    Host,
    /// The start, or without an end the arrival.
    Start,
    /// The end.
    End,
    /// The reason of the visit.
    Reason,
    /// The message to the visitor.
    Message,
    /// The internal note.
    Note,
}

impl From<problem::Field> for Field {
    fn from(field: problem::Field) -> Self {
        match field {
            problem::Field::Name => Self::Name,
            problem::Field::FirstName => Self::FirstName,
            problem::Field::LastName => Self::LastName,
            problem::Field::Email => Self::Email,
            problem::Field::Company => Self::Company,
            problem::Field::Phone => Self::Phone,
            problem::Field::PacsId => Self::PacsId,
            problem::Field::Site => Self::Site,
            problem::Field::Space => Self::Space,
            problem::Field::VisitorType => Self::VisitorType,
            problem::Field::Host => Self::Host,
            // A start carries its day here.
            problem::Field::Date | problem::Field::Start => Self::Start,
            problem::Field::End => Self::End,
            problem::Field::Reason => Self::Reason,
            problem::Field::Message => Self::Message,
            problem::Field::Note => Self::Note,
        }
    }
}

/// One problem of one field.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FieldProblem {
    /// The field at fault.
    pub field: Field,
    /// A stable code, for a shell's own words: `required`, `too_long`, `forbidden_character`, `malformed`, `unknown`,
    /// `ambiguous`, `wrong_site`, `not_permitted`, `no_such_time`, `end_before_start`, `visit_too_long`, `past`.
    pub code: String,
    /// What is wrong and what to do, in plain English; it completes "The field …" and holds no personal data.
    pub message: String,
}

impl From<problem::FieldProblem> for FieldProblem {
    fn from(problem: problem::FieldProblem) -> Self {
        Self { field: problem.field.into(), code: problem.code.to_owned(), message: problem.message }
    }
}

/// Why a call did not succeed. Texts are plain English and hold no personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum VestibuleApiError {
    /// The form has problems: all of them, in its order. Nothing was stored.
    #[error("the form has {} problem(s)", problems.len())]
    BadDraft {
        /// What is wrong, field by field.
        problems: Vec<FieldProblem>,
    },
    /// The hub does not answer. Everything is kept; try again when there is a network.
    #[error("the hub does not answer; everything is kept")]
    Unreachable,
    /// Not now: the hub failed, has too much to do, or this phone has sent as much as it may. Everything is kept, and sent
    /// when it is tried again.
    #[error("{reason}")]
    Later {
        /// A stable code: `later` where this phone has sent as much as it may, `busy`, `hub_failed`, `not_the_hub`,
        /// `unsettled`.
        code: String,
        /// Why, and when to try again.
        reason: String,
        /// When to try again, in seconds, if the hub has said so.
        seconds: Option<u64>,
    },
    /// The hub, or the state of the visit, does not allow it.
    #[error("{reason} ({code})")]
    Refused {
        /// A stable code, for programs.
        code: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The device or the member has to sign in again. Unsent work is kept.
    #[error("sign in again; unsent work is kept")]
    SignInAgain,
    /// Nobody has signed in on this phone yet.
    #[error("sign in first")]
    NotSignedIn,
    /// The hub does not recognise what this phone received from it, also after beginning anew: tell an administrator.
    #[error("the hub does not recognise what this phone received from it")]
    HubRestored,
    /// This phone is a copy of another, and its `DeviceSigner` made no key of its own: sign in again. Unsent work is kept.
    #[error("this phone is a copy of another and needs a key of its own; sign in again, unsent work is kept")]
    NeedsNewKey,
    /// What the hub said does not verify. Nothing of it was taken.
    #[error("failed to believe the hub: {reason}")]
    Disbelieved {
        /// What does not verify.
        reason: String,
    },
    /// Stopped: by its handle, by a pause, or by closing. What was done stays.
    #[error("stopped; what was done stays")]
    Cancelled,
    /// There is no such visit or operation on this phone.
    #[error("there is no such visit or operation on this phone")]
    NotFound,
    /// The hub's address may not be called: it has to begin with `https://`.
    #[error("the hub's address has to begin with https://")]
    BadAddress,
    /// The hub, or the phone's file, is of a later version: update the app.
    #[error("the hub or the file is of a later version; update the app")]
    UpdateApp,
    /// The store key does not open the file.
    #[error("the store key does not open the file")]
    WrongKey,
    /// The phone's file cannot be used. What was saved before is kept.
    #[error("failed to use the phone's file: {reason}")]
    Store {
        /// Why, and what to do.
        reason: String,
    },
    /// Something the app provides failed: the store key, the bearer token, the device's signature.
    #[error("failed to get something from the app: {reason}")]
    Provider {
        /// What the app said.
        reason: String,
    },
    /// An argument cannot be meant: a mistake of the program, not of a person.
    #[error("the argument {argument} {reason}")]
    BadArgument {
        /// Its name.
        argument: String,
        /// What is wrong with it; completes "the argument …".
        reason: String,
    },
    /// The client was closed.
    #[error("the client is closed; open it again")]
    Closed,
    /// A mistake in the library. Nothing half done was stored.
    #[error("a mistake in the library: {reason}")]
    Internal {
        /// What is known of it.
        reason: String,
    },
}

/// What every fallible call gives.
pub type Outcome<T> = Result<T, VestibuleApiError>;

/// Runs a call so that a panic in it is an error like another.
pub(crate) fn guarded<T>(call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    // What a panic leaves is sound: a transaction that panicked was rolled back, and no lock is held across one.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(VestibuleApiError::panicked()))
}

impl VestibuleApiError {
    /// A panic was caught. Its words may hold anything, so they stay out.
    pub(crate) fn panicked() -> Self {
        tracing::error!("a call panicked");
        Self::Internal { reason: "a call panicked".to_owned() }
    }
}

impl From<PhoneError> for VestibuleApiError {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::BadDraft(problems) => {
                Self::BadDraft { problems: problems.into_iter().map(Into::into).collect() }
            }
            PhoneError::Unreachable => Self::Unreachable,
            PhoneError::Later { ref code, seconds, .. } => {
                Self::Later { code: code.clone(), reason: error.to_string(), seconds }
            }
            PhoneError::Refused { code, message } => Self::Refused { code, reason: message },
            PhoneError::SignInAgain => Self::SignInAgain,
            PhoneError::NotSignedIn => Self::NotSignedIn,
            PhoneError::HubRestored => Self::HubRestored,
            PhoneError::NeedsNewKey => Self::NeedsNewKey,
            PhoneError::Disbelieved(disbelief) => Self::Disbelieved { reason: disbelief.to_string() },
            PhoneError::Cancelled => Self::Cancelled,
            PhoneError::NotFound => Self::NotFound,
            PhoneError::Address => Self::BadAddress,
            PhoneError::UpdateApp => Self::UpdateApp,
            PhoneError::Closed => Self::Closed,
            PhoneError::Store(error) => error.into(),
            // A reason of a later core, until it has a name here.
            other => Self::Internal { reason: other.to_string() },
        }
    }
}

impl From<StoreError> for VestibuleApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::WrongKey => Self::WrongKey,
            StoreError::Newer { .. } => Self::UpdateApp,
            StoreError::Interrupted => Self::Cancelled,
            StoreError::Signer(error) => Self::Provider { reason: error.reason },
            other => Self::Store { reason: other.to_string() },
        }
    }
}

impl From<ProviderError> for VestibuleApiError {
    fn from(error: ProviderError) -> Self {
        let (ProviderError::Unavailable { reason } | ProviderError::Unexpected { reason }) = error;
        Self::Provider { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic in a call is an error of the call.
    #[test]
    fn a_panic_is_an_error() {
        let outcome: Outcome<()> = guarded(|| std::panic::resume_unwind(Box::new("a mistake about Ada")));
        let Err(VestibuleApiError::Internal { reason }) = outcome else { panic!("{outcome:?}") };
        assert!(!reason.contains("Ada"), "a panic's words may hold anything");
    }

    /// What a shell acts upon keeps its name on the way.
    #[test]
    fn errors_keep_their_meaning() {
        let store = |error: StoreError| VestibuleApiError::from(PhoneError::from(error));
        assert_eq!(store(StoreError::WrongKey), VestibuleApiError::WrongKey);
        assert_eq!(store(StoreError::NotSignedIn), VestibuleApiError::NotSignedIn);
        assert_eq!(store(StoreError::Erased), VestibuleApiError::NotFound);
        assert_eq!(store(StoreError::Newer { found: 9, known: 1 }), VestibuleApiError::UpdateApp);
        assert_eq!(store(StoreError::Interrupted), VestibuleApiError::Cancelled);
        assert!(matches!(store(StoreError::Full), VestibuleApiError::Store { reason } if reason.contains("no room")));
        let signer = vestibule_core::keys::SignerError { reason: "locked".to_owned() };
        assert_eq!(store(signer.into()), VestibuleApiError::Provider { reason: "locked".to_owned() });
        assert_eq!(VestibuleApiError::from(PhoneError::Closed), VestibuleApiError::Closed);
    }
}
