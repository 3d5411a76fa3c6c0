//! The mails that let nobody in: cancellations, notices to approvers and categories, news for the host.

use askama::Template;
use vestibule_core::calendar::Method;
use vestibule_core::decision::APPROVERS_NOT_TOLD;

use super::access::render;
use super::plain::{quoted, unlinked};
use super::{Letter, mailbox};
use crate::delivery::{DeliveryError, Invitation};

#[derive(Template)]
#[template(path = "mail/notice.html")]
struct Html<'a>(&'a Words);

#[derive(Template)]
#[template(path = "mail/notice.txt", escape = "none")]
struct Text<'a>(&'a Words);

/// What the two templates show.
struct Words {
    organisation: String,
    heading: String,
    greeting: String,
    paragraphs: Vec<String>,
    rows: Vec<(&'static str, String)>,
    /// Who says it, the words, and the words as a quotation in plain text.
    quote: Option<(String, String, String)>,
    button: Option<(&'static str, String)>,
    foot: String,
}

impl Words {
    fn new(invitation: &Invitation, heading: impl Into<String>, greeted: &str) -> Self {
        let organisation = unlinked(&invitation.organisation.name);
        let greeting = if greeted.is_empty() { "Hello,".to_owned() } else { format!("Hello {},", unlinked(greeted)) };
        let foot = format!("This mail was sent automatically by the visitor management of {organisation}.");
        let heading = heading.into();
        Self { organisation, heading, greeting, paragraphs: vec![], rows: vec![], quote: None, button: None, foot }
    }

    fn say(mut self, paragraph: impl Into<String>) -> Self {
        self.paragraphs.push(paragraph.into());
        self
    }

    /// A row of the table, left out without a value.
    fn row(mut self, label: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            self.rows.push((label, unlinked(value)));
        }
        self
    }

    fn quote(mut self, who: &str, text: Option<&str>) -> Self {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.quote = Some((unlinked(who), unlinked(text), quoted(text)));
        }
        self
    }

    fn letter(self, kind: &'static str, subject: String) -> Result<Letter, DeliveryError> {
        let (text, html) = (render(&Text(&self))?, render(&Html(&self))?);
        Ok(Letter::of(kind, subject, text, html))
    }
}

/// The visit as those who work at the site need to know it.
fn visit_rows(words: Words, invitation: &Invitation) -> Words {
    let values = &invitation.values;
    let when = invitation.when().map(|when| when.to_string());
    words
        .row("Visitor", Some(&values.display_name()))
        .row("Company", values.company.as_deref())
        .row("Type", invitation.visitor_type.as_ref().map(|of| of.name.as_str()))
        .row("When", when.as_deref())
        .row("Where", Some(&invitation.place()))
        .row("Host", Some(&invitation.host.name))
        .row("Reason", values.reason.as_deref())
}

/// The same visit for its host.
fn own_rows(words: Words, invitation: &Invitation) -> Words {
    let when = invitation.when().map(|when| when.to_string());
    words
        .row("Visitor", Some(&invitation.values.display_name()))
        .row("When", when.as_deref())
        .row("Where", Some(&invitation.place()))
}

/// To a guest who had been told: the visit does not take place.
pub(in crate::delivery) fn cancellation(
    invitation: &Invitation,
    calendar: Option<String>,
) -> Result<Letter, DeliveryError> {
    let when = invitation.when().map(|when| when.to_string());
    let organisation = &invitation.organisation.name;
    let words = Words::new(invitation, "Your visit is cancelled", &invitation.values.display_name())
        .say(format!("Your visit to {} has been cancelled.", unlinked(organisation)))
        .say("The PIN, the QR code and any pass you were sent no longer work. There is nothing for you to do.")
        .row("When", when.as_deref())
        .row("Where", Some(&invitation.place()))
        .row("Host", Some(&invitation.host.name));
    let letter = words.letter("cancellation", format!("Your visit to {organisation} is cancelled"))?;
    Ok(Letter {
        calendar: calendar.map(|text| (Method::Cancel, text)),
        reply_to: mailbox(&invitation.host.name, &invitation.host.email),
        ..letter
    })
}

/// To an address that is no longer the guest's: it learns nothing but that its invitation ended.
pub(in crate::delivery) fn bare_cancellation(
    invitation: &Invitation,
    calendar: Option<String>,
) -> Result<Letter, DeliveryError> {
    let organisation = &invitation.organisation.name;
    let words = Words::new(invitation, "An invitation has ended", "")
        .say(format!("The invitation to {} that was sent to this address is no longer valid.", unlinked(organisation)))
        .say("The PIN, the QR code and any pass that came with it no longer work. There is nothing for you to do.");
    let letter = words.letter("ended", format!("Your invitation to {organisation} is no longer valid"))?;
    Ok(Letter { calendar: calendar.map(|text| (Method::Cancel, text)), ..letter })
}

