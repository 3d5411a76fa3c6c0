//! `cargo xtask bench`: builds the bench and, where asked, the library a phone carries; runs; prints the table, and puts it
//! into `docs/performance.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::shell::{cargo, output, run};

const DOCUMENT: &str = "docs/performance.md";
/// The table stands between these.
const MARKS: (&str, &str) = ("<!-- cargo xtask bench --write: from here -->", "<!-- to here -->");
/// The crate of the library that phones carry, and the profile it is built with for them.
const LIBRARY: (&str, &str) = ("vestibule-ffi", "phone");

/// What `cargo xtask bench` was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    write: bool,
    library: bool,
    rows: Vec<PathBuf>,
    /// Passed on to the bench.
    rest: Vec<String>,
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
                "--only" => asked.rest.extend(["--only".to_owned(), (*value()?).to_owned()]),
                "--large" => asked.rest.push("--large".to_owned()),
                other => return Err(format!("bench knows no {other}")),
            }
        }
        if asked.write && asked.rest.iter().any(|argument| argument == "--only") {
            return Err("a part is not written into the document: --write goes without --only".to_owned());
        }
        Ok(asked)
    }
}

/// Builds, runs, prints, and writes if asked.
pub fn run_bench(arguments: &[&str]) -> Result<(), String> {
    let mut asked = Asked::read(arguments)?;
    run(cargo().args(["build", "--release", "--locked", "--package", "vestibule-bench"]))?;
    if asked.library {
        asked.rows.push(measure_library()?);
    }
    let mut bench = Command::new(target().join("release/vestibule-bench"));
    bench.args(&asked.rest).stderr(Stdio::inherit());
    for rows in &asked.rows {
        bench.arg("--rows").arg(rows);
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

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
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
fn measure_library() -> Result<PathBuf, String> {
    let (package, profile) = LIBRARY;
    run(cargo().args(["build", "--locked", "--profile", profile, "--package", package]))?;
    let built = target().join(profile);
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
}
