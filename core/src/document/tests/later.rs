//! Keys of a later version: what the hub accepted is kept and goes on, what a phone brings is refused.

use automerge::{Automerge, ROOT, ReadDoc, ScalarValue};

use super::*;
use crate::document::Value;
use crate::reader::What;
use crate::reader::older::Older;

/// A change as a later version would write it: Bob's, of a company and a key that is not known here.
fn later_change(replica: &Replica, value: impl Into<ScalarValue>, pred: Vec<legacy::OpId>) -> Vec<u8> {
    let edit = write(replica, BOB, &[Write::set(Key::Company, "Navy")]);
    altered(&edit, |c| c.operations.insert(0, put("badge_colour", value, pred)))
}

fn read(bytes: &[u8]) -> ParsedChange {
    ParsedChange::read(bytes).expect("reads")
}

/// The rest of the visit is shown, later edits go on top and are fit for the hub, and an export holds the value.
#[test]
fn an_accepted_key_that_is_not_known_is_kept() {
    let mut replica = made();
    let bytes = later_change(&replica, "blue", vec![]);
    let change = read(&bytes);
    assert_eq!(change.later.iter().map(|op| op.key.as_str()).collect::<Vec<_>>(), ["badge_colour"]);
    let hash = change.hash;
    replica.accept(change).expect("fits");
    assert!(replica.is_later(&hash));
    assert_eq!(replica.value(Key::Company).and_then(Value::as_text), Some("Navy"));
    // Its operations are counted as they stand: the company is the second of them.
    let edit = write(&replica, ADA, &[Write::set(Key::Company, "Army")]);
    accept(&mut replica, &edit);
    let exported = Automerge::load(&replica.export().expect("exports")).expect("loads");
    let colour = exported.get(ROOT, "badge_colour").expect("reads").expect("is there").0;
    assert_eq!(colour.as_str(), Some("blue"));
    let again = Replica::load(visit(), replica.changes().map(|(_, bytes)| bytes)).expect("loads");
    assert_eq!(again.heads(), replica.heads());
}

/// Nobody can judge it: not taken from its author.
#[test]
fn a_key_that_is_not_known_is_refused_from_its_author() {
    let replica = made();
    assert_eq!(refusal(&replica, &later_change(&replica, "blue", vec![])), Refusal::UnknownKey);
    let first = write(&Replica::empty(visit()), ADA, &[Write::set(Key::FirstName, "Grace")]);
    let first = altered(&first, |c| c.operations.push(put("note", "seen by all", vec![])));
    assert_eq!(refusal(&Replica::empty(visit()), &first), Refusal::UnknownKey);
}

/// Any scalar is a value; what is none, and a name we would not give, is not.
#[test]
fn a_later_value_is_any_scalar() {
    let replica = made();
    let with = |value: ScalarValue| ParsedChange::read(&later_change(&replica, value, vec![])).map(|_| ());
    for value in [
        ScalarValue::Null,
        false.into(),
        true.into(),
        (-5_i64).into(),
        5_u64.into(),
        1.5.into(),
        ScalarValue::Bytes(vec![65; 300]),
        ScalarValue::Timestamp(5),
        ScalarValue::counter(5),
        "".into(),
        "two\nlines".into(),
    ] {
        assert_eq!(with(value.clone()), Ok(()), "{value:?}");
    }
    let edit = write(&replica, BOB, &[Write::set(Key::Company, "Navy")]);
    let alter = |op: legacy::Op| ParsedChange::read(&altered(&edit, |c| c.operations.push(op))).map(|_| ());
    for name in ["", "Badge", "badge colour", "grüße", "\u{202e}", &"b".repeat(65)] {
        assert_eq!(alter(put(name, "x", vec![])), Err(Refusal::UnknownKey), "{name}");
    }
    let mut made = put("badge", "x", vec![]);
    made.action = legacy::OpType::Make(automerge::ObjType::Map);
    assert_eq!(alter(made), Err(Refusal::BadAction));
    let mut counted = put("badge", "x", vec![]);
    counted.action = legacy::OpType::Increment(1);
    assert_eq!(alter(counted), Err(Refusal::BadAction));
    let mut deleted = put("badge", "x", vec![]);
    deleted.action = legacy::OpType::Delete;
    assert_eq!(alter(deleted), Err(Refusal::BadAction), "a deletion of nothing");
    let twice = altered(&edit, |c| c.operations.extend([put("badge", "x", vec![]), put("badge", "y", vec![])]));
    assert_eq!(ParsedChange::read(&twice).map(|_| ()), Err(Refusal::RepeatedLaterKey));
    let many = altered(&edit, |c| c.operations.extend((0..64).map(|n| put(&format!("key_{n}"), "x", vec![]))));
    assert_eq!(ParsedChange::read(&many).map(|_| ()), Err(Refusal::TooManyOperations));
}

