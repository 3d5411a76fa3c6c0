//! Intents: what a person wanted, key by key with what they saw before, so that it can be replayed when the document
//! underneath has moved on.

use minicbor::{Decode, Encode};

use crate::cbor;
use crate::document::{ParsedChange, Replica, Value, Write};
use crate::visit::{Key, Merge};

/// What kind of operation an entry of the outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationKind {
    /// The visit's first change.
    Create,
    /// A later change.
    Edit,
    /// The cancellation.
    Cancel,
    /// A request: a note, a deletion, a decision.
    Request,
}

impl OperationKind {
    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Cancel => "cancel",
            Self::Request => "request",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Create, Self::Edit, Self::Cancel, Self::Request].into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A value as it is kept in an intent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum Kept {
    #[n(0)]
    Text(#[n(0)] String),
    #[n(1)]
    True,
}

impl Kept {
    fn of(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text.clone()),
            Value::True => Self::True,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::True => Value::True,
        }
    }
}

/// One key of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct KeptWrite {
    #[n(0)]
    key: String,
    /// What its author saw.
    #[n(1)]
    base: Option<Kept>,
    /// What it shall be; absent to clear it.
    #[n(2)]
    value: Option<Kept>,
}

/// The writes of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
#[cbor(map)]
pub(super) struct Intent {
    #[n(0)]
    writes: Vec<KeptWrite>,
}

/// What becomes of an intent on top of another state.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// To be written anew.
    pub(super) writes: Vec<Write>,
    /// The part of the intent that is written, for the outbox.
    pub(super) kept: Intent,
    /// The part its author has to choose about.
    pub(super) conflict: Intent,
}

impl Intent {
    /// What `writes` want, where `state` is what their author sees.
    pub(super) fn of(writes: &[Write], state: &Replica) -> Self {
        let kept = writes.iter().map(|write| KeptWrite {
            key: write.key.as_str().to_owned(),
            base: state.value(write.key).map(Kept::of),
            value: write.value.as_ref().map(Kept::of),
        });
        Self { writes: kept.collect() }
    }

    /// What a visit's first change wants: each of its values, where nothing was before.
    pub(super) fn of_first(change: &ParsedChange) -> Self {
        let kept = change.ops.iter().filter(|op| op.key != Key::Id).map(|op| KeptWrite {
            key: op.key.as_str().to_owned(),
            base: None,
            value: op.value.as_ref().map(Kept::of),
        });
        Self { writes: kept.collect() }
    }

    /// As the outbox keeps it: nothing where the first change of `state` says the same, from which
    /// [`of_first`](Self::of_first) reads it again.
    pub(super) fn kept(&self, kind: OperationKind, state: &Replica) -> Vec<u8> {
        let said = kind == OperationKind::Create && state.len() == 1 && self.is_all_of(state);
        if said { Vec::new() } else { cbor::write(self) }
    }

    fn is_all_of(&self, state: &Replica) -> bool {
        let shown = |kept: &KeptWrite| {
            let value = Key::from_name(&kept.key).and_then(|key| state.value(key));
            kept.base.is_none() && value.is_some() && value.map(Kept::of) == kept.value
        };
        self.writes.len() + 1 == state.values().count() && self.writes.iter().all(shown)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// The writes; those of keys a later version made are left out.
    pub(super) fn writes(&self) -> impl Iterator<Item = Write> {
        self.writes.iter().filter_map(|kept| {
            let key = Key::from_name(&kept.key)?;
            Some(Write { key, value: kept.value.as_ref().map(Kept::value) })
        })
    }

    /// Drops the writes of keys another intent takes over.
    pub(super) fn without(&self, taken: &[Write]) -> Self {
        let stays = |kept: &&KeptWrite| !taken.iter().any(|write| write.key.as_str() == kept.key);
        Self { writes: self.writes.iter().filter(stays).cloned().collect() }
    }

    /// The intent on top of `state`: what already is so falls away, what nobody else touched and free text are written
    /// again, the rest is a conflict (design, "When two edits meet").
    pub(super) fn replay(&self, state: &Replica) -> Replay {
        let mut replay = Replay::default();
        for kept in &self.writes {
            let Some(key) = Key::from_name(&kept.key) else { continue };
            let (now, wanted) = (state.value(key), kept.value.as_ref().map(Kept::value));
            if now == wanted.as_ref() {
                continue;
            }
            let untouched = now.map(Kept::of) == kept.base;
            match key.merge() {
                _ if untouched => {}
                Merge::Silent => {}
                Merge::Conflict => {
                    replay.conflict.writes.push(kept.clone());
                    continue;
                }
                Merge::Once => continue,
            }
            replay.kept.writes.push(KeptWrite { base: now.map(Kept::of), ..kept.clone() });
            replay.writes.push(Write { key, value: wanted });
        }
        replay
    }
}
