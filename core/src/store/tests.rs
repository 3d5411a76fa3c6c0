//! The store on its own: durability, encryption, erasure, lists.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::DateTime;
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use vestibule_pages::holds;
use zeroize::Zeroizing;

use super::meta::Identity;
use super::*;
use crate::directory::{DirectoryRow, Member, Site};
use crate::document::Write;
use crate::envelope::Ask;
use crate::fault::{Point, fail_at};
use crate::feed::{Row, RowKind, Scope, ScopeHead};
use crate::id::{ActorSalt, ChainHash, HubEpoch, VisitId};
use crate::keys::{DeviceSigner, KeySet, SignedKeySet, SignerError, SoftwareSigner};
use crate::visit::{Key, Status, Tab};

pub(super) fn key(n: u8) -> StoreKey {
    StoreKey::new(Zeroizing::new([n; 48]))
}

pub(super) fn scratch() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

const NOW: i64 = 1_800_000_000;
const CANARY: &str = "Xylocarpaceous";

struct Bench {
    dir: tempfile::TempDir,
    store: Store,
    signer: SoftwareSigner,
    rng: ChaCha8Rng,
}

impl Bench {
    fn new() -> Self {
        let dir = scratch();
        let path = dir.path().to_owned();
        Self::build(dir, &path)
    }

    /// On a file of somebody else's directory.
    fn in_dir(path: &Path) -> Self {
        Self::build(scratch(), path)
    }

    fn build(dir: tempfile::TempDir, path: &Path) -> Self {
        let store = Store::open(&path.join("phone"), &key(5)).expect("opens");
        let signer = SoftwareSigner::from_seed(&[3; 32]);
        let root = SoftwareSigner::from_seed(&[1; 32]);
        let identity = Identity {
            organisation: "acme".parse().expect("an id"),
            root: root.public_key().thumbprint().expect("a key"),
            member: "ada".parse().expect("an id"),
            device: signer.public_key().thumbprint().expect("a key"),
            hub: "https://hub.example".into(),
            audience: "https://hub.example".into(),
        };
        let set = KeySet {
            organisation: identity.organisation.clone(),
            version: 1,
            root: root.public_key(),
            keys: vec![],
            issued_at: 0,
            expires_at: i64::MAX,
        };
        let key_set = SignedKeySet::sign(set, &root).expect("signs");
        let mut bench = Self { dir, store, signer, rng: ChaCha8Rng::seed_from_u64(7) };
        let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut bench.rng);
        bench.store.sign_in(&identity, &key_set, &mut moment, &bench.signer).expect("signs in");
        bench.directory();
        bench
    }

    fn directory(&mut self) {
        let site = Site {
            id: "zrh".parse().expect("an id"),
            number: 1,
            name: "Zürich".into(),
            zone: crate::zone::sample::zurich(),
            address: String::new(),
            directions: String::new(),
            latitude: None,
            longitude: None,
            opens: 0,
            closes: 0,
        };
        let member = Member {
            id: "ada".parse().expect("an id"),
            number: 1,
            name: "Ada King".into(),
            email: "ada@acme.example".into(),
            site: None,
        };
        let rows = [DirectoryRow::put(1, site), DirectoryRow::put(1, member)];
        let rows = rows.iter().zip(1..).map(|(row, index)| Row {
            scope: Scope::Directory,
            index,
            id: row.id().as_bytes().to_vec().into(),
            kind: RowKind::Row.number(),
            payload: row.to_bytes().into(),
            critical: false,
        });
        self.take(Scope::Directory, 2, rows.collect());
    }

    fn take(&mut self, scope: Scope, last: u64, rows: Vec<Row>) {
        let head = ScopeHead { scope, index: last, head: ChainHash([1; 32]) };
        self.apply(vec![OpenedPage { previous: ChainHash::ORIGIN, head, rows }], false);
    }

    fn apply(&mut self, pages: Vec<OpenedPage>, restart: bool) {
        let delivery = Delivery {
            epoch: HubEpoch([1; 16]),
            hub_time: NOW,
            clock_in_doubt: false,
            key_set: None,
            sent: vec![],
            receipts: None,
            scopes: None,
            pages,
            complete: true,
            restart,
            proof: None,
        };
        let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut self.rng);
        self.store.apply(&delivery, &mut moment, &self.signer).expect("applies");
    }

    fn write(&mut self, work: Vec<Work>) -> Result<(), StoreError> {
        let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut self.rng);
        self.store.write(work, &mut moment, &self.signer)
    }

    fn create(&mut self, n: u64, name: &str, schedule: Option<&str>) -> Result<VisitId, StoreError> {
        let visit = id(n);
        let mut writes = vec![
            Write::set(Key::FirstName, name),
            Write::set(Key::Site, "zrh"),
            Write::set(Key::Host, "ada"),
            Write::set(Key::Email, format!("guest{n}@guest.example")),
        ];
        writes.extend(schedule.map(|schedule| Write::set(Key::Schedule, schedule)));
        self.write(vec![Work::Create { visit, salt: ActorSalt([7; 16]), writes }]).map(|()| visit)
    }

    /// The rows of the feed that bring the changes held of a visit.
    fn feed_of(&self, visit: VisitId) -> Vec<Row> {
        let writer = self.store.writer();
        let sql = "SELECT bytes, hash FROM chunk WHERE visit = ?1 ORDER BY place";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, [u8; 32]>(1)?));
        let changes = tx::all(&writer.connection, sql, [visit.as_bytes()], read).expect("reads");
        let rows = changes.into_iter().zip(1..).map(|((bytes, hash), index)| {
            let change = crate::feed::ChangeRow {
                hash: crate::id::ChangeHash(hash),
                chunk: bytes.into(),
                author: "ada".parse().expect("an id"),
                on_behalf_of: None,
                accepted_at: NOW,
            };
            Row::of_visit(own_scope(), index, visit, RowKind::Change, crate::cbor::write(&change))
        });
        rows.collect()
    }

    fn reopen(self) -> Self {
        let Self { dir, store, signer, rng } = self;
        store.close().expect("closes");
        let store = Store::open(&dir.path().join("phone"), &key(5)).expect("opens");
        Self { dir, store, signer, rng }
    }

    /// Everything a person sees.
    fn seen(&self) -> (Vec<VisitSummary>, TabCounts, usize, u64) {
        let list = self.store.list(ListFilter::All, 1_000, None, now()).expect("lists").items;
        let found = self.store.search("guest", 1_000).expect("searches").len();
        let waiting = self.store.outgoing(0, 10_000, 1 << 30).expect("gathers").waiting;
        (list, self.store.counts(now()).expect("counts"), found, waiting)
    }
}

