//! One visit's trouble is no other's: odd addresses, effects that fail, mails that cannot be delivered.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use mail_parser::MessageParser;
use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;
use vestibule_tests::program::vestibule;

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_mins(1);

struct Office {
    dir: TempDir,
    hub: Hub,
    mailbox: Mailbox,
}

impl Office {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(dir.path().join("mail")).expect("a mail server");
        let hub = Hub::create(dir.path().join("hub"), mailbox.address);
        Self { dir, hub, mailbox }
    }

    fn phone(&self, member: &str) -> Phone {
        let phone = Phone::new(self.dir.path().join(format!("{member}.db")));
        phone.sign_in(&self.hub, member);
        phone
    }

    /// The addresses of the next mails to guests, as another program reads them.
    fn guests(&self, count: usize) -> BTreeSet<String> {
        let mut guests = BTreeSet::new();
        while guests.len() < count {
            let arrived = self.mailbox.arrivals.recv_timeout(PATIENCE);
            let arrived = arrived.unwrap_or_else(|_| panic!("{guests:?} only; the hub's log:\n{}", self.hub.log()));
            let bytes = fs::read(arrived.file).expect("a mail");
            let mail = MessageParser::default().parse(&bytes).expect("a mail");
            if mail.header("X-Vestibule-Visit").is_some() {
                let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default();
                guests.insert(to.to_owned());
            }
        }
        guests
    }
}

fn invite(phone: &Phone, email: &str) -> String {
    let visit = phone.json(&["invite", "--first", "Ada", "--email", email, "--site", "zrh", "--json"]);
    visit["id"].as_str().expect("an id").to_owned()
}

/// What the form takes, the mailer can write, in whatever spelling; and three good invitations are sent beside it.
#[test]
fn odd_addresses_are_mailed_and_stop_nobody() {
    let mut office = Office::new();
    office.hub.start();
    let ada = office.phone("ada");
    let odd = [
        ("\"a,b\"@visitors.test", "\"a,b\"@visitors.test"),
        ("\"a b;c\"@visitors.test", "\"a b;c\"@visitors.test"),
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example"),
        ("zoë@bücher.example", "zoë@bücher.example"),
        ("ada@visitors。test.", "ada@visitors.test"),
    ];
    let good = ["one@visitors.test", "two@visitors.test", "three@visitors.test"];
    for email in odd.map(|(typed, _)| typed).into_iter().chain(good) {
        invite(&ada, email);
    }
    assert!(ada.run(&["sync"]).status.success());
    let expected: BTreeSet<String> = odd.map(|(_, sent)| sent).into_iter().chain(good).map(str::to_owned).collect();
    assert_eq!(office.guests(8), expected);
    assert!(ada.list().iter().all(|visit| visit["problem"].is_null()));
}

/// An effect that fails, by an error or a panic, is said to the host and to the administrator, holds up nobody, and is done
/// when the hub has started anew.
#[test]
fn an_effect_that_fails_is_explained_and_tried_again() {
    for how in ["error", "panic"] {
        let mut office = Office::new();
        office.hub.start_failing(2, how);
        let ada = office.phone("ada");
        let ids = ["one", "two", "three", "four"].map(|name| invite(&ada, &format!("{name}@visitors.test")));
        assert!(ada.run(&["sync"]).status.success(), "the push is taken");
        let three = ["one", "three", "four"].map(|name| format!("{name}@visitors.test"));
        assert_eq!(office.guests(3), BTreeSet::from(three));

        let shown = ada.json(&["show", &ids[1], "--json"]);
        assert_eq!(shown["guest_told"], false);
        assert!(shown["undone"][0]["message"].as_str().expect("a sentence").contains("could not be sent"), "{shown}");
        let listed = ada.list();
        let problem = |id: &str| listed.iter().find(|visit| visit["id"] == id).map(|visit| visit["problem"].clone());
        assert_eq!(problem(&ids[1]), Some("invite_undone".into()));
        assert_eq!(problem(&ids[0]), Some(Value::Null));
        let attention = |hub: &Hub| -> Vec<Value> {
            serde_json::from_str(&hub.admin(&["attention", "--json"])).expect("a list as JSON")
        };
        let troubles = attention(&office.hub);
        assert!(troubles.iter().all(|trouble| trouble["visit"] == *ids[1]), "{troubles:?}");
        assert!(troubles.iter().any(|trouble| trouble["effect"] == "invite"), "{troubles:?}");

        // As after an upgrade.
        assert!(office.hub.stop().success());
        office.hub.start();
        assert_eq!(office.guests(1), BTreeSet::from(["two@visitors.test".to_owned()]));
        assert_eq!(attention(&office.hub), Vec::<Value>::new());
        assert!(ada.run(&["sync"]).status.success());
        let shown = ada.json(&["show", &ids[1], "--json"]);
        assert_eq!((&shown["guest_told"], &shown["undone"]), (&Value::Bool(true), &Value::Array(Vec::new())));
        assert!(ada.list().iter().all(|visit| visit["problem"].is_null()));
    }
}

/// By hand, and with the hub away: a visit by its number.
#[test]
fn an_administrator_tries_again() {
    let mut office = Office::new();
    office.hub.start_failing(1, "error");
    let ada = office.phone("ada");
    invite(&ada, "one@visitors.test");
    assert!(ada.run(&["sync"]).status.success());
    assert!(office.hub.admin(&["attention"]).contains("invite"));
    assert!(office.hub.admin(&["attention", "retry", "1"]).contains("Nothing is left undone"));
    assert_eq!(office.guests(1), BTreeSet::from(["one@visitors.test".to_owned()]));
    assert!(office.hub.admin(&["attention"]).contains("Nothing needs attention"));
}

/// The demo goes to its end with a visitor no mail can reach, and says which.
#[test]
fn an_undeliverable_mail_does_not_end_the_demo() {
    let dir = TempDir::new().expect("a folder");
    let file = dir.path().join("visitors.csv");
    let header = "Space_Id,Node_Id,Visitor_First_Name,Visitor_Last_Name,Visitor_Email,Visitor_Company,Visit_Host_Name,\
                  Visit_Host_Email,Visit_Start_Date,Visit_End_Date";
    let rows = ["gone@nowhere.invalid", "zoe@bücher.example", "zoë@visitors.test"]
        .map(|email| format!(",zrh,Zoe,Zen,{email},Acme,,,,"))
        .join("\n");
    fs::write(&file, format!("{header}\n{rows}\n")).expect("a table");
    let demo = dir.path().join("demo");
    let output = vestibule()
        .args(["demo", "--exit", "--visitors"])
        .arg(&file)
        .arg("--dir")
        .arg(&demo)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value =
        serde_json::from_slice(&fs::read(demo.join("demo.json")).expect("a report")).expect("a report as JSON");
    let undelivered = report["undelivered"].as_array().expect("a list");
    assert_eq!(undelivered.len(), 1, "{undelivered:?}");
    assert_eq!((&undelivered[0]["row"], &undelivered[0]["email"]), (&1.into(), &"gone@nowhere.invalid".into()));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Not delivered: row 1"));
    let mails = |row: usize| report["visits"][row]["mails"].as_array().map_or(0, Vec::len);
    assert_eq!((mails(0), mails(1), mails(2)), (0, 1, 1));
}
