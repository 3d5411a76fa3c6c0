//! Tokens and assertions that are not the device's own, or not any more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use serde_json::{Value, json};
use vestibule_core::cbor;
use vestibule_core::keys::{DeviceSigner, PublicKey, Purpose, SoftwareSigner, sign};
use vestibule_core::sync::wire::{Challenge, Enrolment, EnrolmentProof};
use vestibule_tests::attacked::{EXAMPLE, Hub, OTHER};
use vestibule_tests::hostile::{Device, Document, Refused, jwt, post_as, unique};
use vestibule_tests::http::Http;

use crate::scene::{Scene, problem, visit_at};

/// The claims of an access token of this device, as its organisation's issuer makes them.
fn claims(device: &Device) -> Value {
    let now = Utc::now().timestamp();
    json!({
        "iss": device.audience, "aud": device.audience, "sub": device.member, "org": device.organisation,
        "scope": "sync", "device": URL_SAFE_NO_PAD.encode(device.thumbprint().as_bytes()), "iat": now, "exp": now + 900,
        "jti": URL_SAFE_NO_PAD.encode(unique::<16>()),
    })
}

fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    claims
}

fn signed(key: &dyn DeviceSigner, claims: &Value) -> String {
    let thumbprint = key.public_key().thumbprint().expect("a good key");
    let kid = URL_SAFE_NO_PAD.encode(&thumbprint.as_bytes()[..8]);
    jwt(&json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}), claims, key)
}

/// Syncs with a token, pushing nothing.
fn sync(http: &Http, device: &Device, token: &str) -> Refused {
    post_as(http, token, cbor::write(&device.request(Vec::new())), &[]).into()
}

/// Tokens that real issuers signed, for somebody or something else, and forged ones.
#[test]
fn tokens_of_others() {
    let mut scene = Scene::with(&["ada"]);
    let other = Device::sign_in(&scene.hub, OTHER, "ada");
    let (ours, theirs) = (scene.hub.issuer_key(EXAMPLE), scene.hub.issuer_key(OTHER));
    let good = claims(scene.device("ada"));

    // What is made here by hand is what the hub itself would make: else every refusal below would prove nothing.
    let by_hand = signed(&ours, &good);
    let ada = scene.device("ada");
    assert_eq!(post_as(&scene.hub.http, &by_hand, cbor::write(&ada.request(Vec::new())), &[]).status, 200);

    scene.refuses("a token of another organisation", "ada", problem(403, "other_organisation"), |http, device| {
        sync(http, device, &other.token)
    });
    scene.refuses("a push to another organisation", "ada", problem(403, "other_organisation"), |http, device| {
        let mut elsewhere = device.request(Vec::new());
        elsewhere.organisation = OTHER.parse().expect("an id");
        device.post(http, cbor::write(&elsewhere), &[]).into()
    });
    let now = Utc::now().timestamp();
    let later = json!({"iat": now - 901, "exp": now - 1});
    let mut none = jwt(&json!({"alg": "none", "typ": "at+jwt"}), &good, &ours);
    none.truncate(none.rfind('.').expect("three parts") + 1);
    let x = URL_SAFE_NO_PAD.encode(b"x");
    let rows = [
        (
            "this issuer, naming the other organisation",
            signed(&ours, &with(good.clone(), &json!({"org": OTHER}))),
            "invalid_token",
        ),
        ("the other's issuer, naming this organisation", signed(&theirs, &good), "invalid_token"),
        (
            "an organisation that is not here",
            signed(&ours, &with(good.clone(), &json!({"org": "nowhere"}))),
            "other_organisation",
        ),
        ("an expired token", signed(&ours, &with(good.clone(), &later)), "expired_token"),
        (
            "a token for another hub",
            signed(&ours, &with(good.clone(), &json!({"aud": "https://hub.example"}))),
            "wrong_audience",
        ),
        (
            "a token of another hub",
            signed(&ours, &with(good.clone(), &json!({"iss": "https://hub.example"}))),
            "wrong_audience",
        ),
        ("a token of another member", signed(&ours, &with(good.clone(), &json!({"sub": "amir"}))), "sign_in_again"),
        (
            "a token of a device nobody enrolled",
            signed(&ours, &with(good.clone(), &json!({"device": "A".repeat(43)}))),
            "sign_in_again",
        ),
        (
            "a token of half a device",
            signed(&ours, &with(good.clone(), &json!({"device": "A".repeat(22)}))),
            "invalid_token",
        ),
        ("a token of another scope", signed(&ours, &with(good.clone(), &json!({"scope": "sign_in"}))), "invalid_token"),
        ("a token signed by the device", signed(&*scene.device("ada").key, &good), "invalid_token"),
        ("a token with no signature", none, "invalid_token"),
        ("a sign-in token", scene.hub.admin(EXAMPLE, &["token", "ada"]).trim().to_owned(), "invalid_token"),
        ("an assertion", scene.device("ada").assertion(), "invalid_token"),
        ("garbage", format!("{x}.{x}.{x}"), "invalid_token"),
        ("nothing", String::new(), "missing_token"),
        ("a token of 16 KB", "x".repeat(1 << 14), "invalid_token"),
    ];
    for (attack, token, code) in rows {
        scene.refuses(attack, "ada", problem(401, code), |http, device| sync(http, device, &token));
    }
}

