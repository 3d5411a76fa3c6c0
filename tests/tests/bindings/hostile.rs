//! Arguments nobody should give: each has its own error, and none ends the process.

use std::path::Path;
use std::sync::Arc;

use vestibule_ffi::client::HostClient;
use vestibule_ffi::draft::VisitDraft;
use vestibule_ffi::error::{Field, Outcome, VestibuleApiError};
use vestibule_ffi::provider::{DeviceKey, DeviceSigner, ProviderError};
use vestibule_ffi::summary::ListFilter;
use vestibule_ffi::time::CivilTime;
use vestibule_ffi::visits::Choice;

use super::app::{App, Mirror, Office, form, wait};

fn bad_argument<T: std::fmt::Debug>(name: &str, outcome: Outcome<T>) {
    match outcome {
        Err(VestibuleApiError::BadArgument { argument, .. }) if argument == name => {}
        other => panic!("{name}: {other:?}"),
    }
}

fn problem(office: &Office, draft: VisitDraft) -> Vec<(Field, String)> {
    let problems = office.client.visits().validate(draft).expect("checks");
    problems.into_iter().map(|problem| (problem.field, problem.code)).collect()
}

/// Ids, cursors, limits, texts and operations that are none.
#[test]
fn ids_cursors_limits_and_texts() {
    let office = Office::open();
    let visits = office.client.visits();
    let huge = "x".repeat(10 << 20);
    let ids = ["", "\0", "not an id", "01a3185c-5000-4707-8707-070707070707\u{0}", "١٢٣", huge.as_str()];
    for id in ids.map(str::to_owned) {
        bad_argument("id", visits.show(id.clone()));
        bad_argument("id", visits.history(id.clone()));
        bad_argument("id", visits.form(id.clone()));
        bad_argument("id", visits.cancel(id.clone()));
        bad_argument("id", visits.delete(id.clone()));
        bad_argument("id", visits.note(id.clone(), "note".to_owned()));
        bad_argument("id", visits.edit(id.clone(), form("Grace", None)));
        bad_argument("id", visits.validate_edit(id.clone(), form("Grace", None)));
        bad_argument("id", visits.invite_again(id.clone(), form("Grace", None)));
        bad_argument("id", office.client.passes().preview(id));
    }
    let unknown = || "01a3185c-5000-7707-8707-070707070707".to_owned();
    assert_eq!(visits.show(unknown()), Err(VestibuleApiError::NotFound));
    assert_eq!(visits.cancel(unknown()), Err(VestibuleApiError::NotFound));
    assert_eq!(visits.edit(unknown(), form("Grace", None)), Err(VestibuleApiError::NotFound));
    assert_eq!(office.client.passes().preview(unknown()), Err(VestibuleApiError::NotFound));
    for operation in [0, -1, i64::MIN, i64::MAX] {
        assert_eq!(visits.settle(operation, Choice::Mine), Err(VestibuleApiError::NotFound));
        assert_eq!(visits.discard(operation), Err(VestibuleApiError::NotFound));
    }
    for cursor in ["", "\0", "_", "9999999999999999999_x", "-1_", huge.as_str()] {
        bad_argument("after", visits.list(ListFilter::All, 10, Some(cursor.to_owned())));
    }
    let far = format!("{}_{}", i64::MAX, unknown());
    assert_eq!(visits.list(ListFilter::All, 10, Some(far)).expect("an empty page").items, []);
    for limit in [0, 1_001, u32::MAX] {
        bad_argument("size", visits.list(ListFilter::All, limit, None));
        bad_argument("limit", visits.search("ada".to_owned(), limit));
        bad_argument("limit", office.client.directory().members("ada".to_owned(), limit));
        bad_argument("page_size", visits.observe(ListFilter::All, limit, Arc::new(Mirror::default())).map(drop));
    }
    bad_argument("text", visits.search(huge.clone(), 10));
    bad_argument("text", office.client.directory().members(huge.clone(), 10));
    for text in ["", "\0", "\"", "* OR NEAR(", "\u{202e}", "\u{fffe}"] {
        assert_eq!(visits.search(text.to_owned(), 10).expect("finds nothing"), [], "{text:?}");
    }
    bad_argument("drafts", visits.create_all(vec![VisitDraft::default(); 10_001]));
    assert_eq!(visits.create_all(Vec::new()), Ok(Vec::new()));
    assert_eq!(office.client.directory().spaces(huge).expect("none"), []);
}

