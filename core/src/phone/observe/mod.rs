//! Lists that keep themselves: a shell observes a list and is told, step by step, how to bring its copy up to date.
//!
//! Every write that may touch visits rings the [`desk`]. Its reader, one thread for all observers of a phone, reads the
//! windows of those concerned in one state of the file, compares each with what its listener was last given, and puts
//! the steps on the queue; its callers, one thread unless listeners block, call the listeners. No lock is held while a
//! listener runs. A listener that is still busy gets no second call: what happens meanwhile is one update afterwards.
//! Time that passes moves visits between lists too, and rings at the next end of a visit.

mod desk;
mod diff;
mod listener;

use std::sync::{Arc, Weak};

pub use diff::ListDiff;
pub use listener::call_listener;

pub(super) use desk::Desk;
pub(super) use listener::is_inside;

use super::{HostClient, PhoneError};
use crate::store::{ListFilter, MAX_PAGE, TabCounts};
use desk::ObserverId;

/// What a listener is told: steps to apply in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUpdate {
    /// From what the listener has to what is: the first update is one [`ListDiff::Reset`].
    pub diffs: Vec<ListDiff>,
    /// Whether the list goes on below the window.
    pub has_more: bool,
    /// How many visits each list holds.
    pub counts: TabCounts,
}

/// Hears of a list. It is called on a thread of the phone's, never twice at once.
pub type ListListener = Arc<dyn Fn(ListUpdate) + Send + Sync>;

/// An observed list, until it is dropped or cancelled.
pub struct Subscription {
    desk: Weak<Desk>,
    observer: ObserverId,
}

impl HostClient {
    /// Observes a list, by start, then id: the first `page_size` visits (1 to [`MAX_PAGE`], others are taken as the
    /// nearest), and more of them by [`Subscription::load_more`].
    ///
    /// The listener is told of the list as it is, then of every change. If it panics, the next update begins with a
    /// [`ListDiff::Reset`], so that nothing is missed. If it blocks, it alone waits.
    ///
    /// # Errors
    /// [`PhoneError::Closed`].
    pub fn observe(
        &self,
        filter: ListFilter,
        page_size: usize,
        listener: ListListener,
    ) -> Result<Subscription, PhoneError> {
        let observer = self.desk.add(filter, page_size.clamp(1, MAX_PAGE), listener)?;
        Ok(Subscription { desk: Arc::downgrade(&self.desk), observer })
    }
}

impl Subscription {
    /// Shows one more page. Nothing happens at the end of the list.
    pub fn load_more(&self) {
        self.change(|desk| desk.load_more(self.observer));
    }

    /// Shows another list, from its first page: the next update begins with a [`ListDiff::Reset`].
    pub fn set_filter(&self, filter: ListFilter) {
        self.change(|desk| desk.set_filter(self.observer, filter));
    }

    /// Ends it. When this returns no call begins any more; a call that runs is waited for, at most
    /// [`PATIENCE`](desk::PATIENCE), and not at all from within a listener.
    pub fn cancel(&self) {
        self.change(|desk| desk.remove(self.observer, !is_inside()));
    }

    fn change(&self, change: impl FnOnce(&Arc<Desk>)) {
        if let Some(desk) = self.desk.upgrade() {
            change(&desk);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.change(|desk| desk.remove(self.observer, false));
    }
}

#[cfg(test)]
mod tests;
