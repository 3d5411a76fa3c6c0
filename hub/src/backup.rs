//! Backups of a hub: a consistent copy of its database with a manifest that says what is in it, and the keys apart.
//!
//! A copy is made while the hub runs: `SQLite` writes what one transaction sees, the log in `hub.db-wal` included, into a new
//! file (`VACUUM INTO`). Everything is written into a folder under another name, synced, and put in place with one rename: a
//! folder that bears its name is a whole backup. Whoever has the database alone can open no door with it: the PINs in it are
//! hashed under a key, and the waiting mails sealed by another, and both keys are among those that are kept apart.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SubsecRound as _, Utc};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::{DeviceSigner as _, SignedKeySet};

use crate::config::{ConfigError, DataDir};
use crate::keys::OrganisationKeys;
use crate::moment::Moment;
use crate::restore;
use crate::store::{HubStore, StoreError, check, organisations};

/// The form of the manifest.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "hub.db";
const SETTINGS: &str = "vestibule.toml";

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    /// When it was made; it holds everything up to then.
    pub made_at: DateTime<Utc>,
    /// The life of the database, hexadecimal; none of a hub without an organisation, nor of keys.
    pub epoch: Option<String>,
    /// The organisations and how much there is of each.
    pub organisations: Vec<Contents>,
    /// Its files.
    pub files: Vec<Listed>,
}

/// What there is of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contents {
    /// Its id.
    pub id: OrganisationId,
    /// How many members.
    pub members: u64,
    /// How many visits.
    pub visits: u64,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its path in the backup.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of what is in it, hexadecimal.
    pub sha256: String,
}

/// A backup was not made, is not whole, or was not put back; completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hub's directory.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is something already.
    #[error("{0} is there already; name a folder that is not")]
    Exists(PathBuf),
    /// The keys would lie with what they open.
    #[error("the keys would lie in the backup of what they open; name another place for them")]
    Together,
    /// What is wrong with a backup.
    #[error("the backup is not whole: {0}")]
    Damaged(String),
    /// A hub is there.
    #[error("there is a hub in {0} already; --force puts the backup in its place and keeps its database beside it")]
    HubThere(PathBuf),
    /// The keys of an organisation.
    #[error("the keys of {0} are not in the hub's directory; say where they are kept with --keys DIR")]
    NoKeys(OrganisationId),
    /// Keys of another hub.
    #[error("the keys of {0} are not those that the backup was made with")]
    OtherKeys(OrganisationId),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

/// Makes a backup of a hub's database and settings at `target`, which is not there yet.
pub fn make(dir: &DataDir, store: &HubStore, target: &Path, now: DateTime<Utc>) -> Result<Manifest, BackupError> {
    let folder = Unfinished::begin(target)?;
    let copy = folder.create(DATABASE)?.1;
    store.copy_to(&copy)?;
    let settings = fs::read(dir.settings()).map_err(at(&dir.settings()))?;
    folder.write(SETTINGS, &settings)?;
    let (epoch, organisations) = HubStore::open_copy(&copy)?.read(contents)?;
    let manifest = Manifest { epoch, organisations, ..folder.list(now, &[DATABASE, SETTINGS].map(PathBuf::from))? };
    folder.finish(&manifest)?;
    Ok(manifest)
}

/// Refuses to keep keys with what they open.
pub fn apart(backup: &Path, keys: &Path) -> Result<(), BackupError> {
    let whole = |path: &Path| std::path::absolute(path).map_err(at(path));
    let (backup, keys) = (whole(backup)?, whole(keys)?);
    let together = keys.starts_with(&backup) || backup.starts_with(&keys);
    if together { Err(BackupError::Together) } else { Ok(()) }
}

/// Makes a backup of a hub's keys at `target`, which is not there yet.
pub fn make_keys(dir: &DataDir, target: &Path, now: DateTime<Utc>) -> Result<Manifest, BackupError> {
    let folder = Unfinished::begin(target)?;
    let keys = dir.path().join("keys");
    let mut paths = Vec::new();
    files_below(&keys, Path::new(""), &mut paths)?;
    for path in &paths {
        let from = keys.join(path);
        let secret = zeroize::Zeroizing::new(fs::read(&from).map_err(at(&from))?);
        folder.write(path, &secret)?;
    }
    let manifest = folder.list(now, &paths)?;
    folder.finish(&manifest)?;
    Ok(manifest)
}

