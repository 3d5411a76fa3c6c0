//! Reads: lists and search from the read model alone; one visit, and its history, from its own rows.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::project::{Times, problem, status_of, values, zone};
use super::tx::{all, one};
use super::view::{
    HistoryEntry, HistoryFact, ListFilter, NoteView, OperationView, Page, PageCursor, TabCounts, VisitSummary,
    VisitView, Windows,
};
use super::working::{Entry, Payload, Working};
use super::{Store, StoreError, meta};
use crate::cbor;
use crate::decision::LoggedDecision;
use crate::directory::Directory;
use crate::document::{ParsedChange, Write};
use crate::envelope::{Ask, Request};
use crate::id::{ChainHash, MemberId, SiteId, VisitId};
use crate::receipt::Refusal;
use crate::text::search_expression;
use crate::visit::{Tab, full_name};

/// The most rows of one page.
pub const MAX_PAGE: usize = 1_000;

const COLUMNS: &str = "id, sort_at, number, first_name, last_name, company, email, site, host, host_name, schedule, \
                       start_at, end_at, status, queued, conflict, problem, over_at, mail";

impl Store {
    /// A page of a list, ordered by start, then id; a visit without a time stands at the time it was made. Pages stay
    /// stable: what is added or taken away between two of them neither repeats nor hides another visit. A visit whose
    /// time has passed at `now` is in the past, whether the hub has said so already or not.
    pub fn list(
        &self,
        filter: ListFilter,
        size: usize,
        after: Option<PageCursor>,
        now: DateTime<Utc>,
    ) -> Result<Page<VisitSummary>, StoreError> {
        let connection = self.reader();
        // One state of the file for the lists that are read in parts.
        let snapshot = connection.unchecked_transaction()?;
        page(&snapshot, filter, size.clamp(1, MAX_PAGE), after, now)
    }

    /// The beginnings of several lists, each with its greatest length, in one state of the file.
    pub fn windows(&self, wanted: &[(ListFilter, usize)], now: DateTime<Utc>) -> Result<Windows, StoreError> {
        let connection = self.reader();
        let snapshot = connection.unchecked_transaction()?;
        let windows = wanted.iter().map(|&(filter, size)| page(&snapshot, filter, size, None, now));
        Ok(Windows {
            windows: windows.collect::<Result<_, _>>()?,
            counts: counts(&snapshot, now)?,
            next_end: next_end(&snapshot, now)?,
        })
    }

    /// How many visits each list holds at `now`.
    pub fn counts(&self, now: DateTime<Utc>) -> Result<TabCounts, StoreError> {
        let connection = self.reader();
        let snapshot = connection.unchecked_transaction()?;
        counts(&snapshot, now)
    }

