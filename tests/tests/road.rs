//! The road at a terminal: what a host, an approver and an operator type, and what each of them gets back.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use mail_parser::{MessageParser, MimeHeaders as _};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use tempfile::TempDir;
use vestibule_hub::config::DataDir;
use vestibule_hub::context::Context;
use vestibule_hub::mailbox::Mailbox;
use vestibule_hub::moment::Moment;
use vestibule_hub::organisation::{self, OrganisationError};
use vestibule_hub::store::HubStore;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_mins(1);

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

    fn phone(&self, member: &str) -> Phone {
        let phone = Phone::new(self.dir.path().join(format!("{member}.db")));
        phone.sign_in(&self.hub, member);
        phone
    }

    /// Waits for a mail to somebody, by what its subject holds; mails to others before it are passed over.
    fn mail(&self, to: &str, subject: &str) -> Mail {
        loop {
            let arrived = self.mailbox.arrivals.recv_timeout(PATIENCE);
            let arrived =
                arrived.unwrap_or_else(|_| panic!("no mail `{subject}` to {to}; the hub's log:\n{}", self.hub.log()));
            let mail = Mail::read(arrived.file);
            if mail.to == to && mail.subject.contains(subject) {
                return mail;
            }
        }
    }

    /// Waits for two mails that may come in any order.
    fn mails(&self, wanted: [(&str, &str); 2]) -> [Mail; 2] {
        let mut found = [None, None];
        while found.iter().any(Option::is_none) {
            let arrived = self.mailbox.arrivals.recv_timeout(PATIENCE);
            let mail = Mail::read(arrived.unwrap_or_else(|_| panic!("the hub's log:\n{}", self.hub.log())).file);
            let place = wanted.iter().position(|(to, subject)| mail.to == *to && mail.subject.contains(subject));
            if let Some(place) = place {
                found[place] = Some(mail);
            }
        }
        found.map(|mail| mail.expect("both are there"))
    }

    /// Has a mail about a change sent at once, which would wait for another edit.
    fn send_changes(&self) {
        let waiting: Vec<Value> = serde_json::from_str(&self.hub.admin(&["mails", "--json"])).expect("a list as JSON");
        let changed = waiting.iter().find(|mail| mail["kind"] == "changed" && mail["state"] == "held");
        self.hub.admin(&["mails", "retry", text(changed.expect("a mail about the change"), "id")]);
    }

    /// Every address that has had a mail.
    fn told(&self) -> Vec<String> {
        let mails = fs::read_dir(self.dir.path().join("mail")).expect("a folder of mails");
        mails.map(|entry| Mail::read(entry.expect("an entry").path()).to).collect()
    }
}

struct Mail {
    to: String,
    subject: String,
    text: String,
    calendar: Option<String>,
    kinds: Vec<String>,
}

impl Mail {
    fn read(file: PathBuf) -> Self {
        let bytes = fs::read(file).expect("a mail");
        let mail = MessageParser::default().parse(&bytes).expect("a mail");
        let calendar = mail
            .parts
            .iter()
            .find(|part| part.is_content_type("text", "calendar"))
            .and_then(mail_parser::MessagePart::text_contents)
            .map(str::to_owned);
        Self {
            to: mail.to().and_then(|to| to.first()).and_then(|to| to.address()).unwrap_or_default().to_owned(),
            subject: mail.subject().unwrap_or_default().to_owned(),
            text: mail.body_text(0).unwrap_or_default().into_owned(),
            calendar,
            kinds: mail
                .parts
                .iter()
                .filter_map(|part| part.content_type())
                .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
                .collect(),
        }
    }

    fn page(&self) -> String {
        let at = self.text.find("/p/").expect("a link to the visitor's page");
        let from = self.text[..at].rfind("http").expect("an address");
        self.text[from..].split_whitespace().next().expect("an address").to_owned()
    }

    fn calendar_line(&self, name: &str) -> String {
        let calendar = self.calendar.as_deref().expect("a calendar part").replace("\r\n ", "");
        let line =
            calendar.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in\n{calendar}"));
        line.split_once(':').expect("name and value").1.to_owned()
    }
}

