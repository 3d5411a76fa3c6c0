//! Links that save a pass to Google Wallet: `https://pay.google.com/gp/v/save/` and a JWT signed with RS256.
//!
//! The directory holds `google-service-account.json` (0600) in the form Google's console gives it out. At the first
//! start one is made with a key of its own: its links have every property but one, that Google knows the account.

use std::path::Path;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use serde::{Deserialize, Serialize};
use vestibule_core::id::OrganisationId;
use vestibule_core::wallet::google::{GenericClass, GenericObject, WalletId};
use vestibule_core::wallet::google_link::{SAVE_LINK, SaveClaims};

use super::WalletError;
use super::key_files::{self, Readers};

/// The service account's file.
pub const SERVICE_ACCOUNT: &str = "google-service-account.json";

/// The part of the file that signing needs; the rest is Google's and left alone.
#[derive(Serialize, Deserialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
struct ServiceAccount {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: String,
}

/// Makes an organisation's "Save to Google Wallet" links.
pub struct GoogleIssuer {
    issuer: String,
    account: String,
    key: EncodingKey,
    signature_bytes: usize,
    public_pem: String,
}

impl std::fmt::Debug for GoogleIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GoogleIssuer").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl GoogleIssuer {
    /// Loads the service account of `directory`, or makes one of its own; `issuer` is the issuer's number.
    pub fn open_or_create(
        directory: &Path,
        organisation: &OrganisationId,
        issuer: &str,
        rng: &mut dyn rand_core::CryptoRng,
    ) -> Result<Self, WalletError> {
        // An id of this issuer has to be possible.
        WalletId::new(issuer, "x")?;
        let text = if let Some(text) = key_files::read(directory, SERVICE_ACCOUNT)? {
            zeroize::Zeroizing::new(text)
        } else {
            key_files::create(directory)?;
            let text = make(organisation, rng)?;
            key_files::write(directory, SERVICE_ACCOUNT, text.as_bytes(), Readers::Owner)?;
            text
        };
        let account: ServiceAccount = serde_json::from_str(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            WalletError::content(SERVICE_ACCOUNT, format!("it is no service account (line {line}, column {column})"))
        })?;
        let key = key_files::rsa_from_pem(SERVICE_ACCOUNT, &account.private_key)?;
        let failed = WalletError::crypto("encode the service account's key");
        let public_pem = key.to_public_key().to_public_key_pem(LineEnding::LF).map_err(|error| failed(&error))?;
        let der = key.to_pkcs1_der().map_err(|error| failed(&error))?;
        Ok(Self {
            issuer: issuer.to_owned(),
            account: account.client_email.clone(),
            key: EncodingKey::from_rsa_der(der.as_bytes()),
            signature_bytes: key.size(),
            public_pem,
        })
    }

    /// The issuer's number, which every id begins with.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The service account's public key, PEM: with it a link can be checked.
    pub fn google_public_pem(&self) -> &str {
        &self.public_pem
    }

    /// A link with the whole pass in it, shortened where it must be; its barcode never is.
    ///
    /// # Errors
    /// [`WalletError::Google`] where the pass cannot be made to fit.
    pub fn save_link(
        &self,
        class: GenericClass,
        object: GenericObject,
        now: DateTime<Utc>,
    ) -> Result<String, WalletError> {
        let header = serde_json::to_string(&header())
            .map_err(|error| WalletError::crypto("encode the header of a link")(&error))?;
        let claims = SaveClaims::new(&self.account, now.timestamp(), class, object);
        self.sign(&claims.fit(&header, self.signature_bytes)?)
    }

    /// A link to a pass that has been put in by REST.
    pub fn save_link_by_id(&self, id: WalletId, class_id: WalletId, now: DateTime<Utc>) -> Result<String, WalletError> {
        self.sign(&SaveClaims::by_id(&self.account, now.timestamp(), id, class_id))
    }

    fn sign(&self, claims: &SaveClaims) -> Result<String, WalletError> {
        let jwt = jsonwebtoken::encode(&header(), claims, &self.key)
            .map_err(|error| WalletError::crypto("sign a link")(&error))?;
        Ok(format!("{SAVE_LINK}{jwt}"))
    }
}

fn header() -> Header {
    Header::new(Algorithm::RS256)
}

fn make(
    organisation: &OrganisationId,
    rng: &mut dyn rand_core::CryptoRng,
) -> Result<zeroize::Zeroizing<String>, WalletError> {
    let private_key = key_files::new_rsa(rng)?
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| WalletError::crypto("encode the service account's key")(&error))?;
    let account = ServiceAccount {
        kind: "service_account".to_owned(),
        // A name that cannot be anyone's (RFC 2606).
        client_email: format!("wallet@{organisation}.invalid"),
        private_key: private_key.to_string(),
    };
    serde_json::to_string_pretty(&account)
        .map(zeroize::Zeroizing::new)
        .map_err(|error| WalletError::crypto("write the service account")(&error))
}

#[cfg(test)]
#[path = "google_link_tests.rs"]
mod tests;
