//! Who observes what, and the threads that read and call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::super::{Gate, PhoneError, Surroundings};
use super::diff::{ListDiff, steps};
use super::listener::call_listener;
use super::{ListListener, ListUpdate};
use crate::store::{ListFilter, Page, Store, StoreError, TabCounts, VisitSummary, Windows};

/// How long ending an observer waits for a call that runs: longer is a listener that blocks, which must not hang a
/// shell.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// How long an update may lie on the queue before another thread calls its listener: longer, and the callers there are
/// sit in listeners that block.
const STUCK: Duration = Duration::from_millis(50);
/// The reader looks at the clock at least this often while it waits for a visit to end: clocks are set, and a phone's
/// waits stand still while it sleeps.
const CLOCK: Duration = Duration::from_mins(1);

pub(super) type ObserverId = u64;

/// The observers of one phone.
pub(in crate::phone) struct Desk {
    store: Arc<Gate<Store>>,
    surroundings: Arc<dyn Surroundings>,
    state: Mutex<State>,
    /// For the reader: something is to be read, or may be stuck.
    to_read: Condvar,
    /// For the callers: something is to be told.
    to_tell: Condvar,
    /// For those who end observers: a call is over.
    told: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    paused: bool,
    last: ObserverId,
    observers: BTreeMap<ObserverId, Observer>,
    /// Updates to be told, by observer, and since when the first one waits for a caller.
    queue: VecDeque<(ObserverId, ListUpdate)>,
    since: Option<Instant>,
    /// Observers whose listener runs now, also those that have ended meanwhile.
    calls: Vec<ObserverId>,
    reading: bool,
    callers: usize,
    idle: usize,
    /// When the first visit of a list is over next.
    next_end: Option<DateTime<Utc>>,
}

struct Observer {
    listener: ListListener,
    filter: ListFilter,
    page: usize,
    pages: usize,
    shown: Option<Shown>,
    /// Something may be different from what is shown.
    stale: bool,
    /// An update is on the queue or being told.
    busy: bool,
    /// Counts what its shell asked for, so that an answer to something older is not taken.
    wish: u64,
}

/// What a listener was given last.
struct Shown {
    items: Arc<Vec<VisitSummary>>,
    has_more: bool,
    counts: TabCounts,
}

/// A window to be read.
struct Question {
    observer: ObserverId,
    wish: u64,
    filter: ListFilter,
    length: usize,
    shown: Option<Arc<Vec<VisitSummary>>>,
}

/// What was read for it.
struct Answer {
    question: Question,
    items: Arc<Vec<VisitSummary>>,
    diffs: Vec<ListDiff>,
    has_more: bool,
    counts: TabCounts,
}

impl Desk {
    pub(in crate::phone) fn new(store: Arc<Gate<Store>>, surroundings: Arc<dyn Surroundings>) -> Arc<Self> {
        let (to_read, to_tell, told) = Default::default();
        Arc::new(Self { store, surroundings, state: Mutex::default(), to_read, to_tell, told })
    }

    /// Something was written.
    pub(in crate::phone) fn ring(&self) {
        let mut state = self.lock();
        state.all_stale();
        self.to_read.notify_one();
    }

    /// Reads nothing from now on; what happens meanwhile is told after [`go_on`](Self::go_on).
    pub(in crate::phone) fn pause(&self) {
        self.lock().paused = true;
    }

    /// Goes on after a pause.
    pub(in crate::phone) fn go_on(&self) {
        self.lock().paused = false;
        self.ring();
    }

