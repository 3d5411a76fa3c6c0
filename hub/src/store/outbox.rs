//! SQL of the mail outbox.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Params, Row, Transaction, params};
use vestibule_core::id::{MemberId, OrganisationId, VisitId};

use super::StoreError;

/// Names a recipient, or a recipient's domain, without the address.
pub type RecipientKey = [u8; 32];

/// A row to be added.
pub struct NewMail<'a> {
    /// Random; the `Message-ID` and the seal's associated data.
    pub id: [u8; 16],
    /// The organisation that sends.
    pub organisation: &'a OrganisationId,
    /// The visit it is about.
    pub visit: VisitId,
    /// The delivery it belongs to, if it goes to a guest.
    pub delivery: Option<[u8; 16]>,
    /// What it says, for the operator: `invitation`, `pending`, ….
    pub kind: &'static str,
    /// Whose quota it counts in.
    pub host: Option<&'a MemberId>,
    /// Names the recipient.
    pub recipient: RecipientKey,
    /// Names the recipient's domain.
    pub domain: RecipientKey,
    /// Nonce and sealed bytes.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub now: DateTime<Utc>,
    /// Its place in the quotas: when it may go out at the earliest.
    pub slot: DateTime<Utc>,
}

/// A row claimed for sending.
#[derive(Debug, Clone)]
pub struct ClaimedMail {
    /// Its place in the outbox.
    pub number: i64,
    /// Random.
    pub id: [u8; 16],
    /// The visit it is about.
    pub visit: VisitId,
    /// The delivery it belongs to, if it goes to a guest.
    pub delivery: Option<[u8; 16]>,
    /// What it says.
    pub kind: String,
    /// Names the recipient's domain.
    pub domain: RecipientKey,
    /// Nonce and sealed bytes.
    pub sealed: Vec<u8>,
    /// How often it was tried before.
    pub attempts: u32,
    /// How often that failed for a reason of its own.
    pub deferrals: u32,
    /// Whether a server may have it already.
    pub uncertain: bool,
    /// Whether the visit's log says that it is late.
    pub reported_late: bool,
    /// When it was to go out.
    pub slot: i64,
}

/// What a person is told of a mail in the outbox.
#[derive(Debug, Clone)]
pub struct ListedMail {
    /// Random.
    pub id: [u8; 16],
    /// The visit it is about.
    pub visit: VisitId,
    /// That visit's number.
    pub visit_number: Option<u32>,
    /// What it says.
    pub kind: String,
    /// `waiting`, `held`, `sending`, `sent`, `failed`, `withdrawn`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_at: Option<i64>,
    /// Why the last attempt failed.
    pub error_class: Option<String>,
    /// The mail server's answer, where it gave one.
    pub error_code: Option<u16>,
    /// When it was made.
    pub created_at: i64,
    /// Nonce and sealed bytes, until it has ended.
    pub sealed: Option<Vec<u8>>,
}

/// What an attempt that failed leaves.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The kind of trouble.
    pub class: &'a str,
    /// The mail server's answer.
    pub code: Option<u16>,
    /// The server may have it nevertheless.
    pub uncertain: bool,
    /// It failed for a reason of the mail's own.
    pub is_own: bool,
    /// The visit's log says now that it is late.
    pub reported_late: bool,
}

/// What a delivery's mails that were taken back had been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Withdrawn {
    /// How many of them certainly reached no server.
    pub unseen: u32,
    /// When the first of those that were never tried was to go out.
    pub due: Option<i64>,
}

/// Adds a mail to the outbox.
pub fn insert(tx: &Transaction<'_>, mail: &NewMail<'_>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO outbox (id, organisation, visit, delivery, kind, host, recipient_key, domain_key, state, sealed,
         slot_at, next_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', ?9, ?10, ?10, ?11)",
    )?
    .execute(params![
        mail.id,
        mail.organisation.as_str(),
        mail.visit.as_bytes(),
        mail.delivery,
        mail.kind,
        mail.host.map(MemberId::as_str),
        mail.recipient,
        mail.domain,
        mail.sealed,
        mail.slot.timestamp(),
        mail.now.timestamp(),
    ])?;
    Ok(())
}

