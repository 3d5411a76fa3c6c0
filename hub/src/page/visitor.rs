//! The visitor's page, `/p/{token}`: what, when and where, and the QR code; never a PIN.

use std::fmt::Write as _;

use askama::Template;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::qr::picture::{QUIET_ZONE, QrMatrix};

use super::{Page, PageError};
use crate::context::Context;
use crate::credential::{self, Credential, State};
use crate::delivery::{Delivery, Invitation, google_link};

/// What the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageView {
    /// The invitation lets in, now or within its window.
    Live(Box<LiveView>),
    /// It does not for now, and nobody says why (S2.28): ask your host.
    NotValidNow {
        /// The organisation.
        organisation: String,
    },
    /// It was used: the visitor has been let in.
    Used {
        /// The organisation.
        organisation: String,
    },
    /// It is over; nothing of the visit is shown any more.
    Ended {
        /// The organisation.
        organisation: String,
    },
    /// There is no such page.
    Unknown,
}

/// What the page of a good invitation shows; the template escapes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveView {
    organisation: String,
    name: String,
    host: String,
    date: Option<String>,
    time: Option<String>,
    zone: Option<String>,
    valid: Option<String>,
    place: String,
    address: Vec<String>,
    directions: Vec<String>,
    map: Option<String>,
    /// The dark modules of the QR code as one SVG path, and the side of the picture in modules.
    qr: Option<(String, usize)>,
    apple: Option<String>,
    google: Option<String>,
    calendar: Option<String>,
}

impl PageView {
    /// What the page of a delivery shows at `now`.
    pub fn of(
        context: &Context,
        now: DateTime<Utc>,
        delivery: &Delivery,
        invitation: &Invitation,
        credential: Option<&Credential>,
    ) -> Result<Self, PageError> {
        let organisation = invitation.organisation.name.clone();
        let credential = match credential {
            _ if !delivery.is_live => return Ok(Self::Ended { organisation }),
            None => return Ok(Self::NotValidNow { organisation }),
            Some(credential) => credential,
        };
        match credential.state {
            _ if now >= credential.window.expires => return Ok(Self::Ended { organisation }),
            State::Void | State::Suspended => return Ok(Self::NotValidNow { organisation }),
            State::Spent => return Ok(Self::Used { organisation }),
            State::Live => {}
        }
        let page = delivery.page_link(context);
        let when = invitation.when();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let qr = invitation.organisation.qr.then(|| QrMatrix::of(&credential.qr_token(context))).transpose();
        let apple = context.apple.as_ref().filter(|apple| apple.is_valid(now));
        let has_apple = invitation.organisation.wallet && apple.is_some();
        Ok(Self::Live(Box::new(LiveView {
            organisation,
            name: invitation.values.display_name(),
            host: invitation.host.name.clone(),
            date: when.as_ref().map(|when| when.date.clone()),
            time: when.as_ref().map(|when| when.time.clone()),
            zone: when.as_ref().map(|when| when.zone.clone()),
            valid: invitation.valid(&credential.window),
            place: invitation.place(),
            address: lines(&invitation.site.address),
            directions: lines(&invitation.site.directions),
            map: invitation.map_link(),
            qr: qr.map_err(|_| PageError::Render)?.map(|matrix| (path(&matrix), matrix.size + 2 * QUIET_ZONE)),
            apple: has_apple.then(|| format!("{page}/pass.pkpass")),
            google: google_link(context, delivery, invitation, Some(credential), now).unwrap_or_else(|error| {
                tracing::error!(visit = %delivery.visit, %error, "a page is shown without its Google link");
                None
            }),
            calendar: when.map(|_| format!("{page}/visit.ics")),
        })))
    }

    fn status(&self) -> u16 {
        match self {
            Self::Live(_) | Self::NotValidNow { .. } | Self::Used { .. } => 200,
            Self::Ended { .. } => 410,
            Self::Unknown => 404,
        }
    }
}

/// The visitor's page. `found` is the delivery of the token and its visit; without one there is no such page.
pub fn visitor_page(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    found: Option<(&Delivery, &Invitation)>,
) -> Result<Page, PageError> {
    let view = match found {
        Some((delivery, invitation)) => {
            let credential = credential::latest(tx, &delivery.organisation, delivery.visit)?;
            PageView::of(context, now, delivery, invitation, credential.as_ref())?
        }
        None => return unknown(),
    };
    Ok(Page::html(view.status(), render(&view)?))
}

/// The page that is not there.
pub(super) fn unknown() -> Result<Page, PageError> {
    Ok(Page::html(404, render(&PageView::Unknown)?))
}

#[derive(Template)]
#[template(path = "page/visitor.html")]
struct LiveHtml<'a> {
    v: &'a LiveView,
}

#[derive(Template)]
#[template(path = "page/message.html")]
struct MessageHtml<'a> {
    organisation: Option<&'a str>,
    mark: char,
    heading: &'static str,
    text: &'static str,
}

fn render(view: &PageView) -> Result<String, PageError> {
    let (organisation, mark, heading, text) = match view {
        PageView::Live(v) => return LiveHtml { v }.render().map_err(|_| PageError::Render),
        PageView::NotValidNow { organisation } => (
            Some(organisation.as_str()),
            '!',
            "Not valid now",
            "This invitation does not let you in at the moment. Please ask your host before you come.",
        ),
        PageView::Used { organisation } => (
            Some(organisation.as_str()),
            '✓',
            "You are checked in",
            "This invitation has been used. Please wait in the lobby or at reception; your host will meet you there. \
             If you leave and want to come back, your host accompanies you or sends a new invitation.",
        ),
        PageView::Ended { organisation } => (
            Some(organisation.as_str()),
            '–',
            "This invitation has ended",
            "It does not let you in any more. If you are expected, please ask your host for a new one.",
        ),
        PageView::Unknown => {
            (None, '?', "There is no such page", "Please open the link in your invitation again, in full.")
        }
    };
    MessageHtml { organisation, mark, heading, text }.render().map_err(|_| PageError::Render)
}

/// The dark modules as horizontal runs: a tenth of the size of a rectangle each, and without seams.
fn path(matrix: &QrMatrix) -> String {
    let mut path = String::new();
    for y in 0..matrix.size {
        let mut x = 0;
        while x < matrix.size {
            let run = (x..matrix.size).take_while(|&x| matrix.is_dark(x, y)).count();
            if run > 0 {
                write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET_ZONE, y + QUIET_ZONE)
                    .expect("a String takes every write");
            }
            x += run.max(1);
        }
    }
    path
}