fn own_scope() -> Scope {
    Scope::Visits("ada".parse().expect("an id"))
}

fn now() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(NOW, 0).expect("a time")
}

fn id(n: u64) -> VisitId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    VisitId::from_parts(1_800_000_000_000 + n, random)
}

fn files(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).expect("lists");
    entries.map(|entry| std::fs::read(entry.expect("an entry").path()).expect("reads")).collect()
}

/// Every page of the file and its log, free ones included.
fn decrypted(dir: &Path) -> Vec<u8> {
    vestibule_pages::every_page(&dir.join("phone"), &"05".repeat(48))
}

/// The values of a new visit are in its change, and nowhere a second time; the operation shows them all the same.
#[test]
fn the_outbox_keeps_a_first_change_by_reference() {
    let mut bench = Bench::new();
    let visit = bench.create(1, "Grace", None).expect("creates");
    bench.write(vec![Work::Edit { visit, writes: vec![Write::set(Key::Company, "Acme")] }]).expect("edits");
    let lengths = {
        let writer = bench.store.writer();
        let sql = "SELECT length(payload) FROM outbox ORDER BY id";
        tx::all(&writer.connection, sql, [], |row| row.get::<_, i64>(0)).expect("reads")
    };
    assert!(lengths.len() == 2 && lengths[0] == 0 && lengths[1] > 0, "{lengths:?}");
    let view = bench.reopen().store.show(visit).expect("shows");
    let wants = |key, value: &str| (key, Some(value.to_owned()));
    let first = [
        wants(Key::FirstName, "Grace"),
        wants(Key::Site, "zrh"),
        wants(Key::Host, "ada"),
        wants(Key::Email, "guest1@guest.example"),
    ];
    let mut shown = view.operations[0].wants.clone();
    shown.sort_by_key(|(key, _)| first.iter().position(|(other, _)| other == key));
    assert_eq!(shown, first);
    assert_eq!(view.operations[1].wants, [wants(Key::Company, "Acme")]);
}

