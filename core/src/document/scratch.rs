//! The last proof of a change: a scratch automerge document that takes it, is saved, is loaded again, and shows what our
//! own rules say.
//!
//! Our rules decide; automerge only must agree. It is asked because a change that parses may still not load, and a
//! document that cannot be loaded is lost. It runs under `catch_unwind`: it has panicked on bytes a stranger can send.

use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change, ROOT, ReadDoc, ScalarValueRef, ValueRef};

use super::{Refusal, Value};
use crate::id::ChangeHash;
use crate::visit::Key;

/// The changes of those bytes, in their order.
pub(super) fn read<'a>(changes: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Change>, Refusal> {
    guarded(|| changes.map(Change::try_from).collect::<Result<_, _>>().map_err(|_| Refusal::DoesNotLoad))
}

/// A document with `changes` in it, in their order.
pub(super) fn build<'a>(changes: impl Iterator<Item = &'a [u8]>) -> Result<Automerge, Refusal> {
    let changes = read(changes)?;
    guarded(|| {
        let mut doc = Automerge::new();
        doc.apply_changes(changes).map_err(|_| Refusal::DoesNotLoad)?;
        Ok(doc)
    })
}

/// The standard form of `doc`, uncompressed: batches of it are compressed together.
pub(super) fn save(doc: &Automerge) -> Result<Vec<u8>, Refusal> {
    guarded(|| Ok(doc.save_nocompress()))
}

/// Applies `changes` to `doc`, all at once, saves, loads, and compares heads and values. Returns the loaded document.
pub(super) fn prove(
    mut doc: Automerge,
    changes: Vec<Change>,
    heads: &[ChangeHash],
    values: &[(Key, &Value)],
) -> Result<Automerge, Refusal> {
    guarded(move || {
        doc.apply_changes(changes).map_err(|_| Refusal::DoesNotLoad)?;
        let loaded = Automerge::load(&doc.save_nocompress()).map_err(|_| Refusal::DoesNotLoad)?;
        let mut loaded_heads: Vec<_> = loaded.get_heads().iter().map(|head| ChangeHash(head.0)).collect();
        loaded_heads.sort_unstable();
        if loaded_heads != heads || !loaded.get_missing_deps(&[]).is_empty() {
            return Err(Refusal::DoesNotLoad);
        }
        if shows(&loaded, values) { Ok(loaded) } else { Err(Refusal::Differs) }
    })
}

/// Whether the root map of `doc` holds exactly `values` of the keys known here, and nowhere two at once.
fn shows(doc: &Automerge, values: &[(Key, &Value)]) -> bool {
    let mut count = 0;
    let all_match = doc.map_range(&ROOT, ..).all(|item| {
        if Key::from_name(&item.key).is_none() {
            return !item.conflict;
        }
        count += 1;
        let ours = values.iter().find(|(key, _)| key.as_str() == item.key);
        let same = match (ours, &item.value) {
            (Some((_, Value::Text(ours))), ValueRef::Scalar(ScalarValueRef::Str(shown))) => ours.as_str() == &**shown,
            (Some((_, Value::True)), ValueRef::Scalar(ScalarValueRef::Boolean(true))) => true,
            _ => false,
        };
        same && !item.conflict
    });
    all_match && count == values.len()
}

/// Runs `work` so that a panic inside automerge is a refusal.
///
/// Nothing that is seen again after a panic is touched by `work`: it owns its document, or only reads it.
fn guarded<T>(work: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::DoesNotLoad))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Replica, Write};
    use crate::id::{ActorId, VisitId};

    fn change() -> (Change, ChangeHash, Vec<(Key, Value)>) {
        let id = VisitId::from_parts(1, [1; 10]);
        let writes = [Write::set(Key::FirstName, "Grace"), Write::raise(Key::Cancelled)];
        let change = Replica::empty(id).write(ActorId([1; 16]), &writes, 0).expect("may be written").expect("new");
        let values = change.ops.iter().filter_map(|op| Some((op.key, op.value.clone()?))).collect();
        (Change::from_bytes(change.bytes).expect("automerge reads it"), change.hash, values)
    }

    fn proof(change: Change, heads: &[ChangeHash], values: &[(Key, Value)]) -> Option<Refusal> {
        let values: Vec<_> = values.iter().map(|(key, value)| (*key, value)).collect();
        prove(Automerge::new(), vec![change], heads, &values).err()
    }

    /// The proof compares: one value more, less or other than automerge shows is refused.
    #[test]
    fn automerge_must_show_what_we_say() {
        let (change, hash, values) = change();
        assert_eq!(proof(change.clone(), &[hash], &values), None);
        assert_eq!(proof(change.clone(), &[hash], &values[1..]), Some(Refusal::Differs));
        let more = [&values[..], &[(Key::Email, Value::from("a@b.ch"))]].concat();
        assert_eq!(proof(change.clone(), &[hash], &more), Some(Refusal::Differs));
        let mut other = values.clone();
        other[1].1 = Value::from("Ada");
        assert_eq!(proof(change, &[hash], &other), Some(Refusal::Differs));
    }

    /// A change whose dependency is not there is queued silently by automerge; by its heads we see that.
    #[test]
    fn a_change_that_is_only_queued_is_refused() {
        let (change, hash, values) = change();
        let mut expanded = change.decode();
        expanded.deps = vec![automerge::ChangeHash([9; 32])];
        assert_eq!(proof(expanded.into(), &[hash], &values), Some(Refusal::DoesNotLoad));
    }

    #[test]
    fn a_panic_inside_automerge_is_a_refusal() {
        assert_eq!(guarded::<()>(|| panic!("as automerge might")), Err(Refusal::DoesNotLoad));
        assert_eq!(build([&b"no change"[..]].into_iter()).err(), Some(Refusal::DoesNotLoad));
    }
}
