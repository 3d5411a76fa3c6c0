//! What the hub takes, and what follows from it.

use std::sync::Arc;

use vestibule_core::decision::{Approval, CredentialState};
use vestibule_core::document::Write;
use vestibule_core::envelope::Envelope;
use vestibule_core::feed::{RowKind, Scope};
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::{Key, Status};

use super::{World, is_accepted, sync, usual};
use crate::store::StoreError;

fn for_ada(envelope: &mut Envelope) {
    envelope.on_behalf_of = Some("ada".parse().expect("an id"));
}

/// S1.6, S1.29, S4.14: where no approval is needed the invitation goes straight out, and is Upcoming.
#[test]
fn a_visit_without_approval_is_upcoming_at_once() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[]);
    assert_eq!(world.facts(visit), ["accepted", "minted", "mail_queued"]);
    let visit = world.visit(visit);
    assert_eq!((visit.status(), visit.standing.credential), (Status::Upcoming, CredentialState::Live));
    assert_eq!((visit.number, visit.creator.as_str(), visit.host.as_str()), (1, "ada", "ada"));
}

/// S1.28, S2.2, S2.14, S2.15: a contractor waits, and the guest has heard nothing.
#[test]
fn a_visit_that_needs_approval_is_pending() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    assert_eq!(world.facts(visit), ["accepted"]);
    assert_eq!(world.visit(visit).status(), Status::Pending);
}

/// The same push again, whole or in parts, changes nothing and gets the same answer.
#[test]
fn the_same_push_again_changes_nothing() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let visit = world.new_visit();
    let (mut replica, first) = ada.first(visit, &usual("ada", &[]));
    let edit = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let envelope = ada.envelope(vec![first.clone(), edit]);
    let verdicts = world.push_envelope(&ada, envelope.clone());
    assert!(is_accepted(&verdicts));
    let before = world.store.dump(&[]);
    assert_eq!(world.push_envelope(&ada, envelope), verdicts);
    assert!(world.store.dump(&[]) == before, "not a row more, in no table");
    assert_eq!(world.push(&mut ada, vec![first]), verdicts[..1], "in another envelope too");
}

/// The hub keeps documents it has judged: one of a push that was rolled back is not the one that the next edit meets.
#[test]
fn a_document_of_a_rolled_back_push_is_not_met_again() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let visit = world.new_visit();
    let (mut replica, first) = ada.first(visit, &usual("ada", &[]));
    assert!(is_accepted(&world.push(&mut ada, vec![first])));
    let (counter, previous) = (ada.counter, ada.previous);
    let lost = ada.edit(&mut replica.clone(), &[Write::set(Key::Company, "Lost")]);
    let envelope = ada.envelope(vec![lost]);
    let (request, documents) = (ada.request(vec![envelope]), Arc::clone(&world.documents));
    let rolled_back = world.write(|tx, context, moment| {
        sync(tx, context, moment, &documents, &ada.access(), &request).expect("judged");
        Err::<(), _>(StoreError::Corrupt("row: the disk is full"))
    });
    assert!(rolled_back.is_err());
    ada.restore(counter, previous);
    for company in ["Navy", "Army"] {
        let edit = ada.edit(&mut replica, &[Write::set(Key::Company, company)]);
        assert!(is_accepted(&world.push(&mut ada, vec![edit])));
        assert_eq!(world.visit(visit).values.company.as_deref(), Some(company));
    }
}

/// An edit on top of a value that has moved on is stale: the later author is told the keys and the heads, and the
/// same intent on top of them is taken.
#[test]
fn an_edit_of_an_old_value_is_stale() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let mut other = world.enrol("ada");
    let (visit, replica) = world.created(&mut ada, "ada", &[]);
    let mut mine = replica.clone();
    let one = ada.edit(&mut mine, &[Write::set(Key::LastName, "Murray")]);
    let mut theirs = replica.clone();
    let two = other.edit(&mut theirs, &[Write::set(Key::LastName, "Brewster")]);
    let three = other.edit(&mut theirs, &[Write::set(Key::Phone, "+1 212 555 0100")]);
    assert!(is_accepted(&world.push(&mut ada, vec![one])));
    let heads = world.visit(visit).heads;
    let verdicts = world.push(&mut other, vec![two.clone(), three]);
    let stale = |key: &str| Verdict::Stale { keys: vec![key.to_owned()], heads: heads.clone() };
    assert_eq!(verdicts, [stale("last_name"), stale("phone")], "what builds on a stale change is replayed with it");
    let again = other.edit(&mut mine, &[Write::set(Key::LastName, "Brewster")]);
    assert!(is_accepted(&world.push(&mut other, vec![again])));
    let heads = world.visit(visit).heads;
    let stale = Verdict::Stale { keys: vec!["last_name".to_owned()], heads };
    assert_eq!(world.push(&mut other, vec![two]), [stale], "asked again, it is told the heads of now");
}