    /// The visits whose name, company, e-mail address or host has words that begin with those of `text`, latest start
    /// first. Case, accents and width do not count; a name without spaces is found by any part of it. Nothing to search for
    /// finds nothing.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<VisitSummary>, StoreError> {
        let Some(expression) = search_expression(text) else { return Ok(Vec::new()) };
        let connection = self.reader();
        let limit = i64::try_from(limit.clamp(1, MAX_PAGE)).unwrap_or(i64::MAX);
        let places: Vec<i64> = all(
            &connection,
            "SELECT rowid FROM visit_search WHERE visit_search MATCH ?1 ORDER BY rowid DESC LIMIT ?2",
            (expression, limit),
            |row| row.get(0),
        )?;
        let mut found = Vec::with_capacity(places.len());
        let select = format!("SELECT {COLUMNS} FROM visit WHERE place = ?1");
        for place in places {
            found.push(one(&connection, &select, [place], summary)?.ok_or(StoreError::Damaged("visit_search"))??.1);
        }
        Ok(found)
    }

    /// Everything about one visit.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Erased`].
    pub fn show(&self, visit: VisitId) -> Result<VisitView, StoreError> {
        let directory = self.directory()?;
        let connection = self.reader();
        let snapshot = connection.unchecked_transaction()?;
        let working = found(&snapshot, visit)?;
        let values = values(&working);
        let status = status_of(&working, &values);
        let zone = zone(&values, &directory);
        let times = Times::of(values.schedule, zone, &directory);
        Ok(VisitView {
            id: visit,
            number: Some(working.standing.number).filter(|&number| number != 0),
            status,
            queued: working.outbox.iter().any(|entry| entry.state.waits()),
            zone: zone.cloned(),
            start: times.start,
            end: times.end,
            over_at: times.over_at,
            host_name: values.host.as_ref().and_then(|host| name_of(&directory, host)),
            site_name: values.site.as_ref().and_then(|site| directory.site(site)).map(|site| site.name.clone()),
            creator: working.standing.creator.clone(),
            approval: working.standing.approval.clone(),
            credential: working.standing.credential,
            guest_told: working.standing.guest_told,
            mail: working.standing.mail.clone(),
            problem: problem(&working, &times),
            undone: working.standing.undone.clone().into_iter().collect(),
            notes: notes(&snapshot, &working, &directory)?,
            operations: working.outbox.iter().map(operation).collect::<Result<_, _>>()?,
            values,
        })
    }

    /// What happened to a visit, oldest first: accepted changes and the hub's decisions with author and time as the hub
    /// saw them, then what it has not taken yet.
    pub fn history(&self, visit: VisitId) -> Result<Vec<HistoryEntry>, StoreError> {
        let directory = self.directory()?;
        let connection = self.reader();
        let snapshot = connection.unchecked_transaction()?;
        found(&snapshot, visit)?;
        let chunks = all(
            &snapshot,
            "SELECT bytes, author, on_behalf_of, accepted_at, status FROM chunk
             WHERE visit = ?1 AND status IN ('accepted', 'local') ORDER BY place",
            [visit.as_bytes()],
            |row| {
                let member = |column| row.get::<_, Option<String>>(column);
                Ok((row.get::<_, Vec<u8>>(0)?, member(1)?, member(2)?, row.get::<_, Option<i64>>(3)?))
            },
        )?;
        let mut history = Vec::new();
        for (bytes, author, on_behalf_of, at) in chunks {
            let keys = ParsedChange::read(&bytes)?.ops.iter().map(|op| op.key).collect();
            let author: Option<MemberId> = author.map(|id| id.parse()).transpose()?;
            history.push(HistoryEntry {
                at: at.map(instant).transpose()?,
                author_name: author.as_ref().and_then(|author| name_of(&directory, author)),
                author,
                on_behalf_of: on_behalf_of.map(|id| id.parse()).transpose()?,
                fact: HistoryFact::Changed(keys),
            });
        }
        let logged = all(
            &snapshot,
            "SELECT logged FROM decision WHERE visit = ?1 ORDER BY number",
            [visit.as_bytes()],
            |row| row.get::<_, Vec<u8>>(0),
        )?;
        let mut last = (0, ChainHash::ORIGIN);
        for bytes in logged {
            let logged: LoggedDecision = cbor::read(&bytes, "decision")?;
            let (entry, decision) = logged.open(last.0, &last.1).map_err(|_| StoreError::Damaged("decision"))?;
            last = (entry.number, logged.hash());
            history.push(HistoryEntry {
                at: Some(instant(entry.at)?),
                author_name: decision.by.as_ref().and_then(|author| name_of(&directory, author)),
                author: decision.by,
                on_behalf_of: None,
                fact: HistoryFact::Decided(decision.fact),
            });
        }
        // Stable, so that changes and decisions of one second keep their own orders; what has no time comes last.
        history.sort_by_key(|entry| (entry.at.is_none(), entry.at));
        Ok(history)
    }
}

