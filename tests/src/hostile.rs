//! A hostile client: it holds the key of an enrolled device and signs whatever it likes.
//!
//! A [`Device`] signs in as a phone does, but by hand: challenge, proof, assertion. From then on it seals envelopes with
//! any content and pushes them with any chunks. A [`Document`] is what it knows of a visit; [`Sent`] is one item with
//! the bytes beside it; a [`Refused`] is the hub's answer in one form, whether a receipt, an envelope turned away, or
//! problem details.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use minicbor::bytes::ByteVec;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use vestibule_core::cbor;
use vestibule_core::document::{ParsedChange, Replica, Write, actor_id};
use vestibule_core::envelope::{Ask, DEFAULT_LIFE, Envelope, Item, Request, SignedEnvelope, VERSION};
use vestibule_core::feed::{PageHeader, ScopeHead};
use vestibule_core::id::VisitId;
use vestibule_core::id::{ActorId, ActorSalt, ChainHash, ChangeHash, MemberId, OrganisationId, RequestId, Thumbprint};
use vestibule_core::keys::{DeviceSigner, KeySet, KeyUse, Purpose, Sign1, SignedKeySet, SoftwareSigner, sign};
use vestibule_core::receipt::{Receipt, Receipts, Refusal, Verdict};
use vestibule_core::sync::wire::{
    Challenge, Enrolled, Enrolment, EnrolmentProof, MEDIA_TYPE, PushedEnvelope, SyncAnswer, SyncRequest, TokenAnswer,
};

use crate::attacked::Hub;
use crate::http::{Http, Reply};

/// Bytes that are never the same in one run of a program.
pub fn unique<const N: usize>() -> [u8; N] {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let digest = Sha256::digest(COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    std::array::from_fn(|index| digest[index])
}

/// A compact JWS (RFC 7515) over any claims.
pub fn jwt(header: &Value, claims: &Value, key: &dyn DeviceSigner) -> String {
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let signature = key.sign(signed.as_bytes()).expect("a key in memory signs");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The hub's answer when it does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status: 200 where the answer is a receipt or an envelope turned away.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// The field at fault, if it is one.
    pub field: Option<String>,
    /// The reason in words.
    pub reason: String,
}

impl From<Reply> for Refused {
    fn from(reply: Reply) -> Self {
        let problem = reply.problem();
        Self { status: reply.status, code: problem.code, field: None, reason: problem.detail }
    }
}

/// What the hub answers to a push.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The answer as it is.
    pub answer: SyncAnswer,
    /// Its receipts, their signature verified.
    pub receipts: Vec<Receipt>,
}

impl Pushed {
    /// The refusal of the one item, or of the one envelope, that was pushed.
    pub fn refused(mut self) -> Refused {
        match (self.receipts.as_slice(), self.answer.turned_away.pop()) {
            ([], Some(turned_away)) => {
                Refused { status: 200, code: turned_away.code, field: None, reason: turned_away.message }
            }
            ([receipt], None) => refused(receipt.verdict.clone()),
            other => panic!("one item or one envelope is refused: {other:?}"),
        }
    }
}

/// A verdict that is a refusal.
pub fn refused(verdict: Verdict) -> Refused {
    match verdict {
        Verdict::Refused(Refusal { code, message, field }) => Refused { status: 200, code, field, reason: message },
        other => panic!("is not refused: {other:?}"),
    }
}

/// An item with the chunk that travels beside it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The item.
    pub item: Item,
    /// The chunk of a change.
    pub chunk: Option<Vec<u8>>,
}

impl Sent {
    /// A change of any bytes, filed under that visit with that salt.
    pub fn change(visit: VisitId, salt: ActorSalt, chunk: Vec<u8>) -> Self {
        let hash = ChangeHash(Sha256::digest(chunk.get(8..).unwrap_or_default()).into());
        Self { item: Item::Change { visit, hash, salt }, chunk: Some(chunk) }
    }

