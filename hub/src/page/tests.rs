//! The visitor's page and what hangs on it.

use std::collections::BTreeMap;

use vestibule_core::wallet::apple::{FieldValue, Pass};
use vestibule_core::wallet::package_read::ReadPass;

use super::*;
use crate::delivery::google_link;
use crate::delivery::testing::{Hub, invitation};
use crate::effect::Effect;

fn page(hub: &mut Hub, invitation: &Invitation) -> Page {
    let delivery = hub.delivery(invitation).expect("it lives");
    let now = hub.now;
    hub.read(|tx, context| {
        let found = find(tx, context, &delivery.page_token(context))?.expect("its token finds it");
        Ok(visitor_page(tx, context, now, Some((&found, invitation))).expect("a page"))
    })
}

fn text(page: &Page) -> String {
    String::from_utf8(page.body.clone()).expect("UTF-8")
}

fn pass_of(hub: &mut Hub, delivery: &Delivery, invitation: &Invitation) -> ReadPass {
    let now = hub.now;
    let page = hub.read(|tx, context| Ok(visitor_pass(tx, context, now, delivery, invitation).expect("a pass")));
    assert_eq!(page.header("content-type"), Some("application/vnd.apple.pkpass"));
    ReadPass::read(&page.body).expect("a good package")
}

/// S1.31, S1.32, S1.35, S4.17, S4.22: what, when, where, the code, the passes, the way; and no PIN.
#[test]
fn a_live_page() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let pin = hub.send_all()[0].pin().expect("a PIN");
    let page = page(&mut hub, &invitation);
    let html = text(&page);
    for needed in [
        "<html lang=\"en\">",
        "Ngọc Ánh Müller-Ōta",
        "Wednesday 10 February 2027",
        "22:00–02:00 (+1 day)",
        "Zurich time (UTC+1)",
        "Zürich Headquarters, Control room 3",
        "aria-label=\"QR code to show at reception\"",
        "/pass.pkpass",
        "https://pay.google.com/gp/v/save/",
        "/visit.ics",
        "google.com/maps",
        "wait in the lobby or at reception",
        "not a security credential",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    assert!(!html.contains(&pin) && !html.contains("<script") && !html.contains("chillers"));
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
}

/// S1.33, S1.34: without codes and passes set up, none are offered.
#[test]
fn a_page_without_code_and_passes() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.organisation.qr = false;
    invitation.organisation.wallet = false;
    hub.carry_out(&invitation, &Effect::Invite);
    let html = text(&page(&mut hub, &invitation));
    assert!(!html.contains("QR code") && !html.contains("Wallet") && !html.contains("pkpass"));
}

