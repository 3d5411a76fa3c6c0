//! The PIN: drawn, hashed, never stored.

use hmac::{Hmac, KeyInit, Mac};
use rand_core::Rng;
use sha2::Sha256;
use vestibule_core::id::{OrganisationId, SiteId};
use zeroize::Zeroizing;

use crate::keys::Secret;

/// One guess may hit with at most this probability: one in ten thousand (live PINs of the site ÷ 10ⁿ).
const GUESSES_PER_HIT: u64 = 10_000;

/// The shortest and the longest PIN, in digits.
const DIGITS: std::ops::RangeInclusive<u32> = 6..=12;

/// A PIN in the clear, wiped when dropped. It has no `Debug`, so that it comes into no log.
pub struct Pin(Zeroizing<String>);

/// The keyed hash a PIN is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinHash(pub [u8; 32]);

impl Pin {
    /// How many digits the next PIN of a site has, where `live` ones exist already: 6, and 8 from 100 on.
    ///
    /// ```
    /// use vestibule_hub::credential::Pin;
    /// assert_eq!((Pin::digits(99), Pin::digits(100), Pin::digits(10_000)), (6, 8, 10));
    /// ```
    pub fn digits(live: u64) -> u32 {
        let room = |digits: &u32| 10_u64.pow(*digits) / GUESSES_PER_HIT > live;
        DIGITS.step_by(2).find(room).unwrap_or(*DIGITS.end())
    }

    /// Draws a PIN, each as likely as any other: numbers above the largest multiple of 10ⁿ are drawn again.
    pub fn draw(digits: u32, rng: &mut dyn Rng) -> Self {
        let count = 10_u64.pow(digits.min(*DIGITS.end()));
        let fair = u64::MAX - u64::MAX % count;
        let number = loop {
            let number = rng.next_u64();
            if number < fair {
                break number % count;
            }
        };
        Self(Zeroizing::new(format!("{number:0width$}", width = digits as usize)))
    }

    /// Reads what was typed at a door: digits, with or without spaces between them.
    pub fn read(typed: &str) -> Option<Self> {
        let digits: Zeroizing<String> = Zeroizing::new(typed.chars().filter(|c| !c.is_whitespace()).collect());
        let length = u32::try_from(digits.len()).ok()?;
        (DIGITS.contains(&length) && digits.bytes().all(|b| b.is_ascii_digit())).then_some(Self(digits))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// HMAC-SHA-256 under the pepper over organisation, site and PIN, set apart by zero bytes, which none of them holds.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn hash(&self, pepper: &Secret, organisation: &OrganisationId, site: &SiteId) -> PinHash {
        let mut mac = Hmac::<Sha256>::new_from_slice(&**pepper).expect("HMAC takes a key of any length");
        for part in [organisation.as_str(), "\0", site.as_str(), "\0", self.as_str()] {
            mac.update(part.as_bytes());
        }
        PinHash(mac.finalize().into_bytes().into())
    }
}
