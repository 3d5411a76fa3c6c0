//! Handing one mail of the outbox over: to a server ([`Smtp`](super::smtp::Smtp)), or, without one, into a folder.
//!
//! A mail is claimed and that is committed before anybody speaks to the server ([`claim`]); it is handed over with no
//! transaction open ([`hand_over`]); and what the server said is written down after
//! ([`crate::handover`](crate::handover)). So a hub that dies in between finds the mail claimed and hands over the very
//! same bytes again; only then, and where a connection broke after the message had gone out, can a guest get a mail
//! twice, and both have one Message-ID.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use lettre::address::Envelope;
use rusqlite::Transaction;
use vestibule_core::address::{EmailAddress, Mailbox};
use vestibule_core::fault::{self, Point};
use zeroize::Zeroizing;

use super::mail::in_envelope;
use super::open;
use crate::context::Context;
use crate::store::StoreError;
use crate::store::outbox::{self, ClaimedMail, RecipientKey};

/// How long the outbox remembers a mail that has ended, for an operator who is asked about it.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Takes one message to where it is to go.
pub trait MailTransport {
    /// Hands over exactly these bytes for that recipient. `id` is the message's, 32 hexadecimal digits.
    fn deliver(&self, id: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError>;
}

/// Why a message was not taken. It holds no address: what a server says is cut down to its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{class}{}", .code.map(|code| format!(" (it answered {code})")).unwrap_or_default())]
pub struct TransportError {
    /// What the failure says of other mails, and of another attempt.
    pub reach: Reach,
    /// The kind of trouble.
    pub class: Class,
    /// The server's answer, where it gave one.
    pub code: Option<u16>,
}

/// What a failure says of other mails, and of another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is about the server, the account or the sender: every mail would fail now.
    Server,
    /// It is about this mail, for now: the server does not have it.
    Mail,
    /// It is about this mail, and another attempt would fail too.
    Final,
    /// The connection broke when the message may have been taken already.
    Uncertain,
}

/// The kinds of trouble a mail can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says what its text says")]
pub enum Class {
    Dns,
    Unreachable,
    Timeout,
    TlsTrust,
    TlsName,
    TlsExpired,
    Tls,
    Credentials,
    Sender,
    Transient,
    Permanent,
    Uncertain,
    Address,
    Local,
}

impl Class {
    /// The stable code: in logs, `admin mails` and the visit's log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TlsTrust => "tls_trust",
            Self::TlsName => "tls_name",
            Self::TlsExpired => "tls_expired",
            Self::Tls => "tls",
            Self::Credentials => "credentials",
            Self::Sender => "sender",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Uncertain => "uncertain",
            Self::Address => "address",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "the mail server's name cannot be resolved",
            Self::Unreachable => "the mail server cannot be reached, or broke the connection",
            Self::Timeout => "the mail server did not answer in time",
            Self::TlsTrust => "the mail server's certificate is not from a trusted authority",
            Self::TlsName => "the mail server's certificate is for another name",
            Self::TlsExpired => "the mail server's certificate has expired, or is not valid yet",
            Self::Tls => "no secure connection to the mail server could be made",
            Self::Credentials => "the mail server does not accept the sign-in",
            Self::Sender => "the mail server does not accept the sender",
            Self::Transient => "the mail server does not take the mail now",
            Self::Permanent => "the mail server refused the mail for good",
            Self::Uncertain => "the connection broke when the mail may have been taken",
            Self::Address => "the mail server takes no address with letters beyond ASCII",
            Self::Local => "the hub cannot hand the mail over",
        })
    }
}

/// Claims the mail of an organisation that has been due longest and goes to none of the `busy` domains.
pub fn claim(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    busy: &[RecipientKey],
) -> Result<Option<ClaimedMail>, StoreError> {
    outbox::claim(tx, &context.organisation, now, busy)
}

/// Forgets mails that ended long ago, and wipes those that failed and are of no use to anybody any more.
pub fn forget(tx: &Transaction<'_>, context: &Context, now: DateTime<Utc>) -> Result<(), StoreError> {
    outbox::forget_ended(tx, &context.organisation, now - KEPT)
}

/// Hands a claimed mail over, however long that takes.
pub fn hand_over(
    transport: &(impl MailTransport + ?Sized),
    context: &Context,
    mail: &ClaimedMail,
) -> Result<(), TransportError> {
    let (envelope, message) = unsealed(context, &mail.id, &mail.sealed)?;
    transport.deliver(&hex::encode(mail.id), &envelope, &message)?;
    // A test that stops the hub here finds the mail sent, and not noted.
    fault::pass(Point::AfterAcceptance).map_err(|_| trouble(Reach::Uncertain, Class::Local))
}

fn trouble(reach: Reach, class: Class) -> TransportError {
    TransportError { reach, class, code: None }
}

type Unsealed = (Envelope, Zeroizing<Vec<u8>>);

/// The recipient and the bytes. A row sealed by another key (the key file was lost) can never be sent.
fn unsealed(context: &Context, id: &[u8; 16], sealed: &[u8]) -> Result<Unsealed, TransportError> {
    let lost = || {
        tracing::error!("a mail cannot be unsealed; was outbox-seal.key replaced?");
        trouble(Reach::Final, Class::Local)
    };
    let (address, message) = open(&context.keys.outbox_seal, id, sealed).ok_or_else(lost)?;
    let to = EmailAddress::parse_local(&address).map_err(|_| lost())?;
    let from: Mailbox = context.mail_from.parse().map_err(|_| trouble(Reach::Server, Class::Sender))?;
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
        write().map_err(|error| {
            tracing::error!(%error, folder = %self.0.display(), "the mail folder cannot be written");
            trouble(Reach::Server, Class::Local)
        })?;
        tracing::info!(message = id, "a mail was written to the mail folder instead of being sent");
        Ok(())
    }
}
