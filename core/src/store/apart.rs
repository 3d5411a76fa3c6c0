//! One row, one item, one intent that cannot be used never stops or loses another.
//!
//! What the hub answered is taken in one go. Where that fails because of what one visit holds, by an error or a panic,
//! it is taken again with care: each step within a savepoint, and what fails is set aside. So what goes well, which is
//! all there ever should be, pays nothing for it. A failure of the file itself is nobody's own, and goes on up.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Error, ErrorCode};

use super::tx::Tx;
use super::{Store, StoreError};
use crate::id::VisitId;
use crate::receipt::Refusal;

/// The code of what is set aside because it made the program fail.
const PANIC: &str = "panic";
/// The code of what is set aside because something stored cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";

impl StoreError {
    /// The code of a failure that is of one visit's data alone; none where it is of the file, the keys, or the hub.
    fn own_code(&self) -> Option<&'static str> {
        match self {
            Self::Damaged("meta" | "cursor") => None,
            Self::Damaged(_)
            | Self::Sqlite(
                Error::FromSqlConversionFailure(..)
                | Error::IntegralValueOutOfRange(..)
                | Error::InvalidColumnType(..)
                | Error::Utf8Error(..),
            ) => Some(UNREADABLE),
            Self::Document(refusal) => Some(refusal.code()),
            Self::Sqlite(error) => match error.sqlite_error_code()? {
                ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch => Some("not_storable"),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Does `work`; the inner error is the code of a failure of its own.
fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<Result<T, &'static str>, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(Ok(value)),
        Ok(Err(error)) => match error.own_code() {
            Some(code) => {
                tracing::warn!(code, %error, "something of one visit cannot be used; all else goes on");
                Ok(Err(code))
            }
            None => Err(error),
        },
        Err(_) => {
            tracing::error!("something of one visit made the program fail; all else goes on");
            Ok(Err(PANIC))
        }
    }
}

impl Store {
    /// Does `work` in one go, and once more with care if something in it cannot be used.
    pub(super) fn with_care<T>(&self, work: impl Fn(bool) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Ok(value) = caught(|| work(false))? {
            return Ok(value);
        }
        self.writer().actors.clear();
        work(true)
    }

    /// Does `work`, which is about one visit, and nothing of it if it fails; the inner error is the code.
    pub(super) fn alone<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<Result<T, &'static str>, StoreError> {
        let done = caught(work)?;
        if done.is_err() {
            self.writer().actors.clear();
        }
        Ok(done)
    }
}

#[cfg(test)]
impl Store {
    /// Damages the file, for tests.
    pub(crate) fn damage(&self, sql: &str, visit: VisitId) -> usize {
        self.writer().connection.execute(sql, [visit.as_bytes()]).expect("the statement runs")
    }

    /// How much is set aside of a visit.
    pub(crate) fn set_aside(&self, visit: VisitId) -> i64 {
        let sql = "SELECT count(*) FROM quarantine WHERE visit = ?1";
        self.reader().query_row(sql, [visit.as_bytes()], |row| row.get(0)).expect("a number")
    }
}

impl Tx<'_> {
    /// Does `work` within a savepoint; of a failure of its own nothing is left but the code.
    pub(super) fn apart<T>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<Result<T, &'static str>, StoreError> {
        self.execute("SAVEPOINT apart", [])?;
        let done = caught(work)?;
        if done.is_err() {
            self.execute("ROLLBACK TO apart", [])?;
        }
        self.execute("RELEASE apart", [])?;
        Ok(done)
    }
}

/// Keeps in quarantine what cannot be used.
pub(super) fn set_aside(
    tx: &Tx<'_>,
    visit: Option<VisitId>,
    code: &str,
    bytes: &[u8],
    now: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO quarantine (visit, code, bytes, at) VALUES (?1, ?2, ?3, ?4)",
        (visit.as_ref().map(VisitId::as_bytes), code, bytes, now),
    )?;
    Ok(())
}

/// Turns down what waits to be written again of a visit that cannot be read: its author is told, and it stops nothing.
pub(super) fn give_up(tx: &Tx<'_>, visit: VisitId, code: &str) -> Result<(), StoreError> {
    let why = Refusal {
        code: code.to_owned(),
        message: "this phone cannot read the visit any more; invite again, or sign in on a new store".to_owned(),
        field: None,
    };
    tx.execute(
        "UPDATE outbox SET state = 'refused', code = ?2, message = ?3, field = NULL
         WHERE visit = ?1 AND state IN ('queued', 'stale')",
        (visit.as_bytes(), &why.code, &why.message),
    )?;
    tx.execute("UPDATE visit SET problem = ?2, attention = 1 WHERE id = ?1", (visit.as_bytes(), &why.code))?;
    Ok(())
}
