//! The phone against a hub that is strict, newer, hostile or confused, and against a second process of its own.

use super::fake_hub::{FakeHub, UNWELCOME, me};
use super::tests::{Setup, draft, open, open_at, run, text};
use super::*;
use crate::document::Write;
use crate::feed::{RowKind, Scope};
use crate::store::ListFilter;
use crate::visit::{Key, Status, Tab, VisitDraft};

/// A hub that calls itself by another's name would be given assertions for that other hub.
#[test]
fn a_hub_of_another_name_is_not_signed_in_to() {
    let (dir, hub) = (tempfile::tempdir().expect("a directory"), FakeHub::new());
    hub.state().audience = "https://other.example".into();
    let phone = open(&dir, &hub, 3);
    let refused = run(phone.sign_in("https://hub.example/", "bearer"));
    assert!(matches!(refused, Err(PhoneError::Refused { code, .. }) if code == "wrong_audience"));
    assert!(matches!(phone.identity(), Err(PhoneError::NotSignedIn)));
}

/// A wrong clock is told as what it is: to sign in again would not help.
#[test]
fn a_wrong_clock_is_no_reason_to_sign_in_again() {
    let setup = Setup::new();
    let Setup { dir, hub, phone } = setup;
    drop(phone);
    hub.state().wrong_clock = true;
    let setup = Setup { phone: open(&dir, &hub, 3), dir, hub };
    assert!(matches!(setup.sync(), Err(PhoneError::Refused { code, .. }) if code == "assertion_time"));
}

/// An erasure takes the chunk of an unsent change with it: the envelope that names it is sealed anew without it, and
/// what else waits arrives.
#[test]
fn an_erasure_of_an_unsent_change_blocks_nothing() {
    let setup = Setup::new();
    let (grace, charles) = (setup.invite("Grace"), setup.invite("Charles"));
    setup.sync().expect("syncs");
    setup.edit(grace, |draft| draft.company = Some("Mine".into()));
    setup.edit(charles, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().visit_row(Scope::Visits(me()), grace, RowKind::Erase, Vec::new());
    setup.hub.state().drop_push = true;
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(charles, Key::Company)).as_deref(), Some("Mine"));
    assert_eq!(setup.outbox(charles), []);
}

/// A visit that leaves while a change of it is on its way: the envelope can still be sent as it was signed.
#[test]
fn a_leave_blocks_no_envelope() {
    let setup = Setup::new();
    let (grace, charles) = (setup.invite("Grace"), setup.invite("Charles"));
    setup.sync().expect("syncs");
    setup.edit(grace, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().lose_answer = true;
    assert!(setup.sync().is_err());
    // The feed brings the change before its receipt comes, and takes the visit away.
    setup.hub.state().visit_row(Scope::Visits(me()), grace, RowKind::Leave, Vec::new());
    setup.hub.state().drop_push = true;
    setup.edit(charles, |draft| draft.company = Some("Mine".into()));
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(charles, Key::Company)).as_deref(), Some("Mine"));
}

/// An actor's number is used once, also where the visit has begun anew or the change was refused.
#[test]
fn no_actor_uses_a_number_twice() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.hub.state().rebase(visit);
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Mine".into()));
    setup.sync().expect("syncs");
    assert_eq!((setup.outbox(visit), setup.status(visit)), (vec![], Status::Upcoming));
    setup.edit(visit, |draft| draft.company = Some(UNWELCOME.into()));
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Other".into()));
    setup.sync().expect("syncs");
    assert_eq!(setup.outbox(visit), []);
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Other"));
}

/// A hub that calls every change stale, and brings nothing to replay it on, does not keep the phone busy for ever.
#[test]
fn a_quarrel_about_what_is_stale_ends() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().always_stale = true;
    let before = setup.hub.state().exchanges;
    setup.hub.state().patience = before + 40;
    assert!(matches!(setup.sync(), Err(PhoneError::Later { code, .. }) if code == "unsettled"));
    assert!(setup.hub.state().exchanges < before + 6);
    setup.hub.state().always_stale = false;
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Mine"));
}

