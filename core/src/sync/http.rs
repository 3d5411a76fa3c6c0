//! The way to the hub: one HTTP call at a time, behind a trait, so that a test or a shell can put its own in place.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Once, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use url::{Host, Url};

/// A body from this size on is compressed; below, the frame costs what it saves.
const COMPRESS_FROM: usize = 1024;
/// zstd's level: the level the hub's pages have, and fast enough for a phone.
const LEVEL: i32 = 3;
/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the hub may say nothing in the middle of an answer.
const READ: Duration = Duration::from_secs(30);
/// How long a call may take in all: a first page over a slow network.
const CALL: Duration = Duration::from_mins(3);

/// A `POST` to the hub.
#[derive(Debug, Clone)]
pub struct Call {
    /// The whole address.
    pub url: Url,
    /// The bearer token, if the call needs one.
    pub bearer: Option<String>,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The media type wanted.
    pub accept: &'static str,
    /// The body, not compressed.
    pub body: Vec<u8>,
    /// The largest answer that is taken, in bytes after decompression.
    pub max_answer: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After` in seconds, if it was given so.
    pub retry_after: Option<u64>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no answer; completes "failed to call the hub: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No network, no such host, no certificate that is trusted, or too long.
    #[error("it does not answer")]
    Unreachable,
    /// The answer is larger than any hub's.
    #[error("its answer is too large")]
    TooLarge,
    /// The address is not one that may be called.
    #[error("its address has to begin with https://")]
    Address,
}

/// Carries calls to the hub.
pub trait Transport: Send + Sync {
    /// Makes the call. Dropping the future gives it up.
    fn call<'a>(&'a self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>>;
}

/// Whether an address may be called: https, or plain http on this very machine.
pub(super) fn allowed(url: &Url) -> bool {
    url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && (url.scheme() == "https" || is_this_machine(url))
}

/// Whether an address is plain http on this very machine.
pub(super) fn is_this_machine(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// HTTP with TLS by rustls and ring; certificates are judged by the platform. No redirects: a token goes to no other
/// host.
///
/// Connections and the platform's certificates are looked for at the first call: a phone that is opened with no network
/// pays for neither.
#[derive(Default)]
pub struct HttpTransport {
    client: OnceLock<Option<reqwest::Client>>,
}

impl HttpTransport {
    /// A transport with its own pool of connections.
    pub fn new() -> Self {
        Self::default()
    }

    fn client(&self) -> Result<&reqwest::Client, TransportError> {
        self.client.get_or_init(build).as_ref().ok_or(TransportError::Unreachable)
    }

    async fn perform(&self, call: Call) -> Result<Answer, TransportError> {
        if !allowed(&call.url) {
            return Err(TransportError::Address);
        }
        let mut request = self.client()?.post(call.url).header(CONTENT_TYPE, call.content_type);
        // An answer in the form of what was sent needs no word.
        if call.accept != call.content_type {
            request = request.header(ACCEPT, call.accept);
        }
        if let Some(bearer) = &call.bearer {
            request = request.bearer_auth(bearer);
        }
        let packed = if call.body.len() >= COMPRESS_FROM { zstd::bulk::compress(&call.body, LEVEL).ok() } else { None };
        request = match packed {
            Some(packed) if packed.len() < call.body.len() => request.header(CONTENT_ENCODING, "zstd").body(packed),
            _ => request.body(call.body),
        };
        let mut response = request.send().await.map_err(|_| TransportError::Unreachable)?;
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|seconds| seconds.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|_| TransportError::Unreachable)? {
            if body.len() + part.len() > call.max_answer {
                return Err(TransportError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status: response.status().as_u16(), retry_after, body })
    }
}

fn build() -> Option<reqwest::Client> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody else in this process may have installed one: then theirs serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(READ)
        .timeout(CALL)
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .build()
        .inspect_err(|_| tracing::warn!("the platform's certificates cannot be used"))
        .ok()
}

impl Transport for HttpTransport {
    fn call<'a>(&'a self, call: Call) -> Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>> {
        Box::pin(self.perform(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine_may_be_called() {
        let fits = |text: &str| allowed(&text.parse().expect("an address"));
        for good in ["https://hub.example/x", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:3000"] {
            assert!(fits(good), "{good}");
        }
        for bad in [
            "http://hub.example",
            "http://127.0.0.1.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "https://me:secret@hub.example",
            "ftp://127.0.0.1",
        ] {
            assert!(!fits(bad), "{bad}");
        }
    }
}