/// What may never happen, 4: a write that fails at any of its points leaves nothing, and one that returns is there
/// after a restart. Every statement of the transaction is made to fail once.
#[test]
fn a_write_happens_whole_or_not_at_all() {
    for point in [Point::BeforeWrite, Point::InsideWrite] {
        for n in 1.. {
            let mut bench = Bench::new();
            let visit = bench.create(1, "First", None).expect("creates");
            let before = bench.seen();
            let position = bench.store.outgoing(0, 512, 1 << 20).expect("gathers").envelopes.len();
            fail_at(Some((point, n)));
            let work = vec![
                Work::Edit { visit, writes: vec![Write::set(Key::FirstName, "Other")] },
                Work::Create {
                    visit: id(2),
                    salt: ActorSalt([7; 16]),
                    writes: vec![Write::set(Key::FirstName, "Second")],
                },
                Work::Ask { visit, ask: Ask::Note("a note".into()) },
            ];
            let done = bench.write(work.clone());
            fail_at(None);
            if done.is_ok() {
                assert!(point == Point::BeforeWrite || n > 12, "only {n} points");
                break;
            }
            let mut bench = bench.reopen();
            assert_eq!(bench.seen(), before, "{point:?} {n}");
            assert_eq!(bench.store.outgoing(0, 512, 1 << 20).expect("gathers").envelopes.len(), position);
            bench.write(work).expect("goes on as if nothing had been");
            let bench = bench.reopen();
            assert_eq!(bench.seen().0.len(), 2);
            assert_eq!(bench.store.show(visit).expect("shows").notes.len(), 1);
        }
    }
}

/// What the parent below kills: writes visits until it dies, and says each one that was acknowledged.
#[test]
#[ignore = "a child process of the test below"]
fn child_that_is_killed() {
    let Some(dir) = std::env::var_os("VESTIBULE_TEST_DIR") else { return };
    let mut bench = Bench::in_dir(Path::new(&dir));
    for n in 1..=20 {
        bench.create(n, "Guest", None).expect("creates");
        std::fs::write(Path::new(&dir).join(format!("acknowledged-{n}")), []).expect("says so");
    }
}

/// What may never happen, 4, with a real process that dies with nothing flushed: every acknowledged visit is there, at
/// most one more, and the phone goes on.
#[test]
#[cfg_attr(not(feature = "faults"), ignore = "the child only dies with the feature `faults`")]
fn acknowledged_writes_survive_a_killed_process() {
    let kills =
        [("before_write", 9), ("inside_write", 40), ("inside_write", 43), ("inside_write", 47), ("after_commit", 8)];
    for (point, n) in kills {
        let dir = scratch();
        let child = std::process::Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "store::tests::child_that_is_killed", "--ignored"])
            .env("VESTIBULE_TEST_DIR", dir.path())
            .env("VESTIBULE_KILL_AT", format!("{point}:{n}"))
            .output()
            .expect("runs");
        assert!(!child.status.success(), "{point}:{n} killed nothing");
        let said = |n: u64| dir.path().join(format!("acknowledged-{n}")).exists();
        let acknowledged = (1..=20).filter(|&n| said(n)).count();
        let mut bench = Bench::in_dir(dir.path());
        let held = bench.seen().0.len();
        assert!((1..20).contains(&acknowledged), "{point}:{n} came too early or too late");
        assert!(held == acknowledged || held == acknowledged + 1, "{point}:{n}: {held} of {acknowledged}");
        let outgoing = bench.store.outgoing(0, 512, 1 << 20).expect("gathers");
        assert_eq!((outgoing.items, outgoing.waiting), (held as u64, held as u64), "{point}:{n}");
        bench.create(99, "Guest", None).expect("goes on");
    }
}

/// A write whose caller never learns that it is durable is there all the same.
#[test]
fn what_was_committed_is_there() {
    let mut bench = Bench::new();
    fail_at(Some((Point::AfterCommit, 1)));
    assert!(matches!(bench.create(1, "First", None), Err(StoreError::Injected(_))));
    fail_at(None);
    let bench = bench.reopen();
    assert_eq!(bench.store.show(id(1)).expect("shows").status, Status::Queued);
}

