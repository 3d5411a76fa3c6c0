//! The decision log: what the hub decided about a visit, append-only, numbered, chained and signed by the hub.
//!
//! An [`Entry`] chains a commitment, SHA-256(salt ‖ payload); the payload (a [`Decision`]) stands beside it, so that
//! erasure deletes payload and salt and the chain still verifies. [`Standing`] folds a log into what it means now; the
//! status of a visit is computed from its document and its standing, never stored as a field two writers race for.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;
use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};
use sha2::{Digest, Sha256};

use crate::cbor::{self, NotCanonical};
use crate::guest_mail::{GuestMail, MailState, Undelivered};
use crate::id::{ChainHash, ChangeHash, MemberId, RequestId, VisitId};
use crate::reader::{What, knows};

/// One link of a visit's log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// The visit.
    #[n(0)]
    pub visit: VisitId,
    /// Dense, from 1.
    #[n(1)]
    pub number: u64,
    /// The hash of the entry before; [`ChainHash::ORIGIN`] for the first.
    #[n(2)]
    pub previous: ChainHash,
    /// When the hub decided, Unix seconds.
    #[n(3)]
    pub at: i64,
    /// SHA-256(salt ‖ payload).
    #[n(4)]
    pub commitment: ChainHash,
}

/// The payload of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decision {
    /// What happened.
    #[n(0)]
    #[cbor(decode_with = "known_or_later")]
    pub fact: Fact,
    /// The member who decided or wrote; absent for the hub itself.
    #[n(1)]
    pub by: Option<MemberId>,
    /// The request that asked for it.
    #[n(2)]
    pub request: Option<RequestId>,
}

/// What a guest was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Told {
    /// Invited: PIN, QR code, calendar entry, passes.
    #[n(0)]
    Invitation,
    /// Something shown to the visitor changed: a new access mail.
    #[n(1)]
    Change,
    /// Cancelled.
    #[n(2)]
    Cancellation,
    /// To an earlier address: the invitation sent there has ended.
    #[n(3)]
    End,
}

impl Told {
    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Change => "change",
            Self::Cancellation => "cancellation",
            Self::End => "end",
        }
    }
}

