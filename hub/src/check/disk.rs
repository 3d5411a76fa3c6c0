//! Room on the disk.

use std::io;
use std::path::Path;

use super::{Finding, Setup};

/// With less room than this, in bytes, a hub takes no work: the next push may not fit beside the log of the database.
pub const TOO_LITTLE: u64 = 16 << 20;
/// With less room than this, in bytes, somebody has to see to it soon.
const LITTLE: u64 = 1 << 30;

/// How many bytes are free for this user where `path` is.
pub fn free(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Looks at the room where the hub's directory is.
pub fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let path = setup.dir.path();
    found(path, free(path)).into_iter().collect()
}

fn found(path: &Path, free: io::Result<u64>) -> Option<Finding> {
    let shown = path.display();
    match free {
        Err(error) => Some(Finding::error("disk", format!("The disk of {shown} cannot be looked at: {error}."))),
        Ok(free) if free < TOO_LITTLE => {
            let message =
                format!("The disk of {shown} is full ({} MB are free): the hub takes no work. Make room.", free >> 20);
            Some(Finding::error("disk_full", message))
        }
        Ok(free) if free < LITTLE => {
            let message = format!("The disk of {shown} is nearly full: {} MB are free. Make room.", free >> 20);
            Some(Finding::warning("disk_low", message))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_full_nearly_full_or_fine() {
        let code = |free| found(Path::new("hub"), free).map(|finding| finding.code);
        assert_eq!(code(Ok(0)), Some("disk_full"));
        assert_eq!(code(Ok(TOO_LITTLE)), Some("disk_low"));
        assert_eq!(code(Ok(LITTLE)), None);
        assert_eq!(code(Err(io::ErrorKind::NotFound.into())), Some("disk"));
        let home = tempfile::tempdir().expect("a directory");
        assert!(free(home.path()).is_ok_and(|free| free > 0));
        assert!(free(&home.path().join("nowhere")).is_err());
    }
}
