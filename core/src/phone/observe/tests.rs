//! Observed lists: what a listener has been told adds up to the list, whatever listeners do.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::super::fake_hub::FakeHub;
use super::super::tests::{Setup, draft, run};
use super::super::{Cancel, Surroundings};
use super::*;
use crate::document::Write;
use crate::id::VisitId;
use crate::keys::SoftwareSigner;
use crate::store::{StoreKey, VisitSummary};
use crate::visit::{Key, Tab, VisitDraft};

/// Longer than anything here takes: a test that waits for so long has failed.
const FOREVER: Duration = Duration::from_mins(1);

/// A shell's copy of a list.
#[derive(Default)]
struct Mirror {
    seen: Mutex<Seen>,
    told: Condvar,
}

#[derive(Default)]
struct Seen {
    list: Vec<VisitSummary>,
    updates: usize,
    resets: usize,
    last: Option<ListUpdate>,
}

impl Mirror {
    fn listener(self: &Arc<Self>) -> ListListener {
        let mirror = Arc::clone(self);
        Arc::new(move |update| mirror.take(update))
    }

    fn take(&self, update: ListUpdate) {
        let mut seen = self.seen.lock().expect("no test panics with it");
        seen.last = Some(update.clone());
        seen.updates += 1;
        for diff in update.diffs {
            let before = seen.list.clone();
            seen.resets += usize::from(matches!(diff, ListDiff::Reset { .. }));
            let moves = !matches!(diff, ListDiff::Reset { .. });
            diff.apply(&mut seen.list);
            assert!(!moves || before != seen.list, "a step that does nothing");
        }
        self.told.notify_all();
    }

    /// Waits until what was told is so.
    fn until(&self, what: &str, is_so: impl Fn(&Seen) -> bool) {
        let seen = self.seen.lock().expect("no test panics with it");
        let (_seen, waited) = self.told.wait_timeout_while(seen, FOREVER, |seen| !is_so(seen)).expect("as above");
        assert!(!waited.timed_out(), "never told: {what}");
    }

    fn until_names(&self, names: &[&str]) {
        self.until(&format!("{names:?}"), |seen| {
            seen.list.iter().map(|visit| visit.name.as_str()).eq(names.iter().copied())
        });
    }

    fn updates(&self) -> usize {
        self.seen.lock().expect("no test panics with it").updates
    }
}

/// What the whole list is, read from scratch.
fn scratch(phone: &HostClient, filter: ListFilter, length: usize) -> Vec<VisitSummary> {
    phone.list(filter, length, None).expect("lists").items
}

#[derive(Debug, Clone)]
enum Step {
    Create { hour: u8 },
    Rename { nth: usize },
    Postpone { nth: usize, hour: u8 },
    Cancel { nth: usize },
    Discard { nth: usize },
    Sync,
    HubRenames { nth: usize },
    LoadMore,
    Filter(usize),
}

const FILTERS: [ListFilter; 4] =
    [ListFilter::All, ListFilter::Tab(Tab::Queued), ListFilter::Tab(Tab::Upcoming), ListFilter::Tab(Tab::Past)];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..20_u8).prop_map(|hour| Step::Create { hour }),
        2 => any::<usize>().prop_map(|nth| Step::Rename { nth }),
        2 => (any::<usize>(), 0..20_u8).prop_map(|(nth, hour)| Step::Postpone { nth, hour }),
        1 => any::<usize>().prop_map(|nth| Step::Cancel { nth }),
        1 => any::<usize>().prop_map(|nth| Step::Discard { nth }),
        2 => Just(Step::Sync),
        1 => any::<usize>().prop_map(|nth| Step::HubRenames { nth }),
        1 => Just(Step::LoadMore),
        1 => (0..FILTERS.len()).prop_map(Step::Filter),
    ]
}

