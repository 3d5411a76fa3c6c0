//! The outbox: intents, the changes that stand for them, and the signed envelopes they travel in, all written in the
//! transaction that changes the read model.

use super::intent::{Intent, OperationKind};
use super::meta::{self, EnvelopeHead, Identity};
use super::step::First;
use super::tx::{Tx, all, one};
use super::working::{Entry, OperationState, Payload, Working};
use super::{Actors, Pen, StoreError};
use crate::cbor;
use crate::directory::Directory;
use crate::document::{Write, actor_id};
use crate::envelope::{DEFAULT_LIFE, Envelope, Item, ItemId, MAX_ITEMS, Request, SignedEnvelope, VERSION};
use crate::id::{ActorId, ActorSalt, ChainHash, ChangeHash, MemberId, VisitId};
use crate::keys::{DeviceSigner, Sign1};
use crate::moment::Moment;
use crate::receipt::Refusal;
use crate::visit::Key;

/// An envelope whose items have come to this many bytes takes no more: it is pushed whole, and a proxy in front of the hub
/// may take no more than 1 MB at a time. 512 ordinary invitations are less.
const ENVELOPE_BYTES: usize = 512 << 10;

/// Writes intents within one transaction and seals their envelopes.
pub(super) struct Author<'a, 'c> {
    pub(super) tx: &'a Tx<'c>,
    pub(super) identity: &'a Identity,
    pub(super) directory: &'a Directory,
    pub(super) signer: &'a dyn DeviceSigner,
    actors: &'a mut Actors,
    head: EnvelopeHead,
    items: Vec<Item>,
    /// The bytes of the items and their chunks.
    bytes: usize,
    on_behalf_of: Option<MemberId>,
    now: i64,
}

impl<'a, 'c> Author<'a, 'c> {
    pub(super) fn begin(
        tx: &'a Tx<'c>,
        identity: &'a Identity,
        directory: &'a Directory,
        signer: &'a dyn DeviceSigner,
        actors: &'a mut Actors,
        now: i64,
    ) -> Result<Self, StoreError> {
        let head = meta::get(tx, meta::ENVELOPE)?.unwrap_or(EnvelopeHead::NONE);
        Ok(Self { tx, identity, directory, signer, actors, head, items: Vec::new(), bytes: 0, on_behalf_of: None, now })
    }

    /// Writes one change and its entry; `None` for `entry` makes a new one. False if there is nothing to change.
    pub(super) fn change(
        &mut self,
        working: &mut Working,
        kind: OperationKind,
        writes: &[Write],
        entry: Option<(&Entry, Intent)>,
        moment: &mut Moment<'_>,
    ) -> Result<bool, StoreError> {
        let behalf = self.principal(working);
        let (salt, actor) = self.actor(working, moment);
        let Some(change) = working.current().write(actor, writes, self.now)? else { return Ok(false) };
        let pen = Pen { salt, actor, seq: change.seq };
        let (known, intent) = match entry {
            Some((entry, intent)) => (Some(entry.id), intent),
            None => (None, Intent::of(writes, working.current())),
        };
        let (hash, bytes) = (change.hash, change.bytes.clone());
        let first = working.current().is_empty();
        working.absorb(change)?;
        // Whoever may edit is judged on the visit as it was; a new one is its host's.
        let behalf = if first { self.principal(working) } else { behalf };
        let place = working.next_place();
        self.put_change(working.id, place, hash, &bytes, pen, behalf)?;
        let kept = intent.kept(kind, working.current());
        self.put_entry(working, known, kind, hash.as_bytes().to_vec(), Payload::Change(intent), &kept)?;
        Ok(true)
    }

    /// Writes the first change of a new visit and its entry.
    pub(super) fn first(&mut self, first: &First) -> Result<(), StoreError> {
        self.put_change(first.visit, 1, first.hash, &first.bytes, first.pen, first.on_behalf_of.clone())?;
        self.insert_entry(first.visit, OperationKind::Create, first.hash.as_bytes(), &first.kept)?;
        Ok(())
    }

