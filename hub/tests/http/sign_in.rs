//! Sign-in: how a phone becomes a device of a member, gets tokens and syncs; and what stops it.

use vestibule_core::cbor;
use vestibule_core::id::Thumbprint;
use vestibule_core::sync::wire::SyncAnswer;
use vestibule_hub::moment::Moment;
use vestibule_hub::organisation;
use vestibule_hub::store::{StoreError, devices};

use super::running::{Phone, Running, body, expect_problem, first_sync};

#[tokio::test]
async fn a_phone_signs_in_once_and_syncs_from_then_on() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    assert_eq!(phone.audience, "http://127.0.0.1:8480");
    let token = phone.access_token(&hub, "first").await;
    let answer = hub.post_sync(&token, first_sync("example-ag"), None).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let mut named: Vec<&str> = answer.headers().keys().map(reqwest::header::HeaderName::as_str).collect();
    named.sort_unstable();
    // The client takes off those of length and encoding. A small sync is mostly headers.
    assert_eq!(named, ["cache-control", "content-type", "date"]);
    let bytes = answer.bytes().await.expect("a body");
    let plain: SyncAnswer = cbor::read_strict(&bytes, "answer").expect("an answer");
    assert!(!plain.pages.is_empty() && plain.key_set.is_some());

    // The same, compressed both ways: the client asks for zstd and unpacks it.
    let small = zstd::encode_all(first_sync("example-ag").as_slice(), 3).expect("compresses");
    let answer = hub.post_sync(&token, small, Some("zstd")).await;
    assert_eq!(answer.status(), 200);
    let unpacked: SyncAnswer = cbor::read_strict(&answer.bytes().await.expect("a body"), "answer").expect("an answer");
    assert_eq!(unpacked.pages.len(), plain.pages.len());
}

#[tokio::test]
async fn a_key_is_enrolled_once_and_to_one_member() {
    let hub = Running::start().await;
    let mut phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let before = hub.dump();
    assert_eq!(phone.enrol(&hub, &hub.sign_in_token("example-ag", "ada")).await.status(), 200);
    expect_problem(phone.enrol(&hub, &hub.sign_in_token("example-ag", "ben")).await, 409, "other_member").await;
    expect_problem(phone.enrol(&hub, &hub.sign_in_token("other-ag", "ada")).await, 409, "other_member").await;
    assert_eq!(hub.dump(), before);
}

#[tokio::test]
async fn a_sign_in_token_ends_after_an_hour_and_serves_for_nothing_else() {
    let hub = Running::start().await;
    let token = hub.sign_in_token("example-ag", "ada");
    expect_problem(hub.post_sync(&token, first_sync("example-ag"), None).await, 401, "invalid_token").await;
    let unknown = hub.sign_in_token("example-ag", "nobody");
    expect_problem(Phone::new(1).enrol(&hub, &unknown).await, 401, "sign_in_again").await;
    hub.pass(3600);
    expect_problem(Phone::new(1).enrol(&hub, &token).await, 401, "expired_token").await;
}

#[tokio::test]
async fn an_access_token_ends_after_a_quarter_of_an_hour() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    hub.pass(899);
    assert_eq!(hub.post_sync(&token, first_sync("example-ag"), None).await.status(), 200);
    hub.pass(1);
    expect_problem(hub.post_sync(&token, first_sync("example-ag"), None).await, 401, "expired_token").await;
}

#[tokio::test]
async fn an_assertion_is_good_once_also_across_a_restart() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let assertion = phone.assertion(hub.now(), "once");
    assert_eq!(hub.post_assertion(&assertion).await.status(), 200);
    expect_problem(hub.post_assertion(&assertion).await, 400, "replayed_assertion").await;
    let hub = hub.restart().await;
    expect_problem(hub.post_assertion(&assertion).await, 400, "replayed_assertion").await;
    assert_eq!(hub.post_assertion(&phone.assertion(hub.now(), "another")).await.status(), 200);
    // Long after, it is not remembered any more, and not believed either.
    hub.pass(180);
    assert_eq!(hub.post_assertion(&phone.assertion(hub.now(), "third")).await.status(), 200);
    expect_problem(hub.post_assertion(&assertion).await, 400, "assertion_time").await;
}

