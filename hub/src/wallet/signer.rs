//! The signer of an organisation's Apple passes: a certificate, its key and the intermediate above it.
//!
//! The directory holds `pass-certificate.pem`, `pass-key.pem` (0600) and `wwdr.pem`; `root.pem` beside them only where
//! the chain is our own. An operator puts the three files from Apple there and removes `root.pem`.

use std::path::Path;

use chrono::{DateTime, Utc};
use der::{DecodePem as _, Encode as _};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::pkcs8::EncodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use vestibule_core::id::OrganisationId;
use x509_cert::Certificate;

use super::WalletError;
use super::certificates::{self, ORGANISATIONAL_UNIT, UID, subject_attribute};
use super::cms::{self, CmsError};
use super::key_files::{self, Readers};

/// The pass certificate.
pub const CERTIFICATE: &str = "pass-certificate.pem";
/// Its key.
pub const KEY: &str = "pass-key.pem";
/// The intermediate above it.
pub const WWDR: &str = "wwdr.pem";
/// The root above that, where it is our own.
pub const ROOT: &str = "root.pem";

/// Whose passes are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassIdentity {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The pass type identifier, as registered: `pass.ch.example.visit`.
    pub pass_type_identifier: String,
    /// The team that registered it.
    pub team_identifier: String,
}

/// Signs an organisation's passes. Signing takes one RSA-2048 signature, well under a millisecond.
pub struct PassSigner {
    identity: PassIdentity,
    leaf: Certificate,
    wwdr: Certificate,
    key: ring::rsa::KeyPair,
    own_root: Option<String>,
}

impl std::fmt::Debug for PassSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassSigner").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl PassSigner {
    /// Loads the signer of `directory`; where there is none, makes a chain of its own at the time `now`.
    ///
    /// # Errors
    /// Where files are missing or broken, where the certificate is of another pass type or team than configured, where
    /// the key is not the certificate's, or the intermediate has not issued it.
    pub fn open_or_create(
        directory: &Path,
        identity: &PassIdentity,
        now: DateTime<Utc>,
        rng: &mut dyn rand_core::CryptoRng,
    ) -> Result<Self, WalletError> {
        let nothing = [CERTIFICATE, KEY, WWDR].iter().all(|name| !directory.join(name).exists());
        if nothing || is_half_made(directory) {
            key_files::create(directory)?;
            let chain = certificates::make(identity, now, rng)?;
            // The key comes last: without one, the rest is the remains of a crash and is made again.
            key_files::write(directory, ROOT, chain.root.as_bytes(), Readers::Everyone)?;
            key_files::write(directory, WWDR, chain.wwdr.as_bytes(), Readers::Everyone)?;
            key_files::write(directory, CERTIFICATE, chain.leaf.as_bytes(), Readers::Everyone)?;
            key_files::write(directory, KEY, chain.leaf_key.as_bytes(), Readers::Owner)?;
        }
        Self::open(directory, identity)
    }

    fn open(directory: &Path, identity: &PassIdentity) -> Result<Self, WalletError> {
        let leaf = certificate(directory, CERTIFICATE)?;
        let wwdr = certificate(directory, WWDR)?;
        let key = key_files::rsa_from_pem(KEY, &required(directory, KEY)?)?;

        if subject_attribute(&leaf, UID).as_deref() != Some(&identity.pass_type_identifier) {
            return Err(WalletError::Mismatch("its UID is not the configured pass type identifier"));
        }
        if subject_attribute(&leaf, ORGANISATIONAL_UNIT).as_deref() != Some(&identity.team_identifier) {
            return Err(WalletError::Mismatch("its OU is not the configured team identifier"));
        }
        let failed = WalletError::crypto("encode the pass key");
        let public = key.to_public_key().to_public_key_der().map_err(|error| failed(&error))?;
        let certified = leaf.tbs_certificate.subject_public_key_info.to_der().map_err(|error| failed(&error))?;
        if public.as_bytes() != certified {
            return Err(WalletError::Mismatch("`pass-key.pem` is the key of another certificate"));
        }
        if !is_issued_by(&leaf, &wwdr) {
            return Err(WalletError::Mismatch(
                "`wwdr.pem` has not issued it; take the WWDR certificate its issuer names",
            ));
        }
        let key = key.to_pkcs1_der().map_err(|error| failed(&error))?;
        let key = ring::rsa::KeyPair::from_der(key.as_bytes()).map_err(|error| failed(&error))?;
        let own_root = key_files::read(directory, ROOT)?;
        Ok(Self { identity: identity.clone(), leaf, wwdr, key, own_root })
    }

    /// Whose passes these are: what goes into every `pass.json`.
    pub fn identity(&self) -> &PassIdentity {
        &self.identity
    }

    /// The root of a chain of our own, PEM: with it a pass can be checked, and a phone will refuse it.
    pub fn own_root(&self) -> Option<&str> {
        self.own_root.as_deref()
    }

    /// From when until when passes may be signed: both certificates have to be valid. After that phones refuse new passes
    /// (those they have stay).
    pub fn validity(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        let instant = |time: x509_cert::time::Time| {
            let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
            seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)).unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let (leaf, wwdr) = (&self.leaf.tbs_certificate.validity, &self.wwdr.tbs_certificate.validity);
        (instant(leaf.not_before).max(instant(wwdr.not_before)), instant(leaf.not_after).min(instant(wwdr.not_after)))
    }

    /// Whether passes may be signed at `now`.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        let (from, until) = self.validity();
        from <= now && now < until
    }

    /// Signs a manifest at the time `now`: the bytes of the file `signature`.
    ///
    /// # Errors
    /// [`CmsError::OutOfTime`] with a certificate that is not valid then: no phone would take the pass.
    pub fn sign(&self, manifest: &[u8], now: DateTime<Utc>) -> Result<Vec<u8>, CmsError> {
        if !self.is_valid(now) {
            return Err(CmsError::OutOfTime);
        }
        cms::sign(manifest, &self.leaf, &self.wwdr, &self.key, now)
    }
}

