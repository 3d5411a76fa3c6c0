//! A hub in memory, for unit tests only: real envelopes, receipts, pages and statements over the document's own rules.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::cbor;
use crate::clock::{HubTime, asked};
use crate::decision::{Decision, Fact, LoggedDecision};
use crate::directory::{DirectoryRow, Member, Organisation, OwnRoles, PrivacyMode, Role, Site};
use crate::document::{ParsedChange, Refusal as DocumentRefusal, Replica, Value, Verdict as Fit, Write, actor_id};
use crate::envelope::{Ask, Item, SignedEnvelope};
use crate::feed::{
    ChangeRow, NoteRow, Page, PageHeader, Restored, Row, RowKind, SaltedRow, Scope, ScopeHead, SnapshotRow, Statement,
    chain, digest,
};
use crate::id::{ActorId, ChainHash, HubEpoch, MemberId, VisitId};
use crate::keys::{DeviceSigner, KeyEntry, KeySet, KeyUse, PublicKey, SignedKeySet, SoftwareSigner};
use crate::receipt::{Receipt, Receipts, Refusal, Verdict};
use crate::sync::wire::{Challenge, Enrolled, Problem, SyncAnswer, SyncRequest, TokenAnswer, TurnedAway};
use crate::sync::{Answer, Call, Transport, TransportError};

/// The time of the fake hub, and of phones whose clock is right.
pub(super) const NOW: i64 = 1_800_000_000;
/// The name that the fake hub refuses to take.
pub(super) const UNWELCOME: &str = "Unwelcome";

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("an id")
}

#[derive(Default)]
struct Feed {
    rows: Vec<SaltedRow>,
    heads: Vec<ChainHash>,
}

#[expect(clippy::struct_excessive_bools, reason = "each is one thing a test makes go wrong")]
pub(super) struct State {
    feed_key: SoftwareSigner,
    key_set: SignedKeySet,
    root: SoftwareSigner,
    epoch: HubEpoch,
    previous: Option<HubEpoch>,
    devices: BTreeMap<crate::id::Thumbprint, (PublicKey, u64)>,
    docs: BTreeMap<VisitId, Replica>,
    logs: BTreeMap<VisitId, (u64, ChainHash)>,
    feeds: BTreeMap<Scope, Feed>,
    done: BTreeSet<Vec<u8>>,
    /// Every number an actor has used, and for which change.
    numbers: BTreeMap<(VisitId, ActorId, u64), crate::id::ChangeHash>,
    seq: u64,
    salt: u8,
    /// Rows of a page.
    pub(super) page_rows: usize,
    /// Nobody answers.
    pub(super) offline: bool,
    /// The next answer is worked out, but lost on its way.
    pub(super) lose_answer: bool,
    /// Something in front takes no larger bodies than this.
    pub(super) takes: usize,
    /// The sizes of the pushes that came through.
    pub(super) pushed: Vec<usize>,
    /// What is pushed is to come later, in so many seconds.
    pub(super) holds: Option<u64>,
    /// The hub has failed with that status, or something else answers with it.
    pub(super) fails: Option<(u16, bool)>,
    /// Visits need an approval.
    pub(super) approval: bool,
    /// The next answer's pages are signed by a stranger.
    pub(super) forge: bool,
    /// The next answer's pages begin one row too late.
    pub(super) skip_row: bool,
    /// The next statement's digest is wrong.
    pub(super) wrong_digest: bool,
    /// The next push is not looked at.
    pub(super) drop_push: bool,
    /// Every exchange.
    pub(super) exchanges: usize,
    pub(super) revoked: bool,
    /// Every edit is stale, whatever it is on.
    pub(super) always_stale: bool,
    /// The next verdicts are of a kind of tomorrow.
    pub(super) later_verdicts: bool,
    /// Nothing can be judged yet.
    pub(super) judge_later: bool,
    /// A device that was told of the restored hub is revoked before it comes again.
    pub(super) revokes_when_restored: bool,
    /// What the hub calls itself.
    pub(super) audience: String,
    /// The hub's time, Unix seconds.
    pub(super) now: i64,
    /// The hub is not certain of its time.
    pub(super) clock_in_doubt: bool,
    /// No assertion is in time, and the hub does not say why.
    pub(super) wrong_clock: bool,
    /// Rows have to be understood.
    pub(super) critical: bool,
    /// How many assertions were refused for their time.
    pub(super) untimely: usize,
    /// After so many exchanges nobody answers any more: a loop ends.
    pub(super) patience: usize,
}

