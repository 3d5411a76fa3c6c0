//! What visitors, approvers and Apple's devices open: [`crate::page`] on the wire.
//!
//! A token names a delivery, not its organisation: it is looked for in each, by its hash.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use rusqlite::Transaction;
use vestibule_core::visit::Status;

use super::Hub;
use super::problem::Refused;
use super::router::not_found;
use crate::context::Context;
use crate::delivery::{Delivery, Invitation};
use crate::page::{self, Page, PageError, PassRequest};
use crate::record;
use crate::store::{StoreError, visits};

/// The routes of pages and passes.
pub fn router() -> Router<Arc<Hub>> {
    Router::new()
        .route("/p/{token}", get(visitor))
        .route("/p/{token}/pass.pkpass", get(pass))
        .route("/p/{token}/visit.ics", get(calendar))
        .route("/review/{token}", get(review))
        .route("/apple/v1/passes/{pass_type}/{serial}", get(updated_pass))
        .route("/apple/v1/log", post(|| async { StatusCode::OK }))
}

async fn visitor(State(hub): State<Arc<Hub>>, Path(token): Path<String>) -> Result<Response, Refused> {
    hub.page(move |tx, contexts, now| {
        for context in contexts {
            if let Some((delivery, invitation)) = found(tx, context, page::find(tx, context, &token)?)? {
                return page::visitor_page(tx, context, now, Some((&delivery, &invitation)));
            }
        }
        match contexts.first() {
            Some(context) => page::visitor_page(tx, context, now, None),
            None => Err(StoreError::Corrupt("organisation").into()),
        }
    })
    .await
}

async fn pass(State(hub): State<Arc<Hub>>, Path(token): Path<String>) -> Result<Response, Refused> {
    hub.page(move |tx, contexts, now| {
        for context in contexts {
            if let Some((delivery, invitation)) = found(tx, context, page::find(tx, context, &token)?)? {
                return page::visitor_pass(tx, context, now, &delivery, &invitation);
            }
        }
        Ok(nothing(404))
    })
    .await
}

async fn calendar(State(hub): State<Arc<Hub>>, Path(token): Path<String>) -> Result<Response, Refused> {
    hub.page(move |tx, contexts, now| {
        for context in contexts {
            if let Some((delivery, invitation)) = found(tx, context, page::find(tx, context, &token)?)? {
                return page::visitor_calendar(tx, context, now, &delivery, &invitation);
            }
        }
        Ok(nothing(404))
    })
    .await
}

async fn updated_pass(
    State(hub): State<Arc<Hub>>,
    Path((pass_type, serial)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let (authorization, since) = (text(header::AUTHORIZATION), text(header::IF_MODIFIED_SINCE));
    hub.page(move |tx, contexts, now| {
        for context in contexts {
            let request = page::find_pass(tx, context, &pass_type, &serial, authorization.as_deref())?;
            if let PassRequest::Granted(delivery) = request
                && let Some((delivery, invitation)) = found(tx, context, Some(*delivery))?
            {
                return page::updated_pass(tx, context, now, &delivery, &invitation, since.as_deref());
            }
        }
        Ok(nothing(401))
    })
    .await
}

async fn review(State(hub): State<Arc<Hub>>, Path(token): Path<String>) -> Result<Response, Refused> {
    hub.page(move |tx, contexts, now| {
        for context in contexts {
            let Some(id) = page::find_review(tx, context, &token, now)? else { continue };
            let Some(loaded) = visits::load(tx, &context.organisation, id)? else { continue };
            let invitation = record::invitation(tx, &loaded.visit)?;
            return page::review_page(Some((&invitation, loaded.visit.status() == Status::Pending)));
        }
        page::review_page(None)
    })
    .await
}

/// A delivery with its visit.
fn found(
    tx: &Transaction<'_>,
    context: &Context,
    delivery: Option<Delivery>,
) -> Result<Option<(Delivery, Invitation)>, PageError> {
    let Some(delivery) = delivery else { return Ok(None) };
    let Some(loaded) = visits::load(tx, &context.organisation, delivery.visit)? else { return Ok(None) };
    let invitation = record::invitation(tx, &loaded.visit)?;
    Ok(Some((delivery, invitation)))
}

fn nothing(status: u16) -> Page {
    Page { status, headers: vec![("cache-control", "no-store".into())], body: Vec::new() }
}

impl Hub {
    /// Makes a page on one consistent state of the database; a page that is no use to anyone is a problem instead.
    async fn page(
        &self,
        make: impl FnOnce(&Transaction<'_>, &[Arc<Context>], chrono::DateTime<chrono::Utc>) -> Result<Page, PageError>
        + Send
        + 'static,
    ) -> Result<Response, Refused> {
        let contexts = self.organisations.all();
        let now = self.clock.read().now;
        if contexts.is_empty() {
            return Err(not_found());
        }
        let page = self.database.read(move |tx| make(tx, &contexts, now)).await;
        match page {
            Ok(page) if page.body.is_empty() && page.status == 404 => Err(not_found()),
            Ok(page) => Ok(on_the_wire(page)),
            Err(error) => {
                tracing::error!(%error, "a page could not be made");
                Err(Refused::internal())
            }
        }
    }
}

fn on_the_wire(page: Page) -> Response {
    let mut response = Response::new(Body::from(page.body));
    let Ok(status) = StatusCode::from_u16(page.status) else { return Refused::internal().into_response() };
    *response.status_mut() = status;
    for (name, value) in page.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