/// A fact of the log. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Fact {
    /// The hub took the visit's first change.
    #[n(0)]
    Accepted {
        /// The visit's integer, counted over the whole hub.
        #[n(0)]
        number: u64,
        /// Who created it.
        #[n(1)]
        creator: MemberId,
        /// Whether it waits for an approver.
        #[n(2)]
        needs_approval: bool,
    },
    /// Approved, exactly with these heads.
    #[n(1)]
    Approved {
        /// The accepted heads the approver saw.
        #[n(0)]
        heads: Vec<ChangeHash>,
    },
    /// Rejected.
    #[n(2)]
    Rejected {
        /// Shown to the host.
        #[n(0)]
        reason: Option<String>,
        /// The guest cannot be invited at all; otherwise: change it and invite again.
        #[n(1)]
        r#final: bool,
    },
    /// Back to Pending by an approver.
    #[n(3)]
    Reopened,
    /// Back to Pending because something material changed after the approval.
    #[n(4)]
    ApprovalStale {
        /// The keys that changed.
        #[n(0)]
        keys: Vec<String>,
    },
    /// A credential lives.
    #[n(5)]
    Minted {
        /// It opens from here.
        #[n(0)]
        not_before: i64,
        /// It ends here.
        #[n(1)]
        expires: i64,
    },
    /// The credential opens nothing until it is revived.
    #[n(6)]
    Suspended,
    /// The suspended credential lives again.
    #[n(7)]
    Revived,
    /// The credential is dead.
    #[n(8)]
    Voided,
    /// A mail server has taken a mail to the guest.
    #[n(9)]
    GuestTold(#[n(0)] Told),
    /// The visitor is on site.
    #[n(10)]
    Arrived,
    /// The visitor has left.
    #[n(11)]
    Departed,
    /// Cancelled by the host.
    #[n(12)]
    Cancelled,
    /// Deleted unused.
    #[n(13)]
    Deleted,
    /// The window passed and the visitor was never seen.
    #[n(14)]
    NoShow,
    /// The window passed while pending, or an unscheduled invitation ran out.
    #[n(15)]
    Expired,
    /// Something host and reception should look at, by a stable code.
    #[n(16)]
    Alert(#[n(0)] String),
    /// A later accepted change of the visit, by the keys it wrote.
    #[n(17)]
    Edited {
        /// The keys that changed.
        #[n(0)]
        keys: Vec<String>,
    },
    /// A mail to the guest stands in the outbox.
    #[n(18)]
    MailQueued {
        /// What it says.
        #[n(0)]
        what: Told,
        /// A quota holds it back until then.
        #[n(1)]
        held_until: Option<i64>,
    },
    /// A mail to the guest was not taken.
    #[n(19)]
    MailUndelivered {
        /// What it says.
        #[n(0)]
        what: Told,
        /// What becomes of it.
        #[n(1)]
        how: Undelivered,
        /// The kind of trouble, by a stable code: `dns`, `tls_expired`, `permanent`, ….
        #[n(2)]
        class: String,
        /// The mail server's answer, where it gave one.
        #[n(3)]
        code: Option<u16>,
    },
    /// Something that was to follow from what stands above could not be done, and is tried again; without a code it has
    /// been done since, or need not be done any more.
    #[n(20)]
    Undone {
        /// What was to follow, by a stable name: `invite`, `cancel`, ….
        #[n(0)]
        effect: String,
        /// Why not, by a stable code.
        #[n(1)]
        code: Option<String>,
    },
    /// A fact of a later version, by its number: only ever read. The entry is kept, the chain goes on, and what it
    /// means is for the app's next version.
    #[n(4_294_967_295)]
    Later(#[n(0)] u32),
}

/// The number of the last fact this version knows.
pub(crate) const LAST_FACT: u32 = 20;
/// Stands for the number of a fact in a decision that cannot be read at all.
const UNREAD_FACT: u32 = u32::MAX;

/// A fact is `[number, [field, …]]`; of one that is not known here, or says of something known what is not, only the
/// number is taken.
fn known_or_later<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Fact, DecodeError> {
    let start = d.position();
    let mut ahead = d.probe();
    let is_a_fact = ahead.array()? == Some(2);
    let number = ahead.u32()?;
    if number <= LAST_FACT && knows(What::Fact(number)) {
        match Fact::decode(d, ctx) {
            Err(_) if is_a_fact => d.set_position(start),
            read => return read,
        }
    }
    if !is_a_fact {
        return Err(DecodeError::message("a fact is its number and its fields"));
    }
    d.skip()?;
    Ok(Fact::Later(number))
}

impl Fact {
    /// The kind's name in SQL, JSON and histories.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
            Self::Reopened => "reopened",
            Self::ApprovalStale { .. } => "approval_stale",
            Self::Minted { .. } => "minted",
            Self::Suspended => "suspended",
            Self::Revived => "revived",
            Self::Voided => "voided",
            Self::GuestTold(_) => "guest_told",
            Self::Arrived => "arrived",
            Self::Departed => "departed",
            Self::Cancelled => "cancelled",
            Self::Deleted => "deleted",
            Self::NoShow => "no_show",
            Self::Expired => "expired",
            Self::Alert(_) => "alert",
            Self::Edited { .. } => "edited",
            Self::MailQueued { .. } => "mail_queued",
            Self::MailUndelivered { how, .. } => how.fact_kind(),
            Self::Undone { code: Some(_), .. } => "undone",
            Self::Undone { code: None, .. } => "settled",
            Self::Later(_) => "later",
        }
    }

    /// Whether it decides nothing, such as how far a mail has come: whoever did not see it has seen the same visit.
    pub fn decides_nothing(&self) -> bool {
        matches!(self, Self::GuestTold(_) | Self::MailQueued { .. } | Self::MailUndelivered { .. } | Self::Alert(_))
    }
}

/// The alert that no address which approves invitations could be told of one.
pub const APPROVERS_NOT_TOLD: &str = "approvers_not_told";

/// Ends the code of what the hub took and could not finish: `invite_undone`.
pub const UNDONE: &str = "_undone";

