//! The hosts' phones of the demo: nothing but the core, one store for each host.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use vestibule_core::id::{MemberId, VisitId};
use vestibule_core::phone::{HostClient, PhoneError};
use vestibule_core::store::{ListFilter, VisitView};
use vestibule_core::visit::Status;

use super::super::phone::{bar_style, device, failure, run_sync, runtime, show};
use super::super::{Failure, print};
use super::hub_process::HubProcess;
use super::visitors::VisitorRow;
use super::{InvitedRows, LeftOut};

/// The host whose phone answers for rows that name no host anybody knows.
const FIRST: &str = "ada";

/// A row that became a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The row, counted from 1.
    pub row: usize,
    /// The visit.
    pub id: VisitId,
    /// The phone it was made on.
    pub host: MemberId,
    /// The visitor's address, as typed.
    pub email: String,
}

/// The phones, by host.
pub struct Phones {
    folder: PathBuf,
    phones: BTreeMap<MemberId, HostClient>,
}

impl Phones {
    /// No phones yet; their stores will be in that folder.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, phones: BTreeMap::new() }
    }

    /// Signs in every host the rows name.
    pub fn sign_in_hosts(&mut self, hub: &HubProcess, rows: &[VisitorRow]) -> Result<(), Failure> {
        fs::create_dir_all(&self.folder).map_err(Failure::failed)?;
        let first = MemberId::new(FIRST).expect("a member of the sample");
        self.sign_in(hub, &first)?;
        for row in rows {
            let host = self.host_of(row)?;
            if !self.phones.contains_key(&host) {
                self.sign_in(hub, &host)?;
            }
        }
        Ok(())
    }

    fn sign_in(&mut self, hub: &HubProcess, host: &MemberId) -> Result<(), Failure> {
        let token = hub.admin(&["token", host.as_str()])?;
        let phone = device::open(&self.folder.join(format!("{host}.db")), true)?;
        runtime()?.block_on(async {
            phone.sign_in(&hub.url(), token.trim()).await.map_err(failure)?;
            run_sync(&phone, true).await
        })?;
        let name = phone.directory().map_err(failure)?.member(host).map(|member| member.name.clone());
        print(&format!("{} signed in.\n", name.unwrap_or_else(|| host.to_string())));
        self.phones.insert(host.clone(), phone);
        Ok(())
    }

    /// The member a row's host is, or the first phone's where it is nobody, or not one alone: it then says so.
    fn host_of(&self, row: &VisitorRow) -> Result<MemberId, Failure> {
        let first = MemberId::new(FIRST).expect("a member of the sample");
        let directory = self.phones[&first].directory().map_err(failure)?;
        let found = row.draft.host.as_deref().map(|host| directory.find_members(host)).unwrap_or_default();
        Ok(match found.as_slice() {
            [one] => one.id.clone(),
            _ => first,
        })
    }

    /// Invites every row on its host's phone; a row with problems is left out.
    pub fn invite(&self, rows: &[VisitorRow]) -> Result<(InvitedRows, Vec<LeftOut>), Failure> {
        let (mut invited, mut left_out) = (Vec::new(), Vec::new());
        let bar = ProgressBar::new(rows.len() as u64).with_prefix("inviting");
        bar.set_style(bar_style());
        for row in rows {
            let host = self.host_of(row)?;
            match self.phones[&host].create(&row.draft) {
                Ok(id) => {
                    let email = row.draft.email.clone().unwrap_or_default();
                    invited.push(Invited { row: row.number, id, host, email });
                }
                Err(PhoneError::BadDraft(problems)) => left_out.extend(problems.into_iter().map(|problem| LeftOut {
                    row: row.number,
                    field: problem.field.as_str(),
                    code: problem.code.to_owned(),
                    message: problem.message,
                })),
                Err(error) => return Err(failure(error)),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok((invited, left_out))
    }

    /// Syncs every phone, with a bar.
    pub fn sync_all(&self) -> Result<(), Failure> {
        let bar = ProgressBar::new(self.phones.len() as u64);
        bar.set_style(
            ProgressStyle::with_template("syncing    {bar:32} {pos}/{len} phones {msg}").expect("a template"),
        );
        let runtime = runtime()?;
        for (host, phone) in &self.phones {
            bar.set_message(host.to_string());
            runtime.block_on(run_sync(phone, true))?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        print(&format!("{} phones are up to date.\n", self.phones.len()));
        Ok(())
    }

    /// A visit as its host's phone shows it.
    pub fn view(&self, invited: &Invited) -> Result<VisitView, Failure> {
        self.phones[&invited.host].show(invited.id).map_err(failure)
    }

    /// The rows whose visit has that status.
    pub fn with_status<'a>(&self, invited: &'a [Invited], status: Status) -> Result<Vec<&'a Invited>, Failure> {
        let mut found = Vec::new();
        for one in invited {
            if self.view(one)?.status == status {
                found.push(one);
            }
        }
        Ok(found)
    }

    /// Prints what the phones list, all hosts together.
    pub fn print_list(&self, title: &str, statuses: &[Status], most: usize) -> Result<(), Failure> {
        let mut visits = Vec::new();
        for phone in self.phones.values() {
            visits.extend(phone.list(ListFilter::All, 10_000, None).map_err(failure)?.items);
        }
        visits.retain(|visit| statuses.contains(&visit.status));
        visits.sort_by_key(|visit| (visit.start, visit.id));
        visits.dedup_by_key(|visit| visit.id);
        let first = MemberId::new(FIRST).expect("a member of the sample");
        let directory = self.phones[&first].directory().map_err(failure)?;
        let count = visits.len();
        visits.truncate(most);
        print(&format!("\n{title}: {count}\n{}", show::list(&visits, &directory)));
        if count > most {
            print(&format!("… and {} more.\n", count - most));
        }
        Ok(())
    }

    /// Closes every store.
    pub fn close(self) {
        self.phones.values().for_each(HostClient::close);
    }
}
