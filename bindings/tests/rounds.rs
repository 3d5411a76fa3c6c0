//! Ten thousand phones opened, observed and closed in one process leave nothing behind. The only test of its program,
//! since it counts what the whole process holds.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use vestibule_core::keys::{DeviceSigner as _, SoftwareSigner};
use vestibule_ffi::client::HostClient;
use vestibule_ffi::error::VestibuleApiError;
use vestibule_ffi::list::{VisitListDiff, VisitListListener, VisitListUpdate};
use vestibule_ffi::provider::{DeviceKey, DeviceSigner, KeyProvider, ProviderError, TokenProvider};
use vestibule_ffi::summary::ListFilter;

const WARM_UP: usize = 1_000;
const ROUNDS: usize = 10_000;
/// What an allocator may keep of ten thousand rounds: less than a kilobyte for each.
const GROWTH_KB: u64 = 8 << 10;
const FOREVER: Duration = Duration::from_mins(1);

struct App(SoftwareSigner);

impl KeyProvider for App {
    fn store_key(&self) -> Result<Vec<u8>, ProviderError> {
        Ok(vec![7; 48])
    }
}

impl TokenProvider for App {
    fn bearer_token(&self, _: String) -> Result<String, ProviderError> {
        Err(ProviderError::Unavailable { reason: "nobody signs in here".to_owned() })
    }
}

impl DeviceSigner for App {
    fn public_key(&self) -> Result<DeviceKey, ProviderError> {
        Ok(DeviceKey::Ed25519 { bytes: self.0.key().verifying_key().to_bytes().to_vec() })
    }

    fn renew(&self) -> Result<DeviceKey, ProviderError> {
        Err(ProviderError::Unavailable { reason: "nobody makes keys here".to_owned() })
    }

    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, ProviderError> {
        self.0.sign(&message).map_err(|error| ProviderError::Unavailable { reason: error.reason })
    }
}

struct Hears(Sender<VisitListUpdate>);

impl VisitListListener for Hears {
    fn on_update(&self, update: VisitListUpdate) {
        // The round may be over.
        let _ = self.0.send(update);
    }
}

fn observe(
    client: &HostClient,
    filter: ListFilter,
) -> (Arc<vestibule_ffi::list::Subscription>, Receiver<VisitListUpdate>) {
    let (told, hears) = channel();
    (client.visits().observe(filter, 50, Arc::new(Hears(told))).expect("observes"), hears)
}

/// One phone's life: every second one is closed, the others are only dropped.
fn round(path: &Path, number: usize) {
    let app = Arc::new(App(SoftwareSigner::from_seed(&[3; 32])));
    let path = path.to_str().expect("a path in UTF-8").to_owned();
    let client = HostClient::open(path, app.clone(), app.clone(), app).expect("opens");
    let (first, hears_first) = observe(&client, ListFilter::All);
    let (second, hears_second) = observe(&client, ListFilter::Attention);
    for hears in [hears_first, hears_second] {
        let update = hears.recv_timeout(FOREVER).expect("is told of the list");
        assert!(matches!(update.diffs.as_slice(), [VisitListDiff::Reset { .. }]));
    }
    match number % 4 {
        0 => first.cancel(),
        1 => drop(first),
        2 => first.load_more(),
        _ => first.set_filter(ListFilter::Attention),
    }
    if number.is_multiple_of(2) {
        client.close();
        assert_eq!(client.visits().counts(), Err(VestibuleApiError::Closed));
    }
    drop(second);
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).expect("the kernel lists it").count()
}

/// Threads and file handles.
fn held() -> (usize, usize) {
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel tells memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Threads that were told to end may take a moment to be gone.
fn until_held(expected: (usize, usize)) {
    let begun = Instant::now();
    while held() > expected {
        assert!(begun.elapsed() < FOREVER, "held {:?}, expected {expected:?}", held());
        std::thread::yield_now();
    }
}

#[test]
fn ten_thousand_rounds_leave_nothing_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("phone.db");
    let before = held();
    for number in 0..WARM_UP {
        round(&path, number);
    }
    until_held(before);
    let memory = resident_kb();
    for number in 0..ROUNDS {
        round(&path, number);
    }
    until_held(before);
    let grown = resident_kb().saturating_sub(memory);
    assert!(grown < GROWTH_KB, "{grown} kB more after {ROUNDS} rounds");
}
