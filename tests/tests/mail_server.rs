//! A mail server as bad as they come: it refuses one recipient, puts another off, ponders a third, and takes the fourth;
//! and one that never answers at all.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use vestibule_tests::hub::Hub;
use vestibule_tests::phone::Phone;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(3);

/// A server that answers by the recipient: `refused…` 550, `grey…` 451 until it is told to stop that, `slow…` nothing at
/// all; the others it takes.
struct Server {
    address: SocketAddr,
    taken: mpsc::Receiver<String>,
    /// Recipients that are refused or put off no more.
    mended: Arc<Mutex<BTreeSet<String>>>,
    /// Connections that wait for an answer about a slow recipient.
    pondering: mpsc::Receiver<TcpStream>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let (taking, taken) = mpsc::channel();
        let (ponder, pondering) = mpsc::channel();
        let mended: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let known = Arc::clone(&mended);
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (taking, ponder, known) = (taking.clone(), ponder.clone(), Arc::clone(&known));
                std::thread::spawn(move || talk(&stream, &taking, &ponder, &known));
            }
        });
        Self { address, taken, mended, pondering }
    }

    fn takes(&self, recipient: &str) {
        loop {
            if self.taken.recv_timeout(PATIENCE).expect("the mail comes") == recipient {
                return;
            }
        }
    }

    fn mend(&self, recipient: &str) {
        self.mended.lock().expect("nobody panics with it").insert(recipient.to_owned());
    }
}

fn talk(
    stream: &TcpStream,
    taking: &mpsc::Sender<String>,
    ponder: &mpsc::Sender<TcpStream>,
    mended: &Mutex<BTreeSet<String>>,
) {
    let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines().map_while(Result::ok);
    let say = |text: &str| {
        let mut writer = stream;
        writer.write_all(format!("{text}\r\n").as_bytes()).is_ok()
    };
    let mut recipient = String::new();
    say("220 here");
    while let Some(line) = lines.next() {
        let answer = match line.get(..4) {
            Some("RCPT") => {
                line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut recipient);
                let is_mended = mended.lock().expect("nobody panics with it").contains(&recipient);
                match &recipient {
                    to if to.starts_with("slow") => {
                        let _ = ponder.send(stream.try_clone().expect("a handle"));
                        continue;
                    }
                    to if to.starts_with("refused") && !is_mended => "550 no such mailbox",
                    to if to.starts_with("grey") && !is_mended => "451 come back later",
                    _ => "250 fine",
                }
            }
            Some("DATA") => {
                say("354 go on");
                for line in lines.by_ref() {
                    if line == "." {
                        break;
                    }
                }
                let _ = taking.send(recipient.clone());
                "250 taken"
            }
            Some("QUIT") => {
                say("221 bye");
                return;
            }
            _ => "250 fine",
        };
        if !say(answer) {
            return;
        }
    }
}

fn invite(phone: &Phone, email: &str) -> String {
    let form = ["--site", "zrh", "--date", "2037-06-10", "--start", "09:00", "--end", "11:00", "--json"];
    let visit = phone.json(&[["invite", "--last", "Guest", "--email", email].as_slice(), &form].concat());
    visit["id"].as_str().expect("an id").to_owned()
}

/// Looks every so often until it is so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} never comes");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn mails(hub: &Hub, more: &[&str]) -> Vec<Value> {
    serde_json::from_str(&hub.admin(&[["mails", "--json"].as_slice(), more].concat())).expect("a list as JSON")
}

fn shown(phone: &Phone, visit: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    until("the phone's view", || {
        phone.json(&["sync", "--json"]);
        Some(phone.json(&["show", visit, "--json"])).filter(&is_so)
    })
}

