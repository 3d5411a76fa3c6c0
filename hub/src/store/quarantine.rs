//! What was signed and not accepted: kept as evidence for a while, never in the feed.
//!
//! The row itself stays: a refusal is final for its item, and the counter of a device's last envelope is known from it.

use rusqlite::{Transaction, params};
use vestibule_core::cbor;
use vestibule_core::envelope::{Item, ItemId};
use vestibule_core::id::{ChainHash, ChangeHash, OrganisationId, VisitId};
use vestibule_core::receipt::Verdict;

use super::StoreError;
use super::clock::CERTAIN;
use super::column::Count;
use super::devices::Device;

/// The most bytes of one device that are kept.
pub const MAX_BYTES: i64 = 1 << 20;
/// How long bytes are kept, in seconds: 30 days.
pub const KEPT_FOR: i64 = 30 * 86_400;

/// What is quarantined.
#[derive(Debug, Clone, Copy)]
pub enum Held<'a> {
    /// An item about a visit, with the verdict its author was given.
    Item(&'a Item, &'a Verdict),
    /// An item that was judged before, pushed again in a later envelope.
    Again(&'a Item),
    /// An envelope that was turned away although its signature is good.
    Envelope,
    /// A copy of something accepted that a fraud or a clone puts in doubt.
    Evidence(&'a ItemId),
}

/// The envelope something is quarantined from.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// The device that signed it.
    pub device: &'a Device,
    /// Its counter.
    pub counter: u64,
    /// Its hash.
    pub hash: &'a ChainHash,
    /// When it was judged, Unix seconds.
    pub at: i64,
}

/// Quarantines something. After a push [`keep_within`] lets go of the device's oldest bytes.
pub fn insert(
    tx: &Transaction<'_>,
    from: From<'_>,
    held: Held<'_>,
    reason: &str,
    bytes: Option<&[u8]>,
) -> Result<(), StoreError> {
    let (kind, item, visit, verdict) = match held {
        Held::Item(item, verdict) => ("item", cbor::write(&item.id()), Some(item.visit()), Some(cbor::write(verdict))),
        Held::Again(item) => ("again", cbor::write(&item.id()), Some(item.visit()), None),
        Held::Envelope => ("envelope", Vec::new(), None, None),
        Held::Evidence(item) => ("evidence", cbor::write(item), None, None),
    };
    tx.prepare_cached(
        "INSERT INTO quarantine (organisation, device, counter, envelope, kind, item, visit, reason, verdict, bytes, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        from.device.organisation.as_str(),
        from.device.thumbprint.as_bytes(),
        Count(from.counter),
        from.hash.as_bytes(),
        kind,
        item,
        visit.as_ref().map(VisitId::as_bytes),
        reason,
        verdict,
        bytes,
        from.at,
    ])?;
    Ok(())
}

/// Wipes the oldest bytes of a device until the rest is small enough: once for a whole push, since it looks at all that
/// is kept of the device, and a push may hold tens of thousands of items.
pub fn keep_within(tx: &Transaction<'_>, device: &Device) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE quarantine SET bytes = NULL WHERE place IN (
             SELECT place FROM (
                 SELECT place, sum(length(bytes)) OVER (ORDER BY place DESC) AS newer FROM quarantine
                 WHERE organisation = ?1 AND device = ?2 AND bytes IS NOT NULL)
             WHERE newer > ?3)",
    )?
    .execute(params![device.organisation.as_str(), device.thumbprint.as_bytes(), MAX_BYTES])?;
    Ok(())
}

/// The verdict an item of a device was given when it was not accepted.
pub fn verdict(tx: &Transaction<'_>, device: &Device, item: &ItemId) -> Result<Option<Verdict>, StoreError> {
    tx.prepare_cached(
        "SELECT verdict FROM quarantine WHERE organisation = ?1 AND device = ?2 AND item = ?3 AND kind = 'item'",
    )?
    .query_and_then(params![device.organisation.as_str(), device.thumbprint.as_bytes(), cbor::write(item)], |row| {
        let bytes = row.get_ref(0)?.as_blob().map_err(|_| StoreError::Corrupt("verdict"))?;
        cbor::read(bytes, "verdict").map_err(|_| StoreError::Corrupt("verdict"))
    })?
    .next()
    .transpose()
}

/// The verdict a change was given by whichever device it came.
pub fn verdict_of_change(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    visit: VisitId,
    hash: ChangeHash,
) -> Result<Option<Verdict>, StoreError> {
    let item = cbor::write(&ItemId::Change(visit, hash));
    tx.prepare_cached("SELECT verdict FROM quarantine WHERE organisation = ?1 AND item = ?2 AND kind = 'item'")?
        .query_and_then(params![organisation.as_str(), item], |row| {
            let bytes = row.get_ref(0)?.as_blob().map_err(|_| StoreError::Corrupt("verdict"))?;
            cbor::read(bytes, "verdict").map_err(|_| StoreError::Corrupt("verdict"))
        })?
        .next()
        .transpose()
}

/// Whether something a device pushed about a visit was not accepted.
pub fn holds_visit(tx: &Transaction<'_>, device: &Device, visit: VisitId) -> Result<bool, StoreError> {
    let found = tx
        .prepare_cached(
            "SELECT 1 FROM quarantine WHERE organisation = ?1 AND device = ?2 AND visit = ?3 AND kind = 'item'",
        )?
        .exists(params![device.organisation.as_str(), device.thumbprint.as_bytes(), visit.as_bytes()])?;
    Ok(found)
}

/// Wipes the bytes of everything that came before `time`, Unix seconds: called once a day with now − [`KEPT_FOR`].
pub fn prune(tx: &Transaction<'_>, time: i64) -> Result<usize, StoreError> {
    let sql = format!("UPDATE quarantine SET bytes = NULL WHERE bytes IS NOT NULL AND at < ?1 AND {CERTAIN}");
    Ok(tx.execute(&sql, [time])?)
}

/// How many bytes of a device are kept.
pub fn kept_bytes(tx: &Transaction<'_>, device: &Device) -> Result<i64, StoreError> {
    let bytes = tx
        .prepare_cached(
            "SELECT coalesce(sum(length(bytes)), 0) FROM quarantine
             WHERE organisation = ?1 AND device = ?2 AND bytes IS NOT NULL",
        )?
        .query_row(params![device.organisation.as_str(), device.thumbprint.as_bytes()], |row| row.get(0))?;
    Ok(bytes)
}

/// How many rows there are with that reason.
pub fn count_reason(tx: &Transaction<'_>, reason: &str) -> Result<u32, StoreError> {
    Ok(tx.query_row("SELECT count(*) FROM quarantine WHERE reason = ?1", [reason], |row| row.get(0))?)
}
