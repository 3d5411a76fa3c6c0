//! Taking visits off the phone: one that left its last scope, one that was erased, a scope that is received anew.

use rusqlite::Connection;

use super::StoreError;
use super::batch::Batch;
use super::outbox::turn_down;
use super::project::SearchRows;
use super::replay::loosen;
use super::trouble::needs_update;
use super::tx::{Tx, all, one};
use super::working::{OperationState, Working};
use super::{outbox, project};
use crate::cbor;
use crate::feed::Scope;
use crate::id::VisitId;
use crate::receipt::Refusal;

/// Drops what the hub sent of a visit; unsent work stays, as drafts where `left` is given, else to be replayed once the
/// visit is received again.
pub(super) fn forget(tx: &Tx<'_>, working: &mut Working, left: bool) -> Result<(), StoreError> {
    loosen(tx, working)?;
    let id = working.id;
    drop_accepted(tx, id)?;
    for sql in [
        "DELETE FROM doc WHERE id = ?1",
        "DELETE FROM decision WHERE visit = ?1",
        // Those of a scope go with that scope: a visit that comes back comes without them.
        "DELETE FROM note WHERE visit = ?1 AND id NOT IN (SELECT id FROM note_holding WHERE visit = ?1)",
        "DELETE FROM quarantine WHERE visit = ?1",
        "DELETE FROM kept WHERE visit = ?1",
    ] {
        tx.execute(sql, [id.as_bytes()])?;
    }
    let (outbox, place) = (std::mem::take(&mut working.outbox), working.place);
    *working = Working { outbox, place, fresh: working.fresh, ..Working::fresh(id) };
    if left {
        let why = Refusal {
            code: "left".to_owned(),
            message: "the visit is no longer yours to edit; invite again to use the draft".to_owned(),
            field: None,
        };
        // A conflict is with a value that is gone.
        let open = working.outbox.iter().filter(|entry| entry.state != OperationState::Refused);
        for entry in open.map(|entry| entry.id).collect::<Vec<_>>() {
            turn_down(tx, working, entry, OperationState::Refused, Some(&why))?;
        }
    }
    Ok(())
}

/// Drops the accepted changes of a visit. One that a waiting envelope names stays until that is answered: without its
/// chunks the hub takes no envelope.
pub(super) fn drop_accepted(tx: &Tx<'_>, visit: VisitId) -> Result<(), StoreError> {
    for sql in [
        "UPDATE chunk SET status = 'superseded' WHERE visit = ?1 AND status = 'accepted' AND envelope IS NOT NULL",
        "DELETE FROM chunk WHERE visit = ?1 AND status IN ('accepted', 'provisional')",
    ] {
        tx.execute(sql, [visit.as_bytes()])?;
    }
    Ok(())
}

/// Erases a visit, unsent work included, and remembers that it is to stay away.
pub(super) fn erase(tx: &Tx<'_>, working: &mut Working, at: i64) -> Result<(), StoreError> {
    let id = working.id;
    let mut search = SearchRows::default();
    project::remove(tx, id, &mut search)?;
    search.write(tx)?;
    // Notes and reasons stand in the envelopes themselves, and an envelope is not taken without the chunks it names.
    tear(
        tx,
        id,
        "SELECT counter, bytes, rest FROM envelope",
        "UPDATE envelope SET bytes = x'', rest = ?2 WHERE counter = ?1",
    )?;
    tear(tx, id, "SELECT counter, bytes, rest FROM sent", "UPDATE sent SET bytes = x'', rest = ?2 WHERE counter = ?1")?;
    for sql in [
        "DELETE FROM chunk WHERE visit = ?1",
        "DELETE FROM doc WHERE id = ?1",
        "DELETE FROM decision WHERE visit = ?1",
        "DELETE FROM note WHERE visit = ?1",
        "DELETE FROM note_holding WHERE visit = ?1",
        "DELETE FROM outbox WHERE visit = ?1",
        "DELETE FROM holding WHERE visit = ?1",
        "DELETE FROM quarantine WHERE visit = ?1",
        "DELETE FROM kept WHERE visit = ?1",
    ] {
        tx.execute(sql, [id.as_bytes()])?;
    }
    tx.execute("INSERT OR IGNORE INTO tombstone (visit, at) VALUES (?1, ?2)", (id.as_bytes(), at))?;
    *working = Working { fresh: working.fresh, ..Working::fresh(id) };
    Ok(())
}

