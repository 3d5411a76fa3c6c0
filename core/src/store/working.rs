//! A visit while a transaction works on it: its accepted document, its own changes on top, what the hub decided, and
//! what waits in the outbox.

use rusqlite::Connection;

use super::StoreError;
use super::intent::{Intent, OperationKind};
use super::trouble;
use super::tx::{all, one};
use crate::cbor;
use crate::decision::{LoggedDecision, Standing};
use crate::document::{ParsedChange, Replica, Write};
use crate::envelope::Request;
use crate::id::{ChainHash, ChangeHash, VisitId};

/// The state of an outbox entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationState {
    /// On its way.
    Queued,
    /// Written on top of something that has moved on; replayed after the pull.
    Stale,
    /// Refused, and kept as a draft.
    Refused,
    /// Somebody else's value was first; its author chooses.
    Conflict,
}

impl OperationState {
    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Stale => "stale",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Queued, Self::Stale, Self::Refused, Self::Conflict].into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the phone still means to bring it to the hub by itself.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Queued | Self::Stale)
    }
}

/// What an outbox entry holds.
#[derive(Debug, Clone)]
pub(super) enum Payload {
    Change(Intent),
    Request(Request),
}

/// An entry of the outbox.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) kind: OperationKind,
    pub(super) item: Vec<u8>,
    pub(super) payload: Payload,
    pub(super) state: OperationState,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) field: Option<String>,
    pub(super) made_at: i64,
}

impl Entry {
    /// One of a change that is not stored yet, and has no number.
    pub(super) fn queued(kind: OperationKind, hash: &ChangeHash, intent: Intent, made_at: i64) -> Self {
        let (item, payload, state) = (hash.as_bytes().to_vec(), Payload::Change(intent), OperationState::Queued);
        Self { id: 0, kind, item, payload, state, code: None, message: None, field: None, made_at }
    }

