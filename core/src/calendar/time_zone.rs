//! A VTIMEZONE (RFC 5545, 3.6.5) for the years around a visit, from the very transitions of the time zone tables.
//!
//! Where the transitions follow one yearly rule in all of those years, as in Zurich or New York, each side is one
//! STANDARD or DAYLIGHT with an RRULE: the form every calendar program reads. Where they do not, as in Casablanca,
//! whose clocks follow the moon, there is one observance for each transition.

use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc, Weekday};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use super::content_line::Writer;

/// A change of the clocks, and what they show from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Onset {
    /// The local time by the offset before it, as DTSTART of an observance is (3.6.5).
    local: NaiveDateTime,
    /// Seconds east of UTC before and after.
    from: i32,
    to: i32,
    daylight: bool,
    name: String,
}

/// The clocks at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clocks {
    offset: i32,
    saving: TimeDelta,
    name: String,
}

/// Writes the VTIMEZONE of `zone` for a visit from `start` to `end`; none for UTC, which needs none.
pub(super) fn write(out: &mut Writer, zone: Tz, start: DateTime<Utc>, end: DateTime<Utc>) {
    if zone == Tz::UTC {
        return;
    }
    // From the turn of the year before to that after the next: three whole years and both of their neighbours' winters.
    let year = |at: DateTime<Utc>, add| Utc.with_ymd_and_hms(at.year() + add, 1, 1, 0, 0, 0).single().unwrap_or(at);
    let (first, last) = (year(start, -1), year(end, 2));
    let onsets = onsets(zone, first, last);
    out.line("BEGIN", "VTIMEZONE");
    out.text("TZID", zone.name());
    if let Some(rules) = yearly(&onsets) {
        for (onset, rule) in rules {
            write_observance(out, onset, Some(&rule));
        }
    } else {
        // What holds until the first transition began before all of them.
        let before = clocks(zone, first);
        let local = first.naive_utc() + TimeDelta::seconds(i64::from(before.offset));
        let daylight = before.saving > TimeDelta::zero();
        let opening = Onset { local, from: before.offset, to: before.offset, daylight, name: before.name };
        for onset in std::iter::once(&opening).chain(&onsets) {
            write_observance(out, onset, None);
        }
    }
    out.line("END", "VTIMEZONE");
}

fn write_observance(out: &mut Writer, onset: &Onset, rule: Option<&str>) {
    let kind = if onset.daylight { "DAYLIGHT" } else { "STANDARD" };
    out.line("BEGIN", kind);
    out.line("DTSTART", &onset.local.format("%Y%m%dT%H%M%S").to_string());
    out.line("TZOFFSETFROM", &offset(onset.from));
    out.line("TZOFFSETTO", &offset(onset.to));
    if let Some(rule) = rule {
        out.line("RRULE", rule);
    }
    out.text("TZNAME", &onset.name);
    out.line("END", kind);
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

fn clocks(zone: Tz, at: DateTime<Utc>) -> Clocks {
    let offset = zone.offset_from_utc_datetime(&at.naive_utc());
    let name = match offset.abbreviation() {
        Some(name) => name.to_owned(),
        None => zone.name().to_owned(),
    };
    Clocks { offset: offset.fix().local_minus_utc(), saving: offset.dst_offset(), name }
}

/// The transitions in `first..last`: looked for day by day, then halved down to the second. No zone has changed its
/// clocks twice within a day.
fn onsets(zone: Tz, first: DateTime<Utc>, last: DateTime<Utc>) -> Vec<Onset> {
    let mut found = Vec::new();
    let (mut at, mut held) = (first, clocks(zone, first));
    while at < last {
        let next = at + TimeDelta::days(1);
        let after = clocks(zone, next);
        if after != held {
            let (mut low, mut high) = (at, next);
            while high - low > TimeDelta::seconds(1) {
                let middle = low + TimeDelta::seconds((high - low).num_seconds() / 2);
                if clocks(zone, middle) == held { low = middle } else { high = middle }
            }
            found.push(Onset {
                local: high.naive_utc() + TimeDelta::seconds(i64::from(held.offset)),
                from: held.offset,
                to: after.offset,
                // Dublin's tables count winter as negative saving: there, too, summer is the daylight side.
                daylight: after.saving > TimeDelta::zero()
                    || (after.saving == TimeDelta::zero() && held.saving < TimeDelta::zero()),
                name: after.name.clone(),
            });
        }
        (at, held) = (next, after);
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
            (o.from, o.to, o.daylight, &o.name, o.local.time())
                == (first.from, first.to, first.daylight, &first.name, first.local.time())
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
