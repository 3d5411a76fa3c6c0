//! Credentials: what lets a visitor in, once, at one site, within one window.
//!
//! A credential is one row with two presentations: a PIN, which only the mail knows (the row holds its keyed hash), and
//! a QR token, made from the row whenever mail, page or pass draws it. [`mint`] makes the row and the PIN, [`suspend`],
//! [`revive`] and [`void`] follow the visit's life, and [`spend`] uses it up: the first use of either presentation.
//! A visit has at most one that is live or suspended; the database itself refuses a second.

mod pin;
mod spend;
#[cfg(test)]
mod tests;
mod window;

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::decision::Fact;
use vestibule_core::id::{CredentialId, OrganisationId, SiteId, VisitId};
use vestibule_core::qr::{QrClaims, sign};

pub use pin::{Pin, PinHash};
pub use spend::{Presented, SpendRefusal, Spent, spend};
pub use window::Window;

use crate::context::Context;
use crate::delivery::Invitation;
use crate::moment::Moment;
use crate::store::{StoreError, credentials};

/// What a credential can do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It opens within its window.
    Live,
    /// It opens nothing until it is revived.
    Suspended,
    /// It is dead.
    Void,
    /// It was used.
    Spent,
}

impl State {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Void => "void",
            Self::Spent => "spent",
        }
    }

    /// The state of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Live, Self::Suspended, Self::Void, Self::Spent].into_iter().find(|state| state.as_str() == name)
    }
}

/// A credential, without its PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Random, in the QR token.
    pub id: CredentialId,
    /// The organisation that invited.
    pub organisation: OrganisationId,
    /// The visit it lets in for.
    pub visit: VisitId,
    /// The only site it is good for (S1.30, S4.19).
    pub site: SiteId,
    /// When it opens.
    pub window: Window,
    /// What it can do now.
    pub state: State,
}

impl Credential {
    /// Whether it lets in from now on, or will within its window.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.state == State::Live && now < self.window.expires
    }

    /// The text of its QR code: the same each time it is made.
    pub fn qr_token(&self, context: &Context) -> String {
        let claims = QrClaims {
            organisation: self.organisation.clone(),
            site: self.site.clone(),
            not_before: self.window.not_before,
            expires: self.window.expires,
            credential: self.id,
        };
        sign(&claims, context.keys.qr.key())
    }
}

/// A credential just minted: the only moment its PIN is known.
pub struct Minted {
    /// The row.
    pub credential: Credential,
    /// The PIN, for the mail.
    pub pin: Pin,
}

impl Minted {
    /// The fact for the log.
    pub fn fact(&self) -> Fact {
        let window = &self.credential.window;
        Fact::Minted { not_before: window.not_before.timestamp(), expires: window.expires.timestamp() }
    }
}

/// Mints the credential of a visit. A live or suspended one of the visit must have been voided before.
///
/// The PIN is unique among those of the site that can still open something; one drawn twice is drawn again, which with
/// at most one in ten thousand taken ends at once.
pub fn mint(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    invitation: &Invitation,
    window: Window,
) -> Result<Minted, StoreError> {
    let (organisation, site) = (&context.organisation, &invitation.site.id);
    credentials::forget_expired_pins(tx, organisation, site, moment.now)?;
    let digits = Pin::digits(credentials::count_pins(tx, organisation, site)?);
    let credential = Credential {
        id: CredentialId(moment.random()),
        organisation: organisation.clone(),
        visit: invitation.visit,
        site: site.clone(),
        window,
        state: State::Live,
    };
    let (pin, hash) = loop {
        let pin = Pin::draw(digits, moment.rng);
        let hash = pin.hash(&context.keys.pin_pepper, organisation, site);
        if !credentials::is_pin_taken(tx, &hash)? {
            break (pin, hash);
        }
    };
    credentials::insert(tx, &credential, &hash, moment.now)?;
    Ok(Minted { credential, pin })
}

/// The visit's credential opens nothing until it is revived; no fact if it has none that is live.
pub fn suspend(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<Fact>, StoreError> {
    let changed = credentials::set_state(tx, organisation, visit, State::Live, State::Suspended)?;
    Ok(changed.then_some(Fact::Suspended))
}

/// The visit's suspended credential lives again; no fact if it has none.
pub fn revive(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<Option<Fact>, StoreError> {
    let changed = credentials::set_state(tx, organisation, visit, State::Suspended, State::Live)?;
    Ok(changed.then_some(Fact::Revived))
}

/// The visit's credential, live or suspended, is dead from now on and its PIN forgotten; no fact if it has none.
pub fn void(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    now: DateTime<Utc>,
) -> Result<Option<Fact>, StoreError> {
    Ok(credentials::void(tx, organisation, visit, now)?.then_some(Fact::Voided))
}

/// The visitor was let in by name: the visit's credential is used up all the same. Whether it was live.
///
/// To be called before the effects of an arrival, so that the visitor's page says "checked in" and not "not valid".
pub fn use_up(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    credentials::use_up(tx, organisation, visit, now)
}

/// Whether the visit's latest credential was used.
pub(crate) fn is_spent(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<bool, StoreError> {
    Ok(latest(tx, organisation, visit)?.is_some_and(|credential| credential.state == State::Spent))
}

/// The visit's latest credential, whatever its state.
pub fn latest(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<Credential>, StoreError> {
    credentials::latest(tx, organisation, visit)
}
