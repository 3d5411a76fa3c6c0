//! The hub of Vestibule: it accepts what phones send, decides, mints credentials, writes mails and signs passes.
//!
//! A request is handled by plain functions of the store, the time, the randomness and the request; the network, the
//! mailer and the clock stand around them and can be replaced in a test.

pub mod wallet;
