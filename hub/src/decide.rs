//! The security decision, by a phone's request, a page or the `admin` command: approve, reject, re-open.
//!
//! A decision names what its maker saw: the heads of the document and the last entry of the log ([`Seen`]). It is
//! compared and set: whoever decides on a state that has moved on is told so, and an old approval cannot be replayed
//! after a re-open. Of two decisions on the same state a rejection stands.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::decision::{Approval, Decision, Fact, Presence};
use vestibule_core::id::{ChainHash, ChangeHash, MemberId, OrganisationId, SiteId, VisitId};
use vestibule_core::receipt::Refusal;
use vestibule_core::schedule::CivilTime;
use vestibule_core::text::{first_refused, is_blank};
use vestibule_core::visit::Status;
use vestibule_core::visit::validate::NOTE_MAX_CHARS;

use crate::context::Context;
use crate::credential::Window;
use crate::judge::refusal::{may_not_decide, over, refused, refused_field};
use crate::lifecycle::{self, Decided};
use crate::moment::Moment;
use crate::record::{Event, RecordError, invitation, record};
use crate::store::members::MemberRecord;
use crate::store::visits::{self, LoadedVisit};
use crate::store::{StoreError, log, members};
use crate::visit::AcceptedVisit;

/// The state a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The accepted heads of the document, ascending.
    pub heads: Vec<ChangeHash>,
    /// The hash of the last entry of the log.
    pub entry: ChainHash,
}

impl Seen {
    /// The state a visit is in.
    pub fn of(visit: &AcceptedVisit) -> Self {
        Self { heads: visit.heads.clone(), entry: visit.log_head }
    }
}

/// A decision was not taken; completes "failed to decide: …".
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The database failed, or an effect could not be carried out.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// There is no such visit in this organisation.
    #[error("there is no such visit")]
    NoVisit,
    /// There is no such active member in this organisation.
    #[error("there is no such member, or they may not act any more")]
    NoMember,
    /// It may not be decided so, or not by this member, or not any more.
    #[error("{}", .0.message)]
    Refused(Refusal),
}

impl From<StoreError> for DecideError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl From<rusqlite::Error> for DecideError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}

/// Approves a visit exactly as it was seen; as it is now, where nothing was shown before (the `admin` command).
pub fn approve(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: VisitId,
    as_member: &MemberId,
    seen: Option<&Seen>,
) -> Result<AcceptedVisit, DecideError> {
    decide(tx, context, moment, visit, as_member, seen, |visit| Decided::Approved { heads: visit.heads.clone() })
}

