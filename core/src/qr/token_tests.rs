//! Tests of the QR token: what is written, and that nothing else is read.

use coset::cbor::Value;

use super::*;
use crate::qr::{QrKey, QrKeys};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

fn claims() -> QrClaims {
    QrClaims {
        organisation: OrganisationId::new("example-ag").expect("a code"),
        site: SiteId::new("zrh").expect("a code"),
        not_before: at("2027-02-10T20:30:00Z"),
        expires: at("2027-02-11T01:00:00Z"),
        credential: CredentialId(*b"0123456789abcdef"),
    }
}

const NOW: &str = "2027-02-10T21:00:00Z";

fn keys() -> QrKeys {
    let key = QrKey::new(key().verifying_key(), at("2027-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
    QrKeys::new(claims().organisation, vec![key], at("2027-02-10T12:00:00Z"), Vec::new())
}

fn verify(token: &str) -> Result<QrClaims, QrRefusal> {
    keys().verify(token, None, at(NOW))
}

/// A token of other parts than the right ones, with a signature that holds.
fn forge(protected: &[u8], unprotected: Value, payload: &[u8], aad: &[u8]) -> String {
    let bytes = |value: &Value| {
        let mut out = Vec::new();
        coset::cbor::into_writer(value, &mut out).expect("encodes");
        out
    };
    let signed = bytes(&Value::Array(vec![
        Value::Text("Signature1".into()),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(aad.to_vec()),
        Value::Bytes(payload.to_vec()),
    ]));
    let sealed = bytes(&Value::Array(vec![
        Value::Bytes(protected.to_vec()),
        unprotected,
        Value::Bytes(payload.to_vec()),
        Value::Bytes(key().sign(&signed).to_bytes().to_vec()),
    ]));
    format!("{PREFIX}{}", base45::encode(sealed))
}

fn protected(alg: u8) -> Vec<u8> {
    [&[0xa2, 0x01, alg, 0x04, 0x44][..], &kid(&key().verifying_key())].concat()
}

const EDDSA: u8 = 0x27;

fn empty() -> Value {
    Value::Map(Vec::new())
}

#[test]
fn what_was_signed_is_read() {
    assert_eq!(verify(&sign(&claims(), &key())), Ok(claims()));
    assert_eq!(verify(&format!(" {}\r\n", sign(&claims(), &key()))), Ok(claims()), "a scanner adds line ends");
}

/// The bytes are a format: they never change. `tests/golden/qr/token.txt` was made from the key of 32 bytes 42.
#[test]
fn the_golden_token_stays_as_it_is() {
    let golden = include_str!("../../tests/golden/qr/token.txt");
    let key_hex = include_str!("../../tests/golden/qr/key.hex");
    assert_eq!(hex::encode(key().to_bytes()), key_hex.trim_end());
    assert_eq!(sign(&claims(), &key()), golden.trim_end());
    let bytes = base45::decode(golden.trim_end().strip_prefix(PREFIX).expect("a prefix")).expect("base45");
    assert_eq!(hex::encode(bytes), include_str!("../../tests/golden/qr/token.hex").trim_end());
}

/// S1.31: the code fits a symbol of version 8 at level M, which a phone reads from a screen at arm's length.
#[test]
fn a_token_of_short_codes_fits_version_8() {
    let token = sign(&claims(), &key());
    assert_eq!(token.len(), 197);
    let code = qrcode::QrCode::with_error_correction_level(&token, qrcode::EcLevel::M).expect("fits");
    assert_eq!(code.version(), qrcode::Version::Normal(8));

    let longest = QrClaims {
        organisation: OrganisationId::new("o".repeat(36)).expect("a code"),
        site: SiteId::new("s".repeat(36)).expect("a code"),
        ..claims()
    };
    let longest = sign(&longest, &key());
    assert!(longest.len() <= MAX_CHARS, "{}", longest.len());
    assert_eq!(verify(&longest), Err(QrRefusal::OtherOrganisation), "read, not taken for garbage");
}

/// Every byte of the sealed structure, every bit of it, and every character of the text.
#[test]
fn any_change_is_refused() {
    let token = sign(&claims(), &key());
    let bytes = base45::decode(&token[PREFIX.len()..]).expect("base45");
    for index in 0..bytes.len() {
        for flip in 1..=255_u8 {
            let mut changed = bytes.clone();
            changed[index] ^= flip;
            let changed = format!("{PREFIX}{}", base45::encode(changed));
            assert!(verify(&changed).is_err(), "byte {index} xor {flip}");
        }
    }
    for index in 0..token.len() {
        for other in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:azAZ" {
            let mut changed = token.clone().into_bytes();
            if changed[index] != *other {
                changed[index] = *other;
                let changed = String::from_utf8(changed).expect("ASCII");
                assert!(verify(&changed).is_err(), "character {index}");
            }
        }
    }
    for end in 0..token.len() {
        assert!(verify(&token[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn the_hand_made_token_of_the_right_parts_is_the_token() {
    let token = forge(&protected(EDDSA), empty(), &encode_claims(&claims()), EXTERNAL_AAD);
    assert_eq!(token, sign(&claims(), &key()));
}

#[test]
fn a_signature_for_another_purpose_does_not_serve() {
    for aad in [&b"vestibule/envelope/1"[..], b"vestibule/qr/2", b""] {
        let token = forge(&protected(EDDSA), empty(), &encode_claims(&claims()), aad);
        assert_eq!(verify(&token), Err(QrRefusal::Signature));
    }
}

#[test]
fn other_algorithms_and_keys_are_refused() {
    // ES256 (-7), EdDSA's fully specified Ed25519 (-19) and HMAC 256/256 (5).
    for alg in [0x26, 0x32, 0x05] {
        let token = forge(&protected(alg), empty(), &encode_claims(&claims()), EXTERNAL_AAD);
        assert_eq!(verify(&token), Err(QrRefusal::Algorithm));
    }
    let stranger = SigningKey::from_bytes(&[1; 32]);
    assert_eq!(verify(&sign(&claims(), &stranger)), Err(QrRefusal::UnknownKey));
    let mut named = protected(EDDSA);
    named[1] = 0x04;
    assert!(verify(&forge(&named, empty(), &encode_claims(&claims()), EXTERNAL_AAD)).is_err());
}

#[test]
fn only_one_spelling_is_a_token() {
    let good = encode_claims(&claims());
    let extra_header = [&[0xa3][..], &protected(EDDSA)[1..], &[0x05, 0x41, 0x00]].concat();
    let long_kid = [&[0xa2, 0x01, EDDSA, 0x04, 0x45][..], &kid(&key().verifying_key()), &[0]].concat();
    let wide_alg = [&[0xa2, 0x01, 0x38, 0x07, 0x04, 0x44][..], &kid(&key().verifying_key())].concat();
    for header in [extra_header, long_kid, wide_alg] {
        assert_eq!(verify(&forge(&header, empty(), &good, EXTERNAL_AAD)), Err(QrRefusal::Garbage));
    }
    let unprotected = Value::Map(vec![(Value::from(4), Value::Bytes(vec![1, 2, 3, 4]))]);
    assert_eq!(verify(&forge(&protected(EDDSA), unprotected, &good, EXTERNAL_AAD)), Err(QrRefusal::Garbage));

    // An extra claim, a missing one, bytes behind the map, and another order: all well signed.
    let mut extra = good.clone();
    extra[0] = 0xa6;
    extra.extend([0x18, 0x20, 0x01]);
    let missing = [&[0xa4][..], &good[1..good.len() - 18]].concat();
    let trailing = [&good[..], &[0]].concat();
    let (issuer, rest) = good[1..].split_at(12);
    let turned = [&[0xa5][..], &rest[..5], issuer, &rest[5..]].concat();
    for payload in [extra, missing, trailing, turned] {
        assert_eq!(verify(&forge(&protected(EDDSA), empty(), &payload, EXTERNAL_AAD)), Err(QrRefusal::Garbage));
    }

    let token = sign(&claims(), &key());
    for other in [token.to_lowercase(), token.replace("VMS1", "VMS2"), token[PREFIX.len()..].to_owned(), token + "00"] {
        assert_eq!(verify(&other), Err(QrRefusal::Garbage));
    }
    let bytes = base45::decode(&sign(&claims(), &key())[PREFIX.len()..]).expect("base45");
    for wrapped in [[&bytes[..], &[0]].concat(), [&[0xd2], &bytes[..]].concat()] {
        assert_eq!(verify(&format!("{PREFIX}{}", base45::encode(wrapped))), Err(QrRefusal::Garbage));
    }
    assert_eq!(verify(&"A".repeat(100_000)), Err(QrRefusal::Garbage));
}

/// S1.30, S4.19: an invitation is good only for the site it names.
#[test]
fn another_site_or_organisation_is_refused() {
    let site = |code: &str| SiteId::new(code).expect("a code");
    let token = sign(&claims(), &key());
    let check = |keys: &QrKeys, wanted: Option<&SiteId>| keys.verify(&token, wanted, at(NOW)).map(|_| ());
    assert_eq!(check(&keys(), Some(&site("zrh"))), Ok(()));
    assert_eq!(check(&keys(), Some(&site("gva"))), Err(QrRefusal::OtherSite));
    let of = |organisation: &str, sites: Vec<SiteId>| {
        let key = QrKey::new(key().verifying_key(), at("2027-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
        QrKeys::new(OrganisationId::new(organisation).expect("a code"), vec![key], at("2027-02-10T12:00:00Z"), sites)
    };
    assert_eq!(check(&of("example-ag", vec![site("gva"), site("zrh")]), None), Ok(()));
    assert_eq!(check(&of("example-ag", vec![site("gva")]), None), Err(QrRefusal::OtherSite));
    assert_eq!(check(&of("other-ag", Vec::new()), None), Err(QrRefusal::OtherOrganisation));
}

#[test]
fn the_window_is_kept_to_the_second() {
    let token = sign(&claims(), &key());
    let check = |now| keys().verify(&token, None, at(now)).map(|_| ());
    assert_eq!(check("2027-02-10T20:29:59Z"), Err(QrRefusal::TooEarly));
    assert_eq!(check("2027-02-10T20:30:00Z"), Ok(()));
    assert_eq!(check("2027-02-11T00:59:59Z"), Ok(()));
    assert_eq!(check("2027-02-11T01:00:00Z"), Err(QrRefusal::Expired));
}

/// A desk whose clock was set back does not let yesterday's visitors in.
#[test]
fn the_newest_hub_time_is_a_floor_for_the_clock() {
    let token = sign(&claims(), &key());
    let mut keys = keys();
    keys.heard_from_hub(at("2027-02-11T02:00:00Z"));
    assert_eq!(keys.verify(&token, None, at(NOW)), Err(QrRefusal::Expired));
    keys.heard_from_hub(at("2027-02-01T00:00:00Z"));
    assert_eq!(keys.signed_at(), at("2027-02-11T02:00:00Z"), "the floor never sinks");
    assert_eq!(keys.verify(&token, None, at("2027-02-10T01:59:59Z")), Err(QrRefusal::CheckByHand));
    assert_eq!(keys.verify(&token, None, at("2027-03-13T02:00:01Z")), Err(QrRefusal::CheckByHand));
    assert_eq!(keys.verify(&token, None, at("2027-03-13T02:00:00Z")), Err(QrRefusal::Expired));
}

#[test]
fn a_key_serves_only_in_its_time() {
    let token = sign(&claims(), &key());
    let old = QrKey::new(key().verifying_key(), at("2026-01-01T00:00:00Z"), at("2027-02-10T21:00:00Z"));
    let keys = QrKeys::new(claims().organisation, vec![old], at("2027-02-10T12:00:00Z"), Vec::new());
    assert_eq!(keys.verify(&token, None, at(NOW)), Err(QrRefusal::KeyOutOfDate));
    assert!(keys.verify(&token, None, at("2027-02-10T20:59:59Z")).is_ok());
}

#[test]
fn the_key_file_is_read_back_and_checked() {
    let text = keys().to_json();
    assert_eq!(QrKeys::from_json(&text).expect("its own text"), keys());
    let kid = hex::encode(kid(&key().verifying_key()));
    for (from, to) in [(kid.as_str(), "00000000"), ("EdDSA", "ES256"), ("\"signed_at\"", "\"extra\"")] {
        assert!(QrKeys::from_json(&text.replace(from, to)).is_err(), "{from} → {to}");
    }
}

#[test]
fn a_refusal_has_a_stable_code() {
    assert_eq!(QrRefusal::CheckByHand.code(), "check_by_hand");
    assert_eq!(QrRefusal::OtherOrganisation.code(), "other_organisation");
}
