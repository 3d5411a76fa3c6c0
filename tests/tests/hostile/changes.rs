//! Changes that do not fit the profile, or do not fit where they claim to belong.

use std::num::NonZeroU64;

use automerge::legacy;
use sha2::{Digest as _, Sha256};
use vestibule_core::document::{ParsedChange, Replica, Write, actor_id};
use vestibule_core::envelope::Item;
use vestibule_core::id::{ActorId, ActorSalt};
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::Key;
use vestibule_tests::hostile::{Device, Document, Sent, unique};

use crate::scene::{Expected, Scene, field, refused, turned_away, visit_at, visit_with};

/// What an attacker makes of a document it may edit.
type Make = fn(&Document) -> Sent;

fn phone() -> [Write; 1] {
    [Write::set(Key::Phone, "+41 44 999")]
}

pub fn put(key: &str, value: impl Into<automerge::ScalarValue>, pred: Vec<legacy::OpId>) -> legacy::Op {
    legacy::Op {
        action: legacy::OpType::Put(value.into()),
        obj: legacy::ObjectId::Root,
        key: legacy::Key::Map(key.into()),
        pred: pred.into(),
        insert: false,
    }
}

fn op_id(counter: u64, actor: ActorId) -> legacy::OpId {
    legacy::OpId(counter, automerge::ActorId::from(&actor.0[..]))
}

/// A chunk of any body, with the right length and checksum.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    uleb(body.len() as u64, &mut hashed);
    hashed.extend(body);
    let mut bytes = vec![0x85, 0x6F, 0x4A, 0x83];
    bytes.extend(&Sha256::digest(&hashed)[..4]);
    bytes.extend(hashed);
    bytes
}

fn uleb(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7F).expect("seven bits");
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// A first change of these columns: no dependencies, the document's actor, number 1, no message, no other actors.
fn with_columns(document: &Document, columns: &[(u32, &[u8])]) -> Vec<u8> {
    let mut body = vec![0, 16];
    body.extend(document.actor.0);
    body.extend([1, 1, 0, 0, 0]);
    uleb(columns.len() as u64, &mut body);
    for (number, bytes) in columns {
        uleb(u64::from(*number), &mut body);
        uleb(bytes.len() as u64, &mut body);
    }
    for (_, bytes) in columns {
        body.extend(*bytes);
    }
    chunk(1, &body)
}

/// 134,217,728 operations in 74 bytes: run lengths of the columns key, insert, action, value, number of preds.
fn millions_of_operations(document: &Document) -> Sent {
    let run = [0x80, 0x80, 0x80, 0xC0, 0x00];
    let key = [&run[..], &[2, b'i', b'd']].concat();
    let action = [&run[..], &[1]].concat();
    let meta = [&run[..], &[0]].concat();
    let columns = [(0x15, &key[..]), (0x34, &[0x80, 0x80, 0x80, 0x40]), (0x42, &action), (0x56, &meta), (0x70, &meta)];
    let bytes = with_columns(document, &columns);
    assert_eq!(bytes.len(), 74);
    document.sent(bytes)
}

/// 4 MB of text that automerge's own writer deflates to one small chunk.
fn inflating(document: &Document) -> Sent {
    let long = "x".repeat(4 << 20);
    let mut expanded = automerge::Change::from_bytes(document.write(&phone()).bytes).expect("reads").decode();
    expanded.operations.push(put("message", long.as_str(), vec![]));
    let bytes = automerge::Change::from(expanded).bytes().to_vec();
    assert!(bytes[8] == 2 && bytes.len() < 16 << 10, "{} bytes", bytes.len());
    document.sent(bytes)
}

fn oversized(document: &Document) -> Sent {
    document.altered(&phone(), |change| change.operations.push(put("message", "x".repeat(20_000).as_str(), vec![])))
}

