//! The stage of every attack: a hub, members with a device each, and a visit of theirs that is accepted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use vestibule_core::document::{ParsedChange, Write};
use vestibule_core::envelope::Ask;
use vestibule_core::id::{ChainHash, VisitId};
use vestibule_core::keys::{DeviceSigner, SoftwareSigner};
use vestibule_core::receipt::Verdict;
use vestibule_core::visit::Key;
use vestibule_tests::attacked::{EXAMPLE, Hub};
use vestibule_tests::hostile::{Device, Document, Refused, Sent, unique};
use vestibule_tests::http::Http;

/// What the visitor of every visit is called: personal data that stands in no refusal and no log.
pub const VISITOR: [&str; 3] = ["Grace", "Hopper", "grace@example.org"];

/// A hub and who is at it.
pub struct Scene {
    pub hub: Hub,
    actors: BTreeMap<String, Actor>,
}

struct Actor {
    device: Device,
    /// A visit to make correct changes of; who may not invite writes notes on another's.
    own: Option<Document>,
}

/// How an attack is to be refused.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    status: u16,
    code: &'static str,
    field: Option<&'static str>,
    /// Whether it was signed, and so is kept as evidence.
    kept: bool,
}

/// Refused by a receipt.
pub fn refused(code: &'static str) -> Expected {
    Expected { status: 200, code, field: None, kept: true }
}

/// Refused by a receipt that names a field.
pub fn field(code: &'static str, field: &'static str) -> Expected {
    Expected { field: Some(field), ..refused(code) }
}

/// The envelope is turned away, and nothing is kept of it.
pub fn turned_away(code: &'static str) -> Expected {
    Expected { kept: false, ..refused(code) }
}

/// The request is refused as a whole.
pub fn problem(status: u16, code: &'static str) -> Expected {
    Expected { status, ..turned_away(code) }
}

impl Scene {
    /// A hub where these members have a device each, and those who may invite a visit.
    pub fn with(members: &[&str]) -> Self {
        Self::with_keys(members, || Arc::new(SoftwareSigner::from_seed(&unique())))
    }

    /// The same with keys of that kind in the devices.
    pub fn with_keys(members: &[&str], key: impl Fn() -> Arc<dyn DeviceSigner>) -> Self {
        let mut scene = Self { hub: Hub::start(), actors: BTreeMap::new() };
        for member in members {
            let mut device = Device::sign_in_with(&scene.hub, EXAMPLE, member, key());
            let own = (*member != "priya").then(|| {
                let site = if *member == "ben" { "nyc" } else { "zrh" };
                invited(&scene.hub.http, &mut device, &visit_at(site, member))
            });
            scene.actors.insert((*member).to_owned(), Actor { device, own });
        }
        scene.hub.settle();
        scene
    }

    /// A member's device.
    pub fn device(&self, member: &str) -> &Device {
        &self.actors[member].device
    }

    /// The same, to send with.
    pub fn sender(&mut self, member: &str) -> (&Http, &mut Device) {
        (&self.hub.http, &mut self.actors.get_mut(member).expect("is there").device)
    }

    /// A member's visit as it is accepted now.
    pub fn visit_of(&self, member: &str) -> Document {
        self.actors[member].own.clone().expect("may invite")
    }

    /// A member makes a visit of those values, which is accepted.
    pub fn invites(&mut self, member: &str, writes: &[Write]) -> Document {
        let (http, device) = self.sender(member);
        let document = invited(http, device, writes);
        self.hub.settle();
        document
    }

    /// The entry of a visit's log that somebody who looks at it now has seen last.
    pub fn last_entry(&self, visit: VisitId) -> ChainHash {
        let head: [u8; 32] = self
            .hub
            .database()
            .query_row("SELECT log_head FROM visit WHERE id = ?1", [visit.as_bytes()], |row| row.get(0))
            .expect("the visit is accepted");
        ChainHash(head)
    }

