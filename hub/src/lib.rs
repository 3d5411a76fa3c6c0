//! The hub of Vestibule: the authority that phones sync with.
//!
//! A request is handled by a plain function of (store, now, randomness, request): [`judge`] takes what phones push,
//! [`decide`] what approvers decide; both write facts through [`store`], let [`lifecycle`] derive the [`effect`]s, and
//! [`delivery`] carries them out in the same transaction: credentials, mails in the outbox, calendar entries, passes.
//! An effect that fails stops nothing else, and [`undone`] tries it again. [`feed`] hands the rows out, [`sweep`] ends what
//! nobody came to, [`zones`] follows the time zone tables. [`server`] puts HTTP around it, [`delivery`]'s sender puts SMTP around the outbox, and [`handover`] writes
//! down what came of it.
//! Time and randomness come in as a [`moment::Moment`]; whether the machine's clock can be believed is [`clock`]'s.

pub mod backup;
pub mod check;
pub mod clock;
pub mod command;
pub mod config;
pub mod context;
pub mod credential;
pub mod decide;
pub mod delivery;
pub mod effect;
pub mod feed;
pub mod handover;
pub mod issuer;
pub mod judge;
pub mod keys;
pub mod lifecycle;
pub mod mailbox;
pub use vestibule_core::moment;
pub mod organisation;
pub mod page;
pub mod record;
pub mod restore;
pub mod server;
pub mod store;
pub mod sweep;
pub mod undone;
pub mod visit;
pub mod wallet;
pub mod zones;
