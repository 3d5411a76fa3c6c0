//! Envelopes: not signed, not by this device, not the next, not in form.

use std::sync::Arc;

use chrono::Utc;
use vestibule_core::cbor;
use vestibule_core::envelope::Envelope;
use vestibule_core::id::{ChainHash, Thumbprint};
use vestibule_core::keys::{DeviceSigner, Purpose, sign};
use vestibule_tests::attacked::OTHER;
use vestibule_tests::hostile::{Device, Document, Refused, Sent, beside, unique};
use vestibule_tests::http::Http;

use crate::scene::{Expected, Scene, field, refused, turned_away, visit_at};

/// What is done to an envelope before it is signed.
type Alter = Box<dyn FnOnce(&mut Envelope)>;
/// What is done to the chunks beside it.
type Swap = fn(&mut Vec<Vec<u8>>);

/// A good first change of a new visit.
fn good(device: &Device) -> [Sent; 1] {
    [Document::new(device).edit(&visit_at("zrh", device.member.as_str()))]
}

/// Pushes an envelope that would be good, but for what `alter` does to it before it is signed.
fn altered(http: &Http, device: &Device, alter: impl FnOnce(&mut Envelope)) -> Refused {
    let items = good(device);
    let mut envelope = device.envelope(&items);
    alter(&mut envelope);
    device.push(http, vec![device.seal(envelope, &items)]).refused()
}

