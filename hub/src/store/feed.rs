//! Scopes of the feed: their rows, their heads.

use rusqlite::{OptionalExtension as _, Transaction, params};
use vestibule_core::feed::{Row, RowKind, SaltedRow, Scope, ScopeHead, chain};
use vestibule_core::id::{ChainHash, OrganisationId};

use super::StoreError;
use super::column::{Count, blob, count, text};

/// Where a scope stands.
pub fn head(tx: &Transaction<'_>, organisation: &OrganisationId, scope: &Scope) -> Result<ScopeHead, StoreError> {
    let found = tx
        .prepare_cached("SELECT last, head FROM feed_scope WHERE organisation = ?1 AND scope = ?2")?
        .query_and_then([organisation.as_str(), &scope.to_string()], |row| {
            Ok::<_, StoreError>((count(row, 0)?, ChainHash(blob(row, 1, "scope head")?)))
        })?
        .next()
        .transpose()?;
    let (index, head) = found.unwrap_or((0, ChainHash::ORIGIN));
    Ok(ScopeHead { scope: scope.clone(), index, head })
}

/// The head of a scope after its row `index`; none if it has no such row.
pub fn head_at(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    index: u64,
) -> Result<Option<ChainHash>, StoreError> {
    if index == 0 {
        return Ok(Some(ChainHash::ORIGIN));
    }
    tx.prepare_cached("SELECT head FROM feed_row WHERE organisation = ?1 AND scope = ?2 AND idx = ?3")?
        .query_and_then(params![organisation.as_str(), scope.to_string(), Count(index)], |row| {
            blob(row, 0, "scope head").map(ChainHash)
        })?
        .next()
        .transpose()
}

/// What is appended to a scope.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// The visit's 16 bytes, or the row's own id as text bytes.
    pub id: Vec<u8>,
    /// What it carries.
    pub kind: RowKind,
    /// What it says.
    pub payload: Vec<u8>,
}

/// Appends rows to a scope under the next indexes, each with its salt.
pub fn append(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    rows: Vec<(NewRow, [u8; 16])>,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let ScopeHead { mut index, head: mut last, .. } = head(tx, organisation, scope)?;
    let mut links = Vec::with_capacity(rows.len());
    for (NewRow { id, kind, payload }, salt) in rows {
        index += 1;
        let (id, kind, payload) = (id.into(), kind.number(), payload.into());
        let bytes = Row { scope: scope.clone(), index, id, kind, payload, critical: false }.to_bytes();
        last = chain(&last, &salt, &bytes);
        links.push((index, salt, bytes, last));
    }
    let name = scope.to_string();
    // The scope first: its rows refer to it.
    tx.prepare_cached(
        "INSERT INTO feed_scope (organisation, scope, last, head) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (organisation, scope) DO UPDATE SET last = excluded.last, head = excluded.head",
    )?
    .execute(params![organisation.as_str(), name, Count(index), last.as_bytes()])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO feed_row (organisation, scope, idx, salt, bytes, head) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (index, salt, bytes, head) in links {
        insert.execute(params![organisation.as_str(), name, Count(index), salt, bytes, head.as_bytes()])?;
    }
    Ok(())
}

/// Rows of a scope in a sequence, with the head after the last of them.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The rows.
    pub rows: Vec<SaltedRow>,
    /// The index of the last of them.
    pub last: u64,
    /// The head after it.
    pub head: ChainHash,
}

/// The rows of a scope after `after`, as many as `budget` bytes hold, but at least one; none if there is none.
pub fn rows_after(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    after: u64,
    budget: usize,
) -> Result<Option<Rows>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT idx, salt, bytes, head FROM feed_row WHERE organisation = ?1 AND scope = ?2 AND idx > ?3 ORDER BY idx",
    )?;
    let mut found = statement.query(params![organisation.as_str(), scope.to_string(), Count(after)])?;
    let mut page: Option<Rows> = None;
    let mut size = 0;
    while let Some(row) = found.next()? {
        let bytes: Vec<u8> = row.get(2)?;
        size += bytes.len();
        if page.is_some() && size > budget {
            break;
        }
        let page = page.get_or_insert(Rows { rows: Vec::new(), last: 0, head: ChainHash::ORIGIN });
        page.rows.push(SaltedRow { salt: blob(row, 1, "salt")?, row: bytes.into() });
        page.last = count(row, 0)?;
        page.head = ChainHash(blob(row, 3, "scope head")?);
    }
    Ok(page)
}

/// The scopes of an organisation whose names begin so and that have rows, by name.
pub fn scopes_with_rows(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    prefix: &str,
) -> Result<Vec<Scope>, StoreError> {
    tx.prepare_cached(
        "SELECT scope FROM feed_scope WHERE organisation = ?1 AND substr(scope, 1, length(?2)) = ?2 ORDER BY scope",
    )?
    .query_and_then([organisation.as_str(), prefix], |row| text(row, 0, "scope"))?
    .collect()
}

/// The bytes of one row, for tests and tools.
pub fn row(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    index: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = tx
        .prepare_cached("SELECT bytes FROM feed_row WHERE organisation = ?1 AND scope = ?2 AND idx = ?3")?
        .query_row(params![organisation.as_str(), scope.to_string(), Count(index)], |row| row.get(0))
        .optional()?;
    Ok(bytes)
}
