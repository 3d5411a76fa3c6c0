//! The bytes that must never change: documents outlive the code. The files are in `tests/golden/document`; they are
//! compared and never written by a test.

use super::*;

const CREATION: &str = include_str!("../../../../tests/golden/document/creation.hex");
const EDIT: &str = include_str!("../../../../tests/golden/document/edit.hex");

fn creation() -> [Write; 8] {
    [
        Write::set(Key::FirstName, "Grace"),
        Write::set(Key::LastName, "Hopper"),
        Write::set(Key::Email, "grace@example.org"),
        Write::set(Key::Site, "zrh"),
        Write::set(Key::Host, "member-1"),
        Write::set(Key::Schedule, "2027-02-10T22:00/2027-02-11T02:00"),
        Write::set(Key::Message, "Grüezi\nbring a nanosecond"),
        Write::set(Key::Source, "phone"),
    ]
}

fn edit() -> [Write; 4] {
    [
        Write::set(Key::Schedule, "2027-02-11T09:30"),
        Write::clear(Key::Message),
        Write::set(Key::Company, "Navy"),
        Write::raise(Key::Cancelled),
    ]
}

#[test]
fn a_creation_and_an_edit_have_their_golden_bytes() {
    let mut replica = Replica::empty(visit());
    for (actor, writes, golden) in [(ADA, &creation()[..], CREATION), (BOB, &edit()[..], EDIT)] {
        let change = write(&replica, actor, writes);
        assert_eq!(hex::encode(&change.bytes), golden.trim());
        accept(&mut replica, &change);
    }
}

/// What an older version wrote is read, whatever this one would write.
#[test]
fn golden_bytes_are_read() {
    let golden = [CREATION, EDIT].map(|golden| hex::decode(golden.trim()).expect("hexadecimal"));
    let replica = Replica::load(visit(), golden.iter().map(Vec::as_slice)).expect("loads");
    let text = |key| replica.value(key).and_then(|value| value.as_text());
    assert_eq!(text(Key::FirstName), Some("Grace"));
    assert_eq!(text(Key::Schedule), Some("2027-02-11T09:30"));
    assert_eq!(text(Key::Message), None);
    assert_eq!(replica.values().count(), 10);
}
