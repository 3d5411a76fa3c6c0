//! The organisation as every phone knows it: sites, spaces, visitor types, members, and one's own roles.
//!
//! These are rows the hub owns, not documents: a phone only ever receives them. They come down the feed as
//! [`DirectoryRow`]s, each replacing an older version of itself, and are gathered in a [`Directory`], which a draft is
//! checked against and a form is filled from. Never in a row: PINs, security addresses, anything secret.
//!
//! ```
//! use vestibule_core::directory::{Directory, DirectoryRow, Member};
//!
//! let anna = Member { id: "anna".parse()?, number: 7, name: "Anna Müller".into(), email: "anna@example.com".into(), site: None };
//! let mut directory = Directory::default();
//! directory.apply(DirectoryRow::put(1, anna));
//! assert_eq!(directory.find_members("ANNA MÜLLER").len(), 1);
//! assert_eq!(directory.find_members("anna@example.com").len(), 1);
//! # Ok::<(), vestibule_core::id::IdError>(())
//! ```

mod lookup;
mod row;
mod site;
mod value;

pub use lookup::Directory;
pub use row::{DirectoryRow, RowKind, RowValue};
pub use site::Site;
pub use value::{Member, Organisation, OwnRoles, PrivacyMode, Role, Space, VisitorType};

#[cfg(test)]
mod tests;