    /// Runs an attack and checks everything that holds of all of them.
    #[track_caller]
    pub fn refuses(
        &mut self,
        attack: &str,
        attacker: &str,
        expected: Expected,
        act: impl FnOnce(&Http, &mut Device) -> Refused,
    ) {
        self.hub.settle();
        let (before, kept_before) = (self.hub.dump(), self.hub.quarantine().len());
        let (http, device) = self.sender(attacker);
        let refused = act(http, device);
        let after = self.hub.dump();
        assert_eq!(before.differences(&after), Vec::<String>::new(), "{attack}: the database has changed");
        let answer = (refused.status, refused.code.as_str(), refused.field.as_deref());
        assert_eq!(answer, (expected.status, expected.code, expected.field), "{attack}: {}", refused.reason);
        is_clear(attack, &refused.reason);
        let kept = self.hub.quarantine().split_off(kept_before);
        assert_eq!(!kept.is_empty(), expected.kept, "{attack}: what was signed is kept, and nothing else: {kept:?}");
        for row in kept.iter().filter(|row| row.kind != "evidence") {
            assert_eq!(row.reason, expected.code, "{attack}: {row:?}");
        }
        self.works(attack, attacker);
        let log = self.hub.log();
        assert!(!log.contains("panic") && !log.contains("ERROR"), "{attack}: the hub failed inside:\n{log}");
        assert!(VISITOR.iter().all(|data| !log.contains(data)), "{attack}: personal data in the log:\n{log}");
    }

    /// After the attack a correct change of the same device is accepted.
    #[track_caller]
    fn works(&mut self, attack: &str, attacker: &str) {
        static NUMBER: AtomicU32 = AtomicU32::new(1_000_000);
        let fallback = self.actors.values().find_map(|actor| actor.own.as_ref().map(|own| own.visit));
        let Actor { device, own } = self.actors.get_mut(attacker).expect("is there");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let (sent, change) = match own {
            Some(own) => {
                let change = own.write(&[Write::set(Key::Phone, format!("+41 44 {number}"))]);
                (own.sent(change.bytes.clone()), Some(change))
            }
            None => (Sent::ask(fallback.expect("there is a visit"), Ask::Note(format!("Note {number}"))), None),
        };
        let verdicts = device.send(&self.hub.http, &[sent]);
        assert!(matches!(verdicts[..], [Verdict::Accepted(_)]), "after {attack}: {verdicts:?}");
        if let (Some(own), Some(change)) = (own, change) {
            own.replica.accept(change).expect("the hub has accepted it");
        }
    }
}

/// The values of a good visit.
pub fn visit_at(site: &str, host: &str) -> Vec<Write> {
    let [first, last, email] = VISITOR;
    vec![
        Write::set(Key::FirstName, first),
        Write::set(Key::LastName, last),
        Write::set(Key::Email, email),
        Write::set(Key::Site, site),
        Write::set(Key::Host, host),
        Write::set(Key::Source, "phone"),
    ]
}

/// A good visit with some values in place of its own, or beside them.
pub fn visit_with(host: &str, writes: &[Write]) -> Vec<Write> {
    let mut all = visit_at("zrh", host);
    all.retain(|good| writes.iter().all(|write| write.key != good.key));
    all.extend(writes.iter().filter(|write| write.value.is_some()).cloned());
    all
}

fn invited(http: &Http, device: &mut Device, writes: &[Write]) -> Document {
    let mut document = Document::new(device);
    let change: ParsedChange = document.write(writes);
    let verdicts = device.send(http, &[document.sent(change.bytes.clone())]);
    assert!(matches!(verdicts[..], [Verdict::Accepted(_)]), "{verdicts:?}");
    document.replica.accept(change).expect("the hub has accepted it");
    document
}

/// A reason is a sentence somebody can act on, with nothing of the program or of a person in it.
fn is_clear(attack: &str, reason: &str) {
    let words = reason.split_whitespace().count();
    assert!((4..=40).contains(&words), "{attack}: {reason:?} is no sentence");
    for sign in ["::", "{", "}", "Some(", "None", "Error", "unwrap", "SELECT", "\n"] {
        assert!(!reason.contains(sign), "{attack}: {reason:?} speaks of the program");
    }
    assert!(VISITOR.iter().all(|data| !reason.contains(data)), "{attack}: personal data in {reason:?}");
}