fn get(address: &str) -> (u16, Vec<u8>) {
    // Fails if another test of this program was first; one provider is enough.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::blocking::get(address).expect("the hub answers");
    (answer.status().as_u16(), answer.bytes().expect("a body").to_vec())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

/// The code behind each field of the problems a command printed.
fn problems(stderr: &[u8]) -> BTreeMap<String, String> {
    String::from_utf8_lossy(stderr)
        .lines()
        .filter_map(|line| {
            let (field, rest) = line.split_once(": ")?;
            let code = rest.rsplit_once('(')?.1.strip_suffix(')')?;
            Some((field.to_owned(), code.to_owned()))
        })
        .collect()
}

/// S1.2, S1.6–8, S1.23, S4.4, S4.14: invite, list, show, search, edit and cancel with the hub away; nothing is shown as
/// invited before the hub has said so.
#[test]
fn a_host_works_with_the_hub_away() {
    let mut office = Office::open();
    let ada = office.phone("ada");
    assert!(office.hub.stop().success());

    let visit = ada.json(&[
        "invite",
        "--first",
        "Ζωή",
        "--last",
        "Müller",
        "--email",
        "zoe@visitors.test",
        "--company",
        "Nordwind",
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
        "--message",
        "Bis bald",
        "--note",
        "never for the visitor",
        "--json",
    ]);
    let id = text(&visit, "id");
    assert_eq!((text(&visit, "status"), text(&visit, "host")), ("queued", "ada"));
    assert_eq!(text(&visit, "start"), "2037-02-10T09:00:00+01:00");
    assert_eq!(visit["notes"][0]["text"], "never for the visitor");

    assert_eq!(ada.list().len(), 1);
    for words in ["ζω", "mull", "nordw", "ada"] {
        assert_eq!(ada.search(words).len(), 1, "{words}");
    }
    assert!(ada.search("nobody").is_empty());
    assert_eq!(ada.json(&["list", "--tab", "upcoming", "--json"]).as_array().map(Vec::len), Some(0));
    assert_eq!(ada.json(&["list", "--tab", "queued", "--json"]).as_array().map(Vec::len), Some(1));

    let edited = ada.json(&["edit", id, "--company", "Südwind", "--json"]);
    assert_eq!(text(&edited, "company"), "Südwind");
    let pass = ada.json(&["pass", id, "--json"]);
    assert!(pass["pass"].to_string().contains("Ζωή") && pass["pass"]["barcodes"].is_null(), "a preview has no code");
    assert!(ada.json(&["qr", id, "--json"])["rows"].as_array().is_some_and(|rows| rows.len() > 20));
    assert!(ada.json(&["history", id, "--json"]).is_array());

    let away = ada.run(&["sync"]);
    assert_eq!(away.status.code(), Some(3), "the hub is unreachable and the work is kept");
    let cancelled = ada.json(&["cancel", id, "--json"]);
    assert_eq!((text(&cancelled, "status"), cancelled["queued"].as_bool()), ("cancelled", Some(true)));

    office.hub.start();
    assert_eq!(ada.run(&["sync"]).status.code(), Some(0));
    let after = ada.json(&["show", id, "--json"]);
    assert_eq!((text(&after, "status"), after["queued"].as_bool()), ("cancelled", Some(false)));
}

/// S1.26, S4.5: each mistake has its own field, code and message, and nothing is created.
#[test]
fn bad_drafts_name_field_code_and_message() {
    let office = Office::open();
    let twins = office.twins();
    let ada = office.phone("ada");
    let long = "x".repeat(10_000);
    let good = ["--first", "Zoë", "--email", "z@visitors.test", "--site", "zrh"];
    let cases: [(&[&str], &str, &str); 12] = [
        (&["--email", "z@visitors.test", "--site", "zrh"], "name", "required"),
        (&["--first", "Zoë", "--email", "zoe@", "--site", "zrh"], "email", "malformed"),
        (&["--first", "Zoë", "--site", "zrh"], "email", "required"),
        (&["--date", "2037-02-10", "--start", "11:00", "--end", "09:00"], "end", "end_before_start"),
        (&["--site", "mars"], "site", "unknown"),
        (&["--first", &long], "first_name", "too_long"),
        (&["--date", "2037-03-29", "--start", "02:30", "--end", "04:00"], "start", "no_such_time"),
        (&["--last", "a\u{7}b"], "last_name", "forbidden_character"),
        (&["--last", "a\u{202e}b"], "last_name", "forbidden_character"),
        (&["--host", twins], "host", "ambiguous"),
        (&["--space", "nyc-room-1"], "space", "wrong_site"),
        (&["--date", "2037-02-10", "--start", "25:00"], "start", "malformed"),
    ];
    for (arguments, field, code) in cases {
        // Whole forms stand as they are; others are one change to a good one.
        let whole = arguments.contains(&"--site") && arguments.len() > 2;
        let mut command = vec!["invite"];
        for pair in good.chunks(2).filter(|pair| !whole && !arguments.contains(&pair[0])) {
            command.extend(pair);
        }
        command.extend(arguments);
        let output = ada.run(&command);
        assert_eq!(output.status.code(), Some(2), "{field} {code}");
        let found = problems(&output.stderr);
        assert_eq!(found.get(field).map(String::as_str), Some(code), "{found:?}");
        assert_eq!(found.len(), 1, "only what is wrong is named: {found:?}");
    }
    assert!(ada.list().is_empty(), "nothing was created");
}

impl Office {
    /// Gives a second member the name of the first, as organisations have it, and says which name it is.
    fn twins(&self) -> &'static str {
        const NAME: &str = "Ada Keller";
        let dir = DataDir::open(&self.dir.path().join("hub")).expect("the hub's folder");
        let organisation = "example-ag".parse().expect("an id");
        let mut rng = ChaCha20Rng::from_seed([5; 32]);
        let config = dir.config().expect("settings");
        let context = Context::open(&dir, &config, &organisation, Utc::now(), &mut rng).expect("the hub's keys");
        HubStore::open(&dir.database())
            .expect("opens")
            .write::<_, OrganisationError>(|tx| {
                let mut moment = Moment::new(Utc::now(), &mut rng);
                let ben = "ben".parse().expect("an id");
                organisation::change_member(tx, &context, &mut moment, &ben, |member| member.member.name = NAME.into())
            })
            .expect("Ben takes Ada's name");
        NAME
    }
}

