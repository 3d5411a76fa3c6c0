//! Performs what the machine decides: signs the device in, gets access tokens, carries requests to the hub and answers
//! to the store.

use std::future::Future;
use std::pin::Pin;
use std::sync::{LazyLock, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use url::Url;

use super::assertion::{GRANT_TYPE, assertion};
use super::http::{Answer, Call, Transport, TransportError, allowed};
use super::machine::{Effect, Event, Failure, Outcome, Progress, SyncMachine};
use super::wire::{
    Challenge, Enrolled, Enrolment, EnrolmentProof, MEDIA_TYPE, Problem, SyncAnswer, SyncRequest, TokenAnswer, origin,
    successor_nonce,
};
use crate::cbor;
use crate::clock::{Clock, HubTime};
use crate::id::{RequestId, Thumbprint};
use crate::keys::{DeviceSigner, Purpose, SignedKeySet, sign};
use crate::store::{Identity, Moment, Store, StoreError};

/// The largest sync answer: more pages than a hub puts into one.
const MAX_ANSWER: usize = 64 << 20;
/// The largest JSON answer.
const MAX_JSON: usize = 256 << 10;
/// A token is not used in its last moments, in seconds.
const TOKEN_MARGIN: i64 = 30;

/// The code of a refusal for the time of an assertion; it says what the time is.
const ASSERTION_TIME: &str = "assertion_time";

/// Why something with the hub did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer.
    #[error("the hub does not answer; try again when there is a network")]
    Unreachable,
    /// The address may not be called.
    #[error("the hub's address has to begin with https://")]
    Address,
    /// The bearer token, the device or the member is not taken.
    #[error("the hub does not know this device; sign in again")]
    SignInAgain,
    /// The hub refused.
    #[error("the hub refused: {message} ({code})")]
    Refused {
        /// A stable code.
        code: String,
        /// What it says.
        message: String,
    },
    /// Not now.
    #[error("{message} ({code})")]
    Later {
        /// A stable code.
        code: String,
        /// Why.
        message: String,
        /// When to try again, in seconds, if the hub has said so.
        seconds: Option<u64>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Time and randomness, as the client needs them across its waits.
pub trait Surroundings: Send + Sync {
    /// The phone's time.
    fn now(&self) -> DateTime<Utc>;
    /// Fills with cryptographic random bytes.
    fn fill(&self, bytes: &mut [u8]);
    /// A clock that nobody sets and that only goes forward; where it begins is of no meaning.
    fn elapsed(&self) -> Duration {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGUN.elapsed()
    }
}

/// Runs `work` in a moment of these surroundings.
pub fn in_moment<T>(surroundings: &dyn Surroundings, work: impl FnOnce(&mut Moment<'_>) -> T) -> T {
    struct Source<'a>(&'a dyn Surroundings);
    impl rand_core::TryRng for Source<'_> {
        type Error = std::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            let mut bytes = [0; 4];
            self.0.fill(&mut bytes);
            Ok(u32::from_le_bytes(bytes))
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            let mut bytes = [0; 8];
            self.0.fill(&mut bytes);
            Ok(u64::from_le_bytes(bytes))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            self.0.fill(bytes);
            Ok(())
        }
    }
    work(&mut Moment::new(surroundings.now(), &mut Source(surroundings)))
}

/// Stops a run from any thread; copies stop the same run.
#[derive(Debug, Clone)]
pub struct Cancel(watch::Sender<bool>);

