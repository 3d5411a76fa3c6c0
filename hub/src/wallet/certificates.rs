//! A certificate chain in the shape of Apple's: root, "WWDR" intermediate, and a leaf for one pass type.
//!
//! Passes signed with it verify against its own root with any CMS tool, and are refused by every phone. The private
//! keys of root and intermediate are dropped as soon as the leaf is signed: nothing else can ever be issued by them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use der::asn1::{GeneralizedTime, SetOfVec, Utf8StringRef};
use der::oid::{AssociatedOid, ObjectIdentifier};
use der::{Any, Encode, EncodePem as _, Length, Writer};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use rsa::sha2::Sha256;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::builder::{Builder as _, CertificateBuilder, Profile};
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::ext::{AsExtension, Extension};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};
use zeroize::Zeroizing;

use super::{PassIdentity, WalletError, key_files};

/// `UID`: the pass type identifier in a leaf's subject.
pub const UID: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.9.2342.19200300.100.1.1");
/// `OU`: the team identifier in a leaf's subject.
pub const ORGANISATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// Apple's extension of a pass certificate.
pub const PASS_TYPE_EXTENSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.1.16");
/// Apple's purpose "signs passes".
const PASS_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113635.100.4.14");
const CLIENT_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// How long a chain of ours is valid. Apple's leaves last a year; nobody renews ours.
const YEARS: i64 = 20;

/// A chain and the leaf's key, as PEM.
pub struct Chain {
    /// The root that verifies what the leaf signs.
    pub root: String,
    /// The intermediate that goes into every signature.
    pub wwdr: String,
    /// The certificate of the pass type.
    pub leaf: String,
    /// The leaf's private key, PKCS#8.
    pub leaf_key: Zeroizing<String>,
}

/// Makes a chain for a pass type, valid from a day before `now` (a phone's clock may be behind).
pub fn make(
    identity: &PassIdentity,
    now: DateTime<Utc>,
    rng: &mut dyn rand_core::CryptoRng,
) -> Result<Chain, WalletError> {
    let window = (now - TimeDelta::days(1), now + TimeDelta::days(365 * YEARS));
    let root_key = SigningKey::<Sha256>::new(key_files::new_rsa(rng)?);
    let wwdr_key = SigningKey::<Sha256>::new(key_files::new_rsa(rng)?);
    let leaf_key = key_files::new_rsa(rng)?;
    let made_by = "Vestibule (not Apple)";
    let root_name = name(&[(COMMON_NAME, "Vestibule test root"), (ORGANISATION, made_by)])?;
    let wwdr_name = name(&[(COMMON_NAME, "Vestibule test WWDR"), (ORGANISATION, made_by)])?;
    let leaf_name = name(&[
        (UID, &identity.pass_type_identifier),
        (COMMON_NAME, &format!("Pass Type ID: {}", identity.pass_type_identifier)),
        (ORGANISATIONAL_UNIT, &identity.team_identifier),
        (ORGANISATION, identity.organisation.as_str()),
    ])?;

    let root_public = public(root_key.as_ref())?;
    let root = issue(Profile::Root, root_name.clone(), root_public, &root_key, window, rng, &[])?;
    let profile = Profile::SubCA { issuer: root_name, path_len_constraint: Some(0) };
    let wwdr = issue(profile, wwdr_name.clone(), public(wwdr_key.as_ref())?, &root_key, window, rng, &[])?;
    let profile = Profile::Leaf { issuer: wwdr_name, enable_key_agreement: false, enable_key_encipherment: false };
    let purposes = ExtendedKeyUsage(vec![CLIENT_AUTHENTICATION, PASS_PURPOSE]);
    let pass_type = PassType(identity.pass_type_identifier.clone());
    let extensions = [Ext::Purposes(purposes), Ext::PassType(pass_type)];
    let leaf = issue(profile, leaf_name, public(&leaf_key)?, &wwdr_key, window, rng, &extensions)?;

    let pem = |certificate: &Certificate| {
        certificate.to_pem(LineEnding::LF).map_err(|error| WalletError::crypto("encode a certificate")(&error))
    };
    Ok(Chain {
        root: pem(&root)?,
        wwdr: pem(&wwdr)?,
        leaf: pem(&leaf)?,
        leaf_key: leaf_key.to_pkcs8_pem(LineEnding::LF).map_err(|error| WalletError::crypto("encode a key")(&error))?,
    })
}

