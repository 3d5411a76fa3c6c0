//! The page behind "Review invitation" (S2.16): that very invitation, for whoever decides. Opening it changes nothing.

use askama::Template;

use super::{Page, PageError, visitor};
use crate::delivery::Invitation;

#[derive(Template)]
#[template(path = "page/review.html")]
struct ReviewHtml<'a> {
    organisation: &'a str,
    number: u64,
    name: String,
    rows: Vec<(&'static str, String)>,
    is_pending: bool,
}

/// The page of a review link; `found` is its invitation and whether it still waits for a decision. Without one the link
/// is unknown or has expired.
pub fn review_page(found: Option<(&Invitation, bool)>) -> Result<Page, PageError> {
    let Some((invitation, is_pending)) = found else { return visitor::unknown() };
    let values = &invitation.values;
    let rows = [
        ("Company", values.company.clone()),
        ("Type", invitation.visitor_type.as_ref().map(|of| of.name.clone())),
        ("When", invitation.when().map(|when| when.to_string())),
        ("Where", Some(invitation.place())),
        ("Host", Some(invitation.host.name.clone())),
        ("Reason", values.reason.clone()),
    ];
    let html = ReviewHtml {
        organisation: &invitation.organisation.name,
        number: invitation.number,
        name: values.display_name(),
        rows: rows.into_iter().filter_map(|(label, value)| Some((label, value?))).collect(),
        is_pending,
    };
    Ok(Page::html(200, html.render().map_err(|_| PageError::Render)?))
}
