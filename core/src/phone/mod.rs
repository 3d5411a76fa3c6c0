//! The object shells use: a host's phone.
//!
//! [`HostClient`] puts directory, drafts, store and sync together. Everything but [`HostClient::sign_in`] and
//! [`HostClient::sync`] works with no hub, and what a write acknowledged is durable.

mod error;
mod gate;
mod observe;
mod preview;
mod runs;
mod visits;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

pub use crate::sync::client::{Cancel, Surroundings};
pub use crate::sync::machine::Progress;
pub use error::PhoneError;
pub use observe::{ListDiff, ListListener, ListUpdate, Subscription, call_listener};
pub use preview::{PassLine, PassPlace, PassPreview, QR_PREVIEW, qr_preview};

use crate::clock::Clock;
use crate::directory::Directory;
use crate::id::MemberId;
use crate::keys::DeviceSigner;
use crate::store::{Identity, Moment, SetBack, Store, StoreError, StoreKey, SyncState, Trouble};
use crate::sync::Transport;
use crate::sync::client::{ClientError, SyncClient, in_moment};
use crate::sync::machine::Outcome;
use gate::{Gate, Pass};
use observe::{Desk, is_inside};
use runs::Runs;

/// The device's own clock and randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSurroundings;

impl Surroundings for SystemSurroundings {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system's random generator does not fail once the device has started");
    }
}

/// What a sync that left nothing to do has to tell a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SyncReport {
    /// The hub was set back to an earlier time, and was sent again what it had forgotten; said once.
    pub set_back: Option<SetBack>,
}

/// A host's phone: its file, its key, and its way to the hub. Shared between threads as it is.
///
/// ```
/// use std::sync::Arc;
///
/// use vestibule_core::keys::SoftwareSigner;
/// use vestibule_core::phone::{HostClient, SystemSurroundings};
/// use vestibule_core::store::{ListFilter, StoreKey};
/// use vestibule_core::sync::HttpTransport;
/// use vestibule_core::visit::Tab;
///
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("ada.db");
/// // On a phone, both keys are the Keychain's or Keystore's.
/// let key = StoreKey::new(zeroize::Zeroizing::new([7; 48]));
/// let signer = Arc::new(SoftwareSigner::from_seed(&[7; 32]));
/// let transport = Box::new(HttpTransport::new());
/// let phone = HostClient::open(&path, &key, signer, transport, Arc::new(SystemSurroundings))?;
///
/// // Page by page, until there is no next one.
/// let mut after = None;
/// loop {
///     let page = phone.list(ListFilter::Tab(Tab::Upcoming), 50, after)?;
///     assert!(page.items.is_empty(), "nobody is invited yet");
///     after = page.next;
///     if after.is_none() {
///         break;
///     }
/// }
/// phone.close();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HostClient {
    store: Arc<Gate<Store>>,
    signer: Arc<dyn DeviceSigner>,
    clock: Arc<Clock>,
    client: SyncClient,
    runs: Runs,
    desk: Arc<Desk>,
}

