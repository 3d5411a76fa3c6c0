//! A key as the Secure Enclave and `StrongBox` make them, in software: P-256, and either of the two signatures.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use vestibule_core::keys::{DeviceSigner, PublicKey, SignerError};

/// A P-256 key. Hardware gives the signature with the higher `s` every second time; this one always or never.
pub struct HardwareKey {
    key: SigningKey,
    high: bool,
}

impl HardwareKey {
    /// Takes the private number.
    pub fn from_seed(seed: [u8; 32], high: bool) -> Self {
        Self { key: SigningKey::from_slice(&seed).expect("a number below the curve's order"), high }
    }
}

impl DeviceSigner for HardwareKey {
    fn public_key(&self) -> PublicKey {
        let point = self.key.verifying_key().to_sec1_point(true);
        PublicKey::Es256(point.as_bytes().try_into().expect("a compressed point has 33 bytes"))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature: Signature = self.key.sign(message);
        let low = signature.normalize_s().to_bytes().into();
        Ok(if self.high { other(low) } else { low }.to_vec())
    }
}

/// The other signature of the same message: `(r, n − s)` for `(r, s)`.
pub fn other(signature: [u8; 64]) -> [u8; 64] {
    let signature = Signature::from_slice(&signature).expect("a signature");
    let (r, s) = signature.split_scalars();
    Signature::from_scalars(r, -s).expect("n − s is no more zero than s").to_bytes().into()
}
