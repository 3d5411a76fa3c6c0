//! How a terminal shows visits: tables for people, JSON for programs.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use vestibule_core::decision::{Approval, Fact, undone_message};
use vestibule_core::directory::Directory;
use vestibule_core::id::VisitId;
use vestibule_core::qr::QrMatrix;
use vestibule_core::store::{HistoryEntry, HistoryFact, VisitSummary, VisitView};
use vestibule_core::visit::Key;

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
            if visit.problem.as_deref().is_some_and(|problem| problem.ends_with("_undone")) {
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
        "zone": view.zone.map(Tz::name),
        "start": at(view.start, view.zone),
        "end": at(view.end, view.zone),
        "reason": text(Key::Reason),
        "message": text(Key::Message),
        "creator": view.creator,
        "approval": approval,
        "guest_told": view.guest_told,
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
    field("when", view.start.map(|_| civil(view.start, view.end, view.zone)));
    field("reason", text(Key::Reason));
    field("message", text(Key::Message));
    if let Approval::Rejected { reason, r#final } = &view.approval {
        let what = if *r#final { "cannot be invited" } else { "change it and invite again" };
        field("rejected", Some(format!("{} ({what})", reason.as_deref().unwrap_or("no reason given"))));
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

fn who(entry: &HistoryEntry) -> String {
    let author = entry.author_name.clone().or_else(|| entry.author.as_ref().map(ToString::to_string));
    author.unwrap_or_else(|| "the hub".into())
}

fn what(entry: &HistoryEntry) -> String {
    match &entry.fact {
        HistoryFact::Changed(keys) => {
            format!("wrote {}", keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", "))
        }
        HistoryFact::Decided(Fact::Undone { effect, code: Some(code) }) => {
            format!("could not {} ({code})", effect.replace('_', " "))
        }
        HistoryFact::Decided(Fact::Undone { effect, code: None }) => {
            format!("{}: settled", effect.replace('_', " "))
        }
        HistoryFact::Decided(fact) => fact.kind().replace('_', " "),
    }
}

fn zone_of(visit: &VisitSummary, directory: &Directory) -> Option<Tz> {
    visit.site.as_ref().and_then(|site| directory.site(site)).map(|site| site.zone)
}

/// RFC 3339 with the site's offset.
fn at(instant: Option<DateTime<Utc>>, zone: Option<Tz>) -> Option<String> {
    let instant = instant?;
    Some(zone.map_or_else(|| instant.to_rfc3339(), |zone| instant.with_timezone(&zone).to_rfc3339()))
}

/// A time as people at the site read it.
fn civil(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>, zone: Option<Tz>) -> String {
    let (Some(start), Some(zone)) = (start, zone) else { return "any time".into() };
    let start = start.with_timezone(&zone);
    let from = start.format("%a %Y-%m-%d %H:%M").to_string();
    match end.map(|end| end.with_timezone(&zone)) {
        Some(end) if end.date_naive() == start.date_naive() => format!("{from}–{}", end.format("%H:%M")),
        Some(end) => format!("{from} – {}", end.format("%a %H:%M")),
        None => from,
    }
}

/// A QR code as rows of `1` (dark) and `0`.
pub fn rows(matrix: &QrMatrix) -> Vec<String> {
    let row = |y| (0..matrix.size).map(|x| if matrix.is_dark(x, y) { '1' } else { '0' }).collect();
    (0..matrix.size).map(row).collect()
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
