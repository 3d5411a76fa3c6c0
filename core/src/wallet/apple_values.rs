//! The values of an Apple pass that are more than a text or a number: dates, places, codes, colours.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDateTime, SecondsFormat};
use serde::{Deserialize, Serialize, de};
use serde_json::{Map, Number, Value};

/// An instant with the zone it is shown in: ISO 8601 with `Z` or `±HH:MM`, seconds optional when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassDate(pub DateTime<FixedOffset>);

impl fmt::Display for PassDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RelevantDate {
    /// A single instant, instead of the two below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<PassDate>,
    /// Its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<PassDate>,
    /// Its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<PassDate>,
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A place near which the pass is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Degrees north.
    pub latitude: Number,
    /// Degrees east.
    pub longitude: Number,
    /// Metres above the sea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<Number>,
    /// What the lock screen says there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relevant_text: Option<String>,
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Location {
    /// A place by its degrees north and east; `None` where one of them is no number.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let (latitude, longitude) = (Number::from_f64(latitude)?, Number::from_f64(longitude)?);
        Some(Self { latitude, longitude, altitude: None, relevant_text: None, other: Map::new() })
    }
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
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A code on the front.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Barcode {
    /// `PKBarcodeFormatQR` and others.
    pub format: String,
    /// What is encoded.
    pub message: String,
    /// The character set it is encoded in, by its IANA name. Apple asks for it, and passes without it are about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_encoding: Option<String>,
    /// The words below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Barcode {
    /// A QR code of a text that ISO 8859-1 holds.
    pub fn qr(message: &str, alt_text: &str) -> Self {
        Self {
            format: "PKBarcodeFormatQR".to_owned(),
            message: message.to_owned(),
            message_encoding: Some("iso-8859-1".to_owned()),
            alt_text: Some(alt_text.to_owned()),
            other: Map::new(),
        }
    }
}

/// A contactless payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nfc {
    /// What is sent, at most 64 bytes.
    pub message: String,
    /// The reader's public key, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption_public_key: Option<String>,
    /// Whether the holder must unlock the device first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_authentication: Option<bool>,
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rgb({}, {}, {})", self.0, self.1, self.2)
    }
}

/// A colour as a pass spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassColor {
    /// Written `rgb(31, 75, 153)`; read from that, `#1f4b99` or `#14b`.
    Rgb(Color),
    /// Any other spelling (`rgba(31, 75, 153, 0.5)`, a name), as it was read.
    Other(String),
}

impl PassColor {
    /// The colour, where its spelling is known; how much shines through an `rgba()` is left out.
    ///
    /// ```
    /// use vestibule_core::wallet::apple::{Color, PassColor};
    ///
    /// assert_eq!(PassColor::Other("rgba(31, 75, 153, 0.5)".into()).color(), Some(Color(31, 75, 153)));
    /// assert_eq!(PassColor::Other("sea".into()).color(), None);
    /// ```
    pub fn color(&self) -> Option<Color> {
        match self {
            Self::Rgb(color) => Some(*color),
            Self::Other(text) => {
                let parts = parts_of(text, "rgba(")?;
                let [red, green, blue, _] = parts[..] else { return None };
                channels(&[red, green, blue])
            }
        }
    }
}

impl From<Color> for PassColor {
    fn from(color: Color) -> Self {
        Self::Rgb(color)
    }
}

impl Serialize for PassColor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rgb(color) => serializer.collect_str(color),
            Self::Other(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for PassColor {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let decimal = parts_of(&text, "rgb(").and_then(|parts| channels(&parts));
        Ok(decimal.or_else(|| hexadecimal(&text)).map_or(Self::Other(text), Self::Rgb))
    }
}

/// The parts between the brackets of `rgb(…)`.
fn parts_of<'t>(text: &'t str, opens: &str) -> Option<Vec<&'t str>> {
    let text = text.trim();
    let head = text.get(..opens.len()).filter(|head| head.eq_ignore_ascii_case(opens))?;
    Some(text[head.len()..].strip_suffix(')')?.split(',').map(str::trim).collect())
}

fn channels(parts: &[&str]) -> Option<Color> {
    let &[red, green, blue] = parts else { return None };
    Some(Color(red.parse().ok()?, green.parse().ok()?, blue.parse().ok()?))
}

fn hexadecimal(text: &str) -> Option<Color> {
    let digits = text.trim().strip_prefix('#')?;
    let digits = if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.to_owned() };
    let mut bytes = [0; 3];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(Color(bytes[0], bytes[1], bytes[2]))
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