/// The value of an attribute of a certificate's subject.
pub fn subject_attribute(certificate: &Certificate, oid: ObjectIdentifier) -> Option<String> {
    let parts = certificate.tbs_certificate.subject.0.iter().flat_map(|part| part.0.iter());
    let mut values = parts.filter(|part| part.oid == oid).map(|part| &part.value);
    // UTF8String, PrintableString and IA5String are UTF-8 in these attributes.
    values.next().and_then(|value| String::from_utf8(value.value().to_vec()).ok())
}

/// An extension of the leaf.
enum Ext {
    Purposes(ExtendedKeyUsage),
    PassType(PassType),
}

/// Apple's extension: the pass type identifier as UTF-8.
struct PassType(String);

impl AssociatedOid for PassType {
    const OID: ObjectIdentifier = PASS_TYPE_EXTENSION;
}

impl Encode for PassType {
    fn encoded_len(&self) -> der::Result<Length> {
        Utf8StringRef::new(&self.0)?.encoded_len()
    }

    fn encode(&self, encoder: &mut impl Writer) -> der::Result<()> {
        Utf8StringRef::new(&self.0)?.encode(encoder)
    }
}

impl AsExtension for PassType {
    fn critical(&self, _: &Name, _: &[Extension]) -> bool {
        false
    }
}

fn issue(
    profile: Profile,
    subject: Name,
    key: SubjectPublicKeyInfoOwned,
    signer: &SigningKey<Sha256>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    rng: &mut dyn rand_core::CryptoRng,
    extensions: &[Ext],
) -> Result<Certificate, WalletError> {
    let attempt = || -> Result<Certificate, x509_cert::builder::Error> {
        let mut serial = [0; 16];
        rng.fill_bytes(&mut serial);
        serial[0] = serial[0] & 0x7f | 0x40;
        let validity = Validity { not_before: time(from)?, not_after: time(to)? };
        let mut builder =
            CertificateBuilder::new(profile, SerialNumber::new(&serial)?, validity, subject, key, signer)?;
        for extension in extensions {
            match extension {
                Ext::Purposes(purposes) => builder.add_extension(purposes)?,
                Ext::PassType(pass_type) => builder.add_extension(pass_type)?,
            }
        }
        builder.build::<rsa::pkcs1v15::Signature>()
    };
    attempt().map_err(|error| WalletError::crypto("issue a certificate")(&error))
}

fn time(instant: DateTime<Utc>) -> der::Result<Time> {
    let seconds = u64::try_from(instant.timestamp()).unwrap_or_default();
    Ok(Time::GeneralTime(GeneralizedTime::from_unix_duration(Duration::from_secs(seconds))?))
}

fn public(key: &RsaPrivateKey) -> Result<SubjectPublicKeyInfoOwned, WalletError> {
    SubjectPublicKeyInfoOwned::from_key(key.to_public_key())
        .map_err(|error| WalletError::crypto("encode a public key")(&error))
}

fn name(attributes: &[(ObjectIdentifier, &str)]) -> Result<Name, WalletError> {
    let part = |&(oid, text): &(ObjectIdentifier, &str)| -> der::Result<RelativeDistinguishedName> {
        let value = Any::encode_from(&Utf8StringRef::new(text)?)?;
        Ok(RelativeDistinguishedName(SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }])?))
    };
    let parts: der::Result<Vec<_>> = attributes.iter().map(part).collect();
    parts.map(RdnSequence).map_err(|error| WalletError::crypto("write a certificate's name")(&error))
}
