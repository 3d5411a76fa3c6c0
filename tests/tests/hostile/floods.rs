//! Too much of everything, and requests of another kind.

use std::io::Read as _;
use std::time::{Duration, Instant};

use vestibule_core::cbor;
use vestibule_core::document::{MAX_CHANGES, Replica, Write};
use vestibule_core::envelope::{Ask, MAX_ITEMS};
use vestibule_core::feed::{Scope, ScopeHead};
use vestibule_core::id::{ChainHash, HubEpoch};
use vestibule_core::receipt::Verdict;
use vestibule_core::sync::wire::{MAX_PUSH, MAX_PUSH_ITEMS, MAX_REQUEST, PushedEnvelope};
use vestibule_core::visit::Key;
use vestibule_tests::hostile::{Device, Document, Sent, beside};
use vestibule_tests::http::Http;

use crate::scene::{Scene, problem, refused, turned_away, visit_at};

/// An attack that keeps the hub's one writer from everybody else for longer has hung it: what squares with the size of the
/// push takes hours.
const HANG: Duration = Duration::from_mins(5);

/// An attack, its status and code, a body, and headers in place of the usual ones.
type Row<'a> = (&'a str, (u16, &'static str), Vec<u8>, &'a [(&'a str, &'a str)]);

/// Requests that are too large, before or after decompression, or not of the kind the route takes.
#[test]
fn requests_as_a_whole() {
    let mut scene = Scene::with(&["ada"]);
    let bomb = zstd::encode_all(std::io::repeat(0).take(1 << 30), 3).expect("compresses");
    assert!(bomb.len() < 200_000, "{} bytes for 1 GB", bomb.len());
    let good = cbor::write(&scene.device("ada").request(Vec::new()));
    let longer = [good.clone(), vec![0]].concat();
    let json = br#"{"version":1,"organisation":"example-ag"}"#.to_vec();
    let zstd: &[(&str, &str)] = &[("content-encoding", "zstd")];
    let rows: Vec<Row<'_>> = vec![
        ("6 MB", (413, "too_large"), vec![0; 6 << 20], &[]),
        ("one byte too many", (413, "too_large"), vec![0; MAX_REQUEST + 1], &[]),
        ("1 GB of nothing, compressed", (413, "too_large"), bomb, zstd),
        ("no zstd", (400, "garbage"), b"not compressed at all".to_vec(), zstd),
        ("another compression", (415, "content_encoding"), good.clone(), &[("content-encoding", "gzip")]),
        ("two compressions", (415, "content_encoding"), good.clone(), &[("content-encoding", "zstd, zstd")]),
        ("JSON that says it is JSON", (415, "media_type"), json.clone(), &[("content-type", "application/json")]),
        ("JSON in place of CBOR", (400, "garbage"), json, &[]),
        ("another media type", (415, "media_type"), good.clone(), &[("content-type", "application/cbor")]),
        ("no media type", (415, "media_type"), good, &[("content-type", "")]),
        ("nothing", (400, "garbage"), Vec::new(), &[]),
        ("garbage", (400, "garbage"), vec![0xFF; 1000], &[]),
        ("a byte behind", (400, "garbage"), longer, &[]),
        ("a million open arrays", (400, "garbage"), vec![0x81; 1 << 20], &[]),
        ("an array of four billion", (400, "garbage"), vec![0x9A, 0xFF, 0xFF, 0xFF, 0xFF], &[]),
        ("an array without an end", (400, "garbage"), vec![0x9F; 100], &[]),
    ];
    for (attack, (status, code), body, headers) in rows {
        scene.refuses(attack, "ada", problem(status, code), |http, ada| ada.post(http, body, headers).into());
    }
    scene.refuses("version 2 of the messages", "ada", problem(400, "version"), |http, ada| {
        let mut request = ada.request(Vec::new());
        request.version = 2;
        ada.post(http, cbor::write(&request), &[]).into()
    });
    let epoch = scene.hub.database().query_row("SELECT value FROM meta WHERE name = 'epoch'", [], |row| row.get(0));
    let epoch = HubEpoch(epoch.expect("the hub has one"));
    scene.refuses("a head past the end of numbers", "ada", problem(409, "unknown_head"), |http, ada| {
        let mut request = ada.request(Vec::new());
        request.epoch = Some(epoch);
        request.heads = vec![ScopeHead { scope: Scope::Directory, index: u64::MAX, head: ChainHash([1; 32]) }];
        ada.post(http, cbor::write(&request), &[]).into()
    });
    scene.refuses("more than 4 MB of push", "ada", problem(413, "too_large"), |http, ada| {
        let half = |_| PushedEnvelope { envelope: vec![0; MAX_PUSH / 2 + 1].into(), chunks: Vec::new() };
        ada.post(http, cbor::write(&ada.request((0..2).map(half).collect())), &[]).into()
    });
}

/// 513 items in one envelope.
#[test]
fn too_many_items() {
    let mut scene = Scene::with(&["ada"]);
    let visit = scene.visit_of("ada").visit;
    scene.refuses("513 items", "ada", turned_away("size"), |http, ada| {
        let items: Vec<_> = (0..=MAX_ITEMS).map(|_| Sent::ask(visit, Ask::Read)).collect();
        ada.push(http, vec![ada.seal(ada.envelope(&items), &items)]).refused()
    });
}

