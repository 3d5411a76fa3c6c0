//! Byte for byte what automerge's own transactions write, and readable by any automerge.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, ROOT, ReadDoc};

use super::*;
use crate::document::Value;

/// Makes the same writes in a transaction of automerge; returns its chunk and hash.
fn transact(doc: &mut Automerge, actor: ActorId, first: bool, writes: &[Write]) -> (Vec<u8>, [u8; 32]) {
    doc.set_actor(automerge::ActorId::from(&actor.0[..]));
    let mut tx = doc.transaction();
    if first {
        tx.put(ROOT, "id", visit().to_string()).expect("puts");
    }
    for write in writes {
        match &write.value {
            Some(Value::Text(text)) => tx.put(ROOT, write.key.as_str(), text.as_str()).expect("puts"),
            Some(Value::True) => tx.put(ROOT, write.key.as_str(), true).expect("puts"),
            None => tx.delete(ROOT, write.key.as_str()).expect("deletes"),
        }
    }
    tx.commit_with(CommitOptions::default().with_time(NOW));
    let change = doc.get_last_local_change().expect("just made");
    (change.raw_bytes().to_vec(), change.hash().0)
}

/// performance.md, "Encoding directly": the same bytes and hash as the library's own transaction, for a creation with
/// every key, and edits by the same and by other authors that set, replace, delete, set again and join two heads.
#[test]
fn our_bytes_are_automerges() {
    let everything: Vec<Write> = Key::ALL
        .into_iter()
        .filter(|key| !matches!(key, Key::Id | Key::Deleted))
        .map(|key| match key {
            _ if key.is_flag() => Write::raise(key),
            _ if key.takes("tëxt") => Write::set(key, "tëxt"),
            _ => Write::set(key, of_its_form(key)),
        })
        .collect();
    let edits: [(ActorId, &[Write]); 6] = [
        (ADA, &[Write::set(Key::Company, "Navy")]),
        (BOB, &[Write::set(Key::Company, "Army"), Write::clear(Key::Email), Write::raise(Key::Deleted)]),
        (BOB, &[Write::clear(Key::Company)]),
        (CAT, &[Write::set(Key::Company, "Navy"), Write::set(Key::FirstName, "G."), Write::set(Key::Email, "a@b.ch")]),
        (ADA, &[Write::clear(Key::Phone), Write::clear(Key::Reason), Write::clear(Key::Message)]),
        (BOB, &[Write::set(Key::Message, "one\ntwo"), Write::set(Key::Reason, "😀")]),
    ];
    let (mut ours, mut theirs) = (Replica::empty(visit()), Automerge::new());
    for (n, (actor, writes)) in std::iter::once((ADA, &everything[..])).chain(edits).enumerate() {
        let change = write(&ours, actor, writes);
        let (bytes, hash) = transact(&mut theirs, actor, n == 0, writes);
        assert_eq!(hex::encode(&change.bytes), hex::encode(bytes), "change {n}");
        assert_eq!(change.hash.0, hash, "change {n}");
        accept(&mut ours, &change);
    }

    let mut beside = theirs.fork();
    let mut ours_beside = ours.clone();
    transact(&mut theirs, BOB, false, &[Write::set(Key::Site, "zrh")]);
    transact(&mut beside, CAT, false, &[Write::set(Key::Host, "eve")]);
    theirs.merge(&mut beside).expect("merges");
    let (bob, cat) =
        (write(&ours, BOB, &[Write::set(Key::Site, "zrh")]), write(&ours_beside, CAT, &[Write::set(Key::Host, "eve")]));
    accept(&mut ours, &bob);
    accept(&mut ours, &cat);
    accept(&mut ours_beside, &cat);
    accept(&mut ours_beside, &bob);
    assert_eq!(ours.heads(), ours_beside.heads(), "in either order");
    let join = [Write::set(Key::Host, "bob"), Write::set(Key::Site, "ber")];
    let (bytes, _) = transact(&mut theirs, ADA, false, &join);
    assert_eq!(hex::encode(&write(&ours, ADA, &join).bytes), hex::encode(bytes), "on two heads");
}

/// An export is a standard document: automerge loads it, with the same heads, history and values; ours loads back.
#[test]
fn any_automerge_opens_an_export() {
    let mut replica = made();
    let edit = write(&replica, BOB, &[Write::set(Key::FirstName, "G."), Write::clear(Key::Email)]);
    accept(&mut replica, &edit);
    let checked = replica.export().expect("exports");
    let reloaded = Replica::load(visit(), replica.changes().map(|(_, bytes)| bytes)).expect("loads");
    assert_eq!(reloaded.export().expect("exports"), checked, "with or without a document at hand");

    let doc = Automerge::load(&checked).expect("a standard document");
    assert_eq!(doc.get_heads().iter().map(|head| head.0).collect::<Vec<_>>(), [replica.heads()[0].0]);
    let (value, _) = doc.get(ROOT, "first_name").expect("reads").expect("is there");
    assert_eq!(value.as_str(), Some("G."));
    assert_eq!(doc.keys(ROOT).count(), replica.values().count());
    let bytes: Vec<_> = doc.get_changes(&[]).iter().map(|change| change.raw_bytes().to_vec()).collect();
    let back = Replica::load(visit(), bytes.iter().map(Vec::as_slice)).expect("loads");
    assert!(back.values().eq(replica.values()));
}
