//! A hub that was set back: another life of its database begins.
//!
//! `vestibule admin restore` begins it, and so does a phone that shows the hub its own signed words ([`found_out`]) where
//! somebody put an old file back by hand. Phones then begin anew and send again what the hub has forgotten, each what was
//! its own; for thirty days the hub waits for those that have not come by yet.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::feed::{Proof, Statement};
use vestibule_core::id::HubEpoch;
use vestibule_core::keys::Sign1;

use crate::moment::Moment;
use crate::store::restorations::{self, Restoration};
use crate::store::{StoreError, organisations};

/// How long what is missing may still come from a phone.
pub const PHONES_COME_BY: TimeDelta = TimeDelta::days(30);

/// Begins another life of a database that remembers everything up to `restored_to`.
pub fn open(tx: &Transaction<'_>, moment: &mut Moment<'_>, restored_to: i64) -> Result<HubEpoch, StoreError> {
    let previous = organisations::epoch(tx)?.ok_or(StoreError::Corrupt("epoch"))?;
    let epoch = HubEpoch(moment.random());
    restorations::open(tx, &Restoration { epoch, previous, restored_to, opened_at: moment.unix() })?;
    Ok(epoch)
}

/// Begins another life because a phone has shown that this database is older than it was ([`crate::feed::proves`]).
/// It happens once: in the new life the proof is of the one before.
pub fn found_out(tx: &Transaction<'_>, moment: &mut Moment<'_>, proof: &Proof) -> Result<HubEpoch, StoreError> {
    let said = Sign1::read(&proof.statement).map_err(|_| StoreError::Corrupt("proof"))?;
    let said: Statement =
        cbor::read(said.unverified_payload(), "statement").map_err(|_| StoreError::Corrupt("proof"))?;
    // What is older than the phone's last sync was there before; what is newer came after the file was put back.
    let restored_to = restorations::last_written(tx, said.time)?;
    let to = DateTime::from_timestamp(restored_to, 0).unwrap_or_default();
    tracing::error!(
        restored_to = %to,
        "hub.db is an older file than the one this hub has served: phones are asked to send again what it has forgotten; \
         use `vestibule admin restore` to put a backup back"
    );
    open(tx, moment, restored_to)
}

/// The time that a hub remembers everything up to for a phone that knows an earlier life of its database.
pub fn restored_to(tx: &Transaction<'_>, known: HubEpoch) -> Result<i64, StoreError> {
    let all = restorations::all(tx)?;
    let since =
        all.iter().rposition(|restoration| restoration.previous == known).unwrap_or(all.len().saturating_sub(1));
    Ok(all.iter().skip(since).map(|restoration| restoration.restored_to).min().unwrap_or(0))
}

/// Whether a phone may still bring what it had sent before the hub was set back.
pub fn phones_may_come_by(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let last = restorations::last(tx)?;
    Ok(last.is_some_and(|last| now.timestamp() < last.opened_at.saturating_add(PHONES_COME_BY.num_seconds())))
}
