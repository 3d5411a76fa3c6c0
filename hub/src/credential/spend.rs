//! Using a credential up, and the limit on guessing.

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use rusqlite::Transaction;
use vestibule_core::id::{CredentialId, SiteId, VisitId};
use vestibule_core::zone::Zone;

use super::{Credential, Pin, State};
use crate::context::Context;
use crate::store::{StoreError, credentials, organisations};

/// Failed guesses a desk has in any [`DESK_SPAN`].
const DESK_GUESSES: u64 = 5;
/// The time a desk's guesses are counted over.
const DESK_SPAN: TimeDelta = TimeDelta::minutes(10);
/// Failed guesses a site has in any hour, over all its desks: with one PIN in ten thousand guesses, a hit every week.
const SITE_GUESSES: u64 = 50;
/// The time a site's guesses are counted over.
const SITE_SPAN: TimeDelta = TimeDelta::hours(1);

/// What a visitor shows.
pub enum Presented {
    /// The digits of the mail.
    Pin(Pin),
    /// The credential named by a QR token whose signature has been checked.
    Qr(CredentialId),
}

/// A credential that has just been used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The visit it let in for.
    pub visit: VisitId,
    /// The credential.
    pub credential: CredentialId,
}

/// Why a visitor is not let in; completes "failed to let the visitor in: …". The code is stable.
#[derive(Debug, thiserror::Error)]
pub enum SpendRefusal {
    /// No such PIN or credential here. It says no more, so that a guess teaches nothing.
    #[error("this PIN or code is not known here")]
    Unknown,
    /// Used before: a copy, or the visitor comes back (S4.25, S4.27).
    #[error("this PIN or code has been used")]
    AlreadyUsed(Spent),
    /// Void or suspended.
    #[error("this invitation is not valid now; ask the host")]
    NotValidNow,
    /// The window or the day's hours have not begun, or have passed.
    #[error("this invitation is not valid at this time")]
    OutsideWindow,
    /// Too many wrong PINs.
    #[error("too many wrong PINs were tried here; wait until {until}")]
    TooManyGuesses {
        /// When the next one is taken.
        until: DateTime<Utc>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SpendRefusal {
    /// The code a program acts on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::AlreadyUsed(_) => "already_used",
            Self::NotValidNow => "not_valid_now",
            Self::OutsideWindow => "outside_window",
            Self::TooManyGuesses { .. } => "too_many_guesses",
            Self::Store(_) => "store",
        }
    }
}

/// Uses a credential up at a site, at the hub's time. `desk` names the door or device that asks, for the limit.
///
/// The transaction must be committed also where this refuses: the counters of failed guesses are in it. (Hand the
/// refusal out of the transaction as a value.)
///
/// One conditional UPDATE decides; of two at the same moment one wins (S4.25).
pub fn spend(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    site: &SiteId,
    desk: &str,
    presented: &Presented,
) -> Result<Spent, SpendRefusal> {
    let organisation = &context.organisation;
    let found = match presented {
        Presented::Qr(id) => credentials::by_id(tx, organisation, site, *id)?,
        Presented::Pin(pin) => {
            for (of, guesses, span) in [(Some(desk), DESK_GUESSES, DESK_SPAN), (None, SITE_GUESSES, SITE_SPAN)] {
                let (count, first) = credentials::failed_guesses(tx, organisation, site, of, now - span)?;
                if count >= guesses {
                    return Err(SpendRefusal::TooManyGuesses { until: first.unwrap_or(now) + span });
                }
            }
            let hash = pin.hash(&context.keys.pin_pepper, organisation, site);
            let found = credentials::by_pin(tx, &hash)?;
            if found.is_none() {
                credentials::count_failed_guess(tx, organisation, site, desk, now)?;
            }
            found
        }
    };
    let credential = found.ok_or(SpendRefusal::Unknown)?;
    let spent = Spent { visit: credential.visit, credential: credential.id };
    match credential.state {
        State::Spent => return Err(SpendRefusal::AlreadyUsed(spent)),
        State::Void | State::Suspended => return Err(SpendRefusal::NotValidNow),
        State::Live => {}
    }
    if !is_within_hours(tx, &credential, now)? || !credentials::spend(tx, credential.id, now)? {
        return Err(SpendRefusal::OutsideWindow);
    }
    Ok(spent)
}

/// Whether the site's clock is within the credential's hours of the day.
fn is_within_hours(tx: &Transaction<'_>, credential: &Credential, now: DateTime<Utc>) -> Result<bool, StoreError> {
    if credential.window.hours.is_none() {
        return Ok(true);
    }
    let site = organisations::site(tx, &credential.organisation, &credential.site)?;
    Ok(credential.is_within_hours(now, &site.ok_or(StoreError::Corrupt("site"))?.zone))
}

impl Credential {
    /// Whether the day's hours of its window, if it has any, have begun and not passed on the site's clock.
    pub(crate) fn is_within_hours(&self, now: DateTime<Utc>, zone: &Zone) -> bool {
        let Some((opens, closes)) = self.window.hours else { return true };
        let local = now.with_timezone(zone);
        let minute = local.hour() * 60 + local.minute();
        (u32::from(opens)..u32::from(closes)).contains(&minute)
    }
}
