//! What an Apple pass shows: fields in groups, one set of groups for each style.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::apple::null_is_empty;
use super::apple_values::{PassDate, Semantics};

/// The fields of a style. The five classic groups are always written, also when empty: older readers insist on them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Fields {
    /// At the top right, seen also while the pass lies in the stack.
    #[serde(deserialize_with = "null_is_empty")]
    pub header_fields: Vec<Field>,
    /// The most important one, large.
    #[serde(deserialize_with = "null_is_empty")]
    pub primary_fields: Vec<Field>,
    /// Below.
    #[serde(deserialize_with = "null_is_empty")]
    pub secondary_fields: Vec<Field>,
    /// Below that.
    #[serde(deserialize_with = "null_is_empty")]
    pub auxiliary_fields: Vec<Field>,
    /// On the back.
    #[serde(deserialize_with = "null_is_empty")]
    pub back_fields: Vec<Field>,
    /// At the foot of a poster.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub footer_fields: Vec<Field>,
    /// Below a poster.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "Vec::is_empty")]
    pub additional_info_fields: Vec<Field>,
    /// `PKTransitTypeAir` and others, of a boarding pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_type: Option<String>,
    /// Every other key, as it was read.
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Field {
    /// Unique within its style; an update finds the field by it. Passes without it are about, and are read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The words above the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What is shown.
    #[serde(skip_serializing_if = "FieldValue::is_absent")]
    pub value: FieldValue,
    /// The value with links (`<a href='…'>`), for the back. Never put a typed text into it unescaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributed_value: Option<String>,
    /// What the holder is told when the value changes; contains `%@`. Without it nobody notices an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_message: Option<String>,
    /// How the date of the value is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_style: Option<DateStyle>,
    /// How its time is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_style: Option<DateStyle>,
    /// Whether it is shown in the zone of the value (the site's) instead of the device's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignores_time_zone: Option<bool>,
    /// Whether it is shown as "tomorrow".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_relative: Option<bool>,
    /// `PKNumberStyleDecimal` and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_style: Option<String>,
    /// The currency of the value (ISO 4217).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency_code: Option<String>,
    /// `PKTextAlignmentLeft` and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_alignment: Option<String>,
    /// What becomes a link on the back; an empty list stands for nothing, an absent one for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_detector_types: Option<Vec<String>>,
    /// 0 or 1: the row of an auxiliary field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Number>,
    /// What the system may know of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantics: Option<Semantics>,
    /// Every other key, as it was read.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Field {
    /// A field with a label.
    pub fn new(key: &str, label: &str, value: impl Into<FieldValue>) -> Self {
        Self { key: key.to_owned(), label: Some(label.to_owned()), value: value.into(), ..Self::default() }
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text or a date.
    Text(String),
    /// A number.
    Number(Number),
    /// Nothing; the pass says `null`, or has only an `attributedValue`.
    #[default]
    Absent,
    /// What no pass should hold, as it was read.
    Other(Value),
}

impl FieldValue {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
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
