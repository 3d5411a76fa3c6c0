//! The lifecycle of a visit: from what it was and what happened to the facts for its log and the effects to carry out.
//!
//! Pure: no store, no clock. [`crate::record`] writes the facts, has the effects carried out in their order, and
//! writes the facts that come of them (minted, voided, the guest told). What holds here, whatever happens in whatever
//! order: the guest hears nothing before an approval and never of a rejection; no credential lives while a visit is
//! pending, rejected, cancelled or over.

use vestibule_core::decision::{Approval, CredentialState, Ended, Fact, Presence};
use vestibule_core::id::{ChangeHash, MemberId};
use vestibule_core::visit::{Key, VisitValues, differences};

use crate::effect::Effect;
use crate::visit::AcceptedVisit;

/// What follows from something that happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For the log, in this order.
    pub facts: Vec<Fact>,
    /// To carry out after the facts are written, in this order.
    pub effects: Vec<Effect>,
}

/// Something an approver decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// Approved with these heads.
    Approved {
        /// The accepted heads the approver saw.
        heads: Vec<ChangeHash>,
    },
    /// Rejected.
    Rejected {
        /// Shown to the host.
        reason: Option<String>,
        /// The guest cannot be invited at all.
        r#final: bool,
    },
    /// Back to Pending.
    Reopened,
}

/// The hub takes the first change of a visit.
pub fn created(number: u64, creator: MemberId, values: &VisitValues, needs_approval: bool) -> Outcome {
    let mut facts = vec![Fact::Accepted { number, creator, needs_approval }];
    if let Some(ended) = ending(values) {
        // Made and called off before the hub heard of it: nobody needs to hear of it now.
        facts.push(ended);
        return Outcome { facts, effects: Vec::new() };
    }
    let effects = if needs_approval { vec![Effect::TellPending] } else { vec![Effect::Invite, Effect::TellCategory] };
    Outcome { facts, effects }
}

/// The hub takes a later change: `visit` is as it was before, `after` has the new values; `needs_approval` is what the
/// policy says of the new values.
pub fn edited(visit: &AcceptedVisit, after: &VisitValues, needs_approval: bool) -> Outcome {
    let before = &visit.values;
    let keys = differences(before, after);
    if ending(before).is_none()
        && let Some(ended) = ending(after)
    {
        return ended_by_host(visit, ended);
    }
    let names = keys.iter().map(ToString::to_string).collect();
    let mut outcome = Outcome { facts: vec![Fact::Edited { keys: names }], effects: Vec::new() };
    let expected = visit.standing.presence == Presence::Expected && visit.standing.ended.is_none();
    if !expected || ending(after).is_some() {
        return outcome;
    }
    let type_changed = keys.contains(&Key::Type);
    match visit.standing.approval {
        Approval::Rejected { .. } => {}
        Approval::Pending => {
            outcome.effects = withdrawn(visit, &keys);
            if type_changed {
                outcome.effects.push(Effect::TellPending);
            }
        }
        Approval::NotNeeded | Approval::Approved => {
            // A visit that needed no approval and was edited in nothing its type decides goes on needing none.
            let material: Vec<String> = keys.iter().filter(|key| key.is_material()).map(ToString::to_string).collect();
            if needs_approval && !material.is_empty() {
                outcome.facts.push(Fact::ApprovalStale { keys: material });
                outcome.effects = withdrawn(visit, &keys);
                outcome.effects.push(Effect::TellPending);
            } else {
                outcome.effects = told_anew(visit, &keys);
                if type_changed {
                    outcome.effects.push(Effect::TellCategory);
                }
            }
        }
    }
    outcome
}

