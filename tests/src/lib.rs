//! What the end-to-end tests share: the command as a process, other projects' programs, the demo run once, and hubs and
//! phones that are killed.
//!
//! The tests use the real command as a user would and look at what it leaves behind with programs and libraries that are
//! not those that made it. `cargo xtask test` builds the command and installs the programs.

pub mod attacked;
pub mod calendar;
pub mod clock;
pub mod demo;
pub mod google;
pub mod hardware;
pub mod hostile;
pub mod http;
pub mod hub;
pub mod kill;
pub mod phone;
pub mod program;
