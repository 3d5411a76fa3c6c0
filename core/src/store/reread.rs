//! After an update of the app: what an older version kept and could not use is read again, and every visit is written into
//! the lists anew, when the file is first opened.

use rusqlite::Connection;

use super::batch::Batch;
use super::tx::{Tx, all};
use super::{StoreError, ingest, meta};
use crate::cbor;
use crate::feed::Row;
use crate::id::VisitId;
use crate::reader;

/// How many visits are written anew in one transaction: each is held in memory with its document.
const AT_ONCE: usize = 500;

/// Reads what was kept again if another version than this one has last written the file. A process that dies meanwhile
/// leaves the rest to the next one: nothing is done twice to a different end.
pub(super) fn reread(connection: &mut Connection) -> Result<(), StoreError> {
    let known = reader::fingerprint();
    if meta::bytes(connection, meta::READER)?.as_deref() == Some(known.as_bytes()) {
        return Ok(());
    }
    let tx = Tx::begin(connection)?;
    read_kept(&tx)?;
    tx.commit()?;
    let tables = ["doc", "visit", "decision", "outbox"].map(|table| {
        let id = if matches!(table, "doc" | "visit") { "id" } else { "visit" };
        format!("SELECT {id} FROM {table}")
    });
    let visits: Vec<VisitId> =
        all(connection, &tables.join(" UNION "), [], |row| Ok(VisitId::from_bytes(row.get(0)?)))?;
    for part in visits.chunks(AT_ONCE) {
        let tx = Tx::begin(connection)?;
        let directory = ingest::directory(&tx)?;
        let mut batch = Batch::new(&directory, 0);
        for &visit in part {
            batch.touch(visit);
        }
        batch.project(&tx)?;
        tx.commit()?;
    }
    let tx = Tx::begin(connection)?;
    meta::put_bytes(&tx, meta::READER, known.as_bytes())?;
    tx.commit()
}

/// Takes every kept row and every row in quarantine again, in the order they came: what is still not understood is kept
/// again.
fn read_kept(tx: &Tx<'_>) -> Result<(), StoreError> {
    let rows = all(
        tx,
        "SELECT scope, idx, bytes, 0 AS at FROM kept
         UNION ALL SELECT scope, idx, bytes, at FROM quarantine WHERE scope IS NOT NULL ORDER BY 1, 2",
        [],
        |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, i64>(3)?)),
    )?;
    if rows.is_empty() {
        return Ok(());
    }
    for sql in ["DELETE FROM kept", "DELETE FROM quarantine WHERE scope IS NOT NULL"] {
        tx.execute(sql, [])?;
    }
    // Rows of the directory may be among them: the visits that are shown by them are written anew after all rows.
    let directory = ingest::directory(tx)?;
    let mut batch = Batch::new(&directory, 0);
    for (scope, bytes, at) in rows {
        batch.now = at;
        ingest::row(tx, &mut batch, scope, &cbor::read::<Row>(&bytes, "row")?)?;
    }
    let directory = ingest::directory(tx)?;
    batch.reread(&directory).project(tx)
}
