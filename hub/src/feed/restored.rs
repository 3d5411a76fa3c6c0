//! Speaking with a phone that knows an earlier life of the database, or one that was never told that another has begun.

use minicbor::bytes::ByteVec;
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::feed::{Proof, Restored, Statement, digest};
use vestibule_core::id::HubEpoch;
use vestibule_core::keys::{DeviceSigner as _, Purpose, Sign1};
use vestibule_core::sync::wire::{SyncAnswer, SyncRequest};

use super::{SyncProblem, held};
use crate::context::Context;
use crate::moment::Moment;
use crate::restore;
use crate::store::devices::Device;
use crate::store::members::MemberRecord;
use crate::store::{StoreError, devices, feed, organisations};

/// Tells a phone that the database has another life than the one it knows, and where its envelopes stand in it.
pub fn restored(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &Moment<'_>,
    (device, member): (&Device, &MemberRecord),
    known: HubEpoch,
    request: &SyncRequest,
) -> Result<SyncAnswer, SyncProblem> {
    let organisation = &context.organisation;
    let record = organisations::get(tx, organisation)?.ok_or(SyncProblem::OtherOrganisation)?;
    let epoch = organisations::epoch(tx)?.ok_or(StoreError::Corrupt("epoch"))?;
    let version = organisations::key_set_version(tx, organisation)?;
    let scopes = held(tx, organisation, member)?;
    let heads = scopes.iter().map(|scope| feed::head(tx, organisation, scope)).collect::<Result<Vec<_>, _>>()?;
    let statement = Statement {
        organisation: organisation.clone(),
        epoch,
        time: moment.unix(),
        digest: digest(&heads),
        key_set: version,
        log: record.log_head,
    };
    let last = devices::last_envelope(tx, device)?;
    let (counter, hash) = last.unwrap_or((0, vestibule_core::id::ChainHash::ORIGIN));
    let restored = Restored {
        organisation: organisation.clone(),
        epoch,
        previous: known,
        restored_to: restore::restored_to(tx, known)?,
        time: moment.unix(),
        device: device.thumbprint,
        counter,
        hash,
    };
    let newer = if request.key_set < version { organisations::current_key_set(tx, organisation)? } else { None };
    Ok(SyncAnswer {
        statement: statement.sign(&context.keys.feed)?.into(),
        receipts: None,
        turned_away: Vec::new(),
        pages: Vec::new(),
        more: true,
        remaining: 0,
        scopes: None,
        key_set: newer.map(|(_, bytes)| ByteVec::from(bytes)),
        clock_in_doubt: !moment.is_certain(),
        restored: Some(restored.sign(&context.keys.feed)?.into()),
    })
}

/// Whether a phone shows that this database is older than it was: with this very key the hub has signed, in this life of
/// the database, that it stood at heads one of which it does not know. Nobody else can make such a statement, and a hub
/// that has not gone back knows every head it has ever signed.
pub fn proves(tx: &Transaction<'_>, context: &Context, epoch: HubEpoch, proof: &Proof) -> Result<bool, StoreError> {
    let Ok(signed) = Sign1::read(&proof.statement) else { return Ok(false) };
    let Ok(payload) = signed.verify(Purpose::Statement, &context.keys.feed.public_key()) else { return Ok(false) };
    let Ok(said) = cbor::read::<Statement>(payload, "statement") else { return Ok(false) };
    let ours = said.organisation == context.organisation && said.epoch == epoch && said.digest == digest(&proof.heads);
    if !ours {
        return Ok(false);
    }
    for head in &proof.heads {
        if feed::head_at(tx, &context.organisation, &head.scope, head.index)? != Some(head.head) {
            return Ok(true);
        }
    }
    Ok(false)
}
