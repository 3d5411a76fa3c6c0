//! SQL of deliveries and of review links.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Params, Row, Transaction, params};
use vestibule_core::id::{OrganisationId, VisitId};
use vestibule_core::schedule::Instants;

use super::StoreError;
use super::clock::CERTAIN;
use crate::delivery::{Delivery, Farewell, LinkHash, ToldTimes};

const SELECT: &str = "SELECT id, organisation, visit, address_key, serial, domain, organizer, state, sequence,
     told_start, told_end, told_zone, mails, changed_at, shown, farewell FROM delivery";

/// Stores a delivery that begins, and has nothing to show yet.
pub fn insert(
    tx: &Transaction<'_>,
    delivery: &Delivery,
    page: &LinkHash,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO delivery (id, organisation, visit, address_key, serial, domain, organizer, page_hash, state, begun_at,
         changed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'live', ?9, 0)",
    )?
    .execute(params![
        delivery.id,
        delivery.organisation.as_str(),
        delivery.visit.as_bytes(),
        delivery.address_key,
        delivery.serial,
        delivery.domain,
        delivery.organizer,
        page,
        now.timestamp(),
    ])?;
    Ok(())
}

/// The visit's delivery, if one lives.
pub fn live(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<Delivery>, StoreError> {
    one(tx, "organisation = ?1 AND visit = ?2 AND state = 'live'", params![organisation.as_str(), visit.as_bytes()])
}

/// The delivery whose page has a token of that hash.
pub fn by_page(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    page: &LinkHash,
) -> Result<Option<Delivery>, StoreError> {
    one(tx, "organisation = ?1 AND page_hash = ?2", params![organisation.as_str(), page])
}

/// The delivery of that pass serial number.
pub fn by_serial(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    serial: &str,
) -> Result<Option<Delivery>, StoreError> {
    one(tx, "organisation = ?1 AND serial = ?2", params![organisation.as_str(), serial])
}

/// Notes what the recipient has been told: the version of the calendar entry, its times, and one mail more.
pub fn set_told(
    tx: &Transaction<'_>,
    id: &[u8; 16],
    sequence: u32,
    told: Option<&ToldTimes>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE delivery SET sequence = ?2, told_start = ?3, told_end = ?4, told_zone = ?5, mails = mails + 1,
         changed_at = max(changed_at + 1, ?6) WHERE id = ?1",
    )?
    .execute(params![
        id,
        sequence,
        told.map(|told| told.times.start.timestamp()),
        told.and_then(|told| told.times.end).map(|end| end.timestamp()),
        told.map(|told| told.zone.as_str()),
        now.timestamp(),
    ])?;
    Ok(())
}

/// How many mails the recipient got, or will get.
pub fn mails(tx: &Transaction<'_>, id: &[u8; 16]) -> Result<u32, StoreError> {
    Ok(tx.prepare_cached("SELECT mails FROM delivery WHERE id = ?1")?.query_row([id], |row| row.get(0))?)
}

/// Takes back mails that were never sent.
pub fn subtract_mails(tx: &Transaction<'_>, id: &[u8; 16], count: u32) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE delivery SET mails = max(0, mails - ?2) WHERE id = ?1")?.execute(params![id, count])?;
    Ok(())
}

