//! The rules of the change profile that need the document: the place of a change in the history, and what each of its
//! operations replaces.
//!
//! They keep two things true: the history of a document is one that automerge can save and load, and the accepted
//! history of a key is a chain, so that everybody who has the same changes sees the same value, whatever tool reads it.

use super::replica::Replica;
use super::{MAX_CHANGES, MAX_HEADS, ParsedChange, Refusal, Value};
use crate::visit::Key;

/// What the rules say of a change that breaks none.
pub(super) enum Judgement {
    /// It replaces exactly what is there.
    Fits,
    /// It replaces what is no longer there, in these keys. No key at all: taking it would leave more heads than a
    /// change may depend on, and nobody could ever join them again.
    Stale(Vec<Key>),
}

/// Judges `change` as the next of `replica`.
pub(super) fn judge(replica: &Replica, change: &ParsedChange) -> Result<Judgement, Refusal> {
    if replica.contains(&change.hash) {
        return Err(Refusal::Already);
    }
    if replica.len() >= MAX_CHANGES {
        return Err(Refusal::TooManyChanges);
    }
    let deps = replica.positions(&change.deps).ok_or(Refusal::MissingDep)?;
    if deps.is_empty() && !replica.is_empty() {
        return Err(Refusal::SecondRoot);
    }
    let before = deps.iter().map(|&dep| replica.max_op(dep)).max().unwrap_or(0);
    if change.start_op != before + 1 || u32::try_from(change.max_op()).is_err() {
        return Err(Refusal::BadStartOp);
    }
    judge_seq(replica, change, &deps)?;

    if deps.is_empty() {
        judge_first(replica, change)?;
        return Ok(Judgement::Fits);
    }
    let mut stale = Vec::new();
    for op in &change.ops {
        let (key, slot) = (op.key, replica.slot(op.key));
        if key.is_of_first_change() || (key.is_flag() && op.value.is_none()) {
            return Err(Refusal::WrittenOnce { key });
        }
        let live = slot.and_then(|slot| slot.live.as_ref());
        match (op.pred.as_slice(), live) {
            ([], None) => {}
            ([pred], Some(live)) if *pred == live.op => {
                if key.is_flag() {
                    return Err(Refusal::WrittenOnce { key });
                }
                if !replica.reaches(&deps, live.change) {
                    return Err(Refusal::ForeignPred { key });
                }
            }
            ([], Some(_)) => stale.push(key),
            ([pred], _) if slot.is_some_and(|slot| slot.past.contains(pred)) => stale.push(key),
            _ => return Err(Refusal::ForeignPred { key }),
        }
    }
    let later_stale = judge_later(replica, change, &deps)?;
    let heads = 1 + replica.heads().iter().filter(|head| !change.deps.contains(head)).count();
    if stale.is_empty() && !later_stale && heads <= MAX_HEADS {
        Ok(Judgement::Fits)
    } else {
        Ok(Judgement::Stale(stale))
    }
}

/// The same for keys that are not known here; true if one of them is stale.
fn judge_later(replica: &Replica, change: &ParsedChange, deps: &[usize]) -> Result<bool, Refusal> {
    let mut stale = false;
    for op in &change.later {
        let slot = replica.later_slot(&op.key);
        match (op.pred.as_slice(), slot.and_then(|slot| slot.live.as_ref())) {
            ([], None) => {}
            ([pred], Some((live, at))) if pred == live => {
                if !replica.reaches(deps, *at) {
                    return Err(Refusal::ForeignLaterPred);
                }
            }
            ([], Some(_)) => stale = true,
            ([pred], _) if slot.is_some_and(|slot| slot.past.contains(pred)) => stale = true,
            _ => return Err(Refusal::ForeignLaterPred),
        }
    }
    Ok(stale)
}

/// The author's changes follow one another without a gap, and each builds on the one before: otherwise two operations
/// could get the same id.
fn judge_seq(replica: &Replica, change: &ParsedChange, deps: &[usize]) -> Result<(), Refusal> {
    let Some(last) = replica.last_of(&change.actor) else {
        return if change.seq == 1 { Ok(()) } else { Err(Refusal::BadSeq) };
    };
    if change.seq <= last.seq {
        return Err(Refusal::SeqReused);
    }
    if change.seq == last.seq + 1 && replica.reaches(deps, last.change) { Ok(()) } else { Err(Refusal::BadSeq) }
}

/// The first change sets this document's id and replaces nothing.
fn judge_first(replica: &Replica, change: &ParsedChange) -> Result<(), Refusal> {
    if let Some(op) = change.ops.iter().find(|op| !op.pred.is_empty()) {
        return Err(Refusal::ForeignPred { key: op.key });
    }
    if change.later.iter().any(|op| !op.pred.is_empty()) {
        return Err(Refusal::ForeignLaterPred);
    }
    let id = change.ops.iter().find(|op| op.key == Key::Id).ok_or(Refusal::NoId)?;
    let named = id.value.as_ref().and_then(Value::as_text);
    if named == Some(replica.id().to_string().as_str()) { Ok(()) } else { Err(Refusal::WrongId) }
}
