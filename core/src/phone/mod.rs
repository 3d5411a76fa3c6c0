//! The object shells use: a host's phone.
//!
//! [`HostClient`] puts directory, drafts, store and sync together. Everything but [`HostClient::sign_in`] and
//! [`HostClient::sync`] works with no hub, and what a write acknowledged is durable.

mod error;
mod preview;
mod visits;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use crate::sync::client::{Cancel, Surroundings};
pub use crate::sync::machine::Progress;
pub use error::PhoneError;

use crate::directory::Directory;
use crate::id::MemberId;
use crate::keys::DeviceSigner;
use crate::store::{Identity, Moment, Store, StoreKey, SyncState};
use crate::sync::Transport;
use crate::sync::client::{SyncClient, in_moment};

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
/// let transport = Box::new(HttpTransport::new()?);
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
/// phone.close()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HostClient {
    store: Store,
    signer: Arc<dyn DeviceSigner>,
    surroundings: Arc<dyn Surroundings>,
    client: SyncClient,
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
        let store = Store::open(path, key)?;
        Ok(Self { store, signer, surroundings, client: SyncClient::new(transport) })
    }

    /// Signs the member in on this device with a bearer token of their identity provider. Signing in again keeps
    /// everything, unsent work included.
    pub async fn sign_in(&self, hub: &str, bearer: &str) -> Result<Identity, PhoneError> {
        Ok(self.client.sign_in(&self.store, hub, bearer, self.signer.as_ref(), self.surroundings.as_ref()).await?)
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// [`PhoneError::NotSignedIn`].
    pub fn identity(&self) -> Result<Identity, PhoneError> {
        Ok(self.store.identity()?)
    }

    /// The organisation as this phone knows it.
    pub fn directory(&self) -> Result<Arc<Directory>, PhoneError> {
        Ok(self.store.directory()?)
    }

    /// Sends what waits and fetches what is new; returns when both are done.
    ///
    /// # Errors
    /// [`PhoneError::Unreachable`], [`PhoneError::SignInAgain`], [`PhoneError::HubRestored`], [`PhoneError::Cancelled`],
    /// [`PhoneError::Disbelieved`], [`PhoneError::Refused`]; whatever it is, unsent work is kept.
    pub async fn sync(&self, progress: &(dyn Fn(Progress) + Send + Sync), cancel: &Cancel) -> Result<(), PhoneError> {
        let run = self.client.sync(&self.store, self.signer.as_ref(), self.surroundings.as_ref(), progress, cancel);
        error::of_outcome(run.await?)
    }

    /// When the last sync ended, and what the hub last said of itself.
    pub fn sync_state(&self) -> Result<SyncState, PhoneError> {
        Ok(self.store.sync_state()?)
    }

    /// Before the app is suspended: the log is written back into the file.
    pub fn pause(&self) -> Result<(), PhoneError> {
        Ok(self.store.checkpoint()?)
    }

    /// Interrupts the read that is running, from any thread.
    pub fn interrupt(&self) {
        self.store.interrupt_handle().interrupt();
    }

    /// Closes the file.
    pub fn close(self) -> Result<(), PhoneError> {
        Ok(self.store.close()?)
    }

    fn me(&self) -> Result<MemberId, PhoneError> {
        Ok(self.store.identity()?.member)
    }

    fn in_moment<T>(&self, work: impl FnOnce(&mut Moment<'_>) -> T) -> T {
        in_moment(self.surroundings.as_ref(), work)
    }
}

#[cfg(test)]
mod fake_hub;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trouble_tests;
