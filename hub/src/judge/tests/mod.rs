//! A hub with Example AG in it, and hands that hold phones: they sign what they are told to, right or wrong.

mod accepted;
mod attacks;
mod refused;
mod requests;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vestibule_core::cbor;
use vestibule_core::decision::Fact;
use vestibule_core::document::{ParsedChange, Replica, Write, actor_id};
use vestibule_core::envelope::{Ask, DEFAULT_LIFE, Envelope, Item, Request, SignedEnvelope, VERSION};
use vestibule_core::feed::{Row, Scope, ScopeHead, Statement, digest};
use vestibule_core::id::{ActorSalt, ChainHash, ChangeHash, HubEpoch, MemberId, RequestId, Thumbprint, VisitId};
use vestibule_core::keys::{DeviceSigner as _, KeyUse, Purpose, Sign1, SignedKeySet, SoftwareSigner};
use vestibule_core::receipt::{Receipts, Verdict};
use vestibule_core::sync::wire::{self, PushedEnvelope, SyncAnswer, SyncRequest};
use vestibule_core::visit::Key;

use super::{Device, Documents, SyncProblem, sync};
use crate::context::Context;
use crate::decide::{DecideError, Seen};
use crate::issuer::Access;
use crate::keys::OrganisationKeys;
use crate::moment::Moment;
use crate::organisation::{self, sample};
use crate::store::{HubStore, StoreError, devices, log, organisations, visits};
use crate::visit::AcceptedVisit;

