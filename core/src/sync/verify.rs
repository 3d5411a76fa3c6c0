//! Believing the hub: everything an answer says is verified before the store sees any of it.

use std::collections::BTreeMap;

use minicbor::Decode;

use super::machine::Disbelief;
use super::wire::SyncAnswer;
use crate::cbor;
use crate::feed::{PageHeader, Proof, Restored, Scope, ScopeHead, Statement, digest};
use crate::id::ChainHash;
use crate::keys::{KeySet, KeyUse, Purpose, Sign1, SignedKeySet};
use crate::receipt::Receipts;
use crate::store::{Delivery, OpenedPage, Position};

/// Why an answer is not taken.
pub(super) enum Doubt {
    Disbelief(Disbelief),
    /// The hub's database began another life: nothing else of the answer matters.
    Restored(Box<Restored>),
}

impl From<Disbelief> for Doubt {
    fn from(disbelief: Disbelief) -> Self {
        Self::Disbelief(disbelief)
    }
}

pub(super) struct Verified {
    pub(super) delivery: Delivery,
    /// The head of every scope after these pages.
    pub(super) heads: Vec<ScopeHead>,
    /// The heads after these pages are what the hub says it has.
    pub(super) digests_agree: bool,
}

/// What the hub signs with its feed key; each says when.
trait Dated: for<'b> Decode<'b, ()> {
    const PURPOSE: Purpose;
    const KIND: &'static str;
    fn signed_at(&self) -> i64;
}

impl Dated for Statement {
    const PURPOSE: Purpose = Purpose::Statement;
    const KIND: &'static str = "statement";
    fn signed_at(&self) -> i64 {
        self.time
    }
}

impl Dated for Receipts {
    const PURPOSE: Purpose = Purpose::Receipts;
    const KIND: &'static str = "receipts";
    fn signed_at(&self) -> i64 {
        self.time
    }
}

impl Dated for PageHeader {
    const PURPOSE: Purpose = Purpose::Page;
    const KIND: &'static str = "page header";
    fn signed_at(&self) -> i64 {
        self.time
    }
}

impl Dated for Restored {
    const PURPOSE: Purpose = Purpose::Restored;
    const KIND: &'static str = "restored";
    fn signed_at(&self) -> i64 {
        self.time
    }
}

/// Believes what a feed key of the set signed. The phone's own clock has no say in it: a wrong one stops no sync.
fn believe<T: Dated>(keys: &KeySet, floor: i64, bytes: &[u8]) -> Option<T> {
    let signed = Sign1::read(bytes).ok()?;
    let claimed: T = cbor::read(signed.unverified_payload(), T::KIND).ok()?;
    keys.verify_signed_at(&signed, T::PURPOSE, KeyUse::Feed, claimed.signed_at(), floor).ok()?;
    Some(claimed)
}

/// Believes an answer, or says what is wrong with it.
pub(super) fn verify(answer: &SyncAnswer, position: &Position, sent: &[u64]) -> Result<Verified, Doubt> {
    let identity = &position.identity;
    let newer = match &answer.key_set {
        None => None,
        Some(bytes) => {
            let offered =
                SignedKeySet::verify(bytes, &identity.organisation, &identity.root).map_err(|_| Disbelief::KeySet)?;
            if offered.set.version < position.key_set.set.version {
                return Err(Disbelief::KeySet.into());
            }
            Some(offered)
        }
    };
    let keys = &newer.as_ref().unwrap_or(&position.key_set).set;
    let floor = position.state.hub_time;
    let statement: Statement = believe(keys, floor, &answer.statement).ok_or(Disbelief::Statement)?;
    if statement.organisation != identity.organisation {
        return Err(Disbelief::Statement.into());
    }
    if let Some(bytes) = &answer.restored {
        let restored: Restored = believe(keys, floor, bytes).ok_or(Disbelief::Restored)?;
        let ours = restored.organisation == identity.organisation
            && restored.device == identity.device
            && restored.epoch == statement.epoch
            && restored.epoch != restored.previous
            && Some(restored.previous) == position.state.epoch;
        return Err(if ours { Doubt::Restored(Box::new(restored)) } else { Disbelief::Restored.into() });
    }
    if position.state.epoch.is_some_and(|epoch| epoch != statement.epoch) {
        return Err(Disbelief::Restored.into());
    }

    let receipts = match &answer.receipts {
        None => None,
        Some(bytes) => {
            let receipts: Receipts = believe(keys, floor, bytes).ok_or(Disbelief::Receipts)?;
            let ours = receipts.organisation == identity.organisation
                && receipts.device == identity.device
                && receipts.epoch == statement.epoch;
            if !ours {
                return Err(Disbelief::Receipts.into());
            }
            Some(receipts)
        }
    };

    let mut heads: BTreeMap<Scope, ScopeHead> =
        position.heads.iter().map(|head| (head.scope.clone(), head.clone())).collect();
    if let Some(scopes) = &answer.scopes {
        heads.retain(|scope, _| scopes.contains(scope));
        for scope in scopes {
            let none = ScopeHead { scope: scope.clone(), index: 0, head: ChainHash::ORIGIN };
            heads.entry(scope.clone()).or_insert(none);
        }
    }
    let mut pages = Vec::with_capacity(answer.pages.len());
    for page in &answer.pages {
        let header: PageHeader = believe(keys, floor, &page.header).ok_or(Disbelief::PageSignature)?;
        if header.organisation != identity.organisation || header.epoch != statement.epoch {
            return Err(Disbelief::Page.into());
        }
        let held = heads.get_mut(&header.scope).ok_or(Disbelief::Page)?;
        let rows = page.open(&header, held).map_err(|_| Disbelief::Page)?;
        *held = ScopeHead { scope: header.scope, index: header.last, head: header.head };
        pages.push(OpenedPage { previous: header.previous, head: held.clone(), rows });
    }
    let heads: Vec<ScopeHead> = heads.into_values().collect();
    let digests_agree = digest(&heads) == statement.digest;
    let proves = !answer.more && digests_agree;
    let delivery = Delivery {
        epoch: statement.epoch,
        hub_time: statement.time,
        clock_in_doubt: answer.clock_in_doubt,
        key_set: newer.filter(|set| set.set.version > position.key_set.set.version),
        sent: sent.to_vec(),
        receipts,
        scopes: answer.scopes.clone(),
        pages,
        complete: !answer.more,
        restart: false,
        proof: proves.then(|| Proof { statement: answer.statement.clone(), heads: heads.clone() }),
    };
    Ok(Verified { delivery, heads, digests_agree })
}