#[derive(Clone)]
pub(super) struct FakeHub(Arc<Mutex<State>>);

pub(super) fn me() -> MemberId {
    id("ada")
}

impl FakeHub {
    pub(super) fn new() -> Self {
        let (root, feed_key) = (SoftwareSigner::from_seed(&[1; 32]), SoftwareSigner::from_seed(&[2; 32]));
        let key =
            KeyEntry { usage: KeyUse::Feed, key: feed_key.public_key(), not_before: 0, not_after: i64::from(u32::MAX) };
        let set = KeySet {
            organisation: id("acme"),
            version: 1,
            root: root.public_key(),
            keys: vec![key],
            issued_at: 0,
            expires_at: i64::from(u32::MAX),
        };
        let key_set = SignedKeySet::sign(set, &root).expect("signs");
        let mut state = State {
            feed_key,
            key_set,
            root,
            epoch: HubEpoch([9; 16]),
            previous: None,
            devices: BTreeMap::new(),
            docs: BTreeMap::new(),
            logs: BTreeMap::new(),
            feeds: BTreeMap::new(),
            done: BTreeSet::new(),
            numbers: BTreeMap::new(),
            seq: 0,
            salt: 0,
            page_rows: 100,
            offline: false,
            lose_answer: false,
            takes: usize::MAX,
            pushed: Vec::new(),
            holds: None,
            fails: None,
            approval: false,
            forge: false,
            skip_row: false,
            wrong_digest: false,
            drop_push: false,
            exchanges: 0,
            revoked: false,
            always_stale: false,
            later_verdicts: false,
            judge_later: false,
            revokes_when_restored: false,
            audience: "https://hub.example".into(),
            now: NOW,
            clock_in_doubt: false,
            wrong_clock: false,
            critical: false,
            untimely: 0,
            patience: usize::MAX,
        };
        for scope in [Scope::Directory, Scope::Roles(me()), Scope::Visits(me()), Scope::MemberNotes(me())] {
            state.feeds.insert(scope, Feed::default());
        }
        state.put_directory();
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics here")
    }
}

impl State {
    fn put_directory(&mut self) {
        let organisation = Organisation {
            id: id("acme"),
            name: "Acme".into(),
            privacy: PrivacyMode::Private,
            qr: true,
            wallet: false,
            unscheduled_days: 30,
            arrival_minutes: 60,
        };
        let site = Site {
            id: id("zrh"),
            number: 1,
            name: "Zürich".into(),
            zone: crate::zone::sample::zurich(),
            address: String::new(),
            directions: String::new(),
            latitude: None,
            longitude: None,
            opens: 420,
            closes: 1140,
        };
        let member =
            Member { id: me(), number: 1, name: "Ada King".into(), email: "ada@acme.example".into(), site: None };
        let roles = OwnRoles {
            member: me(),
            roles: vec![Role::Host],
            principals: vec![],
            may_add_visitors: true,
            may_change_host: false,
        };
        for row in [DirectoryRow::put(1, organisation), DirectoryRow::put(1, site), DirectoryRow::put(1, member)] {
            self.directory_row(&Scope::Directory, &row);
        }
        self.directory_row(&Scope::Roles(me()), &DirectoryRow::put(1, roles));
    }

    pub(super) fn directory_row(&mut self, scope: &Scope, row: &DirectoryRow) {
        let index = self.feeds[scope].rows.len() as u64 + 1;
        self.push(&Row {
            scope: scope.clone(),
            index,
            id: row.id().as_bytes().to_vec().into(),
            kind: RowKind::Row.number(),
            payload: row.to_bytes().into(),
            critical: false,
        });
    }

