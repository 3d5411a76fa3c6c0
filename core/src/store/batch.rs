//! The visits one transaction works on: each loaded once, and its read model written once, at the end.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::StoreError;
use super::project::{SearchRows, Times, project_into};
use super::replay::loosen;
use super::tx::{Tx, all, one};
use super::working::{Working, entries};
use crate::directory::Directory;
use crate::id::VisitId;

/// The visits one transaction works on.
pub(super) struct Batch<'d> {
    visits: BTreeMap<VisitId, Working>,
    touched: BTreeSet<VisitId>,
    /// The visit of the row before, which is not erased, and the scope that is known to hold it.
    pub(super) held: Option<(VisitId, i64)>,
    pub(super) directory: &'d Directory,
    pub(super) directory_changed: bool,
    pub(super) erased: bool,
    pub(super) now: i64,
    /// Each step is taken for itself, and one that fails is set aside: see [`super::apart`].
    pub(super) careful: bool,
}

impl<'d> Batch<'d> {
    pub(super) fn new(directory: &'d Directory, now: i64) -> Self {
        Self {
            visits: BTreeMap::new(),
            touched: BTreeSet::new(),
            held: None,
            directory,
            directory_changed: false,
            erased: false,
            now,
            careful: false,
        }
    }

    /// The same, step by step.
    pub(super) fn careful(self, careful: bool) -> Self {
        Self { careful, ..self }
    }

    /// What is held of a visit may be half changed: it is read again when it is next asked for.
    pub(super) fn forget(&mut self, id: VisitId) {
        self.visits.remove(&id);
        self.held = None;
    }

    pub(super) fn working(&mut self, connection: &Connection, id: VisitId) -> Result<&mut Working, StoreError> {
        use std::collections::btree_map::Entry;
        Ok(match self.visits.entry(id) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => free.insert(Working::load(connection, id)?),
        })
    }

    /// A visit that is to be erased: what is stored of it, readable or not, is of no more interest.
    pub(super) fn erasable(&mut self, id: VisitId) -> &mut Working {
        self.visits.entry(id).or_insert_with(|| Working { fresh: false, ..Working::fresh(id) })
    }

    /// A visit of which goes what the hub sent. Where that cannot be read it goes all the same, and sound comes back with
    /// the next rows.
    pub(super) fn droppable(&mut self, tx: &Tx<'_>, id: VisitId) -> Result<&mut Working, StoreError> {
        if self.careful && !self.visits.contains_key(&id) && tx.apart(|| Working::load(tx, id))?.is_err() {
            let outbox = tx.apart(|| entries(tx, id))?.unwrap_or_default();
            let place =
                one(tx, "SELECT coalesce(max(place), 0) FROM chunk WHERE visit = ?1", [id.as_bytes()], |row| {
                    row.get(0)
                })?;
            let place = place.unwrap_or_default();
            self.visits.insert(id, Working { fresh: false, outbox, place, ..Working::fresh(id) });
        }
        self.working(tx, id)
    }

    /// The same work with the directory as it is after the page.
    pub(super) fn reread(self, directory: &Directory) -> Batch<'_> {
        let Self { visits, touched, held, directory_changed, erased, now, careful, .. } = self;
        Batch { visits, touched, held, directory, directory_changed, erased, now, careful }
    }

    pub(super) fn touch(&mut self, id: VisitId) {
        self.touched.insert(id);
    }

    /// Writes heads and read model of every visit that was touched.
    pub(super) fn project(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        if self.directory_changed {
            self.touch_all_of_changed_rows(tx)?;
        }
        let mut search = SearchRows::default();
        for id in std::mem::take(&mut self.touched) {
            if !self.careful {
                self.project_one(tx, id, &mut search)?;
            } else if tx.apart(|| self.project_one(tx, id, &mut search))?.is_err() {
                // What the lists showed of it before stays.
                self.forget(id);
            }
        }
        search.write(tx)
    }

    fn project_one(&mut self, tx: &Tx<'_>, id: VisitId, search: &mut SearchRows) -> Result<(), StoreError> {
        let working = self.working(tx, id)?;
        if working.misfit {
            loosen(tx, working)?;
        }
        write_doc(tx, working)?;
        let working = &self.visits[&id];
        project_into(tx, working, self.directory, search)
    }

    /// A site's zone or a host's name stands in the read model: visits shown otherwise than the directory says now are
    /// written anew.
    fn touch_all_of_changed_rows(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let shown = all(
            tx,
            "SELECT id, host, host_name, site, schedule, start_at, over_at FROM visit WHERE host IS NOT NULL OR site IS NOT NULL",
            [],
            |row| {
                let id = VisitId::from_bytes(row.get(0)?);
                let text = |column| row.get::<_, Option<String>>(column);
                let time = |column| row.get::<_, Option<i64>>(column);
                Ok((id, text(1)?, text(2)?, text(3)?, text(4)?, [time(5)?, time(6)?]))
            },
        )?;
        for (id, host, host_name, site, schedule, shown) in shown {
            let member = host.and_then(|id| id.parse().ok()).and_then(|id| self.directory.member(&id));
            let zone = site.and_then(|id| id.parse().ok()).and_then(|id| self.directory.site(&id)).map(|s| &s.zone);
            let times = Times::of(schedule.and_then(|text| text.parse().ok()), zone, self.directory);
            let same = member.map(|m| m.name.as_str()) == host_name.as_deref()
                && [times.start, times.over_at].map(|time| time.map(|time| time.timestamp())) == shown;
            if !same {
                self.touched.insert(id);
            }
        }
        Ok(())
    }
}

/// Keeps the heads of a document beside it.
pub(super) fn write_doc(tx: &Tx<'_>, working: &Working) -> Result<(), StoreError> {
    if working.accepted.is_empty() {
        tx.execute("DELETE FROM doc WHERE id = ?1", [working.id.as_bytes()])?;
        return Ok(());
    }
    let heads: Vec<u8> = working.accepted.heads().iter().flat_map(|head| head.0).collect();
    tx.execute(
        "INSERT INTO doc (id, base, heads) VALUES (?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET base = excluded.base, heads = excluded.heads",
        (working.id.as_bytes(), working.base, heads),
    )?;
    Ok(())
}
