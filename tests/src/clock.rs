//! Clocks that are wrong: a process that is told another time than the machine's, by another project's `faketime`.

use std::path::PathBuf;
use std::process::Command;

/// Makes a command see a clock that is off by so much: `+365d`, `-1h`. The monotonic clock is left alone, as it is where
/// somebody sets a clock.
pub fn set(command: &mut Command, off: &str) {
    command.env("LD_PRELOAD", library());
    command.env("FAKETIME", off);
    // The name before version 0.9.10, and the one since.
    command.env("DONT_FAKE_MONOTONIC", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// The library does it without the program `faketime`, which would stand between us and the process we signal.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("a system's libraries").filter_map(Result::ok);
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("faketime is needed: run `cargo xtask test`, which installs it")
}
