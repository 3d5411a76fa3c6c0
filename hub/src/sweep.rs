//! Visits whose window has passed: no show, or expired. Called every minute or so; each call does a bounded amount.

use rusqlite::Transaction;
use vestibule_core::id::VisitId;
use vestibule_core::visit::Status;

use crate::context::Context;
use crate::lifecycle;
use crate::moment::Moment;
use crate::record::{Event, RecordError, record};
use crate::store::apart::apart;
use crate::store::{effects, visits};

/// At most this many visits in one transaction, so that a morning's phones do not wait for a night's visits.
const BATCH: u32 = 200;

/// The name of a visit's end among what could not be done.
pub const RUN_OUT: &str = "run_out";

/// Ends the visits of an organisation whose window has passed; how many. There may be more if it was 200. One that cannot
/// be ended leaves the line, so that it blocks no other, and stands among what is undone.
pub fn sweep(tx: &Transaction<'_>, context: &Context, moment: &mut Moment<'_>) -> Result<usize, RecordError> {
    let organisation = &context.organisation;
    let passed = visits::window_passed(tx, organisation, moment.unix(), BATCH)?;
    for id in &passed {
        if let Err(code) = apart(tx, || run_out(tx, context, moment, *id))? {
            visits::forget_window(tx, organisation, *id)?;
            effects::note(tx, organisation, *id, (RUN_OUT, None), code, moment.now)?;
        }
    }
    Ok(passed.len())
}

/// Ends a visit whose window has passed.
pub fn run_out(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    id: VisitId,
) -> Result<(), RecordError> {
    let Some(mut loaded) = visits::load(tx, &context.organisation, id)? else { return Ok(()) };
    if !matches!(loaded.visit.status(), Status::Pending | Status::Upcoming) {
        return Ok(visits::forget_window(tx, &context.organisation, id)?);
    }
    let outcome = lifecycle::window_passed(&loaded.visit);
    record(tx, context, moment, &mut loaded.visit, Event { outcome, ..Event::default() })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use vestibule_core::decision::CredentialState;
    use vestibule_core::document::Write;
    use vestibule_core::envelope::Ask;
    use vestibule_core::visit::{Key, Status};

    use super::sweep;
    use crate::judge::tests::{World, is_accepted};

    /// Who never came is a no show, what was never approved has expired; nobody is told, nothing lives on, and a late
    /// offline check-in still makes it an arrival.
    #[test]
    fn visits_end_with_their_window() {
        let mut world = World::new();
        let (mut ada, mut rosa) = (world.enrol("ada"), world.enrol("rosa"));
        let (missed, _) = world.created(&mut ada, "ada", &[]);
        let (pending, _) = world.created(&mut ada, "ada", &[Write::set(Key::Type, "contractor")]);
        let (open, _) = world.created(&mut ada, "ada", &[Write::clear(Key::Schedule)]);
        let arrival = rosa.ask(&world.visit(missed), Ask::CheckIn);
        let ended = |world: &mut World| world.write(sweep).expect("swept");
        world.later(TimeDelta::days(9));
        assert_eq!(ended(&mut world), 0, "the day before");
        world.later(TimeDelta::days(1));
        assert_eq!(ended(&mut world), 2);
        assert_eq!(ended(&mut world), 0, "once");
        let no_show = world.visit(missed);
        assert_eq!((no_show.status(), no_show.standing.credential), (Status::NoShow, CredentialState::Void));
        assert_eq!(world.visit(pending).status(), Status::Expired);
        assert_eq!(world.visit(open).status(), Status::Upcoming);
        assert!(is_accepted(&world.push(&mut rosa, vec![arrival])));
        assert_eq!(world.visit(missed).status(), Status::OnSite);
        world.later(TimeDelta::days(40));
        assert_eq!(ended(&mut world), 1);
        assert_eq!(world.visit(open).status(), Status::Expired);
    }
}
