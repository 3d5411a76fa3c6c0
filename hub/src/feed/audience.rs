//! Who is told of what: the scopes a visit is in, and what is appended to them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::decision::LoggedDecision;
use vestibule_core::directory::DirectoryRow;
use vestibule_core::feed::{NoteRow, RowKind, Scope, SnapshotRow};
use vestibule_core::id::OrganisationId;

use super::window::is_within;
use crate::moment::Moment;
use crate::store::feed::NewRow;
use crate::store::visits::ChangeRecord;
use crate::store::{StoreError, feed, log, notes, organisations, visits};
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

impl News<'_> {
    /// Nothing: only time has passed, or somebody's roles have changed.
    pub const NOTHING: Self = Self { change: None, rebased: false, decisions: &[] };
}

/// The scopes a visit belongs to now: its host's and its creator's; while it is expected about these days its site's; and
/// its site's approvers', all or of its type, once it needs a decision. Those of a site only where somebody holds them.
fn audience(tx: &Transaction<'_>, now: DateTime<Utc>, visit: &AcceptedVisit) -> Result<BTreeSet<Scope>, StoreError> {
    let organisation = &visit.organisation;
    let mut scopes = BTreeSet::from([Scope::Visits(visit.host.clone()), Scope::Visits(visit.creator.clone())]);
    let reception = Scope::Site(visit.site.clone());
    if feed::is_open(tx, organisation, &reception)?
        && let Some(site) = organisations::site(tx, organisation, &visit.site)?
        && is_within(visits::days(tx, organisation, visit.id)?, &site, now)
    {
        scopes.insert(reception);
    }
    if visit.is_for_approvers() {
        let kind = visit.values.visitor_type.clone();
        let of_type = kind.map(|kind| Scope::TypeApprovals(visit.site.clone(), kind));
        for scope in [Some(Scope::Approvals(visit.site.clone())), of_type].into_iter().flatten() {
            if feed::is_open(tx, organisation, &scope)? {
                scopes.insert(scope);
            }
        }
    }
    Ok(scopes)
}

/// The scopes the notes on a visit belong to: its creator's, whoever is the host now; its site's; and those of the
/// approvers who are bound to its type, once it needs a decision.
fn readers(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<BTreeSet<Scope>, StoreError> {
    let mut scopes = BTreeSet::from([Scope::MemberNotes(visit.creator.clone())]);
    let kind = visit.values.visitor_type.clone().filter(|_| visit.is_for_approvers());
    let of_type = kind.map(|kind| Scope::TypeNotes(visit.site.clone(), kind));
    for scope in [Some(Scope::SiteNotes(visit.site.clone())), of_type].into_iter().flatten() {
        if feed::is_open(tx, &visit.organisation, &scope)? {
            scopes.insert(scope);
        }
    }
    Ok(scopes)
}

/// Appends what is new to every scope the visit is in. A scope it enters gets it from the beginning (on a fresh base
/// that is a snapshot without earlier values); in a scope it leaves, nothing follows the leave. Its notes go with it.
pub fn publish(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &AcceptedVisit,
    news: &News<'_>,
) -> Result<(), StoreError> {
    let before = visits::scopes(tx, &visit.organisation, visit.id)?;
    let mut after = audience(tx, moment.now, visit)?;
    // A visit is in scopes of notes from its first note on.
    if before.iter().any(Scope::is_of_notes) {
        after.extend(readers(tx, visit)?);
    }
    for scope in before.difference(&after) {
        append(tx, moment, visit, scope, vec![(RowKind::Leave, Vec::new())])?;
        visits::leave(tx, &visit.organisation, visit.id, scope)?;
    }
    for scope in before.intersection(&after).filter(|scope| !scope.is_of_notes()) {
        append(tx, moment, visit, scope, followed(tx, visit, news)?)?;
    }
    // Read once: a new visit enters several scopes, and is the most frequent news there is.
    let mut whole: Option<Told> = None;
    for scope in after.difference(&before) {
        visits::enter(tx, &visit.organisation, visit.id, scope)?;
        let told = match &whole {
            _ if scope.is_of_notes() => noted(tx, visit)?,
            Some(told) => told.clone(),
            None => whole.insert(entered(tx, visit)?).clone(),
        };
        append(tx, moment, visit, scope, told)?;
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

/// What a scope of notes is told that the visit enters.
fn noted(tx: &Transaction<'_>, visit: &AcceptedVisit) -> Result<Told, StoreError> {
    let notes = notes::of_visit(tx, &visit.organisation, visit.id)?;
    Ok(notes.iter().map(|note| (RowKind::Note, cbor::write(note))).collect())
}

/// Appends a note, which is stored already, to the scopes of those who may read it.
pub fn publish_note(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    visit: &AcceptedVisit,
    note: &NoteRow,
) -> Result<(), StoreError> {
    let before = visits::scopes(tx, &visit.organisation, visit.id)?;
    for scope in readers(tx, visit)? {
        let told = if before.contains(&scope) {
            vec![(RowKind::Note, cbor::write(note))]
        } else {
            visits::enter(tx, &visit.organisation, visit.id, &scope)?;
            noted(tx, visit)?
        };
        append(tx, moment, visit, &scope, told)?;
    }
    Ok(())
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
