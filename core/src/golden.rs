//! The bytes that must never change: keys, signatures and files outlive the code.
//!
//! Each file of `tests/golden/wire` is one message in hexadecimal, made here from fixed keys, ids and times. A test
//! fails where what we write differs; after a change that is meant, `VESTIBULE_BLESS=1 cargo test -p vestibule-core
//! golden` writes the files anew, and the difference is for the reviewer. `docs/protocol.md` explains each of them.

mod parsers;
mod values;

use std::fs;
use std::path::PathBuf;

use values::*;

use crate::cbor;
use crate::clock::HubTime;
use crate::decision::{Decision, Fact, LoggedDecision};
use crate::envelope::SignedEnvelope;
use crate::feed::{Page, PageHeader, ScopeHead, Statement, digest};
use crate::id::ChainHash;
use crate::keys::{DeviceSigner as _, KeyUse, Purpose, Sign1, SignedKeySet};
use crate::receipt::Receipts;
use crate::sync::wire::{EnrolmentProof, SyncAnswer, SyncRequest};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/wire").join(name).with_extension("hex")
}

/// Lines of 32 bytes: a change shows as a change of a line.
fn hex_lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| hex::encode(line) + "\n").collect()
}

fn golden(name: &str) -> Vec<u8> {
    let text = fs::read_to_string(path(name)).expect("a golden file; VESTIBULE_BLESS=1 writes it");
    hex::decode(text.replace('\n', "")).expect("hexadecimal")
}

/// Every golden file and the bytes we write for it now.
fn written() -> Vec<(&'static str, Vec<u8>)> {
    let [first, second] = decisions();
    vec![
        ("key-set", signed_key_set().bytes),
        ("enrolment", enrolment(&device())),
        ("enrolment-es256", enrolment(&hardware())),
        ("envelope-change", signed(envelope_of_a_change()).bytes),
        ("envelope-requests", signed(envelope_of_requests()).bytes),
        ("envelope-es256", SignedEnvelope::sign(envelope_of_hardware(), &hardware()).expect("signs").bytes),
        ("receipts", receipts().sign(&hub()).expect("signs")),
        ("page-header", page_header().sign(&hub()).expect("signs")),
        ("page", cbor::write(&page())),
        ("statement", statement().sign(&hub()).expect("signs")),
        ("hub-time", hub_time().sign(&hub()).expect("signs")),
        ("sync-request-empty", cbor::write(&sync_request_empty())),
        ("sync-request", cbor::write(&sync_request())),
        ("sync-answer-empty", cbor::write(&sync_answer_empty())),
        ("sync-answer", cbor::write(&sync_answer())),
        ("restored", restored().sign(&hub()).expect("signs")),
        ("sync-request-proof", cbor::write(&sync_request_proof())),
        ("sync-answer-restored", cbor::write(&sync_answer_restored())),
        ("decision-1", cbor::write(&first)),
        ("decision-2", cbor::write(&second)),
        ("facts", cbor::write(&facts())),
    ]
}

/// What we write is the golden bytes; with `VESTIBULE_BLESS=1` the golden bytes become what we write.
#[test]
fn what_we_write_is_what_we_always_wrote() {
    let bless = std::env::var("VESTIBULE_BLESS").is_ok_and(|value| value == "1");
    for (name, bytes) in written() {
        if bless {
            fs::write(path(name), hex_lines(&bytes)).expect("the folder is there");
        }
        let kept = fs::read_to_string(path(name)).unwrap_or_default();
        assert_eq!(hex_lines(&bytes), kept, "{name}: VESTIBULE_BLESS=1 writes it anew, if that is meant");
    }
}

#[test]
fn every_file_is_one_of_ours() {
    let names: Vec<_> = written().into_iter().map(|(name, _)| path(name)).collect();
    for file in fs::read_dir(path("page").parent().expect("a folder")).expect("the folder is there") {
        let file = file.expect("an entry").file_name();
        assert!(names.iter().any(|name| name.file_name() == Some(&file)), "{}", file.display());
    }
}

#[test]
fn the_key_set_is_read_and_names_its_keys() {
    let read = SignedKeySet::verify(&golden("key-set"), &organisation(), &root_thumbprint()).expect("verifies");
    assert_eq!(read.set, signed_key_set().set);
    let found = |usage, at| read.set.find(&thumbprint_of(&hub()), usage, at).is_some();
    assert!(found(KeyUse::Feed, moment(NOW)) && !found(KeyUse::Qr, moment(NOW)));
    assert!(!found(KeyUse::Feed, moment(NOW + 400 * 86_400)), "out of its time");
}

