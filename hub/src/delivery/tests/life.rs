//! What each effect does to credential, delivery and log, and whom it tells.

use chrono::TimeDelta;
use vestibule_core::decision::{Fact, Told};

use crate::credential::{self, State};
use crate::delivery::outbox::MAILS_OF_A_RECIPIENT;
use crate::delivery::testing::{Hub, instant, invitation};
use crate::effect::Effect;
use crate::page;

fn minted() -> Fact {
    let at = |text| instant(text).timestamp();
    Fact::Minted { not_before: at("2027-02-10T20:30:00Z"), expires: at("2027-02-11T01:00:00Z") }
}

/// S1.29, S2.30: inviting mints a credential and tells the guest; S4.29: an update brings a new PIN and says "changed".
#[test]
fn invite_then_update() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let facts = hub.carry_out(&invitation, &Effect::Invite);
    assert_eq!(facts, [minted(), Fact::GuestTold(Told::Invitation)]);
    let first = hub.send_all().remove(0);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(facts, [Fact::Voided, minted(), Fact::GuestTold(Told::Change)]);
    let second = hub.send_all().remove(0);
    assert!(second.subject().contains("has changed"), "{}", second.subject());
    assert_ne!(first.pin(), second.pin(), "a new PIN");
    let now = hub.delivery(&invitation).expect("it lives");
    assert_eq!((delivery.id, delivery.serial), (now.id, now.serial), "page, pass and calendar entry stay");
}

/// S2.12, S2.13, S2.15, S2.16: both addresses are told with a link of their own to that very invitation, the guest not.
#[test]
fn pending_is_told_to_both_addresses() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    assert_eq!(hub.carry_out(&invitation, &Effect::TellPending), []);
    let mails = hub.send_all();
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["security@example.ch", "contractors@example.ch"]);
    let now = hub.now;
    let mut tokens = Vec::new();
    for mail in &mails {
        let text = mail.text();
        assert!(text.contains("new invitation is pending approval"));
        let link = text.lines().find_map(|line| line.strip_prefix("Review invitation: ")).expect("a link");
        let token = link.strip_prefix("https://visit.example.ch/review/").expect("of this hub").to_owned();
        assert!(mail.html().contains(link) && token.len() >= 22);
        let found = hub.read(|tx, context| page::find_review(tx, context, &token, now));
        assert_eq!(found, Some(invitation.visit));
        let late = hub.read(|tx, context| page::find_review(tx, context, &token, now + TimeDelta::days(61)));
        assert_eq!(late, None, "it expires");
        assert!(hub.read(|tx, context| page::find(tx, context, &token)).is_none(), "it serves one purpose");
        tokens.push(token);
    }
    assert_ne!(tokens[0], tokens[1]);
    let mut same = invitation;
    same.category_address = Some("Security@example.ch".into());
    hub.carry_out(&same, &Effect::TellPending);
    assert_eq!(hub.send_all().len(), 1, "one address, one mail");
}

/// S2.21: re-opened and approved again unchanged, the credential lives again with no second mail.
#[test]
fn suspend_and_revive() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let before = hub.delivery(&invitation).expect("it lives").changed_at;
    hub.pass(TimeDelta::minutes(1));
    assert_eq!(hub.carry_out(&invitation, &Effect::Suspend), [Fact::Suspended]);
    assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Suspended));
    let after = hub.delivery(&invitation).expect("it lives").changed_at;
    assert_eq!(after - before, TimeDelta::minutes(1), "a wallet that asks hears that the pass is another one now");
    assert_eq!(hub.carry_out(&invitation, &Effect::Suspend), []);
    assert_eq!(hub.carry_out(&invitation, &Effect::Revive), [Fact::Revived]);
    assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Live));
    assert!(hub.send_all().is_empty());
}

/// An invitation that was not sent yet waits while its credential is suspended.
#[test]
fn a_mail_waits_while_suspended() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.carry_out(&invitation, &Effect::Suspend);
    assert!(hub.send_all().is_empty());
    hub.carry_out(&invitation, &Effect::Revive);
    assert_eq!(hub.send_all().len(), 1);
}

