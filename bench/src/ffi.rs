//! Calls over the FFI: the same calls on the same file, in Rust by this program and from Kotlin and Swift by programs over
//! the libraries that apps embed.
//!
//! `cargo xtask bench` builds those programs and says how to start them ([`Plan`]). Each opens the phone's file in the
//! folder it was given, reads lines from its standard input, the name of a call and how often to make it, and answers
//! each with a line of as many times in nanoseconds. So all of them take turns, and the median of each counts.
//!
//! Here the clock counts, not the processor time of a thread: in Kotlin and Swift a call goes to another thread and back.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use vestibule_core::keys::{DeviceSigner as _, PublicKey, SoftwareSigner};
use vestibule_core::phone::HostClient;
use vestibule_core::store::ListFilter;
use vestibule_core::visit::Tab;

use crate::local::grouped;
use crate::measure::{median, micros, timed};
use crate::paper::Paper;
use crate::phone::{Offline, Phone, open};
use crate::raw::KEY;
use crate::table::{Line, Target};
use crate::visits::{Visit, today};

const VISITS: usize = 10_000;
const DEVICE: u8 = 40;
/// A JVM compiles what has run some thousand times.
const WARM_UP: usize = 5_000;
const TURNS: usize = 60;
const CALLS_A_TURN: usize = 100;

/// The programs, and where they find the phone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Where the phone's file and its keys are to be: a folder that is there and empty.
    folder: PathBuf,
    programs: Vec<Planned>,
}

/// How a program is started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    language: String,
    /// A page is to cost at most so many times what it costs in Rust.
    times: f64,
    command: Vec<String>,
    environment: BTreeMap<String, String>,
}

impl Plan {
    /// Reads a plan in JSON.
    ///
    /// # Errors
    /// A text that is none.
    pub fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// A call that every language makes.
#[derive(Debug, Clone, Copy)]
enum Call {
    Page,
    Counts,
}

impl Call {
    /// As the programs know it.
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Counts => "counts",
        }
    }

    /// The same call in Rust: the core's, without the FFI's conversions.
    fn make(self, client: &HostClient) -> Duration {
        match self {
            Self::Page => {
                let (took, page) = timed(|| client.list(ListFilter::Tab(Tab::Upcoming), 50, None).expect("lists"));
                assert_eq!(page.items.len(), 50);
                took
            }
            Self::Counts => {
                let (took, counts) = timed(|| client.counts().expect("counts"));
                assert!(counts.upcoming > 0);
                took
            }
        }
    }

    fn line(self, program: &Planned, ours: Duration, rust: Duration) -> Line {
        let (of, language) = (grouped(VISITS), &program.language);
        let (name, target) = match self {
            Self::Page => (format!("page of 50, Upcoming, of {of}"), Target::Times(program.times)),
            // Little but the way there and back, of which nothing was promised.
            Self::Counts => (format!("counts of all tabs, of {of}"), Target::None),
        };
        Line::beside(format!("{name}, from {language}, beside Rust"), "µs", micros(ours), micros(rust), target)
    }
}

/// What each call costs from each language, beside Rust.
pub fn lines(plan: &Plan) -> Vec<Line> {
    fill(&plan.folder);
    let client = open(&plan.folder.join("phone.db"), DEVICE, Box::new(Offline));
    let mut programs: Vec<Program> = plan.programs.iter().map(Program::start).collect();
    let mut lines = Vec::new();
    for call in [Call::Page, Call::Counts] {
        let mut makers: Vec<Box<dyn FnMut(usize) -> Vec<Duration> + '_>> =
            vec![Box::new(|count| (0..count).map(|_| call.make(&client)).collect())];
        for program in &mut programs {
            makers.push(Box::new(|count| program.make(call, count)));
        }
        let medians = in_turns(&mut makers);
        let beside = plan.programs.iter().zip(&medians[1..]);
        lines.extend(beside.map(|(program, ours)| call.line(program, *ours, medians[0])));
    }
    programs.into_iter().for_each(Program::end);
    client.close();
    lines
}

