//! Deterministic CBOR (RFC 8949, section 4.2): what is read must be byte for byte what we would write.

use minicbor::{Decode, Encode};

/// The bytes are not what we would write for any value; completes "failed to read a message: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not the deterministic CBOR of a {0}")]
pub struct NotCanonical(pub &'static str);

/// Writes a value. Types derive their encoding with integer keys in ascending order, which is the deterministic one.
pub fn write<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to memory does not fail")
}

/// Reads a value and refuses trailing bytes, unknown fields and every other encoding of the same value.
pub fn read_strict<'b, T: Encode<()> + Decode<'b, ()>>(bytes: &'b [u8], kind: &'static str) -> Result<T, NotCanonical> {
    let value: T = minicbor::decode(bytes).map_err(|_| NotCanonical(kind))?;
    if write(&value) == bytes { Ok(value) } else { Err(NotCanonical(kind)) }
}

/// Reads a value a newer hub may have added fields to: trailing bytes are refused, unknown fields are skipped.
pub fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8], kind: &'static str) -> Result<T, NotCanonical> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|_| NotCanonical(kind))?;
    if decoder.position() == bytes.len() { Ok(value) } else { Err(NotCanonical(kind)) }
}