/// S2.28: a rejection voids without a word to the guest; what was not sent yet is never sent.
#[test]
fn void_tells_nobody() {
    for is_sent in [true, false] {
        let (mut hub, invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        if is_sent {
            hub.send_all();
        }
        assert_eq!(hub.carry_out(&invitation, &Effect::Void), [Fact::Voided]);
        assert!(hub.send_all().is_empty());
        assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Void));
    }
}

/// On arrival the used credential is void for everybody, and the visitor's page goes on saying that it was used.
#[test]
fn a_used_credential_is_void_in_the_log() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let (visit, now) = (invitation.visit, hub.now);
    assert!(hub.write(|tx, context, _| credential::use_up(tx, &context.organisation, visit, now)));
    assert_eq!(hub.carry_out(&invitation, &Effect::Void), [Fact::Voided]);
    assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Spent));
}

/// S2.22, S2.30: rejected, then approved: invited anew, and the guest's page and pass are the same ones.
#[test]
fn approved_after_a_rejection() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let before = hub.delivery(&invitation).expect("it lives");
    hub.carry_out(&invitation, &Effect::Void);
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [minted(), Fact::GuestTold(Told::Change)]);
    assert_eq!(hub.delivery(&invitation).expect("it lives").serial, before.serial);
}

/// S1.8, S4.35: cancelled, the credential is dead at once, and a guest who was told is told of this; one who was not, not.
#[test]
fn cancel_tells_only_who_was_told() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let facts = hub.carry_out(&invitation, &Effect::Cancel);
    assert_eq!(facts, [Fact::Voided, Fact::GuestTold(Told::Cancellation)]);
    let mail = hub.send_all().remove(0);
    insta::assert_snapshot!("cancellation", format!("Subject: {}\n\n{}", mail.subject(), mail.text()));
    assert!(hub.delivery(&invitation).is_none());
    assert_eq!(hub.carry_out(&invitation, &Effect::Cancel), [], "once");

    let mut hub = Hub::new();
    hub.carry_out(&invitation, &Effect::Invite);
    assert_eq!(hub.carry_out(&invitation, &Effect::Cancel), [Fact::Voided]);
    assert!(hub.send_all().is_empty(), "the invitation had not been sent, and is not");
}

/// A corrected address: the old one hears that its invitation ended and nothing of the new values; the new one is
/// invited, with a page, a pass and a calendar entry of its own.
#[test]
fn a_new_address_is_a_new_delivery() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let old = hub.delivery(&invitation).expect("it lives");
    invitation.values.email = Some("right@acme.example".into());
    invitation.values.last_name = Some("Secretname".into());
    invitation.values.schedule = Some("2027-03-03T09:00/2027-03-03T10:00".parse().expect("a schedule"));
    let facts = hub.carry_out(&invitation, &Effect::EndDelivery { email: "ngoc@acme.example".into() });
    assert_eq!(facts, [Fact::Voided, Fact::GuestTold(Told::Cancellation)]);
    hub.carry_out(&invitation, &Effect::Update);
    let mails = hub.send_all();
    assert_eq!(mails[0].to, "ngoc@acme.example");
    insta::assert_snapshot!("bare_cancellation", format!("Subject: {}\n\n{}", mails[0].subject(), mails[0].text()));
    let calendar = String::from_utf8(mails[0].part("text/calendar").expect("a cancellation")).expect("UTF-8");
    assert!(calendar.contains("METHOD:CANCEL") && calendar.contains(&old.serial));
    for new in ["Secretname", "right@", "2027-03-03", "20270303", "3 March", "Keller", "Control room"] {
        assert!(!mails[0].text().contains(new) && !mails[0].html().contains(new) && !calendar.contains(new), "{new}");
    }
    assert_eq!(mails[1].to, "right@acme.example");
    assert!(mails[1].subject().contains("Your invitation"), "to this address it is no change");
    let new = hub.delivery(&invitation).expect("it lives");
    assert_ne!((&new.serial, new.id), (&old.serial, old.id));
}

