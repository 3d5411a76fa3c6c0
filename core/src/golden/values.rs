//! The values behind the golden files.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::cbor;
use crate::clock::{HubTime, asked};
use crate::decision::{Decision, Fact, LoggedDecision, Told};
use crate::envelope::{Ask, Envelope, Item, ItemId, Request, SignedEnvelope, VERSION};
use crate::feed::{
    ChangeRow, NoteRow, Page, PageHeader, Proof, Restored, Row, RowKind, SaltedRow, Scope, ScopeHead, SnapshotRow,
    Statement, chain, digest,
};
use crate::guest_mail::Undelivered;
use crate::id::{
    ActorSalt, ChainHash, ChangeHash, HubEpoch, MemberId, OrganisationId, RequestId, SiteId, Thumbprint, TypeId,
    VisitId,
};
use crate::keys::es256::Es256Signer;
use crate::keys::{DeviceSigner, KeyEntry, KeySet, KeyUse, PublicKey, Purpose, SignedKeySet, SoftwareSigner, sign};
use crate::receipt::{Receipt, Receipts, Refusal, Verdict};
use crate::sync::wire::{self, EnrolmentProof, PushedEnvelope, SyncAnswer, SyncRequest, TurnedAway};

/// 2027-01-15T08:00:00Z.
pub(super) const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

/// The chunks of `tests/golden/document`: a visit's first change, and an edit of it.
const CREATION: &str = include_str!("../../../tests/golden/document/creation.hex");
const EDIT: &str = include_str!("../../../tests/golden/document/edit.hex");

/// The organisation's root.
fn root() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[1; 32])
}

/// The hub's feed key.
pub(super) fn hub() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[2; 32])
}

/// A phone's key.
pub(super) fn device() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[3; 32])
}

/// A phone's key in secure hardware, which gives the signature with the higher `s`.
pub(super) fn hardware() -> Es256Signer {
    Es256Signer { high: true, ..Es256Signer::from_seed(4) }
}

/// The hub's key for QR tokens.
fn qr() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[42; 32])
}

pub(super) fn device_key() -> PublicKey {
    device().public_key()
}

pub(super) fn thumbprint_of(signer: &SoftwareSigner) -> Thumbprint {
    signer.public_key().thumbprint().expect("a good key")
}

pub(super) fn root_thumbprint() -> Thumbprint {
    thumbprint_of(&root())
}

pub(super) fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("in range")
}

pub(super) fn organisation() -> OrganisationId {
    OrganisationId::new("example-ag").expect("a code")
}

fn member(code: &str) -> MemberId {
    MemberId::new(code).expect("a code")
}

fn visit() -> VisitId {
    VisitId::from_parts(1_800_000_000_000, [7; 10])
}

fn request_id(number: u8) -> RequestId {
    RequestId::from_parts(1_800_000_000_000 + u64::from(number), [number; 10])
}

fn chunk(hex: &str) -> Vec<u8> {
    hex::decode(hex.trim()).expect("hexadecimal")
}

/// SHA-256 from the chunk's type on, after magic and checksum.
fn hash_of(chunk: &[u8]) -> ChangeHash {
    ChangeHash(Sha256::digest(&chunk[8..]).into())
}

fn creation() -> ChangeHash {
    hash_of(&chunk(CREATION))
}

pub(super) fn signed_key_set() -> SignedKeySet {
    let entry = |usage, signer: &SoftwareSigner| KeyEntry {
        usage,
        key: signer.public_key(),
        not_before: NOW - 30 * DAY,
        not_after: NOW + 365 * DAY,
    };
    let set = KeySet {
        organisation: organisation(),
        version: 1,
        root: root().public_key(),
        keys: vec![entry(KeyUse::Feed, &hub()), entry(KeyUse::Qr, &qr())],
        issued_at: NOW - 30 * DAY,
        expires_at: NOW + 335 * DAY,
    };
    SignedKeySet::sign(set, &root()).expect("signs")
}

pub(super) fn enrolment_proof(device: &dyn DeviceSigner) -> EnrolmentProof {
    EnrolmentProof { nonce: vec![0x11; 32].into(), key: device.public_key(), audience: "https://hub.example".into() }
}