/// Checks a backup: its manifest, the checksum of each file, and of a database its pages and chains.
pub fn verify(backup: &Path) -> Result<Manifest, BackupError> {
    let path = backup.join(MANIFEST);
    let text = fs::read(&path).map_err(at(&path))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| BackupError::Damaged(format!("{MANIFEST}: {error}")))?;
    if manifest.format != FORMAT {
        return Err(BackupError::Damaged(format!("{MANIFEST} has a form this program does not know")));
    }
    for file in &manifest.files {
        // A path of a backup leads to nothing outside it.
        if file.path.components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(BackupError::Damaged(format!("{MANIFEST} names a file outside the backup")));
        }
        let found = listed(backup, &file.path)?;
        if found != *file {
            return Err(BackupError::Damaged(format!("{} is not as it was when it was made", file.path.display())));
        }
    }
    if let Some(epoch) = &manifest.epoch {
        if !manifest.files.iter().any(|file| file.path == Path::new(DATABASE)) {
            return Err(BackupError::Damaged(format!("{MANIFEST} does not name {DATABASE}")));
        }
        let mut store = HubStore::open_copy(&backup.join(DATABASE))?;
        if let Some(problem) = store.read(check::problems)?.into_iter().next() {
            return Err(BackupError::Damaged(problem));
        }
        let (found, organisations) = store.read(contents)?;
        if found.as_ref() != Some(epoch) || organisations != manifest.organisations {
            return Err(BackupError::Damaged(format!("{DATABASE} holds something else than {MANIFEST} says")));
        }
    }
    Ok(manifest)
}

/// Where a backup was put.
#[derive(Debug)]
pub struct Restored {
    /// What was put back.
    pub manifest: Manifest,
    /// The database that was there before, if there was one.
    pub aside: Option<PathBuf>,
}

/// Puts a backup in the place of a hub's database and begins another life of it. Nothing changes before the backup, the
/// keys and the copy were found good; a hub that runs is left alone.
pub fn put_back(
    path: &Path,
    backup: &Path,
    keys: Option<&Path>,
    force: bool,
    moment: &mut Moment<'_>,
) -> Result<Restored, BackupError> {
    let manifest = verify(backup)?;
    if manifest.epoch.is_none() {
        return Err(BackupError::Damaged("there is no organisation in it".to_owned()));
    }
    let settings = DataDir::open(path).is_err();
    let dir = DataDir::open_or_create(path, None)?;
    let _lock = dir.lock()?;
    if dir.database().exists() && !force {
        return Err(BackupError::HubThere(path.to_owned()));
    }
    if settings && let Ok(text) = fs::read_to_string(backup.join(SETTINGS)) {
        dir.write_settings(&text)?;
    }
    if let Some(keys) = keys {
        take_keys(&dir, keys)?;
    }
    let unfinished = dir.path().join(".hub.db.new");
    for ending in ["", "-wal", "-shm"] {
        remove(&beside(&unfinished, ending))?;
    }
    let bytes_from = backup.join(DATABASE);
    let mut file = secret_file(&unfinished)?;
    io::copy(&mut File::open(&bytes_from).map_err(at(&bytes_from))?, &mut file).map_err(at(&unfinished))?;
    file.sync_all().map_err(at(&unfinished))?;
    let mut store = HubStore::open(&unfinished)?;
    store.read(|tx| fitting_keys(tx, &dir))?;
    store.write(|tx| restore::open(tx, moment, manifest.made_at.timestamp()).map(drop))?;
    store.close()?;

    let aside = if dir.database().exists() {
        let name = format!("hub.db.replaced-{}", moment.now.format("%Y%m%dT%H%M%SZ"));
        let aside = dir.path().join(name);
        for ending in ["-wal", "-shm", ""] {
            let from = beside(&dir.database(), ending);
            if from.exists() {
                fs::rename(&from, beside(&aside, ending)).map_err(at(&from))?;
            }
        }
        Some(aside)
    } else {
        None
    };
    fs::rename(&unfinished, dir.database()).map_err(at(&unfinished))?;
    sync_folder(dir.path())?;
    Ok(Restored { manifest, aside })
}

/// The keys of every organisation are there, and are those its key set was signed with.
fn fitting_keys(tx: &Transaction<'_>, dir: &DataDir) -> Result<(), BackupError> {
    for id in organisations::list(tx)? {
        let folder = dir.path().join("keys").join(id.as_str());
        let Ok(keys) = OrganisationKeys::open(&folder) else { return Err(BackupError::NoKeys(id)) };
        let root = keys.root.thumbprint().ok_or_else(|| BackupError::OtherKeys(id.clone()))?;
        let fits = organisations::current_key_set(tx, &id)?
            .is_none_or(|(_, bytes)| SignedKeySet::verify(&bytes, &id, &root).is_ok());
        if !fits {
            return Err(BackupError::OtherKeys(id));
        }
    }
    Ok(())
}

