//! The story that Swift and Kotlin tell too.

use std::sync::Arc;

use vestibule_ffi::draft::VisitDraft;
use vestibule_ffi::error::{Field, VestibuleApiError};
use vestibule_ffi::history::HistoryFact;
use vestibule_ffi::passes::PassPlace;
use vestibule_ffi::summary::{ListFilter, Status, Tab};
use vestibule_ffi::view::CredentialState;
use vestibule_tests::hardware::HardwareKey;

use super::app::{App, Mirror, Office, Progress, form, wait};

/// S1.5–S1.8, S1.31–S1.36, S4.14: invite with no network, see it queued, sync, see it upcoming or pending, look at code
/// and pass, edit, cancel; and what the hub has missed reaches it.
#[test]
fn a_host_invites_offline_and_everything_follows() {
    everything_follows(Office::open());
}

/// The same where the phone's key lives in secure hardware, whose signatures are of either form.
#[test]
fn a_key_of_secure_hardware_signs_all_of_it() {
    everything_follows(Office::open_with(App::with_key(Box::new(HardwareKey::from_seed([9; 32], true)))));
}

fn everything_follows(mut office: Office) {
    let (client, visits) = (Arc::clone(&office.client), office.client.visits());
    let mirror = Arc::new(Mirror::default());
    let _subscription = visits.observe(ListFilter::All, 50, mirror.clone()).expect("observes");
    mirror.until("an empty list", |list, _| list.is_empty());

    office.hub.kill();
    let (grace, cleo) = (
        visits.create(form("Grace", None)).expect("invites"),
        visits.create(form("Cleo", Some("Contractor"))).expect("invites"),
    );
    mirror.until("both queued", |list, last| {
        list.len() == 2
            && list.iter().all(|visit| visit.status == Status::Queued && visit.queued)
            && last.counts.queued == 2
    });
    assert_eq!(office.sync(), Err(VestibuleApiError::Unreachable));
    let view = visits.show(grace.clone()).expect("shows");
    assert_eq!(
        (view.status, view.operations.len(), view.host_name.as_deref()),
        (Status::Queued, 1, Some("Ada Keller"))
    );
    assert_eq!((view.zone.as_deref(), view.tab), (Some("Europe/Zurich"), Tab::Queued));
    assert_eq!(view.start_civil, form("", None).start);

    office.hub.start();
    let progress = Arc::new(Progress::default());
    wait(client.sync().run(Some(progress.clone()), None)).expect("syncs");
    let told = progress.0.lock().expect("as above").expect("is told");
    assert_eq!((told.sent, told.to_send, told.remaining), (2, 0, 0));
    mirror.until("upcoming and pending", |list, last| {
        let status = |id: &str| list.iter().find(|visit| visit.id == id).map(|visit| visit.status);
        status(&grace) == Some(Status::Upcoming)
            && status(&cleo) == Some(Status::Pending)
            && (last.counts.upcoming, last.counts.pending, last.counts.queued) == (1, 1, 0)
    });
    let view = visits.show(grace.clone()).expect("shows");
    assert_eq!((view.credential, view.operations.len()), (CredentialState::Live, 0));
    assert!(view.mail.is_some(), "the invitation is on its way, or there");
    assert!(client.sync().state().expect("reads").synced_at.is_some());
    assert_eq!((client.sync().trouble(), client.sync().needs_update()), (Ok(vec![]), Ok(false)));

    let matrix = client.passes().qr_preview().expect("a code");
    assert_eq!(matrix.modules.len(), usize::try_from(matrix.size * matrix.size).expect("small"));
    assert_eq!(matrix.modules[..8], [1, 1, 1, 1, 1, 1, 1, 0], "the finder pattern at the top left");
    let pass = client.passes().preview(grace.clone()).expect("a preview");
    assert_eq!((pass.title.as_str(), pass.name.as_str(), pass.background.as_str()), ("Example AG", "Grace", "#1f4b99"));
    let field =
        |key: &str| pass.fields.iter().find(|field| field.key == key).map(|field| (field.place, field.value.as_str()));
    assert_eq!(field("date"), Some((PassPlace::Header, "10 Feb 2028")));
    assert_eq!(field("name"), Some((PassPlace::Primary, "Grace")));
    assert_eq!(field("time"), Some((PassPlace::Secondary, "09:00 – 11:00")));
    assert!(pass.json.contains("Grace") && !pass.json.contains("VMS1:"), "no code on a preview");

    let mut edited = visits.form(grace.clone()).expect("a form");
    assert_eq!(edited, VisitDraft { host: Some("ada".into()), visitor_type: None, ..form("Grace", None) });
    edited.company = Some("Analytical Engines".to_owned());
    visits.edit(grace.clone(), edited).expect("edits");
    mirror.until("the company", |list, _| {
        list.iter().any(|visit| visit.company.as_deref() == Some("Analytical Engines"))
    });
    office.sync().expect("syncs");
    let history = visits.history(grace.clone()).expect("a history");
    assert!(history.iter().any(|entry| matches!(entry.fact, HistoryFact::Accepted { needs_approval: false, .. })));
    assert!(history.iter().any(|entry| entry.fact == HistoryFact::Changed { keys: vec!["company".to_owned()] }));

    visits.cancel(grace.clone()).expect("cancels");
    mirror.until("cancelled, and pending with the hub", |list, _| {
        list.iter().any(|visit| visit.id == grace && visit.status == Status::Cancelled && visit.queued)
    });
    office.sync().expect("syncs");
    mirror.until("cancelled for good", |list, last| {
        list.iter().any(|visit| visit.id == grace && visit.status == Status::Cancelled && !visit.queued)
            && last.counts.past == 1
    });
    let found = visits.search("grace analyt".to_owned(), 10).expect("searches");
    assert_eq!(found.iter().map(|visit| visit.id.as_str()).collect::<Vec<_>>(), [grace.as_str()]);

    client.close();
    let client = office.app.open(&office.dir.path().join("ada.db")).expect("opens again");
    assert_eq!(client.visits().counts().expect("counts").pending, 1);
    assert_eq!(client.identity().expect("is signed in").member, "ada");
}

