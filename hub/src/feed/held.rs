//! Which scopes a member's phones hold.

use std::collections::BTreeSet;

use rusqlite::Transaction;
use vestibule_core::directory::Role;
use vestibule_core::feed::Scope;
use vestibule_core::id::OrganisationId;

use crate::store::members::MemberRecord;
use crate::store::{StoreError, feed, organisations};

/// The scopes the phones of a member hold, by what the member may do now, in the order they are handed out: the
/// directory first, so that the visits that follow can be shown.
///
/// Everybody: the directory, their own roles, visits and notes. A delegate: visits and notes of each principal. An
/// approver: the approvals of their sites, and all notes there are. An administrator: as an approver of all sites.
pub fn held(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    member: &MemberRecord,
) -> Result<BTreeSet<Scope>, StoreError> {
    let me = &member.member.id;
    let mut scopes = BTreeSet::from([Scope::Directory, Scope::Roles(me.clone())]);
    for whose in [me].into_iter().chain(member.principals()) {
        scopes.extend([Scope::Visits(whose.clone()), Scope::Notes(whose.clone())]);
    }
    let administrator = member.has(Role::Administrator);
    if administrator || member.has(Role::Approver) {
        for site in organisations::sites(tx, organisation)? {
            if administrator || member.has_at(Role::Approver, &site.id) {
                scopes.insert(Scope::Approvals(site.id));
            }
        }
    }
    if administrator || member.has(Role::Approver) || member.has(Role::Reception) {
        scopes.extend(feed::scopes_with_rows(tx, organisation, "notes/")?);
    }
    Ok(scopes)
}
