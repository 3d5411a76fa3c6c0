//! The envelope: one device signature over a batch of changes and requests.
//!
//! A phone writes an [`Envelope`] in the transaction that stores the changes it names, signs it, and keeps it until the
//! hub has answered with a signed receipt for every item. Envelopes of a device form a chain (counter and hash of the
//! one before), so that a cloned device is found out.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use crate::cbor;
use crate::id::{ActorSalt, ChainHash, ChangeHash, MemberId, OrganisationId, RequestId, Thumbprint, VisitId};
use crate::keys::{DeviceSigner, PublicKey, Purpose, Sign1, SignatureError, SignerError, sign};

/// The version of the envelope this code writes.
pub const VERSION: u8 = 1;
/// At most this many items in one envelope.
pub const MAX_ITEMS: usize = 512;
/// How long an envelope may be delivered, unless its author says otherwise: 400 days, in seconds.
pub const DEFAULT_LIFE: i64 = 400 * 86_400;
/// The latest time an envelope may name: the end of the year 9999, in Unix seconds. No clock arithmetic overflows on it.
pub const MAX_TIME: i64 = 253_402_300_799;
/// At most this many heads in a request.
pub const MAX_HEADS: usize = 64;
/// The largest payload of a request, in bytes: a note or a reason of 2,000 characters fits.
pub const MAX_REQUEST_PAYLOAD: usize = 16 * 1024;

/// What a device signs. Times are Unix seconds and the device's word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Envelope {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The organisation it is meant for.
    #[n(1)]
    pub organisation: OrganisationId,
    /// The root the phone knows the organisation by.
    #[n(2)]
    pub root: Thumbprint,
    /// The author.
    #[n(3)]
    pub member: MemberId,
    /// The principal a delegate acts for, if for one.
    #[n(4)]
    pub on_behalf_of: Option<MemberId>,
    /// The device whose key signs.
    #[n(5)]
    pub device: Thumbprint,
    /// Counts the device's envelopes from 1.
    #[n(6)]
    pub counter: u64,
    /// The hash of the device's envelope before this; [`ChainHash::ORIGIN`] for the first.
    #[n(7)]
    pub previous: ChainHash,
    /// When the author says it was made.
    #[n(8)]
    pub claimed_at: i64,
    /// After this time the hub refuses it.
    #[n(9)]
    pub not_after: i64,
    /// The batch, in the order it is to be judged.
    #[n(10)]
    pub items: Vec<Item>,
}

/// One item of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Item {
    /// A change of a visit's document, whose chunk travels beside the envelope.
    #[n(0)]
    Change {
        /// The document the change belongs to: signed, so that it cannot be filed under another.
        #[n(0)]
        visit: VisitId,
        /// The hash of the chunk.
        #[n(1)]
        hash: ChangeHash,
        /// Proves that the change's actor id was made by this device.
        #[n(2)]
        salt: ActorSalt,
    },
    /// Something the hub is asked to do.
    #[n(1)]
    Request(#[n(0)] Request),
}

/// A request: what a phone asks the hub to do, with what its author had seen.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// Names the request for ever: the same id again changes nothing.
    #[n(0)]
    pub id: RequestId,
    /// The visit it is about.
    #[n(1)]
    pub visit: VisitId,
    /// What is asked.
    #[n(2)]
    pub ask: Ask,
    /// The accepted heads of the document its author had seen, sorted; a decision is refused if they have moved on.
    #[n(3)]
    pub heads: Vec<ChangeHash>,
    /// The last decision-log entry its author had seen; [`ChainHash::ORIGIN`] for none.
    #[n(4)]
    pub seen: ChainHash,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Ask {
    /// Approve exactly what was seen.
    #[n(0)]
    Approve,
    /// Reject, for good or to be changed and invited again.
    #[n(1)]
    Reject {
        /// Shown to the host.
        #[n(0)]
        reason: Option<String>,
        /// The guest cannot be invited at all.
        #[n(1)]
        r#final: bool,
    },
    /// Back to Pending.
    #[n(2)]
    Reopen,
    /// Delete an unused invitation.
    #[n(3)]
    Delete,
    /// A presence fact; what was seen is recorded, not compared.
    #[n(4)]
    CheckIn,
    /// A presence fact.
    #[n(5)]
    CheckOut,
    /// The host lets the visitor wait.
    #[n(6)]
    Hold,
    /// The host lets the visitor in.
    #[n(7)]
    Grant,
    /// Answers to the visitor type's questions, in the form of the question flow.
    #[n(8)]
    Answers(#[n(0)] ByteVec),
    /// An internal note: for the creator, delegates, approvers, reception and administrators.
    #[n(9)]
    Note(#[n(0)] String),
    /// Seen in the list.
    #[n(10)]
    Read,
}

impl Ask {
    /// The kind's name in logs, refusals and SQL.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject { .. } => "reject",
            Self::Reopen => "reopen",
            Self::Delete => "delete",
            Self::CheckIn => "check_in",
            Self::CheckOut => "check_out",
            Self::Hold => "hold",
            Self::Grant => "grant",
            Self::Answers(_) => "answers",
            Self::Note(_) => "note",
            Self::Read => "read",
        }
    }

    /// Whether the request decides something, and so is compared with what its author had seen.
    pub fn is_decision(&self) -> bool {
        matches!(self, Self::Approve | Self::Reject { .. } | Self::Reopen | Self::Delete | Self::Hold | Self::Grant)
    }
}

