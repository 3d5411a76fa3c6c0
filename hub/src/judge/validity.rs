//! Whether the values of a visit are good for the organisation: the same check as on the phone, on the hub's own rows
//! and clock, because the hub never trusts a phone.

use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::directory::{Directory, DirectoryRow, RowValue};
use vestibule_core::id::OrganisationId;
use vestibule_core::problem::FieldProblem;
use vestibule_core::receipt::Refusal;
use vestibule_core::visit::{Key, ValidDraft, VisitDraft, VisitValues, validate, validate_edit};

use super::refusal::{field_of, refused_field};
use crate::store::members::MemberRecord;
use crate::store::{StoreError, members, organisations};

/// Checks the values of a new visit, or of an edit of `before`. The inner error is the first problem.
pub fn check(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    author: &MemberRecord,
    before: Option<&VisitValues>,
    after: &VisitValues,
    now: DateTime<Utc>,
) -> Result<Result<(), Refusal>, StoreError> {
    if let Some(key) = after.unreadable.first() {
        return Ok(Err(refused_field("malformed", "This value can't be read; enter it again.", field_of(*key))));
    }
    let directory = directory(tx, organisation, author, after)?;
    let me = &author.member.id;
    let draft = VisitDraft::from_values(after);
    let checked = match before {
        None => validate(&draft, &directory, me, now),
        Some(before) => validate_edit(before, &draft, &directory, me, now),
    };
    Ok(match checked {
        Err(problems) => Err(problems.first().map_or_else(
            || refused_field("malformed", "This value can't be read; enter it again.", "name"),
            |problem: &FieldProblem| refused_field(problem.code, &problem.message, problem.field.as_str()),
        )),
        Ok(valid) => as_written(&valid, after),
    })
}

/// The check reads a form and tidies it (an address loses the spaces around it, an empty host becomes oneself). A
/// document has to hold what the form would have written, and nothing else.
fn as_written(valid: &ValidDraft, after: &VisitValues) -> Result<(), Refusal> {
    match ValidDraft::KEYS.into_iter().find(|&key| valid.values().text(key) != after.text(key)) {
        None => Ok(()),
        Some(Key::Host) => Err(refused_field("required", "Choose a host.", "host")),
        Some(key) => {
            Err(refused_field("malformed", "This value wasn't written by the form; enter it again.", field_of(key)))
        }
    }
}

/// The rows that these values name, and the author's own roles: all that the check asks for.
fn directory(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    author: &MemberRecord,
    values: &VisitValues,
) -> Result<Directory, StoreError> {
    let mut rows: Vec<RowValue> = vec![author.own_roles().into()];
    let record = organisations::get(tx, organisation)?.ok_or(StoreError::Corrupt("organisation"))?;
    rows.push(record.organisation.into());
    if let Some(id) = &values.site {
        rows.extend(organisations::site(tx, organisation, id)?.map(RowValue::from));
    }
    if let Some(id) = &values.space {
        rows.extend(organisations::space(tx, organisation, id)?.map(RowValue::from));
    }
    if let Some(id) = &values.visitor_type {
        rows.extend(organisations::visitor_type(tx, organisation, id)?.map(|record| record.visitor_type.into()));
    }
    if let Some(id) = &values.host {
        let host = members::get(tx, organisation, id)?.filter(|record| record.active);
        rows.extend(host.map(|record| RowValue::from(record.member)));
    }
    let mut directory = Directory::default();
    for row in rows {
        directory.apply(DirectoryRow::put(1, row));
    }
    Ok(directory)
}

/// Whether the policy wants an approval for these values (S2.1, S2.6).
pub fn needs_approval(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    values: &VisitValues,
) -> Result<bool, StoreError> {
    match &values.visitor_type {
        Some(id) => {
            Ok(organisations::visitor_type(tx, organisation, id)?
                .is_some_and(|record| record.visitor_type.needs_approval))
        }
        None => Ok(false),
    }
}