/// An access token lasts fifteen minutes: one that the real issuer made sixteen minutes ago is refused, whatever it pushes.
#[test]
fn an_expired_token_pushes_nothing() {
    let mut scene = Scene::with(&["ada"]);
    let key = scene.hub.issuer_key(EXAMPLE);
    scene.refuses("an expired token", "ada", problem(401, "expired_token"), |http, device| {
        let now = Utc::now().timestamp();
        let token = signed(&key, &with(claims(device), &json!({"iat": now - 960, "exp": now - 60})));
        let items = [Document::new(device).edit(&visit_at("zrh", "ada"))];
        let pushed = device.seal(device.envelope(&items), &items);
        post_as(http, &token, cbor::write(&device.request(vec![pushed])), &[]).into()
    });
}

/// Assertions are good once, for a minute or two, for this hub, by the device they name.
#[test]
fn assertions_of_others_and_of_before() {
    let mut scene = Scene::with(&["ada", "chloe"]);
    let used = scene.device("ada").assertion();
    assert_eq!(scene.device("ada").spend(&scene.hub.http, &used).status, 200);
    let name = scene.device("ada").thumbprint().to_string();
    let now = Utc::now().timestamp();
    let good = json!({"iss": name, "sub": name, "aud": scene.device("ada").audience, "iat": now, "exp": now + 60,
        "jti": "fresh"});
    let by = |key: &dyn DeviceSigner, changes: Value| {
        jwt(&json!({"alg": "EdDSA", "typ": "JWT"}), &with(good.clone(), &changes), key)
    };
    let (ada, chloe) = (&*scene.device("ada").key, &*scene.device("chloe").key);
    let rows = [
        ("a replayed assertion", used, (400, "replayed_assertion")),
        ("another device's name", by(chloe, json!({})), (400, "invalid_assertion")),
        ("another hub's", by(ada, json!({"aud": "https://hub.example"})), (401, "wrong_audience")),
        ("too long a life", by(ada, json!({"exp": now + 3600})), (400, "assertion_time")),
        ("of an hour ago", by(ada, json!({"iat": now - 3600, "exp": now - 3540})), (400, "assertion_time")),
        ("of tomorrow", by(ada, json!({"iat": now + 86_400, "exp": now + 86_460})), (400, "assertion_time")),
        ("times past the end of numbers", by(ada, json!({"iat": i64::MIN, "exp": i64::MAX})), (400, "assertion_time")),
        ("for somebody else", by(ada, json!({"sub": "amir"})), (400, "invalid_assertion")),
    ];
    for (attack, assertion, (status, code)) in rows {
        scene.refuses(attack, "ada", problem(status, code), |http, device| device.spend(http, &assertion).into());
    }
}

