//! The keys of the visit document's root map. Keys are only ever added; a key never changes its type; an absent key is
//! the default (nothing, or false).

use std::fmt;

use super::carried::{ImportRow, Language, Occurrence};
use crate::id::SeriesId;
use crate::reader::{What, knows};

/// What happens when two edits of one key meet and the later one is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// Free text: the intent is replayed on top, and the later one stands.
    Silent,
    /// The first accepted stands, the second becomes a conflict its author chooses about.
    Conflict,
    /// The key is written once and never again.
    Once,
}

/// A key of the visit document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the key its name says; see `docs/protocol.md`")]
pub enum Key {
    Id,
    FirstName,
    LastName,
    Company,
    Email,
    Phone,
    PacsId,
    Site,
    Space,
    Type,
    Host,
    /// `2027-02-10T22:00/2027-02-11T02:00`, or one arrival time: civil time of the site; a `*` after a time means
    /// the second of a repeated hour.
    Schedule,
    Message,
    Reason,
    Cancelled,
    Deleted,
    /// The visit this one was made from by "invite again".
    Previous,
    Booking,
    /// Where the visit was made: `phone`, `upload`, `api`, `kiosk`.
    Source,
    /// The visitor's language, as a BCP 47 tag.
    Language,
    /// The series of repeated visits it is one of.
    Series,
    /// Its day in the series: a civil date, which stays when the visit is moved.
    Occurrence,
    /// The visit is a tour.
    Tour,
    /// The row of an import job it was made from.
    Import,
}

impl Key {
    /// Every key, in the order of the enumeration.
    pub const ALL: [Self; 24] = [
        Self::Id,
        Self::FirstName,
        Self::LastName,
        Self::Company,
        Self::Email,
        Self::Phone,
        Self::PacsId,
        Self::Site,
        Self::Space,
        Self::Type,
        Self::Host,
        Self::Schedule,
        Self::Message,
        Self::Reason,
        Self::Cancelled,
        Self::Deleted,
        Self::Previous,
        Self::Booking,
        Self::Source,
        Self::Language,
        Self::Series,
        Self::Occurrence,
        Self::Tour,
        Self::Import,
    ];

    /// The key in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Company => "company",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::PacsId => "pacs_id",
            Self::Site => "site",
            Self::Space => "space",
            Self::Type => "type",
            Self::Host => "host",
            Self::Schedule => "schedule",
            Self::Message => "message",
            Self::Reason => "reason",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
            Self::Previous => "previous",
            Self::Booking => "booking",
            Self::Source => "source",
            Self::Language => "language",
            Self::Series => "series",
            Self::Occurrence => "occurrence",
            Self::Tour => "tour",
            Self::Import => "import",
        }
    }

    /// The key of that name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name && knows(What::Key(name)))
    }

    /// The longest value, in characters (Unicode scalar values).
    pub fn max_chars(self) -> usize {
        match self {
            Self::FirstName | Self::LastName | Self::Company => 200,
            Self::Email => 254,
            Self::Phone => 40,
            Self::PacsId | Self::Booking => 64,
            Self::Message | Self::Reason => 2_000,
            Self::Id | Self::Site | Self::Space | Self::Type | Self::Host | Self::Previous | Self::Series => 36,
            Self::Schedule | Self::Language => 35,
            Self::Source => 16,
            Self::Occurrence => 10,
            Self::Import => 44,
            Self::Cancelled | Self::Deleted | Self::Tour => 0,
        }
    }

    /// Whether the value is the boolean `true` (set once) instead of a string.
    pub fn is_flag(self) -> bool {
        matches!(self, Self::Cancelled | Self::Deleted | Self::Tour)
    }

    /// Whether it calls the visit off.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Cancelled | Self::Deleted)
    }

    /// Whether it stands in the first change or nowhere: what the visit is and where it comes from.
    pub fn is_of_first_change(self) -> bool {
        matches!(
            self,
            Self::Id | Self::Previous | Self::Booking | Self::Source | Self::Series | Self::Occurrence | Self::Import
        )
    }

    /// Whether a text has the form of the key's values. Held against what is written here; the hub holds it against what
    /// it is sent, and a reader of what is accepted shows the rest without it.
    pub(crate) fn takes(self, text: &str) -> bool {
        match self {
            Self::Language => text.parse::<Language>().is_ok(),
            Self::Series => text.parse::<SeriesId>().is_ok_and(|series| series.to_string() == text),
            Self::Occurrence => text.parse::<Occurrence>().is_ok(),
            Self::Import => text.parse::<ImportRow>().is_ok(),
            _ => true,
        }
    }

    /// Whether a line feed is allowed in the value.
    pub fn is_multiline(self) -> bool {
        matches!(self, Self::Message)
    }

    /// Whether an edit makes an approval stale (time, site, space, type, the visitor's identity).
    pub fn is_material(self) -> bool {
        matches!(
            self,
            Self::Email | Self::Site | Self::Space | Self::Type | Self::Schedule | Self::FirstName | Self::LastName
        )
    }

    /// Whether the visitor sees the value, so that an edit brings a new access mail (S4.29).
    pub fn is_shown(self) -> bool {
        self.is_material() || matches!(self, Self::Host | Self::Message | Self::Company)
    }

    /// What happens to a stale edit of this key.
    pub fn merge(self) -> Merge {
        match self {
            Self::FirstName
            | Self::LastName
            | Self::Company
            | Self::Phone
            | Self::PacsId
            | Self::Message
            | Self::Reason
            | Self::Language => Merge::Silent,
            Self::Email | Self::Site | Self::Space | Self::Type | Self::Host | Self::Schedule => Merge::Conflict,
            Self::Id
            | Self::Cancelled
            | Self::Deleted
            | Self::Previous
            | Self::Booking
            | Self::Source
            | Self::Series
            | Self::Occurrence
            | Self::Tour
            | Self::Import => Merge::Once,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_name() {
        for key in Key::ALL {
            assert_eq!(Key::from_name(key.as_str()), Some(key));
        }
        assert_eq!(Key::from_name("notes"), None, "notes are not in the document");
    }
}