    pub(super) fn intent(&self) -> Option<&Intent> {
        match &self.payload {
            Payload::Change(intent) => Some(intent),
            Payload::Request(_) => None,
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Working {
    pub(super) id: VisitId,
    pub(super) base: u32,
    pub(super) accepted: Replica,
    /// Accepted and own changes; absent while it is the same as `accepted`.
    pub(super) current: Option<Replica>,
    /// Own changes that no longer fit, or never were to: the entries have to be replayed.
    pub(super) misfit: bool,
    /// The last place in `chunk`.
    pub(super) place: i64,
    pub(super) standing: Standing,
    pub(super) log: (u64, ChainHash),
    pub(super) outbox: Vec<Entry>,
    /// What is shown of it is wrong without what this version does not know.
    pub(super) update_app: bool,
    /// The visit had a row before: a new one needs no looking for it.
    pub(super) fresh: bool,
}

impl Working {
    /// A visit nothing is stored of.
    pub(super) fn fresh(id: VisitId) -> Self {
        Self {
            id,
            base: 0,
            accepted: Replica::empty(id),
            current: None,
            misfit: false,
            place: 0,
            standing: Standing::default(),
            log: (0, ChainHash::ORIGIN),
            outbox: Vec::new(),
            update_app: false,
            fresh: true,
        }
    }

    pub(super) fn load(connection: &Connection, id: VisitId) -> Result<Self, StoreError> {
        let mut working = Self::fresh(id);
        working.fresh = false;
        working.base = one(connection, "SELECT base FROM doc WHERE id = ?1", [id.as_bytes()], |row| row.get(0))?
            .unwrap_or_default();
        let chunks = all(
            connection,
            "SELECT place, status, bytes FROM chunk WHERE visit = ?1 ORDER BY place",
            [id.as_bytes()],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?)),
        )?;
        let mut own = Vec::new();
        for (place, status, bytes) in chunks {
            working.place = place;
            match status.as_str() {
                "accepted" => working.accepted.accept(ParsedChange::read(&bytes)?)?,
                "local" => own.push(ParsedChange::read(&bytes)?),
                _ => {}
            }
        }
        working.rebuild(own);
        working.read_log(connection)?;
        working.outbox = entries(connection, id)?;
        working.update_app = trouble::needs_update(connection, id)?;
        Ok(working)
    }

    /// The document as this phone shows it.
    pub(super) fn current(&self) -> &Replica {
        self.current.as_ref().unwrap_or(&self.accepted)
    }

    /// Puts own changes on top of the accepted document again.
    pub(super) fn rebuild(&mut self, own: Vec<ParsedChange>) {
        self.current = None;
        self.misfit = false;
        if own.is_empty() {
            return;
        }
        let mut current = self.accepted.clone();
        self.misfit = own.into_iter().any(|change| current.accept(change).is_err());
        self.current = Some(current);
    }

    /// Takes an own change.
    pub(super) fn absorb(&mut self, change: ParsedChange) -> Result<(), StoreError> {
        self.current.get_or_insert_with(|| self.accepted.clone()).accept(change)?;
        Ok(())
    }

    pub(super) fn next_place(&mut self) -> i64 {
        self.place += 1;
        self.place
    }

    fn read_log(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let logged = all(
            connection,
            "SELECT logged FROM decision WHERE visit = ?1 ORDER BY number",
            [self.id.as_bytes()],
            |row| row.get::<_, Vec<u8>>(0),
        )?;
        for bytes in logged {
            let logged: LoggedDecision = cbor::read(&bytes, "decision")?;
            let (entry, decision) =
                logged.open(self.log.0, &self.log.1).map_err(|_| StoreError::Damaged("decision"))?;
            self.log = (entry.number, logged.hash());
            self.standing.fold(&decision.fact);
        }
        Ok(())
    }

    /// What refused, conflicting and replayed intents want that the document does not show: a visit whose first change
    /// was refused has nothing else.
    pub(super) fn drafted(&self) -> Vec<Write> {
        if !self.current().is_empty() {
            return Vec::new();
        }
        let mut writes: Vec<Write> = Vec::new();
        for write in self.outbox.iter().filter_map(Entry::intent).flat_map(Intent::writes) {
            writes.retain(|other| other.key != write.key);
            writes.push(write);
        }
        writes
    }

    /// Whether nothing at all is left of the visit here.
    pub(super) fn is_nothing(&self) -> bool {
        self.accepted.is_empty() && self.current().is_empty() && self.outbox.is_empty() && self.log.0 == 0
    }

    pub(super) fn entry_of(&self, hash: &ChangeHash) -> Option<&Entry> {
        self.outbox.iter().find(|entry| entry.item == hash.as_bytes())
    }
}

pub(super) fn entries(connection: &Connection, visit: VisitId) -> Result<Vec<Entry>, StoreError> {
    let rows = all(
        connection,
        "SELECT id, kind, item, payload, state, code, message, field, made_at FROM outbox WHERE visit = ?1 ORDER BY id",
        [visit.as_bytes()],
        |row| {
            let (kind, state): (String, String) = (row.get(1)?, row.get(4)?);
            let payload: Vec<u8> = row.get(3)?;
            let item: Vec<u8> = row.get(2)?;
            Ok((row.get(0)?, kind, item, payload, state, row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?))
        },
    )?;
    rows.into_iter()
        .map(|(id, kind, item, payload, state, code, message, field, made_at)| {
            let damaged = || StoreError::Damaged("outbox");
            let kind = OperationKind::from_name(&kind).ok_or_else(damaged)?;
            let payload = match kind {
                OperationKind::Request => Payload::Request(cbor::read(&payload, "outbox")?),
                OperationKind::Create if payload.is_empty() => Payload::Change(first_intent(connection, visit, &item)?),
                _ => Payload::Change(cbor::read(&payload, "outbox")?),
            };
            let state = OperationState::from_name(&state).ok_or_else(damaged)?;
            Ok(Entry { id, kind, item, payload, state, code, message, field, made_at })
        })
        .collect()
}

/// What the first change of a visit wants, whose entry names it and says nothing more.
fn first_intent(connection: &Connection, visit: VisitId, hash: &[u8]) -> Result<Intent, StoreError> {
    let bytes =
        one(connection, "SELECT bytes FROM chunk WHERE visit = ?1 AND hash = ?2", (visit.as_bytes(), hash), |row| {
            row.get::<_, Vec<u8>>(0)
        })?;
    let change = ParsedChange::read(&bytes.ok_or(StoreError::Damaged("outbox"))?)?;
    Ok(Intent::of_first(&change))
}