    fn push(&mut self, row: &Row) {
        self.salt = self.salt.wrapping_add(1);
        let (salt, bytes) = ([self.salt; 16], row.to_bytes());
        let feed = self.feeds.get_mut(&row.scope).expect("a scope there is");
        let head = feed.heads.last().copied().unwrap_or(ChainHash::ORIGIN);
        feed.heads.push(chain(&head, &salt, &bytes));
        feed.rows.push(SaltedRow { salt, row: bytes.into() });
    }

    pub(super) fn visit_row(&mut self, scope: Scope, visit: VisitId, kind: RowKind, payload: Vec<u8>) {
        let index = self.feeds[&scope].rows.len() as u64 + 1;
        let critical = self.critical;
        self.push(&Row { critical, ..Row::of_visit(scope, index, visit, kind, payload) });
    }

    /// A row of a kind of tomorrow.
    pub(super) fn unknown_row(&mut self, critical: bool) {
        self.critical = critical;
        self.visit_row(Scope::Visits(me()), VisitId::from_bytes([5; 16]), RowKind::Unknown(77), vec![1]);
        self.critical = false;
    }

    /// The phone may hold this scope too.
    pub(super) fn open_scope(&mut self, scope: Scope) {
        self.feeds.insert(scope, Feed::default());
    }

    /// Somebody else's visit, in one scope only.
    pub(super) fn visit_in(&mut self, scope: &Scope, visit: VisitId, writes: &[Write]) {
        let change = Replica::empty(visit).write(ActorId([201; 16]), writes, 1_800_000_000);
        let change = change.expect("writes").expect("changes");
        let accepted = Fact::Accepted { number: 99, creator: id("bob"), needs_approval: false };
        let decision = Decision { fact: accepted, by: None, request: None };
        let logged = LoggedDecision::next(visit, 1, ChainHash::ORIGIN, 1_800_000_000, &decision, [7; 16]);
        self.visit_row(scope.clone(), visit, RowKind::Enter, Vec::new());
        self.visit_row(scope.clone(), visit, RowKind::Change, cbor::write(&row_of(&change, "bob")));
        self.visit_row(scope.clone(), visit, RowKind::Decision, cbor::write(&logged));
    }

    /// A scope of tomorrow, with one row in it.
    pub(super) fn later_scope(&mut self) {
        let scope = Scope::Later("kiosk/zrh".into());
        self.feeds.insert(scope.clone(), Feed::default());
        self.visit_row(scope, VisitId::from_bytes([6; 16]), RowKind::Enter, Vec::new());
    }

    /// A visit that left enters again, with its document and its log.
    pub(super) fn come_back(&mut self, visit: VisitId) {
        let scope = Scope::Visits(me());
        let changes: Vec<ParsedChange> =
            self.docs[&visit].changes().map(|(_, bytes)| ParsedChange::read(bytes).expect("reads")).collect();
        self.visit_row(scope.clone(), visit, RowKind::Enter, Vec::new());
        for change in changes {
            self.visit_row(scope.clone(), visit, RowKind::Change, cbor::write(&row_of(&change, "ada")));
        }
        self.logs.remove(&visit);
        let creator = me();
        self.decide(visit, Fact::Accepted { number: 1, creator, needs_approval: false });
    }

    /// The phone may not hold this scope any more.
    pub(super) fn drop_scope(&mut self, scope: &Scope) {
        self.feeds.remove(scope);
    }

    pub(super) fn decide(&mut self, visit: VisitId, fact: Fact) {
        let (number, head) = self.logs.get(&visit).copied().unwrap_or((0, ChainHash::ORIGIN));
        let decision = Decision { fact, by: None, request: None };
        let logged = LoggedDecision::next(visit, number + 1, head, self.now, &decision, [7; 16]);
        self.logs.insert(visit, (number + 1, logged.hash()));
        self.visit_row(Scope::Visits(me()), visit, RowKind::Decision, cbor::write(&logged));
    }

    pub(super) fn value(&self, visit: VisitId, key: crate::visit::Key) -> Option<Value> {
        self.docs.get(&visit)?.value(key).cloned()
    }

