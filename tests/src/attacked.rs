//! The hub that is attacked: the process `vestibule serve` on a folder and a free port of its own.
//!
//! Making the keys of an organisation takes seconds, so one folder with two of them is made for all tests of a program
//! and copied for each hub. What a hub keeps is looked at from beside it, through a connection that only reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use chrono::Utc;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::SoftwareSigner;
use vestibule_hub::config::DataDir;
use vestibule_hub::context::Context;
use vestibule_hub::moment::Moment;
use vestibule_hub::organisation::{self, OrganisationError, sample};
use vestibule_hub::store::HubStore;

use crate::http::Http;
use crate::program::{stdout, vestibule};

/// The sample organisation, "Example AG".
pub const EXAMPLE: &str = "example-ag";
/// A second organisation on the same hub, with the same sites and members.
pub const OTHER: &str = "other-ag";

/// How long a hub may take to start, or to send the mails that wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with both organisations, copied for every hub. They hand out no passes: drawing a pass's pictures takes a
/// debug build seconds, once in every process, and none of these tests looks at one.
static PATTERN: LazyLock<TempDir> = LazyLock::new(|| {
    private();
    let home = TempDir::new().expect("a folder");
    let dir = DataDir::open_or_create(home.path(), None).expect("makes the folder");
    let config = dir.config().expect("reads its own settings");
    let mut store = HubStore::open(&dir.database()).expect("opens");
    for (seed, id) in [(1, EXAMPLE), (2, OTHER)] {
        let id: OrganisationId = id.parse().expect("an id");
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        let context = Context::found(&dir, &config, &id, Utc::now(), &mut rng).expect("makes the keys");
        let mut founding = sample::example_ag();
        founding.organisation.id = id;
        founding.organisation.wallet = false;
        store
            .write::<_, OrganisationError>(|tx| {
                organisation::found(tx, &context, &mut Moment::new(Utc::now(), &mut rng), founding)
            })
            .expect("is founded");
    }
    home
});

/// A hub that runs; it is killed when the test is over.
pub struct Hub {
    home: TempDir,
    child: Child,
    // Kept open: a hub that writes into a closed pipe would fail for a reason no test means.
    _out: BufReader<ChildStdout>,
    /// The way to it.
    pub http: Http,
}

/// Every row of every table but the quarantine, sorted within its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump(BTreeMap<String, Vec<String>>);

/// One row of the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// `item`, `again`, `envelope` or `evidence`.
    pub kind: String,
    /// The stable code.
    pub reason: String,
    /// What was kept.
    pub bytes: Option<Vec<u8>>,
}

impl Hub {
    /// Starts a hub with the organisations [`EXAMPLE`] and [`OTHER`], in which nothing has happened yet.
    pub fn start() -> Self {
        Self::start_on_a_copy_of(PATTERN.path())
    }

