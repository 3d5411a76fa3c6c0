//! Who may do what, judged by the roles a member has in the transaction that accepts (the table of `design.md`).

use vestibule_core::directory::Role;
use vestibule_core::id::{MemberId, SiteId};

use crate::store::members::MemberRecord;
use crate::visit::AcceptedVisit;

/// Who writes: a member, for themself or as somebody's delegate.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The member whose device signed.
    pub member: &'a MemberRecord,
    /// The principal a delegate names in the envelope.
    pub on_behalf_of: Option<&'a MemberId>,
}

impl Author<'_> {
    /// Whose invitation a new visit is.
    pub fn owner(&self) -> &MemberId {
        self.on_behalf_of.unwrap_or(&self.member.member.id)
    }

    /// Whether they may create a visit of that host at that site: the "Add visitor" switch (S1.10), and the host
    /// themself, a principal, or the permission to name any host.
    pub fn may_create(&self, site: &SiteId, host: &MemberId) -> bool {
        let member = self.member;
        member.may_add_visitors
            && match self.on_behalf_of {
                Some(principal) => member.is_delegate_of(principal) && (host == principal || member.may_change_host),
                None => {
                    self.manages(site)
                        || (member.has(Role::Host) && (*host == member.member.id || member.may_change_host))
                }
            }
    }

    /// Whether they may edit or cancel a visit as it stands: host and creator their own, a delegate the principals',
    /// reception at its site, administrators. Whom a delegate names as principal must be one.
    pub fn may_edit(&self, visit: &AcceptedVisit) -> bool {
        let owns = |who: &MemberId| visit.host == *who || visit.creator == *who;
        match self.on_behalf_of {
            Some(principal) => self.member.is_delegate_of(principal) && (owns(principal) || self.manages(&visit.site)),
            None => {
                self.manages(&visit.site)
                    || (self.member.has(Role::Host) && owns(&self.member.member.id))
                    || self.member.principals().any(owns)
            }
        }
    }

    /// Whether they may give a visit they may edit to another host. To write oneself in takes the permission too:
    /// nobody makes another's visit theirs.
    pub fn may_change_host(&self, visit: &AcceptedVisit) -> bool {
        self.member.may_change_host || self.manages(&visit.site)
    }

    /// Whether they may move a visit to a site or type they may edit it for: whoever edits by their site only goes on
    /// being bound to it.
    pub fn may_move_to(&self, visit: &AcceptedVisit, site: &SiteId) -> bool {
        let owns = |who: &MemberId| visit.host == *who || visit.creator == *who;
        self.manages(site) || owns(&self.member.member.id) || self.member.principals().any(owns)
    }

    /// Whether they may write a note: whose invitation it is, their delegates, approvers, reception, administrators
    /// (S1.19). A later host neither reads nor writes them.
    pub fn may_note(&self, visit: &AcceptedVisit) -> bool {
        visit.creator == self.member.member.id
            || self.member.is_delegate_of(&visit.creator)
            || self.manages(&visit.site)
            || self.member.may_decide(&visit.site, visit.values.visitor_type.as_ref())
    }

    /// Whether they may check visitors in and out at a site: their own part, whomever the envelope names.
    pub fn may_receive(&self, site: &SiteId) -> bool {
        self.manages(site)
    }

    /// Whether a visit may say that it was made elsewhere than on a phone.
    pub fn is_program(&self) -> bool {
        self.member.has(Role::ApiClient)
    }

    /// Reception and programs at their site, administrators everywhere.
    fn manages(&self, site: &SiteId) -> bool {
        self.member.has(Role::Administrator)
            || self.member.has_at(Role::Reception, site)
            || self.member.has_at(Role::ApiClient, site)
    }
}
