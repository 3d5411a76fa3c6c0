//! What time alone does to a visit: its window passes, and nobody came.
//!
//! Whenever something is recorded of a visit, its row is given the time at which its window will have passed ([`due`]).
//! The server asks for those whose time has come ([`overdue`]) and has each end in a transaction of its own
//! ([`run_out`]): no-show, or expired where it was pending or had no schedule. The hub's clock decides.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::id::{OrganisationId, VisitId};
use vestibule_core::visit::Status;

use crate::context::Context;
use crate::credential::{self, State, Window};
use crate::lifecycle;
use crate::moment::Moment;
use crate::record::{Event, RecordError, record};
use crate::store::visits::{self, Due};
use crate::store::{StoreError, organisations};
use crate::visit::AcceptedVisit;

/// When the window of a visit will have passed; `None` where nobody waits for the visitor, or where the schedule names
/// a time that the site's clock has come to skip.
///
/// A scheduled visit ends with its schedule. One without ends with its credential; and where none was minted, because it
/// is pending or the visitor has no address, as long after the last thing that happened to it as a credential would.
pub fn due(
    tx: &Transaction<'_>,
    visit: &AcceptedVisit,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    if !matches!(visit.status(), Status::Pending | Status::Upcoming) {
        return Ok(None);
    }
    if visit.values.schedule.is_none()
        && let Some(credential) = credential::latest(tx, &visit.organisation, visit.id)?
        && matches!(credential.state, State::Live | State::Suspended)
    {
        return Ok(Some(credential.window.expires));
    }
    end_of_window(tx, visit, now)
}

/// When a window of the visit that was opened at `now` ends.
pub(crate) fn end_of_window(
    tx: &Transaction<'_>,
    visit: &AcceptedVisit,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let record = organisations::get(tx, &visit.organisation)?.ok_or(StoreError::Corrupt("organisation of a visit"))?;
    let site = organisations::site(tx, &visit.organisation, &visit.site)?.ok_or(StoreError::Corrupt("site"))?;
    Ok(Window::end(visit.values.schedule.as_ref(), &site, &record.organisation, now))
}

/// Some visits whose window has passed, the earliest first.
pub fn overdue(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
) -> Result<Vec<VisitId>, StoreError> {
    visits::due_by(tx, organisation, now.timestamp())
}