/// Civil times that are none, or far away, are problems of their field.
#[test]
fn times_far_away() {
    let office = Office::open();
    let time =
        |year, month, day, hour, minute| Some(CivilTime { year, month, day, hour, minute, second_occurrence: true });
    let none = [
        time(i32::MAX, 1, 1, 0, 0),
        time(i32::MIN, 1, 1, 0, 0),
        time(10_000, 1, 1, 0, 0),
        time(-5, 1, 1, 0, 0),
        time(0, 0, 0, 0, 0),
        time(2028, 2, 30, 9, 0),
        time(2028, 13, 1, 9, 0),
        time(2028, 2, 10, 24, 0),
        time(2028, 2, 10, 255, 255),
    ];
    for time in none {
        let start = VisitDraft { start: time, end: None, ..form("Grace", None) };
        assert_eq!(problem(&office, start), [(Field::Start, "malformed".to_owned())], "{time:?}");
        let end = VisitDraft { end: time, ..form("Grace", None) };
        assert_eq!(problem(&office, end), [(Field::End, "malformed".to_owned())], "{time:?}");
    }
    let arrival = |time| VisitDraft { start: time, end: None, ..form("Grace", None) };
    assert_eq!(problem(&office, arrival(time(1000, 1, 1, 0, 0))), [(Field::Start, "past".to_owned())]);
    assert_eq!(problem(&office, arrival(time(9999, 12, 31, 23, 59))), []);
    office.client.visits().create(arrival(time(9999, 12, 31, 23, 59))).expect("invites");
    let listed = office.client.visits().list(ListFilter::All, 10, None).expect("lists");
    assert!(listed.items[0].start.is_some(), "an instant as far away as it is");
    assert_eq!(
        problem(&office, VisitDraft { start: None, ..form("Grace", None) }),
        [(Field::Start, "required".to_owned())]
    );
}

/// Texts that are empty, huge, or hold what no form may.
#[test]
fn texts_of_a_form() {
    let office = Office::open();
    let huge = Some("é".repeat(5 << 20));
    let drafts = [
        (Field::FirstName, "too_long", VisitDraft { first_name: huge.clone(), ..form("Grace", None) }),
        (Field::Email, "too_long", VisitDraft { email: huge.clone(), ..form("Grace", None) }),
        (Field::Site, "unknown", VisitDraft { site: huge.clone(), ..form("Grace", None) }),
        (Field::Host, "unknown", VisitDraft { host: huge.clone(), ..form("Grace", None) }),
        (Field::Message, "too_long", VisitDraft { message: huge.clone(), ..form("Grace", None) }),
        (Field::Note, "too_long", VisitDraft { note: huge, ..form("Grace", None) }),
        (Field::LastName, "forbidden_character", VisitDraft { last_name: Some("a\0b".into()), ..form("Grace", None) }),
        (Field::Company, "forbidden_character", VisitDraft { company: Some("\u{202e}".into()), ..form("Grace", None) }),
        (Field::Name, "required", VisitDraft { first_name: Some(" \u{a0}".into()), ..form("Grace", None) }),
    ];
    for (field, code, draft) in drafts {
        assert_eq!(problem(&office, draft), [(field, code.to_owned())]);
    }
    let visit = office.client.visits().create(form("Grace", None)).expect("invites");
    for text in [String::new(), " ".to_owned(), "a\0".to_owned(), "é".repeat(1 << 20)] {
        match office.client.visits().note(visit.clone(), text) {
            Err(VestibuleApiError::BadDraft { problems }) => assert_eq!(problems[0].field, Field::Note),
            other => panic!("{other:?}"),
        }
    }
}

/// Paths, keys and addresses that are none.
#[test]
fn paths_keys_and_addresses() {
    struct Odd(DeviceKey, Vec<u8>);
    impl DeviceSigner for Odd {
        fn public_key(&self) -> Result<DeviceKey, ProviderError> {
            Ok(self.0.clone())
        }
        fn sign(&self, _: Vec<u8>) -> Result<Vec<u8>, ProviderError> {
            Ok(self.1.clone())
        }
        fn renew(&self) -> Result<DeviceKey, ProviderError> {
            Ok(self.0.clone())
        }
    }

    let office = Office::open();
    for path in ["", ":memory:", "file:x?mode=memory", "phone.db", "/tmp/\0"] {
        bad_argument("path", office.app.open(Path::new(path)).map(drop));
    }
    for path in ["/", "/nowhere/at/all.db", "/dev/null"] {
        let outcome = office.app.open(Path::new(path)).map(drop);
        assert!(
            matches!(outcome, Err(VestibuleApiError::Store { .. } | VestibuleApiError::WrongKey)),
            "{path}: {outcome:?}"
        );
    }
    for length in [0, 32, 47, 49, 1 << 20] {
        let short =
            Arc::new(App { store_key: vec![1; length], ..Arc::into_inner(App::new()).expect("nobody else has it") });
        bad_argument("keys", short.open(&office.dir.path().join("other.db")).map(drop));
    }
    let with = |key: DeviceKey| {
        let path = office.dir.path().join("odd.db").to_str().expect("UTF-8").to_owned();
        let signer = Arc::new(Odd(key, vec![0; 63]));
        HostClient::open(path, office.app.clone(), office.app.clone(), signer)
    };
    for bytes in [Vec::new(), vec![0; 31], vec![0; 32], vec![0xff; 32], vec![0; 33]] {
        bad_argument("signer", with(DeviceKey::Ed25519 { bytes: bytes.clone() }).map(drop));
        bad_argument("signer", with(DeviceKey::Es256 { bytes }).map(drop));
    }
    for address in ["", "\0", "hub.example", "http://hub.example", "ftp://127.0.0.1", "https://", "file:///etc/passwd"]
    {
        let outcome = wait(office.client.sign_in(address.to_owned()));
        assert_eq!(outcome.map(drop), Err(VestibuleApiError::BadAddress), "{address:?}");
    }
    assert_eq!(office.client.identity().expect("still signed in").member, "ada");
}