    /// A request that has seen nothing.
    pub fn ask(visit: VisitId, ask: Ask) -> Self {
        Self::ask_having_seen(visit, ask, Vec::new(), ChainHash::ORIGIN)
    }

    /// A request by somebody who saw these heads and this entry of the log.
    pub fn ask_having_seen(visit: VisitId, ask: Ask, heads: Vec<ChangeHash>, seen: ChainHash) -> Self {
        let id = RequestId::from_parts(now_millis(), unique());
        Self { item: Item::Request(Request { id, visit, ask, heads, seen }), chunk: None }
    }
}

/// An enrolled device whose owner keeps no rule.
pub struct Device {
    /// Its key.
    pub key: Arc<dyn DeviceSigner>,
    /// The organisation it enrolled with.
    pub organisation: OrganisationId,
    /// Whose it is.
    pub member: MemberId,
    /// The organisation's root.
    pub root: Thumbprint,
    /// What its assertions are for: the hub's address.
    pub audience: String,
    /// The hub's keys.
    pub key_set: KeySet,
    /// Its access token.
    pub token: String,
    /// The counter of the last envelope the hub judged.
    pub counter: u64,
    /// The hash of that envelope.
    pub previous: ChainHash,
}

impl Device {
    /// Enrols a new device of a member, with a key in software, and gets its first access token.
    pub fn sign_in(hub: &Hub, organisation: &str, member: &str) -> Self {
        Self::sign_in_with(hub, organisation, member, Arc::new(SoftwareSigner::from_seed(&unique())))
    }

    /// The same with a given key.
    pub fn sign_in_with(hub: &Hub, organisation: &str, member: &str, key: Arc<dyn DeviceSigner>) -> Self {
        let bearer = format!("Bearer {}", hub.admin(organisation, &["token", member]).trim());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let challenge: Challenge = hub.http.post("/v1/devices/challenge", &headers, b"{}".to_vec()).json();
        let nonce = URL_SAFE_NO_PAD.decode(challenge.nonce).expect("base64url");
        let proof = cbor::write(&EnrolmentProof {
            nonce: nonce.into(),
            key: key.public_key(),
            // What the addresses of hubs on this machine come to (`wire::origin`).
            audience: "http://localhost".into(),
        });
        let proof = URL_SAFE_NO_PAD.encode(sign(Purpose::Enrolment, proof, &*key).expect("signs"));
        let body = serde_json::to_vec(&Enrolment { proof }).expect("JSON");
        let enrolled: Enrolled = hub.http.post("/v1/devices", &headers, body).json();
        let root = enrolled.root.parse().expect("a thumbprint");
        let key_set = URL_SAFE_NO_PAD.decode(enrolled.key_set).expect("base64url");
        let key_set = SignedKeySet::verify(&key_set, &enrolled.organisation, &root).expect("the root signed it").set;
        let mut device = Self {
            key,
            organisation: enrolled.organisation,
            member: enrolled.member,
            root,
            audience: enrolled.audience,
            key_set,
            token: String::new(),
            counter: 0,
            previous: ChainHash::ORIGIN,
        };
        device.token = device.spend(&hub.http, &device.assertion()).json::<TokenAnswer>().access_token;
        device
    }

    /// The name of its key.
    pub fn thumbprint(&self) -> Thumbprint {
        self.key.public_key().thumbprint().expect("its key is a good one")
    }

    /// A new assertion of the device's key (RFC 7523).
    pub fn assertion(&self) -> String {
        let (name, now) = (self.thumbprint().to_string(), Utc::now().timestamp());
        let claims = json!({"iss": name, "sub": name, "aud": self.audience, "iat": now, "exp": now + 60,
            "jti": hex::encode(unique::<16>())});
        jwt(&json!({"alg": self.key.public_key().jwt_algorithm(), "typ": "JWT"}), &claims, &*self.key)
    }

