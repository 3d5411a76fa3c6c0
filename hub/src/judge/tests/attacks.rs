//! What a valid device key can be made to sign, and what cannot be signed at all.

use vestibule_core::document::{Replica, Write};
use vestibule_core::envelope::Item;
use vestibule_core::id::{ChainHash, VisitId};
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::Key;

use super::{PhoneHand, Pushed, World, code, is_accepted, pushed_bytes, resealed, usual};
use crate::judge::SyncProblem;

fn refuses(world: &mut World, hand: &mut PhoneHand, item: Pushed, expected: &str) {
    let before = world.dump();
    let verdicts = world.push(hand, vec![item]);
    assert_eq!(code(&verdicts), expected);
    assert!(world.dump() == before, "a refusal ({expected}) changed more than the quarantine");
}

fn start() -> (World, PhoneHand, VisitId, Replica) {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, replica) = world.created(&mut ada, "ada", &[]);
    (world, ada, visit, replica)
}

fn bytes_of(pushed: &Pushed) -> Vec<u8> {
    pushed.chunk.clone().expect("a change")
}

/// Not signed is not kept: not in the quarantine either.
#[test]
fn a_forged_signature_is_turned_away_and_not_kept() {
    let (mut world, mut ada, _, mut replica) = start();
    let item = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let good = ada.envelope(vec![item]);
    let before = world.store.dump(&[]);
    for at in [0, good.envelope.len() / 2, good.envelope.len() - 1] {
        let mut bad = good.clone();
        let mut bytes: Vec<u8> = bad.envelope.to_vec();
        bytes[at] ^= 1;
        bad.envelope = bytes.into();
        let code = world.turned_away(&ada, bad);
        assert!(["signature", "garbage", "other_device"].contains(&code.as_str()), "{code}");
    }
    assert!(world.store.dump(&[]) == before);
    assert!(is_accepted(&world.push_envelope(&ada, good)));
}

#[test]
fn another_devices_envelope_is_turned_away() {
    let (mut world, mut ada, _, mut replica) = start();
    let chloe = world.enrol("chloe");
    let item = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let envelope = ada.envelope(vec![item]);
    let before = world.store.dump(&[]);
    assert_eq!(world.turned_away(&chloe, envelope), "other_device");
    assert!(world.store.dump(&[]) == before);
}

/// Signed for somebody else: turned away, kept as evidence, and nothing else changes, the counter included.
#[test]
fn an_envelope_for_another_place_is_turned_away() {
    let (mut world, mut ada, _, mut replica) = start();
    let item = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let (counter, previous) = (ada.counter, ada.previous);
    let before = world.dump();
    let other = ada.envelope_with(vec![item.clone()], |e| e.organisation = "other".parse().expect("an id"));
    assert_eq!(world.turned_away(&ada, other), "other_organisation");
    ada.restore(counter, previous);
    let other = ada.envelope_with(vec![item.clone()], |e| e.root.0[0] ^= 1);
    assert_eq!(world.turned_away(&ada, other), "other_root");
    ada.restore(counter, previous);
    let other = ada.envelope_with(vec![item.clone()], |e| e.member = "ben".parse().expect("an id"));
    assert_eq!(world.turned_away(&ada, other), "other_member");
    assert!(world.dump() == before);
    ada.restore(counter, previous);
    assert!(is_accepted(&world.push(&mut ada, vec![item])));
}

/// The counter: a gap is closed by the phone, another envelope under a number used before is a clone.
#[test]
fn envelopes_of_a_device_follow_one_another() {
    let (mut world, mut ada, _, mut replica) = start();
    let (counter, previous) = (ada.counter, ada.previous);
    let one = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let two = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy Yard")]);
    let first = ada.envelope(vec![one.clone()]);
    let second = ada.envelope(vec![two]);
    let answer = world.sync(&ada, vec![second.clone()]);
    assert_eq!((answer.turned_away[0].code.as_str(), answer.turned_away[0].expected), ("counter_gap", Some(2)));
    let answer = world.sync(&ada, vec![first.clone(), second]);
    assert_eq!(world.receipts(&answer).receipts.len(), 2);
    let again = world.sync(&ada, vec![first]);
    assert!(
        matches!(world.receipts(&again).receipts[0].verdict, Verdict::Accepted(_)),
        "the same again: the same answer"
    );

    ada.restore(counter, previous);
    let clone = ada.envelope_with(vec![one.clone()], |e| e.claimed_at += 1);
    assert_eq!(world.turned_away(&ada, clone), "cloned_device");
    ada.restore(counter + 2, ChainHash([9; 32]));
    let other_past = ada.envelope(vec![one]);
    assert_eq!(world.turned_away(&ada, other_past), "cloned_device");
    assert_eq!(world.quarantined("cloned_device"), 2);
}