/// The state in the outbox of the last mail to a visit's guest; none where none was ever composed.
pub fn last_mail(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
) -> Result<Option<String>, StoreError> {
    let state = tx
        .prepare_cached(
            "SELECT state FROM outbox WHERE organisation = ?1 AND visit = ?2 AND delivery IS NOT NULL
             ORDER BY number DESC LIMIT 1",
        )?
        .query_row(params![organisation.as_str(), visit.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(state)
}

/// Writes down what the passes show from now on, sealed; [`set_told`] says since when.
pub fn set_shown(tx: &Transaction<'_>, id: &[u8; 16], shown: &[u8]) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE delivery SET shown = ?2 WHERE id = ?1")?.execute(params![id, shown])?;
    Ok(())
}

/// Ends a delivery, with what its recipient was told.
pub fn end(
    tx: &Transaction<'_>,
    id: &[u8; 16],
    farewell: Option<Farewell>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE delivery SET state = 'ended', farewell = ?2, changed_at = max(changed_at + 1, ?3) WHERE id = ?1",
    )?
    .execute(params![id, farewell.map(Farewell::as_str), now.timestamp()])?;
    Ok(())
}

/// Pass and page of the visit show something else from now on.
pub fn touch(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE delivery SET changed_at = max(changed_at + 1, ?3)
         WHERE organisation = ?1 AND visit = ?2 AND state = 'live'",
    )?
    .execute(params![organisation.as_str(), visit.as_bytes(), now.timestamp()])?;
    Ok(())
}

/// Stores a review link, and forgets those that have expired.
pub fn insert_review_link(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    hash: &LinkHash,
    now: DateTime<Utc>,
    expires: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.prepare_cached(&format!("DELETE FROM review_link WHERE expires <= ?1 AND {CERTAIN}"))?
        .execute([now.timestamp()])?;
    tx.prepare_cached("INSERT INTO review_link (hash, organisation, visit, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![hash, organisation.as_str(), visit.as_bytes(), expires.timestamp()])?;
    Ok(())
}

/// The visit a review link opens, while it has not expired (S2.16).
pub fn by_review_link(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    hash: &LinkHash,
    now: DateTime<Utc>,
) -> Result<Option<VisitId>, StoreError> {
    let found = tx
        .prepare_cached("SELECT visit FROM review_link WHERE hash = ?1 AND organisation = ?2 AND expires > ?3")?
        .query_row(params![hash, organisation.as_str(), now.timestamp()], |row| row.get(0))
        .optional()?;
    Ok(found.map(VisitId::from_bytes))
}

/// Deletes every delivery and link of a visit (erasure).
pub fn erase(tx: &Transaction<'_>, organisation: &OrganisationId, visit: VisitId) -> Result<(), StoreError> {
    for table in ["delivery", "review_link"] {
        tx.execute(
            &format!("DELETE FROM {table} WHERE organisation = ?1 AND visit = ?2"),
            params![organisation.as_str(), visit.as_bytes()],
        )?;
    }
    Ok(())
}

fn one(tx: &Transaction<'_>, condition: &str, params: impl Params) -> Result<Option<Delivery>, StoreError> {
    let sql = format!("{SELECT} WHERE {condition}");
    tx.prepare_cached(&sql)?.query_row(params, |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<Delivery, StoreError> {
    let corrupt = || StoreError::Corrupt("delivery");
    let instant = |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(corrupt);
    let start: Option<i64> = row.get("told_start")?;
    let end: Option<i64> = row.get("told_end")?;
    let zone: Option<String> = row.get("told_zone")?;
    let told = match start.zip(zone) {
        Some((start, zone)) => {
            Some(ToldTimes { times: Instants { start: instant(start)?, end: end.map(instant).transpose()? }, zone })
        }
        None => None,
    };
    Ok(Delivery {
        id: row.get("id")?,
        organisation: OrganisationId::new(row.get::<_, String>("organisation")?).map_err(|_| corrupt())?,
        visit: VisitId::from_bytes(row.get("visit")?),
        address_key: row.get("address_key")?,
        serial: row.get("serial")?,
        domain: row.get("domain")?,
        organizer: row.get("organizer")?,
        is_live: row.get::<_, String>("state")? == "live",
        sequence: row.get("sequence")?,
        told,
        mails: row.get("mails")?,
        changed_at: instant(row.get("changed_at")?)?,
        sealed_shown: row.get("shown")?,
        farewell: match row.get::<_, Option<String>>("farewell")? {
            Some(name) => Some(Farewell::from_name(&name).ok_or_else(corrupt)?),
            None => None,
        },
    })
}
