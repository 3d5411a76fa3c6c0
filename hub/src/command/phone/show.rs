//! How a terminal shows visits: tables for people, JSON for programs.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use vestibule_core::decision::{APPROVERS_NOT_TOLD, Approval, Fact, Standing, Told, UNDONE, undone_message};
use vestibule_core::directory::Directory;
use vestibule_core::guest_mail::{GuestMail, MailState, Undelivered, what_words};
use vestibule_core::id::VisitId;
use vestibule_core::qr::QrMatrix;
use vestibule_core::schedule::brief;
use vestibule_core::store::{HistoryEntry, HistoryFact, Trouble, TroubleKind, VisitSummary, VisitView};
use vestibule_core::visit::Key;
use vestibule_core::zone::Zone;

use super::super::table::table;

/// A list for people.
pub fn list(visits: &[VisitSummary], directory: &Directory) -> String {
    if visits.is_empty() {
        return "No visits.\n".into();
    }
    let rows: Vec<[String; 6]> = visits
        .iter()
        .map(|visit| {
            let mut status = visit.status.to_string().replace('_', " ");
            if visit.queued && status != "queued" {
                status.push_str(" (queued)");
            }
            if visit.conflict {
                status.push_str(" (conflict)");
            }
            if let Some(note) = visit.mail.as_ref().and_then(mail_note) {
                status.push_str(note);
            }
            if visit.problem.as_deref() == Some(APPROVERS_NOT_TOLD) {
                status.push_str(" (approvers not told)");
            }
            if visit.problem.as_deref().is_some_and(|problem| problem.ends_with(UNDONE)) {
                status.push_str(" (needs attention)");
            }
            [
                status,
                civil(visit.start, visit.end, zone_of(visit, directory)),
                visit.name.clone(),
                visit.company.clone().unwrap_or_default(),
                visit.site.as_ref().map(ToString::to_string).unwrap_or_default(),
                visit.id.to_string(),
            ]
        })
        .collect();
    table(["STATUS", "WHEN", "VISITOR", "COMPANY", "SITE", "ID"], &rows)
}

