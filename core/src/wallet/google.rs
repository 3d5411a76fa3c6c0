//! The Google Wallet model: a generic object (one visitor's pass) and its class, as `walletobjects/v1` has them.
//!
//! Keys we write are typed, others are kept as they were read, so that an object fetched by REST can be changed and
//! put back. How a link is made of them: [`super::google_link`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::google_template::ClassTemplate;

/// The kind of a visitor's pass.
pub const ENTRY_TICKET: &str = "GENERIC_ENTRY_TICKET";

/// Why no object or link could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoogleProblem {
    /// Not `issuer.suffix`.
    #[error("a Google Wallet id is the issuer's number, a dot and a suffix of A-Z, a-z, 0-9, '.', '_' and '-'")]
    Id,
    /// Too long for a link, even with everything left out that may be.
    #[error("the pass is too long for a link of 1,800 characters; insert it by REST and link by its id")]
    TooLong,
}

/// An id of a class or an object: `issuerId.suffix`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WalletId(String);

impl WalletId {
    /// Joins the issuer's number and a suffix after checking both.
    pub fn new(issuer: &str, suffix: &str) -> Result<Self, GoogleProblem> {
        let issuer_fits = !issuer.is_empty() && issuer.bytes().all(|b| b.is_ascii_digit());
        let suffix_fits =
            !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if issuer_fits && suffix_fits { Ok(Self(format!("{issuer}.{suffix}"))) } else { Err(GoogleProblem::Id) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What objects have in common. A link names its own: Google refuses an object of a class it does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenericClass {
    /// The class's id.
    pub id: WalletId,
    /// Who may hold an object of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple_devices_and_holders_allowed_status: Option<HoldersAllowed>,
    /// How its objects are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_template_info: Option<ClassTemplate>,
    /// Every other key.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl GenericClass {
    /// A class whose passes belong to one person, on all of their devices.
    pub fn personal(id: WalletId, template: ClassTemplate) -> Self {
        Self {
            id,
            multiple_devices_and_holders_allowed_status: Some(HoldersAllowed::OneUserAllDevices),
            class_template_info: Some(template),
            other: Map::new(),
        }
    }
}

/// Who may hold a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HoldersAllowed {
    /// Anyone it is passed on to.
    MultipleHolders,
    /// The first to save it, on all of their devices.
    OneUserAllDevices,
    /// The first to save it, on that device.
    OneUserOneDevice,
}

/// A generic pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GenericObject {
    /// The object's id.
    pub id: WalletId,
    /// Its class.
    pub class_id: WalletId,
    /// What kind of pass it is, such as [`ENTRY_TICKET`]. A text: Google adds kinds, and a fetched object is put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generic_type: Option<String>,
    /// Whether it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// The title of the card: the organisation.
    pub card_title: LocalizedString,
    /// The small words above the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subheader: Option<LocalizedString>,
    /// The large words: the visitor's name.
    pub header: LocalizedString,
    /// The colour of the card, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex_background_color: Option<String>,
    /// The code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<Barcode>,
    /// A code that changes with time; put in by REST, never in a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotating_barcode: Option<RotatingBarcode>,
    /// When the pass is valid: with an offset on both ends or on neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_time_interval: Option<TimeInterval>,
    /// What the holder is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// What a device may do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_constraints: Option<PassConstraints>,
    /// Texts below the card, the most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub text_modules_data: Vec<TextModule>,
    /// Every other key.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Whether a pass is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// In force.
    #[serde(alias = "active")]
    Active,
    /// Used.
    #[serde(alias = "completed")]
    Completed,
    /// Over.
    #[serde(alias = "expired")]
    Expired,
    /// Not in force now; may be again.
    #[serde(alias = "inactive")]
    Inactive,
}

/// A text in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalizedString {
    /// The text for everybody there is no translation for.
    pub default_value: TranslatedString,
    /// Translations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translated_values: Vec<TranslatedString>,
}

impl LocalizedString {
    /// A text in English, or one that has no language (a name).
    pub fn new(value: impl Into<String>) -> Self {
        let default_value = TranslatedString { language: "en".to_owned(), value: value.into() };
        Self { default_value, translated_values: Vec::new() }
    }
}

/// One language's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranslatedString {
    /// BCP 47: `en`, `de-CH`.
    pub language: String,
    /// The text.
    pub value: String,
}

/// A code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Barcode {
    /// `QR_CODE` and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is encoded.
    pub value: String,
    /// The words below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate_text: Option<String>,
}

/// A code that changes with time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RotatingBarcode {
    /// `QR_CODE` and others.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is encoded, with `{totp_value_0}` where the changing digits go.
    pub value_pattern: String,
    /// How the digits are found.
    pub totp_details: TotpDetails,
}

/// How the changing digits are found (RFC 6238).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TotpDetails {
    /// How long a value lasts, milliseconds in decimal.
    pub period_millis: String,
    /// `TOTP_SHA1`.
    pub algorithm: String,
    /// Secrets and lengths.
    pub parameters: Vec<TotpParameters>,
}

/// A secret of a changing code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TotpParameters {
    /// The secret, hexadecimal.
    pub key: String,
    /// How many digits.
    pub value_length: u8,
}

impl std::fmt::Debug for TotpParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TotpParameters").field("value_length", &self.value_length).finish_non_exhaustive()
    }
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeInterval {
    /// The beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime>,
    /// The end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime>,
}

/// An instant: ISO 8601 with an offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateTime {
    /// `2027-02-10T22:00:00+01:00`.
    pub date: String,
}

/// What the holder is told: a generic pass has no other notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notifications {
    /// Told before it becomes valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upcoming_notification: Option<Notification>,
    /// Told before it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_notification: Option<Notification>,
}

/// Whether to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Whether.
    pub enable_notification: bool,
}

/// What a device may do with a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PassConstraints {
    /// Whether it may be photographed from the screen.
    pub screenshot_eligibility: Eligibility,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Eligibility {
    /// Allowed.
    Eligible,
    /// Not allowed.
    Ineligible,
}

/// A text below the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextModule {
    /// Its id within the object.
    pub id: String,
    /// Its title.
    pub header: String,
    /// The text.
    pub body: String,
}
