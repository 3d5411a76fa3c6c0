//! The runs that talk to the hub, so that pausing and closing can stop them and wait until they are out.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Cancel, PhoneError};

#[derive(Default)]
pub(super) struct Runs {
    now: Mutex<Now>,
    over: Condvar,
}

#[derive(Default)]
struct Now {
    stopped: bool,
    next: u64,
    running: BTreeMap<u64, Cancel>,
}

/// One run; it is over when this is dropped.
pub(super) struct Run<'a> {
    runs: &'a Runs,
    number: u64,
    /// Stops it from within.
    pub(super) stop: Cancel,
}

impl Runs {
    /// Begins a run.
    ///
    /// # Errors
    /// [`PhoneError::Cancelled`] while the phone is paused or closed.
    pub(super) fn begin(&self) -> Result<Run<'_>, PhoneError> {
        let mut now = self.lock();
        if now.stopped {
            return Err(PhoneError::Cancelled);
        }
        now.next += 1;
        let (number, stop) = (now.next, Cancel::new());
        now.running.insert(number, stop.clone());
        Ok(Run { runs: self, number, stop })
    }

    /// Stops every run and lets none begin; with `wait`, all are out when this returns.
    pub(super) fn stop(&self, wait: bool) {
        let mut now = self.lock();
        now.stopped = true;
        now.running.values().for_each(Cancel::cancel);
        while wait && !now.running.is_empty() {
            now = self.over.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets runs begin again.
    pub(super) fn go_on(&self) {
        self.lock().stopped = false;
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.runs.lock().running.remove(&self.number);
        self.runs.over.notify_all();
    }
}
