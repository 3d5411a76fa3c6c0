//! A hub of tomorrow and a phone of today: everything is kept, everything else goes on, and the phone of tomorrow that
//! opens the same file finds all of it.

use super::fake_hub::me;
use super::tests::Setup;
use crate::cbor;
use crate::decision::Fact;
use crate::directory::{DirectoryRow, VisitorType};
use crate::document::Write;
use crate::feed::{NoteRow, RowKind, Scope};
use crate::id::{RequestId, VisitId};
use crate::reader::What;
use crate::reader::older::Older;
use crate::store::{HistoryFact, ListFilter, TroubleKind};
use crate::visit::{Key, Status, Tab};

fn troubles(setup: &Setup) -> Vec<(TroubleKind, String, Option<VisitId>)> {
    let list = setup.phone.trouble().expect("lists");
    list.into_iter().map(|trouble| (trouble.kind, trouble.detail, trouble.visit)).collect()
}

fn problem(setup: &Setup, visit: VisitId) -> Option<String> {
    let all = setup.phone.list(ListFilter::All, 100, None).expect("lists").items;
    all.into_iter().find(|summary| summary.id == visit).expect("is listed").problem
}

/// A note of Bob's.
fn note(n: u8) -> Vec<u8> {
    let (id, author) = (RequestId::from_bytes([n; 16]), "bob".parse().expect("an id"));
    cbor::write(&NoteRow { id, author, accepted_at: 1_800_000_000, text: "likes tea".into() })
}

/// A key, a kind of row, a kind of directory row, a fact and a scope this version does not know: every visit is shown, the
/// sync goes on, what is kept is listed, and after the update it is all there without another sync.
#[test]
fn a_hub_of_tomorrow_loses_nothing() {
    let setup = Setup::new();
    let (visit, other) = (setup.invite("Grace"), VisitId::from_parts(1_800_000_000_000, [8; 10]));
    setup.sync().expect("syncs");
    let today = Older::lacking(&[
        What::Key("language"),
        What::Row(RowKind::Note.number()),
        What::Directory(3),
        What::Fact(16),
        What::Scope("site"),
    ]);
    let setup = setup.restart();
    let (site, kind) = (Scope::Site("zrh".parse().expect("an id")), "vip".parse().expect("an id"));
    {
        let mut hub = setup.hub.state();
        hub.edit(visit, &[Write::set(Key::Language, "de-CH"), Write::set(Key::Company, "Navy")]);
        hub.edit(visit, &[Write::set(Key::Reason, "tea")]);
        hub.decide(visit, Fact::Alert("duplicate_use".into()));
        hub.decide(visit, Fact::Arrived);
        hub.visit_row(Scope::MemberNotes(me()), visit, RowKind::Note, note(1));
        let vip = VisitorType { id: kind, name: "VIP".into(), needs_approval: false };
        hub.directory_row(&Scope::Directory, &DirectoryRow::put(2, vip));
        hub.open_scope(site.clone());
        hub.visit_in(&site, other, &[Write::set(Key::FirstName, "Alan"), Write::set(Key::Site, "zrh")]);
        hub.unknown_row(false);
    }
    for _ in 0..2 {
        setup.sync().expect("goes on");
    }
    let shown = setup.phone.show(visit).expect("shows");
    assert_eq!((shown.values.company.as_deref(), shown.values.reason.as_deref()), (Some("Navy"), Some("tea")));
    assert_eq!((shown.status, shown.notes.len(), shown.values.language), (Status::OnSite, 0, None));
    let mut kinds: Vec<_> = troubles(&setup).into_iter().map(|(kind, detail, _)| (kind.as_str(), detail)).collect();
    kinds.sort();
    kinds.dedup();
    let expected =
        [("directory", "3"), ("fact", "16"), ("keys", "language"), ("row", "3"), ("row", "77"), ("scope", "site/zrh")];
    assert_eq!(kinds, expected.map(|(kind, detail)| (kind, detail.to_owned())));
    assert!(!setup.phone.needs_update().expect("reads") && problem(&setup, visit).is_none());

    // The same version again finds nothing more.
    let setup = setup.restart();
    assert_eq!(setup.phone.show(visit).expect("shows").values.language, None);

    drop(today);
    let setup = setup.restart();
    let shown = setup.phone.show(visit).expect("shows");
    assert_eq!(shown.values.language.map(|tag| tag.to_string()).as_deref(), Some("de-CH"));
    assert_eq!((shown.status, shown.notes.len()), (Status::OnSite, 1));
    let history = setup.phone.history(visit).expect("history");
    assert!(history.iter().any(|entry| entry.fact == HistoryFact::Decided(Fact::Alert("duplicate_use".into()))));
    assert_eq!(setup.phone.directory().expect("a directory").visitor_types().count(), 1);
    assert_eq!(setup.phone.show(other).expect("shows").values.display_name(), "Alan");
    assert_eq!(setup.phone.search("alan", 9).expect("searches").len(), 1);
    let still: Vec<_> = troubles(&setup).into_iter().map(|(kind, detail, _)| (kind, detail)).collect();
    assert_eq!(still, [(TroubleKind::Row, "77".to_owned())]);
    // The phone stands where it stood, and works.
    setup.edit(visit, |draft| draft.company = Some("Army".into()));
    setup.sync().expect("syncs");
    assert_eq!(setup.outbox(visit), []);
}

