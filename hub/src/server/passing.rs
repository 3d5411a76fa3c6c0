//! What the hub does by its clock alone: visits whose window has passed end ([`crate::sweep`]), what the quarantine has
//! kept for its thirty days goes, and new time zone tables are taken ([`crate::zones`]).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::Hub;
use crate::context::Context;
use crate::moment::Moment;
use crate::record::RecordError;
use crate::store::quarantine::{self, KEPT_FOR};
use crate::store::visits;
use crate::sweep::sweep;

/// How often visits are looked at: one small read each time.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after a failure, which is not over in a second.
const PAUSE: Duration = Duration::from_mins(1);
/// How often the quarantine and the time zone tables are looked at.
const DAY: Duration = Duration::from_hours(24);

/// Lets time pass until the hub stops.
pub async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    let mut pruned: Option<Instant> = None;
    while !*stopped.borrow() {
        if pruned.is_none_or(|at| at.elapsed() >= DAY) {
            pruned = Some(Instant::now());
            let before = hub.surroundings.now().timestamp() - KEPT_FOR;
            if let Err(error) = hub.database.write(move |tx| quarantine::prune(tx, before)).await {
                tracing::error!(%error, "the quarantine could not be pruned");
            }
            hub.look_at_zones().await;
        }
        let mut wait = TICK;
        for context in hub.organisations.all() {
            if let Err(error) = hub.retime(&context).await {
                tracing::error!(organisation = %context.organisation, %error, "visits could not be computed anew");
                wait = PAUSE;
            }
            match hub.run_out(&context).await {
                Ok(0) => {}
                Ok(count) => tracing::info!(organisation = %context.organisation, count, "visits ran out"),
                Err(error) => {
                    tracing::error!(organisation = %context.organisation, %error, "visits could not run out");
                    wait = PAUSE;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return,
        }
    }
}

impl Hub {
    /// Ends some of the organisation's visits whose window has passed; how many. Looks before it asks to write, so that
    /// no request waits for nothing.
    async fn run_out(&self, context: &Arc<Context>) -> Result<usize, RecordError> {
        let (organisation, now) = (context.organisation.clone(), self.surroundings.now());
        let passed = self.database.read(move |tx| visits::window_passed(tx, &organisation, now.timestamp(), 1)).await?;
        if passed.is_empty() {
            return Ok(0);
        }
        let (context, mut rng) = (Arc::clone(context), self.surroundings.rng());
        self.database.write(move |tx| sweep(tx, &context, &mut Moment::new(now, &mut rng))).await
    }
}
