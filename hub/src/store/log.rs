//! Decision logs: entries, and beside them the payloads that erasure may delete.

use rusqlite::{Transaction, params};
use vestibule_core::cbor;
use vestibule_core::decision::{Decision, Fact, LoggedDecision};
use vestibule_core::id::{OrganisationId, VisitId};

use super::StoreError;
use super::column::{Count, blob};
use crate::visit::AcceptedVisit;

/// Stores the next entry of a visit's log.
pub fn append(
    tx: &Transaction<'_>,
    visit: &AcceptedVisit,
    number: u64,
    at: i64,
    logged: &LoggedDecision,
) -> Result<(), StoreError> {
    let (organisation, visit, number) = (visit.organisation.as_str(), visit.id.as_bytes(), Count(number));
    tx.prepare_cached("INSERT INTO log_entry (organisation, visit, number, bytes, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![organisation, visit, number, logged.entry.as_slice(), at])?;
    tx.prepare_cached(
        "INSERT INTO log_payload (organisation, visit, number, salt, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![organisation, visit, number, logged.salt, logged.payload.as_slice()])?;
    Ok(())
}

/// The whole log of a visit that is still there, oldest first.
pub fn entries(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Vec<LoggedDecision>, StoreError> {
    tx.prepare_cached(
        "SELECT log_entry.bytes, salt, log_payload.bytes FROM log_entry JOIN log_payload USING (organisation, visit, number)
         WHERE organisation = ?1 AND visit = ?2 ORDER BY number",
    )?
    .query_and_then(params![organisation.as_str(), visit.as_bytes()], |row| {
        Ok(LoggedDecision {
            entry: row.get::<_, Vec<u8>>(0)?.into(),
            salt: blob(row, 1, "salt")?,
            payload: row.get::<_, Vec<u8>>(2)?.into(),
        })
    })?
    .collect()
}

/// The decisions of a visit's log, oldest first.
pub fn decisions(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Vec<Decision>, StoreError> {
    tx.prepare_cached("SELECT bytes FROM log_payload WHERE organisation = ?1 AND visit = ?2 ORDER BY number")?
        .query_and_then(params![organisation.as_str(), visit.as_bytes()], |row| {
            let bytes = row.get_ref(0)?.as_blob().map_err(|_| StoreError::Corrupt("decision"))?;
            cbor::read(bytes, "decision").map_err(|_| StoreError::Corrupt("decision"))
        })?
        .collect()
}

/// The facts of a visit's log, oldest first.
pub fn facts(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<Vec<Fact>, StoreError> {
    Ok(decisions(tx, organisation, visit)?.into_iter().map(|decision| decision.fact).collect())
}
