//! Times: civil ones as a host means them, instants as machines do.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use vestibule_core::schedule::{CivilParts, CivilTime as CoreTime};

/// A date and time on the clock of a site, to the minute. As an argument it may be no time at all: that is a problem of
/// its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct CivilTime {
    /// The year, 1000 to 9999.
    pub year: i32,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// Whether the second is meant where the clock shows the time twice, as clocks are put back.
    pub second_occurrence: bool,
}

impl From<CivilTime> for CivilParts {
    fn from(CivilTime { year, month, day, hour, minute, second_occurrence }: CivilTime) -> Self {
        Self { year, month, day, hour, minute, second_occurrence }
    }
}

impl From<CoreTime> for CivilTime {
    fn from(time: CoreTime) -> Self {
        let CivilParts { year, month, day, hour, minute, second_occurrence } = time.into();
        Self { year, month, day, hour, minute, second_occurrence }
    }
}

pub(crate) fn instant(time: Option<DateTime<Utc>>) -> Option<SystemTime> {
    time.map(SystemTime::from)
}

/// Unix seconds as they stand in the hub's log; none beyond what a clock shows.
pub(crate) fn unix(seconds: i64) -> Option<SystemTime> {
    instant(DateTime::from_timestamp(seconds, 0))
}
