//! What a mail server's answers make of a visit, and of what happens to it meanwhile.

use vestibule_core::document::{Replica, Value, Write};
use vestibule_core::envelope::Ask;
use vestibule_core::id::VisitId;
use vestibule_core::visit::Key;

use super::*;
use crate::delivery::sender::{self, Class};
use crate::judge::tests::{PhoneHand, World, is_accepted};

const REFUSED: TransportError = TransportError { reach: Reach::Final, class: Class::Permanent, code: Some(550) };
const BUSY: TransportError = TransportError { reach: Reach::Mail, class: Class::Transient, code: Some(451) };

impl World {
    /// Claims every mail that is due.
    fn claim(&mut self) -> Vec<ClaimedMail> {
        let mut claimed = Vec::new();
        let now = self.now;
        while let Some(mail) = self.write(|tx, context, _| sender::claim(tx, context, now, &[])).expect("a database") {
            claimed.push(mail);
        }
        claimed
    }

    fn answer(&mut self, mail: &ClaimedMail, said: Result<(), TransportError>) -> Noted {
        self.write(|tx, context, moment| note(tx, context, moment, mail, said)).expect("noted")
    }

    /// Answers every mail of that kind that is due so; others are taken.
    fn answer_all(&mut self, kind: &str, error: TransportError) {
        for mail in self.claim() {
            self.answer(&mail, if mail.kind == kind { Err(error) } else { Ok(()) });
        }
    }

    /// Takes everything that is due; the kinds.
    fn take_all(&mut self) -> Vec<String> {
        let mails = self.claim();
        for mail in &mails {
            assert_eq!(self.answer(mail, Ok(())), Noted::Sent);
        }
        mails.into_iter().map(|mail| mail.kind).collect()
    }

    fn retry_all(&mut self) -> usize {
        let now = self.now;
        self.write(|tx, context, moment| {
            let mut count = 0;
            for mail in outbox::list(tx, &context.organisation, now, Some("failed"))? {
                count += usize::from(retry(tx, context, moment, &mail)?);
            }
            Ok::<_, RecordError>(count)
        })
        .expect("retried")
    }
}

fn invited() -> (World, PhoneHand, VisitId, Replica) {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, replica) = world.created(&mut ada, "ada", &[]);
    (world, ada, visit, replica)
}

fn write(world: &mut World, hand: &mut PhoneHand, replica: &mut Replica, write: Write) {
    let item = hand.edit(replica, &[write]);
    assert!(is_accepted(&world.push(hand, vec![item])));
}

fn cancelled() -> Write {
    Write { key: Key::Cancelled, value: Some(Value::True) }
}

/// Told means taken: in the outbox the guest has heard nothing, and one word of the server's changes that.
#[test]
fn the_guest_is_told_when_a_server_has_the_mail() {
    let (mut world, _, visit, _) = invited();
    assert!(!world.visit(visit).standing.guest_told);
    assert_eq!(world.take_all(), ["invitation"]);
    assert!(world.visit(visit).standing.guest_told);
    assert_eq!(world.facts(visit), ["accepted", "minted", "mail_queued", "guest_told"]);
}

/// A refusal stands in the log with its reason, is the host's to see to, and is told them once; sent again, it may arrive.
#[test]
fn a_refused_invitation_is_the_hosts_to_see_to() {
    let (mut world, _, visit, _) = invited();
    world.answer_all("invitation", REFUSED);
    let standing = world.visit(visit).standing;
    assert_eq!((standing.guest_told, standing.problem()), (false, Some("mail_refused")));
    assert_eq!(world.facts(visit)[3..], ["mail_refused"]);
    assert_eq!(world.take_all(), ["alert"]);
    assert_eq!(world.retry_all(), 1);
    assert_eq!(world.visit(visit).standing.problem(), None);
    assert_eq!(world.take_all(), ["invitation"]);
    assert!(world.visit(visit).standing.guest_told);
    assert_eq!(world.retry_all(), 0, "what was taken is kept nowhere");
}

/// A corrected address is a new delivery; nobody writes to the wrong one that anything ended there.
#[test]
fn a_corrected_address_is_invited_and_the_wrong_one_is_left_alone() {
    let (mut world, mut ada, visit, mut replica) = invited();
    world.answer_all("invitation", REFUSED);
    world.take_all();
    write(&mut world, &mut ada, &mut replica, Write::set(Key::Email, "right@example.org"));
    assert_eq!(world.visit(visit).standing.problem(), None);
    assert_eq!(world.retry_all(), 0, "the mail to the wrong address is of no use any more");
    assert_eq!(world.take_all(), ["invitation"]);
}

