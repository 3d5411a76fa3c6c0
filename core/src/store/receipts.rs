//! What a receipt does: an accepted item leaves the outbox, a stale one waits to be replayed, a refused one stays as a
//! draft with the reason.

use std::collections::BTreeMap;

use super::StoreError;
use super::apart::{give_up, set_aside};
use super::batch::Batch;
use super::ingest::{note, settle_own, stand_behind_accepted};
use super::outbox::{drop_entry, read_envelope, turn_down};
use super::purge;
use super::replay::loosen;
use super::sent;
use super::tx::{Tx, one};
use super::working::{OperationState, Payload, Working};
use crate::cbor;
use crate::document::ParsedChange;
use crate::envelope::{Ask, Item, ItemId};
use crate::feed::NoteRow;
use crate::id::{ChangeHash, MemberId, RequestId};
use crate::receipt::{Receipt, Receipts, Refusal, Verdict};

/// Takes the receipts for the envelopes of these counters; gives how many items they answer.
pub(super) fn receipts(
    tx: &Tx<'_>,
    batch: &mut Batch<'_>,
    member: &MemberId,
    sent: &[u64],
    receipts: &Receipts,
) -> Result<u64, StoreError> {
    let verdicts: BTreeMap<ItemId, &Verdict> =
        receipts.receipts.iter().map(|receipt| (receipt.item, &receipt.verdict)).collect();
    let mut answered = 0;
    for counter in sent {
        let counter = i64::try_from(*counter).map_err(|_| StoreError::Damaged("envelope"))?;
        let bytes =
            one(tx, "SELECT bytes FROM envelope WHERE counter = ?1", [counter], |row| row.get::<_, Vec<u8>>(0))?;
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { continue };
        let (mut open, mut later) = (false, false);
        for item in read_envelope(&bytes)?.items {
            let known = |verdict: &&&Verdict| !matches!(verdict, Verdict::Later | Verdict::Unknown(_));
            let Some(verdict) = verdicts.get(&item.id()).filter(known) else {
                open = true;
                later |= matches!(verdicts.get(&item.id()), Some(Verdict::Later));
                continue;
            };
            answered += 1;
            let time = receipts.time;
            if !batch.careful {
                answer(tx, batch, &item, verdict, member, time)?;
            } else if let Err(code) = tx.apart(|| answer(tx, batch, &item, verdict, member, time))? {
                batch.forget(item.visit());
                set_aside(tx, Some(item.visit()), code, &cbor::write(&item), batch.now)?;
                if matches!(verdict, Verdict::Accepted(_)) {
                    // The hub has it: it is not to be sent again.
                    let id = match item.id() {
                        ItemId::Change(_, hash) => hash.as_bytes().to_vec(),
                        ItemId::Request(id) => id.as_bytes().to_vec(),
                    };
                    tx.execute("DELETE FROM outbox WHERE visit = ?1 AND item = ?2", (item.visit().as_bytes(), id))?;
                } else {
                    give_up(tx, item.visit(), code)?;
                }
            }
        }
        if !open {
            sent::keep(tx, counter, receipts.time)?;
        } else if later {
            tx.execute("UPDATE envelope SET later = 1 WHERE counter = ?1", [counter])?;
        }
    }
    Ok(answered)
}

/// Takes the hub's word on one item.
fn answer(
    tx: &Tx<'_>,
    batch: &mut Batch<'_>,
    item: &Item,
    verdict: &Verdict,
    member: &MemberId,
    time: i64,
) -> Result<(), StoreError> {
    let visit = item.visit();
    if *verdict == Verdict::Erased {
        purge::erase(tx, batch.erasable(visit), time)?;
        batch.erased = true;
        return Ok(());
    }
    batch.touch(visit);
    let working = batch.working(tx, visit)?;
    match item.id() {
        ItemId::Change(_, hash) => change(tx, working, hash, verdict, member, time),
        ItemId::Request(id) => request(tx, working, id, verdict, member, time),
    }
}

