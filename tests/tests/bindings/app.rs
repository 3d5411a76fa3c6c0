//! An app as a shell writes one: keys, a token, ears.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use vestibule_core::keys::{DeviceSigner as Key, PublicKey, SoftwareSigner};
use vestibule_ffi::client::HostClient;
use vestibule_ffi::draft::VisitDraft;
use vestibule_ffi::error::Outcome;
use vestibule_ffi::list::{VisitListDiff, VisitListListener, VisitListUpdate};
use vestibule_ffi::provider::{DeviceKey, DeviceSigner, KeyProvider, ProviderError, TokenProvider};
use vestibule_ffi::summary::VisitSummary;
use vestibule_ffi::sync::{SyncListener, SyncProgress};
use vestibule_ffi::time::CivilTime;
use vestibule_hub::mailbox::Mailbox;
use vestibule_tests::hub::Hub;

/// Longer than anything here takes: a test that waits for so long has failed.
pub const FOREVER: Duration = Duration::from_mins(1);

/// What the app provides.
pub struct App {
    pub store_key: Vec<u8>,
    pub token: Mutex<String>,
    pub device: Box<dyn Key>,
    /// The phone is locked: its keys cannot be used.
    pub locked: AtomicBool,
}

impl App {
    pub fn new() -> Arc<Self> {
        Self::with_key(Box::new(SoftwareSigner::from_seed(&[9; 32])))
    }

    pub fn with_key(device: Box<dyn Key>) -> Arc<Self> {
        Arc::new(Self { store_key: vec![7; 48], token: Mutex::default(), device, locked: AtomicBool::new(false) })
    }

    pub fn open(self: &Arc<Self>, path: &Path) -> Outcome<Arc<HostClient>> {
        let path = path.to_str().expect("a path in UTF-8").to_owned();
        HostClient::open(path, self.clone(), self.clone(), self.clone())
    }

    fn unless_locked<T>(&self, give: impl FnOnce() -> T) -> Result<T, ProviderError> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(ProviderError::Unavailable { reason: "the phone is locked".to_owned() });
        }
        Ok(give())
    }
}

impl KeyProvider for App {
    fn store_key(&self) -> Result<Vec<u8>, ProviderError> {
        self.unless_locked(|| self.store_key.clone())
    }
}

impl TokenProvider for App {
    fn bearer_token(&self, _: String) -> Result<String, ProviderError> {
        self.unless_locked(|| self.token.lock().expect("no test panics with it").clone())
    }
}

impl DeviceSigner for App {
    fn public_key(&self) -> Result<DeviceKey, ProviderError> {
        self.unless_locked(|| match self.device.public_key() {
            PublicKey::Ed25519(bytes) => DeviceKey::Ed25519 { bytes: bytes.to_vec() },
            PublicKey::Es256(bytes) => DeviceKey::Es256 { bytes: bytes.to_vec() },
        })
    }

    fn renew(&self) -> Result<DeviceKey, ProviderError> {
        Err(ProviderError::Unavailable { reason: "this phone makes no other key".to_owned() })
    }

    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, ProviderError> {
        self.unless_locked(|| self.device.sign(&message).expect("a key in memory signs"))
    }
}

/// A hub with the sample organisation, and a phone on which a host is signed in.
pub struct Office {
    pub dir: TempDir,
    pub hub: Hub,
    pub app: Arc<App>,
    pub client: Arc<HostClient>,
    _mailbox: Mailbox,
}

impl Office {
    pub fn open() -> Self {
        Self::open_with(App::new())
    }

    pub fn open_with(app: Arc<App>) -> Self {
        let dir = TempDir::new().expect("a folder");
        let mailbox = Mailbox::start(dir.path().join("mail")).expect("a mail server");
        let mut hub = Hub::create(dir.path().join("hub"), mailbox.address);
        hub.start();
        let client = app.open(&dir.path().join("ada.db")).expect("opens");
        *app.token.lock().expect("no test panics with it") = hub.admin(&["token", "ada"]);
        wait(client.sign_in(hub.url())).expect("signs in");
        wait(client.sync().run(None, None)).expect("syncs");
        Self { dir, hub, app, client, _mailbox: mailbox }
    }

    pub fn sync(&self) -> Outcome<()> {
        wait(self.client.sync().run(None, None)).map(drop)
    }
}

/// Waits for what an async call gives, as a foreign executor does.
pub fn wait<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(call)
}

/// The form of somebody who comes on 10 February 2028, nine to eleven.
pub fn form(first_name: &str, visitor_type: Option<&str>) -> VisitDraft {
    let at = |hour| Some(CivilTime { year: 2028, month: 2, day: 10, hour, minute: 0, second_occurrence: false });
    VisitDraft {
        first_name: Some(first_name.to_owned()),
        email: Some(format!("{}@guest.example", first_name.to_lowercase())),
        site: Some("zrh".to_owned()),
        visitor_type: visitor_type.map(str::to_owned),
        start: at(9),
        end: at(11),
        ..VisitDraft::default()
    }
}

/// A shell's copy of a list.
#[derive(Default)]
pub struct Mirror {
    seen: Mutex<(Vec<VisitSummary>, Option<VisitListUpdate>)>,
    told: Condvar,
}

impl Mirror {
    /// Waits until the list is so.
    pub fn until(&self, what: &str, is_so: impl Fn(&[VisitSummary], &VisitListUpdate) -> bool) {
        let seen = self.seen.lock().expect("no test panics with it");
        let not_so = |(list, last): &mut (Vec<_>, Option<_>)| last.as_ref().is_none_or(|last| !is_so(list, last));
        let (seen, waited) = self.told.wait_timeout_while(seen, FOREVER, not_so).expect("as above");
        assert!(!waited.timed_out(), "never told: {what}; the list is {:?}", seen.0);
    }
}

impl VisitListListener for Mirror {
    fn on_update(&self, update: VisitListUpdate) {
        let mut seen = self.seen.lock().expect("no test panics with it");
        let place = |index: u32| usize::try_from(index).expect("32 bits");
        for diff in update.diffs.clone() {
            let list = &mut seen.0;
            match diff {
                VisitListDiff::Reset { items } => *list = items,
                VisitListDiff::Insert { index, item } => list.insert(place(index), item),
                VisitListDiff::Update { index, item } => list[place(index)] = item,
                VisitListDiff::Remove { index } => drop(list.remove(place(index))),
                VisitListDiff::Move { from, to } => {
                    let item = list.remove(place(from));
                    list.insert(place(to), item);
                }
            }
        }
        seen.1 = Some(update);
        self.told.notify_all();
    }
}

/// The last progress of a sync.
#[derive(Default)]
pub struct Progress(pub Mutex<Option<SyncProgress>>);

impl SyncListener for Progress {
    fn on_progress(&self, progress: SyncProgress) {
        *self.0.lock().expect("no test panics with it") = Some(progress);
    }
}
