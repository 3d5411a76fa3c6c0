//! The page of a "Review invitation" link, `/review/{token}`: what is to be decided, for who may decide (S2.16).
//!
//! The link says which visit, not who reads it: so the page decides nothing, and shows no note, no address of the guest
//! and no code. An approver decides on a phone, or with `vestibule admin`.

use askama::Template;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::visit::Status;

use super::{Page, PageError, find_review};
use crate::context::Context;
use crate::delivery::Invitation;
use crate::record;
use crate::store::visits;

#[derive(Template)]
#[template(path = "page/review.html")]
struct ReviewHtml<'a> {
    i: &'a Invitation,
    name: String,
    when: Option<(String, String, String)>,
    place: String,
    status: &'static str,
    pending: bool,
}

/// The page of a review link; `None` if there is no such link, or not any more.
pub fn review_page(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    token: &str,
) -> Result<Option<Page>, PageError> {
    let Some(id) = find_review(tx, context, token, now)? else { return Ok(None) };
    let Some(loaded) = visits::load(tx, &context.organisation, id)? else { return Ok(None) };
    let invitation = record::invitation(tx, &loaded.visit)?;
    let status = loaded.visit.status();
    let page = ReviewHtml {
        name: loaded.visit.name(),
        when: invitation.when().map(|when| (when.date, when.time, when.zone)),
        place: invitation.place(),
        status: status.as_str(),
        pending: status == Status::Pending,
        i: &invitation,
    };
    Ok(Some(Page::html(200, page.render().map_err(|_| PageError::Render)?)))
}
