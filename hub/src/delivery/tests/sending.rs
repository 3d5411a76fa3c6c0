//! The outbox and its sender: sealed, in order, at least once and never knowingly twice.

use chrono::TimeDelta;
use lettre::address::Envelope;

use crate::delivery::sender::{Class, MailFolder, MailTransport, Reach, TransportError};
use crate::delivery::testing::{Hub, SendOutcome, Server, answered, invitation};
use crate::effect::Effect;
use crate::handover::{MAX_DEFERRALS, Noted};
use crate::store::outbox;

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// S4.42: neither the PIN nor the address nor the name stands anywhere in the database's files, before sending or after.
#[test]
fn the_files_hold_no_pin_and_no_address() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let files = |hub: &Hub| -> Vec<u8> {
        ["hub.db", "hub.db-wal"]
            .iter()
            .flat_map(|name| std::fs::read(hub.directory.path().join(name)).unwrap_or_default())
            .collect()
    };
    let before = files(&hub);
    let serial = hub.delivery(&invitation).expect("it lives").serial;
    assert!(contains(&before, serial.as_bytes()), "the canary is found");
    let mail = hub.send_all().remove(0);
    let pin = mail.pin().expect("a PIN");
    for bytes in [before, files(&hub)] {
        for secret in [pin.as_str(), "ngoc@acme.example", "Müller-Ōta", "acme.example", "VMS1:"] {
            assert!(!contains(&bytes, secret.as_bytes()), "{secret}");
        }
        assert!(!contains(&bytes, hub.delivery(&invitation).expect("it lives").page_token(&hub.context).as_bytes()));
    }
    let left: u32 = hub
        .read(|tx, _| Ok(tx.query_row("SELECT count(*) FROM outbox WHERE sealed IS NOT NULL", [], |row| row.get(0))?));
    assert_eq!(left, 0, "wiped when the server took it");
}

/// The sender is told to look when a mail may be due, and not before its time or when there is none.
#[test]
fn a_mail_is_due_from_its_time_until_it_is_sent() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    let due = |hub: &mut Hub, late: TimeDelta| {
        let now = hub.now + late;
        hub.read(|tx, context| outbox::is_due(tx, &context.organisation, now))
    };
    assert!(!due(&mut hub, TimeDelta::zero()));
    hub.carry_out(&invitation, &Effect::Invite);
    assert!(due(&mut hub, TimeDelta::zero()) && !due(&mut hub, -TimeDelta::seconds(1)));
    hub.send_all();
    assert!(!due(&mut hub, TimeDelta::zero()));
}

/// A transport during which the hub dies: before the server took the mail, or after and before the hub heard of it.
struct Dies<'a> {
    server: &'a Server,
    is_taken: bool,
}

struct Killed;

impl MailTransport for Dies<'_> {
    fn deliver(&self, id: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        if self.is_taken {
            self.server.deliver(id, envelope, message)?;
        }
        std::panic::panic_any(Killed)
    }
}

/// Killed after the server's acceptance: the same bytes again, once. Killed before: once in all.
#[test]
fn a_kill_sends_the_same_bytes_again() {
    for is_taken in [true, false] {
        let (mut hub, invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        let server = Server::default();
        let dies = Dies { server: &server, is_taken };
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| hub.send(&dies)));
        assert!(died.is_err_and(|cause| cause.is::<Killed>()));
        hub.store = hub.store.reopen().expect("the database");
        assert!(!hub.send(&server).is_sent(), "a mail that is under way is nobody else's");
        let now = hub.now;
        hub.write(|tx, _, _| outbox::recover(tx, now));
        assert!(hub.send(&server).is_sent());
        assert_eq!(hub.send(&server), SendOutcome::Idle { next: None });
        let taken = server.taken.borrow();
        assert_eq!(taken.len(), if is_taken { 2 } else { 1 });
        assert!(taken.iter().all(|mail| *mail == taken[0]), "byte for byte");
    }
}

/// What was sent is remembered for a month, without its bytes.
#[test]
fn the_outbox_forgets() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::TellCategory);
    hub.send_all();
    let mut rows = |days: i64| {
        hub.pass(TimeDelta::days(days));
        hub.send_all();
        hub.read(|tx, _| Ok(tx.query_row("SELECT count(*) FROM outbox", [], |row| row.get::<_, u32>(0))?))
    };
    assert_eq!((rows(29), rows(2)), (1, 0));
}

/// The same moment and randomness make the same bytes: nothing in a mail comes from elsewhere.
#[test]
fn a_mail_is_made_of_its_inputs_alone() {
    let bytes = || {
        let mut hub = Hub::new();
        hub.carry_out(&invitation(), &Effect::TellPending);
        hub.send_all()
    };
    assert_eq!(bytes(), bytes());
}

