//! A change against the accepted history: its place, what it replaces, and who is stale.

use super::*;
use crate::document::{MAX_CHANGES, MAX_DEPS, MAX_HEADS, Value};

fn stale(replica: &Replica, change: &ParsedChange) -> Vec<Key> {
    match check(replica, &change.bytes).expect("breaks no rule") {
        Verdict::Stale { keys, heads } => {
            assert_eq!(heads, replica.heads(), "the receipt says what to build on");
            keys
        }
        Verdict::Fits(_) => panic!("fits"),
    }
}

fn text(replica: &Replica, key: Key) -> Option<&str> {
    replica.value(key).and_then(Value::as_text)
}

#[test]
fn a_visit_is_made_edited_and_read_back() {
    let mut replica = made();
    let writes = [Write::set(Key::Company, "Navy"), Write::clear(Key::Email), Write::raise(Key::Cancelled)];
    let edit = write(&replica, BOB, &writes);
    accept(&mut replica, &edit);
    assert_eq!(text(&replica, Key::Company), Some("Navy"));
    assert_eq!(replica.value(Key::Email), None);
    assert_eq!(replica.value(Key::Cancelled), Some(&Value::True));
    assert_eq!(text(&replica, Key::Id), Some(visit().to_string().as_str()));

    let again = Replica::load(visit(), replica.changes().map(|(_, bytes)| bytes)).expect("loads");
    assert_eq!(again.heads(), replica.heads());
    assert!(again.values().eq(replica.values()));
    assert_eq!((again.len(), again.is_empty()), (2, false));
}

/// A write of what already stands makes no change: a replayed intent costs nothing.
#[test]
fn a_write_that_changes_nothing_is_skipped() {
    let replica = made();
    let same =
        [Write::set(Key::FirstName, "Grace"), Write::clear(Key::Company), Write::set(Key::Id, visit().to_string())];
    assert_eq!(replica.write(BOB, &same, NOW), Ok(None));
    let edit = write(&replica, BOB, &[Write::set(Key::FirstName, "Grace"), Write::set(Key::LastName, "H.")]);
    assert_eq!(edit.ops.iter().map(|op| op.key).collect::<Vec<_>>(), [Key::LastName]);
    let twice = [Write::set(Key::Company, "a"), Write::set(Key::Company, "b")];
    assert_eq!(replica.write(BOB, &twice, NOW), Err(Refusal::RepeatedKey { key: Key::Company }));
}

/// Change profile: concurrent edits of different keys both fit; of one key the second is stale, and once replayed it
/// fits.
#[test]
fn two_edits_meet() {
    let mut replica = made();
    let base = replica.clone();
    let bob = write(&base, BOB, &[Write::set(Key::FirstName, "G.")]);
    let cat = write(&base, CAT, &[Write::set(Key::Company, "Navy")]);
    let late = write(&base, ActorId([3; 16]), &[Write::set(Key::FirstName, "Amazing"), Write::set(Key::Phone, "1")]);
    accept(&mut replica, &bob);
    accept(&mut replica, &cat);
    assert_eq!(replica.heads().len(), 2);
    assert_eq!(stale(&replica, &late), [Key::FirstName]);

    let replayed = write(&replica, ActorId([4; 16]), &[Write::set(Key::FirstName, "Amazing")]);
    assert_eq!(replayed.deps, replica.heads());
    accept(&mut replica, &replayed);
    assert_eq!(text(&replica, Key::FirstName), Some("Amazing"));
    assert_eq!(replica.heads().len(), 1);
}

/// A key that came or went meanwhile makes an edit of it stale as well.
#[test]
fn a_key_that_came_or_went_is_stale() {
    let mut replica = made();
    let base = replica.clone();
    let change = write(&base, BOB, &[Write::set(Key::Company, "Navy"), Write::clear(Key::Email)]);
    accept(&mut replica, &change);
    let both = write(&base, CAT, &[Write::set(Key::Company, "Army"), Write::set(Key::Email, "g@example.org")]);
    assert_eq!(stale(&replica, &both), [Key::Company, Key::Email]);
    let gone = write(&base, CAT, &[Write::clear(Key::Email)]);
    assert_eq!(stale(&replica, &gone), [Key::Email]);
    // Deleted and set again: the key's history goes on.
    let change = write(&replica, CAT, &[Write::set(Key::Email, "new@example.org")]);
    accept(&mut replica, &change);
    assert_eq!(text(&replica, Key::Email), Some("new@example.org"));
}

