//! Reads a `.pkpass` of anyone: bounded, and every hash checked.
//!
//! The limits stand before any byte is unpacked, and unpacking stops at them whatever the archive claims. The signature
//! is handed over as it is: whether it holds is a question to CMS and a root certificate.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use sha1::{Digest, Sha1};
use zip::ZipArchive;

use super::apple::Pass;
use super::package::{MANIFEST, PASS, SIGNATURE, is_file_name};

/// The largest archive, in bytes.
pub const MAX_ARCHIVE: usize = 20_000_000;
/// The most files in it.
pub const MAX_FILES: usize = 200;
/// The most bytes when unpacked.
pub const MAX_UNPACKED: u64 = 40_000_000;

/// Why a file is not taken for a pass.
#[derive(Debug, thiserror::Error)]
pub enum ReadProblem {
    /// Larger than any pass, packed or unpacked.
    #[error("the file is larger than a pass may be")]
    TooLarge,
    /// Not a zip archive, or a broken one.
    #[error("the file is not a readable archive: {0}")]
    Archive(String),
    /// A path, an absolute name, or a name twice.
    #[error("the archive holds a file with a name that a pass cannot have")]
    Name,
    /// `pass.json`, `manifest.json` or `signature` is not there.
    #[error("the pass has no `{0}`")]
    Missing(&'static str),
    /// Not JSON, or not a pass.
    #[error("failed to read `{file}` of the pass: {source}")]
    Json {
        /// The file.
        file: &'static str,
        /// Where and why.
        source: serde_json::Error,
    },
    /// A file that the manifest does not list or lists with another hash, or a listed one that is not there.
    #[error("`{0}` of the pass does not fit its manifest")]
    Hash(String),
}

/// A pass as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPass {
    /// The contents of `pass.json`.
    pub pass: Pass,
    /// The manifest's bytes: what the signature is over.
    pub manifest: Vec<u8>,
    /// The detached signature, DER, not checked.
    pub signature: Vec<u8>,
    /// Every other file, by name, and `pass.json`.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl ReadPass {
    /// Reads and checks a `.pkpass`.
    pub fn read(archive: &[u8]) -> Result<Self, ReadProblem> {
        let mut files = unpack(archive)?;
        let manifest = files.remove(MANIFEST).ok_or(ReadProblem::Missing(MANIFEST))?;
        let signature = files.remove(SIGNATURE).ok_or(ReadProblem::Missing(SIGNATURE))?;
        let mut listed: BTreeMap<String, String> =
            serde_json::from_slice(&manifest).map_err(|source| ReadProblem::Json { file: MANIFEST, source })?;
        for (name, bytes) in &files {
            let hash = listed.remove(name);
            if hash.is_none_or(|hash| !hash.eq_ignore_ascii_case(&hex::encode(Sha1::digest(bytes)))) {
                return Err(ReadProblem::Hash(name.clone()));
            }
        }
        if let Some((absent, _)) = listed.pop_first() {
            return Err(ReadProblem::Hash(absent));
        }
        let json = files.get(PASS).ok_or(ReadProblem::Missing(PASS))?;
        let pass = Pass::from_json(json).map_err(|source| ReadProblem::Json { file: PASS, source })?;
        Ok(Self { pass, manifest, signature, files })
    }
}

fn unpack(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, ReadProblem> {
    if archive.len() > MAX_ARCHIVE {
        return Err(ReadProblem::TooLarge);
    }
    let broken = |error: &dyn std::fmt::Display| ReadProblem::Archive(error.to_string());
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(|error| broken(&error))?;
    if zip.len() > MAX_FILES {
        return Err(ReadProblem::TooLarge);
    }
    let mut left = MAX_UNPACKED;
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let file = zip.by_index(index).map_err(|error| broken(&error))?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().map_err(|error| broken(&error))?.into_owned();
        if !is_file_name(&name) {
            return Err(ReadProblem::Name);
        }
        let mut bytes = Vec::new();
        // One more than is left: reading it says that there was more.
        file.take(left + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        left = left.checked_sub(bytes.len() as u64).ok_or(ReadProblem::TooLarge)?;
        if files.insert(name, bytes).is_some() {
            return Err(ReadProblem::Name);
        }
    }
    Ok(files)
}