/// S2.15: the same where the corrected visit waits for an approval, so that nobody is invited yet: nothing lives on at
/// the old address, and what had not been sent to it never is.
#[test]
fn a_corrected_address_leaves_nothing_at_the_old_one() {
    for is_sent in [true, false] {
        let (mut hub, mut invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        if is_sent {
            hub.send_all();
        }
        invitation.values.email = Some("right@acme.example".into());
        hub.carry_out(&invitation, &Effect::EndDelivery { email: "ngoc@acme.example".into() });
        let told = hub.send_all();
        assert_eq!(told.len(), usize::from(is_sent), "who was told of the visit is told of its end");
        assert!(told.iter().all(|mail| mail.pin().is_none()));
        assert!(hub.delivery(&invitation).is_none());
    }
}

/// Spelling an address in other letters is no new address.
#[test]
fn case_does_not_end_a_delivery() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let before = hub.delivery(&invitation).expect("it lives").serial;
    invitation.values.email = Some("Ngoc@Acme.example".into());
    hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(hub.delivery(&invitation).expect("it lives").serial, before);
}

/// Nor when it comes as a correction: the same mailbox hears of no end, and keeps its page, pass and calendar entry.
#[test]
fn a_correction_of_case_alone_ends_nothing() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let before = hub.delivery(&invitation).expect("it lives").serial;
    invitation.values.email = Some("Ngoc@acme.example".into());
    let end = Effect::EndDelivery { email: "ngoc@acme.example".into() };
    assert_eq!(hub.carry_out(&invitation, &end), [Fact::Voided]);
    assert!(hub.send_all().is_empty());
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [minted(), Fact::GuestTold(Told::Change)]);
    assert_eq!(hub.delivery(&invitation).expect("it lives").serial, before);
}

/// S4.2: without an address there is no PIN, no credential and no mail.
#[test]
fn no_address_no_credential() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.values.email = None;
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), []);
    assert!(hub.credential(&invitation).is_none() && hub.send_all().is_empty());
}

/// What cannot be sent stands in the log as an alert, and never leaves an earlier credential alive.
#[test]
fn what_cannot_be_sent_is_an_alert() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.values.email = Some("no address".into());
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [Fact::Alert("mail_address".into())]);
    invitation.values.email = Some("ngoc@acme.example".into());
    for number in 0..MAILS_OF_A_RECIPIENT {
        hub.send_all();
        let facts = hub.carry_out(&invitation, &Effect::Update);
        assert!(facts.iter().any(|fact| matches!(fact, Fact::GuestTold(_))), "mail {number}");
    }
    hub.send_all();
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(facts, [Fact::Voided, Fact::Alert("mail_quota".into())]);
    assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Void));
    hub.pass(TimeDelta::hours(25));
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(facts.last(), Some(&Fact::GuestTold(Told::Change)), "tomorrow there is room again");
    hub.pass(TimeDelta::days(30));
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert!(facts.contains(&Fact::Alert("window_passed".into())));
}

/// A sender that is none is found before anything is accepted.
#[test]
fn the_sender_is_checked() {
    for good in ["visitors@example.ch", "Example AG <visitors@example.ch>", "\"Müller, Söhne\" <v@example.ch>"] {
        assert!(crate::delivery::check_sender(good).is_ok(), "{good}");
    }
    for bad in ["", "Example AG", "a@b@c", "x <a@example.ch>\r\nBcc: b@example.ch"] {
        assert!(crate::delivery::check_sender(bad).is_err(), "{bad}");
    }
}

/// After erasure no row of the visit is left.
#[test]
fn erasure_leaves_nothing() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::TellPending);
    hub.carry_out(&invitation, &Effect::Invite);
    hub.write(|tx, context, _| crate::delivery::erase(tx, &context.organisation, invitation.visit));
    let left: u32 = hub.read(|tx, _| {
        let mut left = 0;
        for table in ["credential", "delivery", "review_link", "outbox", "effect_failed"] {
            left += tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, u32>(0))?;
        }
        Ok(left)
    });
    assert_eq!(left, 0);
}
