//! The forms of what is typed: a phone number, the date and times of a visit.

use chrono::NaiveDate;

use crate::problem::{Field, FieldProblem};
use crate::schedule::{CivilTime, Schedule, parse_clock, parse_date};

use super::validate::given;
use super::{VisitDraft, code};

/// Whether a text is a phone number as people write one: perhaps `+`, then 4 to 15 digits (ITU-T E.164) with spaces,
/// dots, hyphens, slashes and round brackets between them, then perhaps `x`, `ext` or `#` and up to 6 digits.
///
/// No national plan is applied: what a host was given by the visitor is not ours to correct.
pub fn is_phone_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let (number, extension) = match lower.find(['x', 'e', '#']) {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), ""),
    };
    let number = number.strip_prefix('+').unwrap_or(number);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let written = number.chars().all(|c| c.is_ascii_digit() || " .-/()\u{a0}\u{202f}".contains(c));
    (4..=15).contains(&digits) && written && (extension.is_empty() || is_extension(extension))
}

fn is_extension(text: &str) -> bool {
    let marks = ["ext.", "ext", "x", "#"];
    let digits = marks.iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or("").trim();
    (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The date and time fields of a draft.
pub(super) struct Times<'a> {
    date: Option<&'a str>,
    start: Option<&'a str>,
    end: Option<&'a str>,
    start_second: bool,
    end_second: bool,
}

/// A time of day, and the date if it carries its own.
struct Moment {
    date: Option<NaiveDate>,
    clock: (u32, u32),
}

impl<'a> Times<'a> {
    pub(super) fn of(draft: &'a VisitDraft) -> Self {
        Self {
            date: given(draft.date.as_deref()),
            start: given(draft.start.as_deref()),
            end: given(draft.end.as_deref()),
            start_second: draft.start_second,
            end_second: draft.end_second,
        }
    }

    /// The schedule; none where the fields are empty or have a problem, which is added to `problems`.
    pub(super) fn read(&self, problems: &mut Vec<FieldProblem>) -> Option<Schedule> {
        let before = problems.len();
        let mut add = |field, code, message: &str| problems.push(FieldProblem::new(field, code, message));
        let date = self.date.and_then(|text| {
            let date = parse_date(text);
            if date.is_none() {
                add(Field::Date, code::MALFORMED, "Enter a date like 2027-02-10.");
            }
            date
        });
        let mut moment = |field, text: Option<&str>| {
            let moment = text.and_then(Moment::read);
            if text.is_some() && moment.is_none() {
                add(field, code::MALFORMED, "Enter a time like 09:30 or 2027-02-10 09:30.");
            }
            moment
        };
        let start = moment(Field::Start, self.start);
        let end = moment(Field::End, self.end);
        if self.start.is_none() && (self.date.is_some() || self.end.is_some()) {
            add(Field::Start, code::REQUIRED, "Enter a start time, or leave date, start and end all empty.");
        }
        let own_date = start.as_ref().and_then(|start| start.date);
        if start.is_some() && own_date.is_none() && self.date.is_none() {
            add(Field::Date, code::REQUIRED, "Enter the day of the visit.");
        }
        if own_date.is_some() && date.is_some() && own_date != date {
            add(Field::Start, code::DATE_MISMATCH, "The start is on another day than the date; change one of them.");
        }
        if problems.len() > before {
            return None;
        }
        let start = start?;
        let day = start.date.or(date)?;
        let civil = |day, (hour, minute), second| CivilTime::new(day, hour, minute, second);
        let from = civil(day, start.clock, self.start_second)?;
        Some(match end {
            Some(end) => {
                Schedule::Window { start: from, end: civil(end.date.unwrap_or(day), end.clock, self.end_second)? }
            }
            None => Schedule::Arrival(from),
        })
    }
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        match text.split_once(['T', ' ']) {
            Some((date, clock)) => Some(Self { date: Some(parse_date(date)?), clock: parse_clock(clock)? }),
            None => Some(Self { date: None, clock: parse_clock(text)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers() {
        for good in ["+41 44 123 45 67", "044/123.45.67", "(212) 555-0100 x123", "+1-212-555-0100 ext. 9", "1234"] {
            assert!(is_phone_number(good), "{good}");
        }
        for bad in
            ["", "+", "123", "ask Ada", "++41 44 123", "1234567890123456", "044 123 x", "0441234 ext abc", "٠٤٤١٢٣"]
        {
            assert!(!is_phone_number(bad), "{bad}");
        }
    }
}
