//! What travels between phone and hub. `POST /v1/sync` takes a [`SyncRequest`] and answers a [`SyncAnswer`], both
//! deterministic CBOR, compressed as a stream (`Content-Encoding: zstd`) where that is smaller. Sign-in is JSON.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::feed::{Page, Proof, Scope, ScopeHead};
use crate::id::{HubEpoch, OrganisationId};

/// The media type of the sync messages.
pub const MEDIA_TYPE: &str = "application/vnd.vestibule.sync+cbor";
/// The version of the messages.
pub const VERSION: u8 = 1;
/// The largest request after decompression: 4 MB of push and its surroundings.
pub const MAX_REQUEST: usize = 5 << 20;
/// The largest sum of pushed bytes.
pub const MAX_PUSH: usize = 4 << 20;
/// The most envelopes of one push, and the most items of all its envelopes: what is judged in one transaction, which
/// nobody else's push can pass. A phone sends [`MAX_ITEMS`](crate::envelope::MAX_ITEMS) at a time.
pub const MAX_PUSH_ITEMS: usize = 4_096;
/// The size a page's rows stay under, if there is more than one.
pub const PAGE_BYTES: usize = 512 << 10;
/// The same in the first answer to a phone that holds nothing yet: somebody waits for the first screen.
pub const FIRST_PAGE_BYTES: usize = 128 << 10;

/// What a phone sends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SyncRequest {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The organisation.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The life of the hub's database the phone knows; absent before the first sync.
    #[n(2)]
    pub epoch: Option<HubEpoch>,
    /// The highest key set the phone holds.
    #[n(3)]
    pub key_set: u32,
    /// Where the phone stands in each scope it holds.
    #[n(4)]
    pub heads: Vec<ScopeHead>,
    /// What it pushes, in the order of its envelopes' counters.
    #[n(5)]
    pub push: Vec<PushedEnvelope>,
    /// After an answer of `unknown_head`: that the hub itself has said it stood there.
    #[n(6)]
    pub proof: Option<Proof>,
}

/// An envelope with the chunks it names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PushedEnvelope {
    /// The signed envelope.
    #[n(0)]
    pub envelope: ByteVec,
    /// The chunks of its changes, in the order of the items.
    #[n(1)]
    pub chunks: Vec<ByteVec>,
}

/// What the hub answers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SyncAnswer {
    /// The signed [`crate::feed::Statement`].
    #[n(0)]
    pub statement: ByteVec,
    /// The signed [`crate::receipt::Receipts`], if anything was pushed.
    #[n(1)]
    pub receipts: Option<ByteVec>,
    /// Envelopes that were not taken at all, with the reason; the phone keeps its work.
    #[n(2)]
    pub turned_away: Vec<TurnedAway>,
    /// Pages of the phone's scopes.
    #[n(3)]
    pub pages: Vec<Page>,
    /// There are more rows: ask again.
    #[n(4)]
    pub more: bool,
    /// How many rows wait beyond these pages, for a progress bar.
    #[n(5)]
    pub remaining: u64,
    /// The scopes of this phone, if they are not those of the request; one that is gone is to be purged.
    #[n(6)]
    pub scopes: Option<Vec<Scope>>,
    /// A newer signed key set.
    #[n(7)]
    pub key_set: Option<ByteVec>,
    /// The signed [`crate::feed::Restored`], to a phone that knows an earlier life of the database; then nothing that was
    /// pushed was looked at, and there are no pages.
    #[n(8)]
    pub restored: Option<ByteVec>,
    /// The hub is not certain of its own time: no clock is to be set by this answer's.
    #[n(10)]
    #[cbor(default, skip_if = "is_false")]
    pub clock_in_doubt: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what `skip_if` is given")]
fn is_false(value: &bool) -> bool {
    !value
}

/// An envelope the hub did not take.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TurnedAway {
    /// Its place in the push.
    #[n(0)]
    pub index: u32,
    /// A stable code: `signature`, `other_device`, `garbage`, `counter_gap`, `cloned_device`, `too_large`, ….
    #[n(1)]
    pub code: String,
    /// What is wrong.
    #[n(2)]
    pub message: String,
    /// With `counter_gap`: the counter the hub expects next.
    #[n(3)]
    pub expected: Option<u64>,
}

/// `POST /v1/devices/challenge` with the sign-in bearer token answers this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// Base64url; to be signed by the device's key within five minutes.
    pub nonce: String,
}

/// `POST /v1/devices` with the sign-in bearer token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// A `COSE_Sign1` by the device's key for [`crate::keys::Purpose::Enrolment`], base64url; its payload is an
    /// [`EnrolmentProof`].
    pub proof: String,
}

/// What the device signs to enrol.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentProof {
    /// The challenge's nonce.
    #[n(0)]
    pub nonce: ByteVec,
    /// The device's public key.
    #[n(1)]
    pub key: crate::keys::PublicKey,
    /// The hub it is for: the [`origin`] of its address as the member gave it. A hub that passes another's nonce on to a
    /// phone gets a proof the other does not take.
    #[n(2)]
    pub audience: String,
}

/// The origin of a hub's address: scheme, host, and the port where it is not the scheme's own (RFC 6454, section 6.2).
/// Plain http on this very machine is one origin, whatever the port: a hub that is tried out may listen anywhere, and
/// nobody else's hub is reached that way.
///
/// ```
/// use vestibule_core::sync::wire::origin;
///
/// let origin_of = |text: &str| origin(&text.parse().expect("an address"));
/// assert_eq!(origin_of("https://Visit.example.com:443/"), "https://visit.example.com");
/// assert_eq!(origin_of("http://127.0.0.1:8480"), "http://localhost");
/// ```
pub fn origin(address: &url::Url) -> String {
    if super::http::is_this_machine(address) {
        return "http://localhost".to_owned();
    }
    address.origin().ascii_serialization()
}

/// The nonce that a device's new key signs to succeed another, whose access token this is: SHA-256 of the token. The token
/// is the old key's word, is good for minutes, and is known to nobody else.
pub fn successor_nonce(access_token: &str) -> [u8; 32] {
    Sha256::digest(access_token).into()
}

/// The answer to an [`Enrolment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The organisation of the member.
    pub organisation: OrganisationId,
    /// The member.
    pub member: crate::id::MemberId,
    /// The root's thumbprint, hexadecimal: kept for ever.
    pub root: String,
    /// The signed key set, base64url.
    pub key_set: String,
    /// The `aud` of the assertions and the access tokens: the hub's own address.
    pub audience: String,
}

/// `POST /v1/token`, form-encoded (RFC 7523, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer`.
    pub grant_type: String,
    /// A JWT signed by the device's key: `iss` and `sub` the device's thumbprint, `aud` the hub, `iat`, `exp`, `jti`.
    pub assertion: String,
}

/// The answer to a [`TokenRequest`] (RFC 6749, section 5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The access token.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds: 900.
    pub expires_in: u64,
}

/// Problem details of a refused request (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank` or a URI of the kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short title.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this request; no personal data.
    pub detail: String,
    /// A stable code: `expired_token`, `other_organisation`, `unknown_head`, `sign_in_again`, ….
    pub code: String,
    /// The number of the request in the hub's log, for whoever asks its operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// With `assertion_time`: the signed [`HubTime`](crate::clock::HubTime), base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// With `time`: the newest signed key set, base64url; the phone's may have run out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set: Option<String>,
}
