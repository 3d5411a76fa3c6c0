//! What the hub refuses over HTTP from a hostile client that holds a valid device key.
//!
//! Every attack runs against the real `vestibule serve` in the same way ([`scene`]): the whole database but the
//! quarantine is dumped, the attack is made, the refusal is compared by code and field and read as a sentence, the
//! database is dumped again and must be the same, and the device that attacked goes on to make a correct change, which
//! is accepted: no refusal breaks the chain of its envelopes.

mod changes;
mod drafts;
mod envelopes;
mod floods;
mod hardware;
mod requests;
mod rights;
mod scene;
mod tokens;
