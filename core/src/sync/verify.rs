//! Believing the hub: everything an answer says is verified before the store sees any of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::machine::Disbelief;
use super::wire::SyncAnswer;
use crate::cbor;
use crate::feed::{PageHeader, Proof, Restored, Scope, ScopeHead, Statement, digest};
use crate::id::ChainHash;
use crate::keys::{KeyUse, Purpose, Sign1, SignedKeySet};
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

/// Believes an answer, or says what is wrong with it.
pub(super) fn verify(
    answer: &SyncAnswer,
    position: &Position,
    sent: &[u64],
    now: DateTime<Utc>,
) -> Result<Verified, Doubt> {
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
    // The highest time the hub has signed is a floor: a phone whose clock is behind believes no retired key.
    let floor = DateTime::from_timestamp(position.state.hub_time, 0).unwrap_or(now);
    let at = now.max(floor);
    let believe = |bytes: &[u8], purpose: Purpose, otherwise: Disbelief| -> Result<Vec<u8>, Disbelief> {
        let signed = Sign1::read(bytes).map_err(|_| otherwise)?;
        keys.verify(&signed, purpose, KeyUse::Feed, at).map(<[u8]>::to_vec).map_err(|_| otherwise)
    };

    let bytes = believe(&answer.statement, Purpose::Statement, Disbelief::Statement)?;
    let statement: Statement = cbor::read(&bytes, "statement").map_err(|_| Disbelief::Statement)?;
    if statement.organisation != identity.organisation {
        return Err(Disbelief::Statement.into());
    }
    // The time becomes a floor for this phone's clock: one at which the hub's own keys have run out is a mistake that
    // would outlast every answer after it.
    if !keys.keys.iter().any(|entry| entry.usage == KeyUse::Feed && statement.time < entry.not_after) {
        return Err(Disbelief::Statement.into());
    }
    if let Some(bytes) = &answer.restored {
        let bytes = believe(bytes, Purpose::Restored, Disbelief::Restored)?;
        let restored: Restored = cbor::read(&bytes, "restored").map_err(|_| Disbelief::Restored)?;
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
            let bytes = believe(bytes, Purpose::Receipts, Disbelief::Receipts)?;
            let receipts: Receipts = cbor::read(&bytes, "receipts").map_err(|_| Disbelief::Receipts)?;
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
        let signed = believe(&page.header, Purpose::Page, Disbelief::PageSignature)?;
        let header: PageHeader = cbor::read(&signed, "page header").map_err(|_| Disbelief::PageSignature)?;
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
        key_set: newer.filter(|set| set.set.version > position.key_set.set.version),
        sent: sent.to_vec(),
        receipts,
        scopes: answer.scopes.clone(),
        pages,
        complete: !answer.more,
        restart: false,
        proof: proves.then(|| Proof { statement: answer.statement.clone(), heads: heads.clone() }),
    };
    Ok(Verified { delivery, digests_agree, heads })
}