/// A list for programs.
pub fn list_json(visits: &[VisitSummary], directory: &Directory) -> String {
    let list: Vec<Value> = visits
        .iter()
        .map(|visit| {
            let zone = zone_of(visit, directory);
            json!({
                "id": visit.id,
                "number": visit.number,
                "status": visit.status,
                "queued": visit.queued,
                "conflict": visit.conflict,
                "problem": visit.problem,
                "mail": visit.mail.as_ref().map(mail_json),
                "name": visit.name,
                "email": visit.email,
                "company": visit.company,
                "site": visit.site,
                "host": visit.host,
                "host_name": visit.host_name,
                "start": at(visit.start, zone),
                "end": at(visit.end, zone),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(list))
}

/// One visit for programs: the fields by their names, and where it stands.
pub fn view_json(view: &VisitView) -> Value {
    let text = |key| view.values.text(key);
    let approval = match &view.approval {
        Approval::NotNeeded => json!({ "state": "not_needed" }),
        Approval::Pending => json!({ "state": "pending" }),
        Approval::Approved => json!({ "state": "approved" }),
        Approval::Rejected { reason, r#final } => json!({ "state": "rejected", "reason": reason, "final": r#final }),
    };
    let notes: Vec<Value> = view
        .notes
        .iter()
        .map(|note| json!({ "author": note.author, "at": note.at.to_rfc3339(), "text": note.text, "queued": note.queued }))
        .collect();
    let operations: Vec<Value> = view
        .operations
        .iter()
        .map(|operation| {
            json!({
                "id": operation.id,
                "kind": operation.kind.as_str(),
                "state": operation.state.as_str(),
                "reason": operation.reason,
            })
        })
        .collect();
    json!({
        "id": view.id,
        "number": view.number,
        "status": view.status,
        "queued": view.queued,
        "first_name": text(Key::FirstName),
        "last_name": text(Key::LastName),
        "email": text(Key::Email),
        "company": text(Key::Company),
        "phone": text(Key::Phone),
        "pacs_id": text(Key::PacsId),
        "site": text(Key::Site),
        "space": text(Key::Space),
        "visitor_type": text(Key::Type),
        "host": text(Key::Host),
        "host_name": view.host_name,
        "zone": view.zone.as_ref().map(Zone::name),
        "start": at(view.start, view.zone.as_ref()),
        "end": at(view.end, view.zone.as_ref()),
        "reason": text(Key::Reason),
        "message": text(Key::Message),
        "creator": view.creator,
        "approval": approval,
        "guest_told": view.guest_told,
        "mail": view.mail.as_ref().map(mail_json),
        "problem": view.problem,
        "undone": view.undone.iter().map(|(effect, code)| {
            json!({ "effect": effect, "code": code, "message": undone_message(effect) })
        }).collect::<Vec<_>>(),
        "notes": notes,
        "operations": operations,
    })
}

/// One visit for people.
pub fn view(view: &VisitView) -> String {
    let mut lines = vec![
        ("visit", view.id.to_string()),
        ("status", view.status.to_string().replace('_', " ") + if view.queued { " (queued)" } else { "" }),
        ("visitor", view.values.display_name()),
    ];
    let mut field = |name, value: Option<String>| lines.extend(value.map(|value| (name, value)));
    let text = |key| view.values.text(key);
    field("email", text(Key::Email));
    field("company", text(Key::Company));
    field("phone", text(Key::Phone));
    field("pacs_id", text(Key::PacsId));
    field("site", view.site_name.clone().or_else(|| text(Key::Site)));
    field("space", text(Key::Space));
    field("visitor_type", text(Key::Type));
    field("host", view.host_name.clone().or_else(|| text(Key::Host)));
    field("when", view.start.map(|_| civil(view.start, view.end, view.zone.as_ref())));
    field("reason", text(Key::Reason));
    field("message", text(Key::Message));
    if let Approval::Rejected { reason, r#final } = &view.approval {
        let what = if *r#final { "cannot be invited" } else { "change it with `phone reinvite`" };
        field("rejected", Some(format!("{} ({what})", reason.as_deref().unwrap_or("no reason given"))));
    }
    field("mail", view.mail.as_ref().map(GuestMail::words));
    if view.problem.as_deref() == Some(APPROVERS_NOT_TOLD) {
        field("attention", Some(alert_words(APPROVERS_NOT_TOLD)));
    }
    for (effect, code) in &view.undone {
        field("attention", Some(format!("{} ({effect}: {code})", undone_message(effect))));
    }
    for note in &view.notes {
        let author = note.author_name.clone().unwrap_or_else(|| note.author.to_string());
        field("note", Some(format!("{author}: {}{}", note.text, if note.queued { " (queued)" } else { "" })));
    }
    for operation in &view.operations {
        let reason = operation.reason.as_ref().map(|reason| format!(": {} ({})", reason.message, reason.code));
        field(
            "waiting",
            Some(format!("{} {}{}", operation.kind.as_str(), operation.state.as_str(), reason.unwrap_or_default())),
        );
    }
    let indented = |(name, value): (&str, String)| format!("{name:<13}{}\n", value.replace('\n', "\n             "));
    lines.into_iter().map(indented).collect::<Vec<_>>().concat()
}

/// A history for people.
pub fn history(entries: &[HistoryEntry]) -> String {
    let line = |entry: &HistoryEntry| {
        let at = entry.at.map_or_else(|| "not sent yet".into(), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
        format!("{at:<24}{:<20}{}\n", who(entry), what(entry))
    };
    entries.iter().map(line).collect::<Vec<_>>().concat()
}

/// A history for programs.
pub fn history_json(visit: VisitId, entries: &[HistoryEntry]) -> String {
    let list: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "id": visit,
                "status": match &entry.fact { HistoryFact::Changed(_) => "changed", HistoryFact::Decided(fact) => fact.kind() },
                "at": entry.at.map(|at| at.to_rfc3339()),
                "author": entry.author,
                "on_behalf_of": entry.on_behalf_of,
                "what": what(entry),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(list))
}

/// What the hub sent and this version cannot use, for people.
pub fn trouble(trouble: &[Trouble]) -> String {
    if trouble.is_empty() {
        return "Everything the hub sent is understood.\n".into();
    }
    let rows: Vec<[String; 4]> = trouble
        .iter()
        .map(|row| {
            let what = match row.kind {
                TroubleKind::Scope => "part of the feed is not known",
                TroubleKind::Row => "kind of row is not known",
                TroubleKind::Directory => "kind of directory row is not known",
                TroubleKind::Keys => "keys of the visit are not known",
                TroubleKind::Fact => "fact is not known",
                TroubleKind::Fields => "has fields that are not known",
                TroubleKind::Quarantined => "could not be taken",
            };
            let visit = row.visit.map_or_else(String::new, |visit| visit.to_string());
            let advice = if row.update_app { "update the app" } else { "" };
            [what.into(), row.detail.clone(), advice.into(), visit]
        })
        .collect();
    table(["WHAT", "WHICH", "TO DO", "VISIT"], &rows)
}

/// The same for programs.
pub fn trouble_json(trouble: &[Trouble]) -> String {
    let list: Vec<Value> = trouble
        .iter()
        .map(|row| {
            json!({
                "kind": row.kind.as_str(),
                "detail": row.detail,
                "scope": row.scope,
                "visit": row.visit,
                "update_app": row.update_app,
                "at": row.at.map(|at| at.to_rfc3339()),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(list))
}

fn who(entry: &HistoryEntry) -> String {
    let author = entry.author_name.clone().or_else(|| entry.author.as_ref().map(ToString::to_string));
    author.unwrap_or_else(|| "the hub".into())
}

fn what(entry: &HistoryEntry) -> String {
    match &entry.fact {
        HistoryFact::Changed(keys) => {
            format!("wrote {}", keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", "))
        }
        HistoryFact::Decided(fact) => decided(fact),
    }
}

fn decided(fact: &Fact) -> String {
    let mut standing = Standing::default();
    match fact {
        Fact::MailQueued { what: Told::End, .. } | Fact::MailUndelivered { what: Told::End, .. } => {
            format!("{} ({})", what_words(Told::End), fact.kind().replace('_', " "))
        }
        Fact::MailUndelivered { how: Undelivered::Withdrawn, what, .. } => {
            format!("{} was not needed, and not sent.", what_words(*what))
        }
        Fact::MailQueued { .. } | Fact::MailUndelivered { .. } => {
            standing.fold(fact);
            standing.mail.as_ref().map_or_else(String::new, GuestMail::words)
        }
        Fact::GuestTold(what) => format!("{} was sent.", what_words(*what)),
        Fact::Alert(code) => format!("{} ({code})", alert_words(code)),
        Fact::Undone { effect, code: Some(code) } => format!("could not {} ({code})", effect.replace('_', " ")),
        Fact::Undone { effect, code: None } => format!("{}: settled", effect.replace('_', " ")),
        fact => fact.kind().replace('_', " "),
    }
}

/// An alert of the log in words; the code stands beside them.
fn alert_words(code: &str) -> String {
    match code {
        APPROVERS_NOT_TOLD => "Nobody who decides about the invitation could be told of it: ask security yourself.",
        "arrived_after_cancellation" => "The visitor came although the visit was cancelled.",
        "arrived_without_approval" => "The visitor came although the visit is not approved.",
        "cancelled_on_site" => "The visit was cancelled while the visitor is on site.",
        "rejected_on_site" => "The visit was rejected while the visitor is on site.",
        "duplicate_use" => "The same QR code was used twice.",
        "mail_address" => "No mail can be sent to the visitor's e-mail address: correct it.",
        "notice_address" => "No mail can be sent to an address of those who decide about visits.",
        "pass_failed" => "The wallet pass could not be made: the invitation went out without it.",
        "window_passed" => "The time of the visit had passed, so the visitor was not invited.",
        _ => "Somebody should look at this visit.",
    }
    .to_owned()
}

/// What a list says of the guest's mail beside the status, if anything.
fn mail_note(mail: &GuestMail) -> Option<&'static str> {
    match &mail.state {
        MailState::Waiting | MailState::HandedOver => None,
        MailState::Held { .. } => Some(" (mail will be sent later)"),
        MailState::Delayed(_) => Some(" (mail is late)"),
        MailState::Refused(_) | MailState::GivenUp(_) => Some(" (not delivered)"),
    }
}

fn mail_json(mail: &GuestMail) -> Value {
    let trouble = mail.trouble();
    json!({
        "what": mail.what.as_str(),
        "state": mail.state_name(),
        "class": trouble.map(|trouble| trouble.class.as_str()),
        "code": trouble.and_then(|trouble| trouble.code),
        "words": mail.words(),
    })
}

fn zone_of<'d>(visit: &VisitSummary, directory: &'d Directory) -> Option<&'d Zone> {
    visit.site.as_ref().and_then(|site| directory.site(site)).map(|site| &site.zone)
}

/// RFC 3339 with the site's offset.
fn at(instant: Option<DateTime<Utc>>, zone: Option<&Zone>) -> Option<String> {
    let instant = instant?;
    Some(zone.map_or_else(|| instant.to_rfc3339(), |zone| instant.with_timezone(zone).to_rfc3339()))
}

/// A time as people at the site read it.
fn civil(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>, zone: Option<&Zone>) -> String {
    match start.zip(zone) {
        Some((start, zone)) => brief(start, end, zone),
        None => "any time".into(),
    }
}

/// A QR code as rows of `1` (dark) and `0`.
pub fn rows(matrix: &QrMatrix) -> Vec<String> {
    let row = |y| (0..matrix.size).map(|x| if matrix.is_dark(x, y) { '1' } else { '0' }).collect();
    (0..matrix.size).map(row).collect()
}

/// What a person is told of a clock that is off by so much: ahead is fast.
pub fn clock(off: TimeDelta) -> String {
    let minutes = (off.num_seconds().abs() + 30) / 60;
    let much = match minutes {
        ..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", (minutes + 30) / 60),
        _ => format!("{} days", (minutes + 720) / 1_440),
    };
    let way = if off > TimeDelta::zero() { "fast" } else { "slow" };
    format!("This phone's clock is {much} {way}; times are shown by the hub's.\n")
}

/// A QR code in half blocks, two rows a line, light on dark as terminals mostly are.
pub fn blocks(matrix: &QrMatrix) -> String {
    let light = |x: Option<usize>, y: Option<usize>| match (x, y) {
        (Some(x), Some(y)) if x < matrix.size && y < matrix.size => !matrix.is_dark(x, y),
        _ => true,
    };
    let mut text = String::new();
    for y in (0..matrix.size + 4).step_by(2) {
        for x in 0..matrix.size + 4 {
            let (x, above, below) = (x.checked_sub(2), y.checked_sub(2), (y + 1).checked_sub(2));
            text.push(match (light(x, above), light(x, below)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_fast_or_slow() {
        for (seconds, says) in
            [(47 * 60, "47 minutes fast"), (-3_598, "60 minutes slow"), (400 * 86_400, "400 days fast")]
        {
            let said = clock(TimeDelta::seconds(seconds));
            assert_eq!(said, format!("This phone's clock is {says}; times are shown by the hub's.\n"));
        }
    }
}
