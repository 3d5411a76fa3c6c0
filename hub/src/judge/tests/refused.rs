//! What a signed change may not do. Each refusal leaves everything but the quarantine as it was, and is final.

use chrono::TimeDelta;
use vestibule_core::document::{Replica, Write};
use vestibule_core::envelope::Envelope;
use vestibule_core::id::VisitId;
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::Key;

use super::{PhoneHand, Pushed, World, code, is_accepted, usual};

/// Pushes one item that has to be refused with that code; nothing but the quarantine may change.
fn refuses(world: &mut World, hand: &mut PhoneHand, item: Pushed, expected: &str) {
    refuses_with(world, hand, item, |_| {}, expected);
}

fn refuses_with(
    world: &mut World,
    hand: &mut PhoneHand,
    item: Pushed,
    tweak: impl FnOnce(&mut Envelope),
    expected: &str,
) {
    let before = world.dump();
    let envelope = hand.envelope_with(vec![item], tweak);
    let verdicts = world.push_envelope(hand, envelope);
    assert_eq!(code(&verdicts), expected);
    assert!(world.dump() == before, "a refusal ({expected}) changed more than the quarantine");
    assert!(world.quarantined(expected) > 0, "{expected} is in the quarantine");
}

fn refuses_creation(host: &str, by: &str, more: &[Write], expected: &str) {
    let mut world = World::new();
    let mut hand = world.enrol(by);
    let visit = world.new_visit();
    let (_, first) = hand.first(visit, &usual(host, more));
    refuses(&mut world, &mut hand, first, expected);
}

/// The hub never trusts the phone: the whole check of the form again, on the hub's rows and clock.
#[test]
fn a_visit_has_to_be_valid_for_the_organisation() {
    for (more, expected) in [
        (vec![Write::set(Key::Site, "rome")], "unknown"),
        (vec![Write::set(Key::Site, "Zürich Nord")], "malformed"),
        (vec![Write::set(Key::Space, "nyc-room-1")], "wrong_site"),
        (vec![Write::set(Key::Space, "zrh-room-9")], "unknown"),
        (vec![Write::set(Key::Type, "spy")], "unknown"),
        (vec![Write::clear(Key::Email)], "required"),
        (vec![Write::set(Key::Email, "grace")], "malformed"),
        (vec![Write::set(Key::Email, " grace@example.org")], "malformed"),
        (vec![Write::clear(Key::FirstName), Write::clear(Key::LastName)], "required"),
        (vec![Write::clear(Key::Site)], "required"),
        (vec![Write::clear(Key::Host)], "required"),
        (vec![Write::set(Key::Schedule, "tomorrow")], "malformed"),
        (vec![Write::set(Key::Schedule, "2027-02-10T10:00/2027-02-10T09:00")], "end_before_start"),
        (vec![Write::set(Key::Schedule, "2027-03-28T02:30/2027-03-28T04:00")], "no_such_time"),
        (vec![Write::set(Key::Schedule, "2027-01-10T09:00/2027-01-10T10:00")], "past"),
        (vec![Write::set(Key::Source, "kiosk")], "not_permitted"),
        (vec![Write::set(Key::Import, "0190f3c8-0000-7000-8000-000000000001/17")], "not_permitted"),
        (vec![Write::set(Key::Occurrence, "2027-02-10")], "required"),
        (vec![Write::set(Key::Previous, "0190f3c8-0000-7000-8000-000000000001")], "unknown"),
    ] {
        refuses_creation("ada", "ada", &more, expected);
    }
}

/// S1.10, S1.21: who may not invite at all, and who may not invite for that host.
#[test]
fn a_visit_needs_the_right_to_invite_for_its_host() {
    refuses_creation("priya", "priya", &[], "not_permitted");
    refuses_creation("ben", "ada", &[], "not_permitted");
    refuses_creation("ada", "dora", &[], "not_permitted");
    refuses_creation("ada", "rosa", &[Write::set(Key::Site, "nyc")], "not_permitted");
}

/// A delegate acts for the principals they have now, and for no one else.
#[test]
fn nobody_acts_for_a_member_whose_delegate_they_are_not() {
    let mut world = World::new();
    let mut chloe = world.enrol("chloe");
    let visit = world.new_visit();
    let (_, first) = chloe.first(visit, &usual("ada", &[]));
    let for_ada = |envelope: &mut Envelope| envelope.on_behalf_of = Some("ada".parse().expect("an id"));
    refuses_with(&mut world, &mut chloe, first, for_ada, "not_permitted");
}

fn adas_visit(world: &mut World) -> (VisitId, Replica) {
    let mut ada = world.enrol("ada");
    world.created(&mut ada, "ada", &[])
}

