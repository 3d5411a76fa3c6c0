//! Key sets: the hub's present keys and how long they are believed, signed by the root.
//!
//! A renewal never takes anything back. A key is believed over the whole of what any set has said of it, and of the moment
//! of the renewal, whatever the clock said in between: so there is no time the hub has signed at, or signs at now, that a
//! phone with the newest set does not believe.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use vestibule_core::cbor;
use vestibule_core::keys::{DeviceSigner, KeyEntry, KeySet, KeyUse, Sign1, SignedKeySet, SoftwareSigner};

use super::OrganisationError;
use crate::context::Context;
use crate::moment::Moment;
use crate::store::{StoreError, organisations};

/// How long a key set is good for: a phone that stays offline longer wants a newer one first.
const LIFE: TimeDelta = TimeDelta::days(400);
/// How far the hub's keys are believed before the moment they were made: clocks are set.
const MARGIN: TimeDelta = TimeDelta::days(1);
/// A key set with less life left is followed by another: half of its life, so that a phone that syncs twice a year never
/// holds an expired one.
const RENEWAL: TimeDelta = TimeDelta::days(200);

/// The organisation's signed key set: the newest, or the next, signed by the root, if that has not long to live or does
/// not hold at this moment. While the clock is in doubt nothing is renewed.
pub fn key_set(tx: &Transaction<'_>, context: &Context, moment: &Moment<'_>) -> Result<Vec<u8>, OrganisationError> {
    match organisations::current_key_set(tx, &context.organisation)? {
        Some((_, bytes)) if !moment.is_certain() || holds(&bytes, moment.now)? => Ok(bytes),
        _ => Ok(sign_key_set(tx, context, moment)?.bytes),
    }
}

/// Whether the newest key set holds at `now`, and for long enough.
pub fn key_set_holds(tx: &Transaction<'_>, context: &Context, now: DateTime<Utc>) -> Result<bool, OrganisationError> {
    let newest = organisations::current_key_set(tx, &context.organisation)?;
    Ok(newest.map(|(_, bytes)| holds(&bytes, now)).transpose()?.unwrap_or(false))
}

fn holds(bytes: &[u8], now: DateTime<Utc>) -> Result<bool, StoreError> {
    let (set, now) = (ours(bytes)?, now.timestamp());
    let lives = set.expires_at.saturating_sub(now) > RENEWAL.num_seconds();
    Ok(lives && set.keys.iter().all(|entry| (entry.not_before..entry.not_after).contains(&now)))
}

/// Lets the root sign the next key set over the hub's present keys.
pub fn sign_key_set(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &Moment<'_>,
) -> Result<SignedKeySet, OrganisationError> {
    let id = &context.organisation;
    let version = organisations::key_set_version(tx, id)? + 1;
    let (from, until) = ((moment.now - MARGIN).timestamp(), (moment.now + LIFE).timestamp());
    let before: Vec<KeySet> =
        organisations::key_sets(tx, id)?.iter().map(|bytes| ours(bytes)).collect::<Result<_, _>>()?;
    let entry = |usage, signer: &SoftwareSigner| {
        let key = signer.public_key();
        let known = || before.iter().flat_map(|set| &set.keys).filter(|known| known.usage == usage && known.key == key);
        KeyEntry {
            not_before: known().map(|known| known.not_before).fold(from, i64::min),
            not_after: known().map(|known| known.not_after).fold(until, i64::max),
            usage,
            key,
        }
    };
    let keys = &context.keys;
    let keys = vec![
        entry(KeyUse::Feed, &keys.feed),
        entry(KeyUse::Log, &keys.log),
        entry(KeyUse::Grant, &keys.grant),
        entry(KeyUse::Qr, &keys.qr),
    ];
    let root = context.keys.root.public_key();
    let set = KeySet { organisation: id.clone(), version, root, keys, issued_at: moment.unix(), expires_at: until };
    let signed = SignedKeySet::sign(set, &context.keys.root)?;
    organisations::insert_key_set(tx, id, version, &signed.bytes, until)?;
    Ok(signed)
}

