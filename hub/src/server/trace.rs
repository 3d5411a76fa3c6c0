//! Around every request: its line in the log, its place in the metrics, and the header of every answer that a browser may
//! see.
//!
//! The log says the route's template, never the path: a path may be a secret link. Every request has a number, which stands
//! in each of its lines, in the problem details of a refusal and in the header of the answer: what a person was shown can
//! be found in the log.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::Hub;
use super::problem::Refused;
use super::sync::SYNC;

/// The header of the request's number.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    /// The number of the request that is being handled.
    static REQUEST: String;
}

/// Logs and counts a request.
pub async fn observe(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = new_id(&hub);
    let span = tracing::info_span!("request", id);
    let answer = async {
        let mut response = next.run(request).await;
        answered(&hub, &mut response, method, route.as_ref().map_or("none", MatchedPath::as_str), began, &id);
        response
    };
    REQUEST.scope(id.clone(), answer).instrument(span).await
}

fn answered(hub: &Hub, response: &mut Response, method: &'static str, route: &str, began: Instant, id: &str) {
    let is_problem = response.status().is_client_error() || response.status().is_server_error();
    // No browser can be made to ask for a sync, which takes a phone's token and is counted by the byte.
    if route != SYNC {
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if (route != SYNC || is_problem)
        && let Ok(id) = HeaderValue::from_str(id)
    {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    hub.metrics.request(method, route, status, took);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(method, route, status, ms, "answered");
    } else {
        tracing::info!(method, route, status, ms, "answered");
    }
}

/// The number of the request this task is handling, if it is handling one.
pub fn request_id() -> Option<String> {
    REQUEST.try_with(Clone::clone).ok()
}

/// Random, so that the lines of two hubs or two runs are told apart.
fn new_id(hub: &Hub) -> String {
    hex::encode(&(hub.surroundings.seed)()[..8])
}

/// Methods we know; whatever a client makes up is one of them all the same.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Answers for a handler that panicked. What it said stays out of answer and log: it may hold what it worked on.
pub fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    Refused::internal().into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_says_nothing_of_what_it_worked_on() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let panics = || async { panic!("Grace Hopper") as &'static str };
        let router = Router::new().route("/", get(panics)).layer(CatchPanicLayer::custom(panicked));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        tokio::spawn(axum::serve(listener, router).into_future());
        let answer = reqwest::get(url).await.expect("answers");
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let said = answer.text().await.expect("text");
        assert!(said.contains("\"internal\"") && !said.contains("Hopper"), "{said}");
    }
}
