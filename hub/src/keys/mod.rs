//! The hub's keys, in files beside the database and outside its backups.
//!
//! `keys/` of the data directory holds one file for each, 0600, made when the organisation is founded: the organisation's root, the keys
//! the key set names (feed, log, grant, QR), the hub's own device key, the token issuer's key, and three secrets: the
//! PIN pepper, the key that seals mails in the outbox, and the key that page and pass tokens are derived with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rand_core::Rng;
use vestibule_core::keys::SoftwareSigner;
use zeroize::Zeroizing;

/// A key file could not be read or made.
#[derive(Debug, thiserror::Error)]
#[error("the key file {path} cannot be used: {source}")]
pub struct KeyFileError {
    path: PathBuf,
    source: io::Error,
}

/// A symmetric secret of 32 bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// The keys of one organisation.
pub struct OrganisationKeys {
    /// Signs key sets.
    pub root: SoftwareSigner,
    /// Signs pages, statements and receipts.
    pub feed: SoftwareSigner,
    /// Signs heads of the decision log.
    pub log: SoftwareSigner,
    /// Signs grants between phones.
    pub grant: SoftwareSigner,
    /// Signs QR tokens.
    pub qr: SoftwareSigner,
    /// The hub as a device: the author of what pages, the API and `admin` change.
    pub device: SoftwareSigner,
    /// Signs bearer and access tokens.
    pub issuer: SoftwareSigner,
    /// Keys the hash that a PIN is looked up by.
    pub pin_pepper: Secret,
    /// Seals mails in the outbox.
    pub outbox_seal: Secret,
    /// Derives page tokens and pass authentication tokens.
    pub link_secret: Secret,
}

impl OrganisationKeys {
    /// Reads the keys in `dir`. One that is missing is an error, never made anew: phones, passes and PINs that are out
    /// there go by the one that was.
    pub fn open(dir: &Path) -> Result<Self, KeyFileError> {
        Self::all(|name| {
            let path = dir.join(name);
            read(&path).map_err(|source| KeyFileError { path, source })
        })
    }

    /// Makes the keys of a new organisation in `dir`, but for those that an earlier try has made.
    pub fn create(dir: &Path, rng: &mut dyn Rng) -> Result<Self, KeyFileError> {
        fs::create_dir_all(dir).map_err(|source| KeyFileError { path: dir.to_owned(), source })?;
        Self::all(|name| {
            let path = dir.join(name);
            match read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => make(dir, name, rng),
                other => other,
            }
            .map_err(|source| KeyFileError { path, source })
        })
    }

    fn all(mut secret: impl FnMut(&str) -> Result<Secret, KeyFileError>) -> Result<Self, KeyFileError> {
        let mut signer = |name: &str| secret(name).map(|seed| SoftwareSigner::from_seed(&seed));
        let (root, feed, log) = (signer("root.key")?, signer("feed.key")?, signer("log.key")?);
        let (grant, qr, device, issuer) =
            (signer("grant.key")?, signer("qr.key")?, signer("device.key")?, signer("issuer.key")?);
        Ok(Self {
            root,
            feed,
            log,
            grant,
            qr,
            device,
            issuer,
            pin_pepper: secret("pin-pepper.key")?,
            outbox_seal: secret("outbox-seal.key")?,
            link_secret: secret("link-secret.key")?,
        })
    }
}

/// Reads a 32-byte secret written as 64 hexadecimal digits.
fn read(path: &Path) -> io::Result<Secret> {
    let text = Zeroizing::new(fs::read_to_string(path)?);
    let mut bytes = Secret::default();
    hex::decode_to_slice(text.trim(), &mut *bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not 64 hexadecimal digits"))?;
    Ok(bytes)
}

/// Makes a secret: written whole under another name, synced, then put in place, so that a kill leaves either no file or
/// a good one.
fn make(dir: &Path, name: &str, rng: &mut dyn Rng) -> io::Result<Secret> {
    let mut bytes = Secret::default();
    rng.fill_bytes(&mut *bytes);
    let unfinished = dir.join(format!(".{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(Zeroizing::new(hex::encode(*bytes)).as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, dir.join(name))?;
    fs::File::open(dir)?.sync_all()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    use super::*;

    /// A key file that is gone is told of by its name, and no other takes its place; founding again goes on where it
    /// was.
    #[test]
    fn a_missing_key_is_never_made_anew() {
        let dir = tempfile::tempdir().expect("a folder");
        let made = OrganisationKeys::create(dir.path(), &mut ChaCha20Rng::from_seed([1; 32])).expect("are made");
        let again = OrganisationKeys::create(dir.path(), &mut ChaCha20Rng::from_seed([2; 32])).expect("are there");
        assert_eq!(made.pin_pepper, again.pin_pepper);
        fs::remove_file(dir.path().join("pin-pepper.key")).expect("is there");
        let error = OrganisationKeys::open(dir.path()).err().expect("refuses").to_string();
        assert!(error.contains("pin-pepper.key"), "{error}");
        assert!(!dir.path().join("pin-pepper.key").exists());
    }
}