/// Bytes that are no change, or one of another form.
#[test]
fn bytes_of_no_change() {
    let rows: [(&str, Expected, Make); 15] = [
        ("74 bytes that claim millions of operations", refused("too_many_operations"), millions_of_operations),
        ("an inflating chunk", refused("compressed"), inflating),
        ("an inflating column", refused("compressed"), |document| {
            document.sent(with_columns(document, &[(0x15 | 8, &[1])]))
        }),
        ("an oversized change", refused("oversized"), oversized),
        ("oversized garbage", refused("oversized"), |document| document.sent(vec![0; (16 << 10) + 1])),
        ("garbage", refused("garbage"), |document| document.sent(b"garbage, and nothing but garbage".to_vec())),
        ("9 bytes", refused("garbage"), |document| document.sent(vec![0x85, 0x6F, 0x4A, 0x83, 0, 0, 0, 0, 1])),
        ("a wrong checksum", refused("garbage"), |document| {
            let mut bytes = document.write(&phone()).bytes;
            bytes[4] ^= 1;
            document.sent(bytes)
        }),
        ("a change that is cut", refused("garbage"), |document| {
            let mut bytes = document.write(&phone()).bytes;
            bytes.pop();
            document.sent(bytes)
        }),
        ("a whole document in place of a change", refused("garbage"), |document| {
            document.sent(document.replica.export().expect("exports"))
        }),
        ("two changes in one chunk", refused("trailing_bytes"), |document| {
            document.sent([document.write(&phone()).bytes, document.write(&phone()).bytes].concat())
        }),
        ("bytes behind the columns", refused("extra_bytes"), |document| {
            document.altered(&phone(), |change| change.extra_bytes = vec![1, 1, 65])
        }),
        ("a commit message", refused("message"), |document| {
            document.altered(&phone(), |change| change.message = Some("hidden".into()))
        }),
        ("no operation", refused("no_operations"), |document| document.altered(&phone(), |c| c.operations.clear())),
        ("a time before 1970", refused("bad_time"), |document| document.altered(&phone(), |change| change.time = -1)),
    ];
    run(&rows);
}

/// Operations elsewhere than at known keys of the root, or with values of another kind.
#[test]
fn operations_outside_of_the_profile() {
    let rows: [(&str, Expected, Make); 13] = [
        ("an unknown key", refused("unknown_key"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("note", "x", vec![])))
        }),
        ("a PIN of one's own", refused("unknown_key"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("pin", "123456", vec![])))
        }),
        ("a status of one's own", refused("unknown_key"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("status", "upcoming", vec![])))
        }),
        ("the same key twice", field("repeated_key", "phone"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("phone", "+41 44 1", vec![])))
        }),
        ("65 operations", refused("too_many_operations"), |d| {
            d.altered(&phone(), |c| (0..64).for_each(|n| c.operations.push(put(&format!("k{n}"), "x", vec![]))))
        }),
        ("a key inside another", refused("not_root"), |d| {
            d.altered(&phone(), |c| {
                let within = legacy::ObjectId::Id(op_id(1, d.actor));
                c.operations.push(legacy::Op { obj: within, ..put("company", "x", vec![]) });
            })
        }),
        ("a list", refused("bad_action"), |d| {
            d.altered(&phone(), |c| {
                let action = legacy::OpType::Make(automerge::ObjType::List);
                c.operations.push(legacy::Op { action, ..put("company", "x", vec![]) });
            })
        }),
        ("a number", field("bad_value", "company"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("company", 5_i64, vec![])))
        }),
        ("an empty text", field("bad_value", "company"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("company", "", vec![])))
        }),
        ("a flag lowered", field("bad_value", "cancelled"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("cancelled", false, vec![])))
        }),
        ("another id", field("written_once", "id"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("id", "x", vec![op_id(1, d.actor)])))
        }),
        ("another source", field("written_once", "source"), |d| {
            d.altered(&phone(), |c| c.operations.push(put("source", "api", vec![])))
        }),
        ("a deletion of nothing", refused("bad_action"), |d| {
            d.altered(&phone(), |c| {
                c.operations.push(legacy::Op { action: legacy::OpType::Delete, ..put("company", "x", vec![]) });
            })
        }),
    ];
    run(&rows);
}

