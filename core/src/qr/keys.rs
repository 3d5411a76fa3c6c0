//! The keys a reception desk checks tokens with, and the check.
//!
//! The hub writes the set to `qr-keys.json`; a desk keeps it beside its data and needs nothing else to check a token.
//! The set carries the newest time the hub has signed: the desk's own clock is never believed to be earlier than that,
//! and where the two are too far apart to be believed at all a person decides ([`QrRefusal::CheckByHand`]).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use super::token::{QrClaims, QrRefusal, Unverified, kid};
use crate::id::{OrganisationId, SiteId};

/// How far a desk's clock may lie behind the newest hub-signed time; behind that it is certainly wrong.
pub const MAX_BEHIND: TimeDelta = TimeDelta::hours(24);

/// How far it may lie ahead of it: a desk that has not heard from its hub for so long has stale keys, or a wrong clock.
pub const MAX_AHEAD: TimeDelta = TimeDelta::days(30);

/// A key that QR tokens are signed with, and when it is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct QrKey {
    key: VerifyingKey,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl QrKey {
    /// A key in use from `not_before` up to and without `not_after`.
    pub fn new(key: VerifyingKey, not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> Self {
        Self { key, not_before, not_after }
    }

    /// The key id tokens name it by.
    pub fn kid(&self) -> [u8; super::token::KID_BYTES] {
        kid(&self.key)
    }

    fn is_in_use(&self, at: DateTime<Utc>) -> bool {
        self.not_before <= at && at < self.not_after
    }
}

/// A key as `qr-keys.json` spells it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Hexadecimal, 8 digits.
    kid: String,
    alg: String,
    /// base64url without padding, 32 bytes.
    public: String,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
}

impl From<QrKey> for Written {
    fn from(key: QrKey) -> Self {
        Self {
            kid: hex::encode(key.kid()),
            alg: "EdDSA".to_owned(),
            public: URL_SAFE_NO_PAD.encode(key.key.as_bytes()),
            not_before: key.not_before,
            not_after: key.not_after,
        }
    }
}

impl TryFrom<Written> for QrKey {
    type Error = &'static str;
    fn try_from(written: Written) -> Result<Self, Self::Error> {
        if written.alg != "EdDSA" {
            return Err("`alg` of a QR key is \"EdDSA\"");
        }
        let bytes: [u8; 32] = URL_SAFE_NO_PAD
            .decode(&written.public)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or("`public` of a QR key is 32 bytes in base64url")?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| "`public` of a QR key is a point of Ed25519")?;
        if key.is_weak() {
            return Err("`public` of a QR key is of small order");
        }
        if written.kid != hex::encode(kid(&key)) {
            return Err("`kid` of a QR key does not belong to its `public`");
        }
        Ok(Self { key, not_before: written.not_before, not_after: written.not_after })
    }
}

/// What a reception desk needs to check tokens offline: the file `qr-keys.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QrKeys {
    organisation: OrganisationId,
    keys: Vec<QrKey>,
    /// The newest time the hub has signed that this desk knows of.
    signed_at: DateTime<Utc>,
    /// The sites this desk receives visitors for; empty means all of the organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sites: Vec<SiteId>,
}

impl QrKeys {
    /// The keys of an organisation as the hub knew them at `signed_at`, for a desk of `sites` (none: every site).
    pub fn new(organisation: OrganisationId, keys: Vec<QrKey>, signed_at: DateTime<Utc>, sites: Vec<SiteId>) -> Self {
        Self { organisation, keys, signed_at, sites }
    }

    /// Reads `qr-keys.json`. An error names the member at fault.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text of `qr-keys.json`.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("keys, codes and times are always JSON")
    }

    /// The organisation whose tokens these keys check.
    pub fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// The newest hub-signed time: the floor of the desk's clock.
    pub fn signed_at(&self) -> DateTime<Utc> {
        self.signed_at
    }

    /// Raises the floor to a time the hub has signed; an earlier one changes nothing.
    pub fn heard_from_hub(&mut self, signed_at: DateTime<Utc>) {
        self.signed_at = self.signed_at.max(signed_at);
    }

    /// Checks a token at the time `now` of this desk's clock, for `site` or, without one, for the desk's own sites.
    ///
    /// What the desk or the hub knows beyond the token (revoked, used) is asked after this, by
    /// [`QrClaims::credential`]. Spaces and line ends around the token, as scanners add them, are ignored.
    ///
    /// # Errors
    /// The first reason found, in the order of [`QrRefusal`]; of the last three, an implausible clock comes first.
    pub fn verify(&self, token: &str, site: Option<&SiteId>, now: DateTime<Utc>) -> Result<QrClaims, QrRefusal> {
        let unverified = Unverified::read(token.trim_ascii())?;
        let mut named = self.keys.iter().filter(|key| key.kid() == unverified.kid).peekable();
        if named.peek().is_none() {
            return Err(QrRefusal::UnknownKey);
        }
        // Four bytes can collide: any of the keys of that id may be the one.
        let key = named.find(|key| unverified.is_signed_by(&key.key)).ok_or(QrRefusal::Signature)?;
        let claims = unverified.claims()?;

        if claims.organisation != self.organisation {
            return Err(QrRefusal::OtherOrganisation);
        }
        let at_home = match site {
            Some(site) => claims.site == *site,
            None => self.sites.is_empty() || self.sites.contains(&claims.site),
        };
        if !at_home {
            return Err(QrRefusal::OtherSite);
        }

        let ahead = now.signed_duration_since(self.signed_at);
        if ahead > MAX_AHEAD || ahead < -MAX_BEHIND {
            return Err(QrRefusal::CheckByHand);
        }
        let clock = now.max(self.signed_at);
        if !key.is_in_use(clock) {
            return Err(QrRefusal::KeyOutOfDate);
        }
        if clock < claims.not_before {
            return Err(QrRefusal::TooEarly);
        }
        if clock >= claims.expires {
            return Err(QrRefusal::Expired);
        }
        Ok(claims)
    }
}
