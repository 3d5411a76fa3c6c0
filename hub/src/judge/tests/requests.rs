//! Requests: decisions, notes, deletions, presence.

use vestibule_core::decision::CredentialState;
use vestibule_core::document::Write;
use vestibule_core::envelope::Ask;
use vestibule_core::feed::RowKind;
use vestibule_core::id::VisitId;
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::{Key, Status};

use super::{PhoneHand, Pushed, World, code, is_accepted};
use crate::decide::{DecideError, Seen};

fn refuses(world: &mut World, hand: &mut PhoneHand, item: Pushed, expected: &str) {
    let before = world.dump();
    let verdicts = world.push(hand, vec![item]);
    assert_eq!(code(&verdicts), expected);
    assert!(world.dump() == before, "a refusal ({expected}) changed more than the quarantine");
}

fn contractor() -> (World, PhoneHand, VisitId) {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    (world, ada, visit)
}

fn reject(r#final: bool) -> Ask {
    Ask::Reject { reason: Some("no badge left".into()), r#final }
}

/// S2.18, S2.20, S2.29, S2.30: an approver's phone approves what it saw, and only then is the guest invited.
#[test]
fn an_approver_approves_from_the_phone() {
    let (mut world, mut ada, id) = contractor();
    let mut priya = world.enrol("priya");
    let seen = world.visit(id);
    let own = ada.ask(&seen, Ask::Approve);
    refuses(&mut world, &mut ada, own, "not_permitted");
    let approve = priya.ask(&seen, Ask::Approve);
    assert!(is_accepted(&world.push(&mut priya, vec![approve.clone()])));
    assert_eq!(world.facts(id), ["accepted", "approved", "minted", "mail_queued"]);
    assert_eq!(world.visit(id).status(), Status::Upcoming);
    let before = world.facts(id);
    assert!(is_accepted(&world.push(&mut priya, vec![approve])), "the same request again: the same answer");
    assert_eq!(world.facts(id), before);
}

/// An approval is compared and set: not of other heads, not after a re-open, not twice.
#[test]
fn an_old_approval_cannot_be_replayed() {
    let (mut world, _, id) = contractor();
    let mut priya = world.enrol("priya");
    let first_seen = world.visit(id);
    world.approve(id, "priya", None).expect("approved");
    world.reopen(id, "amir").expect("re-opened");
    assert_eq!(world.visit(id).standing.credential, CredentialState::Suspended);
    let replay = priya.ask(&first_seen, Ask::Approve);
    refuses(&mut world, &mut priya, replay, "moved_on");
    let other_heads = priya.ask(&crate::visit::AcceptedVisit { heads: vec![], ..world.visit(id) }, Ask::Approve);
    refuses(&mut world, &mut priya, other_heads, "moved_on");
    let now = world.visit(id);
    let approve = priya.ask(&now, Ask::Approve);
    assert!(is_accepted(&world.push(&mut priya, vec![approve])));
    assert_eq!(
        world.facts(id)[5..],
        ["suspended", "approved", "revived"],
        "unchanged: it lives again with no second mail"
    );
    let now = world.visit(id);
    let twice = priya.ask(&now, Ask::Approve);
    refuses(&mut world, &mut priya, twice, "not_pending");
}

/// Invariant 7: an edit between what the approver saw and the approval sends the approval back.
#[test]
fn an_approval_of_what_has_changed_is_refused() {
    let (mut world, mut ada, id) = contractor();
    let seen = Seen::of(&world.visit(id));
    let organisation = world.context.organisation.clone();
    let mut replica = world
        .store
        .read(|tx| crate::store::visits::load(tx, &organisation, id))
        .expect("a database")
        .expect("accepted")
        .replica;
    let edit = ada.edit(&mut replica, &[Write::set(Key::LastName, "Murray")]);
    assert!(is_accepted(&world.push(&mut ada, vec![edit])));
    let refused = world.approve(id, "priya", Some(&seen));
    assert!(matches!(refused, Err(DecideError::Refused(refusal)) if refusal.code == "moved_on"));
}

/// Of two decisions on the same state the rejection stands, whichever comes first (S2.22, S2.28).
#[test]
fn of_concurrent_decisions_the_rejection_stands() {
    let (mut world, _, id) = contractor();
    let (mut priya, mut amir) = (world.enrol("priya"), world.enrol("amir"));
    let seen = world.visit(id);
    let approve = priya.ask(&seen, Ask::Approve);
    assert!(is_accepted(&world.push(&mut priya, vec![approve])));
    let rejection = amir.ask(&seen, reject(false));
    assert!(is_accepted(&world.push(&mut amir, vec![rejection])));
    assert_eq!(world.facts(id)[4..], ["rejected", "voided"], "the guest hears nothing of it");
    assert_eq!(world.visit(id).status(), Status::Rejected);

    let late = priya.ask(&seen, Ask::Approve);
    refuses(&mut world, &mut priya, late, "moved_on");
}

/// S2.1: an approver bound to a site or type decides on no other.
#[test]
fn an_approver_is_bound_to_site_and_type() {
    let (mut world, _, id) = contractor();
    world
        .write(|tx, context, moment| {
            let priya = "priya".parse().expect("an id");
            crate::organisation::change_member(tx, context, moment, &priya, |member| {
                member.roles[0].site = Some("nyc".parse().expect("an id"));
            })
        })
        .expect("changed");
    assert!(matches!(world.approve(id, "priya", None), Err(DecideError::Refused(_))));
    let mut priya = world.enrol("priya");
    assert!(priya.pull(&mut world).iter().all(|row| row.visit() != Some(id)));
}

/// S1.19: notes are for the creator, approvers, reception and administrators; not for a later host, nor for others.
#[test]
fn notes_stay_with_those_they_are_for() {
    let mut world = World::new();
    let (mut ben, mut ada, mut rosa) = (world.enrol("ben"), world.enrol("ada"), world.enrol("rosa"));
    let (visit, _) = world.created(&mut ben, "ada", &[]);
    let visit = world.visit(visit);
    let by_host = ada.ask(&visit, Ask::Note("psst".into()));
    refuses(&mut world, &mut ada, by_host, "not_permitted");
    for (text, expected) in
        [(String::new(), "required"), ("n".repeat(2_001), "too_long"), ("a\u{202E}b".to_owned(), "forbidden_character")]
    {
        let bad = ben.ask(&visit, Ask::Note(text));
        refuses(&mut world, &mut ben, bad, expected);
    }
    let note = ben.ask(&visit, Ask::Note("Speaks Swedish.\nNo nuts.".into()));
    assert!(is_accepted(&world.push(&mut ben, vec![note.clone()])));
    assert!(is_accepted(&world.push(&mut ben, vec![note])), "again: once");
    let notes = |hand: &mut PhoneHand, world: &mut World| {
        hand.pull(world).iter().filter(|row| RowKind::from(row.kind) == RowKind::Note).count()
    };
    assert_eq!(notes(&mut ben, &mut world), 1);
    assert_eq!(notes(&mut rosa, &mut world), 1);
    assert_eq!(notes(&mut ada, &mut world), 0);
}

/// S4.34–S4.36: an unused invitation is deleted, and its credential with it; a used one stays.
#[test]
fn only_an_unused_invitation_is_deleted() {
    let mut world = World::new();
    let (mut ada, mut rosa) = (world.enrol("ada"), world.enrol("rosa"));
    let (unused, _) = world.created(&mut ada, "ada", &[]);
    let (used, mut replica) = world.created(&mut ada, "ada", &[]);
    let seen = world.visit(used);
    let arrival = rosa.ask(&seen, Ask::CheckIn);
    assert!(is_accepted(&world.push(&mut rosa, vec![arrival])));
    let delete = ada.ask(&seen, Ask::Delete);
    refuses(&mut world, &mut ada, delete, "already_used");
    let flag = ada.edit(&mut replica, &[Write::raise(Key::Deleted)]);
    refuses(&mut world, &mut ada, flag, "already_used");
    let unused = world.visit(unused);
    let delete = ada.ask(&unused, Ask::Delete);
    assert!(is_accepted(&world.push(&mut ada, vec![delete])));
    let deleted = world.visit(unused.id);
    assert_eq!((deleted.status(), deleted.standing.credential), (Status::Cancelled, CredentialState::Void));
}

/// S3.3: presence is reception's to say; an arrival wins over a cancellation, with an alert.
#[test]
fn presence_is_a_fact() {
    let mut world = World::new();
    let (mut ada, mut rosa) = (world.enrol("ada"), world.enrol("rosa"));
    let (id, mut replica) = world.created(&mut ada, "ada", &[]);
    let visit = world.visit(id);
    let by_host = ada.ask(&visit, Ask::CheckIn);
    refuses(&mut world, &mut ada, by_host, "not_permitted");
    let out = rosa.ask(&visit, Ask::CheckOut);
    refuses(&mut world, &mut rosa, out, "not_on_site");
    let arrival = rosa.ask(&visit, Ask::CheckIn);
    let cancel = ada.edit(&mut replica, &[Write::raise(Key::Cancelled)]);
    assert!(is_accepted(&world.push(&mut ada, vec![cancel])));
    assert!(is_accepted(&world.push(&mut rosa, vec![arrival])));
    let on_site = world.visit(id);
    assert_eq!(on_site.status(), Status::OnSite);
    assert!(world.facts(id).ends_with(&["arrived", "alert"]));
    let out = rosa.ask(&on_site, Ask::CheckOut);
    assert!(is_accepted(&world.push(&mut rosa, vec![out])));
    assert_eq!(world.visit(id).status(), Status::Departed);
    for ask in [Ask::Hold, Ask::Grant, Ask::Answers(vec![1].into()), Ask::Read] {
        let ask = rosa.ask(&visit, ask);
        refuses(&mut world, &mut rosa, ask, "not_yet");
    }
}

/// A request about nothing, and one under another device's request id.
#[test]
fn a_request_names_a_visit_and_has_an_id_of_its_own() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (id, _) = world.created(&mut ada, "ada", &[]);
    let visit = world.visit(id);
    let nowhere = crate::visit::AcceptedVisit { id: world.new_visit(), ..visit.clone() };
    let note = ada.ask(&nowhere, Ask::Note("hello".into()));
    refuses(&mut world, &mut ada, note, "unknown_visit");
    let note = ada.ask(&visit, Ask::Note("hello".into()));
    assert!(is_accepted(&world.push(&mut ada, vec![note.clone()])));
    let mut other = world.enrol("ada");
    refuses(&mut world, &mut other, note, "request_id");

    let refused = world.new_visit();
    let (_, first) = ada.first(refused, &super::usual("ben", &[]));
    let note = ada.ask(&crate::visit::AcceptedVisit { id: refused, ..visit }, Ask::Note("hello".into()));
    let verdicts = world.push(&mut ada, vec![first, note]);
    assert!(matches!(verdicts[..], [Verdict::Refused(_), Verdict::DependencyRefused]), "{verdicts:?}");
}

