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

/// Asks a hub, and gives status, headers and body.
fn get(url: &str) -> (u16, reqwest::header::HeaderMap, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let answer = reqwest::get(url).await.expect("answers");
        (answer.status().as_u16(), answer.headers().clone(), answer.text().await.expect("text"))
    })
}

/// A phone's command, with its exit code and everything it said.
fn phone(store: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let store = store.to_str().expect("UTF-8");
    let out = vestibule(&[&["phone", "--store", store], arguments].concat()).output().expect("runs");
    (out.status.code(), text(&out.stdout) + &text(&out.stderr))
}

/// Signs Ada in on a phone.
fn sign_in(hub: &Serving, dir: &Path, store: &Path) -> (Option<i32>, String) {
    let token = store.with_extension("token");
    let made = admin(dir, &["token", "ada", "--out", token.to_str().expect("UTF-8")]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    phone(store, &["sign-in", "--hub", &hub.url, "--token-file", token.to_str().expect("UTF-8")])
}

/// Writes settings: those of a hub on this machine, and more.
fn settings(dir: &Path, more: &str) {
    let text = format!("public_url = 'http://127.0.0.1:8480'\nmail_from = 'a@example.com'\n{more}");
    std::fs::write(dir.join("vestibule.toml"), text).expect("written");
}

/// A hub of its own process; killed if the test ends before it.
struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    fn start(dir: &Path) -> Self {
        Self::begin(vestibule(&["serve", "--dir", dir.to_str().expect("a path in UTF-8"), "--listen", "127.0.0.1:0"]))
    }

    /// So that no file may be longer than that many blocks of 512 bytes.
    fn start_limited(dir: &Path, blocks: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""),
            "sh",
            env!("CARGO_BIN_EXE_vestibule"),
        ]);
        shell.args(["serve", "--dir", dir.to_str().expect("UTF-8"), "--listen", "127.0.0.1:0"]).stdin(Stdio::null());
        Self::begin(shell)
    }

    fn begin(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
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
        (&["approve", "1", "--as", "ada"][..], 4, "approvers for this site and visitor type"),
        (&["reject", "1", "--as", "priya", "--reason", ""], 2, "reason: Enter a reason"),
        (&["approve", "1", "--as", "priya"], 0, "Visit 1 is upcoming now.\n"),
        (&["approve", "1", "--as", "priya"], 4, "isn't waiting for approval"),
        (&["reopen", "1", "--as", "priya"], 0, "open nothing until it is approved again"),
        (&["approve", "1", "--as", "priya"], 0, "Visit 1 is upcoming now.\n"),
        (&["reject", "1", "--as", "priya", "--reason", "No badge left", "--final"], 0, "open nothing any more"),
        (&["reopen", "1", "--as", "priya"], 4, "Only an approved visit"),
    ] {
        let (found, output) = decide(arguments);
        assert_eq!((found, output.contains(said)), (Some(code), true), "{arguments:?}: {output}");
        assert!(!output.contains("reason reason"), "{output}");
    }
    assert_eq!(hub.end("-TERM").0, Some(0));
}

