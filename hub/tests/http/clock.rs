//! A hub whose machine's clock jumps: it serves, says so, and decides nothing by a clock that may be wrong.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vestibule_core::cbor;
use vestibule_core::clock::HubTime;
use vestibule_core::feed::Statement;
use vestibule_core::keys::{DeviceSigner as _, KeyUse, Purpose, Sign1, SignedKeySet};
use vestibule_core::sync::wire::SyncAnswer;
use vestibule_hub::store::{StoreError, clock, organisations};

use crate::running::{BEGIN, Phone, Running, body, first_sync};

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;

/// What a sync says of the time: the statement's, and whether the hub is in doubt. What it signs is believed.
async fn syncs(hub: &Running, phone: &Phone, jti: &str, now: i64) -> (i64, bool) {
    let answer = hub.post_assertion(&phone.assertion(now, jti)).await;
    assert_eq!(answer.status(), 200, "{:?}", body(answer).await);
    let token = body(answer).await["access_token"].as_str().expect("a token").to_owned();
    let answer = hub.post_sync(&token, first_sync("example-ag"), None).await;
    assert_eq!(answer.status(), 200);
    let answer: SyncAnswer = cbor::read(&answer.bytes().await.expect("a body"), "answer").expect("an answer");
    let context = hub.context("example-ag");
    let root = context.keys.root.public_key().thumbprint().expect("a key");
    let keys = SignedKeySet::verify(&answer.key_set.expect("a key set"), &context.organisation, &root).expect("good");
    let signed = Sign1::read(&answer.statement).expect("signed");
    let said: Statement = cbor::read(signed.unverified_payload(), "statement").expect("a statement");
    keys.set.verify_signed_at(&signed, Purpose::Statement, KeyUse::Feed, said.time, 0).expect("believed");
    (said.time, answer.clock_in_doubt)
}

fn record(hub: &Running) -> clock::Record {
    hub.store().read::<_, StoreError>(clock::get).expect("reads")
}

fn version(hub: &Running) -> u32 {
    let id = "example-ag".parse().expect("an id");
    hub.store().read::<_, StoreError>(|tx| organisations::key_set_version(tx, &id)).expect("reads")
}

/// Waits until the hub has written down what it makes of its clock.
async fn until(hub: &Running, wanted: impl Fn(&clock::Record) -> bool) {
    let written = async {
        while !wanted(&record(hub)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), written).await.expect("the hub writes it down");
}

/// Set a year ahead or back while it runs, and for a whole life between: phones sync before, between and after, the time
/// they are told is right, and nothing is renewed by a clock in doubt.
#[tokio::test]
async fn a_clock_that_jumps_stops_nobody() {
    for jump in [YEAR, -YEAR] {
        let hub = Running::start().await;
        let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
        assert_eq!(syncs(&hub, &phone, "before", BEGIN).await, (BEGIN, false));
        hub.set_clock(jump);
        assert_eq!(syncs(&hub, &phone, "jumped", BEGIN).await, (BEGIN, true));
        until(&hub, |record| record.doubt.is_some_and(|doubt| doubt.ahead == jump)).await;
        let metrics = hub.client.get(hub.url("/metrics")).send().await.expect("answers").text().await.expect("text");
        assert!(metrics.contains("vestibule_clock_in_doubt 1\n"), "{metrics}");
        assert!(metrics.contains(&format!("vestibule_clock_ahead_seconds {jump}\n")), "{metrics}");
        // The whole life of a hub at the wrong time.
        let hub = hub.restart().await;
        assert_eq!(syncs(&hub, &phone, "between", BEGIN).await, (BEGIN, true));
        assert_eq!(version(&hub), 1);
        let hub = hub.restart_at(BEGIN + 60).await;
        assert_eq!(syncs(&hub, &phone, "after", BEGIN + 60).await, (BEGIN + 60, false));
        until(&hub, |record| record.doubt.is_none()).await;
    }
}

