//! How often one address may ask, and who is told apart from whom.

use serde_json::{Value, json};

use super::running::{Phone, Running, expect_problem, first_sync};

/// Sign-ins, tokens, pages and passes have a limit for each address that a trusted proxy names; one that asks too often is
/// told when to come back, others and the proxy's own machine are not hindered, and neither is a phone that syncs.
#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let hub = Running::with("[limits]\nrequests_per_minute = 5\n").await;
    let phone = Phone::signed_in(&hub, "example-ag", "ada", 1).await;
    let ask = |path: &'static str, address: &'static str| {
        let request = hub.client.post(hub.url(path)).header("x-forwarded-for", address);
        async move { request.send().await.expect("answers") }
    };
    let get = |path: &'static str, address: &'static str| {
        let request = hub.client.get(hub.url(path)).header("forwarded", format!("for={address}"));
        async move { request.send().await.expect("answers") }
    };
    for path in ["/v1/token", "/v1/devices", "/v1/devices/challenge"] {
        for _ in 0..5 {
            assert_ne!(ask(path, "198.51.100.1").await.status(), 429, "{path}");
        }
    }
    for path in ["/v1/token", "/v1/devices", "/v1/devices/challenge"] {
        let refused = ask(path, "198.51.100.1").await;
        let wait: u64 = refused.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
        assert!((1..=13).contains(&wait), "{wait}");
        expect_problem(refused, 429, "too_many_requests").await;
    }
    // Pages and passes are counted apart from sign-ins.
    for path in ["/p/x", "/p/x/pass.pkpass", "/apple/v1/passes/pass.x/y"] {
        for _ in 0..5 {
            assert_ne!(get(path, "198.51.100.1").await.status(), 429, "{path}");
        }
    }
    expect_problem(get("/p/x", "198.51.100.1").await, 429, "too_many_requests").await;
    assert_ne!(get("/p/x", "198.51.100.2").await.status(), 429);
    assert_ne!(ask("/v1/token", "198.51.100.2").await.status(), 429);

    for n in 0..40 {
        let token = phone.access_token(&hub, &n.to_string()).await;
        assert_eq!(hub.post_sync(&token, first_sync("example-ag"), None).await.status(), 200);
    }
    let answer = hub.post_json("/v1/devices/challenge", "nonsense", &json!({})).await;
    let headers = answer.headers().clone();
    let problem: Value = serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
    assert_eq!(problem["request_id"].as_str(), headers["x-request-id"].to_str().ok());
}