/// Whether the code of a visit's problem is the hub's word on what it did with the visit, and not a refusal of what a phone
/// wrote.
pub fn is_hubs_word(problem: &str) -> bool {
    matches!(problem, "mail_refused" | "mail_given_up" | "mail_delayed" | "mail_late" | APPROVERS_NOT_TOLD)
        || problem.ends_with(UNDONE)
}

/// An entry with its payload, as it travels in the feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LoggedDecision {
    /// The entry's bytes: what is chained.
    #[n(0)]
    pub entry: ByteVec,
    /// Sixteen random bytes.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// The [`Decision`]'s bytes.
    #[n(2)]
    pub payload: ByteVec,
}

/// Why a logged decision is not taken; completes "failed to take a decision: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// The bytes are no entry or decision.
    #[error(transparent)]
    Garbage(#[from] NotCanonical),
    /// The payload is not the one the entry commits to.
    #[error("the payload is not the one the log commits to")]
    Commitment,
    /// The entry does not follow the last one held.
    #[error("the entry does not follow the last one")]
    DoesNotFollow,
}

impl LoggedDecision {
    /// Writes the next entry of a visit's log.
    pub fn next(
        visit: VisitId,
        number: u64,
        previous: ChainHash,
        at: i64,
        decision: &Decision,
        salt: [u8; 16],
    ) -> Self {
        let payload = cbor::write(decision);
        let entry = Entry { visit, number, previous, at, commitment: commitment(&salt, &payload) };
        Self { entry: cbor::write(&entry).into(), salt, payload: payload.into() }
    }

    /// The hash the next entry names: SHA-256 of the entry's bytes.
    pub fn hash(&self) -> ChainHash {
        ChainHash(Sha256::digest(self.entry.as_slice()).into())
    }

    /// Reads the entry and its decision, checks the commitment and that it follows (`last` number, `previous` hash).
    pub fn open(&self, last: u64, previous: &ChainHash) -> Result<(Entry, Decision), DecisionError> {
        let entry: Entry = cbor::read(&self.entry, "log entry")?;
        if entry.commitment != commitment(&self.salt, &self.payload) {
            return Err(DecisionError::Commitment);
        }
        if last.checked_add(1) != Some(entry.number) || entry.previous != *previous {
            return Err(DecisionError::DoesNotFollow);
        }
        // What the hub has committed to and cannot be read here is of a later version: the chain goes on over it.
        let unread = Decision { fact: Fact::Later(UNREAD_FACT), by: None, request: None };
        Ok((entry, cbor::read(&self.payload, "decision").unwrap_or(unread)))
    }
}

fn commitment(salt: &[u8; 16], payload: &[u8]) -> ChainHash {
    ChainHash(Sha256::new().chain_update(salt).chain_update(payload).finalize().into())
}

/// The security approval of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Approval {
    /// None is needed.
    #[default]
    NotNeeded,
    /// It waits.
    Pending,
    /// Given.
    Approved,
    /// Refused.
    Rejected {
        /// Shown to the host.
        reason: Option<String>,
        /// No new invitation is possible.
        r#final: bool,
    },
}

/// The credential of a visit, as far as anyone but the hub may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CredentialState {
    /// Never minted.
    #[default]
    None,
    /// It opens within its window.
    Live,
    /// It opens nothing for now.
    Suspended,
    /// It is dead.
    Void,
}

/// Where the visitor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// Not seen yet.
    #[default]
    Expected,
    /// On site.
    OnSite,
    /// Left again.
    Departed,
}

/// How a visit ended without an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Cancelled or deleted.
    Cancelled,
    /// Never seen.
    NoShow,
    /// Ran out.
    Expired,
}

/// What a visit's log means now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The hub's integer for the visit; 0 while the hub has not taken it.
    pub number: u64,
    /// Who created it, as the hub saw it.
    pub creator: Option<MemberId>,
    /// The security approval.
    pub approval: Approval,
    /// The credential.
    pub credential: CredentialState,
    /// Presence.
    pub presence: Presence,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
    /// Whether a mail server ever took a mail to the guest.
    pub guest_told: bool,
    /// Where the last mail to the guest's present address is; none where none belongs to what holds now.
    pub mail: Option<GuestMail>,
    /// It waits for an approval that nobody could be asked for by mail.
    pub approvers_untold: bool,
    /// What was to follow and could not be done yet, with the code of the reason.
    pub undone: BTreeMap<String, String>,
}

