//! The moment something is done in: its time and its randomness, passed in so that a test decides both.

use chrono::{DateTime, Utc};
use rand_core::Rng;

/// Time and randomness of one write or request.
pub struct Moment<'a> {
    /// The phone's or the hub's time.
    pub now: DateTime<Utc>,
    /// A cryptographic random generator.
    pub rng: &'a mut dyn Rng,
    /// What the machine's clock says, where that is in doubt and `now` is reckoned without it: then nothing is decided
    /// for good by the time, and nothing is thrown away.
    pub doubted: Option<DateTime<Utc>>,
}

impl<'a> Moment<'a> {
    /// A moment at that time.
    pub fn new(now: DateTime<Utc>, rng: &'a mut dyn Rng) -> Self {
        Self { now, rng, doubted: None }
    }

    /// Whether the time may decide something for good.
    pub fn is_certain(&self) -> bool {
        self.doubted.is_none()
    }

    /// The earliest time it may be: what is over by this is over.
    pub fn earliest(&self) -> DateTime<Utc> {
        self.doubted.map_or(self.now, |doubted| doubted.min(self.now))
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
