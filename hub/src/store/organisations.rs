//! Organisations with their key sets, sites, spaces and visitor types, and the numbers counted over the whole hub.

use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use vestibule_core::directory::{Organisation, PrivacyMode, Site, Space, VisitorType};
use vestibule_core::id::{ChainHash, HubEpoch, OrganisationId, SiteId, SpaceId, TypeId};
use vestibule_core::zone::Zone;

use super::StoreError;
use super::column::{Count, blob, count, text};

/// An organisation as the hub keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRecord {
    /// What every phone knows of it.
    pub organisation: Organisation,
    /// Its number over the whole hub.
    pub number: u64,
    /// The version of its row in the directory.
    pub version: u64,
    /// The general visitor-security address (S2.9); never in a feed.
    pub security_address: Option<String>,
    /// The head over all entries of all its visits' logs.
    pub log_head: ChainHash,
}

/// A visitor type as the hub keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRecord {
    /// What every phone knows of it.
    pub visitor_type: VisitorType,
    /// The category's own address (S2.7); never in a feed.
    pub address: Option<String>,
}

/// What is counted over the whole hub, each from 1, and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Organisations.
    Organisation,
    /// Sites: the `BusinessId` of the visitors API.
    Site,
    /// Members: the `CoworkerId` of the visitors API.
    Member,
    /// Accepted visits: the `Id` of the visitors API.
    Visit,
    /// Accepted items: the number in a receipt.
    Item,
    /// Versions of directory rows.
    Row,
}

impl Counted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Site => "site",
            Self::Member => "member",
            Self::Visit => "visit",
            Self::Item => "item",
            Self::Row => "row",
        }
    }
}

/// The next number of a kind.
pub fn next_number(tx: &Transaction<'_>, counted: Counted) -> Result<u64, StoreError> {
    let number = tx
        .prepare_cached(
            "INSERT INTO sequence (kind, last) VALUES (?1, 1)
             ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last",
        )?
        .query_row([counted.as_str()], |row| count(row, 0))?;
    Ok(number)
}

/// The last number of a kind.
pub fn last_number(tx: &Transaction<'_>, counted: Counted) -> Result<u64, StoreError> {
    let mut statement = tx.prepare_cached("SELECT last FROM sequence WHERE kind = ?1")?;
    Ok(statement.query_map([counted.as_str()], |row| count(row, 0))?.next().transpose()?.unwrap_or_default())
}

/// Writes as much as a small push, and leaves nothing of it: whether there is room for work is to be seen. (What is
/// deleted is overwritten, and so written.)
pub fn touch(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', zeroblob(65536))", [])?;
    tx.execute("DELETE FROM meta WHERE name = 'probe'", [])?;
    Ok(())
}

/// The life of this database; none before the first organisation was made.
pub fn epoch(tx: &Transaction<'_>) -> Result<Option<HubEpoch>, StoreError> {
    tx.prepare_cached("SELECT value FROM meta WHERE name = 'epoch'")?
        .query_and_then([], |row| blob(row, 0, "epoch").map(HubEpoch))?
        .next()
        .transpose()
}

/// Begins another life of this database: at its first start, and whenever it was restored from a backup.
pub fn set_epoch(tx: &Transaction<'_>, epoch: HubEpoch) -> Result<(), StoreError> {
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?1)", [epoch.as_bytes()])?;
    Ok(())
}

/// Stores a new organisation.
pub fn insert(tx: &Transaction<'_>, record: &OrganisationRecord) -> Result<(), StoreError> {
    let organisation = &record.organisation;
    tx.execute(
        "INSERT INTO organisation (id, number, version, name, privacy, qr, wallet, unscheduled_days, arrival_minutes,
         security_address, log_head) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            organisation.id.as_str(),
            Count(record.number),
            Count(record.version),
            organisation.name,
            privacy_name(organisation.privacy),
            organisation.qr,
            organisation.wallet,
            organisation.unscheduled_days,
            organisation.arrival_minutes,
            record.security_address,
            record.log_head.as_bytes(),
        ],
    )?;
    Ok(())
}