/// Two edits of different keys on the same state both stand.
#[test]
fn concurrent_edits_of_different_keys_both_stand() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let mut other = world.enrol("ada");
    let (visit, replica) = world.created(&mut ada, "ada", &[]);
    let one = ada.edit(&mut replica.clone(), &[Write::set(Key::Company, "Navy")]);
    let two = other.edit(&mut replica.clone(), &[Write::set(Key::Phone, "+1 212 555 0100")]);
    assert!(is_accepted(&world.push(&mut ada, vec![one])));
    assert!(is_accepted(&world.push(&mut other, vec![two])));
    let visit = world.visit(visit);
    assert_eq!(visit.values.company.as_deref(), Some("Navy"));
    assert_eq!((visit.values.phone.as_deref(), visit.heads.len()), (Some("+1 212 555 0100"), 2));
}

/// S4.28, S4.29: an edit of what the visitor is shown brings a new mail, an internal one none.
#[test]
fn only_edits_that_show_reach_the_visitor() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, mut replica) = world.created(&mut ada, "ada", &[]);
    let internal = ada.edit(&mut replica, &[Write::set(Key::Reason, "audit")]);
    assert!(is_accepted(&world.push(&mut ada, vec![internal])));
    assert_eq!(world.facts(visit)[3..], ["edited"]);
    let shown = [Write::set(Key::Schedule, "2027-02-11T09:00/2027-02-11T10:00")];
    let shown = ada.edit(&mut replica, &shown);
    assert!(is_accepted(&world.push(&mut ada, vec![shown])));
    assert_eq!(world.facts(visit)[4..], ["edited", "voided", "minted", "mail_queued"]);
}

/// An approval is of exactly what was seen: a material edit makes it stale, another does not.
#[test]
fn a_material_edit_makes_an_approval_stale() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, mut replica) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    world.approve(visit, "priya", None).expect("approved");
    let company = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    assert!(is_accepted(&world.push(&mut ada, vec![company])));
    assert_eq!(world.visit(visit).status(), Status::Upcoming);
    let email = ada.edit(&mut replica, &[Write::set(Key::Email, "hopper@example.org")]);
    assert!(is_accepted(&world.push(&mut ada, vec![email])));
    let now = world.visit(visit);
    assert_eq!((now.status(), now.standing.credential), (Status::Pending, CredentialState::Void));
    world.approve(visit, "priya", None).expect("approved");
    assert_eq!(world.visit(visit).standing.credential, CredentialState::Live);
}

/// The type changed from one that needs no approval to one that does: approval is evaluated again.
#[test]
fn a_changed_type_is_evaluated_again() {
    let mut world = World::new();
    let (mut ada, mut priya) = (world.enrol("ada"), world.enrol("priya"));
    let (visit, mut replica) = world.created(&mut ada, "ada", &[]);
    priya.pull(&mut world);
    let edit = ada.edit(&mut replica, &[Write::set(Key::Type, "contractor")]);
    assert!(is_accepted(&world.push(&mut ada, vec![edit])));
    assert_eq!(world.visit(visit).standing.approval, Approval::Pending);
    let kinds: Vec<_> = priya.pull(&mut world).iter().map(|row| RowKind::from(row.kind)).collect();
    assert_eq!(kinds[..3], [RowKind::Enter, RowKind::Change, RowKind::Change], "the approver gets all of it");
    assert!(kinds[3..].iter().all(|kind| *kind == RowKind::Decision));
}

/// S1.21: a delegate acts for the principal, whose invitation it is.
#[test]
fn a_delegate_invites_for_the_principal() {
    let mut world = World::new();
    let mut dora = world.enrol("dora");
    let visit = world.new_visit();
    let (mut replica, first) = dora.first(visit, &usual("ada", &[]));
    let edit = dora.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let envelope = dora.envelope_with(vec![first, edit], for_ada);
    assert!(is_accepted(&world.push_envelope(&dora, envelope)));
    let accepted = world.visit(visit);
    assert_eq!((accepted.creator.as_str(), accepted.host.as_str()), ("ada", "ada"));
    let (mut ada, mut chloe) = (world.enrol("ada"), world.enrol("chloe"));
    let rows = |rows: Vec<vestibule_core::feed::Row>| rows.iter().filter(|row| row.visit() == Some(visit)).count();
    assert!(rows(ada.pull(&mut world)) > 0 && rows(dora.pull(&mut world)) > 0);
    assert_eq!(rows(chloe.pull(&mut world)), 0, "nobody else's phone has a row of it");
}

