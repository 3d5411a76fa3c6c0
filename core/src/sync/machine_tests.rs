//! The machine alone: what it does when the hub does not.

use super::*;
use crate::feed::{Page, PageHeader, Row, SaltedRow, Scope, Statement, chain, digest};
use crate::id::{ChainHash, HubEpoch, Thumbprint};
use crate::keys::{DeviceSigner as _, KeySet, KeyUse, SignedKeySet, SoftwareSigner};
use crate::store::{Identity, SyncState};
use crate::sync::wire::TurnedAway;

fn position() -> Box<Position> {
    let root = SoftwareSigner::from_seed(&[1; 32]);
    let set = KeySet {
        organisation: "acme".parse().expect("an id"),
        version: 1,
        root: root.public_key(),
        keys: vec![crate::keys::KeyEntry {
            usage: KeyUse::Feed,
            key: hub().public_key(),
            not_before: 0,
            not_after: 2_000_000_000,
        }],
        issued_at: 0,
        expires_at: 2_000_000_000,
    };
    Box::new(Position {
        identity: Identity {
            organisation: "acme".parse().expect("an id"),
            root: root.public_key().thumbprint().expect("a key"),
            member: "ada".parse().expect("an id"),
            device: Thumbprint([1; 32]),
            hub: "https://hub.example".into(),
            audience: "https://hub.example".into(),
        },
        key_set: SignedKeySet::sign(set, &root).expect("signs"),
        state: SyncState { epoch: Some(HubEpoch([1; 16])), ..SyncState::default() },
        heads: vec![],
        proof: None,
    })
}

fn hub() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[2; 32])
}

/// When the hub answers.
const NOW: i64 = 1_800_000_000;

fn answer(epoch: u8, turned_away: Vec<TurnedAway>) -> Box<SyncAnswer> {
    answer_at(NOW, epoch, turned_away)
}

fn answer_at(time: i64, epoch: u8, turned_away: Vec<TurnedAway>) -> Box<SyncAnswer> {
    let statement = Statement {
        organisation: "acme".parse().expect("an id"),
        epoch: HubEpoch([epoch; 16]),
        time,
        digest: digest(&[]),
        key_set: 1,
        log: ChainHash::ORIGIN,
    };
    Box::new(SyncAnswer {
        statement: statement.sign(&hub()).expect("signs").into(),
        receipts: None,
        turned_away,
        pages: vec![],
        more: false,
        remaining: 0,
        scopes: None,
        key_set: None,
        clock_in_doubt: false,
        restored: None,
    })
}

/// A machine that waits for the hub's answer.
fn exchanging() -> SyncMachine {
    let mut machine = SyncMachine::new();
    machine.handle(Event::Start);
    machine.handle(Event::Authorised);
    gathered(&mut machine);
    machine
}

fn gathered(machine: &mut SyncMachine) {
    let effects = machine.handle(Event::Gathered(position(), Outgoing::default()));
    assert!(matches!(effects.as_slice(), [Effect::Report(_), Effect::Exchange(_)]));
}

fn finished(effects: &[Effect]) -> Option<&Outcome> {
    match effects {
        [.., Effect::Finish(outcome)] => Some(outcome),
        _ => None,
    }
}

#[test]
fn without_a_network_the_run_ends_at_once() {
    let effects = exchanging().handle(Event::Failed(Failure::Unreachable));
    assert_eq!(finished(&effects), Some(&Outcome::Unreachable));
}

#[test]
fn a_token_that_is_not_taken_is_renewed_once() {
    let mut machine = exchanging();
    let effects = machine.handle(Event::Failed(Failure::Unauthorised));
    assert!(matches!(effects.as_slice(), [Effect::Authorise { fresh: true }]));
    machine.handle(Event::Authorised);
    gathered(&mut machine);
    assert_eq!(finished(&machine.handle(Event::Failed(Failure::Unauthorised))), Some(&Outcome::SignInAgain));
}

#[test]
fn a_busy_hub_is_asked_again_as_it_says_and_not_for_ever() {
    let mut machine = exchanging();
    let mut pauses = Vec::new();
    loop {
        let effects = machine.handle(Event::Failed(Failure::Busy(Some(5))));
        if let Some(outcome) = finished(&effects) {
            assert!(matches!(outcome, Outcome::Later { code, seconds: Some(5), .. } if code == "busy"), "{outcome:?}");
            break;
        }
        let [Effect::Wait(pause)] = effects.as_slice() else { panic!("{effects:?}") };
        pauses.push(pause.as_secs());
        assert!(matches!(machine.handle(Event::Waited).as_slice(), [Effect::Authorise { fresh: false }]));
        machine.handle(Event::Authorised);
        gathered(&mut machine);
    }
    assert_eq!(pauses, [5, 5, 8]);
    // Nobody waits for an hour with a phone in his hand.
    let effects = exchanging().handle(Event::Failed(Failure::Busy(Some(3_600))));
    assert!(matches!(finished(&effects), Some(Outcome::Later { seconds: Some(3_600), .. })));
}