/// Rejects a visit, for good (`final`) or to be changed and invited again.
#[expect(clippy::too_many_arguments, reason = "the surroundings, and what a page's form sends")]
pub fn reject(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: VisitId,
    as_member: &MemberId,
    reason: Option<String>,
    r#final: bool,
    seen: Option<&Seen>,
) -> Result<AcceptedVisit, DecideError> {
    if let Some(text) = &reason
        && (text.chars().count() > NOTE_MAX_CHARS || first_refused(text, true).is_some() || is_blank(text))
    {
        let message = "is empty, has more than 2,000 characters, or one that is not allowed";
        return Err(DecideError::Refused(refused_field("malformed", message, "reason")));
    }
    decide(tx, context, moment, visit, as_member, seen, |_| Decided::Rejected { reason, r#final })
}

/// Puts an approved visit back to Pending (S2.21).
pub fn reopen(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: VisitId,
    as_member: &MemberId,
    seen: Option<&Seen>,
) -> Result<AcceptedVisit, DecideError> {
    decide(tx, context, moment, visit, as_member, seen, |_| Decided::Reopened)
}

fn decide(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    visit: VisitId,
    as_member: &MemberId,
    seen: Option<&Seen>,
    decision: impl FnOnce(&AcceptedVisit) -> Decided,
) -> Result<AcceptedVisit, DecideError> {
    let organisation = &context.organisation;
    let member = members::get(tx, organisation, as_member)?.filter(|member| member.active);
    let member = member.ok_or(DecideError::NoMember)?;
    let LoadedVisit { mut visit, .. } = visits::load(tx, organisation, visit)?.ok_or(DecideError::NoVisit)?;
    let decided = decision(&visit);
    let seen = seen.cloned().unwrap_or_else(|| Seen::of(&visit));
    check(tx, moment.now, &visit, &member, &decided, &seen)?.map_err(DecideError::Refused)?;
    let outcome = lifecycle::decided(&visit, decided);
    record(tx, context, moment, &mut visit, Event { by: Some(as_member), outcome, ..Event::default() })?;
    Ok(visit)
}

/// Whether a member may decide so about a visit, and saw it as it is. The inner error is the refusal.
pub(crate) fn check(
    tx: &Transaction<'_>,
    now: DateTime<Utc>,
    visit: &AcceptedVisit,
    member: &MemberRecord,
    decided: &Decided,
    seen: &Seen,
) -> Result<Result<(), Refusal>, StoreError> {
    if !member.may_decide(&visit.site, visit.values.visitor_type.as_ref()) {
        return Ok(Err(may_not_decide()));
    }
    if seen.heads != visit.heads || !saw_enough(tx, visit, decided, &seen.entry)? {
        return Ok(Err(refused("moved_on", "the visit has changed since it was shown; look at it again")));
    }
    if visit.is_over() {
        return Ok(Err(over()));
    }
    let refusal = match (decided, &visit.standing.approval) {
        (Decided::Approved { .. }, Approval::Pending | Approval::Rejected { .. }) => {
            window_passed(tx, visit, now)?.then(over)
        }
        (Decided::Approved { .. }, _) => Some(refused("not_pending", "the visit waits for no approval")),
        (Decided::Rejected { .. }, Approval::Rejected { .. }) => {
            Some(refused("rejected", "the visit is rejected already"))
        }
        (Decided::Reopened, _) if visit.standing.presence == Presence::OnSite => {
            Some(refused("on_site", "the visitor is on site"))
        }
        (Decided::Rejected { .. }, _) | (Decided::Reopened, Approval::Approved) => None,
        (Decided::Reopened, _) => Some(refused("not_approved", "only an approved visit can be re-opened")),
    };
    Ok(refusal.map_or(Ok(()), Err))
}

/// Whether the last entry its maker saw is the last there is, apart from such as decide nothing. A rejection also stands against an approval that was made
/// of the same state, and what came of that approval: of two concurrent decisions the rejection wins.
fn saw_enough(
    tx: &Transaction<'_>,
    visit: &AcceptedVisit,
    decided: &Decided,
    entry: &ChainHash,
) -> Result<bool, StoreError> {
    if *entry == visit.log_head {
        return Ok(true);
    }
    let entries = log::entries(tx, &visit.organisation, visit.id)?;
    let Some(at) = entries.iter().position(|logged| logged.hash() == *entry) else { return Ok(false) };
    for logged in &entries[at + 1..] {
        let decision: Decision =
            cbor::read(&logged.payload, "decision").map_err(|_| StoreError::Corrupt("decision"))?;
        let follows_approval =
            matches!(decision.fact, Fact::Approved { .. } | Fact::Minted { .. } | Fact::Revived | Fact::Voided);
        let is_rejection = matches!(decided, Decided::Rejected { .. });
        if !(decision.fact.decides_nothing() || is_rejection && follows_approval) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the end of the visit has passed: nobody can be let in for it any more.
fn window_passed(tx: &Transaction<'_>, visit: &AcceptedVisit, now: DateTime<Utc>) -> Result<bool, StoreError> {
    if visit.values.schedule.is_none() {
        return Ok(false);
    }
    let invitation = invitation(tx, visit)?;
    Ok(Window::of(&invitation, visit.accepted()).is_some_and(|window| window.expires <= now))
}

/// A visit in a list of the administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVisit {
    /// Its id.
    pub id: VisitId,
    /// Its integer.
    pub number: u64,
    /// Where it stands.
    pub status: Status,
    /// The visitor's name as typed.
    pub name: String,
    /// The host.
    pub host: MemberId,
    /// The site.
    pub site: SiteId,
    /// When it begins, on the site's clock.
    pub start: Option<CivilTime>,
}

impl From<&AcceptedVisit> for ListedVisit {
    fn from(visit: &AcceptedVisit) -> Self {
        Self {
            id: visit.id,
            number: visit.number,
            status: visit.status(),
            name: visit.name(),
            host: visit.host.clone(),
            site: visit.site.clone(),
            start: visit.values.schedule.map(|schedule| schedule.start()),
        }
    }
}

/// The visits of an organisation, by number; only those of a status, if one is given (S2.17).
pub fn list(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    status: Option<Status>,
) -> Result<Vec<ListedVisit>, StoreError> {
    let mut listed = Vec::new();
    for id in visits::ids(tx, organisation)? {
        let Some(loaded) = visits::load(tx, organisation, id)? else { continue };
        if status.is_none_or(|wanted| loaded.visit.status() == wanted) {
            listed.push(ListedVisit::from(&loaded.visit));
        }
    }
    Ok(listed)
}

/// One visit as it is, to show before it is decided about.
pub fn show(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<AcceptedVisit>, StoreError> {
    Ok(visits::load(tx, organisation, visit)?.map(|loaded| loaded.visit))
}
