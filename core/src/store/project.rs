//! The read model: what the lists and the search show of a visit, written from its document, its log and its outbox in
//! the transaction that changed them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::StoreError;
use super::tx::{Tx, one};
use super::working::{Entry, OperationState, Payload, Working};
use crate::directory::Directory;
use crate::document::{Value as DocumentValue, Write};
use crate::envelope::Ask;
use crate::guest_mail::{GuestMail, MailState};
use crate::id::{MemberId, SiteId, SpaceId, TypeId, VisitId};
use crate::schedule::Schedule;
use crate::text::index_words;
use crate::visit::{Key, Operations, Status, Value, VisitValues, status};

/// Rows of `visit_search` within one minute.
const PLACES: i64 = 1 << 24;

/// The values of a visit as this phone shows them: the document with own changes, or what a refused draft wants.
pub(super) fn values(working: &Working) -> VisitValues {
    fn borrow(value: &DocumentValue) -> Value<'_> {
        value.as_text().map_or(Value::True, Value::Text)
    }
    let drafted = working.drafted();
    let drafted = drafted.iter().filter_map(|Write { key, value }| Some((*key, borrow(value.as_ref()?))));
    let mut values =
        VisitValues::from_pairs(working.current().values().map(|(key, value)| (key, borrow(value))).chain(drafted));
    values.id = Some(working.id);
    values
}

/// What is on its way or was turned down.
pub(super) fn operations(working: &Working) -> Operations {
    let any = |test: fn(&Entry) -> bool| working.outbox.iter().any(test);
    Operations {
        queued: any(|entry| entry.state.waits()),
        refused: any(|entry| entry.state == OperationState::Refused && entry.intent().is_some()),
    }
}

/// The status of a visit as this phone shows it.
pub(super) fn status_of(working: &Working, values: &VisitValues) -> Status {
    // A deletion that waits shows like a cancellation that does (S4.35).
    let deletes = |entry: &Entry| {
        entry.state.waits() && matches!(&entry.payload, Payload::Request(request) if request.ask == Ask::Delete)
    };
    let ends = values.cancelled || values.deleted || working.outbox.iter().any(deletes);
    status(&working.standing, ends, operations(working))
}

/// The code of what somebody should look at: the last refusal or conflict of this phone's own, or what the hub says of the
/// guest's mail. One that is held back until the visit has begun comes too late.
pub(super) fn problem(working: &Working, times: &Times) -> Option<String> {
    let own = working.outbox.iter().rev().filter(|entry| !entry.state.waits()).find_map(|entry| entry.code.clone());
    let is_late = |mail: &GuestMail| matches!(mail.state, MailState::Held { until } if times.start.is_some_and(|start| start.timestamp() <= until));
    let late = || working.standing.mail.as_ref().is_some_and(is_late).then_some("mail_late");
    own.or_else(|| working.standing.problem().or_else(late).map(str::to_owned))
}

/// When a `UUIDv7` was made, Unix seconds.
pub(super) fn made_at(visit: VisitId) -> i64 {
    let millis = visit.as_bytes()[..6].iter().fold(0_i64, |millis, &byte| millis << 8 | i64::from(byte));
    millis / 1000
}

/// The zone the visit's civil times are in.
pub(super) fn zone(values: &VisitValues, directory: &Directory) -> Option<Tz> {
    Some(directory.site(values.site.as_ref()?)?.zone)
}

/// A visit's instants by the clocks of its site, and when it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Times {
    pub(super) start: Option<DateTime<Utc>>,
    pub(super) end: Option<DateTime<Utc>>,
    /// The end; without one, the arrival and the minutes the organisation waits.
    pub(super) over_at: Option<DateTime<Utc>>,
}

impl Times {
    /// Those of a schedule; none without a schedule, or in a zone that is not known here.
    pub(super) fn of(schedule: Option<Schedule>, zone: Option<Tz>, directory: &Directory) -> Self {
        let Some(instants) = schedule.zip(zone).and_then(|(schedule, zone)| schedule.resolve(zone).ok()) else {
            return Self::default();
        };
        let wait = directory.organisation().map(|it| TimeDelta::minutes(i64::from(it.arrival_minutes)));
        let waited = wait.and_then(|wait| instants.start.checked_add_signed(wait));
        Self { start: Some(instants.start), end: instants.end, over_at: instants.end.or(waited) }
    }
}