/// Nobody makes another's visit theirs by writing `host`: the right is judged on the state just before.
#[test]
fn nobody_takes_over_a_visit_by_writing_the_host() {
    let mut world = World::new();
    let (_, mut replica) = adas_visit(&mut world);
    let mut chloe = world.enrol("chloe");
    let item = chloe.edit(&mut replica.clone(), &[Write::set(Key::Host, "chloe")]);
    refuses(&mut world, &mut chloe, item, "not_permitted");
    let mut ben = world.enrol("ben");
    let item = ben.edit(&mut replica, &[Write::set(Key::Host, "ben")]);
    refuses(&mut world, &mut ben, item, "not_permitted");
}

/// S1.21: a host without the permission does not write `host` in their own visit either.
#[test]
fn a_field_the_role_may_not_write_is_refused() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (_, mut replica) = world.created(&mut ada, "ada", &[]);
    let item = ada.edit(&mut replica, &[Write::set(Key::Host, "ben")]);
    refuses(&mut world, &mut ada, item, "not_permitted");
}

/// Reception edits at its site, and does not move a visit out of it, nor into it.
#[test]
fn reception_is_bound_to_its_site() {
    let mut world = World::new();
    let (_, replica) = adas_visit(&mut world);
    let mut rosa = world.enrol("rosa");
    let item = rosa.edit(&mut replica.clone(), &[Write::set(Key::Site, "nyc")]);
    refuses(&mut world, &mut rosa, item, "not_permitted");
    let item = rosa.edit(&mut replica.clone(), &[Write::set(Key::Company, "Navy")]);
    assert!(is_accepted(&world.push(&mut rosa, vec![item])));

    let mut ben = world.enrol("ben");
    let (_, mut replica) = world.created(&mut ben, "ben", &[Write::set(Key::Site, "nyc")]);
    let item = rosa.edit(&mut replica, &[Write::set(Key::Site, "zrh")]);
    refuses(&mut world, &mut rosa, item, "not_permitted");
}

/// "Author lost the role while offline": the role is read in the transaction that accepts.
#[test]
fn a_role_lost_meanwhile_counts() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (_, mut replica) = world.created(&mut ada, "ada", &[]);
    let item = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    world
        .write(|tx, context, moment| {
            let ada = "ada".parse().expect("an id");
            crate::organisation::change_member(tx, context, moment, &ada, |member| member.roles.clear())
        })
        .expect("changed");
    refuses(&mut world, &mut ada, item, "not_permitted");
}

/// S1.8, S4.30: what is called off stays so; an edit that comes later is kept by its author to invite again.
#[test]
fn a_cancelled_visit_is_not_edited_any_more() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, mut replica) = world.created(&mut ada, "ada", &[]);
    let cancel = ada.edit(&mut replica, &[Write::raise(Key::Cancelled)]);
    assert!(is_accepted(&world.push(&mut ada, vec![cancel])));
    let facts = world.facts(visit);
    assert_eq!(
        facts[3..],
        ["cancelled", "voided"],
        "no server has seen the mail: it is withdrawn, and no other follows"
    );
    let edit = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    refuses(&mut world, &mut ada, edit, "over");
}

/// S2.27: a rejected visit is changed by inviting again, and not at all after a final rejection.
#[test]
fn a_rejected_visit_is_not_edited() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, mut replica) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
    world.reject(visit, "priya", true).expect("rejected");
    let edit = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    refuses(&mut world, &mut ada, edit, "rejected");
    let again = world.new_visit();
    let (_, first) = ada.first(again, &usual("ada", &[Write::set(Key::Previous, visit.to_string())]));
    refuses(&mut world, &mut ada, first, "rejected_finally");
}

/// An envelope that came too late is refused for good.
#[test]
fn an_expired_envelope_is_refused() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let visit = world.new_visit();
    let (_, first) = ada.first(visit, &usual("ada", &[]));
    world.later(TimeDelta::minutes(2));
    let until = world.now.timestamp() - 1;
    refuses_with(&mut world, &mut ada, first, |envelope| envelope.not_after = until, "expired");
}

