//! Deliveries: what a guest is told and given, and the mails around a visit.
//!
//! [`carry_out`] takes an [`Effect`] of the lifecycle and, in the transaction that decided it, mints or ends the
//! credential, keeps the guest's [`Delivery`], and puts finished mails into the outbox; the facts it returns go into
//! the visit's log. A mail is fixed there to the byte, sealed, and later handed to a server by the [`sender`].
//!
//! A delivery is a visit at one address. To it belong, for as long as it lives, the page, the Apple and the Google
//! pass and the calendar entry. A change of the visit keeps it; a new address ends it and begins another.

mod carry_out;
mod invitation;
mod links;
mod mail;
mod outbox;
mod passes;
pub mod sender;
mod shown;
pub mod smtp;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use vestibule_core::decision::Fact;
use vestibule_core::id::{OrganisationId, VisitId};
use vestibule_core::schedule::Instants;

pub use carry_out::carry_out;
pub use invitation::Invitation;
pub use links::{LinkHash, address_key, link_hash};
pub use mail::{VISIT_HEADER, unlinked};
pub(crate) use outbox::open;
pub use passes::{PassError, apple_pass, calendar_entry, google_link};

use rusqlite::Transaction;

use crate::credential;
use crate::effect::Effect;
use crate::store::apart::Trouble;
use crate::store::{StoreError, credentials, deliveries, effects, outbox as outbox_rows};

/// A visit at one recipient's address. The address is known by a keyed hash only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Random.
    pub id: [u8; 16],
    /// The organisation that invited.
    pub organisation: OrganisationId,
    /// The visit.
    pub visit: VisitId,
    /// See [`address_key`].
    pub address_key: [u8; 32],
    /// The serial number of the passes and the name of the calendar entry, fixed for life: 22 characters of base64url.
    pub serial: String,
    /// The hub's name when the delivery began: in the names of its calendar entry and its mails, which stay what they are
    /// when the settings change.
    pub domain: String,
    /// The sender when the delivery began (`Example AG <visitors@example.com>`): who organises its calendar entry.
    pub organizer: String,
    /// Whether it lives; an ended one shows nothing of the visit as it is now.
    pub is_live: bool,
    /// What the recipient was told when it ended; nothing where it ended without a word.
    pub farewell: Option<Farewell>,
    /// The version of the calendar entry sent last (RFC 5545, 3.8.7.4).
    pub sequence: u32,
    /// The times that entry had.
    pub told: Option<ToldTimes>,
    /// How many mails the recipient got, or will get.
    pub mails: u32,
    /// When what pass and page show changed last, in whole seconds; each change has one of its own, and be it ahead of the
    /// clock: devices ask for passes by it.
    pub changed_at: DateTime<Utc>,
    /// What the recipient was last told, sealed: what the passes show.
    pub sealed_shown: Option<Vec<u8>>,
}

/// What a recipient was told when a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The visit is cancelled.
    Cancelled,
    /// The invitation that was sent to this address is no longer valid.
    Moved,
}

impl Farewell {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Moved => "moved",
        }
    }

    /// The farewell of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Cancelled, Self::Moved].into_iter().find(|farewell| farewell.as_str() == name)
    }
}

/// The times a calendar entry was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldTimes {
    /// The instants.
    pub times: Instants,
    /// The name of the site's zone.
    pub zone: String,
}

/// An effect could not be carried out, and nothing of it was; completes "failed to carry out an effect: …". What is only
/// wrong with one visit (no room in the quota, an address no mail can go to) is an alert in its log instead.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sender in the organisation's settings is no mailbox.
    #[error("the organisation's `mail_from` is not of the form: Example AG <visitors@example.com>")]
    Sender,
    /// A mail could not be composed.
    #[error("a mail could not be composed")]
    Message,
    /// A test made it fail.
    #[error(transparent)]
    Injected(#[from] vestibule_core::fault::Injected),
}

impl Trouble for DeliveryError {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.code(),
            Self::Sender => Some("mail_from"),
            Self::Message => Some("mail"),
            Self::Injected(_) => Some("injected"),
        }
    }
}

/// Ends what lets a guest in, where an effect that was to end it could not be carried out as a whole: whatever fails in
/// telling people, nobody gets in by what was withdrawn.
pub fn secure(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    effect: &Effect,
    now: DateTime<Utc>,
) -> Result<Option<Fact>, StoreError> {
    let fact = match effect {
        Effect::Void | Effect::Cancel | Effect::EndDelivery { .. } => credential::void(tx, organisation, visit, now)?,
        Effect::Suspend => credential::suspend(tx, organisation, visit)?,
        // What the guest holds stays as it was until the new one is sent.
        _ => None,
    };
    if fact.is_some() {
        deliveries::touch(tx, organisation, visit, now)?;
    }
    Ok(fact)
}

/// Checks a `mail_from` of the settings: to be done when the hub starts, as no effect can be carried out without it.
pub fn check_sender(mail_from: &str) -> Result<(), DeliveryError> {
    mail_from.parse::<vestibule_core::address::Mailbox>().map(|_| ()).map_err(|_| DeliveryError::Sender)
}

/// Deletes everything a visit left here: credentials, deliveries, links, mails (GDPR, article 17). The caller vacuums.
pub fn erase(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    outbox_rows::erase(tx, organisation, visit)?;
    deliveries::erase(tx, organisation, visit)?;
    effects::erase(tx, organisation, visit)?;
    credentials::erase(tx, organisation, visit)
}
