//! Connections to the hub's database: one that writes, a few that read, all on threads that may block.

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Transaction;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::store::{HubStore, StoreError};

/// How many requests read at a time. Readers of `SQLite` do not wait for the writer, nor it for them.
const READERS: usize = 3;

/// The hub's database, for asynchronous callers.
#[derive(Clone)]
pub struct Database {
    writer: Pool,
    readers: Pool,
}

impl Database {
    /// Opens the file, brings its schema up to date, and connects.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = HubStore::open(path)?;
        let readers = (0..READERS).map(|_| writer.reopen()).collect::<Result<_, _>>()?;
        Ok(Self { writer: Pool::new(vec![writer]), readers: Pool::new(readers) })
    }

    /// Runs `work` in one write transaction, as [`HubStore::write`]. It goes on to its end if the caller is dropped.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_then(work, Ok).await
    }

    /// As [`Self::write`]; then, when the value is durable and the connection free for others, `then` makes something of
    /// it, on the same thread.
    pub async fn write_then<T, U, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(T) -> Result<U, E> + Send + 'static,
    ) -> Result<U, E>
    where
        U: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.run(move |store| store.write(work), then).await
    }

    /// Runs `work` on one consistent state, as [`HubStore::read`].
    pub async fn read<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.read_then(work, Ok).await
    }

    /// As [`Self::read`]; then `then` makes something of the value, on the same thread.
    pub async fn read_then<T, U, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(T) -> Result<U, E> + Send + 'static,
    ) -> Result<U, E>
    where
        U: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.readers.run(move |store| store.read(work), then).await
    }
}

#[derive(Clone)]
struct Pool {
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<HubStore>>>,
}

impl Pool {
    fn new(stores: Vec<HubStore>) -> Self {
        Self { permits: Arc::new(Semaphore::new(stores.len())), idle: Arc::new(Mutex::new(stores)) }
    }

    /// Runs `work` with a connection, and `then` on what it gave, without one.
    async fn run<T, U, E>(
        &self,
        work: impl FnOnce(&mut HubStore) -> Result<T, E> + Send + 'static,
        then: impl FnOnce(T) -> Result<U, E> + Send + 'static,
    ) -> Result<U, E>
    where
        U: Send + 'static,
        E: Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let idle = Arc::clone(&self.idle);
        // What is logged on the other thread belongs to the same request.
        let span = tracing::Span::current();
        let done = spawn_blocking(move || span.in_scope(|| then(with_connection(permit, idle, work)?)));
        match done.await {
            Ok(value) => value,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Cancelled: the runtime is shutting down, and this future goes with it.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

fn with_connection<T>(
    permit: OwnedSemaphorePermit,
    idle: Arc<Mutex<Vec<HubStore>>>,
    work: impl FnOnce(&mut HubStore) -> T,
) -> T {
    // Dropped in reverse: the connection is back before the next caller is let in.
    let _permit = permit;
    let store = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut borrowed = Borrowed { idle, store };
    work(borrowed.store.as_mut().expect("there are as many connections as permits"))
}

/// A connection that goes back whatever happens; a transaction that panicked was rolled back when it was dropped.
struct Borrowed {
    idle: Arc<Mutex<Vec<HubStore>>>,
    store: Option<HubStore>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.store.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_rolls_back_and_loses_no_connection() {
        let home = tempfile::tempdir().expect("a directory");
        let database = Database::open(&home.path().join("hub.db")).expect("opens");
        for _ in 0..=READERS {
            let database = database.clone();
            let failed = tokio::spawn(async move {
                database
                    .write::<(), StoreError>(|tx| {
                        tx.execute("INSERT INTO meta (name, value) VALUES ('test', x'00')", [])?;
                        panic!("in the middle")
                    })
                    .await
            });
            assert!(failed.await.is_err());
        }
        let rows: i64 = database
            .write(|tx| {
                Ok::<_, StoreError>(tx.query_row("SELECT count(*) FROM meta WHERE name = 'test'", [], |r| r.get(0))?)
            })
            .await
            .expect("reads");
        assert_eq!(rows, 0);
    }
}
