//! The hub's own token issuer: how a phone becomes a device of a member, and how its requests are known from then on.
//!
//! ```text
//! admin token ada ──▶ sign-in token (1 h) ──▶ POST /v1/devices/challenge ──▶ nonce (5 min)
//!                                         ──▶ POST /v1/devices: proof of the device's key ──▶ enrolled, once
//! device key ──▶ assertion (≤ 120 s) ──▶ POST /v1/token ──▶ access token (15 min) ──▶ POST /v1/sync
//! ```
//!
//! Every organisation has an issuer key of its own, which `kid` names; within it a member is known by (`iss`, `sub`),
//! never by an address. A token says what it is in its `typ` and its `scope`, so that none serves for another. Nothing
//! here touches the database or the clock: what these functions are given, they judge.

mod access;
mod assertion;
mod challenge;
mod enrolment;
mod jwt;
mod metadata;
mod sign_in;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::{DeviceSigner as _, SoftwareSigner};

pub use access::{ACCESS_LIFE, Access};
pub use assertion::{ASSERTION_LIFE, Assertion, CLOCK_TOLERANCE, JWT_BEARER, claimed_device};
pub use challenge::{CHALLENGE_LIFE, challenge};
pub use enrolment::{proven_key, proven_successor};
pub use metadata::{jwks, metadata};
pub use sign_in::{SIGN_IN_LIFE, SignIn};

use crate::keys::Secret;

/// Why a token, a proof or an assertion is not believed; completes "failed to know the sender: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is no bearer token.
    #[error("the request carries no bearer token")]
    Missing,
    /// Not a token of this hub: garbage, a forged signature, another algorithm, or of another kind.
    #[error("the token is not one this hub made for this purpose")]
    Invalid,
    /// The token was good once.
    #[error("the token has expired; get a new one")]
    Expired,
    /// The token was made for another hub, or for this one under another address.
    #[error("the token was made for another address than this hub's; sign in again")]
    Audience,
    /// The token is of an organisation that is not here, or not the one the request is about.
    #[error("the token belongs to another organisation")]
    OtherOrganisation,
    /// The nonce was not made for this token, or more than five minutes ago.
    #[error("the challenge is not this hub's, or older than five minutes; ask for a new one")]
    Challenge,
    /// The proof is not signed by the key in it, for this purpose.
    #[error("the proof is not signed by the device's key for enrolment")]
    Proof,
    /// The proof is for another hub, or for this one under another address.
    #[error("the proof is for another address than this hub's; sign in with the hub's public_url")]
    ProofAudience,
    /// The key is enrolled to somebody else.
    #[error("the device's key is enrolled to another member; make a new key")]
    OtherMember,
    /// The assertion is not the device's, or not in the form of RFC 7523.
    #[error("the assertion is not signed by the device, or its claims are not those of a device")]
    Assertion,
    /// The assertion is too old, too long-lived, or from the future.
    #[error("the assertion is not within two minutes of the hub's time; set the device's clock and try again")]
    AssertionTime,
    /// The assertion was used before.
    #[error("the assertion was used before; make a new one")]
    Replayed,
    /// The device or its member is not known any more.
    #[error("the device or its member may not sign in any more; sign in again with a new token")]
    SignInAgain,
}

impl TokenError {
    /// A stable code for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing_token",
            Self::Invalid => "invalid_token",
            Self::Expired => "expired_token",
            Self::Audience | Self::ProofAudience => "wrong_audience",
            Self::OtherOrganisation => "other_organisation",
            Self::Challenge => "expired_challenge",
            Self::Proof => "invalid_proof",
            Self::OtherMember => "other_member",
            Self::Assertion => "invalid_assertion",
            Self::AssertionTime => "assertion_time",
            Self::Replayed => "replayed_assertion",
            Self::SignInAgain => "sign_in_again",
        }
    }
}

/// The issuer of one organisation.
#[derive(Clone, Copy)]
pub struct Issuer<'a> {
    /// The organisation.
    pub organisation: &'a OrganisationId,
    /// Its issuer key.
    pub key: &'a SoftwareSigner,
    /// Keys what the hub hands out and takes back without remembering it.
    pub secret: &'a Secret,
    /// The hub's own address.
    pub public_url: &'a Url,
}

impl Issuer<'_> {
    /// `iss` and `aud` of its tokens, and `aud` of assertions made for it: the hub's address.
    pub fn audience(&self) -> String {
        audience(self.public_url)
    }

    /// `kid` of its tokens: the first eight bytes of the key's thumbprint (RFC 9679), base64url. It only tells the keys of a
    /// hub apart; it travels with every request, and the whole thumbprint would be an eighth of the token.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn key_id(&self) -> String {
        let thumbprint = self.key.thumbprint().expect("a key made from a seed is a good point");
        URL_SAFE_NO_PAD.encode(&thumbprint.as_bytes()[..8])
    }
}

/// The hub's address as issuer and audience: without a slash at the end.
pub fn audience(public_url: &Url) -> String {
    public_url.as_str().trim_end_matches('/').to_owned()
}

/// The organisation a bearer token says it is of: **not yet believed**, only to find the issuer by.
pub fn claimed_organisation(token: &str) -> Result<OrganisationId, TokenError> {
    let claims: jwt::Claims = jwt::unverified(token).ok_or(TokenError::Invalid)?;
    claims.org.parse().map_err(|_| TokenError::Invalid)
}

#[cfg(test)]
mod tests;
