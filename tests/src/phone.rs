//! A phone in a terminal, as a process for each thing it does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::clock;
use crate::hub::Hub;
use crate::kill::{Boundary, Kills, limited, was_killed};
use crate::program::{stdout, vestibule};

/// A phone's file and those beside it.
#[derive(Debug, Clone)]
pub struct Phone {
    store: PathBuf,
    /// What its clock is off by.
    off: Option<String>,
}

impl Phone {
    /// A phone nobody has signed in on.
    pub fn new(store: PathBuf) -> Self {
        Self { store, off: None }
    }

    /// Sets its clock off by so much, or right.
    pub fn set_clock(&mut self, off: Option<&str>) {
        self.off = off.map(str::to_owned);
    }

    /// Its file.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// Signs a member in.
    pub fn sign_in(&self, hub: &Hub, member: &str) {
        stdout(&self.command(&self.sign_in_arguments(hub, member)).output().expect("the command starts"));
    }

    /// What to say to sign a member in: the token is in a file beside the store.
    pub fn sign_in_arguments(&self, hub: &Hub, member: &str) -> Vec<String> {
        let token = self.store.with_extension("token");
        fs::write(&token, hub.admin(&["token", member])).expect("a token");
        let token = token.to_str().expect("a path in UTF-8");
        ["sign-in", "--hub", &hub.url(), "--token-file", token].map(str::to_owned).to_vec()
    }

    /// A command of this phone's.
    pub fn command<S: AsRef<str>>(&self, arguments: &[S]) -> Command {
        let mut command = vestibule();
        if let Some(off) = &self.off {
            clock::set(&mut command, off);
        }
        command.args(["phone", "--store"]).arg(&self.store).args(arguments.iter().map(AsRef::as_ref));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Output {
        self.command(arguments).output().expect("the command starts")
    }

    /// Runs a command that kills itself there, if it comes that far.
    pub fn run_killed_at<S: AsRef<str>>(&self, kills: &Kills, at: Boundary, arguments: &[S]) -> Output {
        let mut command = self.command(arguments);
        kills.arm(&mut command, at);
        command.output().expect("the command starts")
    }

    /// Runs a command and kills it after that time; counts if it was not done by then.
    pub fn run_killed_after<S: AsRef<str>>(&self, kills: &mut Kills, delay: Duration, arguments: &[S]) -> Output {
        let mut child = self.command(arguments).spawn().expect("the command starts");
        std::thread::sleep(delay);
        // It may have ended by itself.
        let _ = child.kill();
        let output = child.wait_with_output().expect("a child can be waited for");
        kills.random += u64::from(was_killed(output.status));
        output
    }

    /// Runs a command for which no file may be longer than that many blocks of 512 bytes.
    pub fn run_limited<S: AsRef<str>>(&self, blocks: u64, arguments: &[S]) -> Output {
        limited(&self.command(arguments), blocks).stdin(Stdio::null()).output().expect("the shell starts")
    }

    /// What a command prints as JSON, after it succeeded.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = stdout(&self.run(arguments));
        serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("{arguments:?} printed no JSON: {error}\n{printed}"))
    }

    /// Every visit it lists.
    pub fn list(&self) -> Vec<Value> {
        array(self.json(&["list", "--limit", "10000", "--json"]))
    }

    /// The visits it finds.
    pub fn search(&self, text: &str) -> Vec<Value> {
        array(self.json(&["search", text, "--json"]))
    }

    /// Looks into the file itself: it is sound, and no table speaks of a visit the others do not know.
    pub fn check_file(&self) {
        let key = fs::read_to_string(beside(&self.store, ".key")).expect("the key lies beside the store");
        let file = rusqlite::Connection::open(&self.store).expect("the file opens");
        file.execute_batch(&format!(
            "PRAGMA key = \"x'{}'\"; PRAGMA cipher_plaintext_header_size = 32;",
            key.trim_ascii()
        ))
        .expect("takes the key");
        let text = |sql: &str| file.query_row(sql, [], |row| row.get::<_, String>(0)).expect("an answer");
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, u32>(0)).expect("a number");
        for table in ["chunk", "outbox"] {
            let strangers = count(&format!("SELECT count(*) FROM {table} WHERE visit NOT IN (SELECT id FROM visit)"));
            assert_eq!(strangers, 0, "{table} speaks of visits that are not there");
        }
        let bare = count("SELECT count(*) FROM visit WHERE id NOT IN (SELECT visit FROM chunk)");
        assert_eq!(bare, 0, "visits with no document");
    }

    /// Copies the phone, its keys and its log, to stand for the same device.
    #[must_use]
    pub fn copy_to(&self, store: PathBuf) -> Self {
        for ending in ["", "-wal", "-shm", ".key", ".device.key"] {
            let (from, to) = (beside(&self.store, ending), beside(&store, ending));
            if from.exists() {
                fs::copy(from, to).expect("a copy");
            } else if to.exists() {
                fs::remove_file(to).expect("an old file goes");
            }
        }
        Self { store, off: None }
    }
}

fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        other => panic!("not a list: {other}"),
    }
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
