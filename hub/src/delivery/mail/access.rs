//! The mail that lets a guest in: invitation, or the new values after a change (S4.16, S4.29).

use askama::Template;
use vestibule_core::calendar::Method;
use vestibule_core::decision::Told;
use vestibule_core::qr::picture;

use super::plain::{quoted, unlinked};
use super::{Letter, mailbox};
use crate::credential::{Pin, Window};
use crate::delivery::{DeliveryError, Invitation};

/// Pixels a module of the QR code has in the mail: about 280 across, sharp when a screen doubles them.
const MODULE_PIXELS: usize = 6;

/// What the guest is given.
pub(in crate::delivery) struct Access<'a> {
    /// Invitation or change.
    pub(in crate::delivery) told: Told,
    /// The PIN.
    pub(in crate::delivery) pin: &'a Pin,
    /// When the PIN and the QR code let in.
    pub(in crate::delivery) window: &'a Window,
    /// The QR token, where the organisation uses them (S1.33).
    pub(in crate::delivery) qr_token: Option<String>,
    /// The `Content-ID` of the QR code's picture, of this mail alone.
    pub(in crate::delivery) content_id: String,
    /// The visitor's page.
    pub(in crate::delivery) page: String,
    /// Where the Apple pass is fetched, if passes are set up (S1.34).
    pub(in crate::delivery) apple_link: Option<String>,
    /// The Apple pass.
    pub(in crate::delivery) apple_pass: Option<Vec<u8>>,
    /// The "Save to Google Wallet" link.
    pub(in crate::delivery) google_link: Option<String>,
    /// The calendar entry.
    pub(in crate::delivery) calendar: Option<(Method, String)>,
}

/// What the two templates show; every text here may have been typed by somebody, and is escaped in HTML.
#[derive(Template)]
#[template(path = "mail/access.html")]
struct Html<'a>(&'a Words<'a>);

#[derive(Template)]
#[template(path = "mail/access.txt", escape = "none")]
struct Text<'a>(&'a Words<'a>);

struct Words<'a> {
    subject: &'a str,
    is_change: bool,
    organisation: String,
    name: String,
    host: String,
    date: Option<String>,
    time: Option<String>,
    valid: Option<String>,
    place: String,
    address: Vec<&'a str>,
    directions: Vec<&'a str>,
    map: Option<String>,
    message: Option<String>,
    message_quoted: String,
    pin: &'a str,
    qr: Option<&'a str>,
    page: &'a str,
    apple: Option<&'a str>,
    google: Option<&'a str>,
}

/// Words the access mail.
pub(in crate::delivery) fn access(invitation: &Invitation, access: Access<'_>) -> Result<Letter, DeliveryError> {
    let is_change = access.told == Told::Change;
    let organisation = &invitation.organisation.name;
    let (kind, subject) = if is_change {
        ("changed", format!("Your visit to {organisation} has changed: new access details"))
    } else {
        ("invitation", format!("Your invitation to {organisation}"))
    };
    let when = invitation.when();
    let message = invitation.values.message.as_deref().filter(|message| !message.trim().is_empty());
    let words = Words {
        subject: &subject,
        is_change,
        organisation: unlinked(organisation),
        name: unlinked(&invitation.values.display_name()),
        host: unlinked(&invitation.host.name),
        date: when.as_ref().map(|when| when.date.clone()),
        valid: invitation.valid(access.window),
        time: when.map(|when| format!("{}, {}", when.time, when.zone)),
        place: invitation.place(),
        address: invitation.site.address.lines().filter(|line| !line.trim().is_empty()).collect(),
        directions: invitation.site.directions.lines().collect(),
        map: invitation.map_link(),
        message: message.map(unlinked),
        message_quoted: message.map(quoted).unwrap_or_default(),
        pin: access.pin.as_str(),
        qr: access.qr_token.as_ref().map(|_| access.content_id.as_str()),
        page: &access.page,
        apple: access.apple_link.as_deref(),
        google: access.google_link.as_deref(),
    };
    let (text, html) = (render(&Text(&words))?, render(&Html(&words))?);
    let png = access.qr_token.map(|token| picture::png(&token, MODULE_PIXELS)).transpose();
    let png = png.map_err(|_| DeliveryError::Message)?;
    Ok(Letter {
        qr: png.map(|png| (access.content_id, png)),
        calendar: access.calendar,
        pass: access.apple_pass,
        reply_to: mailbox(&invitation.host.name, &invitation.host.email),
        ..Letter::of(kind, subject, text, html)
    })
}

/// Renders a template; ours only fail where memory does.
pub(super) fn render(template: &impl Template) -> Result<String, DeliveryError> {
    template.render().map_err(|_| DeliveryError::Message)
}
