//! A visit as a host means it: its keys, its values, the draft it begins as, and the status it has.

mod carried;
pub mod code;
pub mod draft;
pub mod form;
pub mod key;
mod lifecycle;
mod name;
pub mod status;
pub mod validate;
pub mod values;

pub use carried::{ImportRow, Language, Occurrence};
pub use draft::{ValidDraft, VisitDraft};
pub use key::{Key, Merge};
pub use lifecycle::{Operations, status};
pub use name::full_name;
pub use status::{Status, Tab};
pub use validate::{validate, validate_edit};
pub use values::{Value, VisitValues, differences};

/// How long before the start of a visit the visitor may come in.
pub const EARLY: chrono::TimeDelta = chrono::TimeDelta::minutes(30);

#[cfg(test)]
mod tests;
