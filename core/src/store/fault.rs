//! Where a test may fail or kill a write: before it, between its statements, after its commit.
//!
//! In a shipped library these points are nothing: the code behind them is compiled only for this crate's own tests and
//! with the feature `faults`, which refuses to compile without debug assertions. A process built with that feature dies
//! at `VESTIBULE_KILL_AT=<point>:<n>`, where the point is passed for the n-th time: at once, with nothing flushed and
//! no destructor run, as if the battery had been pulled.

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("the feature `faults` kills the process on purpose and must not be in a release");

/// A point of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Nothing is written yet.
    BeforeWrite,
    /// Between two statements of the transaction.
    InsideWrite,
    /// The transaction is durable, its caller does not know yet.
    AfterCommit,
}

#[cfg(not(any(test, feature = "faults")))]
#[expect(clippy::inline_always, clippy::unnecessary_wraps, reason = "it is nothing but what a test makes of it")]
#[inline(always)]
pub(super) fn pass(_: Point) -> Result<(), super::StoreError> {
    Ok(())
}

#[cfg(any(test, feature = "faults"))]
pub(super) fn pass(point: Point) -> Result<(), super::StoreError> {
    armed::pass(point)
}

#[cfg(any(test, feature = "faults"))]
mod armed {
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Point;
    use crate::store::StoreError;

    thread_local! {
        static FAIL_AT: Cell<Option<(Point, u64)>> = const { Cell::new(None) };
    }

    static KILL_AT: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    /// Makes the n-th pass (from 1) of a point on this thread fail; `None` disarms.
    #[cfg(test)]
    pub(in crate::store) fn fail_at(fault: Option<(Point, u64)>) {
        FAIL_AT.set(fault);
    }

    pub(super) fn pass(point: Point) -> Result<(), StoreError> {
        let name = match point {
            Point::BeforeWrite => "before_write",
            Point::InsideWrite => "inside_write",
            Point::AfterCommit => "after_commit",
        };
        let kill = KILL_AT.get_or_init(|| {
            let text = std::env::var("VESTIBULE_KILL_AT").ok()?;
            let (name, n) = text.split_once(':')?;
            Some((name.to_owned(), n.parse().ok()?))
        });
        if let Some((wanted, n)) = kill
            && wanted == name
            && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *n
        {
            std::process::abort();
        }
        match FAIL_AT.get() {
            Some((armed, left)) if armed == point => {
                FAIL_AT.set((left > 1).then_some((armed, left.saturating_sub(1))));
                if left == 1 { Err(StoreError::Injected) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) use armed::fail_at;