/// S1.27–29, S2.8, S2.9, S2.11–16, S2.24–30: who is told what, before and after a decision.
#[test]
fn an_approver_decides_and_only_the_right_people_are_told() {
    let office = Office::open();
    let ada = office.phone("ada");
    let invite = |first: &str, email: &str| {
        let visit = ada.json(&[
            "invite",
            "--first",
            first,
            "--email",
            email,
            "--site",
            "zrh",
            "--type",
            "contractor",
            "--date",
            "2037-05-04",
            "--start",
            "08:00",
            "--end",
            "17:00",
            "--json",
        ]);
        text(&visit, "id").to_owned()
    };
    let (good, bad) = (invite("Good", "good@visitors.test"), invite("Bad", "bad@visitors.test"));
    assert_eq!(ada.run(&["sync"]).status.code(), Some(0));
    assert_eq!(text(&ada.json(&["show", &good, "--json"]), "status"), "pending");
    let notice = office.mail("security@example.com", "approval");
    assert!(notice.text.contains("/review/"), "S2.16: {}", notice.text);

    office.hub.admin(&["approve", &good, "--as", "priya"]);
    let invitation = office.mail("good@visitors.test", "invitation");
    assert!(invitation.text.contains("PIN"));

    office.hub.admin(&["reject", &bad, "--as", "priya", "--reason", "No work permit", "--final"]);
    let rejection = office.mail("ada@example.com", "reject");
    assert!(rejection.text.contains("No work permit"), "{}", rejection.text);
    // The phone does not know yet: what it asks for is refused, kept and shown.
    assert_eq!(ada.run(&["edit", &bad, "--company", "Other"]).status.code(), Some(0));
    let refused = ada.run(&["sync"]);
    assert_eq!(refused.status.code(), Some(4), "{}", String::from_utf8_lossy(&refused.stderr));
    let shown = ada.json(&["show", &bad, "--json"]);
    assert_eq!(text(&shown, "status"), "rejected");
    assert_eq!(
        (text(&shown["approval"], "reason"), shown["approval"]["final"].as_bool()),
        ("No work permit", Some(true))
    );
    assert_eq!(text(&ada.json(&["show", &good, "--json"]), "status"), "upcoming");
    assert!(!office.told().contains(&"bad@visitors.test".to_owned()), "S2.15, S2.28: the guest hears nothing");

    // S2.21–23: re-opened, and approved again unchanged: the same credential lives again, with no second mail.
    let page = invitation.page();
    office.hub.admin(&["reopen", &good, "--as", "priya"]);
    let (_, body) = get(&page);
    assert!(
        !String::from_utf8_lossy(&body).contains("VMS1:") && !String::from_utf8_lossy(&body).contains("<svg id=\"qr\"")
    );
    office.hub.admin(&["approve", &good, "--as", "priya"]);
    office.mail("ada@example.com", "approved");
    let mails = office.told().iter().filter(|to| *to == "good@visitors.test").count();
    assert_eq!(mails, 1, "approved again unchanged: no second mail");
}

