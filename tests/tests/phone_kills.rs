//! The phone dies at any moment, or its storage fails: nothing that was acknowledged is lost, nothing is there by half.
//!
//! What may never happen, 1 and 4: a phone is killed at every boundary of every write, and at random moments, and every
//! write of the system is made to fail somewhere. The same phone goes through all of it, and a [`Book`] beside it keeps
//! what its user was told; in the end the hub has every visit exactly once and as the phone shows it.

use std::collections::BTreeMap;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;
use vestibule_tests::kill::{Aim, Boundary, Chance, Kills, OF_EVERY_WRITE, Seen, was_killed};
use vestibule_tests::phone::Phone;
use vestibule_tests::program::stdout;

/// No write passes a point more often than this; a test that gets there does not end by itself.
const MANY: u64 = 2_000;

/// What a user does to the phone.
#[derive(Debug, Clone)]
enum Deed {
    /// Invites a guest of that name.
    Invite(String),
    /// Gives a visit another company.
    Edit(String, String),
    /// Calls a visit off.
    Cancel(String),
    /// Syncs.
    Sync,
}

impl Deed {
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Invite(name) => {
                let email = format!("{name}@visitors.test");
                let form = ["--site", "zrh", "--date", "2037-06-10", "--start", "09:00", "--end", "11:00"];
                let own = ["--first", name, "--email", &email, "--note", "Knows the house"];
                [["invite"].as_slice(), &form, &own, &["--json"]].concat().into_iter().map(str::to_owned).collect()
            }
            Self::Edit(id, company) => ["edit", id, "--company", company, "--json"].map(str::to_owned).to_vec(),
            Self::Cancel(id) => ["cancel", id, "--json"].map(str::to_owned).to_vec(),
            Self::Sync => ["sync", "--json"].map(str::to_owned).to_vec(),
        }
    }
}

/// A guest as the user knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Guest {
    name: String,
    company: Option<String>,
    cancelled: bool,
}

/// A phone, and what its user was told.
struct Book {
    phone: Phone,
    guests: BTreeMap<String, Guest>,
    names: u32,
    label: &'static str,
}

impl Book {
    fn new(phone: Phone, label: &'static str) -> Self {
        Self { phone, guests: BTreeMap::new(), names: 0, label }
    }

    /// A name nobody has yet, and none is the beginning of another.
    fn name(&mut self) -> String {
        self.names += 1;
        format!("{}{:05}", self.label, self.names)
    }

    /// A guest who is there for certain, and whose id the user was told.
    fn guest(&mut self) -> String {
        let name = self.name();
        let printed = stdout(&self.phone.run(&Deed::Invite(name.clone()).arguments()));
        let page: Value = serde_json::from_str(&printed).expect("the page as JSON");
        let id = text(&page, "id").to_owned();
        self.guests.insert(id.clone(), Guest { name, company: None, cancelled: false });
        id
    }

    /// Holds the phone against what its user knows, after one deed that may have been cut off; whether it happened.
    fn check(&mut self, deed: &Deed, output: &Output) -> bool {
        let told = output.status.success();
        let printed: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        assert!(!told || printed.is_some(), "{deed:?} succeeded and said nothing");
        let told = printed.is_some();

        let listed = self.phone.list();
        let by_id: BTreeMap<&str, &Value> = listed.iter().map(|row| (text(row, "id"), row)).collect();
        assert_eq!(by_id.len(), listed.len(), "{deed:?}: a visit is listed twice");
        let mut happened = false;
        for (id, guest) in &mut self.guests {
            let row = by_id.get(id.as_str()).unwrap_or_else(|| panic!("{deed:?}: the acknowledged {guest:?} is lost"));
            let shown = as_listed(row, guest);
            if shown == *guest {
                continue;
            }
            let wanted = match deed {
                Deed::Edit(edited, company) if edited == id => {
                    Guest { company: Some(company.clone()), ..guest.clone() }
                }
                Deed::Cancel(cancelled) if cancelled == id => Guest { cancelled: true, ..guest.clone() },
                _ => panic!("{deed:?}: {guest:?} is listed as {shown:?}"),
            };
            assert_eq!(shown, wanted, "{deed:?}");
            *guest = wanted;
            happened = true;
        }
        let strangers: Vec<&str> = by_id.keys().copied().filter(|id| !self.guests.contains_key(*id)).collect();
        match (deed, strangers.as_slice()) {
            (_, []) => {}
            (Deed::Invite(name), [id]) => {
                let guest = Guest { name: name.clone(), company: None, cancelled: false };
                assert_eq!(as_listed(by_id[id], &guest), guest);
                if let Some(printed) = &printed {
                    assert_eq!(text(printed, "id"), *id);
                }
                self.guests.insert((*id).to_owned(), guest);
                happened = true;
            }
            _ => panic!("{deed:?}: {strangers:?} came from nowhere"),
        }
        if !matches!(deed, Deed::Sync) {
            assert!(happened || !told, "{deed:?} was acknowledged and is not there");
            self.check_page_and_search(deed, happened);
        }
        self.phone.check_file();
        happened
    }

