//! Taking what the hub answered: receipts, then pages, each in a transaction of its own together with the cursor and
//! the read model, so that a process killed between two pages goes on where it stopped.
//!
//! Signatures, chains and cursors were checked before ([`crate::sync::machine`]); what a row says is checked here. What
//! cannot be taken is kept in quarantine and changes nothing; what is not understood is kept, and the rest is taken
//! ([`super::trouble`]).

use minicbor::{Decode, Encode};
use rusqlite::Connection;

use super::StoreError;
use super::apart::set_aside;
use super::batch::Batch;
use super::purge::{self, drop_notes, leave};
use super::trouble::{TroubleKind, is_erased, keep, quarantine};
use super::tx::{Tx, all, one};
use super::working::Working;
use super::{outbox, receipts};
use crate::cbor;
use crate::decision::{Decision, Entry as LogEntry, Fact, LoggedDecision};
use crate::directory::{Directory, DirectoryRow};
use crate::document::{ParsedChange, Replica};
use crate::feed::{ChangeRow, NoteRow, Proof, Row, RowKind, Scope, ScopeHead, SnapshotRow};
use crate::id::{ChainHash, ChangeHash, HubEpoch, MemberId, VisitId};
use crate::keys::SignedKeySet;
use crate::receipt::{Receipt, Receipts};

/// The rows of a page that extends what the phone holds, and the head after it.
#[derive(Debug, Clone)]
pub struct OpenedPage {
    /// The head before the page.
    pub previous: ChainHash,
    /// Scope, last index and head after the page.
    pub head: ScopeHead,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A verified answer of the hub.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The life of the hub's database.
    pub epoch: HubEpoch,
    /// The hub's time, Unix seconds.
    pub hub_time: i64,
    /// The hub is not certain of it.
    pub clock_in_doubt: bool,
    /// A newer key set.
    pub key_set: Option<SignedKeySet>,
    /// The counters of the envelopes that were pushed.
    pub sent: Vec<u64>,
    /// The hub's word on their items.
    pub receipts: Option<Receipts>,
    /// The scopes this phone may hold, if they have changed.
    pub scopes: Option<Vec<Scope>>,
    /// The pages, in order.
    pub pages: Vec<OpenedPage>,
    /// Nothing is left to pull: stale intents are replayed.
    pub complete: bool,
    /// What is held is not what the hub has: begin every scope again.
    pub restart: bool,
    /// The statement, with the heads it is about, if nothing is left to pull.
    pub proof: Option<Proof>,
}

/// What a delivery did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// Items that were answered for good.
    pub answered: u64,
    /// Rows taken.
    pub rows: u64,
    /// Visits whose intents were written again.
    pub replayed: u64,
    /// Envelopes still to be sent or answered.
    pub waiting: u64,
}

/// Takes the rows of one page; false if the phone does not stand where it was when it asked for the page, because another
/// process of this phone has synced meanwhile. The page is then of no use, and the next round asks anew.
pub(super) fn page(tx: &Tx<'_>, batch: &mut Batch<'_>, page: &OpenedPage) -> Result<bool, StoreError> {
    let scope = cursor_key(tx, &page.head.scope)?;
    let first = page.head.index.saturating_sub(page.rows.len() as u64);
    let stands = one(tx, "SELECT idx, head FROM cursor WHERE key = ?1", [scope], |row| {
        Ok((row.get::<_, i64>(0)?, ChainHash(row.get(1)?)))
    })?;
    if stands != Some((i64::try_from(first).unwrap_or(i64::MAX), page.previous)) {
        return Ok(false);
    }
    for row in &page.rows {
        if !batch.careful {
            self::row(tx, batch, scope, row)?;
        } else if let Err(code) = tx.apart(|| self::row(tx, batch, scope, row))? {
            row.visit().into_iter().for_each(|visit| batch.forget(visit));
            set_aside(tx, row.visit(), code, &row.to_bytes(), batch.now)?;
        }
    }
    tx.execute(
        "UPDATE cursor SET idx = ?2, head = ?3 WHERE key = ?1",
        (scope, i64::try_from(page.head.index).unwrap_or(i64::MAX), page.head.head.as_bytes()),
    )?;
    Ok(true)
}

