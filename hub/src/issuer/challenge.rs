//! The nonce a device signs to enrol: made for one sign-in token, good for five minutes, remembered nowhere.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::{Issuer, SignIn, TokenError};

/// How long a challenge is good, in seconds.
pub const CHALLENGE_LIFE: i64 = 300;

/// A nonce for the bearer of this token: its time and, over time and token, a code only this hub can make.
pub fn challenge(issuer: &Issuer<'_>, sign_in: &SignIn, now: DateTime<Utc>) -> Vec<u8> {
    let mut nonce = now.timestamp().to_be_bytes().to_vec();
    nonce.extend(code(issuer, sign_in, now.timestamp()));
    nonce
}

/// Whether a nonce was made for the bearer of this token, not more than [`CHALLENGE_LIFE`] ago.
pub(super) fn check(issuer: &Issuer<'_>, sign_in: &SignIn, nonce: &[u8], now: DateTime<Utc>) -> Result<(), TokenError> {
    let (made, given) = nonce.split_first_chunk::<8>().ok_or(TokenError::Challenge)?;
    let made = i64::from_be_bytes(*made);
    let ours: bool = code(issuer, sign_in, made).ct_eq(given).into();
    // `made` is only believed, and only subtracted, once the code says that it is ours.
    if ours && (0..=CHALLENGE_LIFE).contains(&(now.timestamp() - made)) { Ok(()) } else { Err(TokenError::Challenge) }
}

fn code(issuer: &Issuer<'_>, sign_in: &SignIn, made: i64) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(issuer.secret.as_slice()).expect("HMAC takes a key of any length");
    mac.update(b"vestibule/challenge/1");
    mac.update(&made.to_be_bytes());
    mac.update(sign_in.jti.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
