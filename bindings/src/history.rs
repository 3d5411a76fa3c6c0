//! What happened to a visit.

use std::time::SystemTime;

use vestibule_core::decision::{Fact, Told as CoreTold};
use vestibule_core::guest_mail::Undelivered as CoreUndelivered;
use vestibule_core::store::{HistoryEntry as CoreEntry, HistoryFact as CoreFact};

use crate::time::{instant, unix};

/// A line of a visit's history.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryEntryView {
    /// When, by the hub's word; none for what the hub has not taken yet.
    pub at: Option<SystemTime>,
    /// The member id of who did it, by the hub's word; none for the hub itself.
    pub author: Option<String>,
    /// Their name, if this phone knows it.
    pub author_name: Option<String>,
    /// The member id of for whom a delegate did it.
    pub on_behalf_of: Option<String>,
    /// What happened.
    pub fact: HistoryFact,
}

/// What a guest was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Told {
    /// The invitation.
    Invitation,
    /// That something changed.
    Change,
    /// That the visit is cancelled.
    Cancellation,
    /// To an earlier address: that the invitation sent there has ended.
    End,
}

impl From<CoreTold> for Told {
    fn from(told: CoreTold) -> Self {
        match told {
            CoreTold::Invitation => Self::Invitation,
            CoreTold::Change => Self::Change,
            CoreTold::Cancellation => Self::Cancellation,
            CoreTold::End => Self::End,
        }
    }
}

/// What becomes of a mail that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Undelivered {
    /// It is late, and tried again.
    Delayed,
    /// A mail server refused it for good.
    Refused,
    /// It was tried for days.
    GivenUp,
    /// It is not needed any more, and never left.
    Withdrawn,
}

impl From<CoreUndelivered> for Undelivered {
    fn from(how: CoreUndelivered) -> Self {
        match how {
            CoreUndelivered::Delayed => Self::Delayed,
            CoreUndelivered::Refused => Self::Refused,
            CoreUndelivered::GivenUp => Self::GivenUp,
            CoreUndelivered::Withdrawn => Self::Withdrawn,
        }
    }
}

/// What happened to a visit. Keys are those of the visit's document: `first_name`, `email`, `schedule`, ….
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum HistoryFact {
    /// Values were written.
    Changed {
        /// Their keys.
        keys: Vec<String>,
    },
    /// The hub took the visit.
    Accepted {
        /// Its number.
        number: u64,
        /// Whether it waits for an approver.
        needs_approval: bool,
    },
    /// Approved.
    Approved,
    /// Rejected.
    Rejected {
        /// The approver's reason.
        reason: Option<String>,
        /// No new invitation is possible.
        is_final: bool,
    },
    /// Back to pending by an approver.
    Reopened,
    /// Back to pending because something changed after the approval.
    ApprovalStale {
        /// The keys that changed.
        keys: Vec<String>,
    },
    /// A credential lives.
    Minted {
        /// It opens from here.
        not_before: Option<SystemTime>,
        /// It ends here.
        expires: Option<SystemTime>,
    },
    /// The credential opens nothing until it is revived.
    Suspended,
    /// The suspended credential lives again.
    Revived,
    /// The credential is dead.
    Voided,
    /// A mail server has taken a mail to the guest.
    GuestTold {
        /// What it said.
        what: Told,
    },
    /// A mail to the guest is about to be sent.
    MailQueued {
        /// What it says.
        what: Told,
        /// A quota holds it back until then.
        held_until: Option<SystemTime>,
    },
    /// A mail to the guest was not taken.
    MailUndelivered {
        /// What it says.
        what: Told,
        /// What becomes of it.
        how: Undelivered,
        /// Why, by a stable code.
        trouble: String,
        /// The mail server's answer, where it gave one.
        code: Option<u16>,
    },
    /// The visitor arrived.
    Arrived,
    /// The visitor left.
    Departed,
    /// Cancelled.
    Cancelled,
    /// Deleted unused.
    Deleted,
    /// Its time passed and nobody came.
    NoShow,
    /// Its time passed while it was pending, or it ran out.
    Expired,
    /// Something host and reception should look at.
    Alert {
        /// A stable code.
        code: String,
    },
    /// Something a later version of the app knows how to show.
    Later {
        /// Its number.
        number: u32,
    },
}

impl From<CoreEntry> for HistoryEntryView {
    fn from(entry: CoreEntry) -> Self {
        Self {
            at: instant(entry.at),
            author: entry.author.map(Into::into),
            author_name: entry.author_name,
            on_behalf_of: entry.on_behalf_of.map(Into::into),
            fact: match entry.fact {
                CoreFact::Changed(keys) => {
                    HistoryFact::Changed { keys: keys.iter().map(|key| key.as_str().to_owned()).collect() }
                }
                CoreFact::Decided(fact) => fact.into(),
            },
        }
    }
}

impl From<Fact> for HistoryFact {
    fn from(fact: Fact) -> Self {
        match fact {
            Fact::Accepted { number, needs_approval, .. } => Self::Accepted { number, needs_approval },
            Fact::Approved { .. } => Self::Approved,
            Fact::Rejected { reason, r#final } => Self::Rejected { reason, is_final: r#final },
            Fact::Reopened => Self::Reopened,
            Fact::ApprovalStale { keys } => Self::ApprovalStale { keys },
            Fact::Minted { not_before, expires } => {
                Self::Minted { not_before: unix(not_before), expires: unix(expires) }
            }
            Fact::Suspended => Self::Suspended,
            Fact::Revived => Self::Revived,
            Fact::Voided => Self::Voided,
            Fact::GuestTold(told) => Self::GuestTold { what: told.into() },
            Fact::MailQueued { what, held_until } => {
                Self::MailQueued { what: what.into(), held_until: held_until.and_then(unix) }
            }
            Fact::MailUndelivered { what, how, class, code } => {
                Self::MailUndelivered { what: what.into(), how: how.into(), trouble: class, code }
            }
            Fact::Arrived => Self::Arrived,
            Fact::Departed => Self::Departed,
            Fact::Cancelled => Self::Cancelled,
            Fact::Deleted => Self::Deleted,
            Fact::NoShow => Self::NoShow,
            Fact::Expired => Self::Expired,
            Fact::Alert(code) => Self::Alert { code },
            Fact::Edited { keys } => Self::Changed { keys },
            Fact::Undone { effect, code } => {
                Self::Alert { code: format!("{effect}_{}", if code.is_some() { "undone" } else { "settled" }) }
            }
            Fact::Later(number) => Self::Later { number },
        }
    }
}
