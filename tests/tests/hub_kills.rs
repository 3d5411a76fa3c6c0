//! The hub dies at any moment, or its disk is full: when it runs again, nobody is left without a mail.
//!
//! `formats.md`, "Mail": each mail goes out at least once, and is sent again, byte for byte the same, only when the hub
//! died between the mail server's acceptance and its own commit. Each [`Round`] begins with the same hub and the same
//! phone with invitations that wait, disturbs the hub while the phone syncs and the mails go out, starts it again and
//! counts what arrived at a real mail server.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mail_parser::MessageParser;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;
use vestibule_tests::kill::{Aim, Boundary, Chance, Kills, OF_EVERY_WRITE, Point, Seen, was_killed};
use vestibule_tests::phone::Phone;
use vestibule_tests::program::stdout;

/// The guests of a round; one of them has to be approved first and gets no mail.
const GUESTS: [(&str, &str); 3] = [("Zoë", "guest"), ("Émile", "interview"), ("Carl", "contractor")];
/// Those who get one.
const INVITED: usize = 2;
/// How long anything may take before the test is lost.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many mails a hub hands over at once.
const UNDER_WAY: usize = 4;
/// For how long a hub that cannot write is watched: longer than its pause after a failure.
const AGAIN: Duration = Duration::from_secs(5);
/// How often it is looked at what has become of the hub.
const LOOK: Duration = Duration::from_millis(5);
/// No round passes a point more often than this; a test that gets there does not end by itself.
const MANY: u64 = 2_000;

/// A hub that is down and a phone with invitations it knows nothing of.
struct Bench {
    folder: TempDir,
    hub: Hub,
    phone: Phone,
    rounds: u32,
}

/// One hub and one phone of their own, made from the bench's.
struct Round {
    hub: Hub,
    phone: Phone,
    mailbox: Mailbox,
    /// The mails that came.
    mails: Vec<PathBuf>,
    /// What this round is called in a message.
    title: String,
}

/// Where a hub died.
struct Died {
    /// Mails the server has stored and the hub has not noted as sent.
    unnoted: usize,
    /// Mails the hub has begun to send and not noted as sent: it sends no other a second time.
    claimed: usize,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(folder.path().join("mail")).expect("a mailbox");
        let mut hub = Hub::create(folder.path().join("hub"), mailbox.address);
        let phone = Phone::new(folder.path().join("phone.db"));
        hub.start();
        phone.sign_in(&hub, "ada");
        assert!(hub.stop().success());
        write_log_back(&hub.database());
        for (name, kind) in GUESTS {
            let email = format!("{}@visitors.test", name.chars().filter(char::is_ascii).collect::<String>());
            let form = ["--site", "zrh", "--date", "2037-06-10", "--start", "09:00", "--end", "11:00"];
            let own = ["--first", name, "--email", &email, "--type", kind, "--note", "Knows the house"];
            stdout(&phone.run(&[["invite"].as_slice(), &form, &own].concat()));
        }
        Self { folder, hub, phone, rounds: 0 }
    }

    fn round(&mut self, title: String) -> Round {
        self.rounds += 1;
        // A mail server for each round: what a dead hub still had on the line counts for its own round.
        let mailbox = Mailbox::start(self.folder.path().join(format!("mail{}", self.rounds))).expect("a mailbox");
        let hub = self.hub.copy_to(self.folder.path().join("round"));
        hub.send_mails_to(mailbox.address);
        let phone = self.phone.copy_to(self.folder.path().join("round.db"));
        Round { hub, phone, mailbox, mails: Vec::new(), title }
    }
}

/// Makes one file of a database and its log.
fn write_log_back(database: &Path) {
    let connection = Connection::open(database).expect("the database opens");
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("the log is written back");
}

impl Round {
    /// A number of the hub's database, as it is now; 0 while there is none.
    fn number(&self, sql: &str) -> usize {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let Ok(database) = Connection::open_with_flags(self.hub.database(), flags) else { return 0 };
        database.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap_or_default() as usize
    }

    fn has_the_visits(&self) -> bool {
        self.number("SELECT count(*) FROM visit") == GUESTS.len()
    }

