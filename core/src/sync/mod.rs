//! Sync between a phone and the hub: one round trip carries what the phone pushes and what it pulls.
//!
//! [`wire`] holds the messages, which the hub shares.

pub mod wire;