/// What is put off for long is said to be late, once; that it arrives after all ends it.
#[test]
fn a_late_mail_is_said_to_be_late_once() {
    let (mut world, _, visit, _) = invited();
    for _ in 0..5 {
        for mail in world.claim() {
            let Noted::Later { at } = world.answer(&mail, Err(BUSY)) else { panic!("it is put off") };
            world.now = at;
        }
    }
    assert_eq!(world.facts(visit)[3..], ["mail_delayed"]);
    assert_eq!(world.visit(visit).standing.problem(), Some("mail_delayed"));
    world.take_all();
    assert_eq!(world.visit(visit).standing.problem(), None);
}

/// Cancelled while a server made up its mind: if it takes the mail the guest is told of the end, and if not, of nothing.
#[test]
fn a_cancellation_follows_only_what_left() {
    for (said, kinds) in [(Ok(()), vec!["cancellation"]), (Err(REFUSED), vec![]), (Err(BUSY), vec![])] {
        let (mut world, mut ada, visit, mut replica) = invited();
        let mail = world.claim().remove(0);
        write(&mut world, &mut ada, &mut replica, cancelled());
        world.answer(&mail, said);
        assert_eq!(world.take_all(), kinds, "{said:?}");
        assert_eq!(world.visit(visit).standing.problem(), None);
        world.later(TimeDelta::days(1));
        assert!(world.take_all().is_empty());
    }
    // One that may have arrived counts as told.
    let (mut world, mut ada, _, mut replica) = invited();
    let mail = world.claim().remove(0);
    world.answer(&mail, Err(TransportError { reach: Reach::Uncertain, class: Class::Uncertain, code: None }));
    write(&mut world, &mut ada, &mut replica, cancelled());
    assert_eq!(world.take_all(), ["cancellation"]);
}

/// Edited while a server made up its mind, and not taken: the new one takes its place, and is the invitation.
#[test]
fn an_edit_replaces_what_did_not_leave() {
    let (mut world, mut ada, _, mut replica) = invited();
    let mail = world.claim().remove(0);
    write(&mut world, &mut ada, &mut replica, Write::set(Key::Company, "Navy"));
    assert_eq!(world.answer(&mail, Err(BUSY)), Noted::Withdrawn);
    assert_eq!(world.take_all(), ["invitation"]);
    world.later(TimeDelta::days(1));
    assert!(world.take_all().is_empty());
}

/// S2.28: rejected while a server made up its mind, the mail is not tried again.
#[test]
fn nothing_is_tried_again_after_a_rejection() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    world.approve(visit, "priya", None).expect("approved");
    let mails = world.claim();
    world.reject(visit, "priya", false).expect("rejected");
    for mail in mails {
        let said = if mail.kind == "invitation" { Err(BUSY) } else { Ok(()) };
        world.answer(&mail, said);
    }
    world.later(TimeDelta::days(1));
    assert!(!world.take_all().iter().any(|kind| kind == "invitation"));
}

/// Where no address that could approve takes the mail, the host hears of it; where one does, not.
#[test]
fn approvers_who_cannot_be_told_are_the_hosts_to_tell() {
    for refused in [1, 2] {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
        let mails = world.claim();
        assert_eq!(mails.iter().filter(|mail| mail.kind == "pending").count(), 2);
        for (number, mail) in mails.iter().enumerate() {
            world.answer(mail, if number < refused { Err(REFUSED) } else { Ok(()) });
        }
        let problem = world.visit(visit).standing.problem();
        assert_eq!(problem, (refused == 2).then_some(APPROVERS_NOT_TOLD));
        assert_eq!(world.take_all().len(), refused - 1);
    }
}

/// An approver decides about what they saw: that a mail came a step further meanwhile is nothing to look at again.
#[test]
fn a_mail_on_its_way_makes_no_decision_stale() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    world.approve(visit, "priya", None).expect("approved");
    let mut priya = world.enrol("priya");
    let reopen = priya.ask(&world.visit(visit), Ask::Reopen);
    world.take_all();
    assert!(world.visit(visit).standing.guest_told);
    assert!(is_accepted(&world.push(&mut priya, vec![reopen])));
}