    /// Somebody else edits.
    pub(super) fn edit(&mut self, visit: VisitId, writes: &[Write]) {
        self.salt = self.salt.wrapping_add(1);
        let replica = self.docs.get_mut(&visit).expect("a visit");
        let change = replica.write(ActorId([self.salt; 16]), writes, 1_800_000_000).expect("writes").expect("changes");
        replica.accept(change.clone()).expect("fits");
        self.visit_row(Scope::Visits(me()), visit, RowKind::Change, cbor::write(&row_of(&change, "bob")));
    }

    /// The host changes hands: the visit begins anew, without its past.
    pub(super) fn rebase(&mut self, visit: VisitId) {
        let fresh = self.docs[&visit].fresh_base(ActorId([200; 16]), 1_800_000_000).expect("a base");
        let mut replica = Replica::empty(visit);
        replica.accept(fresh.clone()).expect("fits");
        self.docs.insert(visit, replica);
        let snapshot = SnapshotRow { base: 1, changes: vec![row_of(&fresh, "hub")] };
        self.visit_row(Scope::Visits(me()), visit, RowKind::Snapshot, cbor::write(&snapshot));
    }

    /// The hub comes back from a backup made before anybody had invited.
    pub(super) fn restore_backup(&mut self) {
        self.previous = Some(std::mem::replace(&mut self.epoch, HubEpoch([8; 16])));
        self.docs.clear();
        self.logs.clear();
        self.done.clear();
        self.numbers.clear();
        for (scope, feed) in &mut self.feeds {
            if !matches!(scope, Scope::Directory | Scope::Roles(_)) {
                *feed = Feed::default();
            }
        }
        self.devices.values_mut().for_each(|(_, last)| *last = 0);
    }

    /// What a restored hub says to a phone that knows the life before.
    fn restored(&mut self, known: HubEpoch) -> SyncAnswer {
        let device = *self.devices.keys().next().expect("a device");
        let restored = Restored {
            organisation: id("acme"),
            epoch: self.epoch,
            previous: known,
            restored_to: 1_700_000_000,
            time: self.now,
            device,
            counter: self.devices[&device].1,
            hash: ChainHash::ORIGIN,
        };
        let statement = Statement {
            organisation: id("acme"),
            epoch: self.epoch,
            time: self.now,
            digest: digest(&[]),
            key_set: 1,
            log: ChainHash::ORIGIN,
        };
        self.revoked |= self.revokes_when_restored;
        SyncAnswer {
            statement: statement.sign(&self.feed_key).expect("signs").into(),
            receipts: None,
            turned_away: Vec::new(),
            pages: Vec::new(),
            more: true,
            remaining: 0,
            scopes: None,
            key_set: None,
            clock_in_doubt: self.clock_in_doubt,
            restored: Some(restored.sign(&self.feed_key).expect("signs").into()),
        }
    }

    /// The accepted changes of a visit.
    pub(super) fn changes(&self, visit: VisitId) -> Vec<crate::id::ChangeHash> {
        self.docs.get(&visit).map(|doc| doc.changes().map(|(hash, _)| *hash).collect()).unwrap_or_default()
    }

