//! `pass.json`, the heart of an Apple Wallet pass.
//!
//! The types follow Apple's own model (`apple/pass-builder`): every style, the keys a pass of ours uses as typed
//! members, and in every object, however deep, each other key kept as it was read (`other`), so that reading and writing
//! a stranger's pass loses nothing. Keys are written in the order of the members, absent and `null` ones not at all: one
//! value, one spelling. What a pass shows is in [`super::apple_fields`], what stands in single values in
//! [`super::apple_values`]; the rules that types cannot hold are in [`super::apple_check`].

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

pub use super::apple_fields::{DateStyle, Field, FieldValue, Fields};
pub use super::apple_values::{Barcode, Beacon, Color, Location, Nfc, PassColor, PassDate, RelevantDate, Semantics};

/// A pass: the contents of `pass.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pass {
    /// Always 1.
    pub format_version: u32,
    /// As registered with Apple, the same as in the certificate that signs: `pass.ch.example.visit`.
    pub pass_type_identifier: String,
    /// Unique within the pass type, at least 16 characters, the same for as long as the delivery lives.
    pub serial_number: String,
    /// The team that registered the type, the same as in the certificate.
    pub team_identifier: String,
    /// Who issued the pass: shown on the lock screen and in mails.
    pub organization_name: String,
    /// What `VoiceOver` reads first.
    pub description: String,

    /// Where the pass is updated from (https); together with the token or not at all.
    #[serde(rename = "webServiceURL", skip_serializing_if = "Option::is_none")]
    pub web_service_url: Option<String>,
    /// What a device shows the web service, at least 16 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_token: Option<String>,

    /// When the pass ends; iOS then moves it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<PassDate>,
    /// Whether the pass has been ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided: Option<bool>,
    /// Whether the Share button is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharing_prohibited: Option<bool>,

    /// When the pass is offered on the lock screen, up to iOS 17.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relevant_date: Option<PassDate>,
    /// When it is offered, from iOS 18 on.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub relevant_dates: Vec<RelevantDate>,
    /// Where it is offered: at most 10.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Beacons near which it is offered.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub beacons: Vec<Beacon>,
    /// How near a location is near, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_distance: Option<Number>,

    /// The codes on the front; a device takes the first it can show.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub barcodes: Vec<Barcode>,
    /// The one code of iOS 8; use `barcodes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barcode: Option<Barcode>,
    /// Contactless payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nfc: Option<Nfc>,

    /// The colour of the front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color: Option<PassColor>,
    /// The colour of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreground_color: Option<PassColor>,
    /// The colour of the labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_color: Option<PassColor>,
    /// The colour of the strip behind the primary fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_color: Option<PassColor>,
    /// The text beside the logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_text: Option<String>,
    /// Tickets and boarding passes with the same identifier lie together; no other style may have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping_identifier: Option<String>,
    /// The styles to try, in order of preference.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub preferred_style_schemes: Vec<String>,

    /// What the system may know of the visit (suggestions, "Do Not Disturb").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Semantics>,
    /// What an app of the issuer reads; the holder never sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_info: Option<Value>,
    /// Apps of the issuer, as App Store numbers.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub associated_store_identifiers: Vec<u64>,
    /// What such an app is opened with; needs `associated_store_identifiers`.
    #[serde(rename = "appLaunchURL", skip_serializing_if = "Option::is_none")]
    pub app_launch_url: Option<String>,

    /// Style: a boarding pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boarding_pass: Option<Fields>,
    /// Style: a coupon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon: Option<Fields>,
    /// Style: a ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ticket: Option<Fields>,
    /// Style: a customer card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_card: Option<Fields>,
    /// Style: anything else, such as a visitor pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic: Option<Fields>,
    /// Style: the same as a poster, from iOS 27 on; earlier ones take `generic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster_generic: Option<Fields>,

    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Pass {
    /// Reads a `pass.json`. An error names the place and the key.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Writes `pass.json`: compact, keys in a fixed order.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a pass holds only texts, numbers and string keys")
    }

    /// The styles that are present.
    pub fn styles(&self) -> impl Iterator<Item = &Fields> {
        [&self.boarding_pass, &self.coupon, &self.event_ticket, &self.store_card, &self.generic, &self.poster_generic]
            .into_iter()
            .flatten()
    }
}

/// Reads a list, `null` as an empty one.
pub(super) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
#[path = "apple_tests.rs"]
mod tests;
