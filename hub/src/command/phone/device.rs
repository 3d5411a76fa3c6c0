//! The terminal phone's keys, in files beside its store: what a real phone has its secure hardware for.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use vestibule_core::id::Thumbprint;
use vestibule_core::keys::{DeviceSigner, PublicKey, SignerError, SoftwareSigner};
use vestibule_core::phone::{HostClient, SystemSurroundings};
use vestibule_core::store::StoreKey;
use vestibule_core::sync::HttpTransport;
use zeroize::Zeroizing;

use super::super::Failure;

/// Opens the phone of a store; `makes` makes store and keys where they are not there.
pub fn open(store: &Path, makes: bool) -> Result<HostClient, Failure> {
    let (key_file, device_file) = (beside(store, ".key"), beside(store, ".device.key"));
    if !makes && !store.exists() {
        return Err(Failure {
            code: 5,
            message: format!(
                "There is no store at {}: sign in first (`vestibule phone --store FILE sign-in`).",
                store.display()
            ),
        });
    }
    if store.exists() && !key_file.exists() {
        return Err(Failure::failed(format!(
            "The store's key {} is gone: the store cannot be opened.",
            key_file.display()
        )));
    }
    let key = secret::<96>(&key_file)?;
    let key = StoreKey::from_hex(&key)
        .ok_or_else(|| Failure::failed(format!("{} is not 96 hexadecimal digits.", key_file.display())))?;
    let signer = Arc::new(FileSigner::open(device_file)?);
    HostClient::open(store, &key, signer, Box::new(HttpTransport::new()), Arc::new(SystemSurroundings))
        .map_err(super::failure)
}

/// The device's key in its file.
struct FileSigner {
    file: PathBuf,
    key: RwLock<SoftwareSigner>,
}

impl FileSigner {
    /// Takes the key, or makes it.
    fn open(file: PathBuf) -> Result<Self, Failure> {
        let seed = secret::<64>(&file)?;
        let mut device = Zeroizing::new([0; 32]);
        hex::decode_to_slice(seed.as_slice(), device.as_mut_slice())
            .map_err(|_| Failure::failed(format!("{} is not 64 hexadecimal digits.", file.display())))?;
        Ok(Self { file, key: RwLock::new(SoftwareSigner::from_seed(&device)) })
    }
}

impl DeviceSigner for FileSigner {
    fn public_key(&self) -> PublicKey {
        self.key.read().unwrap_or_else(PoisonError::into_inner).public_key()
    }

    fn thumbprint(&self) -> Option<Thumbprint> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).thumbprint()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).sign(message)
    }

    fn renew(&self) -> Result<PublicKey, SignerError> {
        let fails = |error: io::Error| SignerError { reason: format!("no new key can be made: {error}") };
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|error| fails(error.into()))?;
        put(&self.file, &Zeroizing::new(hex::encode(seed.as_slice()).into_bytes())).map_err(fails)?;
        let key = SoftwareSigner::from_seed(&seed);
        let public = key.public_key();
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(public)
    }
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Reads a secret of that many hexadecimal digits, or makes it: written whole under another name, then put in place.
fn secret<const DIGITS: usize>(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fails = |error: io::Error| Failure::failed(format!("The key file {} cannot be used: {error}.", path.display()));
    match fs::read(path) {
        Ok(text) => {
            let text = Zeroizing::new(text);
            Ok(Zeroizing::new(text.trim_ascii().to_vec()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut bytes = Zeroizing::new(vec![0; DIGITS / 2]);
            getrandom::fill(&mut bytes).map_err(|error| fails(error.into()))?;
            let digits = Zeroizing::new(hex::encode(bytes.as_slice()).into_bytes());
            put(path, &digits).map_err(fails)?;
            Ok(digits)
        }
        Err(error) => Err(fails(error)),
    }
}

/// Puts a secret in place, whole or not at all.
fn put(path: &Path, digits: &[u8]) -> io::Result<()> {
    let unfinished = beside(path, ".new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(digits)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
