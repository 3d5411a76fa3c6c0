//! What a change of a visit's life brings about: decided by [`crate::lifecycle`], carried out by [`crate::delivery`].

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