/// A full device: the write fails with a clear error, and everything before is as it was.
#[test]
fn a_full_device_changes_nothing() {
    let mut bench = Bench::new();
    bench.create(1, "First", None).expect("creates");
    let before = bench.seen();
    let pages: i64 = {
        let writer = bench.store.writer();
        writer.connection.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number")
    };
    let set = |bench: &Bench, pages: i64| {
        let writer = bench.store.writer();
        writer.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).expect("sets");
    };
    set(&bench, pages);
    let work = (2..400).map(|n| Work::Create {
        visit: id(n),
        salt: ActorSalt([7; 16]),
        writes: vec![Write::set(Key::FirstName, "x".repeat(150)), Write::set(Key::Message, "y".repeat(500))],
    });
    assert!(matches!(bench.write(work.clone().collect()), Err(StoreError::Full)));
    assert_eq!(bench.seen(), before);
    set(&bench, 1 << 20);
    bench.write(work.collect()).expect("there is room again");
    assert_eq!(bench.reopen().seen().0.len(), 399);
}

/// A signer that does not sign: nothing is stored that could not be sent.
#[test]
fn without_a_signature_nothing_is_written() {
    struct Locked(SoftwareSigner);
    impl DeviceSigner for Locked {
        fn public_key(&self) -> crate::keys::PublicKey {
            self.0.public_key()
        }
        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignerError> {
            Err(SignerError { reason: "the phone is locked".into() })
        }
    }
    let mut bench = Bench::new();
    let work = vec![Work::Create {
        visit: id(1),
        salt: ActorSalt([7; 16]),
        writes: vec![Write::set(Key::FirstName, "First")],
    }];
    let locked = Locked(SoftwareSigner::from_seed(&[3; 32]));
    let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut bench.rng);
    assert!(matches!(bench.store.write(work, &mut moment, &locked), Err(StoreError::Signer(_))));
    assert!(bench.seen().0.is_empty());
}

#[test]
fn another_key_does_not_open_the_file() {
    let mut bench = Bench::new();
    bench.create(1, "First", None).expect("creates");
    // Also while pages lie in the log, as after a crash.
    assert!(matches!(Store::open(&bench.dir.path().join("phone"), &key(6)), Err(StoreError::WrongKey)));
    let Bench { dir, store, .. } = bench;
    store.close().expect("closes");
    assert!(matches!(Store::open(&dir.path().join("phone"), &key(6)), Err(StoreError::WrongKey)));
    assert!(Store::open(&dir.path().join("phone"), &key(5)).is_ok());
}

/// The values are in the decrypted pages and in no file as it stands on the device, the log included; the first 32
/// bytes are plain, so that iOS sees a database.
#[test]
fn nothing_is_plain_on_the_device() {
    let mut bench = Bench::new();
    let visit = bench.create(1, CANARY, None).expect("creates");
    bench.write(vec![Work::Ask { visit, ask: Ask::Note(CANARY.into()) }]).expect("notes");
    for bytes in files(bench.dir.path()) {
        assert!(!holds(&bytes, CANARY.as_bytes()) && !holds(&bytes, CANARY.to_lowercase().as_bytes()));
    }
    assert!(holds(&decrypted(bench.dir.path()), CANARY.as_bytes()), "the canary can be found at all");
    let file = std::fs::read(bench.dir.path().join("phone")).expect("reads");
    assert_eq!(&file[..16], b"SQLite format 3\0");
}

