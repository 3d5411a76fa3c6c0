//! Lists of visits.

use std::time::SystemTime;

use vestibule_core::directory::Directory;
use vestibule_core::store::{ListFilter as CoreFilter, TabCounts as CoreCounts, VisitSummary as CoreSummary};
use vestibule_core::visit::{Status as CoreStatus, Tab as CoreTab};

use crate::guest_mail::GuestMail;
use crate::time::{CivilTime, instant};

/// Where a visit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Status {
    /// Made on this phone, and not yet at the hub.
    Queued,
    /// Waiting for an approval; the guest has heard nothing.
    Pending,
    /// The guest is invited.
    Upcoming,
    /// Arrived and not left.
    OnSite,
    /// Left.
    Departed,
    /// An approver said no; only the host is told.
    Rejected,
    /// The hub did not accept it; kept as a draft with the reason.
    Refused,
    /// Called off.
    Cancelled,
    /// Its time passed and nobody came.
    NoShow,
    /// Its time passed before it was approved, or it had none and ran out.
    Expired,
    /// At the kiosk, waiting for the host's word.
    AwaitingHost,
}

impl From<CoreStatus> for Status {
    fn from(status: CoreStatus) -> Self {
        match status {
            CoreStatus::Queued => Self::Queued,
            CoreStatus::Pending => Self::Pending,
            CoreStatus::Upcoming => Self::Upcoming,
            CoreStatus::OnSite => Self::OnSite,
            CoreStatus::Departed => Self::Departed,
            CoreStatus::Rejected => Self::Rejected,
            CoreStatus::Refused => Self::Refused,
            CoreStatus::Cancelled => Self::Cancelled,
            CoreStatus::NoShow => Self::NoShow,
            CoreStatus::Expired => Self::Expired,
            CoreStatus::AwaitingHost => Self::AwaitingHost,
        }
    }
}

/// A list a phone shows. Every visit is in exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Tab {
    /// On its way to the hub, or sent back with a reason.
    Queued,
    /// Waiting for an approver.
    Pending,
    /// Invited, or at the door.
    Upcoming,
    /// In the building.
    OnSite,
    /// Over, one way or another.
    Past,
}

impl From<CoreTab> for Tab {
    fn from(tab: CoreTab) -> Self {
        match tab {
            CoreTab::Queued => Self::Queued,
            CoreTab::Pending => Self::Pending,
            CoreTab::Upcoming => Self::Upcoming,
            CoreTab::OnSite => Self::OnSite,
            CoreTab::Past => Self::Past,
        }
    }
}

/// Which visits a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListFilter {
    /// Every visit on this phone.
    All,
    /// One list.
    Tab {
        /// Which.
        tab: Tab,
    },
    /// Those with a refusal, a conflict or an undelivered mail somebody has to look at.
    Attention,
}

impl From<ListFilter> for CoreFilter {
    fn from(filter: ListFilter) -> Self {
        match filter {
            ListFilter::All => Self::All,
            ListFilter::Attention => Self::Attention,
            ListFilter::Tab { tab } => Self::Tab(match tab {
                Tab::Queued => CoreTab::Queued,
                Tab::Pending => CoreTab::Pending,
                Tab::Upcoming => CoreTab::Upcoming,
                Tab::OnSite => CoreTab::OnSite,
                Tab::Past => CoreTab::Past,
            }),
        }
    }
}

/// How many visits each list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
#[expect(missing_docs, reason = "each field counts the list its name says")]
pub struct TabCounts {
    pub queued: u64,
    pub pending: u64,
    pub upcoming: u64,
    pub on_site: u64,
    pub past: u64,
    pub attention: u64,
}

impl From<CoreCounts> for TabCounts {
    fn from(counts: CoreCounts) -> Self {
        let CoreCounts { queued, pending, upcoming, on_site, past, attention } = counts;
        Self { queued, pending, upcoming, on_site, past, attention }
    }
}

/// A visit in a list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VisitSummary {
    /// The visit's id.
    pub id: String,
    /// The hub's number for it, once it has one.
    pub number: Option<u64>,
    /// First and last name as typed, or the one there is.
    pub name: String,
    /// The company as typed.
    pub company: Option<String>,
    /// The e-mail address as typed.
    pub email: Option<String>,
    /// The site's id.
    pub site: Option<String>,
    /// The site's name, if this phone knows it.
    pub site_name: Option<String>,
    /// The host's member id.
    pub host: Option<String>,
    /// The host's name, if this phone knows it.
    pub host_name: Option<String>,
    /// The IANA name of the site's time zone, which the civil times are in.
    pub zone: Option<String>,
    /// When it begins on the clock of the site, or the arrival.
    pub start_civil: Option<CivilTime>,
    /// When it ends on the clock of the site.
    pub end_civil: Option<CivilTime>,
    /// When it begins, where time and zone are known.
    pub start: Option<SystemTime>,
    /// When it ends.
    pub end: Option<SystemTime>,
    /// When it is over if nobody comes: its end, or some time after the arrival.
    pub over_at: Option<SystemTime>,
    /// Where it stands.
    pub status: Status,
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    pub queued: bool,
    /// Somebody else's value was accepted first, and there is a choice to make.
    pub conflict: bool,
    /// The code of what somebody has to look at: the last refusal or conflict, or what became of the guest's mail.
    pub problem: Option<String>,
    /// Where the last mail to the guest is.
    pub mail: Option<GuestMail>,
}

impl VisitSummary {
    /// A row of the core's, with what the directory knows of its site.
    pub(crate) fn of(visit: CoreSummary, directory: &Directory) -> Self {
        let site = visit.site.as_ref().and_then(|site| directory.site(site));
        Self {
            id: visit.id.to_string(),
            number: visit.number,
            name: visit.name,
            company: visit.company,
            email: visit.email,
            site_name: site.map(|site| site.name.clone()),
            zone: site.map(|site| site.zone.name().to_owned()),
            site: visit.site.map(Into::into),
            host: visit.host.map(Into::into),
            host_name: visit.host_name,
            start_civil: visit.schedule.map(|schedule| schedule.start().into()),
            end_civil: visit.schedule.and_then(|schedule| schedule.end()).map(Into::into),
            start: instant(visit.start),
            end: instant(visit.end),
            over_at: instant(visit.over_at),
            status: visit.status.into(),
            queued: visit.queued,
            conflict: visit.conflict,
            problem: visit.problem,
            mail: visit.mail.map(Into::into),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VisitPage {
    /// The visits, by start, then id.
    pub items: Vec<VisitSummary>,
    /// Where the next page begins: give it back as `after`. None at the end.
    pub next: Option<String>,
}
