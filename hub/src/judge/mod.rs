//! Judging what phones push, and answering what they ask for: one write transaction for both.
//!
//! A push is a list of envelopes. [`push`] reads and verifies each with the key of the device that syncs: what is not
//! signed, or does not follow the device's last envelope, is turned away and not kept. Each item is then judged in
//! order: a [`change`] against the profile, the [`rights`] of its author in the state just before it, and the
//! [`validity`] of the values it leaves; a [`request`] against the rights and, if it decides something, against what its
//! author had seen. What is accepted is recorded ([`crate::record`]); what is not goes to the quarantine with its
//! verdict, and changes nothing else. Every verdict is final for its item: the same item again gets the same answer.

mod change;
mod documents;
mod push;
pub(crate) mod refusal;
mod request;
pub mod rights;
#[cfg(test)]
pub(crate) mod tests;
mod validity;

use minicbor::bytes::ByteVec;
use rusqlite::Transaction;
use vestibule_core::receipt::{Receipts, Verdict};
use vestibule_core::sync::wire::{MAX_PUSH, MAX_PUSH_ITEMS, SyncAnswer, SyncRequest, VERSION};

pub use crate::feed::SyncProblem;
pub use crate::store::devices::Device;
pub use documents::Documents;

use crate::context::Context;
use crate::feed;
use crate::issuer::Access;
use crate::moment::Moment;
use crate::restore;
use crate::store::{StoreError, devices, organisations, quarantine};

/// Takes what a phone pushes, then gives it what it has not seen. `sender` is who its access token says it is;
/// `documents` are those judged lately.
///
/// With nothing to push this writes nothing, and may run in a read transaction.
///
/// # Errors
/// A problem with the request as a whole: roll the transaction back. What is wrong with one envelope or item is in the
/// answer.
pub fn sync(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    documents: &Documents,
    sender: &Access,
    request: &SyncRequest,
) -> Result<SyncAnswer, SyncProblem> {
    // The device and its member as they are in this transaction, whatever the access token says.
    let (device, member) =
        devices::in_use(tx, &context.organisation, &sender.device, &sender.member)?.ok_or(SyncProblem::SignInAgain)?;
    if request.version != VERSION {
        return Err(SyncProblem::Version);
    }
    if request.organisation != context.organisation {
        return Err(SyncProblem::OtherOrganisation);
    }
    let pushed = |envelope: &vestibule_core::sync::wire::PushedEnvelope| {
        envelope.envelope.len() + envelope.chunks.iter().map(|chunk| chunk.len()).sum::<usize>()
    };
    if request.push.len() > MAX_PUSH_ITEMS || request.push.iter().map(pushed).sum::<usize>() > MAX_PUSH {
        return Err(SyncProblem::TooLarge);
    }

    let epoch = organisations::epoch(tx)?.ok_or(StoreError::Corrupt("epoch"))?;
    let epoch = match &request.proof {
        Some(proof) if feed::proves(tx, context, epoch, proof)? => restore::found_out(tx, moment, proof)?,
        _ => epoch,
    };
    if let Some(known) = request.epoch.filter(|known| *known != epoch) {
        // What was pushed is looked at when the phone knows with whom it speaks.
        return feed::restored(tx, context, moment, (&device, &member), known, request);
    }

    let (mut receipts, mut turned_away) = (Vec::new(), Vec::new());
    let mut judge = push::Judge::new(tx, context, moment, documents, &device, &member);
    for (index, envelope) in (0..).zip(&request.push) {
        match judge.take(envelope)? {
            push::Taken::Judged(more) => receipts.extend(more),
            push::Taken::TurnedAway(why) => turned_away.push(why.at(index)),
        }
    }
    judge.done();
    // All that is quarantined was turned away or not accepted.
    if !turned_away.is_empty() || receipts.iter().any(|receipt| !matches!(receipt.verdict, Verdict::Accepted(_))) {
        quarantine::keep_within(tx, &device)?;
    }
    let receipts = if request.push.is_empty() {
        None
    } else {
        let signed = Receipts {
            organisation: context.organisation.clone(),
            epoch,
            device: device.thumbprint,
            time: moment.unix(),
            receipts,
        };
        Some(ByteVec::from(signed.sign(&context.keys.feed)?))
    };
    let pulled = feed::pull(tx, context, moment, &member, request)?;
    Ok(SyncAnswer {
        statement: pulled.statement.into(),
        receipts,
        turned_away,
        pages: pulled.pages,
        more: pulled.remaining > 0,
        remaining: pulled.remaining,
        scopes: pulled.scopes,
        key_set: pulled.key_set.map(ByteVec::from),
        clock_in_doubt: !moment.is_certain(),
        restored: None,
    })
}
