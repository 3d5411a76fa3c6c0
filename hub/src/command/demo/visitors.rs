//! The file of visitors the demo invites: read whole and checked for its form before anything is made.

use std::fs;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Weekday};
use vestibule_core::visit::VisitDraft;

/// The sample that comes with the program.
const SAMPLE: &str = include_str!("../../../../samples/visitors.csv");
/// The largest file taken, in bytes.
const MAX_BYTES: u64 = 16 << 20;
/// The most rows taken.
const MAX_ROWS: usize = 10_000;
/// How the file writes times.
const TIME: &str = "%Y-%m-%d %H:%M";

const REQUIRED: [&str; 10] = [
    "Space_Id",
    "Node_Id",
    "Visitor_First_Name",
    "Visitor_Last_Name",
    "Visitor_Email",
    "Visitor_Company",
    "Visit_Host_Name",
    "Visit_Host_Email",
    "Visit_Start_Date",
    "Visit_End_Date",
];

/// Why a file is not taken at all; completes "failed to read the visitors: …".
#[derive(Debug, thiserror::Error)]
pub enum VisitorsError {
    /// The file is not there or cannot be read.
    #[error("{0}")]
    Unreadable(std::io::Error),
    /// Too many bytes or rows.
    #[error("the file has more than {MAX_ROWS} rows or 16 MB")]
    TooLarge,
    /// Not text.
    #[error("the file is not UTF-8 text; save it as CSV (UTF-8)")]
    NotText,
    /// Not a table of equally long rows.
    #[error("line {line} is not a row of this table: {reason}")]
    NotRows {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The header lacks a column.
    #[error("the first line must name the columns, and {0} is missing; see samples/visitors.csv")]
    NoColumn(&'static str),
    /// The header names a column twice.
    #[error("the column {0} is there twice")]
    Twice(&'static str),
    /// Only a header.
    #[error("the file has no visitors")]
    Empty,
}

/// A row: its number, counted from 1, and the form it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorRow {
    /// Counts data rows from 1.
    pub number: usize,
    /// The form; its host is the row's address, or its name where there is no address.
    pub draft: VisitDraft,
}

/// Reads a given file as it is.
pub fn read(path: &Path) -> Result<Vec<VisitorRow>, VisitorsError> {
    let size = fs::metadata(path).map_err(VisitorsError::Unreadable)?.len();
    if size > MAX_BYTES {
        return Err(VisitorsError::TooLarge);
    }
    let bytes = fs::read(path).map_err(VisitorsError::Unreadable)?;
    parse(&String::from_utf8(bytes).map_err(|_| VisitorsError::NotText)?)
}

/// The sample, its dates written for that year.
pub fn sample(year: i32) -> Result<Vec<VisitorRow>, VisitorsError> {
    let mut rows = parse(SAMPLE)?;
    for row in &mut rows {
        move_to_year(&mut row.draft, year);
    }
    Ok(rows)
}

fn parse(text: &str) -> Result<Vec<VisitorRow>, VisitorsError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.contains('\0') {
        return Err(VisitorsError::NotText);
    }
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| not_rows(&error))?.clone();
    let column = |name: &'static str| {
        let mut places = header.iter().enumerate().filter(|(_, title)| title.trim() == name).map(|(at, _)| at);
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(VisitorsError::Twice(name)),
            (place, None) => Ok(place),
        }
    };
    let mut required = [0; REQUIRED.len()];
    for (place, name) in required.iter_mut().zip(REQUIRED) {
        *place = column(name)?.ok_or(VisitorsError::NoColumn(name))?;
    }
    let optional = [column("Visitor_Type")?, column("Visitor_Phone")?, column("Message")?, column("Notes")?];

    let mut rows = Vec::new();
    for (record, number) in reader.records().zip(1..) {
        let record = record.map_err(|error| not_rows(&error))?;
        if number > MAX_ROWS {
            return Err(VisitorsError::TooLarge);
        }
        // A cell is taken as typed; only one with nothing but white space counts as empty.
        let cell = |place: usize| record.get(place).filter(|text| !text.trim().is_empty()).map(str::to_owned);
        let [space, site, first_name, last_name, email, company, host_name, host_email, start, end] =
            required.map(cell);
        let [visitor_type, phone, message, note] = optional.map(|place| place.and_then(cell));
        let draft = VisitDraft {
            first_name,
            last_name,
            email,
            company,
            phone,
            site,
            space,
            visitor_type,
            host: host_email.or(host_name),
            start,
            end,
            message,
            note,
            ..VisitDraft::default()
        };
        rows.push(VisitorRow { number, draft });
    }
    if rows.is_empty() { Err(VisitorsError::Empty) } else { Ok(rows) }
}

