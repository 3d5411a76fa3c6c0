//! One visit, as its own screen shows it.

use std::time::SystemTime;

use vestibule_core::decision;
use vestibule_core::directory::Directory;
use vestibule_core::store::{
    NoteView as CoreNote, OperationKind as CoreKind, OperationState as CoreState, OperationView as CoreOperation,
    VisitView as CoreView,
};
use vestibule_core::visit::{Key, Tab as CoreTab};

use crate::guest_mail::GuestMail;
use crate::summary::{Status, Tab};
use crate::time::{CivilTime, instant};

/// The security approval of a visit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Approval {
    /// None is needed.
    NotNeeded,
    /// It waits.
    Pending,
    /// Given.
    Approved,
    /// Refused.
    Rejected {
        /// The approver's reason, for the host.
        reason: Option<String>,
        /// No new invitation is possible.
        is_final: bool,
    },
}

impl From<decision::Approval> for Approval {
    fn from(approval: decision::Approval) -> Self {
        match approval {
            decision::Approval::NotNeeded => Self::NotNeeded,
            decision::Approval::Pending => Self::Pending,
            decision::Approval::Approved => Self::Approved,
            decision::Approval::Rejected { reason, r#final } => Self::Rejected { reason, is_final: r#final },
        }
    }
}

/// The visitor's credential (PIN and QR code), as far as a phone may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum CredentialState {
    /// Never minted.
    Absent,
    /// It opens within its window.
    Live,
    /// It opens nothing for now.
    Suspended,
    /// It is dead.
    Void,
}

impl From<decision::CredentialState> for CredentialState {
    fn from(state: decision::CredentialState) -> Self {
        match state {
            decision::CredentialState::None => Self::Absent,
            decision::CredentialState::Live => Self::Live,
            decision::CredentialState::Suspended => Self::Suspended,
            decision::CredentialState::Void => Self::Void,
        }
    }
}

/// Everything a screen shows of one visit.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VisitView {
    /// The visit's id.
    pub id: String,
    /// The hub's number for it, once it has one.
    pub number: Option<u64>,
    /// First and last name as typed, or the one there is.
    pub name: String,
    /// The first name as typed, as all values: own unsent edits are included.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The number in the access control system.
    pub pacs_id: Option<String>,
    /// The site's id.
    pub site: Option<String>,
    /// The site's name, if this phone knows it.
    pub site_name: Option<String>,
    /// The space's id.
    pub space: Option<String>,
    /// The space's name, if this phone knows it.
    pub space_name: Option<String>,
    /// The visitor type's id.
    pub visitor_type: Option<String>,
    /// The visitor type's name, if this phone knows it.
    pub visitor_type_name: Option<String>,
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
    /// The reason of the visit.
    pub reason: Option<String>,
    /// The message to the visitor.
    pub message: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The list it is in now.
    pub tab: Tab,
    /// Something of it waits to be sent or answered; for a cancelled visit: the revocation is pending.
    pub queued: bool,
    /// The security approval.
    pub approval: Approval,
    /// The visitor's credential.
    pub credential: CredentialState,
    /// Whether a mail server has ever taken a mail to the guest.
    pub guest_told: bool,
    /// Where the last mail to the guest is.
    pub mail: Option<GuestMail>,
    /// The code of what somebody has to look at, as in lists.
    pub problem: Option<String>,
    /// The member id of who created it, as the hub saw it.
    pub creator: Option<String>,
    /// The id of the visit this one was made from by "invite again".
    pub previous: Option<String>,
    /// The internal notes, oldest first; own ones that are not sent yet last.
    pub notes: Vec<NoteView>,
    /// What waits, was refused, or is to be chosen about.
    pub operations: Vec<OperationView>,
}

