//! Bodies of requests: limited before and after decompression, of the right media type, and in good time.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::connections::{Activity, Waiting};
use super::problem::Refused;

/// How long a client may take to begin with its body.
const PATIENCE: Duration = Duration::from_secs(15);
/// How fast a body has to come from then on, in bytes a second: half of what the slowest of mobile networks carry. The
/// largest push may so take as long as a phone waits for a call.
const PACE: u64 = 2 << 10;
/// The longest a body may take, however fast it comes.
const LONGEST: Duration = Duration::from_mins(4);
/// The largest body of a JSON or form request: a proof or an assertion is under 1 KB.
const SMALL: usize = 16 << 10;
/// How much more than allowed is read, only to be dropped.
const MAX_DROPPED: usize = 8 << 20;
/// Compressed bodies up to this size are decompressed where they are read: it takes less than the way to another thread.
const SMALL_COMPRESSED: usize = 16 << 10;
/// The largest window a zstd stream may ask for, as a power of two: 16 MB, three times the largest request.
const MAX_WINDOW_LOG: u32 = 24;

/// Reads a JSON body.
pub async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Refused> {
    expect_media_type(request.headers(), "application/json")?;
    let bytes = read(request, SMALL).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let place =
            format!("The JSON is not what this route takes (line {}, column {}).", error.line(), error.column());
        Refused::new(StatusCode::BAD_REQUEST, "garbage", place)
    })
}

/// Reads a form body (`application/x-www-form-urlencoded`) as its names and values.
pub async fn form(request: Request) -> Result<Vec<(String, String)>, Refused> {
    expect_media_type(request.headers(), "application/x-www-form-urlencoded")?;
    let bytes = read(request, SMALL).await?;
    Ok(url::form_urlencoded::parse(&bytes).into_owned().collect())
}

/// Reads a body of that media type, at most `limit` bytes after decompression.
pub async fn limited(request: Request, media_type: &str, limit: usize) -> Result<Vec<u8>, Refused> {
    expect_media_type(request.headers(), media_type)?;
    let compressed = match request.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str()) {
        None | Some(Ok("identity")) => false,
        Some(Ok("zstd")) => true,
        Some(_) => {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_encoding",
                "The body is compressed in a way the hub does not know; send it as it is, or with zstd.",
            ));
        }
    };
    let bytes = read(request, limit).await?;
    if !compressed {
        return Ok(bytes.into());
    }
    if bytes.len() <= SMALL_COMPRESSED {
        return decompress(&bytes, limit);
    }
    tokio::task::spawn_blocking(move || decompress(&bytes, limit)).await.unwrap_or_else(|_| Err(Refused::internal()))
}

fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Refused> {
    let garbage = |_| Refused::new(StatusCode::BAD_REQUEST, "garbage", "The body is not a zstd stream.");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(garbage)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(garbage)?;
    let mut plain = Vec::new();
    // One byte more than allowed shows that there is more, whatever the stream says of itself.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut plain).map_err(garbage)?;
    if plain.len() > limit { Err(too_large(limit)) } else { Ok(plain) }
}

async fn read(request: Request, limit: usize) -> Result<Bytes, Refused> {
    let connection = request.extensions().get::<Arc<Activity>>().cloned();
    let waiting = connection.as_ref().map(|connection| connection.waits_for_a_body());
    match gather(request.into_body(), limit, waiting).await {
        Ok(Some(bytes)) => Ok(bytes.into()),
        Ok(None) => Err(too_large(limit)),
        Err(Broken::Off) => Err(Refused::new(StatusCode::BAD_REQUEST, "incomplete", "The body ended before its end.")),
        Err(Broken::Slow) => {
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The body came too slowly; send it again."))
        }
    }
}

/// Why a body did not come whole.
enum Broken {
    Off,
    Slow,
}

/// Until when the next part has to be there, of a body of which `length` bytes have come.
fn deadline(began: Instant, length: usize) -> Instant {
    let earned = Duration::from_millis(u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(1000) / PACE);
    began + (PATIENCE + earned).min(LONGEST)
}

/// The body, or nothing where it is larger than allowed. What is too much is still read for a while, and dropped: a
/// client that is cut off while it sends never sees the answer that says why.
async fn gather(mut body: Body, limit: usize, waiting: Option<Waiting<'_>>) -> Result<Option<Vec<u8>>, Broken> {
    let (mut bytes, mut length, began) = (Vec::new(), 0, Instant::now());
    loop {
        let next = tokio::time::timeout_at(deadline(began, length), body.frame()).await.map_err(|_| Broken::Slow)?;
        let Some(frame) = next else { break };
        let Ok(data) = frame.map_err(|_| Broken::Off)?.into_data() else { continue };
        if let Some(waiting) = &waiting {
            waiting.some_came();
        }
        length += data.len();
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > limit + MAX_DROPPED {
            break;
        }
    }
    Ok((length <= limit).then_some(bytes))
}

fn too_large(limit: usize) -> Refused {
    let detail = format!("The body is larger than {limit} bytes; send less at a time.");
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn expect_media_type(headers: &HeaderMap, expected: &str) -> Result<(), Refused> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let detail = format!("This route takes {expected}.");
    Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has come earns time for the rest: a slow network may send a large push, and nobody holds a connection for ever.
    #[test]
    fn a_body_may_take_as_long_as_it_makes_progress() {
        let began = Instant::now();
        assert_eq!(deadline(began, 0), began + PATIENCE);
        assert_eq!(deadline(began, 20 << 10), began + PATIENCE + Duration::from_secs(10));
        assert_eq!(deadline(began, usize::MAX), began + LONGEST);
    }
}
