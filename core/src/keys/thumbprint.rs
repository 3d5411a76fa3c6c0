//! Thumbprints of keys (RFC 9679): SHA-256 over the key's required COSE parameters in deterministic CBOR.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};

use crate::id::Thumbprint;

/// The thumbprint of an Ed25519 key: the `COSE_Key` `{1: 1, -1: 6, -2: x}`.
pub fn ed25519_thumbprint(key: &VerifyingKey) -> Thumbprint {
    // a3: map of 3; 01 01: kty OKP; 20 06: crv Ed25519; 21 58 20: x, 32 bytes.
    let mut hash = Sha256::new();
    hash.update([0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20]);
    hash.update(key.as_bytes());
    Thumbprint(hash.finalize().into())
}
