//! Tests of the Google object and of the link's budget.

use super::*;
use crate::wallet::admission::Admission;
use crate::wallet::sample;
use crate::wallet::visitor::{NOTICE, VisitorPass, Window};
use crate::wallet::visitor_google::{google_class, google_object};

const HEADER: &str = r#"{"typ":"JWT","alg":"RS256"}"#;
const RSA_2048: usize = 256;
const ISSUER: &str = "3388000000022800000";

fn claims(visitor: &VisitorPass) -> SaveClaims {
    SaveClaims::new(
        "wallet@example-project.iam.gserviceaccount.com",
        1_802_000_000,
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
        assert_eq!(object(&fitted).barcode.as_ref().map(|code| code.value.as_str()), visitor.admission.code());
        assert!(object(&fitted).header.default_value.value.ends_with('…'));
    }
}

/// The link of an everyday visitor says when, where and whom in front, in the list too, and still says what the pass is
/// not (S1.32, S1.36).
#[test]
fn what_may_be_dropped_goes_in_order() {
    let full = claims(&sample::visitor());
    assert_eq!(object(&full).text_modules_data[0].body, NOTICE);
    let fitted = full.fit(HEADER, RSA_2048).expect("fits");
    let kept = object(&fitted);
    assert!(kept.text_modules_data.is_empty() && kept.notifications.is_none());
    let subheader = kept.subheader.as_ref().map(|text| text.default_value.value.as_str());
    let line = "10.02.2027 22:00 – 11.02.2027 02:00 · Zürich Headquarters · Beatrice Keller";
    assert_eq!(subheader, Some(line));
    assert_eq!(kept.header.default_value.value, sample::visitor().full_name());
    assert_eq!(kept.card_title.default_value.value, "Example AG");
    let words = kept.barcode.as_ref().and_then(|code| code.alternate_text.as_deref());
    assert_eq!(words, Some("Convenience pass, not a credential"));

    // With more room the last modules go first.
    let roomy = VisitorPass { admission: Admission::Code("VMS1:".into()), ..sample::visitor() };
    let fitted = claims(&roomy).fit(HEADER, 0).expect("fits");
    let ids: Vec<&str> = object(&fitted).text_modules_data.iter().map(|module| module.id.as_str()).collect();
    assert_eq!(ids, ["notice"]);
}

/// A text that is dropped takes its row of the card along: no card points at a text that is not there.
#[test]
fn a_dropped_text_takes_its_row_along() {
    let mut object = google_object(&sample::visitor(), ISSUER).expect("an object");
    let mut class = google_class(ISSUER).expect("an issuer");
    let rows = |class: &GenericClass| {
        let template = serde_json::to_value(&class.class_template_info).expect("JSON");
        let rows = &template["cardTemplateOverride"]["cardRowTemplateInfos"];
        let path = |row: &serde_json::Value| row["oneItem"]["item"]["firstValue"]["fields"][0]["fieldPath"].to_string();
        rows.as_array().map(|rows| rows.iter().map(path).collect::<Vec<_>>()).unwrap_or_default()
    };
    let path = |id: &str| format!("\"object.textModulesData['{id}']\"");
    assert_eq!(rows(&class), ["when", "where", "host"].map(path));
    for left in [["when", "where", "host"].as_slice(), &["when", "where"], &["when"], &[], &[]] {
        assert!(drop_module(&mut object, &mut class));
        assert_eq!(rows(&class), left.iter().map(|id| path(id)).collect::<Vec<_>>());
    }
    assert!(!drop_module(&mut object, &mut class));
    assert!(class.class_template_info.expect("the list stays").card_template_override.is_none());
}

