//! A hub that was restored from a backup: what it says of itself, and what convinces it.
//!
//! A database that was put back has forgotten what it said since. Its next life has another epoch; a phone that knows an
//! earlier one is told so by a [`Restored`] and begins anew. Where the file was put back by hand nobody told the hub: then
//! a phone shows the hub its own words, a [`Proof`].

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::ScopeHead;
use crate::cbor;
use crate::id::{ChainHash, HubEpoch, OrganisationId, Thumbprint};
use crate::keys::{DeviceSigner, Purpose, SignerError, sign};

/// What the hub signs for a phone that knows an earlier life of its database, for [`Purpose::Restored`]. It names the life
/// the phone knows: nobody leads a phone back into an earlier one by showing it an old statement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Restored {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The present life of the hub's database.
    #[n(1)]
    pub epoch: HubEpoch,
    /// The life this phone knows.
    #[n(2)]
    pub previous: HubEpoch,
    /// The hub remembers everything up to this time, Unix seconds.
    #[n(3)]
    pub restored_to: i64,
    /// The hub's time, Unix seconds.
    #[n(4)]
    pub time: i64,
    /// The device this is said to.
    #[n(5)]
    pub device: Thumbprint,
    /// The counter of the last envelope of this device that the hub remembers; 0 for none.
    #[n(6)]
    pub counter: u64,
    /// The hash of that envelope; [`ChainHash::ORIGIN`] for none.
    #[n(7)]
    pub hash: ChainHash,
}

impl Restored {
    /// Signs it with the hub's feed key.
    pub fn sign(&self, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
        sign(Purpose::Restored, cbor::write(self), signer)
    }
}

/// That a hub has stood at these heads: its own signed statement, whose digest is theirs. A hub that does not know one of
/// them, in the same life of its database, has an older file than it had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Proof {
    /// The signed [`super::Statement`].
    #[n(0)]
    pub statement: ByteVec,
    /// The heads it is about.
    #[n(1)]
    pub heads: Vec<ScopeHead>,
}
