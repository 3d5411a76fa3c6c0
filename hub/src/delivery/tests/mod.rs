//! What guests, approvers and hosts get, and when.

mod life;
mod mails;
mod sending;
mod smtp;
