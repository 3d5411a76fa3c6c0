//! The way to the hub.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use vestibule_core::phone::{Cancel, HostClient as CoreClient, Progress, call_listener};
use vestibule_core::store::{Trouble, TroubleKind as CoreKind};

use crate::error::{Outcome, guarded};
use crate::runtime::{finished, runtime};
use crate::time::unix;

/// How long the end of a run waits for its listener.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncProgress {
    /// Operations the hub has answered in this run.
    pub sent: u64,
    /// Operations still to be answered.
    pub to_send: u64,
    /// Rows received in this run.
    pub received: u64,
    /// Rows the hub still has for this phone.
    pub remaining: u64,
}

impl From<Progress> for SyncProgress {
    fn from(progress: Progress) -> Self {
        let Progress { sent, to_send, received, remaining } = progress;
        Self { sent, to_send, received, remaining }
    }
}

/// Hears how far a sync is.
#[uniffi::export(foreign)]
pub trait SyncListener: Send + Sync {
    /// The sync got on. Called on a thread of the library's, never twice at once; while it runs, later steps are told as
    /// one. It holds nothing up, and what it throws is not heard.
    fn on_progress(&self, progress: SyncProgress);
}

/// Stops a sync from any thread, also before it begins. One handle may stop many runs, and stays stopped.
#[derive(Default, uniffi::Object)]
pub struct SyncCancel {
    core: Cancel,
}

#[uniffi::export]
impl SyncCancel {
    /// A handle nobody has used yet.
    #[uniffi::constructor]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Stops the run. What was taken stays.
    pub fn cancel(&self) {
        self.core.cancel();
    }
}

/// What the last syncs left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncStateView {
    /// When the last sync ended with nothing left to do, by the hub's clock.
    pub synced_at: Option<SystemTime>,
    /// The latest time the hub has signed.
    pub hub_time: Option<SystemTime>,
    /// How many seconds this phone's clock is ahead of the hub's (behind is negative), where that is more than two
    /// minutes and a person who reads times on it should know; else 0. Everything here goes by the hub's clock.
    pub clock_off_by: i64,
}

/// Why something the hub sent is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TroubleKind {
    /// It is of a part of the feed this version does not know.
    Scope,
    /// It is of a kind this version does not know.
    Row,
    /// It is a kind of directory row this version does not know.
    Directory,
    /// It also writes keys of a visit this version does not know.
    Keys,
    /// It is a decision of a kind this version does not know.
    Fact,
    /// It has fields this version does not know.
    Fields,
    /// It could not be taken.
    Quarantined,
}

/// Something the hub sent that this version cannot use, or not all of. It is kept and read again after an update.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TroubleView {
    /// Why it is listed.
    pub kind: TroubleKind,
    /// What is not known: a number, or the names of keys. Of what could not be taken, a stable code.
    pub detail: String,
    /// The id of the visit it is about, if it is about one.
    pub visit: Option<String>,
    /// What is shown without it is wrong: the app has to be updated.
    pub update_app: bool,
}

impl From<Trouble> for TroubleView {
    fn from(trouble: Trouble) -> Self {
        Self {
            kind: match trouble.kind {
                CoreKind::Scope => TroubleKind::Scope,
                CoreKind::Row => TroubleKind::Row,
                CoreKind::Directory => TroubleKind::Directory,
                CoreKind::Keys => TroubleKind::Keys,
                CoreKind::Fact => TroubleKind::Fact,
                CoreKind::Fields => TroubleKind::Fields,
                CoreKind::Quarantined => TroubleKind::Quarantined,
            },
            detail: trouble.detail,
            visit: trouble.visit.map(|visit| visit.to_string()),
            update_app: trouble.update_app,
        }
    }
}

/// What a sync that left nothing to do has to tell a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// The hub was restored from a backup, and was sent again what it had forgotten; told once.
    pub set_back: Option<HubSetBack>,
}

/// That the hub was restored from a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct HubSetBack {
    /// It remembers everything up to this time.
    pub to: Option<SystemTime>,
    /// How many invitations were sent again.
    pub sent_again: u64,
}

