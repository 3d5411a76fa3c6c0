//! The sender: hands mails of the outbox to a server, each at least once and never knowingly twice.
//!
//! [`send_next`] claims a mail and commits that before it speaks to the server, and commits what the server said after.
//! So a hub that dies in between finds the mail claimed and hands over the very same bytes again; only then, and where a
//! connection broke after the message had gone out, can a guest get a mail twice, and both have one Message-ID. A mail
//! the server puts off waits in its row and blocks none but later mails to the same recipient, which must not overtake it.
//! What the server said and the database does not take (a full disk) is kept in memory ([`Unnoted`]) and written before
//! anything else is sent: a hub that lives never sends a mail twice.
//!
//! One sender runs for an organisation, on a thread that may wait. [`Smtp`](super::smtp::Smtp) speaks to a server; without
//! one the mails go into a folder as `.eml` files.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use lettre::address::Envelope;
use vestibule_core::address::{EmailAddress, Mailbox};
use vestibule_core::fault::{self, Point};
use vestibule_core::id::{OrganisationId, VisitId};
use zeroize::Zeroizing;

use super::mail::in_envelope;
use super::open;
use crate::context::Context;
use crate::store::outbox::{self, ClaimedMail};
use crate::store::{HubStore, StoreError};

/// How long to wait after the first, second, … time a mail was put off; the last one from then on.
const WAITS: [TimeDelta; 7] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
    TimeDelta::hours(2),
    TimeDelta::hours(4),
    TimeDelta::hours(6),
];

/// How often a mail is tried: for about four days, as RFC 5321 (4.5.4.1) advises.
const MAX_ATTEMPTS: u32 = 20;

/// How long the outbox remembers a mail that has been sent, for an operator who is asked about it.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Takes one message to where it is to go.
pub trait MailTransport {
    /// Hands over exactly these bytes for that recipient. `id` is the message's, 32 hexadecimal digits.
    fn deliver(&self, id: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError>;
}

/// Why a message was not taken. The text holds no address: what a server says is cut down to its code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Refused for good (a 5xx answer): another attempt would be refused too.
    #[error("the mail server refused the message for good: {0}")]
    Permanent(String),
    /// Refused for now, or the server could not be reached: it does not have the message.
    #[error("the mail server does not take the message now: {0}")]
    Temporary(String),
    /// The connection broke when the message may have been taken already.
    #[error("the connection to the mail server broke: {0}")]
    Uncertain(String),
}

/// What became of the mail that was next.
#[derive(Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// No mail is due; when the next one is.
    Idle {
        /// `None` with an empty outbox.
        next: Option<DateTime<Utc>>,
    },
    /// The server has it.
    Sent {
        /// The visit it was about.
        visit: VisitId,
        /// What it said: `invitation`, `pending`, ….
        kind: String,
    },
    /// It is tried again later.
    Later {
        /// Why.
        error: TransportError,
        /// When.
        at: DateTime<Utc>,
    },
    /// It will not be sent: `Fact::Alert("mail_failed")` belongs into the visit's log, and the host is to be told.
    Failed {
        /// The visit it was about.
        visit: VisitId,
        /// What it said.
        kind: String,
        /// Why.
        error: TransportError,
    },
}

/// What a server said of a mail and could not be written down yet, by organisation; kept from one call of [`send_next`] to
/// the next.
#[derive(Default)]
pub struct Unnoted(HashMap<OrganisationId, Verdict>);

struct Verdict {
    mail: ClaimedMail,
    said: Result<(), TransportError>,
}

