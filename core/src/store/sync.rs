//! The store's side of a sync: where the phone stands, what it sends, what it takes.

use std::sync::Arc;

use rusqlite::Connection;

use super::apart::give_up;
use super::batch::Batch;
use super::ingest::{self, Applied, Delivery, OpenedPage};
use super::meta::{self, EnvelopeHead, Identity, SyncState};
use super::outbox::Author;
use super::replay::replay;
use super::tx::{Tx, all, one};
use super::working::Working;
use super::{Actors, Store, StoreError, outbox, purge, receipts, sent};
use crate::clock::Heard;
use crate::directory::Directory;
use crate::envelope::Item;
use crate::feed::{Proof, Scope, ScopeHead};
use crate::id::{ChainHash, VisitId};
use crate::keys::{DeviceSigner, SignedKeySet};
use crate::moment::Moment;
use crate::sync::wire::PushedEnvelope;

/// Where the phone stands.
#[derive(Debug, Clone)]
pub struct Position {
    /// Whose file it is.
    pub identity: Identity,
    /// The highest key set seen.
    pub key_set: SignedKeySet,
    /// Epoch and times.
    pub state: SyncState,
    /// The head of every scope held.
    pub heads: Vec<ScopeHead>,
    /// What the hub said when nothing was left to pull, with the heads it said it of.
    pub proof: Option<Proof>,
}

/// What is to be pushed next.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// The envelopes with their counters, ascending.
    pub envelopes: Vec<(u64, PushedEnvelope)>,
    /// How many items they hold.
    pub items: u64,
    /// How many operations wait on this phone, these included.
    pub waiting: u64,
}

