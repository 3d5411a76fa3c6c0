//! Mails: what is said to whom, made into the bytes that are sent.
//!
//! [`access`] and [`notice`] word a mail as a [`Letter`]; [`Letter::into_bytes`] makes it an Internet message (RFC 5322)
//! whose identity (Message-ID, MIME boundaries) comes from the outbox row and whose Date from the moment, so that the
//! stored bytes are what is sent, every time the same. Everything a person typed goes through [`plain`] or the
//! templates' escaping: it can make no header, no markup and no link.

mod access;
mod notice;
mod plain;

use chrono::{DateTime, Utc};
use lettre::Message;
use lettre::message::header::{ContentDisposition, ContentId, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use vestibule_core::calendar::Method;

pub(super) use access::{Access, access};
pub(super) use notice::{alert, approved, bare_cancellation, cancellation, category_notice, pending, rejected};
pub use plain::unlinked;

use super::DeliveryError;

/// A mail in words, before it is a message.
pub(super) struct Letter {
    /// What it says, for the operator and the tests.
    pub(super) kind: &'static str,
    /// Short, without personal data.
    pub(super) subject: String,
    /// The whole message as plain text.
    pub(super) text: String,
    /// The same as HTML.
    pub(super) html: String,
    /// The QR code, shown in the HTML as `cid:qr`.
    pub(super) qr_png: Option<Vec<u8>>,
    /// The calendar entry.
    pub(super) calendar: Option<(Method, String)>,
    /// The Apple pass.
    pub(super) pass: Option<Vec<u8>>,
    /// Whom an answer goes to.
    pub(super) reply_to: Option<Mailbox>,
}

/// Who sends, who receives, and what makes the message this one.
pub(super) struct Cover<'a> {
    /// The outbox row's id.
    pub(super) id: [u8; 16],
    /// Where the message comes from, for the Message-ID.
    pub(super) host: &'a str,
    /// The sender.
    pub(super) from: Mailbox,
    /// The recipient.
    pub(super) to: Mailbox,
    /// When it was written.
    pub(super) date: DateTime<Utc>,
}

/// The Content-ID of the QR code, as the HTML names it.
const QR_CONTENT_ID: &str = "qr@vestibule";

impl Letter {
    /// A letter of words only.
    fn of(kind: &'static str, subject: String, text: String, html: String) -> Self {
        Self { kind, subject, text, html, qr_png: None, calendar: None, pass: None, reply_to: None }
    }

    /// The message: `mixed(alternative(text, related(HTML, QR), calendar), invite.ics, visit.pkpass)`, as far as it has
    /// these parts. The calendar stands twice: mail programs act on the alternative, others offer the file.
    pub(super) fn into_bytes(self, cover: Cover<'_>) -> Result<Vec<u8>, DeliveryError> {
        let id = hex::encode(cover.id);
        let boundary = |part: &str| format!("=_{part}_{id}");
        let mut related = MultiPart::related().boundary(boundary("related")).singlepart(SinglePart::html(self.html));
        if let Some(png) = self.qr_png {
            related = related.singlepart(
                SinglePart::builder()
                    .header(media_type("image/png"))
                    .header(ContentDisposition::inline_with_name("qr.png"))
                    .header(ContentId::from(format!("<{QR_CONTENT_ID}>")))
                    .body(png),
            );
        }
        let mut body = MultiPart::alternative()
            .boundary(boundary("alternative"))
            .singlepart(SinglePart::plain(self.text))
            .multipart(related);
        if let Some((method, text)) = &self.calendar {
            body = body.singlepart(SinglePart::builder().header(media_type(method.content_type())).body(text.clone()));
        }
        let mut whole = MultiPart::mixed().boundary(boundary("mixed")).multipart(body);
        if let Some((_, text)) = self.calendar {
            whole = whole.singlepart(attachment("invite.ics", "application/ics", text.into_bytes()));
        }
        if let Some(pass) = self.pass {
            whole = whole.singlepart(attachment("visit.pkpass", "application/vnd.apple.pkpass", pass));
        }
        let mut message = Message::builder()
            .from(cover.from)
            .to(cover.to)
            .date(cover.date.into())
            .message_id(Some(format!("<{id}@{}>", cover.host)))
            .subject(self.subject)
            // RFC 3834: nobody's holiday answer comes back, and loops end.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        if let Some(reply_to) = self.reply_to {
            message = message.reply_to(reply_to);
        }
        Ok(message.multipart(whole).map_err(|_| DeliveryError::Message)?.formatted())
    }
}

/// A mailbox of a name that somebody typed and an address; `None` if the address is none.
pub(super) fn mailbox(name: &str, address: &str) -> Option<Mailbox> {
    let address: lettre::Address = address.trim().parse().ok()?;
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(Mailbox::new(Some(name).filter(|name| !name.trim().is_empty()), address))
}

fn attachment(name: &str, media: &str, bytes: Vec<u8>) -> SinglePart {
    SinglePart::builder().header(media_type(media)).header(ContentDisposition::attachment(name)).body(bytes)
}

fn media_type(name: &str) -> ContentType {
    ContentType::parse(name).expect("a constant of ours is a media type")
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