/// Takes what envelopes say of a visit out of them; what they say of others is kept, to be sealed anew if the hub asks.
fn tear(tx: &Tx<'_>, visit: VisitId, select: &str, update: &str) -> Result<(), StoreError> {
    let envelopes = all(tx, select, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
    })?;
    for (counter, bytes, rest) in envelopes {
        let mut envelope = match &rest {
            Some(rest) => cbor::read(rest, "envelope")?,
            None if bytes.is_empty() => continue,
            None => outbox::read_envelope(&bytes)?,
        };
        if envelope.items.iter().any(|item| item.visit() == visit) {
            envelope.items.retain(|item| item.visit() != visit);
            tx.execute(update, (counter, cbor::write(&envelope)))?;
        }
    }
    Ok(())
}

/// Ends a visit's stay in a scope; if it was the last one, the visit goes.
pub(super) fn leave(tx: &Tx<'_>, working: &mut Working, scope: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM holding WHERE visit = ?1 AND scope = ?2", (working.id.as_bytes(), scope))?;
    for sql in
        ["DELETE FROM kept WHERE visit = ?1 AND scope = ?2", "DELETE FROM quarantine WHERE visit = ?1 AND scope = ?2"]
    {
        tx.execute(sql, (working.id.as_bytes(), scope))?;
    }
    if !is_held(tx, working.id)? {
        forget(tx, working, true)?;
    }
    working.update_app = needs_update(tx, working.id)?;
    Ok(())
}

/// Ends the stay of a visit's notes in a scope; those no other scope holds go.
pub(super) fn drop_notes(tx: &Tx<'_>, visit: VisitId, scope: i64) -> Result<(), StoreError> {
    let held =
        all(tx, "SELECT id FROM note_holding WHERE visit = ?1 AND scope = ?2", (visit.as_bytes(), scope), |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
    tx.execute("DELETE FROM note_holding WHERE visit = ?1 AND scope = ?2", (visit.as_bytes(), scope))?;
    for id in held {
        tx.execute(
            "DELETE FROM note WHERE visit = ?1 AND id = ?2
             AND NOT EXISTS (SELECT 1 FROM note_holding WHERE visit = ?1 AND id = ?2)",
            (visit.as_bytes(), id),
        )?;
    }
    Ok(())
}

/// Drops what a scope brought beside the visits: notes nothing else holds, and what was kept or put aside of it.
fn drop_rest(tx: &Tx<'_>, scope: i64) -> Result<(), StoreError> {
    let visits = all(tx, "SELECT DISTINCT visit FROM note_holding WHERE scope = ?1", [scope], |row| {
        Ok(VisitId::from_bytes(row.get(0)?))
    })?;
    for visit in visits {
        drop_notes(tx, visit, scope)?;
    }
    for sql in ["DELETE FROM kept WHERE scope = ?1", "DELETE FROM quarantine WHERE scope = ?1"] {
        tx.execute(sql, [scope])?;
    }
    Ok(())
}

fn is_held(connection: &Connection, visit: VisitId) -> Result<bool, StoreError> {
    Ok(one(connection, "SELECT 1 FROM holding WHERE visit = ?1 LIMIT 1", [visit.as_bytes()], |_| Ok(()))?.is_some())
}

/// Drops a scope the phone holds no longer, with the visits nothing else holds.
pub(super) fn drop_scope(tx: &Tx<'_>, batch: &mut Batch<'_>, scope: &Scope) -> Result<(), StoreError> {
    let text = scope.to_string();
    let Some(key) = one(tx, "SELECT key FROM cursor WHERE scope = ?1", [&text], |row| row.get::<_, i64>(0))? else {
        return Ok(());
    };
    for visit in visits_of(tx, key)? {
        leave(tx, batch.droppable(tx, visit)?, key)?;
        batch.touch(visit);
    }
    drop_rest(tx, key)?;
    tx.execute("DELETE FROM cursor WHERE key = ?1", [key])?;
    if matches!(scope, Scope::Directory | Scope::Roles(_)) {
        batch.directory_changed = true;
    }
    Ok(())
}

/// Begins a scope again from its first row: what it brought is dropped, and own work on it waits to be replayed on what
/// is received again.
pub(super) fn restart_scope(tx: &Tx<'_>, batch: &mut Batch<'_>, key: i64) -> Result<(), StoreError> {
    for visit in visits_of(tx, key)? {
        tx.execute("DELETE FROM holding WHERE visit = ?1 AND scope = ?2", (visit.as_bytes(), key))?;
        if !is_held(tx, visit)? {
            forget(tx, batch.droppable(tx, visit)?, false)?;
            batch.touch(visit);
        }
    }
    drop_rest(tx, key)?;
    tx.execute("UPDATE cursor SET idx = 0, head = zeroblob(32) WHERE key = ?1", [key])?;
    Ok(())
}

fn visits_of(connection: &Connection, scope: i64) -> Result<Vec<VisitId>, StoreError> {
    all(connection, "SELECT visit FROM holding WHERE scope = ?1", [scope], |row| Ok(VisitId::from_bytes(row.get(0)?)))
}
