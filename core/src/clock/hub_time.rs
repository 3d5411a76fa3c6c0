//! The hub's time, signed in answer to one question: what a refusal for a wrong clock carries.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::cbor;
use crate::id::OrganisationId;
use crate::keys::{DeviceSigner, KeySet, KeyUse, Purpose, Sign1, SignatureError, SignerError, sign};

/// What the hub signs for [`Purpose::Time`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HubTime {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The hub's time, Unix milliseconds.
    #[n(1)]
    pub time: i64,
    /// Whether the hub is certain of it. If not, it serves for one more try and for nothing else.
    #[n(2)]
    pub certain: bool,
    /// [`asked`] of what it answers, so that an old one serves nobody.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    pub asked: [u8; 32],
}

/// What names a question: SHA-256 of the assertion that was refused.
pub fn asked(assertion: &str) -> [u8; 32] {
    Sha256::digest(assertion.as_bytes()).into()
}

impl HubTime {
    /// Signs it with the hub's feed key.
    pub fn sign(&self, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
        sign(Purpose::Time, cbor::write(self), signer)
    }

    /// Reads one and believes it, as an answer to that question: signed by a feed key of the key set that was good at the
    /// signed time and is at `floor`, the highest time the hub has signed (Unix seconds).
    pub fn verify(bytes: &[u8], keys: &KeySet, floor: i64, assertion: &str) -> Result<Self, SignatureError> {
        let signed = Sign1::read(bytes)?;
        let claimed: Self = cbor::read(signed.unverified_payload(), "hub time").map_err(|_| SignatureError::Garbage)?;
        keys.verify_signed_at(&signed, Purpose::Time, KeyUse::Feed, claimed.time.div_euclid(1000), floor)?;
        if claimed.organisation != keys.organisation || claimed.asked != asked(assertion) {
            return Err(SignatureError::Forged);
        }
        Ok(claimed)
    }
}
