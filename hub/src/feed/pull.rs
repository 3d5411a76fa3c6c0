//! Answering a phone: the rows it has not seen, in signed pages, and one signed statement of where its scopes stand.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;
use rusqlite::Transaction;
use vestibule_core::feed::{Page, PageHeader, Scope, ScopeHead, Statement, digest};
use vestibule_core::id::{ChainHash, HubEpoch};
use vestibule_core::sync::wire::{FIRST_PAGE_BYTES, PAGE_BYTES, SyncRequest};

use super::{SyncProblem, held};
use crate::context::Context;
use crate::moment::Moment;
use crate::store::members::MemberRecord;
use crate::store::{StoreError, feed, organisations};

/// The pulled half of an answer.
#[derive(Debug)]
pub struct Pulled {
    /// The signed statement.
    pub statement: Vec<u8>,
    /// The pages.
    pub pages: Vec<Page>,
    /// How many rows wait beyond the pages.
    pub remaining: u64,
    /// The scopes of the phone, if they are not those it asked for.
    pub scopes: Option<Vec<Scope>>,
    /// A key set newer than the phone's.
    pub key_set: Option<Vec<u8>>,
}

/// Answers from where the phone stands. A phone names every scope it holds, also one it has no row of (index 0).
///
/// # Errors
/// [`SyncProblem::UnknownHead`] if the phone stands at a row of one of its scopes that this database does not have under
/// that head. A phone that knows another life of the database is answered by [`super::restored`].
pub fn pull(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &Moment<'_>,
    member: &MemberRecord,
    request: &SyncRequest,
) -> Result<Pulled, SyncProblem> {
    let organisation = &context.organisation;
    let record = organisations::get(tx, organisation)?.ok_or(SyncProblem::OtherOrganisation)?;
    let epoch = organisations::epoch(tx)?.ok_or(StoreError::Corrupt("epoch"))?;
    let key_set = organisations::key_set_version(tx, organisation)?;
    let scopes = held(tx, organisation, member)?;
    let stands = positions(tx, context, &scopes, request)?;

    let heads = scopes.iter().map(|scope| feed::head(tx, organisation, scope)).collect::<Result<Vec<_>, _>>()?;
    let answer = Answer { context, epoch, key_set, time: moment.unix() };
    let mut pages = Vec::new();
    let mut remaining = 0;
    let mut budget = if request.epoch.is_none() { FIRST_PAGE_BYTES } else { PAGE_BYTES };
    for head in &heads {
        let held = stands.get(&head.scope).cloned().unwrap_or_else(|| nothing_of(&head.scope));
        let waiting = head.index.saturating_sub(held.index);
        let mut given = 0;
        // The first page always has a row; after it, a scope waits for the next answer when the budget is spent.
        if waiting > 0
            && (pages.is_empty() || budget > 0)
            && let Some(rows) = feed::rows_after(tx, organisation, &head.scope, held.index, budget)?
        {
            budget = budget.saturating_sub(rows.rows.iter().map(|row| row.row.len()).sum());
            given = rows.last - held.index;
            pages.push(answer.page(&held, rows)?);
        }
        remaining += waiting - given;
    }
    let statement = Statement {
        organisation: organisation.clone(),
        epoch,
        time: answer.time,
        digest: digest(&heads),
        key_set,
        log: record.log_head,
    };
    let asked: BTreeSet<&Scope> = request.heads.iter().map(|head| &head.scope).collect();
    let newer = if request.key_set < key_set { organisations::current_key_set(tx, organisation)? } else { None };
    Ok(Pulled {
        statement: statement.sign(&context.keys.feed)?,
        pages,
        remaining,
        scopes: (asked != scopes.iter().collect()).then(|| scopes.into_iter().collect()),
        key_set: newer.map(|(_, bytes)| bytes),
    })
}

/// Where the phone stands in each of its scopes, if this database has been there.
fn positions(
    tx: &Transaction<'_>,
    context: &Context,
    scopes: &BTreeSet<Scope>,
    request: &SyncRequest,
) -> Result<BTreeMap<Scope, ScopeHead>, SyncProblem> {
    let stands_somewhere = request.heads.iter().any(|head| head.index > 0);
    if request.epoch.is_none() && stands_somewhere {
        return Err(SyncProblem::UnknownHead);
    }
    let mut stands = BTreeMap::new();
    // Of a scope that is not theirs the phone learns nothing, not even whether its head is known.
    for head in request.heads.iter().filter(|head| scopes.contains(&head.scope)) {
        if feed::head_at(tx, &context.organisation, &head.scope, head.index)? != Some(head.head) {
            return Err(SyncProblem::UnknownHead);
        }
        stands.insert(head.scope.clone(), head.clone());
    }
    Ok(stands)
}

fn nothing_of(scope: &Scope) -> ScopeHead {
    ScopeHead { scope: scope.clone(), index: 0, head: ChainHash::ORIGIN }
}

struct Answer<'a> {
    context: &'a Context,
    epoch: HubEpoch,
    key_set: u32,
    time: i64,
}

impl Answer<'_> {
    fn page(&self, held: &ScopeHead, rows: feed::Rows) -> Result<Page, SyncProblem> {
        let header = PageHeader {
            organisation: self.context.organisation.clone(),
            epoch: self.epoch,
            key_set: self.key_set,
            scope: held.scope.clone(),
            first: held.index + 1,
            last: rows.last,
            previous: held.head,
            head: rows.head,
            time: self.time,
        };
        Ok(Page { header: ByteVec::from(header.sign(&self.context.keys.feed)?), rows: rows.rows })
    }
}
