//! The lifecycle: the status of a visit, computed from what the hub decided, what the document says, and what is still
//! on its way from this phone.

use super::Status;
use crate::decision::{Approval, Ended, Presence, Standing};

/// What the phone still has to say about a visit, or was told no to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operations {
    /// Something waits to be sent or answered.
    pub queued: bool,
    /// Something was refused and is kept as a draft.
    pub refused: bool,
}

/// The status of a visit. `cancelled` is what the document says (or `deleted`), the phone's own unsent word included:
/// the host sees the visit as cancelled at once, and [`Operations::queued`] says that the hub has not heard it yet.
///
/// Nothing is shown as invited or approved before the hub has said so; an arrival wins over a cancellation.
///
/// ```
/// use vestibule_core::decision::Standing;
/// use vestibule_core::visit::{Operations, Status, status};
///
/// let queued = Operations { queued: true, refused: false };
/// assert_eq!(status(&Standing::default(), false, queued), Status::Queued);
/// ```
pub fn status(standing: &Standing, cancelled: bool, operations: Operations) -> Status {
    if !standing.is_accepted() {
        return match operations {
            Operations { queued: false, refused: true } => Status::Refused,
            _ if cancelled => Status::Cancelled,
            _ => Status::Queued,
        };
    }
    match (standing.presence, standing.ended, &standing.approval) {
        (Presence::OnSite, ..) => Status::OnSite,
        (Presence::Departed, ..) => Status::Departed,
        (_, Some(Ended::Cancelled), _) => Status::Cancelled,
        (_, Some(Ended::NoShow), _) => Status::NoShow,
        (_, Some(Ended::Expired), _) => Status::Expired,
        (_, None, Approval::Rejected { .. }) => Status::Rejected,
        _ if cancelled => Status::Cancelled,
        (_, None, Approval::Pending) => Status::Pending,
        (_, None, Approval::NotNeeded | Approval::Approved) => Status::Upcoming,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Fact, Told};
    use crate::id::MemberId;

    const IDLE: Operations = Operations { queued: false, refused: false };
    const QUEUED: Operations = Operations { queued: true, refused: false };

    fn after(facts: &[Fact]) -> Standing {
        let mut standing = Standing::default();
        for fact in facts {
            standing.fold(fact);
        }
        standing
    }

    fn accepted(needs_approval: bool) -> Fact {
        Fact::Accepted { number: 1, creator: MemberId::new("ada").expect("an id"), needs_approval }
    }

    /// S1.5, S2.14, S4.14: nothing is Upcoming before the hub has said so; Pending until decided.
    #[test]
    fn a_visit_is_queued_then_pending_then_upcoming() {
        assert_eq!(status(&after(&[]), false, QUEUED), Status::Queued);
        assert_eq!(status(&after(&[accepted(true)]), false, IDLE), Status::Pending);
        assert_eq!(status(&after(&[accepted(false)]), false, IDLE), Status::Upcoming);
        let approved = [accepted(true), Fact::Approved { heads: vec![] }, Fact::GuestTold(Told::Invitation)];
        assert_eq!(status(&after(&approved), false, IDLE), Status::Upcoming);
        assert_eq!(status(&after(&[]), false, Operations { queued: false, refused: true }), Status::Refused);
    }

    /// S1.8: a host's cancellation shows at once, and an arrival wins over it.
    #[test]
    fn a_cancellation_shows_at_once_and_loses_to_an_arrival() {
        assert_eq!(status(&after(&[accepted(false)]), true, QUEUED), Status::Cancelled);
        assert_eq!(status(&after(&[accepted(false), Fact::Arrived]), true, QUEUED), Status::OnSite);
        let left = [accepted(false), Fact::NoShow, Fact::Arrived, Fact::Departed];
        assert_eq!(status(&after(&left), false, IDLE), Status::Departed);
    }

    /// S2.22, S2.27: a rejection stays one, whatever the host does to the visit afterwards.
    #[test]
    fn a_rejection_stays_one() {
        let rejected = [accepted(true), Fact::Rejected { reason: None, r#final: true }];
        assert_eq!(status(&after(&rejected), true, QUEUED), Status::Rejected);
    }
}
