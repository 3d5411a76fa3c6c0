//! One civil time: a date and a clock time to the minute, and which of two where the clock shows it twice.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};

use super::ScheduleError;
use crate::zone::Zone;

/// A date and time on the clock of a site, to the minute, in the years 1000 to 9999.
///
/// Text form: `2027-02-10T22:00`, with a `*` after it where the second of a repeated hour is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CivilTime {
    at: NaiveDateTime,
    second: bool,
}

impl CivilTime {
    /// The time `hour:minute` on `date`; the second of the two where `second` and the clock shows it twice.
    ///
    /// None for a year outside 1000 to 9999 or a time of day that is none.
    pub fn new(date: NaiveDate, hour: u32, minute: u32, second: bool) -> Option<Self> {
        let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
        (1000..=9999).contains(&date.year()).then(|| Self { at: date.and_time(time), second })
    }

    /// What the clock shows at an instant in a zone, to the minute.
    ///
    /// None for an instant outside the years 1000 to 9999.
    pub fn at(instant: DateTime<Utc>, zone: &Zone) -> Option<Self> {
        // Beyond these years the sum of instant and offset may not be representable.
        if !(999..=10_000).contains(&instant.year()) {
            return None;
        }
        let local = instant.with_timezone(zone).naive_local();
        let first = Self::new(local.date(), local.hour(), local.minute(), false)?;
        let later =
            matches!(zone.from_local_datetime(&local), MappedLocalTime::Ambiguous(_, second) if second == instant);
        Some(Self { second: later, ..first })
    }

    /// The date.
    pub fn date(self) -> NaiveDate {
        self.at.date()
    }

    /// The time of day; its seconds are 0.
    pub fn time(self) -> NaiveTime {
        self.at.time()
    }

    /// Whether the second of a repeated hour is meant.
    pub fn is_second(self) -> bool {
        self.second
    }

    /// The instant in a zone; none where the clocks are put forward over this time.
    pub fn instant(self, zone: &Zone) -> Option<DateTime<Utc>> {
        match zone.from_local_datetime(&self.at) {
            MappedLocalTime::Single(at) => Some(at.to_utc()),
            MappedLocalTime::Ambiguous(_, second) if self.second => Some(second.to_utc()),
            MappedLocalTime::Ambiguous(first, _) => Some(first.to_utc()),
            MappedLocalTime::None => None,
        }
    }

    /// Whether the clock of the zone shows this time twice.
    pub fn is_repeated(self, zone: &Zone) -> bool {
        matches!(zone.from_local_datetime(&self.at), MappedLocalTime::Ambiguous(..))
    }

    /// The same time without a `*` that says nothing in this zone.
    #[must_use]
    pub(super) fn canonical(self, zone: &Zone) -> Self {
        Self { second: self.second && self.is_repeated(zone), ..self }
    }
}

impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute) = (self.at.hour(), self.at.minute());
        write!(f, "{}T{hour:02}:{minute:02}{}", self.at.date(), if self.second { "*" } else { "" })
    }
}

impl FromStr for CivilTime {
    type Err = ScheduleError;

    /// Exactly `YYYY-MM-DDTHH:MM`, then perhaps `*`: one text per value, so a value has one hash.
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let (clock, second) = text.strip_suffix('*').map_or((text, false), |clock| (clock, true));
        let (date, time) = clock.split_once('T').ok_or(ScheduleError::Malformed)?;
        let date = parse_date(date).ok_or(ScheduleError::Malformed)?;
        let (hour, minute) = parse_clock(time).ok_or(ScheduleError::Malformed)?;
        Self::new(date, hour, minute, second).ok_or(ScheduleError::Malformed)
    }
}

/// Exactly `YYYY-MM-DD`, a date there is.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&[m1, m2])?, number(&[d1, d2])?)
        .filter(|date| date.year() >= 1000)
}

/// Exactly `HH:MM`, `00:00` to `23:59`: hour and minute.
pub(crate) fn parse_clock(text: &str) -> Option<(u32, u32)> {
    let [h1, h2, b':', m1, m2] = *text.as_bytes() else { return None };
    let (hour, minute) = (number(&[h1, h2])?, number(&[m1, m2])?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, &digit| digit.is_ascii_digit().then(|| n * 10 + u32::from(digit - b'0')))
}
