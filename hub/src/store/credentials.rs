//! SQL of credentials and of failed guesses.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use vestibule_core::id::{CredentialId, OrganisationId, SiteId, VisitId};

use super::StoreError;
use super::clock::CERTAIN;
use crate::credential::{Credential, PinHash, State, Window};

const COLUMNS: &str = "id, organisation, visit, site, not_before, expires, opens, closes, state";

/// Stores a credential with its PIN's hash.
pub fn insert(
    tx: &Transaction<'_>,
    credential: &Credential,
    pin: &PinHash,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let window = &credential.window;
    tx.prepare_cached(
        "INSERT INTO credential (id, organisation, visit, site, not_before, expires, opens, closes, state,
         pin_hash, minted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        credential.id.as_bytes(),
        credential.organisation.as_str(),
        credential.visit.as_bytes(),
        credential.site.as_str(),
        window.not_before.timestamp(),
        window.expires.timestamp(),
        window.hours.map(|(opens, _)| opens),
        window.hours.map(|(_, closes)| closes),
        credential.state.as_str(),
        pin.0,
        now.timestamp(),
    ])?;
    Ok(())
}

/// Forgets the PINs of a site whose window has passed, which makes their digits free again.
pub fn forget_expired_pins(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &SiteId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(&format!(
        "UPDATE credential SET pin_hash = NULL
         WHERE organisation = ?1 AND site = ?2 AND expires <= ?3 AND pin_hash IS NOT NULL AND {CERTAIN}"
    ))?
    .execute(params![organisation.as_str(), site.as_str(), now.timestamp()])?;
    Ok(())
}

/// How many PINs of a site can still open something.
pub fn count_pins(tx: &Transaction<'_>, organisation: &OrganisationId, site: &SiteId) -> Result<u64, StoreError> {
    let count: u32 = tx
        .prepare_cached(
            "SELECT count(*) FROM credential WHERE organisation = ?1 AND site = ?2 AND pin_hash IS NOT NULL",
        )?
        .query_row(params![organisation.as_str(), site.as_str()], |row| row.get(0))?;
    Ok(count.into())
}

/// Whether a PIN of that hash can still open something.
pub fn is_pin_taken(tx: &Transaction<'_>, pin: &PinHash) -> Result<bool, StoreError> {
    Ok(tx.prepare_cached("SELECT 1 FROM credential WHERE pin_hash = ?1")?.exists([pin.0])?)
}

/// The credential of a PIN.
pub fn by_pin(tx: &Transaction<'_>, pin: &PinHash) -> Result<Option<Credential>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE pin_hash = ?1");
    one(tx.prepare_cached(&sql)?.query_row([pin.0], |row| Ok(read(row))))
}

/// The credential of that id at that site.
pub fn by_id(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &SiteId,
    id: CredentialId,
) -> Result<Option<Credential>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM credential WHERE id = ?1 AND organisation = ?2 AND site = ?3");
    let found = tx
        .prepare_cached(&sql)?
        .query_row(params![id.as_bytes(), organisation.as_str(), site.as_str()], |row| Ok(read(row)));
    one(found)
}

/// The newest credential of a visit; one that is live or suspended comes before all others.
pub fn latest(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<Credential>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM credential WHERE organisation = ?1 AND visit = ?2
         ORDER BY state IN ('live', 'suspended') DESC, minted_at DESC, ended_at DESC, state = 'spent' DESC LIMIT 1"
    );
    one(tx.prepare_cached(&sql)?.query_row(params![organisation.as_str(), visit.as_bytes()], |row| Ok(read(row))))
}

/// Moves the visit's credential from one state to another; whether there was one.
pub fn set_state(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    from: State,
    to: State,
) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached("UPDATE credential SET state = ?4 WHERE organisation = ?1 AND visit = ?2 AND state = ?3")?
        .execute(params![organisation.as_str(), visit.as_bytes(), from.as_str(), to.as_str()])?;
    Ok(changed > 0)
}

/// Voids the visit's live or suspended credential and forgets its PIN; whether there was one.
pub fn void(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE credential SET state = 'void', pin_hash = NULL, ended_at = ?3
             WHERE organisation = ?1 AND visit = ?2 AND state IN ('live', 'suspended')",
        )?
        .execute(params![organisation.as_str(), visit.as_bytes(), now.timestamp()])?;
    Ok(changed > 0)
}

