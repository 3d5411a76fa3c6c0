//! The accepted state of one visit document: its changes, the live operation of every key, and what comes next.

use std::collections::BTreeMap;
use std::fmt;

use automerge::Automerge;

use super::chunk::{Op, OpId};
use super::encode::Content;
use super::rules::{self, Judgement};
use super::{MAX_CHANGE_BYTES, MAX_TIME, ParsedChange, Refusal, Value, Write, scratch};
use crate::id::{ActorId, ChangeHash, VisitId};
use crate::visit::Key;

/// An accepted change, as far as later ones need it.
#[derive(Clone)]
struct Accepted {
    hash: ChangeHash,
    bytes: Vec<u8>,
    /// Positions in the list of changes, each smaller than this one's own.
    deps: Vec<usize>,
    max_op: u64,
    /// It writes keys that are not known here.
    is_later: bool,
}

/// The last change of an author: its number, and its position in the list of changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) seq: u64,
    pub(super) change: usize,
}

/// The value of a key, and the operation that set it.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) op: OpId,
    pub(super) value: Value,
    pub(super) change: usize,
}

/// A key that was written: the value it has, and the operations that gave it values before.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) live: Option<Live>,
    pub(super) past: Vec<OpId>,
}

/// A key that is not known here: the operation that gave it the value it has, with the position of its change, and those
/// before. The value itself stays in the bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct LaterSlot {
    pub(super) live: Option<(OpId, usize)>,
    pub(super) past: Vec<OpId>,
}

/// What [`Replica::check`] says of a change that breaks no rule.
#[derive(Debug)]
pub enum Verdict {
    /// It may be applied.
    Fits(CheckedChange),
    /// It was written on top of values that are no longer there: its author pulls and replays the intent, under a fresh
    /// actor id, since this one's number is used up.
    Stale {
        /// The keys concerned; empty if the change would only leave more than [`MAX_HEADS`](super::MAX_HEADS) heads.
        keys: Vec<Key>,
        /// The accepted heads to build on.
        heads: Vec<ChangeHash>,
    },
}

/// A change that fits the replica it was checked against, and is proven to load.
pub struct CheckedChange {
    change: ParsedChange,
    /// The document and the heads it was checked against.
    base: (VisitId, Vec<ChangeHash>),
    /// The automerge document with the change in it, kept for the next check.
    doc: Box<Automerge>,
}

impl CheckedChange {
    /// The change.
    pub fn change(&self) -> &ParsedChange {
        &self.change
    }
}

impl fmt::Debug for CheckedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckedChange").field(&self.change).finish()
    }
}

/// The accepted state of one visit document.
///
/// ```
/// use vestibule_core::document::{Replica, Write};
/// use vestibule_core::id::{ActorId, VisitId};
/// use vestibule_core::visit::Key;
///
/// let visit = VisitId::from_parts(1_800_000_000_000, [7; 10]);
/// let mut replica = Replica::empty(visit);
/// let first = replica
///     .write(ActorId([1; 16]), &[Write::set(Key::FirstName, "Ada")], 1_800_000_000)?
///     .expect("a new document always has something to write");
/// replica.accept(first)?;
/// assert_eq!(replica.value(Key::FirstName).and_then(|name| name.as_text()), Some("Ada"));
/// # Ok::<(), vestibule_core::document::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Replica {
    id: VisitId,
    changes: Vec<Accepted>,
    positions: BTreeMap<ChangeHash, usize>,
    /// Ascending.
    heads: Vec<ChangeHash>,
    authors: BTreeMap<ActorId, Last>,
    slots: BTreeMap<Key, Slot>,
    /// Keys that are not known here.
    later: BTreeMap<String, LaterSlot>,
    /// The same state in automerge, if a check has built it and nothing came in past it.
    doc: Option<Box<Automerge>>,
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("id", &self.id)
            .field("changes", &self.changes.len())
            .field("heads", &self.heads)
            .finish_non_exhaustive()
    }
}

