//! `cargo xtask bench`: builds the bench, the programs in Kotlin and Swift that it measures beside Rust and, where asked,
//! the library a phone carries; runs; prints the table, and puts it into `docs/performance.md`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::built::Built;
use crate::shell::{cargo, output, run};
use crate::{kotlin, swift};

const DOCUMENT: &str = "docs/performance.md";
/// The table stands between these.
const MARKS: (&str, &str) = ("<!-- cargo xtask bench --write: from here -->", "<!-- to here -->");
/// The crate of the library that phones carry, and the profile it is built with for them.
const LIBRARY: (&str, &str) = ("vestibule-ffi", "phone");
/// The part of the bench that makes calls from Kotlin and Swift.
const FFI: &str = "ffi";

/// What `cargo xtask bench` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    write: bool,
    library: bool,
    large: bool,
    only: Vec<String>,
    rows: Vec<PathBuf>,
}

impl Asked {
    fn read(arguments: &[&str]) -> Result<Self, String> {
        let mut asked = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or_else(|| format!("{argument} wants a value"));
            match *argument {
                "--write" => asked.write = true,
                "--library" => asked.library = true,
                "--rows" => asked.rows.push(value()?.into()),
                "--only" => asked.only.push((*value()?).to_owned()),
                "--large" => asked.large = true,
                other => return Err(format!("bench knows no {other}")),
            }
        }
        if asked.write && !asked.only.is_empty() {
            return Err("a part is not written into the document: --write goes without --only".to_owned());
        }
        Ok(asked)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }

    /// What of it is the bench's to do.
    fn passed_on(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        words.extend(self.large.then(|| "--large".into()));
        words.extend(self.only.iter().flat_map(|part| ["--only".into(), part.into()]));
        words.extend(self.rows.iter().flat_map(|rows| ["--rows".into(), rows.into()]));
        words
    }
}

/// Builds, runs, prints, and writes if asked.
pub fn run_bench(arguments: &[&str]) -> Result<(), String> {
    let mut asked = Asked::read(arguments)?;
    let built = Built::places()?;
    // Both at once, also where only one is wanted: cargo compiles what they share in another way for each alone.
    run(cargo().args(["build", "--release", "--locked", "--package", "vestibule-bench", "--package", LIBRARY.0]))?;
    if asked.library {
        asked.rows.push(measure_library(&built.target)?);
    }
    let release = built.target.join("release");
    let mut bench = Command::new(release.join("vestibule-bench"));
    bench.args(asked.passed_on()).stderr(Stdio::inherit());
    let calls = if asked.wants(FFI) { Some(Calls::prepare(&built, &release)?) } else { None };
    if let Some(calls) = &calls {
        bench.arg("--ffi").arg(&calls.plan);
    }
    let table = output(&mut bench)?;
    print!("{table}");
    if asked.write {
        let text = fs::read_to_string(DOCUMENT).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        fs::write(DOCUMENT, put(&text, &table)?).map_err(|error| format!("{DOCUMENT}: {error}"))?;
        eprintln!("xtask: {DOCUMENT} has the table now");
    }
    Ok(())
}

/// What the bench needs to have calls made from Kotlin and Swift. The phone's file goes with it.
struct Calls {
    /// The file that says how the programs are started.
    plan: PathBuf,
    phone: PathBuf,
}

impl Calls {
    /// Builds the programs, optimised, over the library of a release.
    fn prepare(built: &Built, release: &Path) -> Result<Self, String> {
        // A Swift in a chroot sees nothing else that can be written.
        let scratch = built.target.join("swift-release");
        let calls = Self { plan: scratch.join("ffi.json"), phone: scratch.join("phone") };
        let kotlin = kotlin::calls(&built.tree, release, &calls.phone)?;
        let swift = swift::calls(&built.tree, release, &scratch, "phone")?;
        let programs = [planned("Kotlin", 3.0, &kotlin), planned("Swift", 2.0, &swift)];
        let plan = json!({"folder": text(calls.phone.as_os_str()), "programs": programs});
        calls.clear()?;
        fs::create_dir_all(&calls.phone).map_err(|error| format!("{}: {error}", calls.phone.display()))?;
        fs::write(&calls.plan, plan.to_string()).map_err(|error| format!("{}: {error}", calls.plan.display()))?;
        Ok(calls)
    }

    fn clear(&self) -> Result<(), String> {
        match fs::remove_dir_all(&self.phone) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", self.phone.display())),
            _ => Ok(()),
        }
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        if let Err(reason) = self.clear() {
            eprintln!("xtask: {reason}");
        }
    }
}

