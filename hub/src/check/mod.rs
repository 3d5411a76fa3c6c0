//! Whether a hub is set up so that it can do its work: asked when it starts, and by `vestibule admin check`.
//!
//! A check looks at one thing and finds what is wrong with it, or nothing. [`CHECKS`] look at the directory and the
//! settings alone and are quick: a hub that starts logs what they find. [`reach`] goes out to the mail server and to the
//! hub's own address, and [`database`] reads the whole file: only `admin check` does that.

mod address;
pub mod database;
pub mod disk;
mod organisations;
mod private;
pub mod reach;
mod sender;

use chrono::{DateTime, Utc};
use serde::Serialize;
use vestibule_core::id::OrganisationId;

use crate::config::{Config, DataDir};

/// What a check is given.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// The hub's directory.
    pub dir: &'a DataDir,
    /// Its settings.
    pub config: &'a Config,
    /// The organisations there are.
    pub organisations: &'a [OrganisationId],
    /// The time.
    pub now: DateTime<Utc>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something somebody will miss.
    Warning,
    /// Something cannot work, or is not safe.
    Error,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable code, for programs.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// Something somebody will miss.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, code, message: message.into() }
    }

    /// Something cannot work, or is not safe.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into() }
    }
}

/// A check.
type Check = fn(&Setup<'_>) -> Vec<Finding>;

/// What is looked at. A new check is a file here and a line in this list.
const CHECKS: &[Check] = &[address::check, sender::check, organisations::check, private::check, disk::check];

/// What is wrong with a directory and its settings.
pub fn setup(setup: &Setup<'_>) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check(setup)).collect()
}

#[cfg(test)]
mod testing {
    use std::path::Path;

    use super::{Finding, Setup};
    use crate::config::DataDir;

    /// The codes `check` finds with these settings, in a directory made for it.
    pub fn codes(settings: &str, check: impl Fn(&Setup<'_>) -> Vec<Finding>) -> Vec<&'static str> {
        let home = tempfile::tempdir().expect("a directory");
        codes_in(home.path(), settings, check)
    }

    /// The same in that directory.
    pub fn codes_in(home: &Path, settings: &str, check: impl Fn(&Setup<'_>) -> Vec<Finding>) -> Vec<&'static str> {
        let dir = DataDir::open_or_create(home, None).expect("made");
        dir.write_settings(settings).expect("written");
        let config = dir.config().expect("reads");
        let organisations = ["example-ag".parse().expect("an id")];
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
        let found = check(&Setup { dir: &dir, config: &config, organisations: &organisations, now });
        found.iter().map(|finding| finding.code).collect()
    }
}
