//! Tests of the links: signed as Google reads them, short enough, and the same account after a restart.

use std::sync::OnceLock;

use jsonwebtoken::{DecodingKey, Validation};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::Value;
use vestibule_core::wallet::admission::Admission;
use vestibule_core::wallet::google_link::MAX_LINK;
use vestibule_core::wallet::visitor::VisitorPass;
use vestibule_core::wallet::visitor_google::{google_class, google_object};

use super::*;

const ISSUER: &str = "3388000000022800000";

fn now() -> DateTime<Utc> {
    "2026-11-20T09:30:00Z".parse().expect("a time")
}

fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| tempfile::tempdir().expect("a directory")).path()
}

fn issuer() -> &'static GoogleIssuer {
    static ISSUER_OF_TESTS: OnceLock<GoogleIssuer> = OnceLock::new();
    ISSUER_OF_TESTS.get_or_init(|| open(directory(), 1).expect("makes an account"))
}

fn open(directory: &Path, seed: u64) -> Result<GoogleIssuer, WalletError> {
    let organisation = OrganisationId::new("example-ag").expect("a code");
    GoogleIssuer::open_or_create(directory, &organisation, ISSUER, &mut ChaCha20Rng::seed_from_u64(seed))
}

fn visitor(name: &str) -> VisitorPass {
    VisitorPass {
        organisation_name: "Example AG".into(),
        serial: "AZTwwn06exGeUj8KbB0uSw".into(),
        pass_type_identifier: "pass.ch.example.visit".into(),
        team_identifier: "A1B2C3D4E5".into(),
        web_service: None,
        first_name: Some(name.into()),
        last_name: Some(name.into()),
        company: None,
        host_name: name.into(),
        site_name: name.into(),
        site_address: Some(name.into()),
        site_location: None,
        space_name: None,
        zone: crate::zones::built_in("Europe/Zurich"),
        window: None,
        schedule_text: "Any weekday".into(),
        visit_type_name: "Visitor".into(),
        admission: Admission::Code(format!("VMS1:{}", "A".repeat(192))),
        valid_from: now(),
        expires: now(),
    }
}

fn link(visitor: &VisitorPass) -> String {
    let class = google_class(ISSUER).expect("an issuer");
    issuer().save_link(class, google_object(visitor, ISSUER).expect("an object"), now()).expect("signs")
}

/// The claims, after checking the signature with the published key.
fn claims(link: &str) -> Value {
    let key = DecodingKey::from_rsa_pem(issuer().google_public_pem().as_bytes()).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["google"]);
    validation.set_required_spec_claims(&["aud", "iss"]);
    let jwt = link.strip_prefix("https://pay.google.com/gp/v/save/").expect("Google's address");
    jsonwebtoken::decode::<Value>(jwt, &key, &validation).expect("verifies").claims
}

/// S1.35: what Google asks of the claims.
#[test]
fn a_link_says_what_google_asks() {
    let claims = claims(&link(&visitor("Zoë")));
    assert_eq!(claims["typ"], "savetowallet");
    assert_eq!(claims["iss"], "wallet@example-ag.invalid");
    assert_eq!(claims["iat"], now().timestamp());
    assert!(claims.get("origins").is_none() && !claims.to_string().contains("passConstraints"), "no room for them");
    assert_eq!(claims["payload"]["genericClasses"][0]["id"], "3388000000022800000.visitor");
    let object = &claims["payload"]["genericObjects"][0];
    assert_eq!(object["header"]["defaultValue"]["value"], "Zoë Zoë");
    assert_eq!(object["classId"], claims["payload"]["genericClasses"][0]["id"]);
}

/// The length is foretold to the character, and the code survives the longest names.
#[test]
fn a_link_is_short_enough_and_keeps_the_code() {
    for name in ["Zoë", &"李".repeat(200), &"Maximilian ".repeat(18)] {
        let visitor = visitor(name);
        let link = link(&visitor);
        assert!(link.len() <= MAX_LINK, "{}", link.len());
        let object = &claims(&link)["payload"]["genericObjects"][0];
        assert_eq!(object["barcode"]["value"], visitor.admission.code().expect("a token"));
    }
}

#[test]
fn the_length_of_a_link_is_foretold() {
    let object = google_object(&visitor("Zoë"), ISSUER).expect("an object");
    let class = google_class(ISSUER).expect("an issuer");
    let header = serde_json::to_string(&header()).expect("JSON");
    let issuer = issuer();
    let claims = SaveClaims::new(&issuer.account, now().timestamp(), class, object);
    let foretold = claims.link_length(&header, issuer.signature_bytes);
    assert_eq!(issuer.sign(&claims).expect("signs").len(), foretold);
}

#[test]
fn a_second_start_is_the_same_account() {
    let first = issuer().google_public_pem();
    assert_eq!(open(directory(), 2).expect("loads").google_public_pem(), first);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = std::fs::metadata(directory().join(SERVICE_ACCOUNT)).expect("there");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

/// A broken file is named; nothing of it is repeated.
#[test]
fn a_broken_account_is_named_without_its_content() {
    let directory = tempfile::tempdir().expect("a directory");
    for text in [r#"{"secret-word"}"#, r#"{"type":"x","client_email":"a","private_key":"secret-word"}"#] {
        std::fs::write(directory.path().join(SERVICE_ACCOUNT), text).expect("writes");
        let error = open(directory.path(), 3).expect_err("refused").to_string();
        assert!(error.contains(SERVICE_ACCOUNT) && !error.contains("secret-word"), "{error}");
    }
}
