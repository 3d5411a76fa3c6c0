//! What each effect does to credential, delivery and log, and whom it tells.

use chrono::TimeDelta;
use vestibule_core::decision::{APPROVERS_NOT_TOLD, Fact, Told};
use vestibule_core::id::VisitId;

use crate::credential::{self, State};
use crate::delivery::carry_out::SETTLING;
use crate::delivery::outbox::{MAILS_OF_A_HOST, MAILS_OF_A_RECIPIENT, QUOTA_SPAN};
use crate::delivery::testing::{Hub, instant, invitation};
use crate::effect::Effect;
use crate::page;
use crate::store::outbox;

fn minted() -> Fact {
    let at = |text| instant(text).timestamp();
    Fact::Minted { not_before: at("2027-02-10T20:30:00Z"), expires: at("2027-02-11T01:00:00Z") }
}

fn queued(what: Told) -> Fact {
    Fact::MailQueued { what, held_until: None }
}

/// S1.29, S2.30: inviting mints a credential and tells the guest; S4.29: an update brings a new PIN and says "changed".
#[test]
fn invite_then_update() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let facts = hub.carry_out(&invitation, &Effect::Invite);
    assert_eq!(facts, [minted(), queued(Told::Invitation)]);
    let first = hub.send_all().remove(0);
    let delivery = hub.delivery(&invitation).expect("it lives");
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(facts, [Fact::Voided, minted(), queued(Told::Change)]);
    hub.pass(SETTLING);
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
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [minted(), queued(Told::Change)]);
    assert_eq!(hub.delivery(&invitation).expect("it lives").serial, before.serial);
}

/// S1.8, S4.35: cancelled, the credential is dead at once, and a guest who was told is told of this; one who was not, not.
#[test]
fn cancel_tells_only_who_was_told() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    let facts = hub.carry_out(&invitation, &Effect::Cancel);
    assert_eq!(facts, [Fact::Voided, queued(Told::Cancellation)]);
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
    assert_eq!(facts, [Fact::Voided, queued(Told::End)]);
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
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [minted(), queued(Told::Change)]);
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

/// What cannot be sent stands in the log as an alert.
#[test]
fn what_cannot_be_sent_is_an_alert() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.values.email = Some("no address".into());
    assert_eq!(hub.carry_out(&invitation, &Effect::Invite), [Fact::Alert("mail_address".into())]);
    invitation.values.email = Some("ngoc@acme.example".into());
    hub.pass(TimeDelta::days(30));
    let facts = hub.carry_out(&invitation, &Effect::Update);
    assert!(facts.contains(&Fact::Alert("window_passed".into())));
}

/// An invitation nobody can be asked about by mail is the host's to see to.
#[test]
fn approvers_without_an_address_are_the_hosts_to_tell() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.security_address = Some("no address".into());
    hub.carry_out(&invitation, &Effect::TellPending);
    assert_eq!(hub.send_all().len(), 1, "one of the two can be told");
    invitation.category_address = None;
    let facts = hub.carry_out(&invitation, &Effect::TellPending);
    assert!(facts.contains(&Fact::Alert(APPROVERS_NOT_TOLD.into())), "{facts:?}");
    assert_eq!(hub.send_all()[0].to, invitation.host.email);
}

/// Quotas hold back and never drop: over the mails of a day the next one waits with a PIN that is good, and goes out when
/// there is room; what an edit replaces takes no place.
#[test]
fn a_mail_over_the_quota_waits_and_is_sent() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let first = hub.now;
    assert_eq!(hub.send_all().len(), 1);
    for number in 1..MAILS_OF_A_RECIPIENT {
        hub.carry_out(&invitation, &Effect::Update);
        hub.pass(SETTLING);
        assert_eq!(hub.send_all().len(), 1, "mail {number}");
    }
    let held_until = Some((first + QUOTA_SPAN).timestamp());
    for edit in 0..3 {
        let facts = hub.carry_out(&invitation, &Effect::Update);
        assert_eq!(facts, [Fact::Voided, minted(), Fact::MailQueued { what: Told::Change, held_until }], "{edit}");
    }
    assert_eq!(hub.credential(&invitation).map(|of| of.state), Some(State::Live), "its PIN is good already");
    hub.pass(TimeDelta::hours(1));
    assert!(hub.send_all().is_empty());
    hub.now = first + QUOTA_SPAN;
    let mails = hub.send_all();
    assert_eq!(mails.len(), 1, "the last edit's, and no other");
    assert!(mails[0].pin().is_some());
    hub.now = first + QUOTA_SPAN * 3;
    assert!(hub.send_all().is_empty());
}

/// What ends something is held back by no quota.
#[test]
fn a_cancellation_waits_for_no_quota() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    for _ in 1..MAILS_OF_A_RECIPIENT {
        hub.carry_out(&invitation, &Effect::Update);
        hub.pass(SETTLING);
        hub.send_all();
    }
    assert_eq!(hub.carry_out(&invitation, &Effect::Cancel), [Fact::Voided, queued(Told::Cancellation)]);
    assert_eq!(hub.send_all().len(), 1);
}

/// Edits within a minute become one mail; whoever goes on editing does not put it off for ever.
#[test]
fn edits_within_a_minute_become_one_mail() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.send_all();
    for company in ["One", "Two", "Three"] {
        invitation.values.company = Some(company.into());
        hub.carry_out(&invitation, &Effect::Update);
        assert!(hub.send_all().is_empty());
        hub.pass(TimeDelta::seconds(20));
    }
    let mails = hub.send_all();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].subject().contains("has changed"));
    // An invitation that has not left is replaced, and is an invitation still.
    let mut hub = Hub::new();
    hub.carry_out(&invitation, &Effect::Invite);
    hub.carry_out(&invitation, &Effect::Update);
    let mails = hub.send_all();
    assert_eq!(mails.len(), 1, "at once");
    assert!(mails[0].subject().contains("Your invitation"), "{}", mails[0].subject());
}

/// Mails over what a host may send in a day: all are sent, spread over the days.
#[test]
fn a_large_upload_arrives_spread_out() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let (host, visit) = (invitation.host.id.clone(), invitation.visit);
    let now = hub.now;
    let over = 50;
    // As of an upload that came before: what is in the row does not matter here.
    hub.write(|tx, context, moment| {
        for _ in 0..MAILS_OF_A_HOST - 1 {
            let row = outbox::NewMail {
                id: moment.random(),
                organisation: &context.organisation,
                visit,
                delivery: None,
                kind: "category",
                host: Some(&host),
                recipient: moment.random(),
                domain: [0; 32],
                sealed: vec![0],
                now,
                slot: now,
            };
            outbox::insert(tx, &row)?;
        }
        Ok(())
    });
    let mut held = 0;
    for number in 0..=over {
        let mut next = invitation.clone();
        next.visit = VisitId::from_parts(number, [1; 10]);
        hub.carry_out(&next, &Effect::TellCategory);
        held += 1;
    }
    let due = |hub: &mut Hub, at: chrono::DateTime<chrono::Utc>| -> u32 {
        hub.read(|tx, _| {
            let sql = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND next_at <= ?1";
            Ok(tx.query_row(sql, [at.timestamp()], |row| row.get(0))?)
        })
    };
    assert_eq!(due(&mut hub, now), MAILS_OF_A_HOST);
    assert_eq!(due(&mut hub, now + QUOTA_SPAN), MAILS_OF_A_HOST + held - 1, "and the rest a day later");
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
