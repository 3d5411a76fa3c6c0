//! From operations to the bytes of a change chunk, through automerge's own encoder.
//!
//! `automerge::legacy` builds a change from a list of operations without a document: 6–7 µs, where a transaction takes
//! 135–300, and the bytes are the same (there is a test). It is no stable interface, which is why automerge is pinned
//! to the patch.

use std::num::NonZeroU64;

use automerge::legacy;

use super::chunk::{Op, OpId};
use super::{Refusal, Value};
use crate::id::{ActorId, ChangeHash};

/// What a change says, apart from its bytes and its hash.
pub(super) struct Content<'a> {
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) time: i64,
    pub(super) deps: &'a [ChangeHash],
    pub(super) ops: &'a [Op],
}

impl Content<'_> {
    /// The change in automerge's one encoding of it.
    pub(super) fn encode(&self) -> Result<automerge::Change, Refusal> {
        let actor = actor(self.actor);
        let expanded = automerge::ExpandedChange {
            operations: self.ops.iter().map(operation).collect(),
            actor_id: actor,
            hash: None,
            seq: self.seq,
            start_op: NonZeroU64::new(self.start_op).ok_or(Refusal::BadStartOp)?,
            time: self.time,
            message: None,
            deps: self.deps.iter().map(|dep| automerge::ChangeHash(dep.0)).collect(),
            extra_bytes: Vec::new(),
            author: None,
        };
        Ok(expanded.into())
    }
}

fn operation(op: &Op) -> legacy::Op {
    legacy::Op {
        action: match &op.value {
            Some(Value::Text(text)) => legacy::OpType::Put(text.as_str().into()),
            Some(Value::True) => legacy::OpType::Put(true.into()),
            None => legacy::OpType::Delete,
        },
        obj: legacy::ObjectId::Root,
        key: legacy::Key::Map(op.key.as_str().into()),
        pred: op.pred.iter().map(op_id).collect(),
        insert: false,
    }
}

fn op_id(id: &OpId) -> legacy::OpId {
    legacy::OpId(id.counter, actor(id.actor))
}

fn actor(id: ActorId) -> automerge::ActorId {
    automerge::ActorId::from(&id.0[..])
}
