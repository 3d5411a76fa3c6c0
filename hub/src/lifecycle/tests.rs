//! The laws of the lifecycle, over any order of what may happen.

use proptest::prelude::*;
use vestibule_core::decision::{Standing, Told};
use vestibule_core::id::ChainHash;
use vestibule_core::visit::Status;

use super::*;

/// A visit with what a delivery would make of its effects, as its log tells.
struct Life {
    visit: AcceptedVisit,
    /// Whether the guest at the present address was told of it, and not of its end.
    told: bool,
    /// Facts and effects in the order they happened.
    effects: Vec<Effect>,
}

fn values(email: u8, company: u8, reason: u8, contractor: bool, cancelled: bool) -> VisitValues {
    VisitValues {
        first_name: Some("Grace".into()),
        email: Some(format!("guest{email}@example.org")),
        company: Some(format!("Company {company}")),
        reason: Some(format!("Reason {reason}")),
        site: Some("zrh".parse().expect("an id")),
        host: Some("ada".parse().expect("an id")),
        visitor_type: Some(if contractor { "contractor" } else { "guest" }.parse().expect("an id")),
        cancelled,
        ..VisitValues::default()
    }
}

impl Life {
    fn begin(first: &VisitValues, needs_approval: bool) -> Self {
        let visit = AcceptedVisit {
            id: vestibule_core::id::VisitId::from_parts(1, [0; 10]),
            number: 1,
            organisation: "example-ag".parse().expect("an id"),
            creator: "ada".parse().expect("an id"),
            site: "zrh".parse().expect("an id"),
            host: "ada".parse().expect("an id"),
            values: first.clone(),
            heads: Vec::new(),
            base: 0,
            standing: Standing::default(),
            last_entry: 0,
            log_head: ChainHash::ORIGIN,
            accepted_at: 0,
        };
        let mut life = Self { visit, told: false, effects: Vec::new() };
        let creator = life.visit.creator.clone();
        life.take(&created(1, creator, first, needs_approval));
        life
    }

    /// Folds facts, and those that the effects bring.
    fn take(&mut self, outcome: &Outcome) {
        for fact in &outcome.facts {
            self.visit.fold(fact);
        }
        for effect in &outcome.effects {
            self.check(effect);
            let live = self.visit.standing.credential == CredentialState::Live;
            let some = live || self.visit.standing.credential == CredentialState::Suspended;
            let minted = [Fact::Minted { not_before: 0, expires: 1 }];
            let facts: Vec<Fact> = match effect {
                Effect::Invite | Effect::Update => {
                    let told = if self.told { Told::Change } else { Told::Invitation };
                    self.told = true;
                    let void = some.then_some(Fact::Voided);
                    void.into_iter().chain(minted).chain([Fact::GuestTold(told)]).collect()
                }
                Effect::Suspend => vec![Fact::Suspended],
                Effect::Revive => vec![Fact::Revived],
                Effect::Void => vec![Fact::Voided],
                Effect::Cancel | Effect::EndDelivery { .. } => {
                    let was_told = std::mem::take(&mut self.told);
                    let told = was_told.then_some(Fact::GuestTold(Told::Cancellation));
                    some.then_some(Fact::Voided).into_iter().chain(told).collect()
                }
                _ => Vec::new(),
            };
            for fact in &facts {
                self.visit.fold(fact);
            }
            self.effects.push(effect.clone());
        }
        self.holds();
    }

    /// What may never be told.
    fn check(&self, effect: &Effect) {
        let approval = &self.visit.standing.approval;
        let open = matches!(approval, Approval::NotNeeded | Approval::Approved);
        match effect {
            Effect::Invite | Effect::Update | Effect::Revive => {
                assert!(open, "the guest hears nothing before approval: {effect:?} while {approval:?}");
                assert_eq!(self.visit.standing.ended, None, "nobody is invited to what is over");
            }
            Effect::Cancel => assert!(
                !matches!(approval, Approval::Rejected { .. }),
                "the guest never hears of a rejection, nor of the end of what was rejected"
            ),
            _ => {}
        }
    }

    /// No live credential belongs to a pending, rejected or cancelled visit.
    fn holds(&self) {
        let dead = matches!(
            self.visit.status(),
            Status::Pending | Status::Rejected | Status::Cancelled | Status::NoShow | Status::Expired | Status::OnSite
        );
        let live = self.visit.standing.credential == CredentialState::Live;
        assert!(!(live && dead), "a live credential of a visit that is {:?}", self.visit.status());
        let upcoming = self.visit.status() == Status::Upcoming && self.visit.standing.presence == Presence::Expected;
        assert!(live || !upcoming, "an upcoming visit without a live credential");
        assert!(self.told || !upcoming, "an upcoming visit whose guest knows of nothing");
    }

