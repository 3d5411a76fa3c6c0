//! The bytes of the QR token, and the strict reading of them.
//!
//! `VMS1:` and, in base45 (RFC 9285), an untagged `COSE_Sign1` (RFC 9052) whose payload is a CWT claims set (RFC 8392):
//! 1 = organisation, 3 = site, 4 = not valid from, 5 = not valid before, 7 = credential id. The protected header holds
//! the algorithm (`EdDSA`, -8) and the first four bytes of the key's thumbprint, the unprotected one nothing. All of it
//! is deterministic CBOR, signed over `external_aad` `vestibule/qr/1`, so that nothing signed for another purpose serves.
//!
//! Size: 115 bytes and the two codes. With `example-ag` and `zrh` that is 128 bytes, 197 characters, a QR symbol of
//! version 8 at level M (which holds 221 alphanumeric characters). The two codes may take 29 characters together before
//! the symbol grows to version 9.
//!
//! Reading goes outside in: text, base45, CBOR, header, key, signature, and only then the claims. One claims set has
//! exactly one token per key: whatever differs from what [`sign`] would write is refused, even if its signature holds.

use chrono::{DateTime, Utc};
use coset::cwt::{ClaimsSet, Timestamp};
use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, RegisteredLabelWithPrivate, iana};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};

use crate::id::{CredentialId, OrganisationId, SiteId};
use crate::keys::thumbprint::ed25519_thumbprint;

/// What a token begins with: the product and the version of the format.
pub const PREFIX: &str = "VMS1:";

/// What the signature is bound to, so that it serves as nothing else.
pub const EXTERNAL_AAD: &[u8] = b"vestibule/qr/1";

/// The longest token that is looked at, in characters. The longest that can be made (two codes of 36) has 287.
pub const MAX_CHARS: usize = 300;

/// Length of the key id in the header, in bytes.
pub const KID_BYTES: usize = 4;

/// What a token says: this credential opens this site's reception between these two instants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QrClaims {
    /// The organisation that invited.
    pub organisation: OrganisationId,
    /// The only site the token is good for (S1.30, S4.19).
    pub site: SiteId,
    /// The first instant it is valid, to the second.
    pub not_before: DateTime<Utc>,
    /// The first instant it is not valid any more, to the second.
    pub expires: DateTime<Utc>,
    /// The credential; what was used is looked up by it.
    pub credential: CredentialId,
}

/// Why a token was not accepted. The code is stable; nothing of the token's content is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum QrRefusal {
    /// Not a token at all, or not written the one way a token is written.
    #[error("this is not a visitor's code")]
    Garbage,
    /// Signed with an algorithm that is not in use.
    #[error("the code is signed with an algorithm that is not accepted")]
    Algorithm,
    /// Signed by a key this desk does not hold.
    #[error("the code is signed by an unknown key; update the desk's keys")]
    UnknownKey,
    /// Signed by a key that is not in use at this time.
    #[error("the code is signed by a key that is not in use now; update the desk's keys")]
    KeyOutOfDate,
    /// The signature does not fit: altered, or forged.
    #[error("the code has been altered")]
    Signature,
    /// Good, but of another organisation.
    #[error("the code belongs to another organisation")]
    OtherOrganisation,
    /// Good, but for another site.
    #[error("the code belongs to another site")]
    OtherSite,
    /// Not valid yet.
    #[error("the code is not valid yet")]
    TooEarly,
    /// Not valid any more.
    #[error("the code has expired")]
    Expired,
    /// The desk's clock cannot be right: a person has to decide.
    #[error("the clock of this desk cannot be trusted; check the visitor by hand")]
    CheckByHand,
}

impl QrRefusal {
    /// The code a program acts on.
    pub fn code(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::KeyOutOfDate => "key_out_of_date",
            Self::Signature => "signature",
            Self::OtherOrganisation => "other_organisation",
            Self::OtherSite => "other_site",
            Self::TooEarly => "too_early",
            Self::Expired => "expired",
            Self::CheckByHand => "check_by_hand",
        }
    }
}

/// The key id of a key: the first four bytes of its thumbprint.
pub fn kid(key: &VerifyingKey) -> [u8; KID_BYTES] {
    let thumbprint = ed25519_thumbprint(key);
    let [a, b, c, d, ..] = *thumbprint.as_bytes();
    [a, b, c, d]
}