/// What an item is known by, in receipts and in the hub's idempotence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum ItemId {
    /// A change of a document.
    #[n(0)]
    Change(#[n(0)] VisitId, #[n(1)] ChangeHash),
    /// A request.
    #[n(1)]
    Request(#[n(0)] RequestId),
}

impl Item {
    /// What the item is known by.
    pub fn id(&self) -> ItemId {
        match self {
            Self::Change { visit, hash, .. } => ItemId::Change(*visit, *hash),
            Self::Request(request) => ItemId::Request(request.id),
        }
    }

    /// The visit the item is about.
    pub fn visit(&self) -> VisitId {
        match self {
            Self::Change { visit, .. } => *visit,
            Self::Request(request) => request.visit,
        }
    }
}

/// Why an envelope is not taken at all; completes "failed to read an envelope: …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not signed by the key it names, or not in its one form.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The payload is no envelope in its one form.
    #[error("the payload is no envelope")]
    Garbage,
    /// A version this code does not know.
    #[error("the envelope's version is not known here")]
    Version,
    /// More than [`MAX_ITEMS`] items, none at all, or a request that is too large.
    #[error("the envelope has no items, more than 512, or one that is too large")]
    Size,
    /// A time before 1970 or after the year 9999.
    #[error("a time of the envelope is before 1970 or after the year 9999")]
    Time,
    /// The device named inside is not the key that signs.
    #[error("the device named in the envelope is not the one that signed it")]
    OtherDevice,
}

impl EnvelopeError {
    /// A stable code for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Signature(_) => "signature",
            Self::Garbage => "garbage",
            Self::Version => "version",
            Self::Size => "size",
            Self::Time => "time",
            Self::OtherDevice => "other_device",
        }
    }
}

/// An envelope with its signature, as it is stored and travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEnvelope {
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// What they say.
    pub envelope: Envelope,
}

impl SignedEnvelope {
    /// Signs an envelope with the device's key.
    pub fn sign(envelope: Envelope, signer: &dyn DeviceSigner) -> Result<Self, SignerError> {
        Ok(Self { bytes: sign(Purpose::Envelope, cbor::write(&envelope), signer)?, envelope })
    }

    /// The device an envelope says it is of: only to find the key by.
    pub fn claimed_device(bytes: &[u8]) -> Result<Thumbprint, EnvelopeError> {
        Ok(Sign1::read(bytes)?.signer())
    }

    /// Reads and verifies an envelope with the key of the device it names.
    pub fn verify(bytes: &[u8], key: &PublicKey) -> Result<Self, EnvelopeError> {
        let signed = Sign1::read(bytes)?;
        let payload = signed.verify(Purpose::Envelope, key)?;
        let envelope: Envelope = cbor::read_strict(payload, "envelope").map_err(|_| EnvelopeError::Garbage)?;
        if envelope.version != VERSION {
            return Err(EnvelopeError::Version);
        }
        let too_large = |item: &Item| match item {
            Item::Change { .. } => false,
            Item::Request(request) => {
                request.heads.len() > MAX_HEADS || cbor::write(&request.ask).len() > MAX_REQUEST_PAYLOAD
            }
        };
        if envelope.items.is_empty() || envelope.items.len() > MAX_ITEMS || envelope.items.iter().any(too_large) {
            return Err(EnvelopeError::Size);
        }
        if ![envelope.claimed_at, envelope.not_after].iter().all(|time| (0..=MAX_TIME).contains(time)) {
            return Err(EnvelopeError::Time);
        }
        if envelope.device != signed.signer() {
            return Err(EnvelopeError::OtherDevice);
        }
        Ok(Self { bytes: bytes.to_vec(), envelope })
    }

    /// The link this envelope makes in its device's chain: SHA-256 of the signed bytes.
    pub fn hash(&self) -> ChainHash {
        ChainHash(Sha256::digest(&self.bytes).into())
    }
}