    fn change(&mut self, visit: VisitId, actor: ActorId, chunk: &[u8], author: &MemberId) -> Verdict {
        let refuse = |code: &str| {
            Verdict::Refused(Refusal { code: code.into(), message: "the hub says no".into(), field: None })
        };
        let Ok(change) = ParsedChange::read(chunk) else { return refuse("garbage") };
        let mut replica = self.docs.get(&visit).cloned().unwrap_or_else(|| Replica::empty(visit));
        self.seq += 1;
        if *self.numbers.entry((visit, actor, change.seq)).or_insert(change.hash) != change.hash {
            return refuse("cloned_actor");
        }
        if self.always_stale && !replica.is_empty() {
            return Verdict::Stale { keys: Vec::new(), heads: replica.heads().to_vec() };
        }
        if replica.contains(&change.hash) {
            return Verdict::Accepted(self.seq);
        }
        if change.ops.iter().any(|op| op.value.as_ref().and_then(Value::as_text) == Some(UNWELCOME)) {
            return refuse("unwelcome");
        }
        let first = replica.is_empty();
        match replica.check(change.clone(), &actor) {
            Ok(Fit::Fits(fits)) => replica.apply(fits).expect("fits"),
            Ok(Fit::Stale { keys, heads }) => {
                return Verdict::Stale { keys: keys.iter().map(ToString::to_string).collect(), heads };
            }
            Err(DocumentRefusal::MissingDep) => return Verdict::DependencyRefused,
            Err(refusal) => return refuse(refusal.code()),
        }
        self.docs.insert(visit, replica);
        let scope = Scope::Visits(me());
        if first {
            self.visit_row(scope.clone(), visit, RowKind::Enter, Vec::new());
        }
        self.visit_row(scope, visit, RowKind::Change, cbor::write(&row_of(&change, author.as_str())));
        if first {
            let (number, needs_approval) = (self.seq, self.approval);
            self.decide(visit, Fact::Accepted { number, creator: author.clone(), needs_approval });
        }
        Verdict::Accepted(self.seq)
    }

    fn sync(&mut self, request: &SyncRequest) -> Result<SyncAnswer, Answer> {
        self.exchanges += 1;
        if self.revoked {
            return Err(problem(403, "revoked"));
        }
        if let Some(known) = request.epoch.filter(|known| Some(*known) == self.previous) {
            return Ok(self.restored(known));
        }
        let unknown = request.epoch.is_some_and(|epoch| epoch != self.epoch)
            || request.heads.iter().any(|head| {
                // By name: in a test the phone, and this request with it, may not know all of them.
                let named = |scope: &&Scope| scope.to_string() == head.scope.to_string();
                let Some(feed) = self.feeds.keys().find(named).map(|scope| &self.feeds[scope]) else { return false };
                let held = usize::try_from(head.index).expect("small");
                held > 0 && feed.heads.get(held - 1) != Some(&head.head)
            });
        if unknown {
            return Err(problem(409, "unknown_head"));
        }
        let (mut receipts, mut turned_away, mut device) = (Vec::new(), Vec::new(), None);
        let push = if std::mem::take(&mut self.drop_push) { &[] } else { request.push.as_slice() };
        for (index, pushed) in (0_u32..).zip(push) {
            let thumbprint = SignedEnvelope::claimed_device(&pushed.envelope).expect("reads");
            let (key, last) = self.devices[&thumbprint];
            let envelope = SignedEnvelope::verify(&pushed.envelope, &key).expect("verifies").envelope;
            device = Some(thumbprint);
            if envelope.counter > last + 1 {
                let (code, message) = ("counter_gap".into(), "there is a gap".into());
                turned_away.push(TurnedAway { index, code, message, expected: Some(last + 1) });
                break;
            }
            let named = envelope.items.iter().filter_map(|item| match item {
                Item::Change { hash, .. } => Some(*hash),
                Item::Request(_) => None,
            });
            let given = pushed.chunks.iter().map(|chunk| ParsedChange::read(chunk).ok().map(|change| change.hash));
            if !named.map(Some).eq(given) {
                let (code, message) = ("chunks".into(), "these are not the chunks it names".into());
                turned_away.push(TurnedAway { index, code, message, expected: None });
                continue;
            }
            self.devices.insert(thumbprint, (key, last.max(envelope.counter)));
            let mut chunks = pushed.chunks.iter();
            for item in &envelope.items {
                let verdict = match item {
                    _ if self.judge_later => Verdict::Later,
                    Item::Change { visit, salt, .. } => {
                        let chunk = chunks.next().expect("a chunk for each change").clone();
                        self.change(*visit, actor_id(&thumbprint, *visit, salt), &chunk, &envelope.member)
                    }
                    Item::Request(request) if !self.docs.contains_key(&request.visit) => Verdict::DependencyRefused,
                    Item::Request(request) => {
                        self.seq += 1;
                        if self.done.insert(request.id.as_bytes().to_vec())
                            && let Ask::Note(text) = &request.ask
                        {
                            let author = envelope.member.clone();
                            let note =
                                NoteRow { id: request.id, author, accepted_at: 1_800_000_000, text: text.clone() };
                            self.visit_row(Scope::MemberNotes(me()), request.visit, RowKind::Note, cbor::write(&note));
                        }
                        Verdict::Accepted(self.seq)
                    }
                };
                receipts.push(Receipt { item: item.id(), verdict });
            }
        }
        if std::mem::take(&mut self.later_verdicts) {
            for receipt in &mut receipts {
                receipt.verdict = Verdict::Unknown(99);
            }
        }
        let receipts = device.map(|device| {
            let time = self.now;
            let receipts = Receipts { organisation: id("acme"), epoch: self.epoch, device, time, receipts };
            receipts.sign(&self.feed_key).expect("signs").into()
        });
        let (pages, remaining) = self.pages(request);
        let mut heads: Vec<ScopeHead> = self.feeds.iter().map(|(scope, feed)| head_of(scope, feed)).collect();
        if std::mem::take(&mut self.wrong_digest) {
            heads.pop();
        }
        let statement = Statement {
            organisation: id("acme"),
            epoch: self.epoch,
            time: self.now,
            digest: digest(&heads),
            key_set: 1,
            log: ChainHash::ORIGIN,
        };
        Ok(SyncAnswer {
            statement: statement.sign(&self.feed_key).expect("signs").into(),
            receipts,
            turned_away,
            pages,
            more: remaining > 0,
            remaining,
            scopes: Some(self.feeds.keys().cloned().collect()),
            key_set: None,
            clock_in_doubt: self.clock_in_doubt,
            restored: None,
        })
    }

