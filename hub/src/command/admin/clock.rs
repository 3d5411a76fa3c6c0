//! `vestibule admin clock`: how the hub's clock stands, and an administrator's word that it is right.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use serde_json::json;

use super::super::{Failure, print};
use super::Desk;
use crate::clock::standing;
use crate::store::StoreError;
use crate::store::clock::{self, Record};

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Say that the machine's clock is right: the hub goes by it again, whatever it has seen before
    Confirm,
}

impl Desk {
    pub(super) fn clock(&mut self, task: Option<&Task>, as_json: bool) -> Result<(), Failure> {
        match task {
            Some(Task::Confirm) => self.confirm_clock(),
            None => self.show_clock(as_json),
        }
    }

    fn show_clock(&mut self, as_json: bool) -> Result<(), Failure> {
        let record = self.store.read(clock::get)?;
        let standing = standing(&record, Utc::now());
        let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        if as_json {
            let shown = json!({
                "status": if standing.in_doubt { "in_doubt" } else { "certain" },
                "machine": text(standing.machine),
                "seen": standing.seen.map(text),
                "ahead_seconds": record.doubt.map(|doubt| doubt.ahead),
            });
            print(&format!("{shown:#}\n"));
            return Ok(());
        }
        let seen = standing.seen.map_or_else(|| "never".to_owned(), text);
        print(&format!("The machine's clock says   {}\nThe hub has last seen      {seen}\n", text(standing.machine)));
        print(&match standing.warning() {
            Some(warning) => format!("{warning}\n"),
            None => "The clock is in order.\n".to_owned(),
        });
        Ok(())
    }

    /// Takes effect at once for a hub that starts later, and within a second for one that runs.
    fn confirm_clock(&mut self) -> Result<(), Failure> {
        let machine = Utc::now();
        let was_in_doubt = self.store.write(|tx| {
            let record = clock::get(tx)?;
            let in_doubt = standing(&record, machine).in_doubt;
            if in_doubt {
                // A hub that starts compares with this; one that runs hears of it, and signs key sets for the new time
                // before it goes by it.
                clock::put(tx, &Record { seen: Some(machine), confirmed: Some(machine), ..record })?;
            }
            Ok::<_, StoreError>(in_doubt)
        })?;
        print(if was_in_doubt {
            "The machine's clock is taken as right; the hub goes by it from now on.\n"
        } else {
            "The clock is in order; there is nothing to confirm.\n"
        });
        Ok(())
    }
}
