//! What one connection is doing, and since when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// How long a client may take to send the head of a request, from its first byte; a new connection from its beginning.
pub const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be idle between two requests. More than the minute proxies keep theirs for: theirs end first.
pub const IDLE: Duration = Duration::from_secs(75);
/// How long a client may take nothing of an answer.
pub const STALLED: Duration = Duration::from_secs(30);

/// What a connection is doing, noted by those who carry its bytes and answer its requests.
pub struct Activity {
    state: Mutex<State>,
    close: Notify,
}

struct State {
    /// Requests under way: more than one only in HTTP/2.
    requests: u32,
    /// Part of a head has come, or nothing ever.
    heading: bool,
    /// Heads are only a part of what comes.
    http2: bool,
    /// When it began to do what it does.
    since: Instant,
    /// Since when the next part of a body is waited for.
    body: Option<Instant>,
    /// Since when bytes wait that the client does not take.
    stalled: Option<Instant>,
}

impl Activity {
    /// Of a connection that has just begun.
    pub fn new(now: Instant) -> Self {
        let state = State { requests: 0, heading: true, http2: false, since: now, body: None, stalled: None };
        Self { state: Mutex::new(state), close: Notify::new() }
    }

    /// Bytes came.
    pub fn read(&self, now: Instant) {
        let mut state = self.state();
        if state.requests == 0 && !state.heading && !state.http2 {
            (state.heading, state.since) = (true, now);
        }
    }

    /// Bytes could be handed on, or not.
    pub fn wrote(&self, taken: bool, now: Instant) {
        let mut state = self.state();
        state.stalled = if taken { None } else { state.stalled.or(Some(now)) };
    }

    /// A request begins; it is under way until what this gives is dropped.
    pub fn begin(self: &Arc<Self>, http2: bool) -> UnderWay {
        let mut state = self.state();
        state.requests += 1;
        (state.heading, state.http2) = (false, http2);
        drop(state);
        UnderWay(Arc::clone(self))
    }

    /// The hub waits for a body, until what this gives is dropped.
    pub fn waits_for_a_body(&self) -> Waiting<'_> {
        self.state().body = Some(Instant::now());
        Waiting(self)
    }

    /// Since when its client has kept it waiting, between requests or in the middle of one.
    pub fn kept_waiting_since(&self) -> Option<Instant> {
        let state = self.state();
        if state.requests == 0 { Some(state.since) } else { state.body }
    }

    /// Since when it has had no request under way.
    pub fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests == 0).then_some(state.since)
    }

    /// Whether it only takes up room: too slow with a head, idle for too long, or its client takes no answer.
    pub fn is_over(&self, now: Instant) -> bool {
        let state = self.state();
        if let Some(stalled) = state.stalled {
            return now.saturating_duration_since(stalled) >= STALLED;
        }
        let limit = if state.heading { HEAD } else { IDLE };
        state.requests == 0 && now.saturating_duration_since(state.since) >= limit
    }

    /// Ends the connection.
    pub fn close(&self) {
        self.close.notify_one();
    }

    /// Over when it is to end.
    pub async fn closed(&self) {
        self.close.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
pub struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        state.since = Instant::now();
    }
}

/// A body that is waited for.
pub struct Waiting<'a>(&'a Activity);

impl Waiting<'_> {
    /// Some of it has come.
    pub fn some_came(&self) {
        self.0.state().body = Some(Instant::now());
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().body = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_head_idleness_and_an_answer_nobody_takes_end_a_connection_and_work_does_not() {
        let begun = Instant::now();
        let activity = Arc::new(Activity::new(begun));
        let second = Duration::from_secs(1);
        assert!(!activity.is_over(begun + HEAD / 2) && activity.is_over(begun + HEAD));
        // Bytes that trickle in give no more time.
        activity.read(begun + HEAD / 2);
        assert!(activity.is_over(begun + HEAD));

        let request = activity.begin(false);
        assert!(!activity.is_over(begun + IDLE * 10), "the hub may take its time");
        assert_eq!((activity.idle_since(), activity.kept_waiting_since()), (None, None));
        let body = activity.waits_for_a_body();
        assert!(activity.kept_waiting_since().is_some() && activity.idle_since().is_none());
        drop(body);
        assert_eq!(activity.kept_waiting_since(), None);
        activity.wrote(false, begun + IDLE);
        activity.wrote(false, begun + IDLE + STALLED / 2);
        assert!(activity.is_over(begun + IDLE + STALLED));
        activity.wrote(true, begun + IDLE + STALLED);
        assert!(!activity.is_over(begun + IDLE * 10));

        drop(request);
        let idle = activity.idle_since().expect("idle");
        assert!(!activity.is_over(idle + HEAD) && activity.is_over(idle + IDLE));
        activity.read(idle + second);
        assert!(activity.is_over(idle + second + HEAD), "the next head has begun");
    }

    /// A window update or a ping is no head: an HTTP/2 connection is idle in spite of them.
    #[test]
    fn an_http2_connection_may_be_idle_like_another() {
        let activity = Arc::new(Activity::new(Instant::now()));
        drop(activity.begin(true));
        let idle = activity.idle_since().expect("idle");
        activity.read(idle);
        assert!(!activity.is_over(idle + HEAD) && activity.is_over(idle + IDLE));
    }
}
