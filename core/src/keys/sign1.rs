//! `COSE_Sign1` (RFC 9052) as we use it: algorithm and key id protected, nothing unprotected, one encoding only.

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder};

use super::{DeviceSigner, PublicKey, SignerError};
use crate::id::Thumbprint;

/// `{1: alg, 4: bstr .size 32}` with an algorithm of one byte: `EdDSA` or ES256.
const PROTECTED_BYTES: usize = 38;
/// Of Ed25519 and of ES256 alike.
const SIGNATURE_BYTES: usize = 64;

/// What a signature is for; it stands in the signed bytes as `external_aad`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A phone's envelope over changes and requests.
    Envelope,
    /// A phone's proof at enrolment that it holds its key.
    Enrolment,
    /// A key set, by the organisation's root.
    KeySet,
    /// A page of a feed scope, by the hub.
    Page,
    /// The small statement every answer carries, by the hub.
    Statement,
    /// Receipts for what a phone pushed, by the hub.
    Receipts,
    /// The hub's time, in a refusal for a wrong clock.
    Time,
    /// That another life of the hub's database has begun, by the hub.
    Restored,
}

impl Purpose {
    /// The external data of RFC 9052, section 4.3.
    pub fn external_aad(self) -> &'static [u8] {
        match self {
            Self::Envelope => b"vestibule/envelope/1",
            Self::Enrolment => b"vestibule/enrolment/1",
            Self::KeySet => b"vestibule/key-set/1",
            Self::Page => b"vestibule/page/1",
            Self::Statement => b"vestibule/statement/1",
            Self::Receipts => b"vestibule/receipts/1",
            Self::Time => b"vestibule/time/1",
            Self::Restored => b"vestibule/restored/1",
        }
    }
}

/// Why signed bytes are not believed; completes "failed to verify a signature: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not a `COSE_Sign1` in the one form we write, or with anything behind it.
    #[error("the bytes are not a COSE_Sign1 in its one form")]
    Garbage,
    /// The header names another algorithm than the key has.
    #[error("the algorithm is not the key's")]
    Algorithm,
    /// The header names another key.
    #[error("the signature names a key that is not known for this use and time")]
    UnknownKey,
    /// The signature is not the key's over these bytes for this purpose.
    #[error("the signature does not verify")]
    Forged,
}

/// A `COSE_Sign1` that was read but not yet verified.
#[derive(Debug, Clone)]
pub struct Sign1 {
    inner: CoseSign1,
    signer: Thumbprint,
}

impl Sign1 {
    /// Reads the one form we write: protected algorithm and 32-byte key id, an embedded payload, nothing else.
    pub fn read(bytes: &[u8]) -> Result<Self, SignatureError> {
        if !has_our_shape(bytes) {
            return Err(SignatureError::Garbage);
        }
        let inner = CoseSign1::from_slice(bytes).map_err(|_| SignatureError::Garbage)?;
        let header = &inner.protected.header;
        let signer = Thumbprint::try_from(header.key_id.as_slice()).map_err(|_| SignatureError::Garbage)?;
        let rebuilt = CoseSign1Builder::new().protected(HeaderBuilder::new().build()).build();
        let nothing_else = header.crit.is_empty()
            && header.content_type.is_none()
            && header.iv.is_empty()
            && header.partial_iv.is_empty()
            && header.counter_signatures.is_empty()
            && header.rest.is_empty()
            && inner.unprotected == rebuilt.unprotected
            && inner.payload.is_some();
        let mut canonical = inner.clone();
        canonical.protected.original_data = None;
        if !nothing_else || canonical.to_vec().map_err(|_| SignatureError::Garbage)? != bytes {
            return Err(SignatureError::Garbage);
        }
        Ok(Self { inner, signer })
    }

    /// The key the signature names.
    pub fn signer(&self) -> Thumbprint {
        self.signer
    }

    /// The payload, **not yet believed**: only to find the key by.
    pub fn unverified_payload(&self) -> &[u8] {
        self.inner.payload.as_deref().unwrap_or_default()
    }

    /// Verifies strictly and gives the payload.
    pub fn verify(&self, purpose: Purpose, key: &PublicKey) -> Result<&[u8], SignatureError> {
        let point = key.point().filter(|point| point.thumbprint() == self.signer).ok_or(SignatureError::UnknownKey)?;
        let named = &self.inner.protected.header.alg;
        if *named != Some(coset::RegisteredLabelWithPrivate::Assigned(key.algorithm())) {
            return Err(SignatureError::Algorithm);
        }
        self.inner.verify_signature(purpose.external_aad(), |signature, message| {
            if point.verifies(message, signature) { Ok(()) } else { Err(SignatureError::Forged) }
        })?;
        Ok(self.unverified_payload())
    }
}

