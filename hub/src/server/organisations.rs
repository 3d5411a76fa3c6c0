//! The organisations of this hub with their keys, opened as they appear: `vestibule admin init` works on a running hub.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use rand_chacha::ChaCha20Rng;
use vestibule_core::id::OrganisationId;

use super::database::Database;
use super::{Hub, ServeError, Surroundings};
use crate::clock::{Clock, Reading};
use crate::config::{Config, DataDir};
use crate::context::Context;
use crate::organisation::{OrganisationError, key_set, key_set_holds};
use crate::store::organisations;

/// The open organisations.
pub struct Organisations {
    dir: DataDir,
    config: Config,
    surroundings: Surroundings,
    clock: Arc<Clock>,
    open: RwLock<BTreeMap<OrganisationId, Arc<Context>>>,
    /// Those that could not be opened when it was tried last.
    closed: RwLock<BTreeSet<OrganisationId>>,
}

impl Organisations {
    /// None are open yet.
    pub fn new(dir: DataDir, config: Config, surroundings: Surroundings, clock: Arc<Clock>) -> Self {
        Self { dir, config, surroundings, clock, open: RwLock::default(), closed: RwLock::default() }
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
            let now = self.clock.read().now;
            let opening = {
                let id = id.clone();
                // Making RSA keys takes a second.
                tokio::task::spawn_blocking(move || Context::open(&dir, &config, &id, now, &mut surroundings.rng()))
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

impl Hub {
    /// Signs the next key set of every organisation whose newest has not long to live.
    pub(super) async fn renew_key_sets(&self) {
        for context in self.organisations.all() {
            let (time, rng) = (self.clock.read(), self.surroundings.rng());
            if let Err(error) = self.renew_key_set(context, time, rng).await {
                tracing::error!(%error, "a key set could not be renewed");
            }
        }
    }

    async fn renew_key_set(
        &self,
        context: Arc<Context>,
        time: Reading,
        mut rng: ChaCha20Rng,
    ) -> Result<(), OrganisationError> {
        let (looked_at, now) = (Arc::clone(&context), time.now);
        // Looks before it asks to write: nearly always there is nothing to do.
        let holds = self.database.read(move |tx| key_set_holds(tx, &looked_at, now)).await?;
        if !holds && time.is_certain() {
            self.database.write(move |tx| key_set(tx, &context, &time.moment(&mut rng)).map(drop)).await?;
        }
        Ok(())
    }
}