    /// Whether the hub has every visit and has noted every mail as sent.
    fn is_settled(&self) -> bool {
        self.has_the_visits()
            && self.number("SELECT count(*) FROM outbox WHERE state = 'sent' AND delivery IS NOT NULL") == INVITED
            && self.number("SELECT count(*) FROM outbox WHERE sealed IS NOT NULL") == 0
    }

    /// Waits until the hub has taken what the phone sends.
    fn waits_for_the_visits(&self) {
        let begun = Instant::now();
        while !self.has_the_visits() {
            assert!(begun.elapsed() < PATIENCE, "{}: no visits; the hub's log:\n{}", self.title, self.hub.log());
        }
    }

    /// Waits until the hub has done everything, or has ended; true if it has done everything.
    fn settles_before_the_hub_ends(&mut self) -> bool {
        let begun = Instant::now();
        loop {
            let settled = self.is_settled();
            if settled || self.hub.ended().is_some() {
                return settled;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{}: mails are missing; the hub's log:\n{}",
                self.title,
                self.hub.log()
            );
            sleep(LOOK);
        }
    }

    /// Looks at what a hub that is dead had sent and noted. A mail it had sent to its last byte may be noted as stored a
    /// moment later.
    fn died(&mut self) -> Died {
        self.mails.extend(self.mailbox.arrivals.try_iter().map(|mail| mail.file));
        let database = Connection::open(self.hub.database()).expect("the database opens");
        let count = |state: &str| -> usize {
            let sql = "SELECT count(*) FROM outbox WHERE state = ?1";
            database.query_row(sql, [state], |row| row.get::<_, u32>(0)).expect("a number") as usize
        };
        let (sent, claimed) = (count("sent"), count("sending"));
        assert!(sent <= self.mails.len(), "{}: a mail was noted as sent before the server had it", self.title);
        Died { unnoted: self.mails.len() - sent, claimed }
    }

    fn begin_sync(&self) -> Child {
        self.phone.command(&["sync", "--json"]).spawn().expect("the command starts")
    }

    /// Starts the hub with nothing in its way, syncs, waits until it is done, and looks at everything; how many mails came
    /// more than once.
    fn recover(&mut self) -> usize {
        self.hub.start();
        stdout(&self.phone.run(&["sync", "--json"]));
        assert!(self.settles_before_the_hub_ends(), "{}: the hub ended; its log:\n{}", self.title, self.hub.log());
        self.check()
    }

    /// What must hold whatever happened, once the hub is done; how many mails came more than once.
    fn check(&mut self) -> usize {
        let title = &self.title;
        assert_eq!(self.phone.json(&["sync", "--json"])["status"], "up_to_date", "{title}");
        assert!(self.hub.stop().success(), "{title}: the hub ends in order");
        let numbers: BTreeSet<u64> =
            self.hub.visits().iter().map(|visit| visit["number"].as_u64().expect("a number")).collect();
        assert_eq!(numbers.len(), GUESTS.len(), "{title}: every visit has a number of its own");
        let ids = |visits: &[Value]| visits.iter().map(|visit| visit["id"].to_string()).collect::<Vec<_>>();
        let (mut known, mut listed) = (ids(&self.hub.visits()), ids(&self.phone.list()));
        known.sort();
        listed.sort();
        assert_eq!(known, listed, "{title}: every visit is there once");
        assert!(self.phone.list().iter().all(|visit| visit["queued"] == false), "{title}: something still waits");
        let database = Connection::open(self.hub.database()).expect("the database opens");
        let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u32>(0)).expect("a number") as usize;
        let text = |sql: &str| database.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a text");
        assert_eq!(text("PRAGMA integrity_check"), "ok", "{title}");
        assert_eq!(number("SELECT count(*) FROM credential WHERE state = 'live'"), INVITED, "{title}: one key a guest");
        assert_eq!(number("SELECT count(*) FROM credential"), INVITED, "{title}: no key was made and thrown away");
        assert_eq!(number("SELECT count(*) FROM note"), GUESTS.len(), "{title}: every note once");
        self.count_mails()
    }

    /// Every guest has a mail, nobody two different ones, and what came twice is the same to the byte.
    fn count_mails(&mut self) -> usize {
        self.mails.extend(self.mailbox.arrivals.try_iter().map(|mail| mail.file));
        let title = &self.title;
        let mails: Vec<Vec<u8>> = self.mails.iter().map(|file| fs::read(file).expect("a stored mail")).collect();
        let mut by_id: BTreeMap<String, &Vec<u8>> = BTreeMap::new();
        let mut by_recipient: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut repeats = 0;
        for bytes in &mails {
            let mail = MessageParser::default().parse(bytes).expect("a mail");
            let id = mail.message_id().expect("a Message-ID").to_owned();
            let to = mail.to().and_then(|to| to.first()?.address()).expect("a recipient").to_owned();
            by_recipient.entry(to).or_default().insert(id.clone());
            if let Some(first) = by_id.insert(id, bytes) {
                assert_eq!(first, bytes, "{title}: a mail was sent again and is not the same");
                repeats += 1;
            }
        }
        for (name, kind) in GUESTS {
            let email = format!("{}@visitors.test", name.chars().filter(char::is_ascii).collect::<String>());
            let got = by_recipient.get(&email).map_or(0, BTreeSet::len);
            assert_eq!(got, usize::from(kind != "contractor"), "{title}: {name} got {got} mails of their own");
        }
        repeats
    }
}

