//! The signature of a pass: detached CMS (RFC 5652) in DER over `manifest.json`.
//!
//! Signed attributes: content type, signing time, SHA-256 of the manifest. The leaf and the intermediate are embedded,
//! since a phone has Apple's root alone; without the signing time Wallet refuses the pass without a word. The structure
//! is put together here and not by the builder of the crate `cms`, which unwraps inside and signs with a slower key.

use chrono::{DateTime, Utc};
use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{OctetString, OctetStringRef, SetOfVec, UtcTime};
use der::oid::ObjectIdentifier;
use der::{Any, Encode, EncodeValue, Tagged};
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// RFC 5652: `id-data`.
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// RFC 5652: `id-signedData`.
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// RFC 5652: `id-contentType`.
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
/// RFC 5652: `id-messageDigest`.
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// RFC 5652: `id-signingTime`.
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
/// RFC 5754: `id-sha256`.
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// RFC 3370: `rsaEncryption`.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why a signature could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CmsError {
    /// Something could not be encoded.
    #[error("failed to encode the signature of a pass: {0}")]
    Encode(#[from] der::Error),
    /// The time is outside the certificates'.
    #[error("the pass certificate is not valid now; renew it")]
    OutOfTime,
    /// The key refused.
    #[error("the key of the pass certificate refused to sign")]
    Key,
}

/// Signs `content` at the time `now` with the key of `leaf`: the bytes of the file `signature`.
pub fn sign(
    content: &[u8],
    leaf: &Certificate,
    intermediate: &Certificate,
    key: &ring::rsa::KeyPair,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, CmsError> {
    let signed_attrs = signed_attributes(content, now)?;
    // RFC 5652 section 5.4: what is signed is the SET OF, not the [0] it stands in.
    let to_sign = signed_attrs.to_der()?;
    let mut signature = vec![0; key.public().modulus_len()];
    let rng = ring::rand::SystemRandom::new();
    // PKCS#1 v1.5 is deterministic; the randomness is not drawn from.
    key.sign(&ring::signature::RSA_PKCS1_SHA256, &rng, &to_sign, &mut signature).map_err(|_| CmsError::Key)?;

    let sha256 = AlgorithmIdentifierOwned { oid: SHA_256, parameters: None };
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: leaf.tbs_certificate.issuer.clone(),
            serial_number: leaf.tbs_certificate.serial_number.clone(),
        }),
        digest_alg: sha256.clone(),
        signed_attrs: Some(signed_attrs),
        signature_algorithm: AlgorithmIdentifierOwned { oid: RSA, parameters: Some(Any::null()) },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates = [leaf, intermediate].map(|certificate| CertificateChoices::Certificate(certificate.clone()));
    let signed_data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![sha256])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
        certificates: Some(CertificateSet(SetOfVec::try_from(certificates.to_vec())?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
    };
    let content = Any::encode_from(&signed_data)?;
    Ok(ContentInfo { content_type: SIGNED_DATA, content }.to_der()?)
}

fn signed_attributes(content: &[u8], now: DateTime<Utc>) -> der::Result<SetOfVec<Attribute>> {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    // UTCTime holds years up to 2049 (RFC 5652 section 11.3), long after the keys of today.
    let time = UtcTime::from_unix_duration(std::time::Duration::from_secs(seconds))?;
    let digest = Sha256::digest(content);
    SetOfVec::try_from(vec![
        attribute(CONTENT_TYPE, &DATA)?,
        attribute(SIGNING_TIME, &time)?,
        attribute(MESSAGE_DIGEST, &OctetStringRef::new(&digest)?)?,
    ])
}

fn attribute(oid: ObjectIdentifier, value: &(impl Tagged + EncodeValue)) -> der::Result<Attribute> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![Any::encode_from(value)?])? })
}
