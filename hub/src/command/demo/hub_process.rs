//! The hub of the demo: a process of its own, which can go away and come back.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use url::Url;
use vestibule_core::id::{OrganisationId, VisitId};

use super::super::Failure;
use crate::config::{Config, DataDir};
use crate::organisation::sample;
use crate::store::{HubStore, StoreError, deliveries, effects};

/// A hub in a folder, running or not.
pub struct HubProcess {
    dir: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
}

impl HubProcess {
    /// Makes a hub with the sample organisation whose mails go to that server. It is not started.
    pub fn create(dir: &Path, mail_server: SocketAddr) -> Result<Self, Failure> {
        // A port that is free now and kept for the whole demo, so that the phones find the hub again.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .map_err(Failure::failed)?;
        let settings = DataDir::open_or_create(dir, Some(address)).map_err(Failure::failed)?;
        let public_url = Url::parse(&format!("http://{address}")).expect("a socket address makes a URL");
        let text = Config::template(address, &public_url, "Example AG <visitors@example.com>");
        let smtp =
            format!("\n[smtp]\nhost = \"{}\"\nport = {}\ntls = \"none\"\n", mail_server.ip(), mail_server.port());
        settings.write_settings(&(text + &smtp)).map_err(Failure::failed)?;
        let hub = Self { dir: dir.to_owned(), address, child: None };
        hub.admin(&["init", "--sample"])?;
        Ok(hub)
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts it and waits until it says that it listens. Its log goes to `hub.log`.
    pub fn start(&mut self) -> Result<(), Failure> {
        let log =
            fs::OpenOptions::new().create(true).append(true).open(self.dir.join("hub.log")).map_err(Failure::failed)?;
        let mut child = command()?
            .args([OsStr::new("serve"), OsStr::new("--dir"), self.dir.as_os_str()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(Failure::failed)?;
        let out = child.stdout.take().expect("its output is piped");
        self.child = Some(child);
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(Failure::failed)?;
        if line.contains("listening on") {
            return Ok(());
        }
        Err(Failure::failed(format!("The hub did not start; see {}.", self.dir.join("hub.log").display())))
    }

    /// Ends it as an operator would, with SIGTERM, and waits for it.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(Failure::failed)?;
        let status = child.wait().map_err(Failure::failed)?;
        if status.success() { Ok(()) } else { Err(Failure::failed(format!("The hub ended with {status}."))) }
    }

    /// Why the mail to a visit's guest will not arrive, by a stable code; none while it may.
    pub fn undelivered(&self, visits: &[VisitId]) -> Result<Vec<Option<String>>, Failure> {
        let organisation: OrganisationId = sample::ID.parse().expect("the sample's id is one");
        let mut store = HubStore::open(&self.dir.join("hub.db"))?;
        let fates = store.read(|tx| {
            let fate = |visit: &VisitId| {
                if let Some(undone) = effects::of_visit(tx, &organisation, *visit)?.into_iter().next() {
                    return Ok(Some(undone.code));
                }
                let state = deliveries::last_mail(tx, &organisation, *visit)?;
                Ok(state.filter(|state| !matches!(state.as_str(), "waiting" | "sending" | "sent")))
            };
            visits.iter().map(fate).collect::<Result<Vec<_>, StoreError>>()
        });
        Ok(fates?)
    }

    /// Runs `vestibule admin` on it and gives what it printed.
    pub fn admin(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = command()?
            .args([OsStr::new("admin"), OsStr::new("--dir"), self.dir.as_os_str()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(Failure::failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::failed(format!("`vestibule admin {}` failed: {}", arguments[0], said.trim())))
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // The demo ends, well or not: its hub ends with it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command() -> Result<Command, Failure> {
    Ok(Command::new(std::env::current_exe().map_err(Failure::failed)?))
}