#[test]
fn the_enrolment_proof_is_read_and_verified_with_the_key_in_it() {
    for (name, expected) in
        [("enrolment", enrolment_proof(&device())), ("enrolment-es256", enrolment_proof(&hardware()))]
    {
        let bytes = golden(name);
        let read = Sign1::read(&bytes).expect("reads");
        let proof: EnrolmentProof = cbor::read_strict(read.unverified_payload(), "proof").expect("reads");
        assert_eq!(proof, expected);
        read.verify(Purpose::Enrolment, &proof.key).expect("verifies");
    }
}

#[test]
fn envelopes_are_read_verified_and_chained() {
    let key = device_key();
    let first = SignedEnvelope::verify(&golden("envelope-change"), &key).expect("verifies");
    assert_eq!(first.envelope, envelope_of_a_change());
    let second = SignedEnvelope::verify(&golden("envelope-requests"), &key).expect("verifies");
    assert_eq!(second.envelope, envelope_of_requests());
    assert_eq!(second.envelope.previous, first.hash());
    let of_hardware = SignedEnvelope::verify(&golden("envelope-es256"), &hardware().public_key()).expect("verifies");
    assert_eq!(of_hardware.envelope, envelope_of_hardware());
}

#[test]
fn what_the_hub_signs_is_read_and_verified_by_the_key_set() {
    let keys = signed_key_set().set;
    let payload = |bytes: &[u8], purpose| {
        let read = Sign1::read(bytes).expect("reads");
        keys.verify(&read, purpose, KeyUse::Feed, moment(NOW)).expect("verifies").to_vec()
    };
    assert_eq!(cbor::read::<Receipts>(&payload(&golden("receipts"), Purpose::Receipts), "receipts"), Ok(receipts()));
    let said: Statement = cbor::read(&payload(&golden("statement"), Purpose::Statement), "statement").expect("reads");
    assert_eq!(said, statement());
    assert_eq!(said.digest, digest(&[after_page(), directory_head()]), "in any order");
    assert_eq!(HubTime::verify(&golden("hub-time"), &keys, 0, "a.b.c"), Ok(hub_time()));

    let page_read: Page = cbor::read(&golden("page"), "page").expect("reads");
    assert_eq!(page_read.header.as_slice(), golden("page-header"));
    let header: PageHeader = cbor::read(&payload(&page_read.header, Purpose::Page), "header").expect("reads");
    assert_eq!(header, page_header());
    let held = ScopeHead { scope: header.scope.clone(), index: 0, head: ChainHash::ORIGIN };
    assert_eq!(page_read.open(&header, &held).expect("opens"), rows());
}

#[test]
fn sync_messages_are_read() {
    for (name, value) in [("sync-request-empty", sync_request_empty()), ("sync-request", sync_request())] {
        assert_eq!(cbor::read_strict::<SyncRequest>(&golden(name), "request"), Ok(value), "{name}");
    }
    for (name, value) in [("sync-answer-empty", sync_answer_empty()), ("sync-answer", sync_answer())] {
        assert_eq!(cbor::read::<SyncAnswer>(&golden(name), "answer"), Ok(value), "{name}");
    }
    let both = golden("sync-request-empty").len() + golden("sync-answer-empty").len();
    assert!(both < 600, "nothing new: under 300 bytes each way, {both} together");
}

#[test]
fn logged_decisions_are_read_and_chained() {
    let [first, second] = decisions();
    let read = |name| cbor::read::<LoggedDecision>(&golden(name), "logged decision").expect("reads");
    assert_eq!([read("decision-1"), read("decision-2")], [first.clone(), second.clone()]);
    assert_eq!(first.open(0, &ChainHash::ORIGIN).expect("opens").1, decision_values()[0]);
    assert_eq!(second.open(1, &first.hash()).expect("opens").1, decision_values()[1]);
}

/// Every fact keeps its number, and one of a later version does not stop the log.
#[test]
fn facts_are_read_by_number() {
    assert_eq!(cbor::read::<Vec<Decision>>(&golden("facts"), "facts"), Ok(facts()));
    // A map of one or more, key 0, an array of two: the fourth byte is the number, the fifth byte of 24 and more. The golden
    // file pins each; none is used twice.
    let numbers: Vec<u8> = facts().iter().map(|fact| cbor::write(fact)[3]).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let later = hex::decode("a10082182a81a10102").expect("hexadecimal");
    assert_eq!(cbor::read::<Decision>(&later, "decision").expect("reads").fact, Fact::Later(42));
}
