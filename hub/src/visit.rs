//! A visit as the hub has accepted it: the values of its document, and what its decision log makes of them.
//!
//! [`crate::store::visits`] reads it from the accepted changes and the log; [`crate::judge`] and [`crate::decide`]
//! change it; [`crate::delivery`] is given it to carry an effect out. Its status is computed, never stored.

use chrono::{DateTime, Utc};
use vestibule_core::decision::{Approval, Ended, Fact, Presence, Standing};
use vestibule_core::id::{ChainHash, ChangeHash, MemberId, OrganisationId, SiteId, VisitId};
use vestibule_core::schedule::{Instants, ScheduleError};
use vestibule_core::visit::{Status, VisitValues};
use vestibule_core::zone::Zone;

/// A visit the hub has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedVisit {
    /// The visit.
    pub id: VisitId,
    /// Its integer, counted over the whole hub and never reused.
    pub number: u64,
    /// The organisation it belongs to.
    pub organisation: OrganisationId,
    /// Whose invitation it is: the member who created it, or the principal for whom a delegate did.
    pub creator: MemberId,
    /// The site, which every accepted visit has.
    pub site: SiteId,
    /// The host, whom every accepted visit has.
    pub host: MemberId,
    /// The values of its document.
    pub values: VisitValues,
    /// The accepted heads of its document, ascending.
    pub heads: Vec<ChangeHash>,
    /// Counts the bases of its document; 0 is the creator's own.
    pub base: u32,
    /// What its log means now.
    pub standing: Standing,
    /// The number of the last entry of its log.
    pub last_entry: u64,
    /// The hash of that entry.
    pub log_head: ChainHash,
    /// When the hub took its first change, Unix seconds.
    pub accepted_at: i64,
}

impl AcceptedVisit {
    /// The status everybody is shown, from the document and the log.
    pub fn status(&self) -> Status {
        let over = self.values.cancelled || self.values.deleted;
        match (self.standing.presence, self.standing.ended, &self.standing.approval) {
            (Presence::Departed, ..) => Status::Departed,
            // Arrival wins over everything that came after it.
            (Presence::OnSite, ..) => Status::OnSite,
            (_, Some(Ended::Cancelled), _) => Status::Cancelled,
            _ if over => Status::Cancelled,
            (_, Some(Ended::NoShow), _) => Status::NoShow,
            (_, Some(Ended::Expired), _) => Status::Expired,
            (.., Approval::Rejected { .. }) => Status::Rejected,
            (.., Approval::Pending) => Status::Pending,
            (.., Approval::Approved | Approval::NotNeeded) => Status::Upcoming,
        }
    }

    /// The instants of its schedule in the site's zone; none if it has no schedule.
    ///
    /// # Errors
    /// The site's zone has been changed since, and the clocks there skip a time of the schedule.
    pub fn instants(&self, zone: &Zone) -> Result<Option<Instants>, ScheduleError> {
        self.values.schedule.as_ref().map(|schedule| schedule.resolve(zone)).transpose()
    }

    /// Takes one more fact, in the order of the log.
    pub fn fold(&mut self, fact: &Fact) {
        self.standing.fold(fact);
    }

    /// Whether it needs or had a decision.
    pub fn is_for_approvers(&self) -> bool {
        self.standing.approval != Approval::NotNeeded
    }

    /// Whether it is over: nothing about it can be edited or decided any more.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), Status::Departed | Status::Cancelled | Status::NoShow | Status::Expired)
    }

    /// The visitor's name as typed, for lists and mails.
    pub fn name(&self) -> String {
        self.values.display_name()
    }

    /// When the hub took it.
    pub fn accepted(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.accepted_at, 0).unwrap_or_default()
    }
}
