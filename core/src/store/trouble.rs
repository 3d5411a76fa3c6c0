//! What the hub sent and this phone cannot use, in one place: rows this version does not understand, or only in part, and
//! rows it could not take. None of it is lost: a version that knows more reads it again ([`super::reread`]).

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::batch::Batch;
use super::tx::{Tx, all, one};
use super::{Store, StoreError};
use crate::feed::Row;
use crate::id::VisitId;

/// Why a row is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TroubleKind {
    /// It is of a scope this version does not know.
    Scope,
    /// It is of a kind this version does not know.
    Row,
    /// It is a directory row of a kind this version does not know.
    Directory,
    /// It is a change of a visit that also writes keys this version does not know; the rest of it is shown.
    Keys,
    /// It is an entry of the decision log whose fact this version does not know.
    Fact,
    /// It has fields this version does not know; the rest of it is used.
    Fields,
    /// It could not be taken.
    Quarantined,
}

impl TroubleKind {
    const ALL: [Self; 7] =
        [Self::Scope, Self::Row, Self::Directory, Self::Keys, Self::Fact, Self::Fields, Self::Quarantined];

    /// The name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Row => "row",
            Self::Directory => "directory",
            Self::Keys => "keys",
            Self::Fact => "fact",
            Self::Fields => "fields",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A row the phone cannot use, or not all of. It holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Why it is listed.
    pub kind: TroubleKind,
    /// What is not known: the kind's or fact's number, the names of the keys. Of a row in quarantine, a stable code.
    pub detail: String,
    /// The scope that brought it, if that is known.
    pub scope: Option<String>,
    /// The visit it is about, if it is about one.
    pub visit: Option<VisitId>,
    /// What is shown without it is wrong: the app has to be updated.
    pub update_app: bool,
    /// When it was put into quarantine.
    pub at: Option<DateTime<Utc>>,
}

impl Store {
    /// What the hub sent and this phone cannot use, in the order it came in each scope; quarantine last.
    pub fn trouble(&self) -> Result<Vec<Trouble>, StoreError> {
        let connection = self.reader();
        let snapshot = connection.unchecked_transaction()?;
        let mut troubles = all(
            &snapshot,
            "SELECT k.what, k.detail, c.scope, k.visit, k.critical FROM kept k LEFT JOIN cursor c ON c.key = k.scope
             ORDER BY k.scope, k.idx",
            [],
            |row| {
                let what: String = row.get(0)?;
                let kind = TroubleKind::ALL.into_iter().find(|kind| kind.as_str() == what);
                Ok(Trouble {
                    kind: kind.unwrap_or(TroubleKind::Row),
                    detail: row.get(1)?,
                    scope: row.get(2)?,
                    visit: row.get::<_, Option<[u8; 16]>>(3)?.map(VisitId::from_bytes),
                    update_app: row.get(4)?,
                    at: None,
                })
            },
        )?;
        troubles.extend(all(
            &snapshot,
            "SELECT q.code, c.scope, q.visit, q.critical, q.at FROM quarantine q LEFT JOIN cursor c ON c.key = q.scope
             ORDER BY q.id",
            [],
            |row| {
                Ok(Trouble {
                    kind: TroubleKind::Quarantined,
                    detail: row.get(0)?,
                    scope: row.get(1)?,
                    visit: row.get::<_, Option<[u8; 16]>>(2)?.map(VisitId::from_bytes),
                    update_app: row.get(3)?,
                    at: DateTime::from_timestamp(row.get(4)?, 0),
                })
            },
        )?);
        Ok(troubles)
    }

    /// Whether something that is shown is wrong without what this version does not know: a person has to update the app.
    pub fn needs_update(&self) -> Result<bool, StoreError> {
        let any = "SELECT EXISTS (SELECT 1 FROM kept WHERE critical = 1)
                   OR EXISTS (SELECT 1 FROM quarantine WHERE critical = 1)";
        Ok(one(&self.reader(), any, [], |row| row.get(0))?.unwrap_or(false))
    }
}

/// Keeps a row for the version that will understand it.
pub(super) fn keep(
    tx: &Tx<'_>,
    batch: &mut Batch<'_>,
    scope: i64,
    row: &Row,
    kind: TroubleKind,
    detail: &str,
) -> Result<(), StoreError> {
    let visit = row.visit();
    if let Some(visit) = visit
        && is_erased(tx, visit)?
    {
        return Ok(());
    }
    let index = i64::try_from(row.index).unwrap_or(i64::MAX);
    let id = visit.map(|visit| visit.as_bytes().to_vec());
    tx.execute(
        "INSERT OR REPLACE INTO kept (scope, idx, visit, what, detail, critical, bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (scope, index, id, kind.as_str(), detail, row.critical, row.to_bytes()),
    )?;
    mark(tx, batch, row)
}

/// Puts a row aside that cannot be taken.
pub(super) fn quarantine(
    tx: &Tx<'_>,
    batch: &mut Batch<'_>,
    scope: i64,
    row: &Row,
    code: &str,
) -> Result<(), StoreError> {
    tracing::warn!(code, kind = row.kind, "a row of the feed was put into quarantine");
    let index = i64::try_from(row.index).unwrap_or(i64::MAX);
    let id = row.visit().map(|visit| visit.as_bytes().to_vec());
    tx.execute(
        "INSERT INTO quarantine (visit, code, bytes, at, scope, idx, critical) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (id, code, row.to_bytes(), batch.now, scope, index, row.critical),
    )?;
    mark(tx, batch, row)
}

/// A visit that is shown wrong says so in the lists.
fn mark(tx: &Tx<'_>, batch: &mut Batch<'_>, row: &Row) -> Result<(), StoreError> {
    if row.critical
        && let Some(visit) = row.visit()
    {
        batch.working(tx, visit)?.update_app = true;
        batch.touch(visit);
    }
    Ok(())
}

/// Whether what is shown of a visit is wrong without what this version does not know.
pub(super) fn needs_update(connection: &Connection, visit: VisitId) -> Result<bool, StoreError> {
    let any = "SELECT EXISTS (SELECT 1 FROM kept WHERE visit = ?1 AND critical = 1)
               OR EXISTS (SELECT 1 FROM quarantine WHERE visit = ?1 AND critical = 1)";
    Ok(one(connection, any, [visit.as_bytes()], |row| row.get(0))?.unwrap_or(false))
}

/// Whether a visit was erased, and is to stay away.
pub(super) fn is_erased(connection: &Connection, visit: VisitId) -> Result<bool, StoreError> {
    Ok(one(connection, "SELECT 1 FROM tombstone WHERE visit = ?1", [visit.as_bytes()], |_| Ok(()))?.is_some())
}
