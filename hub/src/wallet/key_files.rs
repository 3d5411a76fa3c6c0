//! Files of keys and certificates: whole or not there at all, keys readable by their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;

use super::WalletError;

/// How many bits an RSA key of ours has: what Apple and Google issue.
pub const RSA_BITS: usize = 2048;

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// The owner alone (0600): keys.
    Owner,
    /// Everyone (0644): certificates.
    Everyone,
}

/// Writes a file by way of a temporary one beside it, so that a crash leaves the old one or the new one.
pub fn write(directory: &Path, name: &str, bytes: &[u8], readers: Readers) -> Result<(), WalletError> {
    let attempt = || -> io::Result<()> {
        let temporary = directory.join(format!(".{name}.new"));
        // A rest of an earlier crash may have other permissions.
        if let Err(error) = fs::remove_file(&temporary)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, if readers == Readers::Owner { 0o600 } else { 0o644 });
        #[cfg(not(unix))]
        let _ = readers;
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, directory.join(name))?;
        // The rename lasts once the directory is on the disk.
        File::open(directory)?.sync_all()
    };
    attempt().map_err(|source| WalletError::File { file: name.to_owned(), source })
}

/// Reads a file; `None` where there is none.
pub fn read(directory: &Path, name: &str) -> Result<Option<String>, WalletError> {
    match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(WalletError::File { file: name.to_owned(), source }),
    }
}

/// Makes the directory, for its owner alone, where it is not there.
pub fn create(directory: &Path) -> Result<(), WalletError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|source| WalletError::File { file: ".".to_owned(), source })
}

/// Reads an RSA key from PEM, PKCS#8 or PKCS#1. Bags with words before the PEM, as `openssl pkcs12` writes them, are fine.
pub fn rsa_from_pem(file: &str, text: &str) -> Result<RsaPrivateKey, WalletError> {
    let pem = text.find("-----BEGIN").map_or(text, |at| &text[at..]);
    RsaPrivateKey::from_pkcs8_pem(pem).or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem)).map_err(|_| {
        let reason = "it holds no unencrypted RSA key in PEM; take the password off with `openssl rsa`";
        WalletError::content(file, reason)
    })
}

/// Makes an RSA key from the given randomness.
pub fn new_rsa(rng: &mut dyn rand_core::CryptoRng) -> Result<RsaPrivateKey, WalletError> {
    RsaPrivateKey::new(&mut Bridge(rng), RSA_BITS).map_err(|error| WalletError::crypto("make an RSA key")(&error))
}

/// Gives the crate `rsa`, which is a generation behind, the randomness of ours.
struct Bridge<'r>(&'r mut dyn rand_core::CryptoRng);

impl rsa::rand_core::RngCore for Bridge<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

impl rsa::rand_core::CryptoRng for Bridge<'_> {}
