//! Refusals in words: a stable code, what is wrong and what to do, no personal data.

use vestibule_core::document;
use vestibule_core::receipt::{Refusal, Verdict};
use vestibule_core::visit::Key;

/// A refusal without a field.
pub fn refused(code: &str, message: &str) -> Refusal {
    Refusal { code: code.to_owned(), message: message.to_owned(), field: None }
}

/// A refusal of a field.
pub fn refused_field(code: &str, message: &str, field: &str) -> Refusal {
    Refusal { code: code.to_owned(), message: format!("{field}: {message}"), field: Some(field.to_owned()) }
}

/// The refusal of a change that does not fit the profile.
pub fn refused_change(refusal: document::Refusal) -> Refusal {
    use document::Refusal as R;
    let field = match refusal {
        R::RepeatedKey { key }
        | R::BadValue { key }
        | R::TooLong { key }
        | R::Text { key }
        | R::WrittenOnce { key }
        | R::ForeignPred { key } => Some(field_of(key).to_owned()),
        _ => None,
    };
    Refusal { code: refusal.code().to_owned(), message: refusal.to_string(), field }
}

/// The field of the visitor form that a key of the document holds.
pub fn field_of(key: Key) -> &'static str {
    match key {
        Key::Type => "visitor_type",
        Key::Schedule => "start",
        other => other.as_str(),
    }
}

/// What the quarantine says of a verdict.
pub fn reason_of(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Stale { .. } => "stale",
        Verdict::Refused(refusal) => &refusal.code,
        Verdict::DependencyRefused => "dependency_refused",
        Verdict::Erased => "erased",
        Verdict::Later => "later",
        Verdict::Unknown(_) => "unknown",
    }
}

/// The author may not do this.
pub fn not_permitted() -> Refusal {
    refused("not_permitted", "You don't have permission to change this visit; ask its host or an administrator.")
}

/// The member may not decide about this visit.
pub fn may_not_decide() -> Refusal {
    refused(
        "not_permitted",
        "Only administrators, and approvers for this site and visitor type, can decide on this visit.",
    )
}

/// The visit is over.
pub fn over() -> Refusal {
    refused("over", "This visit is over or cancelled; invite the visitor again instead.")
}
