//! `vestibule phone`: the core as a phone in a terminal, nothing but core.
//!
//! Every subcommand opens the store, does one thing and closes it; all but `sign-in` and `sync` work with no hub. What
//! it prints is laid out in [`show`], what it reads from the command line is in [`fields`].

pub(super) mod device;
mod fields;
pub(super) mod show;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use vestibule_core::decision::is_hubs_word;
use vestibule_core::guest_mail::GuestMail;
use vestibule_core::id::VisitId;
use vestibule_core::phone::{Cancel, HostClient, PhoneError, Progress, QR_PREVIEW, SyncReport, qr_preview};
use vestibule_core::store::{Choice, ListFilter, OperationState, VisitSummary};
use vestibule_core::visit::{Tab, VisitDraft};
use zeroize::Zeroizing;

use super::{Failure, print};
use fields::Fields;

/// A phone in a terminal: invite with no network, sync when there is one.
#[derive(Debug, Args)]
#[command(after_help = "\
The store is encrypted. A terminal has no Keychain: the key lies beside the store in FILE.key, the device's key in
FILE.device.key (both 0600), and whoever can read them can read the store.

Example:
  vestibule phone --store ada.db sign-in --hub http://127.0.0.1:8480 --token-file ada.token
  vestibule phone --store ada.db invite --first Zoë --email zoe@example.org --site zrh --date 2027-02-10 --start 09:00 --end 11:00
  vestibule phone --store ada.db list
  vestibule phone --store ada.db sync

