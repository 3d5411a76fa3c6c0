//! The proof that a phone holds the key it wants to enrol.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use vestibule_core::cbor;
use vestibule_core::id::Thumbprint;
use vestibule_core::keys::{PublicKey, Purpose, Sign1};
use vestibule_core::sync::wire::{Enrolment, EnrolmentProof, origin};

use super::{Issuer, SignIn, TokenError, challenge};

/// The key an enrolment proves, with its name: signed by itself, for this hub, over a nonce made for the
/// bearer of this token.
pub fn proven_key(
    issuer: &Issuer<'_>,
    sign_in: &SignIn,
    enrolment: &Enrolment,
    now: DateTime<Utc>,
) -> Result<(PublicKey, Thumbprint), TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(&enrolment.proof).map_err(|_| TokenError::Proof)?;
    let signed = Sign1::read(&bytes).map_err(|_| TokenError::Proof)?;
    let proof: EnrolmentProof =
        cbor::read_strict(signed.unverified_payload(), "proof").map_err(|_| TokenError::Proof)?;
    signed.verify(Purpose::Enrolment, &proof.key).map_err(|_| TokenError::Proof)?;
    // Another hub may have got the proof out of the phone, by passing this hub's nonce on as its own.
    if proof.audience != origin(issuer.public_url) {
        return Err(TokenError::ProofAudience);
    }
    challenge::check(issuer, sign_in, &proof.nonce, now)?;
    // `verify` refuses a key that has no name: bytes that are no point of the curve, or a weak one.
    let thumbprint = proof.key.thumbprint().ok_or(TokenError::Proof)?;
    Ok((proof.key, thumbprint))
}