/// The key of a scope, which from now on the phone holds.
pub(super) fn cursor_key(tx: &Tx<'_>, scope: &Scope) -> Result<i64, StoreError> {
    let text = scope.to_string();
    if let Some(key) = one(tx, "SELECT key FROM cursor WHERE scope = ?1", [&text], |row| row.get(0))? {
        return Ok(key);
    }
    tx.execute("INSERT INTO cursor (scope, idx, head) VALUES (?1, 0, zeroblob(32))", [&text])?;
    Ok(tx.last_row())
}

/// Takes one row. What this version does not understand of it is kept, what cannot be taken is put aside, and the rows
/// after it go on.
pub(super) fn row(tx: &Tx<'_>, batch: &mut Batch<'_>, scope: i64, row: &Row) -> Result<(), StoreError> {
    let kind = RowKind::from(row.kind);
    if matches!(row.scope, Scope::Later(_)) && kind != RowKind::Erase {
        return keep(tx, batch, scope, row, TroubleKind::Scope, &row.scope.to_string());
    }
    if kind == RowKind::Row {
        return directory_row(tx, batch, scope, row);
    }
    match (kind, row.visit()) {
        (RowKind::Unknown(_), _) | (_, None) => keep(tx, batch, scope, row, TroubleKind::Row, &row.kind.to_string()),
        (_, Some(visit)) => visit_row(tx, batch, scope, row, kind, visit),
    }
}

fn visit_row(
    tx: &Tx<'_>,
    batch: &mut Batch<'_>,
    scope: i64,
    row: &Row,
    kind: RowKind,
    visit: VisitId,
) -> Result<(), StoreError> {
    let now = batch.now;
    if kind == RowKind::Erase {
        batch.held = None;
        purge::erase(tx, batch.erasable(visit), now)?;
        batch.erased = true;
        return Ok(());
    }
    let holds = matches!(kind, RowKind::Enter | RowKind::Change | RowKind::Snapshot | RowKind::Decision);
    // The rows of a visit come one behind the other: what the first has found holds for the next.
    if !holds || batch.held != Some((visit, scope)) {
        if is_erased(tx, visit)? {
            return Ok(());
        }
        batch.touch(visit);
        if holds {
            tx.execute("INSERT OR IGNORE INTO holding (visit, scope) VALUES (?1, ?2)", (visit.as_bytes(), scope))?;
        }
        batch.held = holds.then_some((visit, scope));
    }
    let working = batch.working(tx, visit)?;
    let payload = row.payload.as_slice();
    let taken = match kind {
        RowKind::Change => match read_payload::<ChangeRow>(payload, "change row") {
            Ok((change, fields)) => self::change(tx, working, &change)?.map(|taken| taken.or(fields)),
            Err(code) => Err(code),
        },
        RowKind::Snapshot => match read_payload::<SnapshotRow>(payload, "snapshot row") {
            Ok((snapshot, fields)) => self::snapshot(tx, working, &snapshot)?.map(|taken| taken.or(fields)),
            Err(code) => Err(code),
        },
        RowKind::Decision => decision(tx, working, payload)?,
        RowKind::Note => match read_payload::<NoteRow>(payload, "note row") {
            Ok((note, fields)) => {
                self::note(tx, working, &note, Some(scope))?;
                Ok(fields)
            }
            Err(code) => Err(code),
        },
        RowKind::Refusal => match read_payload::<Receipt>(payload, "receipt") {
            Ok((receipt, fields)) => {
                receipts::refusal_row(tx, working, &receipt)?;
                Ok(fields)
            }
            Err(code) => Err(code),
        },
        RowKind::Leave if row.scope.is_of_notes() => {
            drop_notes(tx, visit, scope)?;
            Ok(Understood::Whole)
        }
        RowKind::Leave => {
            leave(tx, working, scope)?;
            Ok(Understood::Whole)
        }
        RowKind::Enter | RowKind::Erase | RowKind::Row | RowKind::Unknown(_) => Ok(Understood::Whole),
    };
    match taken {
        Ok(Understood::Whole) => Ok(()),
        Ok(Understood::Partly(what, detail)) => keep(tx, batch, scope, row, what, &detail),
        Err(code) => quarantine(tx, batch, scope, row, code),
    }
}