/// What may never happen, 8: after an erasure no byte of the person is in any page, the waiting envelope with a note
/// included; what else waited is still sent, in an envelope sealed anew.
#[test]
fn an_erasure_leaves_no_byte() {
    let mut bench = Bench::new();
    let visit = bench.create(1, CANARY, None).expect("creates");
    let other = bench.create(2, "Other", None).expect("creates");
    bench
        .write(vec![
            Work::Ask { visit, ask: Ask::Note(CANARY.into()) },
            Work::Edit { visit: other, writes: vec![Write::set(Key::Company, "Acme")] },
        ])
        .expect("writes");
    bench.take(
        Scope::Visits("ada".parse().expect("an id")),
        1,
        vec![Row::of_visit(Scope::Visits("ada".parse().expect("an id")), 1, visit, RowKind::Erase, vec![])],
    );
    assert!(matches!(bench.store.show(visit), Err(StoreError::Erased)));
    let plain = decrypted(bench.dir.path());
    assert!(!holds(&plain, CANARY.as_bytes()) && !holds(&plain, CANARY.to_lowercase().as_bytes()));
    let counters = |bench: &Bench| -> Vec<u64> {
        let outgoing = bench.store.outgoing(0, 512, 1 << 20).expect("gathers");
        outgoing.envelopes.iter().map(|(counter, _)| *counter).collect()
    };
    assert_eq!(counters(&bench), [2, 4], "what was said of another visit has moved into an envelope of its own");
    let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut bench.rng);
    assert!(bench.store.reseal(3, &mut moment, &bench.signer).expect("reseals"));
    assert!(!bench.store.reseal(9, &mut moment, &bench.signer).expect("has no such envelope"));
    assert_eq!(counters(&bench), [2, 3]);
    let mut moment = Moment::new(DateTime::from_timestamp(NOW, 0).expect("a time"), &mut bench.rng);
    assert!(bench.store.reseal(1, &mut moment, &bench.signer).expect("reseals"));
    assert_eq!(counters(&bench), [1], "the first was only about the erased visit: the rest closes the gap");
    assert!(matches!(bench.create(1, CANARY, None), Err(StoreError::Erased)), "and it stays away");
}

/// Two processes of one phone sync at once: a page that was asked for before the other one moved on is left alone.
#[test]
fn a_page_that_comes_too_late_does_not_turn_the_phone_back() {
    let mut bench = Bench::new();
    let heads = |bench: &Bench| bench.store.position().expect("a position").heads;
    let before = heads(&bench);
    assert_eq!(before.iter().map(|head| head.index).collect::<Vec<_>>(), [2]);
    bench.directory();
    let late = Row {
        scope: Scope::Directory,
        index: 1,
        id: b"nyc".to_vec().into(),
        kind: RowKind::Row.number(),
        payload: DirectoryRow::deleted(9, crate::directory::RowKind::Site, "zrh").to_bytes().into(),
        critical: false,
    };
    bench.take(Scope::Directory, 1, vec![late]);
    assert_eq!(heads(&bench), before);
    let directory = bench.store.directory().expect("a directory");
    assert_eq!(directory.sites().count(), 1);
}

/// A document whose own change was accepted before what it builds on was received anew can still be read.
#[test]
fn an_accepted_change_stands_behind_what_it_builds_on() {
    let mut bench = Bench::new();
    let visit = bench.create(1, "First", None).expect("creates");
    bench.write(vec![Work::Edit { visit, writes: vec![Write::set(Key::Company, "Acme")] }]).expect("edits");
    let rows = bench.feed_of(visit);
    // The first change is gone, as after a restart of its scope, and comes with the feed.
    {
        let writer = bench.store.writer();
        for sql in [
            "DELETE FROM chunk WHERE visit = ?1 AND place = 1",
            "DELETE FROM outbox WHERE visit = ?1 AND kind = 'create'",
        ] {
            writer.connection.execute(sql, [visit.as_bytes()]).expect("deletes");
        }
        let sql = "UPDATE chunk SET status = 'superseded' WHERE visit = ?1";
        writer.connection.execute(sql, [visit.as_bytes()]).expect("updates");
    }
    bench.take(own_scope(), 2, rows);
    let view = bench.reopen().store.show(visit).expect("shows");
    assert_eq!((view.values.first_name.as_deref(), view.values.company.as_deref()), (Some("First"), Some("Acme")));
}

/// What a person does while a scope is received anew waits with the rest, and nothing is dropped.
#[test]
fn what_is_done_while_a_scope_is_received_anew_is_kept() {
    let mut bench = Bench::new();
    let visit = bench.create(1, "First", None).expect("creates");
    let rows = bench.feed_of(visit);
    bench.take(own_scope(), 1, rows.clone());
    bench.write(vec![Work::Edit { visit, writes: vec![Write::set(Key::Company, "Acme")] }]).expect("edits");
    bench.apply(vec![], true);
    bench.write(vec![Work::Edit { visit, writes: vec![Write::set(Key::Phone, "1234")] }]).expect("edits");
    bench.write(vec![Work::Cancel { visit }]).expect("cancels");
    let mut bench = bench.reopen();
    bench.take(own_scope(), 1, rows);
    let view = bench.reopen().store.show(visit).expect("shows");
    assert_eq!((view.values.company.as_deref(), view.values.phone.as_deref()), (Some("Acme"), Some("1234")));
    assert!(view.values.cancelled);
    let kinds: Vec<_> = view.operations.iter().map(|operation| operation.kind).collect();
    assert_eq!(kinds, [OperationKind::Edit, OperationKind::Edit, OperationKind::Cancel]);
}

