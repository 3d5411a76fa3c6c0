//! The mails themselves, read back by parsers that are not ours.

use calcard::icalendar::{ICalendarComponentType, ICalendarProperty};
use calcard::{Entry, Parser};
use vestibule_core::visit::Key;
use vestibule_core::wallet::package_read::ReadPass;

use crate::delivery::carry_out::SETTLING;
use crate::delivery::testing::{Hub, Sent, invitation, values};
use crate::delivery::{Invitation, unlinked};
use crate::effect::Effect;

fn only_mail(invitation: &Invitation, effect: &Effect) -> Sent {
    let mut hub = Hub::new();
    hub.carry_out(invitation, effect);
    let mut sent = hub.send_all();
    assert_eq!(sent.len(), 1, "one mail");
    sent.remove(0)
}

/// The text without the Google link's claims, which are another module's, and its signature.
fn without_signature(text: &str) -> String {
    let link = "https://pay.google.com/gp/v/save/";
    let Some((before, rest)) = text.split_once(link) else { return text.to_owned() };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c));
    format!("{before}{link}…{rest}")
}

/// METHOD, and the value of a property of the one event.
fn calendar(bytes: &[u8], property: &ICalendarProperty) -> (String, Option<String>) {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let Entry::ICalendar(calendar) = Parser::new(text).entry() else { panic!("no calendar") };
    let method = calendar.components[0].property(&ICalendarProperty::Method).and_then(|of| of.values.first());
    let method = format!("{:?}", method.expect("a method"));
    let event = calendar.components.iter().find(|of| of.component_type == ICalendarComponentType::VEvent);
    let value = event.expect("an event").property(property).and_then(|of| of.values.first());
    (method, value.and_then(|value| value.as_text().map(str::to_owned)))
}

/// S2.13, S2.25–S2.29, S4.20, S4.23: every mail's subject and words, as they are read.
#[test]
fn words() {
    let invitation = invitation();
    let rejected = |r#final| Effect::TellHostRejected { reason: Some("No badge on file.".into()), r#final };
    let effects = [
        ("invitation", Effect::Invite),
        ("category", Effect::TellCategory),
        ("approved", Effect::TellHostApproved),
        ("rejected", rejected(false)),
        ("rejected_finally", rejected(true)),
        ("arrived", Effect::TellHostAlert { code: "arrived" }),
        ("alert", Effect::TellHostAlert { code: "cancelled_on_site" }),
    ];
    for (name, effect) in effects {
        let mail = only_mail(&invitation, &effect);
        let words = without_signature(&mail.text());
        insta::assert_snapshot!(name, format!("To: {}\nSubject: {}\n\n{}", mail.to, mail.subject(), words));
    }
}

/// The HTML of the access mail, and the order and types of the parts.
#[test]
fn html_and_parts() {
    use mail_parser::MimeHeaders as _;
    let mail = only_mail(&invitation(), &Effect::Invite);
    insta::assert_snapshot!("invitation_html", without_signature(&mail.html()));
    let parsed = mail.parsed();
    let types: Vec<String> = parsed
        .parts
        .iter()
        .filter_map(|part| part.content_type())
        .map(|of| format!("{}/{}", of.ctype(), of.subtype().unwrap_or_default()))
        .collect();
    assert_eq!(
        types,
        [
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "text/calendar",
            "application/ics",
            "application/vnd.apple.pkpass"
        ]
    );
    let header = |name: &str| parsed.header_raw(name).map(|value| value.trim().to_owned());
    assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert_eq!(header("From").as_deref(), Some("\"Example AG\" <visitors@example.ch>"));
    assert_eq!(parsed.reply_to().and_then(|to| to.first()?.address()), Some("beatrice.keller@example.ch"));
}