/// Where reading without the new key would show something wrong, the visit says so, and nothing else is held up.
#[test]
fn what_would_be_shown_wrong_says_update_the_app() {
    let setup = Setup::new();
    let (visit, beside) = (setup.invite("Grace"), setup.invite("Charles"));
    setup.sync().expect("syncs");
    let today = Older::lacking(&[What::Key("cancelled"), What::Fact(12)]);
    let setup = setup.restart();
    {
        let mut hub = setup.hub.state();
        hub.critical = true;
        hub.edit(visit, &[Write::raise(Key::Cancelled)]);
        hub.decide(visit, Fact::Cancelled);
        hub.critical = false;
        hub.edit(beside, &[Write::set(Key::Company, "Navy")]);
    }
    setup.sync().expect("goes on");
    assert!(setup.phone.needs_update().expect("reads"));
    assert_eq!((setup.status(visit), problem(&setup, visit).as_deref()), (Status::Upcoming, Some("update_app")));
    let attention = setup.phone.list(ListFilter::Attention, 9, None).expect("lists").items;
    assert_eq!(attention.iter().map(|summary| summary.id).collect::<Vec<_>>(), [visit]);
    assert_eq!(setup.phone.show(beside).expect("shows").values.company.as_deref(), Some("Navy"));
    let setup = setup.restart();
    assert!(setup.phone.needs_update().expect("reads"), "also after a restart");
    setup.sync().expect("goes on");

    drop(today);
    let setup = setup.restart();
    assert!(!setup.phone.needs_update().expect("reads"));
    assert_eq!((setup.status(visit), problem(&setup, visit)), (Status::Cancelled, None));
    assert_eq!(troubles(&setup), []);
    assert_eq!(setup.phone.counts().expect("counts").attention, 0);
}

/// A critical row of a kind, or about nothing, this version knows: kept like the others, and the sync goes on.
#[test]
fn a_critical_row_stops_nothing() {
    let setup = Setup::new();
    setup.hub.state().unknown_row(false);
    setup.sync().expect("syncs");
    assert!(!setup.phone.needs_update().expect("reads"));
    setup.hub.state().unknown_row(true);
    setup.sync().expect("goes on");
    assert!(setup.phone.needs_update().expect("reads"));
    let visit = setup.invite("Grace");
    setup.sync().expect("goes on");
    assert_eq!(setup.status(visit), Status::Upcoming);
    // It left: what this phone does not know of it is no more of its concern.
    setup.hub.state().visit_row(Scope::Visits(me()), VisitId::from_bytes([5; 16]), RowKind::Leave, Vec::new());
    setup.sync().expect("syncs");
    assert_eq!((troubles(&setup), setup.phone.needs_update().expect("reads")), (vec![], false));
}

