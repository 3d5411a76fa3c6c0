//! The visitor form: what a person typed, and what it is once it is checked.
//!
//! A [`VisitDraft`] holds every field as typed, whole or not. [`validate`](super::validate) checks it against the
//! directory and answers with all its problems at once, or with a [`ValidDraft`], whose
//! [`writes`](ValidDraft::writes) are the first change of a document. To edit, a form is filled from the visit
//! ([`VisitDraft::from_values`]), checked by [`validate_edit`](super::validate_edit), and only what changed is written
//! ([`ValidDraft::changes_from`]).

use crate::id::{MemberId, SiteId};
use crate::schedule::{CivilParts, CivilTime, Instants, Schedule};
use crate::text::{phone_number, plain_digits, plain_lines, structured};

use super::{Key, VisitValues};

/// The form as typed. An absent field and an empty one are the same; a field it does not know is an error in serde.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisitDraft {
    /// The first name; either name alone is a name (S1.11).
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The visitor's e-mail address, required in private mode (S4.5).
    pub email: Option<String>,
    /// The visitor's company (S1.12).
    pub company: Option<String>,
    /// The visitor's phone number.
    pub phone: Option<String>,
    /// The visitor's number in the physical access control system (S1.14).
    pub pacs_id: Option<String>,
    /// The site's id or name (S1.15).
    pub site: Option<String>,
    /// The space's id or name, within the site (S1.16).
    pub space: Option<String>,
    /// The visitor type's id or name (S1.17).
    pub visitor_type: Option<String>,
    /// The host's name, e-mail address or member id; oneself where empty (S1.22, S1.23).
    pub host: Option<String>,
    /// The day: `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The start, or without an end the arrival: `HH:MM`, or `YYYY-MM-DD HH:MM` with a space or a `T`.
    pub start: Option<String>,
    /// The end, in the same forms; without a date of its own it is on the day of the start.
    pub end: Option<String>,
    /// Whether the start is the second of an hour that comes twice.
    pub start_second: bool,
    /// Whether the end is the second of an hour that comes twice.
    pub end_second: bool,
    /// The reason of the visit.
    pub reason: Option<String>,
    /// A message to the visitor, shown as the host's words (S4.12).
    pub message: Option<String>,
    /// An internal note, never for the visitor (S1.19); it is not in the document.
    pub note: Option<String>,
}

impl VisitDraft {
    /// The form as it is meant: what was pasted with it and cannot be seen is gone, and line ends, tabs and digits are plain.
    /// Only then is it checked.
    pub(super) fn as_meant(&self) -> Self {
        let of = |clean: fn(&str) -> String, field: &Option<String>| field.as_deref().map(clean);
        let line = |text: &str| plain_lines(text).trim_matches('\n').to_owned();
        Self {
            first_name: of(line, &self.first_name),
            last_name: of(line, &self.last_name),
            email: of(structured, &self.email),
            company: of(line, &self.company),
            phone: of(phone_number, &self.phone),
            pacs_id: of(structured, &self.pacs_id),
            site: of(structured, &self.site),
            space: of(structured, &self.space),
            visitor_type: of(structured, &self.visitor_type),
            host: of(structured, &self.host),
            date: of(plain_digits, &self.date),
            start: of(plain_digits, &self.start),
            end: of(plain_digits, &self.end),
            start_second: self.start_second,
            end_second: self.end_second,
            reason: of(line, &self.reason),
            message: of(plain_lines, &self.message),
            note: of(plain_lines, &self.note),
        }
    }

    /// The form filled from a visit, to edit it or to invite again. The note is empty: notes are added, never edited.
    pub fn from_values(values: &VisitValues) -> Self {
        let start = values.schedule.map(|schedule| schedule.start());
        let end = values.schedule.and_then(|schedule| schedule.end());
        let clock = |time: CivilTime| time.time().format("%H:%M").to_string();
        Self {
            first_name: values.first_name.clone(),
            last_name: values.last_name.clone(),
            email: values.email.clone(),
            company: values.company.clone(),
            phone: values.phone.clone(),
            pacs_id: values.pacs_id.clone(),
            site: values.text(Key::Site),
            space: values.text(Key::Space),
            visitor_type: values.text(Key::Type),
            host: values.text(Key::Host),
            date: start.map(|start| start.date().to_string()),
            start: start.map(clock),
            end: end.map(|end| match start {
                Some(start) if start.date() == end.date() => clock(end),
                _ => format!("{} {}", end.date(), clock(end)),
            }),
            start_second: start.is_some_and(CivilTime::is_second),
            end_second: end.is_some_and(CivilTime::is_second),
            reason: values.reason.clone(),
            message: values.message.clone(),
            note: None,
        }
    }

    /// The same with these times, each with its own day, as a form with date and time pickers has them.
    #[must_use]
    pub fn with_times(self, start: Option<CivilParts>, end: Option<CivilParts>) -> Self {
        Self {
            date: None,
            start: start.map(|start| start.to_string()),
            end: end.map(|end| end.to_string()),
            start_second: start.is_some_and(|start| start.second_occurrence),
            end_second: end.is_some_and(|end| end.second_occurrence),
            ..self
        }
    }
}

/// A draft without a problem. Only [`validate`](super::validate) and [`validate_edit`](super::validate_edit) make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidDraft {
    pub(super) values: VisitValues,
    pub(super) site: SiteId,
    pub(super) host: MemberId,
    pub(super) note: Option<String>,
    pub(super) instants: Option<Instants>,
}

impl ValidDraft {
    /// The keys a form writes; the others are set by what makes the visit.
    pub const KEYS: [Key; 13] = [
        Key::FirstName,
        Key::LastName,
        Key::Company,
        Key::Email,
        Key::Phone,
        Key::PacsId,
        Key::Site,
        Key::Space,
        Key::Type,
        Key::Host,
        Key::Schedule,
        Key::Message,
        Key::Reason,
    ];

    /// The values to write into a new document, in the order of [`Key::ALL`]; an absent value is absent.
    pub fn writes(&self) -> Vec<(Key, String)> {
        Self::KEYS.into_iter().filter_map(|key| Some((key, self.values.text(key)?))).collect()
    }

    /// The values to write over an existing visit: only what differs, `None` where the key is to be deleted.
    pub fn changes_from(&self, existing: &VisitValues) -> Vec<(Key, Option<String>)> {
        let changed = |key: Key| {
            let value = self.values.text(key);
            (value != existing.text(key)).then_some((key, value))
        };
        Self::KEYS.into_iter().filter_map(changed).collect()
    }

    /// The values, as they will be read back from the document.
    pub fn values(&self) -> &VisitValues {
        &self.values
    }

    /// The site.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// The host.
    pub fn host(&self) -> &MemberId {
        &self.host
    }

    /// The schedule; none for a visit at any time the policy allows.
    pub fn schedule(&self) -> Option<Schedule> {
        self.values.schedule
    }

    /// The schedule's instants by this phone's time zone tables: for reminders and order only, the hub's count. None
    /// without a schedule, and where an edit left the schedule of a site the directory no longer has.
    pub fn instants(&self) -> Option<Instants> {
        self.instants
    }

    /// The note to send with the visit, as a fact of its own.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}
