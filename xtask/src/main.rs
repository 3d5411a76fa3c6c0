//! The task runner: what CI runs is what a developer runs.
//!
//! `cargo xtask test` finds or installs every tool the tests need ([`tools`]), then runs format, lints and all tests
//! ([`test`]). What it installs by itself is kept outside the tree, so that a second run is fast.

mod bindings;
mod pictures;
mod shell;
mod swift;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
Runs the tasks of Vestibule's developers.

Usage: cargo xtask TASK

Tasks:
  test      installs or finds what the tests need, then runs format, lints, unit, doc and end-to-end tests
  bindings  writes the generated Swift and Kotlin code; with --check, only compares it with what is committed
  swift     runs the tests of the Swift package in ios/ against a real hub
  pictures  runs the demo and takes the README's pictures with Chromium
  tools     only installs or finds what the tests need, and says where it is
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::everything(),
        ["bindings"] => bindings::write(),
        ["bindings", "--check"] => bindings::check(),
        ["swift"] => swift::test(),
        ["pictures"] => pictures::take(),
        ["tools"] => tools::find_or_install().and_then(|tools| {
            println!("{tools}");
            swift::find_or_install().map(|swift| println!("{:<10} {swift}", "swift"))
        }),
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
