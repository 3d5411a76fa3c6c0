//! When a credential opens: the visit's schedule with a margin, or the site's policy window.

use chrono::{DateTime, Days, SubsecRound as _, TimeDelta, Utc};
use vestibule_core::directory::{Organisation, Site};
use vestibule_core::schedule::{CivilTime, Schedule, clocks, validity};
use vestibule_core::visit::EARLY;
use vestibule_core::zone::Zone;

use crate::delivery::Invitation;

/// From when to when a credential opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub not_before: DateTime<Utc>,
    /// The first instant after it.
    pub expires: DateTime<Utc>,
    /// Within it, only in these hours of the site's day: minutes after midnight, from and up to (S4.18).
    pub hours: Option<(u16, u16)>,
}

impl Window {
    /// The window of a visit; `None` if it has passed at `now`, or the schedule names a time that the site's clock skips.
    ///
    /// A scheduled visit opens half an hour before its start, up to its end. An arrival time is good for the minutes the
    /// organisation allows. Without either it opens at once, for the days the organisation allows, in the site's hours.
    pub fn of(invitation: &Invitation, now: DateTime<Utc>) -> Option<Self> {
        let (site, schedule) = (&invitation.site, invitation.values.schedule.as_ref());
        let expires = Self::end(schedule, site, &invitation.organisation, now)?;
        let window = match schedule {
            Some(schedule) => {
                let start = schedule.resolve(&site.zone).ok()?.start;
                Self { not_before: start.checked_sub_signed(EARLY)?, expires, hours: None }
            }
            None => Self {
                not_before: now.trunc_subsecs(0),
                expires,
                hours: Some((site.opens, site.closes)).filter(|(opens, closes)| opens < closes),
            },
        };
        (window.expires > now && window.expires > window.not_before).then_some(window)
    }

    /// The window in words, where the schedule alone does not say it: the days and hours of an invitation without a date,
    /// the hours around an arrival time.
    pub fn in_words(&self, schedule: Option<&Schedule>, zone: &Zone) -> Option<String> {
        match schedule {
            Some(Schedule::Window { .. }) => None,
            Some(Schedule::Arrival(_)) => Some(clocks(self.not_before, Some(self.expires), zone)),
            None => Some(validity(self.not_before, self.expires, self.hours, zone).to_string()),
        }
    }

    /// When the window of a visit ends that is opened at `now`, also if that has passed; `None` if the schedule names a
    /// time that the site's clock skips.
    pub fn end(
        schedule: Option<&Schedule>,
        site: &Site,
        organisation: &Organisation,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let Some(schedule) = schedule else {
            return end_of_day(now, organisation.unscheduled_days, site.closes, &site.zone);
        };
        let instants = schedule.resolve(&site.zone).ok()?;
        let late = TimeDelta::minutes(organisation.arrival_minutes.into());
        instants.end.or_else(|| instants.start.checked_add_signed(late))
    }
}

/// When the site closes, that many days from today; where its clock skips that time, the same number of days from now.
fn end_of_day(now: DateTime<Utc>, days: u16, closes: u16, zone: &Zone) -> Option<DateTime<Utc>> {
    let days = Days::new(days.into());
    let last = now.with_timezone(zone).date_naive().checked_add_days(days)?;
    let closes = if closes == 0 { 24 * 60 } else { u32::from(closes) };
    let (date, hour) = if closes >= 24 * 60 { (last.succ_opt()?, 0) } else { (last, closes / 60) };
    let civil = CivilTime::new(date, hour, closes % 60, false)?;
    civil.instant(zone).or_else(|| now.checked_add_days(days))
}