/// The place in a host's quota of the mail that many before the next one: `None` while there were fewer.
pub fn slot_of_host(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    host: &MemberId,
    before: u32,
) -> Result<Option<i64>, StoreError> {
    slot(
        tx,
        "SELECT slot_at FROM outbox WHERE organisation = ?1 AND host = ?2 AND state <> 'withdrawn'
         ORDER BY slot_at DESC LIMIT 1 OFFSET ?3",
        params![organisation.as_str(), host.as_str(), before.saturating_sub(1)],
    )
}

/// The same for mails about a visit to a recipient.
pub fn slot_of_recipient(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    recipient: &RecipientKey,
    visit: VisitId,
    before: u32,
) -> Result<Option<i64>, StoreError> {
    slot(
        tx,
        "SELECT slot_at FROM outbox WHERE organisation = ?1 AND recipient_key = ?2 AND visit = ?3
         AND state <> 'withdrawn' ORDER BY slot_at DESC LIMIT 1 OFFSET ?4",
        params![organisation.as_str(), recipient, visit.as_bytes(), before.saturating_sub(1)],
    )
}

fn slot(tx: &Transaction<'_>, sql: &str, params: impl Params) -> Result<Option<i64>, StoreError> {
    Ok(tx.prepare_cached(sql)?.query_row(params, |row| row.get(0)).optional()?)
}

/// Takes back a delivery's mails that wait or have failed, and wipes them.
pub fn withdraw(tx: &Transaction<'_>, delivery: &[u8; 16], now: DateTime<Utc>) -> Result<Withdrawn, StoreError> {
    let withdrawn = tx
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE uncertain = 0), min(next_at) FILTER (WHERE state = 'waiting' AND attempts = 0)
             FROM outbox WHERE delivery = ?1 AND state IN ('waiting', 'failed')",
        )?
        .query_row([delivery], |row| Ok(Withdrawn { unseen: row.get(0)?, due: row.get(1)? }))?;
    tx.prepare_cached(
        "UPDATE outbox SET state = 'withdrawn', sealed = NULL, ended_at = ?2
         WHERE delivery = ?1 AND state IN ('waiting', 'failed')",
    )?
    .execute(params![delivery, now.timestamp()])?;
    Ok(withdrawn)
}

/// How many of a delivery's mails wait and certainly reached no server.
pub fn unseen(tx: &Transaction<'_>, delivery: &[u8; 16]) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM outbox WHERE delivery = ?1 AND state = 'waiting' AND uncertain = 0";
    Ok(tx.prepare_cached(sql)?.query_row([delivery], |row| row.get(0))?)
}

/// Whether a delivery has a mail that was made after that one.
pub fn has_newer(tx: &Transaction<'_>, delivery: &[u8; 16], number: i64) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE delivery = ?1 AND number > ?2 AND state <> 'withdrawn')";
    Ok(tx.prepare_cached(sql)?.query_row(params![delivery, number], |row| row.get(0))?)
}

/// Whether a mail of a kind about a visit was sent, or still may be.
pub fn is_told_or_to_be(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    kind: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outbox WHERE organisation = ?1 AND visit = ?2 AND kind = ?3
               AND state IN ('waiting', 'sending', 'sent'))";
    Ok(tx.prepare_cached(sql)?.query_row(params![organisation.as_str(), visit.as_bytes(), kind], |row| row.get(0))?)
}

/// Wipes failed mails that are of no use to anybody any more, since the visit is over or they failed before that time, and
/// forgets those that ended before it.
pub fn forget_ended(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    before: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbox SET sealed = NULL WHERE organisation = ?1 AND state = 'failed' AND sealed IS NOT NULL
         AND (ended_at < ?2 OR delivery IS NOT NULL AND kind <> 'cancellation' AND NOT EXISTS (SELECT 1 FROM visit
             WHERE visit.organisation = outbox.organisation AND visit.id = outbox.visit
             AND visit.window_ends IS NOT NULL))",
    )?
    .execute(params![organisation.as_str(), before.timestamp()])?;
    tx.prepare_cached("DELETE FROM outbox WHERE organisation = ?1 AND sealed IS NULL AND ended_at < ?2")?
        .execute(params![organisation.as_str(), before.timestamp()])?;
    Ok(())
}

