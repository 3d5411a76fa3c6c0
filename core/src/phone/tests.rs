//! The phone against a hub in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::fake_hub::{FakeHub, UNWELCOME, me};
use super::*;
use crate::decision::{Approval, Fact};
use crate::directory::{DirectoryRow, Member};
use crate::document::{Value, Write};
use crate::feed::{RowKind, Scope};
use crate::id::VisitId;
use crate::keys::SoftwareSigner;
use crate::store::{Choice, HistoryFact, ListFilter, OperationState};
use crate::sync::machine::Disbelief;
use crate::visit::{Key, Status, Tab, VisitDraft};

/// Time that moves only with what is asked of it, and numbers that never repeat.
struct Still {
    random: AtomicU64,
    later: i64,
}

impl Surroundings for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + self.later, 0).expect("a time")
    }

    fn fill(&self, bytes: &mut [u8]) {
        let n = self.random.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(n.iter().rev().cycle()).for_each(|(byte, n)| *byte = *n);
    }
}

pub(super) struct Setup {
    pub(super) dir: TempDir,
    pub(super) hub: FakeHub,
    pub(super) phone: HostClient,
}

pub(super) fn open(dir: &TempDir, hub: &FakeHub, device: u8) -> HostClient {
    open_at(dir, hub, device, 0)
}

/// So many seconds later.
pub(super) fn open_at(dir: &TempDir, hub: &FakeHub, device: u8, later: i64) -> HostClient {
    opened(dir, hub, device, later).expect("opens")
}

pub(super) fn try_open(dir: &TempDir, hub: &FakeHub, device: u8) -> Result<HostClient, PhoneError> {
    opened(dir, hub, device, 0)
}

fn opened(dir: &TempDir, hub: &FakeHub, device: u8, later: i64) -> Result<HostClient, PhoneError> {
    static SEED: AtomicU64 = AtomicU64::new(1);
    let signer = Arc::new(SoftwareSigner::from_seed(&[device; 32]));
    let key = StoreKey::new(Zeroizing::new([5; 48]));
    let still = Still { random: AtomicU64::new(SEED.fetch_add(1 << 20, Ordering::Relaxed)), later };
    HostClient::open(&dir.path().join("phone"), &key, signer, Box::new(hub.clone()), Arc::new(still))
}

pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(work)
}

impl Setup {
    pub(super) fn new() -> Self {
        let (dir, hub) = (tempfile::tempdir().expect("a directory"), FakeHub::new());
        let phone = open(&dir, &hub, 3);
        run(phone.sign_in("https://hub.example", "bearer")).expect("signs in");
        let setup = Self { dir, hub, phone };
        setup.sync().expect("syncs");
        setup
    }

    pub(super) fn sync(&self) -> Result<SyncReport, PhoneError> {
        run(self.phone.sync(&|_| (), &Cancel::new()))
    }

    pub(super) fn invite(&self, name: &str) -> VisitId {
        self.phone.create(&draft(name)).expect("invites")
    }

    pub(super) fn edit(&self, visit: VisitId, change: impl FnOnce(&mut VisitDraft)) {
        let mut draft = VisitDraft::from_values(&self.phone.show(visit).expect("shows").values);
        change(&mut draft);
        self.phone.edit(visit, &draft).expect("edits");
    }

    pub(super) fn status(&self, visit: VisitId) -> Status {
        self.phone.show(visit).expect("shows").status
    }

    pub(super) fn outbox(&self, visit: VisitId) -> Vec<(OperationState, Option<String>)> {
        let operations = self.phone.show(visit).expect("shows").operations;
        operations.into_iter().map(|o| (o.state, o.reason.map(|reason| reason.code))).collect()
    }

    /// The phone's app is killed and started again.
    pub(super) fn restart(self) -> Self {
        self.restart_at(0)
    }

