//! Whether a database is whole: its pages, its references, and the chains over feed and decision logs.

use rusqlite::Transaction;
use sha2::{Digest as _, Sha256};
use vestibule_core::cbor;
use vestibule_core::decision::Entry;
use vestibule_core::feed::chain;
use vestibule_core::id::ChainHash;

use super::StoreError;
use super::column::{blob, count};

/// What is wrong with it, in words for an administrator; nothing if it is whole.
pub fn problems(tx: &Transaction<'_>) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    let integrity: String = tx.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if integrity != "ok" {
        problems.push(format!("SQLite finds the file damaged: {integrity}"));
        return Ok(problems);
    }
    if tx.prepare("PRAGMA foreign_key_check")?.exists([])? {
        problems.push("a row names another that is not there".to_owned());
    }
    broken_scopes(tx, &mut problems)?;
    broken_logs(tx, &mut problems)?;
    Ok(problems)
}

fn broken_scopes(tx: &Transaction<'_>, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut scopes = tx.prepare("SELECT organisation, scope, last, head FROM feed_scope ORDER BY 1, 2")?;
    let mut rows =
        tx.prepare("SELECT idx, salt, bytes, head FROM feed_row WHERE organisation = ?1 AND scope = ?2 ORDER BY idx")?;
    let mut scopes = scopes.query([])?;
    while let Some(scope) = scopes.next()? {
        let (organisation, name): (String, String) = (scope.get(0)?, scope.get(1)?);
        let mut held = (0, ChainHash::ORIGIN);
        let mut whole = true;
        let mut rows = rows.query([&organisation, &name])?;
        while let Some(row) = rows.next()? {
            let bytes = row.get_ref(2)?.as_blob().map_err(|_| StoreError::Corrupt("feed row"))?;
            held = (held.0 + 1, chain(&held.1, &blob(row, 1, "salt")?, bytes));
            whole &= count(row, 0)? == held.0 && ChainHash(blob(row, 3, "scope head")?) == held.1;
        }
        if !whole || held != (count(scope, 2)?, ChainHash(blob(scope, 3, "scope head")?)) {
            problems.push(format!("the feed's scope {name} of {organisation} does not add up to its head"));
        }
    }
    Ok(())
}

fn broken_logs(tx: &Transaction<'_>, problems: &mut Vec<String>) -> Result<(), StoreError> {
    let mut visits = tx.prepare("SELECT organisation, id, number, last_entry, log_head FROM visit ORDER BY number")?;
    let mut entries =
        tx.prepare("SELECT bytes FROM log_entry WHERE organisation = ?1 AND visit = ?2 ORDER BY number")?;
    let mut visits = visits.query([])?;
    while let Some(visit) = visits.next()? {
        let (organisation, id): (String, Vec<u8>) = (visit.get(0)?, visit.get(1)?);
        let mut held = (0, ChainHash::ORIGIN);
        let mut whole = true;
        let mut entries = entries.query(rusqlite::params![organisation, id])?;
        while let Some(row) = entries.next()? {
            let bytes = row.get_ref(0)?.as_blob().map_err(|_| StoreError::Corrupt("log entry"))?;
            let follows =
                |entry: Entry| (entry.number, entry.previous) == (held.0 + 1, held.1) && *entry.visit.as_bytes() == *id;
            whole &= cbor::read::<Entry>(bytes, "log entry").is_ok_and(follows);
            held = (held.0 + 1, ChainHash(Sha256::digest(bytes).into()));
        }
        if !whole || held != (count(visit, 3)?, ChainHash(blob(visit, 4, "log head")?)) {
            let number: i64 = visit.get(2)?;
            problems.push(format!("the decision log of visit {number} does not add up to its head"));
        }
    }
    Ok(())
}