/// A place in the history that is not the change's own.
#[test]
fn places_in_the_history() {
    let rows: [(&str, Expected, Make); 11] = [
        ("a gap in seq", refused("bad_seq"), |d| d.altered(&phone(), |c| c.seq += 1)),
        ("seq 0", refused("bad_seq"), |d| d.altered(&phone(), |c| c.seq = 0)),
        ("the largest seq", refused("bad_seq"), |d| d.altered(&phone(), |c| c.seq = u64::MAX)),
        ("a pred of another key", field("foreign_pred", "phone"), |d| {
            d.altered(&phone(), |c| c.operations[0].pred = vec![op_id(2, first_author(d))].into())
        }),
        ("a pred of nobody", field("foreign_pred", "phone"), |d| {
            d.altered(&phone(), |c| c.operations[0].pred = vec![op_id(1, ActorId([9; 16]))].into())
        }),
        ("a pred of the future", field("foreign_pred", "phone"), |d| {
            d.altered(&phone(), |c| c.operations[0].pred = vec![op_id(1_000_000, d.actor)].into())
        }),
        ("two preds", field("foreign_pred", "phone"), |d| {
            d.altered(&phone(), |c| {
                c.operations[0].pred = vec![op_id(2, first_author(d)), op_id(3, first_author(d))].into();
            })
        }),
        ("operations counted from elsewhere", refused("bad_start_op"), |d| {
            d.altered(&phone(), |c| c.start_op = NonZeroU64::new(1_000_000).expect("not zero"))
        }),
        ("a dependency nobody has", refused("missing_dep"), |d| {
            d.altered(&phone(), |c| c.deps = vec![automerge::ChangeHash([7; 32])])
        }),
        ("nine dependencies", refused("too_many_deps"), |d| {
            d.altered(&phone(), |c| c.deps = (1..10).map(|n| automerge::ChangeHash([n; 32])).collect())
        }),
        ("a second first change", refused("second_root"), |d| {
            d.altered(&phone(), |c| {
                c.deps.clear();
                c.start_op = NonZeroU64::MIN;
            })
        }),
    ];
    run(&rows);
}

/// The author of the document's first change, which set key after key: `id` is operation 1, the first name 2.
fn first_author(document: &Document) -> ActorId {
    let (_, bytes) = document.replica.changes().next().expect("is accepted");
    ParsedChange::read(bytes).expect("reads").actor
}

/// Runs attacks on the attacker's own visit, each under a fresh actor.
fn run(rows: &[(&str, Expected, Make)]) {
    let mut scene = Scene::with(&["ada"]);
    for (attack, expected, make) in rows {
        let own = scene.visit_of("ada");
        scene.refuses(attack, "ada", *expected, |http, device| device.refused(http, make(&own.by(device))));
    }
}

/// A change that is signed for one visit, and filed under another.
#[test]
fn changes_under_another_visit() {
    let mut scene = Scene::with(&["ada"]);
    let second = scene.invites("ada", &visit_at("zrh", "ada"));
    let own = scene.visit_of("ada");
    scene.refuses("a change filed under another visit, with its own actor", "ada", refused("actor"), |http, device| {
        let mut sent = own.by(device).edit(&phone());
        if let Item::Change { visit, .. } = &mut sent.item {
            *visit = second.visit;
        }
        device.refused(http, sent)
    });
    // The actor fits the visit it is filed under; what it builds on does not.
    scene.refuses("a change that builds on another visit", "ada", refused("missing_dep"), |http, device| {
        let mut document = second.by(device);
        document.replica = own.replica.clone();
        device.refused(http, document.edit(&phone()))
    });
    scene.refuses("a first change with another visit's id", "ada", refused("wrong_id"), |http, device| {
        let document = Document::new(device);
        let id = own.visit.to_string();
        device.refused(
            http,
            document.altered(&visit_at("zrh", "ada"), |c| c.operations[0] = put("id", id.as_str(), vec![])),
        )
    });
    scene.refuses("a first change without an id", "ada", refused("no_id"), |http, device| {
        let document = Document::new(device);
        device.refused(http, document.altered(&visit_at("zrh", "ada"), |c| drop(c.operations.remove(0))))
    });
    scene.refuses("a later change of a visit there is not", "ada", refused("missing_dep"), |http, device| {
        let mut document = Document::new(device);
        document.replica = own.replica.clone();
        device.refused(http, document.edit(&phone()))
    });
    // Somebody on the way puts an accepted chunk of one visit beside an envelope that names another chunk.
    scene.refuses("another visit's chunk beside the envelope", "ada", turned_away("chunks"), |http, device| {
        let items = [own.by(device).edit(&phone())];
        let mut swapped = items.clone();
        swapped[0].chunk = second.replica.changes().next().map(|(_, bytes)| bytes.to_vec());
        device.push(http, vec![device.seal(device.envelope(&items), &swapped)]).refused()
    });
}

