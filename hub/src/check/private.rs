//! Files with secrets: that nobody but the hub's user can read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Finding, Setup};

/// Folders in a folder of keys are looked into this deep.
const DEEP: usize = 4;

/// Looks at the modes of settings, database, keys, passwords and mails.
pub fn check(setup: &Setup<'_>) -> Vec<Finding> {
    let (dir, config) = (setup.dir, setup.config);
    let database = dir.database();
    let beside = |ending: &str| {
        let mut name = database.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut secrets = vec![dir.settings(), database.clone(), beside("-wal"), beside("-shm"), dir.path().join("keys")];
    secrets.extend(config.smtp.iter().filter_map(|smtp| smtp.password_file.as_ref()).map(|file| dir.resolve(file)));
    secrets.push(dir.resolve(&config.mail_folder));
    for own in config.organisations.values() {
        secrets.extend(own.apple.iter().map(|apple| dir.resolve(&apple.directory).join(crate::wallet::signer::KEY)));
        let account = crate::wallet::google_link::SERVICE_ACCOUNT;
        secrets.extend(own.google.iter().map(|google| dir.resolve(&google.directory).join(account)));
    }
    let mut open = Vec::new();
    for secret in secrets {
        find_open(&secret, DEEP, &mut open);
    }
    let Some(first) = open.first() else { return Vec::new() };
    let others = match open.len() - 1 {
        0 => String::new(),
        1 => " and one other".to_owned(),
        more => format!(" and {more} others"),
    };
    let message = format!(
        "{}{others} can be read by other users of this machine. Take that away: chmod -R go= {}",
        first.display(),
        dir.path().display()
    );
    vec![Finding::error("readable_by_others", message)]
}

/// Whether a mode gives anything to others than the owner.
fn is_open(mode: u32) -> bool {
    mode & 0o077 != 0
}

/// Collects what others may read. A folder that lets nobody in hides all that is in it.
fn find_open(path: &Path, deep: usize, open: &mut Vec<PathBuf>) {
    // What is not there is no secret.
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.permissions().mode();
    if metadata.is_dir() {
        if !is_open(mode) || deep == 0 {
            return;
        }
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries.flatten() {
            find_open(&entry.path(), deep - 1, open);
        }
        return;
    }
    // Public halves may be read by anybody.
    let public = path.extension().is_some_and(|extension| extension == "pem")
        && fs::read_to_string(path).is_ok_and(|text| !text.contains("PRIVATE KEY"));
    if is_open(mode) && !public {
        open.push(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::codes_in;
    use super::*;

    const SETTINGS: &str = "public_url = 'https://a.example'\nmail_from = 'a@a.example'\n\
                            [smtp]\nhost = 'h'\nuser = 'u'\npassword_file = 'smtp-password'\n";

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("sets the mode");
    }

    #[test]
    fn a_secret_others_can_read_is_named_and_a_public_key_is_none() {
        for secret in ["keys/example-ag/qr.key", "smtp-password", "hub.db", "hub.db-wal", "mail/1.eml"] {
            let home = tempfile::tempdir().expect("a directory");
            let path = home.path().join(secret);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, "secret").expect("written");
            set(path.parent().expect("a folder"), 0o755);
            for folder in ["keys", "mail"] {
                let _ = fs::set_permissions(home.path().join(folder), fs::Permissions::from_mode(0o755));
            }
            set(&path, 0o644);
            assert_eq!(codes_in(home.path(), SETTINGS, check), ["readable_by_others"], "{secret}");
            set(&path, 0o600);
            assert_eq!(codes_in(home.path(), SETTINGS, check), [""; 0], "{secret}");
        }
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir_all(home.path().join("keys")).expect("made");
        set(&home.path().join("keys"), 0o755);
        let public = home.path().join("keys/root.pem");
        fs::write(&public, "-----BEGIN CERTIFICATE-----").expect("written");
        set(&public, 0o644);
        assert_eq!(codes_in(home.path(), SETTINGS, check), [""; 0]);
        fs::write(&public, "-----BEGIN PRIVATE KEY-----").expect("written");
        assert_eq!(codes_in(home.path(), SETTINGS, check), ["readable_by_others"]);
    }
}