/// S1.25: instants are the site's; a visit without a time stands where it was made.
#[test]
fn the_list_is_ordered_by_start_in_the_zone_of_the_site() {
    let mut bench = Bench::new();
    bench.create(1, "Late", Some("2027-07-10T09:00/2027-07-10T10:00")).expect("creates");
    bench.create(2, "Early", Some("2027-02-10T09:00")).expect("creates");
    bench.create(3, "Whenever", None).expect("creates");
    let page = bench.store.list(ListFilter::All, 10, None, now()).expect("lists");
    let names: Vec<_> = page.items.iter().map(|visit| visit.name.as_str()).collect();
    assert_eq!(names, ["Whenever", "Early", "Late"]);
    let start = page.items[2].start.expect("a start");
    assert_eq!(start.to_rfc3339(), "2027-07-10T07:00:00+00:00");
    assert_eq!(page.items[1].end, None);
}

/// The counts are kept by the rows themselves and never drift.
#[test]
fn the_counts_are_those_of_the_lists() {
    let mut bench = Bench::new();
    for n in 1..=5 {
        bench.create(n, "Guest", None).expect("creates");
    }
    bench.write(vec![Work::Cancel { visit: id(2) }]).expect("cancels");
    let counts = bench.store.counts(now()).expect("counts");
    let listed = |tab| bench.store.list(ListFilter::Tab(tab), 100, None, now()).expect("lists").items.len() as u64;
    assert_eq!((counts.queued, counts.past), (4, 1));
    assert_eq!((listed(Tab::Queued), listed(Tab::Past)), (4, 1));
}

/// Search takes words as people type them, and never a query of its own.
#[test]
fn search_takes_what_people_type() {
    let mut bench = Bench::new();
    let visit = bench.create(1, "Łukasz O'Neil", None).expect("creates");
    for text in ["lukasz", "LUK", "o'neil", "neil luk", "guest1@guest", "ada k"] {
        let found = bench.store.search(text, 9).expect("searches");
        assert_eq!(found.iter().map(|visit| visit.id).collect::<Vec<_>>(), [visit], "{text}");
    }
    // Vowel signs are marks, and names of East Asia have no spaces.
    let others = [
        ("किरण शर्मा", "किर"),
        ("தமிழ்ச்செல்வி", "தமிழ்"),
        ("山田太郎", "太郎"),
        ("김민수", "민수"),
        ("ムハンマド", "ハン"),
        ("محمد علي", "عل"),
        ("Олександр", "олек"),
        ("สมชาย ใจดี", "ใจ"),
        ("יעל כהן", "כה"),
    ];
    for ((name, text), n) in others.into_iter().zip(10..) {
        let visit = bench.create(n, name, None).expect("creates");
        let found = bench.store.search(text, 9).expect("searches");
        assert_eq!(found.iter().map(|visit| visit.id).collect::<Vec<_>>(), [visit], "{text}");
        assert_eq!(bench.store.search(name, 9).expect("searches").len(), 1, "{name}");
    }
    for text in ["", "  ", "*", "\"", "name:lukasz AND", "lukasz NOT neil", "ukasz", "(", "'"] {
        assert!(bench.store.search(text, 9).expect("searches").is_empty(), "{text}");
    }
}

/// Many visits in one write share envelopes of at most 512 items, and a push takes them in batches.
#[test]
fn a_bulk_write_is_signed_in_batches() {
    let mut bench = Bench::new();
    let work = (1..=600).map(|n| Work::Create {
        visit: id(n),
        salt: ActorSalt([7; 16]),
        writes: vec![Write::set(Key::FirstName, "Guest")],
    });
    bench.write(work.collect()).expect("writes");
    let first = bench.store.outgoing(0, 512, 4 << 20).expect("gathers");
    assert_eq!((first.envelopes.len(), first.items, first.waiting), (1, 512, 600));
    let small = bench.store.outgoing(0, 512, 1).expect("gathers");
    assert_eq!(small.envelopes.len(), 1, "one always goes");
    assert_eq!(bench.store.outgoing(2, 512, 4 << 20).expect("gathers").items, 88);
}

