//! What the hub refuses over HTTP, each with problem details (RFC 9457), and with its database as it was.

use reqwest::Method;
use serde_json::Value;
use vestibule_core::sync::wire::{MAX_REQUEST, MEDIA_TYPE};
use vestibule_hub::issuer::{Access, Issuer};
use vestibule_hub::moment::Moment;

use super::running::{Phone, Running, expect_problem, first_sync};

/// An access token for Ada's device as an issuer with these keys, of that name and address, would make it.
fn token_by(hub: &Running, phone: &Phone, keys: &str, organisation: &str, address: &str) -> String {
    let (context, organisation) = (hub.context(keys), organisation.parse().expect("an id"));
    let address = address.parse().expect("a URL");
    let issuer = Issuer { organisation: &organisation, public_url: &address, ..context.issuer() };
    let access = Access { member: "ada".parse().expect("an id"), device: phone.name().parse().expect("a thumbprint") };
    let now = chrono::DateTime::from_timestamp(hub.now(), 0).expect("a time");
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::from_seed([6; 32]);
    access.issue(&issuer, &mut Moment::new(now, &mut rng))
}

const HERE: &str = "http://127.0.0.1:8480";

#[tokio::test]
async fn tokens_of_others_are_refused_and_change_nothing() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let good = token_by(&hub, &phone, "example-ag", "example-ag", HERE);
    assert_eq!(hub.post_sync(&good, first_sync("example-ag"), None).await.status(), 200);
    let before = hub.dump();

    let others = Phone::signed_in(&hub, "other-ag", "ada", 2).await.access_token(&hub, "1").await;
    let before_pushes = hub.dump();
    assert_ne!(before, before_pushes);
    expect_problem(hub.post_sync(&others, first_sync("example-ag"), None).await, 403, "other_organisation").await;
    // Another organisation's key under this one's name, and this one's key for somebody else's device.
    let forged = token_by(&hub, &phone, "other-ag", "example-ag", HERE);
    expect_problem(hub.post_sync(&forged, first_sync("example-ag"), None).await, 401, "invalid_token").await;
    let nowhere = token_by(&hub, &phone, "example-ag", "nowhere", HERE);
    expect_problem(hub.post_sync(&nowhere, first_sync("example-ag"), None).await, 401, "other_organisation").await;
    let elsewhere = token_by(&hub, &phone, "example-ag", "example-ag", "https://elsewhere.example.com");
    expect_problem(hub.post_sync(&elsewhere, first_sync("example-ag"), None).await, 401, "wrong_audience").await;

    // One character of the signature.
    let (body, signature) = good.rsplit_once('.').expect("a token");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{body}.{flipped}{}", &signature[1..]);
    expect_problem(hub.post_sync(&flipped, first_sync("example-ag"), None).await, 401, "invalid_token").await;
    expect_problem(hub.post_sync("", first_sync("example-ag"), None).await, 401, "missing_token").await;
    let bare = hub.client.post(hub.url("/v1/sync")).header("content-type", MEDIA_TYPE).body("x").send();
    let bare = bare.await.expect("answers");
    assert!(bare.headers().contains_key("www-authenticate"));
    expect_problem(bare, 401, "missing_token").await;
    assert_eq!(hub.dump(), before_pushes);
}

#[tokio::test]
async fn a_member_that_is_not_the_devices_is_refused() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ben", 1).await;
    let token = token_by(&hub, &phone, "example-ag", "example-ag", HERE);
    expect_problem(hub.post_sync(&token, first_sync("example-ag"), None).await, 401, "sign_in_again").await;
}