    /// List, page, search and outbox agree.
    fn check_page_and_search(&self, deed: &Deed, happened: bool) {
        let id = match deed {
            Deed::Invite(name) => {
                let found = self.phone.search(name);
                assert_eq!(found.len(), usize::from(happened), "{deed:?}: search and list differ");
                let Some(found) = found.first() else { return };
                text(found, "id").to_owned()
            }
            Deed::Edit(id, _) | Deed::Cancel(id) => id.clone(),
            Deed::Sync => return,
        };
        let (guest, page) = (&self.guests[&id], self.phone.json(&["show", &id, "--json"]));
        assert_eq!(page["first_name"], guest.name.as_str());
        assert_eq!(page["company"].as_str(), guest.company.as_deref());
        assert_eq!(page["status"] == "cancelled", guest.cancelled);
        let waiting: Vec<&str> =
            page["operations"].as_array().expect("a list").iter().map(|o| text(o, "kind")).collect();
        let kind = match deed {
            Deed::Invite(_) => "request",
            Deed::Edit(..) => "edit",
            Deed::Cancel(_) => "cancel",
            Deed::Sync => return,
        };
        if happened {
            assert!(waiting.contains(&kind) && page["queued"] == true, "{deed:?}: {waiting:?} wait");
        }
        if matches!(deed, Deed::Invite(_)) {
            assert_eq!(waiting, ["create", "request"]);
            assert_eq!(page["notes"].as_array().map(Vec::len), Some(1), "the note came with its visit");
        }
    }

    /// Syncs with nobody in the way: the hub has every visit once, and as the phone shows it.
    fn settle(&mut self, hub: &Hub) {
        self.check(&Deed::Sync, &self.phone.clone().run(&Deed::Sync.arguments()));
        let visits = hub.visits();
        let own: Vec<&Value> =
            visits.iter().filter(|visit| text(visit, "first_name").starts_with(self.label)).collect();
        assert_eq!(own.len(), self.guests.len(), "visits on the hub");
        for visit in own {
            let guest = self.guests.get(text(visit, "id")).expect("the hub has only what the phone has");
            assert_eq!(text(visit, "first_name"), guest.name);
            assert_eq!(visit["company"].as_str(), guest.company.as_deref());
            assert_eq!(text(visit, "status") == "cancelled", guest.cancelled);
        }
        let waiting: Vec<Value> = self.phone.list().into_iter().filter(|row| row["queued"] == true).collect();
        assert!(waiting.is_empty(), "{waiting:?} still wait");
        assert_eq!(self.phone.json(&["sync", "--json"])["sent"], 0, "nothing is sent twice");
    }
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

/// The guest as a row of a list shows them; the name is known to be the row's.
fn as_listed(row: &Value, guest: &Guest) -> Guest {
    assert_eq!(text(row, "email"), format!("{}@visitors.test", guest.name));
    Guest {
        name: text(row, "name").to_owned(),
        company: row["company"].as_str().map(str::to_owned),
        cancelled: text(row, "status") == "cancelled",
    }
}

/// A hub that runs, with a phone signed in on it, in a folder of their own.
struct Bench {
    folder: TempDir,
    hub: Hub,
    _mailbox: Mailbox,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(folder.path().join("mail")).expect("a mailbox");
        let mut hub = Hub::create(folder.path().join("hub"), mailbox.address);
        hub.start();
        Self { folder, hub, _mailbox: mailbox }
    }

