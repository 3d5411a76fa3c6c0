//! The core of Vestibule: what a phone needs to invite visitors with no network.
//!
//! Data flows one way: a [`visit::VisitDraft`] is checked against the [`directory`], becomes a change of a
//! [`document`], is signed in an [`envelope`] and stored by the [`store`] together with its read model and outbox in
//! one transaction; [`sync`] carries it to the hub and brings back signed receipts and [`feed`] rows, from which the
//! store updates the read model that every view is served from.
//!
//! The domain (everything but [`store`], [`sync::client`] and [`phone`]) does no I/O: it is given the time and the
//! randomness it needs.

pub mod address;
pub mod calendar;
pub mod cbor;
pub mod clock;
pub mod decision;
pub mod directory;
pub mod document;
pub mod envelope;
pub mod fault;
pub mod feed;
#[cfg(test)]
mod golden;
pub mod guest_mail;
pub mod id;
pub mod keys;
pub mod moment;
pub mod phone;
pub mod problem;
pub mod qr;
mod reader;
pub mod receipt;
pub mod schedule;
pub mod store;
pub mod sync;
pub mod text;
pub mod visit;
pub mod wallet;
pub mod zone;
