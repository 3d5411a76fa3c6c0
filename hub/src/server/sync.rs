//! `POST /v1/sync`: what a phone pushes and pulls, in one round trip and one transaction.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::sync::wire::{MAX_REQUEST, MEDIA_TYPE, SyncRequest};

use super::authenticate::good_device;
use super::problem::Refused;
use super::{Hub, body};
use crate::feed::SyncProblem;
use crate::judge;
use crate::moment::Moment;

/// Answers smaller than this gain nothing from compression.
const WORTH_COMPRESSING: usize = 256;

/// Judges what a phone pushes and hands out what is new to it.
pub async fn sync(State(hub): State<Arc<Hub>>, request: Request) -> Result<Response, Refused> {
    // Who sends is known before anything of the body is read: strangers make the hub decompress nothing.
    let (context, access) = hub.syncs(request.headers())?;
    let takes_zstd = accepts_zstd(request.headers());
    let bytes = body::limited(request, MEDIA_TYPE, MAX_REQUEST).await?;
    let now = hub.surroundings.now();
    let mut rng = hub.surroundings.rng();
    let request: SyncRequest = cbor::read_strict(&bytes, "sync request").map_err(|error| {
        Refused::new(StatusCode::BAD_REQUEST, "garbage", format!("Failed to read the request: {error}."))
    })?;
    drop(bytes);
    let writes = !request.push.is_empty();
    let judged = move |tx: &Transaction<'_>| {
        let device = good_device(tx, &context, &access)?;
        judge::sync(tx, &context, &mut Moment::new(now, &mut rng), &device, &request).map_err(Refused::from)
    };
    // A phone that only pulls waits for no writer.
    let answer = if writes { hub.database.write(judged).await } else { hub.database.read(judged).await }?;
    hub.wake.notify_one();
    for turned_away in &answer.turned_away {
        hub.metrics.turned_away(&turned_away.code);
    }
    let plain = cbor::write(&answer);
    let small = if takes_zstd && plain.len() >= WORTH_COMPRESSING {
        zstd::stream::encode_all(plain.as_slice(), zstd::DEFAULT_COMPRESSION_LEVEL)
            .ok()
            .filter(|small| small.len() < plain.len())
    } else {
        None
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if small.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
    }
    Ok((headers, small.unwrap_or(plain)).into_response())
}

/// Whether the client takes zstd (RFC 9110, section 12.5.3).
fn accepts_zstd(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING);
    values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        name.trim().eq_ignore_ascii_case("zstd") && !refused
    })
}

impl From<SyncProblem> for Refused {
    fn from(problem: SyncProblem) -> Self {
        let status = match &problem {
            SyncProblem::Version => StatusCode::BAD_REQUEST,
            SyncProblem::OtherOrganisation => StatusCode::FORBIDDEN,
            SyncProblem::SignInAgain => StatusCode::UNAUTHORIZED,
            SyncProblem::UnknownHead => StatusCode::CONFLICT,
            SyncProblem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            SyncProblem::Record(_) | SyncProblem::Signer(_) => {
                tracing::error!(error = %problem, "a sync failed");
                return Self::internal();
            }
        };
        Self::new(status, problem.code(), format!("Failed to sync: {problem}."))
    }
}
