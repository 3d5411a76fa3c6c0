//! What one organisation's requests are handled with: its keys and the operator's settings.

use chrono::{DateTime, Utc};
use rand_core::CryptoRng;
use rusqlite::Transaction;
use url::Url;
use vestibule_core::id::OrganisationId;
use vestibule_core::keys::{DeviceSigner as _, KeyEntry, KeySet, KeyUse, SignedKeySet};

use crate::config::{Config, ConfigError, DataDir};
use crate::issuer::Issuer;
use crate::keys::{KeyFileError, OrganisationKeys};
use crate::store::{StoreError, organisations};
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
    /// Opens an organisation's keys, making those that are not there.
    pub fn open(
        dir: &DataDir,
        config: &Config,
        organisation: &OrganisationId,
        now: DateTime<Utc>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ContextError> {
        let directory = dir.keys(organisation)?;
        let keys = OrganisationKeys::open_or_create(&directory, &mut *rng)?;
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
        let origins = vec![config.public_url.origin().ascii_serialization()];
        let google = GoogleIssuer::open_or_create(&google, organisation, issuer, origins, &mut *rng)?;

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

/// How long a key set is good, in seconds: 400 days, as an envelope.
pub const KEY_SET_LIFE: i64 = 400 * 86_400;
/// A set with less life left is followed by another: a phone that syncs twice a year never holds an expired one.
const KEY_SET_RENEWAL: i64 = 200 * 86_400;
/// How long a key is believed, in seconds: a QR token is signed up to a year before the visit.
const KEY_LIFE: i64 = 5 * 366 * 86_400;

/// The organisation's key set at `now`: the newest that names these keys and is good for a while yet, or a new one,
/// signed by the root and stored.
pub fn key_set(tx: &Transaction<'_>, context: &Context, now: DateTime<Utc>) -> Result<SignedKeySet, StoreError> {
    let organisation = &context.organisation;
    let now = now.timestamp();
    let root = context.keys.root.public_key();
    let thumbprint = root.thumbprint().expect("a key made from a seed is a good point");
    let current = match organisations::current_key_set(tx, organisation)? {
        Some((_, bytes)) => {
            Some(SignedKeySet::verify(&bytes, organisation, &thumbprint).map_err(|_| StoreError::Corrupt("key set"))?)
        }
        None => None,
    };
    let before = current.as_ref().map_or(&[][..], |current| &current.set.keys);
    let keys = &context.keys;
    let uses = [
        (KeyUse::Feed, keys.feed.public_key()),
        (KeyUse::Log, keys.log.public_key()),
        (KeyUse::Grant, keys.grant.public_key()),
        (KeyUse::Qr, keys.qr.public_key()),
    ];
    let named = |usage: KeyUse, key| before.iter().find(|entry| entry.usage == usage && entry.key == key);
    if let Some(current) = &current
        && current.set.expires_at - now > KEY_SET_RENEWAL
        && uses.iter().all(|(usage, key)| named(*usage, *key).is_some())
    {
        return Ok(current.clone());
    }
    let version = current.as_ref().map_or(1, |current| current.set.version + 1);
    let entry = |(usage, key)| KeyEntry {
        usage,
        key,
        // A key that is named again keeps its beginning; a new one begins early enough for a clock that is behind.
        not_before: named(usage, key).map_or(now - 86_400, |entry| entry.not_before),
        not_after: now + KEY_LIFE,
    };
    let set = KeySet {
        organisation: organisation.clone(),
        version,
        root,
        keys: uses.into_iter().map(entry).collect(),
        issued_at: now,
        expires_at: now + KEY_SET_LIFE,
    };
    let signed = SignedKeySet::sign(set, &context.keys.root).map_err(|_| StoreError::Corrupt("root key"))?;
    organisations::insert_key_set(tx, organisation, version, &signed.bytes, signed.set.expires_at)?;
    Ok(signed)
}