/// How much of a row that was taken this version understands.
enum Understood {
    Whole,
    Partly(TroubleKind, String),
}

impl Understood {
    /// All of a change, or all but some keys.
    fn of(change: &ParsedChange) -> Self {
        if change.later.is_empty() {
            return Self::Whole;
        }
        let keys: Vec<&str> = change.later.iter().map(|op| op.key.as_str()).collect();
        Self::Partly(TroubleKind::Keys, keys.join(" "))
    }

    /// All of a decision, or all but its fact.
    fn of_fact(fact: &Fact) -> Self {
        match fact {
            Fact::Later(number) => Self::Partly(TroubleKind::Fact, number.to_string()),
            _ => Self::Whole,
        }
    }

    /// The first of two that is not whole.
    fn or(self, other: Self) -> Self {
        match self {
            Self::Whole => other,
            partly @ Self::Partly(..) => partly,
        }
    }
}

/// How much of a row was understood; or that it cannot be taken, by a stable code.
type Taken = Result<Understood, &'static str>;

/// Reads a payload, and whether it says more than this version reads.
fn read_payload<T: Encode<()> + for<'b> Decode<'b, ()>>(
    payload: &[u8],
    kind: &'static str,
) -> Result<(T, Understood), &'static str> {
    let value: T = cbor::read(payload, kind).map_err(|_| "garbage")?;
    let whole = cbor::write(&value).len() == payload.len();
    Ok((value, if whole { Understood::Whole } else { Understood::Partly(TroubleKind::Fields, kind.to_owned()) }))
}

fn change(tx: &Tx<'_>, working: &mut Working, row: &ChangeRow) -> Result<Taken, StoreError> {
    if working.accepted.contains(&row.hash) {
        sign_off(tx, working, row)?;
        let later = working.accepted.is_later(&row.hash);
        return Ok(if later { read(row).map(|change| Understood::of(&change)) } else { Ok(Understood::Whole) });
    }
    let change = match read(row) {
        Ok(change) => change,
        Err(code) => return Ok(Err(code)),
    };
    let understood = Understood::of(&change);
    if let Err(refusal) = working.accepted.accept(change) {
        // On a later base the changes of an earlier one have no place, and are in another scope's past.
        return Ok(if working.base > 0 { Ok(Understood::Whole) } else { Err(refusal.code()) });
    }
    keep_change(tx, working, row)?;
    settle_own(tx, working)?;
    Ok(Ok(understood))
}

fn read(row: &ChangeRow) -> Result<ParsedChange, &'static str> {
    let change = ParsedChange::read(&row.chunk).map_err(crate::document::Refusal::code)?;
    if change.hash == row.hash { Ok(change) } else { Err("other_hash") }
}

/// Stores an accepted change, or notes that an own one was accepted.
fn keep_change(tx: &Tx<'_>, working: &mut Working, row: &ChangeRow) -> Result<(), StoreError> {
    // Of a visit with no change stored there is none to be moved or signed off.
    if working.place > 0 {
        stand_behind_accepted(tx, working, &row.hash)?;
        if sign_off(tx, working, row)? {
            return Ok(());
        }
    }
    let place = working.next_place();
    tx.execute(
        "INSERT INTO chunk (visit, place, hash, kind, status, bytes, author, on_behalf_of, accepted_at)
         VALUES (?1, ?2, ?3, 'change', 'accepted', ?4, ?5, ?6, ?7)",
        (
            working.id.as_bytes(),
            place,
            row.hash.as_bytes(),
            row.chunk.as_slice(),
            row.author.as_str(),
            row.on_behalf_of.as_ref().map(MemberId::as_str),
            row.accepted_at,
        ),
    )?;
    Ok(())
}