/// Set right again, the clock is believed after an hour.
#[tokio::test]
async fn an_hour_of_agreement_ends_the_doubt() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    hub.set_clock(-3 * YEAR);
    until(&hub, |record| record.doubt.is_some()).await;
    hub.set_clock(3 * YEAR);
    assert_eq!(syncs(&hub, &phone, "back", BEGIN).await, (BEGIN, true));
    hub.pass(3600);
    until(&hub, |record| record.doubt.is_none()).await;
    assert_eq!(syncs(&hub, &phone, "an hour", BEGIN + 3600).await, (BEGIN + 3600, false));
}

/// A hub that was off for a week is told so by the first phone, where there is but one, and needs no person.
#[tokio::test]
async fn a_week_off_needs_no_person() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let hub = hub.restart_at(BEGIN + 7 * DAY).await;
    assert!(record(&hub).doubt.is_some());
    let answer = hub.post_assertion(&phone.assertion(BEGIN + 7 * DAY, "a week")).await;
    assert_eq!(answer.status(), 200, "a phone that is right is let in although the hub's count is not");
    until(&hub, |record| record.doubt.is_none()).await;
    assert_eq!(syncs(&hub, &phone, "then", BEGIN + 7 * DAY).await, (BEGIN + 7 * DAY, false));
}

/// An administrator's word is taken within a second, also for a time that no key set reached; and a hub that was made to
/// believe a wrong time comes back from it the same way.
#[tokio::test]
async fn an_administrator_confirms() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    for (step, jump) in [2 * YEAR, -2 * YEAR].into_iter().enumerate() {
        hub.set_clock(jump);
        until(&hub, |record| record.doubt.is_some()).await;
        let confirmed = chrono::DateTime::from_timestamp(hub.now(), 0);
        hub.store()
            .write::<_, StoreError>(|tx| {
                let record = clock::get(tx)?;
                clock::put(tx, &clock::Record { confirmed, ..record })
            })
            .expect("written");
        until(&hub, |record| record.doubt.is_none() && record.confirmed.is_none()).await;
        assert_eq!(syncs(&hub, &phone, &format!("confirmed {step}"), hub.now()).await, (hub.now(), false));
    }
    assert_eq!((version(&hub), record(&hub).seen.map(|seen| seen.timestamp())), (2, Some(BEGIN)));
}

/// Visits do not end by a clock in doubt, and end when it is believed.
#[tokio::test]
async fn no_visit_ends_in_doubt() {
    let hub = Running::start().await;
    let seen = record(&hub).seen;
    assert_eq!(seen.map(|seen| seen.timestamp()), Some(BEGIN), "founded");
    hub.set_clock(150 * DAY);
    until(&hub, |record| record.doubt.is_some()).await;
    let pruned = hub
        .store()
        .write::<_, StoreError>(|tx| {
            tx.execute(
                "INSERT INTO quarantine (organisation, device, counter, envelope, kind, item, reason, bytes, at)
                 VALUES ('example-ag', x'01', 1, x'02', 'envelope', x'', 'test', x'03', 0)",
                [],
            )?;
            vestibule_hub::store::quarantine::prune(tx, i64::MAX)
        })
        .expect("writes");
    assert_eq!(pruned, 0, "nothing is thrown away in doubt");
}

/// An assertion that is not made now is answered with the hub's time, signed for that assertion.
#[tokio::test]
async fn a_phone_with_a_wrong_clock_is_told_the_time() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let context = hub.context("example-ag");
    let root = context.keys.root.public_key().thumbprint().expect("a key");
    for (jti, off) in [("minutes", 181), ("back", -400 * DAY), ("ahead", 3650 * DAY)] {
        let assertion = phone.assertion(BEGIN + off, jti);
        let answer = hub.post_assertion(&assertion).await;
        assert_eq!(answer.status(), 400);
        let problem = body(answer).await;
        assert_eq!(problem["code"], "assertion_time");
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(problem[name].as_str().expect(name)).expect("base64url");
        let keys = SignedKeySet::verify(&bytes("key_set"), &context.organisation, &root).expect("by the root");
        let told = HubTime::verify(&bytes("time"), &keys.set, 0, &assertion).expect("believed");
        assert_eq!((told.time, told.certain), (BEGIN * 1000, true));
        assert_eq!(syncs(&hub, &phone, &format!("{jti} again"), BEGIN).await, (BEGIN, false));
    }
}
