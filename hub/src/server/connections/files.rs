//! How many files this process may have open, and so how many connections.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that are not for connections: the database (three for each of its connections), keys, certificates, the log, the
/// connection to the mail server, mails in a folder, and those who stand at the side door.
pub const KEPT_FREE: usize = 192;

/// Raises the limit of open files as far as the system lets us: the usual one of 1,024 is a shell's, not a server's.
pub fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
}

/// How many connections there may be: as many as are wanted, but never so many that no file is left for the work.
pub fn most(wanted: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
    of(files, wanted)
}

fn of(files: Option<usize>, wanted: usize) -> usize {
    files.map_or(wanted, |files| wanted.min(files.saturating_sub(KEPT_FREE).max(files / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_work() {
        assert_eq!(of(Some(1_024), 4_096), 832);
        assert_eq!(of(Some(100_000), 4_096), 4_096);
        assert_eq!(of(None, 4_096), 4_096);
        assert_eq!(of(Some(100), 4_096), 50);
    }
}
