//! Who signs on a phone: the shell's secure hardware behind [`DeviceSigner`], or a key in software.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};

use super::thumbprint::ed25519_thumbprint;
use crate::id::Thumbprint;

/// The signer did not sign: the secure hardware is locked, or the key is gone. Completes "failed to sign: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device's key cannot be used now: {reason}")]
pub struct SignerError {
    /// What the shell says, without personal data.
    pub reason: String,
}

/// A public key with its algorithm: the algorithm belongs to the key, never to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum PublicKey {
    /// Ed25519 (RFC 8032): 32 bytes.
    #[n(0)]
    Ed25519(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 32],
    ),
    // 1 is kept for ES256 keys of secure hardware: the compressed point, 33 bytes.
}

impl PublicKey {
    /// Names the key (RFC 9679); `None` if the bytes are no point of the curve or a weak one.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        Some(ed25519_thumbprint(&self.verifying_key()?))
    }

    /// The COSE algorithm number of signatures by this key.
    pub(crate) fn algorithm(&self) -> i64 {
        match self {
            Self::Ed25519(_) => -8,
        }
    }

    fn verifying_key(&self) -> Option<VerifyingKey> {
        let Self::Ed25519(bytes) = self;
        VerifyingKey::from_bytes(bytes).ok().filter(|key| is_reduced(bytes) && !key.is_weak())
    }

    /// Strict verification: no malleable signature, no weak key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
        self.verifying_key().is_some_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

/// Whether the coordinate is below 2^255 − 19, as RFC 8032 (section 5.1.3) asks and the library does not: otherwise one
/// key would have two names.
fn is_reduced([low, middle @ .., high]: &[u8; 32]) -> bool {
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
}

/// Signs for a device. The private key never leaves the implementation.
pub trait DeviceSigner: Send + Sync {
    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Signs exactly these bytes: 64 bytes for Ed25519.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// An Ed25519 key held in memory, wiped when dropped.
pub struct SoftwareSigner(SigningKey);

impl SoftwareSigner {
    /// Takes the 32-byte seed of RFC 8032.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key, for the few signatures that are not `COSE_Sign1`.
    pub fn key(&self) -> &SigningKey {
        &self.0
    }
}

impl DeviceSigner for SoftwareSigner {
    fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}
