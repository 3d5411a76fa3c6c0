//! What the hub does by its clock alone: what could not be done before its start is tried again ([`crate::undone`]), visits
//! whose window has passed end ([`crate::sweep`]), the window of reception moves ([`crate::feed::keep_in_step`]), what the
//! quarantine has kept for its thirty days goes, new time zone tables are taken ([`crate::zones`]), and the highest time seen
//! is written down ([`crate::clock`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Transaction;
use tokio::sync::watch;
use vestibule_core::id::OrganisationId;

use super::Hub;
use crate::clock::{TOLERANCE, settle};
use crate::context::Context;
use crate::feed;
use crate::organisation::OrganisationError;
use crate::record::RecordError;
use crate::store::quarantine::{self, KEPT_FOR};
use crate::store::{StoreError, clock, devices, visits};
use crate::sweep::sweep;
use crate::undone;
use crate::wallet::Expiry;

/// How often visits are looked at: one small read each time.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after a failure, which is not over in a second.
const PAUSE: Duration = Duration::from_mins(1);
/// How many visits enter or leave scopes of sites in one transaction.
const AT_ONCE: u32 = 200;
/// How often the quarantine and the time zone tables are looked at.
const DAY: Duration = Duration::from_hours(24);

/// How often the time is written down where nothing else happens.
const WRITTEN: Duration = Duration::from_mins(1);
/// How often the log says again that the clock is in doubt.
const COMPLAINT: Duration = Duration::from_hours(1);

/// Lets time pass until the hub stops.
pub async fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) {
    for context in hub.organisations.all() {
        hub.do_undone(&context).await;
    }
    let mut pruned: Option<Instant> = None;
    let mut keeper = Keeper::new();
    while !*stopped.borrow() {
        let mut wait = TICK;
        if let Err(error) = hub.keep_time(&mut keeper).await {
            tracing::error!(%error, "the time could not be written down");
            wait = PAUSE;
        }
        hub.check_certificates(&mut keeper);
        // A visit ends for good, and what is deleted is gone: not by a clock that may be wrong.
        if hub.clock.read().is_certain() {
            if pruned.is_none_or(|at| at.elapsed() >= DAY) {
                pruned = Some(Instant::now());
                let before = hub.clock.read().now.timestamp() - KEPT_FOR;
                if let Err(error) = hub.database.write(move |tx| quarantine::prune(tx, before)).await {
                    tracing::error!(%error, "the quarantine could not be pruned");
                }
                hub.look_at_zones().await;
            }
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
                if let Err(error) = hub.keep_in_step(&context).await {
                    tracing::error!(organisation = %context.organisation, %error, "the scopes of sites could not be kept");
                    wait = PAUSE;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }
    // So that the next start knows how long the hub was off.
    if let Err(error) = hub.write_time().await {
        tracing::error!(%error, "the time could not be written down");
    }
}

/// When the time was written down, and whether in doubt; what the log was told of, and when.
struct Keeper {
    written: Instant,
    in_doubt: bool,
    complained: Instant,
    /// The line each certificate had passed.
    certificates: BTreeMap<OrganisationId, i64>,
}

impl Keeper {
    fn new() -> Self {
        Self { written: Instant::now(), in_doubt: false, complained: Instant::now(), certificates: BTreeMap::new() }
    }
}

impl Hub {
    /// Lets some visits enter and leave the scopes of sites; how many. Looks before it asks to write.
    async fn keep_in_step(&self, context: &Arc<Context>) -> Result<u32, StoreError> {
        let (organisation, time) = (context.organisation.clone(), self.clock.read());
        let now = time.now;
        if !self.database.read(move |tx| feed::is_out_of_step(tx, &organisation, now)).await? {
            return Ok(0);
        }
        let (context, mut rng) = (Arc::clone(context), self.surroundings.rng());
        let step = move |tx: &Transaction<'_>| feed::keep_in_step(tx, &context, &mut time.moment(&mut rng), AT_ONCE);
        self.database.write(step).await
    }

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
            let (of, time, mut rng) = (Arc::clone(context), self.clock.read(), self.surroundings.rng());
            let tried = self.database.write(move |tx| undone::retry(tx, &of, &mut time.moment(&mut rng), visit));
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

    /// Writes the time down now and then, and at once that a doubt has begun; ends a doubt that is over.
    async fn keep_time(&self, keeper: &mut Keeper) -> Result<(), OrganisationError> {
        let in_doubt = !self.clock.read().is_certain();
        if in_doubt && self.doubt_is_over().await? {
            let (at, contexts, mut rng) = (self.clock.machine(), self.organisations.all(), self.surroundings.rng());
            self.database.write(move |tx| settle(tx, &contexts, at, &mut rng)).await?;
            self.clock.trust(at);
            (keeper.in_doubt, keeper.written) = (false, Instant::now());
            return Ok(());
        }
        if in_doubt != keeper.in_doubt || keeper.written.elapsed() >= WRITTEN {
            self.write_time().await?;
            (keeper.in_doubt, keeper.written) = (in_doubt, Instant::now());
        }
        if in_doubt && keeper.complained.elapsed() >= COMPLAINT {
            keeper.complained = Instant::now();
            self.clock.complain();
        }
        Ok(())
    }

    /// Says in the log, at the start and again with each line it passes, that a certificate runs out.
    fn check_certificates(&self, keeper: &mut Keeper) {
        let now = self.clock.read().now;
        for context in self.organisations.all() {
            let expiry = context.apple.as_ref().and_then(|apple| Expiry::of(&context.organisation, apple, now));
            let Some(expiry) = expiry else { continue };
            if keeper.certificates.insert(context.organisation.clone(), expiry.line) != Some(expiry.line) {
                let (organisation, until) = (&expiry.organisation, expiry.until);
                tracing::warn!(%organisation, %until, "{}", expiry.warning());
            }
        }
    }

    async fn write_time(&self) -> Result<(), StoreError> {
        let record = self.clock.record();
        let write = move |tx: &Transaction<'_>| {
            // What an administrator has said meanwhile is heard in its turn.
            let confirmed = clock::get(tx)?.confirmed;
            clock::put(tx, &clock::Record { confirmed, ..record })
        };
        self.database.write::<_, StoreError>(write).await
    }

    /// Whether the clock, the phones or an administrator have ended the doubt.
    async fn doubt_is_over(&self) -> Result<bool, StoreError> {
        let (confirmed, devices) = self
            .database
            .read(|tx| Ok::<_, StoreError>((clock::get(tx)?.confirmed, devices::count_in_use(tx)?)))
            .await?;
        let machine = self.clock.machine();
        let confirmed = confirmed.is_some_and(|at| machine.signed_duration_since(at).abs() <= TOLERANCE);
        Ok(confirmed || self.clock.may_settle(devices))
    }

    /// Ends some of the organisation's visits whose window has passed; how many. Looks before it asks to write, so that
    /// no request waits for nothing.
    async fn run_out(&self, context: &Arc<Context>) -> Result<usize, RecordError> {
        let (organisation, time) = (context.organisation.clone(), self.clock.read());
        if !time.is_certain() {
            return Ok(0);
        }
        let now = time.now;
        let passed = self.database.read(move |tx| visits::window_passed(tx, &organisation, now.timestamp(), 1)).await?;
        if passed.is_empty() {
            return Ok(0);
        }
        let (context, mut rng) = (Arc::clone(context), self.surroundings.rng());
        self.database.write(move |tx| sweep(tx, &context, &mut time.moment(&mut rng))).await
    }
}
