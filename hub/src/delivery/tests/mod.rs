//! What guests, approvers and hosts get, and when.

mod authority;
mod certificate;
mod identity;
mod life;
mod mails;
mod sending;
mod smtp;
