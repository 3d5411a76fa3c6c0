//! Around every request: its line in the log, its place in the metrics, and the header of every answer that a browser may
//! see.
//!
//! The log says the route's template, never the path: a path may be a secret link.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Hub;
use super::problem::Refused;
use super::sync::SYNC;

/// Logs and counts a request.
pub async fn observe(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    // No browser can be made to ask for a sync, which takes a phone's token and is counted by the byte.
    if route != SYNC {
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    hub.metrics.request(method, route, status, took);
    let ms = took.as_millis();
    if status >= 500 {
        tracing::error!(method, route, status, ms, "answered");
    } else {
        tracing::info!(method, route, status, ms, "answered");
    }
    response
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
