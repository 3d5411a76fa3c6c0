//! The demo from end to end: every artefact of every visit, looked into with other projects' programs and libraries.

mod secrets;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone as _};
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use tempfile::TempDir;
use vestibule_tests::demo::{Demo, Visit};
use vestibule_tests::program::{run, stdout, vestibule};
use vestibule_tests::{calendar, google};

/// What breaks a link up for mail programs and is not seen.
const INVISIBLE: char = '\u{200c}';

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn message(bytes: &[u8]) -> Message<'_> {
    MessageParser::default().parse(bytes).expect("a mail that another library can read")
}

fn files_of_pass(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(File::open(path).expect("the pass is there")).expect("a pass is a zip");
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).expect("an entry");
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).expect("an entry can be read");
            (file.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

fn pass_json(demo: &Demo, visit: &Visit) -> String {
    let path = demo.file(visit.pkpass.as_ref().expect("an invited guest has a pass"));
    let files = files_of_pass(&path);
    let (_, bytes) = files.iter().find(|(name, _)| name == "pass.json").expect("a pass has a pass.json");
    String::from_utf8(bytes.clone()).expect("pass.json is UTF-8")
}

/// S1.4, S1.11–13, S1.25, S4.14: all good rows become visits, names as typed in any script, at most once.
#[test]
fn every_good_row_is_a_visit_with_its_names_as_typed() {
    let demo = Demo::shared();
    assert!(demo.report.visits.len() >= 25, "{}", demo.report.visits.len());
    assert_eq!(demo.report.visits.len() + 2, demo.rows.len());
    let ids: BTreeSet<&str> = demo.report.visits.iter().map(|visit| visit.id.as_str()).collect();
    assert_eq!(ids.len(), demo.report.visits.len(), "every visit has its own id");
    let not_empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for visit in &demo.report.visits {
        assert_eq!(visit.first_name, not_empty(demo.column(visit, "Visitor_First_Name")), "row {}", visit.row);
        assert_eq!(visit.last_name, not_empty(demo.column(visit, "Visitor_Last_Name")), "row {}", visit.row);
        assert_eq!(visit.email, demo.column(visit, "Visitor_Email"));
        assert_eq!(visit.site, demo.column(visit, "Node_Id"));
        assert_eq!(visit.start.is_some(), !demo.column(visit, "Visit_Start_Date").is_empty());
    }
}

/// S1.26: the two rows with mistakes are named with row, field, code and reason, and left out.
#[test]
fn rows_with_mistakes_are_reported_and_left_out() {
    let demo = Demo::shared();
    let found: Vec<(usize, &str)> = demo.report.left_out.iter().map(|p| (p.row, p.field.as_str())).collect();
    assert_eq!(found, [(27, "email"), (28, "end")]);
    assert!(demo.report.left_out.iter().all(|problem| !problem.code.is_empty() && !problem.message.is_empty()));
    assert!(demo.report.visits.iter().all(|visit| visit.row != 27 && visit.row != 28));
}

/// S1.27–29, S2.14–15, S2.30: contractors wait, with no mail and no pass, but for the one that was approved.
#[test]
fn a_pending_guest_has_no_mail_and_no_pass() {
    let demo = Demo::shared();
    let (mut pending, mut approved) = (0, 0);
    let everywhere: String = fs::read_dir(demo.file("mail"))
        .expect("a folder of mails")
        .map(|entry| read(&entry.expect("an entry").path()))
        .flat_map(|bytes| {
            message(&bytes)
                .to()
                .into_iter()
                .flat_map(|to| to.iter())
                .filter_map(|a| a.address())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect::<Vec<_>>()
        .join("\n");
    for visit in &demo.report.visits {
        if demo.column(visit, "Visitor_Type") == "contractor" && visit.status == "pending" {
            pending += 1;
            assert!(visit.mails.is_empty() && visit.pkpass.is_none() && visit.google_url.is_none());
            assert!(visit.qr_png.is_none() && visit.qr_token.is_none());
            assert!(!everywhere.contains(&visit.email), "the guest of a pending visit hears nothing");
        } else {
            approved += usize::from(demo.column(visit, "Visitor_Type") == "contractor");
            assert_eq!(visit.status, "upcoming", "row {}", visit.row);
            assert_eq!(visit.mails.len(), 1, "row {}: one invitation", visit.row);
        }
    }
    assert!(pending >= 2 && approved == 1, "{pending} pending, {approved} approved");
    for told in ["security@example.com", "contractors@example.com"] {
        assert!(everywhere.contains(told), "{told} is told of what waits (S2.8, S2.11)");
    }
}

/// S1.31, S4.16: the invitation has PIN, QR code, calendar entry, Apple pass and Google link; S4.12: the message, if any.
#[test]
fn every_invitation_has_all_its_parts() {
    let demo = Demo::shared();
    let (mut pins, mut links) = (BTreeSet::new(), 0);
    for visit in demo.invited() {
        let bytes = read(&demo.file(&visit.mails[0]));
        let mail = message(&bytes);
        let recipient = mail.to().and_then(|to| to.first()).and_then(|to| to.address());
        assert_eq!(recipient, Some(visit.email.as_str()));
        let text = mail.body_text(0).expect("a plain text part");
        let html = mail.body_html(0).expect("an HTML part");
        for body in [&text, &html] {
            for name in visit.first_name.iter().chain(&visit.last_name) {
                let escaped = name.replace('\'', "&#39;");
                assert!(body.contains(name.as_str()) || body.contains(&escaped), "row {}: {name}", visit.row);
            }
        }
        let pin = pin_in(&text).unwrap_or_else(|| panic!("row {}: a PIN in\n{text}", visit.row));
        assert!(html.contains(&pin), "the PIN stands in both bodies");
        assert!(pins.insert(pin), "live PINs of the demo are different");
        let kinds: BTreeSet<String> = mail
            .parts
            .iter()
            .filter_map(|part| part.content_type())
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
            .collect();
        for kind in ["image/png", "application/vnd.apple.pkpass"] {
            assert!(kinds.contains(kind), "row {}: {kind} in {kinds:?}", visit.row);
        }
        assert_eq!(kinds.contains("text/calendar"), visit.start.is_some(), "row {}", visit.row);
        assert!(html.contains("https://pay.google.com/gp/v/save/"), "row {}", visit.row);
        let said = demo.column(visit, "Message");
        let words: String = text.chars().filter(|&c| c != INVISIBLE).collect();
        assert!(said.is_empty() || words.contains(said), "row {}: the host's message in\n{text}", visit.row);
        if said.contains("https://") {
            links += 1;
            assert!(!text.contains(said) && !html.contains(said), "row {}: a host's link is not clickable", visit.row);
        }
    }
    assert_eq!(links, 1, "a host's message holds a link");
}

/// The PIN: the only run of exactly six digits on a line of its own or behind "PIN".
fn pin_in(text: &str) -> Option<String> {
    let at = text.find("PIN")?;
    let digits = |run: &&str| (6..=8).contains(&run.len()) && run.bytes().all(|b| b.is_ascii_digit());
    text[at..].split(|c: char| !c.is_alphanumeric()).find(digits).map(str::to_owned)
}

/// S1.25: the calendar entry says when, in the site's zone, also over a change of daylight saving time.
#[test]
fn calendar_entries_say_when_in_the_sites_zone() {
    let demo = Demo::shared();
    let mut uids = BTreeSet::new();
    let mut over_the_change = 0;
    for visit in demo.invited() {
        let (Some(start), Some(end)) = (&visit.start, &visit.end) else { continue };
        let bytes = read(&demo.file(&visit.mails[0]));
        let mail = message(&bytes);
        let part = mail
            .parts
            .iter()
            .find(|part| part.content_type().is_some_and(|kind| kind.subtype() == Some("calendar")))
            .and_then(mail_parser::MessagePart::text_contents)
            .expect("a calendar part");
        let event = calendar::event(part);
        assert_eq!(event.method, "REQUEST");
        assert!(event.has_time_zone && event.zone == visit.zone, "{event:?}");
        assert!(uids.insert(event.uid), "a UID belongs to one delivery");
        let zone: chrono_tz::Tz = visit.zone.parse().expect("a zone");
        let civil = NaiveDateTime::parse_from_str(&event.start, "%Y%m%dT%H%M%S").expect("a civil time");
        let instant = zone.from_local_datetime(&civil).earliest().expect("a time that exists");
        let (start, end): (DateTime<FixedOffset>, DateTime<FixedOffset>) =
            (start.parse().expect("RFC 3339"), end.parse().expect("RFC 3339"));
        assert_eq!(instant, start, "row {}", visit.row);
        assert_eq!(start.naive_local(), civil, "demo.json carries the site's offset");
        over_the_change += usize::from(start.offset() != end.offset());
    }
    let night = demo.report.visits.iter().find(|visit| visit.row == 11).expect("the night over the change");
    let offsets = [&night.start, &night.end].map(|time| {
        time.as_deref()
            .and_then(|time| time.parse::<DateTime<FixedOffset>>().ok())
            .expect("RFC 3339")
            .offset()
            .local_minus_utc()
    });
    assert_eq!(offsets, [3600, 7200], "the clocks go forward during row 11 ({over_the_change} invited)");
}

/// S1.35: `openssl` accepts the signature of every pass, its manifest names every file, and it holds both names.
#[test]
fn openssl_accepts_every_apple_pass() {
    let demo = Demo::shared();
    for visit in demo.invited() {
        let path = demo.file(visit.pkpass.as_ref().expect("a pass"));
        let files = files_of_pass(&path);
        let dir = TempDir::new().expect("a folder");
        for (name, bytes) in &files {
            let file = dir.path().join(name);
            fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            fs::write(file, bytes).expect("a file");
        }
        let inside = |name: &str| dir.path().join(name).into_os_string();
        let root = demo.file("trust/apple-root.pem").into_os_string();
        let null = Path::new("/dev/null").as_os_str().to_owned();
        let arguments: [std::ffi::OsString; 15] = [
            "cms".into(),
            "-verify".into(),
            "-inform".into(),
            "DER".into(),
            "-in".into(),
            inside("signature"),
            "-content".into(),
            inside("manifest.json"),
            "-binary".into(),
            "-CAfile".into(),
            root,
            "-purpose".into(),
            "any".into(),
            "-out".into(),
            null,
        ];
        let verdict = run("openssl", arguments);
        assert!(verdict.status.success(), "row {}: {}", visit.row, String::from_utf8_lossy(&verdict.stderr));

        let manifest: Value = serde_json::from_slice(&read(&dir.path().join("manifest.json"))).expect("JSON");
        let listed = manifest.as_object().expect("an object");
        for (name, bytes) in files.iter().filter(|(name, _)| name != "manifest.json" && name != "signature") {
            let digest = hex::encode(Sha1::digest(bytes));
            assert_eq!(listed.get(name).and_then(Value::as_str), Some(digest.as_str()), "{name}");
        }
        assert_eq!(listed.len() + 2, files.len());

        let pass: Value = serde_json::from_str(&pass_json(demo, visit)).expect("JSON");
        let shown = pass["generic"].to_string();
        for name in visit.first_name.iter().chain(&visit.last_name) {
            assert!(shown.contains(name.as_str()), "row {}: {name} as typed", visit.row);
        }
        assert_eq!(pass["barcodes"][0]["message"].as_str(), visit.qr_token.as_deref());
        assert!(shown.contains("not a security credential"), "S1.32, S1.36: {shown}");
    }
}

/// S1.35: every Google object fits Google's schema and its link verifies with the issuer's public key.
#[test]
fn google_accepts_the_form_of_every_object() {
    let demo = Demo::shared();
    let (object, class) = (google::validator("GenericObject"), google::validator("GenericClass"));
    assert!(!object.is_valid(&serde_json::json!({ "id": "1.2" })), "the schema demands what Google requires");
    for visit in demo.invited() {
        let link = fs::read_to_string(demo.file(visit.google_url.as_ref().expect("a link"))).expect("a file");
        let link = link.trim();
        assert!(link.len() <= 1_800, "row {}: {} characters", visit.row, link.len());
        let token = link.strip_prefix("https://pay.google.com/gp/v/save/").expect("a save link");
        let (signed, signature) = token.rsplit_once('.').expect("a JWT");
        let dir = TempDir::new().expect("a folder");
        let (message, mark) = (dir.path().join("message"), dir.path().join("signature"));
        fs::write(&message, signed).expect("a file");
        fs::write(&mark, BASE64_URL_SAFE_NO_PAD.decode(signature).expect("base64url")).expect("a file");
        let key = demo.file("trust/google-public.pem");
        let verdict = run(
            "openssl",
            [
                "dgst".as_ref(),
                "-sha256".as_ref(),
                "-verify".as_ref(),
                key.as_os_str(),
                "-signature".as_ref(),
                mark.as_os_str(),
                message.as_os_str(),
            ],
        );
        assert!(stdout(&verdict).contains("Verified OK"), "row {}", visit.row);
        let claims = signed.split_once('.').expect("header and claims").1;
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON");
        assert_eq!((claims["aud"].as_str(), claims["typ"].as_str()), (Some("google"), Some("savetowallet")));
        for (list, validator) in [("genericObjects", &object), ("genericClasses", &class)] {
            let items = claims["payload"][list].as_array().unwrap_or_else(|| panic!("{list} in {claims}"));
            assert!(!items.is_empty());
            for item in items {
                let problems: Vec<String> = validator.iter_errors(item).map(|error| error.to_string()).collect();
                assert!(problems.is_empty(), "row {}: {list}: {problems:?}", visit.row);
            }
        }
        let object = &claims["payload"]["genericObjects"][0];
        assert_eq!(object["barcode"]["value"].as_str(), visit.qr_token.as_deref());

        // The card says when, where and whom, and so does the list of passes.
        let subheader = object["subheader"]["defaultValue"]["value"].as_str().unwrap_or_default();
        let site = if visit.site == "zrh" { "Zürich" } else { "New York" };
        let host = match demo.column(visit, "Visit_Host_Email") {
            "ada@example.com" => "Ada Keller",
            "ben@example.com" => "Ben Carter",
            _ => "Chloé Martin",
        };
        assert!(subheader.ends_with(&format!(" · {site} · {host}")), "row {}: {subheader}", visit.row);
        if let Some(start) = &visit.start {
            let start: DateTime<FixedOffset> = start.parse().expect("RFC 3339");
            let time = start.format("%d.%m.%Y %H:%M").to_string();
            assert!(subheader.starts_with(&time), "row {}: {subheader}", visit.row);
        }
        let list = &claims["payload"]["genericClasses"][0]["classTemplateInfo"]["listTemplateOverride"];
        assert_eq!(list["secondRowOption"]["fields"][0]["fieldPath"], "object.subheader", "row {}", visit.row);
        let suffix = object["id"].as_str().and_then(|id| id.split_once('.')).expect("an id").1;
        assert_eq!(suffix.len(), 22, "row {}", visit.row);
        assert!(claims.get("origins").is_none() && object.get("passConstraints").is_none());
    }
}

/// S1.31, S1.33: every QR code is read by `zbarimg` and verifies with no network; a flipped character does not.
#[test]
fn every_qr_code_decodes_and_verifies_offline() {
    let demo = Demo::shared();
    let keys = demo.file("trust/qr-keys.json");
    for visit in demo.invited() {
        let token = visit.qr_token.as_deref().expect("a token");
        let picture = demo.file(visit.qr_png.as_ref().expect("a QR code"));
        let read = run("zbarimg", ["-q".as_ref(), "--raw".as_ref(), picture.as_os_str()]);
        assert_eq!(stdout(&read).trim_end(), token, "row {}", visit.row);

        let scan = |token: &str, site: &str| {
            let mut command = vestibule();
            command.args(["scan", token, "--site", site, "--keys"]).arg(&keys);
            if let Some(start) = &visit.start {
                command.args(["--at", start]);
            }
            command.output().expect("the command starts").status.code()
        };
        assert_eq!(scan(token, &visit.site), Some(0), "row {}", visit.row);
        let elsewhere = if visit.site == "zrh" { "nyc" } else { "zrh" };
        assert_eq!(scan(token, elsewhere), Some(1), "S1.30, S4.19: valid only at its site");
        let middle = token.len() / 2;
        let other = if token.as_bytes()[middle] == b'A' { "B" } else { "A" };
        let flipped = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
        assert_eq!(scan(&flipped, &visit.site), Some(1), "row {}", visit.row);
    }
}

/// What a person reads while it runs: queued first, then upcoming and pending.
#[test]
fn the_demo_says_what_happens() {
    let printed = Demo::shared().printed.to_lowercase();
    let at = |word: &str| printed.find(word).unwrap_or_else(|| panic!("{word} in\n{printed}"));
    assert!(at("queued") < at("upcoming"), "{printed}");
    at("pending");
}

/// A file of garbage gets a clear error and creates nothing half.
#[test]
fn a_file_of_garbage_creates_nothing() {
    let dir = TempDir::new().expect("a folder");
    let garbage: [(&str, Vec<u8>); 5] = [
        ("empty", vec![]),
        ("binary", (0..=255).cycle().take(10_000).collect()),
        ("not utf-8", b"Space_Id,\xff\xfe\n".to_vec()),
        ("other columns", b"a,b,c\n1,2,3\n".to_vec()),
        ("quotes", [b"\"Space_Id".to_vec(), vec![b'\n'; 1000]].concat()),
    ];
    for (name, bytes) in garbage {
        let (file, target) = (dir.path().join("visitors.csv"), dir.path().join("demo"));
        fs::write(&file, bytes).expect("a file");
        let output = vestibule()
            .args(["demo", "--exit", "--visitors"])
            .arg(&file)
            .arg("--dir")
            .arg(&target)
            .output()
            .expect("the command starts");
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.trim().is_empty() && !said.contains("panicked"), "{name}: {said}");
        assert!(!target.exists(), "{name}: nothing half is left");
    }
}
