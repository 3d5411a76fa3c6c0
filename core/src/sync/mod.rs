//! Sync between a phone and the hub: one round trip carries what the phone pushes and what it pulls.
//!
//! [`wire`] holds the messages, which the hub shares. [`machine`] decides, without I/O, what is sent, believed and done
//! next; [`client`] performs it: it signs in, gets tokens, and carries bytes between the store and the hub.

mod assertion;
pub mod client;
mod http;
pub mod machine;
mod verify;
pub mod wire;

pub use http::{Answer, Call, HttpTransport, Transport, TransportError};
