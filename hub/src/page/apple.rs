//! Apple's web service: a device that holds a pass asks for it as it is now (`GET /v1/passes/{type}/{serial}`).

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use subtle::ConstantTimeEq as _;

use super::{Page, PageError, visitor_pass};
use crate::context::Context;
use crate::delivery::{Delivery, Invitation};
use crate::store::{StoreError, deliveries};

/// Who asks for a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassRequest {
    /// A device that holds it: its delivery.
    Granted(Box<Delivery>),
    /// No such pass, or not its token: both are answered 401, so that serial numbers cannot be guessed.
    Refused,
}

/// Checks a request against its `Authorization: ApplePass <token>`, in constant time.
pub fn find_pass(
    tx: &Transaction<'_>,
    context: &Context,
    pass_type: &str,
    serial: &str,
    authorization: Option<&str>,
) -> Result<PassRequest, StoreError> {
    let token = authorization.and_then(|value| value.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("ApplePass")).map(|(_, token)| token.trim());
    let is_ours = context.apple.as_ref().is_some_and(|apple| apple.identity().pass_type_identifier == pass_type);
    let found = deliveries::by_serial(tx, &context.organisation, serial)?.filter(|_| is_ours);
    let granted = found
        .zip(token)
        .filter(|(delivery, token)| token.as_bytes().ct_eq(delivery.pass_token(context).as_bytes()).into());
    Ok(granted.map_or(PassRequest::Refused, |(delivery, _)| PassRequest::Granted(Box::new(delivery))))
}

/// Answers a granted request: the pass as it is now, or 304 if it has not changed since `If-Modified-Since`.
pub fn updated_pass(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    delivery: &Delivery,
    invitation: &Invitation,
    if_modified_since: Option<&str>,
) -> Result<Page, PageError> {
    let changed = delivery.pass_tag(context, now);
    // RFC 9110, 13.1.3: a date that cannot be read is no condition.
    let known = if_modified_since.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let mut page = if known.is_some_and(|known| known >= changed) {
        Page::empty(304)
    } else {
        visitor_pass(tx, context, now, delivery, invitation)?
    };
    page.headers.push(("last-modified", changed.format("%a, %d %b %Y %H:%M:%S GMT").to_string()));
    Ok(page)
}
