//! Work made ready for its turn. The first change of a new visit, and its row in the lists, need nothing of the file, so
//! that an import makes them ahead of the writing ([`super::ahead`]).

use super::intent::{Intent, OperationKind};
use super::meta::Identity;
use super::outbox::principal;
use super::project::Row;
use super::working::{Entry, Working};
use super::write::Work;
use super::{Pen, StoreError};
use crate::directory::Directory;
use crate::document::{Write, actor_id};
use crate::envelope::Ask;
use crate::id::{ActorSalt, ChangeHash, MemberId, VisitId};

/// A piece of work, ready.
pub(super) enum Step {
    First(Box<First>),
    Later(VisitId, Later),
}

/// A first change, and what is written beside it.
pub(super) struct First {
    pub(super) visit: VisitId,
    pub(super) hash: ChangeHash,
    pub(super) bytes: Vec<u8>,
    pub(super) pen: Pen,
    pub(super) on_behalf_of: Option<MemberId>,
    /// The intent as the outbox keeps it.
    pub(super) kept: Vec<u8>,
    pub(super) row: Row,
}

/// What is done to a visit that is there.
pub(super) enum Later {
    Edit(Vec<Write>),
    Cancel,
    Ask(Ask),
}

/// Makes work ready.
pub(super) struct Maker<'a> {
    pub(super) identity: &'a Identity,
    pub(super) directory: &'a Directory,
    /// Unix seconds.
    pub(super) now: i64,
}

impl Maker<'_> {
    /// Makes what can be made of a piece of work before its turn.
    pub(super) fn step(&self, work: Work) -> Result<Step, StoreError> {
        match work {
            Work::Create { visit, salt, writes } => Ok(Step::First(Box::new(self.first(visit, salt, &writes)?))),
            Work::Edit { visit, writes } => Ok(Step::Later(visit, Later::Edit(writes))),
            Work::Cancel { visit } => Ok(Step::Later(visit, Later::Cancel)),
            Work::Ask { visit, ask } => Ok(Step::Later(visit, Later::Ask(ask))),
        }
    }

    fn first(&self, visit: VisitId, salt: ActorSalt, writes: &[Write]) -> Result<First, StoreError> {
        let mut working = Working::fresh(visit);
        let actor = actor_id(&self.identity.device, visit, &salt);
        let intent = Intent::of(writes, working.current());
        let change = working.current().write(actor, writes, self.now)?.ok_or(StoreError::Damaged("chunk"))?;
        let (hash, bytes) = (change.hash, change.bytes.clone());
        let pen = Pen { salt, actor, seq: change.seq };
        working.absorb(change)?;
        let kept = intent.kept(OperationKind::Create, working.current());
        working.outbox.push(Entry::queued(OperationKind::Create, &hash, intent, self.now));
        let on_behalf_of = principal(self.identity, self.directory, &working);
        let row = Row::of(&working, self.directory).ok_or(StoreError::Damaged("chunk"))?;
        Ok(First { visit, hash, bytes, pen, on_behalf_of, kept, row })
    }
}
