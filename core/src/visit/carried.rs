//! Values that a visit carries beside what the form asks for: the visitor's language, its place in a series, the row it
//! was imported from. Each has one spelling, which the hub and every phone check alike.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

use crate::id::{IdError, ImportId};

/// A language, as a BCP 47 tag that is well formed (RFC 5646, section 2.1; without its grandfathered tags). Kept as
/// written; two spellings of one tag are one language.
///
/// ```
/// use vestibule_core::visit::Language;
///
/// for tag in ["de", "de-CH", "zh-Hant-TW", "es-419", "sl-rozaj-biske", "de-CH-1996", "en-u-hc-h23", "x-house"] {
///     assert!(tag.parse::<Language>().is_ok(), "{tag}");
/// }
/// for wrong in ["", "d", "german language", "de_CH", "de-", "-de", "de-CH-CH", "de-u", "x"] {
///     assert!(wrong.parse::<Language>().is_err(), "{wrong}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Language(String);

impl Language {
    /// The tag as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = IdError;

    fn from_str(tag: &str) -> Result<Self, IdError> {
        let is_tag = tag.len() <= 35 && is_language_tag(tag);
        if is_tag { Ok(Self(tag.to_owned())) } else { Err(IdError::new("language", "a tag such as de or en-US")) }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5646: language, up to three extended languages, script, region, variants, extensions, private use.
fn is_language_tag(tag: &str) -> bool {
    let parts: Vec<&str> = tag.split('-').collect();
    let is_part = |part: &&str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if !parts.iter().all(is_part) {
        return false;
    }
    let letters = |part: &str| part.bytes().all(|b| b.is_ascii_alphabetic());
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mut rest = parts.as_slice();
    let is_private = |part: &str| part.eq_ignore_ascii_case("x");
    if !is_private(rest[0]) {
        if !(2..=8).contains(&rest[0].len()) || !letters(rest[0]) {
            return false;
        }
        let may_extend = rest[0].len() <= 3;
        rest = &rest[1..];
        let mut skip = |most: usize, fits: &dyn Fn(&str) -> bool| {
            let count = rest.iter().take(most).take_while(|part| fits(part)).count();
            let (taken, left) = rest.split_at(count);
            rest = left;
            taken
        };
        skip(if may_extend { 3 } else { 0 }, &|part| part.len() == 3 && letters(part));
        skip(1, &|part| part.len() == 4 && letters(part));
        skip(1, &|part| (part.len() == 2 && letters(part)) || (part.len() == 3 && digits(part)));
        let is_variant = |part: &str| part.len() >= 5 || (part.len() == 4 && part.as_bytes()[0].is_ascii_digit());
        let variants = skip(usize::MAX, &is_variant);
        let twice = |(n, part): (usize, &&str)| variants[..n].iter().any(|other| other.eq_ignore_ascii_case(part));
        if variants.iter().enumerate().any(twice) {
            return false;
        }
        let mut singletons: Vec<u8> = Vec::new();
        while let Some(first) = rest.first().filter(|part| part.len() == 1 && !is_private(part)) {
            let singleton = first.as_bytes()[0].to_ascii_lowercase();
            let length = rest[1..].iter().take_while(|part| part.len() >= 2).count();
            if length == 0 || singletons.contains(&singleton) {
                return false;
            }
            singletons.push(singleton);
            rest = &rest[1 + length..];
        }
    }
    match rest.split_first() {
        None => true,
        Some((first, private)) => is_private(first) && !private.is_empty(),
    }
}

/// A day of a series: a civil date, `2027-02-10`.
///
/// ```
/// use vestibule_core::visit::Occurrence;
///
/// assert_eq!("2028-02-29".parse::<Occurrence>()?.to_string(), "2028-02-29");
/// for wrong in ["2027-02-29", "2027-2-9", "20270210", " 2027-02-10", "+12027-02-10"] {
///     assert!(wrong.parse::<Occurrence>().is_err(), "{wrong}");
/// }
/// # Ok::<(), vestibule_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occurrence(NaiveDate);

impl Occurrence {
    /// The date.
    pub fn date(self) -> NaiveDate {
        self.0
    }
}

impl FromStr for Occurrence {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self);
        // The parser takes more spellings than there are to be.
        date.filter(|date| text.len() == "2027-02-10".len() && date.to_string() == text)
            .ok_or(IdError::new("day of a series", "a date such as 2027-02-10"))
    }
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

/// The row of an import a visit was made from: `JOB/ROW`, the rows counted from 1.
///
/// ```
/// use vestibule_core::visit::ImportRow;
///
/// let text = "01a3185c-5000-7707-8707-070707070707/17";
/// let row: ImportRow = text.parse()?;
/// assert_eq!((row.row, row.to_string().as_str()), (17, text));
/// for wrong in ["01a3185c-5000-7707-8707-070707070707", "17", "01a3185c-5000-7707-8707-070707070707/0",
///     "01a3185c-5000-7707-8707-070707070707/017", "01A3185C-5000-7707-8707-070707070707/17"] {
///     assert!(wrong.parse::<ImportRow>().is_err(), "{wrong}");
/// }
/// # Ok::<(), vestibule_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImportRow {
    /// The import.
    pub job: ImportId,
    /// The row, from 1 to 9,999,999.
    pub row: u32,
}

impl FromStr for ImportRow {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("row of an import", "the import's id, a slash, and the row's number");
        let (job, row) = text.split_once('/').ok_or_else(wrong)?;
        let read = Self { job: job.parse()?, row: row.parse().map_err(|_| wrong())? };
        let fits = (1..10_000_000).contains(&read.row) && read.to_string() == text;
        if fits { Ok(read) } else { Err(wrong()) }
    }
}

impl fmt::Display for ImportRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.job, self.row)
    }
}
