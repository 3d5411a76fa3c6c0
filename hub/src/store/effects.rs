//! SQL of effects that could not be carried out: one row for each visit and effect.

use chrono::{DateTime, Utc};
use rusqlite::{Row, Transaction, params};
use vestibule_core::id::{OrganisationId, VisitId};

use super::StoreError;
use super::column::blob;

/// An effect that could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The visit.
    pub visit: VisitId,
    /// What was to be done, by its name.
    pub effect: String,
    /// What more is to be known to do it: an address, a reason.
    pub detail: Option<String>,
    /// Why it could not be done, by a stable code.
    pub code: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried first.
    pub since: DateTime<Utc>,
    /// When it was tried last.
    pub tried_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT visit, effect, detail, code, attempts, since, tried_at FROM effect_failed";

/// Notes that an effect failed: for the first time, or once more. True if that is news.
pub fn note(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    (effect, detail): (&str, Option<&str>),
    code: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let held = of_visit(tx, organisation, visit)?;
    tx.prepare_cached(
        "INSERT INTO effect_failed (organisation, visit, effect, detail, code, attempts, since, tried_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6)
         ON CONFLICT (organisation, visit, effect) DO UPDATE SET detail = excluded.detail, code = excluded.code,
         attempts = attempts + 1, tried_at = excluded.tried_at",
    )?
    .execute(params![organisation.as_str(), visit.as_bytes(), effect, detail, code, now.timestamp()])?;
    Ok(!held.iter().any(|row| row.effect == effect && row.code == code))
}

/// An effect was carried out after all, or need not be any more.
pub fn forget(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    effect: &str,
) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM effect_failed WHERE organisation = ?1 AND visit = ?2 AND effect = ?3")?
        .execute(params![organisation.as_str(), visit.as_bytes(), effect])?;
    Ok(())
}

/// What of a visit could not be done.
pub fn of_visit(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Vec<Undone>, StoreError> {
    tx.prepare_cached(&format!("{SELECT} WHERE organisation = ?1 AND visit = ?2 ORDER BY since, effect"))?
        .query_and_then(params![organisation.as_str(), visit.as_bytes()], read)?
        .collect()
}

/// What could not be done in an organisation, the oldest first.
pub fn list(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<Undone>, StoreError> {
    tx.prepare_cached(&format!("{SELECT} WHERE organisation = ?1 ORDER BY since, visit, effect"))?
        .query_and_then([organisation.as_str()], read)?
        .collect()
}

/// Deletes what is known of a visit (erasure).
pub fn erase(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM effect_failed WHERE organisation = ?1 AND visit = ?2")?
        .execute(params![organisation.as_str(), visit.as_bytes()])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<Undone, StoreError> {
    let time = |at: i64| DateTime::from_timestamp(at, 0).ok_or(StoreError::Corrupt("effect"));
    Ok(Undone {
        visit: VisitId::from_bytes(blob(row, 0, "visit id")?),
        effect: row.get(1)?,
        detail: row.get(2)?,
        code: row.get(3)?,
        attempts: row.get(4)?,
        since: time(row.get(5)?)?,
        tried_at: time(row.get(6)?)?,
    })
}
