//! The moment something is done in: its time and its randomness, passed in so that a test decides both.

use chrono::{DateTime, Utc};
use rand_core::Rng;

/// Time and randomness of one write or request.
pub struct Moment<'a> {
    /// The phone's or the hub's time.
    pub now: DateTime<Utc>,
    /// A cryptographic random generator.
    pub rng: &'a mut dyn Rng,
}

impl<'a> Moment<'a> {
    /// A moment at that time.
    pub fn new(now: DateTime<Utc>, rng: &'a mut dyn Rng) -> Self {
        Self { now, rng }
    }

    /// Random bytes.
    pub fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }

    /// Unix seconds.
    pub fn unix(&self) -> i64 {
        self.now.timestamp()
    }

    /// Unix milliseconds; 0 before 1970.
    pub fn unix_millis(&self) -> u64 {
        u64::try_from(self.now.timestamp_millis()).unwrap_or(0)
    }
}
