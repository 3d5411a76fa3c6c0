//! The task runner: what CI runs is what a developer runs.
//!
//! `cargo xtask test` finds or installs every tool the tests need ([`tools`]), then runs format, lints and all tests
//! ([`test`]). `cargo xtask bench` measures ([`bench`]). What it installs by itself is kept outside the tree, so that a second run is fast.

mod bench;
mod pictures;
mod shell;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
Runs the tasks of Vestibule's developers.

Usage: cargo xtask TASK

Tasks:
  test      installs or finds what the tests need, then runs format, lints, unit, doc and end-to-end tests
  bench     measures beside raw SQLCipher and prints the table of docs/performance.md; --write puts it there, --library
            measures the library of a phone as well, --rows FILE adds another program's lines, --only PART, --large
  pictures  runs the demo and takes the README's pictures with Chromium
  tools     only installs or finds what the tests need, and says where it is
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::everything(),
        ["bench", arguments @ ..] => bench::run_bench(arguments),
        ["pictures"] => pictures::take(),
        ["tools"] => tools::find_or_install().map(|tools| println!("{tools}")),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("that is no task.\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
