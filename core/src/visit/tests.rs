//! S1.11–26: the visitor form, from what is typed to what is written.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::*;
use crate::directory::{
    Directory, DirectoryRow, Member, Organisation, OwnRoles, PrivacyMode, Role, RowKind, RowValue, Site, Space,
    VisitorType,
};
use crate::id::MemberId;
use crate::problem::FieldProblem;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(code: &str) -> T {
    code.parse().expect("an id")
}

fn now() -> DateTime<Utc> {
    "2027-02-10T12:00:00Z".parse().expect("a time")
}

fn site(code: &str, name: &str) -> Site {
    Site {
        id: id(code),
        number: 1,
        name: name.into(),
        zone: crate::zone::sample::zurich(),
        address: String::new(),
        directions: String::new(),
        latitude: None,
        longitude: None,
        opens: 420,
        closes: 1140,
    }
}

fn directory() -> Directory {
    let member = |code: &str, name: &str, email: &str| Member {
        id: id(code),
        number: 1,
        name: name.into(),
        email: email.into(),
        site: None,
    };
    let rows: [RowValue; 12] = [
        organisation(PrivacyMode::Private).into(),
        site("zrh", "Zürich HQ").into(),
        site("gva", "Genève").into(),
        site("gva-2", "genève").into(),
        Space { id: id("room-1"), site: id("zrh"), name: "Room 1".into() }.into(),
        Space { id: id("salle-1"), site: id("gva"), name: "Salle 1".into() }.into(),
        VisitorType { id: id("guest"), name: "Guest".into(), needs_approval: false }.into(),
        member("me", "Mia Host", "mia@example.com").into(),
        member("boss", "Bo Ss", "boss@example.com").into(),
        member("anna-1", "Anna Meier", "anna@example.com").into(),
        member("anna-2", "ANNA MEIER", "meier@example.com").into(),
        roles(false).into(),
    ];
    let mut directory = Directory::default();
    for row in rows {
        assert!(directory.apply(DirectoryRow::put(1, row)));
    }
    directory
}

fn organisation(privacy: PrivacyMode) -> Organisation {
    let name = "Acme".into();
    Organisation { id: id("acme"), name, privacy, qr: true, wallet: true, unscheduled_days: 30, arrival_minutes: 60 }
}

fn roles(may_change_host: bool) -> OwnRoles {
    let roles = vec![Role::Host, Role::Delegate];
    OwnRoles { member: id("me"), roles, principals: vec![id("boss")], may_add_visitors: true, may_change_host }
}

fn me() -> MemberId {
    id("me")
}

/// A draft with no problem, with some fields changed by `edit`.
fn draft(edit: impl FnOnce(&mut VisitDraft)) -> VisitDraft {
    let mut draft = VisitDraft {
        first_name: Some("Ada".into()),
        email: Some("ada@example.org".into()),
        site: Some("zrh".into()),
        ..VisitDraft::default()
    };
    edit(&mut draft);
    draft
}

fn codes(problems: &[FieldProblem]) -> Vec<(&str, &str)> {
    assert!(problems.iter().all(|problem| code::ALL.contains(&problem.code)));
    problems.iter().map(|problem| (problem.field.as_str(), problem.code)).collect()
}

fn check(edit: impl FnOnce(&mut VisitDraft)) -> Result<ValidDraft, Vec<FieldProblem>> {
    validate(&draft(edit), &directory(), &me(), now())
}

#[track_caller]
fn problems(edit: impl FnOnce(&mut VisitDraft), expected: &[(&str, &str)]) {
    let found = check(edit).err().unwrap_or_default();
    assert_eq!(codes(&found), expected);
}

/// What a form holds once something is typed.
#[expect(clippy::unnecessary_wraps, reason = "every use is a field of the form")]
fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

fn window(draft: &mut VisitDraft, date: &str, start: &str, end: &str) {
    (draft.date, draft.start, draft.end) = (some(date), some(start), some(end));
}

