//! What a change of a visit's life brings about: decided by [`crate::lifecycle`], carried out by [`crate::delivery`].

use vestibule_core::decision::Approval;
use vestibule_core::visit::Status;

use crate::visit::AcceptedVisit;

/// An effect outside the document and the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Tell the category's and the security address that an invitation waits (S2.8, S2.11–13).
    TellPending,
    /// Tell the category's address of an invitation that needs no approval (S2.8).
    TellCategory,
    /// Mint a credential, begin the delivery if there is none, mail the guest (S1.29, S4.16).
    Invite,
    /// Void the credential, mint another, mail the guest the new values (S4.29).
    Update,
    /// The credential opens nothing until revived; pass and page say "not valid now".
    Suspend,
    /// Revive the suspended credential with no mail.
    Revive,
    /// The credential is dead; pass and page end with no message to the guest (S2.28).
    Void,
    /// Void, and tell the guest if the guest had been told (cancel, delete).
    Cancel,
    /// The delivery to this earlier address ends: void, no code, a bare cancellation if it had been told.
    EndDelivery {
        /// The address the delivery went to.
        email: String,
    },
    /// Tell the host of the approval (S2.29).
    TellHostApproved,
    /// Tell the host of the rejection, with the reason and whether it is final (S2.24–27).
    TellHostRejected {
        /// The approver's words.
        reason: Option<String>,
        /// The guest cannot be invited at all.
        r#final: bool,
    },
    /// Tell the host of something to look at, by a stable code.
    TellHostAlert {
        /// `cancelled_on_site`, ….
        code: &'static str,
    },
}

/// The alerts that [`Effect::TellHostAlert`] can name.
const ALERTS: [&str; 9] = [
    "arrived",
    "arrived_after_cancellation",
    "arrived_without_approval",
    "cancelled_on_site",
    "rejected_on_site",
    "duplicate_use",
    "mail_failed",
    "mail_address",
    "window_passed",
];

impl Effect {
    /// Its name in the log and the database, and what more is to be known to carry it out later.
    pub fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::TellPending => ("tell_pending", None),
            Self::TellCategory => ("tell_category", None),
            Self::Invite => ("invite", None),
            Self::Update => ("update", None),
            Self::Suspend => ("suspend", None),
            Self::Revive => ("revive", None),
            Self::Void => ("void", None),
            Self::Cancel => ("cancel", None),
            Self::EndDelivery { email } => ("end_delivery", Some(email)),
            Self::TellHostApproved => ("tell_host_approved", None),
            Self::TellHostRejected { reason, r#final: false } => ("tell_host_rejected", reason.as_deref()),
            Self::TellHostRejected { reason, r#final: true } => ("tell_host_rejected_finally", reason.as_deref()),
            Self::TellHostAlert { code } => ("tell_host_alert", Some(code)),
        }
    }

    /// The effect of that name; none if this version knows no such effect.
    pub fn from_parts(name: &str, detail: Option<&str>) -> Option<Self> {
        let reason = || detail.map(str::to_owned);
        Some(match name {
            "tell_pending" => Self::TellPending,
            "tell_category" => Self::TellCategory,
            "invite" => Self::Invite,
            "update" => Self::Update,
            "suspend" => Self::Suspend,
            "revive" => Self::Revive,
            "void" => Self::Void,
            "cancel" => Self::Cancel,
            "end_delivery" => Self::EndDelivery { email: reason()? },
            "tell_host_approved" => Self::TellHostApproved,
            "tell_host_rejected" => Self::TellHostRejected { reason: reason(), r#final: false },
            "tell_host_rejected_finally" => Self::TellHostRejected { reason: reason(), r#final: true },
            "tell_host_alert" => Self::TellHostAlert {
                code: ALERTS.into_iter().find(|code| Some(*code) == detail).unwrap_or("attention"),
            },
            _ => return None,
        })
    }

    /// Whether it tells the guest where the visit stands: done, it leaves nothing to do of such an effect before it.
    pub fn settles(&self) -> bool {
        matches!(self, Self::Invite | Self::Update | Self::Revive | Self::Cancel)
    }

    /// Whether there is still reason to carry it out, for a visit that has come to stand like this.
    pub fn applies(&self, visit: &AcceptedVisit) -> bool {
        match self {
            Self::Invite | Self::Update | Self::Revive | Self::TellCategory => visit.status() == Status::Upcoming,
            Self::TellPending | Self::Suspend => visit.status() == Status::Pending,
            Self::Cancel => visit.status() == Status::Cancelled,
            Self::TellHostApproved => visit.standing.approval == Approval::Approved && !visit.is_over(),
            Self::TellHostRejected { .. } => matches!(visit.standing.approval, Approval::Rejected { .. }),
            Self::Void | Self::EndDelivery { .. } | Self::TellHostAlert { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What could not be carried out is the same effect when it is tried again.
    #[test]
    fn an_effect_is_its_parts() {
        let reason = || Some("No badge".to_owned());
        let effects = [
            Effect::TellPending,
            Effect::TellCategory,
            Effect::Invite,
            Effect::Update,
            Effect::Suspend,
            Effect::Revive,
            Effect::Void,
            Effect::Cancel,
            Effect::EndDelivery { email: "a@b.ch".into() },
            Effect::TellHostApproved,
            Effect::TellHostRejected { reason: reason(), r#final: false },
            Effect::TellHostRejected { reason: None, r#final: true },
        ];
        for effect in effects.into_iter().chain(ALERTS.map(|code| Effect::TellHostAlert { code })) {
            let (name, detail) = effect.parts();
            assert_eq!(Effect::from_parts(name, detail).as_ref(), Some(&effect));
        }
        assert_eq!(Effect::from_parts("later", None), None);
    }
}
