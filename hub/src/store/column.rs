//! Values in columns: counts, hashes and typed ids, written and read back.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, RowIndex};

use super::StoreError;

/// A count, kept as SQLite's signed integer; what this program counts stays far below 2^63. A number from outside may be
/// larger: it is looked for, and noted in the quarantine, as the largest there is, which nothing has.
pub(crate) struct Count(pub u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let signed = value.as_i64()?;
        u64::try_from(signed).map(Self).map_err(|_| FromSqlError::OutOfRange(signed))
    }
}

/// Reads a count.
pub(crate) fn count(row: &Row<'_>, index: impl RowIndex) -> rusqlite::Result<u64> {
    row.get::<_, Count>(index).map(|count| count.0)
}

/// Reads a text column as the id, zone or name it holds.
pub(crate) fn text<T: std::str::FromStr>(
    row: &Row<'_>,
    index: impl RowIndex,
    what: &'static str,
) -> Result<T, StoreError> {
    row.get_ref(index)?.as_str().map_err(|_| StoreError::Corrupt(what))?.parse().map_err(|_| StoreError::Corrupt(what))
}

/// Reads a text column that may be null.
pub(crate) fn optional_text<T: std::str::FromStr>(
    row: &Row<'_>,
    index: impl RowIndex,
    what: &'static str,
) -> Result<Option<T>, StoreError> {
    let text = row.get_ref(index)?.as_str_or_null().map_err(|_| StoreError::Corrupt(what))?;
    text.map(|text| text.parse().map_err(|_| StoreError::Corrupt(what))).transpose()
}

/// Reads a blob column of a fixed length.
pub(crate) fn blob<const N: usize>(
    row: &Row<'_>,
    index: impl RowIndex,
    what: &'static str,
) -> Result<[u8; N], StoreError> {
    let bytes = row.get_ref(index)?.as_blob().map_err(|_| StoreError::Corrupt(what))?;
    bytes.try_into().map_err(|_| StoreError::Corrupt(what))
}
