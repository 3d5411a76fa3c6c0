//! Passes and codes: signing a pass beside one RSA signature, the preview on a phone, the check at a desk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use vestibule_core::id::{CredentialId, OrganisationId, SiteId, VisitId};
use vestibule_core::qr::{QrClaims, QrKey, QrKeys, sign};
use vestibule_core::wallet::admission::Admission;
use vestibule_core::wallet::images;
use vestibule_core::wallet::package::PassPackage;
use vestibule_core::wallet::visitor::{VisitorPass, Window, apple_pass};
use vestibule_hub::organisation::sample;
use vestibule_hub::wallet::{PassIdentity, PassSigner};

use crate::measure::{cpu_time, cpu_timed, median, micros, side_by_side};
use crate::phone::Phone;
use crate::table::{Line, Target};

fn organisation() -> OrganisationId {
    sample::ID.parse().expect("the sample's id")
}

fn site() -> SiteId {
    "zrh".parse().expect("the sample's site")
}

fn claims() -> QrClaims {
    let now = Utc::now();
    QrClaims {
        organisation: organisation(),
        site: site(),
        not_before: now - TimeDelta::hours(1),
        expires: now + TimeDelta::hours(8),
        credential: CredentialId([5; 16]),
    }
}

/// Signed passes, each from the visitor's data to the bytes of the file, beside one RSA-2048 signature by the same library.
pub fn signed() -> Vec<Line> {
    let dir = tempfile::tempdir().expect("a folder");
    let identity = PassIdentity {
        organisation: organisation(),
        pass_type_identifier: "pass.example.visit".to_owned(),
        team_identifier: "A1B2C3D4E5".to_owned(),
    };
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let signer = PassSigner::open_or_create(dir.path(), &identity, Utc::now(), &mut rng).expect("a chain of our own");
    let pem = std::fs::read_to_string(dir.path().join("pass-key.pem")).expect("the key was written");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("PEM is base64");
    let key = KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).expect("an RSA key");
    let token = sign(&claims(), &SigningKey::from_bytes(&[6; 32]));
    images::standard();

    let random = ring::rand::SystemRandom::new();
    let mut signature = vec![0; key.public().modulus_len()];
    let pair = side_by_side(
        300,
        |round| {
            let now = Utc::now();
            let (took, bytes) = cpu_timed(|| {
                let pass = apple_pass(&visitor(round, &identity, &token));
                let mut package = PassPackage::new(&pass).expect("a pass that keeps the rules");
                for image in images::standard() {
                    package.add_image(image).expect("a picture of ours");
                }
                package.seal(|manifest| signer.sign(manifest, now)).expect("signs")
            });
            assert!(bytes.len() > 10_000);
            took
        },
        |_| cpu_time(|| key.sign(&RSA_PKCS1_SHA256, &random, b"a manifest's hash", &mut signature).expect("signs")),
    );
    let (ours, limit) = (1e6 / micros(pair.ours), 1e6 / micros(pair.floor));
    vec![Line::beside("signed passes per CPU second, beside RSA-2048 signatures", "/s", ours, limit, Target::Part(0.8))]
}

fn visitor(round: usize, identity: &PassIdentity, token: &str) -> VisitorPass {
    let now = Utc::now();
    VisitorPass {
        organisation_name: "Example AG".to_owned(),
        serial: format!("{round:022x}"),
        pass_type_identifier: identity.pass_type_identifier.clone(),
        team_identifier: identity.team_identifier.clone(),
        web_service: None,
        first_name: Some("Ngọc Ánh".to_owned()),
        last_name: Some("Müller-Ōta".to_owned()),
        company: Some("Acme & Söhne GmbH".to_owned()),
        host_name: "Ada Keller".to_owned(),
        site_name: "Zürich".to_owned(),
        site_address: Some("Bahnhofstrasse 45\n8001 Zürich".to_owned()),
        site_location: Some((47.3724, 8.5386)),
        space_name: Some("Room Limmat".to_owned()),
        zone: vestibule_hub::zones::built_in("Europe/Zurich"),
        window: Some(Window { from: now, to: now + TimeDelta::hours(1) }),
        schedule_text: "Wednesday, 10 February 2027, 14:00 to 15:00 (Zürich time)".to_owned(),
        visit_type_name: "Visitor".to_owned(),
        admission: Admission::Code(token.to_owned()),
        valid_from: now - TimeDelta::minutes(30),
        expires: now + TimeDelta::hours(2),
    }
}

/// The preview of a pass on a phone.
pub fn preview(phone: &Phone, visit: VisitId) -> Line {
    let times = (0..200).map(|_| cpu_time(|| phone.client.pass_preview(visit).expect("a preview"))).collect();
    Line::alone("preview of a pass on the phone", "ms", micros(median(times)) / 1e3, Target::AtMost(1.0))
}

/// The check of a QR token at a desk, beside one Ed25519 verification.
pub fn token() -> Line {
    let key = SigningKey::from_bytes(&[6; 32]);
    let now = Utc::now();
    let used = QrKey::new(key.verifying_key(), now - TimeDelta::days(1), now + TimeDelta::days(1));
    let desk = QrKeys::new(organisation(), vec![used], now, vec![site()]);
    let token = sign(&claims(), &key);
    let message = b"as long as the claims of a token: fifty to sixty bytes...";
    let signature = ed25519_dalek::Signer::sign(&key, message);
    let verifying = key.verifying_key();
    let pair = side_by_side(
        500,
        |_| cpu_time(|| desk.verify(&token, None, Utc::now()).expect("a good token")),
        |_| cpu_time(|| verifying.verify_strict(message, &signature).expect("a good signature")),
    );
    let (ours, floor) = (micros(pair.ours) / 1e3, micros(pair.floor) / 1e3);
    Line::beside("check of a QR token, beside one Ed25519 verification", "ms", ours, floor, Target::AtMost(0.2))
}