/// Lets all take turns, in turned order every second time, after each has warmed up; gives the median of each.
fn in_turns(makers: &mut [Box<dyn FnMut(usize) -> Vec<Duration> + '_>]) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(TURNS * CALLS_A_TURN); makers.len()];
    for maker in &mut *makers {
        maker(WARM_UP);
    }
    for turn in 0..TURNS {
        let mut each: Vec<_> = makers.iter_mut().zip(&mut times).collect();
        if turn % 2 == 1 {
            each.reverse();
        }
        for (maker, times) in each {
            times.extend(maker(CALLS_A_TURN));
        }
    }
    times.into_iter().map(median).collect()
}

/// Leaves a phone's file in a folder, with the key of the file and the public key of the device.
fn fill(folder: &Path) {
    let visits: Vec<Visit> = (0..).take(VISITS).map(|n| Visit::of_list(n, today())).collect();
    let phone = Phone::synced(&Paper::with(&visits));
    phone.client.pause().expect("writes the log back");
    std::fs::copy(phone.path(), folder.join("phone.db")).expect("copies the file");
    let PublicKey::Ed25519(device) = SoftwareSigner::from_seed(&[DEVICE; 32]).public_key() else {
        unreachable!("keys in software are Ed25519");
    };
    std::fs::write(folder.join("store.key"), KEY).expect("writes the key");
    std::fs::write(folder.join("device.key"), device).expect("writes the key");
}

/// A program that makes calls when it is asked.
struct Program {
    language: String,
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(planned: &Planned) -> Self {
        let mut words = planned.command.iter();
        let mut child = Command::new(words.next().expect("a command has a first word"))
            .args(words)
            .envs(&planned.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the program in {} does not start: {error}", planned.language));
        let asked = child.stdin.take().expect("its input is piped");
        let answers = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { language: planned.language.clone(), child, asked, answers }
    }

    fn make(&mut self, call: Call, count: usize) -> Vec<Duration> {
        let mut answer = String::new();
        // A program that has ended says why on the error output.
        let answered = writeln!(self.asked, "{} {count}", call.name())
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(|error| error.to_string())
            .and_then(|_| read_times(&answer, count));
        answered.unwrap_or_else(|reason| panic!("the program in {} failed: {reason}", self.language))
    }

    /// Waits until it has closed the phone.
    fn end(mut self) {
        drop(self.asked);
        let status = self.child.wait().expect("it was started");
        assert!(status.success(), "the program in {} ended badly: {status}", self.language);
    }
}

/// The times of an answer.
fn read_times(answer: &str, count: usize) -> Result<Vec<Duration>, String> {
    let read = |word: &str| word.parse().map(Duration::from_nanos).map_err(|_| format!("“{word}” is no time"));
    let times = answer.split_whitespace().map(read).collect::<Result<Vec<_>, _>>()?;
    if times.len() == count { Ok(times) } else { Err(format!("{} times instead of {count}", times.len())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"folder": "/phone", "programs": [
        {"language": "Kotlin", "times": 3.0, "command": ["java"], "environment": {"A": "b"}}
    ]}"#;

    #[test]
    fn a_plan_says_how_programs_start() {
        let plan = Plan::read(PLAN).expect("reads");
        assert_eq!((plan.folder.as_path(), plan.programs[0].command[0].as_str()), (Path::new("/phone"), "java"));
        assert!(Plan::read(r#"{"folder": "/phone"}"#).is_err());
    }

    #[test]
    fn an_answer_has_as_many_times_as_calls() {
        let times = read_times("1000 2500\n", 2).expect("reads");
        assert_eq!(times, [1_000, 2_500].map(Duration::from_nanos));
        assert_eq!(read_times("1000\n", 2), Err("1 times instead of 2".to_owned()));
        assert_eq!(read_times("", 2), Err("0 times instead of 2".to_owned()), "a program that ended");
        assert!(read_times("1000 Killed\n", 2).is_err());
    }

    #[test]
    fn all_warm_up_and_take_turns() {
        let asked = std::cell::RefCell::new(Vec::new());
        let maker = |who: u64| -> Box<dyn FnMut(usize) -> Vec<Duration> + '_> {
            let asked = &asked;
            Box::new(move |count| {
                asked.borrow_mut().push((who, count));
                vec![Duration::from_nanos(who); count]
            })
        };
        let medians = in_turns(&mut [maker(1), maker(2)]);
        assert_eq!(medians, [1, 2].map(Duration::from_nanos));
        let first = [(1, WARM_UP), (2, WARM_UP), (1, CALLS_A_TURN), (2, CALLS_A_TURN), (2, CALLS_A_TURN)];
        assert_eq!(asked.borrow()[..5], first);
    }

    #[test]
    fn only_a_page_has_a_target() {
        let plan = Plan::read(PLAN).expect("reads");
        let (ours, rust) = (Duration::from_micros(300), Duration::from_micros(100));
        let page = Call::Page.line(&plan.programs[0], ours, rust);
        assert_eq!(page.name, "page of 50, Upcoming, of 10,000, from Kotlin, beside Rust");
        assert_eq!((page.ratio(), page.target), (Some(3.0), Target::Times(3.0)));
        assert_eq!(Call::Counts.line(&plan.programs[0], ours, rust).target, Target::None);
    }
}