/// Uses a credential up if it is live and within its window; whether it was.
pub fn spend(tx: &Transaction<'_>, id: CredentialId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE credential SET state = 'spent', pin_hash = NULL, ended_at = ?2
             WHERE id = ?1 AND state = 'live' AND not_before <= ?2 AND expires > ?2",
        )?
        .execute(params![id.as_bytes(), now.timestamp()])?;
    Ok(changed > 0)
}

/// Uses the visit's live credential up, whatever its window; whether there was one.
pub fn use_up(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let changed = tx
        .prepare_cached(
            "UPDATE credential SET state = 'spent', pin_hash = NULL, ended_at = ?3
             WHERE organisation = ?1 AND visit = ?2 AND state = 'live'",
        )?
        .execute(params![organisation.as_str(), visit.as_bytes(), now.timestamp()])?;
    Ok(changed > 0)
}

/// Moves the end of the visit's credential, live or suspended, whose site's clock shows its last hour at another instant.
pub fn set_expires(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    expires: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE credential SET expires = ?3
         WHERE organisation = ?1 AND visit = ?2 AND state IN ('live', 'suspended') AND not_before < ?3",
    )?
    .execute(params![organisation.as_str(), visit.as_bytes(), expires.timestamp()])?;
    Ok(())
}

/// How many guesses failed at a site (at one of its desks) since then, and when the first of them did.
pub fn failed_guesses(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &SiteId,
    desk: Option<&str>,
    since: DateTime<Utc>,
) -> Result<(u64, Option<DateTime<Utc>>), StoreError> {
    let (count, first): (u32, Option<i64>) = tx
        .prepare_cached(
            "SELECT coalesce(sum(count), 0), min(minute) FROM failed_guess
             WHERE organisation = ?1 AND site = ?2 AND desk = coalesce(?3, desk) AND minute > ?4",
        )?
        .query_row(params![organisation.as_str(), site.as_str(), desk, since.timestamp().div_euclid(60)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok((count.into(), first.and_then(|minute| DateTime::from_timestamp(minute.saturating_mul(60), 0))))
}

/// Counts a failed guess, and forgets those of the day before.
pub fn count_failed_guess(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &SiteId,
    desk: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let minute = now.timestamp().div_euclid(60);
    tx.prepare_cached(
        "INSERT INTO failed_guess (organisation, site, desk, minute, count) VALUES (?1, ?2, ?3, ?4, 1)
         ON CONFLICT DO UPDATE SET count = count + 1",
    )?
    .execute(params![organisation.as_str(), site.as_str(), desk, minute])?;
    let sql = format!("DELETE FROM failed_guess WHERE organisation = ?1 AND site = ?2 AND minute < ?3 AND {CERTAIN}");
    tx.prepare_cached(&sql)?.execute(params![organisation.as_str(), site.as_str(), minute - 24 * 60])?;
    Ok(())
}

/// Deletes every credential of a visit (erasure).
pub fn erase(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM credential WHERE organisation = ?1 AND visit = ?2")?
        .execute(params![organisation.as_str(), visit.as_bytes()])?;
    Ok(())
}

fn one<T>(found: rusqlite::Result<Result<T, StoreError>>) -> Result<Option<T>, StoreError> {
    found.optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<Credential, StoreError> {
    let corrupt = |_| StoreError::Corrupt("credential");
    let instant = |column: &str| -> Result<DateTime<Utc>, StoreError> {
        DateTime::from_timestamp(row.get(column)?, 0).ok_or(StoreError::Corrupt("credential"))
    };
    let state: String = row.get("state")?;
    let opens: Option<u16> = row.get("opens")?;
    let closes: Option<u16> = row.get("closes")?;
    Ok(Credential {
        id: CredentialId(row.get("id")?),
        organisation: OrganisationId::new(row.get::<_, String>("organisation")?).map_err(corrupt)?,
        visit: VisitId::from_bytes(row.get("visit")?),
        site: SiteId::new(row.get::<_, String>("site")?).map_err(corrupt)?,
        window: Window { not_before: instant("not_before")?, expires: instant("expires")?, hours: opens.zip(closes) },
        state: State::from_name(&state).ok_or(StoreError::Corrupt("credential"))?,
    })
}
