//! What devices and members have sent in the last hours, kept by the hour and for a day.

use rusqlite::{Transaction, params};
use vestibule_core::id::OrganisationId;

use super::StoreError;
use super::column::{Count, count};
use super::organisations::Counted;

/// Seconds of an hour.
const HOUR: i64 = 3_600;
/// How many hours are kept.
const DAY: i64 = 24;

/// An amount of what may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Visits made.
    pub visits: u64,
    /// Changes and requests that were accepted, the visits' first ones among them.
    pub changes: u64,
    /// Bytes that were pushed, accepted or not.
    pub bytes: u64,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            visits: self.visits.saturating_add(other.visits),
            changes: self.changes.saturating_add(other.changes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Whether one of its parts has come to what is allowed.
    fn reaches(self, allowed: Self) -> bool {
        self.visits >= allowed.visits || self.changes >= allowed.changes || self.bytes >= allowed.bytes
    }
}

/// How much may be sent in an hour of the clock, and in 24 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// In an hour.
    pub hour: Amount,
    /// In a day.
    pub day: Amount,
}

impl Allowance {
    /// The same with no limit of visits made.
    #[must_use]
    pub fn but_for_visits(self) -> Self {
        let unlimited = |amount: Amount| Amount { visits: u64::MAX, ..amount };
        Self { hour: unlimited(self.hour), day: unlimited(self.day) }
    }
}

/// Whose usage it is.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// The organisation.
    pub organisation: &'a OrganisationId,
    /// `device` or `member`.
    pub kind: &'static str,
    /// The device's thumbprint or the member's id.
    pub id: &'a str,
}

/// In how many seconds there is room again; nothing if there is now. What is sent at once may go beyond, by no more than
/// one push.
pub fn until_room(tx: &Transaction<'_>, who: Who<'_>, allowed: Allowance, now: i64) -> Result<Option<u64>, StoreError> {
    let hour = now.div_euclid(HOUR);
    let hours = tx
        .prepare_cached(
            "SELECT hour, visits, changes, bytes FROM usage
             WHERE organisation = ?1 AND kind = ?2 AND id = ?3 AND hour > ?4 ORDER BY hour",
        )?
        .query_and_then(params![who.organisation.as_str(), who.kind, who.id, hour - DAY], |row| {
            let amount = Amount { visits: count(row, 1)?, changes: count(row, 2)?, bytes: count(row, 3)? };
            Ok((row.get::<_, i64>(0)?, amount))
        })?
        .collect::<Result<Vec<(i64, Amount)>, StoreError>>()?;
    let sum = |from: i64| {
        hours.iter().filter(|(at, _)| *at >= from).fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount))
    };
    let room_at = |at: i64| !sum(at).reaches(allowed.hour) && !sum(at - DAY + 1).reaches(allowed.day);
    // With every hour that begins another is forgotten; after a day all are.
    let later = (0..=DAY).find(|later| room_at(hour + later)).unwrap_or(DAY);
    Ok((later > 0).then(|| u64::try_from((hour + later) * HOUR - now).unwrap_or(1)))
}

/// Notes what was sent, and forgets what is older than a day.
pub fn add(tx: &Transaction<'_>, who: Who<'_>, amount: Amount, now: i64) -> Result<(), StoreError> {
    let hour = now.div_euclid(HOUR);
    let place = params![
        who.organisation.as_str(),
        who.kind,
        who.id,
        hour,
        Count(amount.visits),
        Count(amount.changes),
        Count(amount.bytes)
    ];
    let updated = tx
        .prepare_cached(
            "UPDATE usage SET visits = visits + ?5, changes = changes + ?6, bytes = bytes + ?7
             WHERE organisation = ?1 AND kind = ?2 AND id = ?3 AND hour = ?4",
        )?
        .execute(place)?;
    if updated > 0 {
        return Ok(());
    }
    // Once an hour.
    tx.prepare_cached("DELETE FROM usage WHERE organisation = ?1 AND kind = ?2 AND id = ?3 AND hour <= ?4")?
        .execute(params![who.organisation.as_str(), who.kind, who.id, hour - DAY])?;
    tx.prepare_cached(
        "INSERT INTO usage (organisation, kind, id, hour, visits, changes, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(place)?;
    Ok(())
}

/// How many visits and items the hub has ever accepted: what a push has added is the difference before and after it.
pub fn accepted(tx: &Transaction<'_>) -> Result<Amount, StoreError> {
    let last = |counted: Counted| super::organisations::last_number(tx, counted);
    Ok(Amount { visits: last(Counted::Visit)?, changes: last(Counted::Item)?, bytes: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::HubStore;

    const ALLOWED: Allowance = Allowance {
        hour: Amount { visits: 10, changes: 100, bytes: 1_000 },
        day: Amount { visits: 15, changes: 1_000, bytes: 10_000 },
    };

    /// An hour's share comes back with the next hour, a day's with the hour in which it was used a day ago; it is in the
    /// database, and so no restart gives it back.
    #[test]
    fn a_share_that_is_used_up_says_when_there_is_room_again() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("hub.db");
        let organisation = "example-ag".parse().expect("an id");
        let who = Who { organisation: &organisation, kind: "device", id: "ab" };
        let other = Who { kind: "member", ..who };
        let begin = 500_000 * HOUR;
        let sent = |visits| Amount { visits, changes: visits, bytes: visits };
        let used = |visits, at| {
            let mut store = HubStore::open(&path).expect("opens");
            store.write(|tx| add(tx, who, sent(visits), at)).expect("notes");
        };
        let room =
            |at| HubStore::open(&path).expect("opens").read(|tx| until_room(tx, who, ALLOWED, at)).expect("reads");
        assert_eq!(room(begin), None);
        used(9, begin);
        assert_eq!(room(begin + 600), None);
        used(1, begin + 600);
        assert_eq!(room(begin + 600), Some(3_000));
        assert_eq!(room(begin + HOUR), None);
        used(5, begin + HOUR);
        // 15 in a day: the ten of the first hour are forgotten 24 hours after it began.
        assert_eq!(room(begin + 2 * HOUR), Some(22 * 3_600));
        assert_eq!(room(begin + 24 * HOUR), None);
        let mut store = HubStore::open(&path).expect("opens");
        assert_eq!(store.read(|tx| until_room(tx, other, ALLOWED, begin)).expect("reads"), None);
        used(1, begin + 30 * HOUR);
        let rows: i64 = store
            .read(|tx| Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM usage", [], |row| row.get(0))?))
            .expect("reads");
        assert_eq!(rows, 1, "what is older than a day is gone");
    }

    #[test]
    fn changes_and_bytes_are_counted_as_well() {
        let home = tempfile::tempdir().expect("a directory");
        let mut store = HubStore::open(&home.path().join("hub.db")).expect("opens");
        let organisation = "example-ag".parse().expect("an id");
        for (id, amount) in [
            ("changes", Amount { changes: 100, ..Amount::default() }),
            ("bytes", Amount { bytes: 1_000, ..Amount::default() }),
        ] {
            let who = Who { organisation: &organisation, kind: "member", id };
            store.write(|tx| add(tx, who, amount, 0)).expect("notes");
            assert!(store.read(|tx| until_room(tx, who, ALLOWED, 1)).expect("reads").is_some(), "{id}");
        }
    }
}
