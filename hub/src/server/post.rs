//! The sender of mails beside the requests: woken by every sync that leaves a mail due, and every second, since `vestibule
//! admin` is another process and may have put mails into the outbox too.
//!
//! It has a connection of its own, so that a slow mail server keeps no request waiting. Each mail waits its own time
//! after a failure ([`crate::delivery::sender`]); on top of that the sender pauses when the server fails, so that a
//! server that is down is not asked a thousand times over.

use std::fs;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use vestibule_core::decision::Fact;
use vestibule_core::id::VisitId;
use zeroize::Zeroizing;

use super::{Hub, ServeError};
use crate::config::{Config, DataDir, Smtp as SmtpConfig, SmtpTls};
use crate::context::Context;
use crate::delivery::sender::{MailFolder, MailTransport, SendOutcome, TransportError, Unnoted, send_next};
use crate::delivery::smtp::{Smtp, SmtpSecurity, SmtpSettings};
use crate::effect::Effect;
use crate::lifecycle::Outcome;
use crate::record::{self, Event, RecordError};
use crate::store::{HubStore, visits};

/// How often the outbox is looked at without being told.
const TICK: Duration = Duration::from_secs(1);
/// How often key sets are looked at, whether they have long to live.
const RENEWAL: Duration = Duration::from_hours(12);
/// The longest pause after a failure of the server.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Mails in one turn, so that no organisation keeps the others waiting.
const TURN: usize = 16;

/// Where mails go.
enum Transport {
    Server(Smtp),
    Folder(MailFolder),
}

impl MailTransport for Transport {
    fn deliver(&self, id: &str, envelope: &Envelope, message: &[u8]) -> Result<(), TransportError> {
        match self {
            Self::Server(server) => server.deliver(id, envelope, message),
            Self::Folder(folder) => folder.deliver(id, envelope, message),
        }
    }
}

fn transport(dir: &DataDir, config: &Config) -> Result<Transport, ServeError> {
    let wrong = |error: &dyn std::fmt::Display| ServeError::Mail(error.to_string());
    match &config.smtp {
        Some(smtp) => Ok(Transport::Server(Smtp::new(&settings(dir, smtp)?).map_err(|error| wrong(&error))?)),
        None => {
            Ok(Transport::Folder(MailFolder::open(&dir.resolve(&config.mail_folder)).map_err(|error| wrong(&error))?))
        }
    }
}

fn settings(dir: &DataDir, smtp: &SmtpConfig) -> Result<SmtpSettings, ServeError> {
    let password = match &smtp.password_file {
        Some(file) => {
            let path = dir.resolve(file);
            let text = fs::read_to_string(&path).map_err(|error| {
                ServeError::Mail(format!("the password file {} cannot be read: {error}", path.display()))
            })?;
            Some(Zeroizing::new(Zeroizing::new(text).trim_end_matches(['\r', '\n']).to_owned()))
        }
        None => None,
    };
    if smtp.user.is_some() != password.is_some() {
        return Err(ServeError::Mail(
            "`smtp.user` and `smtp.password_file` belong together; set both, or neither".into(),
        ));
    }
    let tls = match smtp.tls {
        SmtpTls::None => SmtpSecurity::None,
        SmtpTls::Starttls => SmtpSecurity::Starttls,
        SmtpTls::Implicit => SmtpSecurity::Tls,
    };
    let password = password.map(|mut password| std::mem::take(&mut *password));
    Ok(SmtpSettings { host: smtp.host.clone(), port: smtp.port(), tls, user: smtp.user.clone(), password })
}

/// What a turn of the sender works with; it goes to a blocking thread and comes back.
struct Desk {
    store: HubStore,
    transport: Transport,
    unnoted: Unnoted,
}

/// What a turn came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing is due.
    Idle,
    /// There may be more.
    More,
    /// The server, or the database, failed.
    Failed,
}