    /// The same, on a clock that shows so many seconds more.
    pub(super) fn restart_at(self, later: i64) -> Self {
        let Self { dir, hub, phone } = self;
        drop(phone);
        let phone = open_at(&dir, &hub, 3, later);
        Self { dir, hub, phone }
    }
}

pub(super) fn draft(name: &str) -> VisitDraft {
    VisitDraft {
        first_name: Some(name.into()),
        email: Some(format!("{}@guest.example", name.to_lowercase())),
        company: Some("Analytical Engines".into()),
        site: Some("zrh".into()),
        date: Some("2027-02-10".into()),
        start: Some("09:00".into()),
        end: Some("10:00".into()),
        ..VisitDraft::default()
    }
}

pub(super) fn text(value: Option<Value>) -> Option<String> {
    value.and_then(|value| value.as_text().map(ToOwned::to_owned))
}

/// S1.6, S1.7, S1.8, S1.19: create, list, search, edit, cancel and note with no network, and all of it is there after a
/// restart; then it reaches the hub, and the outbox is empty.
#[test]
fn everything_works_with_no_network_and_arrives() {
    let setup = Setup::new();
    setup.hub.state().offline = true;
    let (grace, charles) = (setup.invite("Grace"), setup.invite("Charles"));
    assert_eq!(setup.status(grace), Status::Queued);
    assert_eq!(setup.phone.search("gra", 10).expect("searches").len(), 1);
    setup.edit(grace, |draft| draft.first_name = Some("Grâce".into()));
    setup.phone.note(grace, "likes tea").expect("notes");
    setup.phone.cancel(charles).expect("cancels");
    assert!(matches!(setup.sync(), Err(PhoneError::Unreachable)));
    let setup = setup.restart();
    let found = setup.phone.search("grace ana", 10).expect("searches");
    assert_eq!(found.iter().map(|visit| visit.name.as_str()).collect::<Vec<_>>(), ["Grâce"]);
    assert_eq!(found[0].start.map(|at| at.to_rfc3339()).as_deref(), Some("2027-02-10T08:00:00+00:00"));
    assert_eq!(found[0].host_name.as_deref(), Some("Ada King"), "the host is oneself (S1.23)");
    assert_eq!(setup.status(charles), Status::Cancelled);
    let view = setup.phone.show(grace).expect("shows");
    assert!(view.queued && view.notes[0].queued);
    setup.hub.state().offline = false;
    setup.sync().expect("syncs");
    let view = setup.phone.show(grace).expect("shows");
    assert_eq!((view.status, view.queued, view.operations.len()), (Status::Upcoming, false, 0));
    assert_eq!(
        view.notes.iter().map(|note| (note.text.as_str(), note.queued)).collect::<Vec<_>>(),
        [("likes tea", false)]
    );
    assert_eq!(text(setup.hub.state().value(grace, Key::FirstName)).as_deref(), Some("Grâce"));
    let counts = setup.phone.counts().expect("counts");
    assert_eq!((counts.queued, counts.upcoming, counts.past, counts.attention), (0, 1, 1, 0));
    let exchanges = setup.hub.state().exchanges;
    setup.sync().expect("syncs");
    assert_eq!(setup.hub.state().exchanges, exchanges + 1, "nothing new costs one round trip");
}

/// S4.34, S4.35 (settled): a cancellation made offline shows at once, and as pending until the hub has it.
#[test]
fn a_revocation_is_pending_until_the_hub_has_it() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.hub.state().offline = true;
    setup.phone.cancel(visit).expect("cancels");
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, view.queued), (Status::Cancelled, true));
    setup.hub.state().offline = false;
    setup.sync().expect("syncs");
    assert!(!setup.phone.show(visit).expect("shows").queued);
}

