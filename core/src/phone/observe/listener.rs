//! Calling what a shell gave: it may panic (an exception that was not caught), block, or call back into the phone.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Calls a listener; false if it panicked. A call back into the phone from within waits for no listener.
pub fn call_listener(call: impl FnOnce()) -> bool {
    let before = INSIDE.replace(true);
    let ended = catch_unwind(AssertUnwindSafe(call)).is_ok();
    INSIDE.set(before);
    if !ended {
        tracing::warn!("a listener failed");
    }
    ended
}

/// Whether this thread is in a listener: then it must not wait for one.
pub(in crate::phone) fn is_inside() -> bool {
    INSIDE.get()
}
