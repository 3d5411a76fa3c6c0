//! The reader alone: what is refused before automerge sees a byte.

use super::*;
use crate::document::{MAX_CHANGE_BYTES, Value, actor_id};
use crate::id::{ActorSalt, Thumbprint};

fn read(bytes: &[u8]) -> Refusal {
    ParsedChange::read(bytes).expect_err("is refused")
}

fn creation() -> ParsedChange {
    write(&Replica::empty(visit()), ADA, &[Write::set(Key::FirstName, "Grace")])
}

/// Dependencies, actor, seq, start, time, no message, no other actors: all before the columns.
fn head() -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend(ADA.0);
    body.extend([1, 1, 0, 0, 0]);
    body
}

fn with_columns(columns: &[(u32, &[u8])]) -> Vec<u8> {
    let mut body = head();
    uleb(columns.len() as u64, &mut body);
    for (spec, bytes) in columns {
        uleb(u64::from(*spec), &mut body);
        uleb(bytes.len() as u64, &mut body);
    }
    for (_, bytes) in columns {
        body.extend(*bytes);
    }
    chunk(1, &body)
}

/// Change profile: at most 64 operations by the run lengths. These 74 bytes claim 134 million of them.
#[test]
fn a_small_change_may_not_claim_millions_of_operations() {
    let run = [0x80, 0x80, 0x80, 0xC0, 0x00];
    let key = [&run[..], &[1, b'x']].concat();
    let action = [&run[..], &[1]].concat();
    let meta = [&run[..], &[0]].concat();
    let bytes = with_columns(&[(0x15, &key), (0x34, &[0x80, 0x80, 0x80, 0x40]), (0x42, &action), (0x56, &meta)]);
    assert!(bytes.len() < 80, "{} bytes", bytes.len());
    assert_eq!(read(&bytes), Refusal::TooManyOperations);
}

/// A run of `i64::MIN`, which has no positive counterpart, and one that adds up past the end of a number.
#[test]
fn extreme_run_lengths_are_counted_without_overflow() {
    let least = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F];
    let most = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00];
    for run in [&least[..], &[&most[..], &[1]].concat(), &[&[1, 1], &most[..], &[1]].concat()] {
        assert_eq!(read(&with_columns(&[(0x42, run)])), Refusal::TooManyOperations);
    }
    let nulls = [&[0][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]].concat();
    assert_eq!(read(&with_columns(&[(0x42, &nulls)])), Refusal::TooManyOperations);
}

/// Change profile: 64 operations pass the count, 65 do not.
#[test]
fn the_limit_of_operations_is_64() {
    let nothing_else = |count: u8| {
        let sleb = if count < 64 { vec![count] } else { vec![count | 0x80, 0] };
        with_columns(&[(0x34, &[count]), (0x42, &[&sleb[..], &[1]].concat())])
    };
    assert_eq!(read(&nothing_else(65)), Refusal::TooManyOperations);
    assert_eq!(read(&nothing_else(64)), Refusal::Garbage, "64 are counted, but have no keys");
}

/// Change profile: uncompressed chunks only, at both levels automerge compresses.
#[test]
fn a_compressed_change_is_refused() {
    let long = "x".repeat(2_000);
    let change = write(&Replica::empty(visit()), ADA, &[Write::set(Key::Message, long.as_str())]);
    let mut theirs = automerge::Change::from_bytes(change.bytes).expect("automerge reads it");
    assert_eq!(read(&theirs.bytes()), Refusal::Compressed);
    assert_eq!(read(&with_columns(&[(0x15 | 8, &[1])])), Refusal::Compressed);
}

/// Change profile: at most 16 KB, whatever is inside.
#[test]
fn an_oversized_change_is_refused() {
    assert_eq!(read(&vec![0; MAX_CHANGE_BYTES + 1]), Refusal::Oversized);
    let big = "😀".repeat(2_000);
    let writes = [
        Write::set(Key::Message, big.as_str()),
        Write::set(Key::Reason, big.as_str()),
        Write::set(Key::FirstName, &*"😀".repeat(200)),
    ];
    assert_eq!(Replica::empty(visit()).write(ADA, &writes, NOW), Err(Refusal::Oversized));
}

