//! What may never get out: PINs and what they can be found from, and internal notes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};
use vestibule_pages::{every_page, holds};
use vestibule_tests::attacked::{EXAMPLE, Hub};
use vestibule_tests::demo::Demo;
use vestibule_tests::hostile::Device;

use super::{message, pass_json, pin_in, read};

/// Everything a mail says, decoded: headers, text, HTML, and every textual part.
fn everything_in(bytes: &[u8]) -> String {
    let mail = message(bytes);
    let parts = mail.parts.iter().filter_map(mail_parser::MessagePart::text_contents);
    parts.chain(mail.subject()).collect::<Vec<_>>().join("\n")
}

/// Every mail the demo sent, as text.
fn mails(demo: &Demo) -> Vec<String> {
    let entries = fs::read_dir(demo.file("mail")).expect("a folder of mails");
    entries.map(|entry| everything_in(&read(&entry.expect("an entry").path()))).collect()
}

/// S1.19: internal notes are in no mail, no pass and on no visitor's page.
#[test]
fn internal_notes_reach_nobody_outside() {
    let demo = Demo::shared();
    let notes: Vec<&str> = demo.rows.iter().map(|row| row["Notes"].as_str()).filter(|note| !note.is_empty()).collect();
    assert!(notes.len() >= 4);
    let hub = Hub::start_on_a_copy_of(&demo.file("hub"));
    let mut said = mails(demo);
    let addresses: BTreeSet<String> = said.iter().filter_map(|mail| page_in(mail)).collect();
    assert_eq!(addresses.len(), demo.invited().count(), "every guest has a page of their own");
    for address in &addresses {
        let page = hub.http.get(address);
        assert_eq!(page.status, 200, "{address}");
        said.push(String::from_utf8(page.body).expect("a page is UTF-8"));
    }
    said.extend(demo.invited().map(|visit| pass_json(demo, visit)));
    // The search finds what is there: the host's message in a mail, the visitor's name in all three.
    assert!(said.iter().any(|text| text.contains("Looking forward to showing you the new lab.")));
    assert!(said.iter().filter(|text| text.contains("Zoë")).count() >= 3, "in mail, page and pass");
    for (text, note) in said.iter().flat_map(|text| notes.iter().map(move |note| (text, note))) {
        assert!(!text.contains(note), "{note}");
    }
}

/// The path of the visitor's page a mail links to.
fn page_in(mail: &str) -> Option<String> {
    let token = &mail[mail.find("/p/")?..];
    Some(token.split(|c: char| !c.is_ascii_alphanumeric() && !"/-_".contains(c)).next()?.to_owned())
}

/// S4.8, S4.15: neither a PIN, nor its keyed hash, nor a key that the hash could be tried with, is in any page of a
/// phone's file, free or not.
#[test]
fn no_pin_is_on_a_phone() {
    let demo = Demo::shared();
    let secrets = Secrets::of(demo);
    let phones = fs::read_dir(demo.file("phone")).expect("a folder of phones");
    let stores: Vec<PathBuf> = phones
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "db"))
        .collect();
    assert!(stores.len() >= 3, "{stores:?}");
    let mut found_a_name = false;
    for store in stores {
        assert!(!holds(&read(&store), b"visitors.test"), "the file is encrypted");
        let pages = every_page(&store, &key_of(&store));
        found_a_name |= holds(&pages, b"zoe.muller@visitors.test");
        secrets.are_not_in(&pages, &store.display().to_string());
    }
    assert!(found_a_name, "the search finds what is there");
}

/// The search finds a PIN in a phone's file if there is one, even in a page that is free: otherwise the test above
/// would say nothing.
#[test]
fn a_pin_planted_on_a_phone_is_found() {
    let demo = Demo::shared();
    let secrets = Secrets::of(demo);
    let dir = tempfile::TempDir::new().expect("a folder");
    let (store, key) = (demo.file("phone/ada.db"), key_of(&demo.file("phone/ada.db")));
    let copy = dir.path().join("ada.db");
    fs::copy(store, &copy).expect("a copy");
    assert_eq!(secrets.found_in(&every_page(&copy, &key)), None::<String>);
    let connection = Connection::open(&copy).expect("opens");
    connection
        .execute_batch(&format!(
            "PRAGMA key = \"x'{key}'\"; PRAGMA cipher_plaintext_header_size = 32; PRAGMA secure_delete = OFF;
             CREATE TABLE planted (words TEXT); INSERT INTO planted VALUES ('Your PIN is {}.');
             DROP TABLE planted; PRAGMA wal_checkpoint(TRUNCATE);",
            secrets.pins[0]
        ))
        .expect("plants");
    assert_eq!(secrets.found_in(&every_page(&copy, &key)), Some("a PIN".to_owned()));
}

