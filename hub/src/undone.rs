//! What could not be done, done again: when the hub starts (so after an upgrade), and by an administrator's hand.
//!
//! [`crate::record`] notes an effect that failed; here it is recorded as a new event without facts, so that what it comes
//! to is written as at first. What has become needless meanwhile is taken off the list the same way.

use rusqlite::Transaction;
use vestibule_core::id::VisitId;

use crate::context::Context;
use crate::effect::Effect;
use crate::lifecycle::Outcome;
use crate::moment::Moment;
use crate::record::{Event, RecordError, record};
use crate::store::apart::apart;
use crate::store::effects::{self, Undone};
use crate::store::{StoreError, visits};
use crate::sweep;

/// How often the hub tries by itself: what failed at twenty starts needs a person.
const MAX_ATTEMPTS: u32 = 20;
/// How many visits are tried at one start, so that requests do not wait for them for long.
const MAX_VISITS: usize = 1_000;

/// The visits of an organisation that are to be tried at a start of the hub, the oldest first.
pub fn due(tx: &Transaction<'_>, context: &Context) -> Result<Vec<VisitId>, StoreError> {
    let mut due = Vec::new();
    for row in effects::list(tx, &context.organisation)? {
        if row.attempts < MAX_ATTEMPTS && !due.contains(&row.visit) {
            due.push(row.visit);
        }
    }
    due.truncate(MAX_VISITS);
    Ok(due)
}

/// Tries again what of a visit could not be done; what is left of it.
///
/// # Errors
/// The database failed: nothing was changed.
pub fn retry(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: VisitId,
) -> Result<Vec<Undone>, RecordError> {
    let organisation = &context.organisation;
    for row in effects::of_visit(tx, organisation, visit)?.iter().filter(|row| row.effect == sweep::RUN_OUT) {
        match apart(tx, || sweep::run_out(tx, context, moment, visit))? {
            Ok(()) => effects::forget(tx, organisation, visit, &row.effect)?,
            Err(code) => {
                effects::note(tx, organisation, visit, (&row.effect, None), code, moment.now)?;
            }
        }
    }
    let rows = effects::of_visit(tx, organisation, visit)?;
    let known = rows.iter().filter(|row| row.effect != sweep::RUN_OUT);
    let known: Vec<_> =
        known.filter_map(|row| Some((row, Effect::from_parts(&row.effect, row.detail.as_deref())?))).collect();
    if known.is_empty() {
        drop(known);
        return Ok(rows);
    }
    let tried = apart(tx, || {
        let Some(mut loaded) = visits::load(tx, organisation, visit)? else { return Ok::<_, RecordError>(()) };
        let applying = known.iter().filter(|(_, effect)| effect.applies(&loaded.visit));
        let outcome = Outcome { facts: Vec::new(), effects: applying.map(|(_, effect)| effect.clone()).collect() };
        record(tx, context, moment, &mut loaded.visit, Event { outcome, ..Event::default() })
    })?;
    if let Err(code) = tried {
        for (row, _) in &known {
            effects::note(tx, organisation, visit, (&row.effect, row.detail.as_deref()), code, moment.now)?;
        }
    }
    Ok(effects::of_visit(tx, organisation, visit)?)
}

#[cfg(all(test, feature = "faults"))]
mod tests {
    use vestibule_core::decision::CredentialState;
    use vestibule_core::document::Write;
    use vestibule_core::fault::{Failing, fail_effects};
    use vestibule_core::id::VisitId;
    use vestibule_core::visit::{Key, Status};

    use super::{due, retry};
    use crate::judge::tests::{World, is_accepted, usual};
    use crate::store::effects::{self, Undone};

    fn undone(world: &mut World, visit: VisitId) -> Vec<Undone> {
        world.write(|tx, context, _| effects::of_visit(tx, &context.organisation, visit)).expect("a database")
    }

    fn mails(world: &mut World, visit: VisitId) -> u32 {
        let count = "SELECT count(*) FROM outbox WHERE visit = ?1 AND delivery IS NOT NULL AND state <> 'withdrawn'";
        let count = |tx: &rusqlite::Transaction<'_>| tx.query_row(count, [visit.as_bytes()], |row| row.get(0));
        world.write(|tx, _, _| count(tx).map_err(crate::store::StoreError::from)).expect("a database")
    }

    /// An effect that fails, by an error or a panic, turns nothing away: the visit is accepted, the others are invited, and
    /// what is undone is done when it is tried again.
    #[test]
    fn an_effect_that_fails_is_that_visits_trouble() {
        for (how, code) in [(Failing::Error, "injected"), (Failing::Panic, "panic")] {
            let mut world = World::new();
            let mut ada = world.enrol("ada");
            let ids = [world.new_visit(), world.new_visit(), world.new_visit()];
            let items = ids.map(|id| ada.first(id, &usual("ada", &[])).1);
            fail_effects(Some((2, how)));
            let verdicts = world.push(&mut ada, items.to_vec());
            assert!(is_accepted(&verdicts), "{verdicts:?}");
            assert_eq!(ids.map(|id| mails(&mut world, id)), [1, 0, 1]);
            let failed = world.visit(ids[1]);
            assert_eq!(failed.number, 2);
            assert_eq!((failed.status(), failed.standing.credential), (Status::Upcoming, CredentialState::None));
            assert_eq!(failed.standing.undone.get("invite").map(String::as_str), Some(code));
            assert!(failed.standing.undone.contains_key("tell_category"), "every effect for itself");

            // Tried again in vain: counted, and no word more in the log.
            let entries = failed.last_entry;
            let left = world.write(|tx, context, moment| retry(tx, context, moment, ids[1])).expect("tried");
            assert!(left.iter().all(|row| row.attempts == 2 && row.code == code), "{left:?}");
            assert_eq!(world.visit(ids[1]).last_entry, entries);

            fail_effects(None);
            assert_eq!(world.write(|tx, context, _| due(tx, context)).expect("a database"), [ids[1]]);
            let left = world.write(|tx, context, moment| retry(tx, context, moment, ids[1])).expect("tried");
            assert_eq!(left, []);
            let done = world.visit(ids[1]);
            assert!(done.standing.undone.is_empty());
            assert_eq!(mails(&mut world, ids[1]), 1);
            assert!(world.write(|tx, context, _| due(tx, context)).expect("a database").is_empty());
        }
    }

