//! Replaying: after a refusal, or when the accepted document has moved on under own changes, the intents are written
//! again on top of what is accepted, under a fresh actor and in new envelopes. Nothing is lost: what cannot be written
//! stays in the outbox with the reason.

use super::StoreError;
use super::intent::OperationKind;
use super::outbox::{Author, drop_entry, narrow, turn_down};
use super::tx::{Tx, one};
use super::working::{Entry, OperationState, Working};
use crate::cbor;
use crate::id::VisitId;
use crate::moment::Moment;
use crate::receipt::Refusal;
use crate::visit::Key;

fn reason(code: &str, message: &str) -> Refusal {
    Refusal { code: code.to_owned(), message: message.to_owned(), field: None }
}

/// Marks own changes as replaced, and their entries as waiting for the replay.
pub(super) fn loosen(tx: &Tx<'_>, working: &mut Working) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE chunk SET status = 'superseded' WHERE visit = ?1 AND status = 'local'",
        [working.id.as_bytes()],
    )?;
    working.rebuild(Vec::new());
    let waiting: Vec<i64> = working
        .outbox
        .iter()
        .filter(|entry| entry.intent().is_some() && entry.state == OperationState::Queued)
        .map(|entry| entry.id)
        .collect();
    for id in waiting {
        turn_down(tx, working, id, OperationState::Stale, None)?;
    }
    Ok(())
}

/// Writes the waiting intents of a visit again.
pub(super) fn replay(
    author: &mut Author<'_, '_>,
    working: &mut Working,
    moment: &mut Moment<'_>,
) -> Result<(), StoreError> {
    loosen(author.tx, working)?;
    author.forget_actor(working.id);
    // A first change for a visit the hub had already taken is an edit of what came with the feed.
    let known = |entry: &&Entry| !working.accepted.is_empty() && entry.code.as_deref() == Some("second_root");
    let open = |entry: &&Entry| entry.state == OperationState::Stale || known(entry);
    let waiting: Vec<Entry> = working.outbox.iter().filter(open).cloned().collect();
    for entry in waiting {
        let Some(intent) = entry.intent() else { continue };
        if entry.kind != OperationKind::Create && working.current().is_empty() {
            // The hub has still to say what it makes of it: what it builds on may be on its way from another phone.
            if waits(author.tx, working.id, &entry)? {
                continue;
            }
            let why = reason("dependency_refused", "the visit it edits was not accepted; invite again");
            turn_down(author.tx, working, entry.id, OperationState::Refused, Some(&why))?;
            continue;
        }
        if entry.kind == OperationKind::Edit && working.accepted.value(Key::Cancelled).is_some() {
            let why = reason("cancelled", "the visit was cancelled meanwhile; invite again to use the edit");
            turn_down(author.tx, working, entry.id, OperationState::Refused, Some(&why))?;
            continue;
        }
        let replayed = intent.replay(working.current());
        let written = match author.change(working, entry.kind, &replayed.writes, Some((&entry, replayed.kept)), moment)
        {
            Ok(written) => written,
            // A document that takes no more changes is the intent's own trouble, not the sync's.
            Err(StoreError::Document(refusal)) => {
                let why = reason(refusal.code(), &refusal.to_string());
                turn_down(author.tx, working, entry.id, OperationState::Refused, Some(&why))?;
                continue;
            }
            Err(error) => return Err(error),
        };
        if replayed.conflict.is_empty() {
            if !written {
                drop_entry(author.tx, working, entry.id)?;
            }
            continue;
        }
        let why = reason("conflict", "somebody else's value was accepted first; choose one");
        if written {
            // The part in conflict becomes an entry of its own.
            author.tx.execute(
                "INSERT INTO outbox (visit, kind, item, payload, state, code, message, made_at)
                 VALUES (?1, ?2, ?3, ?4, 'conflict', ?5, ?6, ?7)",
                (
                    working.id.as_bytes(),
                    entry.kind.as_str(),
                    &entry.item,
                    cbor::write(&replayed.conflict),
                    &why.code,
                    &why.message,
                    entry.made_at,
                ),
            )?;
            working.outbox = super::working::entries(author.tx, working.id)?;
        } else {
            narrow(author.tx, working, entry.id, replayed.conflict)?;
            turn_down(author.tx, working, entry.id, OperationState::Conflict, Some(&why))?;
        }
    }
    Ok(())
}

/// Whether the change of an entry is in an envelope that the hub has not answered.
fn waits(tx: &Tx<'_>, visit: VisitId, entry: &Entry) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM chunk JOIN envelope ON envelope.counter = chunk.envelope
               WHERE chunk.visit = ?1 AND chunk.hash = ?2 AND envelope.bytes <> x''";
    Ok(one(tx, sql, (visit.as_bytes(), &entry.item), |_| Ok(()))?.is_some())
}