/// S1.26: the form knows every problem; nothing is stored of a draft that has one.
#[test]
fn a_bad_draft_changes_nothing() {
    let setup = Setup::new();
    let bad = VisitDraft { email: None, site: None, ..draft("Grace") };
    let problems = setup.phone.validate(&bad).expect("checks");
    assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["email", "site"]);
    assert!(matches!(setup.phone.create(&bad), Err(PhoneError::BadDraft(found)) if found == problems));
    assert!(setup.phone.list(ListFilter::All, 10, None).expect("lists").items.is_empty());
    assert!(matches!(setup.phone.create_all(&[draft("Grace"), bad]), Err(PhoneError::BadDraft(_))));
    assert!(setup.phone.list(ListFilter::All, 10, None).expect("lists").items.is_empty());
}

/// "When two edits meet": free text is replayed on top, and the later one stands.
#[test]
fn a_stale_edit_of_free_text_is_replayed_silently() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().edit(visit, &[Write::set(Key::Company, "Theirs")]);
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Mine"));
    assert_eq!(setup.outbox(visit), []);
    assert_eq!(setup.phone.show(visit).expect("shows").values.company.as_deref(), Some("Mine"));
}

/// "When two edits meet": e-mail against e-mail, the first stands, the second is a conflict to choose; free text of the
/// same edit goes through. Both choices end with an empty outbox.
#[test]
fn a_stale_edit_of_the_address_is_a_conflict_to_choose() {
    for (choice, expected) in [(Choice::Mine, "mine@guest.example"), (Choice::Theirs, "theirs@guest.example")] {
        let setup = Setup::new();
        let visit = setup.invite("Grace");
        setup.sync().expect("syncs");
        setup.edit(visit, |draft| {
            draft.email = Some("mine@guest.example".into());
            draft.company = Some("Mine".into());
        });
        setup.hub.state().edit(visit, &[Write::set(Key::Email, "theirs@guest.example")]);
        setup.sync().expect("syncs");
        let view = setup.phone.show(visit).expect("shows");
        assert_eq!(view.values.email.as_deref(), Some("theirs@guest.example"));
        assert_eq!(view.values.company.as_deref(), Some("Mine"));
        assert_eq!(setup.outbox(visit), [(OperationState::Conflict, Some("conflict".into()))]);
        assert_eq!(view.operations[0].wants, [(Key::Email, Some("mine@guest.example".into()))]);
        let listed = setup.phone.list(ListFilter::Attention, 10, None).expect("lists").items;
        assert!(listed[0].conflict && listed[0].id == visit);
        let setup = setup.restart();
        setup.phone.settle(view.operations[0].id, choice).expect("settles");
        setup.sync().expect("syncs");
        assert_eq!(text(setup.hub.state().value(visit, Key::Email)).as_deref(), Some(expected));
        assert_eq!(setup.outbox(visit), []);
        assert_eq!(setup.phone.counts().expect("counts").attention, 0);
    }
}

/// Never discards unsent work: a refused invitation is a draft with its reason; edited, it is sent as a new change.
#[test]
fn a_refused_invitation_is_kept_and_can_be_sent_again() {
    let setup = Setup::new();
    let visit = setup.invite(UNWELCOME);
    setup.edit(visit, |draft| draft.company = Some("Later".into()));
    setup.sync().expect("syncs");
    let setup = setup.restart();
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!(view.status, Status::Refused);
    assert_eq!((view.values.first_name.as_deref(), view.values.company.as_deref()), (Some(UNWELCOME), Some("Later")));
    let codes = setup.outbox(visit).into_iter().map(|(_, code)| code.unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(codes, ["unwelcome", "dependency_refused"]);
    assert_eq!(setup.phone.counts().expect("counts").attention, 1);
    setup.edit(visit, |draft| draft.first_name = Some("Welcome".into()));
    assert_eq!(setup.status(visit), Status::Queued);
    setup.sync().expect("syncs");
    assert_eq!(setup.status(visit), Status::Upcoming);
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Later"));
}

/// A refused edit is kept as a draft; the edits before and after it survive.
#[test]
fn a_refused_edit_leaves_the_others() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some(UNWELCOME.into()));
    setup.edit(visit, |draft| draft.phone = Some("+41 44 123 45 67".into()));
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(visit, Key::Phone)).as_deref(), Some("+41 44 123 45 67"));
    assert_eq!(setup.outbox(visit), [(OperationState::Refused, Some("unwelcome".into()))]);
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, view.values.company.as_deref()), (Status::Upcoming, Some("Analytical Engines")));
    setup.phone.discard(view.operations[0].id).expect("discards");
    assert_eq!(setup.outbox(visit), []);
}

