//! Who receives what: for every role, site and type exactly the visits and notes of the role table, whatever moves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use vestibule_core::cbor;
use vestibule_core::decision::Presence;
use vestibule_core::directory::{Member, Role};
use vestibule_core::document::Write;
use vestibule_core::envelope::Ask;
use vestibule_core::feed::{NoteRow, Row, RowKind, Scope};
use vestibule_core::id::{MemberId, RequestId, SiteId, VisitId};
use vestibule_core::visit::Key;
use vestibule_core::zone::Zone;

use crate::feed::keep_in_step;
use crate::judge::tests::{PhoneHand, World, is_accepted};
use crate::organisation::{add_member, change_member};
use crate::store::members::{self, MemberRecord, RoleGrant};
use crate::store::{notes, visits};
use crate::visit::AcceptedVisit;

/// A role for a site, a type, a principal; an empty text is no restriction.
fn grant(role: Role, site: &str, kind: &str, principal: &str) -> RoleGrant {
    RoleGrant {
        role,
        site: (!site.is_empty()).then(|| site.parse().expect("an id")),
        visitor_type: (!kind.is_empty()).then(|| kind.parse().expect("an id")),
        principal: (!principal.is_empty()).then(|| principal.parse().expect("an id")),
    }
}

fn join(world: &mut World, id: &str, roles: Vec<RoleGrant>) {
    let record = MemberRecord {
        member: Member {
            id: id.parse().expect("an id"),
            number: 0,
            name: id.to_owned(),
            email: format!("{id}@example.com"),
            site: None,
        },
        active: true,
        issuer: String::new(),
        subject: String::new(),
        may_add_visitors: true,
        may_change_host: true,
        roles,
    };
    world.write(|tx, context, moment| add_member(tx, context, moment, record)).expect("added");
}

fn give_roles(world: &mut World, id: &str, roles: Vec<RoleGrant>) {
    let id: MemberId = id.parse().expect("an id");
    let change = |member: &mut MemberRecord| member.roles = roles;
    world.write(|tx, context, moment| change_member(tx, context, moment, &id, change)).expect("changed");
}

/// As the hub does by its clock, until nothing is left to do.
fn settle(world: &mut World) {
    while world.write(|tx, context, moment| keep_in_step(tx, context, moment, 7)).expect("kept") > 0 {}
}

/// A phone that keeps of its rows what a phone keeps.
struct Phone {
    hand: PhoneHand,
    visits: BTreeSet<(Scope, VisitId)>,
    notes: BTreeSet<(Scope, VisitId, RequestId)>,
}

impl Phone {
    fn of(world: &mut World, member: &str) -> Self {
        Self { hand: world.enrol(member), visits: BTreeSet::new(), notes: BTreeSet::new() }
    }

    fn pull(&mut self, world: &mut World) {
        for row in self.hand.pull(world) {
            let (Some(visit), scope) = (row.visit(), row.scope.clone()) else { continue };
            match RowKind::from(row.kind) {
                RowKind::Note => {
                    let note: NoteRow = cbor::read(&row.payload, "note").expect("a note");
                    self.notes.insert((scope, visit, note.id));
                }
                RowKind::Leave => {
                    self.visits.remove(&(scope.clone(), visit));
                    self.notes.retain(|(at, of, _)| (at, of) != (&scope, &visit));
                }
                _ => drop(self.visits.insert((scope, visit))),
            }
        }
        let held: BTreeSet<&Scope> = self.hand.heads.iter().map(|head| &head.scope).collect();
        self.visits.retain(|(scope, _)| held.contains(scope));
        self.notes.retain(|(scope, ..)| held.contains(scope));
    }

    fn visits(&self) -> BTreeSet<VisitId> {
        self.visits.iter().map(|(_, visit)| *visit).collect()
    }

    fn notes(&self) -> BTreeSet<(VisitId, RequestId)> {
        self.notes.iter().map(|(_, visit, note)| (*visit, *note)).collect()
    }
}

fn zone(site: &SiteId) -> Zone {
    crate::zones::built_in(if site.as_str() == "zrh" { "Europe/Zurich" } else { "America/New_York" })
}

/// The table, said in another way than the hub computes it.
struct Table<'a> {
    member: &'a MemberRecord,
    now: DateTime<Utc>,
}

