//! What the app provides: keys from its secure hardware, a token from its sign-in, and ears.
//!
//! All of it is called from threads of the library, at any time until the client is closed, and never under a lock of a
//! listener's. An implementation answers quickly: while a signature is made, nothing else is written.

use std::sync::{Arc, PoisonError, RwLock};

use vestibule_core::keys::{self, PublicKey, SignerError};
use vestibule_core::store::StoreKey;
use zeroize::Zeroizing;

use crate::error::{Outcome, VestibuleApiError};

/// Why the app could not provide something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ProviderError {
    /// Not now: the device is locked, the person has not signed in, the key is gone.
    #[error("not available: {reason}")]
    Unavailable {
        /// Why, without personal data.
        reason: String,
    },
    /// The implementation failed in a way it did not foresee.
    #[error("failed: {reason}")]
    Unexpected {
        /// What is known of it.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ProviderError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // The words of an exception may hold anything, so they stay out.
        Self::Unexpected { reason: "the app's implementation threw something else than a ProviderError".to_owned() }
    }
}

/// Keeps the key of the phone's file: in the Keychain (`kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly`) or wrapped by
/// the Keystore, out of every backup.
#[uniffi::export(foreign)]
pub trait KeyProvider: Send + Sync {
    /// The same 48 random bytes every time: 32 of key, 16 of salt. Asked for once, when the client is opened; the
    /// library wipes its copies.
    fn store_key(&self) -> Result<Vec<u8>, ProviderError>;
}

/// Gets bearer tokens from the organisation's sign-in (OAuth 2, OpenID Connect).
#[uniffi::export(foreign)]
pub trait TokenProvider: Send + Sync {
    /// A token for the hub at that address. Asked for by `sign_in` alone; from then on the device's key proves who it
    /// is. It may take its time: a person may be typing a password.
    fn bearer_token(&self, hub: String) -> Result<String, ProviderError>;
}

/// A public key of the device.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum DeviceKey {
    /// Ed25519 (RFC 8032), a key in software.
    Ed25519 {
        /// The 32 bytes of the public key.
        bytes: Vec<u8>,
    },
    /// ECDSA on P-256 with SHA-256, as the Secure Enclave and the Keystore make them.
    Es256 {
        /// The compressed point, 33 bytes (SEC 1, section 2.3.3).
        bytes: Vec<u8>,
    },
}

/// Signs for the device. The private key never leaves the implementation.
#[uniffi::export(foreign)]
pub trait DeviceSigner: Send + Sync {
    /// The public key, the same every time until `renew`. Asked for once, when the client is opened.
    fn public_key(&self) -> Result<DeviceKey, ProviderError>;

    /// Signs exactly these bytes: 64 bytes, for Ed25519 as RFC 8032 says, for ES256 `r` and `s` of 32 bytes each (RFC
    /// 7518, section 3.4), whichever `s` the hardware makes. It must not wait for a person: every write is signed.
    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, ProviderError>;

    /// Makes another key, keeps it where the present one is kept, and gives its public half; from then on it signs. Asked
    /// for where this phone turns out to be a copy of another: both sign with one key, and the hub takes work of one of
    /// them alone.
    fn renew(&self) -> Result<DeviceKey, ProviderError>;
}

/// The key of the phone's file, from the app.
pub(crate) fn store_key(keys: &dyn KeyProvider) -> Outcome<StoreKey> {
    let given = Zeroizing::new(keys.store_key()?);
    let mut key = Zeroizing::new([0; 48]);
    if given.len() != key.len() {
        let reason = format!("gave {} bytes; a store key has 48", given.len());
        return Err(VestibuleApiError::BadArgument { argument: "keys".to_owned(), reason });
    }
    key.copy_from_slice(&given);
    Ok(StoreKey::new(key))
}

/// The app's signer as the core knows signers.
pub(crate) struct Signer {
    key: RwLock<PublicKey>,
    app: Arc<dyn DeviceSigner>,
}

impl Signer {
    pub(crate) fn of(app: Arc<dyn DeviceSigner>) -> Outcome<Self> {
        let bad =
            |reason: &str| VestibuleApiError::BadArgument { argument: "signer".to_owned(), reason: reason.to_owned() };
        let key = good(app.public_key()?).map_err(bad)?;
        Ok(Self { key: RwLock::new(key), app })
    }
}

/// The key as the core knows keys, or what is wrong with it.
fn good(key: DeviceKey) -> Result<PublicKey, &'static str> {
    let key = match key {
        DeviceKey::Ed25519 { bytes } => {
            PublicKey::Ed25519(bytes.try_into().map_err(|_| "gave a key that has not 32 bytes")?)
        }
        DeviceKey::Es256 { bytes } => {
            PublicKey::Es256(bytes.try_into().map_err(|_| "gave a key that has not 33 bytes")?)
        }
    };
    if key.thumbprint().is_some() { Ok(key) } else { Err("gave a key that is no point of its curve") }
}

impl keys::DeviceSigner for Signer {
    fn public_key(&self) -> PublicKey {
        *self.key.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn renew(&self) -> Result<PublicKey, SignerError> {
        let renewed = self.app.renew().map_err(|error| SignerError { reason: error.to_string() })?;
        let renewed = good(renewed).map_err(|reason| SignerError { reason: reason.to_owned() })?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = renewed;
        Ok(renewed)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = self.app.sign(message.to_vec()).map_err(|error| SignerError { reason: error.to_string() })?;
        if signature.len() == 64 {
            Ok(signature)
        } else {
            Err(SignerError { reason: format!("the signature has {} bytes instead of 64", signature.len()) })
        }
    }
}
