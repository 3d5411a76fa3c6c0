//! HTTP without any of the phone's own code: a client that sends whatever it is told to.

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use tokio::runtime::Runtime;
use vestibule_core::sync::wire::Problem;

/// The way to one hub, for tests that wait for each answer.
pub struct Http {
    url: String,
    client: Client,
    runtime: Runtime,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Http {
    /// A client of the hub at `url`.
    pub fn new(url: String) -> Self {
        // Fails if another test of this program was first; one provider is enough.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { url, client: Client::new(), runtime }
    }

    /// Sends a `GET` and waits for the answer.
    pub fn get(&self, path: &str) -> Reply {
        self.send(self.client.get(format!("{}{path}", self.url)))
    }

    /// Sends a `POST` with these headers and waits for the answer.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Reply {
        let mut request = self.client.post(format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        self.runtime.block_on(async {
            let answer = request.send().await.expect("the hub answers");
            let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let content_type = content_type.unwrap_or_default().to_owned();
            let status = answer.status().as_u16();
            Reply { status, content_type, body: answer.bytes().await.expect("a whole body").to_vec() }
        })
    }
}

impl Reply {
    /// The JSON of an answer that is no refusal.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).expect("JSON of its form")
    }

    /// The problem details of a refusal (RFC 9457).
    pub fn problem(&self) -> Problem {
        assert!((400..500).contains(&self.status), "{}: {}", self.status, String::from_utf8_lossy(&self.body));
        assert_eq!(self.content_type, "application/problem+json");
        let problem: Problem = serde_json::from_slice(&self.body).expect("problem details");
        assert_eq!(problem.status, self.status, "the status is told twice, and the same");
        problem
    }
}
