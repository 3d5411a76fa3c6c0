//! Which path leads where, and what every path has in common.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use super::problem::Refused;
use super::{Hub, pages, rates, sign_in, sync, trace};

/// Where it is asked whether the hub lives.
pub const HEALTH: &str = "/healthz";

/// All routes of the hub.
pub fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/v1/devices/challenge", post(sign_in::challenge))
        .route("/v1/devices", post(sign_in::enrol))
        .route("/v1/devices/successor", post(sign_in::succeed))
        .route("/v1/token", post(sign_in::token))
        .route_layer(from_fn_with_state(Arc::clone(&hub), rates::sign_ins))
        .merge(pages::router().route_layer(from_fn_with_state(Arc::clone(&hub), rates::pages)))
        .route(sync::SYNC, post(sync::sync))
        .route("/.well-known/jwks.json", get(sign_in::jwks))
        .route("/.well-known/oauth-authorization-server", get(sign_in::metadata))
        .route(HEALTH, get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async {
            let detail = "This route does not take that method; the Allow header says which it does.";
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(CatchPanicLayer::custom(trace::panicked))
        .layer(from_fn_with_state(Arc::clone(&hub), trace::observe))
        .with_state(hub)
}

/// The refusal of a path that leads nowhere.
pub fn not_found() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
}

/// Whether the hub lives: it answers.
pub async fn health() -> &'static str {
    "ok\n"
}

/// Whether the hub can do its work ([`super::ready`]).
async fn ready(State(hub): State<Arc<Hub>>) -> Result<&'static str, Refused> {
    hub.is_ready().await.map(|()| "ready\n")
}

async fn metrics(State(hub): State<Arc<Hub>>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], hub.metrics.render() + &hub.gauges()).into_response()
}
