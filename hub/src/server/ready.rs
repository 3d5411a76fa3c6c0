//! Whether the hub can do its work: whether what a phone pushes now would be on the disk.
//!
//! `/healthz` says that the process lives, and a supervisor that restarts a hub goes by that; `/readyz` says that work can
//! be sent to it. It tries: it writes a transaction that changes nothing. Nobody can make it try more than once in two
//! seconds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Hub;
use super::problem::Refused;
use crate::check;
use crate::store::organisations;

/// How long what was found holds.
const HOLDS: Duration = Duration::from_secs(2);
/// How long a write may take, with those before it.
const PATIENCE: Duration = Duration::from_secs(5);
/// When to ask again, in seconds.
const ASK_AGAIN: u64 = 10;

/// What was found when it was last tried.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, Result<(), Refused>)>>);

impl Hub {
    /// Whether the hub can write.
    pub(super) async fn is_ready(&self) -> Result<(), Refused> {
        let known = self.readiness.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, found)) = known
            && at.elapsed() < HOLDS
        {
            return found;
        }
        let found = self.try_to_write().await;
        *self.readiness.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), found.clone()));
        found
    }

    async fn try_to_write(&self) -> Result<(), Refused> {
        let not = |what: &str| Err(Refused::busy(format!("The hub cannot write: {what}."), ASK_AGAIN));
        match check::disk::free(self.organisations.dir().path()) {
            Ok(free) if free < check::disk::TOO_LITTLE => return not("its disk is full"),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "the hub's disk cannot be looked at");
                return not("its disk does not answer");
            }
        }
        match tokio::time::timeout(PATIENCE, self.database.write(organisations::touch)).await {
            Ok(Ok(())) => Ok(()),
            Err(_) => not("its database is busy for too long"),
            Ok(Err(error)) => {
                tracing::error!(%error, "the hub is not ready: its database cannot be written");
                not("its database takes no changes; the log says why")
            }
        }
    }
}