/// Takes keys from their backup; those that are there stay.
fn take_keys(dir: &DataDir, backup: &Path) -> Result<(), BackupError> {
    let manifest = verify(backup)?;
    let keys = dir.path().join("keys");
    for file in &manifest.files {
        let (from, to) = (backup.join(&file.path), keys.join(&file.path));
        if to.exists() {
            continue;
        }
        let secret = zeroize::Zeroizing::new(fs::read(&from).map_err(at(&from))?);
        let folder = to.parent().unwrap_or(&keys);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        let unfinished = beside(&to, ".new");
        remove(&unfinished)?;
        let mut file = secret_file(&unfinished)?;
        file.write_all(&secret).and_then(|()| file.sync_all()).map_err(at(&unfinished))?;
        fs::rename(&unfinished, &to).map_err(at(&to))?;
        sync_folder(folder)?;
    }
    Ok(())
}

type Held = (Option<String>, Vec<Contents>);

fn contents(tx: &Transaction<'_>) -> Result<Held, StoreError> {
    let epoch = organisations::epoch(tx)?.map(|epoch| hex::encode(epoch.as_bytes()));
    let count = |table: &str, id: &OrganisationId| {
        let sql = format!("SELECT count(*) FROM {table} WHERE organisation = ?1");
        tx.query_row(&sql, [id.as_str()], |row| row.get::<_, u32>(0)).map(u64::from).map_err(StoreError::from)
    };
    let all = organisations::list(tx)?
        .into_iter()
        .map(|id| Ok::<_, StoreError>(Contents { members: count("member", &id)?, visits: count("visit", &id)?, id }));
    Ok((epoch, all.collect::<Result<_, _>>()?))
}

/// A folder that is being filled under another name.
struct Unfinished {
    path: PathBuf,
    target: PathBuf,
}

impl Unfinished {
    fn begin(target: &Path) -> Result<Self, BackupError> {
        if target.exists() {
            return Err(BackupError::Exists(target.to_owned()));
        }
        let path = beside(target, ".unfinished");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(at(&path))?;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(at(&path))?;
        fs::set_permissions(&path, Permissions::from_mode(0o700)).map_err(at(&path))?;
        Ok(Self { path, target: target.to_owned() })
    }

    fn create(&self, name: impl AsRef<Path>) -> Result<(File, PathBuf), BackupError> {
        let path = self.path.join(name);
        let folder = path.parent().unwrap_or(&self.path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        Ok((secret_file(&path)?, path))
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<(), BackupError> {
        let (mut file, path) = self.create(name)?;
        file.write_all(bytes).map_err(at(&path))
    }

    /// A manifest of files that are written, each of which is synced.
    fn list(&self, now: DateTime<Utc>, paths: &[PathBuf]) -> Result<Manifest, BackupError> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let whole = self.path.join(path);
            File::open(&whole).and_then(|file| file.sync_all()).map_err(at(&whole))?;
            files.push(listed(&self.path, path)?);
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let made_at = now.trunc_subsecs(0);
        Ok(Manifest { format: FORMAT, version, made_at, epoch: None, organisations: Vec::new(), files })
    }

    fn finish(self, manifest: &Manifest) -> Result<(), BackupError> {
        let mut text = serde_json::to_vec_pretty(manifest).expect("a manifest is JSON");
        text.push(b'\n');
        let (mut file, path) = self.create(MANIFEST)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(at(&path))?;
        sync_folder(&self.path)?;
        fs::rename(&self.path, &self.target).map_err(at(&self.target))?;
        let above = self.target.parent().filter(|above| !above.as_os_str().is_empty());
        sync_folder(above.unwrap_or(Path::new(".")))
    }
}

fn listed(folder: &Path, path: &Path) -> Result<Listed, BackupError> {
    let whole = folder.join(path);
    let mut file = File::open(&whole).map_err(at(&whole))?;
    let (mut hash, mut bytes, mut part) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut part).map_err(at(&whole))?;
        if read == 0 {
            break;
        }
        hash.update(&part[..read]);
        bytes += read as u64;
    }
    Ok(Listed { path: path.to_owned(), bytes, sha256: hex::encode(hash.finalize()) })
}

fn files_below(root: &Path, path: &Path, found: &mut Vec<PathBuf>) -> Result<(), BackupError> {
    let folder = root.join(path);
    let entries = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(at(&folder))?;
    for entry in entries {
        let path = path.join(entry.file_name());
        if entry.file_type().map_err(at(&folder))?.is_dir() {
            files_below(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(())
}

/// A new file that nobody else reads.
fn secret_file(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(at(path))
}

fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(at(path))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
