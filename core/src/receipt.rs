//! Receipts: the hub's signed answer to each item a phone pushed. Only a receipt or a feed row empties an outbox.

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};

use crate::cbor;
use crate::envelope::ItemId;
use crate::id::{ChangeHash, HubEpoch, OrganisationId, Thumbprint};
use crate::keys::{DeviceSigner, Purpose, SignerError, sign};

/// The receipts of one answer, signed together for [`Purpose::Receipts`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipts {
    /// The organisation.
    #[n(0)]
    pub organisation: OrganisationId,
    /// The life of the hub's database that accepted.
    #[n(1)]
    pub epoch: HubEpoch,
    /// The device whose items these are.
    #[n(2)]
    pub device: Thumbprint,
    /// The hub's time, Unix seconds.
    #[n(3)]
    pub time: i64,
    /// One for each item that was judged.
    #[n(4)]
    pub receipts: Vec<Receipt>,
}

/// The answer to one item.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The item.
    #[n(0)]
    pub item: ItemId,
    /// What became of it.
    #[n(1)]
    #[cbor(decode_with = "known_or_later")]
    pub verdict: Verdict,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Verdict {
    /// Taken; the number is the hub's sequence for the item.
    #[n(0)]
    Accepted(#[n(0)] u64),
    /// Written on top of a value that is no longer the accepted one: pull, and replay the intent.
    #[n(1)]
    Stale {
        /// The document's keys that have moved on.
        #[n(0)]
        keys: Vec<String>,
        /// The accepted heads.
        #[n(1)]
        heads: Vec<ChangeHash>,
    },
    /// Refused for good: only a new change or request revives the intent.
    #[n(2)]
    Refused(#[n(0)] Refusal),
    /// Refused because something it builds on was.
    #[n(3)]
    DependencyRefused,
    /// The visit was erased.
    #[n(4)]
    Erased,
    /// It cannot be judged yet: the hub was restored from a backup, and what the item builds on may still come from
    /// another phone. It is kept, and sent again.
    #[n(5)]
    Later,
    /// A verdict of a later version, by its number: only ever read. The item is kept and counts as not answered.
    #[n(4_294_967_295)]
    Unknown(#[n(0)] u32),
}

/// The number of the last verdict this version knows.
const LAST_VERDICT: u32 = 5;

/// A verdict is `[number, [field, …]]`; of a number that is not known here only the number is taken.
fn known_or_later<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Verdict, DecodeError> {
    let mut ahead = d.probe();
    let is_a_verdict = ahead.array()? == Some(2);
    let number = ahead.u32()?;
    if is_a_verdict && number > LAST_VERDICT {
        d.skip()?;
        return Ok(Verdict::Unknown(number));
    }
    Verdict::decode(d, ctx)
}

/// Why an item is refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(map)]
pub struct Refusal {
    /// A stable code for programs.
    #[n(0)]
    pub code: String,
    /// What is wrong and what to do; no personal data.
    #[n(1)]
    pub message: String,
    /// The field at fault, if it is one.
    #[n(2)]
    pub field: Option<String>,
}

impl Receipts {
    /// Signs the receipts with the hub's feed key.
    pub fn sign(&self, signer: &dyn DeviceSigner) -> Result<Vec<u8>, SignerError> {
        sign(Purpose::Receipts, cbor::write(self), signer)
    }
}