/// A hub that died left mails it was sending: a server may have them. They are due at once.
pub fn recover(tx: &Transaction<'_>, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let sql = "UPDATE outbox SET state = 'waiting', uncertain = 1, next_at = ?1 WHERE state = 'sending'";
    Ok(tx.prepare_cached(sql)?.execute([now.timestamp()])?)
}

/// Claims the mail that has been due longest and goes to none of the `busy` domains. Of the mails about a visit to a
/// recipient the earlier goes first; a guest's waits while the credential it speaks of is suspended.
pub fn claim(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
    busy: &[RecipientKey],
) -> Result<Option<ClaimedMail>, StoreError> {
    let busy: Vec<String> = busy.iter().map(|domain| format!("\"{}\"", hex::encode_upper(domain))).collect();
    let found = tx
        .prepare_cached(
            "SELECT number, id, visit, delivery, kind, domain_key, sealed, attempts, deferrals, uncertain, reported_late,
                 slot_at
             FROM outbox AS mail WHERE organisation = ?1 AND state = 'waiting' AND next_at <= ?2
             AND hex(domain_key) NOT IN (SELECT value FROM json_each(?3))
             AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.organisation = mail.organisation
                 AND earlier.recipient_key = mail.recipient_key AND earlier.visit = mail.visit
                 AND earlier.state <> 'withdrawn' AND earlier.state IN ('waiting', 'sending')
                 AND earlier.number < mail.number)
             AND NOT (delivery IS NOT NULL AND EXISTS (SELECT 1 FROM credential
                 WHERE credential.organisation = mail.organisation AND credential.visit = mail.visit
                 AND credential.state = 'suspended'))
             ORDER BY next_at, number LIMIT 1",
        )?
        .query_row(params![organisation.as_str(), now.timestamp(), format!("[{}]", busy.join(","))], |row| {
            Ok(ClaimedMail {
                number: row.get(0)?,
                id: row.get(1)?,
                visit: VisitId::from_bytes(row.get(2)?),
                delivery: row.get(3)?,
                kind: row.get(4)?,
                domain: row.get(5)?,
                sealed: row.get(6)?,
                attempts: row.get(7)?,
                deferrals: row.get(8)?,
                uncertain: row.get(9)?,
                reported_late: row.get(10)?,
                slot: row.get(11)?,
            })
        })
        .optional()?;
    if let Some(mail) = &found {
        tx.prepare_cached("UPDATE outbox SET state = 'sending' WHERE id = ?1")?.execute([mail.id])?;
    }
    Ok(found)
}

/// The server has it: its bytes are wiped.
pub fn set_sent(tx: &Transaction<'_>, id: &[u8; 16], now: DateTime<Utc>) -> Result<(), StoreError> {
    end(tx, id, "sent", now)
}

/// It is not needed any more: its bytes are wiped.
pub fn set_withdrawn(tx: &Transaction<'_>, id: &[u8; 16], now: DateTime<Utc>) -> Result<(), StoreError> {
    end(tx, id, "withdrawn", now)
}

/// It is not tried again by itself; its bytes stay.
pub fn set_failed(
    tx: &Transaction<'_>,
    id: &[u8; 16],
    now: DateTime<Utc>,
    attempt: Attempt<'_>,
) -> Result<(), StoreError> {
    note(tx, id, attempt)?;
    tx.prepare_cached("UPDATE outbox SET state = 'failed', ended_at = ?2 WHERE id = ?1")?
        .execute(params![id, now.timestamp()])?;
    Ok(())
}

/// Not now: it is due again at `next`.
pub fn set_later(
    tx: &Transaction<'_>,
    id: &[u8; 16],
    next: DateTime<Utc>,
    attempt: Attempt<'_>,
) -> Result<(), StoreError> {
    note(tx, id, attempt)?;
    tx.prepare_cached("UPDATE outbox SET state = 'waiting', next_at = ?2 WHERE id = ?1")?
        .execute(params![id, next.timestamp()])?;
    Ok(())
}

