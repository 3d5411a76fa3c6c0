//! Wrong clocks, with real processes: a hub that once stood a year ahead, one that was off for a week, and phones whose
//! clocks are anything. Nobody does anything about it, and everything arrives.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;
use vestibule_tests::program::stdout;

/// A hub that runs, and its mail.
struct Office {
    dir: TempDir,
    hub: Hub,
    _mailbox: Mailbox,
}

impl Office {
    fn open() -> Self {
        let dir = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(dir.path().join("mail")).expect("a mail server");
        let address: SocketAddr = mailbox.address;
        let mut hub = Hub::create(dir.path().join("hub"), address);
        hub.start();
        Self { dir, hub, _mailbox: mailbox }
    }

    fn phone(&self, name: &str, member: &str, off: Option<&str>) -> Phone {
        let mut phone = Phone::new(self.dir.path().join(format!("{name}.db")));
        phone.set_clock(off);
        phone.sign_in(&self.hub, member);
        phone
    }

    /// The hub ends and starts again where the clock is off by so much.
    fn restart(&mut self, off: Option<&str>) {
        assert!(self.hub.stop().success(), "{}", self.hub.log());
        self.hub.set_clock(off);
        self.hub.start();
    }

    fn clock(&self) -> String {
        let shown: Value = serde_json::from_str(&self.hub.admin(&["clock", "--json"])).expect("JSON");
        shown["status"].as_str().expect("a status").to_owned()
    }

    /// Waits until the hub makes that of its clock.
    fn until(&self, status: &str) {
        let begun = Instant::now();
        while self.clock() != status {
            assert!(begun.elapsed() < Duration::from_mins(1), "never {status}; the hub's log:\n{}", self.hub.log());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Invites somebody for a day two months from now.
fn invite(phone: &Phone, name: &str) {
    let date = (Utc::now() + TimeDelta::days(60)).format("%Y-%m-%d").to_string();
    let email = format!("{}@guest.example", name.to_lowercase());
    let invited = phone.run(&[
        "invite", "--first", name, "--email", &email, "--site", "zrh", "--date", &date, "--start", "09:00", "--end",
        "10:00",
    ]);
    stdout(&invited);
}

fn syncs(phone: &Phone) -> Value {
    let said = phone.json(&["sync", "--json"]);
    assert_eq!(said["status"], "up_to_date", "{said}");
    said
}

fn statuses(phone: &Phone) -> Vec<String> {
    phone.list().iter().map(|visit| visit["status"].as_str().expect("a status").to_owned()).collect()
}

/// One life of the hub a year ahead: phones sync before, between and after, no visit ends, no key is renewed, and no
/// phone's clock is moved.
#[test]
fn a_hub_that_once_stood_a_year_ahead() {
    let mut office = Office::open();
    let ada = office.phone("ada", "ada", None);
    invite(&ada, "Grace");
    syncs(&ada);
    for off in ["+365d", "-365d"] {
        office.restart(Some(off));
        office.until("in_doubt");
        invite(&ada, "Charles");
        assert_eq!(syncs(&ada)["clock_off_by"], Value::Null);
        let new = office.phone(&format!("new{off}"), "ada", None);
        invite(&new, "Alan");
        syncs(&new);
        office.restart(None);
        office.until("certain");
        invite(&ada, "Mary");
        assert_eq!(syncs(&ada)["clock_off_by"], Value::Null);
        syncs(&new);
    }
    assert!(statuses(&ada).iter().all(|status| status == "upcoming"), "{:?}", ada.list());
    assert_eq!(office.hub.visits().len(), 7);
    assert!(office.hub.log().contains("the machine's clock is more than a day from where it should be"));
}

/// A hub that was off for a week takes the word of its phones; a person is needed by neither.
#[test]
fn a_hub_that_was_off_for_a_week() {
    let mut office = Office::open();
    let mut ada = office.phone("ada", "ada", None);
    invite(&ada, "Grace");
    office.restart(Some("+7d"));
    ada.set_clock(Some("+7d"));
    syncs(&ada);
    office.until("certain");
    assert_eq!(syncs(&ada)["clock_off_by"], Value::Null);
    assert_eq!(statuses(&ada), ["upcoming"]);
}

/// An administrator's word is taken by a hub that runs and by one that starts.
#[test]
fn an_administrator_confirms_a_clock() {
    let mut office = Office::open();
    let ada = office.phone("ada", "ada", None);
    for off in [Some("+800d"), None] {
        office.restart(off);
        office.until("in_doubt");
        assert!(office.hub.admin(&["clock"]).contains("800 days"));
        office.hub.admin(&["clock", "confirm"]);
        office.until("certain");
        syncs(&ada);
    }
}

/// A phone whose clock is anything signs in, invites and syncs, and whoever reads times on it is told.
#[test]
fn a_phone_with_a_wrong_clock() {
    let office = Office::open();
    let mut right = office.phone("right", "ada", None);
    for (off, says) in [
        ("+1h", "60 minutes fast"),
        ("-1h", "60 minutes slow"),
        ("+400d", "400 days fast"),
        ("-400d", "400 days slow"),
        ("+3650d", "3650 days fast"),
    ] {
        let wrong = office.phone(&format!("wrong{off}"), "ada", Some(off));
        invite(&wrong, "Alan");
        let told = stdout(&wrong.run(&["sync"]));
        assert!(told.contains(says), "{off}: {told}");
        assert!(told.contains("times are shown by the hub's"), "{told}");
        assert!(statuses(&wrong).contains(&"upcoming".to_owned()));
        // And a phone whose clock is set while it is signed in.
        right.set_clock(Some(off));
        assert_ne!(syncs(&right)["clock_off_by"], Value::Null, "{off}");
        invite(&right, "Grace");
        syncs(&right);
        right.set_clock(None);
        assert_eq!(syncs(&right)["clock_off_by"], Value::Null, "{off}");
    }
    // Set far back with no network, what is made can still be sent.
    right.set_clock(Some("-500d"));
    invite(&right, "Mary");
    right.set_clock(None);
    syncs(&right);
    assert!(statuses(&right).iter().all(|status| status == "upcoming"), "{:?}", right.list());
}
