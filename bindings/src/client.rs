//! The object a shell opens.

use std::path::Path;
use std::sync::Arc;

use vestibule_core::phone::{HostClient as CoreClient, SystemSurroundings};
use vestibule_core::store::Identity;
use vestibule_core::sync::HttpTransport;
use zeroize::Zeroizing;

use crate::argument::bad;
use crate::directory::DirectoryClient;
use crate::error::{Outcome, VestibuleApiError, guarded};
use crate::passes::Passes;
use crate::provider::{DeviceSigner, KeyProvider, Signer, TokenProvider, store_key};
use crate::runtime::{finished, runtime};
use crate::sync::Syncs;
use crate::visits::Visits;

/// A host's phone: its file, its key, and its way to the hub. It may be used from any thread, and by many at once.
///
/// Everything but `sign_in` and `sync` works with no network, and what a call has stored survives a pulled battery.
#[derive(uniffi::Object)]
pub struct HostClient {
    core: Arc<CoreClient>,
    tokens: Arc<dyn TokenProvider>,
}

/// Who is signed in on this phone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct IdentityView {
    /// The organisation's id.
    pub organisation: String,
    /// The member's id.
    pub member: String,
    /// The name of the device's key (RFC 9679), as an administrator sees it.
    pub device: String,
    /// The hub's address.
    pub hub: String,
}

impl From<Identity> for IdentityView {
    fn from(identity: Identity) -> Self {
        Self {
            organisation: identity.organisation.into(),
            member: identity.member.into(),
            device: identity.device.to_string(),
            hub: identity.hub,
        }
    }
}

#[uniffi::export]
impl HostClient {
    /// Opens the phone's file, or makes it. `path` is absolute; files of the same name with `-wal` and `-shm` behind it
    /// lie beside it, and all three stay out of backups.
    ///
    /// Errors: `WrongKey`, `UpdateApp` for a file of a later version, `Store` for one that cannot be used, `Provider`
    /// and `BadArgument` for what the app gave.
    #[uniffi::constructor]
    pub fn open(
        path: String,
        keys: Arc<dyn KeyProvider>,
        tokens: Arc<dyn TokenProvider>,
        signer: Arc<dyn DeviceSigner>,
    ) -> Outcome<Arc<Self>> {
        guarded(|| {
            let path = Path::new(&path);
            // SQLite has meanings of its own for some relative names, and for the empty one.
            if !path.is_absolute() {
                return Err(bad("path", "is not absolute"));
            }
            if path.as_os_str().as_encoded_bytes().contains(&0) {
                return Err(bad("path", "contains a NUL character"));
            }
            let signer = Arc::new(Signer::of(signer)?);
            let key = store_key(keys.as_ref())?;
            let transport = Box::new(HttpTransport::new());
            let core = CoreClient::open(path, &key, signer, transport, Arc::new(SystemSurroundings))?;
            Ok(Arc::new(Self { core: Arc::new(core), tokens }))
        })
    }

    /// Signs the member in on this device, with a token the app's `TokenProvider` gives for that hub. Signing in again
    /// keeps everything, unsent work included. Dropping the call gives it up.
    ///
    /// Errors: `Unreachable`, `BadAddress`, `SignInAgain` for a token that is not taken, `Refused`, `Provider`,
    /// `Cancelled` if the client is paused or closed meanwhile, `Closed`.
    pub async fn sign_in(&self, hub: String) -> Outcome<IdentityView> {
        self.identity_or_not_yet()?;
        let (core, tokens) = (Arc::clone(&self.core), Arc::clone(&self.tokens));
        let runtime = runtime()?;
        let asked = hub.clone();
        // A person may be typing a password: that must not hold a thread that syncs.
        let token = runtime.spawn_blocking(move || Ok(tokens.bearer_token(asked).map(Zeroizing::new)?));
        let token = finished(token).await?;
        let task = runtime.spawn(async move { Ok(core.sign_in(&hub, token.trim()).await?.into()) });
        finished(task).await
    }

    /// Who is signed in.
    ///
    /// Errors: `NotSignedIn`, `Closed`, `Store`.
    pub fn identity(&self) -> Outcome<IdentityView> {
        guarded(|| Ok(self.core.identity()?.into()))
    }

    /// The visits.
    pub fn visits(&self) -> Arc<Visits> {
        Arc::new(Visits { core: Arc::clone(&self.core) })
    }

    /// The organisation, for the pickers of the form.
    pub fn directory(&self) -> Arc<DirectoryClient> {
        Arc::new(DirectoryClient { core: Arc::clone(&self.core) })
    }

    /// Previews of what the visitor gets.
    pub fn passes(&self) -> Arc<Passes> {
        Arc::new(Passes { core: Arc::clone(&self.core) })
    }

    /// The way to the hub.
    pub fn sync(&self) -> Arc<Syncs> {
        Arc::new(Syncs { core: Arc::clone(&self.core) })
    }

    /// Before the app is suspended: a running sync is cancelled and waited for, observers are told nothing more, and the
    /// log is written back into the file. When it returns nothing holds a lock on the file, for which iOS would end the
    /// app (0xdead10cc). Calls of the app's own still work.
    ///
    /// Errors: `Closed`, `Store`.
    pub fn pause(&self) -> Outcome<()> {
        guarded(|| Ok(self.core.pause()?))
    }

    /// After a pause: observers are told what has changed, and a sync may begin.
    ///
    /// Errors: `Closed`.
    pub fn resume(&self) -> Outcome<()> {
        guarded(|| Ok(self.core.resume()?))
    }

    /// Closes the phone, from any thread, once or again: observers end, a running sync is cancelled, a running read is
    /// interrupted, a running write is finished, and the file is closed when this returns. A listener that runs is
    /// waited for at most two seconds; from within a listener nothing is waited for. Every later call gives `Closed`.
    pub fn close(&self) {
        // A panic would be a mistake of the library's, and there is nobody to tell.
        let _ = guarded(|| {
            self.core.close();
            Ok(())
        });
    }
}

impl HostClient {
    /// Whether the client is open and its file can be read: asked before a person is.
    fn identity_or_not_yet(&self) -> Outcome<()> {
        match self.identity() {
            Ok(_) | Err(VestibuleApiError::NotSignedIn) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
