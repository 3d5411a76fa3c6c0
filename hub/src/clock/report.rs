//! How the clock stands, in words: for the log, `vestibule admin clock` and `vestibule admin check`.

use chrono::{DateTime, TimeDelta, Utc};

use super::TOLERANCE;
use crate::store::clock::Record;

/// What the log says of a clock in doubt.
pub(super) const IN_DOUBT: &str = "the machine's clock is more than a day from where it should be; the hub goes by its \
                                   own count, ends no visit, renews no key and deletes nothing until the clock is set \
                                   right or `vestibule admin clock confirm` says that it is";

/// How the clock stands for a command beside the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The time a command goes by.
    pub now: DateTime<Utc>,
    /// What the machine's clock says.
    pub machine: DateTime<Utc>,
    /// The highest time the hub has seen.
    pub seen: Option<DateTime<Utc>>,
    /// Whether the hub is, or would be if it started, in doubt.
    pub in_doubt: bool,
}

/// How the clock stands by what the database remembers. A command goes by the count of a hub that runs in doubt; else by
/// the machine's clock, but never by one that is more than a day behind what the hub has seen.
pub fn standing(record: &Record, machine: DateTime<Utc>) -> Standing {
    let seen = record.seen;
    let near = |time: DateTime<Utc>| seen.is_none_or(|seen| time.signed_duration_since(seen).abs() <= TOLERANCE);
    let counted = record.doubt.and_then(|doubt| machine.checked_sub_signed(TimeDelta::try_seconds(doubt.ahead)?));
    let now = match counted.filter(|&counted| near(counted)) {
        Some(counted) => counted,
        None if near(machine) => machine,
        None => seen.map_or(machine, |seen| seen.max(machine)),
    };
    Standing { now, machine, seen, in_doubt: record.doubt.is_some() || !near(machine) }
}

impl Standing {
    /// What an administrator is to be told; nothing while all is well.
    pub fn warning(&self) -> Option<String> {
        let seen = self.seen.filter(|_| self.in_doubt)?;
        let off = [self.now, seen].map(|time| self.machine.signed_duration_since(time));
        let Some(off) = off.into_iter().find(|off| off.abs() > TOLERANCE) else {
            return Some(
                "The machine's clock was in doubt and is right again; the hub takes its word after an hour, or at once \
                 with `vestibule admin clock confirm`."
                    .to_owned(),
            );
        };
        let way = if off > TimeDelta::zero() { "ahead of" } else { "behind" };
        Some(format!(
            "The machine's clock says {}, {} {way} the hub's own count. Until that is settled no visit ends, no key is \
             renewed and nothing is deleted. Set the clock right, or, if it is right, run `vestibule admin clock \
             confirm`.",
            self.machine.format("%Y-%m-%d %H:%M UTC"),
            length(off.abs()),
        ))
    }
}

/// A length of time as people say it.
fn length(time: TimeDelta) -> String {
    match time.num_hours() {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", (hours + 12) / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::clock::Doubt;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    /// A command beside a hub in doubt goes by the hub's count; beside none, by its clock unless that is behind.
    #[test]
    fn a_command_goes_by_what_can_be_believed() {
        let seen = at("2027-02-01T12:00:00Z");
        let calm = Record { seen: Some(seen), ..Record::default() };
        let minute = TimeDelta::minutes(1);
        let year = TimeDelta::days(365);
        let now = |record: &Record, machine| standing(record, machine).now;
        assert_eq!(now(&calm, seen + minute), seen + minute);
        assert_eq!(now(&calm, seen - year), seen);
        assert_eq!(now(&calm, seen + TimeDelta::days(7)), seen + TimeDelta::days(7), "it may have been off");
        let doubt = Record { doubt: Some(Doubt { ahead: year.num_seconds(), since: 0 }), ..calm };
        assert_eq!(now(&doubt, seen + year + minute), seen + minute);
        assert_eq!(now(&doubt, seen + minute), seen + minute, "the clock was set right since");
    }

    #[test]
    fn an_administrator_is_told_which_way_and_how_far() {
        let seen = at("2027-02-01T12:00:00Z");
        let record = Record { seen: Some(seen), ..Record::default() };
        assert_eq!(standing(&record, seen).warning(), None);
        assert_eq!(standing(&Record::default(), seen).warning(), None);
        for (off, says) in [(365, "365 days ahead of"), (-365, "365 days behind"), (2, "2 days ahead of")] {
            let said = standing(&record, seen + TimeDelta::days(off)).warning().expect("a warning");
            assert!(said.contains(says) && said.contains("admin clock confirm"), "{said}");
        }
    }
}