/// S1.11, S1.17, S1.23: one name, the address and the site are enough; the host is oneself.
#[test]
fn the_least_visit() {
    let valid = check(|_| {}).expect("valid");
    let expected = [(Key::FirstName, "Ada"), (Key::Email, "ada@example.org"), (Key::Site, "zrh"), (Key::Host, "me")];
    assert_eq!(valid.writes(), expected.map(|(key, text)| (key, text.to_owned())));
    assert_eq!((valid.schedule(), valid.instants(), valid.note()), (None, None, None));
    assert!(check(|d| (d.first_name, d.last_name) = (some(" "), some("King"))).is_ok(), "S1.11: the last name alone");
}

/// S1.12–16, S1.22, S1.25, S4.12: every field is written under its key, as typed; references by name become ids.
#[test]
fn the_fullest_visit() {
    let valid = check(|d| {
        d.last_name = some("  King 👩‍💻");
        d.company = some("Acme");
        d.phone = some(" +41 44 123 45 67 ");
        d.pacs_id = some("P-1");
        d.site = some("zürich hq");
        d.space = some("ROOM 1");
        d.visitor_type = some("Guest");
        d.host = some("Boss@example.com");
        window(d, "2027-02-10", "22:00", "2027-02-11 02:00");
        d.reason = some("Audit");
        d.message = some("Line 1\nLine 2");
        d.note = some("VIP\n");
    })
    .expect("valid");
    let written = valid.writes().into_iter().map(|(key, text)| format!("{key}={text:?}")).collect::<Vec<_>>();
    insta::assert_snapshot!(written.join("\n"), @r#"
    first_name="Ada"
    last_name="  King 👩\u{200d}💻"
    company="Acme"
    email="ada@example.org"
    phone="+41 44 123 45 67"
    pacs_id="P-1"
    site="zrh"
    space="room-1"
    type="guest"
    host="boss"
    schedule="2027-02-10T22:00/2027-02-11T02:00"
    message="Line 1\nLine 2"
    reason="Audit"
    "#);
    assert_eq!(valid.note(), Some("VIP\n"));
}

/// S1.26: the form knows everything that is missing or wrong, at once.
#[test]
fn all_problems_at_once() {
    let found = validate(&VisitDraft::default(), &directory(), &me(), now()).expect_err("empty");
    assert_eq!(codes(&found), [("name", "required"), ("email", "required"), ("site", "required")]);
    problems(
        |d| {
            d.first_name = Some("x".repeat(10_000));
            d.last_name = some("a\u{202e}b");
            d.email = some("ada");
            d.company = some("a\nb");
            d.phone = some("call me");
            d.site = some("moon");
            d.space = some("crater");
            d.visitor_type = some("alien");
            d.host = some("nobody");
            window(d, "2027-13-01", "9", "25:00");
            d.message = some("a\u{7}");
            d.note = some("\u{2066}");
        },
        &[
            ("first_name", "too_long"),
            ("last_name", "forbidden_character"),
            ("email", "malformed"),
            ("company", "forbidden_character"),
            ("phone", "malformed"),
            ("site", "unknown"),
            ("space", "unknown"),
            ("visitor_type", "unknown"),
            ("host", "unknown"),
            ("date", "malformed"),
            ("start", "malformed"),
            ("end", "malformed"),
            ("message", "forbidden_character"),
            ("note", "forbidden_character"),
        ],
    );
}

/// S1.13, S4.5: the address is required in private mode, which holds until the hub says otherwise.
#[test]
fn the_address_in_both_modes() {
    problems(|d| d.email = some("  "), &[("email", "required")]);
    let mut directory = directory();
    directory.apply(DirectoryRow::put(2, organisation(PrivacyMode::Reception)));
    assert!(validate(&draft(|d| d.email = None), &directory, &me(), now()).is_ok());
    let bad = validate(&draft(|d| d.email = some("ada@host")), &directory, &me(), now()).expect_err("no domain");
    assert_eq!(codes(&bad), [("email", "malformed")]);
}

/// S1.15, S1.16: a space belongs to its site, and a name two sites share is not guessed.
#[test]
fn places() {
    problems(|d| d.space = some("salle-1"), &[("space", "wrong_site")]);
    problems(|d| d.site = some("GENÈVE"), &[("site", "ambiguous")]);
    assert_eq!(check(|d| d.site = some("gva-2")).expect("by id").site().as_str(), "gva-2");
}

/// S1.10, S1.20–23: the host by name, address or id; another host needs the permission or the office of a delegate.
#[test]
fn hosts() {
    problems(|d| d.host = some("anna meier"), &[("host", "ambiguous")]);
    problems(|d| d.host = some("anna@example.com"), &[("host", "not_permitted")]);
    for text in ["boss", "bo ss", "BOSS@example.com"] {
        assert_eq!(check(|d| d.host = some(text)).expect("a principal").host().as_str(), "boss");
    }
    let mut allowed = directory();
    allowed.apply(DirectoryRow::put(2, roles(true)));
    let valid = validate(&draft(|d| d.host = some("anna@example.com")), &allowed, &me(), now()).expect("permitted");
    assert_eq!(valid.host().as_str(), "anna-1");
    allowed.apply(DirectoryRow::deleted(3, RowKind::OwnRoles, "me"));
    let refused = validate(&draft(|_| {}), &allowed, &me(), now()).expect_err("no permission");
    assert_eq!(codes(&refused), [("host", "not_permitted")]);
}

/// S1.25: date, start and end; an arrival; nothing; and every way to get them wrong.
#[test]
fn timings() {
    let schedule = |edit: fn(&mut VisitDraft)| {
        let schedule = check(edit).expect("valid").schedule().expect("scheduled");
        schedule.to_string()
    };
    assert_eq!(schedule(|d| window(d, "2027-02-11", "09:00", "10:00")), "2027-02-11T09:00/2027-02-11T10:00");
    assert_eq!(schedule(|d| window(d, "2027-02-11", "09:00", "")), "2027-02-11T09:00");
    assert_eq!(schedule(|d| d.start = some("2027-02-11T09:00")), "2027-02-11T09:00");
    problems(|d| window(d, "", "09:00", "10:00"), &[("date", "required")]);
    problems(|d| d.date = some("2027-02-11"), &[("start", "required")]);
    problems(|d| d.end = some("10:00"), &[("start", "required")]);
    problems(|d| window(d, "2027-02-11", "22:00", "02:00"), &[("end", "end_before_start")]);
    problems(|d| window(d, "2027-02-11", "09:00", "2027-04-11 09:00"), &[("end", "visit_too_long")]);
    problems(|d| window(d, "2027-02-11", "2027-02-12 09:00", ""), &[("start", "date_mismatch")]);
    problems(|d| window(d, "2027-03-28", "02:15", "02:45"), &[("end", "no_such_time"), ("start", "no_such_time")]);
    problems(
        |d| {
            d.site = None;
            window(d, "2027-02-11", "22:00", "02:00");
        },
        &[("site", "required"), ("end", "end_before_start")],
    );
    assert_eq!(
        schedule(|d| {
            window(d, "2027-10-31", "02:30", "03:30");
            (d.start_second, d.end_second) = (true, true);
        }),
        "2027-10-31T02:30*/2027-10-31T03:30",
        "the second 02:30; there is only one 03:30"
    );
}

/// A visit that is over is refused; one that has begun, or whose visitor is a little late, is not. Noon is 13:00 there.
#[test]
fn the_past() {
    problems(|d| window(d, "2027-02-10", "11:00", "12:59"), &[("end", "past")]);
    assert!(check(|d| window(d, "2027-02-10", "11:00", "13:01")).is_ok());
    problems(|d| window(d, "2027-02-10", "11:59", ""), &[("start", "past")]);
    assert!(check(|d| window(d, "2027-02-10", "12:01", "")).is_ok());
}

fn values(pairs: &[(Key, String)]) -> VisitValues {
    VisitValues::from_pairs(pairs.iter().map(|(key, text)| (*key, Value::Text(text))))
}

/// S1.7, S4.28: an edit form holds the visit as it is, and saving it unchanged changes nothing.
#[test]
fn an_unchanged_edit_changes_nothing() {
    let made = check(|d| {
        d.host = some("boss");
        window(d, "2027-10-31", "02:30", "2027-11-01 09:00");
        d.start_second = true;
        d.space = some("room-1");
        d.message = some("Hello");
    })
    .expect("valid");
    let existing = values(&made.writes());
    assert_eq!(&existing, made.values());
    let form = VisitDraft::from_values(&existing);
    let long_after = "2030-01-01T00:00:00Z".parse().expect("a time");
    let bare = Directory::default();
    let same = validate_edit(&existing, &form, &directory(), &me(), long_after).expect("the past stays");
    assert_eq!(same.changes_from(&existing), []);
    assert!(validate_edit(&existing, &form, &bare, &me(), now()).is_ok(), "nor does it need what has gone");

    let edited = VisitDraft { message: None, company: some("Acme"), ..form.clone() };
    let changes = validate_edit(&existing, &edited, &directory(), &me(), long_after).expect("valid");
    assert_eq!(changes.changes_from(&existing), [(Key::Company, some("Acme")), (Key::Message, None)]);

    let moved = VisitDraft { start: some("04:00"), ..form.clone() };
    let found = validate_edit(&existing, &moved, &directory(), &me(), long_after).expect_err("past");
    assert_eq!(codes(&found), [("end", "past")]);
    let extended = VisitDraft { site: some("gva"), ..form };
    let found = validate_edit(&existing, &extended, &directory(), &me(), now()).expect_err("another site");
    assert_eq!(codes(&found), [("space", "wrong_site")]);
}

/// S1.21: an edit may leave a host one may not name, and not set one.
#[test]
fn an_edit_needs_the_permission_to_change_the_host() {
    let existing = VisitValues { host: Some(id("anna-1")), ..check(|_| {}).expect("valid").values().clone() };
    let form = VisitDraft::from_values(&existing);
    let kept = VisitDraft { host: None, ..form.clone() };
    for unchanged in [&form, &kept] {
        let valid = validate_edit(&existing, unchanged, &directory(), &me(), now()).expect("unchanged");
        assert_eq!(valid.host().as_str(), "anna-1");
    }
    let changed = VisitDraft { host: some("anna-2"), ..form };
    let found = validate_edit(&existing, &changed, &directory(), &me(), now()).expect_err("no permission");
    assert_eq!(codes(&found), [("host", "not_permitted")]);
}

/// A draft in JSON: absent, null and empty are the same, and a misspelt field is an error.
#[test]
fn drafts_in_json() {
    let read = |json| serde_json::from_str::<VisitDraft>(json);
    assert_eq!(read(r#"{"first_name": null, "site": "zrh"}"#).expect("reads").site, some("zrh"));
    assert!(read(r#"{"firstname": "Ada"}"#).is_err());
    let full = draft(|d| window(d, "2027-02-11", "09:00", ""));
    assert_eq!(read(&serde_json::to_string(&full).expect("writes")).expect("reads"), full);
}

proptest! {
    /// Whatever is typed: no panic, no problem without a listed code, and a draft that is valid reads back from its
    /// writes and is still valid.
    #[test]
    fn anything_can_be_typed(
        texts in proptest::collection::vec(proptest::option::of("\\PC{0,12}|.{0,8}|[0-9T:-]{0,16}|[a-z.@ <>\"-]{0,12}"), 16),
        dates in ("20(26|27)-[01][0-9]-[0-3][0-9]", "[012][0-9]:[0-5][0-9]", "[012][0-9]:[0-5][0-9]"),
        shape in 0..4u8, second in any::<bool>(),
    ) {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let mut typed = VisitDraft {
            first_name: next(), last_name: next(), email: next(), company: next(), phone: next(), pacs_id: next(),
            site: next(), space: next(), visitor_type: next(), host: next(), date: next(), start: next(), end: next(),
            start_second: second, end_second: !second, reason: next(), message: next(), note: next(),
        };
        if shape > 0 {
            window(&mut typed, &dates.0, &dates.1, &dates.2);
        }
        if shape > 1 {
            (typed.email, typed.site, typed.host) = (some("ada@example.org"), some("zrh"), None);
            (typed.space, typed.visitor_type, typed.phone) = (None, None, None);
        }
        match validate(&typed, &directory(), &me(), now()) {
            Err(found) => {
                prop_assert!(!found.is_empty());
                prop_assert!(found.iter().all(|problem| code::ALL.contains(&problem.code)));
            }
            Ok(valid) => {
                let existing = values(&valid.writes());
                prop_assert_eq!(&existing, valid.values());
                let form = VisitDraft::from_values(&existing);
                let again = validate_edit(&existing, &form, &directory(), &me(), now());
                prop_assert_eq!(again.map(|valid| valid.changes_from(&existing)), Ok(vec![]));
            }
        }
    }
}