    /// The refusal of an assertion that was not made now, with the hub's time.
    fn untimely(&mut self, body: &[u8]) -> Option<Answer> {
        let field = |name| url::form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value);
        let jwt = field("assertion").expect("an assertion").into_owned();
        let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).expect("claims")).expect("base64url");
        let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
        if claims["iat"].as_i64().expect("a time").abs_diff(self.now) <= 60 {
            return None;
        }
        self.untimely += 1;
        let (time, certain) = (self.now * 1000, !self.clock_in_doubt);
        let time = HubTime { organisation: id("acme"), time, certain, asked: asked(&jwt) };
        let time = time.sign(&self.feed_key).expect("signs");
        let mut problem: Problem = serde_json::from_slice(&problem(400, "assertion_time").body).expect("JSON");
        problem.time = Some(URL_SAFE_NO_PAD.encode(time));
        problem.key_set = Some(URL_SAFE_NO_PAD.encode(&self.key_set.bytes));
        Some(Answer { status: 400, ..json(&problem) })
    }

    fn pages(&mut self, request: &SyncRequest) -> (Vec<Page>, u64) {
        let (mut pages, mut remaining, mut room) = (Vec::new(), 0, self.page_rows);
        let skip = usize::from(std::mem::take(&mut self.skip_row));
        let stranger = SoftwareSigner::from_seed(&[99; 32]);
        let signer = if std::mem::take(&mut self.forge) { &stranger } else { &self.feed_key };
        for (scope, feed) in &self.feeds {
            let held = request
                .heads
                .iter()
                .find(|head| head.scope.to_string() == scope.to_string())
                .map_or(0, |head| head.index);
            let from = usize::try_from(held).expect("small") + skip;
            let to = feed.rows.len().min(from + room);
            remaining += (feed.rows.len() - to.min(feed.rows.len())) as u64;
            if from >= to {
                continue;
            }
            room -= to - from;
            let header = PageHeader {
                organisation: id("acme"),
                epoch: self.epoch,
                key_set: 1,
                scope: scope.clone(),
                first: from as u64 + 1,
                last: to as u64,
                previous: if from == 0 { ChainHash::ORIGIN } else { feed.heads[from - 1] },
                head: feed.heads[to - 1],
                time: self.now,
            };
            let header = header.sign(signer).expect("signs").into();
            pages.push(Page { header, rows: feed.rows[from..to].to_vec() });
        }
        (pages, remaining)
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, TransportError> {
        if self.offline || self.exchanges >= self.patience {
            return Err(TransportError::Unreachable);
        }
        if let Some((status, with_problem)) = self.fails {
            let page = || Answer { status, retry_after: None, body: b"<html>Welcome to our network</html>".to_vec() };
            return Ok(if with_problem { problem(status, "internal") } else { page() });
        }
        if call.body.len() > self.takes {
            return Ok(Answer { status: 413, retry_after: None, body: b"<html>413</html>".to_vec() });
        }
        Ok(match call.url.path() {
            "/v1/devices/challenge" => json(&Challenge { nonce: URL_SAFE_NO_PAD.encode([4; 32]) }),
            "/v1/devices" => {
                let enrolment: crate::sync::wire::Enrolment = serde_json::from_slice(&call.body).expect("JSON");
                let proof = URL_SAFE_NO_PAD.decode(enrolment.proof).expect("base64url");
                let proof = crate::keys::Sign1::read(&proof).expect("reads");
                let says: crate::sync::wire::EnrolmentProof =
                    cbor::read_strict(proof.unverified_payload(), "proof").expect("a proof");
                proof.verify(crate::keys::Purpose::Enrolment, &says.key).expect("verifies");
                assert_eq!(says.audience, "https://hub.example");
                self.devices.insert(proof.signer(), (says.key, 0));
                json(&Enrolled {
                    organisation: id("acme"),
                    member: me(),
                    root: self.root.public_key().thumbprint().expect("a key").to_string(),
                    key_set: URL_SAFE_NO_PAD.encode(&self.key_set.bytes),
                    audience: self.audience.clone(),
                })
            }
            "/v1/token" if self.wrong_clock => problem(400, "assertion_time"),
            "/v1/token" if self.revoked => problem(401, "sign_in_again"),
            "/v1/token" => {
                if let Some(refused) = self.untimely(&call.body) {
                    return Ok(refused);
                }
                json(&TokenAnswer { access_token: "token".into(), token_type: "Bearer".into(), expires_in: 900 })
            }
            "/v1/sync" => {
                let request: SyncRequest = cbor::read_strict(&call.body, "request").expect("a request");
                if !request.push.is_empty() {
                    if self.holds.is_some() {
                        return Ok(Answer { retry_after: self.holds, ..problem(429, "later") });
                    }
                    self.pushed.push(call.body.len());
                }
                let answer = self.sync(&request);
                if std::mem::take(&mut self.lose_answer) {
                    return Err(TransportError::Unreachable);
                }
                match answer {
                    Ok(answer) => Answer { status: 200, retry_after: None, body: cbor::write(&answer) },
                    Err(problem) => problem,
                }
            }
            path => panic!("no such path: {path}"),
        })
    }
}

impl Transport for FakeHub {
    fn call<'a>(&'a self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>> {
        let answer = self.state().answer(&call);
        Box::pin(std::future::ready(answer))
    }
}

fn row_of(change: &ParsedChange, author: &str) -> ChangeRow {
    let chunk = change.bytes.clone().into();
    ChangeRow { hash: change.hash, chunk, author: id(author), on_behalf_of: None, accepted_at: NOW }
}

fn head_of(scope: &Scope, feed: &Feed) -> ScopeHead {
    let head = feed.heads.last().copied().unwrap_or(ChainHash::ORIGIN);
    ScopeHead { scope: scope.clone(), index: feed.rows.len() as u64, head }
}

fn json(value: &impl serde::Serialize) -> Answer {
    Answer { status: 200, retry_after: None, body: serde_json::to_vec(value).expect("JSON") }
}

fn problem(status: u16, code: &str) -> Answer {
    let problem = Problem {
        kind: "about:blank".into(),
        title: code.into(),
        status,
        detail: "the fake hub says so".into(),
        code: code.into(),
        request_id: None,
        time: None,
        key_set: None,
    };
    Answer { status, retry_after: None, body: serde_json::to_vec(&problem).expect("JSON") }
}
