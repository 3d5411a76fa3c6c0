//! The sync as a state machine without I/O: events in, effects out. The phone's client and the simulator drive the same
//! code; it decides what is sent, believed and done next, and touches neither network, clock nor file.
//!
//! A run goes: [`Effect::Authorise`] → [`Effect::Gather`] → [`Effect::Exchange`] → [`Effect::Apply`], then again from
//! `Gather` while the hub has more or the outbox is not empty, then [`Effect::Finish`]. While pages come and nothing is to
//! be sent, the next ones are asked for before those that came are stored ([`Effect::AskAhead`], [`Effect::Await`]): the
//! network and the hub work while the phone writes. Everything the hub says is
//! verified here before the store sees any of it: statement, receipts and pages by the key set for feed keys, pages by
//! the heads held. One thing that does not verify, and nothing of the answer is taken.

use std::time::Duration;

use super::verify::{Doubt, Verified, verify};
use super::wire::{MAX_PUSH, PushedEnvelope, SyncAnswer, SyncRequest, VERSION};
use crate::envelope::MAX_ITEMS;
use crate::feed::{Restored, ScopeHead};
use crate::store::{Applied, Delivery, Outgoing, Position};

/// How long to wait before a call is tried again, if the run had come so far that it is worth it.
const PAUSES: [Duration; 3] = [Duration::from_millis(500), Duration::from_secs(2), Duration::from_secs(8)];
/// How many exchanges may bring and settle nothing before the run ends as it is.
const IDLE_ROUNDS: u32 = 3;
/// A pause the hub asks for is waited for up to this many seconds; for a longer one the run ends.
const LONG: u64 = 61;
/// Why the run ends with work unsent, where the hub says that it is enough for now.
const SENT_LATER: &str = "this phone has sent as much as it may for now; the rest is kept and sent later";
/// The same where the hub has too much to do.
const BUSY: &str = "the hub has too much to do; everything is kept and sent later";

/// How far a sync is. The numbers are for a progress bar: they may grow while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Operations the hub has answered in this run.
    pub sent: u64,
    /// Operations still to be answered.
    pub to_send: u64,
    /// Rows received in this run.
    pub received: u64,
    /// Rows the hub still has for this phone.
    pub remaining: u64,
}

/// Why a call did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No answer.
    Unreachable,
    /// The hub asks for a pause (429, 503), in seconds if it says so.
    Busy(Option<u64>),
    /// The hub itself failed, or something else answered in its place: with what code, in what words.
    Broken(&'static str, &'static str),
    /// What this phone may send for now is used up; there is room again in so many seconds (429 `later`).
    Later(Option<u64>),
    /// The request is larger than the hub, or a proxy in front of it, takes (413).
    TooLarge,
    /// The access token is not taken.
    Unauthorised,
    /// The device or member may not come back before it signs in (401 on the assertion, or the hub says so).
    SignInAgain,
    /// The hub does not know a head this phone holds (409 `unknown_head`): its file may be an older one.
    UnknownHead,
    /// The hub refuses for another reason.
    Refused {
        /// The stable code.
        code: String,
        /// What it says.
        message: String,
    },
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// Begin.
    Start,
    /// There is an access token.
    Authorised,
    /// What the store holds.
    Gathered(Box<Position>, Outgoing),
    /// What the hub answered.
    Answered(Box<SyncAnswer>),
    /// The call failed.
    Failed(Failure),
    /// The delivery is in the store.
    Applied(Applied),
    /// The envelopes were sealed anew, or there was none of that counter.
    Resealed(bool),
    /// The store has begun anew, with the hub or from the first row of every scope.
    BegunAnew,
    /// The pause is over.
    Waited,
    /// A person wants to stop. What was taken stays.
    Cancel,
}

