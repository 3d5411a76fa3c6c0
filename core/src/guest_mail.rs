//! The mail to a guest on its way: where the last one is, as the facts of the decision log tell it, and what a person is
//! told of that.
//!
//! The hub logs that a mail is queued, that a mail server has taken it, or that none did and why
//! ([`Fact`](crate::decision::Fact)); [`Standing`](crate::decision::Standing) folds that into a [`GuestMail`]; lists show
//! what is a [`problem`](GuestMail::problem), and [`GuestMail::words`] says it in a sentence.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use minicbor::{Decode, Encode};

use crate::decision::Told;
use crate::id::IdError;

/// What becomes of a mail that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Undelivered {
    /// It is late, and tried again.
    #[n(0)]
    Delayed,
    /// A mail server refused it for good.
    #[n(1)]
    Refused,
    /// It was tried for days.
    #[n(2)]
    GivenUp,
    /// It is not needed any more, and never left.
    #[n(3)]
    Withdrawn,
}

impl Undelivered {
    /// The fact's name in SQL, JSON and histories.
    pub(crate) fn fact_kind(self) -> &'static str {
        match self {
            Self::Delayed => "mail_delayed",
            Self::Refused => "mail_refused",
            Self::GivenUp => "mail_given_up",
            Self::Withdrawn => "mail_withdrawn",
        }
    }

    /// Where the mail is then; nowhere if it is not needed any more.
    pub(crate) fn state(self, class: &str, code: Option<u16>) -> Option<MailState> {
        // A code and nothing else, whatever a hub may write there.
        let is_code = (1..=32).contains(&class.len()) && class.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let trouble = MailTrouble { class: if is_code { class } else { "other" }.to_owned(), code };
        match self {
            Self::Delayed => Some(MailState::Delayed(trouble)),
            Self::Refused => Some(MailState::Refused(trouble)),
            Self::GivenUp => Some(MailState::GivenUp(trouble)),
            Self::Withdrawn => None,
        }
    }
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailTrouble {
    /// A stable code: `dns unreachable timeout tls_trust tls_name tls_expired tls credentials sender transient permanent
    /// uncertain address local`; a later hub may know more.
    pub class: String,
    /// The mail server's answer, where it gave one.
    pub code: Option<u16>,
}

/// Where a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailState {
    /// In the hub's outbox.
    Waiting,
    /// Held back by a quota until then, Unix seconds.
    Held {
        /// It is sent then.
        until: i64,
    },
    /// A mail server has it.
    HandedOver,
    /// Late, and tried again.
    Delayed(MailTrouble),
    /// Refused for good.
    Refused(MailTrouble),
    /// Tried for days.
    GivenUp(MailTrouble),
}

/// The last mail to a guest. As text it is what the read model holds: `invitation refused permanent 550`.
///
/// ```
/// use vestibule_core::guest_mail::GuestMail;
///
/// let mail: GuestMail = "invitation refused permanent 550".parse()?;
/// assert_eq!(mail.problem(), Some("mail_refused"));
/// assert_eq!(mail.words(), "The invitation was not delivered: the mail server refused it (550). Check the e-mail address.");
/// assert_eq!(mail.to_string(), "invitation refused permanent 550");
/// # Ok::<(), vestibule_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestMail {
    /// What it says.
    pub what: Told,
    /// Where it is.
    pub state: MailState,
}

impl GuestMail {
    /// The stable code of what its host should look at.
    pub fn problem(&self) -> Option<&'static str> {
        match &self.state {
            MailState::Waiting | MailState::Held { .. } | MailState::HandedOver => None,
            MailState::Delayed(_) => Some("mail_delayed"),
            MailState::Refused(_) => Some("mail_refused"),
            MailState::GivenUp(_) => Some("mail_given_up"),
        }
    }

    /// The name of its state in JSON.
    pub fn state_name(&self) -> &'static str {
        match &self.state {
            MailState::Waiting => "waiting",
            MailState::Held { .. } => "held",
            MailState::HandedOver => "handed_over",
            MailState::Delayed(_) => "delayed",
            MailState::Refused(_) => "refused",
            MailState::GivenUp(_) => "given_up",
        }
    }

    /// Why it was not taken, if that is where it is.
    pub fn trouble(&self) -> Option<&MailTrouble> {
        match &self.state {
            MailState::Delayed(trouble) | MailState::Refused(trouble) | MailState::GivenUp(trouble) => Some(trouble),
            MailState::Waiting | MailState::Held { .. } | MailState::HandedOver => None,
        }
    }

    /// A sentence for people: where it is, why, and what to do.
    pub fn words(&self) -> String {
        let what = what_words(self.what);
        match &self.state {
            MailState::Waiting => format!("{what} is about to be sent."),
            MailState::Held { until } => {
                let at = DateTime::from_timestamp(*until, 0).unwrap_or_default().format("%Y-%m-%d %H:%M UTC");
                format!("{what} will be sent later, at {at}: too many mails went out today.")
            }
            MailState::HandedOver => format!("{what} was sent."),
            MailState::Delayed(trouble) => {
                format!("{what} is not delivered yet: {}. It is tried again.", trouble.words())
            }
            MailState::Refused(trouble) if is_of_the_address(trouble) => {
                format!("{what} was not delivered: {}. Check the e-mail address.", trouble.words())
            }
            MailState::Refused(trouble) => format!("{what} was not delivered: {}.", trouble.words()),
            MailState::GivenUp(trouble) => {
                format!("{what} was not delivered, after days of trying: {}.", trouble.words())
            }
        }
    }
}

