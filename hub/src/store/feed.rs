//! Scopes of the feed: their rows, their heads, and which visits belong in them.

use rusqlite::{OptionalExtension as _, Transaction, params};
use vestibule_core::feed::{Row, RowKind, SaltedRow, Scope, ScopeHead, chain};
use vestibule_core::id::{ChainHash, OrganisationId, SiteId, TypeId, VisitId};

use super::StoreError;
use super::column::{Count, blob, count, text};
use super::visits::Days;

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

/// Opens a scope that is kept only where somebody holds it, unless it is open; it is to be filled.
pub fn open(tx: &Transaction<'_>, organisation: &OrganisationId, scope: &Scope) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO feed_scope (organisation, scope, last, head, day) VALUES (?1, ?2, 0, ?3, -1)",
    )?
    .execute(params![organisation.as_str(), scope.to_string(), ChainHash::ORIGIN.as_bytes()])?;
    Ok(())
}

/// Whether a scope is kept.
pub fn is_open(tx: &Transaction<'_>, organisation: &OrganisationId, scope: &Scope) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM feed_scope WHERE organisation = ?1 AND scope = ?2")?
        .exists([organisation.as_str(), &scope.to_string()])?)
}

/// The scopes that are being filled, and those whose window moves, each with the day it was last moved to.
pub fn moving(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<(Scope, Option<i64>)>, StoreError> {
    tx.prepare_cached("SELECT scope, day FROM feed_scope WHERE organisation = ?1 AND day IS NOT NULL ORDER BY scope")?
        .query_and_then([organisation.as_str()], |row| {
            Ok((text(row, 0, "scope")?, Some(row.get::<_, i64>(1)?).filter(|&day| day >= 0)))
        })?
        .collect()
}

/// Notes that a scope is filled, and for a window that moves: on which day.
pub fn set_day(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    day: Option<i64>,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE feed_scope SET day = ?3 WHERE organisation = ?1 AND scope = ?2")?.execute(params![
        organisation.as_str(),
        scope.to_string(),
        day
    ])?;
    Ok(())
}

/// Which visits of a site belong in a scope.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    /// The site.
    pub site: &'a SiteId,
    /// Of this type only.
    pub visitor_type: Option<&'a TypeId>,
    /// Only those that need or had a decision.
    pub decided: bool,
    /// Only those with notes.
    pub noted: bool,
    /// Only those good for a day of these.
    pub days: Days,
}

/// At most `limit` visits that belong in a scope and are not in it: those of `today` and later first, then the newest.
pub fn missing(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    scope: &Scope,
    members: &Members<'_>,
    today: i64,
    limit: u32,
) -> Result<Vec<VisitId>, StoreError> {
    tx.prepare_cached(
        "SELECT id FROM visit v WHERE organisation = ?1 AND site = ?2 AND (?4 IS NULL OR type = ?4)
         AND (NOT ?5 OR decided) AND last_day >= ?7 AND first_day <= ?8
         AND (NOT ?6 OR EXISTS (SELECT 1 FROM note WHERE organisation = ?1 AND visit = v.id))
         AND NOT EXISTS (SELECT 1 FROM visit_scope WHERE organisation = ?1 AND visit = v.id AND scope = ?3)
         ORDER BY last_day < ?9, CASE WHEN last_day < ?9 THEN -last_day ELSE first_day END, number LIMIT ?10",
    )?
    .query_and_then(
        params![
            organisation.as_str(),
            members.site.as_str(),
            scope.to_string(),
            members.visitor_type.map(TypeId::as_str),
            members.decided,
            members.noted,
            members.days.first,
            members.days.last,
            today,
            limit,
        ],
        |row| blob(row, 0, "visit id").map(VisitId::from_bytes),
    )?
    .collect()
}

/// At most `limit` visits that are in a scope of their site and good for none of `days`; those that were over before
/// `since` are not looked at.
pub fn outside(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    (scope, site): (&Scope, &SiteId),
    days: Days,
    since: i64,
    limit: u32,
) -> Result<Vec<VisitId>, StoreError> {
    tx.prepare_cached(
        "SELECT id FROM visit v WHERE organisation = ?1 AND site = ?2 AND last_day >= ?6
         AND (last_day < ?4 OR first_day > ?5)
         AND EXISTS (SELECT 1 FROM visit_scope WHERE organisation = ?1 AND visit = v.id AND scope = ?3) LIMIT ?7",
    )?
    .query_and_then(
        params![organisation.as_str(), site.as_str(), scope.to_string(), days.first, days.last, since, limit],
        |row| blob(row, 0, "visit id").map(VisitId::from_bytes),
    )?
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
