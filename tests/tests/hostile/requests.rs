//! Decisions replayed, requests that are not in form, and changes of a visit that is over.

use serde_json::Value;
use vestibule_core::document::{Replica, Write};
use vestibule_core::envelope::{Ask, Item};
use vestibule_core::id::{ChainHash, ChangeHash, VisitId};
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::Key;
use vestibule_tests::attacked::EXAMPLE;
use vestibule_tests::hostile::{Document, Sent};

use crate::scene::{Scene, field, refused, turned_away, visit_with};

fn status(scene: &Scene, visit: VisitId) -> String {
    let visits: Value = serde_json::from_str(&scene.hub.admin(EXAMPLE, &["visits", "--json"])).expect("JSON");
    let id = visit.to_string();
    let found = visits.as_array().expect("a list").iter().find(|listed| listed["id"] == id.as_str());
    found.expect("is listed")["status"].as_str().expect("a status").to_owned()
}

fn contractor(scene: &mut Scene) -> Document {
    scene.invites("ada", &visit_with("ada", &[Write::set(Key::Type, "contractor")]))
}

/// An approval is good for exactly the state its approver saw: after a re-open it is worth nothing, however it is sent.
#[test]
fn an_approval_replayed_after_a_reopening() {
    let mut scene = Scene::with(&["ada", "priya"]);
    let visit = contractor(&mut scene);
    let seen = |scene: &Scene, ask| {
        Sent::ask_having_seen(visit.visit, ask, visit.replica.heads().to_vec(), scene.last_entry(visit.visit))
    };
    let approval = [seen(&scene, Ask::Approve)];
    let Item::Request(said) = approval[0].item.clone() else { panic!("a request") };
    let (http, priya) = scene.sender("priya");
    let sealed = priya.seal(priya.envelope(&approval), &approval);
    let pushed = priya.push(http, vec![sealed.clone()]);
    assert!(matches!(pushed.receipts[0].verdict, Verdict::Accepted(_)), "{:?}", pushed.receipts);
    priya.counted(&sealed);
    scene.hub.settle();
    assert_eq!(status(&scene, visit.visit), "upcoming");
    let again = seen(&scene, Ask::Reopen);
    let (http, priya) = scene.sender("priya");
    assert!(matches!(priya.send(http, &[again])[..], [Verdict::Accepted(_)]));
    scene.hub.settle();
    assert_eq!(status(&scene, visit.visit), "pending");

    // What was said then, as a new request.
    scene.refuses("the approval as a new request", "priya", refused("moved_on"), |http, priya| {
        priya.refused(http, Sent::ask_having_seen(said.visit, Ask::Approve, said.heads.clone(), said.seen))
    });
    // The very envelope again: its old answer, and nothing done.
    let before = scene.hub.dump();
    let replayed = scene.device("priya").push(&scene.hub.http, vec![sealed]);
    assert_eq!(replayed.receipts, pushed.receipts);
    assert_eq!(before.differences(&scene.hub.dump()), Vec::<String>::new());
    // The very request in a new envelope: it was granted once, which it is told; of the visit nothing changes.
    let before = scene.hub.dump().without("envelope");
    let (http, priya) = scene.sender("priya");
    assert_eq!(priya.send(http, &approval), [pushed.receipts[0].verdict.clone()]);
    assert_eq!(before.differences(&scene.hub.dump().without("envelope")), Vec::<String>::new());
    assert_eq!(status(&scene, visit.visit), "pending");
    // The same id with another wish.
    let before = scene.hub.dump().without("envelope");
    let mut other = approval[0].clone();
    if let Item::Request(request) = &mut other.item {
        request.ask = Ask::Reject { reason: None, r#final: true };
        request.seen = scene.last_entry(visit.visit);
    }
    let (http, priya) = scene.sender("priya");
    assert_eq!(priya.send(http, &[other]), [pushed.receipts[0].verdict.clone()]);
    assert_eq!(before.differences(&scene.hub.dump().without("envelope")), Vec::<String>::new());
    assert_eq!(status(&scene, visit.visit), "pending");
}

/// Decisions on a state that is not the present one, whatever is claimed to have been seen.
#[test]
fn decisions_on_another_state() {
    let mut scene = Scene::with(&["ada", "priya", "amir"]);
    let visit = contractor(&mut scene);
    let (id, heads, entry) = (visit.visit, visit.replica.heads().to_vec(), scene.last_entry(visit.visit));
    let rows = [
        ("nothing seen", Vec::new(), ChainHash::ORIGIN),
        ("other heads", vec![ChangeHash([1; 32])], entry),
        ("one head too many", [heads.clone(), vec![ChangeHash([0xFF; 32])]].concat(), entry),
        ("an entry that is not", heads.clone(), ChainHash([1; 32])),
        ("no entry", heads.clone(), ChainHash::ORIGIN),
    ];
    for (attack, heads, seen) in rows {
        scene.refuses(attack, "priya", refused("moved_on"), |http, priya| {
            priya.refused(http, Sent::ask_having_seen(id, Ask::Approve, heads, seen))
        });
    }
    scene.refuses("65 heads", "priya", turned_away("size"), |http, priya| {
        let many = (0..65).map(|n| ChangeHash([n; 32])).collect();
        let items = [Sent::ask_having_seen(id, Ask::Approve, many, entry)];
        priya.push(http, vec![priya.seal(priya.envelope(&items), &items)]).refused()
    });
    let note = [Sent::ask(id, Ask::Note("First".into()))];
    let (http, priya) = scene.sender("priya");
    assert!(matches!(priya.send(http, &note)[..], [Verdict::Accepted(_)]));
    scene.refuses("somebody else's request id", "amir", refused("request_id"), |http, amir| {
        amir.refused(http, note[0].clone())
    });
    scene.refuses("a decision for somebody else", "priya", refused("not_permitted"), |http, priya| {
        let sent = Sent::ask_having_seen(id, Ask::Approve, heads.clone(), entry);
        vestibule_tests::hostile::refused(priya.send_for(http, Some("amir"), &[sent]).remove(0))
    });
}

/// Words of notes and reasons keep the rules of text.
#[test]
fn words_that_are_refused() {
    let mut scene = Scene::with(&["ada", "priya"]);
    let visit = contractor(&mut scene);
    let (id, heads, entry) = (visit.visit, visit.replica.heads().to_vec(), scene.last_entry(visit.visit));
    let reject = |reason: &str| Ask::Reject { reason: Some(reason.into()), r#final: false };
    let long = "x".repeat(2_001);
    let rows = [
        ("a long note", Ask::Note(long.clone()), field("too_long", "note")),
        ("an empty note", Ask::Note(" ".into()), field("required", "note")),
        ("a control character", Ask::Note("a\u{7}b".into()), field("forbidden_character", "note")),
        ("a right-to-left override", Ask::Note("\u{202E}gpj.exe".into()), field("forbidden_character", "note")),
        ("a long reason", reject(&long), field("too_long", "reason")),
        ("an isolate in a reason", reject("\u{2066}x"), field("forbidden_character", "reason")),
    ];
    for (attack, ask, expected) in rows {
        scene.refuses(attack, "priya", expected, |http, priya| {
            priya.refused(http, Sent::ask_having_seen(id, ask, heads.clone(), entry))
        });
    }
    scene.refuses("a note of 17 KB", "priya", turned_away("size"), |http, priya| {
        let items = [Sent::ask(id, Ask::Note("x".repeat(17 << 10)))];
        priya.push(http, vec![priya.seal(priya.envelope(&items), &items)]).refused()
    });
}

/// What is cancelled stays so, and nothing of it changes any more.
#[test]
fn changes_of_a_visit_that_is_over() {
    let mut scene = Scene::with(&["ada", "amir"]);
    let mut visit = scene.invites("ada", &visit_with("ada", &[]));
    let cancelled = visit.write(&[Write::raise(Key::Cancelled)]);
    let (http, ada) = scene.sender("ada");
    assert!(matches!(ada.send(http, &[visit.sent(cancelled.bytes.clone())])[..], [Verdict::Accepted(_)]));
    visit.replica.accept(cancelled).expect("is accepted");
    scene.hub.settle();
    assert_eq!(status(&scene, visit.visit), "cancelled");
    for attacker in ["ada", "amir"] {
        let attack = format!("an edit after the cancellation by {attacker}");
        scene.refuses(&attack, attacker, refused("over"), |http, device| {
            let document = visit.by(device);
            device.refused(http, document.edit(&[Write::set(Key::Email, "new@example.org")]))
        });
    }
    scene.refuses("a second cancellation", "ada", field("written_once", "cancelled"), |http, ada| {
        let document = visit.by(ada);
        let mut twice = document.clone();
        twice.replica = uncancelled(&visit);
        let cancel = twice.write(&[Write::raise(Key::Cancelled)]);
        let live = visit.replica.changes().last().map(|(hash, _)| automerge::ChangeHash(hash.0)).expect("a change");
        let actor = visit.actor;
        let mut change = automerge::Change::from_bytes(cancel.bytes).expect("reads").decode();
        change.deps = vec![live];
        change.start_op = change.start_op.checked_add(1).expect("small");
        let pred = automerge::legacy::OpId(change.start_op.get() - 1, automerge::ActorId::from(&actor.0[..]));
        change.operations[0].pred = vec![pred].into();
        ada.refused(http, document.sent(automerge::Change::from(change).raw_bytes().to_vec()))
    });
    scene.refuses("a deletion after the cancellation", "ada", refused("over"), |http, ada| {
        ada.refused(http, Sent::ask(visit.visit, Ask::Delete))
    });
    assert_eq!(status(&scene, visit.visit), "cancelled");
}

/// The visit as it was before its last change.
fn uncancelled(document: &Document) -> Replica {
    let changes = document.replica.changes();
    let but_last = changes.len() - 1;
    Replica::load(document.visit, changes.take(but_last).map(|(_, bytes)| bytes)).expect("was accepted")
}