/// A lost answer changes nothing: what was sent is sent again, and taken once.
#[test]
fn a_lost_answer_is_asked_for_again() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.hub.state().lose_answer = true;
    assert!(matches!(setup.sync(), Err(PhoneError::Unreachable)));
    assert_eq!(setup.status(visit), Status::Queued, "never shown as invited before the hub has said so");
    let setup = setup.restart();
    setup.edit(visit, |draft| draft.company = Some("Later".into()));
    setup.sync().expect("syncs");
    assert_eq!((setup.status(visit), setup.outbox(visit)), (Status::Upcoming, vec![]));
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Later"));
}

/// `leave` purges the visit, and keeps unsent work as drafts.
#[test]
fn a_visit_that_leaves_goes_and_unsent_work_stays() {
    let setup = Setup::new();
    let (grace, charles) = (setup.invite("Grace"), setup.invite("Charles"));
    setup.sync().expect("syncs");
    setup.edit(grace, |draft| draft.company = Some(UNWELCOME.into()));
    for visit in [grace, charles] {
        setup.hub.state().visit_row(Scope::Visits(me()), visit, RowKind::Leave, Vec::new());
    }
    setup.sync().expect("syncs");
    assert!(matches!(setup.phone.show(charles), Err(PhoneError::NotFound)));
    assert!(setup.phone.search("charles", 9).expect("searches").is_empty());
    let view = setup.phone.show(grace).expect("shows");
    assert_eq!((view.status, view.values.first_name), (Status::Refused, None));
    assert_eq!(view.operations[0].wants, [(Key::Company, Some(UNWELCOME.into()))]);
}

/// A fresh base takes the place of the visit's past; own work is replayed on it.
#[test]
fn own_work_is_replayed_on_a_fresh_base() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().rebase(visit);
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Mine"));
    assert_eq!(setup.outbox(visit), []);
    let changed = |entry: &crate::store::HistoryEntry| matches!(entry.fact, HistoryFact::Changed(_));
    assert_eq!(setup.phone.history(visit).expect("history").iter().filter(|entry| changed(entry)).count(), 2);
    let setup = setup.restart();
    assert_eq!(setup.phone.show(visit).expect("shows").values.company.as_deref(), Some("Mine"));
}

