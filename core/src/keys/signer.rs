//! Who signs on a phone: the shell's secure hardware behind [`DeviceSigner`], or a key in software.

use coset::iana;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use minicbor::{Decode, Encode};
use p256::ecdsa::signature::Verifier as _;

use super::thumbprint::{ed25519_thumbprint, es256_thumbprint};
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
    /// ECDSA on P-256 with SHA-256, as secure hardware makes it: the compressed point (SEC 1, section 2.3.3), 33 bytes.
    #[n(1)]
    Es256(
        #[n(0)]
        #[cbor(with = "minicbor::bytes")]
        [u8; 33],
    ),
}

impl PublicKey {
    /// Names the key (RFC 9679); `None` if the bytes are no point of the curve or a weak one.
    pub fn thumbprint(&self) -> Option<Thumbprint> {
        self.point().map(|point| point.thumbprint())
    }

    /// The point the bytes stand for, if it is a good one. Finding it takes a square root in the field.
    pub(super) fn point(&self) -> Option<Point> {
        match self {
            Self::Ed25519(bytes) => ed25519_key(bytes).map(Point::Ed25519),
            Self::Es256(bytes) => es256_key(bytes).map(Point::Es256),
        }
    }

    /// The COSE algorithm of signatures by this key.
    pub(crate) fn algorithm(&self) -> iana::Algorithm {
        match self {
            Self::Ed25519(_) => iana::Algorithm::EdDSA,
            Self::Es256(_) => iana::Algorithm::ES256,
        }
    }

    /// The name of the algorithm in a JSON Web Token (RFC 7518, RFC 8037).
    pub fn jwt_algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "EdDSA",
            Self::Es256(_) => "ES256",
        }
    }

    /// As [`Point::verifies`]; never true of a key that is none.
    #[cfg(test)]
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.point().is_some_and(|point| point.verifies(message, signature))
    }
}

/// A public key that was found to be a good point of its curve.
pub(super) enum Point {
    Ed25519(VerifyingKey),
    Es256(p256::ecdsa::VerifyingKey),
}

impl Point {
    /// Names the key (RFC 9679).
    pub(super) fn thumbprint(&self) -> Thumbprint {
        match self {
            Self::Ed25519(key) => ed25519_thumbprint(key),
            Self::Es256(key) => es256_thumbprint(key),
        }
    }

    /// Strict verification: no malleable signature, no weak key. Of the two ECDSA signatures `(r, s)` and `(r, n − s)` the
    /// one with the lower `s` is taken: [`DeviceSigner::sign_strictly`] gives that one, whichever the hardware made.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => {
                let Ok(signature) = ed25519_dalek::Signature::from_slice(signature) else { return false };
                key.verify_strict(message, &signature).is_ok()
            }
            Self::Es256(key) => {
                let Ok(signature) = p256::ecdsa::Signature::from_slice(signature) else { return false };
                signature.normalize_s() == signature && key.verify(message, &signature).is_ok()
            }
        }
    }
}

fn ed25519_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes).ok().filter(|key| is_reduced(bytes) && !key.is_weak())
}

/// The curve has prime order: every point but the one at infinity, which has no such encoding, is a good key.
fn es256_key(bytes: &[u8; 33]) -> Option<p256::ecdsa::VerifyingKey> {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).ok()
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

    /// Names the public half; `None` if it is no good key. A signer that knows the name need not find it anew for every
    /// signature.
    fn thumbprint(&self) -> Option<Thumbprint> {
        self.public_key().thumbprint()
    }

    /// Signs exactly these bytes: 64 bytes for Ed25519 (RFC 8032), and for ES256 `r` and `s` of 32 bytes each.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;

    /// Makes another key, which signs from now on and is there after a restart, and gives its public half. Asked for where
    /// another phone turned out to sign with the present one.
    ///
    /// # Errors
    /// A device that makes no other key; then a person signs in on it anew.
    fn renew(&self) -> Result<PublicKey, SignerError> {
        Err(SignerError { reason: "this device makes no other key".to_owned() })
    }

    /// The signature in the one form that is believed: of an ECDSA signature the one with the lower `s`, which secure
    /// hardware does not see to. A signature that anyone could write differently would give an envelope a second hash,
    /// and make its device look like a clone.
    fn sign_strictly(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = self.sign(message)?;
        match self.public_key() {
            PublicKey::Ed25519(_) => Ok(signature),
            PublicKey::Es256(_) => {
                let parsed = p256::ecdsa::Signature::from_slice(&signature);
                let parsed = parsed.map_err(|_| SignerError { reason: "it gave no ECDSA signature".to_owned() })?;
                Ok(parsed.normalize_s().to_bytes().to_vec())
            }
        }
    }
}