impl Table<'_> {
    fn is(&self, role: Role, visit: &AcceptedVisit) -> bool {
        self.member.roles.iter().any(|grant| {
            grant.role == role
                && grant.site.as_ref().is_none_or(|site| *site == visit.site)
                && grant.visitor_type.as_ref().is_none_or(|kind| Some(kind) == visit.values.visitor_type.as_ref())
        })
    }

    fn owns(&self, who: &MemberId) -> bool {
        *who == self.member.member.id
            || self.member.roles.iter().any(|g| g.role == Role::Delegate && g.principal.as_ref() == Some(who))
    }

    fn is_about_now(&self, visit: &AcceptedVisit) -> bool {
        let today = self.now.with_timezone(&zone(&visit.site)).date_naive();
        let schedule = visit.values.schedule.expect("these visits have one");
        let (from, to) = (today - Days::new(7), today + Days::new(30));
        let last = schedule.end().unwrap_or(schedule.start()).date();
        visit.standing.presence == Presence::OnSite || (last >= from && schedule.start().date() <= to)
    }

    fn sees(&self, visit: &AcceptedVisit) -> bool {
        let receives = self.is(Role::Reception, visit) || self.is(Role::Administrator, visit);
        let decides = self.is(Role::Approver, visit) || self.is(Role::Administrator, visit);
        self.owns(&visit.host)
            || self.owns(&visit.creator)
            || (receives && self.is_about_now(visit))
            || (decides && visit.is_for_approvers())
    }

    fn reads_notes(&self, visit: &AcceptedVisit) -> bool {
        let unbound = self.member.roles.iter().any(|grant| {
            grant.role == Role::Approver
                && grant.visitor_type.is_none()
                && grant.site.as_ref().is_none_or(|site| *site == visit.site)
        });
        self.owns(&visit.creator)
            || self.is(Role::Reception, visit)
            || self.is(Role::Administrator, visit)
            || unbound
            || (self.is(Role::Approver, visit) && visit.is_for_approvers())
    }
}

const PEOPLE: [&str; 12] = [
    "ada",
    "ben",
    "chloe",
    "dora",
    "priya",
    "rosa",
    "amir",
    "desk-nyc",
    "desk-all",
    "guard-zrh",
    "guard-vip",
    "guard-vip-nyc",
];

fn peopled() -> World {
    let mut world = World::new();
    join(&mut world, "desk-nyc", vec![grant(Role::Reception, "nyc", "", "")]);
    join(&mut world, "desk-all", vec![grant(Role::Reception, "", "", "")]);
    join(&mut world, "guard-zrh", vec![grant(Role::Approver, "zrh", "", "")]);
    join(&mut world, "guard-vip", vec![grant(Role::Approver, "", "contractor", "")]);
    join(
        &mut world,
        "guard-vip-nyc",
        vec![grant(Role::Approver, "nyc", "contractor", ""), grant(Role::Approver, "nyc", "vip", "")],
    );
    world
}

/// Roles somebody may have meanwhile: none, or another desk, another site, another type.
fn some_roles(rng: &mut ChaCha20Rng) -> Vec<RoleGrant> {
    let (site, kind) = (["zrh", "nyc", ""][pick(rng, 3)], ["contractor", "vip", ""][pick(rng, 3)]);
    match pick(rng, 5) {
        0 => vec![grant(Role::Host, "", "", "")],
        1 => vec![grant(Role::Reception, site, "", "")],
        2 => vec![grant(Role::Approver, site, kind, ""), grant(Role::Host, "", "", "")],
        3 => vec![grant(Role::Administrator, "", "", "")],
        _ => vec![grant(Role::Delegate, "", "", "ben"), grant(Role::Reception, site, "", "")],
    }
}

fn pick(rng: &mut ChaCha20Rng, of: usize) -> usize {
    usize::try_from(rng.next_u32()).expect("fits") % of
}

fn schedule(now: DateTime<Utc>, days: u64) -> String {
    let date: NaiveDate = now.date_naive() + Days::new(days);
    format!("{date}T09:00/{date}T10:00")
}

struct Story {
    world: World,
    rng: ChaCha20Rng,
    writers: BTreeMap<&'static str, PhoneHand>,
    phones: Vec<(&'static str, Phone)>,
    visits: Vec<VisitId>,
}

impl Story {
    fn new(seed: u8) -> Self {
        let mut world = peopled();
        let writers = ["ada", "ben", "amir"].map(|name| (name, world.enrol(name))).into();
        let phones = PEOPLE.map(|name| (name, Phone::of(&mut world, name))).into();
        Self { world, rng: ChaCha20Rng::from_seed([seed; 32]), writers, phones, visits: Vec::new() }
    }

    fn pick(&mut self, of: usize) -> usize {
        pick(&mut self.rng, of)
    }

