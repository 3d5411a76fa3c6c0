//! Who is told of what: the scopes a visit is in, and what is appended to them.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::decision::{Approval, LoggedDecision};
use vestibule_core::directory::DirectoryRow;
use vestibule_core::feed::{NoteRow, RowKind, Scope, SnapshotRow};
use vestibule_core::id::OrganisationId;

use crate::moment::Moment;
use crate::store::feed::NewRow;
use crate::store::visits::ChangeRecord;
use crate::store::{StoreError, feed, log, visits};
use crate::visit::AcceptedVisit;

/// What is new about a visit.
#[derive(Debug)]
pub struct News<'a> {
    /// An accepted change.
    pub change: Option<&'a ChangeRecord>,
    /// Whether the document has a fresh base.
    pub rebased: bool,
    /// The new entries of its log.
    pub decisions: &'a [LoggedDecision],
}

/// The scopes a visit belongs to: its host's, its creator's, and its site's approvers' once it needs a decision.
pub fn audience(visit: &AcceptedVisit) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::from([Scope::Visits(visit.host.clone()), Scope::Visits(visit.creator.clone())]);
    if visit.standing.approval != Approval::NotNeeded {
        scopes.insert(Scope::Approvals(visit.site.clone()));
    }
    scopes
}

/// Appends what is new to every scope the visit is in. A scope it enters gets it from the beginning (on a fresh base
/// that is a snapshot without earlier values); in a scope it leaves, nothing follows the leave.
pub fn publish(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &AcceptedVisit,
    news: &News<'_>,
) -> Result<(), StoreError> {
    let (before, after) = (visits::scopes(tx, &visit.organisation, visit.id)?, audience(visit));
    for scope in before.difference(&after) {
        append(tx, moment, visit, scope, vec![(RowKind::Leave, Vec::new())])?;
        visits::leave(tx, &visit.organisation, visit.id, scope)?;
    }
    for scope in before.intersection(&after) {
        append(tx, moment, visit, scope, followed(tx, visit, news)?)?;
    }
    for scope in after.difference(&before) {
        visits::enter(tx, &visit.organisation, visit.id, scope)?;
        append(tx, moment, visit, scope, entered(tx, visit)?)?;
    }
    Ok(())
}

/// Kinds and payloads of the rows of one visit.
type Told = Vec<(RowKind, Vec<u8>)>;

/// What a scope is told that the visit stays in.
fn followed(tx: &Transaction<'_>, visit: &AcceptedVisit, news: &News<'_>) -> Result<Told, StoreError> {
    let mut told = Told::new();
    told.extend(news.change.map(|change| (RowKind::Change, cbor::write(&change.to_row()))));
    if news.rebased {
        told.push((RowKind::Snapshot, cbor::write(&snapshot(tx, visit)?)));
    }
    told.extend(news.decisions.iter().map(|decision| (RowKind::Decision, cbor::write(decision))));
    Ok(told)
}

/// What a scope is told that the visit enters: all of it.
fn entered(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<Told, StoreError> {
    let mut told = vec![(RowKind::Enter, Vec::new())];
    let document = snapshot(tx, visit)?;
    if document.base == 0 {
        told.extend(document.changes.iter().map(|change| (RowKind::Change, cbor::write(change))));
    } else {
        told.push((RowKind::Snapshot, cbor::write(&document)));
    }
    let decisions = log::entries(tx, &visit.organisation, visit.id)?;
    told.extend(decisions.iter().map(|decision| (RowKind::Decision, cbor::write(decision))));
    Ok(told)
}

/// Appends a note to the scope of its visit's creator.
pub fn publish_note(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &AcceptedVisit,
    note: &NoteRow,
) -> Result<(), StoreError> {
    append(tx, moment, visit, &Scope::Notes(visit.creator.clone()), vec![(RowKind::Note, cbor::write(note))])
}

/// Appends a row of the directory to a scope.
pub fn publish_row(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    row: &DirectoryRow,
) -> Result<(), StoreError> {
    let row = NewRow { id: row.id().as_bytes().to_vec(), kind: RowKind::Row, payload: row.to_bytes() };
    feed::append(tx, organisation, scope, vec![(row, moment.random())])
}

fn append(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &AcceptedVisit,
    scope: &Scope,
    told: Told,
) -> Result<(), StoreError> {
    let row = |(kind, payload)| (NewRow { id: visit.id.as_bytes().to_vec(), kind, payload }, moment.random());
    feed::append(tx, &visit.organisation, scope, told.into_iter().map(row).collect())
}

fn snapshot(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<SnapshotRow, StoreError> {
    let changes = visits::changes(tx, &visit.organisation, visit.id, visit.base)?;
    Ok(SnapshotRow { base: visit.base, changes: changes.iter().map(ChangeRecord::to_row).collect() })
}
