//! One change, read by ourselves from the bytes of its chunk before automerge sees them.
//!
//! The chunk is automerge's: `85 6f 4a 83`, four bytes of checksum, the type, the length, then dependencies, actor,
//! sequence number, first operation's counter, time, message, other actors, columns. The hash of the change is SHA-256
//! from the type on, and the checksum its first four bytes. Every limit is checked before anything is allocated by a
//! number the bytes claim.

use std::fmt;

use sha2::{Digest, Sha256};

use super::columns::Columns;
use super::cursor::Cursor;
use super::{MAX_CHANGE_BYTES, MAX_DEPS, MAX_OPERATIONS, MAX_TIME, Refusal, Value, check_text};
use crate::id::{ActorId, ChangeHash};
use crate::visit::Key;

const MAGIC: [u8; 4] = [0x85, 0x6F, 0x4A, 0x83];
/// Magic and checksum: what comes before the hashed part.
const UNHASHED: usize = 8;

const TYPE_CHANGE: u8 = 1;
const TYPE_COMPRESSED: u8 = 2;

const ACTION_SET: u64 = 1;
const ACTION_DELETE: u64 = 3;

/// The low four bits of a value's metadata; the length stands above them.
const VALUE_NULL: u64 = 0;
const VALUE_TRUE: u64 = 2;
const VALUE_UINT: u64 = 3;
const VALUE_INT: u64 = 4;
const VALUE_FLOAT: u64 = 5;
const VALUE_TEXT: u64 = 6;
const VALUE_BYTES: u64 = 7;
const VALUE_COUNTER: u64 = 8;
const VALUE_TIMESTAMP: u64 = 9;

/// The longest name of a key that is not known here.
const MAX_LATER_KEY: usize = 64;

/// The name of an operation: automerge's Lamport timestamp, ordered by counter, then by actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Counted from 1 within the document; at most `u32::MAX`, as in automerge.
    pub counter: u64,
    /// Whose operation it is.
    pub actor: ActorId,
}

/// One operation: a key set or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The key of the root map.
    pub key: Key,
    /// The new value; `None` deletes the key.
    pub value: Option<Value>,
    /// The operation whose value this one replaces: none or one.
    pub pred: Vec<OpId>,
}

/// An operation under a key that is not known here: a later version's. What it says stays in the bytes; that it has its
/// place in the key's history is checked like everything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaterOp {
    /// The key of the root map, in the form of ours.
    pub key: String,
    /// Whether it gives a value; else it deletes the key.
    pub sets: bool,
    /// The operation whose value this one replaces: none or one.
    pub pred: Vec<OpId>,
    /// Its place among all operations of the change.
    place: usize,
}

/// A change whose bytes have been read and keep every limit that can be told without the document.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsedChange {
    /// The hash automerge knows it by.
    pub hash: ChangeHash,
    /// The whole chunk.
    pub bytes: Vec<u8>,
    /// Its author.
    pub actor: ActorId,
    /// Counted from 1 per author and document.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// When it was made, in Unix seconds, as its author claims.
    pub time: i64,
    /// The hashes of the changes it builds on, in ascending order.
    pub deps: Vec<ChangeHash>,
    /// Its operations, each of another key.
    pub ops: Vec<Op>,
    /// Those under keys that are not known here; with [`ops`](Self::ops) at least one.
    pub later: Vec<LaterOp>,
}

