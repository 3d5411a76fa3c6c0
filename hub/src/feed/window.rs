//! Scopes of a site as days pass: filling one that somebody newly holds, and moving the window of reception.
//!
//! Both are the same work: visits that belong in a scope and are not in it enter, those that are in it and do not belong
//! leave, a bounded number in each transaction, what is expected next first.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use rusqlite::Transaction;
use vestibule_core::decision::Presence;
use vestibule_core::directory::{Organisation, Site};
use vestibule_core::feed::Scope;
use vestibule_core::id::{OrganisationId, SiteId};

use super::audience::{News, publish};
use crate::context::Context;
use crate::moment::Moment;
use crate::store::feed::Members;
use crate::store::visits::Days;
use crate::store::{StoreError, feed, organisations, visits};
use crate::visit::AcceptedVisit;

/// Reception holds visits from so many days ago.
const BEHIND: i64 = 7;
/// Reception holds visits up to so many days ahead.
const AHEAD: i64 = 30;
/// Every day there is.
const EVER: Days = Days { first: i64::MIN, last: i64::MAX };

/// The site a scope is of, if it is one of a site's.
pub(super) fn site_of(scope: &Scope) -> Option<&SiteId> {
    match scope {
        Scope::Site(site)
        | Scope::Approvals(site)
        | Scope::TypeApprovals(site, _)
        | Scope::SiteNotes(site)
        | Scope::TypeNotes(site, _) => Some(site),
        Scope::Directory | Scope::Roles(_) | Scope::Visits(_) | Scope::MemberNotes(_) | Scope::Later(_) => None,
    }
}

/// The days a visit is good for: those of its schedule, or from its acceptance on those the organisation allows. Who is on
/// site is there until they leave.
pub fn days(visit: &AcceptedVisit, site: &Site, organisation: &Organisation) -> Days {
    let (first, last) = if let Some(schedule) = &visit.values.schedule {
        let start = number(schedule.start().date());
        (start, schedule.end().map_or(start, |end| number(end.date())))
    } else {
        let first = today(site, visit.accepted());
        (first, first + i64::from(organisation.unscheduled_days))
    };
    let last = if visit.standing.presence == Presence::OnSite { i64::MAX } else { last };
    Days { first, last }
}

/// The days reception holds visits of.
fn window(today: i64) -> Days {
    Days { first: today - BEHIND, last: today + AHEAD }
}

/// Whether reception of its site holds a visit of these days now.
pub(super) fn is_within(days: Days, site: &Site, now: DateTime<Utc>) -> bool {
    let window = window(today(site, now));
    days.last >= window.first && days.first <= window.last
}

/// The day at a site, counted from 1970-01-01.
fn today(site: &Site, now: DateTime<Utc>) -> i64 {
    number(now.with_timezone(&site.zone).date_naive())
}

fn number(date: NaiveDate) -> i64 {
    const OF_1970: i64 = 719_163;
    i64::from(date.num_days_from_ce()) - OF_1970
}

/// Whether [`keep_in_step`] has something to do: a scope is being filled, or a new day has begun at a site.
pub fn is_out_of_step(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    for (scope, day) in feed::moving(tx, organisation)? {
        let site = site_of(&scope).map(|site| organisations::site(tx, organisation, site)).transpose()?.flatten();
        if site.is_some_and(|site| day != Some(today(&site, now))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lets visits enter and leave the scopes of sites as time has passed and scopes were opened; how many it looked at. There
/// may be more if it was `limit`.
pub fn keep_in_step(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    limit: u32,
) -> Result<u32, StoreError> {
    let organisation = &context.organisation;
    let mut left = limit;
    for (scope, day) in feed::moving(tx, organisation)? {
        let Some(site) = site_of(&scope) else { continue };
        let Some(site) = organisations::site(tx, organisation, site)? else { continue };
        let today = today(&site, moment.now);
        if day == Some(today) {
            continue;
        }
        let moves = matches!(scope, Scope::Site(_));
        let days = if moves { window(today) } else { EVER };
        let members = Members { days, ..members(&scope, &site.id) };
        let mut visits = feed::missing(tx, organisation, &scope, &members, today, left)?;
        if let Some(day) = day {
            // Those that had left the window by the day it was last moved are not in the scope any more.
            let (since, room) = (window(day.min(today)).first, left - u32::try_from(visits.len()).unwrap_or(left));
            visits.extend(feed::outside(tx, organisation, (&scope, &site.id), days, since, room)?);
        }
        for id in &visits {
            if let Some(loaded) = visits::load(tx, organisation, *id)? {
                publish(tx, moment, &loaded.visit, &News::NOTHING)?;
            }
        }
        left -= u32::try_from(visits.len()).unwrap_or(left);
        if left == 0 {
            return Ok(limit);
        }
        feed::set_day(tx, organisation, &scope, moves.then_some(today))?;
    }
    Ok(limit - left)
}

/// Which visits belong in a scope of a site, whenever they are.
fn members<'a>(scope: &'a Scope, site: &'a SiteId) -> Members<'a> {
    let visitor_type = match scope {
        Scope::TypeApprovals(_, kind) | Scope::TypeNotes(_, kind) => Some(kind),
        _ => None,
    };
    let decided = matches!(scope, Scope::Approvals(_) | Scope::TypeApprovals(..) | Scope::TypeNotes(..));
    Members { site, visitor_type, decided, noted: scope.is_of_notes(), days: EVER }
}
