//! The organisations of this hub with their keys, opened as they appear: `vestibule admin init` works on a running hub.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use vestibule_core::id::OrganisationId;

use super::database::Database;
use super::{ServeError, Surroundings};
use crate::config::{Config, DataDir};
use crate::context::{self, Context};
use crate::store::{StoreError, organisations};

/// The open organisations.
pub struct Organisations {
    dir: DataDir,
    config: Config,
    surroundings: Surroundings,
    open: RwLock<BTreeMap<OrganisationId, Arc<Context>>>,
}

impl Organisations {
    /// None are open yet.
    pub fn new(dir: DataDir, config: Config, surroundings: Surroundings) -> Self {
        Self { dir, config, surroundings, open: RwLock::default() }
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

    /// Opens the organisations the database has and we have not.
    pub async fn refresh(&self, database: &Database) -> Result<(), ServeError> {
        for id in database.read(organisations::list).await? {
            if self.get(&id).is_some() {
                continue;
            }
            let (dir, config, surroundings) = (self.dir.clone(), self.config.clone(), self.surroundings.clone());
            let opened = {
                let id = id.clone();
                // Making RSA keys takes a second.
                tokio::task::spawn_blocking(move || {
                    Context::open(&dir, &config, &id, surroundings.now(), &mut surroundings.rng())
                })
            };
            let opened = Arc::new(opened.await.map_err(std::io::Error::other)??);
            let (context, now) = (Arc::clone(&opened), self.surroundings.now());
            database.write(move |tx| context::key_set(tx, &context, now).map(drop)).await.map_err(StoreError::from)?;
            if !self.config.organisations.get(&id).is_some_and(|own| own.apple.is_some()) {
                tracing::warn!(organisation = %id, "Apple passes are signed by a chain of our own; real phones refuse them");
            }
            if !self.config.organisations.get(&id).is_some_and(|own| own.google.is_some()) {
                tracing::warn!(organisation = %id, "Google links are signed by a key Google does not know");
            }
            self.open.write().unwrap_or_else(PoisonError::into_inner).insert(id, opened);
        }
        Ok(())
    }
}