    /// Stores a change, names it in the envelope, and remembers who wrote it.
    fn put_change(
        &mut self,
        visit: VisitId,
        place: i64,
        hash: ChangeHash,
        bytes: &[u8],
        pen: Pen,
        behalf: Option<MemberId>,
    ) -> Result<(), StoreError> {
        self.actors.insert(visit, pen);
        let counter = self.add(Item::Change { visit, hash, salt: pen.salt }, bytes.len(), behalf)?;
        self.tx.execute(
            "INSERT INTO chunk (visit, place, hash, kind, status, bytes, envelope)
             VALUES (?1, ?2, ?3, 'change', 'local', ?4, ?5)",
            (visit.as_bytes(), place, hash.as_bytes(), bytes, counter),
        )?;
        Ok(())
    }

    /// Keeps an intent whose document is not here for the replay.
    pub(super) fn later(
        &mut self,
        working: &mut Working,
        kind: OperationKind,
        writes: &[Write],
    ) -> Result<(), StoreError> {
        let intent = Intent::of(writes, working.current());
        let kept = cbor::write(&intent);
        self.put_entry(working, None, kind, Vec::new(), Payload::Change(intent), &kept)?;
        let id = self.tx.last_row();
        turn_down(self.tx, working, id, OperationState::Stale, None)
    }

    /// Writes a request and its entry.
    pub(super) fn request(&mut self, working: &mut Working, request: Request) -> Result<(), StoreError> {
        let behalf = self.principal(working);
        let item = request.id.as_bytes().to_vec();
        let kept = cbor::write(&request);
        self.add(Item::Request(request.clone()), kept.len(), behalf)?;
        self.put_entry(working, None, OperationKind::Request, item, Payload::Request(request), &kept)
    }

    /// Puts the waiting requests about a visit into an envelope again.
    pub(super) fn requests_again(&mut self, working: &Working) -> Result<(), StoreError> {
        let behalf = self.principal(working);
        for entry in working.outbox.iter().filter(|entry| entry.state.waits()) {
            if let Payload::Request(request) = &entry.payload {
                self.add_again(Item::Request(request.clone()), behalf.clone())?;
            }
        }
        Ok(())
    }

    /// Puts what torn envelopes said of other visits into a new one. If the hub has taken the old one after all, it
    /// knows the items; if not, it asks for the old one's counter, and [`reseal`](Self::reseal) closes the gap.
    pub(super) fn move_rests(&mut self) -> Result<(), StoreError> {
        let torn = all(self.tx, "SELECT counter, rest FROM envelope WHERE rest IS NOT NULL", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        for (counter, rest) in torn {
            let rest: Envelope = cbor::read(&rest, "envelope")?;
            for item in rest.items {
                self.add_again(item, rest.on_behalf_of.clone())?;
            }
            self.tx.execute("UPDATE envelope SET rest = NULL WHERE counter = ?1", [counter])?;
        }
        Ok(())
    }

    /// Puts an item that was in another envelope into the one that is being filled.
    fn add_again(&mut self, item: Item, on_behalf_of: Option<MemberId>) -> Result<(), StoreError> {
        let id = item.id();
        let bytes = match &item {
            Item::Change { visit, hash, .. } => {
                let length = "SELECT length(bytes) FROM chunk WHERE visit = ?1 AND hash = ?2";
                let length = one(self.tx, length, (visit.as_bytes(), hash.as_bytes()), |row| row.get::<_, u32>(0))?;
                length.unwrap_or_default() as usize
            }
            Item::Request(request) => cbor::write(request).len(),
        };
        let counter = self.add(item, bytes, on_behalf_of)?;
        if let ItemId::Change(visit, hash) = id {
            self.tx.execute(
                "UPDATE chunk SET envelope = ?3 WHERE visit = ?1 AND hash = ?2",
                (visit.as_bytes(), hash.as_bytes(), counter),
            )?;
        }
        Ok(())
    }

    /// Seals the items of all envelopes from `counter` on anew, because the hub has not taken that one and it cannot be
    /// sent as it is. False if it is not held here.
    pub(super) fn reseal(&mut self, counter: u64) -> Result<bool, StoreError> {
        let from = i64::try_from(counter).map_err(|_| StoreError::Damaged("meta"))?;
        let previous = one(self.tx, "SELECT previous FROM envelope WHERE counter = ?1", [from], |row| row.get(0))?;
        let Some(previous) = previous else { return Ok(false) };
        self.reseal_after(EnvelopeHead { counter: counter - 1, hash: ChainHash(previous) })?;
        Ok(true)
    }

    /// Seals the items of all envelopes after `head` anew, as those that follow it.
    pub(super) fn reseal_after(&mut self, head: EnvelopeHead) -> Result<(), StoreError> {
        let after = i64::try_from(head.counter).map_err(|_| StoreError::Damaged("meta"))?;
        let rows =
            all(self.tx, "SELECT bytes, rest FROM envelope WHERE counter > ?1 ORDER BY counter", [after], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
            })?;
        self.head = head;
        self.tx.execute("DELETE FROM envelope WHERE counter > ?1", [after])?;
        for (bytes, rest) in &rows {
            let envelope: Envelope = match rest {
                Some(rest) => cbor::read(rest, "envelope")?,
                None if bytes.is_empty() => continue,
                None => read_envelope(bytes)?,
            };
            for item in envelope.items {
                let visit = item.visit();
                let erased = one(self.tx, "SELECT 1 FROM tombstone WHERE visit = ?1", [visit.as_bytes()], |_| Ok(()))?;
                if erased.is_some() {
                    continue;
                }
                self.add_again(item, envelope.on_behalf_of.clone())?;
            }
        }
        self.seal()?;
        meta::put(self.tx, meta::ENVELOPE, &self.head)
    }