/// Shows no values and no bytes: they are personal data.
impl fmt::Debug for ParsedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParsedChange")
            .field("hash", &self.hash)
            .field("actor", &self.actor)
            .field("seq", &self.seq)
            .field("start_op", &self.start_op)
            .field("deps", &self.deps)
            .field("ops", &self.ops.iter().map(|op| op.key).collect::<Vec<_>>())
            .field("later", &self.later.iter().map(|op| op.key.as_str()).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl ParsedChange {
    /// Reads a change chunk and holds it against all of the profile that needs no document.
    ///
    /// Whether the encoding is the canonical one is not told here but by [`Replica::check`](super::Replica::check),
    /// which encodes it again.
    ///
    /// ```
    /// use vestibule_core::document::{ParsedChange, Refusal};
    ///
    /// assert_eq!(ParsedChange::read(b"not a change"), Err(Refusal::Garbage));
    /// assert_eq!(Refusal::Garbage.code(), "garbage");
    /// ```
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let (hash, mut cursor) = open(bytes)?;
        let cursor = &mut cursor;

        let deps = read_deps(cursor)?;
        let actor = read_actor(cursor)?;
        let seq = cursor.uleb()?;
        let start_op = cursor.uleb()?;
        if seq == 0 {
            return Err(Refusal::BadSeq);
        }
        if start_op == 0 || u32::try_from(start_op).is_err() {
            return Err(Refusal::BadStartOp);
        }
        let time = cursor.sleb()?;
        if !(0..=MAX_TIME).contains(&time) {
            return Err(Refusal::BadTime);
        }
        if cursor.uleb()? != 0 {
            return Err(Refusal::Message);
        }
        let actors = read_other_actors(actor, cursor)?;
        let mut columns = Columns::read(cursor)?;
        if !cursor.is_empty() {
            return Err(Refusal::ExtraBytes);
        }
        let (ops, later) = read_ops(&mut columns, &actors)?;
        Ok(Self { hash, bytes: bytes.to_vec(), actor, seq, start_op, time, deps, ops, later })
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u64 {
        self.start_op + (self.ops.len() + self.later.len()) as u64 - 1
    }

    /// The ids of [`ops`](Self::ops), in their order.
    pub(super) fn op_ids(&self) -> impl Iterator<Item = OpId> {
        let is_later = |place: &usize| self.later.iter().any(|op| op.place == *place);
        let places = (0..self.ops.len() + self.later.len()).filter(move |place| !is_later(place));
        places.map(|place| self.op_id(place))
    }

    /// The id of an operation of [`later`](Self::later).
    pub(super) fn later_id(&self, op: &LaterOp) -> OpId {
        self.op_id(op.place)
    }

    fn op_id(&self, place: usize) -> OpId {
        OpId { counter: self.start_op + place as u64, actor: self.actor }
    }
}

/// Checks size, header and checksum; returns the hash and the chunk's body.
fn open(bytes: &[u8]) -> Result<(ChangeHash, Cursor<'_>), Refusal> {
    if bytes.len() > MAX_CHANGE_BYTES {
        return Err(Refusal::Oversized);
    }
    let mut cursor = Cursor::new(bytes);
    if cursor.take_array()? != MAGIC {
        return Err(Refusal::Garbage);
    }
    let checksum: [u8; 4] = cursor.take_array()?;
    match cursor.take_array()? {
        [TYPE_CHANGE] => {}
        [TYPE_COMPRESSED] => return Err(Refusal::Compressed),
        _ => return Err(Refusal::Garbage),
    }
    let len = cursor.uleb()?;
    let body = Cursor::new(cursor.take(len)?);
    if !cursor.is_empty() {
        return Err(Refusal::TrailingBytes);
    }
    let hash: [u8; 32] = Sha256::digest(&bytes[UNHASHED..]).into();
    if hash[..4] != checksum {
        return Err(Refusal::Garbage);
    }
    Ok((ChangeHash(hash), body))
}

/// The dependencies, which are few, ascending and each named once.
fn read_deps(cursor: &mut Cursor<'_>) -> Result<Vec<ChangeHash>, Refusal> {
    let count = cursor.uleb()?;
    let count = usize::try_from(count).ok().filter(|&n| n <= MAX_DEPS).ok_or(Refusal::TooManyDeps)?;
    let mut deps = Vec::with_capacity(count);
    for _ in 0..count {
        deps.push(ChangeHash(cursor.take_array()?));
    }
    if deps.is_sorted_by(|a, b| a < b) { Ok(deps) } else { Err(Refusal::NotCanonical) }
}

fn read_actor(cursor: &mut Cursor<'_>) -> Result<ActorId, Refusal> {
    let len = cursor.uleb()?;
    let bytes = cursor.take(len)?;
    ActorId::try_from(bytes).map_err(|_| Refusal::Actor)
}

/// All actors by their index in the columns: the author first, then the others, ascending. Each operation replaces at
/// most one, so there are no more others than operations.
fn read_other_actors(author: ActorId, cursor: &mut Cursor<'_>) -> Result<Vec<ActorId>, Refusal> {
    let count = cursor.uleb()?;
    let count = usize::try_from(count).ok().filter(|&n| n <= MAX_OPERATIONS).ok_or(Refusal::TooManyOperations)?;
    if cursor.remaining() < count * (1 + size_of::<ActorId>()) {
        return Err(Refusal::Garbage);
    }
    let mut actors = Vec::with_capacity(1 + count);
    actors.push(author);
    for _ in 0..count {
        actors.push(read_actor(cursor)?);
    }
    if actors[1..].is_sorted_by(|a, b| a < b) && !actors[1..].contains(&author) {
        Ok(actors)
    } else {
        Err(Refusal::NotCanonical)
    }
}

fn read_ops(columns: &mut Columns<'_>, actors: &[ActorId]) -> Result<(Vec<Op>, Vec<LaterOp>), Refusal> {
    let count = columns.action.count()?;
    if count == 0 {
        return Err(Refusal::NoOperations);
    }
    // A run of `false`, and nothing else: to insert is for lists.
    let not_inserted = columns.insert.uleb()?;
    if !columns.insert.is_empty() {
        return Err(Refusal::NotRoot);
    }
    if not_inserted != count as u64 {
        return Err(Refusal::Garbage);
    }
    let mut ops: Vec<Op> = Vec::with_capacity(count);
    let mut later: Vec<LaterOp> = Vec::new();
    for place in 0..count {
        let name = columns.key.next()?;
        let Some(key) = Key::from_name(name) else {
            if later.iter().any(|op| op.key == name) {
                return Err(Refusal::RepeatedLaterKey);
            }
            later.push(read_later(columns, name, place, actors)?);
            continue;
        };
        if ops.iter().any(|op| op.key == key) {
            return Err(Refusal::RepeatedKey { key });
        }
        let value = read_value(columns, key)?;
        let pred = read_pred(columns, actors)?.ok_or(Refusal::ForeignPred { key })?;
        // A saved document keeps of a deletion only that the value is replaced: without one it would be lost.
        if value.is_none() && pred.is_empty() {
            return Err(Refusal::BadAction);
        }
        ops.push(Op { key, value, pred });
    }
    if columns.are_finished() { Ok((ops, later)) } else { Err(Refusal::Garbage) }
}

/// An operation under a key of a later version: its name is one we would give, and its value any scalar.
fn read_later(columns: &mut Columns<'_>, name: &str, place: usize, actors: &[ActorId]) -> Result<LaterOp, Refusal> {
    let is_of_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=MAX_LATER_KEY).contains(&name.len()) || !name.bytes().all(is_of_name) {
        return Err(Refusal::UnknownKey);
    }
    let (action, meta) = (columns.action.next()?, columns.value_meta.next()?);
    let mut value = Cursor::new(columns.value.take(meta >> 4)?);
    let sets = match (action, meta & 0xF) {
        (ACTION_DELETE, VALUE_NULL) => false,
        (ACTION_SET, VALUE_NULL..=VALUE_TRUE) => true,
        (ACTION_SET, VALUE_UINT) => value.uleb().is_ok(),
        (ACTION_SET, VALUE_INT | VALUE_COUNTER | VALUE_TIMESTAMP) => value.sleb().is_ok(),
        (ACTION_SET, VALUE_FLOAT) => value.take(8).is_ok(),
        (ACTION_SET, VALUE_TEXT) => {
            std::str::from_utf8(value.take(meta >> 4)?).map_err(|_| Refusal::Garbage)?;
            true
        }
        (ACTION_SET, VALUE_BYTES) => value.take(meta >> 4).is_ok(),
        (ACTION_SET | ACTION_DELETE, _) => return Err(Refusal::Garbage),
        _ => return Err(Refusal::BadAction),
    };
    if !value.is_empty() {
        return Err(Refusal::Garbage);
    }
    let pred = read_pred(columns, actors)?.ok_or(Refusal::ForeignLaterPred)?;
    if !sets && (action != ACTION_DELETE || pred.is_empty()) {
        return Err(if action == ACTION_DELETE { Refusal::BadAction } else { Refusal::Garbage });
    }
    Ok(LaterOp { key: name.to_owned(), sets, pred, place })
}