/// To the category's and the security address: a new invitation is pending approval (S2.12, S2.13, S2.16).
pub(in crate::delivery) fn pending(invitation: &Invitation, review: String) -> Result<Letter, DeliveryError> {
    let words = Words::new(invitation, "A new invitation is pending approval", "")
        .say("A new invitation is pending approval. The guest hears nothing until it is approved.");
    let mut words = visit_rows(words, invitation);
    words.button = Some(("Review invitation", review));
    words.letter("pending", format!("Invitation #{}: pending approval", invitation.number))
}

/// To the category's address: an invitation that needs no approval (S2.8).
pub(in crate::delivery) fn category_notice(invitation: &Invitation) -> Result<Letter, DeliveryError> {
    let words = Words::new(invitation, "A visitor has been invited", "")
        .say("A visitor has been invited. No approval is needed, and there is nothing for you to do.");
    visit_rows(words, invitation).letter("category", format!("Invitation #{}: visitor invited", invitation.number))
}

/// To the host: approved (S2.29), and where and when to collect the visitor (S4.23).
pub(in crate::delivery) fn approved(invitation: &Invitation) -> Result<Letter, DeliveryError> {
    let words = Words::new(invitation, "Your invitation was approved", &invitation.host.name)
        // Re-opened and approved unchanged, it brings no second mail.
        .say("Your invitation was approved. All access details go to your visitor by mail, if they are not there yet.")
        .say("Please meet your visitor in the lobby or at reception, and accompany them during the visit.");
    own_rows(words, invitation).letter("approved", format!("Invitation #{}: approved", invitation.number))
}

/// To the host: rejected, why, and whether to try again (S2.24–S2.27).
pub(in crate::delivery) fn rejected(
    invitation: &Invitation,
    reason: Option<&str>,
    is_final: bool,
) -> Result<Letter, DeliveryError> {
    let next = if is_final {
        "This decision is final: this visitor cannot be invited at all. Please do not send the invitation again."
    } else {
        "You can change the invitation and invite again."
    };
    let words = Words::new(invitation, "Your invitation was rejected", &invitation.host.name)
        .say("Your invitation was rejected. Your visitor has not been notified of this.")
        .say(next);
    own_rows(words, invitation)
        .quote("The reason given", reason)
        .letter("rejected", format!("Invitation #{}: rejected", invitation.number))
}

/// To the host: the visitor is here (S4.20, S4.23), or something to look at, by the codes of the log's alerts.
pub(in crate::delivery) fn alert(invitation: &Invitation, code: &str) -> Result<Letter, DeliveryError> {
    let number = invitation.number;
    let collect = "Please meet your visitor in the lobby or at reception, and accompany them during the visit.";
    let what = match code {
        "arrived" => {
            let words = Words::new(invitation, "Your visitor has arrived", &invitation.host.name)
                .say("Your visitor has arrived and is waiting.")
                .say(collect);
            return own_rows(words, invitation).letter("arrived", format!("Visit #{number}: your visitor has arrived"));
        }
        "arrived_after_cancellation" => "Your visitor has come although the visit was cancelled, and is on site.",
        "arrived_without_approval" => "Your visitor has come although the visit is not approved, and is on site.",
        "cancelled_on_site" => "Your visit was cancelled while the visitor is on site. Please see to your visitor.",
        "rejected_on_site" => "Your visit was rejected while the visitor is on site. Please see to your visitor.",
        "duplicate_use" => "The same QR code was used twice. Please ask reception who has come in.",
        "mail_refused" => "The mail server refused the mail to your visitor. Please check the e-mail address.",
        "mail_given_up" => {
            "The mail to your visitor could not be delivered for days. Please tell your visitor yourself."
        }
        APPROVERS_NOT_TOLD => {
            "Nobody who decides about your invitation could be told of it by mail. Please ask security yourself."
        }
        "mail_address" => "Your visitor's e-mail address takes no mail. Please correct it.",
        "window_passed" => "The time of your visit has passed, so your visitor was not invited. Please change it.",
        _ => "Something about your visit needs your attention. Please open it in the app.",
    };
    let words = Words::new(invitation, "Please look at your visit", &invitation.host.name).say(what);
    own_rows(words, invitation).letter("alert", format!("Visit #{number}: please take a look"))
}
