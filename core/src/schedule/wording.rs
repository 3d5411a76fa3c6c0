//! A schedule in plain English, always with the zone it is in: who reads a mail may be in another.

use std::fmt;

use chrono::{DateTime, NaiveDate, Offset, Utc};
use chrono_tz::Tz;

use super::{Instants, Schedule};

/// The parts of a schedule in words; [`fmt::Display`] joins them with commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// The day the visit begins: `Wednesday 10 February 2027`.
    pub date: String,
    /// `22:00–02:00 (+1 day)`, or `22:00` for an arrival, or `22:00 – Friday 12 February 2027, 18:00`.
    pub time: String,
    /// `Zurich time (UTC+1)`.
    pub zone: String,
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.date, self.time, self.zone)
    }
}

/// What people call the time of a zone: `Zurich time`; a zone named after no city is only its offset, so `None`.
pub fn zone_name(zone: Tz) -> Option<String> {
    let (region, city) = zone.name().split_once('/')?;
    let city = city.rsplit('/').next()?;
    (region != "Etc").then(|| format!("{} time", city.replace('_', " ")))
}

pub(super) fn describe(schedule: &Schedule, instants: &Instants, zone: Tz) -> Wording {
    let start = schedule.start();
    let from = offset(instants.start, zone);
    let to = instants.end.map_or_else(|| from.clone(), |end| offset(end, zone));
    // Clocks that change during the visit, or twice show the same time, need the offset at each end to be understood.
    let changing = from != to || start.is_repeated(zone) || schedule.end().is_some_and(|end| end.is_repeated(zone));
    let clock = |time: chrono::NaiveTime, offset: &str| {
        let clock = time.format("%H:%M");
        if changing { format!("{clock} ({offset})") } else { clock.to_string() }
    };
    let mut time = clock(start.time(), &from);
    if let Some(end) = schedule.end() {
        let until = clock(end.time(), &to);
        time = match (end.date() - start.date()).num_days() {
            0 => format!("{time}–{until}"),
            1 => format!("{time}–{until} (+1 day)"),
            _ => format!("{time} – {}, {until}", date(end.date())),
        };
    }
    let zone = match (zone_name(zone), changing) {
        (Some(name), false) => format!("{name} ({from})"),
        (Some(name), true) => name,
        (None, _) => from,
    };
    Wording { date: date(start.date()), time, zone }
}

fn date(date: NaiveDate) -> String {
    date.format("%A %-d %B %Y").to_string()
}

/// `UTC`, `UTC+1`, `UTC-3:30`.
fn offset(at: DateTime<Utc>, zone: Tz) -> String {
    let seconds = at.with_timezone(&zone).offset().fix().local_minus_utc();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}