/// Ends a visit whose window has passed; whether it had, and nobody had been seen.
pub fn run_out(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    id: VisitId,
) -> Result<bool, RecordError> {
    let organisation = &context.organisation;
    // Asked again in this transaction: somebody may have come or changed it since it was listed.
    let stored = visits::due(tx, organisation, id)?;
    let Some(mut loaded) = visits::load(tx, organisation, id)? else { return Ok(false) };
    let visit = &mut loaded.visit;
    if stored == Due::NeverAsked {
        let due = due(tx, visit, moment.now)?;
        visits::update(tx, visit, due)?;
        return Ok(false);
    }
    if !matches!(stored, Due::At(at) if at <= moment.unix()) {
        return Ok(false);
    }
    let outcome = lifecycle::ran_out(visit);
    let has_ended = !outcome.facts.is_empty();
    record(tx, context, moment, visit, Event { outcome, ..Event::default() })?;
    Ok(has_ended)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use vestibule_core::document::Write;
    use vestibule_core::envelope::Ask;
    use vestibule_core::feed::RowKind;
    use vestibule_core::visit::Key;

    use super::*;
    use crate::decide::DecideError;
    use crate::judge::tests::{World, is_accepted};

    /// As the server does it: everything that is due, and how many visits ended.
    fn tick(world: &mut World) -> usize {
        let (organisation, now) = (world.context.organisation.clone(), world.now);
        let ids = world.store.read(|tx| overdue(tx, &organisation, now)).expect("a database");
        ids.into_iter()
            .filter(|&id| world.write(|tx, context, moment| run_out(tx, context, moment, id)).expect("recorded"))
            .count()
    }

    fn at(world: &mut World, time: &str) {
        world.now = time.parse().expect("a time");
    }

    /// The lifecycle's "end passed, never seen": a no-show at the end of its schedule and not before, whose credential is
    /// dead, of which the guest hears nothing and the phones do.
    #[test]
    fn a_visitor_who_never_came_is_a_no_show() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (id, mut replica) = world.created(&mut ada, "ada", &[]);
        ada.pull(&mut world);
        at(&mut world, "2027-02-10T08:59:59Z");
        assert_eq!((tick(&mut world), world.visit(id).status()), (0, Status::Upcoming));
        at(&mut world, "2027-02-10T09:00:00Z");
        assert_eq!((tick(&mut world), world.visit(id).status()), (1, Status::NoShow));
        assert_eq!(world.facts(id)[3..], ["no_show", "voided"]);
        assert_eq!(tick(&mut world), 0, "once");
        let rows = ada.pull(&mut world);
        assert_eq!(rows.iter().filter(|row| RowKind::from(row.kind) == RowKind::Decision).count(), 2);
        let edit = ada.edit(&mut replica, &[Write::set(Key::Company, "Navy")]);
        assert!(!is_accepted(&world.push(&mut ada, vec![edit])), "it is over: invite again");
        let mut rosa = world.enrol("rosa");
        let late = rosa.ask(&world.visit(id), Ask::CheckIn);
        assert!(is_accepted(&world.push(&mut rosa, vec![late])));
        assert_eq!(world.visit(id).status(), Status::OnSite, "a late arrival wins");
    }

    /// S2.14: what nobody decided in time has expired, whatever its schedule, and can be approved no more.
    #[test]
    fn what_was_not_decided_in_time_expires() {
        for schedule in ["2027-02-10T09:00/2027-02-10T10:00", "2027-02-10T06:00"] {
            let mut world = World::new();
            let mut ada = world.enrol("ada");
            let contractor = [Write::set(Key::Type, "contractor"), Write::set(Key::Schedule, schedule)];
            let (id, _) = world.created(&mut ada, "ada", &contractor);
            at(&mut world, "2027-02-10T09:00:00Z");
            let late = world.approve(id, "priya", None);
            assert!(matches!(late, Err(DecideError::Refused(refusal)) if refusal.code == "over"), "{schedule}");
            assert_eq!((tick(&mut world), world.visit(id).status()), (1, Status::Expired));
            assert_eq!(world.facts(id), ["accepted", "expired"]);
        }
    }

    /// S4.11: without a schedule it is the organisation's days that run out: with the credential, and where there is
    /// none, as long after the last word.
    #[test]
    fn an_unscheduled_invitation_expires() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (guest, _) = world.created(&mut ada, "ada", &[Write::clear(Key::Schedule)]);
        let contractor = [Write::clear(Key::Schedule), Write::set(Key::Type, "contractor")];
        let (waiting, _) = world.created(&mut ada, "ada", &contractor);
        at(&mut world, "2027-03-03T17:59:59Z");
        assert_eq!(tick(&mut world), 0);
        world.later(TimeDelta::seconds(1));
        assert_eq!(tick(&mut world), 2, "30 days on, when the site closes");
        assert_eq!([world.visit(guest).status(), world.visit(waiting).status()], [Status::Expired; 2]);
    }

    /// A new schedule gives the visit its time anew; who came, or was rejected, is no no-show.
    #[test]
    fn only_those_who_are_waited_for_run_out() {
        let mut world = World::new();
        let (mut ada, mut rosa) = (world.enrol("ada"), world.enrol("rosa"));
        let (moved, mut replica) = world.created(&mut ada, "ada", &[]);
        let later = ada.edit(&mut replica, &[Write::set(Key::Schedule, "2027-02-20T09:00/2027-02-20T10:00")]);
        assert!(is_accepted(&world.push(&mut ada, vec![later])));
        let (came, _) = world.created(&mut ada, "ada", &[]);
        let arrival = rosa.ask(&world.visit(came), Ask::CheckIn);
        assert!(is_accepted(&world.push(&mut rosa, vec![arrival])));
        let (rejected, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
        world.reject(rejected, "priya", false).expect("rejected");
        at(&mut world, "2027-02-10T12:00:00Z");
        assert_eq!(tick(&mut world), 0);
        let all = [came, rejected, moved].map(|id| world.visit(id).status());
        assert_eq!(all, [Status::OnSite, Status::Rejected, Status::Upcoming]);
    }

    /// A visit stored before the hub kept this time is given one, and ends by it.
    #[test]
    fn an_old_row_is_given_its_time() {
        let mut world = World::new();
        let mut ada = world.enrol("ada");
        let (id, _) = world.created(&mut ada, "ada", &[]);
        world.write::<_, StoreError>(|tx, _, _| Ok(tx.execute("UPDATE visit SET due = 0", [])?)).expect("written");
        assert_eq!((tick(&mut world), world.visit(id).status()), (0, Status::Upcoming));
        at(&mut world, "2027-02-10T09:00:00Z");
        assert_eq!((tick(&mut world), world.visit(id).status()), (1, Status::NoShow));
    }
}
