//! `vestibule admin backup`, `verify` and `restore`.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::{Admin, new_rng};
use crate::backup::{self, BackupError, Manifest};
use crate::command::{Failure, print};
use crate::config::DataDir;
use crate::moment::Moment;
use crate::store::HubStore;

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let message = format!("Failed: {error}.");
        match error {
            BackupError::Io { .. } | BackupError::Store(_) | BackupError::Damaged(_) => Self::failed(message),
            _ => Self::bad_input(message),
        }
    }
}

impl Admin {
    /// Copies database and settings to `target`, and the keys to `keys` if that is given.
    pub(super) fn backup(&self, target: &Path, keys: Option<&Path>) -> Result<(), Failure> {
        let dir = DataDir::open(&self.dir).map_err(Failure::bad_input)?;
        if let Some(keys) = keys {
            backup::apart(target, keys)?;
        }
        let store = HubStore::open(&dir.database())?;
        let now = Utc::now();
        let made = backup::make(&dir, &store, target, now)?;
        let mut said = format!("{} holds {} as of {}.\n", target.display(), summary(&made), clock(made.made_at));
        match keys {
            Some(keys) => {
                backup::make_keys(&dir, keys, now)?;
                let (keys, target) = (keys.display(), target.display());
                said = format!("{said}{keys} holds the keys; keep it apart from {target}.\n");
            }
            None => {
                said += "The keys are not in it: without them it opens nothing, and is worth nothing either. Copy them once, \
                         to another place, with --keys DIR.\n";
            }
        }
        print(&said);
        Ok(())
    }

    /// Checks a backup, of a database or of keys.
    pub(super) fn verify(backup: &Path) -> Result<(), Failure> {
        let manifest = backup::verify(backup)?;
        let what =
            if manifest.epoch.is_some() { summary(&manifest) } else { format!("{} files", manifest.files.len()) };
        print(&format!("{} is whole: {what} as of {}.\n", backup.display(), clock(manifest.made_at)));
        Ok(())
    }

    /// Puts a backup in place.
    pub(super) fn restore(&self, backup: &Path, keys: Option<&Path>, force: bool) -> Result<(), Failure> {
        let mut rng = new_rng()?;
        let restored = backup::put_back(&self.dir, backup, keys, force, &mut Moment::new(Utc::now(), &mut rng))?;
        let dir = self.dir.display();
        let aside = restored
            .aside
            .map(|aside| format!("The database that was there is {} now.\n", aside.display()))
            .unwrap_or_default();
        print(&format!(
            "The hub in {dir} is set back to {}: {}.\n{aside}\
             Phones send again what they had sent since, with their next sync. Gone is what was decided on the hub itself \
             since then (approvals at a terminal or from a mail, arrivals at the desk, new members): do it again. PINs and QR \
             codes mailed since then open nothing; their guests get new ones.\n\
             Run it:  vestibule serve --dir {dir}\n",
            clock(restored.manifest.made_at),
            summary(&restored.manifest),
        ));
        Ok(())
    }
}

fn clock(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn summary(manifest: &Manifest) -> String {
    let each = manifest.organisations.iter();
    let each = each.map(|it| format!("{} with {} members and {} visits", it.id, it.members, it.visits));
    each.collect::<Vec<_>>().join(", ")
}