/// The kinds of the mails that can be sent now, in their order.
fn sent_now(hub: &mut Hub) -> Vec<String> {
    let server = Server::default();
    std::iter::from_fn(|| match hub.send(&server) {
        SendOutcome::Done { kind, noted: Noted::Sent } => Some(kind),
        _ => None,
    })
    .collect()
}

fn busy() -> TransportError {
    answered(Reach::Mail, Class::Transient, 451)
}

/// Has the next mail put off, and gives when it is due again.
fn put_off(hub: &mut Hub, error: TransportError) -> chrono::DateTime<chrono::Utc> {
    let server = Server::default();
    server.answers.borrow_mut().push(error);
    match hub.send(&server) {
        SendOutcome::Done { noted: Noted::Later { at }, .. } => at,
        other => panic!("it is put off: {other:?}"),
    }
}

/// A mail put off is due later, and stops nobody else's; later ones about the same visit to the same recipient wait
/// behind it.
#[test]
fn a_mail_put_off_blocks_only_its_recipient() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    invitation.security_address = None;
    hub.carry_out(&invitation, &Effect::TellCategory);
    let at = put_off(&mut hub, busy());
    assert_eq!(at, hub.now + TimeDelta::minutes(1));
    hub.carry_out(&invitation, &Effect::TellPending);
    hub.carry_out(&invitation, &Effect::TellHostApproved);
    let other =
        crate::delivery::Invitation { visit: vestibule_core::id::VisitId::from_parts(9, [9; 10]), ..invitation };
    hub.carry_out(&other, &Effect::TellCategory);
    assert_eq!(sent_now(&mut hub), ["approved", "category"], "another visit's notice waits for nothing");
    hub.pass(TimeDelta::minutes(1));
    assert_eq!(sent_now(&mut hub), ["category", "pending"]);
}

/// What the server's own trouble is says nothing of the mail: it is tried again soon, as often as it takes.
#[test]
fn the_servers_trouble_is_not_the_mails() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::TellCategory);
    let down = TransportError { reach: Reach::Server, class: Class::Unreachable, code: None };
    for _ in 0..MAX_DEFERRALS * 3 {
        let at = put_off(&mut hub, down);
        assert!(at - hub.now <= TimeDelta::minutes(1));
        hub.now = at;
    }
    assert_eq!(put_off(&mut hub, busy()), hub.now + TimeDelta::minutes(1), "its own waits begin with the first");
    hub.pass(TimeDelta::minutes(1));
    assert_eq!(sent_now(&mut hub), ["category"]);
}

/// A mail that goes to a domain with enough mails under way is left; the next one for another domain is not.
#[test]
fn a_busy_domain_keeps_back_its_own_mails_only() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    invitation.visit = vestibule_core::id::VisitId::from_parts(9, [9; 10]);
    invitation.values.email = Some("other@acme.example".into());
    hub.carry_out(&invitation, &Effect::Invite);
    hub.carry_out(&invitation, &Effect::TellCategory);
    let now = hub.now;
    let mut claim = |busy: &[[u8; 32]]| {
        hub.write(|tx, context, _| outbox::claim(tx, &context.organisation, now, busy)).expect("a mail")
    };
    let first = claim(&[]);
    let second = claim(&[first.domain]);
    assert_eq!((first.kind.as_str(), second.kind.as_str()), ("invitation", "category"));
    let third = claim(&[second.domain]);
    assert_eq!((third.kind.as_str(), third.domain), ("invitation", first.domain));
}

/// A server may have an invitation whose connection broke: cancelled, the guest is told, but not sent a dead PIN again.
#[test]
fn a_mail_that_may_have_arrived_counts_as_told() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    put_off(&mut hub, TransportError { reach: Reach::Uncertain, class: Class::Uncertain, code: None });
    hub.carry_out(&invitation, &Effect::Cancel);
    assert_eq!(sent_now(&mut hub), ["cancellation"]);
    hub.pass(TimeDelta::hours(1));
    assert!(sent_now(&mut hub).is_empty());
}

/// A mail the server certainly does not have is withdrawn with the invitation: put off, or refused for good.
#[test]
fn a_mail_that_was_not_taken_can_be_withdrawn() {
    for error in [busy(), answered(Reach::Final, Class::Permanent, 550)] {
        let (mut hub, invitation) = (Hub::new(), invitation());
        hub.carry_out(&invitation, &Effect::Invite);
        let server = Server::default();
        server.answers.borrow_mut().push(error);
        hub.send(&server);
        hub.carry_out(&invitation, &Effect::Cancel);
        hub.pass(TimeDelta::hours(1));
        assert!(hub.send_all().is_empty());
    }
}