/// Without a date, mail, page and pass say on which days and in which hours it lets in; with an arrival time, from
/// when to when; with both ends of a visit, the schedule says it.
#[test]
fn the_window_is_said_where_the_schedule_does_not_say_it() {
    let days = "1 Feb – 15 Feb 2027, 07:00–19:00, Zurich time (UTC+1)";
    for (schedule, said) in [
        (None, Some(days)),
        (Some("2027-02-10T09:00"), Some("08:30 – 11:00")),
        (Some("2027-02-10T23:00"), Some("22:30 – 01:00 (+1 day)")),
        (Some("2027-02-10T22:00/2027-02-11T02:00"), None),
    ] {
        let (mut hub, mut invitation) = (Hub::new(), invitation());
        invitation.values.schedule = schedule.map(|text| text.parse().expect("a schedule"));
        hub.carry_out(&invitation, &Effect::Invite);
        let mail = hub.send_all().remove(0);
        let delivery = hub.delivery(&invitation).expect("it lives");
        let pass = pass_of(&mut hub, &delivery, &invitation).pass;
        let back = pass.generic.expect("a pass").back_fields;
        let texts: Vec<&str> = back
            .iter()
            .filter_map(|field| match &field.value {
                vestibule_core::wallet::apple::FieldValue::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let html = text(&page(&mut hub, &invitation));
        let Some(said) = said else {
            assert!(!mail.text().contains("Valid") && !html.contains("Valid"));
            assert!(!texts.iter().any(|text| text.contains("Valid")), "{texts:?}");
            continue;
        };
        assert!(mail.text().contains(&format!("\nValid:  {said}\n")), "{}", mail.text());
        assert!(mail.html().contains(said) && html.contains(&format!("<dt>Valid</dt><dd>{said}</dd>")));
        assert!(texts.iter().any(|text| text.ends_with(&format!("Valid {said}"))), "{texts:?}");
    }
}

/// Markup in what people typed stays text.
#[test]
fn typed_text_is_escaped() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    let evil = "<script>alert('1')</script>\"&";
    invitation.values.first_name = Some(evil.into());
    invitation.host.name = evil.into();
    invitation.site.name = evil.into();
    invitation.site.directions = evil.into();
    invitation.organisation.name = evil.into();
    hub.carry_out(&invitation, &Effect::Invite);
    let html = text(&page(&mut hub, &invitation));
    assert!(!html.contains("<script") && html.contains("&#60;script"));
}

/// S2.28: suspended or rejected, page and pass are dead and say nothing of why.
#[test]
fn not_valid_now() {
    for effect in [Effect::Suspend, Effect::Void] {
        let (mut hub, invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        hub.carry_out(&invitation, &effect);
        let html = text(&page(&mut hub, &invitation));
        assert!(html.contains("Not valid now") && html.contains("ask your host"));
        assert!(!html.contains("Ngọc") && !html.contains("<path d=\"M4 4"));
        let delivery = hub.delivery(&invitation).expect("it lives");
        let pass = pass_of(&mut hub, &delivery, &invitation).pass;
        assert_eq!(pass.voided, Some(true));
        assert!(pass.barcodes.is_empty());
    }
}

/// A delivery that has ended shows nothing of the visit as it is now; its pass is void, without code and values.
#[test]
fn an_ended_delivery_is_dead() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let old = hub.delivery(&invitation).expect("it lives");
    invitation.values.email = Some("right@acme.example".into());
    hub.carry_out(&invitation, &Effect::EndDelivery { email: "ngoc@acme.example".into() });
    hub.carry_out(&invitation, &Effect::Update);
    let token = old.page_token(&hub.context);
    let old = hub.read(|tx, context| find(tx, context, &token)).expect("it is kept");
    let now = hub.now;
    let page = hub.read(|tx, context| Ok(visitor_page(tx, context, now, Some((&old, &invitation))).expect("a page")));
    assert_eq!(page.status, 410);
    assert!(!text(&page).contains("Ngọc") && !text(&page).contains("Keller"));
    let read = pass_of(&mut hub, &old, &invitation);
    assert_eq!((read.pass.voided, read.pass.barcodes.len()), (Some(true), 0));
    let json = String::from_utf8(read.pass.to_json()).expect("UTF-8");
    for new in ["Ngọc", "Keller", "Zürich Headquarters", "Control", "Acme"] {
        assert!(!json.contains(new), "{new}");
    }
    let ics = hub.read(|tx, context| Ok(visitor_calendar(tx, context, now, &old, &invitation).expect("an answer")));
    assert_eq!(ics.status, 404);
    let new = hub.delivery(&invitation).expect("it lives");
    assert_eq!(pass_of(&mut hub, &new, &invitation).pass.barcodes.len(), 1);
    // Google's link carries the object itself: only what is good may be saved.
    let credential = hub.credential(&invitation);
    let link = |delivery| {
        google_link(&hub.context, delivery, &invitation, credential.as_ref(), now).expect("the key signs").is_some()
    };
    assert_eq!((link(&old), link(&new)), (false, true));
}

/// Used, the page says so; over, it has ended.
#[test]
fn used_and_over() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let id = hub.credential(&invitation).expect("minted").id;
    hub.now = crate::delivery::testing::instant("2027-02-10T21:00:00Z");
    let now = hub.now;
    assert!(hub.write(|tx, _, _| crate::store::credentials::spend(tx, id, now)));
    assert!(text(&page(&mut hub, &invitation)).contains("You are checked in"));
    hub.pass(chrono::TimeDelta::days(1));
    assert_eq!(page(&mut hub, &invitation).status, 410);
}

