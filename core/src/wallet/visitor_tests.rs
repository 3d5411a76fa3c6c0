//! Tests of the visitor's Apple pass.

use std::io::Cursor;

use chrono::TimeDelta;
use serde_json::Value;

use super::*;
use crate::wallet::apple::FieldValue;
use crate::wallet::images;
use crate::wallet::package::{PackageProblem, PassPackage};
use crate::wallet::package_read::{ReadPass, ReadProblem};
use crate::wallet::sample;

fn json(pass: &Pass) -> Value {
    serde_json::from_slice(&pass.to_json()).expect("JSON")
}

fn package(pass: &Pass) -> PassPackage<'static> {
    let mut package = PassPackage::new(pass).expect("keeps the rules");
    for image in images::standard() {
        package.add(&image.name, image.png.as_slice()).expect("a name");
    }
    package
}

#[expect(clippy::unnecessary_wraps, reason = "a signer may fail")]
fn unsigned(_: &[u8]) -> Result<Vec<u8>, std::convert::Infallible> {
    Ok(b"no signature".to_vec())
}

/// S1.35: the whole pass, as a visitor gets it.
#[test]
fn the_pass_of_a_visitor() {
    let pass = apple_pass(&sample::visitor());
    pass.check().expect("keeps Apple's rules");
    insta::assert_json_snapshot!(json(&pass));
}

/// What the front shows, and where: date, name, site and time, host and space.
#[test]
fn the_front_shows_who_when_and_where() {
    let front = apple_pass(&sample::visitor()).generic.expect("generic");
    let texts = |fields: &[Field]| -> Vec<FieldValue> { fields.iter().map(|field| field.value.clone()).collect() };
    assert_eq!(texts(&front.header_fields), ["2027-02-10T12:00:00Z".into()]);
    assert_eq!(texts(&front.primary_fields), ["Ngọc Ánh Müller-Ōta".into()]);
    assert_eq!(texts(&front.secondary_fields), ["Zürich Headquarters".into(), "22:00 – 02:00 (+1 day)".into()]);
    assert_eq!(texts(&front.auxiliary_fields), ["Beatrice Keller".into(), "Control room 3".into()]);
}

/// S1.32, S1.36, S4.22 to S4.24: on both styles the back says what the pass is not, and where to wait.
#[test]
fn the_back_says_what_the_pass_is_not() {
    let pass = apple_pass(&sample::visitor());
    assert_eq!(NOTICE, "This is a convenience pass, not a security credential.");
    assert!(WAITING.contains("lobby or at reception") && WAITING.contains("accompanied"));
    for style in pass.styles() {
        for text in [NOTICE, WAITING] {
            assert!(style.back_fields.iter().any(|field| field.value == text.into()), "{text}");
        }
    }
    assert_eq!(pass.styles().count(), 2, "generic and posterGeneric");
}

/// Every state without a code.
fn without_code() -> [Admission; 8] {
    [
        Admission::ByName,
        Admission::NotNow,
        Admission::Used,
        Admission::Over,
        Admission::Cancelled,
        Admission::Moved,
        Admission::Preview { is_void: false },
        Admission::Preview { is_void: true },
    ]
}

fn with(admission: Admission) -> Pass {
    apple_pass(&VisitorPass { admission, ..sample::visitor() })
}

/// S1.31: the code is the signed token. A pass of any other state carries none, and says why on the front and on the back
/// of both styles; only a host's preview calls itself one.
#[test]
fn a_pass_without_a_code_says_why() {
    let visitor = sample::visitor();
    assert_eq!(Some(apple_pass(&visitor).barcodes[0].message.as_str()), visitor.admission.code());
    for admission in without_code() {
        let pass = with(admission.clone());
        pass.check().expect("keeps Apple's rules");
        assert_eq!(pass.voided.unwrap_or_default(), admission.is_void(), "{admission:?}");
        let json = String::from_utf8(pass.to_json()).expect("UTF-8");
        assert!(!json.contains("VMS1:"), "{admission:?}");
        let is_preview = matches!(admission, Admission::Preview { .. });
        assert_eq!(json.contains("This is a preview"), is_preview, "{admission:?}");
        let words: FieldValue = admission.words("Example AG").into();
        for style in pass.styles() {
            assert!(style.back_fields.iter().any(|field| field.value == words), "{admission:?}");
            let front = style.auxiliary_fields.iter().chain(&style.additional_info_fields);
            assert!(front.clone().any(|field| field.value == words), "{admission:?}");
        }
    }
    assert_eq!(Admission::NotNow.words("Example AG"), "Not valid now. Ask your host.");
}