Exit codes: 0 done, 1 failed, 2 bad input, 3 not sent yet (the hub does not answer, failed, or wants a pause; work is
kept, and `sync` tries again), 4 refused, 5 sign in again.")]
pub struct Phone {
    /// The phone's file; made at sign-in.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Signs a member in on this phone, once, and brings the directory.
    SignIn {
        /// The hub's address, as its operator gives it (`public_url`).
        #[arg(long, value_name = "URL")]
        hub: String,
        /// A file with the bearer token (`vestibule admin token MEMBER`).
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Invites a visitor: durable when it returns, queued until the hub has it.
    Invite {
        #[command(flatten)]
        fields: Fields,
        /// An internal note, never for the visitor.
        #[arg(long)]
        note: Option<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists visits by start.
    List {
        /// One list: queued, pending, upcoming, `on_site`, past; all without it.
        #[arg(long)]
        tab: Option<Tab>,
        /// At most this many.
        #[arg(long, default_value_t = 1000)]
        limit: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows everything this phone knows of a visit.
    Show(One),
    /// Finds visits by the beginnings of names, companies, addresses and hosts.
    Search {
        /// What to look for.
        text: String,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Changes the fields that are given; an empty text clears a field.
    Edit {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        fields: Fields,
        /// Adds an internal note.
        #[arg(long)]
        note: Option<String>,
    },
    /// Invites the visitor of a past, cancelled or rejected visit again, with the fields that are given in place of the
    /// old ones; not after a final rejection.
    Reinvite {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        fields: Fields,
        /// An internal note, never for the visitor.
        #[arg(long)]
        note: Option<String>,
    },
    /// Calls a visit off; the credential dies when the hub has it.
    Cancel(One),
    /// Asks the hub to delete an invitation that was not used.
    Delete(One),
    /// Chooses, where somebody else changed the same field first.
    #[command(group(clap::ArgGroup::new("choice").required(true)))]
    Settle {
        #[command(flatten)]
        one: One,
        /// This phone's values are written over those the hub has.
        #[arg(long, group = "choice")]
        mine: bool,
        /// The values the hub has stand, and this phone's are dropped.
        #[arg(long, group = "choice")]
        theirs: bool,
    },
    /// What happened to a visit, by the hub's word.
    History(One),
    /// Sends what waits and fetches what is new.
    Sync {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Lists what the hub sent and this version cannot use; it is kept for the next one.
    Trouble {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Previews the visitor's Apple pass (pass.json); without its code.
    Pass(One),
    /// Previews the QR code's look; the real one is only on the visitor's own pass.
    Qr(One),
}

#[derive(Debug, Args)]
struct One {
    /// The visit's id.
    visit: VisitId,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Phone {
    /// Runs the subcommand.
    pub fn run(self) -> Result<(), Failure> {
        let makes_store = matches!(self.task, Task::SignIn { .. });
        let client = device::open(&self.store, makes_store)?;
        if !makes_store {
            // A store in which a sign-in failed holds nothing, and is not a phone with no visits.
            client.identity().map_err(failure)?;
        }
        match self.task {
            Task::SignIn { hub, token_file, json } => sign_in(&client, &hub, &token_file, json),
            Task::Invite { fields, note, json } => {
                let draft = VisitDraft { note, ..fields.over(VisitDraft::default()) };
                let visit = client.create(&draft).map_err(failure)?;
                show_one(&client, visit, json)
            }
            Task::List { tab, limit, json } => {
                let filter = tab.map_or(ListFilter::All, ListFilter::Tab);
                let page = client.list(filter, limit, None).map_err(failure)?;
                show_many(&client, &page.items, json)
            }
            Task::Show(One { visit, json }) => show_one(&client, visit, json),
            Task::Search { text, limit, json } => {
                let found = client.search(&text, limit).map_err(failure)?;
                show_many(&client, &found, json)
            }
            Task::Edit { one: One { visit, json }, fields, note } => {
                let view = client.show(visit).map_err(failure)?;
                client.edit(visit, &fields.over(VisitDraft::from_values(&view.values))).map_err(failure)?;
                if let Some(note) = note {
                    client.note(visit, &note).map_err(failure)?;
                }
                show_one(&client, visit, json)
            }
            Task::Reinvite { one: One { visit, json }, fields, note } => {
                let view = client.show(visit).map_err(failure)?;
                let draft = VisitDraft { note, ..fields.over(VisitDraft::from_values(&view.values)) };
                let new = client.invite_again(visit, &draft).map_err(failure)?;
                show_one(&client, new, json)
            }
            Task::Delete(One { visit, json }) => {
                client.delete(visit).map_err(failure)?;
                show_one(&client, visit, json)
            }
            Task::Settle { one: One { visit, json }, mine, .. } => {
                settle(&client, visit, if mine { Choice::Mine } else { Choice::Theirs })?;
                show_one(&client, visit, json)
            }
            Task::Cancel(One { visit, json }) => {
                client.cancel(visit).map_err(failure)?;
                if matches!(client.show(visit), Err(PhoneError::NotFound)) {
                    let dropped = format!("{:#}\n", json!({ "id": visit, "status": "cancelled" }));
                    print(if json { &dropped } else { "The draft, which the hub had refused, is dropped.\n" });
                    return Ok(());
                }
                show_one(&client, visit, json)
            }
            Task::History(One { visit, json }) => {
                let history = client.history(visit).map_err(failure)?;
                print(&if json { show::history_json(visit, &history) } else { show::history(&history) });
                Ok(())
            }
            Task::Sync { json } => sync(&client, json),
            Task::Trouble { json } => {
                let trouble = client.trouble().map_err(failure)?;
                print(&if json { show::trouble_json(&trouble) } else { show::trouble(&trouble) });
                Ok(())
            }
            Task::Pass(One { visit, json }) => {
                let pass = client.pass_preview(visit).map_err(failure)?.pass;
                let view = client.show(visit).map_err(failure)?;
                let pass: Value = serde_json::to_value(&pass).map_err(Failure::failed)?;
                let text = if json { json!({ "id": visit, "status": view.status, "pass": pass }) } else { pass };
                print(&format!("{text:#}\n"));
                Ok(())
            }
            Task::Qr(One { visit, json }) => {
                let view = client.show(visit).map_err(failure)?;
                let matrix = qr_preview();
                if json {
                    let rows = show::rows(&matrix);
                    print(&format!(
                        "{:#}\n",
                        json!({ "id": visit, "status": view.status, "text": QR_PREVIEW, "rows": rows })
                    ));
                } else {
                    print(&format!("{}{QR_PREVIEW}\n", show::blocks(&matrix)));
                }
                Ok(())
            }
        }
    }
}

fn sign_in(client: &HostClient, hub: &str, token_file: &std::path::Path, json: bool) -> Result<(), Failure> {
    let token = std::fs::read_to_string(token_file).map(Zeroizing::new).map_err(|error| {
        Failure::bad_input(format!("The token file {} cannot be read: {error}", token_file.display()))
    })?;
    let (identity, progress, report) = runtime()?.block_on(async {
        let identity = client.sign_in(hub, token.trim()).await.map_err(|error| not_signed_in(error, hub))?;
        let (progress, report) = run_sync(client, json).await?;
        Ok::<_, Failure>((identity, progress, report))
    })?;
    let set_back = set_back_words(&report, client)?;
    let (member, organisation) = (identity.member.to_string(), identity.organisation.to_string());
    print(&if json {
        let device = identity.device.to_string();
        format!(
            "{:#}\n",
            json!({
                "id": device, "status": "signed_in", "member": member, "organisation": organisation,
                "set_back": set_back_json(&report),
            })
        )
    } else {
        let clock = client.clock_off_by().map(show::clock).unwrap_or_default();
        format!("{set_back}Signed in as {member} of {organisation}; {} rows received.\n{clock}", progress.received)
    });
    Ok(())
}

/// Why a sign-in failed: there may be nothing on this phone yet, so nothing is said of what is kept.
fn not_signed_in(error: PhoneError, hub: &str) -> Failure {
    let said = match &error {
        PhoneError::SignInAgain => {
            "The sign-in token is not taken: it has expired, or is not one of this hub's. Get a new one with `vestibule \
             admin token MEMBER`."
                .to_owned()
        }
        PhoneError::Unreachable => format!("The hub at {hub} does not answer. Check the address and the network."),
        _ => return failure(error),
    };
    Failure { message: said, ..failure(error) }
}

/// Settles everything of a visit that is in conflict.
fn settle(client: &HostClient, visit: VisitId, choice: Choice) -> Result<(), Failure> {
    let view = client.show(visit).map_err(failure)?;
    let open: Vec<i64> = view
        .operations
        .iter()
        .filter(|operation| operation.state == OperationState::Conflict)
        .map(|operation| operation.id)
        .collect();
    if open.is_empty() {
        return Err(Failure::refused("Nothing of this visit is in conflict."));
    }
    for operation in open {
        client.settle(operation, choice).map_err(failure)?;
    }
    Ok(())
}

/// Whether something on this phone has not reached the hub.
fn has_unsent(client: &HostClient) -> bool {
    let mut after = None;
    while let Ok(page) = client.list(ListFilter::All, 1000, after) {
        after = page.next;
        if page.items.iter().any(|visit| visit.queued) {
            return true;
        }
        if after.is_none() {
            break;
        }
    }
    false
}

fn sync(client: &HostClient, json: bool) -> Result<(), Failure> {
    let before = attention(client)?;
    let (progress, report) = runtime()?.block_on(run_sync(client, json))?;
    let (after, update) = (attention(client)?, client.needs_update().map_err(failure)?);
    let new = after
        .iter()
        // What only an update helps against is not refused.
        .filter(|visit| visit.problem.as_deref() != Some("update_app"))
        .filter(|visit| !before.iter().any(|old| old.id == visit.id && old.problem == visit.problem));
    // What the hub says of a mail is no refusal of this phone's work.
    let is_of_hub = |visit: &&VisitSummary| visit.problem.as_deref().is_some_and(is_hubs_word);
    let (told, refused): (Vec<&VisitSummary>, Vec<&VisitSummary>) = new.partition(is_of_hub);
    if json {
        let coded = |visits: &[&VisitSummary]| -> Vec<Value> {
            visits.iter().map(|visit| json!({ "id": visit.id, "code": visit.problem })).collect()
        };
        let (refused, attention) = (coded(&refused), coded(&told));
        let status = if refused.is_empty() { "up_to_date" } else { "refused" };
        let device = client.identity().map_err(failure)?.device.to_string();
        let answer = json!({
            "id": device, "status": status, "sent": progress.sent, "received": progress.received, "refused": refused,
            "update_app": update, "attention": attention,
            "clock_off_by": client.clock_off_by().map(|off| off.num_seconds()),
            "set_back": set_back_json(&report),
        });
        print(&format!("{answer:#}\n"));
    } else {
        let set_back = set_back_words(&report, client)?;
        print(&format!("{set_back}Up to date: {} sent, {} rows received.\n", progress.sent, progress.received));
        if update {
            print("The hub uses something new that this version cannot show. Update the app.\n");
        }
        for visit in told {
            let words = visit.mail.as_ref().map_or_else(|| "Please look at it.".to_owned(), GuestMail::words);
            print(&format!("{}: {words}\n", visit.id));
        }
        print(&client.clock_off_by().map(show::clock).unwrap_or_default());
    }
    if refused.is_empty() {
        return Ok(());
    }
    let lines = refused.iter().map(|visit| format!("{}: {}", visit.id, visit.problem.as_deref().unwrap_or("refused")));
    Err(Failure::refused(lines.collect::<Vec<_>>().join("\n")))
}

/// What a person is told of a hub that was set back, by the clock of the member's site.
fn set_back_words(report: &SyncReport, client: &HostClient) -> Result<String, Failure> {
    let Some(set_back) = report.set_back else { return Ok(String::new()) };
    let directory = client.directory().map_err(failure)?;
    let me = client.identity().map_err(failure)?.member;
    let zone = directory.member(&me).and_then(|me| directory.site(me.site.as_ref()?)).map(|site| &site.zone);
    let to = DateTime::from_timestamp(set_back.to, 0).unwrap_or_default();
    let to = match zone {
        Some(zone) => to.with_timezone(zone).format("%Y-%m-%d %H:%M").to_string(),
        None => to.format("%Y-%m-%d %H:%M UTC").to_string(),
    };
    Ok(match set_back.sent_again {
        0 => format!("The hub was set back to {to}; nothing had to be sent again.\n"),
        1 => format!("The hub was set back to {to}; 1 invitation was sent again.\n"),
        many => format!("The hub was set back to {to}; {many} invitations were sent again.\n"),
    })
}

/// The same for programs; null where the hub was not set back.
fn set_back_json(report: &SyncReport) -> Value {
    report.set_back.map_or(Value::Null, |set_back| {
        let to = DateTime::from_timestamp(set_back.to, 0).unwrap_or_default();
        json!({ "to": to.to_rfc3339_opts(chrono::SecondsFormat::Secs, true), "sent_again": set_back.sent_again })
    })
}

/// What somebody has to look at, before and after a sync.
fn attention(client: &HostClient) -> Result<Vec<VisitSummary>, Failure> {
    Ok(client.list(ListFilter::Attention, 1000, None).map_err(failure)?.items)
}

/// One sync, with a bar on standard error where that is a terminal.
pub(super) async fn run_sync(client: &HostClient, quiet: bool) -> Result<(Progress, SyncReport), Failure> {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(bar_style());
    let last = Arc::new(std::sync::Mutex::new(Progress::default()));
    let report = {
        let (bar, last) = (bar.clone(), Arc::clone(&last));
        move |progress: Progress| {
            bar.set_length(progress.sent + progress.to_send + progress.received + progress.remaining);
            bar.set_position(progress.sent + progress.received);
            *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = progress;
        }
    };
    let done = client.sync(&report, &Cancel::new()).await;
    bar.finish_and_clear();
    let report = done.map_err(|error| not_synced(client, error))?;
    let progress = *last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((progress, report))
}

/// Why a sync ended early; what is kept is said only where there is something.
fn not_synced(client: &HostClient, error: PhoneError) -> Failure {
    let kept = if has_unsent(client) { " What is not sent yet is kept." } else { "" };
    let said = match &error {
        PhoneError::SignInAgain => "The hub does not let this phone in any more. Sign in again with a new token.",
        PhoneError::Unreachable => "The hub does not answer. Try again when there is a network.",
        _ => return failure(error),
    };
    Failure { message: format!("{said}{kept}"), ..failure(error) }
}

/// How a sync's bar looks.
pub(super) fn bar_style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix:<10} {bar:32} {pos}/{len} {msg}").expect("the template is well formed")
}

/// The runtime of one command.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::failed)
}

fn show_one(client: &HostClient, visit: VisitId, json: bool) -> Result<(), Failure> {
    let view = client.show(visit).map_err(failure)?;
    print(&if json { format!("{:#}\n", show::view_json(&view)) } else { show::view(&view) });
    Ok(())
}

fn show_many(client: &HostClient, visits: &[VisitSummary], json: bool) -> Result<(), Failure> {
    let directory = client.directory().map_err(failure)?;
    print(&if json { show::list_json(visits, &directory) } else { show::list(visits, &directory) });
    Ok(())
}

/// The exit code and the words of a phone's error.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` is given")]
pub(super) fn failure(error: PhoneError) -> Failure {
    let code = match &error {
        PhoneError::BadDraft(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Failure::bad_input(lines.join("\n"));
        }
        PhoneError::NotFound | PhoneError::Address => 2,
        PhoneError::NotSignedIn => {
            let message = "Nobody is signed in on this phone. Run `vestibule phone --store FILE sign-in` first.";
            return Failure { code: 5, message: message.to_owned() };
        }
        PhoneError::Unreachable | PhoneError::Later { .. } => 3,
        PhoneError::Refused { .. } => 4,
        PhoneError::SignInAgain | PhoneError::NeedsNewKey => 5,
        _ => 1,
    };
    Failure { code, message: sentence(&error.to_string()) }
}

/// A message of the core as a sentence of its own.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