/// The calendar entry of the page is the one of the mail.
#[test]
fn the_calendar_entry_is_the_one_of_the_mail() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let now = hub.now + chrono::TimeDelta::hours(1);
    let page =
        hub.read(|tx, context| Ok(visitor_calendar(tx, context, now, &delivery, &invitation).expect("an answer")));
    assert_eq!(Some(page.body), hub.send_all()[0].part("text/calendar"));
}

/// The values of a pass by the keys of its fields.
fn values(pass: &Pass) -> BTreeMap<String, FieldValue> {
    let front = pass.generic.as_ref().expect("generic");
    front.all().map(|field| (field.key.clone(), field.value.clone())).collect()
}

/// What Wallet reads out when a pass comes in the place of another: the message of each field whose value changed.
fn announced(before: &Pass, after: &Pass) -> Vec<String> {
    let old = values(before);
    let new = after.generic.as_ref().expect("generic").all();
    new.filter_map(|field| {
        let FieldValue::Text(value) = &field.value else { return None };
        let changed = old.get(&field.key).is_some_and(|old| *old != field.value);
        field.change_message.as_ref().filter(|_| changed).map(|message| message.replace("%@", value))
    })
    .collect()
}

/// The pass of a token, whether its delivery lives or has ended.
fn pass_by(hub: &mut Hub, token: &str, invitation: &Invitation) -> Pass {
    let delivery = hub.read(|tx, context| find(tx, context, token)).expect("it is kept");
    pass_of(hub, &delivery, invitation).pass
}

/// S2.28: a guest who holds the pass hears one sentence when the visit is cancelled, none when it is rejected, re-opened,
/// used or over, and none when it lives again; the pass keeps what it showed.
#[test]
fn a_pass_says_what_happened() {
    let silent: [&[Effect]; 4] =
        [&[Effect::Void], &[Effect::Suspend], &[Effect::Suspend, Effect::Revive], &[Effect::Void, Effect::Invite]];
    for effects in silent {
        let (mut hub, invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        hub.send_all();
        let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
        let mut before = pass_by(&mut hub, &token, &invitation);
        for effect in effects {
            hub.carry_out(&invitation, effect);
            let after = pass_by(&mut hub, &token, &invitation);
            assert_eq!(announced(&before, &after), [""; 0], "{effect:?} of {effects:?}");
            before = after;
        }
    }
    for before_cancelling in [None, Some(Effect::Suspend), Some(Effect::Void)] {
        let (mut hub, mut invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        hub.send_all();
        let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
        if let Some(effect) = &before_cancelling {
            hub.carry_out(&invitation, effect);
        }
        let before = pass_by(&mut hub, &token, &invitation);
        invitation.host.name = "Renamed Host".into();
        invitation.organisation.name = "Renamed AG".into();
        hub.carry_out(&invitation, &Effect::Cancel);
        let after = pass_by(&mut hub, &token, &invitation);
        assert_eq!(
            announced(&before, &after),
            ["Your visit to Example AG has been cancelled."],
            "{before_cancelling:?}"
        );
        assert_eq!(after.voided, Some(true));
        let (mut old, mut new) = (values(&before), values(&after));
        for values in [&mut old, &mut new] {
            values.retain(|key, _| !["admission", "instead"].contains(&key.as_str()));
        }
        assert_eq!(old, new, "the rest is as it was");
    }
}

/// S2.28: a visit whose cancellation tells its guest nothing has a pass that says nothing either.
#[test]
fn a_silent_end_is_not_read_out() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
    let before = pass_by(&mut hub, &token, &invitation);
    hub.carry_out(&invitation, &Effect::Cancel);
    assert_eq!(hub.send_all(), [], "no server had seen the invitation");
    assert_eq!(announced(&before, &pass_by(&mut hub, &token, &invitation)), [""; 0]);

    // Rejected, its address corrected, approved again: nobody ever told the old address that anything ended.
    let mut hub = Hub::new();
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
    let before = pass_by(&mut hub, &token, &invitation);
    hub.carry_out(&invitation, &Effect::Void);
    invitation.values.email = Some("right@acme.example".into());
    invitation.values.last_name = Some("Secretname".into());
    hub.carry_out(&invitation, &Effect::Update);
    let after = pass_by(&mut hub, &token, &invitation);
    assert_eq!(announced(&before, &after), [""; 0]);
    assert!(!String::from_utf8(after.to_json()).expect("UTF-8").contains("Secretname"));
}

/// A corrected address: who was told by mail that the invitation moved hears the same from the pass, which shows nothing
/// of the visit any more, and ends when it was to end.
#[test]
fn a_moved_invitation_says_so() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
    let before = pass_by(&mut hub, &token, &invitation);
    invitation.values.email = Some("right@acme.example".into());
    invitation.values.schedule = Some("2027-03-03T09:00/2027-03-03T10:00".parse().expect("a schedule"));
    hub.carry_out(&invitation, &Effect::EndDelivery { email: "ngoc@acme.example".into() });
    hub.carry_out(&invitation, &Effect::Update);
    let after = pass_by(&mut hub, &token, &invitation);
    assert_eq!(announced(&before, &after), ["Your invitation to Example AG is no longer valid."]);
    assert_eq!(after.expiration_date, before.expiration_date);
}