/// S4.8, S4.15: the same of every row the hub has for any member, hosts, approvers, reception, administrators and
/// programs alike; and no address that security is told at.
#[test]
fn no_pin_is_in_the_feed() {
    let demo = Demo::shared();
    let secrets = Secrets::of(demo);
    let hub = Hub::start_on_a_copy_of(&demo.file("hub"));
    let mut found_a_name = false;
    for member in ["ada", "ben", "chloe", "dora", "priya", "rosa", "amir", "kiosk"] {
        let rows = Device::sign_in(&hub, EXAMPLE, member).everything(&hub.http).concat();
        found_a_name |= holds(&rows, b"zoe.muller@visitors.test");
        secrets.are_not_in(&rows, member);
        for address in ["security@example.com", "contractors@example.com"] {
            assert!(!holds(&rows, address.as_bytes()), "{address} in what {member} gets");
        }
    }
    assert!(found_a_name, "the search finds what is there");
}

/// What a guest gets in with, and what that can be found from.
struct Secrets {
    pins: Vec<String>,
    /// What it is, and its bytes.
    bytes: Vec<(&'static str, Vec<u8>)>,
}

impl Secrets {
    fn of(demo: &Demo) -> Self {
        let pins: Vec<String> = demo
            .invited()
            .filter_map(|visit| pin_in(message(&read(&demo.file(&visit.mails[0]))).body_text(0)?.as_ref()))
            .collect();
        assert_eq!(pins.len(), demo.invited().count());
        let mut bytes: Vec<(&str, Vec<u8>)> =
            pins.iter().map(|pin| ("a PIN's plain hash", Sha256::digest(pin).to_vec())).collect();
        let database = Connection::open(demo.file("hub/hub.db")).expect("opens");
        let mut select = database
            .prepare("SELECT pin_hash FROM credential WHERE pin_hash IS NOT NULL")
            .expect("credentials have the hash of their PIN");
        let hashes: Vec<Vec<u8>> =
            select.query_map([], |row| row.get(0)).expect("reads").collect::<Result<_, _>>().expect("hashes");
        assert_eq!(hashes.len(), pins.len(), "every live PIN has one");
        bytes.extend(hashes.into_iter().map(|hash| ("a PIN's keyed hash", hash)));
        for (name, what) in [
            ("pin-pepper.key", "the key of the PINs' hashes"),
            ("outbox-seal.key", "the key that seals mails"),
            ("link-secret.key", "the key that links are made with"),
        ] {
            let text = fs::read_to_string(demo.file(format!("hub/keys/{EXAMPLE}/{name}"))).expect("a key file");
            bytes.push((what, hex::decode(text.trim()).expect("hexadecimal digits")));
            bytes.push((what, text.trim().as_bytes().to_vec()));
        }
        for visit in demo.invited() {
            let token = visit.qr_token.as_ref().expect("an invited guest has a QR code");
            // The signed bytes of a token are found in whatever clothes they come, its text only in its own.
            bytes.push(("a QR token", token.as_bytes()[token.len() - 60..].to_vec()));
        }
        Self { pins, bytes }
    }

    /// What of it stands in `hay`: digits as a word of their own, or as a number in CBOR.
    fn found_in(&self, hay: &[u8]) -> Option<String> {
        for pin in &self.pins {
            let number: u32 = pin.parse().expect("digits");
            let coded = [&[0x1a], number.to_be_bytes().as_slice()].concat();
            if stands_alone(hay, pin.as_bytes()) || holds(hay, &coded) {
                return Some("a PIN".to_owned());
            }
        }
        self.bytes.iter().find(|(_, bytes)| holds(hay, bytes)).map(|(what, _)| (*what).to_owned())
    }

    #[track_caller]
    fn are_not_in(&self, hay: &[u8], place: &str) {
        assert_eq!(self.found_in(hay), None, "in {place}");
    }
}

/// The key the terminal's phone keeps beside its file.
fn key_of(store: &Path) -> String {
    let text = fs::read_to_string(format!("{}.key", store.display())).expect("the key file beside the store");
    let key = text.lines().map(str::trim).find(|line| line.len() == 96);
    key.expect("a key of 96 hexadecimal digits").to_owned()
}

/// Whether the digits stand somewhere as a word of their own.
fn stands_alone(hay: &[u8], digits: &[u8]) -> bool {
    let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    hay.windows(digits.len()).enumerate().any(|(at, window)| {
        window == digits && !word(at.checked_sub(1).and_then(|at| hay.get(at))) && !word(hay.get(at + digits.len()))
    })
}