/// Settled: a phone that heard nothing from the hub does not show a visit of yesterday as upcoming, and it can be invited
/// again; what is not sent yet stays under Queued.
#[test]
fn what_is_over_by_the_clock_is_past() {
    let setup = Setup::new();
    let short = |name: &str| VisitDraft { date: Some("2027-01-15".into()), start: Some("09:00".into()), ..draft(name) };
    // Now is 09:00 in Zurich; this ends at ten, and an arrival is waited for for an hour.
    let (window, arrival) = (short("Grace"), VisitDraft { end: None, ..short("Charles") });
    let sent = [setup.phone.create(&window).expect("invites"), setup.phone.create(&arrival).expect("invites")];
    setup.hub.state().approval = true;
    setup.phone.create(&short("Pending")).expect("invites");
    setup.invite("Later");
    setup.sync().expect("syncs");
    setup.hub.state().offline = true;
    setup.phone.create(&short("Unsent")).expect("invites");
    let Setup { dir, hub, phone } = setup;
    let lists = |phone: &HostClient| {
        [Tab::Queued, Tab::Pending, Tab::Upcoming, Tab::Past].map(|tab| {
            let (mut names, mut after) = (Vec::new(), None);
            loop {
                let page = phone.list(ListFilter::Tab(tab), 1, after).expect("lists");
                names.extend(page.items.into_iter().map(|visit| visit.name));
                after = page.next;
                if after.is_none() {
                    break names.len();
                }
            }
        })
    };
    let counted = |phone: &HostClient| {
        let counts = phone.counts().expect("counts");
        [counts.queued, counts.pending, counts.upcoming, counts.past].map(|count| usize::try_from(count).expect("few"))
    };
    let before = lists(&phone);
    assert_eq!((before, counted(&phone)), ([1, 4, 0, 0], before));
    drop(phone);
    let phone = open_at(&dir, &hub, 3, 3600);
    let after = lists(&phone);
    assert_eq!((after, counted(&phone)), ([1, 1, 0, 3], after));
    assert_eq!(phone.show(sent[0]).expect("shows").status, Status::Pending, "the hub has not said what became of it");
    let again = VisitDraft { date: Some("2027-02-11".into()), ..draft("Grace") };
    phone.invite_again(sent[0], &again).expect("invites again");
}

/// A hub of tomorrow: a verdict nobody knows leaves the work where it is, a scope nobody knows is held and skipped.
#[test]
fn a_newer_hub_is_got_on_with() {
    let setup = Setup::new();
    setup.hub.state().later_scope();
    setup.sync().expect("syncs");
    let visit = setup.invite("Grace");
    setup.hub.state().later_verdicts = true;
    setup.sync().expect("the next answer is one it knows");
    assert_eq!((setup.outbox(visit), setup.status(visit)), (vec![], Status::Upcoming));
}

/// What was typed goes with the visit that is sent again, notes too; and invited again, it names no visit that the hub
/// does not know.
#[test]
fn a_refused_invitation_takes_its_notes_with_it() {
    let setup = Setup::new();
    let visit =
        setup.phone.create(&VisitDraft { note: Some("likes tea".into()), ..draft(UNWELCOME) }).expect("invites");
    setup.sync().expect("syncs");
    let note = setup.phone.show(visit).expect("shows").operations.into_iter().find_map(|operation| operation.text);
    assert_eq!(note.as_deref(), Some("likes tea"));
    let again = setup.phone.invite_again(visit, &draft("Grace")).expect("invites again");
    assert_eq!(setup.phone.show(again).expect("shows").values.previous, None);
    setup.edit(visit, |draft| draft.first_name = Some("Welcome".into()));
    setup.sync().expect("syncs");
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, view.operations.len(), view.notes.len()), (Status::Upcoming, 0, 1));
}

/// S4.35 (settled): a deletion made offline shows as a revocation that is pending.
#[test]
fn a_deletion_shows_at_once() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.phone.delete(visit).expect("asks");
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, view.queued), (Status::Cancelled, true));
}

/// A device that signs in anew while the hub's answer was lost: the visit is there once, with nothing to look at.
#[test]
fn a_new_key_after_a_lost_answer_doubles_nothing() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.hub.state().lose_answer = true;
    assert!(setup.sync().is_err());
    let Setup { dir, hub, phone } = setup;
    drop(phone);
    let setup = Setup { phone: open(&dir, &hub, 4), dir, hub };
    run(setup.phone.sign_in("https://hub.example", "bearer")).expect("signs in");
    setup.sync().expect("syncs");
    assert_eq!((setup.status(visit), setup.outbox(visit)), (Status::Upcoming, vec![]));
    assert_eq!(setup.phone.list(ListFilter::All, 9, None).expect("lists").items.len(), 1);
}

/// Two processes of one phone at once: both write and sync, and everything arrives once.
#[test]
fn two_processes_share_one_phone() {
    let setup = Setup::new();
    let other = open(&setup.dir, &setup.hub, 3);
    let visit = setup.invite("Grace");
    let second = other.create(&draft("Charles")).expect("invites");
    run(other.sync(&|_| (), &Cancel::new())).expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("One".into()));
    let mut edit = VisitDraft::from_values(&other.show(second).expect("shows").values);
    edit.company = Some("Two".into());
    other.edit(second, &edit).expect("edits");
    setup.edit(second, |draft| draft.phone = Some("+41 44 123 45 67".into()));
    setup.sync().expect("syncs");
    run(other.sync(&|_| (), &Cancel::new())).expect("syncs");
    for (visit, company) in [(visit, "One"), (second, "Two")] {
        assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some(company));
        assert_eq!((setup.outbox(visit), setup.status(visit)), (vec![], Status::Upcoming));
    }
    assert_eq!(text(setup.hub.state().value(second, Key::Phone)).as_deref(), Some("+41 44 123 45 67"));
    assert_eq!(setup.phone.counts().expect("counts").upcoming, 2);
}

