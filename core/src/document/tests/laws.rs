//! Laws that hold for any bytes and any history.

use automerge::{Automerge, ROOT, ReadDoc};
use proptest::prelude::*;

use super::*;
use crate::document::Value;

fn any_write() -> impl Strategy<Value = Write> {
    let key = prop::sample::select(Key::ALL.to_vec()).prop_filter("writable later", |key| !key.is_of_first_change());
    (key, prop::option::weighted(0.8, "[a-zé😀 ]{1,16}")).prop_map(|(key, text)| match text {
        _ if key.is_flag() => Write::raise(key),
        Some(text) if !key.takes(&text) => Write::set(key, of_its_form(key)),
        Some(text) => Write::set(key, text),
        None => Write::clear(key),
    })
}

fn any_writes() -> impl Strategy<Value = Vec<Write>> {
    prop::collection::vec(any_write(), 1..6).prop_map(|mut writes| {
        writes.sort_by_key(|write| write.key);
        writes.dedup_by_key(|write| write.key);
        writes
    })
}

/// A step of several phones: who writes, how many accepted changes it has not seen yet, and what.
fn any_steps() -> impl Strategy<Value = Vec<(u8, usize, Vec<Write>)>> {
    prop::collection::vec((0_u8..4, 0_usize..4, any_writes()), 1..12)
}

/// What automerge shows of the document, by key.
fn shown(doc: &Automerge) -> Vec<(String, Value)> {
    doc.keys(ROOT)
        .map(|key| {
            let all = doc.get_all(ROOT, key.as_str()).expect("reads");
            assert_eq!(all.len(), 1, "{key} has no conflict");
            let value = match all[0].0.as_str() {
                Some(text) => Value::from(text),
                None => Value::True,
            };
            (key, value)
        })
        .collect()
}

fn ours(replica: &Replica) -> Vec<(String, Value)> {
    let mut values: Vec<_> = replica.values().map(|(key, value)| (key.to_string(), value.clone())).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any sequence of writes by several actors, some of which have not seen the last changes: what fits is a state
    /// that automerge, a reload and our own rules agree about; what is stale fits after it is written again.
    #[test]
    fn everybody_sees_the_same(steps in any_steps()) {
        let mut states = vec![made()];
        for (who, behind, writes) in steps {
            let mut replica = states.last().expect("one").clone();
            let seen = &states[states.len().saturating_sub(1 + behind)];
            let actor = ActorId([who; 16]);
            let intent = |seen: &Replica| seen.write(actor, &writes, NOW).expect("may be written");
            let Some(change) = intent(seen) else { continue };
            match replica.check(change, &actor) {
                Ok(Verdict::Fits(checked)) => replica.apply(checked).expect("fits"),
                Ok(Verdict::Stale { .. }) | Err(Refusal::SeqReused | Refusal::BadSeq | Refusal::Already) => {
                    let Some(again) = intent(&replica) else { continue };
                    accept(&mut replica, &again);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
            states.push(replica);
        }
        let replica = states.last().expect("one");
        let doc = Automerge::load(&replica.export().expect("exports")).expect("loads");
        prop_assert_eq!(shown(&doc), ours(replica));
        let reloaded = Replica::load(visit(), replica.changes().map(|(_, bytes)| bytes)).expect("loads");
        prop_assert_eq!(ours(&reloaded), ours(replica));
        prop_assert_eq!(reloaded.heads(), replica.heads());
    }

    /// Values survive the way through bytes as they are.
    #[test]
    fn what_is_written_is_read(first in any_writes(), second in any_writes()) {
        let mut replica = Replica::empty(visit());
        for writes in [&first, &second] {
            if let Ok(Some(change)) = replica.write(ADA, writes, NOW) {
                prop_assert_eq!(&ParsedChange::read(&change.bytes), &Ok(change.clone()));
                replica.accept(change).expect("fits");
            }
        }
        for write in second.iter().filter(|write| !write.key.is_flag()) {
            prop_assert_eq!(replica.value(write.key), write.value.as_ref());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Any bytes, with the header made right: never a panic, and what passes all checks is exactly what we would write.
    #[test]
    fn random_bodies_never_pass_by_accident(kind in 0_u8..4, body in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ParsedChange::read(&body).is_err());
        prop_assert!(ParsedChange::read(&chunk(kind, &body)).is_err());
    }

    /// A valid chunk with bytes changed, cut or put in, and its checksum made right again: never a panic. What still
    /// reads says something automerge would write in these very bytes, or the check refuses it.
    #[test]
    fn mutants_are_refused_or_honest(
        edit: bool,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3, prop::collection::vec(any::<u8>(), 0..3)), 1..4),
    ) {
        let (base, change) = if edit {
            let base = made();
            let writes = [Write::set(Key::FirstName, "G."), Write::clear(Key::Email), Write::raise(Key::Cancelled)];
            let change = write(&base, BOB, &writes);
            (base, change)
        } else {
            let base = Replica::empty(visit());
            let change = write(&base, ADA, &[Write::set(Key::FirstName, "Grace"), Write::set(Key::Email, "a@b.ch")]);
            (base, change)
        };
        let mut mutant = body(&change.bytes);
        for (at, len, with) in cuts {
            let start = at.index(mutant.len());
            let end = (start + len).min(mutant.len());
            mutant.splice(start..end, with);
            prop_assume!(!mutant.is_empty());
        }
        let bytes = chunk(1, &mutant);
        if let Ok(Verdict::Fits(checked)) = check(&base, &bytes) {
            let theirs = automerge::Change::from_bytes(bytes.clone()).expect("automerge reads what we take");
            let again = automerge::Change::from(theirs.decode());
            prop_assert_eq!(again.raw_bytes(), &bytes[..]);
            prop_assert_eq!(again.hash().0, checked.change().hash.0);
        }
    }
}
