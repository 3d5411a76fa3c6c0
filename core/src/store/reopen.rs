//! Meeting a hub that was restored from a backup: what it sent is dropped and received anew, and what this phone had sent
//! and the hub has forgotten is sent again, byte for byte. Nothing special is accepted for that: the hub judges it as new.
//!
//! What was accepted and is forgotten waits in the outbox again, so that nobody is shown an invitation as sent that the hub
//! does not know. A change whose ground is missing (a colleague's, that comes again from their phone) stays in its envelope
//! and is asked about in every sync.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::Batch;
use super::intent::{Intent, OperationKind};
use super::meta::{self, EnvelopeHead, SetBack, SyncState};
use super::outbox::{Author, read_envelope};
use super::tx::{Tx, all, one};
use super::working::Working;
use super::{Store, StoreError, ingest, purge, sent};
use crate::cbor;
use crate::document::{ParsedChange, Replica, Write};
use crate::envelope::{Item, Request};
use crate::feed::Restored;
use crate::id::{ChangeHash, VisitId};
use crate::keys::DeviceSigner;
use crate::moment::Moment;
use crate::visit::Key;

/// What this phone had sent, and a restored hub does not know.
#[derive(Default)]
struct Lost {
    changes: BTreeMap<VisitId, Vec<ChangeHash>>,
    requests: Vec<Request>,
}

impl Store {
    /// Begins anew with a hub in another life of its database, whose word was verified. Drafts and unsent work stay.
    pub fn reopen(
        &self,
        restored: &Restored,
        moment: &mut Moment<'_>,
        signer: &dyn DeviceSigner,
    ) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.with_care(|careful| {
            self.transact(|tx, actors| {
                let identity = meta::identity(tx)?;
                let state: SyncState = meta::get(tx, meta::SYNC)?.unwrap_or_default();
                // Another process of this phone may have been first.
                if state.epoch != Some(restored.previous) {
                    return Ok(());
                }
                actors.clear();
                let lost = lost_after(tx, restored.counter)?;
                let intents = lost.intents(tx, careful)?;
                let mut batch = Batch::new(&directory, moment.unix()).careful(careful);
                for key in all(tx, "SELECT key FROM cursor", [], |row| row.get::<_, i64>(0))? {
                    purge::restart_scope(tx, &mut batch, key)?;
                }
                for visit in accepted_visits(tx)? {
                    // Accepted by a receipt, and not yet brought by a page.
                    purge::forget(tx, batch.droppable(tx, visit)?, false)?;
                    batch.touch(visit);
                }
                // Rows may have gone back in number; what is not received again goes once everything was.
                tx.execute("UPDATE row SET version = 0", [])?;
                batch.project(tx)?;

                sent::requeue(tx, restored.counter.saturating_add(1))?;
                tx.execute("UPDATE envelope SET later = 0", [])?;
                wait_again(tx, &intents, &lost.requests, moment.unix())?;
                let mut batch = Batch::new(&directory, moment.unix()).careful(careful);
                for visit in waiting_visits(tx)? {
                    batch.touch(visit);
                }
                batch.project(tx)?;
                close_gap(&mut Author::begin(tx, &identity, &directory, signer, actors, moment.unix())?, restored)?;

                let untold: Option<SetBack> =
                    meta::get(tx, meta::SET_BACK)?.filter(|set_back: &SetBack| !set_back.told);
                let set_back = SetBack {
                    to: untold.map_or(restored.restored_to, |untold| untold.to.min(restored.restored_to)),
                    sent_again: u64::try_from(intents.len()).unwrap_or(u64::MAX),
                    told: false,
                };
                meta::put(tx, meta::SET_BACK, &set_back)?;
                tx.execute("DELETE FROM meta WHERE name = ?1", [meta::PROOF])?;
                let hub_time = state.hub_time.max(restored.time);
                meta::put(tx, meta::SYNC, &SyncState { epoch: Some(restored.epoch), hub_time, ..state })
            })
        })
    }

    /// Begins every scope again: the hub does not know where this phone stands, and its own words do not show why.
    pub fn restart(&self, moment: &Moment<'_>) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.with_care(|careful| {
            self.transact(|tx, _| {
                let mut batch = Batch::new(&directory, moment.unix()).careful(careful);
                for key in all(tx, "SELECT key FROM cursor", [], |row| row.get::<_, i64>(0))? {
                    purge::restart_scope(tx, &mut batch, key)?;
                }
                tx.execute("DELETE FROM meta WHERE name = ?1", [meta::PROOF])?;
                batch.project(tx)
            })
        })
    }

    /// A sync begins: what the hub could not judge when it was asked last is asked again.
    pub fn ask_again(&self) -> Result<(), StoreError> {
        if one(&self.reader(), "SELECT 1 FROM envelope WHERE later = 1 LIMIT 1", [], |_| Ok(()))?.is_none() {
            return Ok(());
        }
        self.transact(|tx, _| tx.execute("UPDATE envelope SET later = 0 WHERE later = 1", []).map(drop))
    }

    /// What a person has not been told yet of a hub that was set back; they are told now.
    pub fn set_back(&self) -> Result<Option<SetBack>, StoreError> {
        let held: Option<SetBack> = meta::get(&self.reader(), meta::SET_BACK)?;
        let Some(set_back) = held.filter(|set_back| !set_back.told) else { return Ok(None) };
        self.transact(|tx, _| meta::put(tx, meta::SET_BACK, &SetBack { told: true, ..set_back }))?;
        Ok(Some(set_back))
    }

    /// After a hub was set back and everything was received anew: rows of the directory that it does not know any more go.
    pub(super) fn drop_lost_rows(&self, moment: &Moment<'_>) -> Result<(), StoreError> {
        let held: Option<SetBack> = meta::get(&self.reader(), meta::SET_BACK)?;
        if held.is_none_or(|set_back| set_back.told) {
            return Ok(());
        }
        let directory = self.with_care(|careful| {
            self.transact(|tx, _| {
                if tx.execute("DELETE FROM row WHERE version = 0", [])? == 0 {
                    return Ok(None);
                }
                let directory = std::sync::Arc::new(ingest::directory(tx)?);
                let mut batch = Batch::new(&directory, moment.unix()).careful(careful);
                batch.directory_changed = true;
                batch.project(tx)?;
                Ok(Some(directory.clone()))
            })
        })?;
        if let Some(directory) = directory {
            self.set_directory(directory);
        }
        Ok(())
    }
}

