//! The sender of mails beside the requests: woken by every sync that leaves a mail due, and every second, since `vestibule
//! admin` is another process and may have put mails into the outbox too.
//!
//! The [`Desk`] claims mails and writes down what came of them, over a database connection of its own; each claimed mail is
//! handed over by a thread of its own, which may take as long as the mail server likes. A few are under way at a time, and
//! fewer of one recipient's domain; one that takes long no longer counts, so that a server that ponders one recipient
//! holds up no other. A mail that is put off waits its own time ([`crate::handover`]); where it is the server that fails,
//! all wait, a little longer each time, and a single mail finds out whether it is back.
//!
//! What the server said and the database does not take (a full disk) is kept in memory and written before anything else
//! is sent: a hub that lives never sends a mail twice. A hub that stops waits a few seconds for what is under way; what is
//! not done by then counts as uncertain, as after a kill.

use std::collections::HashMap;
use std::fs;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::{Hub, ServeError};
use crate::config::{Config, DataDir, Smtp as SmtpConfig, SmtpTls};
use crate::context::Context;
use crate::delivery::sender::{self, Class, MailFolder, MailTransport, Reach, TransportError};
use crate::delivery::smtp::{Smtp, SmtpSecurity, SmtpSettings};
use crate::handover::{self, Noted};
use crate::record::RecordError;
use crate::store::outbox::{self, ClaimedMail, RecipientKey};
use crate::store::{HubStore, StoreError};

/// How often the outbox is looked at without being told.
const TICK: Duration = Duration::from_secs(1);
/// How often what has ended is looked through.
const TIDYING: Duration = Duration::from_hours(1);
/// How often key sets are looked at, whether they have long to live.
const RENEWAL: Duration = Duration::from_hours(12);
/// Mails under way that have not taken long yet.
const USUAL: usize = 4;
/// Mails under way at all.
const MOST: usize = 16;
/// Of these, mails to one domain.
const OF_A_DOMAIN: usize = 2;
/// After this a mail takes long.
const LONG: Duration = Duration::from_secs(2);
/// How long a domain is left alone after a mail to it ran out of time.
const REST: Duration = Duration::from_mins(1);
/// The pauses after failures of the server, one after the other; the last one from then on.
const PAUSES: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
];
/// How long a hub that stops waits for the mails under way.
const LAST_WAIT: Duration = Duration::from_secs(5);

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

/// What a mail server said of a mail.
struct Verdict {
    context: Arc<Context>,
    mail: ClaimedMail,
    said: Result<(), TransportError>,
}

/// A mail that is under way.
struct Flight {
    domain: RecipientKey,
    since: Instant,
}

/// The mail server fails, whatever the mail.
struct Outage {
    failures: usize,
    until: Instant,
}

/// What claims mails and writes down what came of them; it goes to a blocking thread and comes back.
struct Desk {
    store: HubStore,
    /// What was under way when the hub ended last is due again.
    has_recovered: bool,
    /// What was said and is not written down yet.
    verdicts: Vec<Verdict>,
    flights: HashMap<[u8; 16], Flight>,
    /// Domains to leave alone.
    resting: HashMap<RecipientKey, Instant>,
    outage: Option<Outage>,
    tidied: Option<Instant>,
    /// The domains that were busy when there was nothing to claim, and when that was: nothing has changed until another
    /// mail is due, or one of them is free again.
    fruitless: Option<(Vec<RecipientKey>, Instant)>,
}