#[tokio::test]
async fn assertions_of_strangers_and_for_others_are_refused() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let stranger = Phone { audience: phone.audience.clone(), ..Phone::new(2) };
    expect_problem(hub.post_assertion(&stranger.assertion(hub.now(), "1")).await, 401, "sign_in_again").await;

    // Ada's device named, the stranger's signature.
    let named = phone.assertion(hub.now(), "1");
    let other = stranger.assertion(hub.now(), "1");
    let (claims, _) = named.rsplit_once('.').expect("a token");
    let (_, signature) = other.rsplit_once('.').expect("a token");
    expect_problem(hub.post_assertion(&format!("{claims}.{signature}")).await, 400, "invalid_assertion").await;

    let elsewhere = Phone { audience: "https://elsewhere.example.com".into(), ..Phone::new(1) };
    expect_problem(hub.post_assertion(&elsewhere.assertion(hub.now(), "1")).await, 401, "wrong_audience").await;
    expect_problem(hub.post_assertion("garbage").await, 400, "invalid_assertion").await;
}

#[tokio::test]
async fn a_revoked_device_and_an_inactive_member_sign_in_again() {
    let hub = Running::start().await;
    let mut phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let other = Phone::signed_in(&hub, "example-ag", "ben", 2).await;
    let (token, others) = (phone.access_token(&hub, "1").await, other.access_token(&hub, "1").await);
    let context = hub.context("example-ag");
    let device: Thumbprint = phone.name().parse().expect("a thumbprint");
    let organisation = &context.organisation;
    hub.store().write::<_, StoreError>(|tx| devices::revoke(tx, organisation, &device, hub.now())).expect("revoked");
    expect_problem(hub.post_sync(&token, first_sync("example-ag"), None).await, 401, "sign_in_again").await;
    expect_problem(hub.post_assertion(&phone.assertion(hub.now(), "2")).await, 401, "sign_in_again").await;
    // The key stays shut out; a new key of the same member may enrol.
    let again = phone.enrol(&hub, &hub.sign_in_token("example-ag", "ada")).await;
    expect_problem(again, 401, "sign_in_again").await;
    Phone::signed_in(&hub, "example-ag", "ada", 3).await;

    assert_eq!(hub.post_sync(&others, first_sync("example-ag"), None).await.status(), 200);
    let ben = "ben".parse().expect("an id");
    let now = chrono::DateTime::from_timestamp(hub.now(), 0).expect("a time");
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([7; 32]);
    hub.store()
        .write(|tx| {
            let moment = &mut Moment::new(now, &mut rng);
            organisation::change_member(tx, &context, moment, &ben, |record| record.active = false)
        })
        .expect("changed");
    expect_problem(hub.post_sync(&others, first_sync("example-ag"), None).await, 401, "sign_in_again").await;
    expect_problem(other_enrols(&hub).await, 401, "sign_in_again").await;
}

async fn other_enrols(hub: &Running) -> reqwest::Response {
    Phone::new(4).enrol(hub, &hub.sign_in_token("example-ag", "ben")).await
}

#[tokio::test]
async fn issuers_publish_their_keys() {
    let hub = Running::start().await;
    let get = |path: &str| hub.client.get(hub.url(path)).send();
    let keys = body(get("/.well-known/jwks.json").await.expect("answers")).await;
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(2));
    let metadata = body(get("/.well-known/oauth-authorization-server").await.expect("answers")).await;
    assert_eq!(metadata["issuer"], "http://127.0.0.1:8480");
    assert_eq!(metadata["jwks_uri"], "http://127.0.0.1:8480/.well-known/jwks.json");
}
