//! Cutting the rules of a zone to what travels in a site's row.
//!
//! Tables hold a zone's history since the nineteenth century, and some list every change up to 2037 that the footer's
//! yearly rule says as well. What is left here are the changes of fifteen years before and after, as far as the rule does
//! not say them: none for Zurich and New York (133 bytes), all of them for Gaza, whose summer follows the moon.

use chrono::{NaiveDate, NaiveTime};
use tz::timezone::Transition;
use tz::{LocalTimeType, TimeZone};
use vestibule_core::zone::{Zone, ZoneError};

/// How many years before and after this one are kept.
const YEARS: i32 = 15;

/// A change of the clocks: when, and what they show from then on.
type Change = (i64, LocalTimeType);

/// The zone of a TZif file with the changes of the years around `year`.
///
/// # Errors
/// The bytes are no TZif file, or one that counts leap seconds.
pub fn cut(name: &str, tables: &str, file: &[u8], year: i32) -> Result<Zone, ZoneError> {
    let whole = TimeZone::from_tz_data(file).map_err(|_| ZoneError::Rules)?;
    if !whole.as_ref().leap_seconds().is_empty() {
        return Err(ZoneError::Rules);
    }
    let (from, to) = (new_year(year - YEARS)?, new_year(year + YEARS + 1)?);
    let types = whole.as_ref().local_time_types();
    let change = |change: &Transition| (change.unix_leap_time(), types[change.local_time_type_index()]);
    let all: Vec<Change> = whole.as_ref().transitions().iter().map(change).collect();
    let (past, coming) = all.split_at(all.partition_point(|&(at, _)| at <= from));
    let before = past.last().map_or(types[0], |&(_, shown)| shown);
    let Some(rule) = whole.as_ref().extra_rule() else {
        // Past the last change nothing is known, and the last one has to stand there to say so.
        let kept = if coming.is_empty() { &all[past.len().saturating_sub(1)..] } else { coming };
        return Zone::new(name, tables, &write(&before, kept, "")?);
    };
    let yearly = TimeZone::new(vec![], vec![before], vec![], Some(*rule)).map_err(|_| ZoneError::Rules)?;
    let by_rule = |at: i64| yearly.find_local_time_type(at).ok().copied();
    let mut kept = coming.to_vec();
    while let Some(&last) = kept.last() {
        let held = kept.len().checked_sub(2).map_or((from, before), |previous| kept[previous]);
        if !is_said(held, last, by_rule) {
            break;
        }
        kept.pop();
    }
    // After the last change of a file its rule goes on, so one has to be the last that the rule agrees with.
    if let Some(end) = kept.iter().position(|&(at, shown)| at >= to && by_rule(at) == Some(shown)) {
        kept.truncate(end + 1);
    }
    Zone::new(name, tables, &write(&before, &kept, footer(file))?)
}

/// Whether the yearly rule says the same from the change `held` up to the change `next`, that one included.
fn is_said(held: Change, next: Change, by_rule: impl Fn(i64) -> Option<LocalTimeType>) -> bool {
    // No rule changes the clocks twice within a day, and no tables are silent for centuries.
    let mut between = (held.0..next.0).step_by(86_400).chain([next.0 - 1]);
    next.0.saturating_sub(held.0) < 200 * 366 * 86_400
        && between.all(|at| by_rule(at) == Some(held.1))
        && by_rule(next.0) == Some(next.1)
}

fn new_year(year: i32) -> Result<i64, ZoneError> {
    let day = NaiveDate::from_ymd_opt(year, 1, 1).ok_or(ZoneError::Rules)?;
    Ok(day.and_time(NaiveTime::MIN).and_utc().timestamp())
}

/// The POSIX TZ string between the last two line feeds (RFC 9636, 3.3).
fn footer(file: &[u8]) -> &str {
    let text = file.strip_suffix(b"\n").and_then(|file| file.rsplit(|&byte| byte == b'\n').next());
    text.and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
}

/// A TZif file of version 3 with an empty block of version 1 (RFC 9636, 3).
pub(super) fn write(before: &LocalTimeType, changes: &[Change], footer: &str) -> Result<Vec<u8>, ZoneError> {
    let (mut types, mut names) = (Vec::<LocalTimeType>::new(), Vec::<u8>::new());
    let mut indices = Vec::new();
    for shown in std::iter::once(before).chain(changes.iter().map(|(_, shown)| shown)) {
        let index = types.iter().position(|held| held == shown).unwrap_or_else(|| {
            types.push(*shown);
            types.len() - 1
        });
        indices.push(u8::try_from(index).map_err(|_| ZoneError::Rules)?);
    }
    let mut records = Vec::new();
    for shown in &types {
        let name = [shown.time_zone_designation().as_bytes(), &[0]].concat();
        let place = names.windows(name.len()).position(|window| window == name).unwrap_or_else(|| {
            names.extend_from_slice(&name);
            names.len() - name.len()
        });
        records.extend(shown.ut_offset().to_be_bytes());
        records.extend([u8::from(shown.is_dst()), u8::try_from(place).map_err(|_| ZoneError::Rules)?]);
    }
    let header = |changes: usize, types: usize, chars: usize| {
        let count = |count: usize| u32::try_from(count).map(u32::to_be_bytes).map_err(|_| ZoneError::Rules);
        let counts = [[0; 4], [0; 4], [0; 4], count(changes)?, count(types)?, count(chars)?];
        Ok([b"TZif3".as_slice(), &[0; 15], &counts.concat()].concat())
    };
    let mut file = header(0, 1, 1)?;
    file.extend([0; 7]);
    file.extend(header(changes.len(), types.len(), names.len())?);
    file.extend(changes.iter().flat_map(|(at, _)| at.to_be_bytes()));
    file.extend(&indices[1..]);
    file.extend(records);
    file.extend(names);
    file.extend(format!("\n{footer}\n").into_bytes());
    Ok(file)
}