fn at(hour: u8, name: &str) -> VisitDraft {
    VisitDraft { start: Some(format!("{hour:02}:00")), end: Some(format!("{:02}:30", hour + 2)), ..draft(name) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Whatever is written, synced, paged and filtered, what the listener was told adds up to the list.
    #[test]
    fn what_is_told_adds_up_to_the_list(steps in proptest::collection::vec(step(), 1..25), page in 1..6_usize) {
        let setup = Setup::new();
        let phone = &setup.phone;
        let mirror = Arc::new(Mirror::default());
        let mut filter = ListFilter::All;
        let subscription = phone.observe(filter, page, mirror.listener()).expect("observes");
        let mut visits: Vec<VisitId> = Vec::new();
        let mut length = page;
        for step in steps {
            let visit = |nth: usize| (!visits.is_empty()).then(|| visits[nth % visits.len()]);
            match step {
                Step::Create { hour } => {
                    // Every tenth is one the hub refuses.
                    let name = if hour % 10 == 9 { super::super::fake_hub::UNWELCOME } else { "Grace" };
                    visits.push(phone.create(&at(hour, name)).expect("invites"));
                }
                Step::Rename { nth } => {
                    if let Some(visit) = visit(nth) {
                        // It may have been cancelled, or be gone.
                        let _ = phone.edit(visit, &at(9, &format!("Ada{nth}")));
                    }
                }
                Step::Postpone { nth, hour } => {
                    if let Some(visit) = visit(nth) {
                        let _ = phone.edit(visit, &at(hour, "Grace"));
                    }
                }
                Step::Cancel { nth } => {
                    if let Some(visit) = visit(nth) {
                        let _ = phone.cancel(visit);
                    }
                }
                Step::Discard { nth } => {
                    let operations = visit(nth).and_then(|visit| phone.show(visit).ok()).map(|view| view.operations);
                    if let Some(operation) = operations.as_ref().and_then(|operations| operations.first()) {
                        let _ = phone.discard(operation.id);
                    }
                }
                Step::Sync => drop(setup.sync().expect("syncs")),
                Step::HubRenames { nth } => {
                    if let Some(visit) = visit(nth).filter(|visit| setup.hub.state().value(*visit, Key::Id).is_some()) {
                        setup.hub.state().edit(visit, &[Write::set(Key::FirstName, format!("Hub{nth}"))]);
                    }
                }
                Step::LoadMore => {
                    // Only what the listener knows to be there.
                    let known = scratch(phone, filter, length);
                    mirror.until("all", |seen| seen.list == known);
                    if mirror.seen.lock().expect("as above").last.as_ref().is_some_and(|last| last.has_more) {
                        subscription.load_more();
                        length += page;
                    }
                }
                Step::Filter(nth) => {
                    filter = FILTERS[nth];
                    length = page;
                    subscription.set_filter(filter);
                }
            }
            let expected = scratch(phone, filter, length);
            mirror.until("the list", |seen| seen.list == expected);
        }
    }
}

/// The first update is the whole list; an observer that comes later hears the same.
#[test]
fn it_begins_with_a_reset() {
    let setup = Setup::new();
    setup.invite("Grace");
    let (first, second) = (Arc::new(Mirror::default()), Arc::new(Mirror::default()));
    let _first = setup.phone.observe(ListFilter::All, 10, first.listener()).expect("observes");
    first.until_names(&["Grace"]);
    let _second = setup.phone.observe(ListFilter::All, 10, second.listener()).expect("observes");
    second.until_names(&["Grace"]);
    setup.invite("Charles");
    first.until("Charles", |seen| seen.list.len() == 2 && seen.resets == 1);
    let last = first.seen.lock().expect("as above").last.clone().expect("told");
    assert_eq!((last.has_more, last.counts.queued), (false, 2));
    assert!(matches!(last.diffs.as_slice(), [ListDiff::Insert { .. }]), "{:?}", last.diffs);
}

/// A write that changes nothing a list shows is no update; a count elsewhere is one without steps.
#[test]
fn nothing_new_is_not_told() {
    let setup = Setup::new();
    let mirror = Arc::new(Mirror::default());
    let _past = setup.phone.observe(ListFilter::Tab(Tab::Past), 10, mirror.listener()).expect("observes");
    mirror.until("the beginning", |seen| seen.updates == 1);
    setup.sync().expect("syncs");
    setup.invite("Grace");
    mirror.until("the count", |seen| seen.last.as_ref().is_some_and(|last| last.counts.queued == 1));
    let seen = mirror.seen.lock().expect("as above");
    assert_eq!((seen.updates, seen.last.as_ref().map(|last| last.diffs.len())), (2, Some(0)));
}

/// A listener that panics harms nobody, and is told everything anew.
#[test]
fn a_listener_that_panics_is_told_anew() {
    let setup = Setup::new();
    let (mirror, other) = (Arc::new(Mirror::default()), Arc::new(Mirror::default()));
    let fails = Arc::new(AtomicBool::new(true));
    let listener: ListListener = {
        let (mirror, fails) = (Arc::clone(&mirror), Arc::clone(&fails));
        Arc::new(move |update| {
            if fails.swap(false, Ordering::SeqCst) {
                // As a panic, but without its message on the terminal.
                std::panic::resume_unwind(Box::new("the listener fails"));
            }
            mirror.take(update);
        })
    };
    setup.invite("Grace");
    let _failing = setup.phone.observe(ListFilter::All, 10, listener).expect("observes");
    let _other = setup.phone.observe(ListFilter::All, 10, other.listener()).expect("observes");
    other.until_names(&["Grace"]);
    while fails.load(Ordering::SeqCst) {
        std::thread::yield_now();
    }
    setup.invite("Charles");
    mirror.until("everything", |seen| seen.list.len() == 2 && seen.resets == 1);
    other.until("Charles", |seen| seen.list.len() == 2 && seen.resets == 1);
}

/// Listeners that block harm no other, no write and no close; threads do not grow with observers that do not.
#[test]
fn listeners_that_block_wait_alone() {
    let setup = Setup::new();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(Mutex::new(blocked));
    let entered = Arc::new(AtomicUsize::new(0));
    let blocking: Vec<Subscription> = (0..2)
        .map(|_| {
            let (blocked, entered) = (Arc::clone(&blocked), Arc::clone(&entered));
            let listener: ListListener = Arc::new(move |_| {
                entered.fetch_add(1, Ordering::SeqCst);
                // Ends when the test does.
                let _ = blocked.lock().map(|blocked| blocked.recv());
            });
            setup.phone.observe(ListFilter::All, 10, listener).expect("observes")
        })
        .collect();
    let mirrors: Vec<_> = (0..50).map(|_| Arc::new(Mirror::default())).collect();
    let good: Vec<Subscription> = mirrors
        .iter()
        .map(|mirror| setup.phone.observe(ListFilter::All, 10, mirror.listener()).expect("observes"))
        .collect();
    setup.invite("Grace");
    for mirror in &mirrors {
        mirror.until_names(&["Grace"]);
    }
    while entered.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    let callers = setup.phone.desk.callers();
    assert!(callers <= 2 + 2, "{callers} threads for 2 listeners that block and 50 that do not");
    setup.invite("Charles");
    mirrors[7].until("Charles", |seen| seen.list.len() == 2);
    assert_eq!(entered.load(Ordering::SeqCst), 2, "a listener that is busy gets no second call");
    setup.phone.close();
    assert!(matches!(setup.phone.counts(), Err(PhoneError::Closed)));
    drop((blocking, good, release));
}

/// When `cancel` returns no call begins any more; dropping does the same; and a listener may cancel itself.
#[test]
fn a_cancelled_subscription_is_quiet() {
    let setup = Setup::new();
    let (mirror, dropped, itself) =
        (Arc::new(Mirror::default()), Arc::new(Mirror::default()), Arc::new(Mirror::default()));
    let subscription = setup.phone.observe(ListFilter::All, 10, mirror.listener()).expect("observes");
    let goes = setup.phone.observe(ListFilter::All, 10, dropped.listener()).expect("observes");
    let own: Arc<Mutex<Option<Subscription>>> = Arc::default();
    let listener: ListListener = {
        let (itself, own) = (Arc::clone(&itself), Arc::clone(&own));
        Arc::new(move |update| {
            if let Some(subscription) = own.lock().expect("as above").as_ref() {
                subscription.cancel();
            }
            itself.take(update);
        })
    };
    let subscribed = setup.phone.observe(ListFilter::All, 10, listener).expect("observes");
    for mirror in [&mirror, &dropped, &itself] {
        mirror.until("the beginning", |seen| seen.updates == 1);
    }
    *own.lock().expect("as above") = Some(subscribed);
    subscription.cancel();
    subscription.cancel();
    drop(goes);
    setup.invite("Grace");
    itself.until("the last", |seen| seen.updates == 2);
    let last = Arc::new(Mirror::default());
    let _last = setup.phone.observe(ListFilter::All, 10, last.listener()).expect("observes");
    setup.invite("Charles");
    last.until("both", |seen| seen.list.len() == 2);
    assert_eq!([mirror.updates(), dropped.updates(), itself.updates()], [1, 1, 2]);
    subscription.load_more();
    subscription.set_filter(ListFilter::Attention);
}

/// A listener may use the phone, and close it.
#[test]
fn a_listener_may_close_the_phone() {
    let setup = Setup::new();
    let phone = Arc::new(setup.phone);
    let (told, hears) = mpsc::channel();
    let listener: ListListener = {
        let phone = Arc::downgrade(&phone);
        Arc::new(move |_| {
            if let Some(phone) = phone.upgrade() {
                let counts = phone.counts();
                phone.close();
                // Nobody hears when the test has failed.
                let _ = told.send((counts.is_ok(), phone.counts()));
            }
        })
    };
    let _subscription = phone.observe(ListFilter::All, 10, listener).expect("observes");
    let (before, after) = hears.recv_timeout(FOREVER).expect("the listener is called");
    assert!(before && matches!(after, Err(PhoneError::Closed)));
    phone.close();
    assert!(matches!(phone.observe(ListFilter::All, 1, Arc::new(|_| ())), Err(PhoneError::Closed)));
    assert!(matches!(run(phone.sync(&|_| (), &Cancel::new())), Err(PhoneError::Closed)));
    assert!(matches!(run(phone.sign_in("https://hub.example", "bearer")), Err(PhoneError::Closed)));
    assert!(matches!((phone.pause(), phone.resume()), (Err(PhoneError::Closed), Err(PhoneError::Closed))));
}

/// Between pause and resume nobody is told anything; then everything at once.
#[test]
fn a_paused_phone_is_quiet() {
    let setup = Setup::new();
    let mirror = Arc::new(Mirror::default());
    let _subscription = setup.phone.observe(ListFilter::All, 10, mirror.listener()).expect("observes");
    mirror.until("the beginning", |seen| seen.updates == 1);
    setup.phone.pause().expect("pauses");
    setup.invite("Grace");
    setup.invite("Charles");
    assert!(matches!(setup.sync(), Err(PhoneError::Cancelled)));
    assert_eq!(mirror.updates(), 1);
    setup.phone.resume().expect("resumes");
    mirror.until("both at once", |seen| seen.list.len() == 2 && seen.updates == 2);
    setup.sync().expect("syncs");
    mirror.until("upcoming", |seen| seen.list.iter().all(|visit| !visit.queued));
}

/// A clock the test sets.
struct Clock {
    now: AtomicI64,
    random: AtomicU64,
}

impl Surroundings for Clock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now.load(Ordering::SeqCst)).expect("a time")
    }

    fn fill(&self, bytes: &mut [u8]) {
        let n = self.random.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(n.iter().rev().cycle()).for_each(|(byte, n)| *byte = *n);
    }
}

