//! Everything that must pass before a change lands.

use std::time::Instant;

use crate::bindings;
use crate::shell::{cargo, run};
use crate::tools;

/// The tests kill the command at its write boundaries, which no release can be made to do.
const FAULTS: (&str, &str) = ("--features", "vestibule-hub/faults");

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
    run_all(
        &[
            ("format", &["fmt", "--all", "--check"]),
            (
                "lints",
                &["clippy", "--locked", "--workspace", "--all-targets", FAULTS.0, FAULTS.1, "--", "--deny", "warnings"],
            ),
            ("the command", &["build", "--locked", "--workspace", "--bins", FAULTS.0, FAULTS.1]),
            ("tests", &["test", "--locked", "--workspace", FAULTS.0, FAULTS.1]),
        ],
        &[("VESTIBULE_DISCOVERY", tools.discovery.as_os_str())],
    )?;
    eprintln!("\nxtask: generated code");
    bindings::check()
}
