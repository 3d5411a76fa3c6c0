//! Mails: what is said to whom, made into the bytes that are sent.
//!
//! [`access`] and [`notice`] word a mail as a [`Letter`]; [`Letter::into_bytes`] makes it an Internet message (RFC 5322)
//! whose identity (Message-ID, MIME boundaries) comes from the outbox row and whose Date from the moment, so that the
//! stored bytes are what is sent, every time the same. Everything a person typed goes through [`plain`] or the
//! templates' escaping: it can make no header, no markup and no link.

mod access;
mod address;
mod notice;
mod plain;

use chrono::{DateTime, Utc};
use lettre::message::header::{
    ContentDisposition, ContentId, ContentType, Date, HeaderName, HeaderValue, Headers, Subject,
};
use lettre::message::{MultiPart, SinglePart};
use vestibule_core::address::Mailbox;
use vestibule_core::calendar::Method;
use vestibule_core::id::VisitId;

pub(super) use access::{Access, access};
pub(super) use address::{in_envelope, mailbox};
pub(super) use notice::{alert, approved, bare_cancellation, cancellation, category_notice, pending, rejected};
pub use plain::unlinked;

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
    /// The QR code, and the `Content-ID` the HTML shows it by: unique in the world, since mail programs keep pictures by
    /// it, and a guest has mails with codes that are void.
    pub(super) qr: Option<(String, Vec<u8>)>,
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
    /// The visit, in a mail to its guest.
    pub(super) visit: Option<VisitId>,
}

/// Names the visit in a mail to its guest, so that an answer or a complaint can be traced without reading it.
pub const VISIT_HEADER: &str = "X-Vestibule-Visit";

impl Letter {
    /// A letter of words only.
    fn of(kind: &'static str, subject: String, text: String, html: String) -> Self {
        Self { kind, subject, text, html, qr: None, calendar: None, pass: None, reply_to: None }
    }

    /// The message: `mixed(alternative(text, related(HTML, QR), calendar), invite.ics, visit.pkpass)`, as far as it has
    /// these parts. The calendar stands twice: mail programs act on the alternative, others offer the file.
    pub(super) fn into_bytes(self, cover: &Cover<'_>) -> Vec<u8> {
        let id = hex::encode(cover.id);
        let boundary = |part: &str| format!("=_{part}_{id}");
        let mut related = MultiPart::related().boundary(boundary("related")).singlepart(SinglePart::html(self.html));
        if let Some((content_id, png)) = self.qr {
            related = related.singlepart(
                SinglePart::builder()
                    .header(media_type("image/png"))
                    .header(ContentDisposition::inline_with_name("qr.png"))
                    .header(ContentId::from(format!("<{content_id}>")))
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
        let mut headers = Headers::new();
        headers.insert_raw(addressed("From", &cover.from));
        headers.insert_raw(addressed("To", &cover.to));
        if let Some(reply_to) = &self.reply_to {
            headers.insert_raw(addressed("Reply-To", reply_to));
        }
        headers.set(Date::new(cover.date.into()));
        headers.insert_raw(header("Message-ID", &format!("<{id}@{}>", cover.host)));
        headers.set(Subject::from(self.subject));
        // RFC 3834: nobody's holiday answer comes back, and loops end.
        headers.insert_raw(header("Auto-Submitted", "auto-generated"));
        headers.insert_raw(header("X-Auto-Response-Suppress", "All"));
        if let Some(visit) = cover.visit {
            headers.insert_raw(header(VISIT_HEADER, &visit.to_string()));
        }
        headers.insert_raw(header("MIME-Version", "1.0"));
        let mut message = headers.to_string().into_bytes();
        message.extend(whole.formatted());
        message
    }
}

/// A header with one mailbox, written by us and not by the library: see [`address`].
fn addressed(name: &'static str, mailbox: &Mailbox) -> HeaderValue {
    let value = address::in_header(mailbox);
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
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