/// S1.26: every problem of a draft, each with its field, and nothing is stored.
#[test]
fn a_bad_draft_says_all_that_is_wrong() {
    let office = Office::open();
    let visits = office.client.visits();
    let bad = VisitDraft {
        first_name: None,
        email: Some("no address".to_owned()),
        phone: Some("call me".to_owned()),
        site: Some("atlantis".to_owned()),
        start: form("", None).end,
        end: form("", None).start,
        ..form("", None)
    };
    let problems = visits.validate(bad.clone()).expect("checks");
    let fields: Vec<(Field, &str)> = problems.iter().map(|problem| (problem.field, problem.code.as_str())).collect();
    let expected = [
        (Field::Name, "required"),
        (Field::Email, "malformed"),
        (Field::Phone, "malformed"),
        (Field::Site, "unknown"),
        (Field::End, "end_before_start"),
    ];
    assert_eq!(fields, expected);
    assert_eq!(visits.create(bad), Err(VestibuleApiError::BadDraft { problems }));
    assert_eq!(visits.counts().expect("counts").queued, 0);
    assert_eq!(visits.validate(form("Grace", None)), Ok(Vec::new()));
}

/// What the pickers of the form offer.
#[test]
fn the_directory_fills_the_pickers() {
    let office = Office::open();
    let directory = office.client.directory();
    let organisation = directory.organisation().expect("reads").expect("is there");
    assert_eq!((organisation.name.as_str(), organisation.email_required), ("Example AG", true));
    let sites = directory.sites().expect("reads");
    assert_eq!(
        sites.iter().map(|site| (site.name.as_str(), site.zone.as_str())).collect::<Vec<_>>(),
        [("New York", "America/New_York"), ("Zürich", "Europe/Zurich")]
    );
    let spaces = directory.spaces("zrh".to_owned()).expect("reads");
    assert_eq!(spaces.iter().map(|space| space.id.as_str()).collect::<Vec<_>>(), ["zrh-reception", "zrh-room-1"]);
    assert_eq!(directory.spaces("ZRH?".to_owned()).expect("reads"), []);
    let kinds = directory.visitor_types().expect("reads");
    assert_eq!(
        kinds.iter().filter(|kind| kind.needs_approval).map(|kind| kind.id.as_str()).collect::<Vec<_>>(),
        ["contractor"]
    );
    let found = directory.members("mart".to_owned(), 10).expect("reads");
    assert_eq!(found.iter().map(|member| member.name.as_str()).collect::<Vec<_>>(), ["Chloé Martin"]);
    assert_eq!(directory.principals().expect("reads"), []);
    assert_eq!(directory.me().expect("reads").map(|me| me.email).as_deref(), Some("ada@example.com"));
    let permissions = directory.permissions().expect("reads");
    assert!(permissions.may_add_visitors && !permissions.may_name_any_host);
}

/// What the app fails to provide is its own error, and nothing is stored that could not be sent.
#[test]
fn a_locked_phone_is_the_apps_to_say() {
    let office = Office::open();
    office.app.locked.store(true, std::sync::atomic::Ordering::SeqCst);
    let locked = |outcome: Result<(), VestibuleApiError>| match outcome {
        Err(VestibuleApiError::Provider { reason }) => assert!(reason.contains("the phone is locked"), "{reason}"),
        other => panic!("{other:?}"),
    };
    locked(office.client.visits().create(form("Grace", None)).map(drop));
    locked(wait(office.client.sign_in(office.hub.url())).map(drop));
    locked(office.app.open(&office.dir.path().join("ada.db")).map(drop));
    assert_eq!(office.client.visits().counts().expect("counts").queued, 0);
    office.app.locked.store(false, std::sync::atomic::Ordering::SeqCst);
    office.client.visits().create(form("Grace", None)).expect("invites");
    let other_key =
        Arc::new(App { store_key: vec![8; 48], ..Arc::into_inner(App::new()).expect("nobody else has it") });
    let wrong = other_key.open(&office.dir.path().join("ada.db"));
    assert_eq!(wrong.map(drop), Err(VestibuleApiError::WrongKey));
}