/// Signs the claims: the text to draw. Fractions of a second are cut off.
///
/// ```
/// use ed25519_dalek::SigningKey;
/// use vestibule_core::id::{CredentialId, OrganisationId, SiteId};
/// use vestibule_core::qr::{QrClaims, sign};
///
/// let claims = QrClaims {
///     organisation: OrganisationId::new("example-ag").unwrap(),
///     site: SiteId::new("zrh").unwrap(),
///     not_before: "2027-02-10T20:30:00Z".parse().unwrap(),
///     expires: "2027-02-11T01:00:00Z".parse().unwrap(),
///     credential: CredentialId([7; 16]),
/// };
/// assert!(sign(&claims, &SigningKey::from_bytes(&[1; 32])).starts_with("VMS1:"));
/// ```
pub fn sign(claims: &QrClaims, key: &SigningKey) -> String {
    let sealed = CoseSign1Builder::new()
        .protected(
            HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(kid(&key.verifying_key()).to_vec()).build(),
        )
        .payload(encode_claims(claims))
        .create_signature(EXTERNAL_AAD, |bytes| key.sign(bytes).to_bytes().to_vec())
        .build();
    spell(sealed)
}

/// A token whose outer form is right; nothing in it is believed yet.
pub(super) struct Unverified {
    sealed: CoseSign1,
    /// The key it says it was signed by.
    pub(super) kid: [u8; KID_BYTES],
}

impl Unverified {
    /// Reads the outer form: everything but the signature and the claims.
    pub(super) fn read(token: &str) -> Result<Self, QrRefusal> {
        if token.len() > MAX_CHARS {
            return Err(QrRefusal::Garbage);
        }
        let body = token.strip_prefix(PREFIX).ok_or(QrRefusal::Garbage)?;
        let bytes = base45::decode(body).map_err(|_| QrRefusal::Garbage)?;
        // Refuses trailing bytes; whatever else is not canonical shows when it is written again below.
        let sealed = CoseSign1::from_slice(&bytes).map_err(|_| QrRefusal::Garbage)?;
        let header = &sealed.protected.header;
        if header.alg != Some(RegisteredLabelWithPrivate::Assigned(iana::Algorithm::EdDSA)) {
            return Err(QrRefusal::Algorithm);
        }
        let kid = header.key_id.as_slice().try_into().map_err(|_| QrRefusal::Garbage)?;
        let exact = CoseSign1Builder::new()
            .protected(HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(header.key_id.clone()).build())
            .payload(sealed.payload.clone().ok_or(QrRefusal::Garbage)?)
            .signature(sealed.signature.clone())
            .build();
        if spell(exact) != token {
            return Err(QrRefusal::Garbage);
        }
        Ok(Self { sealed, kid })
    }

    /// Checks the signature strictly (RFC 8032, no small-order keys, no malleability).
    pub(super) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        self.sealed
            .verify_signature(EXTERNAL_AAD, |signature, bytes| {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| ())?;
                key.verify_strict(bytes, &signature).map_err(|_| ())
            })
            .is_ok()
    }

    /// The claims, to be read only after [`Self::is_signed_by`] said yes.
    pub(super) fn claims(&self) -> Result<QrClaims, QrRefusal> {
        let payload = self.sealed.payload.as_deref().ok_or(QrRefusal::Garbage)?;
        let claims = decode_claims(payload).ok_or(QrRefusal::Garbage)?;
        // Rewriting catches every other spelling: order, lengths, extra claims, times as floating point.
        if encode_claims(&claims) == payload { Ok(claims) } else { Err(QrRefusal::Garbage) }
    }
}

fn encode_claims(claims: &QrClaims) -> Vec<u8> {
    ClaimsSet {
        issuer: Some(claims.organisation.as_str().to_owned()),
        audience: Some(claims.site.as_str().to_owned()),
        expiration_time: Some(Timestamp::WholeSeconds(claims.expires.timestamp())),
        not_before: Some(Timestamp::WholeSeconds(claims.not_before.timestamp())),
        cwt_id: Some(claims.credential.as_bytes().to_vec()),
        ..ClaimsSet::default()
    }
    .to_vec()
    .expect("text, integers and bytes always encode")
}

fn decode_claims(payload: &[u8]) -> Option<QrClaims> {
    let claims = ClaimsSet::from_slice(payload).ok()?;
    let seconds = |time: Option<Timestamp>| match time {
        Some(Timestamp::WholeSeconds(seconds)) => DateTime::from_timestamp(seconds, 0),
        _ => None,
    };
    Some(QrClaims {
        organisation: OrganisationId::new(claims.issuer?).ok()?,
        site: SiteId::new(claims.audience?).ok()?,
        not_before: seconds(claims.not_before)?,
        expires: seconds(claims.expiration_time)?,
        credential: CredentialId::try_from(claims.cwt_id?.as_slice()).ok()?,
    })
}

fn spell(sealed: CoseSign1) -> String {
    let bytes = sealed.to_vec().expect("a header of two integers and byte strings always encodes");
    format!("{PREFIX}{}", base45::encode(bytes))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
