//! The outbox: a mail fixed to the byte, sealed, and counted.
//!
//! What is sealed is the recipient's address and the message, with ChaCha20-Poly1305 (RFC 8439) under a key outside the
//! database, a random nonce before it, and the row's id as associated data, so that no row's bytes serve in another. The
//! database's backups hold no PIN and no address.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use vestibule_core::address::Mailbox;
use vestibule_core::id::{MemberId, VisitId};
use zeroize::Zeroizing;

use super::mail::{Cover, Letter};
use super::{DeliveryError, address_key};
use crate::context::Context;
use crate::keys::Secret;
use crate::moment::Moment;
use crate::store::outbox::{self, NewMail};

/// Mails one host's doing may bring about in [`QUOTA_SPAN`]; a bulk upload of a thousand fits, each told to the security
/// and the category's address and, approved on the same day, to its guest. What is more waits for its place.
pub(super) const MAILS_OF_A_HOST: u32 = 4_000;
/// Mails about one visit to one recipient in the same time.
pub(super) const MAILS_OF_A_RECIPIENT: u32 = 10;
/// The time mails are counted over.
pub(super) const QUOTA_SPAN: TimeDelta = TimeDelta::hours(24);

const NONCE_BYTES: usize = 12;

/// A mail ready to be put into the outbox.
pub(super) struct Outgoing<'a> {
    pub(super) letter: Letter,
    pub(super) to: Mailbox,
    pub(super) visit: VisitId,
    /// The delivery, if it goes to a guest.
    pub(super) delivery: Option<[u8; 16]>,
    /// Where its Message-ID comes from: of a guest's mail for ever the delivery's.
    pub(super) domain: &'a str,
    /// Whose quota it counts in; nobody's where the hub tells a member something.
    pub(super) host: Option<&'a MemberId>,
    /// When it may go out.
    pub(super) pace: Pace,
}

/// When a mail may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Whatever the quotas say: the end of something, and what the hub tells a member.
    AtOnce,
    /// When the quotas have a place for it.
    InTurn,
    /// The same, and not before that: another edit may follow.
    Settled(DateTime<Utc>),
}

/// Composes the message, seals it and puts it into the outbox; until when a quota holds it back, if one does.
pub(super) fn put(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    mail: Outgoing<'_>,
) -> Result<Option<DateTime<Utc>>, DeliveryError> {
    let id: [u8; 16] = moment.random();
    let address = mail.to.email.to_string();
    let recipient = address_key(context, &address);
    let wanted = if let Pace::Settled(at) = mail.pace { at.max(moment.now) } else { moment.now };
    let place = match mail.host.filter(|_| mail.pace != Pace::AtOnce) {
        Some(host) => place(tx, context, host, mail.visit, &recipient)?,
        None => None,
    };
    let slot = place.map_or(wanted, |place| place.max(wanted));
    let kind = mail.letter.kind;
    let from = context.mail_from.parse().map_err(|_| DeliveryError::Sender)?;
    let visit = mail.delivery.map(|_| mail.visit);
    let cover = Cover { id, host: mail.domain, from, to: mail.to, date: moment.now, visit };
    let message = Zeroizing::new(mail.letter.into_bytes(&cover));
    let sealed = seal(&context.keys.outbox_seal, moment.random(), &id, &address, &message)?;
    outbox::insert(
        tx,
        &NewMail {
            id,
            organisation: &context.organisation,
            visit: mail.visit,
            delivery: mail.delivery,
            kind,
            host: mail.host,
            recipient,
            domain: domain_key(context, &address),
            sealed,
            now: moment.now,
            slot,
        },
    )?;
    Ok((slot > wanted).then_some(slot))
}

/// The first moment the quotas have a place for one more mail.
fn place(
    tx: &Transaction<'_>,
    context: &Context,
    host: &MemberId,
    visit: VisitId,
    recipient: &[u8; 32],
) -> Result<Option<DateTime<Utc>>, DeliveryError> {
    let organisation = &context.organisation;
    let of_host = outbox::slot_of_host(tx, organisation, host, MAILS_OF_A_HOST)?;
    let of_recipient = outbox::slot_of_recipient(tx, organisation, recipient, visit, MAILS_OF_A_RECIPIENT)?;
    let last = of_host.max(of_recipient).and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    Ok(last.map(|last| last + QUOTA_SPAN))
}

/// Names the recipient's domain without it.
fn domain_key(context: &Context, address: &str) -> [u8; 32] {
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    address_key(context, &format!("@{domain}"))
}

fn seal(
    key: &Secret,
    nonce: [u8; NONCE_BYTES],
    id: &[u8; 16],
    address: &str,
    message: &[u8],
) -> Result<Vec<u8>, DeliveryError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(4 + address.len() + message.len()));
    plain.extend(u32::try_from(address.len()).map_err(|_| DeliveryError::Message)?.to_be_bytes());
    plain.extend(address.as_bytes());
    plain.extend(message);
    let sealed = cipher(key)
        .encrypt(&Nonce::from(nonce), Payload { msg: &plain, aad: id })
        .map_err(|_| DeliveryError::Message)?;
    Ok([&nonce[..], &sealed].concat())
}

/// The address and the message of a sealed row; `None` if the seal is not of this key and this row.
pub(crate) fn open(key: &Secret, id: &[u8; 16], sealed: &[u8]) -> Option<(String, Zeroizing<Vec<u8>>)> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let plain = cipher(key).decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: id }).ok()?;
    let plain = Zeroizing::new(plain);
    let (length, rest) = plain.split_first_chunk::<4>()?;
    let (address, message) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((String::from_utf8(address.to_vec()).ok()?, Zeroizing::new(message.to_vec())))
}

fn cipher(key: &Secret) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&Key::from(**key))
}
