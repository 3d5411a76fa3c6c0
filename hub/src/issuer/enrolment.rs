//! The proof that a phone holds the key it wants to enrol.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use vestibule_core::cbor;
use vestibule_core::id::Thumbprint;
use vestibule_core::keys::{PublicKey, Purpose, Sign1};
use vestibule_core::sync::wire::{Enrolment, EnrolmentProof, origin, successor_nonce};

use super::{Issuer, SignIn, TokenError, challenge};

/// The key an enrolment proves, with its name: signed by itself, for this hub, over a nonce made for the
/// bearer of this token.
pub fn proven_key(
    issuer: &Issuer<'_>,
    sign_in: &SignIn,
    enrolment: &Enrolment,
    now: DateTime<Utc>,
) -> Result<(PublicKey, Thumbprint), TokenError> {
    let proof = proof(issuer, enrolment)?;
    challenge::check(issuer, sign_in, &proof.nonce, now)?;
    named(&proof)
}

/// The key that succeeds the one this access token was given to, with its name: signed by itself, for this hub, over that
/// token. What the old key cannot do the new one cannot either: the token is the old one's word, and whoever shuts the old
/// one out shuts out its successors.
pub fn proven_successor(
    issuer: &Issuer<'_>,
    access_token: &str,
    enrolment: &Enrolment,
) -> Result<(PublicKey, Thumbprint), TokenError> {
    let proof = proof(issuer, enrolment)?;
    if proof.nonce.as_slice() != successor_nonce(access_token) {
        return Err(TokenError::Challenge);
    }
    named(&proof)
}

fn proof(issuer: &Issuer<'_>, enrolment: &Enrolment) -> Result<EnrolmentProof, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(&enrolment.proof).map_err(|_| TokenError::Proof)?;
    let signed = Sign1::read(&bytes).map_err(|_| TokenError::Proof)?;
    let proof: EnrolmentProof =
        cbor::read_strict(signed.unverified_payload(), "proof").map_err(|_| TokenError::Proof)?;
    signed.verify(Purpose::Enrolment, &proof.key).map_err(|_| TokenError::Proof)?;
    // Another hub may have got the proof out of the phone, by passing this hub's nonce on as its own.
    if proof.audience != origin(issuer.public_url) {
        return Err(TokenError::ProofAudience);
    }
    Ok(proof)
}

fn named(proof: &EnrolmentProof) -> Result<(PublicKey, Thumbprint), TokenError> {
    // `verify` refuses a key that has no name: bytes that are no point of the curve, or a weak one.
    let thumbprint = proof.key.thumbprint().ok_or(TokenError::Proof)?;
    Ok((proof.key, thumbprint))
}
