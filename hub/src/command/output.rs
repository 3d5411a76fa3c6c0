//! What commands print.
//!
//! A command prints and goes on; whether what it printed arrived is asked once, at its end ([`failure`]), for all commands
//! alike: who redirects a list into a file on a full disk must not be told that it is there.

use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Failure;

/// Why nothing more can be printed.
static BROKEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes to standard output, unless that has failed before.
pub fn print(text: &str) {
    let mut broken = broken();
    if broken.is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    *broken = out.write_all(text.as_bytes()).and_then(|()| out.flush()).err();
}

/// What became of the output: a reader that has gone away (`| head`) has read what it wanted, anything else is a failure.
pub fn failure() -> Option<Failure> {
    let broken = broken();
    let error = broken.as_ref().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)?;
    Some(Failure::failed(format!("The output could not be written: {error}. What was done stays done.")))
}

fn broken() -> MutexGuard<'static, Option<io::Error>> {
    BROKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
