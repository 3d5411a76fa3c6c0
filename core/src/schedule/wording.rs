//! A schedule in plain English, always with the zone it is in: who reads a mail may be in another.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, Timelike, Utc};

use super::{CivilTime, Instants, Schedule};
use crate::zone::Zone;

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
pub fn zone_name(zone: &Zone) -> Option<String> {
    let (region, city) = zone.name().split_once('/')?;
    let city = city.rsplit('/').next()?;
    (region != "Etc").then(|| format!("{} time", city.replace('_', " ")))
}

/// A visit's time on a line of a list: `Wed 2027-02-10 09:00–17:00`, `Wed 2027-02-10 22:00 – Thu 2027-02-11 02:00`. The end
/// has its date wherever it is on another day, and a clock time that comes twice its offset.
pub fn brief(start: DateTime<Utc>, end: Option<DateTime<Utc>>, zone: &Zone) -> String {
    let (from, to) = (Shown::at(start, zone), end.map(|end| Shown::at(end, zone)));
    let with_offset = is_unclear(&from, to.as_ref());
    let first = format!("{} {}", from.at.format("%a %Y-%m-%d"), from.clock(with_offset));
    match to {
        None => first,
        Some(to) if to.at.date() == from.at.date() => format!("{first}–{}", to.clock(with_offset)),
        Some(to) => format!("{first} – {} {}", to.at.format("%a %Y-%m-%d"), to.clock(with_offset)),
    }
}

/// A visit's time below its date, on a pass: `22:00 – 02:00 (+1 day)`, `09:00 – Fri 19 Feb, 17:00`.
pub fn clocks(start: DateTime<Utc>, end: Option<DateTime<Utc>>, zone: &Zone) -> String {
    let (from, to) = (Shown::at(start, zone), end.map(|end| Shown::at(end, zone)));
    let with_offset = is_unclear(&from, to.as_ref());
    let first = from.clock(with_offset);
    let Some(to) = to else { return first };
    let last = to.clock(with_offset);
    match (to.at.date() - from.at.date()).num_days() {
        0 => format!("{first} – {last}"),
        1 => format!("{first} – {last} (+1 day)"),
        _ if to.at.year() == from.at.year() => format!("{first} – {}, {last}", to.at.format("%a %-d %b")),
        _ => format!("{first} – {}, {last}", to.at.format("%a %-d %b %Y")),
    }
}

/// In which days and hours an invitation without a date is good: `27 Nov – 27 Dec 2026`, `07:00–19:00`. `hours` are minutes
/// after midnight, from and up to, on the clocks of the site; none for the whole day. Only days are named on which there
/// is something left of the hours.
pub fn validity(from: DateTime<Utc>, until: DateTime<Utc>, hours: Option<(u16, u16)>, zone: &Zone) -> Wording {
    let (first, end) = (Shown::at(from, zone), Shown::at(until, zone));
    let (opens, closes) = hours.unwrap_or((0, 24 * 60));
    let minute = |at: NaiveDateTime| at.hour() * 60 + at.minute();
    let begin = if minute(first.at) < closes.into() { Some(first.at.date()) } else { first.at.date().succ_opt() };
    let last = if minute(end.at) > opens.into() { Some(end.at.date()) } else { end.at.date().pred_opt() };
    let (begin, last) = (begin.unwrap_or_default(), last.unwrap_or_default());
    let day = |date: NaiveDate| date.format("%-d %b %Y").to_string();
    let date = match () {
        () if begin >= last => day(last),
        () if begin.year() == last.year() => format!("{} – {}", begin.format("%-d %b"), day(last)),
        () => format!("{} – {}", day(begin), day(last)),
    };
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let time = hours.map_or_else(|| "any time".to_owned(), |_| format!("{}–{}", clock(opens), clock(closes)));
    Wording { date, time, zone: zone_text(zone, &first, &end) }
}

pub(super) fn describe(schedule: &Schedule, instants: &Instants, zone: &Zone) -> Wording {
    let start = schedule.start();
    let (from, to) = (Shown::at(instants.start, zone), instants.end.map(|end| Shown::at(end, zone)));
    // Clocks that change during the visit, or twice show the same time, need the offset at each end to be understood.
    let changing = to.as_ref().is_some_and(|to| to.offset != from.offset) || is_unclear(&from, to.as_ref());
    let mut time = from.clock(changing);
    if let Some((end, to)) = schedule.end().zip(to.as_ref()) {
        let until = to.clock(changing);
        time = match (end.date() - start.date()).num_days() {
            0 => format!("{time}–{until}"),
            1 => format!("{time}–{until} (+1 day)"),
            _ => format!("{time} – {}, {until}", date(end.date())),
        };
    }
    let zone = match (zone_name(zone), changing) {
        (Some(name), true) => name,
        _ => zone_text(zone, &from, &from),
    };
    Wording { date: date(start.date()), time, zone }
}

fn date(date: NaiveDate) -> String {
    date.format("%A %-d %B %Y").to_string()
}

/// What the clocks show at an instant.
struct Shown {
    at: NaiveDateTime,
    offset: String,
    /// They show it twice.
    repeated: bool,
}

impl Shown {
    fn at(instant: DateTime<Utc>, zone: &Zone) -> Self {
        let repeated = CivilTime::at(instant, zone).is_some_and(|civil| civil.is_repeated(zone));
        Self { at: instant.with_timezone(zone).naive_local(), offset: offset(instant, zone), repeated }
    }

    fn clock(&self, with_offset: bool) -> String {
        let clock = self.at.format("%H:%M");
        if with_offset { format!("{clock} ({})", self.offset) } else { clock.to_string() }
    }
}

/// Whether the clock times alone can be misread: one comes twice, or they change between two on one day.
fn is_unclear(from: &Shown, to: Option<&Shown>) -> bool {
    let changes_between = |to: &Shown| to.at.date() == from.at.date() && to.offset != from.offset;
    from.repeated || to.is_some_and(|to| to.repeated || changes_between(to))
}

/// `Zurich time (UTC+1)`, and without the offset where it changes in between.
fn zone_text(zone: &Zone, from: &Shown, to: &Shown) -> String {
    match (zone_name(zone), from.offset == to.offset) {
        (Some(name), true) => format!("{name} ({})", from.offset),
        (Some(name), false) => name,
        (None, true) => from.offset.clone(),
        (None, false) => zone.name().to_owned(),
    }
}

/// `UTC`, `UTC+1`, `UTC-3:30`.
fn offset(at: DateTime<Utc>, zone: &Zone) -> String {
    let seconds = at.with_timezone(zone).offset().fix().local_minus_utc();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}
