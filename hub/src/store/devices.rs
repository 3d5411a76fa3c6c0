//! Enrolled devices and the envelopes they sent.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use vestibule_core::cbor;
use vestibule_core::id::{ChainHash, MemberId, OrganisationId, Thumbprint};
use vestibule_core::keys::PublicKey;

use super::StoreError;
use super::column::{Count, blob, count, text};
use super::members::{self, MemberRecord};

/// A device of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The thumbprint of its key, which names it.
    pub thumbprint: Thumbprint,
    /// The organisation it enrolled with.
    pub organisation: OrganisationId,
    /// Whose it is.
    pub member: MemberId,
    /// Its public key.
    pub key: PublicKey,
    /// When it enrolled, Unix seconds.
    pub enrolled_at: i64,
    /// Since when nothing more is taken from it.
    pub revoked_at: Option<i64>,
}

/// Stores a device that has proven to hold its key. The same key enrolled again by the same member stays as it is.
///
/// `predecessor` is the key that has vouched for this one, if no person has.
pub fn insert(tx: &Transaction<'_>, device: &Device, predecessor: Option<&Thumbprint>) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO device (organisation, thumbprint, member, key, enrolled_at, revoked_at, predecessor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        device.organisation.as_str(),
        device.thumbprint.as_bytes(),
        device.member.as_str(),
        cbor::write(&device.key),
        device.enrolled_at,
        device.revoked_at,
        predecessor.map(Thumbprint::as_bytes),
    ])?;
    Ok(())
}

fn read_device(row: &Row<'_>) -> Result<Device, StoreError> {
    let key = row.get_ref(3)?.as_blob().map_err(|_| StoreError::Corrupt("device key"))?;
    Ok(Device {
        organisation: text(row, 0, "organisation id")?,
        thumbprint: Thumbprint(blob(row, 1, "thumbprint")?),
        member: text(row, 2, "member id")?,
        key: cbor::read_strict(key, "public key").map_err(|_| StoreError::Corrupt("device key"))?,
        enrolled_at: row.get(4)?,
        revoked_at: row.get(5)?,
    })
}

const COLUMNS: &str = "organisation, thumbprint, member, key, enrolled_at, revoked_at";

/// The device of that thumbprint.
pub fn get(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    thumbprint: &Thumbprint,
) -> Result<Option<Device>, StoreError> {
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM device WHERE organisation = ?1 AND thumbprint = ?2"))?
        .query_and_then(params![organisation.as_str(), thumbprint.as_bytes()], read_device)?
        .next()
        .transpose()
}

/// The device of that thumbprint in whichever organisation: sign-in knows a device by its key alone.
pub fn find(tx: &Transaction<'_>, thumbprint: &Thumbprint) -> Result<Option<Device>, StoreError> {
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM device WHERE thumbprint = ?1 ORDER BY organisation LIMIT 1"))?
        .query_and_then([thumbprint.as_bytes()], read_device)?
        .next()
        .transpose()
}

/// A device with its member as they are in this transaction; none unless the device is enrolled to this very member and
/// neither of them is shut out.
pub fn in_use(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    thumbprint: &Thumbprint,
    member: &MemberId,
) -> Result<Option<(Device, MemberRecord)>, StoreError> {
    let Some(device) = get(tx, organisation, thumbprint)? else { return Ok(None) };
    if device.revoked_at.is_some() || device.member != *member {
        return Ok(None);
    }
    let member = members::get(tx, organisation, member)?.filter(|member| member.active);
    Ok(member.map(|member| (device, member)))
}

/// All devices of a member, the oldest first.
pub fn of_member(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
) -> Result<Vec<Device>, StoreError> {
    tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM device WHERE organisation = ?1 AND member = ?2 ORDER BY enrolled_at, thumbprint"
    ))?
    .query_and_then([organisation.as_str(), member.as_str()], read_device)?
    .collect()
}

/// How many devices of this hub may sync.
pub fn count_in_use(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM device JOIN member USING (organisation)
               WHERE member.id = device.member AND member.active AND device.revoked_at IS NULL";
    Ok(tx.prepare_cached(sql)?.query_row([], |row| count(row, 0))?)
}

/// Takes nothing more from a device, nor from those it has vouched for; whether there was one that was not revoked yet.
pub fn revoke(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    thumbprint: &Thumbprint,
    at: i64,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "WITH RECURSIVE line (thumbprint) AS (
             VALUES (?2) UNION
             SELECT device.thumbprint FROM device JOIN line ON device.predecessor = line.thumbprint
             WHERE device.organisation = ?1)
         UPDATE device SET revoked_at = ?3
         WHERE organisation = ?1 AND thumbprint IN (SELECT thumbprint FROM line) AND revoked_at IS NULL",
        params![organisation.as_str(), thumbprint.as_bytes(), at],
    )?;
    Ok(changed > 0)
}

/// The last envelope that was judged, of those accepted and those refused alike: its counter and hash.
pub fn last_envelope(tx: &Transaction<'_>, device: &Device) -> Result<Option<(u64, ChainHash)>, StoreError> {
    tx.prepare_cached(
        "SELECT counter, hash FROM envelope WHERE organisation = ?1 AND device = ?2
         UNION ALL
         SELECT counter, envelope FROM quarantine WHERE organisation = ?1 AND device = ?2 AND kind IN ('item', 'again')
         ORDER BY counter DESC LIMIT 1",
    )?
    .query_and_then(params![device.organisation.as_str(), device.thumbprint.as_bytes()], |row| {
        Ok((count(row, 0)?, ChainHash(blob(row, 1, "envelope hash")?)))
    })?
    .next()
    .transpose()
}

/// The hash of the judged envelope with that counter.
pub fn envelope_hash(tx: &Transaction<'_>, device: &Device, counter: u64) -> Result<Option<ChainHash>, StoreError> {
    tx.prepare_cached(
        "SELECT hash FROM envelope WHERE organisation = ?1 AND device = ?2 AND counter = ?3
         UNION ALL
         SELECT envelope FROM quarantine WHERE organisation = ?1 AND device = ?2 AND counter = ?3 AND kind IN ('item', 'again')
         LIMIT 1",
    )?
    .query_and_then(params![device.organisation.as_str(), device.thumbprint.as_bytes(), Count(counter)], |row| {
        blob(row, 0, "envelope hash").map(ChainHash)
    })?
    .next()
    .transpose()
}

/// Keeps an envelope of which something was accepted; one that is kept already stays as it is.
pub fn insert_envelope(
    tx: &Transaction<'_>,
    device: &Device,
    counter: u64,
    hash: &ChainHash,
    bytes: &[u8],
    received_at: i64,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO envelope (organisation, device, counter, hash, bytes, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        device.organisation.as_str(),
        device.thumbprint.as_bytes(),
        Count(counter),
        hash.as_bytes(),
        bytes,
        received_at
    ])?;
    Ok(())
}

/// The bytes of an envelope of which something was accepted.
pub fn envelope(tx: &Transaction<'_>, device: &Device, counter: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = tx
        .prepare_cached("SELECT bytes FROM envelope WHERE organisation = ?1 AND device = ?2 AND counter = ?3")?
        .query_row(params![device.organisation.as_str(), device.thumbprint.as_bytes(), Count(counter)], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(bytes)
}