/// A recipient that is refused, one that is put off and one the server ponders delay nobody; each is told as it is, to the
/// host and to an administrator; corrected, put right or sent again, all arrive.
#[test]
fn one_recipients_trouble_is_nobody_elses() {
    let dir = TempDir::new().expect("a folder");
    let server = Server::start();
    let mut hub = Hub::create(dir.path().join("hub"), server.address);
    hub.start();
    let ada = Phone::new(dir.path().join("ada.db"));
    ada.sign_in(&hub, "ada");
    let slow: Vec<String> = (0..6).map(|number| invite(&ada, &format!("slow{number}@s{number}.test"))).collect();
    let refused = invite(&ada, "refused@visitors.test");
    let grey = invite(&ada, "grey@visitors.test");
    let fine = invite(&ada, "fine@visitors.test");
    ada.json(&["sync", "--json"]);
    server.takes("fine@visitors.test");
    let told = shown(&ada, &fine, |view| view["guest_told"] == true);
    assert_eq!((told["problem"].as_str(), told["mail"]["state"].as_str()), (None, Some("handed_over")));

    let view = shown(&ada, &refused, |view| view["mail"]["state"] == "refused");
    assert_eq!((view["guest_told"].as_bool(), view["problem"].as_str()), (Some(false), Some("mail_refused")));
    assert_eq!(view["mail"]["code"], 550);
    let listed = ada.list();
    let row = listed.iter().find(|visit| visit["id"] == refused.as_str()).expect("in the list");
    assert_eq!(row["problem"], "mail_refused");
    let history = String::from_utf8(ada.run(&["history", &refused]).stdout).expect("UTF-8");
    assert!(history.contains("was not delivered: the mail server refused it (550)"), "{history}");

    let put_off = until("a mail that is put off", || {
        mails(&hub, &[]).into_iter().find(|mail| mail["error_class"] == "transient")
    });
    assert_eq!((put_off["state"].as_str(), put_off["error_code"].as_u64()), (Some("waiting"), Some(451)));
    assert_eq!(ada.json(&["show", &grey, "--json"])["guest_told"], false);
    for visit in &slow {
        assert_eq!(ada.json(&["show", visit, "--json"])["guest_told"], false);
    }
    let failed = mails(&hub, &["--state", "failed"]);
    assert_eq!(failed.len(), 1);
    assert!(!failed[0].to_string().contains("visitors.test"), "no address unless it is asked for");
    let failed = mails(&hub, &["--state", "failed", "--show-address"]);
    assert_eq!(failed[0]["address"], "refused@visitors.test");

    // An administrator has it sent again once the mailbox is there; one that was put off need not wait.
    server.mend("refused@visitors.test");
    hub.admin(&["mails", "retry", "--all-failed"]);
    server.takes("refused@visitors.test");
    shown(&ada, &refused, |view| view["guest_told"] == true && view["problem"].is_null());
    server.mend("grey@visitors.test");
    hub.admin(&["mails", "retry", put_off["id"].as_str().expect("an id")]);
    server.takes("grey@visitors.test");

    // What the server ponders does not keep the hub from ending.
    let _held: TcpStream = server.pondering.recv_timeout(PATIENCE).expect("a connection");
    let begun = Instant::now();
    assert!(hub.stop().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

/// A refused invitation is corrected, and the one who is reached is invited; a cancellation follows only what left.
#[test]
fn a_corrected_address_is_invited_anew() {
    let dir = TempDir::new().expect("a folder");
    let server = Server::start();
    let mut hub = Hub::create(dir.path().join("hub"), server.address);
    hub.start();
    let ada = Phone::new(dir.path().join("ada.db"));
    ada.sign_in(&hub, "ada");
    let corrected = invite(&ada, "refused1@visitors.test");
    let cancelled = invite(&ada, "refused2@visitors.test");
    for visit in [&corrected, &cancelled] {
        shown(&ada, visit, |view| view["problem"] == "mail_refused");
    }
    server.mend("refused1@visitors.test");
    server.mend("refused2@visitors.test");
    ada.run(&["edit", &corrected, "--email", "right@visitors.test"]);
    ada.run(&["cancel", &cancelled]);
    ada.json(&["sync", "--json"]);
    server.takes("right@visitors.test");
    let kinds: Vec<Value> = mails(&hub, &[]).into_iter().map(|mail| mail["kind"].clone()).collect();
    assert!(!kinds.iter().any(|kind| kind == "cancellation" || kind == "ended"), "{kinds:?}");
    let told = shown(&ada, &corrected, |view| view["guest_told"] == true);
    assert!(told["problem"].is_null());
    let view = ada.json(&["show", &cancelled, "--json"]);
    assert_eq!((view["status"].as_str(), view["problem"].as_str()), (Some("cancelled"), None));
}

/// A server that is not there is the server's trouble: said so, tried again, and nothing is given up.
#[test]
fn a_server_that_is_not_there_is_told_apart() {
    let dir = TempDir::new().expect("a folder");
    let server = Server::start();
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let mut hub = Hub::create(dir.path().join("hub"), gone);
    hub.start();
    let ada = Phone::new(dir.path().join("ada.db"));
    ada.sign_in(&hub, "ada");
    invite(&ada, "fine@visitors.test");
    ada.json(&["sync", "--json"]);
    let waiting = until("a mail that waits", || {
        mails(&hub, &["--state", "waiting"]).into_iter().find(|mail| !mail["error_class"].is_null())
    });
    assert_eq!(waiting["error_class"], "unreachable");
    assert!(hub.log().contains("unreachable"), "{}", hub.log());
    assert!(hub.stop().success());
    hub.send_mails_to(server.address);
    hub.start();
    server.takes("fine@visitors.test");
}
