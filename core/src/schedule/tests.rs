//! S1.25: timings are date, start and end, in the site's civil time.

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

use super::*;
use crate::zone::sample::{names, zone, zurich};

fn schedule(text: &str) -> Schedule {
    text.parse().expect("a schedule")
}

fn utc(text: &str, zone: &Zone) -> String {
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
    assert_eq!(gap.resolve(&zurich()), Err(ScheduleError::NoSuchTime(Bound::Start)));
    let to_gap = schedule("2027-03-28T01:30/2027-03-28T02:00");
    assert_eq!(to_gap.resolve(&zurich()), Err(ScheduleError::NoSuchTime(Bound::End)));
    assert_eq!(utc("2027-03-28T03:00", &zurich()), "28T01:00");
    assert_eq!(utc("2027-10-31T02:30", &zurich()), "31T00:30");
    assert_eq!(utc("2027-10-31T02:30*", &zurich()), "31T01:30");
    assert_eq!(utc("2027-11-07T01:30*", &zone("America/New_York")), "07T06:30");
    assert_eq!(utc("2027-04-04T01:45*", &zone("Australia/Lord_Howe")), "03T15:15", "Lord Howe moves by half an hour");
    assert_eq!(schedule("2027-02-10T22:00*").canonical(&zurich()), schedule("2027-02-10T22:00"));
    assert_eq!(schedule("2027-10-31T02:30*").canonical(&zurich()), schedule("2027-10-31T02:30*"));
}

/// The end is after the start as an instant, not as a clock: both orders of the repeated hour.
#[test]
fn the_end_comes_after_the_start() {
    let resolve = |text| schedule(text).resolve(&zurich());
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
    let say = |text, zone: &Zone| schedule(text).describe(zone).expect("resolves").to_string();
    assert_eq!(
        say("2027-02-10T22:00/2027-02-11T02:00", &zurich()),
        "Wednesday 10 February 2027, 22:00–02:00 (+1 day), Zurich time (UTC+1)"
    );
    assert_eq!(say("2027-07-01T09:00", &zone("Asia/Kolkata")), "Thursday 1 July 2027, 09:00, Kolkata time (UTC+5:30)");
    assert_eq!(
        say("2027-07-01T09:00/2027-07-03T18:00", &zone("America/Argentina/Buenos_Aires")),
        "Thursday 1 July 2027, 09:00 – Saturday 3 July 2027, 18:00, Buenos Aires time (UTC-3)"
    );
    assert_eq!(
        say("2027-10-31T02:45/2027-10-31T02:30*", &zurich()),
        "Sunday 31 October 2027, 02:45 (UTC+2)–02:30 (UTC+1), Zurich time"
    );
    assert_eq!(say("2027-07-01T09:00", &Zone::utc()), "Thursday 1 July 2027, 09:00, UTC");
    assert_eq!(say("2027-07-01T09:00", &zone("Etc/GMT+5")), "Thursday 1 July 2027, 09:00, UTC-5");
}

/// A list says on which day a visit ends wherever that is another one, and which of two hours is meant.
#[test]
fn lists_say_when_a_visit_ends() {
    let say = |text: &str, zone: &Zone| {
        let times = schedule(text).resolve(zone).expect("resolves");
        brief(times.start, times.end, zone)
    };
    let zurich = zurich();
    for (text, said) in [
        ("2027-02-10T09:00/2027-02-10T17:00", "Wed 2027-02-10 09:00–17:00"),
        ("2027-02-10T09:00/2027-02-19T17:00", "Wed 2027-02-10 09:00 – Fri 2027-02-19 17:00"),
        ("2027-02-10T09:00/2027-02-17T17:00", "Wed 2027-02-10 09:00 – Wed 2027-02-17 17:00"),
        ("2027-02-10T22:00/2027-02-11T02:00", "Wed 2027-02-10 22:00 – Thu 2027-02-11 02:00"),
        ("2026-12-31T22:00/2027-01-01T02:00", "Thu 2026-12-31 22:00 – Fri 2027-01-01 02:00"),
        ("2027-02-10T22:00/2027-02-11T00:00", "Wed 2027-02-10 22:00 – Thu 2027-02-11 00:00"),
        ("2027-02-10T09:00", "Wed 2027-02-10 09:00"),
        ("2027-10-31T02:30", "Sun 2027-10-31 02:30 (UTC+2)"),
        ("2027-10-31T02:30*", "Sun 2027-10-31 02:30 (UTC+1)"),
        ("2027-10-31T02:45/2027-10-31T02:30*", "Sun 2027-10-31 02:45 (UTC+2)–02:30 (UTC+1)"),
        ("2027-10-31T01:30/2027-10-31T03:30", "Sun 2027-10-31 01:30 (UTC+2)–03:30 (UTC+1)"),
        ("2027-10-30T23:00/2027-10-31T02:30*", "Sat 2027-10-30 23:00 (UTC+2) – Sun 2027-10-31 02:30 (UTC+1)"),
        ("2027-10-31T09:00/2027-10-31T10:00", "Sun 2027-10-31 09:00–10:00"),
        ("2027-10-25T09:00/2027-11-02T10:00", "Mon 2027-10-25 09:00 – Tue 2027-11-02 10:00"),
    ] {
        assert_eq!(say(text, &zurich), said);
    }
    assert_eq!(say("2027-04-04T01:45*", &zone("Australia/Lord_Howe")), "Sun 2027-04-04 01:45 (UTC+10:30)");
}