/// What the answered envelopes after `counter` say.
fn lost_after(tx: &Tx<'_>, counter: u64) -> Result<Lost, StoreError> {
    let counter = i64::try_from(counter).unwrap_or(i64::MAX);
    let sql = "SELECT bytes, rest FROM sent WHERE counter > ?1 ORDER BY counter";
    let sent = all(tx, sql, [counter], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)))?;
    let mut lost = Lost::default();
    for (bytes, rest) in sent {
        let envelope = match rest {
            Some(rest) => cbor::read(&rest, "envelope")?,
            None if bytes.is_empty() => continue,
            None => read_envelope(&bytes)?,
        };
        for item in envelope.items {
            match item {
                Item::Change { visit, hash, .. } => lost.changes.entry(visit).or_default().push(hash),
                Item::Request(request) => lost.requests.push(request),
            }
        }
    }
    Ok(lost)
}

/// What a change wanted that was accepted: its visit, its kind, and its writes with what was there before.
struct Wanted {
    hash: ChangeHash,
    kind: OperationKind,
    intent: Intent,
}

impl Lost {
    /// What the accepted ones of these changes wanted, read while their ground is still here. What was refused stays as it
    /// was decided.
    fn intents(&self, tx: &Tx<'_>, careful: bool) -> Result<BTreeMap<VisitId, Vec<Wanted>>, StoreError> {
        let mut intents = BTreeMap::new();
        for (visit, hashes) in &self.changes {
            let working = if careful {
                // Of a visit that cannot be read its envelopes go out all the same.
                let Ok(working) = tx.apart(|| Working::load(tx, *visit))? else { continue };
                working
            } else {
                Working::load(tx, *visit)?
            };
            let mut before = Replica::empty(*visit);
            let mut wanted = Vec::new();
            for (hash, bytes) in working.accepted.changes() {
                let change = ParsedChange::read(bytes)?;
                if hashes.contains(hash) {
                    wanted.push(Wanted { hash: *hash, kind: kind_of(&change), intent: intent_of(&change, &before) });
                }
                before.accept(change)?;
            }
            if !wanted.is_empty() {
                intents.insert(*visit, wanted);
            }
        }
        Ok(intents)
    }
}