/// S2.17: the list of the administration.
#[test]
fn the_administration_lists_visits() {
    let (mut world, mut ada, id) = contractor();
    world.created(&mut ada, "ada", &[]);
    let organisation = world.context.organisation.clone();
    let list = |world: &mut World, status| {
        world.store.read(|tx| crate::decide::list(tx, &organisation, status)).expect("a database")
    };
    assert_eq!(list(&mut world, None).len(), 2);
    let pending = list(&mut world, Some(Status::Pending));
    assert_eq!((pending.len(), pending[0].id, pending[0].name.as_str()), (1, id, "Grace Hopper"));
    assert_eq!(pending[0].start.map(|start| start.to_string()).as_deref(), Some("2027-02-10T09:00"));
}

/// S4.25, S4.26: whoever is let in by name has used the invitation up, and their page says so instead of "not valid".
#[test]
fn an_arrival_uses_the_credential_up() {
    let mut world = World::new();
    let (mut ada, mut rosa) = (world.enrol("ada"), world.enrol("rosa"));
    let (id, _) = world.created(&mut ada, "ada", &[]);
    let seen = world.visit(id);
    let arrival = rosa.ask(&seen, Ask::CheckIn);
    assert!(is_accepted(&world.push(&mut rosa, vec![arrival])));
    assert_eq!(world.visit(id).standing.credential, CredentialState::Void);
    let organisation = world.context.organisation.clone();
    let latest = world.store.read(|tx| crate::credential::latest(tx, &organisation, id)).expect("a database");
    assert_eq!(latest.map(|latest| latest.state), Some(crate::credential::State::Spent));
}
