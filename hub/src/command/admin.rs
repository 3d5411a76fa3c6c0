//! `vestibule admin`: sets a hub up and decides from a terminal, with the hub running or not.
//!
//! It works on the directory itself: the database takes writers of several processes, and a hub that runs looks every
//! second for what another process has put into its outbox. What it decides is judged by the same functions as what
//! phones and pages ask for.

mod attention;
mod backup;
mod check;
mod clock;
mod lists;
mod mails;
mod trust;
mod zones;

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Utc};
use clap::{Args, Subcommand};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use rusqlite::Transaction;
use vestibule_core::decision::CredentialState;
use vestibule_core::id::{MemberId, OrganisationId, VisitId};
use vestibule_core::visit::Status;

use super::{Failure, print};
use crate::clock::standing;
use crate::config::{Config, DataDir};
use crate::context::Context;
use crate::decide::{self, DecideError};
use crate::issuer::SignIn;
use crate::moment::Moment;
use crate::organisation::{self, OrganisationError};
use crate::store::members::MemberRecord;
use crate::store::{HubStore, StoreError, members, organisations, visits};
use crate::visit::AcceptedVisit;
use crate::zones::Sources;

/// Set a hub up, list what it holds, decide on visits
#[derive(Debug, Args)]
#[command(
    long_about = "Set a hub up, list what it holds, decide on visits. It works on the hub's directory, whether the hub \
                  runs or not.",
    after_help = "\
Examples:
  vestibule admin --dir hub init --sample           Example AG, with sites in Zürich and New York
  vestibule admin --dir hub token ada --out ada.token   Ada signs a phone in with this, within an hour
  vestibule admin --dir hub check                   what is wrong with the set-up
  vestibule admin --dir hub mails --state failed    what was not delivered, and why
  vestibule admin --dir hub mails retry --all-failed
  vestibule admin --dir hub visits                  what is invited, waiting, expected
  vestibule admin --dir hub attention               what could not be done; `attention retry` tries it again
  vestibule admin --dir hub approve 7 --as priya    the visit with number 7 (or its id)
  vestibule admin --dir hub reject 7 --as priya --reason 'Please name the company'"
)]
pub struct Admin {
    /// The hub's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The organisation, where the hub has several
    #[arg(long, value_name = "ID")]
    org: Option<OrganisationId>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an organisation
    Init {
        /// The sample organisation, Example AG: two sites, eight members, four visitor types
        #[arg(long, required = true)]
        sample: bool,
    },
    /// Print a bearer token a member signs a phone in with; good for an hour
    Token {
        /// The member's id, as `members` lists it
        member: MemberId,
        /// Write it to this file, which nobody else can read, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check settings, files, disk, database, mail server and address
    #[command(
        long_about = "Check settings, files, disk, database, mail server and address. It reaches out to the mail server \
                      and to the hub's own public_url.\n\nExit codes: 0 nothing is wrong, or there are only warnings; \
                      1 something cannot work or is not safe."
    )]
    Check {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Give room that the database no longer needs back to the disk
    #[command(
        long_about = "Give room that the database no longer needs back to the disk. A hub that runs does so by itself, a \
                      little at a time; this does it at once."
    )]
    Compact,
    /// List the members
    Members {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// List the visits
    Visits {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
    },
    /// List the mails in the outbox: what waits, what was not delivered and why
    Mails(mails::Mails),
    /// List what could not be done and needs somebody, or try it again
    Attention {
        /// Print a JSON list
        #[arg(long)]
        json: bool,
        #[command(subcommand)]
        command: Option<attention::Attention>,
    },
    /// Approve a visit, exactly as it stands now
    Approve(Decision),
    /// Reject a visit, also an approved one: the visitor's PIN, QR code and passes open nothing any more
    Reject {
        #[command(flatten)]
        decision: Decision,
        /// Why; the host reads it, the guest does not
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// For good: the guest cannot be invited again
        #[arg(long)]
        r#final: bool,
    },
    /// Put an approved visit back to pending; the visitor's PIN, QR code and passes open nothing meanwhile
    Reopen(Decision),
    /// Say how the hub's clock stands, or that it is right
    #[command(long_about = "Say how the hub's clock stands. A machine's clock that is more than a day from where it \
                            should be is in doubt: the hub serves by its own count, ends no visit, renews no key and \
                            deletes nothing, until the clock agrees for an hour, two phones bear it out, or you confirm \
                            it.")]
    Clock {
        #[command(subcommand)]
        task: Option<clock::Task>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which time zone tables are used, and what they change
    Zones {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy the database while the hub runs
    #[command(
        long_about = "Copy the database and the settings into a new folder, while the hub runs or not, with a manifest and \
                      checksums. The keys are not in it: keep them in another place (--keys)."
    )]
    Backup {
        /// The folder to make
        #[arg(value_name = "DIR")]
        target: PathBuf,
        /// Copy the keys too, into this folder; never keep it with the other
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
    },
    /// Check a backup: checksums, the database's pages, the chains over its feed and its decision logs
    Verify {
        /// The backup
        #[arg(value_name = "DIR")]
        backup: PathBuf,
    },
    /// Put a backup in place; the hub must not run
    #[command(
        long_about = "Put a backup in place. The hub must not run. Phones notice, begin anew, and send again what they had \
                      sent since the backup was made."
    )]
    Restore {
        /// The backup
        #[arg(value_name = "DIR")]
        backup: PathBuf,
        /// Where the keys are kept, if they are not in the hub's directory
        #[arg(long, value_name = "DIR")]
        keys: Option<PathBuf>,
        /// Replace the database that is there; it is kept beside the new one
        #[arg(long)]
        force: bool,
    },
    /// Print the keys `vestibule scan` checks QR codes with
    QrKeys,
    /// Write what passes, links and QR codes can be checked with
    #[command(
        long_about = "Write what passes, links and QR codes can be checked with: apple-root.pem (only with a chain \
                            of our own), google-public.pem, qr-keys.json."
    )]
    Trust {
        /// The directory to write to
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
struct Decision {
    /// The visit's number or id, as `visits` lists them
    #[arg(value_name = "VISIT")]
    visit: String,
    /// The member who decides: an approver of the site and type, or an administrator
    #[arg(long = "as", value_name = "MEMBER")]
    member: MemberId,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::failed(format!("The database cannot be used: {error}."))
    }
}

