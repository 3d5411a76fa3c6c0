//! The end of a doubt: keys first, then the time.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand_core::Rng;
use rusqlite::Transaction;

use crate::context::Context;
use crate::moment::Moment;
use crate::organisation::{OrganisationError, key_set};
use crate::store::clock::{self, Record};

/// Writes down that the machine's clock, which says `at`, is believed: the highest time seen is that one, whatever it was.
/// The key sets are made to hold at that time in the same transaction, so that nothing is ever signed outside them.
pub fn settle(
    tx: &Transaction<'_>,
    contexts: &[Arc<Context>],
    at: DateTime<Utc>,
    rng: &mut dyn Rng,
) -> Result<(), OrganisationError> {
    for context in contexts {
        key_set(tx, context, &Moment::new(at, &mut *rng))?;
    }
    clock::put(tx, &Record { seen: Some(at), doubt: None, confirmed: None })?;
    Ok(())
}