/// What Wallet reads out when `after` comes in the place of `before`: the message of each field whose value changed.
fn announced(before: &Pass, after: &Pass) -> Vec<String> {
    let old = before.generic.as_ref().expect("generic");
    let new = after.generic.as_ref().expect("generic").all();
    new.filter_map(|field| {
        let message = field.change_message.as_ref()?;
        let FieldValue::Text(value) = &field.value else { return None };
        let changed = old.all().any(|old| old.key == field.key && old.value != field.value);
        changed.then(|| message.replace("%@", value))
    })
    .collect()
}

/// S2.28: from any state to any other, the holder hears one sentence where something was told, and none otherwise.
#[test]
fn only_a_farewell_is_read_out() {
    let states = || without_code().into_iter().chain([sample::visitor().admission]);
    for before in states().filter(|before| !before.is_announced()) {
        for after in states() {
            let heard = announced(&with(before.clone()), &with(after.clone()));
            let expected = after.is_announced().then(|| after.words("Example AG"));
            assert_eq!(heard, expected.into_iter().collect::<Vec<_>>(), "{before:?} to {after:?}");
        }
    }
    assert_eq!(Admission::Cancelled.words("Example AG"), "Your visit to Example AG has been cancelled.");
}

/// A dead pass keeps all it showed, and is offered to nobody on the lock screen.
#[test]
fn a_void_pass_keeps_its_values() {
    let (live, dead) = (apple_pass(&sample::visitor()), with(Admission::Cancelled));
    for (live, dead) in live.styles().zip(dead.styles()) {
        for field in live.all().filter(|field| field.key != "admission") {
            assert!(dead.all().any(|kept| kept == field), "{}", field.key);
        }
    }
    assert!(!live.locations.is_empty() && !live.relevant_dates.is_empty());
    assert!(dead.locations.is_empty() && dead.relevant_dates.is_empty() && dead.relevant_date.is_none());
    assert_eq!(dead.description, "Visitor pass for Example AG, Zürich Headquarters: not valid");
    assert_eq!(live.description, "Visitor pass for Example AG, Zürich Headquarters");
}

/// What is not said has no field, and its going is not read out.
#[test]
fn an_empty_text_is_no_field() {
    let bare = VisitorPass {
        first_name: None,
        last_name: None,
        company: None,
        host_name: String::new(),
        site_name: String::new(),
        site_address: None,
        site_location: None,
        space_name: None,
        window: None,
        schedule_text: String::new(),
        visit_type_name: "Visitor".into(),
        admission: Admission::Moved,
        ..sample::visitor()
    };
    let (before, after) = (apple_pass(&sample::visitor()), apple_pass(&bare));
    after.check().expect("keeps Apple's rules");
    assert_eq!(announced(&before, &after), ["Your invitation to Example AG is no longer valid."]);
    let keys: Vec<_> = after.generic.as_ref().expect("generic").all().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["name", "instead", "admission", "waiting", "notice"]);
    assert_eq!(after.description, "Visitor pass for Example AG: not valid");
}

/// Who comes early finds the pass on the lock screen; Wallet looks at date and place together, so that without a place
/// there is no date either.
#[test]
fn a_pass_is_offered_from_when_it_is_valid() {
    let mut visitor = sample::visitor();
    let pass = apple_pass(&visitor);
    let from = pass.relevant_dates[0].start_date.expect("a start");
    assert_eq!((from.to_string(), pass.relevant_date), ("2027-02-10T21:30:00+01:00".to_owned(), Some(from)));
    assert_eq!(pass.relevant_dates[0].end_date.expect("an end").to_string(), "2027-02-11T02:00:00+01:00");
    visitor.site_location = None;
    let pass = apple_pass(&visitor);
    pass.check().expect("keeps Apple's rules");
    assert!(pass.relevant_dates.is_empty() && pass.relevant_date.is_none());
    visitor.site_location = Some((f64::NAN, 0.0));
    assert!(apple_pass(&visitor).locations.is_empty(), "what is no number is no place");
}