    /// Asks for an access token with an assertion.
    pub fn spend(&self, http: &Http, assertion: &str) -> Reply {
        let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
        let body = format!("grant_type={grant}&assertion={assertion}").into_bytes();
        http.post("/v1/token", &[("content-type", "application/x-www-form-urlencoded")], body)
    }

    /// The envelope an honest client would send next.
    pub fn envelope(&self, items: &[Sent]) -> Envelope {
        let now = Utc::now().timestamp();
        Envelope {
            version: VERSION,
            organisation: self.organisation.clone(),
            root: self.root,
            member: self.member.clone(),
            on_behalf_of: None,
            device: self.thumbprint(),
            counter: self.counter + 1,
            previous: self.previous,
            claimed_at: now,
            not_after: now + DEFAULT_LIFE,
            items: items.iter().map(|sent| sent.item.clone()).collect(),
        }
    }

    /// Signs an envelope and puts the chunks of its changes beside it.
    pub fn seal(&self, envelope: Envelope, items: &[Sent]) -> PushedEnvelope {
        let signed = SignedEnvelope::sign(envelope, &*self.key).expect("a key in memory signs");
        beside(signed.bytes, items)
    }

    /// A sync request that pushes these.
    pub fn request(&self, push: Vec<PushedEnvelope>) -> SyncRequest {
        let organisation = self.organisation.clone();
        SyncRequest { version: VERSION, organisation, epoch: None, key_set: 0, heads: Vec::new(), push, proof: None }
    }

    /// Posts any bytes as a sync request.
    pub fn post(&self, http: &Http, body: Vec<u8>, more: &[(&str, &str)]) -> Reply {
        post_as(http, &self.token, body, more)
    }

    /// Pushes envelopes. Whether they count is the caller's to know: see [`counted`](Self::counted).
    pub fn push(&self, http: &Http, push: Vec<PushedEnvelope>) -> Pushed {
        let reply = self.post(http, cbor::write(&self.request(push)), &[]);
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        let answer: SyncAnswer = cbor::read_strict(&reply.body, "sync answer").expect("an answer in its one form");
        let signed = Sign1::read(answer.receipts.as_ref().expect("what is pushed is answered")).expect("is signed");
        let payload = self.key_set.verify(&signed, Purpose::Receipts, KeyUse::Feed, Utc::now()).expect("by the hub");
        let receipts: Receipts = cbor::read_strict(payload, "receipts").expect("receipts");
        assert_eq!((&receipts.organisation, receipts.device), (&self.organisation, self.thumbprint()));
        Pushed { answer, receipts: receipts.receipts }
    }

    /// Every row of every page the hub has for this member, from the first on.
    pub fn everything(&self, http: &Http) -> Vec<Vec<u8>> {
        let mut request = self.request(Vec::new());
        let mut rows = Vec::new();
        loop {
            let reply = self.post(http, cbor::write(&request), &[]);
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
            let answer: SyncAnswer = cbor::read_strict(&reply.body, "sync answer").expect("an answer in its one form");
            for page in answer.pages {
                let signed = Sign1::read(&page.header).expect("is signed");
                let header: PageHeader = cbor::read_strict(signed.unverified_payload(), "page").expect("a header");
                request.epoch = Some(header.epoch);
                request.heads.retain(|head| head.scope != header.scope);
                request.heads.push(ScopeHead { scope: header.scope, index: header.last, head: header.head });
                rows.extend(page.rows.into_iter().map(|salted| salted.row.to_vec()));
            }
            if !answer.more {
                return rows;
            }
        }
    }

    /// Takes note that the hub judged this envelope, so that the next one follows it.
    pub fn counted(&mut self, pushed: &PushedEnvelope) {
        self.counter += 1;
        self.previous = ChainHash(Sha256::digest(pushed.envelope.as_slice()).into());
    }

    /// Sends items in the next envelope and gives the verdict of each.
    pub fn send(&mut self, http: &Http, items: &[Sent]) -> Vec<Verdict> {
        self.send_for(http, None, items)
    }

