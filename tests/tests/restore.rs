//! A hub that is restored from a backup while phones work, a database file that is put back by hand, and a phone that is a
//! copy of another: at the end every outbox is empty, no invitation is lost, and nobody is told twice of what did not change.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;
use vestibule_tests::program::{stdout, vestibule};

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// A hub, its mail, and phones.
struct Office {
    dir: TempDir,
    hub: Hub,
    mailbox: Mailbox,
}

impl Office {
    fn open() -> Self {
        let dir = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(dir.path().join("mail")).expect("a mail server");
        let mut hub = Hub::create(dir.path().join("hub"), mailbox.address);
        hub.start();
        Self { dir, hub, mailbox }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn phone(&self, member: &str) -> Phone {
        let phone = Phone::new(self.path(&format!("{member}.db")));
        phone.sign_in(&self.hub, member);
        phone
    }

    /// Waits until that many more mails have come to guests.
    fn guests_are_told(&self, mut mails: usize) {
        while mails > 0 {
            let arrived = self.mailbox.arrivals.recv_timeout(PATIENCE);
            let arrived = arrived.unwrap_or_else(|_| panic!("{mails} mails are missing; log:\n{}", self.hub.log()));
            mails -= usize::from(guest_of(&arrived.file).is_some());
        }
    }

    /// How many mails each guest has had.
    fn told(&self) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for entry in fs::read_dir(self.path("mail")).expect("a folder of mails") {
            if let Some(guest) = guest_of(&entry.expect("an entry").path()) {
                *told.entry(guest).or_default() += 1;
            }
        }
        told
    }

    fn admin(&self, arguments: &[&str]) -> Output {
        let mut command = vestibule();
        command.args(["admin", "--dir"]).arg(self.path("hub")).args(arguments).stdin(Stdio::null());
        command.output().expect("the command starts")
    }
}

/// The guest a mail is to, if it is to one.
fn guest_of(mail: &Path) -> Option<String> {
    let bytes = fs::read(mail).expect("a mail");
    let mail = MessageParser::default().parse(&bytes).expect("a mail");
    let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default();
    to.strip_suffix("@visitors.test").map(str::to_owned)
}

fn invite(phone: &Phone, guest: &str) -> String {
    let address = format!("{guest}@visitors.test");
    let visit = phone.json(&[
        "invite",
        "--first",
        guest,
        "--email",
        &address,
        "--site",
        "zrh",
        "--type",
        "guest",
        "--date",
        "2037-02-10",
        "--start",
        "09:00",
        "--end",
        "11:00",
        "--json",
    ]);
    visit["id"].as_str().expect("an id").to_owned()
}

fn sync(phone: &Phone) -> Value {
    phone.json(&["sync", "--json"])
}

/// Each guest's visit on a phone, by status.
fn shown(phone: &Phone) -> BTreeMap<String, String> {
    let list = phone.list();
    let text = |visit: &Value, field: &str| visit[field].as_str().unwrap_or_default().to_owned();
    list.iter().map(|visit| (text(visit, "name"), text(visit, "status"))).collect()
}

fn nothing_waits(phone: &Phone) {
    for visit in phone.list() {
        let (queued, conflict) = (&visit["queued"], &visit["conflict"]);
        assert!(*queued == false && *conflict == false && visit["problem"].is_null(), "{visit}");
    }
    phone.check_file();
}