/// Change profile: nothing after the chunk, and nothing in it after the columns.
#[test]
fn trailing_and_extra_bytes_are_refused() {
    let change = creation();
    assert_eq!(read(&[&change.bytes[..], &[0]].concat()), Refusal::TrailingBytes);
    assert_eq!(read(&[&change.bytes[..], &change.bytes[..]].concat()), Refusal::TrailingBytes);
    assert_eq!(read(&altered(&change, |c| c.extra_bytes = vec![1, 1, 65])), Refusal::ExtraBytes);
}

#[test]
fn a_message_is_refused() {
    assert_eq!(read(&altered(&creation(), |c| c.message = Some("hello".into()))), Refusal::Message);
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let bytes = creation().bytes;
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]), Refusal::Garbage, "cut at {end}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(ParsedChange::read(&flipped).is_err(), "bit {bit}");
    }
}

/// Change profile: at most 8 dependencies, each once, in order; a claim of more is not allocated.
#[test]
fn dependencies_are_few_and_ascending() {
    let mut many = vec![9];
    many.extend(vec![1; 9 * 32]);
    many.extend(&body(&creation().bytes)[1..]);
    assert_eq!(read(&chunk(1, &many)), Refusal::TooManyDeps);
    assert_eq!(read(&chunk(1, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1])), Refusal::TooManyDeps);
    let mut twice = vec![2];
    twice.extend(vec![1; 2 * 32]);
    twice.extend(&body(&creation().bytes)[1..]);
    assert_eq!(read(&chunk(1, &twice)), Refusal::NotCanonical);
}

/// Change profile: scalars at the root, under known keys, set or deleted.
#[test]
fn only_known_keys_of_the_root_are_written() {
    let change = creation();
    let with = |op: legacy::Op| read(&altered(&change, |c| c.operations.push(op)));
    assert_eq!(with(put("first_name", "again", vec![])), Refusal::RepeatedKey { key: Key::FirstName });

    let mut within = put("company", "x", vec![]);
    within.obj = legacy::ObjectId::Id(op_id(1, ADA));
    assert_eq!(with(within), Refusal::NotRoot);
    let mut element = put("company", "x", vec![]);
    element.key = legacy::Key::Seq(legacy::ElementId::Head);
    assert_eq!(with(element), Refusal::NotRoot);
    let mut inserted = put("company", "x", vec![]);
    inserted.insert = true;
    assert_eq!(with(inserted), Refusal::NotRoot);
    for action in [
        legacy::OpType::Make(automerge::ObjType::Map),
        legacy::OpType::Make(automerge::ObjType::Text),
        legacy::OpType::Make(automerge::ObjType::List),
    ] {
        let mut made = put("company", "x", vec![]);
        made.action = action;
        assert_eq!(with(made), Refusal::BadAction);
    }
    let mut counted = put("company", "x", vec![]);
    counted.action = legacy::OpType::Increment(1);
    assert_eq!(with(counted), Refusal::BadAction);
    let mut marked = put("company", "x", vec![]);
    marked.action = legacy::OpType::MarkEnd(true);
    assert_eq!(with(marked), Refusal::NotRoot);
}