    /// The same on behalf of somebody.
    pub fn send_for(&mut self, http: &Http, principal: Option<&str>, items: &[Sent]) -> Vec<Verdict> {
        let on_behalf_of = principal.map(|id| id.parse().expect("a member's id"));
        let pushed = self.seal(Envelope { on_behalf_of, ..self.envelope(items) }, items);
        let answer = self.push(http, vec![pushed.clone()]);
        assert_eq!(answer.answer.turned_away, [], "the envelope is this device's next");
        let ids: Vec<_> = answer.receipts.iter().map(|receipt| receipt.item).collect();
        assert_eq!(ids, items.iter().map(|sent| sent.item.id()).collect::<Vec<_>>(), "a receipt for each item");
        self.counted(&pushed);
        answer.receipts.into_iter().map(|receipt| receipt.verdict).collect()
    }

    /// Sends one item that is refused.
    pub fn refused(&mut self, http: &Http, sent: Sent) -> Refused {
        refused(self.send(http, &[sent]).remove(0))
    }
}

/// Posts any bytes as a sync request with any token.
pub fn post_as(http: &Http, token: &str, body: Vec<u8>, more: &[(&str, &str)]) -> Reply {
    let bearer = format!("Bearer {token}");
    let mut headers = BTreeMap::from([("authorization", bearer.as_str()), ("content-type", MEDIA_TYPE)]);
    headers.extend(more.iter().copied());
    http.post("/v1/sync", &headers.into_iter().collect::<Vec<_>>(), body)
}

/// Signed bytes, whatever they are, with the chunks of these items.
pub fn beside(envelope: Vec<u8>, items: &[Sent]) -> PushedEnvelope {
    let chunks = items.iter().filter_map(|sent| sent.chunk.clone()).map(ByteVec::from).collect();
    PushedEnvelope { envelope: envelope.into(), chunks }
}

/// A visit's document as one device writes it.
#[derive(Clone)]
pub struct Document {
    /// The visit.
    pub visit: VisitId,
    /// The salt of the device's actor.
    pub salt: ActorSalt,
    /// The actor.
    pub actor: ActorId,
    /// What is accepted.
    pub replica: Replica,
}

impl Document {
    /// A new visit of that device.
    pub fn new(device: &Device) -> Self {
        let visit = VisitId::from_parts(now_millis(), unique());
        Self::of(device, visit, Replica::empty(visit))
    }

    /// The same visit as another device would write it.
    #[must_use]
    pub fn by(&self, device: &Device) -> Self {
        Self::of(device, self.visit, self.replica.clone())
    }

    fn of(device: &Device, visit: VisitId, replica: Replica) -> Self {
        let salt = ActorSalt(unique());
        Self { visit, salt, actor: actor_id(&device.thumbprint(), visit, &salt), replica }
    }

    /// The change that makes `writes` so.
    pub fn write(&self, writes: &[Write]) -> ParsedChange {
        let change = self.replica.write(self.actor, writes, Utc::now().timestamp());
        change.expect("may be written").expect("changes something")
    }

    /// Any chunk as a change of this visit.
    pub fn sent(&self, chunk: Vec<u8>) -> Sent {
        Sent::change(self.visit, self.salt, chunk)
    }

    /// The change that makes `writes` so, as it is sent.
    pub fn edit(&self, writes: &[Write]) -> Sent {
        self.sent(self.write(writes).bytes)
    }

    /// A change as automerge's own types say it, altered and encoded again: what keeps the format and breaks a rule.
    pub fn altered(&self, writes: &[Write], alter: impl FnOnce(&mut automerge::ExpandedChange)) -> Sent {
        let change = automerge::Change::from_bytes(self.write(writes).bytes).expect("automerge reads it");
        let mut expanded = change.decode();
        alter(&mut expanded);
        self.sent(automerge::Change::from(expanded).raw_bytes().to_vec())
    }
}

/// Unix milliseconds.
fn now_millis() -> u64 {
    u64::try_from(Utc::now().timestamp_millis()).expect("after 1970")
}