/// S4.28–29, and the delivery's end: a corrected address leaves the first one with a dead pass.
#[test]
fn a_corrected_address_ends_the_first_delivery() {
    let office = Office::open();
    let ada = office.phone("ada");
    let visit = ada.json(&[
        "invite",
        "--first",
        "Zoë",
        "--email",
        "typo@visitors.test",
        "--site",
        "nyc",
        "--date",
        "2037-06-01",
        "--start",
        "09:00",
        "--end",
        "10:00",
        "--message",
        "Secret plan B",
        "--json",
    ]);
    let id = text(&visit, "id");
    ada.run(&["sync"]);
    let first = office.mail("typo@visitors.test", "invitation");
    assert_eq!(get(&first.page()).0, 200);

    ada.run(&["edit", id, "--email", "right@visitors.test", "--start", "09:30"]);
    assert_eq!(ada.run(&["sync"]).status.code(), Some(0));
    let [second, ended] =
        office.mails([("right@visitors.test", "invitation"), ("typo@visitors.test", "no longer valid")]);
    assert_eq!(ended.calendar_line("METHOD"), "CANCEL");
    assert_eq!(ended.calendar_line("UID"), first.calendar_line("UID"));
    assert_ne!(second.calendar_line("UID"), first.calendar_line("UID"), "another delivery");
    for new in ["right@visitors.test", "09:30", "Secret plan B"] {
        assert!(!ended.text.contains(new), "nothing of the new values: {new} in {}", ended.text);
    }
    assert!(!ended.kinds.iter().any(|kind| kind.contains("pkpass") || kind == "image/png"));

    let (status, body) = get(&first.page());
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(status != 200 && !body.contains("Zoë") && !body.contains("right@"), "the first page is dead: {status}");
    let (_, pass) = get(&format!("{}/pass.pkpass", first.page()));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(pass)).expect("a pass");
    let mut json = String::new();
    archive.by_name("pass.json").expect("pass.json").read_to_string(&mut json).expect("reads");
    let dead: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(dead["voided"], true);
    assert!(dead["barcodes"].is_null() && !json.contains("Zoë"), "{json}");
    assert_eq!(get(&second.page()).0, 200, "the second page lives");
}

/// S4.11, S4.29, S1.19: an edit the visitor sees brings a new mail with a new PIN and the next SEQUENCE; an internal one
/// brings none; a cancellation takes the calendar entry back.
#[test]
fn edits_and_cancellations_reach_the_visitor_as_they_should() {
    let office = Office::open();
    let ada = office.phone("ada");
    let visit = ada.json(&[
        "invite",
        "--last",
        "Okafor",
        "--email",
        "okafor@visitors.test",
        "--site",
        "zrh",
        "--date",
        "2037-07-01",
        "--start",
        "09:00",
        "--end",
        "10:00",
        "--json",
    ]);
    let id = text(&visit, "id");
    ada.run(&["sync"]);
    let first = office.mail("okafor@visitors.test", "invitation");
    ada.run(&["edit", id, "--pacs-id", "A-17", "--note", "internal"]);
    ada.run(&["sync"]);
    ada.run(&["edit", id, "--start", "09:15"]);
    ada.run(&["sync"]);
    office.send_changes();
    let second = office.mail("okafor@visitors.test", "");
    assert!(second.text.contains("09:15"), "the internal edit brought no mail of its own");
    assert_eq!(second.calendar_line("UID"), first.calendar_line("UID"));
    let number = |mail: &Mail| mail.calendar_line("SEQUENCE").parse::<u32>().expect("a number");
    assert!(number(&second) > number(&first));
    let pin = |mail: &Mail| {
        mail.text.split("PIN: ").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned)
    };
    assert!(pin(&first).is_some() && pin(&first) != pin(&second), "a new PIN");
    assert!(!second.text.contains("internal") && !second.text.contains("A-17"));

    ada.run(&["cancel", id]);
    assert_eq!(ada.run(&["sync"]).status.code(), Some(0));
    let last = office.mail("okafor@visitors.test", "");
    assert_eq!(last.calendar_line("METHOD"), "CANCEL");
    assert_eq!(last.calendar_line("UID"), first.calendar_line("UID"));
    assert!(number(&last) > number(&second));
    assert_ne!(get(&first.page()).0, 200, "the page has ended");
}

/// The exit codes of somebody who may not: signed out 5, unknown visit 2.
#[test]
fn exit_codes_say_what_to_do() {
    let office = Office::open();
    let stranger = Phone::new(office.dir.path().join("nobody.db"));
    assert_eq!(stranger.run(&["list"]).status.code(), Some(5), "sign in first");
    let ada = office.phone("ada");
    assert_eq!(ada.run(&["show", "01a1fed2-0841-7e90-b6fa-56fc6977a479"]).status.code(), Some(2));
    assert_eq!(ada.run(&["show", "not-an-id"]).status.code(), Some(2));
    assert_eq!(ada.run(&["list", "--tab", "nowhere"]).status.code(), Some(2));
}
