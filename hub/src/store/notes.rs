//! Internal notes: append-only facts about a visit, outside its document (S1.19).

use rusqlite::{Transaction, params};
use vestibule_core::feed::NoteRow;
use vestibule_core::id::{OrganisationId, RequestId, VisitId};

use super::StoreError;
use super::column::{blob, text};

/// Stores a note.
pub fn insert(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    note: &NoteRow,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO note (organisation, request, visit, author, text, accepted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        organisation.as_str(),
        note.id.as_bytes(),
        visit.as_bytes(),
        note.author.as_str(),
        note.text,
        note.accepted_at
    ])?;
    Ok(())
}

/// The notes of a visit, oldest first.
pub fn of_visit(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Vec<NoteRow>, StoreError> {
    tx.prepare_cached(
        "SELECT request, author, accepted_at, text FROM note WHERE organisation = ?1 AND visit = ?2
         ORDER BY accepted_at, request",
    )?
    .query_and_then(params![organisation.as_str(), visit.as_bytes()], |row| {
        Ok(NoteRow {
            id: RequestId::from_bytes(blob(row, 0, "request id")?),
            author: text(row, 1, "member id")?,
            accepted_at: row.get(2)?,
            text: row.get(3)?,
        })
    })?
    .collect()
}