/// A phone that holds a head the hub does not know is never told "up to date": by the hub's word or by its epoch.
#[test]
fn another_epoch_is_a_restored_hub() {
    let mut machine = exchanging();
    assert!(matches!(machine.handle(Event::Failed(Failure::UnknownHead)).as_slice(), [Effect::Restart]));
    assert!(matches!(machine.handle(Event::BegunAnew).as_slice(), [Effect::Gather { .. }]));
    gathered(&mut machine);
    assert_eq!(finished(&machine.handle(Event::Failed(Failure::UnknownHead))), Some(&Outcome::HubRestored));
    let said_nothing = exchanging().handle(Event::Answered(answer(2, vec![])));
    assert_eq!(finished(&said_nothing), Some(&Outcome::Disbelieved(Disbelief::Restored)));
}

/// What the hub says of having been restored is believed of this hub, for this device, and from the life it knows alone.
#[test]
fn a_restored_hub_proves_it() {
    let good = Restored {
        organisation: "acme".parse().expect("an id"),
        epoch: HubEpoch([2; 16]),
        previous: HubEpoch([1; 16]),
        restored_to: 5,
        time: NOW,
        device: Thumbprint([1; 32]),
        counter: 0,
        hash: ChainHash::ORIGIN,
    };
    let meet = |restored: &Restored, signer: &SoftwareSigner| {
        let restored = Some(restored.sign(signer).expect("signs").into());
        exchanging().handle(Event::Answered(Box::new(SyncAnswer { restored, ..*answer(2, vec![]) })))
    };
    assert!(matches!(meet(&good, &hub()).as_slice(), [Effect::Reopen(restored)] if **restored == good));
    let stranger = SoftwareSigner::from_seed(&[9; 32]);
    let other_device = Restored { device: Thumbprint([7; 32]), ..good.clone() };
    let other_life = Restored { previous: HubEpoch([3; 16]), ..good.clone() };
    let back_again = Restored { epoch: HubEpoch([1; 16]), previous: HubEpoch([2; 16]), ..good.clone() };
    for (restored, signer) in
        [(&good, &stranger), (&other_device, &hub()), (&other_life, &hub()), (&back_again, &hub())]
    {
        assert_eq!(finished(&meet(restored, signer)), Some(&Outcome::Disbelieved(Disbelief::Restored)), "{restored:?}");
    }
}

/// A statement by a key that was not good when it was signed, or has run out by the highest time the hub has signed, is
/// not believed; what the phone's clock says is not even asked.
#[test]
fn a_retired_key_is_not_believed() {
    let disbelieved = Outcome::Disbelieved(Disbelief::Statement);
    for late in [2_000_000_000, i64::MAX, -1, i64::MIN] {
        let effects = exchanging().handle(Event::Answered(answer_at(late, 1, vec![])));
        assert_eq!(finished(&effects), Some(&disbelieved), "{late}");
    }
    let with_floor = |hub_time, time| {
        let mut machine = SyncMachine::new();
        machine.handle(Event::Start);
        machine.handle(Event::Authorised);
        let mut position = position();
        position.state.hub_time = hub_time;
        machine.handle(Event::Gathered(position, Outgoing::default()));
        machine.handle(Event::Answered(answer_at(time, 1, vec![])))
    };
    assert_eq!(finished(&with_floor(2_000_000_000, NOW)), Some(&disbelieved));
    // A hub whose time has gone back is believed, as long as its key is good at both.
    for (floor, time) in [(1_999_999_999, NOW), (NOW, 0), (0, 1_999_999_999)] {
        assert!(matches!(with_floor(floor, time).as_slice(), [Effect::Apply(_)]), "{floor} {time}");
    }
}

