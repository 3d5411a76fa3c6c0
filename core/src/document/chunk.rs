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
const VALUE_TEXT: u64 = 6;

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
    /// Its operations: at least one, each of another key.
    pub ops: Vec<Op>,
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
        let ops = read_ops(&mut columns, &actors)?;
        Ok(Self { hash, bytes: bytes.to_vec(), actor, seq, start_op, time, deps, ops })
    }

    /// The counter of its last operation.
    pub fn max_op(&self) -> u64 {
        self.start_op + self.ops.len() as u64 - 1
    }

    /// The id of its operation at `index`.
    pub(super) fn op_id(&self, index: usize) -> OpId {
        OpId { counter: self.start_op + index as u64, actor: self.actor }
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

fn read_ops(columns: &mut Columns<'_>, actors: &[ActorId]) -> Result<Vec<Op>, Refusal> {
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
    for _ in 0..count {
        let key = Key::from_name(columns.key.next()?).ok_or(Refusal::UnknownKey)?;
        if ops.iter().any(|op| op.key == key) {
            return Err(Refusal::RepeatedKey { key });
        }
        let value = read_value(columns, key)?;
        let pred = read_pred(columns, key, actors)?;
        // A saved document keeps of a deletion only that the value is replaced: without one it would be lost.
        if value.is_none() && pred.is_empty() {
            return Err(Refusal::BadAction);
        }
        ops.push(Op { key, value, pred });
    }
    if columns.are_finished() { Ok(ops) } else { Err(Refusal::Garbage) }
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

/// What the next operation replaces.
fn read_pred(columns: &mut Columns<'_>, key: Key, actors: &[ActorId]) -> Result<Vec<OpId>, Refusal> {
    match columns.pred_count.next()? {
        0 => Ok(Vec::new()),
        1 => {
            let index = columns.pred_actor.next()?;
            let actor = usize::try_from(index).ok().and_then(|index| actors.get(index)).ok_or(Refusal::Garbage)?;
            let counter = u32::try_from(columns.pred_counter.next()?).map_err(|_| Refusal::Garbage)?;
            Ok(vec![OpId { counter: u64::from(counter), actor: *actor }])
        }
        // A key's history is a chain: there never are two values to replace.
        _ => Err(Refusal::ForeignPred { key }),
    }
}
