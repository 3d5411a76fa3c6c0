//! The phone's file: everything a phone knows, encrypted, and every view is served from it.
//!
//! A write comes in as an intent: [`Store::write`] turns it into a change of the visit's document, and stores the change,
//! the read model, the search row, the entry of the outbox and the signed envelope in one transaction; when it returns,
//! the invitation survives a pulled battery. [`Store::outgoing`] hands a sync what waits, and [`Store::apply`] takes the
//! hub's verified answer: receipts empty the outbox, pages bring what is accepted, and intents whose ground has moved
//! are replayed. Reads never touch a document but for one visit's own page.
//!
//! One connection writes, another reads, so that lists stay quick while a first sync comes in.

mod ahead;
mod apart;
mod batch;
mod error;
mod ingest;
mod intent;
mod meta;
mod open;
mod outbox;
mod project;
mod purge;
mod read;
mod receipts;
mod reopen;
mod replay;
mod reread;
mod sent;
mod step;
mod sync;
mod trouble;
mod tx;
mod view;
mod working;
mod write;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use rusqlite::{Connection, InterruptHandle};

pub use crate::moment::Moment;
pub use error::StoreError;
pub use ingest::{Applied, Delivery, OpenedPage};
pub use intent::OperationKind;
pub use meta::{Identity, SetBack, SyncState};
pub use open::StoreKey;
pub use read::MAX_PAGE;
pub use sync::{Outgoing, Position};
pub use trouble::{Trouble, TroubleKind};
pub use view::{
    HistoryEntry, HistoryFact, ListFilter, NoteView, OperationView, Page, PageCursor, TabCounts, VisitSummary,
    VisitView, Windows,
};
pub use working::OperationState;
pub use write::{Choice, Work};

use crate::directory::Directory;
use crate::id::{ActorId, ActorSalt, VisitId};

/// The actors this process writes documents as.
type Actors = HashMap<VisitId, Pen>;

/// An actor, and the number of the last change it wrote: no number is used for two changes.
#[derive(Debug, Clone, Copy)]
struct Pen {
    salt: ActorSalt,
    actor: ActorId,
    seq: u64,
}

/// The phone's file, open.
pub struct Store {
    writer: Mutex<Writer>,
    reader: Mutex<Connection>,
    interrupt: InterruptHandle,
    directory: Mutex<Option<Arc<Directory>>>,
    watcher: OnceLock<Watcher>,
}

/// Hears that something was written.
type Watcher = Box<dyn Fn() + Send + Sync>;

struct Writer {
    connection: Connection,
    actors: Actors,
}

impl Store {
    /// Opens the file, makes it if there is none, and brings it up to date: its schema, and what an older version kept and
    /// could not use.
    ///
    /// # Errors
    /// A wrong key, a file of a later version, a file that would not be encrypted.
    pub fn open(path: &Path, key: &StoreKey) -> Result<Self, StoreError> {
        let mut connection = open::writer(path, key)?;
        reread::reread(&mut connection)?;
        let reader = open::reader(path, key)?;
        Ok(Self {
            writer: Mutex::new(Writer { connection, actors: Actors::new() }),
            interrupt: reader.get_interrupt_handle(),
            reader: Mutex::new(reader),
            directory: Mutex::new(None),
            watcher: OnceLock::new(),
        })
    }

    /// Interrupts the read that is running, from any thread: it fails with [`StoreError::Interrupted`].
    pub fn interrupt(&self) {
        self.interrupt.interrupt();
    }

    /// Calls `watcher` after every write, on the thread that wrote; the first one that is set stays. It must be quick.
    pub fn watch(&self, watcher: impl Fn() + Send + Sync + 'static) {
        // A second one has no place.
        let _ = self.watcher.set(Box::new(watcher));
    }

    /// Writes the log back into the file, before the app is suspended. When it returns, nothing that was running holds
    /// a lock on the file.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let writer = self.writer();
        let _no_read_runs = self.reader();
        writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Closes the file.
    pub fn close(self) -> Result<(), StoreError> {
        let reader = self.reader.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        reader.close().map_err(|(_, error)| error)?;
        let writer = self.writer.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        writer.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// The organisation as this phone knows it; read once and kept until a row changes.
    pub fn directory(&self) -> Result<Arc<Directory>, StoreError> {
        let mut held = self.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(directory) = held.as_ref() {
            return Ok(directory.clone());
        }
        let directory = Arc::new(ingest::directory(&self.reader())?);
        *held = Some(directory.clone());
        Ok(directory)
    }

    /// Who signed in on this phone.
    ///
    /// # Errors
    /// [`StoreError::NotSignedIn`] before the first sign-in.
    pub fn identity(&self) -> Result<Identity, StoreError> {
        meta::identity(&self.reader())
    }

    /// A transaction that panicked was rolled back when it was dropped, so what the lock guards is sound.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Reads the organisation anew when it is next asked for: another process may have changed it.
    pub fn forget_directory(&self) {
        *self.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    fn set_directory(&self, directory: Arc<Directory>) {
        *self.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(directory);
    }
}

#[cfg(test)]
mod tests;
