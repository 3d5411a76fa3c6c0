//! The visitor form.

use vestibule_core::visit::{VisitDraft as CoreDraft, VisitValues};

use crate::time::CivilTime;

/// The form as typed, whole or not. An absent field and an empty one are the same. Texts are kept as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct VisitDraft {
    /// The first name; either name alone is a name. At most 200 characters, as the other names.
    #[uniffi(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[uniffi(default)]
    pub last_name: Option<String>,
    /// The visitor's e-mail address; required unless the organisation is in reception mode.
    #[uniffi(default)]
    pub email: Option<String>,
    /// The visitor's company.
    #[uniffi(default)]
    pub company: Option<String>,
    /// The visitor's phone number.
    #[uniffi(default)]
    pub phone: Option<String>,
    /// The visitor's number in the access control system.
    #[uniffi(default)]
    pub pacs_id: Option<String>,
    /// The site's id or name. Required.
    #[uniffi(default)]
    pub site: Option<String>,
    /// The space's id or name, within the site.
    #[uniffi(default)]
    pub space: Option<String>,
    /// The visitor type's id or name.
    #[uniffi(default)]
    pub visitor_type: Option<String>,
    /// The host's name, e-mail address or member id; oneself where empty.
    #[uniffi(default)]
    pub host: Option<String>,
    /// The start on the clock of the site, or without an end the arrival. Neither is a visit at any time.
    #[uniffi(default)]
    pub start: Option<CivilTime>,
    /// The end.
    #[uniffi(default)]
    pub end: Option<CivilTime>,
    /// The reason of the visit. At most 2,000 characters, as message and note.
    #[uniffi(default)]
    pub reason: Option<String>,
    /// A message to the visitor, shown as the host's words.
    #[uniffi(default)]
    pub message: Option<String>,
    /// An internal note, never for the visitor.
    #[uniffi(default)]
    pub note: Option<String>,
}

impl From<VisitDraft> for CoreDraft {
    fn from(draft: VisitDraft) -> Self {
        Self {
            first_name: draft.first_name,
            last_name: draft.last_name,
            email: draft.email,
            company: draft.company,
            phone: draft.phone,
            pacs_id: draft.pacs_id,
            site: draft.site,
            space: draft.space,
            visitor_type: draft.visitor_type,
            host: draft.host,
            reason: draft.reason,
            message: draft.message,
            note: draft.note,
            ..Self::default()
        }
        .with_times(draft.start.map(Into::into), draft.end.map(Into::into))
    }
}

impl VisitDraft {
    /// The form filled from a visit.
    pub(crate) fn of(values: &VisitValues) -> Self {
        let form = CoreDraft::from_values(values);
        Self {
            first_name: form.first_name,
            last_name: form.last_name,
            email: form.email,
            company: form.company,
            phone: form.phone,
            pacs_id: form.pacs_id,
            site: form.site,
            space: form.space,
            visitor_type: form.visitor_type,
            host: form.host,
            start: values.schedule.map(|schedule| schedule.start().into()),
            end: values.schedule.and_then(|schedule| schedule.end()).map(Into::into),
            reason: form.reason,
            message: form.message,
            note: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::visit::{Key, Value};

    use super::*;

    fn time(day: u8, second_occurrence: bool) -> CivilTime {
        CivilTime { year: 2027, month: 10, day, hour: 2, minute: 30, second_occurrence }
    }

    /// What a form was filled with is what the core reads, times of a repeated hour and of another day too.
    #[test]
    fn a_form_survives_the_boundary() {
        let values = VisitValues::from_pairs([
            (Key::FirstName, Value::Text("Zoë")),
            (Key::Site, Value::Text("zrh")),
            (Key::Schedule, Value::Text("2027-10-30T02:30/2027-10-31T02:30*")),
            (Key::Message, Value::Text("Two\nlines")),
        ]);
        let form = VisitDraft::of(&values);
        assert_eq!((form.start, form.end), (Some(time(30, false)), Some(time(31, true))));
        let core = CoreDraft::from(form);
        let from_core = CoreDraft::from_values(&values);
        assert_eq!((core.start.as_deref(), core.end.as_deref()), (Some("2027-10-30 02:30"), Some("2027-10-31 02:30")));
        assert_eq!((core.start_second, core.end_second), (from_core.start_second, from_core.end_second));
        assert_eq!(
            (core.first_name, core.site, core.message),
            (from_core.first_name, from_core.site, from_core.message)
        );
    }
}
