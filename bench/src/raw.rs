//! The floors: SQLCipher by hand, under the settings of the phone's own file.
//!
//! Two of them. [`Rows`] is a program that keeps each visit as a row, with three indexes and the same full-text table,
//! and nothing else: no history, no outbox, no signature. [`Copies`] writes the very rows the phone's file got, into a
//! file of the same schema, in one transaction: what the durable write of an invitation costs when everything in it is
//! known before.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, Statement, TransactionBehavior, params, params_from_iter};
use vestibule_core::id::VisitId;

use crate::measure::{Clock, timed};
use crate::visits::Visit;

/// The key of every file: 32 bytes of key and 16 of salt.
pub const KEY: [u8; 48] = [7; 48];

const PHONE_SCHEMA: &str = include_str!("../../core/src/store/migrations/0001.sql");

const SCHEMA: &str = "
CREATE TABLE visit (
    place INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    number INTEGER,
    status TEXT NOT NULL,
    start_at INTEGER,
    end_at INTEGER,
    schedule TEXT,
    first_name TEXT,
    last_name TEXT,
    company TEXT,
    email TEXT,
    phone TEXT,
    pacs_id TEXT,
    site TEXT,
    space TEXT,
    type TEXT,
    host TEXT,
    host_name TEXT,
    message TEXT,
    reason TEXT,
    source TEXT
) STRICT;
CREATE INDEX visit_status ON visit (status, start_at, id);
CREATE INDEX visit_start ON visit (start_at, id);
CREATE VIRTUAL TABLE visit_search USING fts5 (
    name, company, email, host,
    detail = none, columnsize = 0, prefix = '2 3', tokenize = \"ascii\"
);
INSERT INTO visit_search (visit_search, rank) VALUES ('secure-delete', 1);";

/// A connection as the phone has it: key, plain header, WAL, `synchronous=FULL`, cache, secure deletion.
fn connect(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("a file that can be opened");
    let key = hex::encode(KEY);
    connection
        .execute_batch(&format!(
            "PRAGMA key = \"x'{key}'\";
             PRAGMA cipher_plaintext_header_size = 32;
             PRAGMA synchronous = FULL;
             PRAGMA temp_store = MEMORY;
             PRAGMA foreign_keys = ON;
             PRAGMA secure_delete = ON;
             PRAGMA cache_size = -4096;
             PRAGMA recursive_triggers = ON;
             PRAGMA journal_size_limit = 4194304;"
        ))
        .expect("settings that are taken");
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    if pages == 0 {
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;").expect("settings");
    }
    connection.set_prepared_statement_cache_capacity(64);
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).expect("the key fits");
    connection
}

/// A file of rows.
pub struct Rows(Connection);

/// What a list shows of a visit.
#[derive(Debug)]
#[expect(dead_code, reason = "read as a program would, and dropped")]
pub struct Shown(Vec<Value>);

const SHOWN: &str =
    "id, number, status, start_at, end_at, schedule, first_name, last_name, company, email, site, host, host_name";

impl Rows {
    /// Makes or opens the file.
    pub fn open(path: &Path) -> Self {
        let connection = connect(path);
        let version: i64 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number in the header");
        if version == 0 {
            connection.execute_batch(SCHEMA).expect("the schema above");
            connection.pragma_update(None, "user_version", 1).expect("a number in the header");
        }
        Self(connection)
    }

    /// Writes visits in one transaction; how long that took by that clock, the words of the search not counted.
    pub fn insert(&mut self, visits: &[Visit], first_place: i64, clock: Clock) -> Duration {
        let words: Vec<[String; 4]> = visits.iter().map(words).collect();
        clock(&mut || {
            let tx = self.0.transaction_with_behavior(TransactionBehavior::Immediate).expect("begins");
            {
                let mut row = tx
                    .prepare_cached(
                        "INSERT INTO visit VALUES
                         (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21)",
                    )
                    .expect("prepares");
                let mut search = tx
                    .prepare_cached(
                        "INSERT INTO visit_search (rowid, name, company, email, host) VALUES (?1, ?2, ?3, ?4, ?5)",
                    )
                    .expect("prepares");
                for ((place, visit), [name, company, email, host]) in (first_place..).zip(visits).zip(&words) {
                    row.execute(params![
                        place,
                        visit.visit.as_bytes(),
                        visit.number,
                        visit.status,
                        visit.start.timestamp(),
                        visit.end.timestamp(),
                        visit.schedule,
                        visit.first_name,
                        visit.last_name,
                        visit.company,
                        visit.email,
                        visit.phone,
                        visit.pacs_id,
                        visit.site,
                        visit.space,
                        visit.kind,
                        visit.host,
                        visit.host_name,
                        visit.message,
                        visit.reason,
                        visit.source
                    ])
                    .expect("a row");
                    search.execute(params![place, name, company, email, host]).expect("a row");
                }
            }
            tx.commit().expect("commits");
        })
    }

    /// The first page of a status, by start.
    pub fn page(&self, status: &str) -> Vec<Shown> {
        let sql = format!("SELECT {SHOWN} FROM visit WHERE status = ?1 ORDER BY start_at, id LIMIT 50");
        shown(&mut self.0.prepare_cached(&sql).expect("prepares"), status)
    }