/// What was not written was not done: a list on a full disk is no list, whatever the command. A reader that has read what
/// it wanted is no failure.
#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let dir = dir.to_str().expect("UTF-8");
    for arguments in [
        &["admin", "--dir", dir, "members"][..],
        &["admin", "--dir", dir, "visits", "--json"],
        &["admin", "--dir", dir, "token", "ada"],
        &["--help"],
        &["phone", "--help"],
        &["--version"],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there is one");
        let out = vestibule(arguments).stdout(full).stderr(Stdio::piped()).output().expect("runs");
        let said = text(&out.stderr);
        assert_eq!(
            (out.status.code(), said.contains("could not be written")),
            (Some(1), true),
            "{arguments:?}: {said}"
        );

        let (read, write) = std::io::pipe().expect("a pipe");
        drop(read);
        let out = vestibule(arguments).stdout(write).stderr(Stdio::piped()).output().expect("runs");
        assert_eq!((out.status.code(), text(&out.stderr).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

/// Databases, keys, tokens and mails are this user's alone, whatever the shell's mask is.
#[test]
fn what_a_command_writes_nobody_else_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    fn open_to_others(path: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(path).expect("lists") {
            let entry = entry.expect("an entry");
            let mode = entry.metadata().expect("exists").permissions().mode() & 0o777;
            let expected = if entry.path().is_dir() { 0o700 } else { 0o600 };
            if mode & !expected != 0 {
                found.push(format!("{} {mode:o}", entry.path().display()));
            }
            if entry.path().is_dir() {
                open_to_others(&entry.path(), found);
            }
        }
    }
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let hub = Serving::start(&dir);
    let store = home.path().join("ada.db");
    assert_eq!(sign_in(&hub, &dir, &store).0, Some(0));
    let invite =
        ["invite", "--first", "Grace", "--email", "grace@example.org", "--site", "zrh", "--type", "contractor"];
    assert_eq!(phone(&store, &invite).0, Some(0));
    assert_eq!(phone(&store, &["sync"]).0, Some(0));
    let mails = dir.join("mail");
    let arrived = || std::fs::read_dir(&mails).is_ok_and(|mails| mails.count() > 0);
    let patience = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !arrived() {
        assert!(std::time::Instant::now() < patience, "no mail arrives");
        std::thread::yield_now();
    }
    let mut found = Vec::new();
    open_to_others(home.path(), &mut found);
    assert_eq!(found, [""; 0]);
    let token = home.path().join("again.token");
    std::fs::write(&token, "").expect("written");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(admin(&dir, &["token", "ben", "--out", token.to_str().expect("UTF-8")]).status.code(), Some(0));
    assert_eq!(std::fs::metadata(&token).expect("exists").permissions().mode() & 0o777, 0o600);
    assert_eq!(hub.end("-TERM").0, Some(0));
}

/// On a disk that takes no more, the hub says that it lives and is not ready; a phone is told that the hub failed, which is
/// no refusal, and keeps its work.
#[test]
fn a_full_disk_is_told_as_what_it_is() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let store = home.path().join("ada.db");
    let hub = Serving::start(&dir);
    assert_eq!(sign_in(&hub, &dir, &store).0, Some(0));
    assert_eq!(get(&format!("{}/readyz", hub.url)).0, 200);
    assert_eq!(hub.end("-TERM").0, Some(0));
    assert_eq!(
        phone(&store, &["invite", "--first", "Grace", "--email", "grace@example.org", "--site", "zrh"]).0,
        Some(0)
    );

    // Room for the index of the log, and for a few pages of the log itself.
    let hub = Serving::start_limited(&dir, 80);
    let url = hub.url.clone();
    // The phone knows the hub by its old port: it signs in again, which writes as well.
    let failed = (0..50).map(|_| sign_in(&hub, &dir, &store)).find(|(code, _)| *code != Some(0));
    let (code, said) = failed.expect("the disk fills");
    assert_eq!((code, said.contains("The hub failed")), (Some(3), true), "{said}");
    let (status, headers, problem) = get(&format!("{url}/readyz"));
    assert_eq!((status, headers.contains_key("retry-after")), (503, true), "{problem}");
    assert_eq!(get(&format!("{url}/healthz")).0, 200);
    let (code, list) = phone(&store, &["list", "--tab", "queued"]);
    assert_eq!((code, list.contains("Grace")), (Some(0), true), "{list}");
    drop(hub);
}

/// A request has a number: in each line of the log, in the answer, and in the problem it is refused with.
#[test]
fn a_request_is_found_in_the_log_by_its_number() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    settings(&dir, "log = 'json'\n");
    let hub = Serving::start(&dir);
    let (status, headers, problem) = get(&format!("{}/nowhere", hub.url));
    let problem: Value = serde_json::from_str(&problem).expect("JSON");
    let number = headers["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!((status, problem["request_id"].as_str()), (404, Some(number.as_str())));
    let (_, said) = hub.end("-TERM");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines.iter().any(|line| line["span"]["id"] == number.as_str()), "{said}");
    // The set-up is looked at when it starts.
    assert!(lines.iter().any(|line| line["fields"]["code"] == "public_url_local"), "{said}");
}