impl Standing {
    /// Whether the hub has taken the visit.
    pub fn is_accepted(&self) -> bool {
        self.number != 0
    }

    /// Takes one more fact, in the order of the log.
    pub fn fold(&mut self, fact: &Fact) {
        match fact {
            Fact::Accepted { number, creator, needs_approval } => {
                self.number = *number;
                self.creator = Some(creator.clone());
                self.approval = if *needs_approval { Approval::Pending } else { Approval::NotNeeded };
            }
            Fact::Approved { .. } => {
                self.approval = Approval::Approved;
                self.approvers_untold = false;
            }
            Fact::Rejected { reason, r#final } => {
                self.approvers_untold = false;
                self.approval = Approval::Rejected { reason: reason.clone(), r#final: *r#final };
            }
            Fact::Reopened | Fact::ApprovalStale { .. } => self.approval = Approval::Pending,
            Fact::Minted { .. } | Fact::Revived => self.credential = CredentialState::Live,
            Fact::Suspended => self.credential = CredentialState::Suspended,
            Fact::Voided => {
                self.credential = CredentialState::Void;
                // Its mail is worth nothing any more; one that takes its place is queued after this.
                self.mail = None;
            }
            Fact::GuestTold(what) => {
                self.guest_told = true;
                self.take_mail(*what, Some(MailState::HandedOver));
            }
            Fact::MailQueued { what, held_until } => {
                self.take_mail(*what, Some(held_until.map_or(MailState::Waiting, |until| MailState::Held { until })));
            }
            Fact::MailUndelivered { what, how, class, code } => self.take_mail(*what, how.state(class, *code)),
            Fact::Arrived => {
                self.presence = Presence::OnSite;
                self.ended = None;
            }
            Fact::Departed => self.presence = Presence::Departed,
            Fact::Cancelled | Fact::Deleted => self.end(Ended::Cancelled),
            Fact::NoShow => self.end(Ended::NoShow),
            Fact::Expired => self.end(Ended::Expired),
            Fact::Alert(code) if code == APPROVERS_NOT_TOLD => self.approvers_untold = true,
            Fact::Undone { effect, code: Some(code) } => {
                self.undone.insert(effect.clone(), code.clone());
            }
            Fact::Undone { effect, code: None } => {
                self.undone.remove(effect);
            }
            Fact::Alert(_) | Fact::Edited { .. } | Fact::Later(_) => {}
        }
    }

    fn end(&mut self, ended: Ended) {
        self.ended = Some(ended);
        self.approvers_untold = false;
    }

    /// A mail to an earlier address says nothing of the guest's.
    fn take_mail(&mut self, what: Told, state: Option<MailState>) {
        if what != Told::End {
            self.mail = state.map(|state| GuestMail { what, state });
        }
    }

    /// What its host should look at, by a stable code: a mail that is not delivered, approvers who cannot be told.
    pub fn problem(&self) -> Option<&'static str> {
        let mail = self.mail.as_ref().and_then(GuestMail::problem);
        mail.or_else(|| self.approvers_untold.then_some(APPROVERS_NOT_TOLD))
    }
}

