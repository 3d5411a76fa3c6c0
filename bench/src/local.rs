//! What a phone does by itself: inviting, editing, lists, search, opening, the file.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use vestibule_core::id::VisitId;
use vestibule_core::store::ListFilter;
use vestibule_core::visit::{Tab, VisitDraft};

use crate::measure::{Clock, Pair, all_cpu_time, cpu_time, cpu_timed, micros, side_by_side, time, timed};
use crate::paper::Paper;
use crate::phone::{Offline, Phone, open};
use crate::raw::{Copies, Rows};
use crate::table::{Line, Target};
use crate::visits::{Visit, today};

/// The device of the phones here.
const DEVICE: u8 = 40;

fn scratch() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn line(name: impl Into<String>, pair: Pair, target: Target) -> Line {
    Line::beside(name, "µs", micros(pair.ours), micros(pair.floor), target)
}

/// One invitation and one edit, durable when they return, beside one transaction with the very rows they wrote.
pub fn durable() -> Vec<Line> {
    let (phone, dir) = (Phone::synced(&Paper::with([])), scratch());
    let copies = RefCell::new(Copies::new(phone.path(), &dir.path().join("copies")));
    let drafts: Vec<VisitDraft> = (0..400).map(|n| Visit::to_invite(n, today()).draft()).collect();
    let made: RefCell<Vec<VisitId>> = RefCell::default();

    // The floor writes what ours wrote just before: ours is always first, and nothing is left over from one turn to the
    // next but a commit that is done.
    let mut turns = Turns::default();
    for draft in &drafts {
        let (took, visit) = timed(|| phone.client.create(draft).expect("invites"));
        turns.add(took, copies.borrow_mut().take(visit));
        made.borrow_mut().push(visit);
    }
    let invite = turns.medians();

    let mut turns = Turns::default();
    for (visit, draft) in made.borrow().iter().zip(&drafts) {
        let edited = VisitDraft {
            company: Some("Hopper & Lovelace AG".to_owned()),
            space: Some("zrh-reception".to_owned()),
            ..draft.clone()
        };
        let took = time(|| phone.client.edit(*visit, &edited).expect("edits"));
        turns.add(took, copies.borrow_mut().take(*visit));
    }
    let edit = turns.medians();

    vec![
        line("invite one visitor, durable", invite, Target::Times(1.5)),
        line("edit one visit, durable", edit, Target::Times(1.5)),
    ]
}

/// Times of two that took turns.
#[derive(Default)]
struct Turns(Vec<(Duration, Duration)>);

impl Turns {
    fn add(&mut self, ours: Duration, floor: Duration) {
        self.0.push((ours, floor));
    }

    /// The medians without the first twenty turns.
    fn medians(self) -> Pair {
        let (ours, floor) = self.0.into_iter().skip(20).unzip();
        Pair { ours: crate::measure::median(ours), floor: crate::measure::median(floor) }
    }
}

/// Ten thousand invitations at once, beside the same visits as bare rows with a full-text table: how long a person waits,
/// and what all threads do meanwhile.
pub fn bulk() -> Vec<Line> {
    const VISITS: u32 = 10_000;
    let visits: Vec<Visit> = (0..u64::from(VISITS)).map(|n| Visit::to_invite(n, today())).collect();
    let drafts: Vec<VisitDraft> = visits.iter().map(Visit::draft).collect();
    let paper = Paper::with([]);
    let measured = |clock: Clock| {
        let pair = side_by_side(
            5,
            |_| {
                let phone = Phone::synced(&paper);
                clock(&mut || drop(phone.client.create_all(&drafts).expect("invites")))
            },
            |_| {
                let dir = scratch();
                Rows::open(&dir.path().join("rows")).insert(&visits, 1, clock)
            },
        );
        Pair { ours: pair.ours / VISITS, floor: pair.floor / VISITS }
    };
    vec![
        line("invite 10,000 visitors at once, per visit", measured(|work| time(work)), Target::Times(2.5)),
        line("the same, processor time of all threads", measured(|work| all_cpu_time(work)), Target::None),
    ]
}

/// A phone and a file of rows with the same visits.
pub struct Filled {
    /// The phone.
    pub phone: Phone,
    rows: Rows,
    dir: TempDir,
    visits: usize,
}

