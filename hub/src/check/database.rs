//! The database: that it is sound, can be written, and wastes no room.

use super::Finding;
use crate::store::{HubStore, StoreError, organisations};

/// Reads the whole file, and writes a transaction that changes nothing.
pub fn check(store: &mut HubStore) -> Vec<Finding> {
    let mut found = Vec::new();
    match store
        .read(|tx| Ok::<_, StoreError>(tx.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?))
    {
        Ok(said) if said == "ok" => {}
        Ok(said) => found.push(damaged(&said)),
        Err(error) => found.push(damaged(&error)),
    }
    if let Err(error) = store.write(organisations::touch) {
        let message =
            format!("The database takes no changes: {error}. Check the disk, and who owns hub.db and its folder.");
        found.push(Finding::error("database_read_only", message));
    }
    found
}

fn damaged(what: &dyn std::fmt::Display) -> Finding {
    let message = format!("The database is damaged ({what}). Stop the hub and restore a backup.");
    Finding::error("database_damaged", message)
}
