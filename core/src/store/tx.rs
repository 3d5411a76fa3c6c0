//! A write transaction: every statement passes a point where a test may fail or kill it.

use rusqlite::{Connection, OptionalExtension, Params, Row, Transaction, TransactionBehavior};

use super::StoreError;
use crate::fault::{self, Point};

/// A transaction that writes; dropped without [`commit`](Tx::commit), nothing of it happened.
pub(super) struct Tx<'c>(Transaction<'c>);

impl<'c> Tx<'c> {
    pub(super) fn begin(connection: &'c mut Connection) -> Result<Self, StoreError> {
        fault::pass(Point::BeforeWrite)?;
        Ok(Self(connection.transaction_with_behavior(TransactionBehavior::Immediate)?))
    }

    /// Runs a statement that writes; gives how many rows it wrote.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        fault::pass(Point::InsideWrite)?;
        Ok(self.0.prepare_cached(sql)?.execute(params)?)
    }

    /// Makes everything durable: after this returns, a pulled battery changes nothing.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        fault::pass(Point::InsideWrite)?;
        self.0.commit()?;
        Ok(fault::pass(Point::AfterCommit)?)
    }

    pub(super) fn last_row(&self) -> i64 {
        self.0.last_insert_rowid()
    }
}

impl std::ops::Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

/// One row, or none.
pub(super) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row(params, read).optional()?)
}

/// Every row.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
