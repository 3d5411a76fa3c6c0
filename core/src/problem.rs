//! What is wrong with a draft: the field, a stable code a program can act on, and a message a person can read.

use std::fmt;

/// A field of the visitor form, by its name in Rust, JSON, the terminal and errors.
///
/// `Name` stands for "neither name given"; `Start` and `End` are the two ends of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field its name says")]
pub enum Field {
    Name,
    FirstName,
    LastName,
    Email,
    Company,
    Phone,
    PacsId,
    Site,
    Space,
    VisitorType,
    Host,
    Date,
    Start,
    End,
    Reason,
    Message,
    Note,
}

impl Field {
    /// The field's name in every language and format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Email => "email",
            Self::Company => "company",
            Self::Phone => "phone",
            Self::PacsId => "pacs_id",
            Self::Site => "site",
            Self::Space => "space",
            Self::VisitorType => "visitor_type",
            Self::Host => "host",
            Self::Date => "date",
            Self::Start => "start",
            Self::End => "end",
            Self::Reason => "reason",
            Self::Message => "message",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One problem of one field. `code` is stable; `message` is a sentence to show beside the field, and holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{field}: {message} ({code})")]
pub struct FieldProblem {
    /// The field at fault.
    pub field: Field,
    /// A stable code in `snake_case`, for programs: `required`, `too_long`, `unknown`, ….
    pub code: &'static str,
    /// What is wrong and what to do, in plain English.
    pub message: String,
}

impl FieldProblem {
    /// A problem of `field`.
    pub fn new(field: Field, code: &'static str, message: impl Into<String>) -> Self {
        Self { field, code, message: message.into() }
    }
}
