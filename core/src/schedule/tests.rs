//! S1.25: timings are date, start and end, in the site's civil time.

use chrono::{Datelike, NaiveDate};
use chrono_tz::{America, Asia, Australia, Europe, Tz};
use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    text.parse().expect("a schedule")
}

fn utc(text: &str, zone: Tz) -> String {
    schedule(text).resolve(zone).map_or_else(|e| e.to_string(), |at| at.start.format("%dT%H:%M").to_string())
}

/// S1.25: the text form, and nothing else, is read.
#[test]
fn the_text_form_is_strict() {
    for text in ["2027-02-10T22:00/2027-02-11T02:00", "2027-02-10T22:00", "2027-10-31T02:30*/2027-10-31T02:45*"] {
        assert_eq!(schedule(text).to_string(), text);
        assert!(text.len() <= MAX_CHARS);
    }
    for bad in [
        "",
        "/",
        "2027-02-10",
        "2027-02-10 22:00",
        "2027-02-10T22:00Z",
        "2027-02-10T22:00:00",
        "2027-02-10T24:00",
        "2027-02-30T22:00",
        "2027-2-10T22:00",
        "+027-02-10T22:00",
        "0999-02-10T22:00",
        "2027-02-10T22:00/",
        "2027-02-10T22:00/02:00",
        "2027-02-10T22:00**",
        "2027-02-10T22:00/2027-02-11T02:00/2027-02-11T02:00",
        " 2027-02-10T22:00",
        "２027-02-10T22:00",
    ] {
        assert_eq!(bad.parse::<Schedule>(), Err(ScheduleError::Malformed), "{bad}");
    }
}

/// A time that does not exist is refused; a repeated hour means the first unless the schedule says the second.
#[test]
fn clock_changes() {
    let gap = schedule("2027-03-28T02:30");
    assert_eq!(gap.resolve(Europe::Zurich), Err(ScheduleError::NoSuchTime(Bound::Start)));
    let to_gap = schedule("2027-03-28T01:30/2027-03-28T02:00");
    assert_eq!(to_gap.resolve(Europe::Zurich), Err(ScheduleError::NoSuchTime(Bound::End)));
    assert_eq!(utc("2027-03-28T03:00", Europe::Zurich), "28T01:00");
    assert_eq!(utc("2027-10-31T02:30", Europe::Zurich), "31T00:30");
    assert_eq!(utc("2027-10-31T02:30*", Europe::Zurich), "31T01:30");
    assert_eq!(utc("2027-11-07T01:30*", America::New_York), "07T06:30");
    assert_eq!(utc("2027-04-04T01:45*", Australia::Lord_Howe), "03T15:15", "Lord Howe moves by half an hour");
    assert_eq!(schedule("2027-02-10T22:00*").canonical(Europe::Zurich), schedule("2027-02-10T22:00"));
    assert_eq!(schedule("2027-10-31T02:30*").canonical(Europe::Zurich), schedule("2027-10-31T02:30*"));
}

/// The end is after the start as an instant, not as a clock: both orders of the repeated hour.
#[test]
fn the_end_comes_after_the_start() {
    let resolve = |text| schedule(text).resolve(Europe::Zurich);
    assert_eq!(resolve("2027-02-10T22:00/2027-02-10T02:00"), Err(ScheduleError::EndBeforeStart));
    assert_eq!(resolve("2027-02-10T22:00/2027-02-10T22:00"), Err(ScheduleError::EndBeforeStart));
    assert_eq!(resolve("2027-10-31T02:30*/2027-10-31T02:45"), Err(ScheduleError::EndBeforeStart));
    assert!(resolve("2027-10-31T02:45/2027-10-31T02:30*").is_ok(), "45 minutes, though the clock goes backwards");
    assert!(resolve("2027-02-10T22:00/2027-03-13T22:00").is_ok());
    assert_eq!(resolve("2027-02-10T22:00/2027-03-13T22:01"), Err(ScheduleError::TooLong));
}

/// A mail says the zone, and the offsets where they change.
#[test]
fn wording() {
    let say = |text, zone| schedule(text).describe(zone).expect("resolves").to_string();
    assert_eq!(
        say("2027-02-10T22:00/2027-02-11T02:00", Europe::Zurich),
        "Wednesday 10 February 2027, 22:00–02:00 (+1 day), Zurich time (UTC+1)"
    );
    assert_eq!(say("2027-07-01T09:00", Asia::Kolkata), "Thursday 1 July 2027, 09:00, Kolkata time (UTC+5:30)");
    assert_eq!(
        say("2027-07-01T09:00/2027-07-03T18:00", America::Argentina::Buenos_Aires),
        "Thursday 1 July 2027, 09:00 – Saturday 3 July 2027, 18:00, Buenos Aires time (UTC-3)"
    );
    assert_eq!(
        say("2027-10-31T02:45/2027-10-31T02:30*", Europe::Zurich),
        "Sunday 31 October 2027, 02:45 (UTC+2)–02:30 (UTC+1), Zurich time"
    );
    assert_eq!(say("2027-07-01T09:00", Tz::UTC), "Thursday 1 July 2027, 09:00, UTC");
    assert_eq!(say("2027-07-01T09:00", Tz::Etc__GMTPlus5), "Thursday 1 July 2027, 09:00, UTC-5");
}

#[test]
fn serde_and_cbor_carry_the_text() {
    let schedule = schedule("2027-10-31T02:30*");
    assert_eq!(serde_json::to_string(&schedule).expect("serialises"), "\"2027-10-31T02:30*\"");
    assert!(serde_json::from_str::<Schedule>("\"tomorrow\"").is_err());
    let bytes = minicbor::to_vec(schedule).expect("encodes");
    assert_eq!(minicbor::decode::<Schedule>(&bytes).expect("decodes"), schedule);
}

fn civil() -> impl Strategy<Value = CivilTime> {
    (1000..=9999i32, 1..=366u32, 0..24u32, 0..60u32, any::<bool>())
        .prop_filter_map("a day", |(y, d, h, m, second)| CivilTime::new(NaiveDate::from_yo_opt(y, d)?, h, m, second))
}

proptest! {
    #[test]
    fn every_schedule_prints_and_parses_back(start in civil(), end in proptest::option::of(civil())) {
        let schedule = end.map_or(Schedule::Arrival(start), |end| Schedule::Window { start, end });
        let text = schedule.to_string();
        prop_assert!(text.chars().count() <= MAX_CHARS);
        prop_assert_eq!(text.parse::<Schedule>(), Ok(schedule));
    }

    #[test]
    fn no_text_panics(text in ".{0,40}|[0-9T:/*-]{0,40}") {
        if let Ok(schedule) = text.parse::<Schedule>() {
            prop_assert_eq!(schedule.to_string(), text);
            let _ = schedule.describe(Europe::Zurich);
        }
    }

    /// Every minute of a century is shown by the clock of every zone as a civil time that means that minute.
    #[test]
    fn an_instant_is_found_by_what_the_clock_shows(minute in 0..52_560_000i64, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
        let zone = chrono_tz::TZ_VARIANTS[zone];
        let instant = DateTime::from_timestamp(946_684_800 + minute * 60, 0).expect("in this century");
        let shown = CivilTime::at(instant, zone).expect("a year of four digits");
        prop_assert!(shown.date().year() >= 1999);
        prop_assert_eq!(shown.instant(zone), Some(instant));
    }
}