/// What a mail says, as the beginning of a sentence.
pub fn what_words(what: Told) -> &'static str {
    match what {
        Told::Invitation => "The invitation",
        Told::Change => "The mail about the change",
        Told::Cancellation => "The cancellation",
        Told::End => "The mail to the earlier address",
    }
}

fn is_of_the_address(trouble: &MailTrouble) -> bool {
    matches!(trouble.class.as_str(), "permanent" | "address")
}

impl MailTrouble {
    /// What is wrong, as a part of a sentence.
    pub fn words(&self) -> String {
        let what = match self.class.as_str() {
            "dns" => "the mail server's name is not known",
            "unreachable" => "the mail server cannot be reached",
            "timeout" => "the mail server did not answer in time",
            "tls_trust" => "the mail server's certificate is not from a trusted authority",
            "tls_name" => "the mail server's certificate is for another name",
            "tls_expired" => "the mail server's certificate has expired",
            "tls" => "no secure connection to the mail server could be made",
            "credentials" => "the mail server does not accept the hub's sign-in",
            "sender" => "the mail server does not accept the sender",
            "transient" => "the mail server does not take it now",
            "permanent" => "the mail server refused it",
            "uncertain" => "the connection broke while it was sent",
            "address" => "the mail server takes no address with letters beyond ASCII",
            _ => "it could not be handed over",
        };
        self.code.map_or_else(|| what.to_owned(), |code| format!("{what} ({code})"))
    }
}

impl fmt::Display for GuestMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what.as_str(), self.state_name())?;
        if let MailState::Held { until } = self.state {
            write!(f, " {until}")?;
        }
        if let Some(MailTrouble { class, code }) = self.trouble() {
            write!(f, " {class}")?;
            if let Some(code) = code {
                write!(f, " {code}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for GuestMail {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("mail state", "the text of one that was written here");
        let words: Vec<&str> = text.split(' ').collect();
        let state = match words[1..] {
            ["waiting"] => MailState::Waiting,
            ["handed_over"] => MailState::HandedOver,
            ["held", until] => MailState::Held { until: until.parse().map_err(|_| wrong())? },
            [state, class, ref code @ ..] if code.len() < 2 => {
                let code = code.first().map(|code| code.parse()).transpose().map_err(|_| wrong())?;
                let trouble = MailTrouble { class: class.to_owned(), code };
                match state {
                    "delayed" => MailState::Delayed(trouble),
                    "refused" => MailState::Refused(trouble),
                    "given_up" => MailState::GivenUp(trouble),
                    _ => return Err(wrong()),
                }
            }
            _ => return Err(wrong()),
        };
        let told = [Told::Invitation, Told::Change, Told::Cancellation, Told::End];
        let what = told.into_iter().find(|told| told.as_str() == words[0]).ok_or_else(wrong)?;
        Ok(Self { what, state })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The read model's text says the same again; what no hub of ours writes is no state, and no class can break the text.
    #[test]
    fn a_state_is_read_as_it_was_written() {
        let states = [
            MailState::Waiting,
            MailState::Held { until: 1_802_505_600 },
            MailState::HandedOver,
            Undelivered::Delayed.state("transient", Some(451)).expect("a state"),
            Undelivered::GivenUp.state("dns", None).expect("a state"),
            Undelivered::Refused.state("550 <a@example.org>\n", None).expect("a state"),
        ];
        for state in states {
            for what in [Told::Invitation, Told::Change, Told::Cancellation, Told::End] {
                let mail = GuestMail { what, state: state.clone() };
                assert_eq!(mail.to_string().parse::<GuestMail>(), Ok(mail.clone()), "{mail}");
                assert!(!mail.words().contains("example.org"));
            }
        }
        for bad in ["", "invitation", "invitation held", "invitation held x", "x waiting", "invitation refused a 1 2"] {
            assert!(bad.parse::<GuestMail>().is_err(), "{bad}");
        }
    }
}