/// An actor belongs to one device, one visit and one salt: nobody writes under another's, nor a number twice.
#[test]
fn squatted_and_cloned_actors() {
    let mut scene = Scene::with(&["ada", "amir"]);
    let adas = scene.visit_of("ada");
    let accepted = adas.write(&phone());
    // Amir is an administrator and may edit Ada's visit, but not in the name of her device.
    scene.refuses("another device's actor and salt", "amir", refused("actor"), |http, amir| {
        amir.refused(http, Sent::change(adas.visit, adas.salt, accepted.bytes.clone()))
    });
    scene.refuses("another device's actor, a salt of one's own", "amir", refused("actor"), |http, amir| {
        amir.refused(http, Sent::change(adas.visit, ActorSalt(unique()), accepted.bytes.clone()))
    });
    scene.refuses("an actor made up", "amir", refused("actor"), |http, amir| {
        let mut document = adas.by(amir);
        document.actor = ActorId([7; 16]);
        amir.refused(http, document.edit(&phone()))
    });
    scene.refuses("an actor of another visit", "amir", refused("actor"), |http, amir| {
        let mut document = adas.by(amir);
        let elsewhere = Document::new(amir).visit;
        document.actor = actor_id(&amir.thumbprint(), elsewhere, &document.salt);
        amir.refused(http, document.edit(&phone()))
    });
    scene.refuses("an actor of 3 bytes", "amir", refused("actor"), |http, amir| {
        amir.refused(
            http,
            adas.by(amir).altered(&phone(), |c| c.actor_id = automerge::ActorId::from(&[1_u8, 2, 3][..])),
        )
    });
    // A copy of the device that does not know what the other copy has sent: number 1 of its actor again.
    let own = scene.visit_of("ada");
    scene.refuses("a number used again", "ada", refused("cloned_actor"), |http, ada| {
        let clone = Document { replica: Replica::empty(own.visit), ..own.clone() };
        let sent = clone.edit(&visit_with("ada", &[Write::set(Key::Company, "Clone")]));
        ada.refused(http, sent)
    });
    let evidence = scene.hub.quarantine().into_iter().filter(|row| row.kind == "evidence").count();
    assert_eq!(evidence, 1, "of two changes with one number both are kept");
}

/// A refused change is refused for ever: in the same envelope again, in a new one, and for what builds on it.
#[test]
fn a_refused_change_again() {
    let mut scene = Scene::with(&["ada", "chloe"]);
    let adas = scene.visit_of("ada");
    let not_permitted = refused("not_permitted");
    let mut first = None;
    scene.refuses("a stranger's edit", "chloe", not_permitted, |http, chloe| {
        let document = adas.by(chloe);
        let items = [document.edit(&phone())];
        let pushed = chloe.seal(chloe.envelope(&items), &items);
        let answer = chloe.push(http, vec![pushed.clone()]).refused();
        chloe.counted(&pushed);
        first = Some((document, items, pushed));
        answer
    });
    let (document, items, pushed) = first.expect("was sent");
    scene.refuses("the same change in a new envelope", "chloe", not_permitted, |http, chloe: &mut Device| {
        chloe.refused(http, items[0].clone())
    });
    let (http, chloe) = (&scene.hub.http, scene.device("chloe"));
    let (before, kept) = (scene.hub.dump(), scene.hub.quarantine());
    // An envelope sent again says what it said, also when others have come since: no answer may be lost.
    let again = chloe.push(http, vec![pushed]);
    assert_eq!(again.refused().code, "not_permitted");
    assert_eq!(before.differences(&scene.hub.dump()), Vec::<String>::new());
    assert_eq!(scene.hub.quarantine(), kept, "the same envelope leaves no second trace");

    // What builds on it tells its author no more than the change itself did: rights are asked first.
    let mut refused_one = document;
    let change = refused_one.write(&phone());
    refused_one.replica.accept(change).expect("fits");
    let (http, chloe) = scene.sender("chloe");
    let verdict = chloe.send(http, &[refused_one.edit(&[Write::set(Key::Company, "X")])]).remove(0);
    assert_eq!(vestibule_tests::hostile::refused(verdict).code, "not_permitted");
}

/// What builds on a refused change of one's own is refused with it.
#[test]
fn a_change_that_builds_on_a_refused_one() {
    let mut scene = Scene::with(&["ada"]);
    let own = scene.visit_of("ada");
    let mut document = None;
    scene.refuses("an address without a domain", "ada", field("malformed", "email"), |http, ada| {
        let mut attacked = own.by(ada);
        let change = attacked.write(&[Write::set(Key::Email, "grace")]);
        let refused = ada.refused(http, attacked.sent(change.bytes.clone()));
        attacked.replica.accept(change).expect("fits the profile");
        document = Some(attacked);
        refused
    });
    let document = document.expect("was sent");
    let before = scene.hub.dump();
    let (http, ada) = scene.sender("ada");
    let verdicts = ada.send(http, &[document.edit(&phone())]);
    assert_eq!(verdicts, [Verdict::DependencyRefused]);
    assert_eq!(before.differences(&scene.hub.dump()), Vec::<String>::new());
}
