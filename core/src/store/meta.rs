//! Single values of the file: whose it is, what it believes, and where its envelopes stand.

use minicbor::{Decode, Encode};
use rusqlite::Connection;

use super::StoreError;
use super::tx::{Tx, one};
use crate::cbor;
use crate::id::{ChainHash, HubEpoch, MemberId, OrganisationId, Thumbprint};

/// Who signed in on this phone, and where. A file belongs to one member of one organisation for good.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Identity {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The root its key sets are signed by.
    #[n(1)]
    pub root: Thumbprint,
    /// The member.
    #[n(2)]
    pub member: MemberId,
    /// The device's key.
    #[n(3)]
    pub device: Thumbprint,
    /// The hub's address, for requests.
    #[n(4)]
    pub hub: String,
    /// The hub's own name for itself, for assertions.
    #[n(5)]
    pub audience: String,
}

/// Where the device's chain of envelopes stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct EnvelopeHead {
    /// The counter of the last one; 0 for none.
    #[n(0)]
    pub(super) counter: u64,
    /// Its hash.
    #[n(1)]
    pub(super) hash: ChainHash,
}

impl EnvelopeHead {
    pub(super) const NONE: Self = Self { counter: 0, hash: ChainHash::ORIGIN };
}

/// What a sync leaves behind. Times are Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct SyncState {
    /// The life of the hub's database.
    #[n(0)]
    pub epoch: Option<HubEpoch>,
    /// The highest time the hub has signed: a floor for this phone's clock.
    #[n(1)]
    pub hub_time: i64,
    /// When the last sync ended with nothing left to do, by the hub's clock.
    #[n(2)]
    pub synced_at: Option<i64>,
}

/// That the hub was set back to an earlier time, and what this phone did about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetBack {
    /// The hub remembers everything up to this time, Unix seconds.
    #[n(0)]
    pub to: i64,
    /// How many visits were sent again.
    #[n(1)]
    pub sent_again: u64,
    /// A person was told.
    #[n(2)]
    pub(super) told: bool,
}

/// The names in the table.
pub(super) const IDENTITY: &str = "identity";
pub(super) const KEY_SET: &str = "key_set";
pub(super) const ENVELOPE: &str = "envelope";
pub(super) const SYNC: &str = "sync";
pub(super) const READER: &str = "reader";
pub(super) const CLOCK: &str = "clock";
pub(super) const PROOF: &str = "proof";
pub(super) const SET_BACK: &str = "set_back";

pub(super) fn bytes(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    one(connection, "SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
}

pub(super) fn get<T: for<'b> Decode<'b, ()>>(connection: &Connection, name: &str) -> Result<Option<T>, StoreError> {
    let read = |bytes: Vec<u8>| cbor::read(&bytes, "meta").map_err(|_| StoreError::Damaged("meta"));
    bytes(connection, name)?.map(read).transpose()
}

pub(super) fn put_bytes(tx: &Tx<'_>, name: &str, value: &[u8]) -> Result<(), StoreError> {
    tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", (name, value))?;
    Ok(())
}

pub(super) fn put<T: Encode<()>>(tx: &Tx<'_>, name: &str, value: &T) -> Result<(), StoreError> {
    put_bytes(tx, name, &cbor::write(value))
}

pub(super) fn identity(connection: &Connection) -> Result<Identity, StoreError> {
    get(connection, IDENTITY)?.ok_or(StoreError::NotSignedIn)
}
