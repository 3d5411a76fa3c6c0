//! What a mail server said of a mail, written down: in the outbox, in the visit's log, and to whom it concerns.
//!
//! The guest counts as told when a server has the mail, and not before. A mail that was put off is tried again after a
//! while of its own; one that is late, refused or given up stands in the visit's log with the reason, so that the host's
//! phone shows it; and where nobody who could approve a visit can be told of it, the host is. A mail that turns out not to
//! be needed any more (the visit was cancelled, rejected or edited while a server made up its mind) is taken back.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use vestibule_core::decision::{APPROVERS_NOT_TOLD, Approval, CredentialState, Fact, Told};
use vestibule_core::guest_mail::Undelivered;
use vestibule_core::id::OrganisationId;

use crate::context::Context;
use crate::delivery::sender::{Reach, TransportError};
use crate::effect::Effect;
use crate::lifecycle::Outcome;
use crate::moment::Moment;
use crate::record::{Event, RecordError, record};
use crate::store::outbox::{self, Attempt, ClaimedMail, ListedMail};
use crate::store::{deliveries, visits};
use crate::visit::AcceptedVisit;

/// How long to wait after the first, second, … time a mail was put off; the last one from then on.
const WAITS: [TimeDelta; 7] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(15),
    TimeDelta::hours(1),
    TimeDelta::hours(2),
    TimeDelta::hours(4),
    TimeDelta::hours(6),
];

/// How often a mail is put off before it is given up: for about four days, as RFC 5321 (4.5.4.1) advises.
pub const MAX_DEFERRALS: u32 = 20;

/// The same waits while it is the server that fails, which says nothing of the mail: other mails try the server meanwhile.
const SERVER_WAITS: [TimeDelta; 4] =
    [TimeDelta::seconds(5), TimeDelta::seconds(15), TimeDelta::seconds(30), TimeDelta::minutes(1)];

/// From when on a mail counts as late: past what grey-listing usually takes.
const LATE: TimeDelta = TimeDelta::minutes(20);

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// A server has it.
    Sent,
    /// It is tried again.
    Later {
        /// When.
        at: DateTime<Utc>,
    },
    /// It is not tried again by itself.
    Failed,
    /// It is not needed any more.
    Withdrawn,
}

/// Writes down what was said of a mail.
pub fn note(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    mail: &ClaimedMail,
    said: Result<(), TransportError>,
) -> Result<Noted, RecordError> {
    let loaded = visits::load(tx, &context.organisation, mail.visit)?;
    let mut visit = loaded.map(|loaded| loaded.visit);
    let (noted, outcome) = match said {
        Ok(()) => {
            outbox::set_sent(tx, &mail.id, moment.now)?;
            let told = told(tx, context, mail)?.map(Fact::GuestTold);
            (Noted::Sent, Outcome { facts: told.into_iter().collect(), effects: Vec::new() })
        }
        Err(error) => match take_back(tx, context, moment.now, mail, visit.as_ref(), error)? {
            Some(outcome) => (Noted::Withdrawn, outcome),
            None => put_off(tx, context, moment.now, mail, visit.as_ref(), error)?,
        },
    };
    if let Some(visit) = visit.as_mut().filter(|_| outcome != Outcome::default()) {
        record(tx, context, moment, visit, Event { outcome, ..Event::default() })?;
    }
    Ok(noted)
}

/// What a mail to a guest says, as far as its visit's log tells of it: access that went out to an address which was
/// corrected meanwhile, or for a visit that was cancelled, is spoken of by the mail that ends it.
fn told(tx: &Transaction<'_>, context: &Context, mail: &ClaimedMail) -> Result<Option<Told>, RecordError> {
    let Some(what) = what(&mail.kind) else { return Ok(None) };
    let is_access = matches!(what, Told::Invitation | Told::Change);
    Ok(if is_access && !is_live(tx, context, mail)? { None } else { Some(what) })
}

/// By the kind of a mail to a guest.
fn what(kind: &str) -> Option<Told> {
    match kind {
        "invitation" => Some(Told::Invitation),
        "changed" => Some(Told::Change),
        "cancellation" => Some(Told::Cancellation),
        "ended" => Some(Told::End),
        _ => None,
    }
}

fn is_live(tx: &Transaction<'_>, context: &Context, mail: &ClaimedMail) -> Result<bool, RecordError> {
    let live = deliveries::live(tx, &context.organisation, mail.visit)?;
    Ok(live.is_some_and(|live| Some(live.id) == mail.delivery))
}

