//! The organisations of this hub with their keys, opened as they appear: `vestibule admin init` works on a running hub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::{KeySet, Sign1};

use super::database::Database;
use super::{Hub, ServeError, Surroundings};
use crate::config::{Config, DataDir};
use crate::context::Context;
use crate::moment::Moment;
use crate::organisation::{OrganisationError, sign_key_set};
use crate::store::organisations;

/// A key set with less life left, in seconds, is followed by another: 200 of its 400 days, so that a phone that syncs
/// twice a year never holds an expired one.
const RENEWAL: i64 = 200 * 86_400;

/// The open organisations.
pub struct Organisations {
    dir: DataDir,
    config: Config,
    surroundings: Surroundings,
    open: RwLock<BTreeMap<OrganisationId, Arc<Context>>>,
    /// Those that could not be opened when it was tried last.
    closed: RwLock<BTreeSet<OrganisationId>>,
}

impl Organisations {
    /// None are open yet.
    pub fn new(dir: DataDir, config: Config, surroundings: Surroundings) -> Self {
        Self { dir, config, surroundings, open: RwLock::default(), closed: RwLock::default() }
    }

    /// The directory of the hub.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// The organisation of that id, if it is one of this hub.
    pub fn get(&self, id: &OrganisationId) -> Option<Arc<Context>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<Context>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Opens the organisations the database has and we have not. One whose keys or settings cannot be used keeps no other
    /// from opening: it is told in the log, once, and tried again at the next call.
    ///
    /// # Errors
    /// The database failed; or not one can be opened, and why the first cannot.
    pub async fn refresh(&self, database: &Database) -> Result<(), ServeError> {
        let mut failed = None;
        for id in database.read(organisations::list).await? {
            if self.get(&id).is_some() {
                continue;
            }
            let (dir, config, surroundings) = (self.dir.clone(), self.config.clone(), self.surroundings.clone());
            let opening = {
                let id = id.clone();
                // Making RSA keys takes a second.
                tokio::task::spawn_blocking(move || {
                    Context::open(&dir, &config, &id, surroundings.now(), &mut surroundings.rng())
                })
            };
            let opened = match opening.await.map_err(std::io::Error::other) {
                Ok(opened) => opened.map_err(ServeError::from),
                Err(error) => Err(error.into()),
            };
            match opened {
                Ok(opened) => {
                    self.warn_of_own_keys(&id);
                    self.closed.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    self.open.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(opened));
                }
                Err(error) => {
                    if self.closed.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone()) {
                        tracing::error!(organisation = %id, %error, "an organisation cannot be opened; the others are served");
                    }
                    failed.get_or_insert(error);
                }
            }
        }
        match failed {
            Some(error) if self.all().is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    fn warn_of_own_keys(&self, id: &OrganisationId) {
        if self.config.organisations.get(id).is_none_or(|own| own.apple.is_none()) {
            tracing::warn!(organisation = %id, "Apple passes are signed by a chain of our own; real phones refuse them");
        }
        if self.config.organisations.get(id).is_none_or(|own| own.google.is_none()) {
            tracing::warn!(organisation = %id, "Google links are signed by a key Google does not know");
        }
    }
}

/// The organisation's signed key set: the newest, or, if that has not long to live, the next, signed by the root.
pub fn key_set(tx: &Transaction<'_>, context: &Context, moment: &Moment<'_>) -> Result<Vec<u8>, OrganisationError> {
    if let Some((_, bytes)) = organisations::current_key_set(tx, &context.organisation)? {
        // Ours, from our own database: only its end is asked.
        let set =
            Sign1::read(&bytes).ok().and_then(|set| cbor::read::<KeySet>(set.unverified_payload(), "key set").ok());
        if set.is_some_and(|set| set.expires_at - moment.unix() > RENEWAL) {
            return Ok(bytes);
        }
    }
    Ok(sign_key_set(tx, context, moment)?.bytes)
}

impl Hub {
    /// Signs the next key set of every organisation whose newest has not long to live.
    pub(super) async fn renew_key_sets(&self) {
        for context in self.organisations.all() {
            let (now, mut rng) = (self.surroundings.now(), self.surroundings.rng());
            let renewed = self.database.write(move |tx| key_set(tx, &context, &Moment::new(now, &mut rng))).await;
            if let Err(error) = renewed {
                tracing::error!(%error, "a key set could not be renewed");
            }
        }
    }
}