/// A change that the guest is told of is read out with its new value, and nothing else is: not what was renamed in the
/// directory, unless a mail says it too.
#[test]
fn only_what_was_told_is_read_out() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let token = hub.delivery(&invitation).expect("it lives").page_token(&hub.context);
    let first = pass_by(&mut hub, &token, &invitation);
    invitation.host.name = "Beatrice Keller-Meier".into();
    invitation.site.name = "Zürich West".into();
    assert_eq!(values(&pass_by(&mut hub, &token, &invitation)), values(&first));
    invitation.values.schedule = Some("2027-02-10T21:00/2027-02-11T02:00".parse().expect("a schedule"));
    invitation.site.name = "Zürich Headquarters".into();
    invitation.host.name = "Beatrice Keller".into();
    hub.carry_out(&invitation, &Effect::Update);
    let second = pass_by(&mut hub, &token, &invitation);
    // An hour earlier on the same day: of the day nothing is said.
    let heard = announced(&first, &second);
    assert_eq!(heard, ["The time of your visit is now 21:00 – 02:00 (+1 day)"]);
    assert_eq!(announced(&second, &pass_by(&mut hub, &token, &invitation)), [""; 0]);
}

/// S1.33: a good pass of an organisation without codes says how to check in, and not that it is a preview.
#[test]
fn a_pass_without_codes_says_how_to_check_in() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.organisation.qr = false;
    hub.carry_out(&invitation, &Effect::Invite);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let pass = pass_of(&mut hub, &delivery, &invitation).pass;
    assert_eq!((pass.voided, pass.barcodes.len()), (None, 0));
    let json = String::from_utf8(pass.to_json()).expect("UTF-8");
    assert!(json.contains("Check in at reception by name.") && !json.contains("preview\":true"));
    for effect in [Effect::Suspend, Effect::Void] {
        hub.carry_out(&invitation, &effect);
        let json = String::from_utf8(pass_of(&mut hub, &delivery, &invitation).pass.to_json()).expect("UTF-8");
        assert!(json.contains("Not valid now. Ask your host.") && !json.contains("This is a preview"), "{json}");
    }
}