/// Kills the hub at the n-th pass of a point, n = 1, 2, …, until it comes through a whole round.
fn at_every_boundary(bench: &mut Bench, kills: &Kills, seen: &mut Seen, point: Point) {
    for n in 1..=MANY {
        let mut round = bench.round(format!("{} {n}", point.name()));
        let mut survived = false;
        if round.hub.start_to_die_at(kills, Boundary { point, n }) {
            let mut sync = round.begin_sync();
            survived = round.settles_before_the_hub_ends();
            sync.wait().expect("a child can be waited for");
        }
        // Between the last mail and this moment it may still die, looking into its outbox once a second.
        if survived && round.hub.stop().success() {
            round.hub.start();
            assert_eq!(round.check(), 0, "{}: a mail was sent again for no reason", round.title);
            return;
        }
        if !survived {
            assert!(was_killed(round.hub.kill()), "{}: died of something else:\n{}", round.title, round.hub.log());
        }
        let died = round.died();
        assert!(died.unnoted >= 1 || point != Point::AfterAcceptance, "{}: died somewhere else", round.title);
        let repeats = round.recover();
        assert_eq!(repeats, died.unnoted, "{}: mails sent again", round.title);
        seen.note(if repeats > 0 { "between acceptance and commit" } else { "elsewhere" });
    }
    panic!("{point:?} never ends");
}

/// What may never happen, 2: the hub is killed at every boundary of every write.
#[test]
fn a_hub_killed_at_any_boundary_leaves_nobody_without_a_mail() {
    let mut bench = Bench::new();
    let kills = Kills::none(bench.folder.path());
    let mut seen = Seen::default();
    for point in OF_EVERY_WRITE {
        at_every_boundary(&mut bench, &kills, &mut seen, point);
    }
    println!("hub at boundaries: {kills}; {seen}");
    kills.require(&OF_EVERY_WRITE);
    assert_ne!(seen.count("elsewhere"), 0);
}

/// `formats.md`, "Mail": a hub killed between the server's acceptance and its own commit sends that mail again, once and
/// the same to the byte, and no other.
#[test]
fn a_hub_killed_after_an_acceptance_sends_that_mail_again() {
    let mut bench = Bench::new();
    let kills = Kills::none(bench.folder.path());
    at_every_boundary(&mut bench, &kills, &mut Seen::default(), Point::AfterAcceptance);
    println!("hub after acceptances: {kills}");
    assert!(kills.at(Point::AfterAcceptance) >= INVITED, "every guest's mail was one of them: {kills}");
}

