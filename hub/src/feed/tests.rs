//! The feed as a phone sees it.

use vestibule_core::cbor;
use vestibule_core::directory::{Directory, DirectoryRow};
use vestibule_core::document::Write;
use vestibule_core::feed::{Proof, Restored, RowKind, Scope, ScopeHead, Statement, digest};
use vestibule_core::id::{ChainHash, HubEpoch};
use vestibule_core::keys::{Purpose, SoftwareSigner};
use vestibule_core::sync::wire::{FIRST_PAGE_BYTES, PAGE_BYTES, SyncAnswer, SyncRequest};
use vestibule_core::visit::Key;

use super::SyncProblem;
use crate::judge::tests::{PhoneHand, World, usual};
use crate::store::StoreError;

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

/// What the hub has signed for a phone that has nothing left to pull.
fn proof_of(world: &mut World, hand: &mut PhoneHand) -> Proof {
    hand.pull(world);
    Proof { statement: world.sync(hand, Vec::new()).statement, heads: hand.heads.clone() }
}

fn told(world: &mut World, hand: &PhoneHand, proof: Option<Proof>) -> Option<Restored> {
    let request = SyncRequest { proof, ..hand.request(Vec::new()) };
    let restored = world.try_request(hand, &request).expect("is answered").restored?;
    Some(cbor::read_strict(&world.verified(&restored, Purpose::Restored), "restored").expect("reads"))
}

/// An old file put back by hand: the hub believes its own signed words, once; nobody else's, and none that it can explain.
#[test]
fn only_the_hubs_own_words_show_that_it_was_set_back() {
    let mut world = World::new();
    let mut ada = world.enrol("ada");
    let (visit, _) = world.created(&mut ada, "ada", &[]);
    let old = proof_of(&mut world, &mut ada);
    assert_eq!(told(&mut world, &ada, Some(old.clone())), None, "the hub knows these heads");

    // A phone lies about its heads, or shows words of somebody else, or of another life.
    let mut more = old.clone();
    more.heads[0].index += 1;
    let epoch = ada.epoch.expect("synced");
    let statement: Statement =
        cbor::read(&world.verified(&old.statement, Purpose::Statement), "statement").expect("reads");
    let stranger = SoftwareSigner::from_seed(&[99; 32]);
    let forged = Statement { digest: digest(&more.heads), ..statement.clone() };
    let forged = Proof { statement: forged.sign(&stranger).expect("signs").into(), heads: more.heads.clone() };
    let other = Statement { digest: digest(&more.heads), epoch: HubEpoch([5; 16]), ..statement };
    let other = other.sign(&world.context.keys.feed).expect("signs").into();
    let other = Proof { statement: other, heads: more.heads.clone() };
    for lie in [more, forged, other] {
        assert_eq!(told(&mut world, &ada, Some(lie)), None);
    }

    // The file goes back: the rows of Ada's visits are not there any more.
    world
        .write(|tx, _, _| {
            for sql in
                ["DELETE FROM feed_row WHERE scope = 'visits/ada'", "DELETE FROM feed_scope WHERE scope = 'visits/ada'"]
            {
                tx.execute(sql, [])?;
            }
            Ok::<_, StoreError>(())
        })
        .expect("goes back");
    assert!(matches!(world.try_sync(&ada, Vec::new()), Err(SyncProblem::UnknownHead)));
    let restored = told(&mut world, &ada, Some(old.clone())).expect("is believed");
    assert_eq!((restored.previous, restored.device, restored.counter), (epoch, ada.device.thumbprint, 1));
    assert_ne!(restored.epoch, epoch);
    let again = told(&mut world, &ada, Some(old)).expect("knows the life before");
    assert_eq!(again.epoch, restored.epoch, "once");
    assert!(world.visit(visit).number > 0);
}