    /// Something happens; what the hub does not allow does not.
    fn step(&mut self) {
        let now = self.world.now();
        let (what, site) = (self.pick(10), ["zrh", "nyc"][self.pick(2)]);
        let kind = ["contractor", "vip", "guest"][self.pick(3)];
        let writer = ["ada", "ben", "amir"][self.pick(3)];
        let host = ["ada", "ben", "chloe"][self.pick(3)];
        let day = [1, 6, 29, 30, 31, 32, 45][self.pick(7)];
        if what < 3 || self.visits.is_empty() {
            let host = if writer == "ada" { "ada" } else { host };
            let more = [
                Write::set(Key::Site, site),
                Write::set(Key::Type, kind),
                Write::set(Key::Schedule, schedule(now, day)),
            ];
            let hand = self.writers.get_mut(writer).expect("a writer");
            self.visits.push(self.world.created(hand, host, &more).0);
            return;
        }
        let at = self.pick(self.visits.len());
        let visit = self.visits[at];
        let seen = self.world.visit(visit);
        let writes = match what {
            3 => vec![Write::set(Key::Site, site)],
            4 => vec![Write::set(Key::Type, kind)],
            5 => vec![Write::set(Key::Schedule, schedule(now, day))],
            6 => vec![Write::set(Key::Host, host)],
            7 => {
                let hand = self.writers.get_mut(writer).expect("a writer");
                let note = hand.ask(&seen, Ask::Note("not for the visitor".into()));
                self.world.push(hand, vec![note]);
                return;
            }
            8 => {
                let (who, roles) = (["rosa", "priya", "dora", "chloe"][self.pick(4)], some_roles(&mut self.rng));
                give_roles(&mut self.world, who, roles);
                return;
            }
            _ => {
                if self.pick(2) == 0 {
                    let _ = self.world.approve(visit, "amir", None);
                }
                self.world.later(TimeDelta::hours(31));
                return;
            }
        };
        let organisation = self.world.context.organisation.clone();
        let loaded = self.world.store.read(|tx| visits::load(tx, &organisation, visit)).expect("a database");
        let mut replica = loaded.expect("accepted").replica;
        let is_so = writes.iter().all(|write| replica.value(write.key) == write.value.as_ref());
        if is_so || seen.is_over() {
            return;
        }
        let hand = self.writers.get_mut("amir").expect("a writer");
        let item = hand.edit(&mut replica, &writes);
        self.world.push(hand, vec![item]);
    }

