//! `vestibule demo`: the whole road on real input, on this machine alone.
//!
//! Hosts' phones sign in, the hub goes away, the hosts invite a file of visitors, the hub comes back as a process of its
//! own, the phones sync, the mails travel by SMTP to a mailbox of the demo's own ([`crate::mailbox`]), an approver approves one,
//! and [`report`] takes the mails apart as a visitor would and writes `demo.json`.

mod hub_process;
mod phones;
mod report;
mod visitors;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{Datelike as _, Utc};
use clap::Args;
use vestibule_core::visit::Status;

use super::{Failure, print};
use crate::mailbox::Mailbox;
use hub_process::HubProcess;
use phones::{Invited, Phones};

/// The file that marks a folder as one the demo made and may make anew.
const MARK: &str = ".vestibule-demo";
/// How long the demo waits for the next mail.
const PATIENCE: Duration = Duration::from_mins(1);
/// Who approves.
const APPROVER: &str = "priya";

/// Shows the whole road, from phones with no network to passes in mails.
#[derive(Debug, Args)]
#[command(after_help = "\
It leaves in DIR: mail/*.eml, passes/*.pkpass, google/*.url, qr/*.png, phone/*.db with their key files,
trust/ (what the passes, links and codes verify with), hub/ and demo.json, which says what belongs together.

The file's columns: Space_Id, Node_Id, Visitor_First_Name, Visitor_Last_Name, Visitor_Email, Visitor_Company,
Visit_Host_Name, Visit_Host_Email, Visit_Start_Date, Visit_End_Date, and optionally Visitor_Type, Visitor_Phone,
Message, Notes. Node_Id is the site's id; dates are YYYY-MM-DD HH:MM in the site's time, or empty.

Example:
  vestibule demo
  vestibule demo --visitors guests.csv --dir /tmp/demo --exit")]
pub struct Demo {
    /// Where everything goes; made anew if it is an earlier demo's.
    #[arg(long, value_name = "DIR", default_value = "vestibule-demo")]
    dir: PathBuf,
    /// A CSV file of visitors, taken as it is; without it a sample, its dates written for the coming year.
    #[arg(long, value_name = "FILE")]
    visitors: Option<PathBuf>,
    /// End when everything is there, instead of staying up to look at.
    #[arg(long)]
    exit: bool,
}

impl Demo {
    /// Runs the demo.
    pub fn run(self) -> Result<(), Failure> {
        let rows = match &self.visitors {
            Some(file) => visitors::read(file),
            None => visitors::sample(Utc::now().year() + 1),
        };
        let rows = rows.map_err(|error| Failure::bad_input(format!("The visitors cannot be read: {error}.")))?;
        let dir = fresh_folder(&self.dir)?;

        heading("A hub with the sample organisation, and a mailbox for everybody");
        let mailbox = Mailbox::start(dir.join("mail")).map_err(Failure::failed)?;
        let mut hub = HubProcess::create(&dir.join("hub"), mailbox.address)?;
        hub.start()?;
        print(&format!("Hub at {}, mail server at {}.\n", hub.url(), mailbox.address));

        heading("Every host signs in on a phone, once");
        let mut phones = Phones::new(dir.join("phone"));
        phones.sign_in_hosts(&hub, &rows)?;

        heading("The hub is away. The hosts invite all the same");
        hub.stop()?;
        let (invited, left_out) = phones.invite(&rows)?;
        for problem in &left_out {
            print(&format!(
                "Left out: row {}, {}: {} ({})\n",
                problem.row, problem.field, problem.message, problem.code
            ));
        }
        phones.print_list("Queued on the phones", &[Status::Queued], 10)?;

        heading("The hub is back. The phones sync");
        hub.start()?;
        phones.sync_all()?;
        let mut mails = report::Mails::default();
        mails.wait_for(&mailbox, &hub, &phones.with_status(&invited, Status::Upcoming)?, PATIENCE)?;
        print(&format!("{} mails arrived.\n", mails.len()));

        if let Some(pending) = phones.with_status(&invited, Status::Pending)?.first() {
            heading(&format!("An approver approves row {}", pending.row));
            hub.admin(&["approve", &pending.id.to_string(), "--as", APPROVER])?;
            mails.wait_for(&mailbox, &hub, &[pending], PATIENCE)?;
            phones.sync_all()?;
        }
        phones.print_list("Upcoming", &[Status::Upcoming], 40)?;
        phones.print_list("Pending", &[Status::Pending], 40)?;

        hub.admin(&["trust", "--out", &dir.join("trust").to_string_lossy()])?;
        for one in mails.undelivered() {
            print(&format!("Not delivered: row {}, {} ({})\n", one.row, one.email, one.code));
        }
        let pages = report::write(&dir, &phones, &invited, &left_out, &mails)?;
        phones.close();
        print(&format!("\nEverything is in {}; demo.json says what belongs together.\n", self.dir.display()));
        if self.exit {
            return hub.stop();
        }
        stay(&hub, &pages, &dir)
    }
}

fn heading(text: &str) {
    print(&format!("\n== {text}\n"));
}

/// Shows where to look, until Ctrl-C.
fn stay(hub: &HubProcess, pages: &[(String, String)], dir: &Path) -> Result<(), Failure> {
    heading("Look at it");
    for (name, page) in pages.iter().take(5) {
        print(&format!("{name}'s page: {page}\n"));
    }
    let store = dir.join("phone/ada.db");
    print(&format!(
        "The hub: {}\nAda's phone: vestibule phone --store {} list\nCtrl-C ends it.\n",
        hub.url(),
        store.display()
    ));
    super::phone::runtime()?.block_on(async { tokio::signal::ctrl_c().await.map_err(Failure::failed) })
}

/// An empty folder: a new one, or an earlier demo's made anew; never one that holds anything else.
fn fresh_folder(dir: &Path) -> Result<PathBuf, Failure> {
    let fails = |error: io::Error| Failure::failed(format!("{} cannot be used: {error}.", dir.display()));
    match fs::read_dir(dir) {
        Ok(mut entries) => {
            if dir.join(MARK).is_file() {
                fs::remove_dir_all(dir).map_err(fails)?;
            } else if entries.next().is_some() {
                return Err(Failure::bad_input(format!(
                    "{} holds something that is not a demo's: name another folder with --dir.",
                    dir.display()
                )));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fails(error)),
    }
    fs::create_dir_all(dir).map_err(fails)?;
    fs::write(dir.join(MARK), "This folder was made by `vestibule demo`, which may remove it.\n").map_err(fails)?;
    dir.canonicalize().map_err(fails)
}

/// One problem of a row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
struct LeftOut {
    row: usize,
    field: &'static str,
    code: String,
    message: String,
}

/// The visits of rows that were invited.
type InvitedRows = Vec<Invited>;
