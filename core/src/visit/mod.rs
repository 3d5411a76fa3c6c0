//! A visit as a host means it: its keys, its values, the draft it begins as, and the status it has.

pub mod key;

pub use key::{Key, Merge};
