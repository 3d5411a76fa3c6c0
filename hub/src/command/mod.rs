//! The command `vestibule`: what an operator, an approver at a terminal, a reception desk and a newcomer type.
//!
//! Each subcommand is a file. It parses, calls the library, prints; what it decides stands in the library. Errors go to
//! standard error as sentences that say what to do, and the exit code says of which kind they are ([`Failure`]).

mod admin;
mod demo;
mod json_log;
mod output;
mod phone;
mod scan;
mod serve;
mod table;

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::print;
use rustix::fs::Mode;

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

Exit codes: 0 done, 1 failed, 2 bad input, 3 not sent yet (work kept, tried again), 4 refused, 5 sign in again.

Environment: VESTIBULE_LOG=debug (or warn, …) says more (or less) on standard error, VESTIBULE_LOG_FORMAT=json says it
for programs, SSL_CERT_FILE names certificates to trust in place of the system's.",
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
    // What any command writes, databases, keys, mails and passes, is nobody else's to read.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let done = match Vestibule::try_parse() {
        Ok(Vestibule { command }) => match command {
            Command::Serve(command) => command.run(),
            Command::Admin(command) => command.run(),
            Command::Scan(command) => command.run(),
            Command::Phone(command) => command.run(),
            Command::Demo(command) => command.run(),
        },
        // Help and version are what was asked for.
        Err(asked) if !asked.use_stderr() => {
            print(&asked.render().to_string());
            Ok(())
        }
        Err(wrong) => {
            // Where nobody can be told, the exit code still says it.
            let _ = wrong.print();
            Err(Failure::bad_input(""))
        }
    };
    let failures = [done.err(), output::failure()].into_iter().flatten();
    let mut code = None;
    for failure in failures {
        if !failure.message.is_empty() {
            // Where nobody can be told (a log on a full disk), the exit code still says it.
            let _ = writeln!(std::io::stderr(), "{}", failure.message);
        }
        code = code.or(Some(failure.code));
    }
    code.map_or(ExitCode::SUCCESS, ExitCode::from)
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
