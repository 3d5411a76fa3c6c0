//! A thing that is in use until it is closed: every use passes the gate, and closing waits until all are out.

use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often those inside are asked to hurry while a close waits: a statement that begins after one interrupt does not
/// hear it.
const AGAIN: Duration = Duration::from_millis(10);

/// The thing is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed;

pub(super) struct Gate<T> {
    inside: Mutex<Inside<T>>,
    empty: Condvar,
}

struct Inside<T> {
    held: Option<Arc<T>>,
    users: usize,
}

/// One use; it ends when this is dropped.
pub(super) struct Pass<'a, T> {
    gate: &'a Gate<T>,
    held: Option<Arc<T>>,
}

impl<T> Gate<T> {
    pub(super) fn new(held: T) -> Self {
        Self { inside: Mutex::new(Inside { held: Some(Arc::new(held)), users: 0 }), empty: Condvar::new() }
    }

    /// Goes in.
    pub(super) fn enter(&self) -> Result<Pass<'_, T>, Closed> {
        let mut inside = self.lock();
        let held = Some(inside.held.clone().ok_or(Closed)?);
        inside.users += 1;
        Ok(Pass { gate: self, held })
    }

    /// Lets nobody in any more. The last to leave drops what is held; with `wait`, that has happened when this returns,
    /// and until then `hurry` is called again and again.
    pub(super) fn close(&self, wait: bool, hurry: impl Fn(&T)) {
        let mut inside = self.lock();
        let held = inside.held.take();
        if !wait {
            return;
        }
        while inside.users > 0 {
            if let Some(held) = &held {
                hurry(held);
            }
            inside = self.empty.wait_timeout(inside, AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Nothing runs under the lock that could leave it half done.
    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Pass<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("it is held until the pass is dropped")
    }
}

impl<T> Drop for Pass<'_, T> {
    fn drop(&mut self) {
        // First what is held, so that it is gone when the last user is counted out.
        self.held = None;
        self.gate.lock().users -= 1;
        self.gate.empty.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    /// Counts itself out when it is dropped.
    struct Counted<'a>(&'a AtomicUsize);

    impl Drop for Counted<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Closing waits for those inside, asks them to hurry, and lets nobody in; then what was held is gone.
    #[test]
    fn closing_waits_for_those_inside() {
        let dropped = AtomicUsize::new(0);
        let gate = Gate::new(Counted(&dropped));
        let hurried = channel();
        std::thread::scope(|threads| {
            let pass = gate.enter().expect("is open");
            let hears = hurried.1;
            let (gate, dropped) = (&gate, &dropped);
            threads.spawn(move || {
                // Once is not enough for a statement that begins after it.
                hears.recv().expect("is asked");
                hears.recv().expect("is asked again");
                assert_eq!(gate.enter().map(drop), Err(Closed));
                assert_eq!(dropped.load(Ordering::SeqCst), 0);
                drop(pass);
            });
            // Nobody hears when the one inside has left.
            gate.close(true, |_| {
                let _ = hurried.0.send(());
            });
            assert_eq!(dropped.load(Ordering::SeqCst), 1);
            gate.close(true, |_| unreachable!("nobody is inside"));
        });
    }

    /// From inside nothing is waited for: the last to leave drops what is held.
    #[test]
    fn closing_from_inside_waits_for_nothing() {
        let dropped = AtomicUsize::new(0);
        let gate = Gate::new(Counted(&dropped));
        let pass = gate.enter().expect("is open");
        gate.close(false, |_| ());
        assert_eq!(gate.enter().map(drop), Err(Closed));
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
        drop(pass);
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
    }
}
