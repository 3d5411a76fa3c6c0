//! Tests of reading other people's passes: whatever they hold comes out as it went in, and nothing they hold harms.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::wallet::sample;
use crate::wallet::visitor::apple_pass;

fn read(text: &str) -> Pass {
    Pass::from_json(text.as_bytes()).expect("reads")
}

fn again(pass: &Pass) -> Value {
    serde_json::from_slice(&pass.to_json()).expect("JSON")
}

/// A pass in which every object that we know stands at least once.
fn whole() -> Value {
    let place = json!({"latitude": 47.5, "longitude": 8, "altitude": 408, "relevantText": "here"});
    let semantics = json!({"eventName": "e", "venueLocation": place, "eventStartDate": "2027-02-10T22:00:00+01:00"});
    let field = json!({"key": "k", "label": "l", "value": 42, "numberStyle": "PKNumberStyleSpellOut", "row": 1,
        "textAlignment": "PKTextAlignmentLeft", "dataDetectorTypes": [], "semantics": semantics});
    let fields = json!({"headerFields": [field], "primaryFields": [field], "secondaryFields": [field],
        "auxiliaryFields": [field], "backFields": [field], "footerFields": [field],
        "additionalInfoFields": [field], "transitType": "PKTransitTypeAir"});
    let barcode = json!({"format": "PKBarcodeFormatQR", "message": "m", "messageEncoding": "utf-8", "altText": "a"});
    json!({"formatVersion": 1, "passTypeIdentifier": "pass.x", "serialNumber": "1", "teamIdentifier": "T",
        "organizationName": "O", "description": "D", "voided": false, "maxDistance": 12.5,
        "relevantDate": "2026-01-02T00:00:00.250-07:00", "userInfo": {"x": [null]},
        "relevantDates": [{"date": "2026-01-02T00:00:00Z"}], "locations": [place],
        "beacons": [{"proximityUUID": "u", "major": 1, "minor": 2, "relevantText": "r"}],
        "barcodes": [barcode], "barcode": barcode, "semantics": semantics,
        "nfc": {"message": "m", "encryptionPublicKey": "k", "requiresAuthentication": true},
        "backgroundColor": "rgb(1, 2, 3)", "foregroundColor": "rgba(1,2,3,0.5)", "labelColor": "sea green",
        "boardingPass": fields, "coupon": fields, "eventTicket": fields, "storeCard": fields, "generic": fields,
        "posterGeneric": fields})
}

/// How many objects there are in a value.
fn objects(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(objects).sum::<usize>(),
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

/// Puts a key into the object of that number.
fn put(value: &mut Value, number: &mut usize, key: &str, extra: &Value) {
    match value {
        Value::Object(map) => {
            for value in map.values_mut() {
                put(value, number, key, extra);
            }
            if *number == 0 {
                map.insert(key.to_owned(), extra.clone());
            }
            *number = number.wrapping_sub(1);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| put(item, number, key, extra)),
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| json!(f64::from(n) / 64.0)),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every object of a pass, however deep, keeps a key that we do not know.
#[test]
fn every_object_keeps_unknown_keys() {
    let whole = whole();
    assert_eq!(again(&read(&whole.to_string())), whole);
    for number in 0..objects(&whole) {
        let mut changed = whole.clone();
        let mut at = number;
        put(&mut changed, &mut at, "featuredThing", &json!({"deep": [1, {"deeper": null}]}));
        assert_ne!(changed, whole);
        assert_eq!(again(&read(&changed.to_string())), changed, "object {number}");
    }
}

proptest! {
    /// Reading and writing a stranger's pass loses nothing, wherever it holds what we do not know.
    #[test]
    fn a_strangers_pass_loses_nothing(
        extras in prop::collection::vec((any::<prop::sample::Index>(), "x[a-zA-Z ]{0,8}", any_json()), 1..6),
    ) {
        let mut pass = whole();
        for (at, key, extra) in extras {
            let mut number = at.index(objects(&pass));
            put(&mut pass, &mut number, &key, &extra);
        }
        let read = Pass::from_json(pass.to_string().as_bytes()).expect("reads");
        prop_assert_eq!(&again(&read), &pass);
        prop_assert_eq!(Pass::from_json(&read.to_json()).expect("reads"), read);
    }

    /// Whatever stands where a pass should, it is an error or a pass that can be checked and written.
    #[test]
    fn a_hostile_pass_does_no_harm(at in any::<prop::sample::Index>(), evil in any_json(), key in "[a-zA-Z]{1,20}") {
        let known = ["locations", "relevantDates", "barcode", "value", "key", "latitude", "date", "startDate",
            "backgroundColor", "major", "semantics", "message", "dateStyle", "generic"];
        let mut pass = whole();
        for key in known.iter().copied().chain([key.as_str()]) {
            let mut number = at.index(objects(&pass));
            put(&mut pass, &mut number, key, &evil);
        }
        if let Ok(pass) = Pass::from_json(pass.to_string().as_bytes()) {
            let _ = pass.check();
            again(&pass);
        }
    }

    #[test]
    fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
        let mut pass = whole().to_string().into_bytes();
        let at = cut.index(pass.len());
        pass.splice(at..pass.len().min(at + bytes.len() / 2), bytes.iter().copied());
        let _ = Pass::from_json(&pass);
        let _ = Pass::from_json(&bytes);
    }
}

/// Nesting without end is an error, and no overflow.
#[test]
fn endless_nesting_is_an_error() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"generic\":{{\"x\":{}1{}}}}}", open.repeat(100_000), close.repeat(100_000));
        assert!(Pass::from_json(deep.as_bytes()).is_err());
    }
}

/// What is about in the world: fields without a key or a value, codes without an encoding, `null` for what is not there.
#[test]
fn passes_that_break_the_rules_are_read() {
    let pass = read(
        r##"{"voided":null,"locations":null,"barcodes":[{"format":"PKBarcodeFormatQR","message":"m"}],
        "backgroundColor":"RGB(31,75,153)","foregroundColor":"#14b","labelColor":"rgba(31, 75, 153, .5)",
        "relevantDate":"2026-01-02T00:00-07:00","generic":{"headerFields":null,"primaryFields":[{"label":"l"},
        {"key":"a","value":true},{"value":null,"attributedValue":"x"}]}}"##,
    );
    assert_eq!(pass.background_color, Some(Color(31, 75, 153).into()));
    assert_eq!(pass.foreground_color, Some(Color(0x11, 0x44, 0xbb).into()));
    assert_eq!(pass.label_color.as_ref().and_then(PassColor::color), Some(Color(31, 75, 153)));
    let again = again(&pass);
    assert_eq!(again["labelColor"], "rgba(31, 75, 153, .5)");
    assert_eq!(again["barcodes"][0], json!({"format": "PKBarcodeFormatQR", "message": "m"}));
    assert_eq!(again["relevantDate"], "2026-01-02T00:00:00-07:00");
    let fields = &again["generic"]["primaryFields"];
    assert_eq!(*fields, json!([{"label": "l"}, {"key": "a", "value": true}, {"attributedValue": "x"}]));
}

/// Our own passes say nothing that is not for their style.
#[test]
fn our_pass_holds_no_group() {
    assert!(again(&apple_pass(&sample::visitor())).get("groupingIdentifier").is_none());
}
