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
/// Everybody: the directory, their own roles, their visits and the notes on those they created; a delegate the same of
/// each principal. Reception: the visits and notes of its sites. An approver: the approvals and notes of their sites; one
/// who is bound to types, those of these types. An administrator: as reception and approver of all sites.
pub fn held(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    member: &MemberRecord,
) -> Result<BTreeSet<Scope>, StoreError> {
    let me = &member.member.id;
    let mut scopes = BTreeSet::from([Scope::Directory, Scope::Roles(me.clone())]);
    for whose in [me].into_iter().chain(member.principals()) {
        scopes.extend([Scope::Visits(whose.clone()), Scope::MemberNotes(whose.clone())]);
    }
    let administrator = member.has(Role::Administrator);
    if !administrator && !member.has(Role::Reception) && !member.has(Role::Approver) {
        return Ok(scopes);
    }
    for site in organisations::sites(tx, organisation)? {
        let site = site.id;
        let receives = administrator || member.has_at(Role::Reception, &site);
        let approver_here = member
            .roles
            .iter()
            .filter(|grant| grant.role == Role::Approver && grant.site.as_ref().is_none_or(|only| *only == site));
        let types: Option<Vec<_>> = approver_here.map(|grant| grant.visitor_type.clone()).collect();
        // One grant without a type is good for all of them.
        let decides = administrator || types.is_none();
        for kind in types.filter(|_| !decides).into_iter().flatten() {
            scopes.insert(Scope::TypeApprovals(site.clone(), kind.clone()));
            if !receives {
                scopes.insert(Scope::TypeNotes(site.clone(), kind));
            }
        }
        if receives {
            scopes.insert(Scope::Site(site.clone()));
        }
        if decides {
            scopes.insert(Scope::Approvals(site.clone()));
        }
        if receives || decides {
            scopes.insert(Scope::SiteNotes(site));
        }
    }
    Ok(scopes)
}

/// Sees to it that the scopes of sites a member holds are kept. Called wherever roles or sites change; what belongs in a
/// scope that is opened comes into it by [`keep_in_step`](super::keep_in_step).
pub fn open(tx: &Transaction<'_>, organisation: &OrganisationId, member: &MemberRecord) -> Result<(), StoreError> {
    for scope in held(tx, organisation, member)? {
        if super::window::site_of(&scope).is_some() {
            feed::open(tx, organisation, &scope)?;
        }
    }
    Ok(())
}