/// A key never changes its type; a cleared value deletes its key, so no text is empty.
#[test]
fn values_are_of_their_keys_type() {
    use automerge::ScalarValue;
    let change = creation();
    let with = |key: &str, value: ScalarValue| read(&altered(&change, |c| c.operations.push(put(key, value, vec![]))));
    let company = Refusal::BadValue { key: Key::Company };
    for value in [
        ScalarValue::Null,
        true.into(),
        5_i64.into(),
        5_u64.into(),
        1.5.into(),
        ScalarValue::Bytes(vec![65]),
        ScalarValue::Timestamp(5),
        ScalarValue::counter(5),
        "".into(),
    ] {
        assert_eq!(with("company", value.clone()), company, "{value:?}");
    }
    let cancelled = Refusal::BadValue { key: Key::Cancelled };
    for value in [false.into(), "true".into(), ScalarValue::Null] {
        assert_eq!(with("cancelled", value), cancelled);
    }
    let empty = Replica::empty(visit());
    assert_eq!(empty.write(ADA, &[Write::set(Key::Company, "")], NOW), Err(company));
    assert_eq!(empty.write(ADA, &[Write::raise(Key::Company)], NOW), Err(company));
    assert_eq!(empty.write(ADA, &[Write::set(Key::Cancelled, "yes")], NOW), Err(cancelled));
}

/// Text: the length counts characters, not bytes, and what misleads a reader is refused (`formats.md`, Text).
#[test]
fn texts_keep_their_limits() {
    let change = creation();
    let with = |key: &str, value: &str| {
        ParsedChange::read(&altered(&change, |c| c.operations.push(put(key, value, vec![])))).map(|_| ())
    };
    assert_eq!(with("company", &"é".repeat(200)), Ok(()));
    assert_eq!(with("company", &"é".repeat(201)), Err(Refusal::TooLong { key: Key::Company }));
    assert_eq!(with("message", "one\ntwo"), Ok(()));
    assert_eq!(with("company", "one\ntwo"), Err(Refusal::Text { key: Key::Company }));
    assert_eq!(with("message", "\u{202E}gpj.exe"), Err(Refusal::Text { key: Key::Message }));
    assert_eq!(with("company", "👩‍👩‍👧 Zoë"), Ok(()));
}

#[test]
fn numbers_out_of_range_are_refused() {
    let change = creation();
    assert_eq!(read(&altered(&change, |c| c.seq = 0)), Refusal::BadSeq);
    let far = std::num::NonZeroU64::new(1 << 33).expect("not zero");
    assert_eq!(read(&altered(&change, |c| c.start_op = far)), Refusal::BadStartOp);
    for time in [-1, i64::MIN, i64::MAX, crate::document::MAX_TIME + 1] {
        assert_eq!(read(&altered(&change, |c| c.time = time)), Refusal::BadTime);
        assert_eq!(Replica::empty(visit()).write(ADA, &[], time), Err(Refusal::BadTime));
    }
    let short = automerge::ActorId::from(&[1_u8, 2, 3][..]);
    assert_eq!(read(&altered(&change, |c| c.actor_id = short)), Refusal::Actor);
    assert_eq!(read(&altered(&change, |c| c.operations.clear())), Refusal::NoOperations);
}

/// A saved document keeps no trace of a deletion that deletes nothing, so its change would be lost.
#[test]
fn deleting_nothing_is_refused() {
    let bytes = altered(&creation(), |c| {
        let mut op = put("company", "x", vec![]);
        op.action = legacy::OpType::Delete;
        c.operations.push(op);
    });
    assert_eq!(read(&bytes), Refusal::BadAction);
}

/// No personal data in logs: what is debug-printed holds no value.
#[test]
fn debug_shows_no_values() {
    let change = write(&Replica::empty(visit()), ADA, &[Write::set(Key::FirstName, "Canary")]);
    let shown = format!("{change:?} {:?} {:?} {:?}", change.ops, Value::from("Canary"), made());
    assert!(!shown.contains("Canary") && !shown.contains("Grace"), "{shown}");
    assert!(!shown.contains("67, 97, 110"), "not as bytes either");
}

/// Actor id = first 16 bytes of SHA-256(thumbprint ‖ document id ‖ salt), computed here by hand.
#[test]
fn an_actor_belongs_to_device_document_and_salt() {
    let (device, salt) = (Thumbprint([1; 32]), ActorSalt([2; 16]));
    let joined = [&[1; 32][..], visit().as_bytes(), &[2; 16]].concat();
    assert_eq!(actor_id(&device, visit(), &salt).0, Sha256::digest(joined)[..16]);
}