/// Sends the next mail that is due at `now`, if there is one.
///
/// # Errors
/// The database fails. What the server said by then is in `unnoted`, and nothing is sent until it is written.
pub fn send_next(
    store: &mut HubStore,
    unnoted: &mut Unnoted,
    transport: &impl MailTransport,
    context: &Context,
    now: DateTime<Utc>,
) -> Result<SendOutcome, StoreError> {
    if let Some(verdict) = unnoted.0.get(&context.organisation) {
        let outcome = note(store, verdict, now)?;
        unnoted.0.remove(&context.organisation);
        return Ok(outcome);
    }
    let claimed = store.write(|tx| {
        if let Some(mail) = outbox::claim(tx, &context.organisation, now)? {
            return Ok::<_, StoreError>(Ok(mail));
        }
        outbox::forget_ended(tx, &context.organisation, now - KEPT)?;
        Ok(Err(outbox::next_due(tx, &context.organisation)?))
    })?;
    let mail = match claimed {
        Ok(mail) => mail,
        Err(next) => return Ok(SendOutcome::Idle { next }),
    };
    let said = match unsealed(context, &mail.id, &mail.sealed) {
        Ok((envelope, message)) => transport.deliver(&hex::encode(mail.id), &envelope, &message),
        Err(error) => Err(error),
    };
    if said.is_ok() {
        fault::pass(Point::AfterAcceptance)?;
    }
    let verdict = Verdict { mail, said };
    note(store, &verdict, now).inspect_err(|_| {
        unnoted.0.insert(context.organisation.clone(), verdict);
    })
}

/// Writes down what the server said.
fn note(store: &mut HubStore, Verdict { mail, said }: &Verdict, now: DateTime<Utc>) -> Result<SendOutcome, StoreError> {
    let (visit, kind) = (mail.visit, mail.kind.clone());
    store.write(|tx| {
        Ok(match said.clone() {
            Ok(()) => {
                outbox::set_sent(tx, &mail.id, now)?;
                SendOutcome::Sent { visit, kind }
            }
            Err(error @ TransportError::Permanent(_)) => {
                outbox::set_failed(tx, &mail.id, now)?;
                SendOutcome::Failed { visit, kind, error }
            }
            Err(error) if mail.attempts + 1 >= MAX_ATTEMPTS => {
                outbox::set_failed(tx, &mail.id, now)?;
                SendOutcome::Failed { visit, kind, error }
            }
            Err(error) => {
                let wait = WAITS[WAITS.len().min(mail.attempts as usize + 1) - 1];
                let uncertain = matches!(error, TransportError::Uncertain(_));
                outbox::set_later(tx, &mail.id, now + wait, uncertain)?;
                SendOutcome::Later { error, at: now + wait }
            }
        })
    })
}

type Unsealed = (Envelope, Zeroizing<Vec<u8>>);

/// The recipient and the bytes. A row sealed by another key (the key file was lost) can never be sent.
fn unsealed(context: &Context, id: &[u8; 16], sealed: &[u8]) -> Result<Unsealed, TransportError> {
    let lost = || TransportError::Permanent("its row cannot be unsealed; was outbox-seal.key replaced?".to_owned());
    let (address, message) = open(&context.keys.outbox_seal, id, sealed).ok_or_else(lost)?;
    let to = EmailAddress::parse_local(&address).map_err(|_| lost())?;
    let wrong = || TransportError::Temporary("`mail_from` is not of the form: Example AG <a@example.com>".to_owned());
    let from: Mailbox = context.mail_from.parse().map_err(|_| wrong())?;
    let envelope = Envelope::new(Some(in_envelope(&from.email)), vec![in_envelope(&to)]).map_err(|_| lost())?;
    Ok((envelope, message))
}

/// Writes mails into a folder instead of sending them, one `.eml` file each: for trying the hub out.
pub struct MailFolder(PathBuf);

impl MailFolder {
    /// Makes the folder, and says plainly in the log that nothing is sent.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        tracing::warn!(
            folder = %folder.display(),
            "no mail server is configured: mails are not sent, they are written to this folder as .eml files"
        );
        Ok(Self(folder.to_owned()))
    }
}

impl MailTransport for MailFolder {
    fn deliver(&self, id: &str, _: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        let write = || -> io::Result<()> {
            // The name is the message's: written a second time it is the same file.
            let unfinished = self.0.join(format!(".{id}.new"));
            let mut file = fs::File::create(&unfinished)?;
            file.write_all(message)?;
            file.sync_all()?;
            fs::rename(&unfinished, self.0.join(format!("{id}.eml")))
        };
        write().map_err(|error| TransportError::Temporary(format!("the mail folder cannot be written: {error}")))?;
        tracing::info!(message = id, "a mail was written to the mail folder instead of being sent");
        Ok(())
    }
}
