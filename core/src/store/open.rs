//! Opening the phone's file: prepare the connection, make or upgrade the schema, then check that it is what it has to
//! be.
//!
//! The file is encrypted with `SQLCipher` from its first byte but 32: iOS tells a database that may be locked in the
//! background by its plain header, and kills the app otherwise (0xdead10cc).

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use zeroize::Zeroizing;

use super::StoreError;
use crate::fault::{self, Point};

/// The migrations, the n-th of which leads from schema n − 1 to n.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001.sql")];

/// How long a statement waits for another connection's lock.
const BUSY: Duration = Duration::from_secs(10);

/// The key of the file: 32 bytes of key, 16 of salt, both random, from the Keychain or Keystore. Wiped when dropped.
pub struct StoreKey(Zeroizing<[u8; 48]>);

impl StoreKey {
    /// Takes key and salt.
    pub fn new(bytes: Zeroizing<[u8; 48]>) -> Self {
        Self(bytes)
    }

    /// Reads 96 hexadecimal digits; none if they are not.
    pub fn from_hex(digits: &Zeroizing<Vec<u8>>) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 48]);
        hex::decode_to_slice(digits.as_slice(), bytes.as_mut_slice()).ok()?;
        Some(Self(bytes))
    }

    /// The statement that gives the key to `SQLCipher`.
    fn pragma(&self) -> Zeroizing<String> {
        let mut digits = Zeroizing::new([0; 96]);
        hex::encode_to_slice(self.0.as_slice(), digits.as_mut_slice()).expect("96 digits are 48 bytes");
        let digits = std::str::from_utf8(digits.as_slice()).expect("hexadecimal digits are text");
        // Room for the whole text, so that no growing string leaves a copy behind.
        let mut sql = Zeroizing::new(String::with_capacity(128));
        sql.push_str("PRAGMA key = \"x'");
        sql.push_str(digits);
        sql.push_str("'\"");
        sql
    }
}

/// Shows nothing of the key.
impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey")
    }
}

/// Opens the one writing connection and brings the schema up to date.
pub(super) fn writer(path: &Path, key: &StoreKey) -> Result<Connection, StoreError> {
    let mut connection = prepare(path, key)?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).expect("there are few migrations");
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == 0 {
        // Only before the first table: pages freed by an erasure can be given back.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    if found < known {
        upgrade(&mut connection, found)?;
    }
    finish(&connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path, key: &StoreKey) -> Result<Connection, StoreError> {
    let connection = prepare(path, key)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Gives the key and sets what belongs to a connection, and touches the file to see that the key opens it.
fn prepare(path: &Path, key: &StoreKey) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.execute_batch(&key.pragma())?;
    connection.execute_batch("PRAGMA cipher_plaintext_header_size = 32")?;
    let version = connection.query_row("PRAGMA cipher_version", [], |row| row.get::<_, String>(0));
    if version.map_or(true, |version| version.is_empty()) {
        return Err(StoreError::NotEncrypted);
    }
    connection.busy_timeout(BUSY)?;
    // Before the settings: some of them read the schema too.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| {
        // The header is plain and looks sound: with another key it is the first page that makes no sense. A damaged one
        // cannot be told from that, as neither gives the bytes its authentication code is of.
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt) => StoreError::WrongKey,
            _ => error.into(),
        }
    })?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cache_size = -4096;
         PRAGMA recursive_triggers = ON;",
    )?;
    connection.pragma_update_and_check(None, "journal_size_limit", 4 << 20, |_| Ok(()))?;
    if cfg!(target_vendor = "apple") {
        // fsync on Apple's systems does not reach the medium; F_FULLFSYNC does.
        connection.execute_batch("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;")?;
    }
    // Else every statement whose plan might use a partial index is planned anew with each value that is bound: a third of
    // what a page of a list costs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Runs the migrations the file has not seen, in one transaction.
