//! Following the time zone tables ([`crate::zones`]): a look at start and every day, and then the visits, some at a time.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::Datelike as _;

use super::Hub;
use crate::context::Context;
use crate::record::RecordError;
use crate::store::{StoreError, organisations};
use crate::zones::{self, Sources};

impl Hub {
    /// Looks for tables, and takes those that are newer than the sites have.
    pub(super) async fn look_at_zones(&self) {
        let named = self.zoneinfo();
        let Ok(sources) = tokio::task::spawn_blocking(move || Sources::find(named.as_deref())).await else { return };
        if let Some(problem) = &sources.problem {
            tracing::warn!("{problem}");
        }
        let newest = sources.newest();
        tracing::info!(tables = newest.version, from = %newest.origin, "time zone tables");
        let sources = Arc::new(sources);
        for context in self.organisations.all() {
            let organisation = context.organisation.clone();
            match self.adopt_zones(context, Arc::clone(&sources)).await {
                Ok(sites) => {
                    for site in sites {
                        tracing::info!(%organisation, %site, "the time zone rules of a site have changed");
                    }
                }
                Err(error) => tracing::error!(%organisation, %error, "the time zone tables could not be taken"),
            }
        }
    }

    async fn adopt_zones(
        &self,
        context: Arc<Context>,
        sources: Arc<Sources>,
    ) -> Result<Vec<vestibule_core::id::SiteId>, StoreError> {
        let time = self.clock.read();
        let year = time.now.year();
        let (organisation, known) = (context.organisation.clone(), Arc::clone(&sources));
        // Looks before it asks to write, so that no request waits for nothing.
        if !self.database.read(move |tx| zones::is_behind(tx, &organisation, &known, year)).await? {
            return Ok(Vec::new());
        }
        let mut rng = self.surroundings.rng();
        self.database.write(move |tx| zones::adopt(tx, &context, &mut time.moment(&mut rng), &sources, year)).await
    }

    /// Computes some visits anew whose site has other rules now; how many.
    pub(super) async fn retime(&self, context: &Arc<Context>) -> Result<usize, RecordError> {
        let organisation = context.organisation.clone();
        if self.database.read(move |tx| organisations::retiming(tx, &organisation)).await?.is_none() {
            return Ok(0);
        }
        let (context, time, mut rng) = (Arc::clone(context), self.clock.read(), self.surroundings.rng());
        let done = self.database.write(move |tx| zones::retime(tx, &context, &mut time.moment(&mut rng))).await?;
        self.wake.notify_one();
        Ok(done)
    }

    fn zoneinfo(&self) -> Option<PathBuf> {
        self.config.zoneinfo.as_ref().map(|path| self.organisations.dir().resolve(path))
    }
}
