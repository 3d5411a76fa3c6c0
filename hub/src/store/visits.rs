//! Accepted visits, their changes, and the requests that were accepted about them.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use vestibule_core::decision::Standing;
use vestibule_core::document::{Replica, Value};
use vestibule_core::feed::{ChangeRow, Scope};
use vestibule_core::id::{ActorId, ChainHash, ChangeHash, MemberId, OrganisationId, RequestId, Thumbprint, VisitId};
use vestibule_core::visit::{self, VisitValues};

use super::column::{Count, blob, count, optional_text, text};
use super::{StoreError, log};
use crate::visit::AcceptedVisit;

/// An accepted change.
#[derive(Debug, Clone)]
pub struct ChangeRecord {
    /// The hub's sequence of accepted items.
    pub seq: u64,
    /// Which base of the document it is on.
    pub base: u32,
    /// Its hash.
    pub hash: ChangeHash,
    /// The actor that made it.
    pub actor: ActorId,
    /// The actor's number for it.
    pub actor_seq: u64,
    /// The chunk.
    pub bytes: Vec<u8>,
    /// Who wrote it.
    pub author: MemberId,
    /// For whom.
    pub on_behalf_of: Option<MemberId>,
    /// The device that signed.
    pub device: Thumbprint,
    /// Its envelope's counter; none for what the hub wrote itself.
    pub counter: Option<u64>,
    /// When it was accepted, Unix seconds.
    pub accepted_at: i64,
}

impl ChangeRecord {
    /// The change as it travels in the feed.
    pub fn to_row(&self) -> ChangeRow {
        ChangeRow {
            hash: self.hash,
            chunk: self.bytes.clone().into(),
            author: self.author.clone(),
            on_behalf_of: self.on_behalf_of.clone(),
            accepted_at: self.accepted_at,
        }
    }
}

/// A visit with the document it was read from.
#[derive(Debug, Clone)]
pub struct LoadedVisit {
    /// What the document and the log say.
    pub visit: AcceptedVisit,
    /// The accepted document on its present base.
    pub replica: Replica,
}

/// The values of a document.
pub fn values_of(replica: &Replica) -> VisitValues {
    VisitValues::from_pairs(replica.values().map(|(key, value)| match value {
        Value::Text(text) => (key, visit::Value::Text(text)),
        Value::True => (key, visit::Value::True),
    }))
}

/// Stores a visit whose first change is accepted.
pub fn insert(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO visit (organisation, id, number, creator, accepted_at, base, site, host, last_entry, log_head)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        visit.organisation.as_str(),
        visit.id.as_bytes(),
        Count(visit.number),
        visit.creator.as_str(),
        visit.accepted_at,
        visit.base,
        visit.site.as_str(),
        visit.host.as_str(),
        Count(visit.last_entry),
        visit.log_head.as_bytes(),
    ])?;
    Ok(())
}

/// Stores what can change of a visit's row: its base, site and host, the end of its log, and, while a visitor is
/// expected, when the window ends.
///
/// The second statement writes only where something differs: each of its columns has an index, whose pages would be
/// written with every entry of the log.
pub fn update(tx: &Transaction<'_>, visit: &AcceptedVisit, window_ends: Option<i64>) -> Result<(), StoreError> {
    let (organisation, id) = (visit.organisation.as_str(), visit.id.as_bytes());
    tx.prepare_cached(
        "UPDATE visit SET base = ?3, last_entry = ?4, log_head = ?5 WHERE organisation = ?1 AND id = ?2",
    )?
    .execute(params![organisation, id, visit.base, Count(visit.last_entry), visit.log_head.as_bytes()])?;
    tx.prepare_cached(
        "UPDATE visit SET site = ?3, host = ?4, window_ends = ?5 WHERE organisation = ?1 AND id = ?2
         AND (site <> ?3 OR host <> ?4 OR window_ends IS NOT ?5)",
    )?
    .execute(params![organisation, id, visit.site.as_str(), visit.host.as_str(), window_ends])?;
    Ok(())
}

/// The visits whose visitor is still expected though the window ended by `time`, Unix seconds; at most `limit`.
pub fn window_passed(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    time: i64,
    limit: u32,
) -> Result<Vec<VisitId>, StoreError> {
    tx.prepare_cached(
        "SELECT id FROM visit WHERE organisation = ?1 AND window_ends <= ?2 ORDER BY window_ends LIMIT ?3",
    )?
    .query_and_then(params![organisation.as_str(), time, limit], |row| {
        blob(row, 0, "visit id").map(VisitId::from_bytes)
    })?
    .collect()
}

/// The visit's window is not looked at any more.
pub fn forget_window(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE visit SET window_ends = NULL WHERE organisation = ?1 AND id = ?2")?
        .execute(params![organisation.as_str(), visit.as_bytes()])?;
    Ok(())
}