impl From<OrganisationError> for Failure {
    fn from(error: OrganisationError) -> Self {
        let message = format!("Failed to set up the organisation: {error}.");
        if matches!(error, OrganisationError::Store(_) | OrganisationError::Signer(_)) {
            Self::failed(message)
        } else {
            Self::bad_input(message)
        }
    }
}

impl From<DecideError> for Failure {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Record(error) => Self::failed(format!("Failed to decide: {error}.")),
            DecideError::NoVisit | DecideError::NoMember => Self::bad_input(format!("Failed to decide: {error}.")),
            DecideError::Refused(refusal) => match &refusal.field {
                // Its message begins with the field.
                Some(_) => Self::bad_input(format!("{} ({})", refusal.message, refusal.code)),
                None => Self::refused(format!("Refused: {} ({})", refusal.message, refusal.code)),
            },
        }
    }
}

/// What a command works with.
struct Desk {
    store: HubStore,
    context: Context,
    /// The time the command goes by: the hub's, where this machine's clock cannot be believed.
    now: DateTime<Utc>,
    rng: ChaCha20Rng,
}

impl Admin {
    /// Does what was asked.
    pub fn run(self) -> Result<(), Failure> {
        // What works without a hub that can be opened.
        match &self.command {
            Command::Init { .. } => return self.init(),
            Command::Check { json } => return check::run(&self.dir, *json),
            Command::Compact => return self.compact(),
            Command::Backup { target, keys } => return self.backup(target, keys.as_deref()),
            Command::Verify { backup } => return Self::verify(backup),
            Command::Restore { backup, keys, force } => return self.restore(backup, keys.as_deref(), *force),
            _ => {}
        }
        let mut desk = self.open()?;
        match self.command {
            Command::Init { .. }
            | Command::Check { .. }
            | Command::Compact
            | Command::Backup { .. }
            | Command::Verify { .. }
            | Command::Restore { .. } => Ok(()),
            Command::Token { member, out } => desk.token(&member, out.as_deref()),
            Command::Members { json } => desk.members(json),
            Command::Visits { json } => desk.visits(json),
            Command::Mails(mails) => desk.mails(mails),
            Command::Attention { json, command: None } => desk.attention(json),
            Command::Attention { command: Some(attention::Attention::Retry { visit }), .. } => {
                desk.retry(visit.as_deref())
            }
            Command::Approve(decision) => desk.decide(&decision, |tx, context, moment, visit, by| {
                decide::approve(tx, context, moment, visit, by, None)
            }),
            Command::Reject { decision, reason, r#final } => {
                desk.decide(&decision, |tx, context, moment, visit, by| {
                    decide::reject(tx, context, moment, visit, by, Some(reason), r#final, None)
                })
            }
            Command::Reopen(decision) => desk.decide(&decision, |tx, context, moment, visit, by| {
                decide::reopen(tx, context, moment, visit, by, None)
            }),
            Command::Clock { task, json } => desk.clock(task.as_ref(), json),
            Command::Zones { json } => {
                let dir = DataDir::open(&self.dir).map_err(Failure::bad_input)?;
                let named = dir.config().map_err(Failure::bad_input)?.zoneinfo.map(|path| dir.resolve(&path));
                desk.zones(&Sources::find(named.as_deref()), json)
            }
            Command::QrKeys => desk.qr_keys(),
            Command::Trust { out } => desk.trust(&out),
        }
    }

    fn init(&self) -> Result<(), Failure> {
        let id: OrganisationId = organisation::sample::ID.parse().expect("the sample's id is one");
        if self.org.as_ref().is_some_and(|org| *org != id) {
            return Err(Failure::bad_input(format!("The sample organisation's id is {id}; leave --org out.")));
        }
        let dir = DataDir::open_or_create(&self.dir, None).map_err(Failure::bad_input)?;
        let config = dir.config().map_err(Failure::bad_input)?;
        let mut store = HubStore::open(&dir.database())?;
        if store.read(organisations::list)?.contains(&id) {
            let advice = format!("Start it with `vestibule serve --dir {}`.", self.dir.display());
            return Err(Failure::bad_input(format!("There is an organisation {id} already. {advice}")));
        }
        // Keys before the row that names the organisation: a hub that runs opens it as soon as it sees the row.
        let mut rng = new_rng()?;
        let context = Context::found(&dir, &config, &id, Utc::now(), &mut rng).map_err(Failure::failed)?;
        let mut founding = organisation::sample::example_ag();
        let sources = Sources::find(config.zoneinfo.map(|path| dir.resolve(&path)).as_deref());
        for site in &mut founding.sites {
            if let Some(zone) = sources.zone(site.zone.name(), Utc::now().year()) {
                site.zone = zone;
            }
        }
        store.write(|tx| organisation::found(tx, &context, &mut Moment::new(Utc::now(), &mut rng), founding))?;
        let dir = self.dir.display();
        print(&format!(
            "Example AG is ready: organisation {id}, sites zrh and nyc.\n\
             Run it:           vestibule serve --dir {dir}\n\
             Sign a phone in:  vestibule admin --dir {dir} token ada --out ada.token\n"
        ));
        Ok(())
    }

    fn compact(&self) -> Result<(), Failure> {
        let dir = DataDir::open(&self.dir).map_err(Failure::bad_input)?;
        let given = HubStore::open(&dir.database())?.give_back_all()?;
        print(&format!("{} MB given back.\n", given >> 20));
        Ok(())
    }

    fn open(&self) -> Result<Desk, Failure> {
        let dir = DataDir::open(&self.dir).map_err(Failure::bad_input)?;
        let config: Config = dir.config().map_err(Failure::bad_input)?;
        let mut store = HubStore::open(&dir.database())?;
        let all = store.read(organisations::list)?;
        let names = || all.iter().map(OrganisationId::as_str).collect::<Vec<_>>().join(", ");
        let id = match (&self.org, all.as_slice()) {
            (_, []) => {
                let dir = self.dir.display();
                let advice = format!("Make one with: vestibule admin --dir {dir} init --sample");
                return Err(Failure::bad_input(format!("This hub has no organisation yet. {advice}")));
            }
            (Some(id), _) if all.contains(id) => id.clone(),
            (Some(id), _) => {
                return Err(Failure::bad_input(format!("There is no organisation {id} here; there is {}.", names())));
            }
            (None, [only]) => only.clone(),
            (None, _) => {
                return Err(Failure::bad_input(format!("Say which organisation with --org: {}.", names())));
            }
        };
        let mut rng = new_rng()?;
        let now = standing(&store.read(crate::store::clock::get)?, Utc::now()).now;
        let context = Context::open(&dir, &config, &id, now, &mut rng).map_err(Failure::failed)?;
        Ok(Desk { store, context, now, rng })
    }
}

fn new_rng() -> Result<ChaCha20Rng, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| Failure::failed("The system gives no randomness."))?;
    Ok(ChaCha20Rng::from_seed(seed))
}