    /// An approval is taken whatever fails after it.
    #[test]
    fn a_decision_stands_though_its_effects_fail() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (visit, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
        fail_effects(Some((1, Failing::Panic)));
        let approved = world.approve(visit, "priya", None).expect("approved");
        fail_effects(None);
        assert_eq!(approved.status(), Status::Upcoming);
        assert_eq!(approved.standing.undone.len(), 2, "the guest's mail and the host's");
        // Rejected since: there is nobody to be invited any more.
        world.reject(visit, "priya", false).expect("rejected");
        assert!(!undone(&mut world, visit).iter().any(|row| row.effect == "invite"));
        assert_eq!(mails(&mut world, visit), 0);
    }

    /// Whatever fails in telling people, nobody gets in by what was withdrawn.
    #[test]
    fn access_ends_though_the_mail_fails() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (visit, mut replica) = world.created(&mut ada, "ada", &[]);
        fail_effects(Some((1, Failing::Error)));
        let cancel = ada.edit(&mut replica, &[Write::raise(Key::Cancelled)]);
        assert!(is_accepted(&world.push(&mut ada, vec![cancel])));
        fail_effects(None);
        let cancelled = world.visit(visit);
        assert_eq!((cancelled.status(), cancelled.standing.credential), (Status::Cancelled, CredentialState::Void));
        assert!(cancelled.standing.undone.contains_key("cancel"));
        world.write(|tx, context, moment| retry(tx, context, moment, visit)).expect("tried");
        assert!(undone(&mut world, visit).is_empty());
        assert_eq!(world.facts(visit).last().copied(), Some("settled"));
    }

    /// A new address, invited, leaves nothing of the invitation that failed.
    #[test]
    fn what_came_after_settles_what_failed_before() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        fail_effects(Some((1, Failing::Error)));
        let (visit, mut replica) = world.created(&mut ada, "ada", &[]);
        fail_effects(None);
        let edit = ada.edit(&mut replica, &[Write::set(Key::Email, "hopper@example.org")]);
        assert!(is_accepted(&world.push(&mut ada, vec![edit])));
        assert!(!world.visit(visit).standing.undone.contains_key("invite"));
        assert_eq!(mails(&mut world, visit), 1);
    }

    /// One visit that cannot be read stops no push, no sweep and no list; what is asked of it is refused, and said why.
    #[test]
    fn a_visit_that_cannot_be_read_stops_no_other() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (broken, mut replica) = world.created(&mut ada, "ada", &[]);
        let (sound, mut other) = world.created(&mut ada, "ada", &[]);
        let spoil = "UPDATE change SET bytes = x'00' WHERE visit = ?1";
        let spoil = |tx: &rusqlite::Transaction<'_>| tx.execute(spoil, [broken.as_bytes()]);
        world.write(|tx, _, _| spoil(tx).map_err(crate::store::StoreError::from)).expect("spoiled");
        world.forget_documents();
        let edits = vec![
            ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]),
            ada.edit(&mut other, &[Write::set(Key::Company, "Navy")]),
        ];
        let verdicts = world.push(&mut ada, edits);
        assert_eq!(crate::judge::tests::code(&verdicts[..1]), "not_judged");
        assert!(is_accepted(&verdicts[1..]));
        let organisation = world.context.organisation.clone();
        let listed = world.store.read(|tx| crate::decide::list(tx, &organisation, None)).expect("a list");
        assert_eq!(listed.iter().map(|visit| visit.id).collect::<Vec<_>>(), [sound]);
        world.later(chrono::TimeDelta::days(40));
        assert_eq!(world.write(crate::sweep::sweep).expect("swept"), 2);
        assert_eq!(world.visit(sound).status(), Status::NoShow);
        assert_eq!(world.write(crate::sweep::sweep).expect("swept"), 0, "it blocks nothing");
        assert_eq!(undone(&mut world, broken)[0].effect, crate::sweep::RUN_OUT);
    }

    /// What fails in the database itself is swallowed nowhere.
    #[test]
    fn a_failure_of_the_database_undoes_all() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let full = "CREATE TEMP TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
        world.write(|tx, _, _| tx.execute_batch(full).map_err(crate::store::StoreError::from)).expect("armed");
        let before = world.dump();
        let visit = world.new_visit();
        let (_, first) = ada.first(visit, &usual("ada", &[]));
        let envelope = ada.envelope(vec![first]);
        assert!(world.try_sync(&ada, vec![envelope]).is_err());
        assert_eq!(world.dump(), before);
    }
}