/// What may never happen, 2: kill -9 at random moments of sync and sending, and of starting again, many times.
#[test]
fn a_hub_killed_at_any_moment_leaves_nobody_without_a_mail() {
    const HITS: u64 = 15;
    const DURING_SYNC: &str = "during the sync";
    const WHILE_SENDING: &str = "while mails went out";
    const AFTER: &str = "after all of it";
    let mut bench = Bench::new();
    let mut kills = Kills::none(bench.folder.path());
    let mut chance = Chance::new("hub");
    let mut undisturbed = bench.round("undisturbed".into());
    undisturbed.hub.start();
    let begun = Instant::now();
    let mut sync = undisturbed.begin_sync();
    undisturbed.waits_for_the_visits();
    let mut syncing = Aim::within(begun.elapsed());
    let begun = Instant::now();
    assert!(undisturbed.settles_before_the_hub_ends());
    let mut sending = Aim::within(begun.elapsed());
    assert!(sync.wait().expect("a child can be waited for").success());
    assert_eq!(undisturbed.check(), 0);

    let mut seen = Seen::default();
    while [DURING_SYNC, WHILE_SENDING].iter().any(|what| seen.count(what) < HITS) {
        assert!(kills.random < MANY, "no kill hits: {seen}");
        let mut round = bench.round(format!("random {}", kills.random));
        round.hub.start();
        let mut sync = round.begin_sync();
        // First those while the phone syncs, then those while mails go out.
        let aim = if seen.count(DURING_SYNC) < HITS {
            &mut syncing
        } else {
            round.waits_for_the_visits();
            &mut sending
        };
        sleep(aim.moment(&mut chance));
        assert!(was_killed(round.hub.kill()));
        kills.random += 1;
        sync.wait().expect("a child can be waited for");
        let what = match (round.has_the_visits(), round.is_settled()) {
            (false, _) => DURING_SYNC,
            (true, false) => WHILE_SENDING,
            (true, true) => AFTER,
        };
        seen.note(what);
        if what == AFTER || what == WHILE_SENDING && seen.count(DURING_SYNC) < HITS {
            aim.came_too_late();
        }
        let died = round.died();
        let repeats = round.recover();
        let allowed = died.unnoted..=died.claimed;
        assert!(allowed.contains(&repeats), "{}: {repeats} mails sent again, not {allowed:?}", round.title);
        if repeats > 0 {
            seen.note("with mails sent again");
        }
    }
    println!("hub: {kills}; {seen}");
}

/// What may never happen, 4: wherever the system fails a write of the hub's, as on a full disk, it answers with an error
/// or ends in order; it sends no mail over and over; and with room again nothing is missing.
#[test]
fn a_hub_whose_writes_fail_loses_nothing() {
    let mut bench = Bench::new();
    let mut seen = Seen::default();
    let mut undisturbed = bench.round("undisturbed".into());
    undisturbed.hub.start();
    stdout(&undisturbed.phone.run(&["sync", "--json"]));
    assert!(undisturbed.settles_before_the_hub_ends());
    let log = fs::metadata(undisturbed.hub.database().with_extension("db-wal")).expect("the log").len() / 512;
    assert_eq!(undisturbed.check(), 0);
    // From no room at all to a little more than the log of a whole round, closely where visits fit in and mails are sent.
    for blocks in (0..3).map(|part| log * part / 6).chain((0..=8).map(|part| log / 2 + (log / 2 + 16) * part / 8)) {
        let mut round = bench.round(format!("{blocks} blocks"));
        let mut done = false;
        if round.hub.start_limited(blocks) {
            let output = round.phone.run(&["sync", "--json"]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 3 | 4)), "{}: the phone ended with {code:?}: {said}", round.title);
            assert!(!said.contains("panic"), "{}: {said}", round.title);
            // As long as a mail that cannot be noted as sent would take to go out again and again.
            let begun = Instant::now();
            while code == Some(0) && begun.elapsed() < AGAIN && !done {
                done = round.is_settled();
                sleep(LOOK);
            }
            let ended = round.hub.ended();
            assert!(
                ended.is_none_or(|status| status.code().is_some_and(|code| code != 101)),
                "{}: {ended:?}",
                round.title
            );
            seen.note(match (code, done) {
                (Some(0), true) => "had room enough",
                (Some(0), false) => "took the visits and could not send",
                _ => "took nothing",
            });
        } else {
            seen.note("did not start");
        }
        let status = round.hub.stop();
        let in_order = matches!(status.code(), Some(0..=4));
        assert!(in_order, "{}: the hub ended with {status}", round.title);
        let died = round.died();
        assert!(died.unnoted <= UNDER_WAY, "{}: {} mails went out and were not noted", round.title, died.unnoted);
        let repeats = round.recover();
        assert_eq!(repeats, died.unnoted, "{}: mails sent again", round.title);
    }
    println!("hub with failing writes: {seen}");
    for what in ["took nothing", "took the visits and could not send", "had room enough"] {
        assert_ne!(seen.count(what), 0, "no round {what}: {seen}");
    }
}