/// Prepares the sender and gives its life: it ends when the hub stops, between two mails.
pub fn run(
    hub: Arc<Hub>,
    mut stopped: watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    let dir = hub.organisations.dir();
    let mut desk = Desk {
        store: HubStore::open(&dir.database())?,
        transport: transport(dir, &hub.config)?,
        unnoted: Unnoted::default(),
    };
    Ok(async move {
        let mut pause = TICK;
        let mut renewed: Option<Instant> = None;
        loop {
            if let Err(error) = hub.organisations.refresh(&hub.database).await {
                tracing::error!(%error, "an organisation cannot be opened");
            }
            if renewed.is_none_or(|at| at.elapsed() >= RENEWAL) {
                renewed = Some(Instant::now());
                hub.renew_key_sets().await;
            }
            let mut turns = Vec::new();
            for context in hub.organisations.all() {
                if *stopped.borrow() {
                    return;
                }
                let (hub, stopped) = (Arc::clone(&hub), stopped.clone());
                let done = spawn_blocking(move || {
                    let turn = turn(&hub, &mut desk, &context, &stopped);
                    (desk, turn)
                });
                let Ok((back, turn)) = done.await else {
                    tracing::error!("the sender of mails panicked; start the hub again");
                    return;
                };
                desk = back;
                turns.push(turn);
            }
            let wait = if turns.contains(&Turn::Failed) {
                pause = (pause * 2).min(LONGEST_PAUSE);
                pause
            } else {
                pause = TICK;
                if turns.contains(&Turn::More) { Duration::ZERO } else { TICK }
            };
            tokio::select! {
                // After a failure a commit is no reason to try again sooner.
                () = hub.wake.notified(), if pause == TICK => {}
                () = tokio::time::sleep(wait) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    })
}

fn turn(hub: &Hub, desk: &mut Desk, context: &Context, stopped: &watch::Receiver<bool>) -> Turn {
    for _ in 0..TURN {
        if *stopped.borrow() {
            return Turn::Idle;
        }
        match send_next(&mut desk.store, &mut desk.unnoted, &desk.transport, context, hub.clock.read().now) {
            Ok(SendOutcome::Idle { .. }) => return Turn::Idle,
            Ok(SendOutcome::Sent { kind, .. }) => {
                tracing::info!(organisation = %context.organisation, kind, "a mail was sent");
                hub.metrics.mails("sent", 1);
            }
            Ok(SendOutcome::Later { error, at }) => {
                tracing::warn!(organisation = %context.organisation, %error, %at, "a mail is tried again later");
                hub.metrics.mails("put_off", 1);
                return Turn::Failed;
            }
            Ok(SendOutcome::Failed { visit, kind, error }) => {
                tracing::error!(organisation = %context.organisation, %visit, kind, %error, "a mail will not be sent");
                hub.metrics.mails("failed", 1);
                if let Err(error) = tell_host(hub, desk, context, visit, &kind) {
                    tracing::error!(organisation = %context.organisation, %visit, %error, "the host could not be told");
                }
            }
            Err(error) => {
                tracing::error!(organisation = %context.organisation, %error, "the outbox cannot be read or written");
                return Turn::Failed;
            }
        }
    }
    Turn::More
}

/// Puts into the visit's log that a mail did not go out, and tells the host, unless the mail was one to the host.
fn tell_host(hub: &Hub, desk: &mut Desk, context: &Context, id: VisitId, kind: &str) -> Result<(), RecordError> {
    const MAIL_FAILED: &str = "mail_failed";
    let mut rng = hub.surroundings.rng();
    let mut moment = hub.clock.read().moment(&mut rng);
    desk.store.write(|tx| {
        let Some(mut loaded) = visits::load(tx, &context.organisation, id)? else { return Ok(()) };
        let effects = concerns_the_host(kind).then_some(Effect::TellHostAlert { code: MAIL_FAILED });
        let effects = effects.into_iter().collect();
        let outcome = Outcome { facts: vec![Fact::Alert(MAIL_FAILED.into())], effects };
        record::record(tx, context, &mut moment, &mut loaded.visit, Event { outcome, ..Event::default() })
    })
}

/// Whether the host is told that a mail of this kind did not go out: those to the guest. Not `ended`: the address it goes
/// to was corrected because it was wrong, and a host who has just done so has nothing to see to.
fn concerns_the_host(kind: &str) -> bool {
    matches!(kind, "invitation" | "changed" | "cancellation")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bare cancellation that bounces off the wrong address says nothing about the right one.
    #[test]
    fn a_corrected_address_is_not_reported_as_wrong() {
        assert!(["invitation", "changed", "cancellation"].into_iter().all(concerns_the_host));
        assert!(!["ended", "approved", "rejected", "alert", "pending"].into_iter().any(concerns_the_host));
    }
}