fn not_rows(error: &csv::Error) -> VisitorsError {
    let line = error.position().map_or(1, csv::Position::line);
    let reason = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {len} cells where the first line has {expected_len}")
        }
        _ => "it cannot be read as CSV".to_owned(),
    };
    VisitorsError::NotRows { line, reason }
}

/// Moves a draft's times to another year, each to the same weekday at the same place in its month counted from the end:
/// the last Sunday of March, when clocks change in Europe, stays the last Sunday of March. The start keeps its distance
/// from the end.
fn move_to_year(draft: &mut VisitDraft, year: i32) {
    let read = |text: &Option<String>| text.as_deref().and_then(|text| NaiveDateTime::parse_from_str(text, TIME).ok());
    let (Some(start), Some(end)) = (read(&draft.start), read(&draft.end)) else { return };
    let Some(day) = same_weekday(end.date(), year) else { return };
    let Some(first) = u64::try_from((end.date() - start.date()).num_days())
        .ok()
        .and_then(|days| day.checked_sub_days(Days::new(days)))
    else {
        return;
    };
    draft.start = Some(first.and_time(start.time()).format(TIME).to_string());
    draft.end = Some(day.and_time(end.time()).format(TIME).to_string());
}

fn same_weekday(day: NaiveDate, year: i32) -> Option<NaiveDate> {
    let weeks_to_end = (last_of_month(day.year(), day.month())?.day() - day.day()) / 7;
    let last = last_of_month(year, day.month())?;
    let last_such = last.checked_sub_days(Days::new(back_to(last.weekday(), day.weekday())))?;
    let moved = last_such.checked_sub_days(Days::new(u64::from(weeks_to_end) * 7))?;
    // A fifth such weekday from the end may not be there: then the fourth.
    if moved.month() == day.month() { Some(moved) } else { moved.checked_add_days(Days::new(7)) }
}

fn back_to(from: Weekday, to: Weekday) -> u64 {
    u64::from((from.num_days_from_monday() + 7 - to.num_days_from_monday()) % 7)
}

fn last_of_month(year: i32, month: u32) -> Option<NaiveDate> {
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)?.pred_opt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_keeps_its_night_over_the_change_of_time() {
        for (year, end) in [(2027, "2027-03-28 06:00"), (2028, "2028-03-26 06:00"), (2031, "2031-03-30 06:00")] {
            let rows = sample(year).expect("the sample is good");
            assert!(rows.len() >= 27, "25 good ones and two with mistakes");
            let night = rows.iter().find(|row| row.draft.end.as_deref() == Some(end));
            assert!(night.is_some(), "{year}");
        }
    }

    #[test]
    fn garbage_is_turned_away_with_a_reason() {
        let head = REQUIRED.join(",");
        assert!(matches!(parse(""), Err(VisitorsError::NoColumn("Space_Id"))));
        assert!(matches!(parse("\u{1f4a9}"), Err(VisitorsError::NoColumn(_))));
        assert!(matches!(parse("a\0b"), Err(VisitorsError::NotText)));
        assert!(matches!(parse(&head), Err(VisitorsError::Empty)));
        assert!(matches!(parse(&format!("{head}\na,b")), Err(VisitorsError::NotRows { line: 2, .. })));
        assert!(matches!(parse(&format!("{head},Space_Id\n")), Err(VisitorsError::Twice("Space_Id"))));
    }

    #[test]
    fn a_cell_is_taken_as_typed() {
        let text =
            format!("\u{feff}{}\nzrh-reception,zrh, Zoë ,,z@visitors.test,,,ada@example.com,,\n", REQUIRED.join(","));
        let rows = parse(&text).expect("one row");
        assert_eq!(rows[0].draft.first_name.as_deref(), Some(" Zoë "));
        assert_eq!(rows[0].draft.host.as_deref(), Some("ada@example.com"));
        assert_eq!(rows[0].draft.start, None);
    }
}