    fn book(&self, label: &'static str) -> Book {
        let phone = Phone::new(self.folder.path().join("phone.db"));
        phone.sign_in(&self.hub, "ada");
        Book::new(phone, label)
    }
}

/// Kills the phone at the n-th pass of each point, n = 1, 2, …, until it comes through; `next` gives what it is to do.
fn at_every_boundary(book: &mut Book, kills: &Kills, mut next: impl FnMut(&mut Book) -> Deed) -> Seen {
    let mut seen = Seen::default();
    for point in OF_EVERY_WRITE {
        for n in 1..=MANY {
            let deed = next(book);
            let output = book.phone.run_killed_at(kills, Boundary { point, n }, &deed.arguments());
            let happened = book.check(&deed, &output);
            if output.status.success() {
                break;
            }
            assert!(was_killed(output.status), "{deed:?} {point:?} {n}: {}", said(&output));
            seen.note(if happened { "kept" } else { "left nothing" });
            assert_ne!(n, MANY, "{point:?} never ends");
        }
    }
    seen
}

fn said(output: &Output) -> String {
    format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
}

/// S1.6–8, S4.4: inviting, editing and calling off, killed at every boundary of the write.
#[test]
fn a_kill_at_any_boundary_leaves_all_of_a_write_or_nothing() {
    let bench = Bench::new();
    let mut book = bench.book("bound");
    let kills = Kills::none(bench.folder.path());
    let invited = at_every_boundary(&mut book, &kills, |book| Deed::Invite(book.name()));
    let edited = book.guest();
    let edits = at_every_boundary(&mut book, &kills, |book| Deed::Edit(edited.clone(), book.name()));
    let cancels = at_every_boundary(&mut book, &kills, |book| Deed::Cancel(book.guest()));
    book.settle(&bench.hub);
    println!("at boundaries: {kills}; invite: {invited}; edit: {edits}; cancel: {cancels}");
    kills.require(&OF_EVERY_WRITE);
    for (deed, seen) in [("invite", invited), ("edit", edits), ("cancel", cancels)] {
        assert!(seen.count("kept") >= 1, "{deed}: no kill after the commit");
        assert!(seen.count("left nothing") >= 4, "{deed}: too few kills before it");
    }
}

/// A sync killed at every boundary of what it writes goes on where it stopped.
#[test]
fn a_sync_killed_at_any_boundary_loses_nothing_and_sends_nothing_twice() {
    let bench = Bench::new();
    let mut book = bench.book("synced");
    let kills = Kills::none(bench.folder.path());
    at_every_boundary(&mut book, &kills, |book| {
        // What the last kill left undone is done first: else every sync has more to do than the one before.
        stdout(&book.phone.run(&Deed::Sync.arguments()));
        book.guest();
        Deed::Sync
    });
    book.settle(&bench.hub);
    println!("syncs at boundaries: {kills}");
    kills.require(&OF_EVERY_WRITE);
}

/// A first sign-in killed at every boundary, or at a random moment, is done again as if it had never begun.
#[test]
fn a_killed_sign_in_is_done_again() {
    const RANDOM_KILLS: u64 = 10;
    let bench = Bench::new();
    let mut kills = Kills::none(bench.folder.path());
    let mut chance = Chance::new("sign-in");
    let fresh = |number: &mut u32| {
        *number += 1;
        Phone::new(bench.folder.path().join(format!("fresh{number}.db")))
    };
    let mut number = 0;
    let again = |phone: &Phone| {
        phone.sign_in(&bench.hub, "ada");
        phone.list();
        phone.check_file();
        assert!(phone.run(&Deed::Invite("first".into()).arguments()).status.success());
    };
    let begun = Instant::now();
    let undisturbed = fresh(&mut number);
    again(&undisturbed);
    let time = begun.elapsed();
    for point in OF_EVERY_WRITE {
        for n in 1..=MANY {
            let phone = fresh(&mut number);
            let arguments = phone.sign_in_arguments(&bench.hub, "ada");
            let output = phone.run_killed_at(&kills, Boundary { point, n }, &arguments);
            if output.status.success() {
                break;
            }
            assert!(was_killed(output.status), "{point:?} {n}: {}", said(&output));
            again(&phone);
        }
    }
    let mut aim = Aim::within(time);
    while kills.random < RANDOM_KILLS {
        let phone = fresh(&mut number);
        assert!(u64::from(number) < MANY, "hardly anything dies: {kills}");
        let arguments = phone.sign_in_arguments(&bench.hub, "ada");
        let output = phone.run_killed_after(&mut kills, aim.moment(&mut chance), &arguments);
        if !was_killed(output.status) {
            aim.came_too_late();
        }
        again(&phone);
    }
    println!("sign-ins: {kills}");
    kills.require(&OF_EVERY_WRITE);
}