/// What is to be written to the search at the end of a transaction.
///
/// FTS5 keeps new rows in memory until it has a megabyte of them, but writes them out at once when a row comes that is
/// not behind the last one, and when a statement with a trigger opens a savepoint. Ten thousand visits written one by one
/// made ten thousand little indexes, and merging them cost more than all the rest; so the lists are written first, and
/// then the search in the order of its rows.
#[derive(Debug, Default)]
pub(super) struct SearchRows {
    gone: BTreeSet<i64>,
    come: BTreeMap<i64, [String; 4]>,
}

impl SearchRows {
    /// The row at that place goes: it is not written at all if it came in this transaction.
    fn remove(&mut self, place: i64) {
        if self.come.remove(&place).is_none() {
            self.gone.insert(place);
        }
    }

    /// Writes them.
    pub(super) fn write(self, tx: &Tx<'_>) -> Result<(), StoreError> {
        for place in self.gone {
            tx.execute("DELETE FROM visit_search WHERE rowid = ?1", [place])?;
        }
        for (place, [name, company, email, host]) in self.come {
            tx.execute(
                "INSERT INTO visit_search (rowid, name, company, email, host) VALUES (?1, ?2, ?3, ?4, ?5)",
                (place, name, company, email, host),
            )?;
        }
        Ok(())
    }
}

/// Takes a visit out of the lists and the search.
pub(super) fn remove(tx: &Tx<'_>, visit: VisitId, search: &mut SearchRows) -> Result<(), StoreError> {
    if let Some(place) = place_of(tx, visit)? {
        search.remove(place);
        tx.execute("DELETE FROM visit WHERE id = ?1", [visit.as_bytes()])?;
    }
    Ok(())
}

fn place_of(tx: &Tx<'_>, visit: VisitId) -> Result<Option<i64>, StoreError> {
    one(tx, "SELECT place FROM visit WHERE id = ?1", [visit.as_bytes()], |row| row.get(0))
}

/// The first free row of `visit_search` in the minute of `sort_at`.
fn free_place(tx: &Tx<'_>, sort_at: i64) -> Result<i64, StoreError> {
    let first = sort_at.div_euclid(60) * PLACES;
    let last: Option<i64> =
        one(tx, "SELECT max(place) FROM visit WHERE place BETWEEN ?1 AND ?2", (first, first + PLACES - 1), |row| {
            row.get(0)
        })?
        .flatten();
    Ok(last.map_or(first, |last| last + 1))
}

/// Writes the row and the search row of a visit; takes them out if nothing is left of it.
pub(super) fn project(tx: &Tx<'_>, working: &Working, directory: &Directory) -> Result<(), StoreError> {
    let mut search = SearchRows::default();
    project_into(tx, working, directory, &mut search)?;
    search.write(tx)
}

/// Writes the row of a visit, and leaves its search row to the end of the transaction.
pub(super) fn project_into(
    tx: &Tx<'_>,
    working: &Working,
    directory: &Directory,
    search: &mut SearchRows,
) -> Result<(), StoreError> {
    match Row::of(working, directory) {
        Some(row) => write_row(tx, row, search),
        None => remove(tx, working.id, search),
    }
}

/// What the lists and the search show of a visit. It needs nothing of the file, so that it can be made ahead of the
/// writing ([`super::ahead`]).
pub(super) struct Row {
    visit: VisitId,
    /// There was no row of it before.
    fresh: bool,
    sort_at: i64,
    times: Times,
    status: Status,
    queued: bool,
    conflict: bool,
    problem: Option<String>,
    mail: Option<String>,
    number: Option<i64>,
    schedule: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    company: Option<String>,
    email: Option<String>,
    site: Option<SiteId>,
    space: Option<SpaceId>,
    visitor_type: Option<TypeId>,
    host: Option<MemberId>,
    host_name: Option<String>,
    /// Name, company, e-mail address and host as the search reads them.
    words: [String; 4],
}