    /// Seals what is not sealed yet.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.seal()
    }

    /// Writes an entry; `kept` is its payload as it is stored.
    fn put_entry(
        &mut self,
        working: &mut Working,
        known: Option<i64>,
        kind: OperationKind,
        item: Vec<u8>,
        payload: Payload,
        kept: &[u8],
    ) -> Result<(), StoreError> {
        let id = if let Some(id) = known {
            self.tx.execute(
                "UPDATE outbox SET kind = ?2, item = ?3, payload = ?4, state = 'queued', code = NULL, message = NULL,
                 field = NULL WHERE id = ?1",
                (id, kind.as_str(), &item, kept),
            )?;
            working.outbox.retain(|entry| entry.id != id);
            id
        } else {
            self.insert_entry(working.id, kind, &item, kept)?
        };
        let state = OperationState::Queued;
        let (code, message, field) = (None, None, None);
        working.outbox.push(Entry { id, kind, item, payload, state, code, message, field, made_at: self.now });
        working.outbox.sort_by_key(|entry| entry.id);
        Ok(())
    }

    fn insert_entry(&self, visit: VisitId, kind: OperationKind, item: &[u8], kept: &[u8]) -> Result<i64, StoreError> {
        self.tx.execute(
            "INSERT INTO outbox (visit, kind, item, payload, state, made_at) VALUES (?1, ?2, ?3, ?4, 'queued', ?5)",
            (visit.as_bytes(), kind.as_str(), item, kept, self.now),
        )?;
        Ok(self.tx.last_row())
    }

    /// The actor this process writes the document as. Where the document does not hold what it wrote last, because that
    /// was refused or the document has begun anew, its numbers are used, and a fresh one begins.
    fn actor(&mut self, working: &Working, moment: &mut Moment<'_>) -> (ActorSalt, ActorId) {
        if let Some(pen) = self.actors.get(&working.id)
            && working.current().seq_of(&pen.actor) == pen.seq
        {
            return (pen.salt, pen.actor);
        }
        let salt = ActorSalt(moment.random());
        (salt, actor_id(&self.identity.device, working.id, &salt))
    }

    /// A replay begins under a fresh actor: the numbers of the one before were used.
    pub(super) fn forget_actor(&mut self, visit: VisitId) {
        self.actors.remove(&visit);
    }

    fn principal(&self, working: &Working) -> Option<MemberId> {
        principal(self.identity, self.directory, working)
    }

    /// Puts an item of so many bytes, with its chunk, into the envelope that is being filled; gives the envelope's counter.
    fn add(&mut self, item: Item, bytes: usize, on_behalf_of: Option<MemberId>) -> Result<i64, StoreError> {
        let full = self.items.len() == MAX_ITEMS || self.bytes + bytes > ENVELOPE_BYTES;
        if !self.items.is_empty() && (full || self.on_behalf_of != on_behalf_of) {
            self.seal()?;
        }
        self.on_behalf_of = on_behalf_of;
        self.items.push(item);
        self.bytes += bytes;
        i64::try_from(self.head.counter + 1).map_err(|_| StoreError::Damaged("meta"))
    }

    fn seal(&mut self) -> Result<(), StoreError> {
        if self.items.is_empty() {
            return Ok(());
        }
        let envelope = Envelope {
            version: VERSION,
            organisation: self.identity.organisation.clone(),
            root: self.identity.root,
            member: self.identity.member.clone(),
            on_behalf_of: self.on_behalf_of.take(),
            device: self.identity.device,
            counter: self.head.counter + 1,
            previous: self.head.hash,
            claimed_at: self.now,
            not_after: self.now.saturating_add(DEFAULT_LIFE),
            items: std::mem::take(&mut self.items),
        };
        self.bytes = 0;
        let signed = SignedEnvelope::sign(envelope, self.signer)?;
        self.head = EnvelopeHead { counter: signed.envelope.counter, hash: signed.hash() };
        let counter = i64::try_from(self.head.counter).map_err(|_| StoreError::Damaged("meta"))?;
        self.tx.execute(
            "INSERT INTO envelope (counter, hash, previous, bytes, made_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            (counter, self.head.hash.as_bytes(), signed.envelope.previous.as_bytes(), &signed.bytes, self.now),
        )?;
        meta::put(self.tx, meta::ENVELOPE, &self.head)
    }
}

