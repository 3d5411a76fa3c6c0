//! Rows of the feed.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::Scope;
use crate::cbor;
use crate::id::{ChangeHash, MemberId, RequestId, VisitId};
use crate::reader::{What, knows};

/// What a row carries, by number: a kind this code does not know is kept and skipped, unless the row is critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// 0: an accepted change of a visit ([`ChangeRow`]).
    Change,
    /// 1: a fresh base of a visit, in place of all changes before ([`SnapshotRow`]).
    Snapshot,
    /// 2: an entry of a visit's decision log ([`crate::decision::LoggedDecision`]).
    Decision,
    /// 3: an internal note ([`NoteRow`]).
    Note,
    /// 4: a hub-owned row ([`crate::directory::DirectoryRow`]).
    Row,
    /// 5: an item that was refused ([`crate::receipt::Receipt`]).
    Refusal,
    /// 6: a visit enters the scope; its rows follow.
    Enter,
    /// 7: a visit leaves the scope: purge it, keep unsent work as drafts.
    Leave,
    /// 8: a visit was erased.
    Erase,
    /// A kind of a newer hub.
    Unknown(u16),
}

impl RowKind {
    /// The kind's number on the wire.
    pub fn number(self) -> u16 {
        match self {
            Self::Change => 0,
            Self::Snapshot => 1,
            Self::Decision => 2,
            Self::Note => 3,
            Self::Row => 4,
            Self::Refusal => 5,
            Self::Enter => 6,
            Self::Leave => 7,
            Self::Erase => 8,
            Self::Unknown(number) => number,
        }
    }
}

impl From<u16> for RowKind {
    fn from(number: u16) -> Self {
        match number {
            hidden if !knows(What::Row(hidden)) => Self::Unknown(hidden),
            0 => Self::Change,
            1 => Self::Snapshot,
            2 => Self::Decision,
            3 => Self::Note,
            4 => Self::Row,
            5 => Self::Refusal,
            6 => Self::Enter,
            7 => Self::Leave,
            8 => Self::Erase,
            other => Self::Unknown(other),
        }
    }
}

/// One row of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Row {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// Dense, from 1.
    #[n(1)]
    pub index: u64,
    /// The visit's 16 bytes, or the row's own id as text bytes.
    #[n(2)]
    pub id: ByteVec,
    /// [`RowKind::number`].
    #[n(3)]
    pub kind: u16,
    /// What the kind says.
    #[n(4)]
    pub payload: ByteVec,
    /// Whoever does not understand all of it would show something wrong: it is kept, the rest is shown, and a person is
    /// told to update the app.
    #[n(5)]
    pub critical: bool,
}

impl Row {
    /// A row about a visit.
    pub fn of_visit(scope: Scope, index: u64, visit: VisitId, kind: RowKind, payload: Vec<u8>) -> Self {
        Self {
            scope,
            index,
            id: visit.as_bytes().to_vec().into(),
            kind: kind.number(),
            payload: payload.into(),
            critical: false,
        }
    }

    /// The visit the row is about; none of a hub-owned row, also where its own id happens to be 16 bytes long.
    pub fn visit(&self) -> Option<VisitId> {
        if RowKind::from(self.kind) == RowKind::Row {
            return None;
        }
        <[u8; 16]>::try_from(self.id.as_slice()).ok().map(VisitId::from_bytes)
    }

    /// The row's bytes: what is salted, hashed and sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        cbor::write(self)
    }
}

/// Payload of [`RowKind::Change`]. Author and time are the hub's, not the change's own claim.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChangeRow {
    /// The change's hash, so that a corrupt chunk is noticed before automerge sees it.
    #[n(0)]
    pub hash: ChangeHash,
    /// The chunk.
    #[n(1)]
    pub chunk: ByteVec,
    /// Who wrote it.
    #[n(2)]
    pub author: MemberId,
    /// For whom, if a delegate wrote it.
    #[n(3)]
    pub on_behalf_of: Option<MemberId>,
    /// When the hub accepted it, Unix seconds.
    #[n(4)]
    pub accepted_at: i64,
}

/// Payload of [`RowKind::Snapshot`]: the visit's changes anew, without earlier values.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SnapshotRow {
    /// Counts the bases of the visit from 1; the first, made by its creator, is 0.
    #[n(0)]
    pub base: u32,
    /// The accepted changes on that base, oldest first.
    #[n(1)]
    pub changes: Vec<ChangeRow>,
}

/// Payload of [`RowKind::Note`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NoteRow {
    /// The request that brought it.
    #[n(0)]
    pub id: RequestId,
    /// Who wrote it.
    #[n(1)]
    pub author: MemberId,
    /// When the hub accepted it, Unix seconds.
    #[n(2)]
    pub accepted_at: i64,
    /// The note as typed.
    #[n(3)]
    pub text: String,
}
