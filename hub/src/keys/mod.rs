//! The hub's keys, in files beside the database and outside its backups.
//!
//! `keys/` of the data directory holds one file for each, 0600, made at first start: the organisation's root, the keys
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
    /// Reads the keys in `dir`, making those that are not there.
    pub fn open_or_create(dir: &Path, rng: &mut dyn Rng) -> Result<Self, KeyFileError> {
        fs::create_dir_all(dir).map_err(|source| KeyFileError { path: dir.to_owned(), source })?;
        let mut signer = |name: &str| secret(dir, name, &mut *rng).map(|seed| SoftwareSigner::from_seed(&seed));
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
            pin_pepper: secret(dir, "pin-pepper.key", rng)?,
            outbox_seal: secret(dir, "outbox-seal.key", rng)?,
            link_secret: secret(dir, "link-secret.key", rng)?,
        })
    }
}

/// Reads a 32-byte secret written as 64 hexadecimal digits, or makes it: written whole under another name, synced, then
/// put in place, so that a kill leaves either no file or a good one.
fn secret(dir: &Path, name: &str, rng: &mut dyn Rng) -> Result<Secret, KeyFileError> {
    let path = dir.join(name);
    let fails = |source| KeyFileError { path: path.clone(), source };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            let mut bytes = Secret::default();
            hex::decode_to_slice(text.trim(), &mut *bytes)
                .map_err(|_| fails(io::Error::new(io::ErrorKind::InvalidData, "it is not 64 hexadecimal digits")))?;
            Ok(bytes)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = Secret::default();
            rng.fill_bytes(&mut *bytes);
            let unfinished = dir.join(format!(".{name}.new"));
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)
                .map_err(fails)?;
            file.write_all(Zeroizing::new(hex::encode(*bytes)).as_bytes()).map_err(fails)?;
            file.sync_all().map_err(fails)?;
            fs::rename(&unfinished, &path).map_err(fails)?;
            fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(fails)?;
            Ok(bytes)
        }
        Err(error) => Err(fails(error)),
    }
}