    /// Starts a hub on what another one has left.
    pub fn start_on_a_copy_of(dir: &Path) -> Self {
        private();
        let home = TempDir::new().expect("a folder");
        copy(dir, home.path());
        let log = File::create(home.path().join("hub.log")).expect("a log");
        let mut child = vestibule()
            .arg("serve")
            .arg("--dir")
            .arg(home.path())
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the command starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("the hub says when it is ready");
        let url = line.trim().strip_prefix("Vestibule hub listening on ").unwrap_or_default().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "the hub did not start: {line}");
        Self { home, child, _out: out, http: Http::new(url) }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        self.home.path()
    }

    /// Runs `vestibule admin` for an organisation and gives what it printed.
    pub fn admin(&self, organisation: &str, arguments: &[&str]) -> String {
        let mut command: Command = vestibule();
        command.arg("admin").arg("--dir").arg(self.dir()).args(["--org", organisation]).args(arguments);
        stdout(&command.output().expect("the command runs"))
    }

    /// The key an organisation's tokens are signed with.
    pub fn issuer_key(&self, organisation: &str) -> SoftwareSigner {
        let path: PathBuf = self.dir().join("keys").join(organisation).join("issuer.key");
        let mut seed = [0; 32];
        let text = fs::read_to_string(path).expect("the issuer's key");
        hex::decode_to_slice(text.trim(), &mut seed).expect("64 hexadecimal digits");
        SoftwareSigner::from_seed(&seed)
    }

    /// A connection that only reads.
    pub fn database(&self) -> Connection {
        Connection::open_with_flags(self.dir().join("hub.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opens")
    }

    /// Waits until no mail is waiting any more: sending one is the only thing a hub does unasked.
    pub fn settle(&self) {
        let database = self.database();
        let begun = Instant::now();
        while database
            .query_row("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')", [], |row| {
                row.get::<_, i64>(0)
            })
            .expect("reads")
            > 0
        {
            assert!(begun.elapsed() < PATIENCE, "mails still wait; the hub's log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the hub keeps, but for the quarantine, and how much of its share a device has used.
    pub fn dump(&self) -> Dump {
        let mut database = self.database();
        let tx = database.transaction().expect("one state");
        let mut tables = tx.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").expect("prepares");
        let tables: Vec<String> =
            tables.query_map([], |row| row.get(0)).expect("lists").collect::<Result<_, _>>().expect("names");
        assert!(tables.len() > 20 && tables.iter().any(|table| table == "quarantine"), "{tables:?}");
        let rows_of = |table: &String| {
            // The time goes on, whatever is sent.
            let but = if table == "meta" { "WHERE name NOT LIKE 'clock%'" } else { "" };
            let mut select = tx.prepare(&format!("SELECT * FROM \"{table}\" {but}")).expect("prepares");
            let columns = select.column_count();
            let mut rows = select.query([]).expect("reads");
            let mut all = Vec::new();
            while let Some(row) = rows.next().expect("a row") {
                let mut text = String::new();
                for column in 0..columns {
                    write!(text, "{:?}|", row.get_ref(column).expect("a value")).expect("writes to memory");
                }
                all.push(text);
            }
            all.sort_unstable();
            all
        };
        Dump(
            tables
                .iter()
                .filter(|table| !["quarantine", "usage"].contains(&table.as_str()))
                .map(|table| (table.clone(), rows_of(table)))
                .collect(),
        )
    }

    /// What is quarantined, the oldest first.
    pub fn quarantine(&self) -> Vec<Quarantined> {
        let database = self.database();
        let mut select =
            database.prepare("SELECT kind, reason, bytes FROM quarantine ORDER BY place").expect("prepares");
        select
            .query_map([], |row| Ok(Quarantined { kind: row.get(0)?, reason: row.get(1)?, bytes: row.get(2)? }))
            .expect("reads")
            .collect::<Result<_, _>>()
            .expect("rows")
    }

    /// What the hub has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir().join("hub.log")).expect("the log")
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dump {
    /// The tables that differ, each with the rows only one side has.
    pub fn differences(&self, after: &Self) -> Vec<String> {
        let none = Vec::new();
        let mut found = Vec::new();
        for table in self.0.keys().chain(after.0.keys().filter(|table| !self.0.contains_key(*table))) {
            let (old, new) = (self.0.get(table).unwrap_or(&none), after.0.get(table).unwrap_or(&none));
            found.extend(old.iter().filter(|row| !new.contains(row)).map(|row| format!("- {table}: {row}")));
            found.extend(new.iter().filter(|row| !old.contains(row)).map(|row| format!("+ {table}: {row}")));
            if old.len() != new.len() {
                found.push(format!("{table}: {} rows, then {}", old.len(), new.len()));
            }
        }
        found
    }

    /// The same without one table.
    #[must_use]
    pub fn without(mut self, table: &str) -> Self {
        self.0.remove(table).expect("there is such a table");
        self
    }
}

/// What this process makes is its user's alone, as what the command makes: a hub complains of another.
fn private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes the folder");
    for entry in fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copies");
        }
    }
}
