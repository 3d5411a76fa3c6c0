//! Devices whose key lives in secure hardware (ES256): what the hub takes of them, and which signatures it does not.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vestibule_core::id::ChainHash;
use vestibule_core::keys::PublicKey;
use vestibule_core::sync::wire::PushedEnvelope;
use vestibule_tests::hardware::{HardwareKey, other};
use vestibule_tests::hostile::{Device, Document, Sent, jwt, unique};

use crate::scene::{Scene, problem, turned_away, visit_at};

/// A hub at which Ada's device has such a key: it gives the signature with the higher `s`, as half of all are.
fn scene() -> Scene {
    Scene::with_keys(&["ada"], || Arc::new(HardwareKey::from_seed(unique(), true)))
}

/// An envelope with a good invitation, and its signature, the last 64 bytes, made another.
fn resigned(device: &Device, make: impl FnOnce([u8; 64]) -> [u8; 64]) -> PushedEnvelope {
    let items: [Sent; 1] = [Document::new(device).edit(&visit_at("zrh", "ada"))];
    let mut pushed = device.seal(device.envelope(&items), &items);
    let (_, signature) = pushed.envelope.split_last_chunk_mut::<64>().expect("it ends with a signature");
    *signature = make(*signature);
    pushed
}

/// What a signature of secure hardware may not be.
#[test]
fn signatures() {
    type Make = fn([u8; 64]) -> [u8; 64];
    let mut scene = scene();
    let rows: [(&str, Make); 5] = [
        ("the other signature of the two", other),
        ("r and s in each other's place", |signature| {
            let (r, s) = signature.split_at(32);
            [s, r].concat().try_into().expect("64 bytes")
        }),
        ("zeros", |_| [0; 64]),
        ("numbers beyond the order", |_| [0xff; 64]),
        ("a flipped bit", |mut signature| {
            signature[40] ^= 1;
            signature
        }),
    ];
    for (attack, make) in rows {
        scene.refuses(attack, "ada", turned_away("signature"), |http, device| {
            device.push(http, vec![resigned(device, make)]).refused()
        });
    }
    scene.refuses("another algorithm in its header", "ada", turned_away("signature"), |http, device| {
        let mut pushed = resigned(device, |signature| signature);
        // 84 58 26 a2 01 26: the last is −7, which is ES256; 27 is −8, EdDSA.
        assert_eq!(pushed.envelope[..6], [0x84, 0x58, 0x26, 0xa2, 0x01, 0x26]);
        pushed.envelope[5] = 0x27;
        device.push(http, vec![pushed]).refused()
    });
}

/// Whoever carries a device's envelope cannot give it a second hash, which would look like a second device with its key.
#[test]
fn a_twin_of_an_envelope_makes_no_clone() {
    let mut scene = scene();
    let (http, device) = scene.sender("ada");
    let sent = resigned(device, |signature| signature);
    let answer = device.push(http, vec![sent.clone()]);
    assert_eq!((answer.receipts.len(), answer.answer.turned_away.len()), (1, 0));
    device.counted(&sent);
    scene.refuses("its twin, after it", "ada", turned_away("signature"), |http, device| {
        let mut twin = sent;
        let (_, signature) = twin.envelope.split_last_chunk_mut::<64>().expect("it ends with a signature");
        *signature = other(*signature);
        device.push(http, vec![twin]).refused()
    });
    assert_ne!(scene.device("ada").previous, ChainHash::ORIGIN);
}

/// An assertion is of the algorithm of its device's key, whatever its header says.
#[test]
fn assertions() {
    let mut scene = scene();
    let device = scene.device("ada");
    let honest = device.assertion();
    let (_, rest) = honest.split_once('.').expect("a header");
    let claims = rest.split('.').next().expect("claims");
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON");
    let PublicKey::Es256(public) = device.key.public_key() else { panic!("another key") };
    let named = |algorithm: &str| jwt(&json!({"alg": algorithm, "typ": "JWT"}), &claims, &*device.key);
    // With a public key for a secret: what a verifier takes that lets the header choose.
    let keyed = {
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        jsonwebtoken::encode(&header, &claims, &jsonwebtoken::EncodingKey::from_secret(&public)).expect("signs")
    };
    let stranger = jwt(&json!({"alg": "ES256", "typ": "JWT"}), &claims, &HardwareKey::from_seed(unique(), false));
    let rows = [
        ("EdDSA in its header", named("EdDSA")),
        ("ES384 in its header", named("ES384")),
        ("none in its header", named("none")),
        ("the public key for a secret", keyed),
        ("another key's", stranger),
    ];
    for (attack, assertion) in rows {
        let refused = problem(400, "invalid_assertion");
        scene.refuses(attack, "ada", refused, |http, device| device.spend(http, &assertion).into());
    }
    assert_eq!(scene.device("ada").spend(&scene.hub.http, &honest).status, 200, "none of them spent it");
}