/// S1.19: notes belong to a scope of their own: they go with it, not with the visit, and are there again when the visit
/// comes back.
#[test]
fn notes_go_with_their_scope() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.phone.note(visit, "likes tea").expect("notes");
    setup.sync().expect("syncs");
    let notes = |setup: &Setup| setup.phone.show(visit).map(|view| view.notes.len());
    assert_eq!(notes(&setup).expect("shows"), 1);
    setup.hub.state().visit_row(Scope::Visits(me()), visit, RowKind::Leave, Vec::new());
    setup.sync().expect("syncs");
    assert!(matches!(notes(&setup), Err(PhoneError::NotFound)));
    setup.hub.state().come_back(visit);
    setup.sync().expect("syncs");
    assert_eq!(notes(&setup).expect("shows"), 1);
    setup.hub.state().drop_scope(&Scope::Notes(me()));
    setup.sync().expect("syncs");
    assert_eq!(notes(&setup).expect("the visit stays"), 0);
}

/// A proxy in front that takes less than a phone sends: the phone sends less at a time, and everything arrives.
#[test]
fn a_limit_on_the_way_makes_pushes_smaller() {
    let setup = Setup::new();
    let names: Vec<String> = (0..40).map(|n| format!("Guest{n}")).collect();
    for name in &names {
        setup.invite(name);
    }
    setup.hub.state().takes = 6_000;
    setup.sync().expect("syncs");
    let pushed = setup.hub.state().pushed.clone();
    assert!(pushed.len() > 2 && pushed.iter().all(|size| *size <= 6_000), "{pushed:?}");
    assert_eq!(setup.phone.counts().expect("counts").queued, 0);

    // One change that is too large alone is said to be that, and kept.
    setup.invite("Zoe");
    setup.hub.state().takes = 500;
    let refused = setup.sync();
    assert!(matches!(&refused, Err(PhoneError::Refused { code, .. }) if code == "too_large"), "{refused:?}");
    setup.hub.state().takes = usize::MAX;
    setup.sync().expect("syncs");
}

/// What is written at once travels in parts that a proxy with the usual limit of 1 MB lets through.
#[test]
fn an_import_of_long_texts_travels_in_parts() {
    let setup = Setup::new();
    let long = |name: &str| VisitDraft { message: Some("é".repeat(2_000)), ..draft(name) };
    let drafts: Vec<VisitDraft> = (0..400).map(|n| long(&format!("Guest{n}"))).collect();
    setup.phone.create_all(&drafts).expect("invites");
    setup.hub.state().takes = 1 << 20;
    setup.sync().expect("syncs");
    assert_eq!(setup.phone.counts().expect("counts").queued, 0);
    assert!(setup.hub.state().pushed.len() > 1);
}

/// Who has sent his share is told when there is room again; his work is kept, and what is new comes all the same.
#[test]
fn what_is_over_the_share_is_sent_later() {
    let setup = Setup::new();
    let theirs = setup.invite("Grace");
    setup.sync().expect("syncs");
    let mine = setup.invite("Charles");
    setup.hub.state().holds = Some(1_200);
    setup.hub.state().edit(theirs, &[Write::set(Key::Company, "Theirs")]);
    let later = setup.sync();
    assert!(
        matches!(&later, Err(PhoneError::Later { code, seconds: Some(1_200), .. }) if code == "later"),
        "{later:?}"
    );
    let said = later.expect_err("later").to_string();
    assert!(said.contains("sent later") && said.contains("20 minutes"), "{said}");
    assert_eq!(setup.status(mine), Status::Queued);
    let shown = setup.phone.show(theirs).expect("shows");
    assert_eq!(shown.values.text(Key::Company).as_deref(), Some("Theirs"));
    setup.hub.state().holds = None;
    setup.sync().expect("syncs");
    assert_eq!(setup.status(mine), Status::Upcoming);
}

/// A hub that fails has refused nothing, and a page in its place says nothing of the hub: the work is kept, and sent when
/// it is tried again.
#[test]
fn a_failure_is_no_refusal() {
    let setup = Setup::new();
    setup.invite("Grace");
    for (status, with_problem, expected) in [
        (500, true, "hub_failed"),
        (500, false, "hub_failed"),
        (520, false, "hub_failed"),
        (200, false, "not_the_hub"),
        (302, false, "not_the_hub"),
        (404, false, "not_the_hub"),
    ] {
        setup.hub.state().fails = Some((status, with_problem));
        // A token that is held would hide the way to get one.
        let failed = setup.sync();
        let is_later = matches!(&failed, Err(PhoneError::Later { code, .. }) if code == expected);
        assert!(is_later, "{status}: {failed:?}");
        assert!(setup.phone.counts().expect("counts").queued == 1);
    }
    setup.hub.state().fails = None;
    setup.sync().expect("syncs");
}
