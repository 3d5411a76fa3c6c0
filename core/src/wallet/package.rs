//! A `.pkpass` file: `pass.json`, pictures and texts, a manifest of their hashes, and a signature over the manifest.
//!
//! Files go in by [`PassPackage::add`]; [`PassPackage::seal`] writes the manifest, has it signed by whoever holds the
//! key, and zips everything. Entries are stored in the order of their names with one fixed time, so the same input gives
//! the same bytes up to the signature (which holds the time of signing). Nothing is compressed: pictures already are,
//! and what is left is 4 KB of JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use sha1::{Digest, Sha1};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::apple::Pass;
use super::apple_check::PassProblem;
use super::images::Image;

/// The media type of a pass.
pub const PKPASS: &str = "application/vnd.apple.pkpass";
/// The media type of several passes in one file.
pub const PKPASSES: &str = "application/vnd.apple.pkpasses";
/// The most passes in one file, and the most bytes.
pub const MAX_BUNDLE: (usize, usize) = (10, 150_000_000);

/// The pass.
pub const PASS: &str = "pass.json";
/// The hashes.
pub const MANIFEST: &str = "manifest.json";
/// The signature over the hashes.
pub const SIGNATURE: &str = "signature";

/// Why no file could be made.
#[derive(Debug, thiserror::Error)]
pub enum PackageProblem {
    /// The pass breaks one of Apple's rules.
    #[error(transparent)]
    Pass(#[from] PassProblem),
    /// A name that cannot stand in a package.
    #[error("`{0}` cannot be a file of a pass: names are relative, at most one folder `xx.lproj`, and used once")]
    Name(String),
    /// Too many passes, or too many bytes, for one file.
    #[error("a file holds at most 10 passes and 150 MB")]
    Bundle,
    /// The signer failed.
    #[error("failed to sign the manifest of the pass: {0}")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The archive could not be written.
    #[error("failed to write the archive of the pass: {0}")]
    Zip(#[from] zip::result::ZipError),
}

/// The files of a pass before it is signed.
#[derive(Debug, Clone)]
pub struct PassPackage<'a> {
    files: BTreeMap<String, Cow<'a, [u8]>>,
    /// Hashes that are known already.
    hashes: BTreeMap<&'a str, &'a str>,
}

impl<'a> PassPackage<'a> {
    /// A package of a pass that keeps Apple's rules. An icon has to be added: without one Wallet refuses the file.
    pub fn new(pass: &Pass) -> Result<Self, PackageProblem> {
        pass.check()?;
        let json = Cow::Owned(pass.to_json());
        Ok(Self { files: BTreeMap::from([(PASS.to_owned(), json)]), hashes: BTreeMap::new() })
    }

    /// Adds a file: a picture (`icon@2x.png`), or a text or picture of a language (`de.lproj/logo.png`).
    pub fn add(&mut self, name: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Result<(), PackageProblem> {
        if !is_file_name(name) || [PASS, MANIFEST, SIGNATURE].contains(&name) || self.files.contains_key(name) {
            return Err(PackageProblem::Name(name.to_owned()));
        }
        self.files.insert(name.to_owned(), bytes.into());
        Ok(())
    }

    /// Adds a picture that is the same in every pass, with its hash: to hash the pictures anew took a tenth of the time of
    /// a pass.
    pub fn add_image(&mut self, image: &'a Image) -> Result<(), PackageProblem> {
        self.add(&image.name, image.png.as_slice())?;
        self.hashes.insert(&image.name, &image.sha1);
        Ok(())
    }

    /// Adds the texts of a language (`de`, `zh-Hans`): wherever a label or a value of the pass is exactly a key, its
    /// text is shown. Choose keys that nobody types (`vestibule.host`): a visitor called "Host" would be translated.
    pub fn add_strings(&mut self, language: &str, texts: &BTreeMap<String, String>) -> Result<(), PackageProblem> {
        let mut file = String::new();
        for (key, text) in texts {
            writeln!(file, "\"{}\" = \"{}\";", escape(key), escape(text)).expect("a String takes every text");
        }
        self.add(&format!("{language}.lproj/pass.strings"), file.into_bytes())
    }

    /// The manifest: the SHA-1 of every file, in hexadecimal, in the order of their names.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn manifest(&self) -> Vec<u8> {
        let hash = |name: &str, bytes: &[u8]| match self.hashes.get(name) {
            Some(known) => Cow::Borrowed(*known),
            None => Cow::Owned(hex::encode(Sha1::digest(bytes))),
        };
        let hashes: BTreeMap<&str, Cow<'_, str>> =
            self.files.iter().map(|(name, bytes)| (name.as_str(), hash(name, bytes))).collect();
        serde_json::to_vec(&hashes).expect("names and hexadecimal digits are always JSON")
    }

    /// Signs the manifest with `sign` (a detached DER CMS signature, see the hub) and writes the file.
    pub fn seal<E>(&self, sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<Vec<u8>, PackageProblem>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let manifest = self.manifest();
        let signature = sign(&manifest).map_err(|error| PackageProblem::Sign(error.into()))?;
        let pass = self.files.get_key_value(PASS);
        let rest = self.files.iter().filter(|(name, _)| *name != PASS);
        let files = pass.into_iter().chain(rest).map(|(name, bytes)| (name.as_str(), bytes.as_ref()));
        archive(files.chain([(MANIFEST, manifest.as_slice()), (SIGNATURE, signature.as_slice())]))
    }
}

/// Puts several finished passes into one `.pkpasses` file.
pub fn bundle<'p>(passes: impl IntoIterator<Item = &'p [u8]>) -> Result<Vec<u8>, PackageProblem> {
    let passes: Vec<&[u8]> = passes.into_iter().collect();
    let bytes: usize = passes.iter().map(|pass| pass.len()).sum();
    if passes.len() > MAX_BUNDLE.0 || bytes > MAX_BUNDLE.1 {
        return Err(PackageProblem::Bundle);
    }
    let names: Vec<String> = (1..=passes.len()).map(|n| format!("pass-{n:02}.pkpass")).collect();
    archive(names.iter().map(String::as_str).zip(passes))
}

fn archive<'f>(files: impl Iterator<Item = (&'f str, &'f [u8])>) -> Result<Vec<u8>, PackageProblem> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        // 1980-01-01 00:00, the first time a zip can hold.
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes).map_err(zip::result::ZipError::from)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A name within a package: a file, or a file in a language's folder.
pub(super) fn is_file_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"@._-".contains(&b))
    };
    match name.split_once('/') {
        None => plain(name),
        Some((folder, file)) => folder.strip_suffix(".lproj").is_some_and(plain) && plain(file),
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wallet::images;
    use crate::wallet::sample::visitor;
    use crate::wallet::visitor::apple_pass;

    /// A pass with pictures whose hashes are known is, byte for byte, the pass whose pictures were hashed.
    #[test]
    fn known_hashes_change_no_byte() {
        let pass = apple_pass(&visitor());
        let sealed = |add: fn(&mut PassPackage<'static>, &'static Image) -> Result<(), PackageProblem>| {
            let mut package = PassPackage::new(&pass).expect("a good pass");
            for image in images::standard() {
                add(&mut package, image).expect("a picture");
            }
            package.seal(|manifest| Ok::<_, std::io::Error>(manifest.to_vec())).expect("seals")
        };
        let hashed = sealed(|package, image| package.add(&image.name, image.png.as_slice()));
        assert!(sealed(PassPackage::add_image) == hashed);
    }
}
