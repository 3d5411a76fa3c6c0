//! HTTP around the hub: `vestibule serve`.
//!
//! A request comes in through [`trace`] (its line in the log, its place in the [`metrics`]) and the [`router`]; its body
//! is read within limits ([`body`]), its sender known ([`authenticate`]); then a plain function decides in one
//! transaction of the [`database`], and the answer, or a refusal as problem details ([`problem`]), goes out. Beside the
//! requests runs the sender of mails ([`post`]), woken when a sync leaves a mail due and every second, and what the clock
//! alone brings about ([`passing`]).
//!
//! Clock and randomness are [`Surroundings`], passed in: a test decides both.

mod authenticate;
mod body;
mod database;
mod metrics;
mod organisations;
mod packing;
mod pages;
mod passing;
mod post;
mod problem;
mod router;
mod sign_in;
mod sync;
mod trace;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use vestibule_core::wallet::images;

use crate::config::{Config, DataDir};
use crate::judge::Documents;
use crate::store::StoreError;
use database::Database;
use metrics::Metrics;
use organisations::Organisations;

/// The threads a hub runs on: one that carries bytes between sockets and requests, and those that may block, which do the
/// work. A second one for the sockets would mostly be woken to find nothing to do.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// How long requests that are under way may take once the hub is told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// The hub's clock and its source of randomness.
#[derive(Clone)]
pub struct Surroundings {
    /// The time.
    pub clock: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
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
        Self { clock: Arc::new(Utc::now), seed: Arc::new(seed) }
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
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
    database: Database,
    organisations: Organisations,
    metrics: Metrics,
    /// Documents judged lately.
    documents: Arc<Documents>,
    /// Something may wait in the outbox.
    wake: Notify,
}

impl Hub {
    /// Opens database, keys and settings of a directory.
    pub async fn open(dir: DataDir, config: Config, surroundings: Surroundings) -> Result<Arc<Self>, ServeError> {
        let database = Database::open(&dir.database())?;
        let organisations = Organisations::new(dir, config.clone(), surroundings.clone());
        organisations.refresh(&database).await?;
        Ok(Arc::new(Self {
            config,
            surroundings,
            database,
            organisations,
            metrics: Metrics::default(),
            documents: Arc::default(),
            wake: Notify::new(),
        }))
    }

    /// Whether no organisation was made yet: then there is nothing to serve.
    pub fn is_empty(&self) -> bool {
        self.organisations.all().is_empty()
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
        let mut serving = {
            let mut stopped = stopped.clone();
            let wait = async move {
                // An error says that the other end is gone: the hub stops as well.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            tokio::spawn(axum::serve(listener, router::router(self)).with_graceful_shutdown(wait).into_future())
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
        if passing.await.is_err() {
            tracing::error!("what the clock brings about failed");
        }
        Ok(ended.unwrap_or_else(|error| Err(std::io::Error::other(error)))?)
    }
}
