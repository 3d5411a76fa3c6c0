//! Phones and a hub: the first sync, a small one, one with nothing new, and what each side pays for it.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vestibule_core::id::VisitId;
use vestibule_core::store::ListFilter;
use vestibule_core::sync::{HttpTransport, Transport};
use vestibule_core::visit::VisitDraft;

use crate::hub::HubProcess;
use crate::local::grouped;
use crate::measure::{Pair, cpu_time, median, micros, side_by_side, time, timed};
use crate::paper::Paper;
use crate::phone::Phone;
use crate::raw::Rows;
use crate::table::{Line, Target};
use crate::visits::{Visit, today};
use crate::wire::count;

/// Taking 10,000 visits from a signed feed, beside writing the same visits as rows.
pub fn ingest() -> Vec<Line> {
    const VISITS: u32 = 10_000;
    let visits: Vec<Visit> = (0..u64::from(VISITS)).map(|n| Visit::of_list(n, today())).collect();
    let paper = Paper::with(&visits);
    let pair = side_by_side(
        5,
        |_| {
            let phone = Phone::of_paper(&paper);
            cpu_time(|| phone.sync())
        },
        |_| {
            let dir = tempfile::tempdir().expect("a folder");
            Rows::open(&dir.path().join("rows")).insert(&visits, 1, |work| cpu_time(work))
        },
    );
    let each = Pair { ours: pair.ours / VISITS, floor: pair.floor / VISITS };
    vec![Line::beside(
        "take 10,000 visits from a signed feed, all verified, per visit",
        "µs",
        micros(each.ours),
        micros(each.floor),
        Target::Times(3.5),
    )]
}

/// A hub with so many visits, and the phone that made them.
pub struct Scene {
    hub: HubProcess,
    author: Phone,
    made: Vec<VisitId>,
    drafts: Vec<VisitDraft>,
    visits: Vec<Visit>,
    push: Duration,
    push_cpu: Duration,
}

fn http() -> Box<dyn Transport> {
    Box::new(HttpTransport::new())
}

impl Scene {
    /// Starts the hub, makes the visits on a phone, and sends them.
    pub fn with(count: u64) -> Self {
        let hub = HubProcess::start();
        let author = Phone::sign_in(&hub.url, &hub.token(), 50, http());
        author.sync();
        let visits: Vec<Visit> = (0..count).map(|n| Visit::to_invite(n, today())).collect();
        let drafts: Vec<VisitDraft> = visits.iter().map(Visit::draft).collect();
        let mut made = Vec::with_capacity(drafts.len());
        let (mut push, mut push_cpu) = (Duration::ZERO, Duration::ZERO);
        for part in drafts.chunks(10_000) {
            made.extend(author.client.create_all(part).expect("invites"));
            let before = hub.cpu();
            push += time(|| author.sync());
            push_cpu += hub.cpu().saturating_sub(before);
        }
        Self { hub, author, made, drafts, visits, push, push_cpu }
    }

    fn sign_in(&self, device: u8) -> Phone {
        Phone::sign_in(&self.hub.url, &self.hub.token(), device, http())
    }

    /// The first sync of another phone of the same host, and the author's push before it.
    pub fn first_sync(&self) -> Vec<Line> {
        let visits = self.visits.len();
        let each = |time: Duration| micros(time) / f64::from(u32::try_from(visits).unwrap_or(u32::MAX));
        let mut lines = vec![
            Line::alone(
                format!("push {} new visits, both ends, per visit", grouped(visits)),
                "µs",
                each(self.push),
                Target::None,
            ),
            Line::alone("the hub's part of it: judge, log, publish", "µs", each(self.push_cpu), Target::None),
        ];
        let device = Cell::new(60);
        let shown = Cell::new(Vec::new());
        let pair = side_by_side(
            3,
            |_| {
                device.set(device.get() + 1);
                let phone = self.sign_in(device.get());
                let (took, first) = first_screen(&phone);
                let mut all = shown.take();
                all.push(Duration::from_secs_f64(first.as_secs_f64() / took.as_secs_f64()));
                shown.set(all);
                took
            },
            |_| {
                let dir = tempfile::tempdir().expect("a folder");
                Rows::open(&dir.path().join("rows")).insert(&self.visits, 1, |work| time(work))
            },
        );
        lines.push(Line::beside(
            format!("first sync of {} over loopback HTTP, both ends", grouped(visits)),
            "ms",
            micros(pair.ours) / 1e3,
            micros(pair.floor) / 1e3,
            Target::AtMost(600.0),
        ));
        let part = median(shown.take()).as_secs_f64() * 100.0;
        lines.push(Line::alone("the first screen is there after this part of it", "%", part, Target::AtMost(5.0)));
        lines.push(self.page_meanwhile());
        lines.push(self.wire_of_first_sync());
        lines
    }