fn note(tx: &Transaction<'_>, id: &[u8; 16], attempt: Attempt<'_>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbox SET attempts = attempts + 1, deferrals = deferrals + ?2, uncertain = max(uncertain, ?3),
         error_class = ?4, error_code = ?5, reported_late = max(reported_late, ?6) WHERE id = ?1",
    )?
    .execute(params![
        id,
        attempt.is_own,
        attempt.uncertain,
        attempt.class,
        attempt.code,
        attempt.reported_late
    ])?;
    Ok(())
}

/// Makes a mail that failed, or that waits, due at once.
pub fn retry(tx: &Transaction<'_>, id: &[u8; 16], now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'waiting', next_at = ?2, deferrals = 0, reported_late = 0, ended_at = NULL
         WHERE id = ?1 AND state IN ('waiting', 'failed') AND sealed IS NOT NULL",
    )?
    .execute(params![id, now.timestamp()])?;
    Ok(())
}

/// When the next mail is due; `None` if none waits.
pub fn next_due(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let next: Option<i64> = tx
        .prepare_cached("SELECT min(next_at) FROM outbox WHERE organisation = ?1 AND state = 'waiting'")?
        .query_row([organisation.as_str()], |row| row.get(0))?;
    Ok(next.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
}

/// Whether a mail may be due at `now`: then the sender is to look. It says yes as well for one that has to wait for others.
pub fn is_due(tx: &Transaction<'_>, organisation: &OrganisationId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let due = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE organisation = ?1 AND state = 'waiting' AND next_at <= ?2)",
        )?
        .query_row(params![organisation.as_str(), now.timestamp()], |row| row.get(0))?;
    Ok(due)
}

const LISTED: &str = "SELECT mail.id, mail.visit, visit.number, mail.kind,
     CASE WHEN mail.state = 'waiting' AND attempts = 0 AND slot_at > mail.created_at AND next_at > ?2 THEN 'held'
         ELSE mail.state END AS shown, attempts, CASE mail.state WHEN 'waiting' THEN next_at END, error_class, error_code,
     mail.created_at, sealed
     FROM outbox AS mail LEFT JOIN visit ON visit.organisation = mail.organisation AND visit.id = mail.visit
     WHERE mail.organisation = ?1";

/// The mails of an organisation in the order they were made; only those of a state, if one is given.
pub fn list(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
    state: Option<&str>,
) -> Result<Vec<ListedMail>, StoreError> {
    let sql = format!("{LISTED} AND (?3 IS NULL OR shown = ?3) ORDER BY mail.number");
    let listed = tx
        .prepare_cached(&sql)?
        .query_map(params![organisation.as_str(), now.timestamp(), state], listed)?
        .collect::<Result<_, _>>()?;
    Ok(listed)
}

/// The mails whose id, in hexadecimal digits, begins so: two at most, which says that there are several.
pub fn by_prefix(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
    prefix: &str,
) -> Result<Vec<ListedMail>, StoreError> {
    let sql = format!("{LISTED} AND substr(hex(mail.id), 1, length(?3)) = upper(?3) LIMIT 2");
    let listed = tx
        .prepare_cached(&sql)?
        .query_map(params![organisation.as_str(), now.timestamp(), prefix], listed)?
        .collect::<Result<_, _>>()?;
    Ok(listed)
}

fn listed(row: &Row<'_>) -> rusqlite::Result<ListedMail> {
    Ok(ListedMail {
        id: row.get(0)?,
        visit: VisitId::from_bytes(row.get(1)?),
        visit_number: row.get(2)?,
        kind: row.get(3)?,
        state: row.get(4)?,
        attempts: row.get(5)?,
        next_at: row.get(6)?,
        error_class: row.get(7)?,
        error_code: row.get(8)?,
        created_at: row.get(9)?,
        sealed: row.get(10)?,
    })
}

/// Deletes every mail about a visit (erasure).
pub fn erase(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM outbox WHERE organisation = ?1 AND visit = ?2")?
        .execute(params![organisation.as_str(), visit.as_bytes()])?;
    Ok(())
}

fn end(tx: &Transaction<'_>, id: &[u8; 16], state: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE outbox SET state = ?2, sealed = NULL, ended_at = ?3 WHERE id = ?1")?.execute(params![
        id,
        state,
        now.timestamp()
    ])?;
    Ok(())
}