/// Names are shown as they were typed, in any script; either name alone will do.
#[test]
fn names_of_every_script_survive() {
    for name in
        ["Đặng Thị Thu", "محمد بن سلمان", "李小龙", "やまだ たろう", "Жанна", "ไพลิน", "👩‍🚀 \"O'Hara\" <b>&", "e\u{301}"]
    {
        let visitor = VisitorPass { first_name: Some(name.into()), last_name: None, ..sample::visitor() };
        let sealed = package(&apple_pass(&visitor)).seal(unsigned).expect("seals");
        let read = ReadPass::read(&sealed).expect("reads");
        assert_eq!(read.pass.generic.expect("generic").primary_fields[0].value, name.into());
    }
    let nobody = VisitorPass { first_name: None, last_name: Some("  ".into()), ..sample::visitor() };
    assert_eq!(nobody.full_name(), "Visitor");
}

/// Apple offers a pass for at most 24 hours at a stretch.
#[test]
fn a_long_window_is_offered_day_by_day() {
    let mut visitor = sample::visitor();
    let window = visitor.window.as_mut().expect("scheduled");
    window.to = window.from + TimeDelta::hours(60);
    visitor.expires = window.to;
    let pass = apple_pass(&visitor);
    pass.check().expect("keeps Apple's rules");
    assert_eq!(pass.relevant_dates.len(), 3);
    for (day, next) in pass.relevant_dates.iter().zip(&pass.relevant_dates[1..]) {
        assert_eq!(day.end_date, next.start_date);
    }
    assert_eq!(pass.relevant_dates[2].end_date.expect("an end").to_string(), "2027-02-13T10:00:00+01:00");
    assert_eq!(visitor.time_text(), "22:00 – Sat 13 Feb, 10:00");
}

/// S4.11: an unscheduled visit shows its words; one arrival time shows that time.
#[test]
fn a_visit_without_a_time_shows_none() {
    let unscheduled = VisitorPass { window: None, schedule_text: "Any weekday".into(), ..sample::visitor() };
    let pass = apple_pass(&unscheduled);
    assert!(pass.relevant_dates.is_empty() && pass.relevant_date.is_none());
    let front = pass.generic.expect("generic");
    assert!(front.header_fields.is_empty());
    assert_eq!(front.secondary_fields[1].value, "Any weekday".into());
    let mut arrival = sample::visitor();
    let window = arrival.window.as_mut().expect("scheduled");
    window.to = window.from;
    assert_eq!(arrival.time_text(), "22:00");
}

/// Every change the visitor should notice says so; Wallet shows nothing else of an update.
#[test]
fn changes_are_announced() {
    let front = apple_pass(&sample::visitor()).generic.expect("generic");
    for key in ["date", "time", "site", "host", "space"] {
        let field = front.all().find(|field| field.key == key).expect(key);
        assert!(field.change_message.as_ref().is_some_and(|message| message.contains("%@")), "{key}");
    }
}

#[test]
fn the_same_visitor_gives_the_same_bytes() {
    let make = || package(&apple_pass(&sample::visitor()));
    assert_eq!(make().manifest(), make().manifest());
    assert_eq!(make().seal(unsigned).expect("seals"), make().seal(unsigned).expect("seals"));
}

/// The manifest names every file by its SHA-1 but itself and the signature.
#[test]
fn the_manifest_lists_every_file() {
    let mut package = package(&apple_pass(&sample::visitor()));
    let texts = [("vestibule.host".to_owned(), "Gast\"geber\n".to_owned())].into();
    package.add_strings("de", &texts).expect("a language");
    let sealed = package.seal(unsigned).expect("seals");
    let read = ReadPass::read(&sealed).expect("reads");
    assert_eq!(read.files["de.lproj/pass.strings"], b"\"vestibule.host\" = \"Gast\\\"geber\\n\";\n");
    let manifest: std::collections::BTreeMap<String, String> = serde_json::from_slice(&read.manifest).expect("JSON");
    assert_eq!(manifest.keys().collect::<Vec<_>>(), read.files.keys().collect::<Vec<_>>());
    assert_eq!(manifest["pass.json"], hex::encode(<sha1::Sha1 as sha1::Digest>::digest(&read.files["pass.json"])));
}

