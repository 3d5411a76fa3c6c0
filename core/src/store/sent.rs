//! The envelopes the hub has answered, kept for 60 days with their chunks: a hub that was restored from a backup is sent
//! them again, byte for byte.
//!
//! Nothing is copied when an invitation is written: the envelope moves here from those that wait when it is answered, and
//! the chunks of its changes stay where they are ([`super::purge::drop_accepted`] leaves what an envelope names).

use super::StoreError;
use super::tx::{Tx, one};

/// How long, in seconds: 60 days.
const KEPT_FOR: i64 = 60 * 86_400;

/// Keeps an envelope of which every item is answered.
pub(super) fn keep(tx: &Tx<'_>, counter: i64, at: i64) -> Result<(), StoreError> {
    // The hub takes envelopes in order: what was torn before this one is behind it too.
    const ANSWERED: &str = "counter = ?1 OR (counter < ?1 AND bytes = x'' AND rest IS NULL)";
    tx.execute(
        &format!(
            "INSERT OR REPLACE INTO sent (counter, answered_at, hash, previous, bytes, rest, made_at)
             SELECT counter, ?2, hash, previous, bytes, rest, made_at FROM envelope WHERE {ANSWERED}"
        ),
        (counter, at),
    )?;
    tx.execute(&format!("DELETE FROM envelope WHERE {ANSWERED}"), [counter])?;
    Ok(())
}

/// Puts the envelopes from `counter` on among those that wait again; false if there is none.
pub(super) fn requeue(tx: &Tx<'_>, counter: u64) -> Result<bool, StoreError> {
    let counter = i64::try_from(counter).unwrap_or(i64::MAX);
    let moved = tx.execute(
        "INSERT OR IGNORE INTO envelope (counter, hash, previous, bytes, rest, made_at)
         SELECT counter, hash, previous, bytes, rest, made_at FROM sent WHERE counter >= ?1",
        [counter],
    )?;
    tx.execute("DELETE FROM sent WHERE counter >= ?1", [counter])?;
    Ok(moved > 0)
}

/// Lets go of what is older than 60 days by the hub's time. The oldest stands first, so that this costs one look.
pub(super) fn prune(tx: &Tx<'_>, hub_time: i64) -> Result<(), StoreError> {
    let oldest = "SELECT counter FROM sent WHERE counter = (SELECT min(counter) FROM sent) AND answered_at < ?1";
    while let Some(counter) = one(tx, oldest, [hub_time - KEPT_FOR], |row| row.get::<_, i64>(0))? {
        let_go_of(tx, counter)?;
    }
    Ok(())
}

/// Lets go of all of them: another device's key signs from now on, and its envelopes are counted from 1 again.
pub(super) fn forget(tx: &Tx<'_>) -> Result<(), StoreError> {
    tx.execute("UPDATE chunk SET envelope = NULL WHERE envelope IS NOT NULL", [])?;
    tx.execute("DELETE FROM sent", [])?;
    Ok(())
}

fn let_go_of(tx: &Tx<'_>, counter: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM chunk WHERE envelope = ?1 AND status = 'superseded'", [counter])?;
    tx.execute("UPDATE chunk SET envelope = NULL WHERE envelope = ?1", [counter])?;
    tx.execute("DELETE FROM sent WHERE counter = ?1", [counter])?;
    Ok(())
}