/// Four phones work with a hub that loses what it has learned since its backup. Ada had invited and edited, Dora had edited
/// Ada's visit, Ben had invited, Chloe's phone was enrolled only after the backup.
#[test]
fn phones_send_again_what_a_restored_hub_has_forgotten() {
    let mut office = Office::open();
    let [ada, ben, dora] = ["ada", "ben", "dora"].map(|member| office.phone(member));
    let (kept, bens) = (invite(&ada, "kept"), invite(&ben, "bens"));
    sync(&ada);
    sync(&ben);
    office.guests_are_told(2);
    let (backup, keys) = (office.path("backup"), office.path("keys"));
    let (backup_text, keys_text) = (backup.to_str().expect("UTF-8"), keys.to_str().expect("UTF-8"));
    // The hub runs, and what it has just written stands in its log only.
    stdout(&office.admin(&["backup", backup_text, "--keys", keys_text]));
    stdout(&office.admin(&["verify", backup_text]));
    stdout(&office.admin(&["verify", keys_text]));

    let lost = invite(&ada, "lost");
    ada.json(&["edit", &kept, "--phone", "+41 44 555 01 02", "--json"]);
    sync(&ada);
    sync(&dora);
    dora.json(&["edit", &lost, "--phone", "+41 44 555 01 03", "--json"]);
    sync(&dora);
    invite(&ben, "also-lost");
    sync(&ben);
    let chloe = office.phone("chloe");
    invite(&chloe, "chloes");
    sync(&chloe);
    office.guests_are_told(3);
    invite(&ada, "unsent");

    // A hub that runs is left alone; one that has a database is overwritten only if that is said.
    assert_ne!(office.admin(&["restore", backup_text, "--force"]).status.code(), Some(0));
    assert!(office.hub.stop().success());
    assert_eq!(office.admin(&["restore", backup_text]).status.code(), Some(2));
    let said = stdout(&office.admin(&["restore", backup_text, "--force"]));
    assert!(said.contains("set back to"), "{said}");
    assert!(said.contains("hub.db.replaced-"), "the old one is kept: {said}");
    office.hub.start();
    assert_eq!(office.hub.visits().len(), 2);

    // Dora comes first: her edit has nothing to stand on yet, which is no refusal.
    let met = sync(&dora);
    assert!(met["set_back"]["to"].is_string(), "{met}");
    assert_eq!(sync(&dora)["set_back"], Value::Null, "told once");
    let met = sync(&ada);
    assert_eq!(met["set_back"]["sent_again"], 2, "{met}");
    let spoken = stdout(&ben.run(&["sync"]));
    assert!(spoken.contains("The hub was set back to ") && spoken.contains("1 invitation was sent again"), "{spoken}");
    // A device the hub has forgotten signs in again, and loses nothing.
    let refused = chloe.run(&["sync"]);
    assert_eq!(refused.status.code(), Some(5), "{}", String::from_utf8_lossy(&refused.stderr));
    chloe.sign_in(&office.hub, "chloe");
    for phone in [&dora, &ada, &ben, &chloe] {
        sync(phone);
    }
    sync(&ada);
    sync(&dora);

    let visits = office.hub.visits();
    assert_eq!(visits.len(), 6, "no invitation is lost: {visits:?}");
    for phone in [&ada, &ben, &dora, &chloe] {
        nothing_waits(phone);
        assert!(shown(phone).values().all(|status| status == "upcoming"), "{:?}", shown(phone));
    }
    assert_eq!(ada.json(&["show", &lost, "--json"])["phone"], "+41 44 555 01 03", "Dora's edit came after all");
    assert_eq!(ada.json(&["show", &kept, "--json"])["phone"], "+41 44 555 01 02");
    assert_eq!(ben.json(&["show", &bens, "--json"])["status"], "upcoming");
    // Those whose access the hub has forgotten have new access; nobody else hears a thing.
    office.guests_are_told(4);
    let told = office.told();
    let count = |guest: &str| told.get(guest).copied().unwrap_or(0);
    assert_eq!((count("kept"), count("bens"), count("unsent")), (1, 1, 1), "{told:?}");
    assert_eq!((count("lost"), count("also-lost"), count("chloes")), (2, 2, 2), "{told:?}");
}

/// The file is put back by hand: nobody tells the hub, but the first phone that has seen more does, once.
#[test]
fn an_old_file_put_back_by_hand_is_found_out() {
    let mut office = Office::open();
    let [ada, ben] = ["ada", "ben"].map(|member| office.phone(member));
    invite(&ada, "kept");
    sync(&ada);
    sync(&ben);
    assert!(office.hub.stop().success());
    let old = office.path("old.db");
    fs::copy(office.hub.database(), &old).expect("a copy");
    office.hub.start();
    invite(&ada, "lost");
    invite(&ben, "bens");
    sync(&ada);
    sync(&ben);
    assert!(office.hub.stop().success());
    fs::copy(&old, office.hub.database()).expect("goes back");
    let left = ["hub.db-wal", "hub.db-shm"].map(|name| office.path("hub").join(name).exists());
    assert_eq!(left, [false, false], "a hub that was stopped leaves no log");
    office.hub.start();

    let met = sync(&ada);
    assert_eq!(met["set_back"]["sent_again"], 1, "{met}");
    let met = sync(&ben);
    assert_eq!(met["set_back"]["sent_again"], 1, "{met}");
    for phone in [&ada, &ben] {
        assert_eq!(sync(phone)["set_back"], Value::Null);
        nothing_waits(phone);
    }
    assert_eq!(office.hub.visits().len(), 3);
    let log = office.hub.log();
    assert_eq!(log.matches("is an older file").count(), 1, "{log}");
}

