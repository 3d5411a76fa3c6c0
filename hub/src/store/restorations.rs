//! The lives of this database after its first.

use rusqlite::{Row, Transaction, params};
use vestibule_core::id::HubEpoch;

use super::StoreError;
use super::column::blob;
use super::organisations;

/// How another life of the database began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restoration {
    /// Its epoch.
    pub epoch: HubEpoch,
    /// The epoch before.
    pub previous: HubEpoch,
    /// It remembers everything up to this time, Unix seconds.
    pub restored_to: i64,
    /// When it began, Unix seconds.
    pub opened_at: i64,
}

/// Begins another life of the database. What is counted goes on far behind what phones, guests and calendars may have
/// seen: no number is given out twice, and no calendar entry looks older than the one before.
pub fn open(tx: &Transaction<'_>, restoration: &Restoration) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO restoration (epoch, previous, restored_to, opened_at) VALUES (?1, ?2, ?3, ?4)",
        params![
            restoration.epoch.as_bytes(),
            restoration.previous.as_bytes(),
            restoration.restored_to,
            restoration.opened_at
        ],
    )?;
    tx.execute("UPDATE sequence SET last = last + 100000", [])?;
    tx.execute("UPDATE delivery SET sequence = sequence + 1000", [])?;
    organisations::set_epoch(tx, restoration.epoch)
}

/// The last one, if there was any.
pub fn last(tx: &Transaction<'_>) -> Result<Option<Restoration>, StoreError> {
    tx.prepare_cached("SELECT epoch, previous, restored_to, opened_at FROM restoration ORDER BY number DESC LIMIT 1")?
        .query_and_then([], read)?
        .next()
        .transpose()
}

/// All of them, the first one first.
pub fn all(tx: &Transaction<'_>) -> Result<Vec<Restoration>, StoreError> {
    tx.prepare_cached("SELECT epoch, previous, restored_to, opened_at FROM restoration ORDER BY number")?
        .query_and_then([], read)?
        .collect()
}

fn read(row: &Row<'_>) -> Result<Restoration, StoreError> {
    Ok(Restoration {
        epoch: blob(row, 0, "epoch").map(HubEpoch)?,
        previous: blob(row, 1, "epoch").map(HubEpoch)?,
        restored_to: row.get(2)?,
        opened_at: row.get(3)?,
    })
}

/// The latest time up to `until` at which something was written into the database, Unix seconds.
pub fn last_written(tx: &Transaction<'_>, until: i64) -> Result<i64, StoreError> {
    let latest: Option<i64> = tx.query_row(
        "SELECT max(at) FROM (SELECT max(at) AS at FROM log_entry WHERE at <= ?1
         UNION ALL SELECT max(received_at) FROM envelope WHERE received_at <= ?1
         UNION ALL SELECT max(enrolled_at) FROM device WHERE enrolled_at <= ?1)",
        [until],
        |row| row.get(0),
    )?;
    Ok(latest.unwrap_or(0))
}