/// S4.14: when its time is over a visit leaves Upcoming by itself, without a write and without a network.
#[test]
fn time_passing_is_told() {
    let (dir, hub) = (tempfile::tempdir().expect("a directory"), FakeHub::new());
    let over: DateTime<Utc> = "2027-02-10T09:00:00Z".parse().expect("a time");
    let clock = Arc::new(Clock { now: AtomicI64::new(1_800_000_000_000), random: AtomicU64::new(1 << 40) });
    let signer = Arc::new(SoftwareSigner::from_seed(&[3; 32]));
    let key = StoreKey::new(Zeroizing::new([5; 48]));
    let surroundings = Arc::clone(&clock) as Arc<dyn Surroundings>;
    let phone = HostClient::open(&dir.path().join("phone"), &key, signer, Box::new(hub), surroundings).expect("opens");
    run(phone.sign_in("https://hub.example", "bearer")).expect("signs in");
    run(phone.sync(&|_| (), &Cancel::new())).expect("syncs");
    phone.create(&draft("Grace")).expect("invites");
    run(phone.sync(&|_| (), &Cancel::new())).expect("syncs");
    clock.now.store(over.timestamp_millis() - 20, Ordering::SeqCst);
    let (upcoming, past) = (Arc::new(Mirror::default()), Arc::new(Mirror::default()));
    let _upcoming = phone.observe(ListFilter::Tab(Tab::Upcoming), 10, upcoming.listener()).expect("observes");
    let _past = phone.observe(ListFilter::Tab(Tab::Past), 10, past.listener()).expect("observes");
    upcoming.until_names(&["Grace"]);
    past.until("the beginning", |seen| seen.updates == 1);
    clock.now.store(over.timestamp_millis(), Ordering::SeqCst);
    upcoming.until_names(&[]);
    past.until_names(&["Grace"]);
    assert_eq!(past.seen.lock().expect("as above").last.as_ref().map(|last| last.counts.past), Some(1));
}
