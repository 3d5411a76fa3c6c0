//! The organisation's key set: which hub keys serve which use, and how long, signed by the root.

use chrono::{DateTime, Utc};
use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};

use super::{DeviceSigner, PublicKey, Purpose, Sign1, SignatureError, SignerError, sign};
use crate::cbor;
use crate::id::{OrganisationId, Thumbprint};

/// What a key of the hub may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum KeyUse {
    /// Feed pages, statements and receipts.
    #[n(0)]
    Feed,
    /// Heads of the decision log.
    #[n(1)]
    Log,
    /// Grants between phones.
    #[n(2)]
    Grant,
    /// QR tokens.
    #[n(3)]
    Qr,
}

/// One key of a key set. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeyEntry {
    /// What the key may sign.
    #[n(0)]
    pub usage: KeyUse,
    /// The public key.
    #[n(1)]
    pub key: PublicKey,
    /// Believed from this time.
    #[n(2)]
    pub not_before: i64,
    /// Believed up to, but not at, this time.
    #[n(3)]
    pub not_after: i64,
}

/// A numbered, expiring set of keys. A phone keeps the highest version it has seen and never goes back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct KeySet {
    /// The organisation the keys serve.
    #[n(0)]
    pub organisation: OrganisationId,
    /// Counts up from 1.
    #[n(1)]
    pub version: u32,
    /// The root that signs this set.
    #[n(2)]
    pub root: PublicKey,
    /// The keys this version can use: an entry with a later use or kind of key is left out, not refused, so that an
    /// older app goes on with the keys it understands.
    #[n(3)]
    #[cbor(decode_with = "known_entries")]
    pub keys: Vec<KeyEntry>,
    /// When the set was made, Unix seconds.
    #[n(4)]
    pub issued_at: i64,
    /// After this time the phone wants a newer set.
    #[n(5)]
    pub expires_at: i64,
}

fn known_entries<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<KeyEntry>, DecodeError> {
    let mut entries = Vec::new();
    for _ in 0..d.array()?.ok_or(DecodeError::message("the keys of a key set have a definite length"))? {
        let start = d.position();
        d.skip()?;
        let entry = d.input().get(start..d.position()).and_then(|bytes| minicbor::decode(bytes).ok());
        entries.extend(entry);
    }
    Ok(entries)
}

/// Why a key set is not taken; completes "failed to take a key set: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// The signature or its root is not the one known from enrolment.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The bytes are no key set.
    #[error("the key set cannot be read")]
    Garbage,
    /// The set is of another organisation.
    #[error("the key set belongs to another organisation")]
    OtherOrganisation,
    /// The set is older than one already seen.
    #[error("the key set is older than one already seen")]
    Older,
}

/// A key set with its root's signature, as it travels and is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedKeySet {
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub set: KeySet,
}

impl SignedKeySet {
    /// Signs a set with the root's private key.
    pub fn sign(set: KeySet, root: &dyn DeviceSigner) -> Result<Self, SignerError> {
        Ok(Self { bytes: sign(Purpose::KeySet, cbor::write(&set), root)?, set })
    }

    /// Reads and verifies a set against the root known from enrolment.
    pub fn verify(bytes: &[u8], organisation: &OrganisationId, root: &Thumbprint) -> Result<Self, KeySetError> {
        let signed = Sign1::read(bytes)?;
        if signed.signer() != *root {
            return Err(SignatureError::UnknownKey.into());
        }
        let claimed: KeySet = cbor::read(signed.unverified_payload(), "key set").map_err(|_| KeySetError::Garbage)?;
        signed.verify(Purpose::KeySet, &claimed.root)?;
        if claimed.organisation != *organisation {
            return Err(KeySetError::OtherOrganisation);
        }
        Ok(Self { bytes: bytes.to_vec(), set: claimed })
    }
}

impl KeySet {
    /// The key of that thumbprint, if it may serve that use at that time.
    pub fn find(&self, thumbprint: &Thumbprint, usage: KeyUse, at: DateTime<Utc>) -> Option<&PublicKey> {
        let at = at.timestamp();
        self.keys
            .iter()
            .find(|entry| {
                entry.usage == usage
                    && (entry.not_before..entry.not_after).contains(&at)
                    && entry.key.thumbprint().as_ref() == Some(thumbprint)
            })
            .map(|entry| &entry.key)
    }

    /// Verifies something the hub signed for that use at that time, and gives its payload.
    pub fn verify<'a>(
        &self,
        signed: &'a Sign1,
        purpose: Purpose,
        usage: KeyUse,
        at: DateTime<Utc>,
    ) -> Result<&'a [u8], SignatureError> {
        let key = self.find(&signed.signer(), usage, at).ok_or(SignatureError::UnknownKey)?;
        signed.verify(purpose, key)
    }

    /// Verifies something that says when the hub signed it: with a key that was good then, and still is at `floor`, the
    /// highest time the hub has signed. Both in Unix seconds, and both the hub's: the clock of whoever reads decides
    /// nothing, and a key that was retired since signs nothing with an old date.
    pub fn verify_signed_at<'a>(
        &self,
        signed: &'a Sign1,
        purpose: Purpose,
        usage: KeyUse,
        signed_at: i64,
        floor: i64,
    ) -> Result<&'a [u8], SignatureError> {
        let time = |seconds| DateTime::from_timestamp(seconds, 0).ok_or(SignatureError::Garbage);
        let was_good = self.find(&signed.signer(), usage, time(signed_at)?).is_some();
        if !was_good {
            return Err(SignatureError::UnknownKey);
        }
        self.verify(signed, purpose, usage, time(signed_at.max(floor))?)
    }
}