    fn check(&mut self, at: &str) {
        settle(&mut self.world);
        let (organisation, now) = (self.world.context.organisation.clone(), self.world.now());
        let all: Vec<AcceptedVisit> = self.visits.clone().into_iter().map(|id| self.world.visit(id)).collect();
        for (name, phone) in &mut self.phones {
            phone.pull(&mut self.world);
            let id = name.parse().expect("an id");
            let (member, written) = self
                .world
                .store
                .read(|tx| {
                    let written = all.iter().map(|visit| notes::of_visit(tx, &organisation, visit.id));
                    Ok::<_, crate::store::StoreError>((
                        members::get(tx, &organisation, &id)?.expect("a member"),
                        written.collect::<Result<Vec<_>, _>>()?,
                    ))
                })
                .expect("a database");
            let table = Table { member: &member, now };
            let sees: BTreeSet<VisitId> = all.iter().filter(|visit| table.sees(visit)).map(|visit| visit.id).collect();
            assert_eq!(phone.visits(), sees, "visits of {name}, {at}");
            let reads: BTreeSet<(VisitId, RequestId)> = all
                .iter()
                .zip(&written)
                .filter(|(visit, _)| table.reads_notes(visit))
                .flat_map(|(visit, notes)| notes.iter().map(|note| (visit.id, note.id)))
                .collect();
            assert_eq!(phone.notes(), reads, "notes of {name}, {at}");
        }
    }
}

/// The role table, over visits that are made, moved to other sites, types, days and hosts, approved and noted on, while
/// roles come and go and days pass: every phone holds exactly what its member may see, also one that begins only now.
#[test]
fn everybody_receives_exactly_what_their_roles_give() {
    for seed in 1..=2 {
        let mut story = Story::new(seed);
        for round in 0..10 {
            for _ in 0..6 {
                story.step();
            }
            story.check(&format!("round {round} of seed {seed}"));
        }
        for name in PEOPLE {
            let fresh = Phone::of(&mut story.world, name);
            story.phones.push((name, fresh));
        }
        story.check(&format!("new phones of seed {seed}"));
        assert!(story.phones.iter().any(|(_, phone)| !phone.notes().is_empty()), "somebody has notes");
    }
}

/// A note on a visit in New York reaches New York's desk, and neither Zürich's nor a later host; it moves with the visit.
#[test]
fn notes_stay_at_their_site() {
    let mut world = peopled();
    let mut ben = world.enrol("ben");
    let (visit, mut replica) = world.created(&mut ben, "ben", &[Write::set(Key::Site, "nyc")]);
    let seen = world.visit(visit);
    let note = ben.ask(&seen, Ask::Note("knows the way".into()));
    assert!(is_accepted(&world.push(&mut ben, vec![note])));
    let mut phones = ["rosa", "desk-nyc", "ada"].map(|name| Phone::of(&mut world, name));
    let mut notes = |world: &mut World| {
        phones.each_mut().map(|phone| {
            phone.pull(world);
            phone.notes().len()
        })
    };
    assert_eq!(notes(&mut world), [0, 1, 0]);
    let moved = ben.edit(&mut replica, &[Write::set(Key::Site, "zrh"), Write::set(Key::Host, "ada")]);
    assert!(is_accepted(&world.push(&mut ben, vec![moved])));
    assert_eq!(notes(&mut world), [1, 0, 0]);
}

/// What an empty sync carries follows from what somebody is, not from how many colleagues write notes.
#[test]
fn what_is_held_does_not_grow_with_colleagues() {
    let mut world = peopled();
    let count = |world: &mut World| {
        ["rosa", "priya", "guard-vip", "amir"].map(|name| {
            let mut hand = world.enrol(name);
            hand.pull(world);
            hand.heads.len()
        })
    };
    let before = count(&mut world);
    for n in 0..20 {
        let name = format!("host-{n}");
        join(&mut world, &name, vec![RoleGrant::of(Role::Host)]);
        let mut hand = world.enrol(&name);
        let (visit, _) = world.created(&mut hand, &name, &[Write::set(Key::Type, "contractor")]);
        let seen = world.visit(visit);
        let note = hand.ask(&seen, Ask::Note("hello".into()));
        assert!(is_accepted(&world.push(&mut hand, vec![note])));
    }
    assert_eq!(count(&mut world), before);
}

/// The window of reception moves with the day of its site: New York's day is over six hours after Zürich's.
#[test]
fn the_window_moves_with_the_sites_day() {
    let mut world = peopled();
    let mut amir = world.enrol("amir");
    let visits = ["zrh", "nyc"].map(|site| {
        let more = [Write::set(Key::Site, site), Write::set(Key::Schedule, "2027-03-10T09:00/2027-03-10T10:00")];
        world.created(&mut amir, "ada", &more).0
    });
    let mut desk = Phone::of(&mut world, "desk-all");
    let mut held = |world: &mut World, at: &str| {
        let time: DateTime<Utc> = at.parse().expect("a time");
        let by = time - world.now();
        world.later(by);
        settle(world);
        desk.pull(world);
        visits.map(|visit| desk.visits().contains(&visit))
    };
    assert_eq!(held(&mut world, "2027-02-07T22:59:00Z"), [false, false], "31 days ahead");
    assert_eq!(held(&mut world, "2027-02-07T23:01:00Z"), [true, false], "a new day in Zürich");
    assert_eq!(held(&mut world, "2027-02-08T05:01:00Z"), [true, true]);
    assert_eq!(held(&mut world, "2027-03-17T22:59:00Z"), [true, true], "7 days ago");
    assert_eq!(held(&mut world, "2027-03-17T23:01:00Z"), [false, true]);
    assert_eq!(held(&mut world, "2027-03-18T04:01:00Z"), [false, false]);
}

/// A role newly given finds what is there, what is expected next first, as pages like any other; taken away, it goes.
#[test]
fn a_new_role_is_filled_with_what_is_there() {
    let mut world = World::new();
    let mut ben = world.enrol("ben");
    let began = world.now();
    let mut made = |world: &mut World, days| {
        let at = Write::set(Key::Schedule, schedule(began, days));
        world.created(&mut ben, "ben", &[Write::set(Key::Site, "nyc"), Write::set(Key::Type, "contractor"), at]).0
    };
    let (third, first, second) = (made(&mut world, 20), made(&mut world, 1), made(&mut world, 9));
    let mut chloe = Phone::of(&mut world, "chloe");
    world.later(TimeDelta::days(3));
    settle(&mut world);
    chloe.pull(&mut world);
    assert_eq!(chloe.visits(), BTreeSet::new());
    // Nobody was bound to the type before, so no scope of it was kept.
    give_roles(&mut world, "chloe", vec![grant(Role::Approver, "nyc", "contractor", "")]);
    let rows = chloe.hand.pull(&mut world);
    let entered: Vec<_> =
        rows.iter().filter(|row| RowKind::from(row.kind) == RowKind::Enter).filter_map(Row::visit).collect();
    assert_eq!(entered, [second, third, first], "today and later first, then the newest");
    let scope = Scope::TypeApprovals("nyc".parse().expect("an id"), "contractor".parse().expect("an id"));
    chloe.visits.extend(entered.into_iter().map(|visit| (scope.clone(), visit)));
    give_roles(&mut world, "chloe", vec![]);
    chloe.pull(&mut world);
    assert_eq!(chloe.visits(), BTreeSet::new());
}
