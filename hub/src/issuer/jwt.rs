//! JSON Web Tokens (RFC 7519), the hub's own signed with Ed25519 (RFC 8037), judged at a time that is passed in.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vestibule_core::keys::{DeviceSigner as _, PublicKey, SoftwareSigner};
use zeroize::Zeroizing;

use super::{Issuer, TokenError};

/// Longer tokens are not looked at: ours are under 600 bytes.
const MAX_TOKEN: usize = 4096;

/// The claims of the tokens the hub makes. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`Issuer::audience`].
    pub iss: String,
    /// [`Issuer::audience`].
    pub aud: String,
    /// The member.
    pub sub: String,
    /// The organisation.
    pub org: String,
    /// What the token serves for.
    pub scope: String,
    /// The device it was made for: its thumbprint, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When it was made.
    pub iat: i64,
    /// Good before, not at, this time.
    pub exp: i64,
    /// Names the token.
    pub jti: String,
}

/// What a token is for; it stands in the header (`typ`, RFC 8725, section 3.11) and in the `scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Enrols devices of a member.
    SignIn,
    /// Syncs.
    Access,
}

impl Kind {
    fn typ(self) -> &'static str {
        match self {
            Self::SignIn => "vestibule-sign-in+jwt",
            // RFC 9068, section 2.1.
            Self::Access => "at+jwt",
        }
    }

    /// The `scope` claim.
    pub fn scope(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Access => "sync",
        }
    }
}

/// Signs claims as a token of that kind.
pub fn sign(issuer: &Issuer<'_>, kind: Kind, claims: &Claims) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(kind.typ().into());
    header.kid = Some(issuer.key_id());
    encode(&header, claims, issuer.key)
}

/// Signs any claims under any header.
pub fn encode(header: &Header, claims: &impl Serialize, key: &SoftwareSigner) -> String {
    // PKCS#8 version 1 (RFC 8410, section 7): the prefix is the same for every seed.
    let mut pkcs8 = Zeroizing::new([0; 48]);
    pkcs8[..16].copy_from_slice(b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20");
    pkcs8[16..].copy_from_slice(&*Zeroizing::new(key.key().to_bytes()));
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(&*pkcs8))
        .expect("claims of text and numbers are JSON, and the key is well formed")
}

/// Reads a token of that kind that this issuer signed and that is good at `now`.
pub fn verify(issuer: &Issuer<'_>, kind: Kind, token: &str, now: DateTime<Utc>) -> Result<Claims, TokenError> {
    let (header, claims): (_, Claims) = decode(token, &issuer.key.public_key()).ok_or(TokenError::Invalid)?;
    let ours = header.typ.as_deref() == Some(kind.typ())
        && header.kid == Some(issuer.key_id())
        && claims.scope == kind.scope();
    if !ours {
        return Err(TokenError::Invalid);
    }
    if claims.org != issuer.organisation.as_str() {
        return Err(TokenError::OtherOrganisation);
    }
    if claims.iss != issuer.audience() || claims.aud != issuer.audience() {
        return Err(TokenError::Audience);
    }
    if claims.exp <= now.timestamp() {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}

/// Verifies the signature and nothing else; the algorithm is the key's, whatever the header asks for.
pub fn decode<T: DeserializeOwned>(token: &str, key: &PublicKey) -> Option<(Header, T)> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let (algorithm, key) = match key {
        PublicKey::Ed25519(key) => (Algorithm::EdDSA, DecodingKey::from_ed_der(key)),
        // It takes the point as it is, compressed or not.
        PublicKey::Es256(key) => (Algorithm::ES256, DecodingKey::from_ec_der(key)),
    };
    let mut validation = Validation::new(algorithm);
    // Time and audience are judged by the caller, with the time of the request.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let read = jsonwebtoken::decode::<T>(token, &key, &validation).ok()?;
    // RFC 7515, section 4.1.11: an extension that must be understood is one that we do not.
    read.header.crit.is_none().then_some((read.header, read.claims))
}

/// What a token claims, **not yet believed**.
pub fn unverified<T: DeserializeOwned>(token: &str) -> Option<T> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    jsonwebtoken::dangerous::insecure_decode(token).ok().map(|read| read.claims)
}
