//! What only the network can say: that the mail server and the hub's own address answer, and that no proxy in front is
//! narrower than what phones send.

use std::time::Duration;

use reqwest::redirect::Policy;
use tokio::net::TcpStream;
use vestibule_core::sync::wire::MAX_PUSH;

use super::{Finding, Setup};
use crate::config::Config;

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Goes out and looks.
pub async fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let (mail, address) = tokio::join!(mail_server(setup.config), own_address(setup.config));
    mail.into_iter().chain(address).collect()
}

async fn mail_server(config: &Config) -> Option<Finding> {
    let smtp = config.smtp.as_ref()?;
    let (host, port) = (smtp.host.as_str(), smtp.port());
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await;
    let why = match connected {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not answer".to_owned(),
    };
    let message = format!("The mail server {host}:{port} cannot be reached: {why}. Check [smtp], and the network.");
    Some(Finding::error("mail_server_unreachable", message))
}

/// Asks the hub at its public address for its keys, and sends it a push that is as large as any: a proxy says by that
/// whether it lets it through. The hub itself reads none of it, as it comes from nobody.
async fn own_address(config: &Config) -> Option<Finding> {
    let shown = config.public_url.as_str().trim_end_matches('/');
    let unreachable = |why: &str| {
        let message =
            format!("The hub does not answer at {shown}: {why}. Check that it runs, and the proxy in front of it.");
        Some(Finding::error("public_url_unreachable", message))
    };
    let Ok(client) = reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).build() else {
        return unreachable("the certificates of this machine cannot be used");
    };
    let address = |path: &str| config.public_url.join(path).expect("a path after an origin is an address");
    match client.get(address(".well-known/jwks.json")).send().await {
        Ok(answer) if answer.status() == 200 => {}
        Ok(answer) => return unreachable(&format!("something answers with status {}", answer.status().as_u16())),
        Err(error) if error.is_timeout() => return unreachable("nothing answers in time"),
        Err(_) => return unreachable("no connection can be made"),
    }
    let answer = client.post(address("v1/sync")).body(vec![0; MAX_PUSH]).send().await.ok()?;
    let by_us = answer.headers().get("content-type").is_some_and(|kind| kind == "application/problem+json");
    if answer.status() == 413 && !by_us {
        let message = format!(
            "A proxy in front of {shown} refuses what is larger than it likes (413): phones send their work in smaller \
             parts, which takes longer, and a single large one not at all. Let 5 MB through (nginx: \
             client_max_body_size 5m)."
        );
        return Some(Finding::warning("proxy_body_limit", message));
    }
    None
}
