//! What the document promises, each promise with the attack that breaks a naive reader.

mod against_automerge;
mod golden;
mod history;
mod later;
mod laws;
mod reading;

use automerge::legacy;
use sha2::{Digest, Sha256};

use super::{ParsedChange, Refusal, Replica, Verdict, Write};
use crate::id::{ActorId, VisitId};
use crate::visit::Key;

const ADA: ActorId = ActorId([0xA1; 16]);
const BOB: ActorId = ActorId([0xB0; 16]);
const CAT: ActorId = ActorId([0x0C; 16]);
const NOW: i64 = 1_800_000_000;

fn visit() -> VisitId {
    VisitId::from_parts(1_800_000_000_000, [7; 10])
}

/// A visit that Ada made: names, e-mail, schedule.
fn made() -> Replica {
    let mut replica = Replica::empty(visit());
    let writes = [
        Write::set(Key::FirstName, "Grace"),
        Write::set(Key::LastName, "Hopper"),
        Write::set(Key::Email, "grace@example.org"),
        Write::set(Key::Schedule, "2027-02-10T09:00/2027-02-10T10:00"),
        Write::set(Key::Source, "phone"),
    ];
    let change = write(&replica, ADA, &writes);
    accept(&mut replica, &change);
    replica
}

/// A value of a key that takes only some texts.
fn of_its_form(key: Key) -> &'static str {
    match key {
        Key::Language => "de-CH",
        Key::Series => "01a3185c-5000-7707-8707-070707070707",
        Key::Occurrence => "2027-02-10",
        Key::Import => "01a3185c-5000-7707-8707-070707070707/17",
        _ => "text",
    }
}

fn write(replica: &Replica, actor: ActorId, writes: &[Write]) -> ParsedChange {
    replica.write(actor, writes, NOW).expect("may be written").expect("changes something")
}

/// Sends a change the long way: as bytes, read, checked, applied.
fn accept(replica: &mut Replica, change: &ParsedChange) {
    let read = ParsedChange::read(&change.bytes).expect("reads");
    assert_eq!(&read, change, "what is read is what was written");
    let actor = read.actor;
    match replica.check(read, &actor).expect("breaks no rule") {
        Verdict::Fits(checked) => replica.apply(checked).expect("fits"),
        Verdict::Stale { keys, .. } => panic!("stale: {keys:?}"),
    }
}

fn check(replica: &Replica, bytes: &[u8]) -> Result<Verdict, Refusal> {
    let change = ParsedChange::read(bytes)?;
    let actor = change.actor;
    replica.check(change, &actor)
}

fn refusal(replica: &Replica, bytes: &[u8]) -> Refusal {
    check(replica, bytes).expect_err("is refused")
}

/// The chunk of `body`, with the right length and checksum: what an attacker sends.
fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut hashed = vec![kind];
    uleb(body.len() as u64, &mut hashed);
    hashed.extend(body);
    let mut bytes = vec![0x85, 0x6F, 0x4A, 0x83];
    bytes.extend(&Sha256::digest(&hashed)[..4]);
    bytes.extend(hashed);
    bytes
}

/// The body of a chunk without its header, to change it and wrap it again.
fn body(bytes: &[u8]) -> Vec<u8> {
    let len_bytes = bytes[9..].iter().take_while(|&&b| b & 0x80 != 0).count() + 1;
    bytes[9 + len_bytes..].to_vec()
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

/// A change as automerge's own types say it, altered by `alter` and encoded again: the attacks that keep the format.
fn altered(change: &ParsedChange, alter: impl FnOnce(&mut automerge::ExpandedChange)) -> Vec<u8> {
    let mut expanded = automerge::Change::from_bytes(change.bytes.clone()).expect("automerge reads it").decode();
    alter(&mut expanded);
    automerge::Change::from(expanded).raw_bytes().to_vec()
}

fn put(key: &str, value: impl Into<automerge::ScalarValue>, pred: Vec<legacy::OpId>) -> legacy::Op {
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