/// S2.14, S2.21, S2.25, S2.27: status and reason are the hub's word; after a final rejection nobody invites again.
#[test]
fn the_hub_decides_and_the_phone_shows_it() {
    let setup = Setup::new();
    setup.hub.state().approval = true;
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    assert_eq!(setup.status(visit), Status::Pending);
    setup.hub.state().decide(visit, Fact::Approved { heads: vec![] });
    setup.sync().expect("syncs");
    assert_eq!(setup.status(visit), Status::Upcoming);
    let (reason, r#final) = (Some("not on this site".to_owned()), true);
    setup.hub.state().decide(visit, Fact::Rejected { reason: reason.clone(), r#final });
    setup.sync().expect("syncs");
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, &view.approval), (Status::Rejected, &Approval::Rejected { reason, r#final }));
    let again = setup.phone.invite_again(visit, &draft("Grace"));
    assert!(matches!(again, Err(PhoneError::Refused { code, .. }) if code == "final_rejection"));
    let kinds: Vec<_> = setup
        .phone
        .history(visit)
        .expect("history")
        .into_iter()
        .filter_map(|entry| match entry.fact {
            HistoryFact::Decided(fact) => Some(fact.kind()),
            HistoryFact::Changed(_) => None,
        })
        .collect();
    assert_eq!(kinds, ["accepted", "approved", "rejected"]);
}

/// S4.30, S4.33: a past visit is invited again as a new one that names the old, which stays.
#[test]
fn a_past_visit_is_invited_again() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    let early = setup.phone.invite_again(visit, &draft("Grace"));
    assert!(matches!(early, Err(PhoneError::Refused { code, .. }) if code == "not_over"));
    setup.hub.state().decide(visit, Fact::NoShow);
    setup.sync().expect("syncs");
    let again = setup.phone.invite_again(visit, &draft("Grace")).expect("invites again");
    assert_eq!(setup.phone.show(again).expect("shows").values.previous, Some(visit));
    assert_eq!((setup.status(visit), setup.status(again)), (Status::NoShow, Status::Queued));
}

/// A page by a stranger's key, and one that does not extend the head: nothing of the answer is taken.
#[test]
fn forged_and_gapped_pages_change_nothing() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.hub.state().edit(visit, &[Write::set(Key::Company, "Theirs")]);
    setup.hub.state().edit(visit, &[Write::set(Key::Company, "Theirs again")]);
    setup.hub.state().forge = true;
    assert!(matches!(setup.sync(), Err(PhoneError::Disbelieved(Disbelief::PageSignature))));
    setup.hub.state().skip_row = true;
    assert!(matches!(setup.sync(), Err(PhoneError::Disbelieved(Disbelief::Page))));
    let company = |setup: &Setup| setup.phone.show(visit).expect("shows").values.company;
    assert_eq!(company(&setup).as_deref(), Some("Analytical Engines"));
    setup.sync().expect("syncs");
    assert_eq!(company(&setup).as_deref(), Some("Theirs again"));
}

/// Digests that differ: every scope is received anew, and unsent work is still there.
#[test]
fn a_difference_is_healed_by_receiving_anew() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(visit, |draft| draft.company = Some("Mine".into()));
    setup.hub.state().wrong_digest = true;
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(visit, Key::Company)).as_deref(), Some("Mine"));
    let view = setup.phone.show(visit).expect("shows");
    assert_eq!((view.status, view.values.company.as_deref()), (Status::Upcoming, Some("Mine")));
}

/// A hub that was restored from a backup is sent again what it has forgotten, byte for byte, and a person is told once.
#[test]
fn a_restored_hub_is_sent_again_what_it_has_forgotten() {
    let setup = Setup::new();
    let sent = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.edit(sent, |draft| draft.company = Some("Later".into()));
    setup.phone.note(sent, "likes tea").expect("notes");
    setup.sync().expect("syncs");
    let unsent = setup.invite("Emmy");
    setup.edit(sent, |draft| draft.company = Some("Latest".into()));
    let before = setup.hub.state().changes(sent);
    setup.hub.state().restore_backup();

    // Cut off once the phone knows: nothing is shown as invited that the hub has forgotten.
    setup.hub.state().revokes_when_restored = true;
    assert!(matches!(setup.sync(), Err(PhoneError::SignInAgain)));
    assert_eq!((setup.status(sent), setup.status(unsent)), (Status::Queued, Status::Queued));
    let view = setup.phone.show(sent).expect("shows");
    assert_eq!(view.values.company.as_deref(), Some("Latest"));

    setup.hub.state().revoked = false;
    let report = setup.sync().expect("syncs").set_back.expect("is told");
    assert_eq!((report.to, report.sent_again), (1_700_000_000, 1));
    assert_eq!(setup.sync().expect("syncs"), SyncReport::default(), "told once");
    for visit in [sent, unsent] {
        assert_eq!((setup.status(visit), setup.outbox(visit)), (Status::Upcoming, vec![]));
    }
    assert_eq!(setup.hub.state().changes(sent)[..before.len()], before[..], "the very same changes");
    assert_eq!(text(setup.hub.state().value(sent, Key::Company)).as_deref(), Some("Latest"));
    assert_eq!(setup.phone.show(sent).expect("shows").notes.len(), 1);
}

