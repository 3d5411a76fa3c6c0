//! Sign-in and tokens with no network and no database: what is believed, and what is not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::json;
use vestibule_core::cbor;
use vestibule_core::id::MemberId;
use vestibule_core::keys::{Purpose, sign};
use vestibule_core::sync::wire::{Enrolment, EnrolmentProof};

use super::*;
use crate::moment::Moment;

struct Hub {
    organisation: OrganisationId,
    key: SoftwareSigner,
    secret: Secret,
    public_url: Url,
}

impl Hub {
    fn new(organisation: &str, seed: u8, public_url: &str) -> Self {
        Self {
            organisation: organisation.parse().expect("an id"),
            key: SoftwareSigner::from_seed(&[seed; 32]),
            secret: Secret::new([seed; 32]),
            public_url: public_url.parse().expect("a URL"),
        }
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer { organisation: &self.organisation, key: &self.key, secret: &self.secret, public_url: &self.public_url }
    }
}

fn hub() -> Hub {
    Hub::new("example-ag", 1, "https://visit.example.com")
}

fn device() -> SoftwareSigner {
    SoftwareSigner::from_seed(&[9; 32])
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
}

fn later(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn ada() -> MemberId {
    "ada".parse().expect("an id")
}

fn sign_in_token(hub: &Hub) -> String {
    SignIn::issue(&hub.issuer(), &mut Moment::new(now(), &mut ChaCha20Rng::from_seed([3; 32])), &ada())
}

fn access_token(hub: &Hub) -> String {
    let access = Access { member: ada(), device: device().public_key().thumbprint().expect("a good key") };
    access.issue(&hub.issuer(), &mut Moment::new(now(), &mut ChaCha20Rng::from_seed([4; 32])))
}

#[test]
fn a_token_serves_for_its_own_purpose_organisation_hub_and_hour() {
    let hub = hub();
    let token = sign_in_token(&hub);
    assert_eq!(SignIn::verify(&hub.issuer(), &token, later(3599)).map(|s| s.member), Ok(ada()));
    assert_eq!(SignIn::verify(&hub.issuer(), &token, later(3600)), Err(TokenError::Expired));
    assert_eq!(Access::verify(&hub.issuer(), &token, now()), Err(TokenError::Invalid));

    let token = access_token(&hub);
    assert_eq!(Access::verify(&hub.issuer(), &token, later(899)).map(|a| a.member), Ok(ada()));
    assert_eq!(Access::verify(&hub.issuer(), &token, later(900)), Err(TokenError::Expired));
    // Made while the hub's clock was ahead, it does not live until that time has come and gone.
    assert!(Access::verify(&hub.issuer(), &token, later(-60)).is_ok());
    assert_eq!(Access::verify(&hub.issuer(), &token, later(-61)), Err(TokenError::Expired));
    assert_eq!(SignIn::verify(&hub.issuer(), &token, now()), Err(TokenError::Invalid));
    assert_eq!(claimed_organisation(&token).as_ref(), Ok(&hub.organisation));

    // The same key under another name or address: only a test can have that; the claims are compared all the same.
    let other = Hub::new("other-ag", 1, "https://visit.example.com");
    assert_eq!(Access::verify(&other.issuer(), &token, now()), Err(TokenError::OtherOrganisation));
    let elsewhere = Hub::new("example-ag", 1, "https://elsewhere.example.com");
    assert_eq!(Access::verify(&elsewhere.issuer(), &token, now()), Err(TokenError::Audience));
    let forger = Hub::new("example-ag", 2, "https://visit.example.com");
    assert_eq!(Access::verify(&hub.issuer(), &access_token(&forger), now()), Err(TokenError::Invalid));
}

/// The token travels with every request: it says each thing once, and as shortly as its standards let it.
#[test]
fn an_access_token_is_small() {
    let token = access_token(&hub());
    let part = |at: usize| -> serde_json::Value {
        let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(at).expect("a part")).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let name = device().public_key().thumbprint().expect("a good key");
    let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": hub().issuer().key_id()});
    assert_eq!((part(0), hub().issuer().key_id().len()), (header, 11));
    let claims = part(1);
    assert_eq!(claims["device"], URL_SAFE_NO_PAD.encode(name.as_bytes()));
    assert_eq!(claims["jti"].as_str().map(str::len), Some(22), "sixteen bytes");
    assert!(token.len() <= 470, "{} characters", token.len());
}

#[test]
fn no_flipped_character_and_no_other_algorithm_is_believed() {
    let hub = hub();
    let token = access_token(&hub);
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(bytes).expect("ASCII");
        // The last character of base64 carries spare bits; the decoder refuses those that are not zero.
        assert!(Access::verify(&hub.issuer(), &flipped, now()).is_err(), "character {at}");
    }
    let body = token.split('.').nth(1).expect("a body");
    for header in [r#"{"alg":"none","typ":"at+jwt"}"#, r#"{"alg":"HS256","typ":"at+jwt"}"#] {
        let unsigned = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(Access::verify(&hub.issuer(), &unsigned, now()), Err(TokenError::Invalid));
    }
    for garbage in ["", ".", "..", "a.b.c", "é.é.é", &"A".repeat(10_000)] {
        assert_eq!(Access::verify(&hub.issuer(), garbage, now()), Err(TokenError::Invalid));
        assert_eq!(claimed_organisation(garbage), Err(TokenError::Invalid));
        assert_eq!(claimed_device(garbage), Err(TokenError::Assertion));
    }
}

