//! Whether the machine's clock can be believed: arithmetic over what it says, with no clock in it.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use vestibule_core::id::Thumbprint;

use super::Reading;

/// How far the machine's clock may stand from where it should be.
pub const TOLERANCE: TimeDelta = TimeDelta::days(1);
/// How long a clock that was in doubt has to agree.
const AGREEMENT: Duration = Duration::from_hours(1);
/// How near a phone's time has to be to bear the machine's clock out.
const NEAR: TimeDelta = TimeDelta::hours(1);
/// How many phones have to bear a clock out, where there are as many.
const WITNESSES: u64 = 2;

/// A doubt in the machine's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// When it began, in the hub's time.
    pub since: DateTime<Utc>,
    /// Since when the clock agrees again, by the monotonic clock.
    agrees: Option<Duration>,
    /// By how much the machine's clock was ahead when phones were first heard: after another jump they are heard anew.
    ahead: TimeDelta,
    /// Phones whose time is that of the machine's clock, and those whose time is not.
    bear_out: BTreeSet<Thumbprint>,
    contradict: BTreeSet<Thumbprint>,
    /// Phones that were told the time.
    told: BTreeSet<Thumbprint>,
}

/// The hub's count of time.
#[derive(Debug, Clone)]
pub struct Reckoning {
    /// The last time that could be believed, and where the monotonic clock stood.
    anchor: Option<(DateTime<Utc>, Duration)>,
    highest: Option<DateTime<Utc>>,
    doubt: Option<Doubt>,
}

impl Reckoning {
    /// A count that begins at the highest time seen; a hub that has seen none takes its machine's word.
    pub fn begin(seen: Option<DateTime<Utc>>, elapsed: Duration) -> Self {
        Self { anchor: seen.map(|seen| (seen, elapsed)), highest: seen, doubt: None }
    }

    /// The doubt there is.
    pub fn doubt(&self) -> Option<&Doubt> {
        self.doubt.as_ref()
    }

    /// The highest time that was believed.
    pub fn highest(&self) -> Option<DateTime<Utc>> {
        self.highest
    }

    /// Looks at both clocks.
    pub fn observe(&mut self, machine: DateTime<Utc>, elapsed: Duration) -> Reading {
        let expected = self.expected(elapsed).unwrap_or(machine);
        let near = |other: DateTime<Utc>| machine.signed_duration_since(other).abs() <= TOLERANCE;
        let agrees = near(expected) && self.highest.is_none_or(|highest| machine >= highest || near(highest));
        let now = if agrees { machine } else { expected };
        if self.doubt.is_none() && agrees {
            self.anchor = Some((machine, elapsed));
        } else {
            let doubt = self.doubt.get_or_insert_with(|| Doubt::begin(expected));
            doubt.agrees = agrees.then(|| doubt.agrees.unwrap_or(elapsed));
            let ahead = machine.signed_duration_since(expected);
            if (ahead - doubt.ahead).abs() > NEAR {
                *doubt = Doubt {
                    ahead,
                    agrees: doubt.agrees,
                    told: std::mem::take(&mut doubt.told),
                    ..Doubt::begin(doubt.since)
                };
            }
        }
        self.highest = self.highest.max(Some(now));
        Reading { now, doubted: self.doubt.as_ref().map(|_| machine) }
    }

    /// Hears a device's time while the machine's clock says `machine`.
    pub fn witness(&mut self, device: Thumbprint, signed: DateTime<Utc>, machine: DateTime<Utc>) {
        let Some(doubt) = &mut self.doubt else { return };
        if doubt.told.contains(&device) {
            return;
        }
        let bears_out = signed.signed_duration_since(machine).abs() <= NEAR;
        let (into, out_of) = if bears_out {
            (&mut doubt.bear_out, &mut doubt.contradict)
        } else {
            (&mut doubt.contradict, &mut doubt.bear_out)
        };
        out_of.remove(&device);
        into.insert(device);
    }

    /// A device was told the time.
    pub fn told(&mut self, device: Thumbprint) {
        if let Some(doubt) = &mut self.doubt {
            doubt.told.insert(device);
        }
    }

    /// Whether the doubt can end by itself: the clock has agreed for an hour, or two phones bear it out (the only one,
    /// where there is but one) and fewer contradict it.
    pub fn may_settle(&self, elapsed: Duration, devices: u64) -> bool {
        let Some(doubt) = &self.doubt else { return false };
        let agreed = doubt.agrees.is_some_and(|since| elapsed.saturating_sub(since) >= AGREEMENT);
        let (bear_out, contradict) = (doubt.bear_out.len() as u64, doubt.contradict.len() as u64);
        agreed || (bear_out >= WITNESSES.min(devices.max(1)) && bear_out > contradict)
    }

    /// Begins anew at a time that is believed; nothing of an earlier, higher one is left.
    pub fn trust(&mut self, at: DateTime<Utc>, elapsed: Duration) {
        *self = Self { anchor: Some((at, elapsed)), highest: Some(at), doubt: None };
    }

    fn expected(&self, elapsed: Duration) -> Option<DateTime<Utc>> {
        let (at, since) = self.anchor?;
        let passed = TimeDelta::from_std(elapsed.saturating_sub(since)).unwrap_or(TimeDelta::MAX);
        Some(at.checked_add_signed(passed).unwrap_or(DateTime::<Utc>::MAX_UTC))
    }
}