/// Two phones with one key, and one that was set back itself: each that finds out takes a key of its own, and everything
/// is sent once.
#[test]
fn a_copied_phone_takes_a_key_of_its_own() {
    let office = Office::open();
    let ada = office.phone("ada");
    invite(&ada, "both");
    // The copy holds the same unsent work.
    let copy = ada.copy_to(office.path("copy.db"));
    let set_back = ada.copy_to(office.path("set-back.db"));
    invite(&ada, "first");
    invite(&copy, "second");
    sync(&ada);
    let device = ada.json(&["sync", "--json"])["id"].clone();
    let other = sync(&copy);
    assert_ne!(other["id"], device, "a key of its own: {other}");
    sync(&set_back);
    invite(&set_back, "third");
    sync(&set_back);
    for phone in [&ada, &copy, &set_back] {
        invite(phone, "later");
        sync(phone);
    }
    for phone in [&ada, &copy, &set_back] {
        sync(phone);
        nothing_waits(phone);
        assert_eq!(phone.list().len(), 7, "{:?}", shown(phone));
    }
    assert_eq!(office.hub.visits().len(), 7, "nothing is sent twice");
    office.guests_are_told(7);
    assert_eq!(office.told().get("both"), Some(&1));
}

/// A backup is whole or is none; nobody else reads it; the keys lie apart; what was changed in it is found.
#[test]
fn a_backup_is_whole_and_private() {
    let mut office = Office::open();
    let ada = office.phone("ada");
    invite(&ada, "kept");
    sync(&ada);
    let (backup, keys) = (office.path("backup"), office.path("keys"));
    let (backup_text, keys_text) = (backup.to_str().expect("UTF-8"), keys.to_str().expect("UTF-8"));
    let within = backup.join("keys");
    let together = office.admin(&["backup", backup_text, "--keys", within.to_str().expect("UTF-8")]);
    assert_eq!(together.status.code(), Some(2));
    let said = stdout(&office.admin(&["backup", office.path("without").to_str().expect("UTF-8")]));
    assert!(said.contains("The keys are not in it"), "{said}");
    assert!(!backup.exists(), "nothing was written");
    stdout(&office.admin(&["backup", backup_text, "--keys", keys_text]));
    assert_eq!(office.admin(&["backup", backup_text]).status.code(), Some(2), "none is overwritten");
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    for file in ["hub.db", "vestibule.toml", "manifest.json"] {
        assert_eq!(mode(&backup.join(file)), 0o600, "{file}");
    }
    assert_eq!((mode(&backup), mode(&keys)), (0o700, 0o700));
    assert!(!backup.join("keys").exists() && keys.join("example-ag/pin-pepper.key").exists());
    let manifest: Value =
        serde_json::from_slice(&fs::read(backup.join("manifest.json")).expect("reads")).expect("JSON");
    assert_eq!(manifest["organisations"][0]["visits"], 1, "what stood in the log is in it: {manifest}");

    // Another machine, with nothing but the two backups.
    assert!(office.hub.stop().success());
    let restored = office.path("elsewhere");
    let restore = |arguments: &[&str]| {
        let mut command = vestibule();
        command.args(["admin", "--dir"]).arg(&restored).args(arguments).stdin(Stdio::null());
        command.output().expect("the command starts")
    };
    assert_eq!(restore(&["restore", backup_text]).status.code(), Some(2), "no keys");
    stdout(&restore(&["restore", backup_text, "--keys", keys_text]));
    let visits: Value = serde_json::from_str(&stdout(&restore(&["visits", "--json"]))).expect("JSON");
    assert_eq!(visits.as_array().map(Vec::len), Some(1));

    let database = backup.join("hub.db");
    let mut bytes = fs::read(&database).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&database, bytes).expect("writes");
    for command in ["verify", "restore"] {
        let refused = restore(&[command, backup_text]);
        assert_eq!(refused.status.code(), Some(1), "{command}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("not whole"), "{command}");
    }
}