fn page(
    connection: &Connection,
    filter: ListFilter,
    size: usize,
    after: Option<PageCursor>,
    now: DateTime<Utc>,
) -> Result<Page<VisitSummary>, StoreError> {
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let (sort_at, id) = after.map_or((i64::MIN, Vec::new()), |after| (after.sort_at, after.id.as_bytes().to_vec()));
    let now = now.timestamp();
    let select = |filter: &str| {
        format!("SELECT {COLUMNS} FROM visit WHERE {filter} (sort_at, id) > (?1, ?2) ORDER BY sort_at, id LIMIT ?3")
    };
    let from = (sort_at, &id, limit);
    let found = match filter {
        ListFilter::All => all(connection, &select(""), from, summary),
        ListFilter::Attention => all(connection, &select("attention = 1 AND"), from, summary),
        ListFilter::Tab(tab @ (Tab::Pending | Tab::Upcoming)) => {
            let open = select("tab = ?4 AND (over_at IS NULL OR over_at > ?5) AND");
            all(connection, &open, (sort_at, &id, limit, tab.as_str(), now), summary)
        }
        ListFilter::Tab(Tab::Past) => {
            let past = (sort_at, &id, limit, Tab::Past.as_str());
            let mut found = all(connection, &select("tab = ?4 AND"), past, summary)?;
            // Nothing is over before it has begun: the rest of the list is not looked at.
            let over = select("tab = ?4 AND over_at <= ?5 AND sort_at <= ?5 AND");
            for tab in [Tab::Pending, Tab::Upcoming] {
                found.extend(all(connection, &over, (sort_at, &id, limit, tab.as_str(), now), summary)?);
            }
            Ok(found)
        }
        ListFilter::Tab(tab) => all(connection, &select("tab = ?4 AND"), (sort_at, &id, limit, tab.as_str()), summary),
    }?;
    let mut items = found.into_iter().collect::<Result<Vec<_>, StoreError>>()?;
    items.sort_by_key(|(cursor, _)| *cursor);
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|(cursor, _)| *cursor);
    Ok(Page { items: items.into_iter().map(|(_, summary)| summary).collect(), next })
}

fn counts(connection: &Connection, now: DateTime<Utc>) -> Result<TabCounts, StoreError> {
    let mut counts = TabCounts::default();
    let rows = all(connection, "SELECT tab, visits FROM tab_count", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    for (tab, visits) in rows {
        let count = match tab.as_str() {
            "queued" => &mut counts.queued,
            "pending" => &mut counts.pending,
            "upcoming" => &mut counts.upcoming,
            "on_site" => &mut counts.on_site,
            "past" => &mut counts.past,
            "attention" => &mut counts.attention,
            _ => continue,
        };
        *count = u64::try_from(visits).map_err(|_| StoreError::Damaged("tab_count"))?;
    }
    for (tab, count) in [(Tab::Pending, &mut counts.pending), (Tab::Upcoming, &mut counts.upcoming)] {
        let sql = "SELECT count(*) FROM visit WHERE tab = ?1 AND over_at <= ?2";
        let over = one(connection, sql, (tab.as_str(), now.timestamp()), |row| row.get::<_, i64>(0))?;
        let over = over.and_then(|over| u64::try_from(over).ok()).unwrap_or_default();
        *count = count.saturating_sub(over);
        counts.past += over;
    }
    Ok(counts)
}

/// When the next visit leaves its list because it is over.
fn next_end(connection: &Connection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT min(over_at) FROM visit WHERE tab = ?1 AND over_at > ?2";
    let mut ends = Vec::new();
    for tab in [Tab::Pending, Tab::Upcoming] {
        ends.extend(
            one(connection, sql, (tab.as_str(), now.timestamp()), |row| row.get::<_, Option<i64>>(0))?.flatten(),
        );
    }
    ends.into_iter().min().map(instant).transpose()
}

/// The visit, if anything is known of it.
fn found(connection: &Connection, visit: VisitId) -> Result<Working, StoreError> {
    if one(connection, "SELECT 1 FROM tombstone WHERE visit = ?1", [visit.as_bytes()], |_| Ok(()))?.is_some() {
        return Err(StoreError::Erased);
    }
    let working = Working::load(connection, visit)?;
    if working.current().is_empty() && working.drafted().is_empty() { Err(StoreError::NotFound) } else { Ok(working) }
}

fn name_of(directory: &Directory, member: &MemberId) -> Option<String> {
    directory.member(member).map(|member| member.name.clone())
}

fn instant(seconds: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp(seconds, 0).ok_or(StoreError::Damaged("times"))
}

fn notes(connection: &Connection, working: &Working, directory: &Directory) -> Result<Vec<NoteView>, StoreError> {
    let rows = all(
        connection,
        "SELECT author, accepted_at, text FROM note WHERE visit = ?1 ORDER BY accepted_at, id",
        [working.id.as_bytes()],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?)),
    )?;
    let mut notes = Vec::with_capacity(rows.len());
    for (author, at, text) in rows {
        let author: MemberId = author.parse()?;
        let author_name = name_of(directory, &author);
        notes.push(NoteView { author_name, author, at: instant(at)?, text, queued: false });
    }
    for entry in working.outbox.iter().filter(|entry| entry.state.waits()) {
        if let Payload::Request(request) = &entry.payload
            && let Ask::Note(text) = &request.ask
        {
            let author = meta::identity(connection)?.member;
            let author_name = name_of(directory, &author);
            notes.push(NoteView { author_name, author, at: instant(entry.made_at)?, text: text.clone(), queued: true });
        }
    }
    Ok(notes)
}