impl Doubt {
    fn begin(since: DateTime<Utc>) -> Self {
        let (bear_out, contradict, told) = Default::default();
        Self { since, agrees: None, ahead: TimeDelta::zero(), bear_out, contradict, told }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn phone(n: u8) -> Thumbprint {
        Thumbprint([n; 32])
    }

    /// A hub that runs at noon, and has seen that time.
    fn running() -> (Reckoning, DateTime<Utc>) {
        let noon = at("2027-02-01T12:00:00Z");
        let mut reckoning = Reckoning::begin(Some(noon), DAY);
        assert_eq!(reckoning.observe(noon, DAY), Reading { now: noon, doubted: None });
        (reckoning, noon)
    }

    #[test]
    fn time_that_passes_is_no_jump() {
        let (mut reckoning, noon) = running();
        for days in [1, 3, 30, 400] {
            let passed = DAY * days;
            let reading = reckoning.observe(noon + passed, DAY + passed);
            assert_eq!(reading, Reading { now: noon + passed, doubted: None });
        }
    }

    /// A jump either way while the hub runs: its own count goes on, and an hour of agreement ends the doubt.
    #[test]
    fn a_jump_is_counted_through_until_the_clock_agrees_for_an_hour() {
        for jump in [TimeDelta::days(365), TimeDelta::days(-365), TimeDelta::days(2), TimeDelta::hours(-25)] {
            let (mut reckoning, noon) = running();
            let reading = reckoning.observe(noon + jump, DAY + HOUR);
            assert_eq!(reading, Reading { now: noon + HOUR, doubted: Some(noon + jump) }, "{jump}");
            assert!(!reckoning.may_settle(DAY + HOUR * 100, 1), "{jump}: never by itself");
            reckoning.observe(noon + HOUR * 2, DAY + HOUR * 2);
            assert!(!reckoning.may_settle(DAY + HOUR * 2 + Duration::from_mins(59), 1));
            assert!(reckoning.may_settle(DAY + HOUR * 3, 1));
            // One look at a wrong clock, and the hour begins again.
            reckoning.observe(noon + jump, DAY + HOUR * 3);
            reckoning.observe(noon + HOUR * 3, DAY + HOUR * 3);
            assert!(!reckoning.may_settle(DAY + HOUR * 3, 1));
            reckoning.trust(noon + HOUR * 4, DAY + HOUR * 4);
            assert!(reckoning.observe(noon + HOUR * 4, DAY + HOUR * 4).is_certain());
        }
    }

    #[test]
    fn less_than_a_day_is_believed() {
        let (mut reckoning, noon) = running();
        for hours in [23, -23] {
            let machine = noon + TimeDelta::hours(hours);
            assert!(Reckoning::begin(Some(noon), DAY).observe(machine, DAY).is_certain());
        }
        assert!(reckoning.observe(noon + TimeDelta::hours(-23), DAY).is_certain());
        // But not again and again, below the highest time that was seen.
        assert!(!reckoning.observe(noon + TimeDelta::hours(-46), DAY).is_certain());
    }

    /// A hub that was off for a week takes the word of the phones that come by, the only one's where there is one.
    #[test]
    fn phones_bear_out_a_hub_that_was_off() {
        let (seen, week) = (at("2027-02-01T12:00:00Z"), TimeDelta::days(7));
        let mut reckoning = Reckoning::begin(Some(seen), HOUR);
        let machine = seen + week;
        assert_eq!(reckoning.observe(machine, HOUR), Reading { now: seen, doubted: Some(machine) });
        reckoning.witness(phone(1), machine + TimeDelta::minutes(2), machine);
        assert!(!reckoning.may_settle(HOUR, 9) && reckoning.may_settle(HOUR, 1));
        reckoning.witness(phone(1), machine, machine);
        assert!(!reckoning.may_settle(HOUR, 9), "one phone is one");
        reckoning.witness(phone(2), machine, machine);
        assert!(reckoning.may_settle(HOUR, 9));
        reckoning.witness(phone(3), seen, machine);
        reckoning.witness(phone(4), seen, machine);
        assert!(!reckoning.may_settle(HOUR, 9), "as many say otherwise");
    }

    /// A clock a year ahead is borne out by nobody: not by phones that are right, nor by one that was told the time.
    #[test]
    fn nobody_bears_out_a_clock_that_is_wrong() {
        let (seen, year) = (at("2027-02-01T12:00:00Z"), TimeDelta::days(365));
        let mut reckoning = Reckoning::begin(Some(seen), HOUR);
        reckoning.observe(seen + year, HOUR);
        reckoning.witness(phone(1), seen, seen + year);
        reckoning.witness(phone(2), seen + TimeDelta::days(3), seen + year);
        reckoning.told(phone(3));
        reckoning.witness(phone(3), seen + year, seen + year);
        assert!(!reckoning.may_settle(HOUR, 1));
        // What was said of one wrong time says nothing of the next.
        reckoning.witness(phone(4), seen + year, seen + year);
        reckoning.witness(phone(5), seen + year, seen + year);
        reckoning.witness(phone(6), seen + year, seen + year);
        assert!(reckoning.may_settle(HOUR, 9));
        reckoning.observe(seen + year * 2, HOUR);
        assert!(!reckoning.may_settle(HOUR, 9));
    }

    #[test]
    fn a_new_hub_takes_its_machines_word() {
        let noon = at("2027-02-01T12:00:00Z");
        assert!(Reckoning::begin(None, HOUR).observe(noon, HOUR).is_certain());
    }
}