/// Reads a visit: its row, the accepted changes of its present base, and its log.
pub fn load(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    id: VisitId,
) -> Result<Option<LoadedVisit>, StoreError> {
    load_by(tx, organisation, id, |_| None)
}

/// As [`load`], but `known` is asked for the document of exactly these changes in this order before it is built.
pub fn load_by(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    id: VisitId,
    known: impl FnOnce(&[ChangeHash]) -> Option<Replica>,
) -> Result<Option<LoadedVisit>, StoreError> {
    let Some(mut visit) = tx
        .prepare_cached(
            "SELECT number, creator, accepted_at, base, site, host, last_entry, log_head FROM visit
             WHERE organisation = ?1 AND id = ?2",
        )?
        .query_and_then(params![organisation.as_str(), id.as_bytes()], |row| read_visit(row, organisation, id))?
        .next()
        .transpose()?
    else {
        return Ok(None);
    };
    let replica = if let Some(replica) = known(&hashes(tx, organisation, id, visit.base)?) {
        replica
    } else {
        let chunks = chunks(tx, organisation, id, visit.base)?;
        Replica::load(id, chunks.iter().map(Vec::as_slice))
            .map_err(|_| StoreError::Corrupt("accepted change of a visit"))?
    };
    visit.values = values_of(&replica);
    visit.heads = replica.heads().to_vec();
    for fact in log::facts(tx, organisation, id)? {
        visit.fold(&fact);
    }
    Ok(Some(LoadedVisit { visit, replica }))
}

fn read_visit(row: &Row<'_>, organisation: &OrganisationId, id: VisitId) -> Result<AcceptedVisit, StoreError> {
    Ok(AcceptedVisit {
        id,
        number: count(row, 0)?,
        organisation: organisation.clone(),
        creator: text(row, 1, "member id")?,
        accepted_at: row.get(2)?,
        base: row.get(3)?,
        site: text(row, 4, "site id")?,
        host: text(row, 5, "member id")?,
        last_entry: count(row, 6)?,
        log_head: ChainHash(blob(row, 7, "log head")?),
        values: VisitValues::default(),
        heads: Vec::new(),
        standing: Standing::default(),
        invited: false,
    })
}

fn hashes(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    base: u32,
) -> Result<Vec<ChangeHash>, StoreError> {
    tx.prepare_cached("SELECT hash FROM change WHERE organisation = ?1 AND visit = ?2 AND base = ?3 ORDER BY seq")?
        .query_and_then(params![organisation.as_str(), visit.as_bytes(), base], |row| {
            blob(row, 0, "change hash").map(ChangeHash)
        })?
        .collect()
}

