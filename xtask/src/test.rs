//! Everything that must pass before a change lands.

use std::time::Instant;

use crate::bindings;
use crate::shell::{cargo, run};
use crate::{swift, tools};

/// Everything is built with these, and once: the tests kill the command at its write boundaries, which no release can be
/// made to do, and the generator of the Swift and Kotlin code comes with the library.
pub const FEATURES: (&str, &str) = ("--features", "vestibule-hub/faults,vestibule-ffi/bindgen");

/// Runs the steps one after the other and stops at the first that fails.
fn run_all(steps: &[(&str, &[&str])], environment: &[(&str, &std::ffi::OsStr)]) -> Result<(), String> {
    for (number, (title, arguments)) in steps.iter().enumerate() {
        eprintln!("\nxtask: [{}/{}] {title}", number + 1, steps.len());
        let begun = Instant::now();
        let mut command = cargo();
        command.args(*arguments).envs(environment.iter().copied());
        run(&mut command)?;
        eprintln!("xtask: {title}: {} s", begun.elapsed().as_secs());
    }
    Ok(())
}

/// `cargo xtask test`.
pub fn everything() -> Result<(), String> {
    let tools = tools::find_or_install()?;
    swift::find_or_install()?;
    run_all(
        &[
            ("format", &["fmt", "--all", "--check"]),
            (
                "lints",
                &[
                    "clippy",
                    "--locked",
                    "--workspace",
                    "--all-targets",
                    FEATURES.0,
                    FEATURES.1,
                    "--",
                    "--deny",
                    "warnings",
                ],
            ),
            ("the command", &["build", "--locked", "--workspace", "--lib", "--bins", FEATURES.0, FEATURES.1]),
            ("tests", &["test", "--locked", "--workspace", FEATURES.0, FEATURES.1]),
        ],
        &[("VESTIBULE_DISCOVERY", tools.discovery.as_os_str())],
    )?;
    eprintln!("\nxtask: generated code");
    bindings::check()?;
    eprintln!("\nxtask: the Swift package");
    swift::test()
}
