//! What follows when the rules of a site's clocks change: civil times stay, instants move.
//!
//! [`adopt`] puts the newer rules into the site's row and publishes it, and phones compute what they show anew.
//! [`retime`] does the same here, for the visits whose visitor is still expected: when the window ends, what the
//! credential opens, and, where the instant is another than the guest was told, one mail with the new entry, passes and
//! PIN. How far it has come stands in the database, so that a hub that is killed goes on where it stopped; a guest who
//! was told has the new instant in the delivery, and is not told again.

use rusqlite::Transaction;
use vestibule_core::decision::{Approval, CredentialState, Fact};
use vestibule_core::directory::{DirectoryRow, Site};
use vestibule_core::feed::Scope;
use vestibule_core::id::{OrganisationId, SiteId, VisitId};
use vestibule_core::visit::Status;
use vestibule_core::zone::Zone;

use super::{Sources, compare};
use crate::context::Context;
use crate::credential::{self, Window};
use crate::effect::Effect;
use crate::feed;
use crate::lifecycle::Outcome;
use crate::moment::Moment;
use crate::record::{Event, RecordError, invitation, keep, record};
use crate::store::apart::reading;
use crate::store::organisations::{self, Counted};
use crate::store::{StoreError, credentials, deliveries, visits};
use crate::visit::AcceptedVisit;

/// At most this many visits in one transaction, so that no phone waits for all of them.
const BATCH: u32 = 200;

/// What the newest tables would change at a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// The site as it is.
    pub site: Site,
    /// Its zone by the newest tables; none where they do not have it, or are older than what the site has.
    pub newer: Option<Zone>,
    /// How many expected visits begin or end at another instant by them.
    pub visits: usize,
}

/// What the newest tables would change at each site of an organisation.
pub fn moves(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    sources: &Sources,
    year: i32,
) -> Result<Vec<Moves>, StoreError> {
    let mut all = Vec::new();
    for site in organisations::sites(tx, organisation)? {
        let newer = newer(&site, sources, year);
        let mut moving = 0;
        if let Some(zone) = newer.as_ref().filter(|zone| zone.rules() != site.zone.rules()) {
            for (_, id) in visits::expected_at(tx, organisation, &site.id, 0, u32::MAX)? {
                let Some(loaded) = visits::load(tx, organisation, id)? else { continue };
                moving += usize::from(loaded.visit.instants(zone) != loaded.visit.instants(&site.zone));
            }
        }
        all.push(Moves { site, newer, visits: moving });
    }
    Ok(all)
}

/// The site's zone by newer tables, or by those it has where the years they are cut to have moved on.
fn newer(site: &Site, sources: &Sources, year: i32) -> Option<Zone> {
    let zone = sources.zone(site.zone.name(), year)?;
    (zone != site.zone && compare(zone.tables(), site.zone.tables()).is_ge()).then_some(zone)
}

/// Takes the newest tables for every site of the organisation: the sites whose rules are others now.
pub fn adopt(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    sources: &Sources,
    year: i32,
) -> Result<Vec<SiteId>, StoreError> {
    let organisation = &context.organisation;
    let mut changed = Vec::new();
    for mut site in organisations::sites(tx, organisation)? {
        let Some(zone) = newer(&site, sources, year) else { continue };
        let is_other = zone.rules() != site.zone.rules();
        site.zone = zone;
        let version = organisations::next_number(tx, Counted::Row)?;
        organisations::set_zone(tx, organisation, &site, version, is_other)?;
        if is_other {
            changed.push(site.id.clone());
        }
        feed::publish_row(tx, moment, organisation, &Scope::Directory, &DirectoryRow::put(version, site))?;
    }
    Ok(changed)
}

/// Whether [`adopt`] would do anything.
pub fn is_behind(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    sources: &Sources,
    year: i32,
) -> Result<bool, StoreError> {
    let sites = organisations::sites(tx, organisation)?;
    Ok(sites.iter().any(|site| newer(site, sources, year).is_some()))
}

/// Computes some of the visits anew whose site has other rules now; how many were looked at. There may be more unless it
/// was 0.
pub fn retime(tx: &Transaction<'_>, context: &Context, moment: &mut Moment<'_>) -> Result<usize, RecordError> {
    let organisation = &context.organisation;
    let Some((site, after)) = organisations::retiming(tx, organisation)? else { return Ok(0) };
    let batch = visits::expected_at(tx, organisation, &site, after, BATCH)?;
    for &(_, id) in &batch {
        retime_visit(tx, context, moment, id)?;
    }
    organisations::set_retimed(tx, organisation, &site, batch.last().map(|&(number, _)| number))?;
    Ok(batch.len())
}

fn retime_visit(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    id: VisitId,
) -> Result<(), RecordError> {
    let organisation = &context.organisation;
    // One that cannot be read keeps no other from being computed anew; `admin attention` lists it.
    let Ok(Some(mut loaded)) = reading(|| visits::load(tx, organisation, id))? else { return Ok(()) };
    let visit = &mut loaded.visit;
    if !matches!(visit.status(), Status::Pending | Status::Upcoming) {
        return Ok(());
    }
    let outcome = outcome(tx, context, visit)?;
    if outcome != Outcome::default() {
        return record(tx, context, moment, visit, Event { outcome, ..Event::default() });
    }
    let invitation = reading(|| invitation(tx, visit))?;
    Ok(keep(tx, visit, invitation.as_ref().ok())?)
}

/// What follows for a visit whose visitor is expected.
fn outcome(tx: &Transaction<'_>, context: &Context, visit: &AcceptedVisit) -> Result<Outcome, StoreError> {
    let organisation = &context.organisation;
    let mut outcome = Outcome::default();
    let (Some(credential), invitation) = (credential::latest(tx, organisation, visit.id)?, invitation(tx, visit)?)
    else {
        return Ok(outcome);
    };
    if !matches!(visit.standing.credential, CredentialState::Live | CredentialState::Suspended) {
        return Ok(outcome);
    }
    let Some(schedule) = &visit.values.schedule else {
        // It lasts as many days as before, up to the hour the site closes. Nobody was told an instant.
        let (site, of) = (&invitation.site, &invitation.organisation);
        if let Some(expires) = Window::end(None, site, of, credential.window.not_before) {
            credentials::set_expires(tx, organisation, visit.id, expires)?;
        }
        return Ok(outcome);
    };
    let Ok(times) = schedule.resolve(&invitation.site.zone) else {
        // What the clocks skip now the visitor cannot come at: the host has to choose another time.
        outcome.facts.push(Fact::Alert(SKIPPED.to_owned()));
        outcome.effects = vec![Effect::Void, Effect::TellHostAlert { code: SKIPPED }];
        return Ok(outcome);
    };
    let told = deliveries::live(tx, organisation, visit.id)?.and_then(|delivery| delivery.told);
    if told.is_none_or(|told| told.times == times) {
        return Ok(outcome);
    }
    outcome.effects.push(match visit.standing.approval {
        // The guest hears of it with the approval, and gets a credential for the new window then.
        Approval::Pending => Effect::Void,
        _ => Effect::Update,
    });
    Ok(outcome)
}

/// The alert of a visit at a time that the site's clocks skip by their new rules.
const SKIPPED: &str = "time_skipped";