impl Store {
    /// Notes who signed in. The same member may come back with another device key: unsent work is then written again
    /// under that key.
    ///
    /// # Errors
    /// [`StoreError::OtherOwner`] if the file belongs to another organisation or member.
    pub fn sign_in(
        &self,
        identity: &Identity,
        key_set: &SignedKeySet,
        moment: &mut Moment<'_>,
        signer: &dyn DeviceSigner,
    ) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.transact(|tx, actors| {
            let held: Option<Identity> = meta::get(tx, meta::IDENTITY)?;
            if let Some(held) = &held
                && (held.organisation != identity.organisation
                    || held.member != identity.member
                    || held.root != identity.root)
            {
                return Err(StoreError::OtherOwner);
            }
            meta::put(tx, meta::IDENTITY, identity)?;
            if highest_key_set(tx)?.is_none_or(|version| version < key_set.set.version) {
                meta::put_bytes(tx, meta::KEY_SET, &key_set.bytes)?;
            }
            if held.is_some_and(|held| held.device != identity.device) {
                change_device(tx, actors, identity, &directory, moment, signer)?;
            }
            Ok(())
        })
    }

    /// Where the phone stands in the hub's feed.
    pub fn position(&self) -> Result<Position, StoreError> {
        let connection = self.reader();
        // One state of the file, whatever another process writes meanwhile.
        let connection = connection.unchecked_transaction()?;
        let identity = meta::identity(&connection)?;
        let bytes = meta::bytes(&connection, meta::KEY_SET)?.ok_or(StoreError::NotSignedIn)?;
        let key_set = SignedKeySet::verify(&bytes, &identity.organisation, &identity.root)
            .map_err(|_| StoreError::Damaged("meta"))?;
        let state = meta::get(&connection, meta::SYNC)?.unwrap_or_default();
        let proof = meta::get(&connection, meta::PROOF)?;
        Ok(Position { identity, key_set, state, heads: heads(&connection)?, proof })
    }

    /// When the last sync ended, and what the hub last said of itself.
    pub fn sync_state(&self) -> Result<SyncState, StoreError> {
        Ok(meta::get(&self.reader(), meta::SYNC)?.unwrap_or_default())
    }

    /// What was last heard of the hub's clock.
    pub fn heard(&self) -> Result<Option<Heard>, StoreError> {
        meta::get(&self.reader(), meta::CLOCK)
    }

    /// Notes what was heard of the hub's clock.
    pub fn note_heard(&self, heard: &Heard) -> Result<(), StoreError> {
        self.transact(|tx, _| meta::put(tx, meta::CLOCK, heard))
    }

    /// The next envelopes in the order of their counters, from `from` on: at most `max_items` items and `max_bytes`
    /// bytes, but at least one envelope.
    pub fn outgoing(&self, from: u64, max_items: usize, max_bytes: usize) -> Result<Outgoing, StoreError> {
        let connection = self.reader();
        let connection = connection.unchecked_transaction()?;
        let mut outgoing = Outgoing { waiting: waiting(&connection)?, ..Outgoing::default() };
        let mut bytes = 0;
        let mut statement = connection.prepare_cached(
            "SELECT counter, bytes FROM envelope WHERE counter >= ?1 AND bytes <> x'' AND later = 0 ORDER BY counter",
        )?;
        let mut rows = statement.query([i64::try_from(from).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let counter = u64::try_from(row.get::<_, i64>(0)?).map_err(|_| StoreError::Damaged("envelope"))?;
            let envelope: Vec<u8> = row.get(1)?;
            let items = outbox::read_envelope(&envelope)?.items;
            let mut chunks = Vec::new();
            for item in &items {
                if let Item::Change { visit, hash, .. } = item {
                    let chunk = one(
                        &connection,
                        "SELECT bytes FROM chunk WHERE visit = ?1 AND hash = ?2",
                        (visit.as_bytes(), hash.as_bytes()),
                        |row| row.get::<_, Vec<u8>>(0),
                    )?;
                    chunks.push(chunk.ok_or(StoreError::Damaged("chunk"))?.into());
                }
            }
            let size =
                envelope.len() + chunks.iter().map(|chunk: &minicbor::bytes::ByteVec| chunk.len() + 8).sum::<usize>();
            let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
            let too_many = outgoing.items + count > max_items as u64 || bytes + size > max_bytes;
            if too_many && !outgoing.envelopes.is_empty() {
                break;
            }
            bytes += size;
            outgoing.items += count;
            outgoing.envelopes.push((counter, PushedEnvelope { envelope: envelope.into(), chunks }));
        }
        Ok(outgoing)
    }

    /// Takes a verified answer of the hub: receipts and bookkeeping, then each page, then the replay, each in a
    /// transaction of its own.
    pub fn apply(
        &self,
        delivery: &Delivery,
        moment: &mut Moment<'_>,
        signer: &dyn DeviceSigner,
    ) -> Result<Applied, StoreError> {
        let mut applied = Applied { answered: self.take_receipts(delivery, moment)?, ..Applied::default() };
        // Pages of an answer that makes everything begin again extend a head that is gone: they come once more.
        let pages: &[OpenedPage] = if delivery.restart { &[] } else { &delivery.pages };
        for page in pages {
            if self.take_page(page, moment)? {
                applied.rows += page.rows.len() as u64;
            }
        }
        if delivery.complete && !delivery.restart {
            self.drop_lost_rows(moment)?;
            applied.replayed = self.replay_stale(moment, signer)?;
        }
        applied.waiting = envelopes_waiting(&self.reader())?;
        Ok(applied)
    }

    /// Notes that a sync ended with nothing left to do.
    pub fn note_synced(&self, moment: &Moment<'_>) -> Result<(), StoreError> {
        self.transact(|tx, _| {
            let state: SyncState = meta::get(tx, meta::SYNC)?.unwrap_or_default();
            meta::put(tx, meta::SYNC, &SyncState { synced_at: Some(moment.unix()), ..state })?;
            sent::prune(tx, state.hub_time)
        })
    }

    /// The hub has not taken the envelope of this counter, and waits for it: what can no longer be sent is left out and
    /// the rest is sealed anew. False if this phone holds no such envelope.
    pub fn reseal(&self, counter: u64, moment: &mut Moment<'_>, signer: &dyn DeviceSigner) -> Result<bool, StoreError> {
        let directory = self.directory()?;
        self.transact(|tx, actors| {
            let whole =
                one(tx, "SELECT bytes <> x'' FROM envelope WHERE counter = ?1", [counter_of(counter)], |row| {
                    row.get::<_, bool>(0)
                })?;
            if whole == Some(true) {
                return Ok(true);
            }
            let identity = meta::identity(tx)?;
            if whole.is_none() && sent::requeue(tx, counter)? {
                return Ok(true);
            }
            Author::begin(tx, &identity, &directory, signer, actors, moment.unix())?.reseal(counter)
        })
    }

    fn take_receipts(&self, delivery: &Delivery, moment: &Moment<'_>) -> Result<u64, StoreError> {
        let directory = self.directory()?;
        let (answered, erased) = self.with_care(|careful| {
            self.transact(|tx, _| {
                let identity = meta::identity(tx)?;
                let state: SyncState = meta::get(tx, meta::SYNC)?.unwrap_or_default();
                let hub_time = state.hub_time.max(delivery.hub_time);
                meta::put(tx, meta::SYNC, &SyncState { epoch: Some(delivery.epoch), hub_time, ..state })?;
                // Another process may have seen a later one since this phone asked.
                if let Some(key_set) = &delivery.key_set
                    && highest_key_set(tx)?.is_none_or(|version| version < key_set.set.version)
                {
                    meta::put_bytes(tx, meta::KEY_SET, &key_set.bytes)?;
                }
                let mut batch = Batch::new(&directory, moment.unix()).careful(careful);
                let mut answered = 0;
                if let Some(receipts) = &delivery.receipts {
                    answered = receipts::receipts(tx, &mut batch, &identity.member, &delivery.sent, receipts)?;
                }
                if let Some(scopes) = &delivery.scopes {
                    for head in heads(tx)?.iter().filter(|head| !scopes.contains(&head.scope)) {
                        purge::drop_scope(tx, &mut batch, &head.scope)?;
                    }
                    for scope in scopes {
                        ingest::cursor_key(tx, scope)?;
                    }
                }
                if let Some(proof) = &delivery.proof {
                    meta::put(tx, meta::PROOF, proof)?;
                }
                if delivery.restart {
                    for key in all(tx, "SELECT key FROM cursor", [], |row| row.get::<_, i64>(0))? {
                        purge::restart_scope(tx, &mut batch, key)?;
                    }
                }
                batch.project(tx)?;
                Ok((answered, batch.erased))
            })
        })?;
        if erased {
            self.wipe()?;
        }
        Ok(answered)
    }

    /// Takes a page; false if it does not begin where this phone stands.
    fn take_page(&self, page: &OpenedPage, moment: &Moment<'_>) -> Result<bool, StoreError> {
        let held = self.directory()?;
        let (taken, directory, erased) = self.with_care(|careful| {
            self.transact(|tx, _| {
                let mut batch = Batch::new(&held, moment.unix()).careful(careful);
                let taken = ingest::page(tx, &mut batch, page)?;
                if !taken || !ingest::has_directory_rows(page) {
                    batch.project(tx)?;
                    return Ok((taken, None, batch.erased));
                }
                let directory: Arc<Directory> = Arc::new(ingest::directory(tx)?);
                let erased = batch.erased;
                batch.reread(&directory).project(tx)?;
                Ok((taken, Some(directory.clone()), erased))
            })
        })?;
        if let Some(directory) = directory {
            self.set_directory(directory);
        }
        if erased {
            self.wipe()?;
        }
        Ok(taken)
    }

    /// Writes again every intent whose ground has moved; gives of how many visits.
    fn replay_stale(&self, moment: &mut Moment<'_>, signer: &dyn DeviceSigner) -> Result<u64, StoreError> {
        let stale = all(
            &self.reader(),
            "SELECT visit FROM outbox WHERE state = 'stale'
             UNION SELECT visit FROM outbox WHERE state = 'refused' AND code = 'second_root'",
            [],
            |row| Ok(VisitId::from_bytes(row.get(0)?)),
        )?;
        let torn =
            one(&self.reader(), "SELECT 1 FROM envelope WHERE rest IS NOT NULL LIMIT 1", [], |_| Ok(()))?.is_some();
        if stale.is_empty() && !torn {
            return Ok(0);
        }
        let visits = stale.len() as u64;
        let directory = self.directory()?;
        if torn {
            self.transact(|tx, actors| {
                let identity = meta::identity(tx)?;
                let mut author = Author::begin(tx, &identity, &directory, signer, actors, moment.unix())?;
                author.move_rests()?;
                author.finish()
            })?;
        }
        let mut replay = |visits: Vec<VisitId>| {
            self.transact(|tx, actors| {
                let identity = meta::identity(tx)?;
                replay_all(tx, actors, &identity, &directory, visits, moment, signer)
            })
        };
        if self.alone(|| replay(stale.clone()))?.is_err() {
            // One of them cannot be written again: each for itself.
            for visit in stale {
                if let Err(code) = self.alone(|| replay(vec![visit]))? {
                    self.transact(|tx, _| give_up(tx, visit, code))?;
                }
            }
        }
        Ok(visits)
    }

    /// After an erasure: nothing of it may stay in the log or in free pages.
    fn wipe(&self) -> Result<(), StoreError> {
        let writer = self.writer();
        writer.connection.execute_batch("PRAGMA incremental_vacuum")?;
        writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

fn counter_of(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

fn replay_all(
    tx: &Tx<'_>,
    actors: &mut Actors,
    identity: &Identity,
    directory: &Directory,
    visits: Vec<VisitId>,
    moment: &mut Moment<'_>,
    signer: &dyn DeviceSigner,
) -> Result<(), StoreError> {
    let mut author = Author::begin(tx, identity, directory, signer, actors, moment.unix())?;
    let mut batch = Batch::new(directory, moment.unix());
    for visit in visits {
        replay(&mut author, batch.working(tx, visit)?, moment)?;
        batch.touch(visit);
    }
    author.finish()?;
    batch.project(tx)
}

/// Another key signs from now on: its chain of envelopes begins, and everything unsent is written again under it.
fn change_device(
    tx: &Tx<'_>,
    actors: &mut Actors,
    identity: &Identity,
    directory: &Directory,
    moment: &mut Moment<'_>,
    signer: &dyn DeviceSigner,
) -> Result<(), StoreError> {
    actors.clear();
    sent::forget(tx)?;
    tx.execute("DELETE FROM envelope", [])?;
    meta::put(tx, meta::ENVELOPE, &EnvelopeHead::NONE)?;
    tx.execute("UPDATE outbox SET state = 'stale' WHERE state = 'queued' AND kind <> 'request'", [])?;
    let mut visits = Vec::new();
    for visit in all(tx, "SELECT DISTINCT visit FROM outbox", [], |row| Ok(VisitId::from_bytes(row.get(0)?)))? {
        // One that cannot be read keeps nobody from signing in.
        match tx.apart(|| Working::load(tx, visit))? {
            Ok(_) => visits.push(visit),
            Err(code) => give_up(tx, visit, code)?,
        }
    }
    replay_all(tx, actors, identity, directory, visits.clone(), moment, signer)?;
    tx.execute("DELETE FROM chunk WHERE status = 'superseded'", [])?;
    let mut author = Author::begin(tx, identity, directory, signer, actors, moment.unix())?;
    for visit in visits {
        author.requests_again(&Working::load(tx, visit)?)?;
    }
    author.finish()
}

fn highest_key_set(connection: &Connection) -> Result<Option<u32>, StoreError> {
    let Some(bytes) = meta::bytes(connection, meta::KEY_SET)? else { return Ok(None) };
    let identity = meta::identity(connection)?;
    let held = SignedKeySet::verify(&bytes, &identity.organisation, &identity.root);
    Ok(Some(held.map_err(|_| StoreError::Damaged("meta"))?.set.version))
}

pub(super) fn heads(connection: &Connection) -> Result<Vec<ScopeHead>, StoreError> {
    let rows = all(connection, "SELECT scope, idx, head FROM cursor ORDER BY scope", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, [u8; 32]>(2)?))
    })?;
    rows.into_iter()
        .map(|(scope, index, head)| {
            let scope: Scope = scope.parse()?;
            let index = u64::try_from(index).map_err(|_| StoreError::Damaged("cursor"))?;
            Ok(ScopeHead { scope, index, head: ChainHash(head) })
        })
        .collect()
}

fn waiting(connection: &Connection) -> Result<u64, StoreError> {
    let count =
        one(connection, "SELECT count(*) FROM outbox WHERE state IN ('queued', 'stale')", [], |row| row.get(0))?;
    Ok(count.and_then(|count: i64| u64::try_from(count).ok()).unwrap_or_default())
}

fn envelopes_waiting(connection: &Connection) -> Result<u64, StoreError> {
    let count = one(connection, "SELECT count(*) FROM envelope WHERE bytes <> x'' AND later = 0", [], |row| {
        row.get::<_, i64>(0)
    })?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
}