impl Filled {
    /// Fills both.
    pub fn with(paper: &std::sync::Arc<Paper>, visits: &[Visit]) -> Self {
        let (phone, dir) = (Phone::synced(paper), scratch());
        let mut rows = Rows::open(&dir.path().join("rows"));
        for (part, first) in visits.chunks(10_000).zip((1..).step_by(10_000)) {
            rows.insert(part, first, |work| time(work));
        }
        phone.client.pause().expect("writes the log back");
        rows.checkpoint();
        Self { phone, rows, dir, visits: visits.len() }
    }

    fn rows_path(&self) -> std::path::PathBuf {
        self.dir.path().join("rows")
    }

    /// The first page of a list.
    pub fn first_page(&self) -> Vec<Line> {
        let tabs = [(Tab::Upcoming, "upcoming"), (Tab::Past, "departed")];
        let page = |(tab, status): (Tab, &'static str)| {
            let pair = side_by_side(
                200,
                |_| {
                    let (took, page) =
                        cpu_timed(|| self.phone.client.list(ListFilter::Tab(tab), 50, None).expect("lists"));
                    assert_eq!(page.items.len(), 50);
                    took
                },
                |_| {
                    let (took, page) = cpu_timed(|| self.rows.page(status));
                    assert_eq!(page.len(), 50);
                    took
                },
            );
            line(format!("first page of 50, {tab:?}, of {}", grouped(self.visits)), pair, Target::Times(1.3))
        };
        tabs.map(page).to_vec()
    }

    /// Opening the file and showing the first page.
    pub fn open(&self) -> Line {
        let pair = side_by_side(
            25,
            |_| {
                let (took, client) = cpu_timed(|| {
                    let client = open(self.phone.path(), DEVICE, Box::new(Offline));
                    let page = client.list(ListFilter::Tab(Tab::Upcoming), 50, None).expect("lists");
                    assert_eq!(page.items.len(), 50);
                    client
                });
                client.close();
                took
            },
            |_| {
                let (took, rows) = cpu_timed(|| {
                    let rows = Rows::open(&self.rows_path());
                    assert_eq!(rows.page("upcoming").len(), 50);
                    rows
                });
                drop(rows);
                took
            },
        );
        line(format!("open a file of {}, show the first page", grouped(self.visits)), pair, Target::Times(1.2))
    }

    /// Searching as a person types, and what stands on the tabs.
    pub fn search_and_counts(&self) -> Vec<Line> {
        let search = |typed: &'static str| {
            let query = format!("\"{typed}\"*");
            let pair = side_by_side(
                60,
                |_| {
                    let (took, found) = cpu_timed(|| self.phone.client.search(typed, 50).expect("searches"));
                    assert_eq!(found.len(), 50);
                    took
                },
                |_| {
                    let (took, found) = cpu_timed(|| self.rows.search(&query));
                    assert_eq!(found.len(), 50);
                    took
                },
            );
            line(format!("search “{typed}”, 50 by start, of {}", grouped(self.visits)), pair, Target::Times(0.2))
        };
        let counts = side_by_side(
            200,
            |_| cpu_time(|| self.phone.client.counts().expect("counts")),
            |_| cpu_time(|| self.rows.counts()),
        );
        let counts = Line::beside(
            format!("counts of all tabs, of {}", grouped(self.visits)),
            "µs",
            micros(counts.ours),
            micros(counts.floor),
            Target::AtMost(100.0),
        );
        vec![search("mar"), search("m"), counts]
    }

    /// What a visit takes of the file.
    pub fn file_size(&self) -> Line {
        self.rows.checkpoint();
        let size = |path: &Path| std::fs::metadata(path).expect("the file is there").len();
        let (ours, floor) = (self.phone.size(), size(&self.rows_path()));
        #[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
        let each = |bytes: u64| bytes as f64 / self.visits as f64;
        Line::beside(
            format!("file, per visit of {} with one change each", grouped(self.visits)),
            "B",
            each(ours),
            each(floor),
            Target::Times(2.2),
        )
    }
}

/// A number of visits as people write it.
pub fn grouped(visits: usize) -> String {
    if visits >= 1000 { format!("{},{:03}", visits / 1000, visits % 1000) } else { visits.to_string() }
}
