//! A certificate authority for a mail server of a test, and that server: it goes as far as TLS.

use std::net::TcpListener;
use std::str::FromStr as _;
use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use der::asn1::{Ia5String, UtcTime};
use der::{Decode as _, Encode as _};
use rand_core::SeedableRng as _;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};
use rsa::sha2::Sha256;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_cert::builder::{Builder as _, CertificateBuilder, Profile};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::{Time, Validity};

use crate::wallet::key_files;

/// An authority whose servers all have its own key: a test asks for no more.
pub(super) struct Authority {
    /// Its certificate.
    pub(super) der: Vec<u8>,
    key: rsa::RsaPrivateKey,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(11);
        let key = key_files::new_rsa(&mut rng).expect("a key");
        let now = Utc::now();
        let week = chrono::TimeDelta::days(100);
        let der = certificate(&key, Profile::Root, "CN=authority", None, now - week, now + week);
        Self { der, key }
    }

    /// A server on a port of this machine with a certificate for that name and time, for one connection.
    pub(super) fn serve(&self, name: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> (u16, JoinHandle<()>) {
        let issuer = Name::from_str("CN=authority").expect("a name");
        let profile = Profile::Leaf { issuer, enable_key_agreement: false, enable_key_encipherment: false };
        let leaf = CertificateDer::from(certificate(&self.key, profile, "CN=mail server", Some(name), from, until));
        let key = self.key.to_pkcs8_der().expect("a key").as_bytes().to_vec();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![leaf], key)
            .expect("a certificate");
        let listener = TcpListener::bind("localhost:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut tls = rustls::ServerConnection::new(Arc::new(config)).expect("a connection");
            // The client hangs up.
            while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
        });
        (port, server)
    }
}

fn certificate(
    key: &rsa::RsaPrivateKey,
    profile: Profile,
    subject: &str,
    name: Option<&str>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<u8> {
    let time = |at: DateTime<Utc>| {
        let since = std::time::Duration::from_secs(at.timestamp().unsigned_abs());
        Time::UtcTime(UtcTime::from_unix_duration(since).expect("before 2050"))
    };
    let signer = SigningKey::<Sha256>::new(key.clone());
    let public = key.to_public_key().to_public_key_der().expect("a key");
    let public = SubjectPublicKeyInfoOwned::from_der(public.as_bytes()).expect("a key");
    let subject = Name::from_str(subject).expect("a name");
    let validity = Validity { not_before: time(from), not_after: time(until) };
    let serial = SerialNumber::new(&[7]).expect("a number");
    let mut builder = CertificateBuilder::new(profile, serial, validity, subject, public, &signer).expect("a builder");
    if let Some(name) = name {
        let name = GeneralName::DnsName(Ia5String::new(name).expect("a name"));
        builder.add_extension(&SubjectAltName(vec![name])).expect("an extension");
    }
    builder.build::<rsa::pkcs1v15::Signature>().expect("a certificate").to_der().expect("DER")
}
