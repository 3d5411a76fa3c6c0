//! The surface of Vestibule's core for Swift and Kotlin.
//!
//! One client object, [`HostClient`](client::HostClient), with sub-clients by topic. Nothing is decided here: every call
//! turns what it is given into the core's types, asks the core, and turns the answer back. What may go wrong crosses the
//! boundary as a [`VestibuleApiError`](error::VestibuleApiError); a panic never does. The shells see none of this
//! directly: the Swift package and the Kotlin library wrap the generated code.

pub mod argument;
pub mod client;
pub mod directory;
pub mod draft;
pub mod error;
pub mod guest_mail;
pub mod history;
pub mod list;
pub mod log;
pub mod passes;
pub mod provider;
pub mod runtime;
pub mod summary;
pub mod sync;
pub mod time;
pub mod view;
pub mod visits;

uniffi::setup_scaffolding!();

/// The version of the library, as `0.1.0`.
#[uniffi::export]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