impl HostClient {
    /// Opens the phone's file, or makes it.
    ///
    /// # Errors
    /// [`PhoneError::Store`] for a wrong key, a file of a later version, or one that cannot be used.
    pub fn open(
        path: &Path,
        key: &StoreKey,
        signer: Arc<dyn DeviceSigner>,
        transport: Box<dyn Transport>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, PhoneError> {
        let store = Arc::new(Gate::new(Store::open(path, key)?));
        let clock = Arc::new(Clock::new(surroundings));
        clock.recall(store.enter()?.heard()?);
        let desk = Desk::new(Arc::clone(&store), Arc::clone(&clock) as Arc<dyn Surroundings>);
        let watcher = Arc::downgrade(&desk);
        store.enter()?.watch(move || {
            if let Some(desk) = watcher.upgrade() {
                desk.ring();
            }
        });
        Ok(Self { store, signer, clock, client: SyncClient::new(transport), runs: Runs::default(), desk })
    }

    /// Signs the member in on this device with a bearer token of their identity provider. Signing in again keeps
    /// everything, unsent work included.
    pub async fn sign_in(&self, hub: &str, bearer: &str) -> Result<Identity, PhoneError> {
        let store = self.store()?;
        let run = self.runs.begin()?;
        let signer = self.signer.as_ref();
        let signed_in = self.client.sign_in(&store, hub, bearer, signer, self.clock.as_ref());
        let identity = run.stop.or(signed_in).await.ok_or(PhoneError::Cancelled)??;
        tracing::info!("a member signed in");
        Ok(identity)
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn identity(&self) -> Result<Identity, PhoneError> {
        Ok(self.store()?.identity()?)
    }

    /// The organisation as this phone knows it.
    pub fn directory(&self) -> Result<Arc<Directory>, PhoneError> {
        Ok(self.store()?.directory()?)
    }

    /// Sends what waits and fetches what is new; returns when both are done. Where another phone turns out to sign with this
    /// one's key, the signer is asked for a new one ([`DeviceSigner::renew`]) and everything unsent goes out under that.
    ///
    /// # Errors
    /// [`PhoneError::Unreachable`], [`PhoneError::SignInAgain`], [`PhoneError::HubRestored`], [`PhoneError::NeedsNewKey`],
    /// [`PhoneError::Cancelled`]
    /// (also by [`pause`](Self::pause) and [`close`](Self::close)), [`PhoneError::Disbelieved`],
    /// [`PhoneError::Refused`]; whatever it is, unsent work is kept.
    pub async fn sync(
        &self,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &Cancel,
    ) -> Result<SyncReport, PhoneError> {
        let store = self.store()?;
        let run = self.runs.begin()?;
        let report = |now| {
            call_listener(|| progress(now));
        };
        let (signer, clock) = (self.signer.as_ref(), self.clock.as_ref());
        // Every wait of a sync may be its last: what was taken before it stays.
        let ended = cancel.or(self.client.sync(&store, signer, clock, &report, &run.stop)).await;
        let ended = match ended {
            Some(Ok(Outcome::NeedsNewKey)) => cancel.or(self.sync_under_new_key(&store, &report, &run.stop)).await,
            other => other.map(|ended| ended.map_err(PhoneError::from)),
        };
        let ended = match ended.transpose() {
            Ok(outcome) => error::of_outcome(outcome.unwrap_or(Outcome::Cancelled)),
            Err(error) => Err(error),
        };
        let ended = match ended {
            Ok(()) => Ok(SyncReport { set_back: store.set_back()? }),
            Err(error) => Err(error),
        };
        match &ended {
            Ok(_) => tracing::info!("a sync ended with nothing left to do"),
            Err(error) => tracing::info!(why = error.kind(), "a sync ended early"),
        }
        ended
    }

    /// Gives this device a key of its own, and syncs again.
    async fn sync_under_new_key(
        &self,
        store: &Store,
        report: &(dyn Fn(Progress) + Send + Sync),
        stop: &Cancel,
    ) -> Result<Outcome, PhoneError> {
        let (signer, clock) = (self.signer.as_ref(), self.clock.as_ref());
        tracing::warn!("another phone signs with this one's key; this one takes a new one");
        match self.client.succeed(store, signer, clock).await {
            Ok(()) => Ok(self.client.sync(store, signer, clock, report, stop).await?),
            Err(ClientError::SignInAgain | ClientError::Refused { .. } | ClientError::Store(StoreError::Signer(_))) => {
                Ok(Outcome::NeedsNewKey)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// When the last sync ended, and what the hub last said of itself.
    pub fn sync_state(&self) -> Result<SyncState, PhoneError> {
        Ok(self.store()?.sync_state()?)
    }

    /// What the hub sent and this phone cannot use: rows this version does not understand, and rows it could not take. They
    /// are kept, and read again after an update of the app.
    pub fn trouble(&self) -> Result<Vec<Trouble>, PhoneError> {
        Ok(self.store()?.trouble()?)
    }

    /// Whether something is shown wrong, because the hub uses what this version does not know: a person is to be told to
    /// update the app. Everything else goes on as before; the visits concerned ask for attention with the problem
    /// `update_app`.
    pub fn needs_update(&self) -> Result<bool, PhoneError> {
        Ok(self.store()?.needs_update()?)
    }

    /// How far this phone's clock is ahead of the hub's (behind is negative), where that is more than two minutes and a
    /// person who reads times on it should know. Everything here goes by the hub's clock, as it was heard last.
    pub fn clock_off_by(&self) -> Option<TimeDelta> {
        self.clock.off_by()
    }

    /// Before the app is suspended: a running sync is cancelled and waited for, observers are told nothing more, and the
    /// log is written back into the file. When it returns, nothing this phone had begun holds a lock on the file, for
    /// which iOS would end the app (0xdead10cc). Reads and writes still work; each lets go of the file when it returns.
    ///
    /// # Errors
    /// [`PhoneError::Closed`]; [`PhoneError::Store`] if the log cannot be written, which loses nothing.
    pub fn pause(&self) -> Result<(), PhoneError> {
        let store = self.store()?;
        self.desk.pause();
        self.runs.stop(!is_inside());
        Ok(store.checkpoint()?)
    }

    /// After a [`pause`](Self::pause): observers are told what has changed, by time passing or another process of the
    /// app too, and a sync may begin.
    ///
    /// # Errors
    /// [`PhoneError::Closed`].
    pub fn resume(&self) -> Result<(), PhoneError> {
        let store = self.store()?;
        store.forget_directory();
        self.clock.recall(store.heard()?);
        self.runs.go_on();
        self.desk.go_on();
        Ok(())
    }

    /// Interrupts the read that is running, from any thread.
    pub fn interrupt(&self) -> Result<(), PhoneError> {
        self.store()?.interrupt();
        Ok(())
    }

    /// Closes the phone, from any thread, once or again: observers end, a running sync is cancelled, a running read is
    /// interrupted, a running write is finished, and the file is closed when this returns. A listener that runs is
    /// waited for at most two seconds. From within a listener nothing is waited for.
    ///
    /// What comes after it fails with [`PhoneError::Closed`].
    pub fn close(&self) {
        let wait = !is_inside();
        self.desk.close();
        self.runs.stop(wait);
        self.store.close(wait, Store::interrupt);
        if wait {
            self.desk.wait_until_out();
        }
    }

    fn store(&self) -> Result<Pass<'_, Store>, PhoneError> {
        Ok(self.store.enter()?)
    }

    fn me(&self) -> Result<MemberId, PhoneError> {
        Ok(self.store()?.identity()?.member)
    }

    fn in_moment<T>(&self, work: impl FnOnce(&mut Moment<'_>) -> T) -> T {
        in_moment(self.clock.as_ref(), work)
    }
}

/// Dropping it ends what it has begun, and waits for nothing.
impl Drop for HostClient {
    fn drop(&mut self) {
        self.desk.close();
    }
}

#[cfg(test)]
mod fake_hub;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tomorrow_tests;
#[cfg(test)]
mod trouble_tests;
