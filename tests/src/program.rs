//! Programs: ours and other projects'.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The `vestibule` command, built beside the tests.
pub fn vestibule() -> Command {
    Command::new(vestibule_path())
}

/// Where the `vestibule` command is.
pub fn vestibule_path() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    let beside = test.ancestors().nth(2).expect("tests run from target/PROFILE/deps").join("vestibule");
    assert!(beside.is_file(), "{} is not built: run `cargo xtask test`", beside.display());
    beside
}

/// Runs another project's program; a missing one is an error, never a skipped test.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Output {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed ({error}): run `cargo xtask test`, which installs it"))
}

/// What a program printed, after it succeeded.
pub fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