/// What is wrong with a set-up is said to people and programs, and only what cannot work fails.
#[test]
fn a_set_up_is_checked() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    // Nobody listens there: it was free a moment ago.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let check = |more: &str| {
        let text = format!("public_url = 'http://{closed}'\nmail_from = 'a@localhost'\n{more}");
        std::fs::write(dir.join("vestibule.toml"), text).expect("written");
        let out = admin(&dir, &["check", "--json"]);
        let found: Value = serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", text_of(&out)));
        let codes: Vec<String> = found["findings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|finding| finding["code"].as_str().expect("a code").to_owned())
            .collect();
        (out.status.code(), found["ok"].as_bool(), codes)
    };
    let (code, ok, codes) = check(&format!("[smtp]\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\n", closed.port()));
    assert_eq!((code, ok), (Some(1), Some(false)), "{codes:?}");
    for expected in ["mail_server_unreachable", "public_url_unreachable", "public_url_local", "mail_from_local"] {
        assert!(codes.iter().any(|code| code == expected), "{expected} in {codes:?}");
    }
    // With the hub there, what is left are warnings.
    let hub = Serving::start(&dir);
    let text = format!("public_url = '{}'\nmail_from = 'a@example.com'\n", hub.url);
    std::fs::write(dir.join("vestibule.toml"), text).expect("written");
    let out = admin(&dir, &["check"]);
    let said = text_of(&out);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(said.contains("warning (no_mail_server)") && !said.contains("error ("), "{said}");
    assert_eq!(hub.end("-TERM").0, Some(0));
    let none = admin(&home.path().join("nowhere"), &["check"]);
    assert_eq!(none.status.code(), Some(2));
}

fn text_of(out: &Output) -> String {
    text(&out.stdout) + &text(&out.stderr)
}

/// A phone on which nobody signed in says so, whatever it is asked; a token that is not taken says nothing of work there
/// is none of.
#[test]
fn a_phone_nobody_signed_in_on_says_so() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let hub = Serving::start(&dir);
    let store = home.path().join("ada.db");
    let token = home.path().join("bad.token");
    std::fs::write(&token, "not.a.token").expect("written");
    let (code, said) = phone(&store, &["sign-in", "--hub", &hub.url, "--token-file", token.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("admin token") && !said.contains("kept"), "{said}");
    for arguments in [&["list"][..], &["list", "--json"], &["search", "Grace"], &["sync"], &["list", "--tab", "past"]] {
        let (code, said) = phone(&store, arguments);
        assert_eq!((code, said.contains("sign-in")), (Some(5), true), "{arguments:?}: {said}");
    }
    assert_eq!(sign_in(&hub, &dir, &store).0, Some(0));
    assert_eq!(phone(&store, &["list"]), (Some(0), "No visits.\n".to_owned()));
    assert_eq!(hub.end("-TERM").0, Some(0));
    let (code, said) = phone(&store, &["sync"]);
    assert_eq!((code, said.contains("kept")), (Some(3), false), "{said}");
    assert_eq!(
        phone(&store, &["invite", "--first", "Grace", "--email", "grace@example.org", "--site", "zrh"]).0,
        Some(0)
    );
    let (code, said) = phone(&store, &["sync"]);
    assert_eq!((code, said.contains("is kept")), (Some(3), true), "{said}");
}

/// "Change it and invite again" can be done where it is said; after a final rejection it cannot.
#[test]
fn a_rejected_visitor_is_invited_again_from_a_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let hub = Serving::start(&dir);
    let store = home.path().join("ada.db");
    assert_eq!(sign_in(&hub, &dir, &store).0, Some(0));
    let json = |arguments: &[&str]| -> Value {
        let (code, said) = phone(&store, &[arguments, &["--json"]].concat());
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        serde_json::from_str(&said).expect("JSON")
    };
    let made =
        json(&["invite", "--first", "Grace", "--email", "grace@example.org", "--site", "zrh", "--type", "contractor"]);
    let id = made["id"].as_str().expect("an id").to_owned();
    let (code, said) = phone(&store, &["reinvite", &id]);
    assert_eq!((code, said.contains("not over")), (Some(4), true), "{said}");
    json(&["sync"]);
    let reject = |number: &str, more: &[&str]| {
        let out = admin(&dir, &[&["reject", number, "--as", "priya", "--reason", "No company"], more].concat());
        assert_eq!(out.status.code(), Some(0), "{}", text_of(&out));
        json(&["sync"]);
    };
    reject("1", &[]);
    assert!(phone(&store, &["show", &id]).1.contains("phone reinvite"));
    let again = json(&["reinvite", &id, "--company", "Example Ltd"]);
    let new = again["id"].as_str().expect("an id").to_owned();
    assert_ne!(new, id);
    assert_eq!((again["company"].as_str(), again["first_name"].as_str()), (Some("Example Ltd"), Some("Grace")));
    json(&["sync"]);
    assert_eq!(json(&["show", &new])["status"], "pending");
    let (code, said) = phone(&store, &["settle", &new, "--mine"]);
    assert_eq!((code, said.contains("in conflict")), (Some(4), true), "{said}");
    assert_eq!(phone(&store, &["settle", &new]).0, Some(2));
    reject("2", &["--final"]);
    let (code, said) = phone(&store, &["reinvite", &new]);
    assert_eq!((code, said.contains("final")), (Some(4), true), "{said}");

    let third = json(&["invite", "--first", "Alan", "--email", "alan@example.org", "--site", "zrh"]);
    json(&["sync"]);
    let third = third["id"].as_str().expect("an id").to_owned();
    json(&["delete", &third]);
    json(&["sync"]);
    assert!(!phone(&store, &["list", "--tab", "upcoming"]).1.contains("Alan"));
    assert_eq!(hub.end("-TERM").0, Some(0));
}