    /// Does what the judge would let through.
    fn happen(&mut self, step: Step) {
        let over = self.visit.is_over();
        let approval = self.visit.standing.approval.clone();
        let presence = self.visit.standing.presence;
        let rejected = matches!(approval, Approval::Rejected { .. });
        match step {
            Step::Edit(after) => {
                let ends = after.cancelled;
                if over || (rejected && !ends) {
                    return;
                }
                let needs = after.visitor_type.as_ref().is_some_and(|kind| kind.as_str() == "contractor");
                let outcome = edited(&self.visit, &after, needs);
                self.visit.values = *after;
                self.take(&outcome);
            }
            Step::Approve if !over && (approval == Approval::Pending || rejected) => {
                self.take(&decided(&self.visit, Decided::Approved { heads: Vec::new() }));
            }
            Step::Reject(r#final) if !over && !rejected => {
                self.take(&decided(&self.visit, Decided::Rejected { reason: None, r#final }));
            }
            Step::Reopen if !over && approval == Approval::Approved && presence == Presence::Expected => {
                self.take(&decided(&self.visit, Decided::Reopened));
            }
            Step::Delete if !over && presence == Presence::Expected => self.take(&deleted(&self.visit)),
            Step::Arrive if presence != Presence::OnSite => self.take(&arrived(&self.visit)),
            Step::Depart if presence == Presence::OnSite => self.take(&departed()),
            _ => {}
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Edit(Box<VisitValues>),
    Approve,
    Reject(bool),
    Reopen,
    Delete,
    Arrive,
    Depart,
}

fn step() -> impl Strategy<Value = Step> {
    let edit = (0..2u8, 0..2u8, 0..2u8, any::<bool>(), prop::bool::weighted(0.1)).prop_map(
        |(email, company, reason, contractor, cancelled)| {
            Step::Edit(Box::new(values(email, company, reason, contractor, cancelled)))
        },
    );
    prop_oneof![
        6 => edit,
        4 => Just(Step::Approve),
        2 => any::<bool>().prop_map(Step::Reject),
        2 => Just(Step::Reopen),
        1 => Just(Step::Delete),
        1 => Just(Step::Arrive),
        1 => Just(Step::Depart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// S1.28, S2.15, S2.28, S2.30 and invariants 1 and 2: the guest hears nothing before approval and never of a
    /// rejection, and no live credential belongs to a visit that is not upcoming.
    #[test]
    fn the_guest_is_told_in_time_and_not_before(contractor in any::<bool>(), steps in prop::collection::vec(step(), 0..24)) {
        let mut life = Life::begin(&values(0, 0, 0, contractor, false), contractor);
        for step in steps {
            life.happen(step);
        }
    }
}

fn upcoming(contractor: bool) -> Life {
    let mut life = Life::begin(&values(0, 0, 0, contractor, false), contractor);
    life.happen(Step::Approve);
    life.effects.clear();
    life
}

/// S2.8, S2.11–13: who is told of a new visit.
#[test]
fn a_new_visit_tells_whom_it_concerns() {
    assert_eq!(Life::begin(&values(0, 0, 0, true, false), true).effects, [Effect::TellPending]);
    assert_eq!(Life::begin(&values(0, 0, 0, false, false), false).effects, [Effect::Invite, Effect::TellCategory]);
    assert_eq!(Life::begin(&values(0, 0, 0, false, true), false).effects, [], "called off before the hub heard of it");
}

/// S2.29, S2.30: on approval the host is told, then the guest invited.
#[test]
fn an_approval_tells_the_host_then_the_guest() {
    let mut life = Life::begin(&values(0, 0, 0, true, false), true);
    life.happen(Step::Approve);
    assert_eq!(life.effects[1..], [Effect::TellHostApproved, Effect::Invite]);
}

/// S2.21: re-opened and approved unchanged, the credential lives again with no second mail; changed, it is a new one.
#[test]
fn a_reopened_visit_comes_back_as_it_was_or_anew() {
    let mut life = upcoming(true);
    life.happen(Step::Reopen);
    life.happen(Step::Approve);
    assert_eq!(life.effects, [Effect::Suspend, Effect::TellHostApproved, Effect::Revive]);
    let mut life = upcoming(true);
    life.happen(Step::Reopen);
    life.happen(Step::Edit(Box::new(values(0, 1, 0, true, false))));
    life.happen(Step::Approve);
    assert_eq!(life.effects, [Effect::Suspend, Effect::Void, Effect::TellHostApproved, Effect::Update]);
}

/// S4.29: shown, internal, material, address.
#[test]
fn an_edit_does_what_its_keys_say() {
    let edit = |contractor, after| {
        let mut life = upcoming(contractor);
        life.happen(Step::Edit(Box::new(after)));
        life.effects
    };
    assert_eq!(edit(false, values(0, 1, 0, false, false)), [Effect::Update]);
    assert_eq!(edit(false, values(0, 0, 1, false, false)), []);
    let end = Effect::EndDelivery { email: "guest0@example.org".into() };
    assert_eq!(edit(false, values(1, 0, 0, false, false)), [end.clone(), Effect::Invite]);
    assert_eq!(edit(true, values(1, 0, 0, true, false)), [end, Effect::TellPending]);
    assert_eq!(edit(true, values(0, 1, 0, true, false)), [Effect::Update], "shown and not material: still approved");
    assert_eq!(edit(false, values(0, 0, 0, true, false)), [Effect::Void, Effect::TellPending]);
    assert_eq!(edit(false, values(0, 0, 0, false, true)), [Effect::Cancel]);
}

/// S2.24–S2.28: a rejection is the host's to hear, and so is the end of what was rejected.
#[test]
fn a_rejection_is_for_the_host_alone() {
    let mut life = upcoming(true);
    life.happen(Step::Reject(false));
    life.happen(Step::Edit(Box::new(values(0, 0, 0, true, true))));
    let told = Effect::TellHostRejected { reason: None, r#final: false };
    assert_eq!(life.effects, [Effect::Void, told], "cancelled after it: not a word to the guest");
}

/// Arrival wins over cancellation and rejection, with an alert.
#[test]
fn an_arrival_wins() {
    let mut life = upcoming(false);
    life.happen(Step::Arrive);
    life.happen(Step::Edit(Box::new(values(0, 0, 0, false, true))));
    assert_eq!(life.visit.status(), Status::OnSite);
    assert_eq!(life.effects.last(), Some(&Effect::TellHostAlert { code: "cancelled_on_site" }));
    let mut life = upcoming(true);
    life.happen(Step::Arrive);
    life.happen(Step::Reject(true));
    assert_eq!(life.visit.status(), Status::OnSite);
    assert_eq!(life.effects.last(), Some(&Effect::TellHostAlert { code: "rejected_on_site" }));
}