/// A hub on a file of its own, at a time that only tests move.
pub(crate) struct World {
    pub(crate) store: HubStore,
    pub(crate) context: Context,
    pub(crate) now: DateTime<Utc>,
    pub(crate) rng: ChaCha20Rng,
    documents: Arc<Documents>,
    enrolled: u8,
    made: u64,
    _dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let keys = OrganisationKeys::create(&dir.path().join("keys"), &mut rng).expect("keys");
        let context = Context {
            organisation: sample::ID.parse().expect("an id"),
            keys,
            public_url: "http://127.0.0.1:8480".parse().expect("an address"),
            mail_from: "Example AG <visitors@example.com>".into(),
            apple: None,
            google: None,
        };
        let store = HubStore::open(&dir.path().join("hub.db")).expect("a database");
        let now = "2027-02-01T08:00:00Z".parse().expect("a time");
        let mut world = Self { store, context, now, rng, documents: Arc::default(), enrolled: 0, made: 0, _dir: dir };
        world
            .write(|tx, context, moment| organisation::found(tx, context, moment, sample::example_ag()))
            .expect("founded");
        world
    }

    /// Runs work in a write transaction at the world's time.
    pub(crate) fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&rusqlite::Transaction<'_>, &Context, &mut Moment<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (context, now, rng) = (&self.context, self.now, &mut self.rng);
        self.store.write(|tx| work(tx, context, &mut Moment::new(now, rng)))
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// As after a restart: no document is known but from the database.
    #[cfg(feature = "faults")]
    pub(crate) fn forget_documents(&mut self) {
        self.documents = Arc::default();
    }

    pub(crate) fn later(&mut self, by: TimeDelta) {
        self.now += by;
    }

    /// Enrols a phone of a member.
    pub(crate) fn enrol(&mut self, member: &str) -> PhoneHand {
        self.enrolled += 1;
        let signer = SoftwareSigner::from_seed(&[self.enrolled; 32]);
        let device = Device {
            thumbprint: signer.public_key().thumbprint().expect("a key"),
            organisation: self.context.organisation.clone(),
            member: member.parse().expect("an id"),
            key: signer.public_key(),
            enrolled_at: self.now.timestamp(),
            revoked_at: None,
        };
        self.write(|tx, _, _| devices::insert(tx, &device, None)).expect("enrolled");
        PhoneHand {
            signer,
            device,
            root: self.context.keys.root.public_key().thumbprint().expect("a key"),
            now: self.now.timestamp(),
            counter: 0,
            previous: ChainHash::ORIGIN,
            salts: 0,
            epoch: None,
            heads: Vec::new(),
        }
    }

    pub(crate) fn new_visit(&mut self) -> VisitId {
        self.made += 1;
        VisitId::from_parts(1_800_000_000_000 + self.made, [7; 10])
    }

    pub(crate) fn try_sync(&mut self, hand: &PhoneHand, push: Vec<PushedEnvelope>) -> Result<SyncAnswer, SyncProblem> {
        self.try_request(hand, &hand.request(push))
    }

    pub(crate) fn try_request(&mut self, hand: &PhoneHand, request: &SyncRequest) -> Result<SyncAnswer, SyncProblem> {
        let documents = Arc::clone(&self.documents);
        self.write(|tx, context, moment| sync(tx, context, moment, &documents, &hand.access(), request))
    }

    pub(crate) fn sync(&mut self, hand: &PhoneHand, push: Vec<PushedEnvelope>) -> SyncAnswer {
        self.try_sync(hand, push).expect("synced")
    }

    /// Pushes items in one envelope and gives the verdicts, whose signature is checked.
    pub(crate) fn push(&mut self, hand: &mut PhoneHand, items: Vec<Pushed>) -> Vec<Verdict> {
        let envelope = hand.envelope(items);
        self.push_envelope(hand, envelope)
    }

    pub(crate) fn push_envelope(&mut self, hand: &PhoneHand, envelope: PushedEnvelope) -> Vec<Verdict> {
        let answer = self.sync(hand, vec![envelope]);
        assert_eq!(answer.turned_away, [], "nothing is turned away");
        let receipts = self.receipts(&answer);
        assert_eq!(receipts.device, hand.device.thumbprint);
        receipts.receipts.into_iter().map(|receipt| receipt.verdict).collect()
    }

    /// Pushes an envelope that has to be turned away, and gives the code.
    pub(crate) fn turned_away(&mut self, hand: &PhoneHand, envelope: PushedEnvelope) -> String {
        let answer = self.sync(hand, vec![envelope]);
        assert_eq!(self.receipts(&answer).receipts, []);
        answer.turned_away.into_iter().next().expect("turned away").code
    }

    /// What the hub signed, verified with its key set and that with the root.
    pub(crate) fn verified(&mut self, bytes: &[u8], purpose: Purpose) -> Vec<u8> {
        let root = self.context.keys.root.public_key().thumbprint().expect("a key");
        let organisation = self.context.organisation.clone();
        let (_, set) = self
            .store
            .read(|tx| organisations::current_key_set(tx, &organisation))
            .expect("a database")
            .expect("a key set");
        let set = SignedKeySet::verify(&set, &organisation, &root).expect("signed by the root");
        let signed = Sign1::read(bytes).expect("signed");
        set.set.verify(&signed, purpose, KeyUse::Feed, self.now).expect("by the feed key").to_vec()
    }

    pub(crate) fn receipts(&mut self, answer: &SyncAnswer) -> Receipts {
        let bytes = answer.receipts.clone().expect("receipts");
        cbor::read_strict(&self.verified(&bytes, Purpose::Receipts), "receipts").expect("receipts")
    }

    pub(crate) fn visit(&mut self, id: VisitId) -> AcceptedVisit {
        let organisation = self.context.organisation.clone();
        let loaded = self.store.read(|tx| visits::load(tx, &organisation, id)).expect("a database");
        loaded.expect("accepted").visit
    }

    pub(crate) fn facts(&mut self, id: VisitId) -> Vec<&'static str> {
        let organisation = self.context.organisation.clone();
        let facts = self.store.read(|tx| log::facts(tx, &organisation, id)).expect("a database");
        facts.iter().map(Fact::kind).collect()
    }

    /// Everything but the quarantine.
    pub(crate) fn dump(&mut self) -> String {
        self.store.dump(&["quarantine"])
    }

    pub(crate) fn quarantined(&mut self, reason: &str) -> u32 {
        self.store.read(|tx| crate::store::quarantine::count_reason(tx, reason)).expect("a database")
    }

    pub(crate) fn approve(
        &mut self,
        visit: VisitId,
        by: &str,
        seen: Option<&Seen>,
    ) -> Result<AcceptedVisit, DecideError> {
        let by: MemberId = by.parse().expect("an id");
        self.write(|tx, context, moment| crate::decide::approve(tx, context, moment, visit, &by, seen))
    }

    pub(crate) fn reopen(&mut self, visit: VisitId, by: &str) -> Result<AcceptedVisit, DecideError> {
        let by: MemberId = by.parse().expect("an id");
        self.write(|tx, context, moment| crate::decide::reopen(tx, context, moment, visit, &by, None))
    }

    pub(crate) fn reject(&mut self, visit: VisitId, by: &str, r#final: bool) -> Result<AcceptedVisit, DecideError> {
        let by: MemberId = by.parse().expect("an id");
        let reason = Some("no badge left".to_owned());
        self.write(|tx, context, moment| crate::decide::reject(tx, context, moment, visit, &by, reason, r#final, None))
    }

    /// A hand creates the usual visit of `host`, and the hub takes it.
    pub(crate) fn created(&mut self, hand: &mut PhoneHand, host: &str, more: &[Write]) -> (VisitId, Replica) {
        let visit = self.new_visit();
        let (replica, first) = hand.first(visit, &usual(host, more));
        let verdicts = self.push(hand, vec![first]);
        assert!(matches!(verdicts[..], [Verdict::Accepted(_)]), "{verdicts:?}");
        (visit, replica)
    }
}

/// The writes of a usual visit; `more` replaces or adds.
pub(crate) fn usual(host: &str, more: &[Write]) -> Vec<Write> {
    let mut writes = vec![
        Write::set(Key::FirstName, "Grace"),
        Write::set(Key::LastName, "Hopper"),
        Write::set(Key::Email, "grace@example.org"),
        Write::set(Key::Site, "zrh"),
        Write::set(Key::Host, host),
        Write::set(Key::Schedule, "2027-02-10T09:00/2027-02-10T10:00"),
    ];
    writes.retain(|write| more.iter().all(|other| other.key != write.key));
    writes.extend(more.iter().filter(|write| write.value.is_some()).cloned());
    writes
}

/// An item with its chunk, if it is a change.
#[derive(Clone)]
pub(crate) struct Pushed {
    pub(crate) item: Item,
    pub(crate) chunk: Option<Vec<u8>>,
}

/// A phone in a hand: signs envelopes with a valid device key.
pub(crate) struct PhoneHand {
    signer: SoftwareSigner,
    pub(crate) device: Device,
    root: Thumbprint,
    now: i64,
    counter: u64,
    previous: ChainHash,
    salts: u64,
    /// What the phone believes of the hub's database and its scopes.
    pub(crate) epoch: Option<HubEpoch>,
    pub(crate) heads: Vec<ScopeHead>,
}

impl PhoneHand {
    pub(crate) fn salt(&mut self) -> ActorSalt {
        self.salts += 1;
        ActorSalt(u128::from(self.salts).to_be_bytes())
    }

    /// The first change of a visit.
    pub(crate) fn first(&mut self, visit: VisitId, writes: &[Write]) -> (Replica, Pushed) {
        let mut replica = Replica::empty(visit);
        let pushed = self.edit(&mut replica, writes);
        (replica, pushed)
    }

    /// A change on top of a replica, by a fresh actor.
    pub(crate) fn edit(&mut self, replica: &mut Replica, writes: &[Write]) -> Pushed {
        let salt = self.salt();
        self.edit_as(salt, replica, writes)
    }

    /// A change on top of a replica, by the actor of a salt.
    pub(crate) fn edit_as(&mut self, salt: ActorSalt, replica: &mut Replica, writes: &[Write]) -> Pushed {
        let actor = actor_id(&self.device.thumbprint, replica.id(), &salt);
        let change = replica.write(actor, writes, self.now).expect("fits").expect("something to write");
        replica.accept(change.clone()).expect("fits");
        pushed(replica.id(), &change, salt)
    }

    pub(crate) fn ask(&mut self, visit: &AcceptedVisit, ask: Ask) -> Pushed {
        self.salts += 1;
        let id = RequestId::from_parts(1_800_000_000_000 + self.salts, [self.device.thumbprint.0[0]; 10]);
        let request = Request { id, visit: visit.id, ask, heads: visit.heads.clone(), seen: visit.log_head };
        Pushed { item: Item::Request(request), chunk: None }
    }

    pub(crate) fn envelope(&mut self, items: Vec<Pushed>) -> PushedEnvelope {
        self.envelope_with(items, |_| {})
    }

    /// The next envelope, after `tweak` had its way with it.
    pub(crate) fn envelope_with(&mut self, items: Vec<Pushed>, tweak: impl FnOnce(&mut Envelope)) -> PushedEnvelope {
        let mut envelope = Envelope {
            version: VERSION,
            organisation: self.device.organisation.clone(),
            root: self.root,
            member: self.device.member.clone(),
            on_behalf_of: None,
            device: self.device.thumbprint,
            counter: self.counter + 1,
            previous: self.previous,
            claimed_at: self.now,
            not_after: self.now + DEFAULT_LIFE,
            items: items.iter().map(|pushed| pushed.item.clone()).collect(),
        };
        tweak(&mut envelope);
        let signed = SignedEnvelope::sign(envelope, &self.signer).expect("signs");
        (self.counter, self.previous) = (signed.envelope.counter, signed.hash());
        let chunks = items.into_iter().filter_map(|pushed| pushed.chunk.map(Into::into)).collect();
        PushedEnvelope { envelope: signed.bytes.into(), chunks }
    }

    /// Who the phone's access token says it is.
    pub(crate) fn access(&self) -> Access {
        Access { member: self.device.member.clone(), device: self.device.thumbprint }
    }

    /// Forgets the last envelope, as a phone restored from a backup does.
    pub(crate) fn restore(&mut self, counter: u64, previous: ChainHash) {
        (self.counter, self.previous) = (counter, previous);
    }

    pub(crate) fn request(&self, push: Vec<PushedEnvelope>) -> SyncRequest {
        SyncRequest {
            version: wire::VERSION,
            organisation: self.device.organisation.clone(),
            epoch: self.epoch,
            key_set: u32::from(self.epoch.is_some()),
            heads: self.heads.clone(),
            push,
            proof: None,
        }
    }

    /// Pulls until nothing waits, checks pages and statement as a phone does, and gives the new rows.
    pub(crate) fn pull(&mut self, world: &mut World) -> Vec<Row> {
        let mut rows = Vec::new();
        loop {
            let answer = world.sync(self, Vec::new());
            let bytes = world.verified(&answer.statement, Purpose::Statement);
            let statement: Statement = cbor::read_strict(&bytes, "statement").expect("a statement");
            self.epoch = Some(statement.epoch);
            if let Some(scopes) = answer.scopes {
                let fresh = |scope: Scope| ScopeHead { scope, index: 0, head: ChainHash::ORIGIN };
                let held = |scope: &Scope| self.heads.iter().find(|head| head.scope == *scope).cloned();
                self.heads = scopes.into_iter().map(|scope| held(&scope).unwrap_or_else(|| fresh(scope))).collect();
            }
            for page in answer.pages {
                let bytes = world.verified(&page.header, Purpose::Page);
                let header: vestibule_core::feed::PageHeader = cbor::read_strict(&bytes, "header").expect("a header");
                let held = self.heads.iter_mut().find(|head| head.scope == header.scope).expect("a scope held");
                rows.extend(page.open(&header, held).expect("extends what is held"));
                (held.index, held.head) = (header.last, header.head);
            }
            if !answer.more {
                assert_eq!(statement.digest, digest(&self.heads), "phone and hub stand at the same heads");
                return rows;
            }
        }
    }
}

/// An item for a change.
pub(crate) fn pushed(visit: VisitId, change: &ParsedChange, salt: ActorSalt) -> Pushed {
    Pushed { item: Item::Change { visit, hash: change.hash, salt }, chunk: Some(change.bytes.clone()) }
}

/// An item for any bytes, signed with the hash they have.
pub(crate) fn pushed_bytes(visit: VisitId, bytes: Vec<u8>, salt: ActorSalt) -> Pushed {
    let hash = ChangeHash(Sha256::digest(&bytes[8..]).into());
    Pushed { item: Item::Change { visit, hash, salt }, chunk: Some(bytes) }
}

/// Makes magic and checksum right for a chunk that was tampered with.
pub(crate) fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = Sha256::digest(&bytes[8..]);
    bytes[4..8].copy_from_slice(&digest[..4]);
    bytes
}

/// The code of a single refusal.
pub(crate) fn code(verdicts: &[Verdict]) -> &str {
    match verdicts {
        [Verdict::Refused(refusal)] => &refusal.code,
        other => panic!("one refusal, not {other:?}"),
    }
}

pub(crate) fn is_accepted(verdicts: &[Verdict]) -> bool {
    verdicts.iter().all(|verdict| matches!(verdict, Verdict::Accepted(_)))
}
