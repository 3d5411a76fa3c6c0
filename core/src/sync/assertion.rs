//! The assertion a device gets its access tokens with (RFC 7523): a compact JWS (RFC 7515) by the device's key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::id::Thumbprint;
use crate::keys::{DeviceSigner, SignerError};

/// How long an assertion is good for, in seconds.
const LIFE: i64 = 60;

/// The `grant_type` of the token request (RFC 7523, section 2.1).
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

/// Signs an assertion for the hub that calls itself `audience`, at `now` (Unix seconds); `id` makes it one of its kind.
pub(super) fn assertion(
    device: &Thumbprint,
    audience: &str,
    now: i64,
    id: [u8; 16],
    signer: &dyn DeviceSigner,
) -> Result<String, SignerError> {
    let device = device.to_string();
    let claims = Claims {
        iss: &device,
        sub: &device,
        aud: audience,
        iat: now,
        exp: now.saturating_add(LIFE),
        jti: &hex::encode(id),
    };
    let claims = serde_json::to_vec(&claims).expect("claims of text and numbers are JSON");
    let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, signer.public_key().jwt_algorithm());
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = signer.sign_strictly(message.as_bytes())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signature, Verifier as _};

    use super::*;
    use crate::keys::SoftwareSigner;

    #[test]
    fn an_assertion_is_a_signed_jwt_that_lives_a_minute() {
        let signer = SoftwareSigner::from_seed(&[3; 32]);
        let device = signer.public_key().thumbprint().expect("a key");
        let jwt = assertion(&device, "https://hub.example", 1_800_000_000, [7; 16], &signer).expect("signs");
        let parts: Vec<&str> = jwt.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
        let header: serde_json::Value = serde_json::from_slice(&decode(parts[0])).expect("JSON");
        assert_eq!(header, serde_json::json!({"alg": "EdDSA", "typ": "JWT"}));
        let claims: serde_json::Value = serde_json::from_slice(&decode(parts[1])).expect("JSON");
        assert_eq!(claims["iss"], device.to_string());
        assert_eq!(claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(60));
        let signature = Signature::from_slice(&decode(parts[2])).expect("64 bytes");
        let message = format!("{}.{}", parts[0], parts[1]);
        signer.key().verifying_key().verify(message.as_bytes(), &signature).expect("verifies");
    }
}
