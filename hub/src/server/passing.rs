//! What the hub does by its clock alone: what could not be done before its start is tried again ([`crate::undone`]), visits whose window has passed end ([`crate::sweep`]), and what the quarantine
//! has kept for its thirty days goes.

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
use crate::undone;

/// How often visits are looked at: one small read each time.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after a failure, which is not over in a second.
const PAUSE: Duration = Duration::from_mins(1);
/// How often the quarantine is looked at.
const DAY: Duration = Duration::from_hours(24);

/// Lets time pass until the hub stops.
pub async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    for context in hub.organisations.all() {
        hub.do_undone(&context).await;
    }
    let mut pruned: Option<Instant> = None;
    while !*stopped.borrow() {
        if pruned.is_none_or(|at| at.elapsed() >= DAY) {
            pruned = Some(Instant::now());
            let before = hub.surroundings.now().timestamp() - KEPT_FOR;
            if let Err(error) = hub.database.write(move |tx| quarantine::prune(tx, before)).await {
                tracing::error!(%error, "the quarantine could not be pruned");
            }
        }
        let mut wait = TICK;
        for context in hub.organisations.all() {
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
    /// Tries once more what could not be done before this start: another version may do it.
    async fn do_undone(&self, context: &Arc<Context>) {
        let of = Arc::clone(context);
        let due = match self.database.read(move |tx| undone::due(tx, &of)).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(organisation = %context.organisation, %error, "what is undone could not be read");
                return;
            }
        };
        for visit in due {
            let (of, now, mut rng) = (Arc::clone(context), self.surroundings.now(), self.surroundings.rng());
            let tried = self.database.write(move |tx| undone::retry(tx, &of, &mut Moment::new(now, &mut rng), visit));
            match tried.await {
                Ok(left) => {
                    tracing::info!(organisation = %context.organisation, %visit, left = left.len(), "tried again");
                }
                Err(error) => {
                    tracing::error!(organisation = %context.organisation, %visit, %error, "could not be tried again");
                }
            }
        }
        self.wake.notify_one();
    }

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
