//! What belongs to a delivery for as long as it lives: derived from its id, never stored in the clear.
//!
//! A page token and a pass token are HMAC-SHA-256 of the delivery's id under a key outside the database, so that the
//! hub can write them into every mail and pass again; the database knows the page token's hash only, and whoever reads
//! the database can open no page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use url::Url;

use super::Delivery;
use crate::context::Context;
use crate::keys::Secret;

/// SHA-256 of a link's token, as the database holds it.
pub type LinkHash = [u8; 32];

/// The hash of a token somebody shows.
pub fn link_hash(token: &str) -> LinkHash {
    Sha256::digest(token.as_bytes()).into()
}

/// HMAC-SHA-256 for one purpose: nothing derived for one serves another.
pub(super) fn derive(secret: &Secret, purpose: &str, input: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&**secret).expect("HMAC takes a key of any length");
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(input);
    mac.finalize().into_bytes().into()
}

/// Names a recipient without the address: two spellings of one address have one key.
pub fn address_key(context: &Context, address: &str) -> [u8; 32] {
    derive(&context.keys.link_secret, "address", vestibule_core::address::address_key(address).as_bytes())
}

/// A token that is nowhere but in one link: 128 random bits.
pub(super) fn random_token(random: [u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// An address of this hub.
pub(crate) fn hub_link(context: &Context, path: &[&str]) -> Url {
    let mut url = context.public_url.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Where Apple's web service begins on this hub (`webServiceURL`): devices append `/v1/…`. The server's routes have the
/// same path.
pub(super) fn apple_web_service(context: &Context) -> Url {
    hub_link(context, &["apple"])
}

/// The token of a page, for the delivery of that id: 256 bits.
pub(super) fn page_token(context: &Context, delivery: &[u8; 16]) -> String {
    URL_SAFE_NO_PAD.encode(derive(&context.keys.link_secret, "page", delivery))
}

impl Delivery {
    /// The token of the visitor's page: 256 bits, base64url.
    pub fn page_token(&self, context: &Context) -> String {
        page_token(context, &self.id)
    }

    /// The visitor's page.
    pub fn page_link(&self, context: &Context) -> Url {
        hub_link(context, &["p", &self.page_token(context)])
    }

    /// The `authenticationToken` of the Apple pass: 43 characters, the same for as long as the delivery lives.
    pub fn pass_token(&self, context: &Context) -> String {
        URL_SAFE_NO_PAD.encode(derive(&context.keys.link_secret, "pass", &self.id))
    }

    /// The UID of its calendar entry (RFC 5545, 3.8.4.7): the same for as long as it lives, whatever becomes of the
    /// settings, so that a cancellation ends what an invitation began.
    pub fn calendar_uid(&self) -> String {
        format!("{}@{}", self.serial, self.domain)
    }
}

/// The host name of the hub, for identifiers that must be unique in the world.
pub(super) fn host(context: &Context) -> &str {
    context.public_url.host_str().unwrap_or("localhost")
}
