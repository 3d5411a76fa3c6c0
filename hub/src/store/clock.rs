//! What the database remembers of the clock: the highest time seen, a doubt in the machine's clock, and that an
//! administrator has confirmed it.

use chrono::{DateTime, Utc};
use minicbor::{Decode, Encode};
use rusqlite::{OptionalExtension as _, Transaction};
use vestibule_core::cbor;

use super::StoreError;

const SEEN: &str = "clock";
const IN_DOUBT: &str = "clock_in_doubt";
const CONFIRMED: &str = "clock_confirmed";

/// A condition for whatever is thrown away by the clock: that the clock is not in doubt.
pub(crate) const CERTAIN: &str = "NOT EXISTS (SELECT 1 FROM meta WHERE name = 'clock_in_doubt')";

/// A doubt in the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Doubt {
    /// How far the machine's clock is ahead of the hub's time, in seconds; behind is negative.
    #[n(0)]
    pub ahead: i64,
    /// Since when, in the hub's time, Unix seconds.
    #[n(1)]
    pub since: i64,
}

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// The highest time that was believed.
    pub seen: Option<DateTime<Utc>>,
    /// The doubt there was when a hub last looked.
    pub doubt: Option<Doubt>,
    /// The machine's clock when an administrator confirmed it, if no hub has heard of it yet.
    pub confirmed: Option<DateTime<Utc>>,
}

/// What is remembered.
pub fn get(tx: &Transaction<'_>) -> Result<Record, StoreError> {
    let seconds = |seconds: i64| DateTime::from_timestamp(seconds, 0);
    Ok(Record {
        seen: value(tx, SEEN)?.and_then(seconds),
        doubt: value(tx, IN_DOUBT)?,
        confirmed: value(tx, CONFIRMED)?.and_then(seconds),
    })
}

/// Remembers the record.
pub fn put(tx: &Transaction<'_>, record: &Record) -> Result<(), StoreError> {
    set(tx, SEEN, record.seen.map(|seen| seen.timestamp()))?;
    set(tx, IN_DOUBT, record.doubt)?;
    set(tx, CONFIRMED, record.confirmed.map(|confirmed| confirmed.timestamp()))
}

fn value<T: for<'b> Decode<'b, ()>>(tx: &Transaction<'_>, name: &str) -> Result<Option<T>, StoreError> {
    let bytes: Option<Vec<u8>> =
        tx.prepare_cached("SELECT value FROM meta WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()?;
    bytes.map(|bytes| cbor::read(&bytes, "clock").map_err(|_| StoreError::Corrupt("clock"))).transpose()
}

fn set<T: Encode<()>>(tx: &Transaction<'_>, name: &str, value: Option<T>) -> Result<(), StoreError> {
    match value {
        Some(value) => tx
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")?
            .execute((name, cbor::write(&value)))?,
        None => tx.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([name])?,
    };
    Ok(())
}