/// S4.6, S4.16, S4.17, S4.22, S4.24, S1.32, S1.35: what a guest needs is in the words and in the HTML.
#[test]
fn the_invitation_says_what_a_guest_needs() {
    let mail = only_mail(&invitation(), &Effect::Invite);
    let pin = mail.pin().expect("a PIN");
    assert_eq!(pin.len(), 6);
    for body in [mail.text(), mail.html()] {
        for needed in [
            pin.as_str(),
            "at the entrance",
            "It works once",
            "at this site only",
            "Zürich Headquarters, Control room 3",
            "Bahnhofstrasse 1",
            "Tram 11",
            "google.com/maps",
            "Wednesday 10 February 2027",
            "22:00–02:00 (+1 day), Zurich time (UTC+1)",
            "wait in the lobby or at reception",
            "accompanied",
            "not security credentials",
            "https://visit.example.ch/p/",
            "/pass.pkpass",
            "https://pay.google.com/gp/v/save/",
        ] {
            assert!(body.contains(needed), "{needed}");
        }
    }
    assert!(!mail.subject().contains(&pin) && !mail.subject().contains("Ngọc"));
}

/// S4.11, S4.12: date and time, and the message, are in the mail only if given.
#[test]
fn date_and_message_only_if_given() {
    let full = only_mail(&invitation(), &Effect::Invite);
    assert!(full.text().contains("When:") && full.text().contains("writes:") && full.part("text/calendar").is_some());
    let mut bare = invitation();
    bare.values.schedule = None;
    bare.values.message = None;
    let bare = only_mail(&bare, &Effect::Invite);
    for body in [bare.text(), bare.html()] {
        for absent in ["When:", ">When<", "10 February 2027", "writes"] {
            assert!(!body.contains(absent), "{absent}");
        }
    }
    assert!(bare.part("text/calendar").is_none() && bare.part("application/ics").is_none());
}

/// S1.31, S1.33: the QR code of the mail is the credential's, read by a reader that is not ours; none where switched off.
#[test]
fn the_qr_code_can_be_read() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let mail = hub.send_all().remove(0);
    let png = hub.directory.path().join("qr.png");
    std::fs::write(&png, mail.part("image/png").expect("a QR code")).expect("writes");
    let read = std::process::Command::new("zbarimg").args(["-q", "--raw"]).arg(&png).output().expect("zbarimg runs");
    let token = hub.credential(&invitation).expect("minted").qr_token(&hub.context);
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), token);

    let mut without = invitation;
    without.organisation.qr = false;
    let mail = only_mail(&without, &Effect::Invite);
    assert!(mail.part("image/png").is_none() && !mail.text().contains("QR code of this mail"));
}

/// S1.34, S1.35: the pass that comes with the mail carries the same code and no PIN; none where not set up.
#[test]
fn the_pass_carries_the_code_and_no_pin() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let mail = hub.send_all().remove(0);
    let file = mail.part("application/vnd.apple.pkpass").expect("a pass");
    let read = ReadPass::read(&file).expect("a good package");
    assert_eq!(read.pass.barcodes[0].message, hub.credential(&invitation).expect("minted").qr_token(&hub.context));
    assert!(read.pass.authentication_token.as_ref().is_some_and(|token| token.len() >= 16));
    assert!(!String::from_utf8_lossy(&read.pass.to_json()).contains(&mail.pin().expect("a PIN")));

    let mut without = invitation;
    without.organisation.wallet = false;
    let mail = only_mail(&without, &Effect::Invite);
    assert!(mail.part("application/vnd.apple.pkpass").is_none());
    assert!(!mail.text().contains("Wallet") && !mail.html().contains("Wallet"));
}

