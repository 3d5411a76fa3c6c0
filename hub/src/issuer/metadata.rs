//! What the hub says about itself as an issuer: authorization server metadata (RFC 8414) and its keys (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use url::Url;

use super::{Issuer, JWT_BEARER, audience};

/// The key set of all issuers of the hub; a token's `kid` says which key is its own.
pub fn jwks<'a>(issuers: impl IntoIterator<Item = Issuer<'a>>) -> Value {
    let keys: Vec<Value> = issuers
        .into_iter()
        .map(|issuer| {
            let x = issuer.key.key().verifying_key().to_bytes();
            // RFC 8037, section 2.
            json!({
                "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x),
                "use": "sig", "alg": "EdDSA", "kid": issuer.key_id(),
            })
        })
        .collect();
    json!({ "keys": keys })
}

/// The metadata of the hub as an authorization server.
pub fn metadata(public_url: &Url) -> Value {
    let hub = audience(public_url);
    json!({
        "issuer": hub,
        "token_endpoint": format!("{hub}/v1/token"),
        "jwks_uri": format!("{hub}/.well-known/jwks.json"),
        "grant_types_supported": [JWT_BEARER],
        "response_types_supported": [],
        "scopes_supported": ["sync"],
        "token_endpoint_auth_methods_supported": ["none"],
    })
}