/// What cannot be taken is listed and tried again by another version, once.
#[test]
fn what_cannot_be_taken_is_listed_and_tried_again() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    for kind in [RowKind::Change, RowKind::Note, RowKind::Refusal, RowKind::Decision] {
        setup.hub.state().visit_row(Scope::Visits(me()), visit, kind, vec![0xff]);
    }
    setup.hub.state().edit(visit, &[Write::set(Key::Company, "Navy")]);
    setup.sync().expect("goes on");
    assert_eq!(setup.phone.show(visit).expect("shows").values.company.as_deref(), Some("Navy"));
    let garbage = (TroubleKind::Quarantined, "garbage".to_owned(), Some(visit));
    assert_eq!(troubles(&setup), vec![garbage; 4]);
    let _another = Older::lacking(&[What::Key("tour")]);
    let setup = setup.restart();
    assert_eq!(troubles(&setup).len(), 4);
    assert_eq!(setup.phone.counts().expect("counts").upcoming, 1);
}

/// A row with a field this version does not know is used, and kept for the version that will know it.
#[test]
fn a_later_field_is_kept() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    let mut bytes = note(1);
    bytes[0] += 1;
    bytes.extend([0x18, 99, 0xf5]);
    setup.hub.state().visit_row(Scope::MemberNotes(me()), visit, RowKind::Note, bytes);
    setup.sync().expect("syncs");
    assert_eq!(setup.phone.show(visit).expect("shows").notes.len(), 1);
    assert_eq!(troubles(&setup), [(TroubleKind::Fields, "note row".to_owned(), Some(visit))]);
}

/// A process that dies while what was kept is read again leaves it to the next one.
#[test]
fn reading_again_may_be_interrupted() {
    let mut setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    let today = Older::lacking(&[What::Key("language")]);
    setup = setup.restart();
    setup.hub.state().edit(visit, &[Write::set(Key::Language, "de")]);
    setup.sync().expect("goes on");
    drop(today);
    let Setup { dir, hub, phone } = setup;
    drop(phone);
    let mut step = 1;
    let phone = loop {
        crate::fault::fail_at(Some((crate::fault::Point::InsideWrite, step)));
        let opened = super::tests::try_open(&dir, &hub, 3);
        crate::fault::fail_at(None);
        match opened {
            Ok(phone) => break phone,
            Err(_) => step += 1,
        }
    };
    assert!(step > 4, "several writes were interrupted");
    let language = phone.show(visit).expect("shows").values.language;
    assert_eq!(language.map(|tag| tag.to_string()).as_deref(), Some("de"));
    assert_eq!(phone.trouble().expect("lists"), []);
    assert_eq!(phone.list(ListFilter::Tab(Tab::Upcoming), 9, None).expect("lists").items.len(), 1);
}

/// S1.19: a note that came by two ways stays until both are gone; a visit's leave of a scope of notes takes nothing else.
#[test]
fn a_note_stays_while_a_scope_holds_it() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    let (mine, site) = (Scope::MemberNotes(me()), Scope::SiteNotes("zrh".parse().expect("an id")));
    setup.hub.state().open_scope(site.clone());
    for scope in [&mine, &site] {
        setup.hub.state().visit_row(scope.clone(), visit, RowKind::Note, note(1));
    }
    setup.hub.state().visit_row(site.clone(), visit, RowKind::Note, note(2));
    let notes = |setup: &Setup| {
        setup.sync().expect("syncs");
        setup.phone.show(visit).expect("the visit stays").notes.len()
    };
    assert_eq!(notes(&setup), 2);
    setup.hub.state().visit_row(site, visit, RowKind::Leave, Vec::new());
    assert_eq!(notes(&setup), 1);
    setup.hub.state().visit_row(mine, visit, RowKind::Leave, Vec::new());
    assert_eq!(notes(&setup), 0);
    assert_eq!(setup.status(visit), Status::Upcoming);
}
