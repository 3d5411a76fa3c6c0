//! A VTIMEZONE (RFC 5545, 3.6.5) for the years around a visit, from the very changes of the zone's rules.
//!
//! Where the changes follow one yearly rule in all of those years, as in Zurich or New York, each side is one STANDARD or
//! DAYLIGHT with an RRULE, and where there are none there is one STANDARD: the forms every calendar program reads. For
//! other years, as in Casablanca, whose clocks follow the moon, or wherever a rule has just been changed, there is none.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, TimeZone, Utc, Weekday};

use super::content_line::Writer;
use crate::zone::{Clock, Zone};

/// A change of the clocks, and what they show from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Onset {
    /// The local time by the offset before it, as DTSTART of an observance is (3.6.5).
    local: NaiveDateTime,
    /// Seconds east of UTC before and after.
    from: i32,
    to: i32,
    name: String,
}

/// One side of the year, and the rule it comes by; none where it lasts all year.
pub(super) struct Observance {
    onset: Onset,
    rule: Option<String>,
}

/// The observances of `zone` for a visit from `start` to `end`; none where its clocks follow no yearly rule around it, or
/// the rules do not reach as far.
pub(super) fn observances(zone: &Zone, start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Vec<Observance>> {
    // From the turn of the year before to that after the next: three whole years and both of their neighbours' winters.
    let year = |at: DateTime<Utc>, add| Utc.with_ymd_and_hms(at.year() + add, 1, 1, 0, 0, 0).single().unwrap_or(at);
    let (first, last) = (year(start, -1), year(end, 2));
    if !zone.is_known(last.timestamp()) {
        return None;
    }
    let onsets = onsets(zone, first, last);
    if !onsets.is_empty() {
        let sides = yearly(&onsets)?;
        return Some(
            sides.into_iter().map(|(onset, rule)| Observance { onset: onset.clone(), rule: Some(rule) }).collect(),
        );
    }
    let Clock { offset, name } = zone.clock(first.timestamp());
    let local = first.naive_utc() + TimeDelta::seconds(i64::from(offset));
    Some(vec![Observance { onset: Onset { local, from: offset, to: offset, name: name.to_owned() }, rule: None }])
}

/// Writes the VTIMEZONE of `zone` with these observances.
pub(super) fn write(out: &mut Writer, zone: &Zone, observances: &[Observance]) {
    out.line("BEGIN", "VTIMEZONE");
    out.text("TZID", zone.name());
    for Observance { onset, rule } in observances {
        // Dublin's tables call winter the saving, and summer the standard: for readers, summer is the daylight side.
        let kind = if onset.to > onset.from { "DAYLIGHT" } else { "STANDARD" };
        out.line("BEGIN", kind);
        out.line("DTSTART", &onset.local.format("%Y%m%dT%H%M%S").to_string());
        out.line("TZOFFSETFROM", &offset(onset.from));
        out.line("TZOFFSETTO", &offset(onset.to));
        if let Some(rule) = rule {
            out.line("RRULE", rule);
        }
        out.text("TZNAME", if onset.name.is_empty() { zone.name() } else { &onset.name });
        out.line("END", kind);
    }
    out.line("END", "VTIMEZONE");
}

/// `+0100`, `-0330`; with seconds only where there are some (3.3.14).
fn offset(seconds: i32) -> String {
    let (sign, abs) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, seconds) = (abs / 3600, abs / 60 % 60, abs % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{seconds:02}")
    }
}

/// The changes in `first..last`: looked for day by day, then halved down to the second. No zone has changed its clocks
/// twice within a day.
fn onsets(zone: &Zone, first: DateTime<Utc>, last: DateTime<Utc>) -> Vec<Onset> {
    const DAY: i64 = 86_400;
    let (last, mut found) = (last.timestamp(), Vec::new());
    let (mut at, mut held) = (first.timestamp(), zone.clock(first.timestamp()));
    while at < last {
        let after = zone.clock(at + DAY);
        if after != held {
            let (mut low, mut high) = (at, at + DAY);
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if zone.clock(middle) == held { low = middle } else { high = middle }
            }
            let local = DateTime::from_timestamp(high + i64::from(held.offset), 0).unwrap_or_default().naive_utc();
            found.push(Onset { local, from: held.offset, to: after.offset, name: after.name.to_owned() });
        }
        (at, held) = (at + DAY, after);
    }
    found
}

/// The two sides of the year with their rules, if the transitions alternate between two observances and each comes once
/// in every year, on the same weekday of its month, at the same time.
fn yearly(onsets: &[Onset]) -> Option<[(&Onset, String); 2]> {
    let [a, b, ..] = onsets else { return None };
    let side = |first: &Onset| {
        let all: Vec<&Onset> = onsets.iter().filter(|o| o.local.month() == first.local.month()).collect();
        let same = |o: &&Onset| {
            (o.from, o.to, &o.name, o.local.time()) == (first.from, first.to, &first.name, first.local.time())
        };
        let every_year = all.windows(2).all(|two| two[1].local.year() == two[0].local.year() + 1);
        (all.iter().all(same) && every_year).then(|| rule(&all)).flatten().map(|rule| (all.len(), rule))
    };
    let ((count_a, rule_a), (count_b, rule_b)) = (side(a)?, side(b)?);
    let complete =
        count_a >= 3 && count_a == count_b && count_a + count_b == onsets.len() && a.local.year() == b.local.year();
    complete.then_some([(a, rule_a), (b, rule_b)])
}

/// The yearly rule that gives exactly these dates: the last such weekday of the month, or its first to fourth.
fn rule(onsets: &[&Onset]) -> Option<String> {
    let first = onsets.first()?.local;
    let weekday = first.weekday();
    if onsets.iter().any(|o| o.local.weekday() != weekday) {
        return None;
    }
    let code = match weekday {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    };
    let is_last = |at: NaiveDateTime| (at + TimeDelta::days(7)).month() != at.month();
    let month = first.month();
    if onsets.iter().all(|o| is_last(o.local)) {
        return Some(format!("FREQ=YEARLY;BYMONTH={month};BYDAY=-1{code}"));
    }
    let nth = (first.day() - 1) / 7 + 1;
    let same_week = onsets.iter().all(|o| (o.local.day() - 1) / 7 + 1 == nth);
    same_week.then(|| format!("FREQ=YEARLY;BYMONTH={month};BYDAY={nth}{code}"))
}
