//! Recording what happened to a visit: facts to its log, effects carried out, rows to the feed, in one transaction.
//!
//! [`crate::judge`] and [`crate::decide`] decide, [`crate::lifecycle`] says what follows; here it is written: the facts
//! first, then each effect in turn with the facts that come of it, then the visit's row, then everything new to the
//! scopes the visit is in. Nothing outside sees a part of it.
//!
//! An effect that fails is that visit's trouble and no reason to turn anything else away: nothing of it stays, the log and
//! [`effects`] say that it is undone, and [`crate::undone`] tries it again. Only where the database itself fails is
//! nothing recorded at all.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use vestibule_core::decision::{Decision, Fact, LoggedDecision};
use vestibule_core::fault;
use vestibule_core::id::{ChainHash, MemberId, RequestId};
use vestibule_core::visit::Status;

use crate::context::Context;
use crate::credential::Window;
use crate::delivery::{self, DeliveryError, Invitation};
use crate::effect::Effect;
use crate::feed::{self, News};
use crate::lifecycle::Outcome;
use crate::moment::Moment;
use crate::store::apart::{Trouble, apart, reading};
use crate::store::effects::Undone;
use crate::store::visits::ChangeRecord;
use crate::store::{StoreError, effects, log, members, organisations, visits};
use crate::visit::AcceptedVisit;

/// How long a visitor is expected whose visit's window cannot be read, in seconds: sixty days.
const UNKNOWN_WINDOW: i64 = 60 * 86_400;

/// Something could not be recorded, and nothing of it was; completes "failed to record a decision: …".
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An effect could not be carried out.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
}

impl Trouble for RecordError {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Store(error) => error.code(),
            Self::Delivery(error) => error.code(),
        }
    }
}

impl From<rusqlite::Error> for RecordError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Something that happened to a visit, decided but not yet written.
#[derive(Debug, Default)]
pub struct Event<'a> {
    /// The member who decided or wrote; none for the hub itself.
    pub by: Option<&'a MemberId>,
    /// The request that asked for it.
    pub request: Option<RequestId>,
    /// What follows.
    pub outcome: Outcome,
    /// The accepted change that brought it, already stored.
    pub change: Option<&'a ChangeRecord>,
    /// Whether the document has a fresh base, which everybody gets in place of what they hold.
    pub rebased: bool,
}

/// Records an event; `visit` has the new values and heads, and is brought up to date with the log.
pub fn record(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: &mut AcceptedVisit,
    event: Event<'_>,
) -> Result<(), RecordError> {
    let mut logged = Vec::new();
    for fact in event.outcome.facts {
        let decision = Decision { fact, by: event.by.cloned(), request: event.request };
        logged.push(append(tx, moment, visit, &decision)?);
    }
    let invitation = reading(|| invitation(tx, visit))?;
    carry_out(tx, context, moment, visit, invitation.as_ref(), &event.outcome.effects, &mut logged)?;
    visits::update(tx, visit, window_ends(visit, invitation.as_ref().ok()))?;
    feed::publish(tx, moment, visit, &News { change: event.change, rebased: event.rebased, decisions: &logged })?;
    Ok(())
}

/// Carries effects out one by one, and notes what could not be done and what need not be done any more.
fn carry_out(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: &mut AcceptedVisit,
    invitation: Result<&Invitation, &&'static str>,
    effects: &[Effect],
    logged: &mut Vec<LoggedDecision>,
) -> Result<(), StoreError> {
    let organisation = &context.organisation;
    let undone = effects::of_visit(tx, organisation, visit.id)?;
    let (mut done, mut failed, mut settled) = (BTreeSet::new(), BTreeSet::new(), false);
    for effect in effects {
        let (name, detail) = effect.parts();
        let outcome = match invitation {
            Ok(invitation) => carried_out(tx, context, moment, invitation, effect)?,
            Err(code) => Err(*code),
        };
        let facts = match outcome {
            Ok(facts) => {
                done.insert(name);
                settled |= effect.settles();
                facts
            }
            Err(code) => {
                failed.insert(name);
                let secured = delivery::secure(tx, organisation, visit.id, effect, moment.now)?;
                let mut facts: Vec<Fact> = secured.into_iter().collect();
                if effects::note(tx, organisation, visit.id, (name, detail), code, moment.now)? {
                    facts.push(Fact::Undone { effect: name.to_owned(), code: Some(code.to_owned()) });
                }
                facts
            }
        };
        for fact in facts {
            logged.push(append(tx, moment, visit, &Decision { fact, by: None, request: None })?);
        }
    }
    for Undone { effect: name, detail, .. } in undone {
        // Of an effect this version does not know nothing can be said.
        let effect = Effect::from_parts(&name, detail.as_deref());
        let is_over = effect.is_some_and(|effect| !effect.applies(visit) || (settled && effect.settles()));
        if !failed.contains(name.as_str()) && (is_over || done.contains(name.as_str())) {
            effects::forget(tx, organisation, visit.id, &name)?;
            let fact = Fact::Undone { effect: name, code: None };
            logged.push(append(tx, moment, visit, &Decision { fact, by: None, request: None })?);
        }
    }
    Ok(())
}