/// A chunk somebody changed on the way says nothing against its author: nothing is refused, nothing kept.
#[test]
fn a_chunk_that_is_not_the_signed_one_is_sent_again() {
    let (mut world, mut ada, _, mut replica) = start();
    let item = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let good = ada.envelope(vec![item]);
    let mut bad = good.clone();
    bad.chunks[0] = vec![0; 40].into();
    let before = world.store.dump(&[]);
    assert_eq!(world.turned_away(&ada, bad), "chunks");
    let mut none = good.clone();
    none.chunks.clear();
    assert_eq!(world.turned_away(&ada, none), "chunks");
    assert!(world.store.dump(&[]) == before);
    assert!(is_accepted(&world.push_envelope(&ada, good)));
}

/// A change that was signed for one visit does not serve another, as its first or as a later one.
#[test]
fn a_signed_change_filed_under_another_visit_is_refused() {
    let (mut world, mut ada, visit, replica) = start();
    let (other, _) = world.created(&mut ada, "ada", &[]);
    let mut item = ada.edit(&mut replica.clone(), &[Write::set(Key::Company, "Navy")]);
    let Item::Change { visit: filed, .. } = &mut item.item else { panic!("a change") };
    *filed = other;
    refuses(&mut world, &mut ada, item, "actor");

    // With an actor made for the visit it is filed under, the change still builds on what is not there.
    let salt = ada.salt();
    let actor = vestibule_core::document::actor_id(&ada.device.thumbprint, other, &salt);
    let change =
        replica.write(actor, &[Write::set(Key::Company, "Yard")], 1_800_000_000).expect("fits").expect("a change");
    refuses(&mut world, &mut ada, super::pushed(other, &change, salt), "missing_dep");
    let nowhere = world.new_visit();
    let actor = vestibule_core::document::actor_id(&ada.device.thumbprint, nowhere, &salt);
    let first = Replica::empty(visit).write(actor, &usual("ada", &[]), 1_800_000_000).expect("fits").expect("a change");
    refuses(&mut world, &mut ada, super::pushed(nowhere, &first, salt), "wrong_id");
}

/// What it says to replace must be the accepted value of that same key.
#[test]
fn a_foreign_predecessor_is_refused() {
    let (mut world, mut ada, visit, mut replica) = start();
    let salt = ada.salt();
    let item = ada.edit_as(salt, &mut replica, &[Write::set(Key::LastName, "Murray")]);
    let mut bytes = bytes_of(&item);
    // The last column holds the replaced operation's counter, one small number: name the one before it.
    *bytes.last_mut().expect("bytes") -= 1;
    refuses(&mut world, &mut ada, pushed_bytes(visit, resealed(bytes), salt), "foreign_pred");
}

#[test]
fn a_gap_in_the_sequence_is_refused() {
    let (mut world, mut ada, visit, mut replica) = start();
    let salt = ada.salt();
    let item = ada.edit_as(salt, &mut replica, &[Write::set(Key::LastName, "Murray")]);
    let mut bytes = bytes_of(&item);
    let seq = sequence_at(&bytes);
    bytes[seq] = 2;
    refuses(&mut world, &mut ada, pushed_bytes(visit, resealed(bytes), salt), "bad_seq");
}

/// Where the sequence number stands: after header, length, dependencies and actor.
fn sequence_at(bytes: &[u8]) -> usize {
    let length = bytes[9..].iter().position(|byte| byte & 0x80 == 0).expect("a length") + 1;
    let deps = 9 + length;
    let actor = deps + 1 + 32 * usize::from(bytes[deps]);
    actor + 1 + usize::from(bytes[actor])
}

