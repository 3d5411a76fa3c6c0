//! SQL of the mail outbox.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Transaction, params};
use vestibule_core::id::{MemberId, OrganisationId, VisitId};

use super::StoreError;
use super::clock::CERTAIN;

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
    /// Names the recipient without the address.
    pub recipient: [u8; 32],
    /// Nonce and sealed bytes.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub now: DateTime<Utc>,
}

/// A row claimed for sending.
pub struct ClaimedMail {
    /// Random.
    pub id: [u8; 16],
    /// The visit it is about.
    pub visit: VisitId,
    /// What it says.
    pub kind: String,
    /// Nonce and sealed bytes.
    pub sealed: Vec<u8>,
    /// How often it was tried before.
    pub attempts: u32,
}

/// Adds a mail to the outbox.
pub fn insert(tx: &Transaction<'_>, mail: &NewMail<'_>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO outbox (id, organisation, visit, delivery, kind, host, recipient_key, state, sealed, next_at,
         created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?9, ?9)",
    )?
    .execute(params![
        mail.id,
        mail.organisation.as_str(),
        mail.visit.as_bytes(),
        mail.delivery,
        mail.kind,
        mail.host.map(MemberId::as_str),
        mail.recipient,
        mail.sealed,
        mail.now.timestamp(),
    ])?;
    Ok(())
}

/// How many mails count in a host's quota since then.
pub fn count_of_host(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    host: &MemberId,
    since: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM outbox WHERE organisation = ?1 AND host = ?2 AND created_at > ?3
               AND state <> 'withdrawn'";
    let count: u32 = tx
        .prepare_cached(sql)?
        .query_row(params![organisation.as_str(), host.as_str(), since.timestamp()], |row| row.get(0))?;
    Ok(count.into())
}

/// How many mails about a visit went to a recipient since then.
pub fn count_of_recipient(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    recipient: &[u8; 32],
    visit: VisitId,
    since: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM outbox WHERE organisation = ?1 AND recipient_key = ?2 AND visit = ?3
               AND created_at > ?4 AND state <> 'withdrawn'";
    let of_visit = params![organisation.as_str(), recipient, visit.as_bytes(), since.timestamp()];
    let count: u32 = tx.prepare_cached(sql)?.query_row(of_visit, |row| row.get(0))?;
    Ok(count.into())
}

/// Takes back a delivery's mails that wait, and wipes them; how many of them certainly reached no server.
pub fn withdraw(tx: &Transaction<'_>, delivery: &[u8; 16], now: DateTime<Utc>) -> Result<u32, StoreError> {
    let unseen = tx
        .prepare_cached("SELECT count(*) FROM outbox WHERE delivery = ?1 AND state = 'waiting' AND uncertain = 0")?
        .query_row([delivery], |row| row.get(0))?;
    tx.prepare_cached(
        "UPDATE outbox SET state = 'withdrawn', sealed = NULL, ended_at = ?2 WHERE delivery = ?1 AND state = 'waiting'",
    )?
    .execute(params![delivery, now.timestamp()])?;
    Ok(unseen)
}

/// Forgets mails that were sent, failed or were taken back before that time.
pub fn forget_ended(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    before: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM outbox WHERE organisation = ?1 AND sealed IS NULL AND ended_at < ?2 AND {CERTAIN}");
    tx.prepare_cached(&sql)?.execute(params![organisation.as_str(), before.timestamp()])?;
    Ok(())
}

/// Claims the first mail that is due. Of one recipient's mails the earlier goes first; a guest's waits while the
/// credential it speaks of is suspended, and then keeps back mails about the same visit only: that may take for ever. A
/// mail that was being sent when the hub died is due at once.
pub fn claim(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    now: DateTime<Utc>,
) -> Result<Option<ClaimedMail>, StoreError> {
    let found = tx
        .prepare_cached(
            "SELECT id, visit, kind, sealed, attempts FROM outbox AS mail
             WHERE organisation = ?1 AND sealed IS NOT NULL AND (state = 'sending' OR next_at <= ?2)
             AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.organisation = mail.organisation
                 AND earlier.recipient_key = mail.recipient_key AND earlier.number < mail.number
                 AND earlier.sealed IS NOT NULL
                 AND (earlier.visit = mail.visit OR NOT (earlier.state = 'waiting' AND earlier.delivery IS NOT NULL
                     AND EXISTS (SELECT 1 FROM credential WHERE credential.organisation = earlier.organisation
                         AND credential.visit = earlier.visit AND credential.state = 'suspended'))))
             AND NOT (state = 'waiting' AND delivery IS NOT NULL AND EXISTS (SELECT 1 FROM credential
                 WHERE credential.organisation = mail.organisation AND credential.visit = mail.visit
                 AND credential.state = 'suspended'))
             ORDER BY number LIMIT 1",
        )?
        .query_row(params![organisation.as_str(), now.timestamp()], |row| {
            Ok(ClaimedMail {
                id: row.get(0)?,
                visit: VisitId::from_bytes(row.get(1)?),
                kind: row.get(2)?,
                sealed: row.get(3)?,
                attempts: row.get(4)?,
            })
        })
        .optional()?;
    if let Some(mail) = &found {
        // One that is claimed a second time may have been accepted the first time.
        let sql = "UPDATE outbox SET uncertain = max(uncertain, state = 'sending'), state = 'sending' WHERE id = ?1";
        tx.prepare_cached(sql)?.execute([mail.id])?;
    }
    Ok(found)
}

/// The server has it: its bytes are wiped.
pub fn set_sent(tx: &Transaction<'_>, id: &[u8; 16], now: DateTime<Utc>) -> Result<(), StoreError> {
    end(tx, id, "sent", now)
}

/// The server refuses it for good: its bytes are wiped.
pub fn set_failed(tx: &Transaction<'_>, id: &[u8; 16], now: DateTime<Utc>) -> Result<(), StoreError> {
    end(tx, id, "failed", now)
}

/// Not now: it is due again at `next`. `uncertain` says that the server may have it nevertheless.
pub fn set_later(tx: &Transaction<'_>, id: &[u8; 16], next: DateTime<Utc>, uncertain: bool) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE outbox SET state = 'waiting', attempts = attempts + 1, next_at = ?2,
         uncertain = max(uncertain, ?3)
         WHERE id = ?1 AND state = 'sending'",
    )?
    .execute(params![id, next.timestamp(), uncertain])?;
    Ok(())
}

/// When the next mail is due; `None` with an empty outbox.
pub fn next_due(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Option<DateTime<Utc>>, StoreError> {
    let next: Option<i64> = tx
        .prepare_cached("SELECT min(next_at) FROM outbox WHERE organisation = ?1 AND sealed IS NOT NULL")?
        .query_row([organisation.as_str()], |row| row.get(0))?;
    Ok(next.and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
}

/// Whether a mail may be due at `now`: then the sender is to look. It says yes as well for one that has to wait for others.
pub fn is_due(tx: &Transaction<'_>, organisation: &OrganisationId, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let due = tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM outbox WHERE organisation = ?1 AND sealed IS NOT NULL AND next_at <= ?2)",
        )?
        .query_row(params![organisation.as_str(), now.timestamp()], |row| row.get(0))?;
    Ok(due)
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