/// What may never happen, 1: kill -9 at a random moment of whatever the phone is doing, many times.
#[test]
fn a_kill_at_any_moment_loses_no_acknowledged_invitation() {
    const KILLS: u64 = 60;
    let bench = Bench::new();
    let mut book = bench.book("random");
    let mut kills = Kills::none(bench.folder.path());
    let mut chance = Chance::new("phone");
    let next = |book: &mut Book, kind: usize| match kind % 4 {
        0 => Deed::Invite(book.name()),
        1 => {
            let company = book.name();
            Deed::Edit(book.guest(), company)
        }
        2 => Deed::Cancel(book.guest()),
        _ => {
            book.guest();
            Deed::Sync
        }
    };
    let mut aims = [(); 4].map(|()| Aim::within(Duration::ZERO));
    for round in 0..12 {
        let deed = next(&mut book, round);
        let begun = Instant::now();
        let output = book.phone.run(&deed.arguments());
        aims[round % 4] = Aim::within(begun.elapsed());
        stdout(&output);
        book.check(&deed, &output);
    }
    let mut seen = Seen::default();
    for round in 0.. {
        if kills.random >= KILLS {
            break;
        }
        assert!(round < 1_000, "hardly anything dies: {kills}");
        let deed = next(&mut book, round);
        let delay = aims[round % 4].moment(&mut chance);
        let output = book.phone.run_killed_after(&mut kills, delay, &deed.arguments());
        assert!(output.status.success() || was_killed(output.status), "{deed:?}: {}", said(&output));
        let happened = book.check(&deed, &output);
        if !was_killed(output.status) {
            aims[round % 4].came_too_late();
        }
        seen.note(match (was_killed(output.status), happened) {
            (true, false) => "killed before the commit",
            (true, true) => "killed after it",
            (false, _) => "done in time",
        });
    }
    book.settle(&bench.hub);
    // On which side of a commit they fell is chance's; the boundaries above are certain.
    println!("at random moments: {kills}; {seen}");
}

/// What may never happen, 4: wherever the system fails a write, as on a full disk, the phone says so, loses nothing and
/// keeps nothing by half.
#[test]
fn a_failing_write_is_an_error_and_loses_nothing() {
    /// The log of the largest write here, in blocks.
    const LOG: usize = 180;
    let bench = Bench::new();
    let mut book = bench.book("full");
    let edited = book.guest();
    let mut seen = Seen::default();
    for kind in 0..4 {
        // Within the log of a write, and where the store itself grows when the log is written back.
        let store = std::fs::metadata(book.phone.store()).expect("the store").len() / 512;
        for blocks in (0..=LOG).step_by(LOG / 12).map(|blocks| blocks as u64).chain((store - 8..=store + 8).step_by(4))
        {
            let deed = match kind {
                0 => Deed::Invite(book.name()),
                1 => Deed::Edit(edited.clone(), book.name()),
                2 => Deed::Cancel(book.guest()),
                _ => {
                    book.guest();
                    Deed::Sync
                }
            };
            let output = book.phone.run_limited(blocks, &deed.arguments());
            let happened = book.check(&deed, &output);
            if output.status.success() {
                seen.note("did not need more room");
                continue;
            }
            // No panic (101), no signal: a sentence.
            assert_eq!(output.status.code(), Some(1), "{deed:?} with {blocks} blocks: {}", said(&output));
            let sentence = String::from_utf8_lossy(&output.stderr);
            assert!(sentence.contains("storage fails") || sentence.contains("no room"), "{sentence}");
            seen.note(if happened { "failed after the commit" } else { "failed and left nothing" });
        }
    }
    book.settle(&bench.hub);
    println!("failing writes: {seen}");
    assert!(seen.count("failed and left nothing") >= 20, "too few writes failed: {seen}");
    assert!(seen.count("did not need more room") >= 4, "no write came through: {seen}");
}