fn operation(entry: &Entry) -> Result<OperationView, StoreError> {
    let text = match &entry.payload {
        Payload::Request(Request { ask: Ask::Note(text), .. }) => Some(text.clone()),
        Payload::Request(Request { ask: Ask::Reject { reason, .. }, .. }) => reason.clone(),
        _ => None,
    };
    let (ask, wants) = match &entry.payload {
        Payload::Request(request) => (Some(request.ask.kind()), Vec::new()),
        Payload::Change(intent) => {
            let text = |Write { key, value }: Write| (key, value.map(|v| v.as_text().unwrap_or("true").to_owned()));
            (None, intent.writes().map(text).collect())
        }
    };
    let reason = entry.code.clone().map(|code| Refusal {
        code,
        message: entry.message.clone().unwrap_or_default(),
        field: entry.field.clone(),
    });
    let made_at = instant(entry.made_at)?;
    Ok(OperationView { id: entry.id, kind: entry.kind, ask, text, wants, state: entry.state, reason, made_at })
}

fn summary(row: &Row<'_>) -> rusqlite::Result<Result<(PageCursor, VisitSummary), StoreError>> {
    let id = VisitId::from_bytes(row.get(0)?);
    let sort_at = row.get(1)?;
    let number = row.get::<_, Option<i64>>(2)?;
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|at| at.map(instant).transpose());
    let own = |column: usize| Ok::<_, rusqlite::Error>(text(column)?.map(str::to_owned));
    let name = full_name(text(3)?, text(4)?);
    let (site, host) = (own(7)?, own(8)?);
    let schedule = text(10)?.and_then(|text| text.parse().ok());
    let (start, end, over_at) = (time(11)?, time(12)?, time(17)?);
    let status = text(13)?.unwrap_or_default().parse().map_err(|_| StoreError::Damaged("visit"));
    let (company, email, host_name, problem) = (own(5)?, own(6)?, own(9)?, own(16)?);
    let (queued, conflict) = (row.get(14)?, row.get(15)?);
    let mail = text(18)?.map(str::parse).transpose().map_err(|_| StoreError::Damaged("visit"));
    Ok((|| {
        Ok((
            PageCursor { sort_at, id },
            VisitSummary {
                id,
                number: number.and_then(|number| u64::try_from(number).ok()),
                name,
                company,
                email,
                site: site.map(SiteId::new).transpose()?,
                host: host.map(MemberId::new).transpose()?,
                host_name,
                schedule,
                start: start?,
                end: end?,
                over_at: over_at?,
                status: status?,
                queued,
                conflict,
                problem,
                mail: mail?,
            },
        ))
    })())
}