/// What builds on a colleague's lost change is kept, and asked about once in every sync, until the hub can judge it.
#[test]
fn what_cannot_be_judged_yet_is_asked_about_again() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.hub.state().judge_later = true;
    setup.sync().expect("syncs");
    let exchanges = setup.hub.state().exchanges;
    assert_eq!(setup.status(visit), Status::Queued);
    setup.sync().expect("syncs");
    assert!(setup.hub.state().exchanges - exchanges <= 2, "asked once, and pulled");
    assert_eq!(setup.status(visit), Status::Queued);
    setup.hub.state().judge_later = false;
    setup.sync().expect("syncs");
    assert_eq!((setup.status(visit), setup.outbox(visit)), (Status::Upcoming, vec![]));
}

/// A revoked device is told to sign in again, and keeps its work; with another key it goes on.
#[test]
fn signing_in_again_keeps_unsent_work() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.phone.note(visit, "likes tea").expect("notes");
    setup.hub.state().revoked = true;
    let Setup { dir, hub, phone } = setup;
    drop(phone);
    let setup = Setup { phone: open(&dir, &hub, 4), dir, hub };
    assert!(matches!(setup.sync(), Err(PhoneError::SignInAgain)));
    assert_eq!(setup.status(visit), Status::Queued);
    setup.hub.state().revoked = false;
    run(setup.phone.sign_in("https://hub.example", "bearer")).expect("signs in");
    setup.sync().expect("syncs");
    assert_eq!((setup.status(visit), setup.outbox(visit)), (Status::Upcoming, vec![]));
    assert_eq!(setup.phone.show(visit).expect("shows").notes.len(), 1);
}

/// An erased visit is gone, with unsent work, and stays away.
#[test]
fn an_erased_visit_stays_away() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    setup.phone.note(visit, "likes tea").expect("notes");
    setup.hub.state().visit_row(Scope::Visits(me()), visit, RowKind::Erase, Vec::new());
    setup.hub.state().decide(visit, Fact::NoShow);
    setup.sync().expect("syncs");
    assert!(matches!(setup.phone.show(visit), Err(PhoneError::NotFound)));
    assert!(setup.phone.search("grace", 9).expect("searches").is_empty());
    assert!(matches!(setup.phone.note(visit, "x"), Err(PhoneError::NotFound)));
}

/// An erasure that tears an envelope which waits: the rest of it arrives all the same, the chain of envelopes included.
#[test]
fn an_erasure_tears_no_other_work() {
    let setup = Setup::new();
    let (grace, charles) = (setup.invite("Grace"), setup.invite("Charles"));
    setup.sync().expect("syncs");
    // A note alone in its envelope, which the hub never gets.
    setup.phone.note(grace, "likes tea").expect("notes");
    setup.hub.state().visit_row(Scope::Visits(me()), grace, RowKind::Erase, Vec::new());
    setup.hub.state().drop_push = true;
    setup.sync().expect("syncs");
    assert!(matches!(setup.phone.show(grace), Err(PhoneError::NotFound)));
    setup.edit(charles, |draft| draft.company = Some("Mine".into()));
    setup.sync().expect("syncs");
    assert_eq!(text(setup.hub.state().value(charles, Key::Company)).as_deref(), Some("Mine"));
    assert_eq!(setup.outbox(charles), []);
}