/// Gives an own change that is accepted now its place behind what is accepted already: it may build on changes that were
/// received anew after it was written, and a document is read in the order of places.
pub(super) fn stand_behind_accepted(tx: &Tx<'_>, working: &mut Working, hash: &ChangeHash) -> Result<(), StoreError> {
    let moved = tx.execute(
        "UPDATE chunk SET place = ?3 WHERE visit = ?1 AND hash = ?2
         AND place < (SELECT max(place) FROM chunk WHERE visit = ?1 AND status = 'accepted')",
        (working.id.as_bytes(), hash.as_bytes(), working.place + 1),
    )?;
    if moved > 0 {
        working.next_place();
    }
    Ok(())
}

/// Notes author and time of a change that is here; true if it is. Its entry of the outbox is answered by this.
fn sign_off(tx: &Tx<'_>, working: &mut Working, row: &ChangeRow) -> Result<bool, StoreError> {
    let here = tx.execute(
        "UPDATE chunk SET status = 'accepted', author = ?3, on_behalf_of = ?4, accepted_at = ?5
         WHERE visit = ?1 AND hash = ?2",
        (
            working.id.as_bytes(),
            row.hash.as_bytes(),
            row.author.as_str(),
            row.on_behalf_of.as_ref().map(MemberId::as_str),
            row.accepted_at,
        ),
    )?;
    if let Some(entry) = working.entry_of(&row.hash).map(|entry| entry.id) {
        outbox::drop_entry(tx, working, entry)?;
    }
    Ok(here > 0)
}

/// Puts own changes on top of an accepted document that has moved on.
pub(super) fn settle_own(tx: &Tx<'_>, working: &mut Working) -> Result<(), StoreError> {
    if working.current.is_none() {
        return Ok(());
    }
    let own = all(
        tx,
        "SELECT bytes FROM chunk WHERE visit = ?1 AND status = 'local' ORDER BY place",
        [working.id.as_bytes()],
        |row| row.get::<_, Vec<u8>>(0),
    )?;
    let own = own.iter().map(|bytes| ParsedChange::read(bytes)).collect::<Result<_, _>>()?;
    working.rebuild(own);
    Ok(())
}

/// A fresh base: the accepted changes before it go, own ones are put on top or replayed.
fn snapshot(tx: &Tx<'_>, working: &mut Working, row: &SnapshotRow) -> Result<Taken, StoreError> {
    if row.base < working.base {
        return Ok(Ok(Understood::Whole));
    }
    let mut replica = Replica::empty(working.id);
    let mut understood = Understood::Whole;
    for change in &row.changes {
        let taken = read(change).and_then(|change| {
            let part = Understood::of(&change);
            replica.accept(change).map(|()| part).map_err(crate::document::Refusal::code)
        });
        match taken {
            Ok(part) => understood = understood.or(part),
            Err(code) => return Ok(Err(code)),
        }
    }
    if row.base == working.base && working.accepted.changes().any(|(hash, _)| !replica.contains(hash)) {
        // More is held of this base already.
        for change in &row.changes {
            if let Err(code) = self::change(tx, working, change)? {
                return Ok(Err(code));
            }
        }
        return Ok(Ok(understood));
    }
    purge::drop_accepted(tx, working.id)?;
    working.accepted = replica;
    working.base = row.base;
    for change in &row.changes {
        keep_change(tx, working, change)?;
    }
    settle_own(tx, working)?;
    Ok(Ok(understood))
}

