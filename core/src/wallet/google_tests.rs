//! Tests of the Google object and of the link's budget.

use super::*;
use crate::wallet::google::State;
use crate::wallet::sample;
use crate::wallet::visitor::{NOTICE, VisitorPass};
use crate::wallet::visitor_google::{google_class, google_object};

const HEADER: &str = r#"{"typ":"JWT","alg":"RS256"}"#;
const RSA_2048: usize = 256;
const ISSUER: &str = "3388000000022800000";

fn claims(visitor: &VisitorPass) -> SaveClaims {
    SaveClaims::new(
        "wallet@example-project.iam.gserviceaccount.com",
        1_802_000_000,
        vec!["https://visit.example.ch".into()],
        google_class(ISSUER).expect("an issuer"),
        google_object(visitor, ISSUER).expect("an object"),
    )
}

fn object(claims: &SaveClaims) -> &GenericObject {
    match &claims.payload.generic_objects[0] {
        SaveObject::Full(object) => object,
        SaveObject::ById { .. } => panic!("in full"),
    }
}

/// S1.35: the whole payload of a visitor's link.
#[test]
fn the_claims_of_a_visitor() {
    insta::assert_json_snapshot!(serde_json::to_value(claims(&sample::visitor())).expect("JSON"));
}

/// However long the names, the link fits and the code is whole.
#[test]
fn a_link_never_exceeds_its_budget_and_keeps_the_code() {
    let long = [
        "x".repeat(200),
        "李".repeat(200),
        "\u{1f469}\u{200d}\u{1f680}".repeat(66),
        "e\u{301}\u{323}".repeat(66),
        "\" \\".repeat(66),
    ];
    for name in long {
        let visitor = VisitorPass {
            first_name: Some(name.clone()),
            last_name: Some(name.clone()),
            organisation_name: name.clone(),
            site_name: name.clone(),
            host_name: name,
            ..sample::visitor()
        };
        let fitted = claims(&visitor).fit(HEADER, RSA_2048).expect("fits");
        let length = fitted.link_length(HEADER, RSA_2048);
        assert!((MAX_LINK - 40..=MAX_LINK).contains(&length), "{length}");
        assert_eq!(object(&fitted).barcode.as_ref().map(|code| &code.value), visitor.qr_token.as_ref());
        assert!(object(&fitted).header.default_value.value.ends_with('…'));
    }
}

/// The name of an everyday visitor stays whole, and the pass still says what it is not (S1.32, S1.36).
#[test]
fn what_may_be_dropped_goes_in_order() {
    let full = claims(&sample::visitor());
    assert_eq!(object(&full).text_modules_data[0].body, NOTICE);
    let fitted = full.fit(HEADER, RSA_2048).expect("fits");
    let kept = object(&fitted);
    assert!(kept.text_modules_data.is_empty() && kept.subheader.is_none() && kept.notifications.is_none());
    assert_eq!(kept.header.default_value.value, sample::visitor().full_name());
    assert_eq!(kept.card_title.default_value.value, "Example AG");
    let words = kept.barcode.as_ref().and_then(|code| code.alternate_text.as_deref());
    assert_eq!(words, Some("Convenience pass, not a credential"));

    // With more room the last modules go first.
    let roomy = VisitorPass { qr_token: Some("VMS1:".into()), ..sample::visitor() };
    let fitted = claims(&roomy).fit(HEADER, 0).expect("fits");
    let ids: Vec<&str> = object(&fitted).text_modules_data.iter().map(|module| module.id.as_str()).collect();
    assert_eq!(ids, ["notice", "when"]);
}

#[test]
fn a_link_by_id_is_short() {
    let id = WalletId::new(ISSUER, "0194f0c2-7d3a-7b11-9e52-3f0a6c1d2e4b").expect("an id");
    let class = google_class(ISSUER).expect("an issuer").id;
    let account = "wallet@example-project.iam.gserviceaccount.com";
    let claims = SaveClaims::by_id(account, 1_802_000_000, Vec::new(), id, class);
    assert!(claims.link_length(HEADER, RSA_2048) < 900);
    assert_eq!(claims.clone().fit(HEADER, RSA_2048), Ok(claims));
}

#[test]
fn what_cannot_fit_is_refused() {
    let visitor = VisitorPass { qr_token: Some("A".repeat(1_500)), ..sample::visitor() };
    assert_eq!(claims(&visitor).fit(HEADER, RSA_2048), Err(GoogleProblem::TooLong));
}

/// Shortening never leaves half a letter behind.
#[test]
fn a_name_is_cut_between_letters() {
    let cut = |text: &str| {
        let mut name = LocalizedString::new(text);
        assert!(shorten(&mut name));
        name.default_value.value
    };
    assert_eq!(cut("Maximilian Mustermann"), "Maximilian Musterman…");
    assert_eq!(cut("Maximilian Ze\u{301}"), "Maximilian Z…");
    assert_eq!(cut("Astronaut Ada 👩\u{200d}🚀"), "Astronaut Ada…");
    assert_eq!(cut("Maximilian M…"), "Maximilian…");
    assert!(!shorten(&mut LocalizedString::new("Max M.")));
}

/// An ended pass is not in force and shows no code; a preview shows none either.
#[test]
fn an_ended_pass_has_no_code() {
    let ended = google_object(&VisitorPass { voided: true, ..sample::visitor() }, ISSUER).expect("an object");
    assert_eq!((ended.state, ended.barcode), (Some(State::Inactive), None));
    let preview = google_object(&VisitorPass { qr_token: None, ..sample::visitor() }, ISSUER).expect("an object");
    assert_eq!(preview.barcode, None);
}

#[test]
fn ids_have_googles_form() {
    assert_eq!(WalletId::new(ISSUER, "a.b_c-1").expect("an id").as_str(), "3388000000022800000.a.b_c-1");
    for (issuer, suffix) in [("", "a"), ("33x", "a"), (ISSUER, ""), (ISSUER, "a b"), (ISSUER, "ä")] {
        assert_eq!(WalletId::new(issuer, suffix), Err(GoogleProblem::Id));
    }
}

#[test]
fn an_object_fetched_by_rest_keeps_its_other_keys() {
    let mut fetched =
        serde_json::to_value(google_object(&sample::visitor(), ISSUER).expect("an object")).expect("JSON");
    fetched["hasUsers"] = true.into();
    let object: GenericObject = serde_json::from_value(fetched.clone()).expect("reads");
    assert_eq!(serde_json::to_value(object).expect("JSON"), fetched);
}
