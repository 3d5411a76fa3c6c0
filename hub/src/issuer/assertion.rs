//! The assertion a device asks for an access token with (RFC 7523, section 2.1): a JWT signed by the device's key.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vestibule_core::id::Thumbprint;
use vestibule_core::keys::PublicKey;

use super::{Issuer, TokenError, jwt};

/// The grant type of `POST /v1/token`.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest life of an assertion, in seconds.
pub const ASSERTION_LIFE: i64 = 120;
/// How far a phone's clock may be off, in seconds.
pub const CLOCK_TOLERANCE: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// An assertion of a device; whether it was used before is the caller's to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Names the assertion: each is good once.
    pub jti: String,
    /// When it was made, by the device's clock.
    pub made_at: DateTime<Utc>,
    /// From this time on nobody believes it anyway, Unix seconds.
    pub forgotten_at: i64,
}

/// The device an assertion says it is of: **not yet believed**, only to find the key by.
pub fn claimed_device(assertion: &str) -> Result<Thumbprint, TokenError> {
    let claims: Claims = jwt::unverified(assertion).ok_or(TokenError::Assertion)?;
    claims.iss.parse().map_err(|_| TokenError::Assertion)
}

impl Assertion {
    /// Reads an assertion that the device of this key signed for this hub, and that is good at `now`.
    pub fn verify(
        issuer: &Issuer<'_>,
        assertion: &str,
        device: &Thumbprint,
        key: &PublicKey,
        now: DateTime<Utc>,
    ) -> Result<Self, TokenError> {
        let read = Self::read(issuer, assertion, device, key)?;
        if read.is_in_time(now) { Ok(read) } else { Err(TokenError::AssertionTime) }
    }

    /// Reads an assertion that the device of this key signed for this hub; whether it is good now is another question.
    pub fn read(
        issuer: &Issuer<'_>,
        assertion: &str,
        device: &Thumbprint,
        key: &PublicKey,
    ) -> Result<Self, TokenError> {
        let (_, claims): (_, Claims) = jwt::decode(assertion, key).ok_or(TokenError::Assertion)?;
        let device = device.to_string();
        if claims.iss != device || claims.sub != device || !(1..=64).contains(&claims.jti.len()) {
            return Err(TokenError::Assertion);
        }
        if claims.aud != issuer.audience() {
            return Err(TokenError::Audience);
        }
        let life = claims.exp.checked_sub(claims.iat);
        if !life.is_some_and(|life| (1..=ASSERTION_LIFE).contains(&life)) {
            return Err(TokenError::AssertionTime);
        }
        let made_at = DateTime::from_timestamp(claims.iat, 0).ok_or(TokenError::AssertionTime)?;
        let forgotten_at = claims.exp.saturating_add(CLOCK_TOLERANCE);
        Ok(Self { jti: claims.jti, made_at, forgotten_at })
    }

    /// Whether it was made now, give or take a minute.
    pub fn is_in_time(&self, now: DateTime<Utc>) -> bool {
        let now = now.timestamp();
        self.made_at.timestamp() <= now + CLOCK_TOLERANCE && self.forgotten_at > now
    }
}