fn decision(tx: &Tx<'_>, working: &mut Working, payload: &[u8]) -> Result<Taken, StoreError> {
    let Ok(logged) = cbor::read::<LoggedDecision>(payload, "decision") else { return Ok(Err("garbage")) };
    let Ok(entry) = cbor::read::<LogEntry>(&logged.entry, "log entry") else { return Ok(Err("garbage")) };
    if entry.visit != working.id {
        return Ok(Err("other_visit"));
    }
    if entry.number <= working.log.0 {
        // Another scope brought it before.
        let decision = cbor::read::<Decision>(&logged.payload, "decision");
        return Ok(Ok(decision.map_or(Understood::Whole, |decision| Understood::of_fact(&decision.fact))));
    }
    let Ok((entry, decision)) = logged.open(working.log.0, &working.log.1) else { return Ok(Err("log_chain")) };
    working.log = (entry.number, logged.hash());
    working.standing.fold(&decision.fact);
    tx.execute(
        "INSERT INTO decision (visit, number, logged) VALUES (?1, ?2, ?3)",
        (working.id.as_bytes(), i64::try_from(entry.number).unwrap_or(i64::MAX), payload),
    )?;
    Ok(Ok(Understood::of_fact(&decision.fact)))
}

/// Stores a note the hub has taken; `scope` is where it came from, none for the receipt of an own one.
pub(super) fn note(tx: &Tx<'_>, working: &mut Working, note: &NoteRow, scope: Option<i64>) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO note (visit, id, author, accepted_at, text) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (visit, id) DO UPDATE SET author = excluded.author, accepted_at = excluded.accepted_at,
         text = excluded.text",
        (working.id.as_bytes(), note.id.as_bytes(), note.author.as_str(), note.accepted_at, &note.text),
    )?;
    if let Some(scope) = scope {
        tx.execute(
            "INSERT OR IGNORE INTO note_holding (visit, scope, id) VALUES (?1, ?2, ?3)",
            (working.id.as_bytes(), scope, note.id.as_bytes()),
        )?;
    }
    let entry = working.outbox.iter().find(|entry| entry.item == note.id.as_bytes()).map(|entry| entry.id);
    if let Some(entry) = entry {
        outbox::drop_entry(tx, working, entry)?;
    }
    Ok(())
}

fn directory_row(tx: &Tx<'_>, batch: &mut Batch<'_>, scope: i64, row: &Row) -> Result<(), StoreError> {
    let directory = match DirectoryRow::read(&row.payload) {
        Ok(Some(directory)) => directory,
        Ok(None) => {
            let kind = DirectoryRow::kind_of(&row.payload).map_or_else(String::new, |kind| kind.to_string());
            return keep(tx, batch, scope, row, TroubleKind::Directory, &kind);
        }
        Err(_) => return quarantine(tx, batch, scope, row, "garbage"),
    };
    let wrote = tx.execute(
        "INSERT INTO row (kind, id, version, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, bytes = excluded.bytes
         WHERE excluded.version > row.version",
        (
            directory.kind().tag(),
            directory.id(),
            i64::try_from(directory.version()).unwrap_or(i64::MAX),
            row.payload.as_slice(),
        ),
    )?;
    batch.directory_changed |= wrote > 0;
    Ok(())
}

/// The directory as its rows say.
pub(super) fn directory(connection: &Connection) -> Result<Directory, StoreError> {
    let mut directory = Directory::default();
    for bytes in all(connection, "SELECT bytes FROM row", [], |row| row.get::<_, Vec<u8>>(0))? {
        if let Ok(Some(row)) = DirectoryRow::read(&bytes) {
            directory.apply(row);
        }
    }
    Ok(directory)
}

/// Whether a page may change the directory, so that it is read again before the read model is written.
pub(super) fn has_directory_rows(page: &OpenedPage) -> bool {
    page.rows.iter().any(|row| RowKind::from(row.kind) == RowKind::Row)
}
