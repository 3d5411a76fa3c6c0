//! The phone's idea of the time: its own clock, set right by the hub's.
//!
//! A phone's clock is what its owner made it. Nothing is refused for it: every answer of the hub carries the hub's signed
//! time, and [`Clock::hear`] keeps how far the two differ. What is signed, stored and shown is in the time that comes of
//! it, [`Surroundings::now`]; only somebody who is shown times is told of the difference ([`Clock::off_by`]).
//!
//! Between two answers the device's clock counts, and never to less than the hub's last time and what the monotonic
//! clock has counted since: a clock that is set back is noticed at once, one that is set ahead at the next answer (it looks
//! like a phone that was off). A hub that says it is not sure of its own time ([`HubTime::certain`]) moves nothing here.

mod hub_time;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use minicbor::{Decode, Encode};

pub use crate::sync::client::Surroundings;
pub use hub_time::{HubTime, asked};

/// A difference below this is of no interest to a person, in seconds.
pub const WORTH_SAYING: i64 = 120;
/// Signed times are whole seconds, and clocks tick between two readings: this much, in milliseconds, is no difference.
const GRAIN: i64 = 2_000;
/// The hub's last time is written down again when it is this much newer than the one in the file, in milliseconds.
const WRITE_AGAIN: i64 = 600_000;

/// What was heard of the hub's clock, as it stands in the phone's file. Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Heard {
    /// The hub's time less the device's.
    #[n(0)]
    pub offset: i64,
    /// The hub's time when it was heard last.
    #[n(1)]
    pub at: i64,
}

/// What was heard, and where the monotonic clock stood.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    heard: Heard,
    elapsed: Duration,
    /// What stands in the file.
    written: Option<Heard>,
}

/// The device's clock and randomness, with the clock set right.
pub struct Clock {
    device: Arc<dyn Surroundings>,
    anchor: Mutex<Option<Anchor>>,
}

impl Clock {
    /// The device's clock as it is: nothing was heard yet.
    pub fn new(device: Arc<dyn Surroundings>) -> Self {
        Self { device, anchor: Mutex::default() }
    }

    /// Takes what stands in the phone's file; another process may have heard later.
    pub fn recall(&self, written: Option<Heard>) {
        let mut anchor = self.lock();
        if written != anchor.and_then(|anchor| anchor.written) {
            *anchor = written.map(|heard| Anchor { heard, elapsed: self.device.elapsed(), written });
        }
    }

    /// Takes a time the hub has signed and was certain of, in milliseconds, in an answer to what was asked when the
    /// monotonic clock stood at `since`. What is to be written down, if it is worth that.
    pub fn hear(&self, time: i64, since: Duration) -> Option<Heard> {
        let elapsed = self.device.elapsed();
        let trip = i64::try_from(elapsed.saturating_sub(since).as_millis()).unwrap_or(i64::MAX);
        let device = self.device.now().timestamp_millis();
        // The hub's clock stands between what it said and that with the whole way added.
        let (least, most) = (time.saturating_sub(device), time.saturating_add(trip).saturating_sub(device));
        let fits = |offset: i64| (least.saturating_sub(GRAIN)..=most.saturating_add(GRAIN)).contains(&offset);
        let mut anchor = self.lock();
        let known = anchor.map(|anchor| anchor.heard.offset).filter(|&offset| fits(offset));
        // A clock that is right is left alone.
        let known = known.or(Some(0).filter(|&offset| fits(offset)));
        let offset = known.unwrap_or(least.saturating_add(trip / 2));
        let heard = Heard { offset, at: time };
        let written = anchor.and_then(|anchor| anchor.written);
        let worth =
            written.is_none_or(|old| old.offset != offset || old.at.abs_diff(time) > WRITE_AGAIN.unsigned_abs());
        *anchor = Some(Anchor { heard, elapsed, written: if worth { Some(heard) } else { written } });
        worth.then_some(heard)
    }

    /// How far the device's clock is ahead of the hub's, if that is more than two minutes: behind is negative.
    pub fn off_by(&self) -> Option<TimeDelta> {
        let off = self.device.now().signed_duration_since(self.now());
        (off.num_seconds().abs() > WORTH_SAYING).then_some(off)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Anchor>> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Surroundings for Clock {
    fn now(&self) -> DateTime<Utc> {
        let device = self.device.now();
        let Some(Anchor { heard, elapsed, .. }) = *self.lock() else { return device };
        let since = self.device.elapsed().saturating_sub(elapsed);
        let counted = heard.at.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let set_right = device.timestamp_millis().saturating_add(heard.offset);
        // A hub's time that is none was not taken; a difference that leaves the calendar is no difference.
        DateTime::from_timestamp_millis(set_right.max(counted)).unwrap_or(device)
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.device.fill(bytes);
    }

    fn elapsed(&self) -> Duration {
        self.device.elapsed()
    }
}

#[cfg(test)]
mod tests;