/// Each change of a pass has a tag of its own, and be it the tenth within one second: used and run out too.
#[test]
fn the_tag_of_a_pass_rises_with_every_change() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let fetch = |hub: &mut Hub, since: Option<&str>| {
        let delivery = hub.delivery(&invitation).expect("it lives");
        let now = hub.now;
        hub.read(|tx, context| Ok(updated_pass(tx, context, now, &delivery, &invitation, since).expect("an answer")))
    };
    let mut tag = fetch(&mut hub, None).header("last-modified").map(str::to_owned);
    let mut step = |hub: &mut Hub, what: &str| {
        let answer = fetch(hub, tag.as_deref());
        assert_eq!(answer.status, 200, "{what}");
        tag = answer.header("last-modified").map(str::to_owned);
        assert_eq!(fetch(hub, tag.as_deref()).status, 304, "{what}");
    };
    for effect in [Effect::Suspend, Effect::Revive, Effect::Update, Effect::Void, Effect::Invite, Effect::Update] {
        hub.carry_out(&invitation, &effect);
        step(&mut hub, &format!("{effect:?}"));
    }
    // Run out, while the tag is ahead of the clock; used up at the same moment by reception's own clock.
    let expires = hub.credential(&invitation).expect("minted").window.expires;
    hub.now = expires - chrono::TimeDelta::seconds(1);
    hub.carry_out(&invitation, &Effect::Suspend);
    hub.carry_out(&invitation, &Effect::Revive);
    step(&mut hub, "revived at the last second");
    hub.now = expires;
    step(&mut hub, "over");
    let (visit, now) = (invitation.visit, hub.now);
    assert!(hub.write(|tx, context, _| credential::use_up(tx, &context.organisation, visit, now)));
    hub.carry_out(&invitation, &Effect::Void);
    step(&mut hub, "used");
}

/// Apple's devices: the pass for its token alone, 304 while nothing changed, and the dead pass once it is dead.
#[test]
fn a_device_asks_for_its_pass() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let good = format!("ApplePass {}", delivery.pass_token(&hub.context));
    let page_token = format!("ApplePass {}", delivery.page_token(&hub.context));
    let mut ask = |pass_type: &str, serial: &str, authorization: Option<&str>| {
        let answer = hub.read(|tx, context| find_pass(tx, context, pass_type, serial, authorization));
        matches!(answer, PassRequest::Granted(_))
    };
    let kind = "pass.ch.example.visit";
    assert!(ask(kind, &delivery.serial, Some(&good)));
    for (kind, serial, authorization) in [
        (kind, delivery.serial.as_str(), None),
        (kind, delivery.serial.as_str(), Some("ApplePass x")),
        (kind, delivery.serial.as_str(), Some(page_token.as_str())),
        (kind, "0123456789abcdef0123456789abcdef", Some(good.as_str())),
        ("pass.other", delivery.serial.as_str(), Some(good.as_str())),
    ] {
        assert!(!ask(kind, serial, authorization), "{authorization:?}");
    }
    let fetch = |hub: &mut Hub, since: Option<&str>| {
        let delivery = hub.delivery(&invitation).expect("it lives");
        let now = hub.now;
        hub.read(|tx, context| Ok(updated_pass(tx, context, now, &delivery, &invitation, since).expect("an answer")))
    };
    let first = fetch(&mut hub, None);
    assert_eq!((first.status, first.header("last-modified")), (200, Some("Mon, 01 Feb 2027 09:00:00 GMT")));
    let since = first.header("last-modified").map(str::to_owned);
    hub.pass(chrono::TimeDelta::minutes(1));
    assert_eq!(fetch(&mut hub, since.as_deref()).status, 304);
    assert_eq!(fetch(&mut hub, Some("1801472400")).status, 200, "what is no date is no condition");
    hub.carry_out(&invitation, &Effect::Void);
    let dead = fetch(&mut hub, since.as_deref());
    assert_eq!(dead.status, 200);
    assert_eq!(ReadPass::read(&dead.body).expect("a package").pass.voided, Some(true));
}