/// An Ed25519 key held in memory, wiped when dropped.
pub struct SoftwareSigner {
    key: SigningKey,
    thumbprint: Option<Thumbprint>,
}

impl SoftwareSigner {
    /// Takes the 32-byte seed of RFC 8032.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let thumbprint = PublicKey::Ed25519(key.verifying_key().to_bytes()).thumbprint();
        Self { key, thumbprint }
    }

    /// The key, for the few signatures that are not `COSE_Sign1`.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl DeviceSigner for SoftwareSigner {
    fn public_key(&self) -> PublicKey {
        PublicKey::Ed25519(self.key.verifying_key().to_bytes())
    }

    fn thumbprint(&self) -> Option<Thumbprint> {
        self.thumbprint
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.key.sign(message).to_bytes().to_vec())
    }
}

#[cfg(test)]
pub(crate) mod es256 {
    //! A P-256 key in software, for tests: it gives whichever of the two signatures it is told to.

    use p256::ecdsa::signature::Signer as _;
    use p256::ecdsa::{Signature, SigningKey};

    use super::{DeviceSigner, PublicKey, SignerError};

    pub(crate) struct Es256Signer {
        pub(crate) key: SigningKey,
        pub(crate) high: bool,
    }

    impl Es256Signer {
        pub(crate) fn from_seed(seed: u8) -> Self {
            Self { key: SigningKey::from_slice(&[seed; 32]).expect("a scalar of the curve"), high: false }
        }
    }

    /// The other signature of the two.
    pub(crate) fn other(signature: &Signature) -> Signature {
        let (r, s) = signature.split_scalars();
        Signature::from_scalars(r, -s).expect("n − s is no more zero than s")
    }

    impl DeviceSigner for Es256Signer {
        fn public_key(&self) -> PublicKey {
            let point = self.key.verifying_key().to_sec1_point(true);
            PublicKey::Es256(point.as_bytes().try_into().expect("a compressed point has 33 bytes"))
        }

        fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
            let signature: Signature = self.key.sign(message);
            let low = signature.normalize_s();
            Ok(if self.high { other(&low) } else { low }.to_bytes().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::es256::Es256Signer;
    use super::*;
    use crate::cbor;

    /// What the hardware gives is brought into the one form; the other one is not believed.
    #[test]
    fn an_ecdsa_signature_has_one_form() {
        for high in [false, true] {
            let signer = Es256Signer { high, ..Es256Signer::from_seed(5) };
            let key = signer.public_key();
            let raw = signer.sign(b"message").expect("signs");
            assert_eq!(key.verifies(b"message", &raw), !high);
            let strict = signer.sign_strictly(b"message").expect("signs");
            assert!(key.verifies(b"message", &strict) && !key.verifies(b"massage", &strict));
        }
    }

    /// The name a signer keeps is the one that everybody finds for its key.
    #[test]
    fn a_signer_knows_its_name() {
        let signer = SoftwareSigner::from_seed(&[3; 32]);
        assert_eq!(signer.thumbprint(), signer.public_key().thumbprint());
        assert!(signer.thumbprint().is_some());
    }

    #[test]
    fn what_is_no_point_is_no_key() {
        let good = Es256Signer::from_seed(5).public_key();
        let PublicKey::Es256(good) = good else { unreachable!("it is one") };
        let mut uncompressed_mark = good;
        uncompressed_mark[0] = 4;
        let mut infinity = [0; 33];
        infinity[0] = 0;
        let mut beyond = [0xff; 33];
        beyond[0] = 2;
        // x³ − 3x + b is no square there.
        let mut off_curve = [0; 33];
        (off_curve[0], off_curve[32]) = (2, 1);
        for bytes in [uncompressed_mark, infinity, beyond, off_curve] {
            let key = PublicKey::Es256(bytes);
            assert_eq!(key.thumbprint(), None, "{}", hex::encode(bytes));
            assert!(!key.verifies(b"anything", &[1; 64]));
        }
        for length in [0, 63, 65] {
            assert!(!PublicKey::Es256(good).verifies(b"anything", &vec![1; length]));
        }
        for scalars in [[0; 64], [0xff; 64]] {
            assert!(!PublicKey::Es256(good).verifies(b"anything", &scalars));
        }
    }

    /// Golden: the number of the algorithm stands before the bytes (docs/protocol.md).
    #[test]
    fn a_public_key_says_its_algorithm() {
        let ed = cbor::write(&SoftwareSigner::from_seed(&[3; 32]).public_key());
        assert_eq!(ed[..5], [0x82, 0x00, 0x81, 0x58, 0x20]);
        let es = cbor::write(&Es256Signer::from_seed(5).public_key());
        assert_eq!((es[..5].to_vec(), es.len()), (vec![0x82, 0x01, 0x81, 0x58, 0x21], 38));
    }
}
