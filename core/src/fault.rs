//! Where a test may fail or kill a write: before it, inside it, after its commit, and before its outcome is noted.
//!
//! The phone's store and the hub's pass these points in every transaction that writes. In a shipped program they are
//! nothing: what stands behind them is compiled only for tests and with the feature `faults`, which refuses to compile
//! without debug assertions. A process built with that feature kills itself at `VESTIBULE_KILL_AT=<point>:<n>`, where
//! it passes the point for the n-th time: with SIGKILL, so that nothing is flushed and nothing runs after. Before, it
//! adds the point's name as a line to the file `VESTIBULE_FAULT_LOG`, so that a test can count what it has killed.
//!
//! With the same feature the effects of one visit fail: of the visit with number `VESTIBULE_FAIL_EFFECT=<number>:<how>`,
//! where `<how>` is `error` or `panic` ([`effect`]).

#[cfg(test)]
pub(crate) use fail::fail_at;

#[cfg(all(feature = "faults", not(debug_assertions)))]
compile_error!("the feature `faults` kills the process on purpose and must not be in a release");

/// A point of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// Nothing is written yet.
    BeforeWrite,
    /// Between two statements of the transaction, or between the last one and the commit.
    InsideWrite,
    /// The transaction is durable, its caller does not know yet.
    AfterCommit,
    /// A mail server has taken a mail, and the hub has not noted it yet: the one moment after which a mail is sent
    /// again.
    AfterAcceptance,
}

impl Point {
    /// Its name in `VESTIBULE_KILL_AT` and `VESTIBULE_FAULT_LOG`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeWrite => "before_write",
            Self::InsideWrite => "inside_write",
            Self::AfterCommit => "after_commit",
            Self::AfterAcceptance => "after_acceptance",
        }
    }
}

/// A test made this step fail; completes "failed to write: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a test made this step fail")]
pub struct Injected;

/// Passes a point: nothing, unless a test has armed it.
#[inline]
pub fn pass(point: Point) -> Result<(), Injected> {
    #[cfg(feature = "faults")]
    kill::pass(point);
    #[cfg(test)]
    fail::pass(point)?;
    let _ = point;
    Ok(())
}

/// How the effects of a visit fail.
#[cfg(feature = "faults")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// With an error.
    Error,
    /// With a panic.
    Panic,
}

#[cfg(feature = "faults")]
thread_local! {
    static FAILING: std::cell::Cell<Option<(u64, Failing)>> = const { std::cell::Cell::new(None) };
}

/// Makes the effects of the visit of that number fail on this thread, for tests within a process; `None` ends it.
#[cfg(feature = "faults")]
pub fn fail_effects(of: Option<(u64, Failing)>) {
    FAILING.set(of);
}

/// Passes where an effect of a visit is carried out: nothing, unless a test has armed it for the visit of that number.
#[inline]
pub fn effect(number: u64) -> Result<(), Injected> {
    #[cfg(feature = "faults")]
    {
        static ARMED: std::sync::OnceLock<Option<(u64, Failing)>> = std::sync::OnceLock::new();
        let from_outside = || {
            let text = std::env::var("VESTIBULE_FAIL_EFFECT").ok()?;
            let (number, how) = text.split_once(':')?;
            Some((number.parse().ok()?, if how == "panic" { Failing::Panic } else { Failing::Error }))
        };
        match FAILING.get().or_else(|| *ARMED.get_or_init(from_outside)) {
            Some((armed, Failing::Error)) if armed == number => return Err(Injected),
            Some((armed, Failing::Panic)) if armed == number => panic!("a test made this step panic"),
            _ => {}
        }
    }
    let _ = number;
    Ok(())
}

/// Kills the process, for tests from outside.
#[cfg(feature = "faults")]
mod kill {
    use std::io::Write as _;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    use super::Point;

    static AT: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn pass(point: Point) {
        let at = AT.get_or_init(|| {
            let text = std::env::var("VESTIBULE_KILL_AT").ok()?;
            let (name, n) = text.split_once(':').expect("VESTIBULE_KILL_AT is <point>:<n>");
            Some((name.to_owned(), n.parse().expect("VESTIBULE_KILL_AT is <point>:<n>")))
        });
        let Some((name, n)) = at else { return };
        if name != point.name() || PASSED.fetch_add(1, Ordering::Relaxed) + 1 != *n {
            return;
        }
        if let Some(path) = std::env::var_os("VESTIBULE_FAULT_LOG") {
            let mut log = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("the log opens");
            log.write_all(format!("{name}\n").as_bytes()).expect("the log is written");
        }
        kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
        loop {
            // The signal is on its way: this thread must not go on until it is there.
            std::thread::park();
        }
    }
}

/// Makes a step fail, for this crate's own tests.
#[cfg(test)]
mod fail {
    use std::cell::Cell;

    use super::{Injected, Point};

    thread_local! {
        static AT: Cell<Option<(Point, u64)>> = const { Cell::new(None) };
    }

    /// Makes the n-th pass (from 1) of a point on this thread fail; `None` disarms.
    pub(crate) fn fail_at(fault: Option<(Point, u64)>) {
        AT.set(fault);
    }

    pub(super) fn pass(point: Point) -> Result<(), Injected> {
        match AT.get() {
            Some((armed, left)) if armed == point => {
                AT.set((left > 1).then_some((armed, left.saturating_sub(1))));
                if left == 1 { Err(Injected) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}
