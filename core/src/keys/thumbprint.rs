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

/// The deterministic `COSE_Key` of a P-256 key up to its coordinates: a map of four, `1: 2` (EC2), `-1: 1` (P-256), `-2:`
/// a byte string of 32; then `-3:` another. RFC 9679 takes the uncompressed point.
const EC2_P256: [u8; 8] = [0xa4, 0x01, 0x02, 0x20, 0x01, 0x21, 0x58, 0x20];
const Y: [u8; 3] = [0x22, 0x58, 0x20];

/// The thumbprint of a P-256 key (RFC 9679): SHA-256 of the `COSE_Key` `{1: 2, -1: 1, -2: x, -3: y}`.
pub fn es256_thumbprint(key: &p256::ecdsa::VerifyingKey) -> Thumbprint {
    let point = key.to_sec1_point(false);
    // An uncompressed point is 4, x, y (SEC 1, section 2.3.3).
    let (x, y) = point.as_bytes()[1..].split_at(32);
    let digest = Sha256::new().chain_update(EC2_P256).chain_update(x).chain_update(Y).chain_update(y).finalize();
    Thumbprint(digest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As below, for P-256.
    #[test]
    fn the_hashed_bytes_of_a_p256_key_are_its_deterministic_cose_key() {
        use coset::{CborSerializable, CoseKeyBuilder, iana};
        let key = *p256::ecdsa::SigningKey::from_slice(&[9; 32]).expect("a key").verifying_key();
        let point = key.to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let cose = CoseKeyBuilder::new_ec2_pub_key(iana::EllipticCurve::P_256, x.to_vec(), y.to_vec()).build();
        let cose = cose.to_vec().expect("encodes");
        assert_eq!(cose, [&EC2_P256[..], x, &Y, y].concat());
        assert_eq!(es256_thumbprint(&key).as_bytes(), Sha256::digest(&cose).as_slice());
    }
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