/// Change profile: `pred` is exactly the live accepted operation of that same key, which the change builds on.
#[test]
fn a_foreign_pred_is_refused() {
    let mut replica = made();
    let base = replica.clone();
    let edit = write(&replica, BOB, &[Write::set(Key::LastName, "H.")]);
    let foreign = Refusal::ForeignPred { key: Key::LastName };
    let with = |replica: &Replica, pred: Vec<legacy::OpId>| {
        refusal(replica, &altered(&edit, |c| c.operations[0].pred = pred.into()))
    };
    assert_eq!(with(&replica, vec![op_id(2, ADA)]), foreign, "the operation of the first name");
    assert_eq!(with(&replica, vec![op_id(99, ADA)]), foreign, "an operation that does not exist");
    assert_eq!(with(&replica, vec![op_id(3, CAT)]), foreign, "somebody who has written nothing");
    assert_eq!(with(&replica, vec![op_id(2, ADA), op_id(3, ADA)]), foreign, "two at once");

    // Bob's edit is live, but a change that depends on the first one only cannot know it.
    accept(&mut replica, &edit);
    let bobs = op_id(edit.start_op, BOB);
    let unseen = write(&base, CAT, &[Write::set(Key::LastName, "Hop")]);
    let unseen = altered(&unseen, |c| c.operations[0].pred = vec![bobs].into());
    assert_eq!(refusal(&replica, &unseen), foreign);

    let first = altered(&write(&Replica::empty(visit()), CAT, &[Write::set(Key::LastName, "x")]), |c| {
        c.operations[1].pred = vec![op_id(1, ADA)].into();
    });
    assert_eq!(refusal(&Replica::empty(visit()), &first), foreign);
}

/// Change profile: `seq` is the actor's next. Another change of a number already taken proves a clone.
#[test]
fn a_gap_or_a_repeat_in_seq_is_refused() {
    let mut replica = made();
    let edit = write(&replica, ADA, &[Write::set(Key::Company, "Navy")]);
    assert_eq!(edit.seq, 2);
    assert_eq!(refusal(&replica, &altered(&edit, |c| c.seq = 3)), Refusal::BadSeq);
    assert_eq!(refusal(&replica, &altered(&edit, |c| c.seq = 1)), Refusal::SeqReused);
    let others = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    assert_eq!(refusal(&replica, &altered(&others, |c| c.seq = 2)), Refusal::BadSeq);
    accept(&mut replica, &edit);
    assert_eq!(refusal(&replica, &edit.bytes), Refusal::Already);
    assert_eq!(refusal(&replica, &altered(&edit, |c| c.time += 1)), Refusal::SeqReused);
}

/// An author's change that does not build on the one before would number its operations like it.
#[test]
fn an_author_builds_on_its_own_work() {
    let mut replica = made();
    let base = replica.clone();
    let first = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    accept(&mut replica, &first);
    let beside = write(&base, BOB, &[Write::set(Key::Phone, "1")]);
    assert_eq!(refusal(&replica, &altered(&beside, |c| c.seq = 2)), Refusal::BadSeq);
}

/// Change profile: `startOp` is 1 + the largest of the dependencies.
#[test]
fn operations_are_counted_from_the_dependencies() {
    let replica = made();
    let edit = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    for start in [1, edit.start_op - 1, edit.start_op + 1, u64::from(u32::MAX)] {
        let start = start.try_into().expect("not zero");
        assert_eq!(refusal(&replica, &altered(&edit, |c| c.start_op = start)), Refusal::BadStartOp);
    }
}

/// Change profile: every dependency is accepted in the same document.
#[test]
fn a_missing_dependency_is_refused() {
    let replica = made();
    let mut ahead = replica.clone();
    let first = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    accept(&mut ahead, &first);
    let second = write(&ahead, BOB, &[Write::set(Key::Company, "Army")]);
    assert_eq!(refusal(&replica, &second.bytes), Refusal::MissingDep);
    assert_eq!(refusal(&Replica::empty(visit()), &second.bytes), Refusal::MissingDep);
}

