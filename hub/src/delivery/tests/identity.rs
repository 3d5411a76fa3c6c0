//! What names a mail, an entry and a recipient: unique in the world, and the same for as long as it is out there.

use chrono::TimeDelta;
use vestibule_core::decision::{Fact, Told};
use vestibule_core::visit::VisitValues;

use crate::delivery::testing::{Hub, Sent, invitation};
use crate::delivery::{Invitation, address_key};
use crate::effect::Effect;

/// The same visit at another address.
fn at(email: &str) -> Invitation {
    let values = VisitValues { email: Some(email.into()), ..invitation().values };
    Invitation { values, ..invitation() }
}

/// The content lines of the mail's calendar entry that begin so.
fn lines(mail: &Sent, name: &str) -> Vec<String> {
    let text = String::from_utf8(mail.part("text/calendar").expect("an entry")).expect("text").replace("\r\n ", "");
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

fn content_id(mail: &Sent) -> String {
    let parsed = mail.parsed();
    let ids: Vec<&str> = parsed.parts.iter().filter_map(mail_parser::MimeHeaders::content_id).collect();
    assert_eq!(ids.len(), 1, "one picture");
    assert!(mail.html().contains(&format!("\"cid:{}\"", ids[0])), "the words show the picture");
    ids[0].to_owned()
}

/// Mail programs keep pictures by their Content-ID: no two mails have the same.
#[test]
fn every_mail_has_a_picture_of_its_own() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let first = hub.send_all().remove(0);
    hub.carry_out(&invitation, &Effect::Update);
    hub.pass(TimeDelta::minutes(1));
    let second = hub.send_all().remove(0);
    assert_ne!(content_id(&first), content_id(&second));
    assert!(content_id(&first).ends_with("@visit.example.ch"));
}

/// The settings change while a visit is out there: its entry is still one entry, organised by whom it was.
#[test]
fn a_delivery_keeps_its_names() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let invited = hub.send_all().remove(0);
    hub.context.public_url = "https://besuch.example.org".parse().expect("an address");
    hub.context.mail_from = "Besuch <besuch@bücher.example>".into();
    hub.carry_out(&invitation, &Effect::Cancel);
    let cancelled = hub.send_all().remove(0);
    assert_eq!(lines(&invited, "UID"), lines(&cancelled, "UID"));
    let organizer = lines(&invited, "ORGANIZER").remove(0);
    let (name, address) = organizer.split_once(":mailto:").expect("an address");
    let expected = format!("{name};SENT-BY=\"mailto:besuch@xn--bcher-kva.example\":mailto:{address}");
    assert_eq!(lines(&cancelled, "ORGANIZER"), [expected]);
    let parsed = cancelled.parsed();
    assert_eq!(parsed.from().and_then(|from| from.first()?.address()), Some("besuch@xn--bcher-kva.example"));
    assert!(parsed.message_id().is_some_and(|id| id.ends_with("@visit.example.ch")), "{:?}", parsed.message_id());
    // What begins now has the new names.
    let fresh = Invitation { visit: vestibule_core::id::VisitId::from_parts(9, [9; 10]), ..invitation.clone() };
    hub.carry_out(&fresh, &Effect::Invite);
    let fresh = hub.send_all().remove(0);
    assert!(lines(&fresh, "UID").remove(0).ends_with("@besuch.example.org"));
    assert!(!lines(&fresh, "ORGANIZER").remove(0).contains("SENT-BY"));
}

/// An address goes out with its domain as A-labels wherever it goes, and its spellings are one recipient.
#[test]
fn spellings_are_one_address() {
    let mut hub = Hub::new();
    hub.carry_out(&at("zoe@bücher.example"), &Effect::Invite);
    let mail = hub.send_all().remove(0);
    assert_eq!(mail.to, "zoe@xn--bcher-kva.example");
    assert_eq!(mail.parsed().to().and_then(|to| to.first()?.address()), Some("zoe@xn--bcher-kva.example"));
    assert!(lines(&mail, "ATTENDEE").remove(0).ends_with(":mailto:zoe@xn--bcher-kva.example"));
    assert!(mail.bytes.is_ascii(), "no server needs SMTPUTF8 for it");
    for same in ["ZOE@xn--bcher-kva.example", "zoe@bücher。example", "\"zoe\"@BÜCHER.example."] {
        assert_eq!(address_key(&hub.context, same), address_key(&hub.context, "zoe@bücher.example"), "{same}");
    }
    let again = at("ZOE@xn--bcher-kva.example");
    assert_eq!(hub.carry_out(&again, &Effect::EndDelivery { email: "zoe@bücher.example".into() }), [Fact::Voided]);
    let facts = hub.carry_out(&again, &Effect::Invite);
    let queued = |what| Fact::MailQueued { what, held_until: None };
    assert_eq!(facts.last(), Some(&queued(Told::Change)), "the delivery goes on");
    let other = at("zoe@bucher.example");
    let facts = hub.carry_out(&other, &Effect::EndDelivery { email: "zoe@bücher.example".into() });
    assert_eq!(facts.last(), Some(&queued(Told::End)), "that is somebody else");
}

/// Letters beyond ASCII before the `@` stand as they are; the server is asked for SMTPUTF8.
#[test]
fn local_parts_beyond_ascii_are_kept() {
    let mut hub = Hub::new();
    hub.carry_out(&at("zoë@bücher.example"), &Effect::Invite);
    let mail = hub.send_all().remove(0);
    assert_eq!(mail.to, "zoë@bücher.example");
    assert_eq!(mail.parsed().to().and_then(|to| to.first()?.address()), Some("zoë@bücher.example"));
}

/// A quotation that the form takes is written, sealed, and read by the sender again.
#[test]
fn a_quoted_local_part_is_mailed() {
    let mut hub = Hub::new();
    for email in ["\"a,b\"@visitors.test", "\"a b@c\"@visitors.test"] {
        let visit = vestibule_core::id::VisitId::from_parts(email.len() as u64, [9; 10]);
        hub.carry_out(&Invitation { visit, ..at(email) }, &Effect::Invite);
        let mail = hub.send_all().remove(0);
        assert_eq!(mail.to, email);
        assert_eq!(mail.parsed().to().and_then(|to| to.first()?.address()), Some(email));
    }
}