/// What is to be done.
#[derive(Debug)]
pub enum Effect {
    /// Get an access token; a fresh one if the hub did not take the last.
    Authorise {
        /// The one there is was not taken.
        fresh: bool,
    },
    /// Ask the store for its position and the next envelopes.
    Gather {
        /// Begin with the envelope of this counter.
        from: u64,
        /// At most this many items.
        max_items: usize,
        /// At most this many bytes.
        max_bytes: usize,
    },
    /// Send this.
    Exchange(Box<SyncRequest>),
    /// Send this now; the answer is wanted after what comes next, or not at all.
    AskAhead(Box<SyncRequest>),
    /// Wait for the answer to what was asked ahead.
    Await,
    /// Put this into the store.
    Apply(Box<Delivery>),
    /// Seal the envelopes from this counter on anew.
    Reseal(u64),
    /// Begin anew with a hub that was restored from a backup.
    Reopen(Box<Restored>),
    /// Begin every scope from its first row.
    Restart,
    /// Wait.
    Wait(Duration),
    /// Tell whoever watches.
    Report(Progress),
    /// The run is over.
    Finish(Outcome),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is left to send or to receive.
    UpToDate,
    /// The hub has not answered some of what was sent, without saying why; it is kept and sent again next time.
    Unsettled,
    /// No answer; what was taken before stays.
    Unreachable,
    /// The device or member has to sign in again; unsent work stays.
    SignInAgain,
    /// The hub does not know where this phone stands, also after it has begun anew. Never "up to date".
    HubRestored,
    /// Another phone signs with this one's key, because one is a copy of the other: this one needs a key of its own.
    NeedsNewKey,
    /// Stopped by a person.
    Cancelled,
    /// Something the hub said does not verify; nothing of that answer was taken.
    Disbelieved(Disbelief),
    /// Not now: everything is kept, and sent when it is tried again.
    Later {
        /// The stable code.
        code: String,
        /// Why.
        message: String,
        /// When to try again, in seconds, if the hub has said so.
        seconds: Option<u64>,
    },
    /// The hub refused the request or an envelope; everything is kept.
    Refused {
        /// The stable code.
        code: String,
        /// What it says.
        message: String,
    },
}

/// What does not verify; completes "failed to believe the hub: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// The key set is not the organisation's, or older than one seen.
    #[error("its key set is not the organisation's, or an old one")]
    KeySet,
    /// The statement.
    #[error("its statement is not signed by a feed key of the organisation")]
    Statement,
    /// The receipts.
    #[error("its receipts are not signed by a feed key, or are not this device's")]
    Receipts,
    /// What it says of having been restored from a backup, or that it says nothing of it.
    #[error("it was restored from a backup and does not prove it")]
    Restored,
    /// A page is not signed by a feed key.
    #[error("a page is not signed by a feed key of the organisation")]
    PageSignature,
    /// A page does not extend the head held here, or its rows are not those that were signed.
    #[error("a page does not extend what this phone holds")]
    Page,
    /// The heads differ from the hub's even after every scope was received anew.
    #[error("what it sent does not add up to what it says it has")]
    Digest,
}

impl Disbelief {
    /// A stable code for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::KeySet => "key_set",
            Self::Statement => "statement",
            Self::Receipts => "receipts",
            Self::Restored => "restored",
            Self::PageSignature => "page_signature",
            Self::Page => "page",
            Self::Digest => "digest",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Authorising,
    Gathering,
    Exchanging,
    Applying,
    Resealing,
    BeginningAnew,
    Waiting,
    Finished,
}

/// One run of the sync; see the module.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each remembers one thing that has happened in the run")]
pub struct SyncMachine {
    state: State,
    progress: Progress,
    position: Option<Box<Position>>,
    /// Where the phone will stand once the delivery is stored, and how many rows that has, if more was asked ahead.
    ahead: Option<(Box<Position>, u64)>,
    sent: Vec<u64>,
    from: u64,
    more: bool,
    /// A scope was begun anew because the digests differed: once in a run.
    restarted: bool,
    resealed: bool,
    reauthorised: bool,
    /// How the hub's not knowing this phone's heads was met.
    unknown: Unknown,
    /// A restored hub was met: once in a run.
    reopened: bool,
    /// The hub has answered in this run.
    reached: bool,
    pauses: usize,
    idle: u32,
    /// The most bytes of a push: less where something on the way takes less.
    max_bytes: usize,
    /// The bytes of the last push.
    pushed: usize,
    /// Nothing more is sent in this run: the hub has said when it may be.
    held: Option<Held>,
    /// After the delivery is in the store.
    then: Then,
    cancelled: bool,
}

/// What is not sent in this run, until when, if the hub has said so.
#[derive(Debug, Clone, Copy)]
struct Held {
    seconds: Option<u64>,
}

