//! HTTP around the hub: `vestibule serve`.
//!
//! A request comes in through one of the [`connections`], [`trace`] (its line in the log, its place in the [`metrics`]) and the [`router`]; its body
//! is read within limits ([`body`]), its sender known ([`authenticate`]); then a plain function decides in one
//! transaction of the [`database`], and the answer, or a refusal as problem details ([`problem`]), goes out. Beside the
//! requests runs the sender of mails ([`post`]), woken when a sync leaves a mail due and every second, and what the clock
//! alone brings about ([`passing`]).
//!
//! Clock and randomness are [`Surroundings`], passed in: a test decides both.

mod authenticate;
mod body;
pub mod connections;
mod database;
mod gauges;
mod metrics;
mod organisations;
mod packing;
mod pages;
mod passing;
mod post;
mod problem;
mod rates;
mod ready;
mod router;
mod share;
mod sign_in;
mod sync;
mod tidy;
mod trace;
mod zones;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use vestibule_core::id::OrganisationId;
use vestibule_core::wallet::images;

use crate::clock::Clock;
use crate::config::{Config, DataDir};
use crate::judge::Documents;
use crate::store::{self, StoreError};
use database::Database;
use metrics::Metrics;
use organisations::Organisations;
use rates::Rates;
use ready::Readiness;

/// The threads a hub runs on: one that carries bytes between sockets and requests, and those that may block, which do the
/// work. A second one for the sockets would mostly be woken to find nothing to do.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// How long requests that are under way may take once the hub is told to stop.
const GRACE: Duration = Duration::from_secs(8);

/// The clocks of the hub's machine, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// What the clock says that people set.
    pub machine: DateTime<Utc>,
    /// What the clock says that nobody sets and that only goes forward; where it begins is of no meaning.
    pub elapsed: Duration,
}

/// The machine's clocks and the source of randomness.
#[derive(Clone)]
pub struct Surroundings {
    /// The clocks; the hub's time is made of them by [`Clock`].
    pub clocks: Arc<dyn Fn() -> Clocks + Send + Sync>,
    /// A seed that is never the same.
    pub seed: Arc<dyn Fn() -> [u8; 32] + Send + Sync>,
}

impl Surroundings {
    /// The system's own.
    #[expect(clippy::missing_panics_doc, reason = "without randomness nothing may be done")]
    pub fn system() -> Self {
        let seed = || {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).expect("the system has randomness; nothing works without");
            seed
        };
        let begun = Instant::now();
        let clocks = move || Clocks { machine: Utc::now(), elapsed: begun.elapsed() };
        Self { clocks: Arc::new(clocks), seed: Arc::new(seed) }
    }

    /// A generator for one request.
    pub fn rng(&self) -> ChaCha20Rng {
        ChaCha20Rng::from_seed((self.seed)())
    }
}

/// Why a hub does not start or does not go on; completes "failed to serve: …".
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The settings or keys.
    #[error(transparent)]
    Context(#[from] crate::context::ContextError),
    /// The mail server's settings.
    #[error("the mail settings cannot be used: {0}")]
    Mail(String),
    /// The network.
    #[error("the network failed: {0}")]
    Network(#[from] std::io::Error),
}

/// What every request is handled with.
pub struct Hub {
    config: Config,
    surroundings: Surroundings,
    clock: Arc<Clock>,
    database: Database,
    organisations: Organisations,
    metrics: Metrics,
    /// Documents judged lately.
    documents: Arc<Documents>,
    /// How often addresses and devices asked for things lately.
    rates: Rates,
    /// Whether the hub could do its work when it was last tried.
    readiness: Readiness,
    /// Something may wait in the outbox.
    wake: Notify,
}

impl Hub {
    /// Opens database, keys and settings of a directory.
    pub async fn open(dir: DataDir, config: Config, surroundings: Surroundings) -> Result<Arc<Self>, ServeError> {
        let database = Database::open(&dir.database())?;
        let remembered = database.read(store::clock::get).await?;
        let clock = Arc::new(Clock::new(Arc::clone(&surroundings.clocks), &remembered));
        // Before anything is done by the clock, the database knows whether it is in doubt. A hub on a full disk serves what
        // it can all the same.
        let record = clock.record();
        let confirmed = remembered.confirmed.filter(|_| record.doubt.is_some());
        let record = store::clock::Record { confirmed, ..record };
        let is_news = record.doubt.is_some() || remembered.doubt.is_some() || remembered.confirmed.is_some();
        if is_news && let Err(error) = database.write(move |tx| store::clock::put(tx, &record)).await {
            tracing::error!(%error, "the time could not be written down");
        }
        let organisations = Organisations::new(dir, config.clone(), surroundings.clone(), Arc::clone(&clock));
        organisations.refresh(&database).await?;
        let rates = Rates::new(config.limits.requests_per_minute);
        let hub = Arc::new(Self {
            config,
            surroundings,
            clock,
            database,
            organisations,
            metrics: Metrics::default(),
            documents: Arc::default(),
            rates,
            readiness: Readiness::default(),
            wake: Notify::new(),
        });
        // Nothing is signed at a time at which phones do not believe the keys.
        hub.renew_key_sets().await;
        Ok(hub)
    }

    /// Whether no organisation was made yet: then there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.organisations.all().is_empty()
    }

    /// The organisations there are.
    pub fn organisations(&self) -> Vec<OrganisationId> {
        self.organisations.all().iter().map(|context| context.organisation.clone()).collect()
    }

    /// Serves requests and sends mails until `stop` is over; then lets what is under way finish.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        // Drawn once in a hub's life: now, and not while the first invitation's transaction holds the writer.
        tokio::task::spawn_blocking(images::standard);
        let (stopping, mut stopped) = watch::channel(false);
        let sender = tokio::spawn(post::run(Arc::clone(&self), stopped.clone())?);
        let passing = tokio::spawn(passing::run(Arc::clone(&self), stopped.clone()));
        let tidying = tokio::spawn(tidy::run(Arc::clone(&self), stopped.clone()));
        let mut serving = {
            let (config, stopped) = (self.config.clone(), stopped.clone());
            let router = router::router(self);
            tokio::spawn(async move { connections::serve(listener, router, &config, stopped).await })
        };
        tokio::spawn(async move {
            stop.await;
            let _ = stopping.send(true);
        });
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = async {
                let _ = stopped.wait_for(|stopped| *stopped).await;
                tokio::time::sleep(GRACE).await;
            } => {
                tracing::warn!("requests were cut off: they took too long to finish");
                serving.abort();
                Ok(Ok(()))
            }
        };
        // What becomes of the mails under way is stored, so that none is sent twice that a server was quick to take.
        if sender.await.is_err() {
            tracing::error!("the sender of mails failed");
        }
        if tidying.await.is_err() {
            tracing::error!("what gives room back failed");
        }
        if passing.await.is_err() {
            tracing::error!("what the clock brings about failed");
        }
        Ok(ended.unwrap_or_else(|error| Err(std::io::Error::other(error)))?)
    }
}
