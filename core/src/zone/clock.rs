//! The zone as chrono's readers and writers of times take it.

use std::fmt;

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use super::Zone;

/// How far the clocks of a zone are from UTC at some time.
#[derive(Clone, PartialEq, Eq)]
pub struct ZoneOffset {
    fixed: FixedOffset,
    zone: Zone,
}

impl ZoneOffset {
    fn new(zone: &Zone, seconds: i32) -> Self {
        let fixed = FixedOffset::east_opt(seconds).expect("a zone's offsets are checked to be less than a day");
        Self { fixed, zone: zone.clone() }
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fixed.fmt(f)
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone.clone()
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    /// Of every offset the rules know, those that hold at the instant they make of the local time: exact however close
    /// together changes are.
    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let local = local.and_utc().timestamp();
        let holds = |&&offset: &&i32| self.clock(local - i64::from(offset)).offset == offset;
        // The larger the offset, the earlier the instant.
        let mut found = self.offsets().iter().rev().filter(holds).map(|&offset| ZoneOffset::new(self, offset));
        match (found.next(), found.next_back()) {
            (None, _) => MappedLocalTime::None,
            (Some(one), None) => MappedLocalTime::Single(one),
            (Some(first), Some(last)) => MappedLocalTime::Ambiguous(first, last),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        ZoneOffset::new(self, self.clock(utc.and_utc().timestamp()).offset)
    }
}