/// A visit that comes again after another one in the same write is found by what it is called in the end, once.
#[test]
fn one_write_may_come_back_to_a_visit() {
    let mut bench = Bench::new();
    let named = |name: &str| vec![Write::set(Key::FirstName, name)];
    let [here, there] = [id(1), id(2)];
    let work = vec![
        Work::Create { visit: here, salt: ActorSalt([7; 16]), writes: named("Grace") },
        Work::Create { visit: there, salt: ActorSalt([7; 16]), writes: named("Cleo") },
        Work::Edit { visit: here, writes: named("Ada") },
        Work::Edit {
            visit: there,
            writes: vec![Write::set(Key::Schedule, "2027-02-01T09:00"), Write::set(Key::Site, "zrh")],
        },
        Work::Edit { visit: here, writes: named("Zoe") },
    ];
    bench.write(work).expect("writes");
    let found =
        |name: &str| bench.store.search(name, 9).expect("searches").iter().map(|visit| visit.id).collect::<Vec<_>>();
    assert_eq!([found("zoe"), found("cleo")], [[here], [there]]);
    assert_eq!([found("grace"), found("ada")], [[], []] as [[VisitId; 0]; 2]);
    assert_eq!(bench.store.counts(now()).expect("counts").queued, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Pages of any size give every visit once and in order, whatever comes in or goes away between two of them.
    #[test]
    fn paging_is_stable(
        days in proptest::collection::vec(1_u32..28, 1..24),
        size in 1_usize..7,
        late in proptest::collection::vec((1_u32..28, 0_usize..6), 0..6),
    ) {
        let mut bench = Bench::new();
        let schedule = |day: u32| format!("2027-02-{day:02}T09:00");
        for (n, day) in (1..).zip(&days) {
            bench.create(n, "Guest", Some(&schedule(*day))).expect("creates");
        }
        let first: BTreeSet<_> = (1..=days.len() as u64).map(id).collect();
        let (mut seen, mut after, mut page_number) = (Vec::new(), None, 0);
        loop {
            let page = bench.store.list(ListFilter::Tab(Tab::Queued), size, after, now()).expect("lists");
            prop_assert!(page.items.len() <= size);
            seen.extend(page.items.iter().map(|visit| (visit.start, visit.id)));
            for (n, (day, _)) in (1000_u64..).zip(&late).filter(|(_, (_, at))| *at == page_number) {
                bench.create(n, "Late", Some(&schedule(*day))).expect("creates");
            }
            page_number += 1;
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().expect("its own text"));
        }
        prop_assert!(seen.is_sorted());
        let ids: BTreeSet<_> = seen.iter().map(|(_, id)| *id).collect();
        prop_assert_eq!(ids.len(), seen.len(), "none twice");
        prop_assert!(ids.is_superset(&first), "none left out");
    }
}

/// A long read is interrupted from another thread, though it holds the connection.
#[test]
fn a_long_read_is_interrupted() {
    let bench = Bench::new();
    let store = &bench.store;
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
            let read = store.reader().query_row(endless, [], |row| row.get::<_, i64>(0)).map_err(StoreError::from);
            done.send(matches!(read, Err(StoreError::Interrupted))).expect("the test waits");
        });
        // It may not have begun yet: an interrupt is for what runs.
        let interrupted = loop {
            store.interrupt();
            if let Ok(interrupted) = is_done.try_recv() {
                break interrupted;
            }
            std::thread::yield_now();
        };
        assert!(interrupted);
    });
}

/// Every write rings, also one whose caller never learns that it is durable.
#[test]
fn every_write_rings() {
    let mut bench = Bench::new();
    let rung = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let bell = rung.clone();
    bench.store.watch(move || {
        bell.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    });
    bench.create(1, "First", None).expect("creates");
    fail_at(Some((Point::AfterCommit, 1)));
    assert!(bench.create(2, "Second", None).is_err());
    fail_at(None);
    assert_eq!(rung.load(std::sync::atomic::Ordering::SeqCst), 2);
}