    /// A page of 50 while the first sync runs, beside the same page after it.
    fn page_meanwhile(&self) -> Line {
        let phone = self.sign_in(90);
        let done = AtomicBool::new(false);
        let list = || {
            let (took, page) = timed(|| phone.client.list(ListFilter::All, 50, None).expect("lists"));
            (page.items.len() == 50).then_some(took)
        };
        let meanwhile: Vec<Duration> = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut times = Vec::new();
                while !done.load(Ordering::SeqCst) {
                    times.extend(list());
                    std::thread::sleep(Duration::from_millis(2));
                }
                times
            });
            phone.sync();
            done.store(true, Ordering::SeqCst);
            watcher.join().expect("the watcher ends")
        });
        let after: Vec<Duration> = (0..100).filter_map(|_| list()).collect();
        let (meanwhile, after) = (median(meanwhile), median(after));
        let name = "page of 50 while the first sync runs, beside the same page after it";
        Line::beside(name, "µs", micros(meanwhile), micros(after), Target::None)
    }

    fn wire_of_first_sync(&self) -> Line {
        let (url, transport, counts) = count(&self.hub.url);
        let phone = Phone::sign_in(&url, &self.hub.token(), 91, transport);
        let traffic = counts.during(|| phone.sync());
        #[expect(clippy::cast_precision_loss, reason = "numbers of bytes are far below 2^52")]
        let each = |bytes: u64| bytes as f64 / self.visits.len() as f64;
        let json = self.visits.chunks(1_000).map(|part| {
            let text: Vec<String> = part.iter().map(Visit::json).collect();
            let packed = zstd::bulk::compress(format!("[{}]", text.join(",")).as_bytes(), 3);
            packed.expect("compresses").len() as u64
        });
        let name = format!("its bytes on the wire, per visit, in {} calls, beside zstd JSON in batches", traffic.calls);
        Line::beside(name, "B", each(traffic.bytes), each(json.sum()), Target::Times(1.5))
    }

    /// Ten changed of all, and nothing changed: times, bytes, calls; and what a small sync costs the hub.
    pub fn small_syncs(&self) -> Vec<Line> {
        let of = grouped(self.visits.len());
        let (url, transport, counts) = count(&self.hub.url);
        let phone = Phone::sign_in(&url, &self.hub.token(), 92, transport);
        phone.sync();
        let nothing = counts.during(|| phone.sync());
        let plain = self.sign_in(93);
        plain.sync();
        let idle: Vec<Duration> = (0..200).map(|_| time(|| plain.sync())).collect();

        let mut edits = Edits { scene: self, next: 0 };
        let (mut ten, mut ten_traffic) = (Vec::new(), Vec::new());
        for _ in 0..15 {
            edits.ten();
            ten.push(time(|| plain.sync()));
            ten_traffic.push(counts.during(|| phone.sync()));
        }
        ten_traffic.sort_unstable_by_key(|traffic| traffic.bytes);
        let ten_traffic = ten_traffic[ten_traffic.len() / 2];

        let (mut spent, mut rounds) = (Duration::ZERO, 0_u32);
        let begun = Instant::now();
        while rounds < 150 && begun.elapsed() < Duration::from_secs(30) {
            edits.ten();
            edits.one_on(&plain);
            let before = self.hub.cpu();
            plain.sync();
            spent += self.hub.cpu().saturating_sub(before);
            rounds += 1;
        }
        let each = spent.as_secs_f64() / f64::from(rounds);

        #[expect(clippy::cast_precision_loss, reason = "numbers of bytes are far below 2^52")]
        let bytes = |bytes: u64| bytes as f64;
        let bytes_of = |name: &str, traffic: crate::wire::Traffic, most: f64| {
            let (messages, calls) = (traffic.messages, traffic.calls);
            let name = format!("{name}: bytes both ways with HTTP's headers ({messages} of messages), in {calls} call");
            Line::alone(name, "B", bytes(traffic.bytes), Target::AtMost(most))
        };
        vec![
            Line::alone(
                format!("10 changed of {of}, over loopback"),
                "ms",
                micros(median(ten)) / 1e3,
                Target::AtMost(2.6),
            ),
            bytes_of(&format!("10 changed of {of}"), ten_traffic, 2_048.0),
            Line::alone(
                format!("nothing changed of {of}, over loopback"),
                "ms",
                micros(median(idle)) / 1e3,
                Target::None,
            ),
            bytes_of(&format!("nothing changed of {of}"), nothing, 300.0),
            Line::alone(
                format!("hub: syncs with one change up and ten down, of {of}, per second of one core"),
                "/s",
                1.0 / each,
                Target::AtLeast(2_000.0),
            ),
        ]
    }
}

/// Syncs; how long that took, and when the first screen could be shown.
fn first_screen(phone: &Phone) -> (Duration, Duration) {
    let begun = Instant::now();
    let first = Arc::new(std::sync::OnceLock::new());
    let seen = Arc::clone(&first);
    phone.sync_watched(&move |_| {
        if seen.get().is_none() && phone_has_a_screen(phone) {
            let _ = seen.set(begun.elapsed());
        }
    });
    let took = begun.elapsed();
    (took, first.get().copied().unwrap_or(took))
}

fn phone_has_a_screen(phone: &Phone) -> bool {
    phone.client.list(ListFilter::All, 50, None).is_ok_and(|page| page.items.len() == 50)
}

/// Edits of visits that were not edited before.
struct Edits<'a> {
    scene: &'a Scene,
    next: usize,
}

impl Edits<'_> {
    /// The author edits ten visits and syncs.
    fn ten(&mut self) {
        for _ in 0..10 {
            self.one(&self.scene.author);
        }
        self.scene.author.sync();
    }

    /// Another phone edits one, and does not sync yet.
    fn one_on(&mut self, phone: &Phone) {
        self.one(phone);
    }

    fn one(&mut self, phone: &Phone) {
        let place = self.next % self.scene.made.len();
        self.next += 1;
        let reason = format!("Changed for the {}th time", self.next / self.scene.made.len() + 1);
        let draft = VisitDraft { reason: Some(reason), ..self.scene.drafts[place].clone() };
        phone.client.edit(self.scene.made[place], &draft).expect("edits");
    }
}
