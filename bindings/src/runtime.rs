//! The one runtime of the process, for what waits on the network. It is made when it is first needed and stays.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::error::{Outcome, VestibuleApiError};

/// A phone syncs with one hub: two threads are plenty, for one may be writing what the other receives.
const THREADS: usize = 2;

/// The runtime.
///
/// # Errors
/// [`VestibuleApiError::Internal`] if the system gives it no threads.
pub(crate) fn runtime() -> Outcome<&'static Runtime> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let make =
        || Builder::new_multi_thread().worker_threads(THREADS).thread_name("vestibule").enable_all().build().ok();
    let reason = "the system gives the library no threads";
    RUNTIME.get_or_init(make).as_ref().ok_or_else(|| VestibuleApiError::Internal { reason: reason.to_owned() })
}

/// What a task gave. Waiting for one needs no runtime, so a foreign executor can.
pub(crate) async fn finished<T>(task: JoinHandle<Outcome<T>>) -> Outcome<T> {
    task.await.unwrap_or_else(|error: JoinError| {
        Err(if error.is_panic() { VestibuleApiError::panicked() } else { VestibuleApiError::Cancelled })
    })
}
