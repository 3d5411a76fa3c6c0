//! Everything that reads bytes from outside, fed with what is not what we write.

use coset::cbor::Value;
use proptest::prelude::*;

use super::values::*;
use super::{golden, written};
use crate::cbor;
use crate::decision::{DecisionError, Fact, LoggedDecision};
use crate::envelope::{Envelope, EnvelopeError, Item, MAX_ITEMS, SignedEnvelope};
use crate::feed::{Page, PageError, PageHeader, Row, Scope, ScopeHead, Statement, digest};
use crate::id::{ChainHash, Thumbprint};
use crate::keys::{
    DeviceSigner, KeySetError, PublicKey, Purpose, Sign1, SignatureError, SignedKeySet, SoftwareSigner, sign,
};
use crate::receipt::Receipts;
use crate::sync::wire::{EnrolmentProof, SyncAnswer, SyncRequest};

/// Reads the bytes as everything there is; whether any signature was believed.
fn read_as_everything(bytes: &[u8]) -> bool {
    let _ = cbor::read_strict::<Envelope>(bytes, "envelope");
    let _ = cbor::read_strict::<SyncRequest>(bytes, "request");
    let _ = cbor::read_strict::<EnrolmentProof>(bytes, "proof");
    let _ = cbor::read::<SyncAnswer>(bytes, "answer");
    let _ = cbor::read::<Receipts>(bytes, "receipts");
    let _ = cbor::read::<Statement>(bytes, "statement");
    let _ = cbor::read::<PageHeader>(bytes, "header");
    let _ = cbor::read::<Row>(bytes, "row");
    if let Ok(page) = cbor::read::<Page>(bytes, "page") {
        let _ = page.open(&page_header(), &held());
    }
    if let Ok(logged) = cbor::read::<LoggedDecision>(bytes, "decision") {
        let _ = logged.open(0, &ChainHash::ORIGIN);
    }
    let believed = |purpose, key: PublicKey| Sign1::read(bytes).is_ok_and(|read| read.verify(purpose, &key).is_ok());
    SignedEnvelope::verify(bytes, &device_key()).is_ok()
        || SignedKeySet::verify(bytes, &organisation(), &root_thumbprint()).is_ok()
        || believed(Purpose::Enrolment, device_key())
        || [Purpose::Page, Purpose::Statement, Purpose::Receipts].iter().any(|p| believed(*p, hub().public_key()))
}

fn held() -> ScopeHead {
    ScopeHead { index: 0, head: ChainHash::ORIGIN, ..after_page() }
}

