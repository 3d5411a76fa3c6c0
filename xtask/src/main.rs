//! The task runner: what CI runs is what a developer runs.
//!
//! `cargo xtask test` finds or installs every tool the tests need ([`tools`]), then runs format, lints and all tests
//! ([`test`]). `cargo xtask bench` measures ([`bench`]). What it installs by itself is kept outside the tree, so that a
//! second run is fast.

mod bench;
mod bindings;
mod built;
mod kotlin;
mod pictures;
mod requirements;
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
  kotlin    runs the tests of the Kotlin library and screens with what cargo has built
  bindings  writes the generated Swift and Kotlin code; with --check, only compares it with what is committed
  swift     runs the tests of the Swift package in ios/ against a real hub
  bench     measures beside raw SQLCipher, and from Kotlin and Swift beside Rust, and prints the table of
            docs/performance.md; --write puts it there, --library measures the library of a phone as well, --rows FILE
            adds another program's lines, --only PART, --large
  pictures  runs the demo and takes the README's pictures with Chromium, and draws the screens of the app
  requirements  lists the behaviours of docs/requirements.md with the tests that show them, and those without
  tools     only installs or finds what the tests need, and says where it is
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test::everything(),
        ["bench", arguments @ ..] => bench::run_bench(arguments),
        ["kotlin"] => kotlin::test(),
        ["bindings"] => bindings::write(),
        ["bindings", "--check"] => bindings::check(),
        ["swift"] => swift::test(),
        ["pictures"] => pictures::take().and_then(|()| kotlin::pictures()),
        ["requirements"] => requirements::list(),
        ["tools"] => tools(),
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

fn tools() -> Result<(), String> {
    println!("{}", tools::find_or_install()?);
    kotlin::find_or_install()?;
    println!("{:<10} {}", "swift", swift::find_or_install()?);
    Ok(())
}
