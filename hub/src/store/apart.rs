//! Work apart: what fails in it for a reason of its own, by an error or a panic, leaves nothing behind and stops nothing
//! else. What is the database's own failure goes on up, so that the whole transaction is rolled back.
//!
//! Whatever is done for many visits, items or rows in one transaction is done for each of them so: one that cannot be done
//! is that one's trouble, to be noted where somebody sees it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Error, ErrorCode, Transaction};

use super::StoreError;

/// A panic, as a stable code.
pub const PANIC: &str = "panic";

/// An error that may be of one visit or of the database.
pub trait Trouble: std::fmt::Display {
    /// A stable code where it is of what was worked on alone; none where the database itself failed.
    fn code(&self) -> Option<&'static str>;
}

impl Trouble for StoreError {
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Corrupt(_) => Some("unreadable"),
            Self::Sqlite(error) => of_a_row(error),
            Self::Newer { .. } | Self::Injected(_) => None,
        }
    }
}

/// Whether `SQLite` says something of the values it was given or was to read, and not of the file.
fn of_a_row(error: &Error) -> Option<&'static str> {
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => Some("unreadable"),
        error => match error.sqlite_error_code()? {
            ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch => Some("not_storable"),
            _ => None,
        },
    }
}

/// Does `work` within a savepoint. The inner result is the code of its own failure, of which nothing is left.
pub fn apart<T, E: Trouble + From<StoreError>>(
    tx: &Transaction<'_>,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<Result<T, &'static str>, E> {
    run(tx, "SAVEPOINT apart")?;
    let done = reading(work)?;
    if done.is_err() {
        run(tx, "ROLLBACK TO apart")?;
    }
    run(tx, "RELEASE apart")?;
    Ok(done)
}

/// As [`apart`], of work that only reads.
pub fn reading<T, E: Trouble>(work: impl FnOnce() -> Result<T, E>) -> Result<Result<T, &'static str>, E> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(Ok(value)),
        Ok(Err(error)) => match error.code() {
            None => Err(error),
            Some(code) => {
                tracing::error!(%error, code, "something could not be done; what else there is goes on");
                Ok(Err(code))
            }
        },
        // The hook of the process has told where.
        Err(_) => Ok(Err(PANIC)),
    }
}

fn run(tx: &Transaction<'_>, sql: &str) -> Result<(), StoreError> {
    tx.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::HubStore;

    fn put(tx: &Transaction<'_>, name: &str) -> Result<(), StoreError> {
        tx.execute("INSERT INTO meta (name, value) VALUES (?1, x'00')", [name])?;
        Ok(())
    }

    /// Of what fails nothing stays and everything else does; a failure of the database undoes all.
    #[test]
    fn a_failure_is_its_own() {
        let home = tempfile::tempdir().expect("a directory");
        let mut store = HubStore::open(&home.path().join("hub.db")).expect("opens");
        store
            .write(|tx| {
                put(tx, "before")?;
                let unreadable = apart(tx, || put(tx, "a").and(Err::<(), _>(StoreError::Corrupt("row"))))?;
                assert_eq!(unreadable, Err("unreadable"));
                let panicked =
                    apart(tx, || -> Result<(), StoreError> { put(tx, "b").map(|()| panic!("in the middle")) })?;
                assert_eq!(panicked, Err(PANIC));
                assert_eq!(apart(tx, || put(tx, "before"))?, Err("not_storable"), "there already");
                let within = apart(tx, || {
                    put(tx, "c")?;
                    apart(tx, || put(tx, "d").and(Err::<(), _>(StoreError::Corrupt("row"))))
                })?;
                assert_eq!(within, Ok(Err("unreadable")));
                Ok::<_, StoreError>(())
            })
            .expect("the rest goes on");
        let names = |store: &mut HubStore| -> Vec<String> {
            store
                .read(|tx| {
                    let mut statement = tx.prepare("SELECT name FROM meta WHERE name <> 'epoch' ORDER BY name")?;
                    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
                    Ok::<_, StoreError>(names)
                })
                .expect("reads")
        };
        assert_eq!(names(&mut store), ["before", "c"]);
        let full = || StoreError::Sqlite(Error::SqliteFailure(rusqlite::ffi::Error::new(13), None));
        let failed = store.write(|tx| {
            put(tx, "e")?;
            apart(tx, || put(tx, "f").and(Err::<(), _>(full())))
        });
        assert!(failed.is_err());
        assert_eq!(names(&mut store), ["before", "c"]);
    }
}