impl Row {
    /// That of a visit; none if nothing is left of it.
    pub(super) fn of(working: &Working, directory: &Directory) -> Option<Self> {
        if working.current().is_empty() && working.drafted().is_empty() {
            return None;
        }
        let values = values(working);
        let times = Times::of(values.schedule, zone(&values, directory), directory);
        let host = values.host.as_ref().and_then(|host| directory.member(host));
        let words = [
            index_words(&values.display_name()),
            index_words(values.company.as_deref().unwrap_or_default()),
            index_words(values.email.as_deref().unwrap_or_default()),
            index_words(host.map_or("", |host| host.name.as_str())),
        ];
        Some(Self {
            visit: working.id,
            fresh: working.fresh,
            problem: problem(working, &times),
            mail: working.standing.mail.as_ref().map(ToString::to_string),
            sort_at: times.start.map_or_else(|| made_at(working.id), |start| start.timestamp()),
            times,
            status: status_of(working, &values),
            queued: operations(working).queued,
            conflict: working.outbox.iter().any(|entry| entry.state == OperationState::Conflict),
            number: i64::try_from(working.standing.number).ok().filter(|&number| number != 0),
            schedule: values.text(Key::Schedule),
            host_name: host.map(|host| host.name.clone()),
            first_name: values.first_name,
            last_name: values.last_name,
            company: values.company,
            email: values.email,
            site: values.site,
            space: values.space,
            visitor_type: values.visitor_type,
            host: values.host,
            words,
        })
    }
}

/// Writes a visit's row, and leaves its search row to the end of the transaction.
pub(super) fn write_row(tx: &Tx<'_>, row: Row, search: &mut SearchRows) -> Result<(), StoreError> {
    let held = if row.fresh { None } else { place_of(tx, row.visit)? };
    let place = match held {
        Some(place) if place.div_euclid(PLACES) == row.sort_at.div_euclid(60) => place,
        _ => free_place(tx, row.sort_at)?,
    };
    // OR FAIL: the whole transaction is rolled back after any error, so no statement needs a journal of its own, which one
    // with a trigger would write otherwise.
    let sql = if held.is_some() {
        "UPDATE OR FAIL visit SET place = ?2, sort_at = ?3, start_at = ?4, end_at = ?5, schedule = ?6, status = ?7, tab = ?8,
         queued = ?9, conflict = ?10, problem = ?11, attention = ?12, number = ?13, first_name = ?14, last_name = ?15,
         company = ?16, email = ?17, site = ?18, space = ?19, type = ?20, host = ?21, host_name = ?22, over_at = ?23,
         mail = ?24 WHERE id = ?1"
    } else {
        "INSERT OR FAIL INTO visit (id, place, sort_at, start_at, end_at, schedule, status, tab, queued, conflict, problem,
         attention, number, first_name, last_name, company, email, site, space, type, host, host_name, over_at,
         mail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)"
    };
    let [start, end, over_at] =
        [row.times.start, row.times.end, row.times.over_at].map(|time| time.map(|time| time.timestamp()));
    tx.execute(
        sql,
        rusqlite::params![
            row.visit.as_bytes(),
            place,
            row.sort_at,
            start,
            end,
            row.schedule,
            row.status.as_str(),
            row.status.tab().as_str(),
            row.queued,
            row.conflict,
            row.problem,
            row.conflict || row.problem.is_some(),
            row.number,
            row.first_name,
            row.last_name,
            row.company,
            row.email,
            row.site.as_ref().map(SiteId::as_str),
            row.space.as_ref().map(SpaceId::as_str),
            row.visitor_type.as_ref().map(TypeId::as_str),
            row.host.as_ref().map(MemberId::as_str),
            row.host_name,
            over_at,
            row.mail,
        ],
    )?;
    if let Some(held) = held {
        let same =
            "SELECT 1 FROM visit_search WHERE rowid = ?1 AND name = ?2 AND company = ?3 AND email = ?4 AND host = ?5";
        let [name, company, email, host] = &row.words;
        if held == place && one(tx, same, (place, name, company, email, host), |_| Ok(()))?.is_some() {
            return Ok(());
        }
        search.remove(held);
    }
    search.come.insert(place, row.words);
    Ok(())
}