/// Action and value of the next operation.
fn read_value(columns: &mut Columns<'_>, key: Key) -> Result<Option<Value>, Refusal> {
    let action = columns.action.next()?;
    let meta = columns.value_meta.next()?;
    match (action, meta & 0xF, meta >> 4) {
        (ACTION_DELETE, VALUE_NULL, 0) => Ok(None),
        (ACTION_SET, VALUE_TRUE, 0) if key.is_flag() => Ok(Some(Value::True)),
        (ACTION_SET, VALUE_TEXT, len) => {
            let text = std::str::from_utf8(columns.value.take(len)?).map_err(|_| Refusal::Garbage)?;
            check_text(key, text)?;
            Ok(Some(Value::Text(text.to_owned())))
        }
        (ACTION_SET, ..) => Err(Refusal::BadValue { key }),
        (ACTION_DELETE, ..) => Err(Refusal::Garbage),
        _ => Err(Refusal::BadAction),
    }
}

/// What the next operation replaces; none if it says to replace several, which there never are: a key's history is a
/// chain.
fn read_pred(columns: &mut Columns<'_>, actors: &[ActorId]) -> Result<Option<Vec<OpId>>, Refusal> {
    match columns.pred_count.next()? {
        0 => Ok(Some(Vec::new())),
        1 => {
            let index = columns.pred_actor.next()?;
            let actor = usize::try_from(index).ok().and_then(|index| actors.get(index)).ok_or(Refusal::Garbage)?;
            let counter = u32::try_from(columns.pred_counter.next()?).map_err(|_| Refusal::Garbage)?;
            Ok(Some(vec![OpId { counter: u64::from(counter), actor: *actor }]))
        }
        _ => Ok(None),
    }
}