/// Enrolment: a key one does not hold, a nonce of somebody else, a key that is another member's.
#[test]
fn enrolments_that_are_not_proven() {
    let mut scene = Scene::with(&["ada"]);
    let token = |hub: &Hub, member: &str| format!("Bearer {}", hub.admin(EXAMPLE, &["token", member]).trim());
    let (adas, bens) = (token(&scene.hub, "ada"), token(&scene.hub, "ben"));
    let nonce = |http: &Http, bearer: &str| {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let challenge: Challenge = http.post("/v1/devices/challenge", &headers, b"{}".to_vec()).json();
        URL_SAFE_NO_PAD.decode(challenge.nonce).expect("base64url")
    };
    let enrol = |http: &Http, bearer: &str, proof: Vec<u8>| -> Refused {
        let body = serde_json::to_vec(&Enrolment { proof: URL_SAFE_NO_PAD.encode(proof) }).expect("JSON");
        http.post("/v1/devices", &[("authorization", bearer), ("content-type", "application/json")], body).into()
    };
    let (fresh, victim) = (SoftwareSigner::from_seed(&unique()), SoftwareSigner::from_seed(&unique()));
    let proof = |nonce: Vec<u8>, key: &dyn DeviceSigner| {
        cbor::write(&EnrolmentProof { nonce: nonce.into(), key: key.public_key(), audience: "http://localhost".into() })
    };
    scene.refuses("a key one does not hold", "ada", problem(400, "invalid_proof"), |http, _| {
        let proof = proof(nonce(http, &adas), &victim);
        enrol(http, &adas, sign(Purpose::Enrolment, proof, &fresh).expect("signs"))
    });
    scene.refuses("a key that is no point of its curve", "ada", problem(400, "invalid_proof"), |http, _| {
        // x³ − 3x + b is no square where x is 1 (FIPS 186-5, P-256).
        let mut point = [0; 33];
        (point[0], point[32]) = (2, 1);
        let key = PublicKey::Es256(point);
        let nonce = nonce(http, &adas).into();
        let proof = cbor::write(&EnrolmentProof { nonce, key, audience: "http://localhost".into() });
        enrol(http, &adas, sign(Purpose::Enrolment, proof, &fresh).expect("signs"))
    });
    scene.refuses("a proof for another purpose", "ada", problem(400, "invalid_proof"), |http, _| {
        let proof = proof(nonce(http, &adas), &fresh);
        enrol(http, &adas, sign(Purpose::Envelope, proof, &fresh).expect("signs"))
    });
    scene.refuses("a nonce of another's token", "ada", problem(400, "expired_challenge"), |http, _| {
        let proof = proof(nonce(http, &bens), &fresh);
        enrol(http, &adas, sign(Purpose::Enrolment, proof, &fresh).expect("signs"))
    });
    scene.refuses("a nonce of one's own making", "ada", problem(400, "expired_challenge"), |http, _| {
        enrol(http, &adas, sign(Purpose::Enrolment, proof(vec![0; 40], &fresh), &fresh).expect("signs"))
    });
    scene.refuses("another member's key", "ada", problem(409, "other_member"), |http, device| {
        let proof = proof(nonce(http, &bens), &*device.key);
        enrol(http, &bens, sign(Purpose::Enrolment, proof, &*device.key).expect("signs"))
    });
    scene.refuses("an access token", "ada", problem(401, "invalid_token"), |http, device| {
        let bearer = format!("Bearer {}", device.token);
        enrol(http, &bearer, sign(Purpose::Enrolment, proof(vec![0; 40], &fresh), &fresh).expect("signs"))
    });
}