fn change(
    tx: &Tx<'_>,
    working: &mut Working,
    hash: ChangeHash,
    verdict: &Verdict,
    member: &MemberId,
    time: i64,
) -> Result<(), StoreError> {
    match verdict {
        Verdict::Accepted(seq) => {
            if !working.accepted.contains(&hash) {
                let bytes = one(
                    tx,
                    "SELECT bytes FROM chunk WHERE visit = ?1 AND hash = ?2",
                    (working.id.as_bytes(), hash.as_bytes()),
                    |row| row.get::<_, Vec<u8>>(0),
                )?;
                // What it builds on may not have been pulled yet: then the feed brings the change.
                let taken = bytes
                    .map(|bytes| ParsedChange::read(&bytes).and_then(|change| working.accepted.accept(change)))
                    .is_some_and(|taken| taken.is_ok());
                if taken {
                    stand_behind_accepted(tx, working, &hash)?;
                    tx.execute(
                        "UPDATE chunk SET status = 'accepted', hub_seq = ?3, author = ?4, accepted_at = ?5
                         WHERE visit = ?1 AND hash = ?2",
                        (
                            working.id.as_bytes(),
                            hash.as_bytes(),
                            i64::try_from(*seq).unwrap_or(i64::MAX),
                            member.as_str(),
                            time,
                        ),
                    )?;
                    settle_own(tx, working)?;
                }
            }
            if let Some(entry) = working.entry_of(&hash).map(|entry| entry.id) {
                drop_entry(tx, working, entry)?;
            }
        }
        // Refused itself: its part of the intents is kept, the others are replayed without it.
        Verdict::Refused(refusal) => {
            let entry = working.entry_of(&hash).map(|entry| entry.id);
            loosen_if_local(tx, working, hash)?;
            if let Some(entry) = entry {
                turn_down(tx, working, entry, OperationState::Refused, Some(refusal))?;
            }
        }
        Verdict::Stale { .. } | Verdict::DependencyRefused => loosen_if_local(tx, working, hash)?,
        Verdict::Erased | Verdict::Later | Verdict::Unknown(_) => {}
    }
    Ok(())
}

/// Sets own changes loose if this one is among them; a change that was replaced before is of no more interest.
fn loosen_if_local(tx: &Tx<'_>, working: &mut Working, hash: ChangeHash) -> Result<(), StoreError> {
    let local = one(
        tx,
        "SELECT 1 FROM chunk WHERE visit = ?1 AND hash = ?2 AND status = 'local'",
        (working.id.as_bytes(), hash.as_bytes()),
        |_| Ok(()),
    )?;
    if local.is_some() { loosen(tx, working) } else { Ok(()) }
}

fn request(
    tx: &Tx<'_>,
    working: &mut Working,
    id: RequestId,
    verdict: &Verdict,
    member: &MemberId,
    time: i64,
) -> Result<(), StoreError> {
    let Some(entry) = working.outbox.iter().find(|entry| entry.item == id.as_bytes()).cloned() else { return Ok(()) };
    let refusal = match verdict {
        Verdict::Accepted(_) => {
            if let Payload::Request(request) = &entry.payload
                && let Ask::Note(text) = &request.ask
            {
                note(
                    tx,
                    working,
                    &NoteRow { id, author: member.clone(), accepted_at: time, text: text.clone() },
                    None,
                )?;
            }
            return drop_entry(tx, working, entry.id);
        }
        Verdict::Refused(refusal) => refusal.clone(),
        Verdict::Stale { .. } => Refusal {
            code: "stale".to_owned(),
            message: "the visit has changed since; look at it again and decide anew".to_owned(),
            field: None,
        },
        Verdict::Later | Verdict::Unknown(_) => return Ok(()),
        Verdict::DependencyRefused | Verdict::Erased => Refusal {
            code: "dependency_refused".to_owned(),
            message: "the visit it is about was not accepted".to_owned(),
            field: None,
        },
    };
    turn_down(tx, working, entry.id, OperationState::Refused, Some(&refusal))
}

/// A refusal that came with the feed: of this phone's own item, or of no interest.
pub(super) fn refusal_row(tx: &Tx<'_>, working: &mut Working, receipt: &Receipt) -> Result<(), StoreError> {
    let item = match receipt.item {
        ItemId::Change(_, hash) => hash.as_bytes().to_vec(),
        ItemId::Request(id) => id.as_bytes().to_vec(),
    };
    let Some(entry) = working.outbox.iter().find(|entry| entry.item == item).map(|entry| entry.id) else {
        return Ok(());
    };
    if let Verdict::Refused(refusal) = &receipt.verdict {
        if let ItemId::Change(_, hash) = receipt.item {
            loosen_if_local(tx, working, hash)?;
        }
        turn_down(tx, working, entry, OperationState::Refused, Some(refusal))?;
    }
    Ok(())
}