fn enrolment(nonce: Vec<u8>, signer: &SoftwareSigner, named: &SoftwareSigner, purpose: Purpose) -> Enrolment {
    let audience = "https://visit.example.com".to_owned();
    let proof = EnrolmentProof { nonce: nonce.into(), key: named.public_key(), audience };
    Enrolment { proof: URL_SAFE_NO_PAD.encode(sign(purpose, cbor::write(&proof), signer).expect("signs")) }
}

#[test]
fn a_key_is_enrolled_only_by_who_holds_it_and_within_five_minutes() {
    let hub = hub();
    let issuer = hub.issuer();
    let sign_in = SignIn::verify(&issuer, &sign_in_token(&hub), now()).expect("good");
    let nonce = challenge(&issuer, &sign_in, now());
    let good = enrolment(nonce.clone(), &device(), &device(), Purpose::Enrolment);
    let (key, _) = proven_key(&issuer, &sign_in, &good, later(300)).expect("enrols");
    assert_eq!(key, device().public_key());
    assert_eq!(proven_key(&issuer, &sign_in, &good, later(301)), Err(TokenError::Challenge));
    assert_eq!(proven_key(&issuer, &sign_in, &good, later(-1)), Err(TokenError::Challenge));

    let another_token = SignIn { jti: "another".into(), ..sign_in.clone() };
    assert_eq!(proven_key(&issuer, &another_token, &good, now()), Err(TokenError::Challenge));
    let mut made_up = nonce.clone();
    made_up[7] ^= 1;
    for nonce in [made_up, vec![], vec![0x80; 8], vec![0x80; 40]] {
        let bad = enrolment(nonce, &device(), &device(), Purpose::Enrolment);
        assert_eq!(proven_key(&issuer, &sign_in, &bad, now()), Err(TokenError::Challenge));
    }
    let other = SoftwareSigner::from_seed(&[8; 32]);
    for bad in [
        enrolment(nonce.clone(), &other, &device(), Purpose::Enrolment),
        enrolment(nonce, &device(), &device(), Purpose::Envelope),
        Enrolment { proof: "not base64!".into() },
        Enrolment { proof: String::new() },
    ] {
        assert_eq!(proven_key(&issuer, &sign_in, &bad, now()), Err(TokenError::Proof));
    }
}

/// A hub that passes this hub's nonce on to a phone of its own gets a proof that names it, and enrols nothing here.
#[test]
fn a_proof_for_another_hub_enrols_nothing() {
    let hub = hub();
    let sign_in = SignIn::verify(&hub.issuer(), &sign_in_token(&hub), now()).expect("good");
    let nonce = challenge(&hub.issuer(), &sign_in, now());
    let for_audience = |audience: &str| {
        let (nonce, audience) = (nonce.clone().into(), audience.to_owned());
        let proof = cbor::write(&EnrolmentProof { nonce, key: device().public_key(), audience });
        let proof = sign(Purpose::Enrolment, proof, &device()).expect("signs");
        proven_key(&hub.issuer(), &sign_in, &Enrolment { proof: URL_SAFE_NO_PAD.encode(proof) }, now()).map(|_| ())
    };
    assert_eq!(for_audience("https://visit.example.com"), Ok(()));
    for other in ["", "https://relay.example.com", "http://visit.example.com", "https://visit.example.com:8443"] {
        assert_eq!(for_audience(other), Err(TokenError::ProofAudience), "{other}");
    }
    assert_eq!(TokenError::ProofAudience.code(), "wrong_audience");
}