/// How a program is started, as the bench reads it; a page is to cost at most so many times what it costs in Rust.
fn planned(language: &str, times: f64, command: &Command) -> Value {
    let words: Vec<String> = std::iter::once(command.get_program()).chain(command.get_args()).map(text).collect();
    let environment: BTreeMap<String, String> =
        command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    json!({"language": language, "times": times, "command": words, "environment": environment})
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

/// The document with another table.
fn put(text: &str, table: &str) -> Result<String, String> {
    let (from, to) = MARKS;
    let missing = |mark: &str| format!("{DOCUMENT} lacks the line {mark}");
    let (before, rest) = text.split_once(from).ok_or_else(|| missing(from))?;
    let (_, after) = rest.split_once(to).ok_or_else(|| missing(to))?;
    Ok(format!("{before}{from}\n\n{}\n\n{to}{after}", table.trim()))
}

/// Builds the library as a phone gets it, strips it, and gives a file with its lines of the table.
fn measure_library(target: &Path) -> Result<PathBuf, String> {
    let (package, profile) = LIBRARY;
    run(cargo().args(["build", "--locked", "--profile", profile, "--package", package]))?;
    let built = target.join(profile);
    let name = package.replace('-', "_");
    let library = ["so", "dylib"]
        .map(|end| built.join(format!("lib{name}.{end}")))
        .into_iter()
        .find(|library| library.is_file())
        .ok_or_else(|| format!("{} holds no library of {package}", built.display()))?;
    let stripped = built.join("stripped");
    // `-x` keeps what a dynamic library shows to others, with every strip there is.
    run(Command::new("strip").arg("-x").arg("-o").arg(&stripped).arg(&library))?;
    run(Command::new("gzip").args(["--best", "--force", "--keep"]).arg(&stripped))?;
    let lines = library_lines(size(&stripped)?, size(&stripped.with_extension("gz"))?);
    let rows = built.join("rows.jsonl");
    fs::write(&rows, lines).map_err(|error| format!("{}: {error}", rows.display()))?;
    Ok(rows)
}

fn size(file: &Path) -> Result<u64, String> {
    fs::metadata(file).map(|file| file.len()).map_err(|error| format!("{}: {error}", file.display()))
}

fn library_lines(stripped: u64, packed: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "sizes of files are far below 2^52")]
    let line = |row: &str, bytes: u64, most: f64| {
        json!({"row": row, "ours": bytes as f64 / 1e6, "unit": "MB", "at_most": most}).to_string()
    };
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    [
        line(&format!("library with the phone profile, stripped, {system}"), stripped, 7.0),
        line(&format!("the same, gzipped, {system}"), packed, 3.2),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_between_the_marks_and_nowhere_else() {
        let (from, to) = MARKS;
        let text = format!("before\n{from}\nold\n{to}\nafter\n");
        let new = put(&text, "| a |\n\n").expect("both marks are there");
        assert_eq!(new, format!("before\n{from}\n\n| a |\n\n{to}\nafter\n"));
        assert_eq!(put(&new, "| a |"), Ok(new.clone()), "a second time changes nothing");
        assert!(put("no marks", "").is_err());
    }

    /// The document in the tree can take the table.
    #[test]
    fn the_document_has_the_marks() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/performance.md");
        assert!(put(&fs::read_to_string(path).expect("the document"), "").is_ok());
    }

    #[test]
    fn a_part_is_not_written() {
        assert!(Asked::read(&["--write", "--library", "--rows", "a.jsonl"]).is_ok());
        assert!(Asked::read(&["--write", "--only", "lists"]).is_err());
        assert!(Asked::read(&["--rows"]).is_err());
    }

    #[test]
    fn calls_are_made_unless_only_other_parts_are_asked_for() {
        let wants = |arguments| Asked::read(arguments).expect("arguments of the bench").wants(FFI);
        assert!(wants(&[]) && wants(&["--large"]) && wants(&["--only", "lists", "--only", "ffi"]));
        assert!(!wants(&["--only", "lists"]));
        let asked = Asked::read(&["--only", "ffi", "--rows", "a.jsonl", "--large"]).expect("arguments of the bench");
        assert_eq!(asked.passed_on(), ["--large", "--only", "ffi", "--rows", "a.jsonl"]);
    }

    #[test]
    fn the_bench_is_told_how_a_program_starts() {
        let mut command = Command::new("java");
        command.args(["-cp", "classes"]).env("LD_LIBRARY_PATH", "/built");
        let planned = planned("Kotlin", 3.0, &command);
        assert_eq!(planned["command"], json!(["java", "-cp", "classes"]));
        assert_eq!(planned["environment"], json!({"LD_LIBRARY_PATH": "/built"}));
    }
}