#[test]
fn a_gap_is_closed_once_and_only_if_its_envelope_is_here() {
    let gap = || vec![TurnedAway { index: 0, code: "counter_gap".into(), message: String::new(), expected: Some(4) }];
    let resealing = |machine: &mut SyncMachine| {
        let effects = machine.handle(Event::Answered(answer(1, gap())));
        assert!(matches!(effects.as_slice(), [Effect::Apply(_)]));
        machine.handle(Event::Applied(Applied { waiting: 1, ..Applied::default() }))
    };
    let mut machine = exchanging();
    assert!(matches!(resealing(&mut machine).as_slice(), [Effect::Report(_), Effect::Reseal(4)]));
    let effects = machine.handle(Event::Resealed(true));
    assert!(matches!(effects.as_slice(), [Effect::Gather { from: 4, .. }]));
    gathered(&mut machine);
    let again = resealing(&mut machine);
    assert!(matches!(finished(&again), Some(Outcome::Refused { code, .. }) if code == "counter_gap"));

    let mut machine = exchanging();
    resealing(&mut machine);
    assert_eq!(finished(&machine.handle(Event::Resealed(false))), Some(&Outcome::HubRestored));
}

/// A hub that answers and never says anything of what was sent does not keep the phone busy for ever.
#[test]
fn a_hub_that_settles_nothing_ends_the_run() {
    let mut machine = exchanging();
    for round in 1.. {
        machine.handle(Event::Answered(answer(1, vec![])));
        let effects = machine.handle(Event::Applied(Applied { waiting: 1, ..Applied::default() }));
        if let Some(outcome) = finished(&effects) {
            assert_eq!((outcome, round), (&Outcome::Unsettled, 3));
            break;
        }
        gathered(&mut machine);
    }
    assert!(machine.is_finished() && machine.handle(Event::Start).is_empty());
}

/// An answer with the first row of the directory, where the hub has more.
fn one_of_many() -> Box<SyncAnswer> {
    let row = Row {
        scope: Scope::Directory,
        index: 1,
        id: vec![1].into(),
        kind: 77,
        payload: vec![].into(),
        critical: false,
    };
    let salted = SaltedRow { salt: [3; 16], row: row.to_bytes().into() };
    let header = PageHeader {
        organisation: "acme".parse().expect("an id"),
        epoch: HubEpoch([1; 16]),
        key_set: 1,
        scope: Scope::Directory,
        first: 1,
        last: 1,
        previous: ChainHash::ORIGIN,
        head: chain(&ChainHash::ORIGIN, &salted.salt, &salted.row),
        time: NOW,
    };
    let page = Page { header: header.sign(&hub()).expect("signs").into(), rows: vec![salted] };
    Box::new(SyncAnswer { pages: vec![page], more: true, scopes: Some(vec![Scope::Directory]), ..*answer(1, vec![]) })
}

/// While the phone writes a page, the hub makes the next one: it is asked for from where the phone will stand.
#[test]
fn the_next_pages_are_asked_for_before_the_last_are_stored() {
    let mut machine = exchanging();
    let effects = machine.handle(Event::Answered(one_of_many()));
    let [Effect::AskAhead(request), Effect::Apply(_)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(request.heads.iter().map(|head| head.index).collect::<Vec<_>>(), [1]);
    assert!(request.push.is_empty());
    let effects = machine.handle(Event::Applied(Applied { rows: 1, ..Applied::default() }));
    assert!(matches!(effects.as_slice(), [Effect::Report(_), Effect::Await]));
    // The answer is held against that head: the first row again does not extend it.
    let effects = machine.handle(Event::Answered(one_of_many()));
    assert_eq!(finished(&effects), Some(&Outcome::Disbelieved(Disbelief::Page)));
}

/// Where another process of this phone has moved on, what was asked ahead is of no use.
#[test]
fn what_was_asked_ahead_is_dropped_where_the_phone_stands_elsewhere() {
    let mut machine = exchanging();
    machine.handle(Event::Answered(one_of_many()));
    let effects = machine.handle(Event::Applied(Applied { rows: 0, ..Applied::default() }));
    assert!(matches!(effects.as_slice(), [Effect::Report(_), Effect::Gather { .. }]));
}

/// With something to send, the next request says so: nothing is asked ahead.
#[test]
fn nothing_is_asked_ahead_while_something_is_to_be_sent() {
    let mut machine = SyncMachine::new();
    machine.handle(Event::Start);
    machine.handle(Event::Authorised);
    let pushed = PushedEnvelope { envelope: vec![].into(), chunks: vec![] };
    machine.handle(Event::Gathered(position(), Outgoing { envelopes: vec![(1, pushed)], items: 1, waiting: 1 }));
    let effects = machine.handle(Event::Answered(one_of_many()));
    assert!(matches!(effects.as_slice(), [Effect::Apply(_)]));
}

#[test]
fn a_delivery_that_is_being_stored_is_not_torn() {
    let mut machine = exchanging();
    machine.handle(Event::Answered(answer(1, vec![])));
    assert!(machine.handle(Event::Cancel).is_empty());
    let effects = machine.handle(Event::Applied(Applied::default()));
    assert_eq!(finished(&effects), Some(&Outcome::Cancelled));
}