/// Everyday names of every script leave room for all of the line, and for the template of the class.
#[test]
fn everyday_links_say_when_and_where() {
    for (first, last, site, host) in [
        ("Zoë", "Müller-Østergård", "Zürich", "Ada Keller"),
        ("Σοφία", "Παπαδοπούλου", "Zürich", "Chloé Martin"),
        ("तनवीर", "रहमान शर्मा", "New York", "Ben Carter"),
        ("กมลชนก", "ศรีสุข", "New York", "Ben Carter"),
    ] {
        let visitor = VisitorPass {
            first_name: Some(first.into()),
            last_name: Some(last.into()),
            site_name: site.into(),
            host_name: host.into(),
            window: Some(Window {
                from: "2027-02-10T08:00:00Z".parse().expect("a time"),
                to: "2027-02-10T10:30:00Z".parse().expect("a time"),
            }),
            ..sample::visitor()
        };
        let fitted = claims(&visitor).fit(HEADER, RSA_2048).expect("fits");
        let subheader = object(&fitted).subheader.as_ref().map(|text| text.default_value.value.clone());
        assert_eq!(subheader, Some(format!("10.02.2027 09:00–11:30 · {site} · {host}")));
        assert_eq!(object(&fitted).header.default_value.value, format!("{first} {last}"));
        let list = fitted.payload.generic_classes[0].class_template_info.as_ref().and_then(|template| {
            template.list_template_override.as_ref()?.second_row_option.as_ref()?.fields.first().cloned()
        });
        assert_eq!(list.map(|field| field.field_path), Some("object.subheader".to_owned()));
    }
}

/// A line that is too long loses the host first, then the site; the time stays longest.
#[test]
fn a_line_is_shortened_from_its_end() {
    let line = |site: &str, host: &str| {
        let visitor = VisitorPass {
            site_name: site.into(),
            host_name: host.into(),
            organisation_name: "Example Versicherungsgesellschaft AG".into(),
            ..sample::visitor()
        };
        let fitted = claims(&visitor).fit(HEADER, RSA_2048).expect("fits");
        object(&fitted).subheader.as_ref().map(|text| text.default_value.value.clone())
    };
    let time = "10.02.2027 22:00 – 11.02.2027 02:00";
    assert_eq!(line("Zürich", &"x".repeat(300)), Some(format!("{time} · Zürich")));
    assert_eq!(line(&"x".repeat(300), "Ada"), Some(time.to_owned()));
}

/// S1.32, S1.36: a good pass of an organisation without codes says what to do and what it is not.
#[test]
fn a_link_without_a_code_says_why() {
    let visitor = VisitorPass { admission: Admission::ByName, ..sample::visitor() };
    let fitted = claims(&visitor).fit(HEADER, RSA_2048).expect("fits");
    let modules = &object(&fitted).text_modules_data;
    assert_eq!(modules[0].body, "Check in at reception by name.");
    assert_eq!(modules[1].body, NOTICE);
    assert!(object(&fitted).barcode.is_none() && object(&fitted).state != Some(State::Inactive));
}

/// One arrival time is one time; a visit without a schedule has its words.
#[test]
fn the_line_of_other_schedules() {
    let mut visitor = sample::visitor();
    let window = visitor.window.as_mut().expect("scheduled");
    window.to = window.from;
    assert_eq!(visitor.summary(), "10.02.2027 22:00 · Zürich Headquarters · Beatrice Keller");
    let open = VisitorPass { window: None, schedule_text: "Any weekday".into(), host_name: " ".into(), ..visitor };
    assert_eq!(open.summary(), "Any weekday · Zürich Headquarters");
}

#[test]
fn a_link_by_id_is_short() {
    let id = WalletId::new(ISSUER, "AZTwwn06exGeUj8KbB0uSw").expect("an id");
    let class = google_class(ISSUER).expect("an issuer").id;
    let account = "wallet@example-project.iam.gserviceaccount.com";
    let claims = SaveClaims::by_id(account, 1_802_000_000, id, class);
    assert!(claims.link_length(HEADER, RSA_2048) < 900);
    assert_eq!(claims.clone().fit(HEADER, RSA_2048), Ok(claims));
}

#[test]
fn what_cannot_fit_is_refused() {
    let visitor = VisitorPass { admission: Admission::Code("A".repeat(1_500)), ..sample::visitor() };
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

/// An ended pass is not in force, shows no code and says why; a preview shows none either.
#[test]
fn an_ended_pass_has_no_code() {
    for admission in [Admission::NotNow, Admission::Used, Admission::Over, Admission::Cancelled, Admission::Moved] {
        let words = admission.words("Example AG");
        let ended = google_object(&VisitorPass { admission, ..sample::visitor() }, ISSUER).expect("an object");
        assert_eq!((ended.state, ended.barcode), (Some(State::Inactive), None));
        assert_eq!(ended.text_modules_data[0].body, words);
    }
    let preview = VisitorPass { admission: Admission::Preview { is_void: false }, ..sample::visitor() };
    let preview = google_object(&preview, ISSUER).expect("an object");
    assert_eq!((preview.state, preview.barcode), (Some(State::Active), None));
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