fn kind_of(change: &ParsedChange) -> OperationKind {
    if change.deps.is_empty() {
        OperationKind::Create
    } else if change.ops.iter().any(|op| op.key == Key::Cancelled) {
        OperationKind::Cancel
    } else {
        OperationKind::Edit
    }
}

fn intent_of(change: &ParsedChange, before: &Replica) -> Intent {
    let writes = change.ops.iter().filter(|op| op.key != Key::Id);
    let writes: Vec<Write> = writes.map(|op| Write { key: op.key, value: op.value.clone() }).collect();
    Intent::of(&writes, before)
}

/// Visits of which accepted changes are still here.
fn accepted_visits(tx: &Tx<'_>) -> Result<BTreeSet<VisitId>, StoreError> {
    let sql = "SELECT id FROM doc";
    Ok(all(tx, sql, [], |row| Ok(VisitId::from_bytes(row.get(0)?)))?.into_iter().collect())
}

/// Visits of which a change is in an envelope that waits.
fn waiting_visits(tx: &Tx<'_>) -> Result<Vec<VisitId>, StoreError> {
    let sql = "SELECT DISTINCT visit FROM chunk JOIN envelope ON envelope.counter = chunk.envelope";
    all(tx, sql, [], |row| Ok(VisitId::from_bytes(row.get(0)?)))
}

/// Puts what is lost into the outbox again, and shows it and what was never sent on top of what will be received.
fn wait_again(
    tx: &Tx<'_>,
    intents: &BTreeMap<VisitId, Vec<Wanted>>,
    requests: &[Request],
    now: i64,
) -> Result<(), StoreError> {
    let enter = |visit: &VisitId, kind: OperationKind, item: &[u8], payload: Vec<u8>| {
        tx.execute(
            "INSERT INTO outbox (visit, kind, item, payload, state, made_at)
             SELECT ?1, ?2, ?3, ?4, 'queued', ?5 WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE visit = ?1 AND item = ?3)",
            (visit.as_bytes(), kind.as_str(), item, payload, now),
        )
    };
    for (visit, wanted) in intents {
        for Wanted { hash, kind, intent } in wanted {
            enter(visit, *kind, hash.as_bytes(), cbor::write(intent))?;
        }
    }
    for request in requests {
        enter(&request.visit, OperationKind::Request, request.id.as_bytes(), cbor::write(request))?;
    }
    // Those that do not fit until their ground has come are set loose again when the visits are written.
    tx.execute(
        "UPDATE outbox SET state = 'queued' WHERE state = 'stale' AND EXISTS (
             SELECT 1 FROM chunk JOIN envelope ON envelope.counter = chunk.envelope
             WHERE chunk.visit = outbox.visit AND chunk.hash = outbox.item)",
        [],
    )?;
    tx.execute(
        "UPDATE chunk SET status = 'local' WHERE status = 'superseded' AND envelope IN (SELECT counter FROM envelope)
         AND EXISTS (SELECT 1 FROM outbox WHERE visit = chunk.visit AND item = chunk.hash AND state = 'queued')",
        [],
    )?;
    Ok(())
}

/// Sees to it that the first envelope that waits is the one the hub expects: where older ones are not kept any more, what
/// waits is sealed anew.
fn close_gap(author: &mut Author<'_, '_>, restored: &Restored) -> Result<(), StoreError> {
    let known = i64::try_from(restored.counter).unwrap_or(i64::MAX);
    let first = one(author.tx, "SELECT min(counter) FROM envelope WHERE counter > ?1", [known], |row| {
        row.get::<_, Option<i64>>(0)
    })?;
    let head: EnvelopeHead = meta::get(author.tx, meta::ENVELOPE)?.unwrap_or(EnvelopeHead::NONE);
    let missing = match first.flatten() {
        Some(first) => first != known + 1,
        None => head.counter > restored.counter,
    };
    if missing {
        author.reseal_after(EnvelopeHead { counter: restored.counter, hash: restored.hash })?;
    }
    Ok(())
}
