//! What guests, approvers and hosts get, and when.

mod certificate;
mod life;
mod mails;
mod sending;
mod smtp;
