//! A phone to measure: the client object that shells embed, over a file in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use vestibule_core::keys::SoftwareSigner;
use vestibule_core::phone::{Cancel, HostClient, Progress, SystemSurroundings};
use vestibule_core::store::StoreKey;
use vestibule_core::sync::{Answer, Call, Transport, TransportError};

use crate::paper::{Paper, ToPaper};
use crate::raw::KEY;

/// A phone, signed in.
pub struct Phone {
    /// What shells embed.
    pub client: HostClient,
    path: PathBuf,
    _dir: Option<TempDir>,
}

/// Runs something that waits on this thread.
pub fn block<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime on this thread");
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// Opens a phone's file without signing in.
pub fn open(path: &Path, device: u8, transport: Box<dyn Transport>) -> HostClient {
    let signer = Arc::new(SoftwareSigner::from_seed(&[device; 32]));
    let key = StoreKey::new(zeroize::Zeroizing::new(KEY));
    HostClient::open(path, &key, signer, transport, Arc::new(SystemSurroundings)).expect("a phone's file opens")
}

impl Phone {
    /// A phone that has signed in to a hub, in a folder that goes with it.
    pub fn sign_in(hub: &str, token: &str, device: u8, transport: Box<dyn Transport>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("phone.db");
        let client = open(&path, device, transport);
        block(client.sign_in(hub, token)).expect("the hub takes the phone");
        Self { client, path, _dir: Some(dir) }
    }

    /// A phone that has signed in to a hub on paper.
    pub fn of_paper(paper: &Arc<Paper>) -> Self {
        Self::sign_in("http://127.0.0.1:9", "token", 40, Box::new(ToPaper(Arc::clone(paper))))
    }

    /// A phone that has taken everything a hub on paper has.
    pub fn synced(paper: &Arc<Paper>) -> Self {
        let phone = Self::of_paper(paper);
        phone.sync();
        phone
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs to the end.
    pub fn sync(&self) {
        self.sync_watched(&|_| {});
    }

    /// Syncs to the end, telling of its progress.
    pub fn sync_watched(&self, progress: &(dyn Fn(Progress) + Send + Sync)) {
        block(self.client.sync(progress, &Cancel::new())).expect("syncs");
    }

    /// The size of the file with everything in it, in bytes.
    pub fn size(&self) -> u64 {
        self.client.pause().expect("writes the log back");
        std::fs::metadata(&self.path).expect("the file is there").len()
    }
}

/// Nobody answers.
pub struct Offline;

impl Transport for Offline {
    fn call<'a>(
        &'a self,
        _: Call,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>> {
        Box::pin(std::future::ready(Err(TransportError::Unreachable)))
    }
}