/// S1.32, S1.34: a preview says what the pass is not and carries no code; without wallet passes there is none.
#[test]
fn a_pass_preview_carries_no_code() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    let none = setup.phone.pass_preview(visit);
    assert!(matches!(none, Err(PhoneError::Refused { code, .. }) if code == "no_wallet"));
    let organisation = setup.phone.directory().expect("a directory").organisation().expect("one").clone();
    let with = DirectoryRow::put(2, crate::directory::Organisation { wallet: true, ..organisation });
    setup.hub.state().directory_row(&Scope::Directory, &with);
    setup.sync().expect("syncs");
    let preview = setup.phone.pass_preview(visit).expect("a preview");
    let pass = preview.pass;
    pass.check().expect("Apple's rules");
    assert!(pass.barcodes.is_empty() && pass.barcode.is_none());
    let json = String::from_utf8(pass.to_json()).expect("text");
    assert!(json.contains("Grace") && json.contains(crate::wallet::visitor::NOTICE) && !json.contains("VMS1:"));
}

/// A first sync in many small pages equals one in a large page, and reports its progress.
#[test]
fn small_pages_bring_the_same() {
    let setup = Setup::new();
    let visits: Vec<_> = (0..7).map(|n| setup.invite(&format!("Guest{n}"))).collect();
    setup.sync().expect("syncs");
    setup.hub.state().page_rows = 3;
    let dir = tempfile::tempdir().expect("a directory");
    let phone = open(&dir, &setup.hub, 8);
    run(phone.sign_in("https://hub.example", "bearer")).expect("signs in");
    let seen = std::sync::Mutex::new(Vec::new());
    run(phone.sync(&|progress| seen.lock().expect("lock").push(progress), &Cancel::new())).expect("syncs");
    let last = *seen.lock().expect("lock").last().expect("a report");
    assert_eq!((last.received, last.remaining), (4 + 7 * 3, 0));
    let all = |phone: &HostClient| phone.list(ListFilter::Tab(Tab::Upcoming), 100, None).expect("lists").items;
    assert_eq!(all(&phone), all(&setup.phone));
    assert_eq!(all(&phone).len(), visits.len());
}

/// A stopped sync leaves what it took, and the next goes on from there.
#[test]
fn a_sync_can_be_stopped() {
    let setup = Setup::new();
    setup.invite("Grace");
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(matches!(run(setup.phone.sync(&|_| (), &cancel)), Err(PhoneError::Cancelled)));
    setup.sync().expect("syncs");
}

/// A host's new name is shown and found.
#[test]
fn the_lists_follow_the_directory() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    let member = Member { id: me(), number: 1, name: "Countess".into(), email: "ada@acme.example".into(), site: None };
    setup.hub.state().directory_row(&Scope::Directory, &DirectoryRow::put(2, member));
    setup.sync().expect("syncs");
    let found = setup.phone.search("countess", 9).expect("searches");
    assert_eq!(found.iter().map(|visit| visit.id).collect::<Vec<_>>(), [visit]);
    assert!(setup.phone.search("king", 9).expect("searches").is_empty());
}

/// Two phones edit different things at once, and both hold the same in the end.
#[test]
fn two_phones_converge() {
    let setup = Setup::new();
    let visit = setup.invite("Grace");
    setup.sync().expect("syncs");
    let dir = tempfile::tempdir().expect("a directory");
    let other = open(&dir, &setup.hub, 8);
    run(other.sign_in("https://hub.example", "bearer")).expect("signs in");
    let sync = |phone: &HostClient| run(phone.sync(&|_| (), &Cancel::new())).expect("syncs");
    sync(&other);
    setup.edit(visit, |draft| draft.company = Some("One".into()));
    let mut second = VisitDraft::from_values(&other.show(visit).expect("shows").values);
    (second.company, second.phone) = (Some("Two".into()), Some("+41 44 123 45 67".into()));
    other.edit(visit, &second).expect("edits");
    sync(&setup.phone);
    sync(&other);
    sync(&setup.phone);
    let (one, two) = (setup.phone.show(visit).expect("shows"), other.show(visit).expect("shows"));
    assert_eq!(one.values, two.values);
    assert_eq!(one.values.company.as_deref(), Some("Two"));
    assert!(one.operations.is_empty() && two.operations.is_empty());
    assert_eq!(setup.phone.history(visit).expect("history"), other.history(visit).expect("history"));
}
