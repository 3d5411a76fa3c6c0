//! The feed as a phone sees it.

use vestibule_core::cbor;
use vestibule_core::directory::{Directory, DirectoryRow};
use vestibule_core::document::Write;
use vestibule_core::feed::{RowKind, Scope, ScopeHead};
use vestibule_core::id::{ChainHash, HubEpoch};
use vestibule_core::sync::wire::{FIRST_PAGE_BYTES, PAGE_BYTES, SyncAnswer};
use vestibule_core::visit::Key;

use super::SyncProblem;
use crate::judge::tests::{World, usual};

/// With nothing new a reconnect costs one round trip and one small answer, whatever the phone holds.
#[test]
fn nothing_new_is_one_small_answer() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    for _ in 0..5 {
        world.created(&mut ada, "ada", &[]);
    }
    ada.pull(&mut world);
    let answer = world.sync(&ada, Vec::new());
    let bytes = cbor::write(&answer);
    assert!(bytes.len() <= 300, "{} bytes", bytes.len());
    assert!(answer.pages.is_empty() && answer.scopes.is_none() && answer.key_set.is_none() && !answer.more);
}

/// Pulling writes nothing, so that it may run in a read transaction.
#[test]
fn a_pull_writes_nothing() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    world.created(&mut ada, "ada", &[]);
    let before = world.store.dump(&[]);
    ada.pull(&mut world);
    assert!(world.store.dump(&[]) == before);
}

/// Everybody gets sites, spaces, types and members; of roles one's own; of addresses that security reads, none.
#[test]
fn the_directory_is_everybodys_and_roles_are_ones_own() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let rows = ada.pull(&mut world);
    let mut directory = Directory::default();
    for row in rows.iter().filter(|row| RowKind::from(row.kind) == RowKind::Row) {
        assert!(directory.apply(DirectoryRow::read(&row.payload).expect("a row").expect("a known kind")));
    }
    assert_eq!((directory.sites().count(), directory.spaces().count()), (2, 4));
    assert_eq!((directory.visitor_types().count(), directory.members().count()), (4, 8));
    let me = "ada".parse().expect("an id");
    assert!(directory.may_add_visitors(&me) && directory.roles(&"ben".parse().expect("an id")).is_none());
    let site = directory.site(&"nyc".parse().expect("an id")).expect("a site");
    assert_eq!((site.zone.name(), site.number), ("America/New_York", 2));
    for secret in ["security@example.com", "contractors@example.com"] {
        assert!(rows.iter().all(|row| !row.payload.windows(secret.len()).any(|part| part == secret.as_bytes())));
    }
}

/// Which scopes a phone holds.
#[test]
fn scopes_follow_the_roles() {
    let mut world = World::new();
    let mut scopes = |member: &str| {
        let mut hand = world.enrol(member);
        hand.pull(&mut world);
        hand.heads.iter().map(|head| head.scope.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(scopes("ada"), ["directory", "roles/ada", "visits/ada", "notes/member/ada"]);
    let of_two = ["directory", "roles/dora", "visits/ada", "visits/dora", "notes/member/ada", "notes/member/dora"];
    assert_eq!(scopes("dora"), of_two);
    assert_eq!(scopes("rosa")[3..], ["site/zrh", "notes/member/rosa", "notes/site/zrh"]);
    let approves = ["approvals/nyc", "approvals/zrh", "notes/member/priya", "notes/site/nyc", "notes/site/zrh"];
    assert_eq!(scopes("priya")[3..], approves);
    assert_eq!(scopes("amir").len(), 3 + 2 + 2 + 1 + 2);
}

/// Many rows come in pages, the first a small one; through any intermediate point the phone stands where it would have
/// stood at once.
#[test]
fn pages_are_bounded_and_add_up() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let long = "m".repeat(2_000);
    for _ in 0..3 {
        let items = (0..120)
            .map(|_| {
                let visit = world.new_visit();
                ada.first(visit, &usual("ada", &[Write::set(Key::Message, long.clone())])).1
            })
            .collect();
        world.push(&mut ada, items);
    }
    let mut phone = world.enrol("ada");
    let first = world.sync(&phone, Vec::new());
    assert!(first.more && first.remaining > 0);
    let size = |answer: &SyncAnswer| -> usize {
        answer.pages.iter().flat_map(|page| &page.rows).map(|row| row.row.len()).sum()
    };
    assert!((FIRST_PAGE_BYTES / 2..=FIRST_PAGE_BYTES).contains(&size(&first)), "{}", size(&first));
    ada.pull(&mut world);
    phone.epoch = ada.epoch;
    let next = world.sync(&phone, Vec::new());
    assert!((PAGE_BYTES / 2..=PAGE_BYTES).contains(&size(&next)), "{}", size(&next));
    let rows = phone.pull(&mut world);
    assert!(phone.pull(&mut world).is_empty());
    assert_eq!(rows.iter().filter(|row| RowKind::from(row.kind) == RowKind::Change).count(), 360);
}

/// A phone that stands where this database has never been is told so, and never that it is up to date.
#[test]
fn an_unknown_head_is_no_head() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    ada.pull(&mut world);
    let (epoch, heads) = (ada.epoch, ada.heads.clone());
    ada.epoch = Some(HubEpoch([1; 16]));
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::UnknownHead)));
    ada.epoch = None;
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::UnknownHead)));
    ada.epoch = epoch;
    ada.heads[0].index += 1;
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::UnknownHead)));
    ada.heads.clone_from(&heads);
    ada.heads[0].head.0[0] ^= 1;
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::UnknownHead)));
    ada.heads.clone_from(&heads);
    assert!(ada.pull(&mut world).is_empty());
    // A scope that is not the phone's tells it nothing.
    let other = Scope::Visits("ben".parse().expect("an id"));
    ada.heads.push(ScopeHead { scope: other, index: 99, head: ChainHash([3; 32]) });
    assert_eq!(world.sync(&ada, Vec::new()).scopes.map(|scopes| scopes.len()), Some(4));
}

/// A role taken away takes its scopes with it.
#[test]
fn a_lost_role_loses_its_scopes() {
    let mut world = World::new();
    let mut dora = world.enrol("dora");
    dora.pull(&mut world);
    world
        .write(|tx, context, moment| {
            let dora = "dora".parse().expect("an id");
            crate::organisation::change_member(tx, context, moment, &dora, |member| {
                member.roles.retain(|grant| grant.principal.is_none());
            })
        })
        .expect("changed");
    let scopes = world.sync(&dora, Vec::new()).scopes.expect("other scopes");
    assert!(!scopes.contains(&Scope::Visits("ada".parse().expect("an id"))));
}