fn assert_with(hub: &Hub, change: impl FnOnce(&mut serde_json::Value)) -> Result<Assertion, TokenError> {
    let name = device().public_key().thumbprint().expect("a good key");
    let mut claims = json!({
        "iss": name.to_string(), "sub": name.to_string(), "aud": hub.issuer().audience(),
        "iat": now().timestamp(), "exp": now().timestamp() + ASSERTION_LIFE, "jti": "1",
    });
    change(&mut claims);
    let assertion = jwt::encode(&Header::new(Algorithm::EdDSA), &claims, &device());
    Assertion::verify(&hub.issuer(), &assertion, &name, &device().public_key(), now())
}

#[test]
fn an_assertion_is_the_devices_own_short_and_for_this_hub() {
    let hub = hub();
    let t = now().timestamp();
    assert_eq!(assert_with(&hub, |_| ()).map(|a| a.forgotten_at), Ok(t + ASSERTION_LIFE + CLOCK_TOLERANCE));
    // A phone whose clock is a minute off may sync.
    for off in [-CLOCK_TOLERANCE, CLOCK_TOLERANCE] {
        let shifted = assert_with(&hub, |c| {
            c["iat"] = (t + off).into();
            c["exp"] = (t + off + ASSERTION_LIFE).into();
        });
        assert!(shifted.is_ok(), "{off}");
    }
    for (claim, value, error) in [
        ("sub", json!("ada"), TokenError::Assertion),
        ("iss", json!("00"), TokenError::Assertion),
        ("jti", json!(""), TokenError::Assertion),
        ("jti", json!("x".repeat(65)), TokenError::Assertion),
        ("aud", json!("https://elsewhere.example.com"), TokenError::Audience),
        ("aud", json!(["https://visit.example.com", "https://elsewhere.example.com"]), TokenError::Assertion),
        ("exp", json!(t + 121), TokenError::AssertionTime),
        ("exp", json!(t), TokenError::AssertionTime),
        ("exp", json!(i64::MIN), TokenError::AssertionTime),
        ("iat", json!(i64::MIN), TokenError::AssertionTime),
        ("iat", json!(t + 61), TokenError::AssertionTime),
        ("exp", json!("soon"), TokenError::Assertion),
    ] {
        assert_eq!(assert_with(&hub, |c| c[claim] = value.clone()), Err(error), "{claim} {value}");
    }
    let stranger = SoftwareSigner::from_seed(&[8; 32]);
    let name = device().public_key().thumbprint().expect("a good key");
    let claims = json!({"iss": name.to_string(), "sub": name.to_string(), "aud": hub.issuer().audience(),
        "iat": t, "exp": t + 60, "jti": "1"});
    let forged = jwt::encode(&Header::new(Algorithm::EdDSA), &claims, &stranger);
    assert_eq!(claimed_device(&forged), Ok(name));
    let verdict = Assertion::verify(&hub.issuer(), &forged, &name, &device().public_key(), now());
    assert_eq!(verdict, Err(TokenError::Assertion));
}

/// A token verifies with the key that the published set names, by a reader that is not ours.
#[test]
fn the_published_keys_verify_the_tokens() {
    let hub = hub();
    let token = access_token(&hub);
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks([hub.issuer()])).expect("a JWK set");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    let key = set.find(&header.kid.expect("a key id")).expect("the key is published");
    let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&["https://visit.example.com"]);
    validation.set_issuer(&[metadata(&hub.public_url)["issuer"].as_str().expect("an issuer")]);
    let key = jsonwebtoken::DecodingKey::from_jwk(key).expect("a key");
    let claims = jsonwebtoken::decode::<jwt::Claims>(&token, &key, &validation).expect("verifies").claims;
    assert_eq!((claims.sub.as_str(), claims.scope.as_str()), ("ada", "sync"));
}
