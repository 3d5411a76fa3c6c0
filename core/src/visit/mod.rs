//! A visit as a host means it: its keys, its values, the draft it begins as, and the status it has.

pub mod key;
mod lifecycle;
mod status;
mod values;

pub use key::{Key, Merge};
pub use lifecycle::{Operations, status};
pub use status::{NameError, Status, Tab};
pub use values::{Value, VisitValues, differences};
