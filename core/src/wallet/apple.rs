//! `pass.json`, the heart of an Apple Wallet pass.
//!
//! The types follow Apple's own model (`apple/pass-builder`): every style, the keys a pass of ours uses as typed
//! members, and every other key kept as it was read ([`Pass::other`]), so that reading and writing a stranger's pass
//! loses nothing. Keys are written in the order of the members, absent ones not at all: one value, one spelling.
//! The rules that types cannot hold are in [`super::apple_check`].

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat};
use serde::{Deserialize, Serialize, de};
use serde_json::{Map, Number, Value};

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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relevant_dates: Vec<RelevantDate>,
    /// Where it is offered: at most 10.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Beacons near which it is offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beacons: Vec<Beacon>,
    /// How near a location is near, in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_distance: Option<Number>,

    /// The codes on the front; a device takes the first it can show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub barcodes: Vec<Barcode>,
    /// The one code of iOS 8; use `barcodes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barcode: Option<Barcode>,
    /// Contactless payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nfc: Option<Nfc>,

    /// The colour of the front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color: Option<Color>,
    /// The colour of the values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreground_color: Option<Color>,
    /// The colour of the labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_color: Option<Color>,
    /// The text beside the logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_text: Option<String>,
    /// Passes of one type with the same identifier lie together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grouping_identifier: Option<String>,
    /// The styles to try, in order of preference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferred_style_schemes: Vec<String>,

    /// What the system may know of the visit (suggestions, "Do Not Disturb").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Semantics>,
    /// What an app of the issuer reads; the holder never sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_info: Option<Value>,
    /// Apps of the issuer, as App Store numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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

/// The fields of a style. The five classic groups are always written, also when empty: older readers insist on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fields {
    /// At the top right, seen also while the pass lies in the stack.
    pub header_fields: Vec<Field>,
    /// The most important one, large.
    pub primary_fields: Vec<Field>,
    /// Below.
    pub secondary_fields: Vec<Field>,
    /// Below that.
    pub auxiliary_fields: Vec<Field>,
    /// On the back.
    pub back_fields: Vec<Field>,
    /// At the foot of a poster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub footer_fields: Vec<Field>,
    /// Below a poster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_info_fields: Vec<Field>,
    /// Every other key (`transitType` of a boarding pass), as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Fields {
    /// Every field of every group.
    pub fn all(&self) -> impl Iterator<Item = &Field> {
        [
            &self.header_fields,
            &self.primary_fields,
            &self.secondary_fields,
            &self.auxiliary_fields,
            &self.back_fields,
            &self.footer_fields,
            &self.additional_info_fields,
        ]
        .into_iter()
        .flatten()
    }
}

/// A field on the front or the back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Unique within its style; an update finds the field by it.
    pub key: String,
    /// The words above the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What is shown.
    pub value: FieldValue,
    /// The value with links (`<a href='…'>`), for the back. Never put a typed text into it unescaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributed_value: Option<String>,
    /// What the holder is told when the value changes; contains `%@`. Without it nobody notices an update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_message: Option<String>,
    /// How the date of the value is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_style: Option<DateStyle>,
    /// How its time is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_style: Option<DateStyle>,
    /// Whether it is shown in the zone of the value (the site's) instead of the device's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignores_time_zone: Option<bool>,
    /// Whether it is shown as "tomorrow".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_relative: Option<bool>,
    /// Every other key (`textAlignment`, `numberStyle`, `currencyCode`, `dataDetectorTypes`, `row`, …), as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Field {
    /// A field with a label.
    pub fn new(key: &str, label: &str, value: impl Into<FieldValue>) -> Self {
        Self {
            key: key.to_owned(),
            label: Some(label.to_owned()),
            value: value.into(),
            attributed_value: None,
            change_message: None,
            date_style: None,
            time_style: None,
            ignores_time_zone: None,
            is_relative: None,
            other: Map::new(),
        }
    }

    /// The same, telling the holder when the value changes; `message` contains `%@`, which stands for the new value.
    #[must_use]
    pub fn announced(self, message: &str) -> Self {
        Self { change_message: Some(message.to_owned()), ..self }
    }

    /// The same, shown as a date and a time in the zone of the value.
    #[must_use]
    pub fn dated(self, date: DateStyle, time: DateStyle) -> Self {
        Self { date_style: Some(date), time_style: Some(time), ignores_time_zone: Some(true), ..self }
    }
}

