//! The name of a public key: SHA-256 over its smallest deterministic COSE form (RFC 9679).
//!
//! Two parties that hold one key find the same name for it without agreeing on anything else, and a key of another
//! algorithm never shares a name with it, because the form says what kind of key it is.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use crate::id::Thumbprint;

/// The deterministic `COSE_Key` of an Ed25519 key up to its 32 bytes: a map of three, `1: 1` (OKP), `-1: 6` (Ed25519),
/// `-2:` a byte string of 32. RFC 9679 section 4.1 orders the labels bytewise: 0x01, 0x20, 0x21.
const OKP_ED25519: [u8; 8] = [0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20];

/// The thumbprint of an Ed25519 key (RFC 9679): SHA-256 of the `COSE_Key` `{1: 1, -1: 6, -2: x}`.
///
/// ```
/// use ed25519_dalek::SigningKey;
/// use vestibule_core::keys::thumbprint::ed25519_thumbprint;
///
/// let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
/// assert_eq!(ed25519_thumbprint(&key), ed25519_thumbprint(&key));
/// ```
pub fn ed25519_thumbprint(key: &VerifyingKey) -> Thumbprint {
    let digest = Sha256::new().chain_update(OKP_ED25519).chain_update(key.as_bytes()).finalize();
    Thumbprint(digest.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;

    /// The bytes that are hashed are the ones a COSE library writes for the key's required members (RFC 9679).
    #[test]
    fn the_hashed_bytes_are_the_deterministic_cose_key() {
        use coset::{CborSerializable, CoseKeyBuilder, iana};
        let key = SigningKey::from_bytes(&[9; 32]).verifying_key();
        let cose = CoseKeyBuilder::new_okp_key()
            .param(iana::OkpKeyParameter::Crv as i64, coset::cbor::Value::from(iana::EllipticCurve::Ed25519 as i64))
            .param(iana::OkpKeyParameter::X as i64, coset::cbor::Value::Bytes(key.as_bytes().to_vec()))
            .build()
            .to_vec()
            .expect("encodes");
        assert_eq!(cose, [&OKP_ED25519[..], key.as_bytes()].concat());
        assert_eq!(ed25519_thumbprint(&key).as_bytes(), Sha256::digest(&cose).as_slice());
    }

    #[test]
    fn another_key_has_another_name() {
        let of = |seed| ed25519_thumbprint(&SigningKey::from_bytes(&[seed; 32]).verifying_key());
        assert_ne!(of(1), of(2));
    }
}
