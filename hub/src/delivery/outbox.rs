//! The outbox: a mail fixed to the byte, sealed, and counted.
//!
//! What is sealed is the recipient's address and the message, with ChaCha20-Poly1305 (RFC 8439) under a key outside the
//! database, a random nonce before it, and the row's id as associated data, so that no row's bytes serve in another. The
//! database's backups hold no PIN and no address.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chrono::TimeDelta;
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
/// and the category's address and, approved on the same day, to its guest.
pub(super) const MAILS_OF_A_HOST: u64 = 4_000;
/// Mails about one visit to one recipient in the same time.
pub(super) const MAILS_OF_A_RECIPIENT: u64 = 10;
/// The time mails are counted over.
const QUOTA_SPAN: TimeDelta = TimeDelta::hours(24);

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
}

/// Whether another mail about a visit may go to an address on behalf of a host.
pub(super) fn has_room(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &Moment<'_>,
    host: &MemberId,
    visit: VisitId,
    address: &str,
) -> Result<bool, DeliveryError> {
    let since = moment.now - QUOTA_SPAN;
    let recipient = address_key(context, address);
    let of_host = outbox::count_of_host(tx, &context.organisation, host, since)?;
    let of_recipient = outbox::count_of_recipient(tx, &context.organisation, &recipient, visit, since)?;
    Ok(of_host < MAILS_OF_A_HOST && of_recipient < MAILS_OF_A_RECIPIENT)
}

/// Composes the message, seals it and puts it into the outbox.
pub(super) fn put(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    mail: Outgoing<'_>,
) -> Result<(), DeliveryError> {
    let id: [u8; 16] = moment.random();
    let address = mail.to.email.to_string();
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
            recipient: address_key(context, &address),
            sealed,
            now: moment.now,
        },
    )?;
    Ok(())
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
