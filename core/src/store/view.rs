//! What screens show of visits. Instants come with the civil time and the zone they are of.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::intent::OperationKind;
use super::working::OperationState;
use crate::decision::{Approval, CredentialState, Fact};
use crate::guest_mail::GuestMail;
use crate::id::{IdError, MemberId, SiteId, VisitId};
use crate::receipt::Refusal;
use crate::schedule::Schedule;
use crate::visit::{Key, Status, Tab, VisitValues};
use crate::zone::Zone;

/// Which visits a list holds.
///
/// ```
/// use vestibule_core::store::ListFilter;
/// use vestibule_core::visit::Tab;
///
/// let shown_first = ListFilter::Tab(Tab::Upcoming);
/// assert_ne!(shown_first, ListFilter::Attention);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListFilter {
    /// Every visit on this phone.
    All,
    /// One list.
    Tab(Tab),
    /// Those with a refusal, a conflict or an undelivered mail somebody has to look at.
    Attention,
}

/// Where a page ended: give it back for the next one. As text it goes through a shell or a link.
///
/// ```
/// use vestibule_core::store::PageCursor;
///
/// let text = "1802505600_01a3185c-5000-7707-8707-070707070707";
/// let cursor: PageCursor = text.parse()?;
/// assert_eq!(cursor.to_string(), text);
/// # Ok::<(), vestibule_core::id::IdError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageCursor {
    pub(super) sort_at: i64,
    pub(super) id: VisitId,
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.sort_at, self.id)
    }
}

impl FromStr for PageCursor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("page cursor", "the text of one that a list gave");
        let (sort_at, id) = text.split_once('_').ok_or_else(wrong)?;
        Ok(Self { sort_at: sort_at.parse().map_err(|_| wrong())?, id: id.parse()? })
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<PageCursor>,
}

/// What observers of lists are shown, all of one state of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    /// The beginnings of the lists, in the order they were asked for.
    pub windows: Vec<Page<VisitSummary>>,
    /// How many visits each list holds.
    pub counts: TabCounts,
    /// When the next visit leaves its list because it is over.
    pub next_end: Option<DateTime<Utc>>,
}

/// How many visits each list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "each field counts the list its name says")]
pub struct TabCounts {
    pub queued: u64,
    pub pending: u64,
    pub upcoming: u64,
    pub on_site: u64,
    pub past: u64,
    pub attention: u64,
}

/// A visit in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitSummary {
    /// The visit.
    pub id: VisitId,
    /// The hub's number for it, once it has one.
    pub number: Option<u64>,
    /// First and last name as typed, or the one there is.
    pub name: String,
    /// The company as typed.
    pub company: Option<String>,
    /// The e-mail address as typed.
    pub email: Option<String>,
    /// The site.
    pub site: Option<SiteId>,
    /// The host.
    pub host: Option<MemberId>,
    /// The host's name, if this phone knows it.
    pub host_name: Option<String>,
    /// The civil time at the site.
    pub schedule: Option<Schedule>,
    /// When it begins, where schedule and zone are known.
    pub start: Option<DateTime<Utc>>,
    /// When it ends.
    pub end: Option<DateTime<Utc>>,
    /// When it is over if nobody comes: its end, or some time after the arrival.
    pub over_at: Option<DateTime<Utc>>,
    /// Where it stands.
    pub status: Status,
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    pub queued: bool,
    /// Somebody else's value was accepted first, and there is a choice to make.
    pub conflict: bool,
    /// The code of what somebody has to look at: the last refusal or conflict, or `mail_refused`, `mail_given_up`,
    /// `mail_delayed`, `mail_late`, `approvers_not_told`.
    pub problem: Option<String>,
    /// Where the last mail to the guest is.
    pub mail: Option<GuestMail>,
}

impl VisitSummary {
    /// The list it is in at `now`.
    pub fn tab(&self, now: DateTime<Utc>) -> Tab {
        self.status.tab_at(self.over_at, now)
    }
}

/// Everything a screen shows of one visit.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitView {
    /// The visit.
    pub id: VisitId,
    /// The hub's number for it, once it has one.
    pub number: Option<u64>,
    /// The values as typed, own unsent edits included.
    pub values: VisitValues,
    /// Where it stands.
    pub status: Status,
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    pub queued: bool,
    /// The zone of the site, which the civil times are in.
    pub zone: Option<Zone>,
    /// When it begins.
    pub start: Option<DateTime<Utc>>,
    /// When it ends.
    pub end: Option<DateTime<Utc>>,
    /// When it is over if nobody comes: its end, or some time after the arrival.
    pub over_at: Option<DateTime<Utc>>,
    /// The host's name.
    pub host_name: Option<String>,
    /// The site's name.
    pub site_name: Option<String>,
    /// Who created it, as the hub saw it.
    pub creator: Option<MemberId>,
    /// The security approval; a rejection with its reason, and whether it is final.
    pub approval: Approval,
    /// The credential, as far as a phone may know.
    pub credential: CredentialState,
    /// Whether a mail server has ever taken a mail to the guest.
    pub guest_told: bool,
    /// Where the last mail to the guest is.
    pub mail: Option<GuestMail>,
    /// The code of what somebody has to look at, as in lists.
    pub problem: Option<String>,
    /// What was to follow and could not be done yet: the name of each, with the code of the reason.
    /// [`undone_message`](crate::decision::undone_message) says what it means.
    pub undone: Vec<(String, String)>,
    /// The notes this phone holds, oldest first; own ones that are not sent yet last.
    pub notes: Vec<NoteView>,
    /// What waits, was refused, or is to be chosen about.
    pub operations: Vec<OperationView>,
}

impl VisitView {
    /// The list it is in at `now`.
    pub fn tab(&self, now: DateTime<Utc>) -> Tab {
        self.status.tab_at(self.over_at, now)
    }
}

/// An internal note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteView {
    /// Who wrote it.
    pub author: MemberId,
    /// Their name, if this phone knows it.
    pub author_name: Option<String>,
    /// When the hub took it, or it was written here.
    pub at: DateTime<Utc>,
    /// As typed.
    pub text: String,
    /// Not at the hub yet.
    pub queued: bool,
}

/// An operation of this phone that is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationView {
    /// Names it, to settle or discard it.
    pub id: i64,
    /// What it is.
    pub kind: OperationKind,
    /// For a request, what is asked: `note`, `delete`, ….
    pub ask: Option<&'static str>,
    /// The words of a note or of a rejection's reason, so that they are not lost with a refusal.
    pub text: Option<String>,
    /// What it wants, key by key; none clears the key.
    pub wants: Vec<(Key, Option<String>)>,
    /// Whether it waits, was refused, or is in conflict.
    pub state: OperationState,
    /// Why it was refused, or what it conflicts with.
    pub reason: Option<Refusal>,
    /// When it was made, on this phone's clock.
    pub made_at: DateTime<Utc>,
}

/// A line of a visit's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When: the hub's word; none for what the hub has not taken yet.
    pub at: Option<DateTime<Utc>>,
    /// Who: the hub's word; none for the hub itself.
    pub author: Option<MemberId>,
    /// Their name, if this phone knows it.
    pub author_name: Option<String>,
    /// For whom a delegate did it.
    pub on_behalf_of: Option<MemberId>,
    /// What happened.
    pub fact: HistoryFact,
}

/// What happened to a visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryFact {
    /// A change, by the keys it wrote.
    Changed(Vec<Key>),
    /// A fact of the hub's log.
    Decided(Fact),
}