/// A refused invitation that is edited is replaced, and is an invitation still: nobody has had one.
#[test]
fn a_refused_invitation_is_replaced_by_an_edit() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let server = Server::default();
    server.answers.borrow_mut().push(answered(Reach::Final, Class::Permanent, 550));
    hub.send(&server);
    hub.carry_out(&invitation, &Effect::Update);
    assert_eq!(sent_now(&mut hub), ["invitation"]);
}

/// A refusal for good ends that mail and blocks nothing; so does the last of many attempts. Its bytes stay, sealed, for
/// somebody to try again.
#[test]
fn a_mail_refused_for_good_fails() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::TellHostApproved);
    hub.carry_out(&invitation, &Effect::TellCategory);
    let server = Server::default();
    server.answers.borrow_mut().push(answered(Reach::Final, Class::Permanent, 550));
    assert_eq!(hub.send(&server), SendOutcome::Done { kind: "approved".into(), noted: Noted::Failed });
    assert!(hub.send(&server).is_sent());

    hub.carry_out(&invitation, &Effect::TellCategory);
    let mut tries = 0;
    loop {
        server.answers.borrow_mut().push(busy());
        tries += 1;
        match hub.send(&server) {
            SendOutcome::Done { noted: Noted::Later { at }, .. } => hub.now = at,
            SendOutcome::Done { noted: Noted::Failed, .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tries, MAX_DEFERRALS);
    assert_eq!(hub.send(&Server::default()), SendOutcome::Idle { next: None });
    let now = hub.now;
    let failed = hub.read(|tx, context| outbox::list(tx, &context.organisation, now, Some("failed")));
    let errors: Vec<_> = failed.iter().map(|mail| (mail.error_class.as_deref(), mail.error_code)).collect();
    assert_eq!(errors, [(Some("permanent"), Some(550)), (Some("transient"), Some(451))]);
    hub.write(|tx, _, _| outbox::retry(tx, &failed[1].id, now));
    assert_eq!(sent_now(&mut hub), ["category"]);
    hub.pass(TimeDelta::days(31));
    hub.send_all();
    assert!(hub.read(|tx, context| outbox::list(tx, &context.organisation, now, None)).is_empty(), "a month later");
}

/// Without a mail server: one file for each mail, the same one if it is written twice.
#[test]
fn the_folder_holds_the_mails() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::Invite);
    let folder = hub.directory.path().join("mail");
    let transport = MailFolder::open(&folder).expect("a folder");
    assert!(hub.send(&transport).is_sent());
    let files: Vec<_> = std::fs::read_dir(&folder).expect("it is there").map(|of| of.expect("a file").path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].extension().and_then(|of| of.to_str()), Some("eml"));
}

/// A row sealed for one mail opens in no other, and not with another key.
#[test]
fn a_seal_belongs_to_its_row() {
    let (mut hub, invitation) = (Hub::new(), invitation());
    hub.carry_out(&invitation, &Effect::TellPending);
    let rows: Vec<([u8; 16], Vec<u8>)> = hub.read(|tx, _| {
        let mut statement = tx.prepare("SELECT id, sealed FROM outbox ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    });
    let key = &hub.context.keys.outbox_seal;
    let open = crate::delivery::open;
    assert_eq!(open(key, &rows[0].0, &rows[0].1).map(|(to, _)| to).as_deref(), Some("security@example.ch"));
    assert!(open(key, &rows[1].0, &rows[0].1).is_none());
    assert!(open(&hub.context.keys.pin_pepper, &rows[0].0, &rows[0].1).is_none());
    assert!(open(key, &rows[0].0, &rows[0].1[..20]).is_none() && open(key, &rows[0].0, &[]).is_none());
}

/// A mail that waits for a suspended credential keeps back no mail about another visit of the same guest.
#[test]
fn a_suspended_visit_keeps_no_other_waiting() {
    let (mut hub, first) = (Hub::new(), invitation());
    let second =
        crate::delivery::Invitation { visit: vestibule_core::id::VisitId::from_parts(9, [9; 10]), ..invitation() };
    hub.carry_out(&first, &Effect::Invite);
    hub.carry_out(&first, &Effect::Suspend);
    hub.carry_out(&second, &Effect::Invite);
    assert_eq!(hub.send_all().len(), 1, "the second visit's");
    hub.carry_out(&first, &Effect::Revive);
    assert_eq!(hub.send_all().len(), 1, "the first one's, once it may go");
}