impl VisitView {
    pub(crate) fn of(view: CoreView, tab: CoreTab, directory: &Directory) -> Self {
        let values = view.values;
        let space = values.space.as_ref().and_then(|space| directory.space(space));
        let kind = values.visitor_type.as_ref().and_then(|kind| directory.visitor_type(kind));
        Self {
            id: view.id.to_string(),
            number: view.number,
            name: values.display_name(),
            space_name: space.map(|space| space.name.clone()),
            visitor_type_name: kind.map(|kind| kind.name.clone()),
            first_name: values.first_name,
            last_name: values.last_name,
            email: values.email,
            company: values.company,
            phone: values.phone,
            pacs_id: values.pacs_id,
            site: values.site.map(Into::into),
            site_name: view.site_name,
            space: values.space.map(Into::into),
            visitor_type: values.visitor_type.map(Into::into),
            host: values.host.map(Into::into),
            host_name: view.host_name,
            zone: view.zone.map(|zone| zone.name().to_owned()),
            start_civil: values.schedule.map(|schedule| schedule.start().into()),
            end_civil: values.schedule.and_then(|schedule| schedule.end()).map(Into::into),
            start: instant(view.start),
            end: instant(view.end),
            over_at: instant(view.over_at),
            reason: values.reason,
            message: values.message,
            status: view.status.into(),
            tab: tab.into(),
            queued: view.queued,
            approval: view.approval.into(),
            credential: view.credential.into(),
            guest_told: view.guest_told,
            mail: view.mail.map(Into::into),
            problem: view.problem,
            creator: view.creator.map(Into::into),
            previous: values.previous.map(|visit| visit.to_string()),
            notes: view.notes.into_iter().map(Into::into).collect(),
            operations: view.operations.into_iter().map(Into::into).collect(),
        }
    }
}

/// An internal note.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct NoteView {
    /// The member id of who wrote it.
    pub author: String,
    /// Their name, if this phone knows it.
    pub author_name: Option<String>,
    /// When the hub took it, or it was written here.
    pub at: SystemTime,
    /// As typed.
    pub text: String,
    /// Not at the hub yet.
    pub queued: bool,
}

impl From<CoreNote> for NoteView {
    fn from(note: CoreNote) -> Self {
        Self {
            author: note.author.into(),
            author_name: note.author_name,
            at: note.at.into(),
            text: note.text,
            queued: note.queued,
        }
    }
}

/// What kind of operation waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OperationKind {
    /// The visit's first change.
    Create,
    /// A later change.
    Edit,
    /// The cancellation.
    Cancel,
    /// Something the hub is asked to do: a note, a deletion.
    Request,
}

/// Where an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum OperationState {
    /// On its way.
    Queued,
    /// Written on top of something that has moved on; written again with the next sync.
    Stale,
    /// Refused, and kept as a draft.
    Refused,
    /// Somebody else's value was first: choose with `settle`, or drop it with `discard`.
    Conflict,
}

/// One value an operation wants.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WantedValue {
    /// The key of the visit's document: `first_name`, `email`, `schedule`, ….
    pub key: String,
    /// What it shall be; none clears it.
    pub value: Option<String>,
}

/// An operation of this phone that is not done.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OperationView {
    /// Names it, to settle or discard it.
    pub id: i64,
    /// What it is.
    pub kind: OperationKind,
    /// For a request, what is asked: `note`, `delete`, ….
    pub ask: Option<String>,
    /// The words of a note.
    pub text: Option<String>,
    /// What it wants, key by key.
    pub wants: Vec<WantedValue>,
    /// Whether it waits, was refused, or is in conflict.
    pub state: OperationState,
    /// The stable code of the refusal or conflict.
    pub code: Option<String>,
    /// What is wrong and what to do.
    pub reason: Option<String>,
    /// When it was made, on this phone's clock.
    pub made_at: SystemTime,
}

impl From<CoreOperation> for OperationView {
    fn from(operation: CoreOperation) -> Self {
        let (code, reason) = operation.reason.map(|reason| (reason.code, reason.message)).unzip();
        let wanted = |(key, value): (Key, Option<String>)| WantedValue { key: key.as_str().to_owned(), value };
        Self {
            id: operation.id,
            kind: match operation.kind {
                CoreKind::Create => OperationKind::Create,
                CoreKind::Edit => OperationKind::Edit,
                CoreKind::Cancel => OperationKind::Cancel,
                CoreKind::Request => OperationKind::Request,
            },
            ask: operation.ask.map(ToOwned::to_owned),
            text: operation.text,
            wants: operation.wants.into_iter().map(wanted).collect(),
            state: match operation.state {
                CoreState::Queued => OperationState::Queued,
                CoreState::Stale => OperationState::Stale,
                CoreState::Refused => OperationState::Refused,
                CoreState::Conflict => OperationState::Conflict,
            },
            code,
            reason,
            made_at: operation.made_at.into(),
        }
    }
}
