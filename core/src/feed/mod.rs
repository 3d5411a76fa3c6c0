//! The feed: a change log in scopes, numbered and chained by the hub, read with a cursor.
//!
//! A [`Scope`] is what a phone may hold a part of. Its [`Row`]s are dense (1, 2, 3, …); each has a random salt, and
//! the chain runs over SHA-256(salt ‖ row), so that a row can be erased or withheld and the chain still verifies. The
//! hub signs a [`PageHeader`] for each page and a [`Statement`] for each answer; a page that does not extend the head
//! the phone holds is refused.

mod page;
mod restored;
mod row;
mod scope;

pub use page::{Page, PageError, PageHeader, SaltedRow, ScopeHead, Statement, chain, digest};
pub use restored::{Proof, Restored};
pub use row::{ChangeRow, NoteRow, Row, RowKind, SnapshotRow};
pub use scope::Scope;