#[tokio::test]
async fn bodies_that_are_too_large_or_no_sync_request_are_refused() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    let before = hub.dump();
    let send = |body: Vec<u8>, encoding| hub.post_sync(&token, body, encoding);

    expect_problem(send(vec![0; MAX_REQUEST + 1], None).await, 413, "too_large").await;
    // 256 MB of nothing in 25 KB or so.
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 256 << 20), 3).expect("compresses");
    assert!(bomb.len() < 100_000);
    expect_problem(send(bomb, Some("zstd")).await, 413, "too_large").await;
    expect_problem(send(b"no zstd".to_vec(), Some("zstd")).await, 400, "garbage").await;
    expect_problem(send(b"x".to_vec(), Some("br")).await, 415, "content_encoding").await;
    let mut cut = zstd::encode_all(first_sync("example-ag").as_slice(), 3).expect("compresses");
    cut.pop();
    expect_problem(send(cut, Some("zstd")).await, 400, "garbage").await;

    let mut longer = first_sync("example-ag");
    longer.push(0);
    for garbage in [Vec::new(), b"garbage".to_vec(), vec![0xff; 1000], vec![0x9f; 100_000], longer] {
        expect_problem(send(garbage, None).await, 400, "garbage").await;
    }
    let json = hub.post_json("/v1/sync", &token, &Value::Null).await;
    expect_problem(json, 415, "media_type").await;
    let large = Value::String("x".repeat(20_000));
    let answer = hub.post_json("/v1/devices", &hub.sign_in_token("example-ag", "ada"), &large).await;
    expect_problem(answer, 413, "too_large").await;
    let answer = hub.post_json("/v1/devices", &hub.sign_in_token("example-ag", "ada"), &Value::Null).await;
    expect_problem(answer, 400, "garbage").await;
    assert_eq!(hub.dump(), before);
}

#[tokio::test]
async fn token_requests_that_are_not_in_form_are_refused() {
    let hub = Running::start().await;
    let form = |body: &'static str| {
        let request = hub.client.post(hub.url("/v1/token"));
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8").body(body).send()
    };
    for (body, code) in [
        ("", "invalid_request"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=a&grant_type=b", "invalid_request"),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer", "invalid_request"),
        ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=a.b.c", "invalid_assertion"),
    ] {
        expect_problem(form(body).await.expect("answers"), 400, code).await;
    }
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let hub = Running::start().await;
    let send = |method: Method, path: &str| hub.client.request(method, hub.url(path)).send();
    for path in ["/", "/nowhere", "/v1", "/p/unknown/pass.pkpass", "/p/unknown/visit.ics"] {
        expect_problem(send(Method::GET, path).await.expect("answers"), 404, "not_found").await;
    }
    let wrong = send(Method::GET, "/v1/sync").await.expect("answers");
    assert_eq!(wrong.headers()["allow"], "POST");
    expect_problem(wrong, 405, "method_not_allowed").await;
    // Pages are for people: they say the same in words.
    for path in ["/p/unknown", "/review/unknown"] {
        let page = send(Method::GET, path).await.expect("answers");
        assert_eq!(page.status(), 404);
        assert_eq!(page.headers()["cache-control"], "no-store");
        assert_eq!(page.headers()["referrer-policy"], "no-referrer");
        assert!(page.headers()["content-type"].to_str().expect("text").starts_with("text/html"));
    }
    assert_eq!(send(Method::GET, "/apple/v1/passes/pass.x/unknown").await.expect("answers").status(), 401);
}

#[tokio::test]
async fn health_and_metrics_say_nothing_of_anybody() {
    let hub = Running::start().await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let token = phone.access_token(&hub, "1").await;
    hub.post_sync(&token, first_sync("example-ag"), None).await;
    let get = async |path: &str| hub.client.get(hub.url(path)).send().await.expect("answers");
    get("/p/secret-token").await;
    get("/secret-path").await;
    assert_eq!(get("/healthz").await.text().await.expect("text"), "ok\n");
    let metrics = get("/metrics").await.text().await.expect("text");
    for expected in [
        "vestibule_http_requests_total{method=\"POST\",route=\"/v1/sync\",status=\"200\"} 1",
        "route=\"/p/{token}\",status=\"404\"",
        "route=\"none\",status=\"404\"",
    ] {
        assert!(metrics.contains(expected), "{expected} in\n{metrics}");
    }
    for secret in ["secret", "ada", &token] {
        assert!(!metrics.contains(secret), "{secret} in\n{metrics}");
    }
}