impl From<vestibule_core::phone::SyncReport> for SyncReport {
    fn from(report: vestibule_core::phone::SyncReport) -> Self {
        let set_back = report.set_back.map(|it| HubSetBack { to: unix(it.to), sent_again: it.sent_again });
        Self { set_back }
    }
}

/// Syncs of a phone.
#[derive(uniffi::Object)]
pub struct Syncs {
    pub(crate) core: Arc<CoreClient>,
}

/// Gives up what runs when the one who waits for it goes.
struct StopWhenDropped(Cancel);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[uniffi::export]
impl Syncs {
    /// Sends what waits and fetches what is new; returns when both are done. One at a time: a second one waits for the
    /// first. It is stopped by its handle, by dropping the call, by a pause, and by closing.
    ///
    /// Errors: `Unreachable`, `SignInAgain`, `NeedsNewKey`, `NotSignedIn`, `HubRestored`, `Disbelieved`, `Refused`, `Cancelled`,
    /// `Closed`, `Provider` if the device does not sign, `Store`. Whatever it is, unsent work is kept.
    pub async fn run(
        &self,
        listener: Option<Arc<dyn SyncListener>>,
        cancel: Option<Arc<SyncCancel>>,
    ) -> Outcome<SyncReport> {
        let runtime = runtime()?;
        let core = Arc::clone(&self.core);
        let dropped = StopWhenDropped(Cancel::new());
        let (dropped_too, cancel) = (dropped.0.clone(), cancel.map(|cancel| cancel.core.clone()).unwrap_or_default());
        let task = runtime.spawn(async move {
            let (progress, told) = match listener {
                Some(listener) => {
                    let (sender, receiver) = watch::channel(None);
                    (Some(sender), Some(tokio::task::spawn_blocking(move || tell(receiver, listener.as_ref()))))
                }
                None => (None, None),
            };
            let report = |now: Progress| {
                if let Some(progress) = &progress {
                    progress.send_replace(Some(now));
                }
            };
            let done = dropped_too.or(core.sync(&report, &cancel)).await;
            drop(progress);
            wait_for(told).await;
            done.unwrap_or(Err(vestibule_core::phone::PhoneError::Cancelled)).map(Into::into).map_err(Into::into)
        });
        let done = finished(task).await;
        drop(dropped);
        done
    }

    /// What the hub sent and this version cannot use.
    ///
    /// Errors: `Closed`, `Store`.
    pub fn trouble(&self) -> Outcome<Vec<TroubleView>> {
        guarded(|| Ok(self.core.trouble()?.into_iter().map(Into::into).collect()))
    }

    /// Whether something is shown wrong because the hub uses what this version does not know: tell the person to update
    /// the app. The visits concerned ask for attention with the problem `update_app`.
    ///
    /// Errors: `Closed`, `Store`.
    pub fn needs_update(&self) -> Outcome<bool> {
        guarded(|| Ok(self.core.needs_update()?))
    }

    /// What the last syncs left.
    ///
    /// Errors: `Closed`, `Store`.
    pub fn state(&self) -> Outcome<SyncStateView> {
        guarded(|| {
            let state = self.core.sync_state()?;
            let hub_time = Some(state.hub_time).filter(|&time| time != 0);
            Ok(SyncStateView {
                synced_at: state.synced_at.and_then(unix),
                hub_time: hub_time.and_then(unix),
                clock_off_by: self.core.clock_off_by().map_or(0, |off| off.num_seconds()),
            })
        })
    }
}

/// Tells the listener of every step, or of the latest where it is slow, until the run is over.
fn tell(mut progress: watch::Receiver<Option<Progress>>, listener: &dyn SyncListener) {
    let runtime = tokio::runtime::Handle::current();
    while runtime.block_on(progress.changed()).is_ok() {
        let now = *progress.borrow_and_update();
        if let Some(now) = now {
            call_listener(|| listener.on_progress(now.into()));
        }
    }
}

/// Waits until the listener has heard everything; not for one that blocks.
async fn wait_for(told: Option<JoinHandle<()>>) {
    if let Some(told) = told {
        // Whichever it was, the run is over.
        let _ = tokio::time::timeout(PATIENCE, told).await;
    }
}
