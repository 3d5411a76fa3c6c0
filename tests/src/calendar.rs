//! Calendar parts of mails, read by a library that is not the one that wrote them.

use calcard::icalendar::{ICalendar, ICalendarProperty, ICalendarValue};

/// What a calendar part says of its event, in the words of RFC 5545.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the properties their names say")]
pub struct Event {
    pub method: String,
    pub uid: String,
    pub sequence: i64,
    pub start: String,
    pub zone: String,
    pub has_time_zone: bool,
}

/// Reads the one event of a calendar.
pub fn event(text: &str) -> Event {
    let calendar = ICalendar::parse(text).unwrap_or_else(|error| panic!("not a calendar: {error:?}\n{text}"));
    let line = |name: &str| {
        text.replace("\r\n ", "").lines().rev().find_map(|line| {
            let (head, value) = line.split_once(':')?;
            (head.split(';').next() == Some(name)).then(|| (head.to_owned(), value.trim().to_owned()))
        })
    };
    let property = |name: ICalendarProperty| {
        calendar
            .components
            .iter()
            .find_map(|component| component.property(&name).and_then(|entry| entry.values.first()))
    };
    let uid = match property(ICalendarProperty::Uid) {
        Some(ICalendarValue::Text(uid)) => uid.clone(),
        other => panic!("an event has a UID: {other:?}"),
    };
    let sequence = match property(ICalendarProperty::Sequence) {
        Some(ICalendarValue::Integer(number)) => *number,
        other => panic!("an event has a SEQUENCE: {other:?}"),
    };
    let (start_head, start) = line("DTSTART").expect("an event has a DTSTART");
    let zone = start_head.split_once("TZID=").map(|(_, zone)| zone.trim_matches('"').to_owned()).unwrap_or_default();
    Event {
        method: line("METHOD").expect("an invitation has a METHOD").1,
        uid,
        sequence,
        start,
        zone,
        has_time_zone: text.contains("BEGIN:VTIMEZONE"),
    }
}