/// Pushes signed bytes, whatever they are, with one good chunk.
fn bytes(http: &Http, device: &Device, make: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Refused {
    let items = good(device);
    let envelope = cbor::write(&device.envelope(&items));
    device.push(http, vec![beside(make(envelope), &items)]).refused()
}

/// Not signed by the device that syncs, for this purpose: nothing is kept.
#[test]
fn signatures() {
    let mut scene = Scene::with(&["ada", "chloe"]);
    let key = |device: &Device| Arc::clone(&device.key);
    let (ada, chloe) = (key(scene.device("ada")), key(scene.device("chloe")));
    let sealed = |purpose, key: &dyn DeviceSigner, payload| sign(purpose, payload, key).expect("signs");
    let forged = |at: usize| {
        let ada = Arc::clone(&ada);
        move |payload| {
            let mut bytes = sign(Purpose::Envelope, payload, &*ada).expect("signs");
            let at = bytes.len() - 1 - at;
            bytes[at] ^= 1;
            bytes
        }
    };
    scene.refuses("a forged signature", "ada", turned_away("signature"), |http, d| bytes(http, d, forged(0)));
    scene.refuses("a payload changed after signing", "ada", turned_away("signature"), |http, d| {
        bytes(http, d, forged(100))
    });
    scene.refuses("no signature", "ada", turned_away("signature"), |http, d| bytes(http, d, |payload| payload));
    scene.refuses("nothing", "ada", turned_away("signature"), |http, d| bytes(http, d, |_| Vec::new()));
    scene.refuses("a byte behind", "ada", turned_away("signature"), |http, d| {
        bytes(http, d, |payload| [sealed(Purpose::Envelope, &*ada, payload), vec![0]].concat())
    });
    scene.refuses("signed for another purpose", "ada", turned_away("signature"), |http, d| {
        bytes(http, d, |payload| sealed(Purpose::Enrolment, &*ada, payload))
    });
    scene.refuses("signed by another's key", "ada", turned_away("other_device"), |http, d| {
        bytes(http, d, |payload| sealed(Purpose::Envelope, &*chloe, payload))
    });
    // A real envelope of Chloe's, taken on its way, and pushed with Ada's token.
    let items = good(scene.device("chloe"));
    let stolen = scene.device("chloe").seal(scene.device("chloe").envelope(&items), &items);
    scene.refuses("another device's envelope", "ada", turned_away("other_device"), |http, d| {
        d.push(http, vec![stolen]).refused()
    });
}

/// Signed, and not an envelope of this device for this organisation in the one form there is.
#[test]
fn contents() {
    let mut scene = Scene::with(&["ada", "chloe"]);
    let chloe = scene.device("chloe").thumbprint();
    let rows: Vec<(&str, Expected, Alter)> = vec![
        ("version 2", turned_away("version"), Box::new(|envelope| envelope.version = 2)),
        (
            "another organisation",
            refused("other_organisation"),
            Box::new(|e| e.organisation = OTHER.parse().expect("an id")),
        ),
        ("another root", refused("other_root"), Box::new(|e| e.root = Thumbprint([1; 32]))),
        ("another member", refused("other_member"), Box::new(|e| e.member = "amir".parse().expect("an id"))),
        ("another device inside", turned_away("other_device"), Box::new(move |e| e.device = chloe)),
        ("no items", turned_away("size"), Box::new(|e| e.items.clear())),
        ("a time before 1970", turned_away("time"), Box::new(|e| e.claimed_at = -1)),
        ("a time after the year 9999", turned_away("time"), Box::new(|e| e.not_after = i64::MAX)),
        ("delivered too late", refused("expired"), Box::new(|e| e.not_after = Utc::now().timestamp() - 1)),
        (
            "on behalf of somebody who is no principal",
            refused("not_permitted"),
            Box::new(|e| e.on_behalf_of = Some("chloe".parse().expect("an id"))),
        ),
        (
            "on behalf of nobody there is",
            refused("not_permitted"),
            Box::new(|e| e.on_behalf_of = Some("nobody".parse().expect("an id"))),
        ),
        (
            "on behalf of oneself",
            refused("not_permitted"),
            Box::new(|e| e.on_behalf_of = Some("ada".parse().expect("an id"))),
        ),
    ];
    for (attack, expected, alter) in rows {
        let judged = matches!(attack, "delivered too late") || attack.starts_with("on behalf");
        scene.refuses(attack, "ada", expected, |http, device| {
            let items = good(device);
            let mut envelope = device.envelope(&items);
            alter(&mut envelope);
            let pushed = device.seal(envelope, &items);
            let answer = device.push(http, vec![pushed.clone()]).refused();
            // Its items were judged, so the next envelope follows this one.
            if judged {
                device.counted(&pushed);
            }
            answer
        });
    }
    scene.refuses("a payload that is no envelope", "ada", turned_away("garbage"), |http, device| {
        let signed = sign(Purpose::Envelope, b"garbage".to_vec(), &*device.key).expect("signs");
        device.push(http, vec![beside(signed, &[])]).refused()
    });
    scene.refuses("a payload with a byte behind", "ada", turned_away("garbage"), |http, device| {
        let items = good(device);
        let payload = [cbor::write(&device.envelope(&items)), vec![0]].concat();
        device
            .push(http, vec![beside(sign(Purpose::Envelope, payload, &*device.key).expect("signs"), &items)])
            .refused()
    });
}

/// A delegate acts for her principal and for nobody else.
#[test]
fn a_delegate_for_somebody_else() {
    let mut scene = Scene::with(&["ada", "dora", "chloe"]);
    let (adas, chloes) = (scene.visit_of("ada"), scene.visit_of("chloe"));
    scene.refuses("a visit made for a stranger", "dora", field("not_permitted", "host"), |http, dora| {
        let sent = Document::new(dora).edit(&visit_at("zrh", "chloe"));
        vestibule_tests::hostile::refused(dora.send_for(http, Some("chloe"), &[sent]).remove(0))
    });
    scene.refuses("a stranger's visit edited", "dora", refused("not_permitted"), |http, dora| {
        let sent = chloes.by(dora).edit(&[phone("+41 44 999")]);
        vestibule_tests::hostile::refused(dora.send_for(http, Some("chloe"), &[sent]).remove(0))
    });
    scene.refuses("a stranger's visit edited for the principal", "dora", refused("not_permitted"), |http, dora| {
        let sent = chloes.by(dora).edit(&[phone("+41 44 999")]);
        vestibule_tests::hostile::refused(dora.send_for(http, Some("ada"), &[sent]).remove(0))
    });
    let (http, dora) = scene.sender("dora");
    let verdicts = dora.send_for(http, Some("ada"), &[adas.by(dora).edit(&[phone("+41 44 998")])]);
    assert!(matches!(verdicts[..], [vestibule_core::receipt::Verdict::Accepted(_)]), "{verdicts:?}");
}

fn phone(number: &str) -> vestibule_core::document::Write {
    vestibule_core::document::Write::set(vestibule_core::visit::Key::Phone, number)
}

/// Not the device's next envelope: a gap, a number used before, another past.
#[test]
fn the_chain() {
    let mut scene = Scene::with(&["ada"]);
    scene.refuses("a gap in the counters", "ada", turned_away("counter_gap"), |http, device| {
        let items = good(device);
        let mut envelope = device.envelope(&items);
        envelope.counter += 1;
        let pushed = device.push(http, vec![device.seal(envelope, &items)]);
        assert_eq!(pushed.answer.turned_away[0].expected, Some(device.counter + 1), "the phone is told what to send");
        pushed.refused()
    });
    scene.refuses("the largest counter", "ada", turned_away("counter_gap"), |http, device| {
        altered(http, device, |envelope| envelope.counter = u64::MAX)
    });
    scene.refuses("a counter of 0", "ada", refused("cloned_device"), |http, device| {
        altered(http, device, |envelope| envelope.counter = 0)
    });
    scene.refuses("the same counter, another hash", "ada", refused("cloned_device"), |http, device| {
        altered(http, device, |envelope| envelope.counter -= 1)
    });
    scene.refuses("another past", "ada", refused("cloned_device"), |http, device| {
        altered(http, device, |envelope| envelope.previous = ChainHash([1; 32]))
    });
    scene.refuses("no past", "ada", refused("cloned_device"), |http, device| {
        altered(http, device, |envelope| envelope.previous = ChainHash::ORIGIN)
    });
}

/// Envelopes for others with the largest counter there is: it is noted, and nothing else happens.
#[test]
fn the_largest_counter_for_others() {
    let mut scene = Scene::with(&["ada"]);
    scene.refuses(
        "another organisation's, the largest counter",
        "ada",
        refused("other_organisation"),
        |http, device| {
            altered(http, device, |envelope| {
                envelope.counter = u64::MAX;
                envelope.organisation = OTHER.parse().expect("an id");
            })
        },
    );
}

/// Chunks that are not those the envelope names prove nothing against its author: nothing is kept, nothing is judged.
#[test]
fn chunks_that_are_not_named() {
    let mut scene = Scene::with(&["ada"]);
    let rows: [(&str, Swap); 5] = [
        ("no chunk", |chunks| chunks.clear()),
        ("one too many", |chunks| chunks.push(vec![0; 100])),
        ("a flipped bit", |chunks| chunks[0][40] ^= 1),
        ("a chunk of 7 bytes", |chunks| chunks[0].truncate(7)),
        ("an empty chunk", |chunks| chunks[0].clear()),
    ];
    for (attack, change) in rows {
        scene.refuses(attack, "ada", turned_away("chunks"), |http, device| {
            let items = good(device);
            let mut pushed = device.seal(device.envelope(&items), &items);
            let mut chunks: Vec<Vec<u8>> = pushed.chunks.into_iter().map(Vec::from).collect();
            change(&mut chunks);
            pushed.chunks = chunks.into_iter().map(Into::into).collect();
            device.push(http, vec![pushed]).refused()
        });
    }
}

/// What is turned away does not stop what follows it: envelopes behind a forged one are judged by themselves.
#[test]
fn a_bad_envelope_beside_a_good_one() {
    let mut scene = Scene::with(&["ada"]);
    let (http, ada) = scene.sender("ada");
    let items = good(ada);
    let next = ada.seal(ada.envelope(&items), &items);
    let forged = beside(unique::<32>().to_vec(), &[]);
    let pushed = ada.push(http, vec![forged.clone(), next.clone(), forged]);
    let places: Vec<_> = pushed.answer.turned_away.iter().map(|away| (away.index, away.code.as_str())).collect();
    assert_eq!(places, [(0, "signature"), (2, "signature")]);
    assert_eq!(pushed.receipts.len(), 1);
    ada.counted(&next);
}
