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

/// A document with `changes` in it, in their order.
pub(super) fn build<'a>(changes: impl Iterator<Item = &'a [u8]>) -> Result<Automerge, Refusal> {
    guarded(|| {
        let changes =
            changes.map(Change::try_from).collect::<Result<Vec<_>, _>>().map_err(|_| Refusal::DoesNotLoad)?;
        let mut doc = Automerge::new();
        doc.apply_changes(changes).map_err(|_| Refusal::DoesNotLoad)?;
        Ok(doc)
    })
}

/// The standard form of `doc`, uncompressed: batches of it are compressed together.
pub(super) fn save(doc: &Automerge) -> Result<Vec<u8>, Refusal> {
    guarded(|| Ok(doc.save_nocompress()))
}

/// Applies `change` to `doc`, saves, loads, and compares heads and values. Returns the loaded document.
pub(super) fn prove(
    mut doc: Automerge,
    change: Change,
    heads: &[ChangeHash],
    values: &[(Key, &Value)],
) -> Result<Automerge, Refusal> {
    guarded(move || {
        doc.apply_changes([change]).map_err(|_| Refusal::DoesNotLoad)?;
        let loaded = Automerge::load(&doc.save_nocompress()).map_err(|_| Refusal::DoesNotLoad)?;
        let mut loaded_heads: Vec<_> = loaded.get_heads().iter().map(|head| ChangeHash(head.0)).collect();
        loaded_heads.sort_unstable();
        if loaded_heads != heads || !loaded.get_missing_deps(&[]).is_empty() {
            return Err(Refusal::DoesNotLoad);
        }
        if shows(&loaded, values) { Ok(loaded) } else { Err(Refusal::Differs) }
    })
}

/// Whether the root map of `doc` holds exactly `values`, and nowhere two at once.
fn shows(doc: &Automerge, values: &[(Key, &Value)]) -> bool {
    let mut count = 0;
    let all_match = doc.map_range(&ROOT, ..).all(|item| {
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