/// Prepares the sender and gives its life: it ends when the hub stops.
pub fn run(
    hub: Arc<Hub>,
    mut stopped: watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    let dir = hub.organisations.dir();
    let transport = Arc::new(transport(dir, &hub.config)?);
    let mut desk = Desk::new(HubStore::open(&dir.database())?);
    let (said, mut heard) = mpsc::unbounded_channel();
    Ok(async move {
        let mut renewed: Option<Instant> = None;
        let mut refreshed: Option<Instant> = None;
        while !*stopped.borrow() {
            if refreshed.is_none_or(|at| at.elapsed() >= TICK) {
                refreshed = Some(Instant::now());
                desk.fruitless = None;
                if let Err(error) = hub.organisations.refresh(&hub.database).await {
                    tracing::error!(%error, "an organisation cannot be opened");
                }
            }
            if renewed.is_none_or(|at| at.elapsed() >= RENEWAL) {
                renewed = Some(Instant::now());
                hub.renew_key_sets().await;
            }
            let working = Arc::clone(&hub);
            let done = spawn_blocking(move || {
                let claimed = desk.work(&working);
                (desk, claimed)
            });
            let Ok((back, claimed)) = done.await else {
                tracing::error!("the sender of mails panicked; start the hub again");
                return;
            };
            desk = back;
            for (context, mail) in claimed {
                hand_over(Arc::clone(&transport), context, mail, said.clone());
            }
            tokio::select! {
                () = hub.wake.notified() => desk.fruitless = None,
                Some(verdict) = heard.recv() => desk.verdicts.push(verdict),
                () = tokio::time::sleep(TICK) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
            while let Ok(verdict) = heard.try_recv() {
                desk.verdicts.push(verdict);
            }
        }
        let last = tokio::time::sleep(LAST_WAIT);
        tokio::pin!(last);
        while desk.verdicts.len() < desk.flights.len() {
            tokio::select! {
                Some(verdict) = heard.recv() => desk.verdicts.push(verdict),
                () = &mut last => break,
            }
        }
        let done = spawn_blocking(move || {
            desk.note_all(&hub);
            desk.flights.len()
        });
        match done.await {
            Ok(0) => {}
            Ok(mails) => tracing::warn!(mails, "mails under way were left: they are sent again at the next start"),
            Err(_) => tracing::error!("the sender of mails panicked"),
        }
    })
}

/// Hands a mail over on a thread of its own: the process may end while it waits for the server.
fn hand_over(
    transport: Arc<Transport>,
    context: Arc<Context>,
    mail: ClaimedMail,
    said: mpsc::UnboundedSender<Verdict>,
) {
    let failed = Verdict {
        context: Arc::clone(&context),
        mail: mail.clone(),
        said: Err(TransportError { reach: Reach::Server, class: Class::Local, code: None }),
    };
    let answer = said.clone();
    let work = move || {
        let done = catch_unwind(AssertUnwindSafe(|| sender::hand_over(&*transport, &context, &mail)));
        let broken = TransportError { reach: Reach::Uncertain, class: Class::Local, code: None };
        // Nobody listens any more where the hub has stopped: the mail is left as after a kill.
        let _ = said.send(Verdict { said: done.unwrap_or(Err(broken)), context, mail });
    };
    if let Err(error) = std::thread::Builder::new().name("mail".into()).spawn(work) {
        tracing::error!(%error, "no thread to hand a mail over");
        let _ = answer.send(failed);
    }
}

impl Desk {
    fn new(store: HubStore) -> Self {
        Self {
            store,
            has_recovered: false,
            verdicts: Vec::new(),
            flights: HashMap::new(),
            resting: HashMap::new(),
            outage: None,
            tidied: None,
            fruitless: None,
        }
    }

    /// Takes up what a hub that died was sending; false as long as that cannot be written down.
    fn recover(&mut self, hub: &Hub) -> bool {
        if !self.has_recovered {
            let now = hub.clock.read().now;
            match self.store.write(|tx| outbox::recover(tx, now)) {
                Ok(_) => self.has_recovered = true,
                Err(error) => tracing::error!(%error, "the outbox cannot be used"),
            }
        }
        self.has_recovered
    }

    /// Writes down what came in, and claims what may go out now.
    fn work(&mut self, hub: &Hub) -> Vec<(Arc<Context>, ClaimedMail)> {
        self.note_all(hub);
        let mut claimed = Vec::new();
        // What cannot be written down must not be followed by more of it.
        if !self.verdicts.is_empty() || !self.recover(hub) {
            return claimed;
        }
        let contexts = hub.organisations.all();
        if self.tidied.is_none_or(|at| at.elapsed() >= TIDYING) {
            self.tidied = Some(Instant::now());
            self.tidy(hub, &contexts);
        }
        loop {
            let before = claimed.len();
            // One of each organisation in turn, so that none keeps the others waiting.
            for context in &contexts {
                match self.claim(hub, context) {
                    Ok(Some(mail)) => claimed.push((Arc::clone(context), mail)),
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(organisation = %context.organisation, %error, "the outbox cannot be used");
                        return claimed;
                    }
                }
            }
            if claimed.len() == before {
                if self.has_room() {
                    self.fruitless = Some((self.busy(), Instant::now()));
                }
                return claimed;
            }
        }
    }

    fn tidy(&mut self, hub: &Hub, contexts: &[Arc<Context>]) {
        let now = hub.clock.read().now;
        for context in contexts {
            if let Err(error) = self.store.write(|tx| sender::forget(tx, context, now)) {
                tracing::error!(organisation = %context.organisation, %error, "the outbox cannot be tidied");
            }
        }
    }

    fn claim(&mut self, hub: &Hub, context: &Context) -> Result<Option<ClaimedMail>, StoreError> {
        let busy = self.busy();
        if !self.has_room() || self.fruitless.as_ref().is_some_and(|(then, at)| *then == busy && at.elapsed() < TICK) {
            return Ok(None);
        }
        let now = hub.clock.read().now;
        // Most often nothing is due: that takes no writer.
        if !self.store.read(|tx| outbox::is_due(tx, &context.organisation, now))? {
            return Ok(None);
        }
        let mail = self.store.write(|tx| sender::claim(tx, context, now, &busy))?;
        if let Some(mail) = &mail {
            self.flights.insert(mail.id, Flight { domain: mail.domain, since: Instant::now() });
        }
        Ok(mail)
    }

    /// Whether another mail may go out: none while it cannot be written down what became of one. While the server fails, one at a time finds out whether it is back.
    fn has_room(&self) -> bool {
        let usual = self.flights.values().filter(|flight| flight.since.elapsed() < LONG).count();
        let has_room = usual < USUAL && self.flights.len() < MOST && self.verdicts.is_empty();
        has_room && self.outage.as_ref().is_none_or(|outage| usual == 0 && Instant::now() >= outage.until)
    }

    /// The domains no other mail goes to now, in order.
    fn busy(&mut self) -> Vec<RecipientKey> {
        self.resting.retain(|_, until| Instant::now() < *until);
        let under_way = |domain: &RecipientKey| self.flights.values().filter(|flight| flight.domain == *domain).count();
        let full = self.flights.values().map(|flight| flight.domain).filter(|domain| under_way(domain) >= OF_A_DOMAIN);
        let mut busy: Vec<RecipientKey> = full.chain(self.resting.keys().copied()).collect();
        busy.sort_unstable();
        busy.dedup();
        busy
    }

    /// Writes down what was said of mails; what cannot be written is kept.
    fn note_all(&mut self, hub: &Hub) {
        for verdict in std::mem::take(&mut self.verdicts) {
            match self.note(hub, &verdict) {
                Ok(noted) => self.landed(hub, &verdict, &noted),
                Err(error) => {
                    let organisation = &verdict.context.organisation;
                    tracing::error!(%organisation, %error, "what became of a mail cannot be written down");
                    self.verdicts.push(verdict);
                }
            }
        }
    }

    fn note(&mut self, hub: &Hub, verdict: &Verdict) -> Result<Noted, RecordError> {
        let mut rng = hub.surroundings.rng();
        let mut moment = hub.clock.read().moment(&mut rng);
        let Verdict { context, mail, said } = verdict;
        self.store.write(|tx| handover::note(tx, context, &mut moment, mail, *said))
    }

    /// Says what became of a mail, and what that means for the next ones.
    fn landed(&mut self, hub: &Hub, Verdict { context, mail, said }: &Verdict, noted: &Noted) {
        self.flights.remove(&mail.id);
        let organisation = &context.organisation;
        let kind = &mail.kind;
        let id = hex::encode(mail.id);
        match said.err().map(|error| (error, error.reach)) {
            Some((error, Reach::Server)) => self.fails(error),
            Some((error, _)) => {
                self.works();
                if error.class == Class::Timeout {
                    self.resting.insert(mail.domain, Instant::now() + REST);
                }
            }
            None => self.works(),
        }
        let (class, code) = said.err().map_or(("", None), |error| (error.class.as_str(), error.code));
        match noted {
            Noted::Sent => tracing::info!(%organisation, id, kind, "a mail was handed over"),
            Noted::Later { at } => {
                tracing::warn!(%organisation, id, kind, class, code, %at, "a mail is tried again later");
            }
            Noted::Failed => tracing::error!(%organisation, id, kind, class, code, "a mail is not delivered"),
            Noted::Withdrawn => tracing::info!(%organisation, id, kind, class, code, "a mail is not needed any more"),
        }
        let outcome = match noted {
            Noted::Sent => "sent",
            Noted::Later { .. } => "put_off",
            Noted::Failed => "failed",
            Noted::Withdrawn => "withdrawn",
        };
        hub.metrics.mails(outcome, 1);
    }

    fn works(&mut self) {
        if self.outage.take().is_some() {
            tracing::info!("the mail server works again");
        }
    }

    fn fails(&mut self, error: TransportError) {
        let failures = match &self.outage {
            // Mails that were under way together fail together: that is one failure.
            Some(outage) if Instant::now() < outage.until => return,
            Some(outage) => outage.failures,
            None => 0,
        };
        let pause = PAUSES[failures.min(PAUSES.len() - 1)];
        let seconds = pause.as_secs();
        tracing::error!(class = error.class.as_str(), code = error.code, seconds, "no mail goes out for now: {error}");
        self.outage = Some(Outage { failures: failures + 1, until: Instant::now() + pause });
    }
}