impl Desk {
    fn token(&mut self, member: &MemberId, out: Option<&Path>) -> Result<(), Failure> {
        let record = self.store.read(|tx| member_of(tx, &self.context, member))?;
        if !record.active {
            return Err(Failure::refused(format!("The member {member} may not sign in any more.")));
        }
        let token = SignIn::issue(&self.context.issuer(), &mut Moment::new(self.now, &mut self.rng), member);
        let Some(out) = out else {
            print(&format!("{token}\n"));
            return Ok(());
        };
        let fails = |error: io::Error| Failure::failed(format!("{} cannot be written: {error}.", out.display()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(out).map_err(fails)?;
        // It may have been there, with a wider mode.
        file.set_permissions(Permissions::from_mode(0o600)).map_err(fails)?;
        writeln!(file, "{token}").and_then(|()| file.sync_all()).map_err(fails)?;
        print(&format!("The token is in {}; it is good for an hour.\n", out.display()));
        Ok(())
    }

    fn decide(
        &mut self,
        decision: &Decision,
        act: impl FnOnce(
            &Transaction<'_>,
            &Context,
            &mut Moment<'_>,
            VisitId,
            &MemberId,
        ) -> Result<AcceptedVisit, DecideError>,
    ) -> Result<(), Failure> {
        let (context, now, rng) = (&self.context, self.now, &mut self.rng);
        let visit = self.store.write(|tx| {
            member_of(tx, context, &decision.member)?;
            let visit = visit_of(tx, context, &decision.visit)?;
            act(tx, context, &mut Moment::new(now, rng), visit, &decision.member).map_err(Failure::from)
        })?;
        print(&format!("Visit {} is {} now.\n{}", visit.number, visit.status(), consequence(&visit)));
        Ok(())
    }
}

/// What a decision does to the access of a visitor who had it (S2.23).
fn consequence(visit: &AcceptedVisit) -> &'static str {
    match (visit.status(), visit.standing.credential) {
        (Status::Pending, CredentialState::Suspended) => {
            "The visitor's PIN, QR code and passes open nothing until it is approved again; the visitor is not told.\n"
        }
        (Status::Rejected, CredentialState::Void) => {
            "The visitor's PIN, QR code and passes open nothing any more; the visitor is not told, the host is.\n"
        }
        _ => "",
    }
}

/// The member of that id, or a sentence that says where to find one.
fn member_of(tx: &Transaction<'_>, context: &Context, id: &MemberId) -> Result<MemberRecord, Failure> {
    members::get(tx, &context.organisation, id)?
        .ok_or_else(|| Failure::bad_input(format!("There is no member {id}; `vestibule admin members` lists them.")))
}

/// The visit of that number or id.
fn visit_of(tx: &Transaction<'_>, context: &Context, text: &str) -> Result<VisitId, Failure> {
    let unknown = || Failure::bad_input(format!("There is no visit {text}; `vestibule admin visits` lists them."));
    let id = match text.parse::<u64>() {
        Ok(number) => visits::by_number(tx, &context.organisation, number)?,
        Err(_) => Some(text.parse().map_err(|_| {
            Failure::bad_input(format!(
                "{text} is neither a visit's number nor its id; `vestibule admin visits` lists both."
            ))
        })?),
    };
    let id = id.ok_or_else(unknown)?;
    visits::number(tx, &context.organisation, id)?.map(|_| id).ok_or_else(unknown)
}