/// Carries one effect out. The inner result is the code of its own failure, of which nothing is left.
fn carried_out(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    invitation: &Invitation,
    effect: &Effect,
) -> Result<Result<Vec<Fact>, &'static str>, StoreError> {
    let done = apart(tx, || {
        fault::effect(invitation.number)?;
        delivery::carry_out(tx, context, moment, invitation, effect)
    });
    done.map_err(|error| match error {
        DeliveryError::Store(error) => error,
        error => unreachable!("only the database's failures come out of `apart`: {error}"),
    })
}

/// Until when the visitor is expected; none for one who is not, or not any more. Of a visit whose surroundings cannot be
/// read it is the longest an invitation without a date may be good.
fn window_ends(visit: &AcceptedVisit, invitation: Option<&Invitation>) -> Option<i64> {
    matches!(visit.status(), Status::Pending | Status::Upcoming).then(|| match invitation {
        Some(invitation) => {
            Window::of(invitation, visit.accepted()).map_or(visit.accepted_at, |window| window.expires.timestamp())
        }
        None => visit.accepted_at.saturating_add(UNKNOWN_WINDOW),
    })
}

/// Writes one entry of the log, and moves the heads of the visit's and of the organisation's chain.
fn append(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &mut AcceptedVisit,
    decision: &Decision,
) -> Result<LoggedDecision, StoreError> {
    let number = visit.last_entry + 1;
    let at = moment.unix();
    let logged = LoggedDecision::next(visit.id, number, visit.log_head, at, decision, moment.random());
    log::append(tx, visit, number, at, &logged)?;
    visit.last_entry = number;
    visit.log_head = logged.hash();
    visit.fold(&decision.fact);
    let organisation =
        organisations::get(tx, &visit.organisation)?.ok_or(StoreError::Corrupt("visit's organisation"))?;
    let head = Sha256::new().chain_update(organisation.log_head.0).chain_update(visit.log_head.0).finalize();
    organisations::set_log_head(tx, &visit.organisation, &ChainHash(head.into()))?;
    Ok(logged)
}

/// The visit with the directory's rows it names: what mails, pages and passes say.
pub fn invitation(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<Invitation, StoreError> {
    let organisation = organisations::get(tx, &visit.organisation)?.ok_or(StoreError::Corrupt("organisation"))?;
    let site = organisations::site(tx, &visit.organisation, &visit.site)?.ok_or(StoreError::Corrupt("site"))?;
    let host = members::get(tx, &visit.organisation, &visit.host)?.ok_or(StoreError::Corrupt("host"))?;
    let space = match &visit.values.space {
        Some(id) => organisations::space(tx, &visit.organisation, id)?,
        None => None,
    };
    let visitor_type = match &visit.values.visitor_type {
        Some(id) => organisations::visitor_type(tx, &visit.organisation, id)?,
        None => None,
    };
    let (visitor_type, category_address) =
        visitor_type.map_or((None, None), |record| (Some(record.visitor_type), record.address));
    Ok(Invitation {
        visit: visit.id,
        number: visit.number,
        values: visit.values.clone(),
        organisation: organisation.organisation,
        site,
        space,
        visitor_type,
        host: host.member,
        security_address: organisation.security_address,
        category_address,
    })
}

/// The facts of a visit's log with who decided each, oldest first: its history.
pub fn history(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<Vec<(Fact, Option<MemberId>)>, StoreError> {
    let decisions = log::decisions(tx, &visit.organisation, visit.id)?;
    Ok(decisions.into_iter().map(|decision| (decision.fact, decision.by)).collect())
}