impl Replica {
    /// A document nothing has been written to.
    pub fn empty(id: VisitId) -> Self {
        Self {
            id,
            changes: Vec::new(),
            positions: BTreeMap::new(),
            heads: Vec::new(),
            authors: BTreeMap::new(),
            slots: BTreeMap::new(),
            later: BTreeMap::new(),
            doc: None,
        }
    }

    /// The document of changes that were accepted before, each after those it depends on.
    ///
    /// Hashes and every rule are checked again, but no automerge document is built.
    pub fn load<'a>(id: VisitId, changes: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Refusal> {
        let mut replica = Self::empty(id);
        for bytes in changes {
            replica.accept(ParsedChange::read(bytes)?)?;
        }
        Ok(replica)
    }

    /// The visit.
    pub fn id(&self) -> VisitId {
        self.id
    }

    /// The hashes of the changes nothing builds on yet, ascending.
    pub fn heads(&self) -> &[ChangeHash] {
        &self.heads
    }

    /// The value of `key`.
    pub fn value(&self, key: Key) -> Option<&Value> {
        self.slot(key)?.live.as_ref().map(|live| &live.value)
    }

    /// The keys that have a value, in the order of [`Key`].
    pub fn values(&self) -> impl Iterator<Item = (Key, &Value)> {
        self.slots.iter().filter_map(|(&key, slot)| Some((key, &slot.live.as_ref()?.value)))
    }

    /// The number of an actor's last change here; 0 for none.
    pub fn seq_of(&self, actor: &ActorId) -> u64 {
        self.last_of(actor).map_or(0, |last| last.seq)
    }

    /// Whether the change is accepted here.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.positions.contains_key(hash)
    }

    /// Whether an accepted change writes keys that are not known here.
    pub fn is_later(&self, hash: &ChangeHash) -> bool {
        self.positions.get(hash).is_some_and(|&position| self.changes[position].is_later)
    }

    /// Whether there is no change yet.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// The changes, each after those it depends on.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (&ChangeHash, &[u8])> {
        self.changes.iter().map(|change| (&change.hash, change.bytes.as_slice()))
    }

    /// Holds a new change against every rule of the profile, also that it writes no key that is not known here: what
    /// nobody can judge is not taken from its author. `actor` is the one the envelope vouches for
    /// ([`actor_id`](super::actor_id)).
    pub fn check(&self, change: ParsedChange, actor: &ActorId) -> Result<Verdict, Refusal> {
        if change.actor != *actor {
            return Err(Refusal::Actor);
        }
        if !change.later.is_empty() {
            return Err(Refusal::UnknownKey);
        }
        let encoded = Content::of(&change).encode()?;
        if encoded.raw_bytes() != change.bytes || encoded.hash().0 != change.hash.0 {
            return Err(Refusal::NotCanonical);
        }
        if let Judgement::Stale(keys) = rules::judge(self, &change)? {
            return Ok(Verdict::Stale { keys, heads: self.heads.clone() });
        }
        // What was accepted before is applied together with the new change where no document is at hand: applying costs by
        // the call more than by the change.
        let (base, mut changes) = match &self.doc {
            Some(doc) => (doc.as_ref().clone(), Vec::new()),
            None => (Automerge::new(), scratch::read(self.changes.iter().map(|change| change.bytes.as_slice()))?),
        };
        changes.push(encoded);
        let mut values: BTreeMap<Key, &Value> = self.values().collect();
        for op in &change.ops {
            match &op.value {
                Some(value) => values.insert(op.key, value),
                None => values.remove(&op.key),
            };
        }
        let values: Vec<_> = values.into_iter().collect();
        let doc = scratch::prove(base, changes, &self.heads_after(&change), &values)?;
        Ok(Verdict::Fits(CheckedChange { change, base: (self.id, self.heads.clone()), doc: Box::new(doc) }))
    }

    /// Takes a change that [`check`](Self::check) found fitting. If the replica has moved on since, the rules are
    /// checked again.
    pub fn apply(&mut self, checked: CheckedChange) -> Result<(), Refusal> {
        let CheckedChange { change, base, doc } = checked;
        if base.0 != self.id || base.1 != self.heads {
            return self.accept(change);
        }
        self.absorb(change);
        self.doc = Some(doc);
        Ok(())
    }

    /// Takes a change without asking automerge: one that the hub has accepted, or that was written here just now. Our
    /// own rules are checked all the same; what a newer hub accepted under a key that is not known here is kept.
    pub fn accept(&mut self, change: ParsedChange) -> Result<(), Refusal> {
        match rules::judge(self, &change)? {
            Judgement::Fits => {}
            Judgement::Stale(_) => return Err(Refusal::Stale),
        }
        self.absorb(change);
        self.doc = None;
        Ok(())
    }

    /// Builds the change that makes `writes` so, on top of all heads, at `time_unix_seconds`; the replica stays as it
    /// is until the change is accepted. `None` if everything already is so.
    ///
    /// A new document's first change sets `id` by itself. A key that is written twice, a value its key does not take, a
    /// key that may not be written any more, and more than 16 KB are refused.
    pub fn write(
        &self,
        actor: ActorId,
        writes: &[Write],
        time_unix_seconds: i64,
    ) -> Result<Option<ParsedChange>, Refusal> {
        let mut ops: Vec<Op> = Vec::with_capacity(1 + writes.len());
        let id = Value::Text(self.id.to_string());
        if self.is_empty() {
            ops.push(Op { key: Key::Id, value: Some(id.clone()), pred: Vec::new() });
        }
        for Write { key, value } in writes {
            if let Some(value) = value {
                value.check(*key)?;
            }
            if *key == Key::Id && value.as_ref() != Some(&id) {
                return Err(Refusal::WrongId);
            }
            let live = self.slot(*key).and_then(|slot| slot.live.as_ref());
            if *key == Key::Id || value.as_ref() == live.map(|live| &live.value) {
                continue;
            }
            if ops.iter().any(|op| op.key == *key) {
                return Err(Refusal::RepeatedKey { key: *key });
            }
            ops.push(Op { key: *key, value: value.clone(), pred: live.map(|live| live.op).into_iter().collect() });
        }
        if ops.is_empty() {
            return Ok(None);
        }
        let change = self.encode(actor, ops, time_unix_seconds)?;
        match rules::judge(self, &change)? {
            Judgement::Fits => Ok(Some(change)),
            Judgement::Stale(_) => Err(Refusal::Stale),
        }
    }

    /// The first change of a fresh document with this one's values and nothing of its past: what a new host gets, who
    /// must not see earlier values.
    pub fn fresh_base(&self, actor: ActorId, time_unix_seconds: i64) -> Result<ParsedChange, Refusal> {
        let ops: Vec<Op> =
            self.values().map(|(key, value)| Op { key, value: Some(value.clone()), pred: Vec::new() }).collect();
        if ops.is_empty() {
            return Err(Refusal::NoId);
        }
        Self::empty(self.id).encode(actor, ops, time_unix_seconds)
    }

    /// The whole history as a standard automerge document, uncompressed; any automerge tool opens it.
    pub fn export(&self) -> Result<Vec<u8>, Refusal> {
        match &self.doc {
            Some(doc) => scratch::save(doc),
            None => scratch::save(&scratch::build(self.changes.iter().map(|change| change.bytes.as_slice()))?),
        }
    }

    /// A change of `ops` on top of all heads.
    fn encode(&self, actor: ActorId, ops: Vec<Op>, time: i64) -> Result<ParsedChange, Refusal> {
        if !(0..=MAX_TIME).contains(&time) {
            return Err(Refusal::BadTime);
        }
        let seq = self.last_of(&actor).map_or(1, |last| last.seq + 1);
        let start_op = 1 + self.changes.iter().map(|change| change.max_op).max().unwrap_or(0);
        let mut deps = self.heads.clone();
        if let Some(last) = self.last_of(&actor) {
            // As automerge does, also where a head already builds on it.
            let last = self.changes[last.change].hash;
            if let Err(place) = deps.binary_search(&last) {
                deps.insert(place, last);
            }
        }
        let encoded = Content { actor, seq, start_op, time, deps: &deps, ops: &ops }.encode()?;
        let bytes = encoded.raw_bytes().to_vec();
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(Refusal::Oversized);
        }
        let hash = ChangeHash(encoded.hash().0);
        Ok(ParsedChange { hash, bytes, actor, seq, start_op, time, deps, ops, later: Vec::new() })
    }

    /// Makes a change that fits a part of the state.
    fn absorb(&mut self, change: ParsedChange) {
        let position = self.changes.len();
        let max_op = change.max_op();
        self.heads = self.heads_after(&change);
        self.authors.insert(change.actor, Last { seq: change.seq, change: position });
        for (op, id) in change.ops.iter().zip(change.op_ids()) {
            let live = op.value.clone().map(|value| Live { op: id, value, change: position });
            let slot = self.slots.entry(op.key).or_default();
            if let Some(replaced) = std::mem::replace(&mut slot.live, live) {
                slot.past.push(replaced.op);
            }
        }
        for op in &change.later {
            let slot = self.later.entry(op.key.clone()).or_default();
            let live = op.sets.then(|| (change.later_id(op), position));
            if let Some((replaced, _)) = std::mem::replace(&mut slot.live, live) {
                slot.past.push(replaced);
            }
        }
        let is_later = !change.later.is_empty();
        let deps = change.deps.iter().filter_map(|dep| self.positions.get(dep).copied()).collect();
        self.positions.insert(change.hash, position);
        self.changes.push(Accepted { hash: change.hash, bytes: change.bytes, deps, max_op, is_later });
    }

    fn heads_after(&self, change: &ParsedChange) -> Vec<ChangeHash> {
        let mut heads: Vec<_> = self.heads.iter().filter(|head| !change.deps.contains(head)).copied().collect();
        heads.push(change.hash);
        heads.sort_unstable();
        heads
    }

    pub(super) fn slot(&self, key: Key) -> Option<&Slot> {
        self.slots.get(&key)
    }

    pub(super) fn later_slot(&self, key: &str) -> Option<&LaterSlot> {
        self.later.get(key)
    }

    pub(super) fn last_of(&self, actor: &ActorId) -> Option<Last> {
        self.authors.get(actor).copied()
    }

    /// The positions of all of `hashes`, or `None` if one is not accepted here.
    pub(super) fn positions(&self, hashes: &[ChangeHash]) -> Option<Vec<usize>> {
        hashes.iter().map(|hash| self.positions.get(hash).copied()).collect()
    }

    pub(super) fn max_op(&self, position: usize) -> u64 {
        self.changes[position].max_op
    }

    /// Whether the change at `target` is one of `from` or an ancestor of one.
    pub(super) fn reaches(&self, from: &[usize], target: usize) -> bool {
        let mut seen = vec![false; self.changes.len()];
        let mut open = from.to_vec();
        while let Some(position) = open.pop() {
            if position == target {
                return true;
            }
            // What a change depends on stands before it in the list: below the target there is nothing to find.
            if position > target && !std::mem::replace(&mut seen[position], true) {
                open.extend(&self.changes[position].deps);
            }
        }
        false
    }
}

impl<'a> Content<'a> {
    fn of(change: &'a ParsedChange) -> Self {
        Self {
            actor: change.actor,
            seq: change.seq,
            start_op: change.start_op,
            time: change.time,
            deps: &change.deps,
            ops: &change.ops,
        }
    }
}
