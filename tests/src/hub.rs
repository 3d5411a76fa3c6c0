//! A hub as a process that dies and comes back.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::Value;

use crate::clock;
use crate::kill::{Boundary, Kills, limited, terminate};
use crate::program::{stdout, vestibule};

/// A hub in a folder, running or not.
pub struct Hub {
    dir: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
    /// What its machine's clock is off by.
    off: Option<String>,
}

impl Hub {
    /// Makes a hub with the sample organisation whose mails go to that server.
    pub fn create(dir: PathBuf, mail_server: SocketAddr) -> Self {
        fs::create_dir_all(&dir).expect("a folder");
        let hub = Self { dir, address: free_address(), child: None, off: None };
        hub.send_mails_to(mail_server);
        hub.admin(&["init", "--sample"]);
        hub
    }

    /// Writes settings with that mail server; they hold from the next start.
    pub fn send_mails_to(&self, server: SocketAddr) {
        let (address, host, port) = (self.address, server.ip(), server.port());
        let settings = format!(
            "listen = \"{address}\"\npublic_url = \"http://{address}\"\n\
             mail_from = \"Example AG <visitors@example.com>\"\n\n\
             [smtp]\nhost = \"{host}\"\nport = {port}\ntls = \"none\"\n"
        );
        fs::write(self.dir.join("vestibule.toml"), settings).expect("settings");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The hub's database.
    pub fn database(&self) -> PathBuf {
        self.dir.join("hub.db")
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts it and waits until it listens.
    pub fn start(&mut self) {
        let started = self.spawn(self.serve());
        assert!(started, "the hub does not start; its log:\n{}", self.log());
    }

    /// Starts it so that what follows for the visit of that number fails: with an `error` or a `panic`.
    pub fn start_failing(&mut self, number: u64, how: &str) {
        let mut command = self.serve();
        command.env("VESTIBULE_FAIL_EFFECT", format!("{number}:{how}"));
        let started = self.spawn(command);
        assert!(started, "the hub does not start; its log:\n{}", self.log());
    }

    /// Starts it so that it dies there; false if that was before it listened.
    pub fn start_to_die_at(&mut self, kills: &Kills, at: Boundary) -> bool {
        let mut command = self.serve();
        kills.arm(&mut command, at);
        self.spawn(command)
    }

    /// Starts it so that no file may be longer than that many blocks of 512 bytes; false if it ended before it listened.
    pub fn start_limited(&mut self, blocks: u64) -> bool {
        let mut command = limited(&self.serve(), blocks);
        // Its log is no file of the hub's: it goes elsewhere.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.spawn(command)
    }

    /// Starts it so that it may have no more than that many files open, as a shell's usual limit is.
    pub fn start_with_files(&mut self, files: u64) {
        let command = self.serve();
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$@\""), "sh"]);
        shell.arg(command.get_program()).args(command.get_args());
        let log = OpenOptions::new().create(true).append(true).open(self.dir.join("hub.log")).expect("a log");
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let started = self.spawn(shell);
        assert!(started, "the hub does not start; its log:\n{}", self.log());
    }

    /// Sets its machine's clock off by so much, or right: it holds for what is started from now on.
    pub fn set_clock(&mut self, off: Option<&str>) {
        self.off = off.map(str::to_owned);
    }

    fn command(&self) -> Command {
        let mut command = vestibule();
        if let Some(off) = &self.off {
            clock::set(&mut command, off);
        }
        command
    }

    fn serve(&self) -> Command {
        let log = OpenOptions::new().create(true).append(true).open(self.dir.join("hub.log")).expect("a log");
        let mut command = self.command();
        command.args(["serve", "--dir"]).arg(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        command
    }

    fn spawn(&mut self, mut command: Command) -> bool {
        assert!(self.child.is_none(), "the hub runs already");
        let mut child = command.spawn().expect("the command starts");
        let out = child.stdout.take().expect("its output is piped");
        self.child = Some(child);
        let mut line = String::new();
        // Nothing comes from a hub that dies first.
        let _ = BufReader::new(out).read_line(&mut line);
        line.contains("listening on")
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("a child can be looked at"))
    }

    /// Kills it with SIGKILL, or looks how it has ended by itself.
    pub fn kill(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().expect("a child can be waited for")
    }

    /// Ends it with SIGTERM, or looks how it has ended by itself.
    pub fn stop(&mut self) -> ExitStatus {
        terminate(&mut self.child.take().expect("it runs"))
    }

    /// What `vestibule admin` prints.
    pub fn admin(&self, arguments: &[&str]) -> String {
        let mut command = self.command();
        command.args(["admin", "--dir"]).arg(&self.dir).args(arguments).stdin(Stdio::null());
        stdout(&command.output().expect("the command starts"))
    }

    /// The visits it has accepted.
    pub fn visits(&self) -> Vec<Value> {
        serde_json::from_str(&self.admin(&["visits", "--json"])).expect("a list as JSON")
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("hub.log")).unwrap_or_default()
    }

    /// A hub with the same files and the same address in another folder, which is made anew.
    #[must_use]
    pub fn copy_to(&self, dir: PathBuf) -> Self {
        // The folder may not be there yet.
        let _ = fs::remove_dir_all(&dir);
        copy_folder(&self.dir, &dir);
        Self { dir, address: self.address, child: None, off: self.off.clone() }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The test is over, well or not.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A free address below the ports systems give to outgoing connections (32768 and up), so that nothing takes it while
/// the hub is down.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Tests of other programs run at the same time.
    let first = u16::try_from(std::process::id() % 100).expect("below 100") * 100;
    for _ in 0..12_000 {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}
