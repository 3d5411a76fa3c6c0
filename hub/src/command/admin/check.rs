//! `vestibule admin check`: what is wrong with a hub's set-up ([`crate::check`]), for people and programs.

use std::path::Path;

use chrono::Utc;
use serde_json::json;

use super::super::phone::runtime;
use super::super::{Failure, print};
use crate::check::{self, Finding, Setup, Severity};
use crate::config::DataDir;
use crate::store::{HubStore, organisations};

/// Checks everything and prints what was found.
pub fn run(path: &Path, as_json: bool) -> Result<(), Failure> {
    let dir = DataDir::open(path).map_err(Failure::bad_input)?;
    let config = dir.config().map_err(Failure::bad_input)?;
    let mut found = Vec::new();
    let mut all = Vec::new();
    match HubStore::open(&dir.database()) {
        Ok(mut store) => {
            match store.read(organisations::list) {
                Ok(listed) => all = listed,
                Err(error) => found.push(Finding::error("database", format!("The database cannot be read: {error}."))),
            }
            found.extend(check::database::check(&mut store));
        }
        Err(error) => found.push(Finding::error("database", format!("The database cannot be opened: {error}."))),
    }
    let setup = Setup { dir: &dir, config: &config, organisations: &all, now: Utc::now() };
    found.extend(check::setup(&setup));
    // Somebody may have installed it before: then theirs serves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    found.extend(runtime()?.block_on(check::reach::check(&setup)));
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));

    let errors = found.iter().filter(|finding| finding.severity == Severity::Error).count();
    if as_json {
        print(&format!("{:#}\n", json!({ "ok": errors == 0, "findings": found })));
    } else {
        print(&said(&found));
    }
    // Everything was said.
    if errors == 0 { Ok(()) } else { Err(Failure::failed("")) }
}

fn said(found: &[Finding]) -> String {
    if found.is_empty() {
        return "Nothing is wrong.\n".to_owned();
    }
    let line = |Finding { severity, code, message }: &Finding| {
        let word = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("{word} ({code}): {message}\n")
    };
    found.iter().map(line).collect()
}
