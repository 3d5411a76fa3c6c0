//! Where the last mail to a guest is.

use vestibule_core::guest_mail::GuestMail as CoreMail;

use crate::history::Told;

/// Where the last mail to a guest is, and why it was not taken if it was not.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct GuestMail {
    /// What it says.
    pub what: Told,
    /// `waiting`, `held`, `handed_over`, `delayed`, `refused` or `given_up`.
    pub state: String,
    /// Why it was not taken, by a stable code.
    pub trouble: Option<String>,
    /// The mail server's answer, where it gave one.
    pub code: Option<u16>,
    /// A sentence in English: where it is, why, and what to do.
    pub words: String,
}

impl From<CoreMail> for GuestMail {
    fn from(mail: CoreMail) -> Self {
        Self {
            state: mail.state_name().to_owned(),
            trouble: mail.trouble().map(|trouble| trouble.class.clone()),
            code: mail.trouble().and_then(|trouble| trouble.code),
            words: mail.words(),
            what: mail.what.into(),
        }
    }
}
