//! `vestibule admin zones`: which time zone tables are used, and what they change.

use chrono::{Datelike as _, Utc};
use serde_json::{Value, json};

use super::super::table::table;
use super::super::{Failure, print};
use super::Desk;
use crate::zones::{self, Moves, Origin, Sources, Tables};

impl Desk {
    /// Only looks: a hub that runs takes newer tables at its start and once a day.
    pub(super) fn zones(&mut self, sources: &Sources, as_json: bool) -> Result<(), Failure> {
        let organisation = &self.context.organisation;
        let moves = self.store.read(|tx| zones::moves(tx, organisation, sources, Utc::now().year()))?;
        if as_json {
            let list = json!({
                "tables": tables_json(sources.newest()),
                "others": sources.others().iter().map(tables_json).collect::<Vec<_>>(),
                "problem": sources.problem,
                "sites": moves.iter().map(moves_json).collect::<Vec<_>>(),
            });
            print(&format!("{list:#}\n"));
            return Ok(());
        }
        let mut text = format!("Time zone tables: {} ({}).\n", sources.newest().version, sources.newest().origin);
        for other in sources.others() {
            text = format!("{text}Not used: {} ({}).\n", other.version, other.origin);
        }
        if let Some(problem) = &sources.problem {
            text = format!("{text}{problem}\n");
        }
        let rows: Vec<_> = moves
            .iter()
            .map(|moves| {
                let site = &moves.site;
                [site.id.to_string(), site.zone.to_string(), site.zone.tables().to_owned(), change(moves)]
            })
            .collect();
        text.push_str(&table(["SITE", "ZONE", "RULES OF", "WHAT THE TABLES CHANGE"], &rows));
        if moves.iter().any(|moves| moves.newer.is_some()) {
            text.push_str("A hub that runs takes the tables within a day; start it again to have it take them now.\n");
        }
        print(&text);
        Ok(())
    }
}

fn change(moves: &Moves) -> String {
    match (&moves.newer, moves.visits) {
        (None, _) => "nothing".to_owned(),
        (Some(newer), _) if newer.rules() == moves.site.zone.rules() => "nothing but the version".to_owned(),
        (Some(_), 0) => "the rules; no visit moves".to_owned(),
        (Some(_), 1) => "1 visit moves".to_owned(),
        (Some(_), visits) => format!("{visits} visits move"),
    }
}

fn tables_json(tables: &Tables) -> Value {
    let (origin, directory) = match &tables.origin {
        Origin::Settings(path) => ("settings", Some(path)),
        Origin::System(path) => ("system", Some(path)),
        Origin::BuiltIn => ("built_in", None),
    };
    json!({ "version": tables.version, "origin": origin, "directory": directory })
}

fn moves_json(moves: &Moves) -> Value {
    let (site, newer) = (&moves.site, moves.newer.as_ref());
    json!({
        "site": site.id,
        "zone": site.zone.name(),
        "tables": site.zone.tables(),
        "newer": newer.map(vestibule_core::zone::Zone::tables),
        "rules_change": newer.is_some_and(|newer| newer.rules() != site.zone.rules()),
        "visits_moved": moves.visits,
    })
}
