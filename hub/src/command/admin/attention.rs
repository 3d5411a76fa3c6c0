//! What could not be done: a list, and another try.

use chrono::{SecondsFormat, Utc};
use clap::Subcommand;
use rusqlite::Transaction;
use serde_json::json;
use vestibule_core::id::{OrganisationId, VisitId};

use super::super::table::table;
use super::super::{Failure, print};
use super::lists::print_json;
use super::{Desk, visit_of};
use crate::moment::Moment;
use crate::store::apart::reading;
use crate::store::{StoreError, effects, visits};
use crate::undone;

#[derive(Debug, Subcommand)]
pub(super) enum Attention {
    /// Try again what could not be done, of one visit or of all
    Retry {
        /// The visit's number or id; without it, every visit that is listed
        visit: Option<String>,
    },
}

/// Something that needs somebody.
struct Trouble {
    visit: VisitId,
    number: Option<u64>,
    what: String,
    code: String,
    attempts: u32,
    since: Option<String>,
}

fn troubles(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<Trouble>, StoreError> {
    let mut troubles = Vec::new();
    for row in effects::list(tx, organisation)? {
        troubles.push(Trouble {
            visit: row.visit,
            number: visits::number(tx, organisation, row.visit)?,
            what: row.effect,
            code: row.code,
            attempts: row.attempts,
            since: Some(row.since.to_rfc3339_opts(SecondsFormat::Secs, true)),
        });
    }
    for id in visits::ids(tx, organisation)? {
        if let Err(code) = reading(|| visits::load(tx, organisation, id))? {
            let number = visits::number(tx, organisation, id)?;
            let (what, code) = ("read".to_owned(), code.to_owned());
            troubles.push(Trouble { visit: id, number, what, code, attempts: 0, since: None });
        }
    }
    Ok(troubles)
}

impl Desk {
    pub(super) fn attention(&mut self, as_json: bool) -> Result<(), Failure> {
        let organisation = &self.context.organisation;
        let all = self.store.read(|tx| troubles(tx, organisation))?;
        if as_json {
            let json = |it: &Trouble| {
                json!({
                    "visit": it.visit,
                    "number": it.number,
                    "effect": it.what,
                    "code": it.code,
                    "attempts": it.attempts,
                    "since": it.since,
                })
            };
            print_json(&all.iter().map(json).collect());
            return Ok(());
        }
        if all.is_empty() {
            print("Nothing needs attention.\n");
            return Ok(());
        }
        let rows: Vec<_> = all
            .iter()
            .map(|it| {
                [
                    it.number.map_or_else(String::new, |number| number.to_string()),
                    it.what.replace('_', " "),
                    it.code.replace('_', " "),
                    it.attempts.to_string(),
                    it.since.clone().unwrap_or_default(),
                    it.visit.to_string(),
                ]
            })
            .collect();
        print(&table(["NO", "COULD NOT", "BECAUSE", "TRIED", "SINCE", "ID"], &rows));
        print("Try again with: vestibule admin --dir DIR attention retry [VISIT]\n");
        Ok(())
    }

    pub(super) fn retry(&mut self, visit: Option<&str>) -> Result<(), Failure> {
        let (context, rng) = (&self.context, &mut self.rng);
        let listed = if let Some(text) = visit {
            vec![self.store.read(|tx| visit_of(tx, context, text))?]
        } else {
            let rows = self.store.read(|tx| effects::list(tx, &context.organisation))?;
            let mut listed: Vec<VisitId> = rows.iter().map(|row| row.visit).collect();
            listed.sort();
            listed.dedup();
            listed
        };
        let mut left = 0;
        for id in listed {
            // Each for itself: what fails with one keeps nothing of another.
            let undone = self
                .store
                .write(|tx| undone::retry(tx, context, &mut Moment::new(Utc::now(), rng), id))
                .map_err(|error| Failure::failed(format!("Visit {id} could not be tried again: {error}.")))?;
            left += undone.len();
        }
        if left > 0 {
            let message = format!("{left} could still not be done; `vestibule admin attention` says which and why.");
            return Err(Failure::failed(message));
        }
        print("Nothing is left undone.\n");
        Ok(())
    }
}