fn chunks(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    base: u32,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let chunks = tx
        .prepare_cached("SELECT bytes FROM change WHERE organisation = ?1 AND visit = ?2 AND base = ?3 ORDER BY seq")?
        .query_map(params![organisation.as_str(), visit.as_bytes(), base], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(chunks)
}

/// The visits of an organisation, by number.
pub fn ids(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<VisitId>, StoreError> {
    tx.prepare_cached("SELECT id FROM visit WHERE organisation = ?1 ORDER BY number")?
        .query_and_then([organisation.as_str()], |row| blob(row, 0, "visit id").map(VisitId::from_bytes))?
        .collect()
}

/// The number of a visit; none where there is no such visit.
pub fn number(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<Option<u64>, StoreError> {
    let number = tx
        .prepare_cached("SELECT number FROM visit WHERE organisation = ?1 AND id = ?2")?
        .query_row(params![organisation.as_str(), visit.as_bytes()], |row| count(row, 0))
        .optional()?;
    Ok(number)
}

/// The visit of that number.
pub fn by_number(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    number: u64,
) -> Result<Option<VisitId>, StoreError> {
    tx.prepare_cached("SELECT id FROM visit WHERE organisation = ?1 AND number = ?2")?
        .query_and_then(params![organisation.as_str(), Count(number)], |row| {
            blob(row, 0, "visit id").map(VisitId::from_bytes)
        })?
        .next()
        .transpose()
}

/// Stores an accepted change.
pub fn insert_change(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    change: &ChangeRecord,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO change (organisation, visit, hash, seq, base, actor, actor_seq, bytes, author, on_behalf_of, device,
         counter, accepted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        organisation.as_str(),
        visit.as_bytes(),
        change.hash.as_bytes(),
        Count(change.seq),
        change.base,
        change.actor.as_bytes(),
        Count(change.actor_seq),
        change.bytes,
        change.author.as_str(),
        change.on_behalf_of.as_ref().map(MemberId::as_str),
        change.device.as_bytes(),
        change.counter.map(Count),
        change.accepted_at,
    ])?;
    Ok(())
}

/// The accepted changes on one base of a visit, oldest first.
pub fn changes(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    base: u32,
) -> Result<Vec<ChangeRecord>, StoreError> {
    tx.prepare_cached(
        "SELECT seq, base, hash, actor, actor_seq, bytes, author, on_behalf_of, device, counter, accepted_at FROM change
         WHERE organisation = ?1 AND visit = ?2 AND base = ?3 ORDER BY seq",
    )?
    .query_and_then(params![organisation.as_str(), visit.as_bytes(), base], |row| {
        Ok(ChangeRecord {
            seq: count(row, 0)?,
            base: row.get(1)?,
            hash: ChangeHash(blob(row, 2, "change hash")?),
            actor: ActorId(blob(row, 3, "actor id")?),
            actor_seq: count(row, 4)?,
            bytes: row.get(5)?,
            author: text(row, 6, "member id")?,
            on_behalf_of: optional_text(row, 7, "member id")?,
            device: Thumbprint(blob(row, 8, "thumbprint")?),
            counter: row.get::<_, Option<Count>>(9)?.map(|counter| counter.0),
            accepted_at: row.get(10)?,
        })
    })?
    .collect()
}

/// How many changes a visit has had, on all its bases.
pub fn count_changes(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<u64, StoreError> {
    let changes = tx
        .prepare_cached("SELECT count(*) FROM change WHERE organisation = ?1 AND visit = ?2")?
        .query_row(params![organisation.as_str(), visit.as_bytes()], |row| count(row, 0))?;
    Ok(changes)
}

/// The sequence of an accepted change.
pub fn change_seq(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    hash: &ChangeHash,
) -> Result<Option<u64>, StoreError> {
    let seq = tx
        .prepare_cached("SELECT seq FROM change WHERE organisation = ?1 AND visit = ?2 AND hash = ?3")?
        .query_row(params![organisation.as_str(), visit.as_bytes(), hash.as_bytes()], |row| count(row, 0))
        .optional()?;
    Ok(seq)
}

/// The hash and the bytes of the accepted change an actor made under that number.
pub fn change_of_actor(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    actor: &ActorId,
    actor_seq: u64,
) -> Result<Option<(ChangeHash, Vec<u8>)>, StoreError> {
    tx.prepare_cached(
        "SELECT hash, bytes FROM change WHERE organisation = ?1 AND visit = ?2 AND actor = ?3 AND actor_seq = ?4",
    )?
    .query_and_then(params![organisation.as_str(), visit.as_bytes(), actor.as_bytes(), Count(actor_seq)], |row| {
        Ok((ChangeHash(blob(row, 0, "change hash")?), row.get(1)?))
    })?
    .next()
    .transpose()
}

/// An accepted request, by its id: its sequence and the device that signed it.
pub fn request(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    id: RequestId,
) -> Result<Option<(u64, Thumbprint)>, StoreError> {
    tx.prepare_cached("SELECT seq, device FROM request WHERE organisation = ?1 AND id = ?2")?
        .query_and_then(params![organisation.as_str(), id.as_bytes()], |row| {
            Ok((count(row, 0)?, Thumbprint(blob(row, 1, "thumbprint")?)))
        })?
        .next()
        .transpose()
}

/// An accepted request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// Its id.
    pub id: RequestId,
    /// The hub's sequence of accepted items.
    pub seq: u64,
    /// The visit it is about.
    pub visit: VisitId,
    /// What it asks, by name.
    pub kind: &'static str,
    /// Who asked.
    pub author: MemberId,
    /// The device that signed.
    pub device: Thumbprint,
    /// Its envelope's counter.
    pub counter: u64,
    /// When it was accepted, Unix seconds.
    pub accepted_at: i64,
}

/// Stores an accepted request.
pub fn insert_request(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    request: &RequestRecord,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO request (organisation, id, seq, visit, kind, author, device, counter, accepted_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        organisation.as_str(),
        request.id.as_bytes(),
        Count(request.seq),
        request.visit.as_bytes(),
        request.kind,
        request.author.as_str(),
        request.device.as_bytes(),
        Count(request.counter),
        request.accepted_at,
    ])?;
    Ok(())
}

/// The scopes a visit is in.
pub fn scopes(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<BTreeSet<Scope>, StoreError> {
    tx.prepare_cached("SELECT scope FROM visit_scope WHERE organisation = ?1 AND visit = ?2")?
        .query_and_then(params![organisation.as_str(), visit.as_bytes()], |row| text(row, 0, "scope"))?
        .collect()
}

/// A visit enters a scope.
pub fn enter(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    scope: &Scope,
) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT INTO visit_scope (organisation, visit, scope) VALUES (?1, ?2, ?3)")?.execute(params![
        organisation.as_str(),
        visit.as_bytes(),
        scope.to_string()
    ])?;
    Ok(())
}

/// A visit leaves a scope.
pub fn leave(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    scope: &Scope,
) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM visit_scope WHERE organisation = ?1 AND visit = ?2 AND scope = ?3")?
        .execute(params![organisation.as_str(), visit.as_bytes(), scope.to_string()])?;
    Ok(())
}
