//! Refusals as problem details (RFC 9457): one form for every error of the hub, with no personal data in it.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vestibule_core::sync::wire::Problem;

use super::trace;
use crate::issuer::TokenError;
use crate::organisation::OrganisationError;
use crate::store::StoreError;

/// A request that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    status: StatusCode,
    code: String,
    detail: String,
    /// When to come back, in seconds.
    retry_after: Option<u64>,
    /// The hub's signed time and the key set it is believed by, base64url.
    time: Option<(String, Option<String>)>,
}

impl Refused {
    /// A refusal with a stable code and a sentence that says what was wrong and what to do.
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, code: code.into(), detail: detail.into(), retry_after: None, time: None }
    }

    /// It is too much now, and may be had in so many seconds.
    pub fn later(code: impl Into<String>, detail: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail) }
    }

    /// The hub cannot do it now, and may in so many seconds.
    pub fn busy(detail: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail) }
    }

    /// With the hub's signed time and its newest key set, for a phone whose clock is wrong.
    pub fn with_time(self, signed: &[u8], key_set: Option<&[u8]>) -> Self {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Self { time: Some((encode(signed), key_set.map(encode))), ..self }
    }

    /// The hub's own fault. What happened is in the log, not in the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The hub failed; nothing was changed. Try again, and if it goes on, tell its operator.",
        )
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        let status = match error {
            // RFC 6749, section 5.2: what is wrong with a grant is a bad request.
            TokenError::Challenge
            | TokenError::Proof
            | TokenError::ProofAudience
            | TokenError::Assertion
            | TokenError::AssertionTime
            | TokenError::Replayed => StatusCode::BAD_REQUEST,
            TokenError::OtherMember => StatusCode::CONFLICT,
            _ => StatusCode::UNAUTHORIZED,
        };
        let detail = error.to_string();
        let mut letters = detail.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        Self::new(status, error.code(), first.into_iter().chain(letters).chain(['.']).collect::<String>())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database failed");
        Self::internal()
    }
}

impl From<OrganisationError> for Refused {
    fn from(error: OrganisationError) -> Self {
        tracing::error!(%error, "the organisation cannot be used");
        Self::internal()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (time, key_set) = self.time.map_or((None, None), |(time, key_set)| (Some(time), key_set));
        let problem = Problem {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Refused").into(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            request_id: trace::request_id(),
            time,
            key_set,
        };
        let mut response = (self.status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        response
    }
}