/// A delegate edits what is the principal's, also where it names nobody; and not what is no principal's.
#[test]
fn a_delegate_edits_the_principals_visits() {
    let mut world = World::new();
    let (mut ada, mut dora, mut chloe) = (world.enrol("ada"), world.enrol("dora"), world.enrol("chloe"));
    let (_, mut adas) = world.created(&mut ada, "ada", &[]);
    let (_, mut chloes) = world.created(&mut chloe, "chloe", &[]);
    let edit = dora.edit(&mut adas, &[Write::set(Key::Company, "Navy")]);
    let envelope = dora.envelope_with(vec![edit], for_ada);
    assert!(is_accepted(&world.push_envelope(&dora, envelope)));
    let edit = dora.edit(&mut adas, &[Write::set(Key::Company, "Navy Yard")]);
    assert!(is_accepted(&world.push(&mut dora, vec![edit])));
    let edit = dora.edit(&mut chloes, &[Write::set(Key::Company, "Navy")]);
    let envelope = dora.envelope_with(vec![edit], for_ada);
    assert_eq!(super::code(&world.push_envelope(&dora, envelope)), "not_permitted");
}

/// S1.21: a new host gets the visit without its earlier values, and the old one's phone purges it.
#[test]
fn a_new_host_gets_a_fresh_base() {
    let mut world = World::new();
    let (mut ben, mut chloe, mut ada) = (world.enrol("ben"), world.enrol("chloe"), world.enrol("ada"));
    let (visit, mut replica) = world.created(&mut ben, "ada", &[Write::set(Key::Reason, "secret")]);
    ada.pull(&mut world);
    ben.pull(&mut world);
    chloe.pull(&mut world);
    let cleared = ben.edit(&mut replica, &[Write::clear(Key::Reason)]);
    let host = ben.edit(&mut replica, &[Write::set(Key::Host, "chloe")]);
    let late = ben.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    assert!(is_accepted(&world.push(&mut ben, vec![cleared, host])));
    let now = world.visit(visit);
    assert_eq!((now.host.as_str(), now.base, now.heads.len()), ("chloe", 1, 1));

    let of_visit = |rows: Vec<vestibule_core::feed::Row>| {
        rows.into_iter().filter(|row| row.visit() == Some(visit)).collect::<Vec<_>>()
    };
    let for_chloe = of_visit(chloe.pull(&mut world));
    let kinds: Vec<_> = for_chloe.iter().map(|row| RowKind::from(row.kind)).collect();
    assert_eq!(kinds[..2], [RowKind::Enter, RowKind::Snapshot]);
    assert!(kinds[2..].iter().all(|kind| *kind == RowKind::Decision));
    assert!(for_chloe.iter().all(|row| !row.payload.windows(6).any(|part| part == b"secret")));
    let kinds =
        |rows: Vec<vestibule_core::feed::Row>| rows.iter().map(|row| RowKind::from(row.kind)).collect::<Vec<_>>();
    assert!(
        kinds(of_visit(ben.pull(&mut world))).contains(&RowKind::Snapshot),
        "the creator keeps it, on the new base"
    );
    assert_eq!(kinds(of_visit(ada.pull(&mut world))).last(), Some(&RowKind::Leave));
    let stale = Verdict::Stale { keys: vec!["company".into()], heads: now.heads };
    assert_eq!(world.push(&mut ben, vec![late]), [stale], "what stood on the earlier base is replayed");
}

/// S4.30–S4.33: inviting again is a new visit that names the old one.
#[test]
fn inviting_again_is_a_new_visit() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (old, mut replica) = world.created(&mut ada, "ada", &[]);
    let cancel = ada.edit(&mut replica, &[Write::raise(Key::Cancelled)]);
    assert!(is_accepted(&world.push(&mut ada, vec![cancel])));
    let (new, _) = world.created(&mut ada, "ada", &[Write::set(Key::Previous, old.to_string())]);
    assert_eq!((world.visit(old).status(), world.visit(new).status()), (Status::Cancelled, Status::Upcoming));
    assert_eq!(world.visit(new).number, 2, "numbers are never reused");
}

/// A visit is in its host's, its creator's, its site's and its approvers' scopes, and in no other.
#[test]
fn a_visit_is_in_the_scopes_of_those_it_concerns() {
    let mut world = World::new();
    let mut ben = world.enrol("ben");
    let (visit, _) = world.created(&mut ben, "ada", &[Write::set(Key::Type, "contractor")]);
    let organisation = world.context.organisation.clone();
    let scopes = world.store.read(|tx| crate::store::visits::scopes(tx, &organisation, visit)).expect("a database");
    let named: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    assert_eq!(named, ["visits/ada", "visits/ben", "site/zrh", "approvals/zrh"]);
}