/// A change of some bytes: one is replaced, one goes, one comes, or the end is cut off.
fn mutate(bytes: &mut Vec<u8>, (how, at, byte): (u8, prop::sample::Index, u8)) {
    if bytes.is_empty() {
        return bytes.push(byte);
    }
    let at = at.index(bytes.len());
    match how {
        0 => bytes[at] ^= byte.max(1),
        1 => drop(bytes.remove(at)),
        2 => bytes.insert(at, byte),
        _ => bytes.truncate(at),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_are_never_believed(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!read_as_everything(&bytes));
    }

    #[test]
    fn a_changed_message_is_never_believed(
        which: prop::sample::Index,
        changes in prop::collection::vec((0..4_u8, any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let files = written();
        let (_, good) = &files[which.index(files.len())];
        let mut bytes = good.clone();
        for change in changes {
            mutate(&mut bytes, change);
        }
        prop_assume!(bytes != *good);
        prop_assert!(!read_as_everything(&bytes));
    }

    /// Rows, salts, header: whatever changes in a page, it does not open under the header the hub signed.
    #[test]
    fn a_changed_page_does_not_open(
        change in (0..4_u8, any::<prop::sample::Index>(), any::<u8>()),
        row: prop::sample::Index,
        salt: bool,
    ) {
        let mut bad = page();
        let row = row.index(bad.rows.len());
        if salt {
            bad.rows[row].salt[change.1.index(16)] ^= change.2.max(1);
        } else {
            mutate(&mut bad.rows[row].row, change);
        }
        prop_assume!(bad != page());
        prop_assert!(bad.open(&page_header(), &held()).is_err());
    }

    #[test]
    fn a_changed_decision_does_not_open(
        change in (0..4_u8, any::<prop::sample::Index>(), any::<u8>()),
        part in 0..2_u8,
    ) {
        let [_, good] = decisions();
        let previous = decisions()[0].hash();
        let mut bad = good.clone();
        match part {
            0 => mutate(&mut bad.payload, change),
            _ => bad.salt[change.1.index(16)] ^= change.2.max(1),
        }
        prop_assume!(bad != good);
        prop_assert!(bad.open(1, &previous).is_err());
        // The entry itself is vouched for by what follows it: a changed one is another link.
        let mut relinked = good.clone();
        mutate(&mut relinked.entry, change);
        prop_assume!(relinked != good);
        prop_assert_ne!(relinked.hash(), good.hash());
        let _ = relinked.open(1, &previous);
    }
}

/// Signs a hand-made protected header, unprotected map and payload with the device's key, as a forger of form would.
fn forge(protected: &Value, unprotected: Value, payload: &[u8]) -> Vec<u8> {
    let bytes = |value: &Value| {
        let mut out = Vec::new();
        coset::cbor::into_writer(value, &mut out).expect("encodes");
        out
    };
    let protected = Value::Bytes(bytes(protected));
    let aad = Value::Bytes(Purpose::Envelope.external_aad().to_vec());
    let payload = Value::Bytes(payload.to_vec());
    let to_sign = Value::Array(vec!["Signature1".into(), protected.clone(), aad, payload.clone()]);
    let signature = device().sign(&bytes(&to_sign)).expect("signs");
    bytes(&Value::Array(vec![protected, unprotected, payload, Value::Bytes(signature)]))
}

fn kid() -> Value {
    Value::Bytes(thumbprint_of(&device()).as_bytes().to_vec())
}

fn header(labels: &[(i64, Value)]) -> Value {
    Value::Map(labels.iter().map(|(label, value)| ((*label).into(), value.clone())).collect())
}

fn empty() -> Value {
    Value::Map(vec![])
}

fn verdict(bytes: &[u8]) -> Result<Vec<u8>, SignatureError> {
    Sign1::read(bytes)?.verify(Purpose::Envelope, &device_key()).map(<[u8]>::to_vec)
}

/// The forger signs well each time: only the form is wrong.
#[test]
fn only_one_form_of_a_signature_is_taken() {
    let good = header(&[(1, (-8).into()), (4, kid())]);
    assert_eq!(verdict(&forge(&good, empty(), b"x")), Ok(b"x".to_vec()));
    let crit = Value::Array(vec![1.into()]);
    for (protected, unprotected, why) in [
        (header(&[(1, (-8).into()), (2, crit), (4, kid())]), empty(), "crit"),
        (header(&[(1, (-8).into()), (4, kid()), (3, 0.into())]), empty(), "a content type"),
        (header(&[(4, kid()), (1, (-8).into())]), empty(), "another order"),
        (header(&[(1, (-8).into()), (1, (-8).into()), (4, kid())]), empty(), "a label twice"),
        (header(&[(4, kid())]), empty(), "no algorithm"),
        (header(&[(1, (-8).into())]), empty(), "no key"),
        (header(&[(1, (-8).into()), (4, Value::Bytes(vec![1; 4]))]), empty(), "a short key id"),
        (header(&[(1, "EdDSA".into()), (4, kid())]), empty(), "an algorithm by name"),
        (good.clone(), header(&[(1, (-7).into())]), "an unprotected algorithm"),
        (good.clone(), header(&[(4, kid())]), "an unprotected key id"),
    ] {
        assert_eq!(verdict(&forge(&protected, unprotected, b"x")), Err(SignatureError::Garbage), "{why}");
    }
    // ES256, Ed25519 by its own number (RFC 9864), and a symmetric one: not what the key is for.
    for algorithm in [-7, -19, 5] {
        let named = header(&[(1, algorithm.into()), (4, kid())]);
        assert_eq!(verdict(&forge(&named, empty(), b"x")), Err(SignatureError::Algorithm), "{algorithm}");
    }
    let bytes = forge(&good, empty(), b"x");
    let (head, tail) = (&bytes[..1 + 2 + 38], &bytes[1 + 2 + 38 + 1..]);
    for (other, why) in [
        ([&[0xd2], &bytes[..]].concat(), "tagged"),
        ([&bytes[..], &[0]].concat(), "trailing"),
        ([&[0x9f], &bytes[1..], &[0xff]].concat(), "an indefinite array"),
        ([&[0x98, 4], &bytes[1..]].concat(), "an over-long head"),
        ([head, &[0xbf, 0xff], tail].concat(), "an indefinite map"),
        ([head, &[0xa0, 0x58, 1], &tail[1..]].concat(), "an over-long payload length"),
        ([head, &[0xa0, 0xf6], &tail[2..]].concat(), "a detached payload"),
    ] {
        assert_eq!(verdict(&other), Err(SignatureError::Garbage), "{why}");
    }
}

/// What comes before the signature is known must cost neither stack nor memory: a deep or wide tree in its place.
#[test]
fn a_tree_in_place_of_a_signature_is_refused_on_a_small_stack() {
    let deep = [vec![0x81; 250], vec![0]].concat();
    let wide = [vec![0x9a, 0, 0x50, 0, 0], vec![0; 5 << 20]].concat();
    let in_header = [&[0x84, 0x58, 251][..], &deep, &[0xa0, 0x40, 0x40]].concat();
    let read = move || [deep, wide, in_header].iter().all(|bytes| Sign1::read(bytes).is_err());
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(read).expect("starts");
    assert!(thread.join().expect("does not overflow"));
}

/// Keys of small order verify anything, and a coordinate of 2^255 − 19 and more is a second name of a key: they have no
/// name here and verify nothing.
#[test]
fn weak_keys_are_no_keys() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    for bytes in [identity, [0; 32], [0xff; 32]] {
        let key = PublicKey::Ed25519(bytes);
        assert_eq!(key.thumbprint(), None);
        assert!(!key.verifies(b"anything", &signature));
    }
    for length in [0, 63, 65] {
        assert!(!device_key().verifies(b"anything", &vec![1; length]));
    }
}

/// The order of the curve, added to the number in a signature, gives a second one that lax verifiers take.
#[test]
fn a_signature_has_one_form() {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = golden("envelope-change");
    let at = bytes.len() - 32;
    let mut carry = 0;
    for (byte, add) in bytes[at..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(carry, 0);
    let refused = SignedEnvelope::verify(&bytes, &device_key());
    assert_eq!(refused, Err(EnvelopeError::Signature(SignatureError::Forged)));
}

fn judged(envelope: Envelope) -> Result<(), EnvelopeError> {
    SignedEnvelope::verify(&signed(envelope).bytes, &device_key()).map(|_| ())
}

#[test]
fn a_well_signed_envelope_is_held_against_its_limits() {
    let good = envelope_of_a_change;
    assert_eq!(judged(good()), Ok(()));
    assert_eq!(judged(Envelope { version: 2, ..good() }), Err(EnvelopeError::Version));
    assert_eq!(judged(Envelope { items: vec![], ..good() }), Err(EnvelopeError::Size));
    let many = |count| Envelope { items: vec![good().items[0].clone(); count], ..good() };
    assert_eq!(judged(many(MAX_ITEMS)), Ok(()));
    assert_eq!(judged(many(MAX_ITEMS + 1)), Err(EnvelopeError::Size));
    for time in [-1, i64::MIN, i64::MAX, 253_402_300_800] {
        assert_eq!(judged(Envelope { claimed_at: time, ..good() }), Err(EnvelopeError::Time));
        assert_eq!(judged(Envelope { not_after: time, ..good() }), Err(EnvelopeError::Time));
    }
    assert_eq!(judged(Envelope { device: Thumbprint([9; 32]), ..good() }), Err(EnvelopeError::OtherDevice));
    let mut large = envelope_of_requests();
    let Item::Request(request) = &mut large.items[0] else { panic!("a request") };
    request.heads = vec![request.heads.first().copied().unwrap_or(crate::id::ChangeHash([1; 32])); 65];
    assert_eq!(judged(large), Err(EnvelopeError::Size));

    // A field of a later version, well signed: what a phone signs is read strictly.
    let mut payload = cbor::write(&good());
    assert_eq!(payload[0], 0xaa, "ten fields: nobody acts for another");
    payload[0] = 0xab;
    payload.extend([0x0b, 0x00]);
    let later = sign(Purpose::Envelope, payload, &device()).expect("signs");
    assert_eq!(SignedEnvelope::verify(&later, &device_key()), Err(EnvelopeError::Garbage));
}

fn root_signs(payload: Vec<u8>) -> Result<SignedKeySet, KeySetError> {
    let bytes = sign(Purpose::KeySet, payload, &SoftwareSigner::from_seed(&[1; 32])).expect("signs");
    SignedKeySet::verify(&bytes, &organisation(), &root_thumbprint())
}

/// An app in the field goes on when a later hub adds a field, a use, or a kind of key; bytes behind the set and another
/// root's word are refused.
#[test]
fn a_key_set_outlives_this_version() {
    let set = signed_key_set().set;
    let good = cbor::write(&set);
    let entry = cbor::write(&set.keys[0]);
    let at = good.windows(entry.len()).position(|window| window == entry).expect("the entry is in the set");
    // {0: 9 (a later use), …} and {…, 1: [2, [33 bytes]] (a later kind), …} before the entries that are known.
    let later_use = [&[0xa4, 0x00, 0x09][..], &entry[3..]].concat();
    let later_key = [&[0xa4, 0, 0, 1, 0x82, 2, 0x81, 0x58, 33][..], &[2; 33], &entry[3 + 1 + 5 + 32..]].concat();
    let mut later = [&good[..at], &later_use, &later_key, &good[at..], &[0x06, 0xf5]].concat();
    later[0] += 1;
    later[at - 1] += 2;
    assert!(cbor::is_in_form(&later));
    assert_eq!(root_signs(later).expect("is read").set, set);

    assert_eq!(root_signs([good.clone(), vec![0]].concat()), Err(KeySetError::Garbage));
    let usurper = sign(Purpose::KeySet, good, &device()).expect("signs");
    let refused = SignedKeySet::verify(&usurper, &organisation(), &root_thumbprint());
    assert_eq!(refused, Err(KeySetError::Signature(SignatureError::UnknownKey)));
    let other = "other".parse().expect("a code");
    let refused = SignedKeySet::verify(&golden("key-set"), &other, &root_thumbprint());
    assert_eq!(refused, Err(KeySetError::OtherOrganisation));
}

#[test]
fn a_page_must_extend_what_is_held_to_the_last_row() {
    let header = page_header();
    let open = |page: &Page, header: &PageHeader, held: &ScopeHead| page.open(header, held).map(|rows| rows.len());
    assert_eq!(open(&page(), &header, &held()), Ok(10));
    assert_eq!(open(&page(), &header, &after_page()), Err(PageError::DoesNotExtend), "a page again");
    let at_the_end = ScopeHead { index: u64::MAX, ..held() };
    assert_eq!(open(&page(), &header, &at_the_end), Err(PageError::DoesNotExtend));
    let mut page_at_the_end = header.clone();
    (page_at_the_end.first, page_at_the_end.last) = (u64::MAX, u64::MAX);
    let nearly = ScopeHead { index: u64::MAX - 1, ..held() };
    assert_eq!(open(&page(), &page_at_the_end, &nearly), Err(PageError::Chain));
    let mut fewer = page();
    fewer.rows.pop();
    let mut more = page();
    more.rows.push(more.rows[9].clone());
    let mut turned = page();
    turned.rows.swap(0, 1);
    for bad in [fewer, more, turned, Page { rows: vec![], ..page() }] {
        assert_eq!(open(&bad, &header, &held()), Err(PageError::Chain));
    }
}

/// A site may be called what is as long as a visit's id.
#[test]
fn a_row_of_the_directory_is_about_no_visit() {
    let of_a_visit = rows().remove(0);
    assert_eq!(of_a_visit.visit().map(|visit| *visit.as_bytes()), of_a_visit.id.as_slice().try_into().ok());
    let of_a_site = Row { id: b"zurich-building1".to_vec().into(), ..rows().remove(5) };
    assert_eq!((of_a_site.id.len(), of_a_site.visit()), (16, None));
}

/// A statement's digest is by the text of the scopes: directory before visits, whatever our enumeration says.
#[test]
fn the_digest_sorts_by_text() {
    let (a, b) = (directory_head(), after_page());
    let approvals = ScopeHead { scope: "approvals/zrh".parse().expect("a scope"), ..directory_head() };
    let expected = cbor::write(&vec![&approvals, &a, &b]);
    let digest_of = |bytes: &[u8]| ChainHash(<sha2::Sha256 as sha2::Digest>::digest(bytes).into());
    assert_eq!(digest(&[b, a.clone(), approvals.clone()]), digest_of(&expected));
    for bad in ["visits/Ada", "Kiosk/zrh", "kiosk zrh", ""] {
        assert!(bad.parse::<Scope>().is_err(), "{bad}");
    }
    // A later hub may cut its scopes finer: no name of its form keeps an answer from being read.
    for later in
        ["directory/zrh", "visits", "visits/", "site/zrh/1", "notes/ada", "notes/floor/zrh/3", "approvals/a/b/c"]
    {
        assert_eq!(later.parse::<Scope>(), Ok(Scope::Later(later.into())));
    }
    for known in ["approvals/zrh/vip", "notes/member/ada", "notes/site/zrh", "notes/approvals/zrh/vip"] {
        let scope: Scope = known.parse().expect("a scope");
        assert!(!matches!(scope, Scope::Later(_)), "{known}");
        assert_eq!(scope.to_string(), known);
    }
    let later: Scope = "kiosk/zrh".parse().expect("a scope of a newer hub");
    assert_eq!(cbor::read::<Scope>(&cbor::write(&later), "scope"), Ok(Scope::Later("kiosk/zrh".into())));
}

#[test]
fn a_log_does_not_overflow_and_a_later_fact_does_not_end_it() {
    let [first, _] = decisions();
    assert_eq!(first.open(u64::MAX, &ChainHash::ORIGIN), Err(DecisionError::DoesNotFollow));
    for bad in ["a10082182a", "a1008118ff", "a10083182a8000", "a10000"] {
        let bytes = hex::decode(bad).expect("hexadecimal");
        assert!(cbor::read::<crate::decision::Decision>(&bytes, "decision").is_err(), "{bad}");
    }
    // A fact of a later number; a known one that says what is not known (nothing, told by a later kind of mail).
    for (later, number) in [("a10082182a80", 42), ("a100820080", 0), ("a10082098117", 9)] {
        let bytes = hex::decode(later).expect("hexadecimal");
        let read = cbor::read::<crate::decision::Decision>(&bytes, "decision").expect("is read");
        assert_eq!(read.fact, Fact::Later(number), "{later}");
    }
    assert_eq!(Fact::Later(42).kind(), "later");
}