/// A pass has the day in another field: the time says how many days later, or on which day, it ends.
#[test]
fn clocks_below_a_date() {
    let say = |text: &str| {
        let times = schedule(text).resolve(&zurich()).expect("resolves");
        clocks(times.start, times.end, &zurich())
    };
    assert_eq!(say("2027-02-10T09:00/2027-02-10T17:00"), "09:00 – 17:00");
    assert_eq!(say("2027-02-10T22:00/2027-02-11T02:00"), "22:00 – 02:00 (+1 day)");
    assert_eq!(say("2027-02-10T09:00/2027-02-19T17:00"), "09:00 – Fri 19 Feb, 17:00");
    assert_eq!(say("2026-12-28T09:00/2027-01-08T17:00"), "09:00 – Fri 8 Jan 2027, 17:00");
    assert_eq!(say("2027-10-31T02:45/2027-10-31T02:30*"), "02:45 (UTC+2) – 02:30 (UTC+1)");
}

/// An invitation without a date says on which days and in which hours it is good, and no day on which it is not.
#[test]
fn an_invitation_without_a_date_says_until_when() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
    let say = |from, until, hours, zone: &Zone| validity(at(from), at(until), hours, zone).to_string();
    let (hours, zurich) = (Some((420, 1_140)), zurich());
    for (from, until, said) in [
        ("2026-11-27T13:03:00Z", "2026-12-27T18:00:00Z", "27 Nov – 27 Dec 2026, 07:00–19:00, Zurich time (UTC+1)"),
        ("2026-11-27T20:03:00Z", "2026-12-27T18:00:00Z", "28 Nov – 27 Dec 2026, 07:00–19:00, Zurich time (UTC+1)"),
        ("2026-12-10T03:00:00Z", "2027-01-09T18:00:00Z", "10 Dec 2026 – 9 Jan 2027, 07:00–19:00, Zurich time (UTC+1)"),
        ("2027-03-01T09:00:00Z", "2027-03-31T17:00:00Z", "1 Mar – 31 Mar 2027, 07:00–19:00, Zurich time"),
        ("2027-03-01T09:00:00Z", "2027-03-01T18:00:00Z", "1 Mar 2027, 07:00–19:00, Zurich time (UTC+1)"),
    ] {
        assert_eq!(say(from, until, hours, &zurich), said);
    }
    let all_day = say("2026-11-27T13:03:00Z", "2026-12-27T23:00:00Z", None, &zurich);
    assert_eq!(all_day, "27 Nov – 27 Dec 2026, any time, Zurich time (UTC+1)");
    let kathmandu = say("2026-11-27T13:03:00Z", "2026-12-27T12:15:00Z", Some((540, 1_080)), &zone("Asia/Kathmandu"));
    assert_eq!(kathmandu, "28 Nov – 27 Dec 2026, 09:00–18:00, Kathmandu time (UTC+5:45)");
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
            let _ = schedule.describe(&zurich());
        }
    }

    /// Every minute of a century is shown by the clock of every zone as a civil time that means that minute.
    #[test]
    fn an_instant_is_found_by_what_the_clock_shows(minute in 0..52_560_000i64, zone in proptest::sample::select(names())) {
        let zone = crate::zone::sample::zone(zone);
        let instant = DateTime::from_timestamp(946_684_800 + minute * 60, 0).expect("in this century");
        let shown = CivilTime::at(instant, &zone).expect("a year of four digits");
        prop_assert!(shown.date().year() >= 1999);
        prop_assert_eq!(shown.instant(&zone), Some(instant));
    }
}
