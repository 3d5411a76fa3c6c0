//! What one organisation's requests are handled with: its keys and the operator's settings.

use chrono::{DateTime, Utc};
use rand_core::CryptoRng;
use url::Url;
use vestibule_core::id::OrganisationId;

use crate::config::{Config, ConfigError, DataDir};
use crate::issuer::Issuer;
use crate::keys::{KeyFileError, OrganisationKeys};
use crate::wallet::{GoogleIssuer, PassIdentity, PassSigner, WalletError};

/// Keys and settings of one organisation on this hub.
pub struct Context {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its keys.
    pub keys: OrganisationKeys,
    /// The address phones, visitors and approvers reach the hub under.
    pub public_url: Url,
    /// The sender of its mails, as in a `From` header: `Example AG <visitors@example.com>`.
    pub mail_from: String,
    /// Signs its Apple passes; absent where none are set up (S1.34).
    pub apple: Option<PassSigner>,
    /// Makes its Google links; absent where none are set up.
    pub google: Option<GoogleIssuer>,
}

/// An organisation's keys or settings cannot be used; completes "failed to open the organisation …: …".
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// A setting, or the directory of the keys.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The operator's own certificate or issuer, or those we made.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The operator named a directory for his certificates that does not hold them.
    #[error("{0} is not there; put it there, or take the table out of vestibule.toml")]
    Missing(std::path::PathBuf),
}

impl Context {
    /// Makes the keys of an organisation that is about to be founded.
    pub fn found(
        dir: &DataDir,
        config: &Config,
        organisation: &OrganisationId,
        now: DateTime<Utc>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ContextError> {
        let keys = OrganisationKeys::create(&dir.keys(organisation)?, &mut *rng)?;
        Self::with(keys, dir, config, organisation, now, rng)
    }

    /// Opens the keys of an organisation there is.
    ///
    /// # Errors
    /// A key file that is missing, or is none.
    pub fn open(
        dir: &DataDir,
        config: &Config,
        organisation: &OrganisationId,
        now: DateTime<Utc>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ContextError> {
        let keys = OrganisationKeys::open(&dir.keys(organisation)?)?;
        Self::with(keys, dir, config, organisation, now, rng)
    }

    fn with(
        keys: OrganisationKeys,
        dir: &DataDir,
        config: &Config,
        organisation: &OrganisationId,
        now: DateTime<Utc>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ContextError> {
        let directory = dir.keys(organisation)?;
        let own = config.organisations.get(organisation);

        let (apple, pass_type_identifier, team_identifier) = match own.and_then(|own| own.apple.as_ref()) {
            Some(own) => {
                let directory = dir.resolve(&own.directory);
                must_hold(&directory, crate::wallet::signer::CERTIFICATE)?;
                (directory, own.pass_type_identifier.clone(), own.team_identifier.clone())
            }
            // In the shape of Apple's, and of nobody's there.
            None => (directory.join("apple"), format!("pass.invalid.vestibule.{organisation}"), "VESTIBULE0".into()),
        };
        let identity = PassIdentity { organisation: organisation.clone(), pass_type_identifier, team_identifier };
        let apple = PassSigner::open_or_create(&apple, &identity, now, &mut *rng)?;

        let (google, issuer) = match own.and_then(|own| own.google.as_ref()) {
            Some(own) => {
                let directory = dir.resolve(&own.directory);
                must_hold(&directory, crate::wallet::google_link::SERVICE_ACCOUNT)?;
                (directory, own.issuer_id.as_str())
            }
            None => (directory.join("google"), "3388000000000000000"),
        };
        let google = GoogleIssuer::open_or_create(&google, organisation, issuer, &mut *rng)?;

        Ok(Self {
            organisation: organisation.clone(),
            keys,
            apple: Some(apple),
            google: Some(google),
            public_url: config.public_url.clone(),
            mail_from: config.mail_from(organisation).to_owned(),
        })
    }

    /// The organisation as an issuer of tokens.
    pub fn issuer(&self) -> Issuer<'_> {
        Issuer {
            organisation: &self.organisation,
            key: &self.keys.issuer,
            secret: &self.keys.link_secret,
            public_url: &self.public_url,
        }
    }
}

fn must_hold(directory: &std::path::Path, name: &str) -> Result<(), ContextError> {
    let file = directory.join(name);
    if file.exists() { Ok(()) } else { Err(ContextError::Missing(file)) }
}