/// The organisation of that id.
pub fn get(tx: &Transaction<'_>, id: &OrganisationId) -> Result<Option<OrganisationRecord>, StoreError> {
    tx.prepare_cached(
        "SELECT id, number, version, name, privacy, qr, wallet, unscheduled_days, arrival_minutes, security_address,
         log_head FROM organisation WHERE id = ?1",
    )?
    .query_and_then([id.as_str()], read_organisation)?
    .next()
    .transpose()
}

/// The ids of all organisations of this hub.
pub fn list(tx: &Transaction<'_>) -> Result<Vec<OrganisationId>, StoreError> {
    tx.prepare_cached("SELECT id FROM organisation ORDER BY number")?
        .query_and_then([], |row| text(row, 0, "organisation id"))?
        .collect()
}

fn read_organisation(row: &Row<'_>) -> Result<OrganisationRecord, StoreError> {
    let privacy = match row.get_ref(4)?.as_str().map_err(|_| StoreError::Corrupt("privacy mode"))? {
        "private" => PrivacyMode::Private,
        "reception" => PrivacyMode::Reception,
        _ => return Err(StoreError::Corrupt("privacy mode")),
    };
    Ok(OrganisationRecord {
        organisation: Organisation {
            id: text(row, 0, "organisation id")?,
            name: row.get(3)?,
            privacy,
            qr: row.get(5)?,
            wallet: row.get(6)?,
            unscheduled_days: row.get(7)?,
            arrival_minutes: row.get(8)?,
        },
        number: count(row, 1)?,
        version: count(row, 2)?,
        security_address: row.get(9)?,
        log_head: ChainHash(blob(row, 10, "log head")?),
    })
}

fn privacy_name(privacy: PrivacyMode) -> &'static str {
    match privacy {
        PrivacyMode::Private => "private",
        PrivacyMode::Reception => "reception",
    }
}

/// Moves the head over all logs of the organisation.
pub fn set_log_head(tx: &Transaction<'_>, id: &OrganisationId, head: &ChainHash) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE organisation SET log_head = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), head.as_bytes()])?;
    Ok(())
}

/// Stores a signed key set.
pub fn insert_key_set(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    version: u32,
    bytes: &[u8],
    expires_at: i64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO key_set (organisation, version, bytes, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![organisation.as_str(), version, bytes, expires_at],
    )?;
    Ok(())
}

