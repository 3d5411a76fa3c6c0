//! What the phone's form would refuse, signed and pushed past it: the hub checks again, field by field.

use chrono::{Datelike as _, Days, NaiveDate, Utc};
use vestibule_core::document::Write;
use vestibule_core::visit::Key;
use vestibule_tests::hostile::{Document, Sent};

use crate::changes::put;
use crate::scene::{Expected, Scene, field, visit_with};

/// The day of next year on which the clocks of Zürich are put forward from 02:00 to 03:00: the last Sunday of March.
fn spring() -> NaiveDate {
    let end = NaiveDate::from_ymd_opt(Utc::now().year() + 1, 3, 31).expect("a day");
    end - Days::new(u64::from(end.weekday().num_days_from_sunday()))
}

/// S1.26, S1.11: every value the form refuses is refused by the hub, with its field and code.
#[test]
fn a_draft_the_form_would_refuse() {
    let mut scene = Scene::with(&["ada"]);
    let day = spring() + Days::new(30);
    let set = |key, text: &str| Write::set(key, text);
    let clear = Write::clear;
    let schedule = |text: String| vec![Write::set(Key::Schedule, text)];
    let rows: Vec<(&str, Expected, Vec<Write>)> = vec![
        ("no name", field("required", "name"), vec![clear(Key::FirstName), clear(Key::LastName)]),
        ("a name of spaces", field("required", "name"), vec![set(Key::FirstName, " "), set(Key::LastName, "\u{a0}")]),
        ("no e-mail", field("required", "email"), vec![clear(Key::Email)]),
        ("an e-mail without a domain", field("malformed", "email"), vec![set(Key::Email, "grace")]),
        ("an e-mail with a name before it", field("malformed", "email"), vec![set(Key::Email, "G <g@example.org>")]),
        ("an e-mail of two", field("malformed", "email"), vec![set(Key::Email, "a@example.org,b@example.org")]),
        ("an e-mail with spaces around it", field("malformed", "email"), vec![set(Key::Email, " grace@example.org ")]),
        ("a phone number of letters", field("malformed", "phone"), vec![set(Key::Phone, "call me")]),
        ("no site", field("required", "site"), vec![clear(Key::Site)]),
        ("an unknown site", field("unknown", "site"), vec![set(Key::Site, "atlantis")]),
        ("a site by its name", field("malformed", "site"), vec![set(Key::Site, "New York")]),
        ("an unknown space", field("unknown", "space"), vec![set(Key::Space, "attic")]),
        ("a space of another site", field("wrong_site", "space"), vec![set(Key::Space, "nyc-room-1")]),
        ("an unknown type", field("unknown", "visitor_type"), vec![set(Key::Type, "thief")]),
        ("no host", field("required", "host"), vec![clear(Key::Host)]),
        ("an unknown host", field("unknown", "host"), vec![set(Key::Host, "nobody")]),
        ("a schedule that is none", field("malformed", "start"), schedule("tomorrow".into())),
        ("an end before its start", field("end_before_start", "end"), schedule(format!("{day}T10:00/{day}T09:00"))),
        ("an end at its start", field("end_before_start", "end"), schedule(format!("{day}T10:00/{day}T10:00"))),
        (
            "a time that does not exist",
            field("no_such_time", "start"),
            schedule(format!("{0}T02:30/{0}T05:00", spring())),
        ),
        (
            "an end that does not exist",
            field("no_such_time", "end"),
            schedule(format!("{0}T01:00/{0}T02:30", spring())),
        ),
        ("a visit in the past", field("past", "end"), schedule("2020-02-10T10:00/2020-02-10T11:00".into())),
        ("an arrival in the past", field("past", "start"), schedule("2020-02-10T10:00".into())),
        (
            "a visit of 40 days",
            field("visit_too_long", "end"),
            schedule(format!("{day}T10:00/{}T10:00", day + Days::new(40))),
        ),
        (
            "a time with nothing to tell apart",
            field("malformed", "start"),
            schedule(format!("{day}T10:00*/{day}T11:00")),
        ),
    ];
    for (attack, expected, writes) in rows {
        let writes = visit_with("ada", &writes);
        scene.refuses(attack, "ada", expected, |http, ada| ada.refused(http, Document::new(ada).edit(&writes)));
    }
}

/// Values that no phone of ours could write into a document: the change is made by another program.
#[test]
fn texts_no_form_would_let_through() {
    let mut scene = Scene::with(&["ada"]);
    let long = "x".repeat(10_000);
    let rows: [(&str, Expected, &str, &str); 10] = [
        ("a name of 10,000 characters", field("too_long", "first_name"), "first_name", &long),
        ("a name of 201 characters", field("too_long", "last_name"), "last_name", &long[..201]),
        ("an address of 255 characters", field("too_long", "email"), "email", &long[..255]),
        ("a message of 2,001 characters", field("too_long", "message"), "message", &long[..2_001]),
        ("a control character", field("text", "first_name"), "first_name", "Grace\u{0}"),
        ("an escape sequence", field("text", "company"), "company", "\u{1b}[31mred"),
        ("a line feed in a name", field("text", "last_name"), "last_name", "Hopper\nBcc: all@example.org"),
        ("a right-to-left override", field("text", "first_name"), "first_name", "\u{202E}ecarG"),
        ("an isolate", field("text", "message"), "message", "\u{2066}hidden"),
        ("a noncharacter", field("text", "company"), "company", "A\u{FFFE}G"),
    ];
    for (attack, expected, key, text) in rows {
        scene.refuses(attack, "ada", expected, |http, ada| {
            let document = Document::new(ada);
            let writes = visit_with("ada", &[]);
            let sent: Sent = document.altered(&writes, |change| {
                change.operations.retain(|op| op.key != automerge::legacy::Key::Map(key.into()));
                change.operations.push(put(key, text, vec![]));
            });
            ada.refused(http, sent)
        });
    }
}

/// The same rules hold for an edit of a visit that was good.
#[test]
fn an_edit_the_form_would_refuse() {
    let mut scene = Scene::with(&["ada"]);
    let day = spring() + Days::new(30);
    let rows: Vec<(&str, Expected, Vec<Write>)> = vec![
        (
            "the names cleared",
            field("required", "name"),
            vec![Write::clear(Key::FirstName), Write::clear(Key::LastName)],
        ),
        ("the e-mail cleared", field("required", "email"), vec![Write::clear(Key::Email)]),
        ("the e-mail without a domain", field("malformed", "email"), vec![Write::set(Key::Email, "grace")]),
        ("the site cleared", field("required", "site"), vec![Write::clear(Key::Site)]),
        ("the host cleared", field("not_permitted", "host"), vec![Write::clear(Key::Host)]),
        ("an unknown site", field("unknown", "site"), vec![Write::set(Key::Site, "atlantis")]),
        (
            "an end before its start",
            field("end_before_start", "end"),
            vec![Write::set(Key::Schedule, format!("{day}T10:00/{day}T09:00"))],
        ),
        (
            "a time that does not exist",
            field("no_such_time", "start"),
            vec![Write::set(Key::Schedule, format!("{}T02:30", spring()))],
        ),
        ("in the past", field("past", "start"), vec![Write::set(Key::Schedule, "2020-02-10T10:00")]),
    ];
    for (attack, expected, writes) in rows {
        let own = scene.visit_of("ada");
        scene.refuses(attack, "ada", expected, |http, ada| ada.refused(http, own.by(ada).edit(&writes)));
    }
}