/// What a host is told of something that was to follow and could not be done.
pub fn undone_message(effect: &str) -> &'static str {
    match effect {
        "invite" | "update" | "revive" => {
            "Your visitor's invitation could not be sent. It is tried again; ask your administrator, or correct the visit."
        }
        "cancel" | "end_delivery" => {
            "Access was withdrawn, but your visitor could not be told. Please tell them yourself."
        }
        "tell_pending" => "The approvers could not be told of this visit. Please tell them yourself.",
        _ => "Something about this visit could not be done. It is tried again; ask your administrator.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What failed stands until it is settled, each effect for itself.
    #[test]
    fn what_could_not_be_done_stands_until_it_is() {
        let mut standing = Standing::default();
        let undone =
            |effect: &str, code: Option<&str>| Fact::Undone { effect: effect.into(), code: code.map(Into::into) };
        for fact in [undone("invite", Some("panic")), undone("tell_category", Some("mail")), undone("invite", None)] {
            let decision = Decision { fact, by: None, request: None };
            let bytes = cbor::write(&decision);
            assert_eq!(cbor::read::<Decision>(&bytes, "decision"), Ok(decision.clone()));
            standing.fold(&decision.fact);
        }
        assert_eq!(standing.undone.keys().collect::<Vec<_>>(), ["tell_category"]);
    }

    fn visit() -> VisitId {
        VisitId::from_parts(1_700_000_000_000, [1; 10])
    }

    #[test]
    fn a_log_is_taken_in_order_and_a_changed_payload_is_not() {
        let approved = Decision { fact: Fact::Approved { heads: vec![] }, by: None, request: None };
        let one = LoggedDecision::next(visit(), 1, ChainHash::ORIGIN, 5, &approved, [3; 16]);
        let two = LoggedDecision::next(visit(), 2, one.hash(), 6, &approved, [4; 16]);
        assert_eq!(one.open(0, &ChainHash::ORIGIN).map(|(_, d)| d), Ok(approved));
        assert_eq!(two.open(1, &one.hash()).map(|(e, _)| e.number), Ok(2));
        assert_eq!(two.open(0, &ChainHash::ORIGIN), Err(DecisionError::DoesNotFollow));
        let mut forged = one;
        forged.payload = cbor::write(&Decision { fact: Fact::Reopened, by: None, request: None }).into();
        assert_eq!(forged.open(0, &ChainHash::ORIGIN), Err(DecisionError::Commitment));
    }

    /// Told means taken by a mail server; a mail that waits or was refused told nobody, and what replaces it counts anew.
    #[test]
    fn the_guest_is_told_when_a_mail_server_has_the_mail() {
        let mut standing = Standing::default();
        standing.fold(&Fact::MailQueued { what: Told::Invitation, held_until: None });
        assert_eq!((standing.guest_told, standing.problem()), (false, None));
        let refused = |what, how| Fact::MailUndelivered { what, how, class: "permanent".into(), code: Some(550) };
        standing.fold(&refused(Told::Invitation, Undelivered::Refused));
        assert_eq!((standing.guest_told, standing.problem()), (false, Some("mail_refused")));
        standing.fold(&Fact::Voided);
        assert_eq!(standing.problem(), None, "a corrected visit has a mail of its own");
        standing.fold(&Fact::MailQueued { what: Told::Invitation, held_until: Some(9) });
        assert_eq!(standing.mail.as_ref().map(|mail| &mail.state), Some(&MailState::Held { until: 9 }));
        standing.fold(&Fact::GuestTold(Told::Invitation));
        assert_eq!((standing.guest_told, standing.problem()), (true, None));
        standing.fold(&refused(Told::End, Undelivered::Refused));
        assert_eq!(standing.problem(), None, "the address before takes no mail: that is why it was corrected");
        standing.fold(&refused(Told::Change, Undelivered::Withdrawn));
        assert_eq!(standing.mail, None);
    }

    /// An approval nobody could be asked for is the host's to look at, until somebody decides all the same.
    #[test]
    fn approvers_who_cannot_be_told_are_a_problem_until_they_decide() {
        let mut standing = Standing::default();
        standing.fold(&Fact::Alert(APPROVERS_NOT_TOLD.into()));
        assert_eq!(standing.problem(), Some(APPROVERS_NOT_TOLD));
        standing.fold(&Fact::Approved { heads: vec![] });
        assert_eq!(standing.problem(), None);
    }

    /// S2.21, S2.22: an approved visit can go back to Pending and can be rejected.
    #[test]
    fn an_approval_can_be_reopened_and_turned_down() {
        let mut standing = Standing::default();
        let creator = MemberId::new("ada").expect("a code");
        standing.fold(&Fact::Accepted { number: 7, creator, needs_approval: true });
        assert_eq!(standing.approval, Approval::Pending);
        standing.fold(&Fact::Approved { heads: vec![] });
        standing.fold(&Fact::Reopened);
        assert_eq!(standing.approval, Approval::Pending);
        standing.fold(&Fact::Rejected { reason: Some("no".into()), r#final: true });
        assert_eq!(standing.approval, Approval::Rejected { reason: Some("no".into()), r#final: true });
    }
}
