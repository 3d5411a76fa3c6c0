//! A civil time as a form's pickers give it: numbers that may be no time at all.

use std::fmt;

use chrono::{Datelike, Timelike};

use super::CivilTime;

/// Year, month, day, hour and minute on the clock of a site, as given and not yet checked.
///
/// Its text is what a draft's `start` and `end` take, so that a wrong one is a problem of its field and nothing else.
///
/// ```
/// use vestibule_core::schedule::CivilParts;
///
/// let parts = CivilParts { year: 2027, month: 2, day: 10, hour: 9, minute: 30, second_occurrence: false };
/// assert_eq!(parts.to_string(), "2027-02-10 09:30");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilParts {
    /// 1000 to 9999 in a time there is.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Whether the second is meant where the clock shows the time twice.
    pub second_occurrence: bool,
}

impl From<CivilTime> for CivilParts {
    fn from(time: CivilTime) -> Self {
        let (date, clock) = (time.date(), time.time());
        let small = |number: u32| u8::try_from(number).expect("months, days, hours and minutes are below 60");
        Self {
            year: date.year(),
            month: small(date.month()),
            day: small(date.day()),
            hour: small(clock.hour()),
            minute: small(clock.minute()),
            second_occurrence: time.is_second(),
        }
    }
}

impl fmt::Display for CivilParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}
