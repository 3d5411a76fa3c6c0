//! Lists of members and visits: a table for people, JSON for programs.

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::Transaction;
use serde_json::{Value, json};
use vestibule_core::id::{OrganisationId, SiteId};
use vestibule_core::zone::Zone;

use super::super::table::table;
use super::super::{Failure, print};
use super::Desk;
use crate::store::apart::reading;
use crate::store::members::{MemberRecord, role_name};
use crate::store::{StoreError, members, organisations, visits};
use crate::visit::AcceptedVisit;

impl Desk {
    pub(super) fn members(&mut self, as_json: bool) -> Result<(), Failure> {
        let organisation = &self.context.organisation;
        let all = self.store.read(|tx| members::list(tx, organisation))?;
        if as_json {
            print_json(&all.iter().map(member_json).collect());
            return Ok(());
        }
        let rows: Vec<_> = all
            .iter()
            .map(|record| {
                let member = &record.member;
                let state = if record.active { "" } else { "may not sign in" };
                [
                    member.id.to_string(),
                    member.name.clone(),
                    member.email.clone(),
                    member.site.as_ref().map_or_else(String::new, SiteId::to_string),
                    roles(record).join(", "),
                    state.to_owned(),
                ]
            })
            .collect();
        print(&table(["ID", "NAME", "EMAIL", "SITE", "ROLES", ""], &rows));
        Ok(())
    }

    pub(super) fn visits(&mut self, as_json: bool) -> Result<(), Failure> {
        let organisation = &self.context.organisation;
        let all = self.store.read(|tx| read_visits(tx, organisation))?;
        if as_json {
            print_json(&all.iter().map(Listed::json).collect());
            return Ok(());
        }
        let rows: Vec<_> = all
            .iter()
            .map(|listed| {
                let visit = &listed.visit;
                let schedule = visit.values.schedule.as_ref();
                [
                    visit.number.to_string(),
                    visit.status().to_string(),
                    visit.name(),
                    visit.site.to_string(),
                    schedule.map_or_else(String::new, ToString::to_string),
                    visit.host.to_string(),
                    visit.values.visitor_type.as_ref().map_or_else(String::new, ToString::to_string),
                    visit.id.to_string(),
                ]
            })
            .collect();
        print(&table(["NO", "STATUS", "VISITOR", "SITE", "WHEN (SITE'S TIME)", "HOST", "TYPE", "ID"], &rows));
        Ok(())
    }
}

pub(super) fn print_json(list: &Vec<Value>) {
    print(&format!("{}\n", serde_json::to_string_pretty(list).expect("JSON values are always JSON")));
}

/// The roles of a member with what each is for: `delegate(ada)`, `approver(zrh)`.
fn roles(record: &MemberRecord) -> Vec<String> {
    let scoped = |grant: &members::RoleGrant| {
        let scopes = [
            grant.principal.as_ref().map(ToString::to_string),
            grant.site.as_ref().map(ToString::to_string),
            grant.visitor_type.as_ref().map(ToString::to_string),
        ];
        let scopes: Vec<String> = scopes.into_iter().flatten().collect();
        let name = role_name(grant.role);
        if scopes.is_empty() { name.to_owned() } else { format!("{name}({})", scopes.join(" ")) }
    };
    record.roles.iter().map(scoped).collect()
}

fn member_json(record: &MemberRecord) -> Value {
    let member = &record.member;
    json!({
        "id": member.id,
        "number": member.number,
        "name": member.name,
        "email": member.email,
        "site": member.site,
        "active": record.active,
        "roles": roles(record),
    })
}

/// A visit with the zone its times are shown in.
struct Listed {
    visit: AcceptedVisit,
    zone: Zone,
}

fn read_visits(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<Listed>, StoreError> {
    let sites = organisations::sites(tx, organisation)?;
    let mut listed = Vec::new();
    for id in visits::ids(tx, organisation)? {
        // One that cannot be read hides no other; `attention` lists it.
        let Ok(Some(loaded)) = reading(|| visits::load(tx, organisation, id))? else { continue };
        let zone =
            sites.iter().find(|site| site.id == loaded.visit.site).map_or_else(Zone::utc, |site| site.zone.clone());
        listed.push(Listed { visit: loaded.visit, zone });
    }
    Ok(listed)
}

impl Listed {
    fn json(&self) -> Value {
        let visit = &self.visit;
        let values = &visit.values;
        // A zone whose rules changed can make a time that does not exist any more: then there is no instant to show.
        let instants = visit.instants(&self.zone).ok().flatten();
        let local = |time: DateTime<Utc>| time.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
        json!({
            "id": visit.id,
            "number": visit.number,
            "status": visit.status().as_str(),
            "first_name": values.first_name,
            "last_name": values.last_name,
            "company": values.company,
            "email": values.email,
            "site": visit.site,
            "zone": self.zone.name(),
            "space": values.space,
            "visitor_type": values.visitor_type,
            "host": visit.host,
            "start": instants.as_ref().map(|instants| local(instants.start)),
            "end": instants.as_ref().and_then(|instants| instants.end).map(local),
        })
    }
}
