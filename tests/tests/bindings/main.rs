//! The surface that Swift and Kotlin get, used from Rust as they use it, against a hub as a process.

mod app;
mod hostile;
mod lifecycle;
mod story;
