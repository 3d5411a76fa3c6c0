//! How fast Vestibule is, in ratios: each figure beside its floor (the same work in raw `SQLCipher`, or the one signature
//! that cannot be avoided), measured in the same run in turns. What the lines mean: `docs/performance.md`.
//!
//! `cargo xtask bench` builds and runs this program. Its output is the table, in Markdown.

mod ffi;
mod hub;
mod local;
mod measure;
mod memory;
mod paper;
mod passes;
mod phone;
mod raw;
mod syncing;
mod table;
mod visits;
mod wire;

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use ffi::Plan;
use local::Filled;
use paper::Paper;
use syncing::Scene;
use table::{Line, Table};
use visits::{Visit, today};

const HELP: &str = "\
Measures Vestibule beside raw SQLCipher and prints a table in Markdown.

Usage: vestibule-bench [--large] [--only PART]... [--ffi FILE] [--rows FILE]...

  --large      the hub's part at 100,000 visits as well, which takes some minutes more
  --only PART  one part: local, lists, sync, memory, ffi, passes
  --ffi FILE   the programs that make calls over the FFI, as cargo xtask bench prepares them: no part ffi without it
  --rows FILE  adds the lines another program has measured: one JSON object a line, see docs/performance.md
";

#[derive(Default)]
struct Options {
    large: bool,
    only: Vec<String>,
    ffi: Option<Plan>,
    rows: Vec<Line>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", dir] => hub::serve(Path::new(dir)),
        ["memory-idle", path] => memory::idle(Path::new(path)),
        ["memory-sync", url] => memory::sync(url),
        arguments => match options(arguments) {
            Ok(options) => run(options),
            Err(reason) => {
                eprintln!("{reason}\n\n{HELP}");
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}

fn options(arguments: &[&str]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().copied().ok_or_else(|| format!("{argument} wants a value"));
        let read = |path: &str| std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        match *argument {
            "--large" => options.large = true,
            "--only" => options.only.push(value()?.to_owned()),
            "--rows" => {
                let path = value()?;
                options.rows.extend(table::read_lines(&read(path)?).map_err(|error| format!("{path}: {error}"))?);
            }
            "--ffi" => {
                let path = value()?;
                options.ffi = Some(Plan::read(&read(path)?).map_err(|error| format!("{path}: {error}"))?);
            }
            other => return Err(format!("what is {other}?")),
        }
    }
    if options.ffi.is_none() && options.only.iter().any(|part| part == "ffi") {
        return Err("the part ffi wants --ffi; cargo xtask bench gives it".to_owned());
    }
    Ok(options)
}

fn run(options: Options) {
    let begun = Instant::now();
    let mut table = Table::default();
    let wants = |part: &str| options.only.is_empty() || options.only.iter().any(|only| only == part);
    let say = |what: &str| eprintln!("bench: {:>4} s  {what}", begun.elapsed().as_secs());

    if wants("local") {
        say("invite and edit");
        let mut lines = local::durable();
        say("invite 10,000");
        lines.extend(local::bulk());
        table.print("Writing on a phone", lines);
    }
    let mut passes = Vec::new();
    if wants("lists") || wants("memory") {
        say("100,000 visits");
        let visits: Vec<Visit> = (0..100_000).map(|n| Visit::of_list(n, today())).collect();
        let paper = Paper::with(&visits);
        let large = Filled::with(&paper, &visits);
        if wants("lists") {
            let mut lines = Vec::new();
            for size in [1_000, 10_000] {
                say("first pages");
                lines.extend(Filled::with(&Paper::with(&visits[..size]), &visits[..size]).first_page());
            }
            lines.extend(large.first_page());
            say("opening, search, counts");
            lines.push(large.open());
            lines.extend(large.search_and_counts());
            lines.push(large.file_size());
            table.print("Lists, search, opening, file", lines);
            passes.push(passes::preview(&large.phone, visits[0].visit));
        }
        if wants("memory") {
            say("memory");
            table.print("Memory", memory::lines(&paper, large.phone.path(), visits.len()));
        }
    }
    if wants("sync") {
        say("taking a feed");
        table.print("Sync, the phone's side", syncing::ingest());
        for size in if options.large { vec![10_000, 100_000] } else { vec![10_000] } {
            say("a hub");
            let scene = Scene::with(size);
            say("first syncs");
            table.print("Sync with a hub process, first", scene.first_sync());
            say("small syncs");
            table.print("Sync with a hub process, small", scene.small_syncs());
        }
    }
    if let Some(plan) = options.ffi.filter(|_| wants("ffi")) {
        say("calls over the FFI");
        table.print("Calls over the FFI", ffi::lines(&plan));
    }
    if wants("passes") {
        say("passes");
        passes.extend(passes::signed());
        passes.push(passes::token());
    }
    table.print("Passes and codes", passes);
    table.print("The library, and lines of other programs", options.rows);
    say("done");
    let (lines, missed) = table.missed();
    eprintln!("bench: {lines} lines, {missed} below their target");
}
