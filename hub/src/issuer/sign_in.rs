//! The bearer token a member signs a phone in with, made by `vestibule admin token MEMBER`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use vestibule_core::id::MemberId;

use super::jwt::{self, Claims, Kind};
use super::{Issuer, TokenError};
use crate::moment::Moment;

/// How long a sign-in token is good, in seconds.
pub const SIGN_IN_LIFE: i64 = 3600;

/// A sign-in token that was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The member who signs in.
    pub member: MemberId,
    /// Names the token: a challenge is made for one token.
    pub jti: String,
}

impl SignIn {
    /// Makes a token for a member.
    pub fn issue(issuer: &Issuer<'_>, moment: &mut Moment<'_>, member: &MemberId) -> String {
        let claims = Claims {
            iss: issuer.audience(),
            aud: issuer.audience(),
            sub: member.to_string(),
            org: issuer.organisation.to_string(),
            scope: Kind::SignIn.scope().into(),
            device: None,
            iat: moment.unix(),
            exp: moment.unix() + SIGN_IN_LIFE,
            jti: URL_SAFE_NO_PAD.encode(moment.random::<16>()),
        };
        jwt::sign(issuer, Kind::SignIn, &claims)
    }

    /// Reads a token; whether the member is still active is the caller's to check.
    pub fn verify(issuer: &Issuer<'_>, token: &str, now: DateTime<Utc>) -> Result<Self, TokenError> {
        let claims = jwt::verify(issuer, Kind::SignIn, token, now)?;
        Ok(Self { member: claims.sub.parse().map_err(|_| TokenError::Invalid)?, jti: claims.jti })
    }
}
