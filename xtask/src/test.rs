//! Everything that must pass before a change lands.

use std::time::Instant;

use crate::built::{Built, FEATURES};
use crate::shell::{cargo, run};
use crate::{bindings, kotlin, swift, tools};

/// `cargo xtask test`: the steps one after the other, up to the first that fails.
pub fn everything() -> Result<(), String> {
    let tools = step("tools", || {
        kotlin::find_or_install()?;
        swift::find_or_install()?;
        tools::find_or_install()
    })?;
    step("format", || run(cargo().args(["fmt", "--all", "--check"])))?;
    step("lints", || {
        let lint = ["clippy", "--locked", "--workspace", "--all-targets"];
        run(cargo().args(lint).args(FEATURES).args(["--", "--deny", "warnings"]))
    })?;
    step("the command and the library", || Built::all().map(drop))?;
    step("generated code", bindings::check)?;
    step("Rust", || {
        let test = ["test", "--locked", "--workspace"];
        run(cargo().args(test).args(FEATURES).env("VESTIBULE_DISCOVERY", &tools.discovery))
    })?;
    step("Kotlin", kotlin::test)?;
    step("Swift", swift::test)
}

/// Runs a step, and says which and how long it took.
fn step<T>(title: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    eprintln!("\nxtask: {title}");
    let begun = Instant::now();
    let done = work()?;
    eprintln!("xtask: {title}: {} s", begun.elapsed().as_secs());
    Ok(done)
}
