//! Lists that keep themselves.

use std::sync::Arc;

use vestibule_core::directory::Directory;
use vestibule_core::phone::{self, HostClient as CoreClient, ListDiff, ListUpdate};

use crate::error::{Outcome, guarded};
use crate::summary::{ListFilter, TabCounts, VisitSummary};

/// A step from the list a listener has to the list that is; steps are applied in order, each to what the one before
/// left.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum VisitListDiff {
    /// The whole list, in place of what was shown: the first step of the first update, after `set_filter`, and after a
    /// listener has failed.
    Reset {
        /// The visits.
        items: Vec<VisitSummary>,
    },
    /// A visit comes to stand at `index`.
    Insert {
        /// Where.
        index: u32,
        /// The visit.
        item: VisitSummary,
    },
    /// The visit at `index` is shown differently.
    Update {
        /// Where.
        index: u32,
        /// The visit, as it is now.
        item: VisitSummary,
    },
    /// The visit at `from` is taken out, and put back so that it stands at `to`.
    Move {
        /// Where it stood.
        from: u32,
        /// Where it stands then.
        to: u32,
    },
    /// The visit at `index` goes.
    Remove {
        /// Where it stood.
        index: u32,
    },
}

impl VisitListDiff {
    fn of(diff: ListDiff, directory: &Directory) -> Self {
        let item = |item| VisitSummary::of(item, directory);
        match diff {
            ListDiff::Reset { items } => Self::Reset { items: items.into_iter().map(item).collect() },
            ListDiff::Insert { index, item: visit } => Self::Insert { index: place(index), item: item(visit) },
            ListDiff::Update { index, item: visit } => Self::Update { index: place(index), item: item(visit) },
            ListDiff::Move { from, to } => Self::Move { from: place(from), to: place(to) },
            ListDiff::Remove { index } => Self::Remove { index: place(index) },
        }
    }
}

fn place(index: usize) -> u32 {
    u32::try_from(index).expect("no phone shows four thousand million visits")
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VisitListUpdate {
    /// The steps; none where only the rest is different.
    pub diffs: Vec<VisitListDiff>,
    /// Whether the list goes on below what is shown: then `load_more` shows more.
    pub has_more: bool,
    /// How many visits each list holds.
    pub counts: TabCounts,
}

/// Hears of a list.
#[uniffi::export(foreign)]
pub trait VisitListListener: Send + Sync {
    /// The list is different. Called on a thread of the library's, never twice at once, and never while the library
    /// holds a lock; the listener may call the client. What happens while it runs is told in one update afterwards. If
    /// it throws, the next update begins with a `Reset`.
    fn on_update(&self, update: VisitListUpdate);
}

/// An observed list. It ends when it is cancelled or dropped, and with the client.
#[derive(uniffi::Object)]
pub struct Subscription {
    core: phone::Subscription,
}

#[uniffi::export]
impl Subscription {
    /// Shows one more page. Nothing happens at the end of the list.
    pub fn load_more(&self) {
        quietly(|| self.core.load_more());
    }

    /// Shows another list, from its first page: the next update begins with a `Reset`.
    pub fn set_filter(&self, filter: ListFilter) {
        quietly(|| self.core.set_filter(filter.into()));
    }

    /// Ends it. When this returns no call of the listener begins any more; one that runs is waited for, at most two
    /// seconds, and not at all from within a listener.
    pub fn cancel(&self) {
        quietly(|| self.core.cancel());
    }
}

/// A panic would be a mistake of the library's, and these calls have nobody to tell.
fn quietly(call: impl FnOnce()) {
    let _ = guarded(|| {
        call();
        Ok(())
    });
}

pub(crate) fn observe(
    core: &Arc<CoreClient>,
    filter: ListFilter,
    page_size: usize,
    listener: Arc<dyn VisitListListener>,
) -> Outcome<Arc<Subscription>> {
    // Not the client itself: a listener that is told something does not keep it open.
    let client = Arc::downgrade(core);
    let told = move |update: ListUpdate| {
        let Some(client) = client.upgrade() else { return };
        // Without it only names are missing.
        let directory = client.directory().unwrap_or_default();
        drop(client);
        listener.on_update(VisitListUpdate {
            diffs: update.diffs.into_iter().map(|diff| VisitListDiff::of(diff, &directory)).collect(),
            has_more: update.has_more,
            counts: update.counts.into(),
        });
    };
    let core = core.observe(filter.into(), page_size, Arc::new(told))?;
    Ok(Arc::new(Subscription { core }))
}
