//! The hub over HTTP: a real server on a free port, its clock in the test's hand.

mod clock;
mod crowding;
mod mail;
mod refusals;
mod running;
mod sign_in;