/// Nobody writes under the actor of another's device.
#[test]
fn a_squatted_actor_is_refused() {
    let (mut world, mut ada, visit, replica) = start();
    let mut rosa = world.enrol("rosa");
    let salt = ada.salt();
    let squat = ada.edit_as(salt, &mut replica.clone(), &[Write::set(Key::Company, "Squat")]);
    refuses(&mut world, &mut rosa, squat.clone(), "actor");
    let stolen = rosa.edit(&mut replica.clone(), &[Write::set(Key::Company, "Squat")]);
    let wrong_salt = pushed_bytes(visit, bytes_of(&stolen), salt);
    refuses(&mut world, &mut rosa, wrong_salt, "actor");
    assert!(is_accepted(&world.push(&mut ada, vec![squat])), "the owner's change is not spoilt by a thief's refusal");
}

/// Two changes under one number of one actor: both in the quarantine, what was accepted stays.
#[test]
fn a_cloned_actor_is_found_out() {
    let (mut world, mut ada, _, replica) = start();
    let salt = ada.salt();
    let one = ada.edit_as(salt, &mut replica.clone(), &[Write::set(Key::Company, "Navy")]);
    let two = ada.edit_as(salt, &mut replica.clone(), &[Write::set(Key::Company, "Army")]);
    assert!(is_accepted(&world.push(&mut ada, vec![one])));
    refuses(&mut world, &mut ada, two, "cloned_actor");
    assert_eq!(world.quarantined("cloned_actor"), 2);
}

/// 74 bytes can claim 130 million operations; they are not counted one by one.
#[test]
fn a_change_that_claims_millions_of_operations_is_refused() {
    let (mut world, mut ada, visit, _) = start();
    let salt = ada.salt();
    let actor = vestibule_core::document::actor_id(&ada.device.thumbprint, visit, &salt);
    let millions = [0x80, 0x81, 0xFF, 0x3D];
    let key = [&millions[..], &[1, b'x']].concat();
    let action = [&millions[..], &[1]].concat();
    let mut body = vec![0, 16];
    body.extend(actor.0);
    body.extend([1, 1, 0, 0, 0, 2]);
    body.extend([0x15, u8::try_from(key.len()).expect("short"), 0x42, u8::try_from(action.len()).expect("short")]);
    body.extend(key);
    body.extend(action);
    let bytes = chunk(1, &body);
    refuses(&mut world, &mut ada, pushed_bytes(visit, bytes, salt), "too_many_operations");
}

fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x85, 0x6F, 0x4A, 0x83, 0, 0, 0, 0, kind];
    let mut length = body.len();
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7F).expect("below 128") | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).expect("below 128"));
    bytes.extend(body);
    resealed(bytes)
}

#[test]
fn compressed_oversized_and_garbage_chunks_are_refused() {
    let (mut world, mut ada, visit, mut replica) = start();
    let salt = ada.salt();
    let item = ada.edit_as(salt, &mut replica, &[Write::set(Key::LastName, "Murray")]);
    let mut compressed = bytes_of(&item);
    compressed[8] = 2;
    refuses(&mut world, &mut ada, pushed_bytes(visit, resealed(compressed), salt), "compressed");
    refuses(&mut world, &mut ada, pushed_bytes(visit, chunk(1, &vec![0; 17_000]), salt), "oversized");
    refuses(&mut world, &mut ada, pushed_bytes(visit, vec![0xA5; 60], salt), "garbage");
    let mut trailing = bytes_of(&item);
    trailing.push(0);
    refuses(&mut world, &mut ada, pushed_bytes(visit, resealed(trailing), salt), "trailing_bytes");
    assert!(is_accepted(&world.push(&mut ada, vec![item])));
}

/// The request as a whole: another organisation's, another version's, too large, a revoked device's.
#[test]
fn a_request_that_is_not_for_this_device_is_refused_whole() {
    let (mut world, ada, _, _) = start();
    let mut request = ada.request(Vec::new());
    request.organisation = "other".parse().expect("an id");
    assert!(matches!(world.try_request(&ada, &request), Err(SyncProblem::OtherOrganisation)));
    let mut request = ada.request(Vec::new());
    request.version = 2;
    assert!(matches!(world.try_request(&ada, &request), Err(SyncProblem::Version)));
    let huge = vestibule_core::sync::wire::PushedEnvelope {
        envelope: vec![0; 10].into(),
        chunks: vec![vec![0; 4 << 20].into()],
    };
    assert!(matches!(world.try_sync(&ada, vec![huge]), Err(SyncProblem::TooLarge)));
    let device = ada.device.clone();
    world
        .write(|tx, _, moment| {
            crate::store::devices::revoke(tx, &device.organisation, &device.thumbprint, moment.unix())
        })
        .expect("revoked");
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::SignInAgain)));
}
