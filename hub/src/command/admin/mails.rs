//! `vestibule admin mails`: the outbox for people and programs, and another attempt for what was not delivered.
//!
//! No address is shown unless it is asked for: the list is made to be pasted into a ticket.

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::table::table;
use super::super::{Failure, print};
use super::Desk;
use super::lists::print_json;
use crate::delivery;
use crate::handover;
use crate::moment::Moment;
use crate::record::RecordError;
use crate::store::outbox::{self, ListedMail};

/// The outbox.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
States: waiting (to be sent, or to be tried again), held (a quota holds it back, or the next edit is waited for), sending,
sent, failed (refused or given up; it can be retried), withdrawn (not needed any more).
Errors: dns, unreachable, timeout, tls_trust, tls_name, tls_expired, tls, credentials and sender are about the mail server;
transient, permanent, address and uncertain are about one mail."
)]
pub(super) struct Mails {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Show the recipients' addresses
    #[arg(long)]
    show_address: bool,
    /// Print a JSON list
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Send mails that were not delivered, or that still wait, now
    Retry(Retry),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Retry {
    /// The mail's id as `mails` lists it, or its beginning
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// All that failed
    #[arg(long)]
    all_failed: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Waiting,
    Held,
    Sending,
    Sent,
    Failed,
    Withdrawn,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::failed(format!("Failed to write it down: {error}."))
    }
}

impl Desk {
    pub(super) fn mails(&mut self, mails: Mails) -> Result<(), Failure> {
        match mails.task {
            Some(Task::Retry(Retry { id: Some(id), .. })) => self.retry_one(&id),
            Some(Task::Retry(Retry { id: None, .. })) => self.retry_all(),
            None => self.list_mails(mails.state, mails.show_address, mails.json),
        }
    }

    fn list_mails(&mut self, state: Option<State>, show_address: bool, as_json: bool) -> Result<(), Failure> {
        let organisation = &self.context.organisation;
        let all = self.store.read(|tx| outbox::list(tx, organisation, Utc::now(), state.map(State::as_str)))?;
        let address = |mail: &ListedMail| {
            let sealed = mail.sealed.as_deref().filter(|_| show_address)?;
            Some(delivery::open(&self.context.keys.outbox_seal, &mail.id, sealed)?.0)
        };
        if as_json {
            let json = |mail: &ListedMail| {
                let mut value = json_of(mail);
                if show_address {
                    // Gone once the mail has ended.
                    value["address"] = address(mail).into();
                }
                value
            };
            print_json(&all.iter().map(json).collect());
            return Ok(());
        }
        if all.is_empty() {
            print("No mails.\n");
            return Ok(());
        }
        let rows: Vec<_> = all
            .iter()
            .map(|mail| {
                [
                    mail.visit_number.map_or_else(String::new, |number| number.to_string()),
                    mail.kind.clone(),
                    mail.state.clone(),
                    mail.attempts.to_string(),
                    error(mail),
                    mail.next_at.map_or_else(String::new, time),
                    time(mail.created_at),
                    hex::encode(mail.id),
                    address(mail).unwrap_or_default(),
                ]
            })
            .collect();
        let last = if show_address { "ADDRESS" } else { "" };
        print(&table(["VISIT", "KIND", "STATE", "TRIES", "ERROR", "NEXT TRY", "MADE", "ID", last], &rows));
        Ok(())
    }

    fn retry_one(&mut self, id: &str) -> Result<(), Failure> {
        let unknown = || Failure::bad_input(format!("There is no mail {id}; `vestibule admin mails` lists them."));
        if id.is_empty() || !id.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(unknown());
        }
        let (context, rng) = (&self.context, &mut self.rng);
        let now = Utc::now();
        self.store.write(|tx| {
            let found = outbox::by_prefix(tx, &context.organisation, now, id)?;
            let mail = match found.as_slice() {
                [] => return Err(unknown()),
                [mail] => mail,
                _ => return Err(Failure::bad_input(format!("Several mails' ids begin with {id}; give more of it."))),
            };
            if handover::retry(tx, context, &mut Moment::new(now, rng), mail)? {
                return Ok(());
            }
            Err(Failure::refused(match mail.state.as_str() {
                "sent" => "This mail was sent. It is kept nowhere, so it cannot be sent again.",
                "sending" => "This mail is being sent now.",
                _ => "This mail is not needed any more: its visit is over, or has another mail.",
            }))
        })?;
        print("It is sent now, if the hub runs.\n");
        Ok(())
    }

    fn retry_all(&mut self) -> Result<(), Failure> {
        let (context, rng) = (&self.context, &mut self.rng);
        let now = Utc::now();
        let count = self.store.write(|tx| {
            let mut count = 0;
            for mail in outbox::list(tx, &context.organisation, now, Some(State::Failed.as_str()))? {
                count += usize::from(handover::retry(tx, context, &mut Moment::new(now, rng), &mail)?);
            }
            Ok::<_, Failure>(count)
        })?;
        print(&match count {
            0 => "There is no mail to send again.\n".to_owned(),
            1 => "One mail is sent now, if the hub runs.\n".to_owned(),
            _ => format!("{count} mails are sent now, if the hub runs.\n"),
        });
        Ok(())
    }
}

/// Why the last attempt failed: `permanent 550`.
fn error(mail: &ListedMail) -> String {
    let class = mail.error_class.clone().unwrap_or_default();
    mail.error_code.map_or_else(|| class.clone(), |code| format!("{class} {code}"))
}

fn time(seconds: i64) -> String {
    let at = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn json_of(mail: &ListedMail) -> Value {
    json!({
        "id": hex::encode(mail.id),
        "visit": mail.visit,
        "visit_number": mail.visit_number,
        "kind": mail.kind,
        "state": mail.state,
        "attempts": mail.attempts,
        "next_at": mail.next_at.map(time),
        "error_class": mail.error_class,
        "error_code": mail.error_code,
        "created_at": time(mail.created_at),
    })
}