/// Change profile: exactly one change without dependencies, which sets this document's `id`; nobody ever writes it
/// again.
#[test]
fn the_first_change_names_the_document_and_stays_alone() {
    let (empty, replica) = (Replica::empty(visit()), made());
    let root = write(&empty, BOB, &[Write::set(Key::FirstName, "Eve")]);
    assert_eq!(refusal(&replica, &root.bytes), Refusal::SecondRoot);
    assert_eq!(refusal(&empty, &altered(&root, |c| drop(c.operations.remove(0)))), Refusal::NoId);
    let other = Replica::empty(VisitId::from_parts(1, [9; 10]));
    assert_eq!(refusal(&other, &root.bytes), Refusal::WrongId);
    assert_eq!(replica.write(ADA, &[Write::set(Key::Id, "x")], NOW), Err(Refusal::WrongId));
    assert_eq!(replica.write(ADA, &[Write::clear(Key::Id)], NOW), Err(Refusal::WrongId));

    let edit = write(&replica, BOB, &[Write::set(Key::Company, "x")]);
    let again = altered(&edit, |c| c.operations = vec![put("id", visit().to_string().as_str(), vec![op_id(1, ADA)])]);
    assert_eq!(refusal(&replica, &again), Refusal::WrittenOnce { key: Key::Id });
}

/// `cancelled` and `deleted` are raised once and never lowered; what a visit is and where it comes
/// from stands in the first change or nowhere.
#[test]
fn what_is_written_once_stays() {
    let mut replica = made();
    for key in [Key::Previous, Key::Source, Key::Booking, Key::Series, Key::Occurrence, Key::Import] {
        assert_eq!(replica.write(BOB, &[Write::set(key, of_its_form(key))], NOW), Err(Refusal::WrittenOnce { key }));
    }
    let base = replica.clone();
    let cancel = write(&replica, BOB, &[Write::raise(Key::Cancelled)]);
    let raised = op_id(cancel.start_op, BOB);
    accept(&mut replica, &cancel);
    let once = Refusal::WrittenOnce { key: Key::Cancelled };
    assert_eq!(replica.write(ADA, &[Write::clear(Key::Cancelled)], NOW), Err(once));
    assert_eq!(replica.write(ADA, &[Write::raise(Key::Cancelled)], NOW), Ok(None));
    let edit = write(&replica, ADA, &[Write::set(Key::Company, "x")]);
    let twice = altered(&edit, |c| c.operations = vec![put("cancelled", true, vec![raised])]);
    assert_eq!(refusal(&replica, &twice), once);
    let at_once = write(&base, CAT, &[Write::raise(Key::Cancelled)]);
    assert_eq!(stale(&replica, &at_once), [Key::Cancelled], "two who cancel: the second has nothing left to do");
}

/// The actor is the one the envelope vouches for.
#[test]
fn another_devices_actor_is_refused() {
    let replica = made();
    let edit = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    assert_eq!(replica.check(edit, &CAT).expect_err("is refused"), Refusal::Actor);
}

/// Re-encoding gives the same hash: another way to write the same runs is not taken.
#[test]
fn another_encoding_of_the_same_change_is_refused() {
    let replica = Replica::empty(visit());
    let change = write(&replica, ADA, &[Write::set(Key::FirstName, "Grace")]);
    // Two set actions: automerge writes one run `02 01`; we write a literal of two, `7e 01 01`.
    let body = body(&change.bytes);
    let columns = body.windows(2).position(|pair| pair == [0x42, 2]).expect("the action column");
    let data = body.windows(3).rposition(|run| run == [2, 2, 1]).expect("insert, then the run") + 1;
    let mut longer = body.clone();
    longer[columns + 1] = 3;
    longer.splice(data..data + 2, [0x7E, 1, 1]);
    let bytes = chunk(1, &longer);
    let read = ParsedChange::read(&bytes).expect("it says the same");
    assert_eq!(read.ops, change.ops);
    assert_ne!(read.hash, change.hash);
    assert!(automerge::Change::from_bytes(bytes.clone()).is_ok(), "automerge takes it");
    assert_eq!(refusal(&replica, &bytes), Refusal::NotCanonical);
}