#[test]
fn names_that_lead_out_of_the_package_are_refused() {
    let mut package = package(&apple_pass(&sample::visitor()));
    for name in
        ["../x", "/x", "a/b.png", "manifest.json", "signature", "pass.json", "icon.png", "", ".x", "de.lproj/../x"]
    {
        assert!(matches!(package.add(name, vec![1]), Err(PackageProblem::Name(_))), "{name}");
    }
}

#[test]
fn a_package_that_was_changed_is_not_read() {
    let sealed = package(&apple_pass(&sample::visitor())).seal(unsigned).expect("seals");
    let at = sealed.windows(8).position(|part| part == b"Ng\xe1\xbb\x8dc \xc3").expect("the name is stored");
    for flip in [at, at + 1, sealed.len() / 2] {
        let mut changed = sealed.clone();
        changed[flip] ^= 1;
        assert!(ReadPass::read(&changed).is_err());
    }
    for end in (0..sealed.len()).step_by(97) {
        assert!(ReadPass::read(&sealed[..end]).is_err(), "cut at {end}");
    }
    assert!(matches!(ReadPass::read(&vec![0; 20_000_001]), Err(ReadProblem::TooLarge)));
}

/// Apple's rules, each broken once.
#[test]
fn a_pass_that_breaks_a_rule_is_not_signed() {
    type Damage = fn(&mut Pass);
    let broken: [(&str, Damage); 15] = [
        ("serialNumber", |pass| pass.serial_number = "short".into()),
        ("authenticationToken", |pass| pass.authentication_token = None),
        ("webServiceURL", |pass| pass.web_service_url = Some("http://plain".into())),
        ("authenticationToken", |pass| pass.authentication_token = Some("short".into())),
        ("appLaunchURL", |pass| pass.app_launch_url = Some("vestibule:".into())),
        ("locations", |pass| pass.locations = vec![pass.locations[0].clone(); 11]),
        ("latitude", |pass| pass.locations[0].latitude = 91.into()),
        ("locations", |pass| pass.locations.clear()),
        ("groupingIdentifier", |pass| pass.grouping_identifier = Some("pass.x.visits".into())),
        ("messageEncoding", |pass| pass.barcodes[0].message_encoding = None),
        ("relevantDates", |pass| {
            let end = pass.relevant_dates[0].end_date.as_mut().expect("an end");
            end.0 += TimeDelta::hours(20);
        }),
        ("formatVersion", |pass| pass.format_version = 2),
        ("generic", |pass| (pass.generic, pass.poster_generic) = (None, None)),
        ("host", |pass| {
            pass.generic.as_mut().expect("generic").auxiliary_fields[0].change_message = Some("changed".into());
        }),
        ("name", |pass| {
            let front = pass.generic.as_mut().expect("generic");
            front.back_fields.push(front.primary_fields[0].clone());
        }),
    ];
    for (key, damage) in broken {
        let mut pass = apple_pass(&sample::visitor());
        damage(&mut pass);
        assert_eq!(pass.check().expect_err(key).key, key);
        assert!(PassPackage::new(&pass).is_err());
    }
}

/// An independent reader, the crate `passes`, finds in our file what we put there.
#[test]
fn the_crate_passes_reads_our_pass() {
    let visitor = sample::visitor();
    let ours = apple_pass(&visitor);
    let sealed = package(&ours).seal(unsigned).expect("seals");
    let theirs = passes::Package::read(Cursor::new(sealed)).expect("reads");
    let mut theirs_json: Value = serde_json::from_str(&theirs.pass.make_json().expect("JSON")).expect("JSON");
    let ours_json = json(&ours);
    // It writes instants in UTC; compared as instants below.
    for key in ["expirationDate", "relevantDate"] {
        let theirs = theirs_json.as_object_mut().expect("an object").remove(key).expect(key);
        let instant = |value: &Value| value.as_str().expect("a text").parse::<DateTime<Utc>>().expect("a time");
        assert_eq!(instant(&theirs), instant(&ours_json[key]), "{key}");
    }
    theirs_json.as_object_mut().expect("an object").remove("semantics");
    for (key, value) in theirs_json.as_object().expect("an object") {
        assert_eq!(*value, ours_json[key], "{key}");
    }
    assert_eq!(Some(theirs.pass.barcodes[0].message.as_str()), visitor.admission.code());
    assert!(theirs.resources.len() >= 6, "icon and logo in three sizes");
}