/// The calendar entry keeps its UID over a change and a cancellation, and its SEQUENCE grows.
#[test]
fn the_calendar_entry_is_one_entry() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let mut mails = hub.send_all();
    invitation.values.schedule = Some("2027-02-12T09:00/2027-02-12T10:00".parse().expect("a schedule"));
    hub.carry_out(&invitation, &Effect::Update);
    hub.pass(SETTLING);
    mails.extend(hub.send_all());
    hub.carry_out(&invitation, &Effect::Cancel);
    mails.extend(hub.send_all());
    let entries: Vec<_> = mails.iter().map(|mail| mail.part("text/calendar").expect("an entry")).collect();
    let uids: Vec<_> = entries.iter().map(|entry| calendar(entry, &ICalendarProperty::Uid).1.expect("a UID")).collect();
    assert!(uids[0].ends_with("@visit.example.ch") && uids.iter().all(|uid| *uid == uids[0]));
    let methods: Vec<_> = entries.iter().map(|entry| calendar(entry, &ICalendarProperty::Uid).0).collect();
    assert!(methods[0].contains("Request") && methods[1].contains("Request") && methods[2].contains("Cancel"));
    for (number, entry) in entries.iter().enumerate() {
        let text = String::from_utf8_lossy(entry);
        assert!(text.contains(&format!("\r\nSEQUENCE:{number}\r\n")), "{text}");
        assert!(!text.contains(&mails[0].pin().expect("a PIN")), "calendars are shared");
    }
    assert_eq!(mails[0].part("application/ics"), mails[0].part("text/calendar"));
}

/// Headers cannot be injected and markup cannot be made, whatever stands in a name, in any script.
#[test]
fn names_are_only_names() {
    for name in [
        "Eve\r\nBcc: all@example.org",
        "\"Eve\" <eve@evil.example>,",
        "<img src=x onerror=alert(1)>",
        "{{ 7*7 }}",
        "李小龍",
        "محمد",
        "Ὀδυσσεύς 🙂",
        "a\u{0}b\u{1b}[31m",
    ] {
        let mut invitation = invitation();
        invitation.values.first_name = Some(name.to_owned());
        invitation.host.name = name.to_owned();
        invitation.values.company = Some(name.to_owned());
        let mail = only_mail(&invitation, &Effect::Invite);
        let parsed = mail.parsed();
        assert!(parsed.bcc().is_none(), "{name:?}");
        assert_eq!(parsed.to().map(|to| to.clone().into_list().len()), Some(1), "{name:?}");
        assert_eq!(parsed.to().and_then(|to| to.first()?.address()), Some("ngoc@acme.example"), "{name:?}");
        assert_eq!(parsed.reply_to().map(|to| to.clone().into_list().len()), Some(1), "{name:?}");
        assert!(!mail.html().contains("<img src=x"), "{name:?}");
        assert!(mail.text().contains(&format!("Hello {}", unlinked(name).replace("\r\n", "\n"))), "{name:?}");
        assert!(mail.bytes.split(|&byte| byte == b'\n').all(|line| line.len() <= 998), "RFC 5322, 2.1.1");
    }
}

/// The host's words are quoted as the host's, and links in them are not clickable.
#[test]
fn the_message_makes_no_links() {
    let mut invitation = invitation();
    invitation.values.message = Some("<a href='https://evil.example'>x</a> www.evil.example\nevil.example/a".into());
    let mail = only_mail(&invitation, &Effect::Invite);
    assert!(mail.text().contains("Beatrice Keller writes:\n\n> <a "));
    for body in [mail.text(), mail.html()] {
        assert!(!body.contains("evil.example") && !body.contains("https://evil"), "{body}");
    }
}

/// S1.19: what is internal is in no mail to a guest; the reason is for those who decide.
#[test]
fn the_reason_is_not_the_guests() {
    let mut hub = Hub::new();
    let invitation = invitation();
    hub.carry_out(&invitation, &Effect::Invite);
    hub.carry_out(&invitation, &Effect::TellPending);
    for mail in hub.send_all() {
        assert_eq!(mail.text().contains("chillers"), mail.to.ends_with("@example.ch"), "{}", mail.to);
    }
}

/// A visitor known by one name or none is greeted as such (S1.11).
#[test]
fn a_visitor_with_one_name() {
    let mut invitation = invitation();
    invitation.values = values(&[(Key::LastName, "Ada"), (Key::Email, "ada@example.org")]);
    assert!(only_mail(&invitation, &Effect::Invite).text().starts_with("Hello Ada,\n\nBeatrice Keller invites"));
}
