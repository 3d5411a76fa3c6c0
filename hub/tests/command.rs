//! The command `vestibule` as a real process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use chrono::{DateTime, Utc};
use serde_json::Value;
use vestibule_core::id::CredentialId;
use vestibule_core::keys::SoftwareSigner;
use vestibule_core::qr::{QrClaims, sign};

fn vestibule(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(arguments).env_remove("VESTIBULE_LOG").stdin(Stdio::null());
    command
}

fn admin(dir: &Path, arguments: &[&str]) -> Output {
    let dir = dir.to_str().expect("a path in UTF-8");
    vestibule(&[&["admin", "--dir", dir], arguments].concat()).output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A hub of its own process; killed if the test ends before it.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(dir: &Path) -> Self {
        let dir = dir.to_str().expect("a path in UTF-8");
        let mut child = vestibule(&["serve", "--dir", dir, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let out = child.stdout.as_mut().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("says when it is ready");
        let url = line.trim().strip_prefix("Vestibule hub listening on ").unwrap_or_default().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, url }
    }

    /// Sends a signal and gives the exit code and what was said on standard error.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("runs kill");
        assert!(sent.success());
        let mut said = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        (self.child.wait().expect("ends").code(), said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_hub_starts_on_nothing_says_what_to_do_and_ends_cleanly() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    let hub = Serving::start(&dir);
    assert!(dir.join("vestibule.toml").exists() && dir.join("hub.db").exists());
    let second = vestibule(&["serve", "--dir", dir.to_str().expect("UTF-8"), "--listen", "127.0.0.1:0"]);
    let second = { second }.output().expect("runs");
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another hub is already running"));
    let (code, said) = hub.end("-TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("init --sample"), "{said}");
    let (code, _) = Serving::start(&dir).end("-INT");
    assert_eq!(code, Some(0));
}

#[test]
fn an_organisation_is_made_while_the_hub_runs_and_its_members_sign_in() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    let hub = Serving::start(&dir);
    let early = admin(&dir, &["members"]);
    assert_eq!(early.status.code(), Some(2));
    assert!(text(&early.stderr).contains("init --sample"));

    let made = admin(&dir, &["init", "--sample"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    let again = admin(&dir, &["init", "--sample"]);
    assert_eq!(again.status.code(), Some(2));
    let token = admin(&dir, &["token", "ada"]);
    assert_eq!(token.status.code(), Some(0));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let challenge = format!("{}/v1/devices/challenge", hub.url);
    let answer = reqwest::Client::new().post(challenge).bearer_auth(text(&token.stdout).trim());
    let status = runtime.block_on(async { answer.send().await.expect("answers").status() });
    assert_eq!(status, 200);
    let (code, said) = hub.end("-TERM");
    assert_eq!(code, Some(0), "{said}");
    // The log knows the route, and nothing of who asked.
    assert!(said.contains("/v1/devices/challenge") && !said.contains("ada"), "{said}");
}

#[test]
fn admin_lists_and_exports_and_scan_reads_offline() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path();
    assert_eq!(admin(dir, &["init", "--sample"]).status.code(), Some(0));
    let members: Value = serde_json::from_slice(&admin(dir, &["members", "--json"]).stdout).expect("JSON");
    let ids: Vec<&str> = members.as_array().expect("a list").iter().filter_map(|m| m["id"].as_str()).collect();
    for member in ["ada", "ben", "chloe", "dora", "priya", "rosa", "amir", "kiosk"] {
        assert!(ids.contains(&member), "{member} in {ids:?}");
    }
    assert!(text(&admin(dir, &["members"]).stdout).contains("approver"));
    let visits: Value = serde_json::from_slice(&admin(dir, &["visits", "--json"]).stdout).expect("JSON");
    assert_eq!(visits.as_array().map(Vec::len), Some(0));

    for (arguments, word) in [
        (&["token", "nobody"][..], "nobody"),
        (&["approve", "7", "--as", "priya"], "no visit 7"),
        (&["approve", "x", "--as", "priya"], "neither"),
        (&["approve", "018f0000-0000-7000-8000-000000000000", "--as", "priya"], "no visit"),
        (&["reject", "7", "--as", "nobody", "--reason", "x"], "no member"),
        (&["--org", "other-ag", "members"], "example-ag"),
        (&["--org", "Not An Id", "members"], "organisation id"),
        (&["init"], "--sample"),
        (&["reject", "7", "--as", "priya"], "--reason"),
    ] {
        let refused = admin(dir, arguments);
        let said = text(&refused.stderr);
        assert_eq!((refused.status.code(), said.contains(word)), (Some(2), true), "{arguments:?}: {said}");
    }

    let trust = dir.join("trust");
    let out = admin(dir, &["trust", "--out", trust.to_str().expect("UTF-8")]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    for file in ["apple-root.pem", "google-public.pem"] {
        assert!(std::fs::read_to_string(trust.join(file)).expect("written").starts_with("-----BEGIN"));
    }
    let keys = dir.join("qr-keys.json");
    std::fs::write(&keys, admin(dir, &["qr-keys"]).stdout).expect("written");
    let token = qr_token(dir);
    let keys = keys.to_str().expect("UTF-8");
    let scan = |token: &str, more: &[&str]| {
        let output = vestibule(&[&["scan", token, "--keys", keys], more].concat()).output().expect("runs");
        (output.status.code(), text(&output.stdout))
    };
    let (code, said) = scan(&token, &["--at", "2027-02-10T22:00:00+01:00", "--site", "zrh", "--json"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(serde_json::from_str::<Value>(&said).expect("JSON")["valid"], true);
    let flipped = token.replacen(&token[60..61], if &token[60..61] == "A" { "B" } else { "A" }, 1);
    for (token, more, reason) in [
        (token.as_str(), &["--at", "2027-02-10T22:00:00Z", "--site", "nyc"][..], "other_site"),
        (&token, &["--at", "2027-03-10T22:00:00Z"], "expired"),
        (&token, &["--at", "2027-02-09T22:00:00Z"], "too_early"),
        (&flipped, &[], "("),
        ("garbage", &[], "garbage"),
    ] {
        let (code, said) = scan(token, more);
        assert_eq!((code, said.contains(reason)), (Some(1), true), "{said}");
    }
    assert_eq!(scan(&token, &["--at", "tomorrow"]).0, Some(2));
    let none = vestibule(&["scan", &token, "--keys", "/nowhere/qr-keys.json"]).output().expect("runs");
    assert_eq!(none.status.code(), Some(2));
}

/// A token as the hub would make it, with the key of its directory.
fn qr_token(dir: &Path) -> String {
    let seed = std::fs::read_to_string(dir.join("keys/example-ag/qr.key")).expect("the key");
    let seed: [u8; 32] = hex::decode(seed.trim()).expect("hexadecimal").try_into().expect("32 bytes");
    let time = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
    let claims = QrClaims {
        organisation: "example-ag".parse().expect("an id"),
        site: "zrh".parse().expect("an id"),
        not_before: time("2027-02-10T20:30:00Z"),
        expires: time("2027-02-11T01:00:00Z"),
        credential: CredentialId([7; 16]),
    };
    sign(&claims, SoftwareSigner::from_seed(&seed).key())
}

#[test]
fn settings_that_cannot_be_read_stop_the_hub_with_a_reason() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path();
    let none = admin(dir, &["members"]);
    assert_eq!(none.status.code(), Some(2));
    std::fs::write(dir.join("vestibule.toml"), "public_url = 'http://a'\nmail_from = 'a@b.c'\nlistn = 1\n")
        .expect("written");
    let serve = vestibule(&["serve", "--dir", dir.to_str().expect("UTF-8")]).output().expect("runs");
    assert_eq!(serve.status.code(), Some(2));
    assert!(text(&serve.stderr).contains("listn"));
    assert!(text(&vestibule(&["--help"]).output().expect("runs").stdout).contains("init --sample"));
    assert_eq!(vestibule(&["fly"]).output().expect("runs").status.code(), Some(2));
}

/// S2.21–S2.24, S2.27: an approver decides from a terminal, is told what that does to the visitor's access, and mistakes
/// are said in a sentence each.
#[test]
fn an_approver_decides_from_a_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let hub = Serving::start(&dir);
    let token = home.path().join("ada.token");
    std::fs::write(&token, admin(&dir, &["token", "ada"]).stdout).expect("written");
    let store = home.path().join("ada.db");
    let phone = |arguments: &[&str]| {
        let store = store.to_str().expect("UTF-8");
        let out = vestibule(&[&["phone", "--store", store], arguments].concat()).output().expect("runs");
        assert_eq!(out.status.code(), Some(0), "{arguments:?}: {}", text(&out.stderr));
    };
    phone(&["sign-in", "--hub", &hub.url, "--token-file", token.to_str().expect("UTF-8")]);
    phone(&["invite", "--first", "Grace", "--email", "grace@example.org", "--site", "zrh", "--type", "contractor"]);
    phone(&["sync"]);
    let decide = |arguments: &[&str]| {
        let out = admin(&dir, arguments);
        (out.status.code(), text(&out.stdout) + &text(&out.stderr))
    };
    for (arguments, code, said) in [
        (&["approve", "1", "--as", "ada"][..], 4, "approvers of the visit's site and type"),
        (&["reject", "1", "--as", "priya", "--reason", ""], 2, "reason: is empty"),
        (&["approve", "1", "--as", "priya"], 0, "Visit 1 is upcoming now.\n"),
        (&["approve", "1", "--as", "priya"], 4, "waits for no approval"),
        (&["reopen", "1", "--as", "priya"], 0, "open nothing until it is approved again"),
        (&["approve", "1", "--as", "priya"], 0, "Visit 1 is upcoming now.\n"),
        (&["reject", "1", "--as", "priya", "--reason", "No badge left", "--final"], 0, "open nothing any more"),
        (&["reopen", "1", "--as", "priya"], 4, "only an approved visit"),
    ] {
        let (found, output) = decide(arguments);
        assert_eq!((found, output.contains(said)), (Some(code), true), "{arguments:?}: {output}");
        assert!(!output.contains("reason reason"), "{output}");
    }
    assert_eq!(hub.end("-TERM").0, Some(0));
}

/// Which time zone tables are used, from where, and what they change; a hub that runs takes them.
#[test]
fn an_operator_is_told_which_tables_are_used_and_what_they_change() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let zones = || {
        let said = admin(&dir, &["zones", "--json"]);
        assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
        serde_json::from_slice::<Value>(&said.stdout).expect("JSON")
    };
    let before = zones();
    assert!(before["problem"].is_null() && before["sites"][1]["rules_change"] == false, "{before}");
    // Zürich gives up its time for UTC.
    let tables = dir.join("zoneinfo");
    std::fs::create_dir_all(tables.join("Europe")).expect("made");
    let utc = include_bytes!("../../core/src/zone/utc.tzif");
    std::fs::write(tables.join("Europe/Zurich"), utc).expect("written");
    let settings = dir.join("vestibule.toml");
    let set = std::fs::read_to_string(&settings).expect("settings").replace("#: zoneinfo", "zoneinfo");
    std::fs::write(&settings, set).expect("written");
    let unknown = zones();
    assert!(unknown["problem"].as_str().is_some_and(|problem| problem.contains("+VERSION")), "{unknown}");
    assert_eq!(unknown["tables"], before["tables"]);
    std::fs::write(tables.join("+VERSION"), "2099a\n").expect("written");
    let coming = zones();
    assert_eq!((&coming["tables"]["version"], &coming["tables"]["origin"]), (&"2099a".into(), &"settings".into()));
    let zurich = &coming["sites"][1];
    assert_eq!(
        (&zurich["site"], &zurich["newer"], &zurich["rules_change"]),
        (&"zrh".into(), &"2099a".into(), &true.into())
    );
    let people = admin(&dir, &["zones"]);
    assert!(text(&people.stdout).contains("Time zone tables: 2099a (the directory in the settings"));

    let hub = Serving::start(&dir);
    // The hub takes them at its start, beside the first requests.
    let taken = (0..1_000).map(|_| zones()).find(|said| said["sites"][1]["tables"] == "2099a").expect("taken");
    assert!(taken["sites"][1]["newer"].is_null(), "{taken}");
    assert_eq!(hub.end("-TERM").0, Some(0));
}