/// Whether the bytes are `[bstr .size 38, {}, bstr, bstr .size 64]`. Asked first, since the general reader of COSE builds
/// a tree of whatever it is given: 32 bytes of memory for a byte, and stack for each of 256 levels.
fn has_our_shape(bytes: &[u8]) -> bool {
    let mut d = minicbor::Decoder::new(bytes);
    matches!(d.array(), Ok(Some(4)))
        && d.bytes().is_ok_and(|protected| protected.len() == PROTECTED_BYTES)
        && matches!(d.map(), Ok(Some(0)))
        && d.bytes().is_ok()
        && d.bytes().is_ok_and(|signature| signature.len() == SIGNATURE_BYTES)
        && d.position() == bytes.len()
}

/// Signs a payload for one purpose.
pub fn sign(purpose: Purpose, payload: Vec<u8>, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
    let key = signer.public_key();
    let thumbprint =
        signer.thumbprint().ok_or_else(|| SignerError { reason: "its public key is no valid key".into() })?;
    let header = HeaderBuilder::new().algorithm(key.algorithm()).key_id(thumbprint.as_bytes().to_vec()).build();
    let signed = CoseSign1Builder::new()
        .protected(header)
        .payload(payload)
        .try_create_signature(purpose.external_aad(), |message| signer.sign_strictly(message))?
        .build();
    Ok(signed.to_vec().expect("an algorithm, a key id and byte strings always encode"))
}

#[cfg(test)]
mod tests {
    use super::super::SoftwareSigner;
    use super::super::es256::Es256Signer;
    use super::*;

    fn signer() -> SoftwareSigner {
        SoftwareSigner::from_seed(&[1; 32])
    }

    #[test]
    fn what_is_signed_for_one_purpose_serves_no_other() {
        let bytes = sign(Purpose::Page, b"rows".to_vec(), &signer()).expect("signs");
        let read = Sign1::read(&bytes).expect("reads");
        let key = signer().public_key();
        assert_eq!(read.verify(Purpose::Page, &key), Ok(b"rows".as_slice()));
        assert_eq!(read.verify(Purpose::Statement, &key), Err(SignatureError::Forged));
        let other = SoftwareSigner::from_seed(&[2; 32]).public_key();
        assert_eq!(read.verify(Purpose::Page, &other), Err(SignatureError::UnknownKey));
    }

    /// A key of secure hardware signs in the same form; a header that names the other algorithm is refused.
    #[test]
    fn the_algorithm_is_the_keys() {
        let es256 = Es256Signer { high: true, ..Es256Signer::from_seed(7) };
        let bytes = sign(Purpose::Envelope, b"payload".to_vec(), &es256).expect("signs");
        assert_eq!(bytes[3..6], [0xa2, 0x01, 0x26], "{{1: -7, …}}");
        let read = Sign1::read(&bytes).expect("reads");
        assert_eq!(read.verify(Purpose::Envelope, &es256.public_key()), Ok(b"payload".as_slice()));
        let mut renamed = bytes;
        renamed[5] = 0x27;
        let verdict = Sign1::read(&renamed).expect("is of the form");
        assert_eq!(verdict.verify(Purpose::Envelope, &es256.public_key()), Err(SignatureError::Algorithm));
    }

    #[test]
    fn no_flipped_bit_and_no_extra_byte_verifies_es256() {
        flip_every_bit(&Es256Signer::from_seed(7));
    }

    #[test]
    fn no_flipped_bit_and_no_extra_byte_verifies() {
        flip_every_bit(&signer());
    }

    fn flip_every_bit(signer: &dyn DeviceSigner) {
        let bytes = sign(Purpose::Envelope, b"payload".to_vec(), signer).expect("signs");
        let key = signer.public_key();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bad = bytes.clone();
                bad[at] ^= 1 << bit;
                let verdict = Sign1::read(&bad).and_then(|s| s.verify(Purpose::Envelope, &key).map(<[u8]>::to_vec));
                assert!(verdict.is_err(), "byte {at}, bit {bit}");
            }
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(Sign1::read(&longer).is_err());
    }
}