/// A set from our own database: it needs no verifying.
fn ours(bytes: &[u8]) -> Result<KeySet, StoreError> {
    let signed = Sign1::read(bytes).map_err(|_| StoreError::Corrupt("key set"))?;
    cbor::read(signed.unverified_payload(), "key set").map_err(|_| StoreError::Corrupt("key set"))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use vestibule_core::cbor;
    use vestibule_core::feed::Statement;
    use vestibule_core::keys::{DeviceSigner as _, KeyUse, Purpose, Sign1, SignedKeySet};

    use super::{key_set, sign_key_set};
    use crate::judge::tests::World;
    use crate::moment::Moment;
    use crate::store::organisations;

    /// The root signs a key set that names each of the hub's keys for its use, and the next one counts up.
    #[test]
    fn the_root_signs_the_key_sets() {
        let mut world = World::new();
        world.write(|tx, context, moment| sign_key_set(tx, context, moment).map(drop)).expect("signed");
        let id = world.context.organisation.clone();
        let (version, bytes) =
            world.store.read(|tx| organisations::current_key_set(tx, &id)).expect("a database").expect("a key set");
        let root = world.context.keys.root.public_key().thumbprint().expect("a key");
        let set = SignedKeySet::verify(&bytes, &id, &root).expect("signed by the root").set;
        assert_eq!((version, set.version), (2, 2));
        let keys = &world.context.keys;
        for (usage, signer) in
            [(KeyUse::Feed, &keys.feed), (KeyUse::Log, &keys.log), (KeyUse::Grant, &keys.grant), (KeyUse::Qr, &keys.qr)]
        {
            let key = signer.public_key();
            assert_eq!(set.find(&key.thumbprint().expect("a key"), usage, world.now), Some(&key));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Wherever the hub's clock goes, and whenever a set is renewed on the way: what the hub signs is believed by a
        /// phone that has just been given the newest set, whatever the phone has heard of the hub before; no key's time is
        /// ever cut, and the versions rise.
        #[test]
        fn there_is_never_a_gap(moves in prop::collection::vec((-800_i64..1_200, any::<bool>()), 1..12)) {
            let mut world = World::new();
            let id = world.context.organisation.clone();
            let root = world.context.keys.root.public_key().thumbprint().expect("a key");
            let mut floors = vec![0_i64];
            let mut before: Option<SignedKeySet> = None;
            for (days, renews) in moves {
                world.later(TimeDelta::days(days));
                if renews {
                    world.write(|tx, context, moment| sign_key_set(tx, context, moment).map(drop)).expect("signed");
                }
                let newest = world.write(|tx, context, moment| key_set(tx, context, moment)).expect("a key set");
                let newest = SignedKeySet::verify(&newest, &id, &root).expect("signed by the root");
                let hand = world.enrol("ada");
                let statement = Sign1::read(&world.sync(&hand, Vec::new()).statement).expect("signed");
                let said: Statement = cbor::read(statement.unverified_payload(), "statement").expect("a statement");
                floors.push(said.time);
                for &floor in &floors {
                    let believed =
                        newest.set.verify_signed_at(&statement, Purpose::Statement, KeyUse::Feed, said.time, floor);
                    prop_assert!(believed.is_ok(), "signed at {} with {floor} heard: {:?}", said.time, newest.set);
                }
                if let Some(before) = &before {
                    prop_assert!(newest.set.version >= before.set.version);
                    for (old, new) in before.set.keys.iter().zip(&newest.set.keys) {
                        prop_assert!(new.not_before <= old.not_before && new.not_after >= old.not_after);
                    }
                }
                before = Some(newest);
            }
        }
    }

    /// While the clock is in doubt no key is renewed, however little life the set has.
    #[test]
    fn nothing_is_renewed_in_doubt() {
        let mut world = World::new();
        world.later(TimeDelta::days(300));
        let version = |world: &mut World| {
            let id = world.context.organisation.clone();
            world.store.read(|tx| organisations::key_set_version(tx, &id)).expect("a database")
        };
        let doubted = world.now;
        world
            .write(|tx, context, moment| {
                let in_doubt = Moment { doubted: Some(doubted), ..Moment::new(moment.now, &mut *moment.rng) };
                key_set(tx, context, &in_doubt).map(drop)
            })
            .expect("a key set");
        assert_eq!(version(&mut world), 1);
        world.write(|tx, context, moment| key_set(tx, context, moment)).expect("a key set");
        assert_eq!(version(&mut world), 2);
    }
}
