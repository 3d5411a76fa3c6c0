//! The access token a device syncs with, for fifteen minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use vestibule_core::id::{MemberId, Thumbprint};

use super::jwt::{self, Claims, Kind};
use super::{CLOCK_TOLERANCE, Issuer, TokenError};
use crate::moment::Moment;

/// How long an access token is good, in seconds.
pub const ACCESS_LIFE: i64 = 900;

/// An access token that was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The member.
    pub member: MemberId,
    /// The member's device.
    pub device: Thumbprint,
}

impl Access {
    /// Makes a token for a device that has just shown that it holds its key.
    pub fn issue(&self, issuer: &Issuer<'_>, moment: &mut Moment<'_>) -> String {
        let claims = Claims {
            iss: issuer.audience(),
            aud: issuer.audience(),
            sub: self.member.to_string(),
            org: issuer.organisation.to_string(),
            scope: Kind::Access.scope().into(),
            device: Some(URL_SAFE_NO_PAD.encode(self.device.as_bytes())),
            iat: moment.unix(),
            exp: moment.unix() + ACCESS_LIFE,
            jti: URL_SAFE_NO_PAD.encode(moment.random::<16>()),
        };
        jwt::sign(issuer, Kind::Access, &claims)
    }

    /// Reads a token; whether device and member are still good is the caller's to check, on every request.
    pub fn verify(issuer: &Issuer<'_>, token: &str, now: DateTime<Utc>) -> Result<Self, TokenError> {
        let claims = jwt::verify(issuer, Kind::Access, token, now)?;
        // Made when the hub's clock was ahead, it would be good for as long as that was wrong.
        if claims.iat > now.timestamp() + CLOCK_TOLERANCE {
            return Err(TokenError::Expired);
        }
        let device = claims.device.as_deref().and_then(thumbprint).ok_or(TokenError::Invalid)?;
        Ok(Self { member: claims.sub.parse().map_err(|_| TokenError::Invalid)?, device })
    }
}

fn thumbprint(text: &str) -> Option<Thumbprint> {
    Thumbprint::try_from(URL_SAFE_NO_PAD.decode(text).ok()?.as_slice()).ok()
}