/// For whom the member writes: nobody on a visit of their own, else the host or the creator whose delegate they are.
pub(super) fn principal(identity: &Identity, directory: &Directory, working: &Working) -> Option<MemberId> {
    let me = &identity.member;
    let host = working.current().value(Key::Host).and_then(|host| host.as_text()?.parse::<MemberId>().ok());
    let owners = [host, working.standing.creator.clone()];
    if owners.contains(&Some(me.clone())) {
        return None;
    }
    let roles = directory.roles(me)?;
    owners.into_iter().flatten().find(|owner| roles.principals.contains(owner))
}

/// Reads an envelope of this phone's own.
pub(super) fn read_envelope(bytes: &[u8]) -> Result<Envelope, StoreError> {
    let signed = Sign1::read(bytes).map_err(|_| StoreError::Damaged("envelope"))?;
    Ok(cbor::read(signed.unverified_payload(), "envelope")?)
}

/// Keeps an entry as a draft, with the reason. What it wants is written out: the change it may have stood for by
/// reference goes with its envelope.
pub(super) fn turn_down(
    tx: &Tx<'_>,
    working: &mut Working,
    id: i64,
    state: OperationState,
    reason: Option<&Refusal>,
) -> Result<(), StoreError> {
    let entry = working.outbox.iter().find(|entry| entry.id == id);
    tx.execute(
        "UPDATE outbox SET state = ?2, code = ?3, message = ?4, field = ?5, payload = coalesce(?6, payload)
         WHERE id = ?1",
        (
            id,
            state.as_str(),
            reason.map(|r| &r.code),
            reason.map(|r| &r.message),
            reason.and_then(|r| r.field.as_ref()),
            entry.and_then(Entry::intent).map(cbor::write),
        ),
    )?;
    if let Some(entry) = working.outbox.iter_mut().find(|entry| entry.id == id) {
        entry.state = state;
        entry.code = reason.map(|r| r.code.clone());
        entry.message = reason.map(|r| r.message.clone());
        entry.field = reason.and_then(|r| r.field.clone());
    }
    Ok(())
}

/// Takes an entry out: answered, or no longer wanted.
pub(super) fn drop_entry(tx: &Tx<'_>, working: &mut Working, id: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM outbox WHERE id = ?1", [id])?;
    working.outbox.retain(|entry| entry.id != id);
    Ok(())
}

/// Rewrites what an entry wants; an entry that wants nothing goes.
pub(super) fn narrow(tx: &Tx<'_>, working: &mut Working, id: i64, intent: Intent) -> Result<(), StoreError> {
    if intent.is_empty() {
        return drop_entry(tx, working, id);
    }
    tx.execute("UPDATE outbox SET payload = ?2 WHERE id = ?1", (id, cbor::write(&intent)))?;
    if let Some(entry) = working.outbox.iter_mut().find(|entry| entry.id == id) {
        entry.payload = Payload::Change(intent);
    }
    Ok(())
}