/// An approver decides. Whether they may, and whether they saw the present state, is checked before.
pub fn decided(visit: &AcceptedVisit, decision: Decided) -> Outcome {
    let expected = visit.standing.presence == Presence::Expected && visit.standing.ended.is_none();
    match decision {
        Decided::Approved { heads } => {
            let mut effects = vec![Effect::TellHostApproved];
            if expected {
                effects.push(match visit.standing.credential {
                    CredentialState::Suspended => Effect::Revive,
                    CredentialState::None => Effect::Invite,
                    _ => Effect::Update,
                });
            }
            Outcome { facts: vec![Fact::Approved { heads }], effects }
        }
        Decided::Rejected { reason, r#final } => {
            let mut outcome = Outcome {
                facts: vec![Fact::Rejected { reason: reason.clone(), r#final }],
                effects: void(visit).into_iter().collect(),
            };
            outcome.effects.push(Effect::TellHostRejected { reason, r#final });
            if visit.standing.presence == Presence::OnSite {
                alert(&mut outcome, "rejected_on_site");
            }
            outcome
        }
        Decided::Reopened => {
            let live = visit.standing.credential == CredentialState::Live;
            Outcome { facts: vec![Fact::Reopened], effects: live.then_some(Effect::Suspend).into_iter().collect() }
        }
    }
}

/// The host deletes an unused invitation by a request; whether it is unused is checked before.
pub fn deleted(visit: &AcceptedVisit) -> Outcome {
    ended_by_host(visit, Fact::Deleted)
}

/// Reception saw the visitor come in. An arrival is a fact: it wins over what was decided meanwhile, with an alert.
pub fn arrived(visit: &AcceptedVisit) -> Outcome {
    let mut outcome = Outcome { facts: vec![Fact::Arrived], effects: void(visit).into_iter().collect() };
    let unexpected = match (visit.standing.ended, &visit.standing.approval) {
        (Some(Ended::Cancelled), _) => Some("arrived_after_cancellation"),
        (_, Approval::Pending | Approval::Rejected { .. }) => Some("arrived_without_approval"),
        _ => None,
    };
    match unexpected {
        Some(code) => alert(&mut outcome, code),
        None => outcome.effects.push(Effect::TellHostAlert { code: "arrived" }),
    }
    outcome
}

/// Reception saw the visitor leave.
pub fn departed() -> Outcome {
    Outcome { facts: vec![Fact::Departed], effects: Vec::new() }
}

/// The window has passed, and the visitor was never seen: no show; expired where it was never approved, or had no
/// schedule.
pub fn window_passed(visit: &AcceptedVisit) -> Outcome {
    let missed = visit.values.schedule.is_some() && visit.standing.approval != Approval::Pending;
    let ended = if missed { Fact::NoShow } else { Fact::Expired };
    Outcome { facts: vec![ended], effects: void(visit).into_iter().collect() }
}

/// How the document says that it ended.
fn ending(values: &VisitValues) -> Option<Fact> {
    if values.deleted { Some(Fact::Deleted) } else { values.cancelled.then_some(Fact::Cancelled) }
}

fn ended_by_host(visit: &AcceptedVisit, ended: Fact) -> Outcome {
    if visit.standing.presence != Presence::Expected {
        // Arrival wins: the visitor is, or was, in the building, and stays in the lists as such.
        let mut outcome = Outcome { facts: Vec::new(), effects: void(visit).into_iter().collect() };
        alert(&mut outcome, "cancelled_on_site");
        return outcome;
    }
    let effects = match visit.standing.approval {
        // The guest's pass and page have ended without a word, and no word of it follows (S2.28).
        Approval::Rejected { .. } => void(visit).into_iter().collect(),
        _ => vec![Effect::Cancel],
    };
    Outcome { facts: vec![ended], effects }
}

fn alert(outcome: &mut Outcome, code: &'static str) {
    outcome.facts.push(Fact::Alert(code.to_owned()));
    outcome.effects.push(Effect::TellHostAlert { code });
}

fn void(visit: &AcceptedVisit) -> Option<Effect> {
    matches!(visit.standing.credential, CredentialState::Live | CredentialState::Suspended).then_some(Effect::Void)
}

/// What an edit takes back from the guest of a visit that is pending after it.
fn withdrawn(visit: &AcceptedVisit, keys: &[Key]) -> Vec<Effect> {
    if let Some(end) = ended_delivery(visit, keys) {
        return vec![end];
    }
    let shown = keys.iter().any(|key| key.is_shown());
    void(visit).filter(|_| shown).into_iter().collect()
}

/// What an edit of an upcoming visit tells the guest (S4.29).
fn told_anew(visit: &AcceptedVisit, keys: &[Key]) -> Vec<Effect> {
    if keys.contains(&Key::Email) {
        ended_delivery(visit, keys).into_iter().chain([Effect::Invite]).collect()
    } else if keys.iter().any(|key| key.is_shown()) {
        vec![if visit.standing.credential == CredentialState::None { Effect::Invite } else { Effect::Update }]
    } else {
        Vec::new()
    }
}

/// The end of the delivery to the earlier address, if the address changed and a mail to it was ever made.
fn ended_delivery(visit: &AcceptedVisit, keys: &[Key]) -> Option<Effect> {
    let begun = visit.standing.credential != CredentialState::None;
    let email = visit.values.email.clone().filter(|_| begun && keys.contains(&Key::Email));
    email.map(|email| Effect::EndDelivery { email })
}

#[cfg(test)]
mod tests;