fn upgrade(connection: &mut Connection, from: u32) -> Result<(), StoreError> {
    fault::pass(Point::BeforeWrite)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let found: u32 = tx.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (migration, version) in MIGRATIONS.iter().zip(1_u32..).skip(found.max(from) as usize) {
        tx.execute_batch(migration)?;
        tx.pragma_update(None, "user_version", version)?;
    }
    fault::pass(Point::InsideWrite)?;
    tx.commit()?;
    Ok(fault::pass(Point::AfterCommit)?)
}

/// Sees to it that the first page stands in the file, and is not plain.
fn finish(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let mut page = [0; 512];
    let mut file = std::fs::File::open(path)?;
    if file.metadata()?.len() < 512 {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    file.read_exact(&mut page)?;
    // Bytes 72 to 91 of a plain database are reserved and zero (sqlite.org/fileformat2.html, section 1.3).
    let plain = page[72..92].iter().all(|&byte| byte == 0);
    if plain { Err(StoreError::NotEncrypted) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{key, scratch};

    fn schema(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name")
            .expect("prepares");
        let rows = statement.query_map([], |row| row.get(0)).expect("queries");
        rows.collect::<Result<_, _>>().expect("reads")
    }

    /// What was released is never edited: a file of each released schema, migrated, equals a fresh one.
    #[test]
    fn a_migrated_database_equals_a_fresh_one() {
        let dir = scratch();
        let fresh = writer(&dir.path().join("fresh"), &key(1)).expect("opens");
        for (golden, version) in [include_str!("golden/v1.sql")].into_iter().zip(1_u32..) {
            let path = dir.path().join(format!("v{version}"));
            let old = prepare(&path, &key(1)).expect("opens");
            old.execute_batch(golden).expect("the golden schema runs");
            old.pragma_update(None, "user_version", version).expect("sets");
            drop(old);
            let migrated = writer(&path, &key(1)).expect("migrates");
            assert_eq!(schema(&migrated), schema(&fresh), "from schema {version}");
        }
    }

    /// A file of a later version is left alone.
    #[test]
    fn a_newer_file_is_refused() {
        let dir = scratch();
        let path = dir.path().join("newer");
        writer(&path, &key(1)).expect("opens").pragma_update(None, "user_version", 99).expect("sets");
        assert!(matches!(writer(&path, &key(1)), Err(StoreError::Newer { found: 99, known: 1 })));
    }

    #[test]
    fn the_key_is_96_digits() {
        assert!(StoreKey::from_hex(&Zeroizing::new(vec![b'a'; 96])).is_some());
        for bad in [vec![b'a'; 95], vec![b'g'; 96], vec![]] {
            assert!(StoreKey::from_hex(&Zeroizing::new(bad)).is_none());
        }
        assert_eq!(format!("{:?}", key(7)), "StoreKey");
    }

    #[test]
    fn the_connection_is_durable_and_keeps_nothing_in_plain_files() {
        let dir = scratch();
        let connection = writer(&dir.path().join("file"), &key(1)).expect("opens");
        let is = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).expect("a number");
        assert_eq!([is("synchronous"), is("temp_store"), is("secure_delete"), is("auto_vacuum")], [2, 2, 1, 2]);
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).expect("text");
        assert_eq!(mode, "wal");
    }

    /// Checks are read for every row that is written: none may build a table of the values it allows.
    #[test]
    fn no_check_costs_a_table() {
        let dir = scratch();
        let connection = writer(&dir.path().join("file"), &key(1)).expect("opens");
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%CHECK%'";
        let mut statement = connection.prepare(tables).expect("prepares");
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).expect("queries").collect::<Result<_, _>>().expect("reads");
        assert!(names.contains(&"outbox".to_owned()) && names.contains(&"chunk".to_owned()));
        for name in names {
            let sql = format!("EXPLAIN INSERT INTO {name} SELECT * FROM {name} WHERE false");
            let mut statement = connection.prepare(&sql).expect("prepares");
            let steps: Vec<String> =
                statement.query_map([], |row| row.get(1)).expect("queries").collect::<Result<_, _>>().expect("reads");
            let into_itself = 1;
            let tables = steps.iter().filter(|step| *step == "OpenEphemeral").count();
            assert!(tables <= into_itself, "{name}: {steps:?}");
        }
    }
}