/// S2.16: the review page shows that very invitation, and what was typed stays text.
#[test]
fn a_review_page() {
    let mut invitation = invitation();
    invitation.values.company = Some("<b>Acme</b>".into());
    let pending = review_page(Some((&invitation, true))).expect("a page");
    let html = text(&pending);
    for needed in ["Invitation #42 is pending approval", "Ngọc Ánh", "Maintenance of the chillers", "&#60;b&#62;Acme"]
    {
        assert!(html.contains(needed), "{needed}");
    }
    assert_eq!(pending.header("referrer-policy"), Some("no-referrer"));
    assert!(text(&review_page(Some((&invitation, false))).expect("a page")).contains("has been decided"));
    assert_eq!(review_page(None).expect("a page").status, 404);
}

/// An unknown token tells nothing.
#[test]
fn an_unknown_page() {
    let mut hub = Hub::new();
    let now = hub.now;
    assert!(hub.read(|tx, context| find(tx, context, "guess")).is_none());
    let page = hub.read(|tx, context| Ok(visitor_page(tx, context, now, None).expect("a page")));
    assert_eq!(page.status, 404);
    assert!(!text(&page).contains("Example AG"));
}

/// A device asks for its pass under the address that stands in it: where the server has that route.
#[test]
fn a_pass_names_the_address_it_is_renewed_at() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let pass = pass_of(&mut hub, &delivery, &invitation).pass;
    assert_eq!(pass.web_service_url.as_deref(), Some("https://visit.example.ch/apple"));
}

/// S2.15, S2.28: sent back to Pending or rejected, a visit may have values the guest was never told; a pass the guest
/// holds is renewed by itself, and must not be what tells them.
#[test]
fn a_dead_pass_says_nothing_of_what_was_not_approved() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    invitation.values.last_name = Some("Secretname".into());
    invitation.values.company = Some("Secret Works".into());
    invitation.values.schedule = Some("2027-03-03T09:00/2027-03-03T10:00".parse().expect("a schedule"));
    invitation.site.name = "Secret Site".into();
    invitation.host.name = "Secret Host".into();
    hub.carry_out(&invitation, &Effect::Void);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let pass = pass_of(&mut hub, &delivery, &invitation).pass;
    assert_eq!(pass.voided, Some(true));
    let json = String::from_utf8(pass.to_json()).expect("UTF-8");
    for new in ["Secret", "2027-03-03", "3 March"] {
        assert!(!json.contains(new), "{new} in {json}");
    }
    assert!(json.contains("2027-02-10"), "the times it was sent with stay: {json}");
}

/// Writes the pages where `VESTIBULE_PAGES` says, to be looked at in a browser.
#[test]
#[ignore = "makes files for a person to look at"]
fn samples() {
    let Some(folder) = std::env::var_os("VESTIBULE_PAGES").map(std::path::PathBuf::from) else { return };
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let write = |name: &str, page: &[u8]| std::fs::write(folder.join(name), page).expect("writes");
    write("live.html", &page(&mut hub, &invitation).body);
    let mail = hub.send_all().remove(0);
    let png = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, mail.part("image/png").expect("QR"));
    write("mail.html", mail.html().replace("cid:qr@vestibule", &format!("data:image/png;base64,{png}")).as_bytes());
    write("mail.txt", mail.text().as_bytes());
    hub.carry_out(&invitation, &Effect::TellPending);
    write("pending.html", hub.send_all()[0].html().as_bytes());
    hub.carry_out(&invitation, &Effect::Suspend);
    write("review.html", &review_page(Some((&invitation, true))).expect("a page").body);
    write("not-now.html", &page(&mut hub, &invitation).body);
}
