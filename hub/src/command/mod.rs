//! The command `vestibule`: what an operator, an approver at a terminal, a reception desk and a newcomer type.
//!
//! Each subcommand is a file. It parses, calls the library, prints; what it decides stands in the library. Errors go to
//! standard error as sentences that say what to do, and the exit code says of which kind they are ([`Failure`]).

mod admin;
mod demo;
mod phone;
mod scan;
mod serve;
mod table;

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "vestibule",
    version,
    about = "Invite visitors from a phone with no network; the hub mails them PIN, QR code and passes",
    after_help = "\
Try it out:
  vestibule admin --dir hub init --sample     make a hub with the sample organisation Example AG
  vestibule serve --dir hub                   run it; mails are written to hub/mail
  vestibule admin --dir hub token ada > ada.token   let the host Ada sign in on a phone

Exit codes: 0 done, 1 failed, 2 bad input, 3 hub unreachable, 4 refused, 5 sign in again.
VESTIBULE_LOG=debug (or warn, …) says more (or less) on standard error.",
    max_term_width = 100
)]
pub struct Vestibule {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Admin(admin::Admin),
    Scan(scan::Scan),
    Phone(Box<phone::Phone>),
    Demo(demo::Demo),
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// A sentence that says what to do; empty if everything was said.
    pub message: String,
}

impl Failure {
    /// 1: something of the system's failed.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self { code: 1, message: message.to_string() }
    }

    /// 2: the input cannot be used.
    pub fn bad_input(message: impl fmt::Display) -> Self {
        Self { code: 2, message: message.to_string() }
    }

    /// 4: the hub's rules refuse it.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self { code: 4, message: message.to_string() }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    // A command line that cannot be read ends here, with clap's own message and code 2.
    let done = match Vestibule::parse().command {
        Command::Serve(command) => command.run(),
        Command::Admin(command) => command.run(),
        Command::Scan(command) => command.run(),
        Command::Phone(command) => command.run(),
        Command::Demo(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                // Where nobody can be told (a log on a full disk), the exit code still says it.
                let _ = writeln!(std::io::stderr(), "{}", failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}

/// Writes what a command prints; a reader that has gone away (`| head`) is no failure.
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Vestibule::command().debug_assert();
    }
}