/// Takes a mail back that certainly reached nobody and gives access no more, since something happened while a server made
/// up its mind; and what was to follow it. `None` if it is still to be sent.
fn take_back(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    mail: &ClaimedMail,
    visit: Option<&AcceptedVisit>,
    error: TransportError,
) -> Result<Option<Outcome>, RecordError> {
    let (Some(delivery), Some(visit)) = (mail.delivery, visit) else { return Ok(None) };
    let is_access = matches!(what(&mail.kind), Some(Told::Invitation | Told::Change));
    if !is_access || mail.uncertain || error.reach == Reach::Uncertain {
        return Ok(None);
    }
    let opens = matches!(visit.standing.credential, CredentialState::Live | CredentialState::Suspended);
    let has_newer = outbox::has_newer(tx, &delivery, mail.number)?;
    let is_live = is_live(tx, context, mail)?;
    if is_live && opens && !has_newer {
        return Ok(None);
    }
    outbox::set_withdrawn(tx, &mail.id, now)?;
    deliveries::subtract_mails(tx, &delivery, 1)?;
    let mut outcome = Outcome::default();
    let is_told = deliveries::mails(tx, &delivery)? > outbox::unseen(tx, &delivery)?;
    if is_told || !has_newer {
        return Ok(Some(outcome));
    }
    // Nobody was told of what the mails that follow it speak of.
    if is_live {
        outcome.effects.push(Effect::Update);
    } else {
        outbox::withdraw(tx, &delivery, now)?;
        if visit.values.cancelled || visit.values.deleted {
            outcome.facts.push(undelivered(Told::Cancellation, Undelivered::Withdrawn, error));
        }
    }
    Ok(Some(outcome))
}

/// It is tried again later, or fails.
fn put_off(
    tx: &Transaction<'_>,
    context: &Context,
    now: DateTime<Utc>,
    mail: &ClaimedMail,
    visit: Option<&AcceptedVisit>,
    error: TransportError,
) -> Result<(Noted, Outcome), RecordError> {
    let what = told(tx, context, mail)?;
    let is_own = error.reach != Reach::Server;
    let mut attempt = Attempt {
        class: error.class.as_str(),
        code: error.code,
        uncertain: error.reach == Reach::Uncertain,
        is_own,
        reported_late: false,
    };
    let how = match error.reach {
        Reach::Final => Some(Undelivered::Refused),
        _ if is_own && mail.deferrals + 1 >= MAX_DEFERRALS => Some(Undelivered::GivenUp),
        _ => None,
    };
    let mut outcome = Outcome::default();
    if let Some(how) = how {
        outbox::set_failed(tx, &mail.id, now, attempt)?;
        outcome.facts.extend(what.map(|what| undelivered(what, how, error)));
        if what.is_some_and(|what| what != Told::End) {
            let code = if how == Undelivered::Refused { "mail_refused" } else { "mail_given_up" };
            outcome.effects.push(Effect::TellHostAlert { code });
        }
        if mail.kind == "pending" && is_unheard(tx, &context.organisation, mail, visit)? {
            outcome.facts.push(Fact::Alert(APPROVERS_NOT_TOLD.to_owned()));
            outcome.effects.push(Effect::TellHostAlert { code: APPROVERS_NOT_TOLD });
        }
        return Ok((Noted::Failed, outcome));
    }
    let waited = if is_own { nth(&WAITS, mail.deferrals) } else { nth(&SERVER_WAITS, mail.attempts) };
    let at = now + waited;
    if !mail.reported_late && now.timestamp() - mail.slot >= LATE.num_seconds() {
        attempt.reported_late = true;
        outcome.facts.extend(what.map(|what| undelivered(what, Undelivered::Delayed, error)));
    }
    outbox::set_later(tx, &mail.id, at, attempt)?;
    Ok((Noted::Later { at }, outcome))
}

fn nth(waits: &[TimeDelta], times: u32) -> TimeDelta {
    waits[waits.len().min(times as usize + 1) - 1]
}

fn undelivered(what: Told, how: Undelivered, error: TransportError) -> Fact {
    Fact::MailUndelivered { what, how, class: error.class.as_str().to_owned(), code: error.code }
}

/// Whether a visit waits for an approval and no mail that asks for it was taken, or still may be.
fn is_unheard(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    mail: &ClaimedMail,
    visit: Option<&AcceptedVisit>,
) -> Result<bool, RecordError> {
    let waits = visit.is_some_and(|visit| visit.standing.approval == Approval::Pending && !visit.is_over());
    Ok(waits && !outbox::is_told_or_to_be(tx, organisation, mail.visit, &mail.kind)?)
}

/// Has a mail that failed, or that waits, sent now; false if its bytes are gone, because it was sent or is of no use any
/// more.
pub fn retry(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    mail: &ListedMail,
) -> Result<bool, RecordError> {
    if mail.sealed.is_none() || mail.state == "sending" {
        return Ok(false);
    }
    outbox::retry(tx, &mail.id, moment.now)?;
    if let Some(what) = what(&mail.kind)
        && let Some(mut loaded) = visits::load(tx, &context.organisation, mail.visit)?
    {
        let outcome = Outcome { facts: vec![Fact::MailQueued { what, held_until: None }], effects: Vec::new() };
        record(tx, context, moment, &mut loaded.visit, Event { outcome, ..Event::default() })?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
