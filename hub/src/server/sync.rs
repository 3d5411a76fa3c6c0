//! `POST /v1/sync`: what a phone pushes and pulls, in one round trip and one transaction.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::sync::wire::{MAX_REQUEST, MEDIA_TYPE, SyncAnswer, SyncRequest};

use super::problem::Refused;
use super::share::Share;
use super::{Hub, body, packing};
use crate::context::Context;
use crate::feed::SyncProblem;
use crate::issuer::Access;
use crate::judge::{self, Documents};
use crate::moment::Moment;
use crate::store::outbox;

/// The route.
pub const SYNC: &str = "/v1/sync";
/// Answers smaller than this gain nothing from compression.
const WORTH_COMPRESSING: usize = 256;

/// Judges what a phone pushes and hands out what is new to it.
pub async fn sync(State(hub): State<Arc<Hub>>, request: Request) -> Result<Response, Refused> {
    // Who sends is known before anything of the body is read: strangers make the hub decompress nothing.
    let (context, access) = hub.syncs(request.headers())?;
    let takes_zstd = accepts_zstd(request.headers());
    let bytes = body::limited(request, MEDIA_TYPE, MAX_REQUEST).await?;
    let time = hub.clock.read();
    let mut rng = hub.surroundings.rng();
    let request: SyncRequest = cbor::read_strict(&bytes, "sync request").map_err(|error| {
        Refused::new(StatusCode::BAD_REQUEST, "garbage", format!("Failed to read the request: {error}."))
    })?;
    drop(bytes);
    // A proof may begin another life of the database.
    let (writes, database) = (!request.push.is_empty() || request.proof.is_some(), &hub.database);
    let (documents, share) = (Arc::clone(&hub.documents), Share::of(&hub.config.limits));
    let judged = move |tx: &Transaction<'_>| {
        let now = time.now.timestamp();
        let mut moment = time.moment(&mut rng);
        if request.push.is_empty() {
            return judged(tx, &context, &mut moment, &documents, &access, &request);
        }
        share.within(tx, &context, &access, &request, now, || {
            judged(tx, &context, &mut moment, &documents, &access, &request)
        })
    };
    let packed = move |judged: Judged| Ok::<_, Refused>(judged.packed(takes_zstd));
    // A phone that only pulls waits for no writer.
    let answer =
        if writes { database.write_then(judged, packed).await } else { database.read_then(judged, packed).await }?;
    if answer.mail_is_due {
        hub.wake.notify_one();
    }
    for code in &answer.turned_away {
        hub.metrics.turned_away(code);
    }
    Ok(answer.body.into_response())
}

/// An answer, and what else is to be done.
struct Judged {
    answer: SyncAnswer,
    mail_is_due: bool,
}

/// Judges and answers, in one transaction.
fn judged(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    documents: &Documents,
    access: &Access,
    request: &SyncRequest,
) -> Result<Judged, Refused> {
    let answer = judge::sync(tx, context, moment, documents, access, request)?;
    // Who pushes nothing causes no mail.
    let mail_is_due = !request.push.is_empty() && outbox::is_due(tx, &context.organisation, moment.now)?;
    Ok(Judged { answer, mail_is_due })
}

/// An answer as it goes out.
struct Packed {
    body: Body,
    mail_is_due: bool,
    turned_away: Vec<String>,
}

/// The bytes of an answer.
struct Body {
    bytes: Vec<u8>,
    is_zstd: bool,
}

impl Judged {
    fn packed(self, takes_zstd: bool) -> Packed {
        let plain = cbor::write(&self.answer);
        let small = if takes_zstd && plain.len() >= WORTH_COMPRESSING { packing::packed(&plain) } else { None };
        let is_zstd = small.is_some();
        Packed {
            body: Body { bytes: small.unwrap_or(plain), is_zstd },
            mail_is_due: self.mail_is_due,
            turned_away: self.answer.turned_away.into_iter().map(|turned_away| turned_away.code).collect(),
        }
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        // No `Vary`: nobody keeps this answer, for which one form could be mistaken for another.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.is_zstd {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("zstd"));
        }
        (headers, self.bytes).into_response()
    }
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
