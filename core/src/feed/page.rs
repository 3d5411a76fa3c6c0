//! Pages of a scope and the statement of an answer.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::{Row, Scope};
use crate::cbor;
use crate::id::{ChainHash, HubEpoch, OrganisationId};
use crate::keys::{DeviceSigner, Purpose, SignerError, sign};

/// Where a scope stands: its last index and the head of its chain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ScopeHead {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// The index of its last row; 0 for none.
    #[n(1)]
    pub index: u64,
    /// The head of its chain; [`ChainHash::ORIGIN`] for none.
    #[n(2)]
    pub head: ChainHash,
}

/// What the hub signs of a page, for [`Purpose::Page`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PageHeader {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The life of the hub's database.
    #[n(1)]
    pub epoch: HubEpoch,
    /// The key set the hub signs under.
    #[n(2)]
    pub key_set: u32,
    /// The scope.
    #[n(3)]
    pub scope: Scope,
    /// The index of the first row.
    #[n(4)]
    pub first: u64,
    /// The index of the last row.
    #[n(5)]
    pub last: u64,
    /// The head the page extends.
    #[n(6)]
    pub previous: ChainHash,
    /// The head after the page.
    #[n(7)]
    pub head: ChainHash,
    /// The hub's time, Unix seconds.
    #[n(8)]
    pub time: i64,
}

/// A page as it travels: the signed header, and beside it each row's salt and bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Page {
    /// The header, signed.
    #[n(0)]
    pub header: ByteVec,
    /// Salt and bytes of each row.
    #[n(1)]
    pub rows: Vec<SaltedRow>,
}

/// A row with the salt that keeps its hash from being guessed once it is erased.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SaltedRow {
    /// Sixteen random bytes.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub salt: [u8; 16],
    /// The row's bytes ([`Row::to_bytes`]).
    #[n(1)]
    pub row: ByteVec,
}

/// What every answer carries, signed for [`Purpose::Statement`], also when there is nothing new.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Statement {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The life of the hub's database.
    #[n(1)]
    pub epoch: HubEpoch,
    /// The hub's time, Unix seconds.
    #[n(2)]
    pub time: i64,
    /// [`digest`] of the heads of this phone's scopes.
    #[n(3)]
    pub digest: ChainHash,
    /// The current key set's version.
    #[n(4)]
    pub key_set: u32,
    /// The head of the organisation's decision log.
    #[n(5)]
    pub log: ChainHash,
}

/// Why a page is refused; completes "failed to take a page: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The header or a row is not what the hub would write.
    #[error("the page cannot be read")]
    Garbage,
    /// The page is of another organisation or another life of the hub.
    #[error("the page belongs to another organisation or hub")]
    OtherHub,
    /// The page does not begin where the phone stands.
    #[error("the page does not extend the head held here")]
    DoesNotExtend,
    /// The rows are not those the header was signed over.
    #[error("the rows do not match the signed head")]
    Chain,
}

impl PageHeader {
    /// Signs the header with the hub's feed key.
    pub fn sign(&self, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
        sign(Purpose::Page, cbor::write(self), signer)
    }
}

impl Statement {
    /// Signs the statement with the hub's feed key.
    pub fn sign(&self, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
        sign(Purpose::Statement, cbor::write(self), signer)
    }
}

/// One step of a scope's chain: SHA-256(head ‖ SHA-256(salt ‖ row)).
pub fn chain(head: &ChainHash, salt: &[u8; 16], row: &[u8]) -> ChainHash {
    let link: [u8; 32] = Sha256::new().chain_update(salt).chain_update(row).finalize().into();
    ChainHash(Sha256::new().chain_update(head.0).chain_update(link).finalize().into())
}

/// The digest of scope heads, whatever order they come in: SHA-256 of their deterministic CBOR, sorted by the bytes of
/// the scope's text, so that a scope of a later kind has its place without anyone knowing the kinds.
pub fn digest(heads: &[ScopeHead]) -> ChainHash {
    let mut sorted: Vec<&ScopeHead> = heads.iter().collect();
    sorted.sort_by_cached_key(|head| head.scope.to_string());
    ChainHash(Sha256::digest(cbor::write(&sorted)).into())
}

impl Page {
    /// Checks the rows against a header whose signature was verified and the head the phone holds; gives the rows.
    pub fn open(&self, header: &PageHeader, held: &ScopeHead) -> Result<Vec<Row>, PageError> {
        if held.index.checked_add(1) != Some(header.first) || header.previous != held.head || header.scope != held.scope
        {
            return Err(PageError::DoesNotExtend);
        }
        let mut head = held.head;
        let mut rows = Vec::with_capacity(self.rows.len());
        for (salted, index) in self.rows.iter().zip(header.first..=header.last) {
            let row: Row = cbor::read(&salted.row, "row").map_err(|_| PageError::Garbage)?;
            if row.scope != header.scope || row.index != index {
                return Err(PageError::Chain);
            }
            head = chain(&head, &salted.salt, &salted.row);
            rows.push(row);
        }
        let last = rows.last().map(|row| row.index);
        if head != header.head || last != Some(header.last) || rows.len() != self.rows.len() {
            return Err(PageError::Chain);
        }
        Ok(rows)
    }
}