impl Default for Cancel {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Cancel {
    /// A handle nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run. What was taken stays.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// The result of `work`, or nothing if the run is stopped first.
    pub async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut watch = self.0.subscribe();
        let stopped = watch.wait_for(|stopped| *stopped);
        let (mut work, mut stopped) = (std::pin::pin!(work), std::pin::pin!(stopped));
        std::future::poll_fn(|context| {
            if stopped.as_mut().poll(context).is_ready() {
                return Poll::Ready(None);
            }
            work.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// The phone's side of the hub.
pub struct SyncClient {
    transport: Box<dyn Transport>,
    token: Mutex<Option<(String, DateTime<Utc>)>>,
    /// One run at a time: two would receive the same pages.
    running: tokio::sync::Mutex<()>,
}

impl SyncClient {
    /// A client over that transport.
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self { transport, token: Mutex::new(None), running: tokio::sync::Mutex::new(()) }
    }

    /// Enrols the device with a bearer token of the member, proving that it holds its key, and notes in the store who
    /// signed in.
    pub async fn sign_in(
        &self,
        store: &Store,
        hub: &str,
        bearer: &str,
        signer: &dyn DeviceSigner,
        surroundings: &dyn Surroundings,
    ) -> Result<Identity, ClientError> {
        let hub: Url = hub.parse().map_err(|_| ClientError::Address)?;
        if !allowed(&hub) {
            return Err(ClientError::Address);
        }
        let challenge: Challenge = self.json(&hub, "v1/devices/challenge", bearer, &serde_json::json!({})).await?;
        let garbled = || refused("garbage", "the hub's answer cannot be read");
        let nonce = URL_SAFE_NO_PAD.decode(&challenge.nonce).map_err(|_| garbled())?;
        let key = signer.public_key();
        let device = key.thumbprint().ok_or_else(|| refused("device_key", "the device's key is no valid key"))?;
        let proof = cbor::write(&EnrolmentProof { nonce: nonce.into(), key, audience: origin(&hub) });
        let proof = sign(Purpose::Enrolment, proof, signer).map_err(StoreError::from)?;
        let enrolment = Enrolment { proof: URL_SAFE_NO_PAD.encode(proof) };
        let enrolled: Enrolled = self.json(&hub, "v1/devices", bearer, &enrolment).await?;
        // The audience goes into every assertion: one for another hub would be that hub's to be shown.
        if enrolled.audience.parse().ok().map(|audience: Url| origin(&audience)) != Some(origin(&hub)) {
            return Err(refused("wrong_audience", "the hub calls itself by another address; sign in with that one"));
        }
        let root: Thumbprint = enrolled.root.parse().map_err(|_| garbled())?;
        let key_set = URL_SAFE_NO_PAD.decode(&enrolled.key_set).map_err(|_| garbled())?;
        let key_set = SignedKeySet::verify(&key_set, &enrolled.organisation, &root)
            .map_err(|error| refused("key_set", &error.to_string()))?;
        let identity = Identity {
            organisation: enrolled.organisation,
            root,
            member: enrolled.member,
            device,
            hub: hub.to_string(),
            audience: enrolled.audience,
        };
        in_moment(surroundings, |moment| store.sign_in(&identity, &key_set, moment, signer))?;
        self.forget_token();
        Ok(identity)
    }

    /// Enrols a new key of this device in the place of the one it shares with another phone, and seals what is unsent under
    /// it. The old key vouches for the new one by the access token it was given.
    ///
    /// # Errors
    /// [`StoreError::Signer`] if the device makes no new key; [`ClientError::SignInAgain`] if the old one vouches for
    /// nothing any more.
    pub async fn succeed(
        &self,
        store: &Store,
        signer: &dyn DeviceSigner,
        surroundings: &dyn Surroundings,
    ) -> Result<(), ClientError> {
        let held = store.identity()?;
        let hub: Url = held.hub.parse().map_err(|_| ClientError::Address)?;
        let (token, _) = self.bearer().ok_or(ClientError::SignInAgain)?;
        let key = signer.renew().map_err(StoreError::from)?;
        self.forget_token();
        let device = key.thumbprint().ok_or_else(|| refused("device_key", "the device's key is no valid key"))?;
        let nonce = successor_nonce(&token).to_vec().into();
        let proof = cbor::write(&EnrolmentProof { nonce, key, audience: origin(&hub) });
        let proof = sign(Purpose::Enrolment, proof, signer).map_err(StoreError::from)?;
        let enrolment = Enrolment { proof: URL_SAFE_NO_PAD.encode(proof) };
        let enrolled: Enrolled = self.json(&hub, "v1/devices/successor", &token, &enrolment).await?;
        let garbled = || refused("garbage", "the hub's answer cannot be read");
        let key_set = URL_SAFE_NO_PAD.decode(&enrolled.key_set).map_err(|_| garbled())?;
        // The organisation, its root and the member stay those this phone knows.
        let key_set = SignedKeySet::verify(&key_set, &held.organisation, &held.root)
            .map_err(|error| refused("key_set", &error.to_string()))?;
        let identity = Identity { device, ..held };
        in_moment(surroundings, |moment| store.sign_in(&identity, &key_set, moment, signer))?;
        Ok(())
    }

    /// Runs one sync to its end, after one that is running.
    pub async fn sync(
        &self,
        store: &Store,
        signer: &dyn DeviceSigner,
        clock: &Clock,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &Cancel,
    ) -> Result<Outcome, ClientError> {
        let Some(_running) = cancel.or(self.running.lock()).await else { return Ok(Outcome::Cancelled) };
        let identity = store.identity()?;
        let hub: Url = identity.hub.parse().map_err(|_| ClientError::Address)?;
        store.ask_again()?;
        let mut machine = SyncMachine::new();
        clock.recall(store.heard()?);
        let mut ahead: Option<Asked<'_>> = None;
        // When the call whose answer is being looked at was begun.
        let (mut asked, mut asked_ahead) = (clock.elapsed(), Duration::ZERO);
        let mut effects = std::collections::VecDeque::from(machine.handle(Event::Start));
        while let Some(effect) = effects.pop_front() {
            let event = match effect {
                Effect::Report(now) => {
                    progress(now);
                    continue;
                }
                Effect::Finish(outcome) => {
                    if outcome == Outcome::UpToDate {
                        in_moment(clock, |moment| store.note_synced(moment))?;
                    }
                    return Ok(outcome);
                }
                Effect::Authorise { fresh } => {
                    let authorised = cancel.or(self.authorise(store, &hub, &identity, fresh, signer, clock)).await;
                    match authorised.transpose()? {
                        None => Event::Cancel,
                        Some(None) => Event::Authorised,
                        Some(Some(failure)) => Event::Failed(failure),
                    }
                }
                Effect::Gather { from, max_items, max_bytes } => {
                    // Envelopes first: what is written between the two reads is gathered in the next round.
                    let outgoing = store.outgoing(from, max_items, max_bytes)?;
                    Event::Gathered(Box::new(store.position()?), outgoing)
                }
                Effect::Exchange(request) => {
                    ahead = None;
                    asked = clock.elapsed();
                    answered(cancel.or(self.exchange(&hub, *request)).await)
                }
                Effect::AskAhead(request) => {
                    asked_ahead = clock.elapsed();
                    ahead = Some(Asked::begin(Box::pin(self.exchange(&hub, *request))).await);
                    continue;
                }
                Effect::Await => match ahead.take() {
                    None => Event::Failed(Failure::Unreachable),
                    Some(call) => {
                        asked = asked_ahead;
                        answered(cancel.or(call.0).await)
                    }
                },
                Effect::Apply(delivery) => {
                    if !delivery.clock_in_doubt {
                        hear(store, clock, delivery.hub_time.saturating_mul(1000), asked)?;
                    }
                    Event::Applied(in_moment(clock, |moment| store.apply(&delivery, moment, signer))?)
                }
                Effect::Reseal(counter) => {
                    Event::Resealed(in_moment(clock, |moment| store.reseal(counter, moment, signer))?)
                }
                Effect::Reopen(restored) => {
                    in_moment(clock, |moment| store.reopen(&restored, moment, signer))?;
                    Event::BegunAnew
                }
                Effect::Restart => {
                    in_moment(clock, |moment| store.restart(moment))?;
                    Event::BegunAnew
                }
                Effect::Wait(pause) => match cancel.or(tokio::time::sleep(pause)).await {
                    None => Event::Cancel,
                    Some(()) => Event::Waited,
                },
            };
            effects.extend(machine.handle(event));
        }
        Ok(Outcome::Unsettled)
    }

    fn forget_token(&self) {
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    fn bearer(&self) -> Option<(String, DateTime<Utc>)> {
        self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Sees to it that there is an access token; a failure is the machine's to judge. A hub that refuses an assertion for
    /// its time says in the refusal what the time is: the clock is set by it, and one more assertion made.
    async fn authorise(
        &self,
        store: &Store,
        hub: &Url,
        identity: &Identity,
        fresh: bool,
        signer: &dyn DeviceSigner,
        clock: &Clock,
    ) -> Result<Option<Failure>, ClientError> {
        if !fresh && self.bearer().is_some_and(|(_, expires)| clock.now() < expires) {
            return Ok(None);
        }
        self.forget_token();
        let asked = clock.elapsed();
        let first = match self.token(hub, identity, clock.now(), signer, clock).await? {
            Ok(token) => token,
            Err(refused) => {
                let Some(told) = refused.time(store)? else { return Ok(Some(refused.failure)) };
                if told.certain {
                    hear(store, clock, told.time, asked)?;
                }
                let Some(time) = DateTime::from_timestamp_millis(told.time) else { return Ok(Some(refused.failure)) };
                match self.token(hub, identity, time, signer, clock).await? {
                    Ok(token) => token,
                    Err(refused) => return Ok(Some(refused.failure)),
                }
            }
        };
        let life = i64::try_from(first.expires_in).unwrap_or(0).clamp(0, 86_400) - TOKEN_MARGIN;
        let expires = clock.now() + TimeDelta::seconds(life);
        *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some((first.access_token, expires));
        Ok(None)
    }

    /// Asks for an access token with an assertion made at `now`.
    async fn token(
        &self,
        hub: &Url,
        identity: &Identity,
        now: DateTime<Utc>,
        signer: &dyn DeviceSigner,
        clock: &Clock,
    ) -> Result<Result<TokenAnswer, NoToken>, ClientError> {
        let id = in_moment(clock, |moment| *RequestId::from_parts(moment.unix_millis(), moment.random()).as_bytes());
        let jwt =
            assertion(&identity.device, &identity.audience, now.timestamp(), id, signer).map_err(StoreError::from)?;
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT_TYPE)
            .append_pair("assertion", &jwt)
            .finish();
        let Ok(url) = address(hub, "v1/token") else { return Err(ClientError::Address) };
        let call = Call {
            url,
            bearer: None,
            content_type: "application/x-www-form-urlencoded",
            accept: "application/json",
            body: body.into_bytes(),
            max_answer: MAX_JSON,
        };
        let answer = match self.transport.call(call).await {
            Ok(answer) => answer,
            Err(error) => return Ok(Err(NoToken { failure: failed(error), assertion: jwt, problem: None })),
        };
        if answer.status != 200 {
            // RFC 6749, section 5.2: an assertion that is not taken is `invalid_grant`, with 400.
            let failure = failure(&answer);
            let explained = matches!(&failure, Failure::Refused { code, .. } if code == ASSERTION_TIME);
            let turned_away = matches!(answer.status, 400 | 401 | 403) && !explained;
            let failure = if turned_away { Failure::SignInAgain } else { failure };
            let problem = serde_json::from_slice(&answer.body).ok();
            return Ok(Err(NoToken { failure, assertion: jwt, problem }));
        }
        Ok(serde_json::from_slice(&answer.body).map_err(|_| NoToken {
            failure: garbage(),
            assertion: jwt,
            problem: None,
        }))
    }

    async fn exchange(&self, hub: &Url, request: SyncRequest) -> Result<SyncAnswer, Failure> {
        let call = Call {
            url: address(hub, "v1/sync").map_err(|_| garbage())?,
            bearer: self.bearer().map(|(token, _)| token),
            content_type: MEDIA_TYPE,
            accept: MEDIA_TYPE,
            body: cbor::write(&request),
            max_answer: MAX_ANSWER,
        };
        let answer = self.transport.call(call).await.map_err(failed)?;
        if answer.status != 200 {
            return Err(failure(&answer));
        }
        cbor::read(&answer.body, "sync answer").map_err(|_| garbage())
    }

    async fn json<T: DeserializeOwned>(
        &self,
        hub: &Url,
        path: &str,
        bearer: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<T, ClientError> {
        let call = Call {
            url: address(hub, path).map_err(|_| ClientError::Address)?,
            bearer: Some(bearer.to_owned()),
            content_type: "application/json",
            accept: "application/json",
            body: serde_json::to_vec(body).expect("these messages are JSON"),
            max_answer: MAX_JSON,
        };
        let answer = self.transport.call(call).await.map_err(|error| match error {
            TransportError::Unreachable => ClientError::Unreachable,
            TransportError::Address => ClientError::Address,
            TransportError::TooLarge => refused("garbage", "the hub's answer is too large"),
        })?;
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|_| later("not_the_hub", NOT_THE_HUB, None));
        }
        Err(match failure(&answer) {
            Failure::Unauthorised | Failure::SignInAgain => ClientError::SignInAgain,
            Failure::Unreachable => ClientError::Unreachable,
            Failure::Busy(seconds) | Failure::Later(seconds) => later("busy", "the hub has too much to do", seconds),
            Failure::Broken(code, message) => later(code, message, None),
            Failure::TooLarge => refused("too_large", "the request is larger than the hub takes"),
            Failure::UnknownHead => refused("unknown_head", "the hub does not know where this phone stands"),
            Failure::Refused { code, message } => ClientError::Refused { code, message },
        })
    }
}

/// What became of a call; none if the run was stopped.
fn answered(answer: Option<Result<SyncAnswer, Failure>>) -> Event {
    match answer {
        None => Event::Cancel,
        Some(Ok(answer)) => Event::Answered(Box::new(answer)),
        Some(Err(failure)) => Event::Failed(failure),
    }
}

/// Sets the clock by a time the hub has signed, and keeps what is worth it.
fn hear(store: &Store, clock: &Clock, time: i64, asked: Duration) -> Result<(), ClientError> {
    match clock.hear(time, asked) {
        Some(heard) => Ok(store.note_heard(&heard)?),
        None => Ok(()),
    }
}

/// Why there is no access token, and what the refusal says of the time.
struct NoToken {
    failure: Failure,
    assertion: String,
    problem: Option<Problem>,
}

impl NoToken {
    /// The hub's time, if the refusal carries it signed for this very assertion.
    fn time(&self, store: &Store) -> Result<Option<HubTime>, StoreError> {
        let position = store.position()?;
        let decoded = |text: &Option<String>| text.as_ref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some(problem) = self.problem.as_ref().filter(|problem| problem.code == ASSERTION_TIME) else {
            return Ok(None);
        };
        // What this phone holds may have run out since it was last here.
        let newer = decoded(&problem.key_set)
            .and_then(|set| SignedKeySet::verify(&set, &position.identity.organisation, &position.identity.root).ok())
            .filter(|newer| newer.set.version >= position.key_set.set.version);
        let keys = &newer.as_ref().unwrap_or(&position.key_set).set;
        let time = decoded(&problem.time);
        Ok(time.and_then(|time| HubTime::verify(&time, keys, position.state.hub_time, &self.assertion).ok()))
    }
}

/// A call on its way. Dropped, it is given up.
struct Asked<'a>(Pin<Box<dyn Future<Output = Result<SyncAnswer, Failure>> + Send + 'a>>);

impl<'a> Asked<'a> {
    /// Lets a call begin and the connection send it: what comes next holds this thread.
    async fn begin(mut call: Pin<Box<dyn Future<Output = Result<SyncAnswer, Failure>> + Send + 'a>>) -> Self {
        let early = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        tokio::task::yield_now().await;
        match early {
            Poll::Ready(answer) => Self(Box::pin(std::future::ready(answer))),
            Poll::Pending => Self(call),
        }
    }
}

fn refused(code: &str, message: &str) -> ClientError {
    ClientError::Refused { code: code.to_owned(), message: message.to_owned() }
}

fn later(code: &str, message: &str, seconds: Option<u64>) -> ClientError {
    ClientError::Later { code: code.to_owned(), message: message.to_owned(), seconds }
}

/// Networks that want to be signed in to, and proxies whose hub is away, answer in the hub's place.
const NOT_THE_HUB: &str = "something else answered in the hub's place; everything is kept and sent later";

fn garbage() -> Failure {
    Failure::Broken("not_the_hub", NOT_THE_HUB)
}

/// A path below the hub's address, whether that ends with a slash or not.
fn address(hub: &Url, path: &str) -> Result<Url, url::ParseError> {
    let mut base = hub.clone();
    if !base.path().ends_with('/') {
        let with_slash = format!("{}/", base.path());
        base.set_path(&with_slash);
    }
    base.join(path)
}

fn failed(error: TransportError) -> Failure {
    match error {
        TransportError::Unreachable => Failure::Unreachable,
        TransportError::TooLarge | TransportError::Address => garbage(),
    }
}

/// What an answer that is no success means.
fn failure(answer: &Answer) -> Failure {
    let problem: Option<Problem> = serde_json::from_slice(&answer.body).ok();
    let code = problem.as_ref().map_or("", |problem| problem.code.as_str());
    match (answer.status, code) {
        (_, "sign_in_again") | (403, "revoked") => Failure::SignInAgain,
        // What the hub says helps here, and signing in again does not.
        (_, "wrong_audience" | ASSERTION_TIME) => refusal(problem),
        (401, _) => Failure::Unauthorised,
        (409, "unknown_head") => Failure::UnknownHead,
        (429, "later") => Failure::Later(answer.retry_after),
        (413, _) => Failure::TooLarge,
        // 408: the request was too slow, and may be sent again (RFC 9110, section 15.5.9).
        (408 | 429 | 502 | 503 | 504, _) => Failure::Busy(answer.retry_after),
        (500.., _) => Failure::Broken("hub_failed", "the hub failed; everything is kept and sent later"),
        _ => refusal(problem),
    }
}

/// What the hub refuses it says with a reason; what comes without one is not the hub's.
fn refusal(problem: Option<Problem>) -> Failure {
    problem.map_or_else(garbage, |problem| Failure::Refused { code: problem.code, message: problem.detail })
}