/// A change may depend on 8, one of them its author's previous one, so a document may have 7 heads: one more is stale,
/// with no key to ask about.
#[test]
fn heads_can_always_be_joined() {
    let mut replica = made();
    let base = replica.clone();
    let keys = [
        Key::FirstName,
        Key::LastName,
        Key::Company,
        Key::Email,
        Key::Phone,
        Key::PacsId,
        Key::Site,
        Key::Host,
        Key::Reason,
    ];
    for (n, key) in (1_u8..).zip(keys) {
        let change = write(&base, ActorId([n; 16]), &[Write::set(key, "x")]);
        if usize::from(n) <= MAX_HEADS {
            accept(&mut replica, &change);
        } else {
            assert_eq!(stale(&replica, &change), []);
        }
    }
    assert_eq!(replica.heads().len(), MAX_HEADS);
    let joined = write(&replica, ADA, &[Write::set(Key::Reason, "x")]);
    assert_eq!(joined.deps.len(), MAX_DEPS, "the heads and Ada's first change");
    accept(&mut replica, &joined);
    assert_eq!(replica.heads().len(), 1);
}

/// Limits: 1,000 changes a visit.
#[test]
fn a_visit_has_a_thousand_changes() {
    let mut replica = made();
    while replica.len() < MAX_CHANGES {
        let company = format!("{}", replica.len());
        let change = write(&replica, BOB, &[Write::set(Key::Company, company)]);
        replica.accept(change).expect("fits");
    }
    assert_eq!(replica.write(BOB, &[Write::set(Key::Company, "x")], NOW), Err(Refusal::TooManyChanges));
}

/// A change that was checked against an older state is judged again when it is applied.
#[test]
fn what_was_checked_too_early_is_judged_again() {
    let mut replica = made();
    let fits = |change: &ParsedChange| match check(&replica, &change.bytes) {
        Ok(Verdict::Fits(checked)) => checked,
        other => panic!("{other:?}"),
    };
    let first = fits(&write(&replica, BOB, &[Write::set(Key::Company, "Navy")]));
    let same = fits(&write(&replica, CAT, &[Write::set(Key::Company, "Army")]));
    let beside = fits(&write(&replica, CAT, &[Write::set(Key::Phone, "1")]));
    replica.apply(first).expect("fits");
    assert_eq!(replica.apply(same), Err(Refusal::Stale));
    replica.apply(beside).expect("another key");
    assert_eq!((text(&replica, Key::Company), text(&replica, Key::Phone)), (Some("Navy"), Some("1")));
    let change = write(&replica, ADA, &[Write::set(Key::Reason, "tea")]);
    accept(&mut replica, &change);
}

/// A new host gets the values as they are and nothing from before.
#[test]
fn a_fresh_base_has_no_past() {
    let mut replica = made();
    let edit = write(&replica, BOB, &[Write::set(Key::FirstName, "G."), Write::clear(Key::Email)]);
    accept(&mut replica, &edit);
    let base = replica.fresh_base(CAT, NOW).expect("fits");
    assert!(base.deps.is_empty());
    for gone in ["Grace", "grace@example.org"] {
        assert!(!base.bytes.windows(gone.len()).any(|window| window == gone.as_bytes()), "{gone}");
    }
    let mut fresh = Replica::empty(visit());
    accept(&mut fresh, &base);
    assert!(fresh.values().eq(replica.values()));
    assert_eq!(Replica::empty(visit()).fresh_base(CAT, NOW), Err(Refusal::NoId));
}

/// Every refusal has its own stable code in `snake_case`.
#[test]
fn codes_are_told_apart() {
    let key = Key::Email;
    let all = [
        Refusal::Garbage,
        Refusal::Compressed,
        Refusal::Oversized,
        Refusal::TooManyOperations,
        Refusal::NoOperations,
        Refusal::TooManyDeps,
        Refusal::TrailingBytes,
        Refusal::ExtraBytes,
        Refusal::Message,
        Refusal::NotRoot,
        Refusal::UnknownKey,
        Refusal::RepeatedKey { key },
        Refusal::BadAction,
        Refusal::BadValue { key },
        Refusal::TooLong { key },
        Refusal::Text { key },
        Refusal::BadTime,
        Refusal::Actor,
        Refusal::MissingDep,
        Refusal::BadSeq,
        Refusal::SeqReused,
        Refusal::BadStartOp,
        Refusal::SecondRoot,
        Refusal::NoId,
        Refusal::WrongId,
        Refusal::WrittenOnce { key },
        Refusal::ForeignPred { key },
        Refusal::Stale,
        Refusal::TooManyChanges,
        Refusal::Already,
        Refusal::NotCanonical,
        Refusal::DoesNotLoad,
        Refusal::Differs,
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(|refusal| refusal.code()).collect();
    assert_eq!(codes.len(), all.len());
    assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
}