pub(super) fn enrolment(device: &dyn DeviceSigner) -> Vec<u8> {
    sign(Purpose::Enrolment, cbor::write(&enrolment_proof(device)), device).expect("signs")
}

pub(super) fn signed(envelope: Envelope) -> SignedEnvelope {
    SignedEnvelope::sign(envelope, &device()).expect("signs")
}

pub(super) fn envelope_of_a_change() -> Envelope {
    Envelope {
        version: VERSION,
        organisation: organisation(),
        root: root_thumbprint(),
        member: member("ada"),
        on_behalf_of: None,
        device: thumbprint_of(&device()),
        counter: 1,
        previous: ChainHash::ORIGIN,
        claimed_at: NOW,
        not_after: NOW + 400 * DAY,
        items: vec![Item::Change { visit: visit(), hash: creation(), salt: ActorSalt([0x5a; 16]) }],
    }
}

/// The same from a phone whose key is in secure hardware.
pub(super) fn envelope_of_hardware() -> Envelope {
    let device = hardware().public_key().thumbprint().expect("a good key");
    Envelope { device, ..envelope_of_a_change() }
}

/// Every kind of request, by a delegate.
pub(super) fn envelope_of_requests() -> Envelope {
    let asks = [
        Ask::Approve,
        Ask::Reject { reason: Some("No escort that day".into()), r#final: false },
        Ask::Reject { reason: None, r#final: true },
        Ask::Reopen,
        Ask::Delete,
        Ask::CheckIn,
        Ask::CheckOut,
        Ask::Hold,
        Ask::Grant,
        Ask::Answers(vec![0xa0].into()),
        Ask::Note("Needs a ramp".into()),
        Ask::Read,
    ];
    let request = |(number, ask)| {
        let (heads, seen) =
            if number == 1 { (vec![], ChainHash::ORIGIN) } else { (vec![creation()], decisions()[1].hash()) };
        Item::Request(Request { id: request_id(number), visit: visit(), ask, heads, seen })
    };
    Envelope {
        on_behalf_of: Some(member("bob")),
        counter: 2,
        previous: signed(envelope_of_a_change()).hash(),
        claimed_at: NOW + 60,
        not_after: NOW + 60 + 400 * DAY,
        items: (1..).zip(asks).map(request).collect(),
        ..envelope_of_a_change()
    }
}

pub(super) fn receipts() -> Receipts {
    let refusal = Refusal { code: "not_permitted".into(), message: "only an approver decides".into(), field: None };
    let of_a_field =
        Refusal { code: "host_unknown".into(), message: "the host is no member".into(), field: Some("host".into()) };
    let receipt = |(number, verdict)| Receipt { item: ItemId::Request(request_id(number)), verdict };
    let verdicts = [
        Verdict::Stale { keys: vec!["schedule".into(), "host".into()], heads: vec![creation()] },
        Verdict::Refused(refusal),
        Verdict::Refused(of_a_field),
        Verdict::DependencyRefused,
        Verdict::Erased,
        Verdict::Later,
    ];
    let mut receipts = vec![Receipt { item: ItemId::Change(visit(), creation()), verdict: Verdict::Accepted(1_000) }];
    receipts.extend((1..).zip(verdicts).map(receipt));
    Receipts {
        organisation: organisation(),
        epoch: epoch(),
        device: thumbprint_of(&device()),
        time: NOW + 61,
        receipts,
    }
}

fn epoch() -> HubEpoch {
    HubEpoch([0xee; 16])
}

fn scope() -> Scope {
    Scope::Visits(member("ada"))
}

fn change_row(hex: &str) -> ChangeRow {
    let chunk = chunk(hex);
    ChangeRow {
        hash: hash_of(&chunk),
        chunk: chunk.into(),
        author: member("ada"),
        on_behalf_of: None,
        accepted_at: NOW + 61,
    }
}

/// A row of each kind, and one that a later version may send.
pub(super) fn rows() -> Vec<Row> {
    let edit = ChangeRow { on_behalf_of: Some(member("bob")), ..change_row(EDIT) };
    let note =
        NoteRow { id: request_id(11), author: member("ada"), accepted_at: NOW + 61, text: "Needs a ramp".into() };
    // The directory's space `room-1` of the site `zrh`, named "Room 1", in its version 3.
    let space = hex::decode("a400020166726f6f6d2d31020303a30066726f6f6d2d3101637a72680266526f6f6d2031");
    let refused = &receipts().receipts[2];
    let rows = [
        (RowKind::Enter, vec![]),
        (RowKind::Change, cbor::write(&change_row(CREATION))),
        (RowKind::Snapshot, cbor::write(&SnapshotRow { base: 1, changes: vec![change_row(CREATION), edit] })),
        (RowKind::Decision, cbor::write(&decisions()[0])),
        (RowKind::Note, cbor::write(&note)),
        (RowKind::Row, space.expect("hexadecimal")),
        (RowKind::Refusal, cbor::write(refused)),
        (RowKind::Leave, vec![]),
        (RowKind::Erase, vec![]),
        (RowKind::Unknown(99), vec![0xf6]),
    ];
    let row = |(index, (kind, payload))| {
        let mut row = Row::of_visit(scope(), index, visit(), kind, payload);
        if kind == RowKind::Row {
            row.id = b"room-1".to_vec().into();
        }
        row.critical = kind == RowKind::Unknown(99);
        row
    };
    (1..).zip(rows).map(row).collect()
}

fn salted_rows() -> Vec<SaltedRow> {
    let salted = |(salt, row): (u8, &Row)| SaltedRow { salt: [salt; 16], row: row.to_bytes().into() };
    (0x20..).zip(&rows()).map(salted).collect()
}

pub(super) fn page_header() -> PageHeader {
    PageHeader {
        organisation: organisation(),
        epoch: epoch(),
        key_set: 1,
        scope: scope(),
        first: 1,
        last: after_page().index,
        previous: ChainHash::ORIGIN,
        head: after_page().head,
        time: NOW + 62,
    }
}

/// Where a phone stands after the page.
pub(super) fn after_page() -> ScopeHead {
    let rows = salted_rows();
    let head = rows.iter().fold(ChainHash::ORIGIN, |head, salted| chain(&head, &salted.salt, &salted.row));
    ScopeHead { scope: scope(), index: rows.len() as u64, head }
}

pub(super) fn directory_head() -> ScopeHead {
    ScopeHead { scope: Scope::Directory, index: 12, head: ChainHash([0xd1; 32]) }
}

pub(super) fn page() -> Page {
    Page { header: page_header().sign(&hub()).expect("signs").into(), rows: salted_rows() }
}

pub(super) fn statement() -> Statement {
    Statement {
        organisation: organisation(),
        epoch: epoch(),
        time: NOW + 62,
        digest: digest(&[directory_head(), after_page()]),
        key_set: 1,
        log: ChainHash([0x10; 32]),
    }
}

pub(super) fn sync_request_empty() -> SyncRequest {
    SyncRequest {
        version: wire::VERSION,
        organisation: organisation(),
        epoch: Some(epoch()),
        key_set: 1,
        heads: vec![directory_head(), after_page()],
        push: vec![],
        proof: None,
    }
}

/// A request after an answer of `unknown_head`.
pub(super) fn sync_request_proof() -> SyncRequest {
    let statement = statement().sign(&hub()).expect("signs").into();
    let proof = Proof { statement, heads: vec![directory_head(), after_page()] };
    SyncRequest { proof: Some(proof), ..sync_request_empty() }
}

pub(super) fn restored() -> Restored {
    Restored {
        organisation: organisation(),
        epoch: HubEpoch([0xef; 16]),
        previous: epoch(),
        restored_to: NOW - 3_600,
        time: NOW + 62,
        device: device().public_key().thumbprint().expect("a key"),
        counter: 1,
        hash: signed(envelope_of_a_change()).hash(),
    }
}

/// The answer to a phone that knows an earlier life of the database.
pub(super) fn sync_answer_restored() -> SyncAnswer {
    SyncAnswer { more: true, restored: Some(restored().sign(&hub()).expect("signs").into()), ..sync_answer_empty() }
}

/// A phone's first sync, with work.
pub(super) fn sync_request() -> SyncRequest {
    let pushed = |envelope: SignedEnvelope, chunks| PushedEnvelope { envelope: envelope.bytes.into(), chunks };
    SyncRequest {
        epoch: None,
        key_set: 0,
        heads: vec![],
        push: vec![
            pushed(signed(envelope_of_a_change()), vec![chunk(CREATION).into()]),
            pushed(signed(envelope_of_requests()), vec![]),
        ],
        ..sync_request_empty()
    }
}

pub(super) fn sync_answer_empty() -> SyncAnswer {
    SyncAnswer {
        statement: statement().sign(&hub()).expect("signs").into(),
        receipts: None,
        turned_away: vec![],
        pages: vec![],
        more: false,
        remaining: 0,
        scopes: None,
        key_set: None,
        clock_in_doubt: false,
        restored: None,
    }
}

pub(super) fn hub_time() -> HubTime {
    HubTime { organisation: organisation(), time: NOW * 1000 + 250, certain: true, asked: asked("a.b.c") }
}

pub(super) fn sync_answer() -> SyncAnswer {
    let (site, kind) = (SiteId::new("zrh").expect("a code"), TypeId::new("vip").expect("a code"));
    let scopes = [
        Scope::Directory,
        Scope::Roles(member("ada")),
        scope(),
        Scope::Site(site.clone()),
        Scope::Approvals(site.clone()),
        Scope::TypeApprovals(site.clone(), kind.clone()),
        Scope::MemberNotes(member("ada")),
        Scope::SiteNotes(site.clone()),
        Scope::TypeNotes(site, kind),
    ];
    let gap = TurnedAway {
        index: 2,
        code: "counter_gap".into(),
        message: "an envelope before this one is missing".into(),
        expected: Some(3),
    };
    SyncAnswer {
        receipts: Some(receipts().sign(&hub()).expect("signs").into()),
        turned_away: vec![gap],
        pages: vec![page()],
        more: true,
        remaining: 70_000,
        scopes: Some(scopes.to_vec()),
        key_set: Some(signed_key_set().bytes.into()),
        clock_in_doubt: true,
        ..sync_answer_empty()
    }
}

pub(super) fn decision_values() -> [Decision; 2] {
    let accepted = Fact::Accepted { number: 4_711, creator: member("ada"), needs_approval: true };
    let approved = Fact::Approved { heads: vec![creation()] };
    [
        Decision { fact: accepted, by: None, request: None },
        Decision { fact: approved, by: Some(member("eve")), request: Some(request_id(1)) },
    ]
}

/// The first two entries of a visit's log.
pub(super) fn decisions() -> [LoggedDecision; 2] {
    let [accepted, approved] = decision_values();
    let first = LoggedDecision::next(visit(), 1, ChainHash::ORIGIN, NOW + 61, &accepted, [0xa1; 16]);
    let second = LoggedDecision::next(visit(), 2, first.hash(), NOW + 90, &approved, [0xa2; 16]);
    [first, second]
}

/// One decision of every fact, in the order of their numbers.
pub(super) fn facts() -> Vec<Decision> {
    let [accepted, approved] = decision_values().map(|decision| decision.fact);
    let facts = [
        accepted,
        approved,
        Fact::Rejected { reason: Some("No escort that day".into()), r#final: false },
        Fact::Reopened,
        Fact::ApprovalStale { keys: vec!["schedule".into()] },
        Fact::Minted { not_before: NOW, expires: NOW + 3_600 },
        Fact::Suspended,
        Fact::Revived,
        Fact::Voided,
        Fact::GuestTold(Told::Cancellation),
        Fact::Arrived,
        Fact::Departed,
        Fact::Cancelled,
        Fact::Deleted,
        Fact::NoShow,
        Fact::Expired,
        Fact::Alert("duplicate_use".into()),
        Fact::Edited { keys: vec!["host".into(), "company".into()] },
        Fact::MailQueued { what: Told::Change, held_until: Some(NOW + 3_600) },
        Fact::MailUndelivered {
            what: Told::Invitation,
            how: Undelivered::Refused,
            class: "permanent".into(),
            code: Some(550),
        },
        Fact::Undone { effect: "invite".into(), code: Some("mail".into()) },
    ];
    facts.into_iter().map(|fact| Decision { fact, by: None, request: None }).collect()
}