    /// What the search finds, sorted by start, latest first.
    pub fn search(&self, query: &str) -> Vec<Shown> {
        let columns = SHOWN.replace("id, number", "v.id, number").replace("company, email", "v.company, v.email");
        let columns = columns.replace("host, host_name", "v.host, host_name");
        let sql = format!(
            "SELECT {columns} FROM visit_search s JOIN visit v ON v.place = s.rowid WHERE visit_search MATCH ?1
             ORDER BY start_at DESC LIMIT 50"
        );
        shown(&mut self.0.prepare_cached(&sql).expect("prepares"), query)
    }

    /// How many visits there are of each status, by a scan of the index.
    pub fn counts(&self) -> Vec<(String, i64)> {
        let mut statement =
            self.0.prepare_cached("SELECT status, count(*) FROM visit GROUP BY status").expect("prepares");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("queries");
        rows.collect::<Result<_, _>>().expect("reads")
    }

    /// Writes the log back into the file.
    pub fn checkpoint(&self) {
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("writes back");
    }
}

fn shown(statement: &mut Statement<'_>, argument: &str) -> Vec<Shown> {
    let columns = statement.column_count();
    let rows = statement
        .query_map([argument], |row| Ok(Shown((0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?)))
        .expect("queries");
    rows.collect::<Result<_, _>>().expect("reads")
}

/// The words of the full-text table, without the folding of accents and scripts that ours does.
fn words(visit: &Visit) -> [String; 4] {
    let lower = |text: &str| text.to_lowercase();
    [
        format!("{} {}", lower(&visit.first_name), lower(&visit.last_name)),
        lower(&visit.company),
        lower(&visit.email).replace(['.', '@'], " "),
        lower(visit.host_name),
    ]
}

/// Copies of the rows that a durable write left in a phone's file, written in one transaction.
pub struct Copies {
    from: Connection,
    to: Connection,
    seen: [i64; 2],
}

impl Copies {
    /// Copies from the phone's file to another one.
    pub fn new(phone: &Path, to: &Path) -> Self {
        let connection = connect(to);
        connection.execute_batch(PHONE_SCHEMA).expect("the phone's own schema");
        let mut copies = Self { from: connect(phone), to: connection, seen: [0; 2] };
        copies.seen = copies.last();
        copies
    }

    /// The last entry of the outbox, and the last envelope.
    fn last(&self) -> [i64; 2] {
        ["SELECT coalesce(max(id), 0) FROM outbox", "SELECT coalesce(max(counter), 0) FROM envelope"]
            .map(|sql| self.from.query_row(sql, [], |row| row.get(0)).expect("a number"))
    }

    fn read(&self, sql: &str, key: &[&dyn rusqlite::ToSql]) -> Vec<Vec<Value>> {
        let mut statement = self.from.prepare_cached(sql).expect("prepares");
        let columns = statement.column_count();
        let rows = statement
            .query_map(key, |row| (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>())
            .expect("queries");
        rows.collect::<Result<_, _>>().expect("reads")
    }

    /// Writes what was written of the visit since the last call; how long that took.
    pub fn take(&mut self, visit: VisitId) -> Duration {
        let id = visit.as_bytes();
        let now = self.last();
        let [outbox, envelope] = std::mem::replace(&mut self.seen, now);
        let chunks = self.read("SELECT * FROM chunk WHERE visit = ?1 AND envelope > ?2", &[id, &envelope]);
        let entries = self.read("SELECT * FROM outbox WHERE visit = ?1 AND id > ?2", &[id, &outbox]);
        let envelopes = self.read("SELECT * FROM envelope WHERE counter > ?1", &[&envelope]);
        let meta = self.read("SELECT * FROM meta WHERE name = 'envelope'", &[]);
        let row = self.read("SELECT * FROM visit WHERE id = ?1", &[id]);
        let place = row[0][1].clone();
        let words = self.read("SELECT rowid, name, company, email, host FROM visit_search WHERE rowid = ?1", &[&place]);
        let held: Option<i64> = self.to.query_row("SELECT place FROM visit WHERE id = ?1", [id], |row| row.get(0)).ok();
        let (took, ()) = timed(|| {
            let tx = self.to.transaction_with_behavior(TransactionBehavior::Immediate).expect("begins");
            let run = |sql: &str, rows: &[Vec<Value>]| {
                let mut statement = tx.prepare_cached(sql).expect("prepares");
                for row in rows {
                    statement.execute(params_from_iter(row)).expect("writes");
                }
            };
            run("INSERT INTO chunk VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", &chunks);
            run("INSERT INTO outbox VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &entries);
            run("INSERT INTO envelope VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &envelopes);
            run("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", &meta);
            if let Some(held) = held {
                run(UPDATE, &row);
                tx.prepare_cached("DELETE FROM visit_search WHERE rowid = ?1")
                    .and_then(|mut statement| statement.execute([held]))
                    .expect("deletes");
            } else {
                run(INSERT, &row);
            }
            run("INSERT INTO visit_search (rowid, name, company, email, host) VALUES (?1, ?2, ?3, ?4, ?5)", &words);
            tx.commit().expect("commits");
        });
        took
    }
}

const INSERT: &str = "INSERT INTO visit VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
                      ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";
const UPDATE: &str = "UPDATE visit SET place = ?2, sort_at = ?3, start_at = ?4, end_at = ?5, over_at = ?6, schedule = ?7, \
                      status = ?8, tab = ?9, queued = ?10, conflict = ?11, problem = ?12, attention = ?13, number = ?14, \
                      first_name = ?15, last_name = ?16, company = ?17, email = ?18, site = ?19, space = ?20, type = ?21, \
                      host = ?22, host_name = ?23, mail = ?24 WHERE id = ?1";