/// Where two have changed the same, the host chooses.
#[test]
fn a_conflict_is_settled_from_a_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let hub = Serving::start(&dir);
    let (one, other) = (home.path().join("one.db"), home.path().join("other.db"));
    for store in [&one, &other] {
        assert_eq!(sign_in(&hub, &dir, store).0, Some(0));
    }
    let (_, made) = phone(&one, &["invite", "--first", "Grace", "--email", "g@example.org", "--site", "zrh", "--json"]);
    let made: Value = serde_json::from_str(&made).expect("JSON");
    let id = made["id"].as_str().expect("an id");
    let sync = |store: &Path| phone(store, &["sync"]).0;
    assert_eq!((sync(&one), sync(&other)), (Some(0), Some(0)));
    for (choice, expected) in [("--mine", "second@example.org"), ("--theirs", "third@example.org")] {
        let theirs = if choice == "--mine" { "first@example.org" } else { "third@example.org" };
        let mine = if choice == "--mine" { "second@example.org" } else { "fourth@example.org" };
        assert_eq!(phone(&one, &["edit", id, "--email", theirs]).0, Some(0));
        assert_eq!(phone(&other, &["edit", id, "--email", mine]).0, Some(0));
        assert_eq!(sync(&one), Some(0));
        sync(&other);
        let (code, said) = phone(&other, &["settle", id, choice]);
        assert_eq!(code, Some(0), "{said}");
        assert_eq!((sync(&other), sync(&one)), (Some(0), Some(0)));
        let (_, shown) = phone(&one, &["show", id]);
        assert!(shown.contains(expected), "{choice}: {shown}");
    }
    assert_eq!(hub.end("-TERM").0, Some(0));
}

/// Who has sent his share keeps the rest and is told when; a restart of the hub gives nothing back, the settings do.
#[test]
fn a_share_that_is_used_up_is_told_and_survives_a_restart() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("hub");
    assert_eq!(admin(&dir, &["init", "--sample"]).status.code(), Some(0));
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let start = |limits: &str| {
        settings(&dir, limits);
        let dir = dir.to_str().expect("UTF-8");
        Serving::begin(vestibule(&["serve", "--dir", dir, "--listen", &format!("127.0.0.1:{port}")]))
    };
    // By the day, so that no hour that begins gives anything back meanwhile.
    let limits = "[limits]\nvisits_per_day = 1\n";
    let hub = start(limits);
    let store = home.path().join("ada.db");
    assert_eq!(sign_in(&hub, &dir, &store).0, Some(0));
    let invite = |name: &str| {
        let email = format!("{name}@example.org");
        let (code, said) = phone(&store, &["invite", "--first", name, "--email", &email, "--site", "zrh", "--json"]);
        assert_eq!(code, Some(0), "{said}");
        serde_json::from_str::<Value>(&said).expect("JSON")["id"].as_str().expect("an id").to_owned()
    };
    let grace = invite("grace");
    assert_eq!(phone(&store, &["sync"]).0, Some(0));
    // No more invitations: what was invited can still be changed.
    assert_eq!(phone(&store, &["edit", &grace, "--company", "Example Ltd"]).0, Some(0));
    assert_eq!(phone(&store, &["sync"]).0, Some(0));
    invite("alan");
    let held = || {
        let (code, said) = phone(&store, &["sync"]);
        assert_eq!((code, said.contains("sent later"), said.contains("hours")), (Some(3), true, true), "{said}");
        assert!(phone(&store, &["list", "--tab", "queued"]).1.contains("alan"));
    };
    held();
    assert_eq!(hub.end("-TERM").0, Some(0));
    let hub = start(limits);
    held();
    assert_eq!(hub.end("-TERM").0, Some(0));
    let hub = start("");
    assert_eq!(phone(&store, &["sync"]).0, Some(0));
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