/// What a field shows. JSON has no dates: a text with a `dateStyle` or `timeStyle` beside it is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text or a date.
    Text(String),
    /// A number.
    Number(Number),
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<PassDate> for FieldValue {
    fn from(date: PassDate) -> Self {
        Self::Text(date.to_string())
    }
}

/// How much of a date or a time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateStyle {
    /// Nothing of it.
    #[serde(rename = "PKDateStyleNone")]
    None,
    /// `10.02.27`, `22:00`.
    #[serde(rename = "PKDateStyleShort")]
    Short,
    /// `10 Feb 2027`.
    #[serde(rename = "PKDateStyleMedium")]
    Medium,
    /// `10 February 2027`.
    #[serde(rename = "PKDateStyleLong")]
    Long,
    /// `Wednesday, 10 February 2027`.
    #[serde(rename = "PKDateStyleFull")]
    Full,
}

/// An instant with the zone it is shown in: ISO 8601 with `Z` or `±HH:MM`, seconds optional when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassDate(pub DateTime<FixedOffset>);

impl fmt::Display for PassDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl Serialize for PassDate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PassDate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let without_seconds = || {
            let (civil, zone) = text.split_at_checked("2027-02-10T22:00".len())?;
            let zone = if zone == "Z" { "+00:00" } else { zone };
            let civil = NaiveDateTime::parse_from_str(civil, "%Y-%m-%dT%H:%M").ok()?;
            DateTime::parse_from_rfc3339(&format!("{}{zone}", civil.format("%Y-%m-%dT%H:%M:%S"))).ok()
        };
        DateTime::parse_from_rfc3339(&text)
            .ok()
            .or_else(without_seconds)
            .map(Self)
            .ok_or_else(|| de::Error::custom("a date is ISO 8601 with Z or ±HH:MM"))
    }
}

/// A stretch of time in which the pass is offered: at most 24 hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelevantDate {
    /// A single instant, instead of the two below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<PassDate>,
    /// Its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PassDate>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PassDate>,
}

/// A place near which the pass is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Metres above the sea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
    /// What the lock screen says there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevant_text: Option<String>,
}

/// A Bluetooth beacon near which the pass is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beacon {
    /// The beacon's UUID.
    #[serde(rename = "proximityUUID")]
    pub proximity_uuid: String,
    /// The group within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u16>,
    /// The beacon within the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor: Option<u16>,
    /// What the lock screen says there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevant_text: Option<String>,
}

/// A code on the front.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Barcode {
    /// `PKBarcodeFormatQR` and others.
    pub format: String,
    /// What is encoded.
    pub message: String,
    /// The character set it is encoded in, by its IANA name.
    pub message_encoding: String,
    /// The words below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

impl Barcode {
    /// A QR code of a text that ISO 8859-1 holds.
    pub fn qr(message: &str, alt_text: &str) -> Self {
        Self {
            format: "PKBarcodeFormatQR".to_owned(),
            message: message.to_owned(),
            message_encoding: "iso-8859-1".to_owned(),
            alt_text: Some(alt_text.to_owned()),
        }
    }
}

/// A contactless payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nfc {
    /// What is sent, at most 64 bytes.
    pub message: String,
    /// The reader's public key, base64.
    pub encryption_public_key: String,
    /// Whether the holder must unlock the device first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_authentication: Option<bool>,
}

/// A colour, written `rgb(31, 75, 153)`; `#1f4b99` is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl Serialize for Color {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("rgb({}, {}, {})", self.0, self.1, self.2))
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let decimal = || {
            let inside = text.strip_prefix("rgb(")?.strip_suffix(')')?;
            let mut parts = inside.split(',').map(|part| part.trim().parse().ok());
            let color = Self(parts.next()??, parts.next()??, parts.next()??);
            parts.next().is_none().then_some(color)
        };
        let hexadecimal = || {
            let mut bytes = [0; 3];
            hex::decode_to_slice(text.strip_prefix('#')?, &mut bytes).ok()?;
            Some(Self(bytes[0], bytes[1], bytes[2]))
        };
        decimal()
            .or_else(hexadecimal)
            .ok_or_else(|| de::Error::custom("a colour is rgb(r, g, b) with 0 to 255 each, or #rrggbb"))
    }
}

/// What the system may know of the visit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Semantics {
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_start_date: Option<PassDate>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_end_date: Option<PassDate>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_name: Option<String>,
    /// Where, on the map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_location: Option<Location>,
    /// In which room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_room: Option<String>,
    /// Every other tag, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
