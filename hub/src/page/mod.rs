//! What a visitor opens from the mail: the page, the pass, the calendar entry; and what Apple's devices ask for.
//!
//! Each answer is made by a plain function of (transaction, context, time, delivery, visit) and is a [`Page`]: status,
//! headers, body. The server finds the [`Delivery`] of a token ([`find`], [`find_pass`]), looks its visit up, and puts
//! the answer on the wire. Nothing here changes anything, and no page needs a script.

mod apple;
mod review;
#[cfg(test)]
mod tests;
mod visitor;

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::id::VisitId;

pub use apple::{PassRequest, find_pass, updated_pass};
pub use review::review_page;
pub use visitor::{LiveView, PageView, visitor_page};

use crate::context::Context;
use crate::credential;
use crate::delivery::{Delivery, Invitation, PassError, apple_pass, calendar_entry, link_hash};
use crate::store::{StoreError, deliveries};

/// An answer, before HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer could not be made; the server answers 500 and logs this.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A pass could not be made.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// A page could not be rendered.
    #[error("a page could not be rendered")]
    Render,
}

/// Only styles and pictures that stand in the page itself; no script, no frame, no form, no other site.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";

impl Page {
    fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = [
            ("content-type", content_type),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
        ];
        Self { status, headers: headers.map(|(name, value)| (name, value.to_owned())).into(), body: body.into() }
    }

    fn html(status: u16, body: String) -> Self {
        let mut page = Self::new(status, "text/html; charset=utf-8", body);
        page.headers.push(("content-security-policy", CONTENT_SECURITY_POLICY.to_owned()));
        page
    }

    fn download(content_type: &str, name: &str, body: Vec<u8>) -> Self {
        let mut page = Self::new(200, content_type, body);
        page.headers.push(("content-disposition", format!("attachment; filename=\"{name}\"")));
        page
    }

    fn empty(status: u16) -> Self {
        Self::new(status, "text/plain; charset=utf-8", Vec::new())
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| *header == name).map(|(_, value)| value.as_str())
    }
}

/// The delivery a page's token belongs to, also an ended one.
pub fn find(tx: &Transaction<'_>, context: &Context, token: &str) -> Result<Option<Delivery>, StoreError> {
    deliveries::by_page(tx, &context.organisation, &link_hash(token))
}

/// The visit a "Review invitation" link opens (S2.16). Opening it decides nothing.
pub fn find_review(
    tx: &Transaction<'_>,
    context: &Context,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<VisitId>, StoreError> {
    deliveries::by_review_link(tx, &context.organisation, &link_hash(token), now)
}

/// The `.pkpass` of `/p/{token}/pass.pkpass`: 404 where passes are not set up, 503 while the certificate is not valid. A dead one is voided and has no code.
pub fn visitor_pass(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    delivery: &Delivery,
    invitation: &Invitation,
) -> Result<Page, PageError> {
    if context.apple.as_ref().is_some_and(|apple| !apple.is_valid(now)) {
        // For now: the pass is as it was once the certificate is renewed.
        return Ok(Page::empty(503));
    }
    let credential = credential::latest(tx, &delivery.organisation, delivery.visit)?;
    let pass = apple_pass(context, delivery, invitation, credential.as_ref(), now)?;
    Ok(pass
        .map_or_else(|| Page::empty(404), |pass| Page::download("application/vnd.apple.pkpass", "visit.pkpass", pass)))
}

/// The calendar entry of `/p/{token}/visit.ics`, as it was sent last: 404 without a schedule or with nothing to come to.
pub fn visitor_calendar(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    delivery: &Delivery,
    invitation: &Invitation,
) -> Result<Page, PageError> {
    let credential = credential::latest(tx, &delivery.organisation, delivery.visit)?;
    let is_good = delivery.is_live && credential.is_some_and(|credential| credential.is_good(now));
    let entry = is_good
        .then(|| calendar_entry(context, delivery, invitation, delivery.sequence, delivery.changed_at))
        .flatten();
    Ok(entry.map_or_else(
        || Page::empty(404),
        |text| Page::download("text/calendar; charset=utf-8", "visit.ics", text.into_bytes()),
    ))
}