/// The 1,001st change of a visit.
#[test]
fn too_many_changes() {
    let mut scene = Scene::with(&["ada"]);
    let mut visit = scene.invites("ada", &visit_at("zrh", "ada"));
    let (http, ada) = scene.sender("ada");
    while visit.replica.len() < MAX_CHANGES {
        let wanted = (MAX_CHANGES - visit.replica.len()).min(MAX_ITEMS);
        let items: Vec<Sent> = (0..wanted).map(|_| edited(&mut visit)).collect();
        let verdicts = ada.send(http, &items);
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Accepted(_))), "all are good");
    }
    scene.refuses("change 1,001", "ada", refused("too_many_changes"), |http, ada| {
        // Our own library would not write it.
        let mut before = visit.by(ada);
        before.replica =
            Replica::load(visit.visit, visit.replica.changes().take(MAX_CHANGES - 1).map(|(_, bytes)| bytes))
                .expect("was accepted");
        ada.refused(http, before.edit(&[Write::set(Key::Company, "One more")]))
    });
}

/// Accepts another change of the phone number into the document and gives it as it is sent.
fn edited(visit: &mut Document) -> Sent {
    let change = visit.write(&[Write::set(Key::Phone, format!("+41 44 {}", 1_000_000 + visit.replica.len()))]);
    let sent = visit.sent(change.bytes.clone());
    visit.replica.accept(change).expect("fits");
    sent
}

/// A push of as many items as are judged at once, all refused, holds nobody else up, and no more than 1 MB of all such
/// pushes is kept. What is beyond it is turned away, so that the answer is one a phone can read.
#[test]
fn a_flood_of_refusals() {
    let mut scene = Scene::with(&["ada"]);
    let envelopes = |device: &mut Device| {
        let mut sealed = |size: usize, bytes: usize| {
            let items: Vec<Sent> = (0..size).map(|_| Document::new(device).sent(vec![1; bytes])).collect();
            let sealed = device.seal(device.envelope(&items), &items);
            device.counted(&sealed);
            sealed
        };
        let mut all: Vec<_> = (0..MAX_PUSH_ITEMS / MAX_ITEMS).map(|_| sealed(MAX_ITEMS, 700)).collect();
        all.push(sealed(1, 9));
        all
    };
    let mut last = None;
    flood(&mut scene, envelopes, |http, ada, all: Vec<PushedEnvelope>| {
        last = all.last().cloned();
        let pushed = ada.push(http, all);
        assert_eq!(pushed.receipts.len(), MAX_PUSH_ITEMS);
        assert!(pushed.receipts.iter().all(|receipt| matches!(receipt.verdict, Verdict::Refused(_))));
        let away = &pushed.answer.turned_away[..];
        assert!(matches!(away, [one] if one.code == "too_large"), "{away:?}");
        // It is the next envelope all the same, and is judged when it comes alone.
        assert_eq!(ada.push(http, last.take().into_iter().collect()).refused().code, "garbage");
    });
    let kept: usize = scene.hub.quarantine().iter().filter_map(|row| row.bytes.as_ref()).map(Vec::len).sum();
    assert!((500_000..=1 << 20).contains(&kept), "{kept} bytes are kept");
}

/// The same with as many envelopes as are taken at once, none of which is the device's next, on top of three times as
/// many from before.
#[test]
fn a_flood_of_envelopes() {
    let mut scene = Scene::with(&["ada"]);
    let visit = scene.visit_of("ada").visit;
    let push = |http: &Http, ada: &mut Device, all: Vec<PushedEnvelope>| {
        assert_eq!(ada.push(http, all).answer.turned_away.len(), MAX_PUSH_ITEMS);
    };
    for round in 0..4 {
        let envelopes = |device: &mut Device| {
            let one = |number: usize| {
                let mut envelope = device.envelope(&[Sent::ask(visit, Ask::Read)]);
                envelope.counter = 1;
                envelope.claimed_at = i64::try_from(round * MAX_PUSH_ITEMS + number).expect("few");
                device.seal(envelope, &[])
            };
            (0..MAX_PUSH_ITEMS).map(one).collect()
        };
        flood(&mut scene, envelopes, push);
    }
    let kept: usize = scene.hub.quarantine().iter().filter_map(|row| row.bytes.as_ref()).map(Vec::len).sum();
    assert!((500_000..=1 << 20).contains(&kept), "{kept} bytes are kept");
    scene.refuses("4,097 envelopes", "ada", problem(413, "too_large"), |http, ada| {
        let empty = beside(Vec::new(), &[]);
        ada.post(http, cbor::write(&ada.request(vec![empty; MAX_PUSH_ITEMS + 1])), &[]).into()
    });
}

fn flood(
    scene: &mut Scene,
    envelopes: impl FnOnce(&mut Device) -> Vec<PushedEnvelope>,
    push: impl FnOnce(&Http, &mut Device, Vec<PushedEnvelope>),
) {
    scene.hub.settle();
    let before = scene.hub.dump();
    let (http, ada) = scene.sender("ada");
    let all = envelopes(ada);
    let begun = Instant::now();
    push(http, ada, all);
    let took = begun.elapsed();
    assert_eq!(before.differences(&scene.hub.dump()), Vec::<String>::new());
    assert!(took < HANG, "the hub was busy for {took:?}");
    let garbage = beside(Vec::new(), &[]);
    scene.refuses("after the flood", "ada", turned_away("signature"), |http, ada| {
        ada.push(http, vec![garbage]).refused()
    });
}
