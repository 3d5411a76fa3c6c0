//! Killing processes and counting it: at the write boundaries `vestibule_core::fault` names, and at random moments.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, SystemTime};

pub use vestibule_core::fault::Point;

/// The points every write passes.
pub const OF_EVERY_WRITE: [Point; 3] = [Point::BeforeWrite, Point::InsideWrite, Point::AfterCommit];

/// Where and when a process kills itself: as it passes a point for the n-th time.
#[derive(Debug, Clone, Copy)]
pub struct Boundary {
    /// The point.
    pub point: Point,
    /// Counts from 1.
    pub n: u64,
}

/// The file in which processes note that they die at a boundary, and the kills a test counts itself.
pub struct Kills {
    log: PathBuf,
    /// Kills at random moments.
    pub random: u64,
}

impl Kills {
    /// Nobody is dead yet; the file is in that folder.
    pub fn none(folder: &Path) -> Self {
        Self { log: folder.join("kills"), random: 0 }
    }

    /// Makes the command kill itself there.
    pub fn arm(&self, command: &mut Command, at: Boundary) {
        command.env("VESTIBULE_KILL_AT", format!("{}:{}", at.point.name(), at.n));
        command.env("VESTIBULE_FAULT_LOG", &self.log);
    }

    /// How many died at a point.
    pub fn at(&self, point: Point) -> usize {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().filter(|line| *line == point.name()).count()
    }

    /// Fails if one of these points has killed nobody.
    pub fn require(&self, points: &[Point]) {
        for &point in points {
            let name = point.name();
            assert_ne!(self.at(point), 0, "nothing died at {name}: build with `--features vestibule-hub/faults`");
        }
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, inside, after] = OF_EVERY_WRITE.map(|point| self.at(point));
        let accepted = self.at(Point::AfterAcceptance);
        write!(f, "kills: {before} before a write, {inside} inside, {after} after its commit, ")?;
        write!(f, "{accepted} between acceptance and commit, {} at random moments", self.random)
    }
}

/// Whether a process died of SIGKILL.
pub fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

/// Ends a process with SIGTERM and gives how it ended.
pub fn terminate(child: &mut Child) -> ExitStatus {
    // It may have ended by itself.
    let _ = rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM);
    child.wait().expect("a child can be waited for")
}

/// The command with a limit on the size of every file it writes, in blocks of 512 bytes: beyond it, the system fails the
/// write as on a full disk, and does not send the signal it would (`setrlimit(2)`, `EFBIG`).
pub fn limited(command: &Command, blocks: u64) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

/// Random numbers that can be had again: `SplitMix64` with the seed of `VESTIBULE_SEED`, or one it prints.
pub struct Chance(u64);

impl Chance {
    /// Prints its seed.
    pub fn new(test: &str) -> Self {
        let seed = std::env::var("VESTIBULE_SEED").ok().map_or_else(
            || SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970").subsec_nanos().into(),
            |text| text.parse().expect("VESTIBULE_SEED is a number"),
        );
        println!("{test}: VESTIBULE_SEED={seed}");
        Self(seed)
    }

    /// A number below that one.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end.max(1)
    }

    /// A moment within a time.
    pub fn within(&mut self, time: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(time.as_micros()).expect("a short time")))
    }
}

/// The time that kills are aimed into. It gets shorter after each that came too late, so that however fast or busy the
/// machine is, one certainly hits.
pub struct Aim(Duration);

impl Aim {
    /// Begins with the time that the work takes when nobody disturbs it.
    pub fn within(time: Duration) -> Self {
        Self(time)
    }

    /// When to kill.
    pub fn moment(&self, chance: &mut Chance) -> Duration {
        chance.within(self.0)
    }

    /// The last kill found the work done.
    pub fn came_too_late(&mut self) {
        self.0 = self.0 * 3 / 4;
    }
}

/// How often something was seen.
#[derive(Debug, Default)]
pub struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    /// Once more.
    pub fn note(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// How often.
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{count} {what}")).collect();
        f.write_str(&parts.join(", "))
    }
}
