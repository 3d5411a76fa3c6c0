//! A hub in a process of its own, so that what it costs is told from what the phone costs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chrono::Utc;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tempfile::TempDir;
use tokio::net::TcpListener;
use vestibule_hub::config::DataDir;
use vestibule_hub::context::Context;
use vestibule_hub::issuer::SignIn;
use vestibule_hub::moment::Moment;
use vestibule_hub::organisation::{self, OrganisationError, sample};
use vestibule_hub::server::{Hub, Surroundings};
use vestibule_hub::store::HubStore;

use crate::visits::HOST;

/// A hub that runs.
pub struct HubProcess {
    dir: TempDir,
    child: Child,
    /// Where it is reached.
    pub url: String,
}

impl HubProcess {
    /// Founds the sample organisation, without addresses for security and categories, and starts the hub. Every visit
    /// needs an approval, so that what is measured is the sync, and not mails and passes.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        found(dir.path());
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .arg("serve")
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("its output is piped")).read_line(&mut url).expect("a line");
        Self { dir, child, url: url.trim().to_owned() }
    }

    /// A token to sign the host in with.
    pub fn token(&self) -> String {
        let context = context(self.dir.path());
        let mut rng = ChaCha20Rng::from_seed([8; 32]);
        let member = HOST.parse().expect("an id of the sample");
        SignIn::issue(&context.issuer(), &mut Moment::new(Utc::now(), &mut rng), &member)
    }

    /// How long its threads have run on a processor. Its threads live on between two calls that are close together.
    pub fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("Linux, and the hub runs");
        let spent = tasks.filter_map(|task| {
            let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
        });
        spent.sum()
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // The run is over, well or not.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn context(home: &Path) -> Context {
    let dir = DataDir::open(home).expect("a hub's folder");
    let config = dir.config().expect("settings");
    let id = sample::ID.parse().expect("the sample's id");
    Context::open(&dir, &config, &id, Utc::now(), &mut ChaCha20Rng::from_seed([9; 32])).expect("keys")
}

fn found(home: &Path) {
    let dir = DataDir::open_or_create(home, None).expect("a hub's folder");
    let config = dir.config().expect("settings");
    let id = sample::ID.parse().expect("the sample's id");
    let context =
        Context::found(&dir, &config, &id, Utc::now(), &mut ChaCha20Rng::from_seed([9; 32])).expect("makes keys");
    let mut founding = sample::example_ag();
    founding.security_address = None;
    for kind in &mut founding.types {
        kind.address = None;
    }
    let mut rng = ChaCha20Rng::from_seed([7; 32]);
    HubStore::open(&dir.database())
        .expect("a database")
        .write::<_, OrganisationError>(|tx| {
            organisation::found(tx, &context, &mut Moment::new(Utc::now(), &mut rng), founding)
        })
        .expect("founds");
}

/// Runs the hub of a folder and says where, until it is killed.
pub fn serve(home: &Path) {
    let runtime = vestibule_hub::server::runtime().expect("a runtime");
    runtime.block_on(async {
        let dir = DataDir::open(home).expect("a hub's folder");
        let config = dir.config().expect("settings");
        let hub = Hub::open(dir, config, Surroundings::system()).await.expect("the hub opens");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("http://{}", listener.local_addr().expect("an address"));
        hub.serve(listener, std::future::pending()).await.expect("serves");
    });
}