/// Whether a chain of our own was being made when the hub died. An operator's files are never taken for one.
fn is_half_made(directory: &Path) -> bool {
    let ours = || -> Option<bool> {
        let root = certificate(directory, ROOT).ok()?;
        Some(is_issued_by(&certificate(directory, WWDR).ok()?, &root))
    };
    !directory.join(KEY).exists() && ours().unwrap_or(false)
}

fn required(directory: &Path, name: &str) -> Result<String, WalletError> {
    key_files::read(directory, name)?
        .ok_or_else(|| WalletError::content(name, "it is missing; the three files come together, or none of them"))
}

fn certificate(directory: &Path, name: &str) -> Result<Certificate, WalletError> {
    let text = required(directory, name)?;
    let pem = text.find("-----BEGIN").map_or(text.as_str(), |at| &text[at..]);
    Certificate::from_pem(pem).map_err(|_| {
        let reason = "it holds no certificate in PEM; convert a .cer with `openssl x509 -inform DER`";
        WalletError::content(name, reason)
    })
}

/// Whether `issuer` has signed `certificate` with RSA and SHA-256, as Apple's do.
fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let attempt = || -> Option<bool> {
        if certificate.tbs_certificate.issuer != issuer.tbs_certificate.subject {
            return None;
        }
        let key = issuer.tbs_certificate.subject_public_key_info.to_der().ok()?;
        let key = RsaPublicKey::from_public_key_der(&key).ok()?;
        let signed = certificate.tbs_certificate.to_der().ok()?;
        let digest = <rsa::sha2::Sha256 as rsa::sha2::Digest>::digest(&signed);
        let signature = certificate.signature.as_bytes()?;
        Some(key.verify(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), &digest, signature).is_ok())
    };
    attempt().unwrap_or(false)
}

#[cfg(test)]
#[path = "signer_tests.rs"]
mod tests;