/// A refusal is final for its item, in the same envelope again and in a later one; and the counter goes on.
#[test]
fn a_refused_change_pushed_again_stays_refused() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let visit = world.new_visit();
    let (_, first) = ada.first(visit, &usual("ben", &[]));
    let envelope = ada.envelope(vec![first.clone()]);
    let verdicts = world.push_envelope(&ada, envelope.clone());
    assert_eq!(code(&verdicts), "not_permitted");
    // From now on Ada may: it does not help the change that was refused.
    world
        .write(|tx, context, moment| {
            let ada = "ada".parse().expect("an id");
            crate::organisation::change_member(tx, context, moment, &ada, |member| member.may_change_host = true)
        })
        .expect("changed");
    let before = world.dump();
    assert_eq!(world.push_envelope(&ada, envelope), verdicts);
    assert_eq!(world.push(&mut ada, vec![first.clone()]), verdicts);
    assert_eq!(world.push(&mut ada, vec![first]), verdicts);
    assert!(world.dump() == before);
    assert_eq!(world.quarantined("not_permitted"), 3, "one verdict, and twice again");
    let (_, anew) = ada.first(visit, &usual("ben", &[]));
    assert!(is_accepted(&world.push(&mut ada, vec![anew])), "a new change revives the intent");
}

/// What builds on something refused is refused with it, in the same push and later; so are requests about it.
#[test]
fn descendants_of_a_refused_change_are_refused_with_it() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let visit = world.new_visit();
    let (mut replica, first) = ada.first(visit, &usual("ben", &[]));
    let second = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
    let third = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy Yard")]);
    let verdicts = world.push(&mut ada, vec![first, second]);
    assert!(matches!(verdicts[..], [Verdict::Refused(_), Verdict::DependencyRefused]), "{verdicts:?}");
    assert_eq!(world.push(&mut ada, vec![third]), [Verdict::DependencyRefused]);
}

/// A device fills one megabyte of the quarantine and no more; after 30 days the bytes are gone, the verdict stays.
#[test]
fn the_quarantine_is_bounded() {
    use crate::store::quarantine::{KEPT_FOR, MAX_BYTES, kept_bytes, prune};
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let long = "\u{1F600}".repeat(1_900);
    for _ in 0..2 {
        let items = (0..90)
            .map(|_| {
                let visit = world.new_visit();
                let more = [Write::set(Key::Message, long.clone())];
                let (_, first) = ada.first(visit, &usual("ben", &more));
                first
            })
            .collect();
        world.push(&mut ada, items);
    }
    let device = ada.device.clone();
    let kept = world.store.read(|tx| kept_bytes(tx, &device)).expect("a database");
    assert!((MAX_BYTES / 2..=MAX_BYTES).contains(&kept), "{kept}");
    let later = world.now.timestamp() + KEPT_FOR + 1;
    world.write(|tx, _, _| prune(tx, later - KEPT_FOR)).expect("pruned");
    assert_eq!(world.store.read(|tx| kept_bytes(tx, &device)).expect("a database"), 0);
    assert_eq!(world.quarantined("not_permitted"), 180);
}

/// After the hub was set back, what builds on a colleague's change that it has forgotten is no refusal: it waits until the
/// colleague's phone has come by, or thirty days.
#[test]
fn what_builds_on_something_forgotten_waits_for_it() {
    for comes_by in [true, false] {
        let mut world = World::new();
        let (mut ada, mut dora) = (world.enrol("ada"), world.enrol("dora"));
        let visit = world.new_visit();
        let (mut replica, first) = ada.first(visit, &usual("ada", &[]));
        let edit = dora.edit(&mut replica, &[Write::set(Key::Company, "Nordwind")]);
        let behalf = |envelope: &mut Envelope| envelope.on_behalf_of = Some("ada".parse().expect("an id"));
        let edits = dora.envelope_with(vec![edit], behalf);
        world.write(|tx, _, moment| crate::restore::open(tx, moment, 0)).expect("is set back");
        assert_eq!(world.push_envelope(&dora, edits.clone()), [Verdict::Later]);
        assert_eq!(world.push_envelope(&dora, edits.clone()), [Verdict::Later], "and again");
        // What comes after it is not held up.
        let (_, own) = dora.first(world.new_visit(), &usual("dora", &[]));
        assert!(matches!(world.push(&mut dora, vec![own])[..], [Verdict::Accepted(_)]));
        if comes_by {
            assert!(matches!(world.push(&mut ada, vec![first])[..], [Verdict::Accepted(_)]));
            assert!(matches!(world.push_envelope(&dora, edits.clone())[..], [Verdict::Accepted(_)]));
            assert_eq!(world.visit(visit).values.company.as_deref(), Some("Nordwind"));
        } else {
            world.later(TimeDelta::days(31));
            assert!(matches!(world.push_envelope(&dora, edits.clone())[..], [Verdict::Refused(_)]));
        }
        let verdict = world.push_envelope(&dora, edits);
        assert!(!matches!(verdict[..], [Verdict::Later]), "final");
    }
}