/// What was done about heads that the hub does not know: first it is shown its own words; if those prove nothing, or there
/// are none, the scopes begin again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    NotSaid,
    Proves,
    Restarted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Then {
    GoOn,
    NeedKey,
    Reseal(u64),
    Refuse { code: String, message: String },
}

impl Default for SyncMachine {
    fn default() -> Self {
        Self::new()
    }
}

impl SyncMachine {
    /// A run that has not begun.
    pub fn new() -> Self {
        Self {
            state: State::Idle,
            progress: Progress::default(),
            position: None,
            ahead: None,
            sent: Vec::new(),
            from: 0,
            more: false,
            restarted: false,
            resealed: false,
            reauthorised: false,
            unknown: Unknown::NotSaid,
            reopened: false,
            reached: false,
            pauses: 0,
            idle: 0,
            max_bytes: MAX_PUSH,
            pushed: 0,
            held: None,
            then: Then::GoOn,
            cancelled: false,
        }
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        self.state == State::Finished
    }

    /// Takes an event; gives what is to be done, in order. An event that does not fit the state does nothing.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        match (self.state, event) {
            (State::Finished, _) => Vec::new(),
            // A delivery that is being stored is not torn: the run ends after it.
            (State::Applying | State::Resealing | State::BeginningAnew, Event::Cancel) => {
                self.cancelled = true;
                Vec::new()
            }
            (_, Event::Cancel) => self.finish(Outcome::Cancelled),
            (State::Idle, Event::Start) => {
                self.state = State::Authorising;
                vec![Effect::Authorise { fresh: false }]
            }
            (State::Gathering, Event::Gathered(position, outgoing)) => self.exchange(position, outgoing),
            (State::Exchanging, Event::Answered(answer)) => self.answered(&answer),
            (State::Authorising | State::Exchanging, Event::Failed(failure)) => self.failed(failure),
            (State::Applying, Event::Applied(applied)) => self.applied(applied),
            (State::Resealing, Event::Resealed(sealed)) => self.sealed_anew(sealed),
            (State::BeginningAnew, Event::BegunAnew) if self.cancelled => self.finish(Outcome::Cancelled),
            (State::Authorising, Event::Authorised) | (State::BeginningAnew, Event::BegunAnew) => self.gather(),
            (State::Waiting, Event::Waited) => {
                // The token may have run out meanwhile, and the store may have moved on: the round begins again.
                self.state = State::Authorising;
                vec![Effect::Authorise { fresh: false }]
            }
            _ => Vec::new(),
        }
    }

    fn finish(&mut self, outcome: Outcome) -> Vec<Effect> {
        self.state = State::Finished;
        vec![Effect::Finish(outcome)]
    }

    fn later(&mut self, code: &str, message: &str, seconds: Option<u64>) -> Vec<Effect> {
        self.finish(Outcome::Later { code: code.to_owned(), message: message.to_owned(), seconds })
    }

    fn gather(&mut self) -> Vec<Effect> {
        self.state = State::Gathering;
        vec![Effect::Gather { from: self.from, max_items: MAX_ITEMS, max_bytes: self.max_bytes }]
    }

    fn exchange(&mut self, position: Box<Position>, outgoing: Outgoing) -> Vec<Effect> {
        self.progress.to_send = outgoing.waiting;
        let mut push = Vec::with_capacity(outgoing.envelopes.len());
        self.sent.clear();
        let envelopes = if self.held.is_some() { Vec::new() } else { outgoing.envelopes };
        self.pushed = 0;
        for (counter, envelope) in envelopes {
            self.sent.push(counter);
            self.pushed += envelope.envelope.len() + envelope.chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
            push.push(envelope);
        }
        let mut request = Box::new(request(&position, push));
        if self.unknown == Unknown::Proves {
            request.proof.clone_from(&position.proof);
        }
        self.position = Some(position);
        self.state = State::Exchanging;
        vec![Effect::Report(self.progress), Effect::Exchange(request)]
    }

    fn failed(&mut self, failure: Failure) -> Vec<Effect> {
        match failure {
            Failure::UnknownHead => self.unknown_head(),
            Failure::SignInAgain => self.finish(Outcome::SignInAgain),
            Failure::Unauthorised if self.state == State::Authorising || self.reauthorised => {
                self.finish(Outcome::SignInAgain)
            }
            Failure::Unauthorised => {
                self.reauthorised = true;
                self.state = State::Authorising;
                vec![Effect::Authorise { fresh: true }]
            }
            Failure::Refused { code, message } => self.finish(Outcome::Refused { code, message }),
            Failure::Broken(code, message) => self.later(code, message, None),
            // What is new can be fetched all the same.
            Failure::Later(seconds) if !self.sent.is_empty() && self.held.is_none() => {
                self.held = Some(Held { seconds });
                self.gather()
            }
            Failure::Later(seconds) => self.later("later", SENT_LATER, seconds),
            Failure::TooLarge if self.sent.len() > 1 => {
                self.max_bytes = self.pushed / 2;
                self.gather()
            }
            Failure::TooLarge => {
                let message = "a single change is larger than the hub or a proxy in front of it takes; tell an \
                               administrator to let 5 MB through";
                self.finish(Outcome::Refused { code: "too_large".to_owned(), message: message.to_owned() })
            }
            Failure::Busy(seconds @ Some(LONG..)) => self.later("busy", BUSY, seconds),
            // A phone without a network is told so at once; one that loses it on the way tries again.
            Failure::Unreachable if !self.reached => self.finish(Outcome::Unreachable),
            Failure::Unreachable | Failure::Busy(_) => match PAUSES.get(self.pauses) {
                None => match failure {
                    Failure::Busy(seconds) => self.later("busy", BUSY, seconds),
                    _ => self.finish(Outcome::Unreachable),
                },
                Some(&pause) => {
                    self.pauses += 1;
                    self.state = State::Waiting;
                    let asked = match failure {
                        Failure::Busy(Some(seconds)) => Duration::from_secs(seconds),
                        _ => Duration::ZERO,
                    };
                    vec![Effect::Wait(pause.max(asked))]
                }
            },
        }
    }

    fn unknown_head(&mut self) -> Vec<Effect> {
        self.from = 0;
        let proves = self.position.as_ref().is_some_and(|position| position.proof.is_some());
        match self.unknown {
            Unknown::NotSaid if proves => {
                self.unknown = Unknown::Proves;
                self.gather()
            }
            Unknown::NotSaid | Unknown::Proves => {
                self.unknown = Unknown::Restarted;
                self.state = State::BeginningAnew;
                vec![Effect::Restart]
            }
            Unknown::Restarted => self.finish(Outcome::HubRestored),
        }
    }

    /// The hub has another life than the one this phone knows. A second time in one run is a quarrel.
    fn reopen(&mut self, restored: Box<Restored>) -> Vec<Effect> {
        if std::mem::replace(&mut self.reopened, true) {
            return self.finish(Outcome::HubRestored);
        }
        self.from = 0;
        self.unknown = Unknown::NotSaid;
        self.state = State::BeginningAnew;
        vec![Effect::Reopen(restored)]
    }

    fn answered(&mut self, answer: &SyncAnswer) -> Vec<Effect> {
        let Some(position) = self.position.take() else { return self.finish(Outcome::Unsettled) };
        self.reached = true;
        self.pauses = 0;
        self.reauthorised = false;
        let verified = match verify(answer, &position, &self.sent) {
            Ok(verified) => verified,
            Err(Doubt::Restored(restored)) => return self.reopen(restored),
            Err(Doubt::Disbelief(disbelief)) => return self.finish(Outcome::Disbelieved(disbelief)),
        };
        let Verified { mut delivery, heads, digests_agree } = verified;
        self.more = answer.more;
        if !answer.more && !digests_agree {
            if self.restarted {
                return self.finish(Outcome::Disbelieved(Disbelief::Digest));
            }
            self.restarted = true;
            self.more = true;
            delivery.restart = true;
        }
        self.progress.remaining = answer.remaining;
        self.then = match answer.turned_away.iter().min_by_key(|turned| turned.index) {
            None => Then::GoOn,
            Some(turned) => match (turned.code.as_str(), turned.expected) {
                ("counter_gap", Some(expected)) => Then::Reseal(expected),
                ("cloned_device", _) => Then::NeedKey,
                _ => Then::Refuse { code: turned.code.clone(), message: turned.message.clone() },
            },
        };
        self.state = State::Applying;
        self.ahead = self.may_ask_ahead(&delivery).then(|| after(*position, &delivery, heads));
        let ask = self.ahead.as_ref().map(|(position, _)| Effect::AskAhead(Box::new(request(position, Vec::new()))));
        ask.into_iter().chain([Effect::Apply(Box::new(delivery))]).collect()
    }

    /// Whether the answer to the next request cannot depend on what this phone makes of the delivery: there is more to
    /// come, and nothing to be sent.
    fn may_ask_ahead(&self, delivery: &Delivery) -> bool {
        self.more && self.sent.is_empty() && self.then == Then::GoOn && !delivery.restart && !delivery.pages.is_empty()
    }

    fn applied(&mut self, applied: Applied) -> Vec<Effect> {
        self.progress.sent += applied.answered;
        self.progress.received += applied.rows;
        self.progress.to_send = self.progress.to_send.saturating_sub(applied.answered);
        let mut effects = vec![Effect::Report(self.progress)];
        let next = if self.cancelled {
            self.finish(Outcome::Cancelled)
        } else {
            match std::mem::replace(&mut self.then, Then::GoOn) {
                Then::Refuse { code, message } => self.finish(Outcome::Refused { code, message }),
                Then::NeedKey => self.finish(Outcome::NeedsNewKey),
                Then::Reseal(expected) => self.resend(expected),
                Then::GoOn => self.go_on(applied),
            }
        };
        effects.extend(next);
        effects
    }

    /// The hub waits for an earlier envelope than it was sent: once it is sent again, twice is a quarrel.
    fn resend(&mut self, expected: u64) -> Vec<Effect> {
        if self.resealed {
            let message = "the hub and this phone do not agree where its envelopes stand".to_owned();
            return self.finish(Outcome::Refused { code: "counter_gap".to_owned(), message });
        }
        self.resealed = true;
        self.from = expected;
        self.state = State::Resealing;
        vec![Effect::Reseal(expected)]
    }

    fn sealed_anew(&mut self, sealed: bool) -> Vec<Effect> {
        match (self.cancelled, sealed) {
            (true, _) => self.finish(Outcome::Cancelled),
            (false, true) => self.gather(),
            (false, false) => self.finish(Outcome::HubRestored),
        }
    }

    fn go_on(&mut self, applied: Applied) -> Vec<Effect> {
        self.from = 0;
        if !self.more
            && let Some(Held { seconds }) = self.held
        {
            return self.later("later", SENT_LATER, seconds);
        }
        if !self.more && applied.waiting == 0 {
            return self.finish(Outcome::UpToDate);
        }
        // What was answered as stale and is written again, with nothing new to write it on, may be stale again.
        let settled = applied.answered > 0 && applied.replayed == 0;
        self.idle = if settled || applied.rows > 0 { 0 } else { self.idle + 1 };
        if self.idle >= IDLE_ROUNDS {
            return self.finish(Outcome::Unsettled);
        }
        match self.ahead.take() {
            Some((position, rows)) if rows == applied.rows => {
                self.position = Some(position);
                self.state = State::Exchanging;
                vec![Effect::Await]
            }
            // Another process has synced meanwhile, and the phone stands elsewhere.
            _ => self.gather(),
        }
    }
}

fn request(position: &Position, push: Vec<PushedEnvelope>) -> SyncRequest {
    SyncRequest {
        version: VERSION,
        organisation: position.identity.organisation.clone(),
        epoch: position.state.epoch,
        key_set: position.key_set.set.version,
        heads: position.heads.clone(),
        push,
        proof: None,
    }
}

/// Where a phone stands once a delivery with these heads is stored, and how many rows that has.
fn after(mut position: Position, delivery: &Delivery, heads: Vec<ScopeHead>) -> (Box<Position>, u64) {
    position.heads = heads;
    position.state.epoch = Some(delivery.epoch);
    position.state.hub_time = position.state.hub_time.max(delivery.hub_time);
    if let Some(key_set) = &delivery.key_set {
        position.key_set = key_set.clone();
    }
    (Box::new(position), delivery.pages.iter().map(|page| page.rows.len() as u64).sum())
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
