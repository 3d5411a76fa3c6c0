//! The hub's database. All SQL of the hub is in this module's files, one for each concept.
//!
//! Embedded `SQLite` in WAL mode with `synchronous=FULL`: what was acknowledged survives a pulled plug. One writer at a
//! time ([`HubStore::write`] takes an immediate transaction, so that a role is read in the transaction that accepts);
//! another process (`vestibule admin`) may write to the same file.

pub mod apart;
pub mod assertions;
pub mod check;
pub mod clock;
pub(crate) mod column;
pub mod credentials;
pub mod deliveries;
pub mod devices;
pub mod effects;
pub mod feed;
pub mod log;
pub mod members;
pub mod notes;
pub mod organisations;
pub mod outbox;
pub mod quarantine;
pub mod restorations;
pub mod usage;
pub mod visits;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use vestibule_core::fault::{self, Point};

/// The database could not do what was asked; completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// `SQLite`'s own error.
    #[error("the hub's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file was made by a newer version.
    #[error("the hub's database has schema {found}, this program knows up to {known}")]
    Newer {
        /// The schema in the file.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// A stored value cannot be read back.
    #[error("a stored {0} cannot be read")]
    Corrupt(&'static str),
    /// A step that a test made fail.
    #[error(transparent)]
    Injected(#[from] fault::Injected),
}

/// The schema, step by step: only ever added to.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_visits.sql"),
    include_str!("migrations/0002_delivery.sql"),
    include_str!("migrations/0003_issuer.sql"),
];

/// The hub's database file.
pub struct HubStore {
    path: PathBuf,
    connection: Connection,
}

impl HubStore {
    /// Opens the file, makes it if it is not there, and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // It holds for a file that is made now: before the first table, and before there is a log.
        connection.execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 67108864;
             PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4000;",
        )?;
        connection.set_prepared_statement_cache_capacity(128);
        migrate(&mut connection)?;
        // Every row that is written is a point inside the write.
        #[cfg(feature = "faults")]
        connection.update_hook(Some(|_, _: &str, _: &str, _| pass(Point::InsideWrite).expect("it kills or passes")))?;
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Opens a copy that nobody writes to, only to read it; its schema has to be the present one.
    pub fn open_copy(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let known = u32::try_from(MIGRATIONS.len()).expect("a handful of migrations");
        let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Writes what is in the database now, its log included, into an empty file. The hub may run meanwhile.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let path = path.to_str().ok_or(StoreError::Corrupt("path that is not UTF-8"))?;
        self.connection.execute("VACUUM INTO ?1", [path])?;
        Ok(())
    }

    /// Closes the file with everything in it, and nothing in a log beside it.
    pub fn close(self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Another connection to the same file.
    pub fn reopen(&self) -> Result<Self, StoreError> {
        Self::open(&self.path)
    }

    /// Runs `work` in one write transaction: all of it is durable when this returns `Ok`, none of it on an error.
    pub fn write<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        pass(Point::BeforeWrite)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let value = work(&transaction)?;
        pass(Point::InsideWrite)?;
        transaction.commit().map_err(StoreError::from)?;
        pass(Point::AfterCommit)?;
        Ok(value)
    }

    /// Gives pages that nothing uses back to the disk, at most so many; how many bytes are still to be given back. A few at
    /// a time: each transaction keeps other writers waiting.
    pub fn give_back(&mut self, pages: u32) -> Result<u64, StoreError> {
        if self.unused()? > 0 {
            // It gives a row for each page.
            let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
        self.unused()
    }

    /// How many bytes of the file nothing uses.
    pub fn unused(&self) -> Result<u64, StoreError> {
        Ok(self.number("PRAGMA freelist_count")?.saturating_mul(self.number("PRAGMA page_size")?))
    }

    /// Gives every page that nothing uses back to the disk; how many bytes.
    pub fn give_back_all(&mut self) -> Result<u64, StoreError> {
        let given = self.unused()?;
        // None means all.
        self.give_back(0)?;
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(given)
    }

    fn number(&self, pragma: &str) -> Result<u64, StoreError> {
        let number: i64 = self.connection.query_row(pragma, [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or_default())
    }

    /// Every row of every table but those named, for tests that hold that nothing changed.
    #[cfg(test)]
    pub(crate) fn dump(&mut self, without: &[&str]) -> String {
        use std::fmt::Write as _;
        let tables: Vec<String> = self
            .connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .expect("the schema");
        let mut dump = String::new();
        for table in tables.iter().filter(|table| !without.contains(&table.as_str())) {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM {table}")).expect("a table");
            let columns = statement.column_count();
            let mut rows = statement.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                let values: Vec<rusqlite::types::Value> =
                    (0..columns).map(|column| row.get(column).expect("a value")).collect();
                writeln!(dump, "{table} {values:?}").expect("writing to memory does not fail");
            }
        }
        dump
    }

    /// Runs `work` on one consistent state of the database.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.connection.transaction().map_err(StoreError::from)?;
        work(&transaction)
    }
}

/// Passes a point where a test may kill the hub.
fn pass(point: Point) -> Result<(), StoreError> {
    Ok(fault::pass(point)?)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful of migrations");
    let version = |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0));
    if version(connection)? == known {
        // A hub on a full disk can still be looked into.
        return Ok(());
    }
    pass(Point::BeforeWrite)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let found = version(&transaction)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    pass(Point::InsideWrite)?;
    transaction.commit()?;
    pass(Point::AfterCommit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is erased leaves no bytes behind, and its room goes back to the disk.
    #[test]
    fn room_that_is_free_is_given_back() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("hub.db");
        let mut store = HubStore::open(&path).expect("opens");
        let size = || std::fs::metadata(&path).expect("a file").len();
        let empty = size();
        let much = || vec![7_u8; 4 << 20];
        store
            .write(|tx| {
                Ok::<_, StoreError>(tx.execute("INSERT INTO meta (name, value) VALUES ('much', ?1)", [much()])?)
            })
            .expect("writes");
        assert_eq!(store.unused().expect("counts"), 0);
        store
            .write(|tx| Ok::<_, StoreError>(tx.execute("DELETE FROM meta WHERE name = 'much'", [])?))
            .expect("deletes");
        let unused = store.unused().expect("counts");
        assert!(unused > 4_000_000, "{unused}");
        assert!(store.give_back(100).expect("gives back") < unused);
        assert!(store.give_back_all().expect("gives back") > 3_000_000);
        assert_eq!(store.unused().expect("counts"), 0);
        assert!(size() <= empty.max(1 << 20), "{} after {empty}", size());
        let file = std::fs::read(&path).expect("reads");
        assert!(!file.windows(64).any(|bytes| bytes == [7; 64]), "what was erased is still there");
    }
}
