//! Recording what happened to a visit: facts to its log, effects carried out, rows to the feed, in one transaction.
//!
//! [`crate::judge`] and [`crate::decide`] decide, [`crate::lifecycle`] says what follows; here it is written: the facts
//! first, then each effect in turn with the facts that come of it, then the visit's row, then everything new to the
//! scopes the visit is in. Nothing outside sees a part of it.

use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use vestibule_core::decision::{Decision, Fact, LoggedDecision};
use vestibule_core::id::{ChainHash, MemberId, RequestId};
use vestibule_core::visit::Status;

use crate::context::Context;
use crate::credential::Window;
use crate::delivery::{self, DeliveryError, Invitation};
use crate::feed::{self, News};
use crate::lifecycle::Outcome;
use crate::moment::Moment;
use crate::store::visits::ChangeRecord;
use crate::store::{StoreError, log, members, organisations, visits};
use crate::visit::AcceptedVisit;

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
    let invitation = invitation(tx, visit)?;
    for effect in &event.outcome.effects {
        for fact in delivery::carry_out(tx, context, moment, &invitation, effect)? {
            logged.push(append(tx, moment, visit, &Decision { fact, by: None, request: None })?);
        }
    }
    visits::update(tx, visit, window_ends(visit, &invitation))?;
    feed::publish(tx, moment, visit, &News { change: event.change, rebased: event.rebased, decisions: &logged })?;
    Ok(())
}

/// Until when the visitor is expected; none for one who is not, or not any more.
pub(crate) fn window_ends(visit: &AcceptedVisit, invitation: &Invitation) -> Option<i64> {
    matches!(visit.status(), Status::Pending | Status::Upcoming).then(|| {
        Window::of(invitation, visit.accepted()).map_or(visit.accepted_at, |window| window.expires.timestamp())
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