    /// Ends every observer for good.
    pub(in crate::phone) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.queue.clear();
        let gone = std::mem::take(&mut state.observers);
        self.to_read.notify_all();
        self.to_tell.notify_all();
        drop(state);
        // What a listener holds may call back when it is dropped.
        drop(gone);
    }

    /// After [`close`](Self::close): waits until the threads are out, at most [`PATIENCE`] for a listener that runs.
    pub(in crate::phone) fn wait_until_out(&self) {
        drop(self.wait_while(self.lock(), |state| state.reading || state.callers > 0));
    }

    pub(super) fn add(
        self: &Arc<Self>,
        filter: ListFilter,
        page: usize,
        listener: ListListener,
    ) -> Result<ObserverId, PhoneError> {
        let mut state = self.lock();
        if state.closed {
            return Err(PhoneError::Closed);
        }
        state.last += 1;
        let observer = state.last;
        if !state.reading {
            self.spawn("vestibule-lists", Self::read).map_err(StoreError::from)?;
            state.reading = true;
        }
        let new = Observer { listener, filter, page, pages: 1, shown: None, stale: true, busy: false, wish: 0 };
        state.observers.insert(observer, new);
        self.to_read.notify_one();
        Ok(observer)
    }

    /// Ends an observer; with `wait`, a call that runs is waited for, at most [`PATIENCE`].
    pub(super) fn remove(&self, observer: ObserverId, wait: bool) {
        let mut state = self.lock();
        let gone = state.observers.remove(&observer);
        state.queue.retain(|(queued, _)| *queued != observer);
        if state.observers.is_empty() {
            // The threads end with the last observer.
            self.to_read.notify_all();
            self.to_tell.notify_all();
        }
        if wait {
            state = self.wait_while(state, |state| state.calls.contains(&observer));
        }
        drop(state);
        // What a listener holds may call back when it is dropped.
        drop(gone);
    }

    pub(super) fn load_more(&self, observer: ObserverId) {
        self.change(observer, |observer| {
            let more = observer.shown.as_ref().is_none_or(|shown| shown.has_more);
            if more {
                observer.pages = observer.pages.saturating_add(1);
            }
            more
        });
    }

    pub(super) fn set_filter(&self, observer: ObserverId, filter: ListFilter) {
        self.change(observer, |observer| {
            (observer.filter, observer.pages, observer.shown) = (filter, 1, None);
            true
        });
    }

    fn change(&self, observer: ObserverId, change: impl FnOnce(&mut Observer) -> bool) {
        let mut state = self.lock();
        if let Some(observer) = state.observers.get_mut(&observer)
            && change(observer)
        {
            (observer.stale, observer.wish) = (true, observer.wish + 1);
            self.to_read.notify_one();
        }
    }

    /// How many threads call listeners.
    #[cfg(test)]
    pub(super) fn callers(&self) -> usize {
        self.lock().callers
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        condition: impl Fn(&mut State) -> bool,
    ) -> MutexGuard<'a, State> {
        self.told.wait_timeout_while(state, PATIENCE, condition).unwrap_or_else(PoisonError::into_inner).0
    }

    fn spawn(self: &Arc<Self>, name: &str, work: fn(&Arc<Self>)) -> std::io::Result<()> {
        let desk = Arc::clone(self);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&desk)).map(drop)
    }

    /// The reader's thread, as long as there are observers.
    fn read(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            if state.closed || state.observers.is_empty() {
                state.reading = false;
                self.told.notify_all();
                return;
            }
            let now = self.surroundings.now();
            if state.next_end.is_some_and(|end| end <= now) {
                state.next_end = None;
                state.all_stale();
            }
            let questions = state.questions();
            if !questions.is_empty() {
                drop(state);
                let answers = self.answer(questions, now);
                state = self.lock();
                self.take(&mut state, answers);
                continue;
            }
            let mut wait = state.next_end.map_or(CLOCK, |end| (end - now).to_std().unwrap_or_default().min(CLOCK));
            if let Some(since) = state.since {
                if since.elapsed() >= STUCK {
                    self.one_more_caller(&mut state);
                }
                wait = wait.min(STUCK);
            }
            // Never a loop without a pause, whatever the clocks say.
            let wait = wait.max(Duration::from_millis(1));
            state = self.to_read.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Reads the windows, all in one state of the file, and finds the steps to them.
    fn answer(&self, questions: Vec<Question>, now: DateTime<Utc>) -> Vec<Answer> {
        let Ok(store) = self.store.enter() else { return Vec::new() };
        let wanted: Vec<_> = questions.iter().map(|question| (question.filter, question.length)).collect();
        let (windows, counts) = match store.windows(&wanted, now) {
            Ok(Windows { windows, counts, next_end }) => {
                self.lock().next_end = next_end;
                (windows, counts)
            }
            // It was meant for a long read of the shell's: once more.
            Err(StoreError::Interrupted) => {
                self.ring();
                return Vec::new();
            }
            // The next write, or a resume, tries again.
            Err(error) => {
                tracing::warn!(%error, "the observed lists cannot be read");
                return Vec::new();
            }
        };
        let answer = |(question, window): (Question, Page<VisitSummary>)| {
            let diffs = match &question.shown {
                Some(shown) => steps(shown, &window.items),
                None => vec![ListDiff::Reset { items: window.items.clone() }],
            };
            Answer { question, items: Arc::new(window.items), diffs, has_more: window.next.is_some(), counts }
        };
        questions.into_iter().zip(windows).map(answer).collect()
    }

    fn take(self: &Arc<Self>, state: &mut State, answers: Vec<Answer>) {
        for Answer { question, items, diffs, has_more, counts } in answers {
            let Some(observer) = state.observers.get_mut(&question.observer) else { continue };
            if observer.wish != question.wish {
                continue;
            }
            let same = observer.shown.as_ref().is_some_and(|old| (old.has_more, old.counts) == (has_more, counts));
            observer.shown = Some(Shown { items, has_more, counts });
            if diffs.is_empty() && same {
                continue;
            }
            observer.busy = true;
            state.queue.push_back((question.observer, ListUpdate { diffs, has_more, counts }));
        }
        if !state.queue.is_empty() {
            state.since.get_or_insert_with(Instant::now);
            if state.callers == 0 {
                self.one_more_caller(state);
            }
            self.to_tell.notify_one();
        }
    }

    fn one_more_caller(self: &Arc<Self>, state: &mut State) {
        state.since = Some(Instant::now());
        // Where the system has no thread left, the reader tries again.
        if state.idle == 0 && self.spawn("vestibule-listeners", Self::call).is_ok() {
            state.callers += 1;
        }
    }

    /// A caller's thread: one stays as long as there are observers, others while there is something to tell.
    fn call(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            let Some((id, update)) = state.queue.pop_front() else {
                let needed = !state.closed && !state.observers.is_empty() && state.idle == 0;
                if !needed {
                    state.callers -= 1;
                    self.told.notify_all();
                    return;
                }
                state.idle += 1;
                state = self.to_tell.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
                continue;
            };
            state.since = if state.queue.is_empty() { None } else { Some(Instant::now()) };
            let Some(listener) = state.observers.get(&id).map(|observer| Arc::clone(&observer.listener)) else {
                continue;
            };
            state.calls.push(id);
            drop(state);
            let ended = call_listener(|| listener(update));
            drop(listener);
            state = self.lock();
            state.calls.retain(|call| *call != id);
            if let Some(observer) = state.observers.get_mut(&id) {
                observer.busy = false;
                if !ended {
                    observer.shown = None;
                }
            }
            self.told.notify_all();
            self.to_read.notify_one();
        }
    }
}

impl State {
    fn all_stale(&mut self) {
        self.observers.values_mut().for_each(|observer| observer.stale = true);
    }

    /// What is to be read now: for those who may be shown something old and can be told.
    fn questions(&mut self) -> Vec<Question> {
        if self.paused {
            return Vec::new();
        }
        let question = |(&id, observer): (&ObserverId, &mut Observer)| {
            // What is written from here on is for the next question.
            let asks = std::mem::take(&mut observer.stale);
            asks.then(|| Question {
                observer: id,
                wish: observer.wish,
                filter: observer.filter,
                length: observer.page.saturating_mul(observer.pages),
                shown: observer.shown.as_ref().map(|shown| Arc::clone(&shown.items)),
            })
        };
        self.observers.iter_mut().filter(|(_, observer)| !observer.busy).filter_map(question).collect()
    }
}