/// The highest key set: its version and its signed bytes.
pub fn current_key_set(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
    let set = tx
        .prepare_cached("SELECT version, bytes FROM key_set WHERE organisation = ?1 ORDER BY version DESC LIMIT 1")?
        .query_row([organisation.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(set)
}

/// The signed bytes of every key set there was.
pub fn key_sets(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<Vec<u8>>, StoreError> {
    tx.prepare_cached("SELECT bytes FROM key_set WHERE organisation = ?1")?
        .query_and_then([organisation.as_str()], |row| Ok(row.get(0)?))?
        .collect()
}

/// The version of the highest key set; 0 for none.
pub fn key_set_version(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<u32, StoreError> {
    let version = tx
        .prepare_cached("SELECT coalesce(max(version), 0) FROM key_set WHERE organisation = ?1")?
        .query_row([organisation.as_str()], |row| row.get(0))?;
    Ok(version)
}

/// Stores a new site; its number is the site's own.
pub fn insert_site(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &Site,
    version: u64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO site (organisation, id, number, version, name, zone, address, directions, latitude, longitude,
         opens, closes, zone_tables, zone_rules) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            organisation.as_str(),
            site.id.as_str(),
            Count(site.number),
            Count(version),
            site.name,
            site.zone.name(),
            site.address,
            site.directions,
            site.latitude,
            site.longitude,
            site.opens,
            site.closes,
            site.zone.tables(),
            site.zone.rules(),
        ],
    )?;
    Ok(())
}

const SITE_COLUMNS: &str =
    "id, number, name, zone, address, directions, latitude, longitude, opens, closes, zone_tables, zone_rules";

fn read_site(row: &Row<'_>) -> Result<Site, StoreError> {
    Ok(Site {
        id: text(row, 0, "site id")?,
        number: count(row, 1)?,
        name: row.get(2)?,
        zone: {
            let (name, tables, rules): (String, String, Vec<u8>) = (row.get(3)?, row.get(10)?, row.get(11)?);
            Zone::new(&name, &tables, &rules).map_err(|_| StoreError::Corrupt("time zone"))?
        },
        address: row.get(4)?,
        directions: row.get(5)?,
        latitude: row.get(6)?,
        longitude: row.get(7)?,
        opens: row.get(8)?,
        closes: row.get(9)?,
    })
}

/// The sites of an organisation, by id.
pub fn sites(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<Site>, StoreError> {
    tx.prepare_cached(&format!("SELECT {SITE_COLUMNS} FROM site WHERE organisation = ?1 ORDER BY id"))?
        .query_and_then([organisation.as_str()], read_site)?
        .collect()
}

/// The site of that id.
pub fn site(tx: &Transaction<'_>, organisation: &OrganisationId, id: &SiteId) -> Result<Option<Site>, StoreError> {
    tx.prepare_cached(&format!("SELECT {SITE_COLUMNS} FROM site WHERE organisation = ?1 AND id = ?2"))?
        .query_and_then([organisation.as_str(), id.as_str()], read_site)?
        .next()
        .transpose()
}

/// Gives a site its zone by other tables; where `moves`, its visits are to be computed anew.
pub fn set_zone(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &Site,
    version: u64,
    moves: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE site SET zone = ?3, zone_tables = ?4, zone_rules = ?5, version = ?6,
         retimed_to = CASE WHEN ?7 THEN 0 ELSE retimed_to END WHERE organisation = ?1 AND id = ?2",
        params![
            organisation.as_str(),
            site.id.as_str(),
            site.zone.name(),
            site.zone.tables(),
            site.zone.rules(),
            Count(version),
            moves
        ],
    )?;
    Ok(())
}

/// A site whose visits are being computed anew, and the number of the last visit that was; none if all are done.
pub fn retiming(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Option<(SiteId, u64)>, StoreError> {
    tx.prepare_cached("SELECT id, retimed_to FROM site WHERE organisation = ?1 AND retimed_to IS NOT NULL LIMIT 1")?
        .query_and_then([organisation.as_str()], |row| Ok((text(row, 0, "site id")?, count(row, 1)?)))?
        .next()
        .transpose()
}

/// Notes up to which visit those of a site are computed anew; `None`: all are.
pub fn set_retimed(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    site: &SiteId,
    to: Option<u64>,
) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE site SET retimed_to = ?3 WHERE organisation = ?1 AND id = ?2")?.execute(params![
        organisation.as_str(),
        site.as_str(),
        to.map(Count)
    ])?;
    Ok(())
}

/// Stores a new space.
pub fn insert_space(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    space: &Space,
    version: u64,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO space (organisation, id, site, version, name) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![organisation.as_str(), space.id.as_str(), space.site.as_str(), Count(version), space.name],
    )?;
    Ok(())
}

/// The space of that id.
pub fn space(tx: &Transaction<'_>, organisation: &OrganisationId, id: &SpaceId) -> Result<Option<Space>, StoreError> {
    tx.prepare_cached("SELECT id, site, name FROM space WHERE organisation = ?1 AND id = ?2")?
        .query_and_then([organisation.as_str(), id.as_str()], |row| {
            Ok(Space { id: text(row, 0, "space id")?, site: text(row, 1, "site id")?, name: row.get(2)? })
        })?
        .next()
        .transpose()
}

/// Stores a new visitor type.
pub fn insert_type(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    record: &TypeRecord,
    version: u64,
) -> Result<(), StoreError> {
    let kind = &record.visitor_type;
    tx.execute(
        "INSERT INTO visitor_type (organisation, id, version, name, needs_approval, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            organisation.as_str(),
            kind.id.as_str(),
            Count(version),
            kind.name,
            kind.needs_approval,
            record.address
        ],
    )?;
    Ok(())
}

/// The visitor type of that id.
pub fn visitor_type(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    id: &TypeId,
) -> Result<Option<TypeRecord>, StoreError> {
    tx.prepare_cached("SELECT id, name, needs_approval, address FROM visitor_type WHERE organisation = ?1 AND id = ?2")?
        .query_and_then([organisation.as_str(), id.as_str()], |row| {
            Ok(TypeRecord {
                visitor_type: VisitorType {
                    id: text(row, 0, "visitor type id")?,
                    name: row.get(1)?,
                    needs_approval: row.get(2)?,
                },
                address: row.get(3)?,
            })
        })?
        .next()
        .transpose()
}