/// The history of a key is a chain, whether it is known here or not.
#[test]
fn a_later_key_has_one_history() {
    let mut replica = made();
    let first = read(&later_change(&replica, "blue", vec![]));
    let blue = op_id(first.start_op, BOB);
    replica.accept(first).expect("fits");
    let on_top = |replica: &Replica, pred: Vec<legacy::OpId>| {
        let edit = write(replica, CAT, &[Write::set(Key::Phone, "1")]);
        read(&altered(&edit, |c| c.operations.push(put("badge_colour", "red", pred))))
    };
    let mut taken = replica.clone();
    let red = on_top(&replica, vec![blue.clone()]);
    taken.accept(red).expect("replaces what is there");
    assert_eq!(replica.clone().accept(on_top(&replica, vec![])), Err(Refusal::Stale));
    assert_eq!(replica.clone().accept(on_top(&replica, vec![op_id(1, ADA)])), Err(Refusal::ForeignLaterPred));
    let edit = write(&taken, ADA, &[Write::set(Key::PacsId, "1")]);
    let stale = read(&altered(&edit, |c| c.operations.push(put("badge_colour", "green", vec![blue]))));
    assert_eq!(taken.accept(stale), Err(Refusal::Stale), "replaced before");
}

/// An older reader sees what a newer one does, but for the key it lacks.
#[test]
fn an_older_reader_agrees_on_the_rest() {
    let mut replica = made();
    let change = write(&replica, BOB, &[Write::set(Key::Language, "de-CH"), Write::set(Key::Company, "Navy")]);
    replica.accept(change).expect("fits");
    let older = Older::lacking(&[What::Key("language")]);
    let mut seen = Replica::load(visit(), replica.changes().map(|(_, bytes)| bytes)).expect("loads");
    assert_eq!((seen.heads(), seen.value(Key::Language)), (replica.heads(), None));
    assert!(seen.values().eq(replica.values().filter(|(key, _)| *key != Key::Language)));
    let edit = write(&seen, ADA, &[Write::set(Key::Company, "Army")]);
    accept(&mut seen, &edit);
    drop(older);
    accept(&mut replica, &edit);
    assert_eq!(replica.value(Key::Language).and_then(Value::as_text), Some("de-CH"));
}

/// What is written here has its key's form; what was accepted in another is not lost for it.
#[test]
fn carried_values_have_their_form_when_written() {
    let empty = Replica::empty(visit());
    for (key, wrong) in [
        (Key::Language, "German language"),
        (Key::Language, "de_CH"),
        (Key::Series, "spring"),
        (Key::Occurrence, "2027-02-30"),
        (Key::Import, "row 17"),
    ] {
        assert_eq!(empty.write(ADA, &[Write::set(key, wrong)], NOW), Err(Refusal::BadValue { key }), "{wrong}");
        let right = empty.write(ADA, &[Write::set(key, of_its_form(key))], NOW);
        assert!(right.is_ok(), "{key}");
    }
    let edit = write(&made(), BOB, &[Write::set(Key::Language, "de-CH")]);
    let wrong = altered(&edit, |c| c.operations = vec![put("language", "de_CH", vec![])]);
    let mut replica = made();
    replica.accept(read(&wrong)).expect("is kept");
    assert_eq!(replica.value(Key::Language).and_then(Value::as_text), Some("de_CH"));
}
