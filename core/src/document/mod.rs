//! The visit document: one automerge document per visit, a flat root map of the keys of [`Key`], and the profile every
//! change of it has to fit before anybody keeps it.
//!
//! A change travels as the bytes of an automerge change chunk and is taken in three steps, by hub, peer and phone with
//! the same code:
//!
//! 1. [`ParsedChange::read`] is our own reader. It looks at the bytes before automerge sees them and allocates nothing
//!    by a number they claim: automerge's own reader would believe a chunk of 74 bytes that claims millions of
//!    operations.
//! 2. [`Replica::check`] holds the change against what is accepted of the document: its place in the history, and the
//!    operation each write replaces. A write on top of a value that is no longer there is [`Verdict::Stale`], and its
//!    author replays the intent. What fits is encoded again and must come out as the same bytes, and is applied to a
//!    scratch automerge document that is saved, loaded and compared with what we say it shows.
//! 3. [`Replica::apply`] takes it. What was accepted before is read back with [`Replica::load`], which needs no
//!    automerge document: the accepted history of a key is a chain, so the last write is the value.
//!
//! A change may be newer than its reader. What the hub has accepted under a key that is not known here is kept with the
//! rest: checked like every other operation, shown by nobody, exported whole. What it has not accepted is refused.
//!
//! [`Replica::write`] goes the other way: from the values a host wants to the bytes of a change, encoded directly and
//! byte for byte as automerge's own transaction would.

mod chunk;
mod columns;
mod cursor;
mod encode;
mod refusal;
mod replica;
mod rules;
mod scratch;
#[cfg(test)]
mod tests;

use std::fmt;

use sha2::{Digest, Sha256};

pub use chunk::{LaterOp, Op, OpId, ParsedChange};
pub use refusal::Refusal;
pub use replica::{CheckedChange, Replica, Verdict};

use crate::id::{ActorId, ActorSalt, Thumbprint, VisitId};
use crate::text::refused_char;
use crate::visit::Key;

/// The largest change, in bytes, header included.
pub const MAX_CHANGE_BYTES: usize = 16 * 1024;
/// The most operations of one change.
pub const MAX_OPERATIONS: usize = 64;
/// The most dependencies of one change.
pub const MAX_DEPS: usize = 8;
/// The most heads of a document. A change that joins them all depends on them and on its author's previous change.
pub const MAX_HEADS: usize = MAX_DEPS - 1;
/// The most changes of one visit.
pub const MAX_CHANGES: usize = 1_000;
/// The latest time a change may claim: the end of the year 9999, in Unix seconds. A saved document holds times as
/// differences, and an extreme one would make every later change of the document impossible to save.
pub const MAX_TIME: i64 = 253_402_300_799;

/// A value of the visit document. An absent key has none.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Text, never empty: clearing a value deletes its key.
    Text(String),
    /// The one value of a flag (`cancelled`, `deleted`, `tour`).
    True,
}

impl Value {
    /// The text, or `None` for a flag.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::True => None,
        }
    }

    /// Checks that a value of `key` may be this: its type, its length, its characters.
    fn check(&self, key: Key) -> Result<(), Refusal> {
        match self {
            Self::Text(text) => check_text(key, text).and_then(|()| check_form(key, text)),
            Self::True if key.is_flag() => Ok(()),
            Self::True => Err(Refusal::BadValue { key }),
        }
    }
}

/// What is written here has its key's form. Only what is written: a value of another form that was accepted once is shown
/// as unreadable, and the rest of the visit with it.
fn check_form(key: Key, text: &str) -> Result<(), Refusal> {
    if key.takes(text) { Ok(()) } else { Err(Refusal::BadValue { key }) }
}

/// Shows the kind and the length only: values are personal data and have no place in a log.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::True => f.write_str("True"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// One wish of an edit: this key shall have this value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The key to write.
    pub key: Key,
    /// The value it shall have; `None` clears it, which deletes the key.
    pub value: Option<Value>,
}

impl Write {
    /// Sets `key` to `value`.
    pub fn set(key: Key, value: impl Into<Value>) -> Self {
        Self { key, value: Some(value.into()) }
    }

    /// Raises a flag, which stays for ever.
    pub fn raise(key: Key) -> Self {
        Self { key, value: Some(Value::True) }
    }

    /// Clears `key`.
    pub fn clear(key: Key) -> Self {
        Self { key, value: None }
    }
}

/// The actor id under which `device` writes the document of `visit`: the first 16 bytes of SHA-256(thumbprint of the
/// device's key ‖ 16 bytes of the document's id ‖ salt).
///
/// The salt is random, fresh per process and document, and travels in the envelope: whoever receives a change can tell
/// that its actor belongs to the device that signed, and nobody can squat on the actor id of another.
///
/// ```
/// use vestibule_core::document::actor_id;
/// use vestibule_core::id::{ActorSalt, Thumbprint, VisitId};
///
/// let (device, visit) = (Thumbprint([1; 32]), VisitId::from_parts(1_800_000_000_000, [7; 10]));
/// assert_ne!(actor_id(&device, visit, &ActorSalt([2; 16])), actor_id(&device, visit, &ActorSalt([3; 16])));
/// ```
pub fn actor_id(device: &Thumbprint, visit: VisitId, salt: &ActorSalt) -> ActorId {
    let digest = Sha256::new()
        .chain_update(device.as_bytes())
        .chain_update(visit.as_bytes())
        .chain_update(salt.as_bytes())
        .finalize();
    let mut actor = [0; 16];
    actor.copy_from_slice(&digest[..16]);
    ActorId(actor)
}

/// Checks a text for `key`, before it is copied out of the bytes it came in.
fn check_text(key: Key, text: &str) -> Result<(), Refusal> {
    if key.is_flag() || text.is_empty() {
        return Err(Refusal::BadValue { key });
    }
    // Nearly every value is short plain ASCII, which needs no counting of characters.
    if text.len() > key.max_chars() && text.chars().count() > key.max_chars() {
        return Err(Refusal::TooLong { key });
    }
    let plain = text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !plain && text.chars().any(|c| refused_char(c, key.is_multiline())) {
        return Err(Refusal::Text { key });
    }
    Ok(())
}
