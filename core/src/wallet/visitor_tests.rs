//! Tests of the visitor's Apple pass.

use std::io::Cursor;

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
    assert_eq!(texts(&front.header_fields), ["2027-02-10T22:00:00+01:00".into()]);
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

/// S1.31: the code is the signed token. A host's preview and an ended pass carry none.
#[test]
fn only_a_live_pass_of_the_visitor_carries_the_code() {
    let visitor = sample::visitor();
    let live = apple_pass(&visitor);
    assert_eq!(live.barcodes[0].message, visitor.qr_token.clone().expect("a token"));
    let preview = apple_pass(&VisitorPass { qr_token: None, web_service: None, ..visitor.clone() });
    let ended = apple_pass(&VisitorPass { voided: true, ..visitor });
    assert_eq!(ended.voided, Some(true));
    for pass in [preview, ended] {
        assert!(!String::from_utf8(pass.to_json()).expect("UTF-8").contains("VMS1:"));
        pass.check().expect("keeps Apple's rules");
    }
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
    let pass = apple_pass(&visitor);
    pass.check().expect("keeps Apple's rules");
    assert_eq!(pass.relevant_dates.len(), 3);
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
    let broken: [(&str, Damage); 12] = [
        ("serialNumber", |pass| pass.serial_number = "short".into()),
        ("authenticationToken", |pass| pass.authentication_token = None),
        ("webServiceURL", |pass| pass.web_service_url = Some("http://plain".into())),
        ("authenticationToken", |pass| pass.authentication_token = Some("short".into())),
        ("appLaunchURL", |pass| pass.app_launch_url = Some("vestibule:".into())),
        ("locations", |pass| pass.locations = vec![pass.locations[0].clone(); 11]),
        ("latitude", |pass| pass.locations[0].latitude = f64::NAN),
        ("relevantDates", |pass| {
            let end = pass.relevant_dates[0].end_date.as_mut().expect("an end");
            end.0 += TimeDelta::hours(21);
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

/// Keys and values that we do not know are kept: numbers, unknown styles' keys, dates without seconds.
#[test]
fn a_strangers_pass_loses_nothing() {
    let text = r##"{"formatVersion":1,"passTypeIdentifier":"pass.x","serialNumber":"1","teamIdentifier":"T",
        "organizationName":"O","description":"D","relevantDate":"2026-01-02T00:00-07:00","stripColor":"rgb(1,2,3)",
        "backgroundColor":"#1f4b99","sharing":{"x":[1,2.5,null]},"maxDistance":12.5,
        "boardingPass":{"transitType":"PKTransitTypeAir","primaryFields":[{"key":"n","value":42,"row":1,
        "numberStyle":"PKNumberStyleSpellOut"}]}}"##;
    let pass = Pass::from_json(text.as_bytes()).expect("reads");
    let again = json(&pass);
    assert_eq!(again["sharing"]["x"][1], 2.5);
    assert_eq!(again["boardingPass"]["primaryFields"][0]["row"], 1);
    assert_eq!(again["boardingPass"]["primaryFields"][0]["value"], 42);
    assert_eq!(again["boardingPass"]["transitType"], "PKTransitTypeAir");
    assert_eq!(again["relevantDate"], "2026-01-02T00:00:00-07:00");
    assert_eq!(again["backgroundColor"], "rgb(31, 75, 153)");
    assert_eq!(Pass::from_json(&pass.to_json()).expect("reads"), pass);
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
    assert_eq!(theirs.pass.barcodes[0].message, visitor.qr_token.expect("a token"));
    assert!(theirs.resources.len() >= 6, "icon and logo in three sizes");
}
