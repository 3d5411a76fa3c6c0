//! The hub's time: what its machine's clock says, as long as that can be believed.
//!
//! ```text
//! machine's clock ──┐
//! monotonic clock ──┼─▶ Reckoning ──▶ Reading { now, doubted } ──▶ every request, mail, sweep
//! highest time seen ┘        ▲
//!                            └── phones' signed times · an hour of agreement · `vestibule admin clock confirm`
//! ```
//!
//! A machine's clock that stands more than a day from where it should be is in doubt: against what the monotonic clock
//! has counted while the hub runs, against the highest time the database has seen when it starts. Then the hub says so,
//! serves, and goes by its own count: the last time that could be believed, and what the monotonic clock has counted
//! since. What it signs stays within the keys' time, and says that no phone is to set its clock by it. Until the doubt
//! is over it ends no visit, renews no key and throws nothing away ([`crate::store::clock::CERTAIN`]).
//!
//! The doubt is over when the clock agrees for an hour, when an administrator says so, or when phones bear the clock out:
//! a hub that was off for a week is told so by the first phones that come by. [`settle`] then signs key sets for the new
//! time before anything else is signed at it.

mod reckoning;
mod report;
mod settle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use vestibule_core::id::Thumbprint;
use vestibule_core::moment::Moment;

pub use reckoning::{Doubt, Reckoning, TOLERANCE};
pub use report::{Standing, standing};
pub use settle::settle;

use crate::server::Clocks;
use crate::store;
use crate::store::clock::Record;

/// The hub's time at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The time everything is done at.
    pub now: DateTime<Utc>,
    /// What the machine's clock says, where it is in doubt.
    pub doubted: Option<DateTime<Utc>>,
}

impl Reading {
    /// Whether the time may decide something for good.
    pub fn is_certain(&self) -> bool {
        self.doubted.is_none()
    }

    /// The times that may be the right one.
    pub fn times(&self) -> impl Iterator<Item = DateTime<Utc>> {
        [Some(self.now), self.doubted].into_iter().flatten()
    }

    /// A moment at this time.
    pub fn moment<'a>(&self, rng: &'a mut dyn rand_core::Rng) -> Moment<'a> {
        Moment { doubted: self.doubted, ..Moment::new(self.now, rng) }
    }
}

/// The hub's clock, shared by all that runs in it.
pub struct Clock {
    clocks: Arc<dyn Fn() -> Clocks + Send + Sync>,
    reckoning: Mutex<Reckoning>,
}

impl Clock {
    /// A clock that begins with what the database remembers.
    pub fn new(clocks: Arc<dyn Fn() -> Clocks + Send + Sync>, record: &Record) -> Self {
        let reckoning = Reckoning::begin(record.seen, clocks().elapsed);
        Self { clocks, reckoning: Mutex::new(reckoning) }
    }

    /// The time now. Every reading looks at the machine's clock: a jump is noticed by whoever comes first.
    pub fn read(&self) -> Reading {
        let mut reckoning = self.lock();
        let was_certain = reckoning.doubt().is_none();
        // Read under the lock: readings come in their order.
        let Clocks { machine, elapsed } = (self.clocks)();
        let reading = reckoning.observe(machine, elapsed);
        drop(reckoning);
        if was_certain {
            complain(reading);
        }
        reading
    }

    /// Says in the log how the clock stands, if it is in doubt.
    pub fn complain(&self) {
        complain(self.read());
    }

    /// Takes a time that a device has just signed of its own accord, and before it was told another.
    pub fn witness(&self, device: Thumbprint, signed: DateTime<Utc>) {
        let machine = self.machine();
        self.lock().witness(device, signed, machine);
    }

    /// Remembers that a device was told the hub's time: what it signs from now on bears nothing out.
    pub fn told(&self, device: Thumbprint) {
        self.lock().told(device);
    }

    /// Whether the doubt can end, where so many devices are in use.
    pub fn may_settle(&self, devices: u64) -> bool {
        let mut reckoning = self.lock();
        let Clocks { machine, elapsed } = (self.clocks)();
        reckoning.observe(machine, elapsed);
        reckoning.may_settle(elapsed, devices)
    }

    /// What the machine's clock says, whether it can be believed or not.
    pub fn machine(&self) -> DateTime<Utc> {
        (self.clocks)().machine
    }

    /// Believes the machine's clock from now on; `at` is what it said when that was written down.
    pub(crate) fn trust(&self, at: DateTime<Utc>) {
        let mut reckoning = self.lock();
        reckoning.trust(at, (self.clocks)().elapsed);
        drop(reckoning);
        tracing::info!(now = %at, "the machine's clock is believed again");
    }

    /// What the database is to remember.
    pub fn record(&self) -> Record {
        let reading = self.read();
        let reckoning = self.lock();
        let doubt = reading.doubted.zip(reckoning.doubt()).map(|(machine, doubt)| store::clock::Doubt {
            ahead: (machine - reading.now).num_seconds(),
            since: doubt.since.timestamp(),
        });
        Record { seen: reckoning.highest(), doubt, confirmed: None }
    }

    fn lock(&self) -> MutexGuard<'_, Reckoning> {
        self.reckoning.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn complain(Reading { now, doubted }: Reading) {
    if let Some(machine) = doubted {
        let ahead = machine.signed_duration_since(now).num_seconds();
        tracing::error!(%machine, %now, ahead, "{}", report::IN_DOUBT);
    }
}
