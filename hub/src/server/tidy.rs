//! Gives room that the database no longer needs back to the disk: what was erased, mails that were sent, what was judged and
//! thrown away leave pages behind. A little at a time on a connection of its own, so that no phone waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::Hub;
use crate::store::{HubStore, StoreError};

/// How often the file is looked at while there is nothing to do.
const TICK: Duration = Duration::from_mins(5);
/// How long to leave the writer to others between two turns.
const BREATH: Duration = Duration::from_millis(200);
/// Pages given back in one turn: a few milliseconds.
const TURN: u32 = 256;
/// Room that is kept, in bytes: it is needed again soon, and taking it anew from the disk costs more.
const KEPT: u64 = 8 << 20;

/// Gives back until the hub stops.
pub async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let path = hub.organisations.dir().database();
        let wait = match spawn_blocking(move || turn(&path)).await {
            Ok(Ok(free)) if free > KEPT => BREATH,
            Ok(Ok(_)) | Err(_) => TICK,
            Ok(Err(error)) => {
                tracing::warn!(%error, "room could not be given back to the disk");
                TICK
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// How many bytes are still free after a turn.
fn turn(path: &std::path::Path) -> Result<u64, StoreError> {
    let mut store = HubStore::open(path)?;
    if store.unused()? > KEPT { store.give_back(TURN) } else { Ok(0) }
}
