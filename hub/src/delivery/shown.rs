//! What a guest was last told, for the passes the guest holds.
//!
//! Wallets fetch a pass again by themselves and read out what has changed. So a pass never shows the visit as it is now:
//! it shows what the last mail said, whatever has been edited since and waits for an approval (S2.15), or was renamed in
//! the directory. It is written down with the mail, sealed with ChaCha20-Poly1305 (RFC 8439) under a key derived for the
//! delivery, so that the database's backups hold nothing of it; it goes with the delivery when a visit is erased.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use vestibule_core::zone::Zone;
use zeroize::Zeroizing;

use super::links::derive;
use super::{Delivery, DeliveryError, Invitation};
use crate::context::Context;
use crate::credential::Window;

/// The length of the nonce before a sealed text.
pub(super) const NONCE_BYTES: usize = 12;

/// The values of a visit as its guest was told them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) organisation_name: String,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) company: Option<String>,
    pub(super) host_name: String,
    pub(super) site_name: String,
    pub(super) site_address: String,
    pub(super) site_location: Option<(f64, f64)>,
    pub(super) space_name: Option<String>,
    pub(super) zone: Zone,
    /// When the visit begins and ends; both the same for one arrival time.
    pub(super) times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    pub(super) schedule_text: String,
    pub(super) visit_type_name: String,
    pub(super) valid_from: DateTime<Utc>,
    pub(super) expires: DateTime<Utc>,
}

impl Shown {
    /// What the guest of a visit is told now, with the window in which the guest is let in.
    pub(super) fn of(invitation: &Invitation, window: &Window) -> Self {
        let (values, site) = (&invitation.values, &invitation.site);
        let times = values.schedule.and_then(|schedule| schedule.resolve(&site.zone).ok());
        let valid = invitation.valid(window).map(|valid| format!("Valid {valid}"));
        let words = match (invitation.when().map(|when| when.to_string()), valid) {
            (Some(when), Some(valid)) => Some(format!("{when}. {valid}")),
            (when, valid) => when.or(valid),
        };
        let kind = invitation.visitor_type.as_ref().map(|kind| kind.name.clone());
        Self {
            organisation_name: invitation.organisation.name.clone(),
            first_name: values.first_name.clone(),
            last_name: values.last_name.clone(),
            company: values.company.clone(),
            host_name: invitation.host.name.clone(),
            site_name: site.name.clone(),
            site_address: site.address.clone(),
            site_location: invitation.coordinates(),
            space_name: invitation.space.as_ref().map(|space| space.name.clone()),
            zone: site.zone.clone(),
            times: times.map(|times| (times.start, times.end.unwrap_or(times.start))),
            schedule_text: words.unwrap_or_else(|| "Any time the site is open".to_owned()),
            visit_type_name: kind.unwrap_or_else(|| "Visitor".to_owned()),
            valid_from: window.not_before,
            expires: window.expires,
        }
    }

    /// Nothing of the visit: for whoever turned out not to be its visitor.
    pub(super) fn without_visit(self) -> Self {
        Self {
            first_name: None,
            last_name: None,
            company: None,
            host_name: String::new(),
            site_name: String::new(),
            site_address: String::new(),
            site_location: None,
            space_name: None,
            times: None,
            schedule_text: String::new(),
            visit_type_name: "Visitor".to_owned(),
            ..self
        }
    }

    /// Seals it for the delivery of that id.
    pub(super) fn seal(
        &self,
        context: &Context,
        delivery: &[u8; 16],
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Vec<u8>, DeliveryError> {
        let plain = serde_json::to_vec(self).map(Zeroizing::new).map_err(|_| DeliveryError::Message)?;
        let sealed = cipher(context, delivery)
            .encrypt(&Nonce::from(nonce), Payload { msg: &plain, aad: delivery })
            .map_err(|_| DeliveryError::Message)?;
        Ok([&nonce[..], &sealed].concat())
    }
}

impl Delivery {
    /// What its recipient was last told; `None` before the first mail, and where the key file was replaced.
    pub(super) fn shown(&self, context: &Context) -> Option<Shown> {
        let (nonce, sealed) = self.sealed_shown.as_ref()?.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: &self.id };
        let plain = cipher(context, &self.id).decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// The tag of its passes as they are at `now`: it rises with whatever they show, and never stays for two states of
    /// them. Their time runs out without anybody writing that down, which counts as one change more.
    pub fn pass_tag(&self, context: &Context, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.shown(context) {
            Some(shown) if now >= shown.expires => (self.changed_at + chrono::TimeDelta::seconds(1)).max(shown.expires),
            _ => self.changed_at,
        }
    }
}

fn cipher(context: &Context, delivery: &[u8; 16]) -> ChaCha20Poly1305 {
    let key = Zeroizing::new(derive(&context.keys.link_secret, "shown", delivery));
    ChaCha20Poly1305::new(&Key::from(*key))
}
