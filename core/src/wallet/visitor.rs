//! What a visitor's pass says, and the Apple pass made of it.
//!
//! The hub fills a [`VisitorPass`] for the visitor; a host's phone fills one as a preview to show what the visitor will
//! see. What it is good for, and why it has no code where it has none, is its [`Admission`]. A PIN or a note has no place
//! in it. On the front: the date, the visitor's full name, site and time, host and space; on the back what helps to
//! arrive, and that this is a convenience pass (S1.32, S1.36).

use chrono::{DateTime, NaiveTime, Utc};
use serde_json::json;

use super::admission::Admission;
use super::apple::{Barcode, Color, DateStyle, Field, Fields, Location, Pass, PassDate, RelevantDate, Semantics};
use super::apple_check::MAX_RELEVANT;
use super::images::BRAND;
use crate::schedule::clocks;
use crate::visit::full_name;
use crate::zone::Zone;

/// What the pass is not (S1.32, S1.36).
pub const NOTICE: &str = "This is a convenience pass, not a security credential.";
/// Where the visitor waits and who collects them (S4.22–S4.24).
pub const WAITING: &str =
    "Please wait in the lobby or at reception; your host will meet you there. Visitors are accompanied.";
/// The words below the code.
pub const SHOW_CODE: &str = "Show this code at reception";

const NOON: NaiveTime = NaiveTime::from_hms_opt(12, 0, 0).expect("there is a noon");
/// Between the parts of a pass's one line.
pub(super) const SEPARATOR: &str = " · ";
/// How near the site is near: its lock-screen offer begins here.
const NEAR_METRES: u32 = 500;
/// The most stretches of a day each that a long window is offered on the lock screen.
const MAX_STRETCHES: usize = 31;

/// The time of a scheduled visit, as instants. With both ends equal it is one arrival time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// When it ends; not before `from`.
    pub to: DateTime<Utc>,
}

/// The updates of a pass: where a device asks, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebService {
    /// The web service's address, https.
    pub url: String,
    /// The token of this delivery, at least 16 characters, the same for as long as the delivery lives.
    pub token: String,
}

/// Everything a visitor's pass says. Texts are shown as they were typed.
#[derive(Debug, Clone, PartialEq)]
pub struct VisitorPass {
    /// The organisation, as people know it.
    pub organisation_name: String,
    /// The pass's serial number: at least 16 characters of `A-Za-z0-9._-`, one per delivery.
    pub serial: String,
    /// Apple's pass type identifier.
    pub pass_type_identifier: String,
    /// Apple's team identifier.
    pub team_identifier: String,
    /// How the pass is updated; none on a preview.
    pub web_service: Option<WebService>,
    /// The visitor's first name, as typed.
    pub first_name: Option<String>,
    /// The visitor's last name, as typed.
    pub last_name: Option<String>,
    /// The visitor's company.
    pub company: Option<String>,
    /// Who receives the visitor.
    pub host_name: String,
    /// The site.
    pub site_name: String,
    /// Its postal address, lines and all.
    pub site_address: Option<String>,
    /// Where it is: degrees north and east.
    pub site_location: Option<(f64, f64)>,
    /// The space within the site.
    pub space_name: Option<String>,
    /// The site's time zone: every time on the pass is the site's.
    pub zone: Zone,
    /// When the visit is; `None` for an unscheduled one, which then shows `schedule_text` alone.
    pub window: Option<Window>,
    /// The time in words, as the mail says it: "Wednesday, 10 February 2027, 22:00 to 02:00".
    pub schedule_text: String,
    /// What kind of visitor: "Visitor", "Contractor".
    pub visit_type_name: String,
    /// What the pass is good for.
    pub admission: Admission,
    /// From when on the visitor is let in: earlier than the visit begins, for who comes early.
    pub valid_from: DateTime<Utc>,
    /// When the pass ends by itself.
    pub expires: DateTime<Utc>,
}

impl VisitorPass {
    /// The visitor's name ([`full_name`]), or what kind of visitor it is.
    pub fn full_name(&self) -> String {
        let full = full_name(self.first_name.as_deref(), self.last_name.as_deref());
        if full.is_empty() { self.visit_type_name.clone() } else { full }
    }

    /// One sentence for screen readers: "Visitor pass for Example AG, Zürich".
    pub(super) fn description(&self) -> String {
        let place = [self.organisation_name.as_str(), &self.site_name].map(str::trim);
        let place = place.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
        let ended = if self.admission.is_void() { ": not valid" } else { "" };
        format!("Visitor pass for {place}{ended}")
    }

    /// Day, time, site and host in one line: "10.02.2027 09:00–11:30 · Zürich · Ada Keller".
    pub(super) fn summary(&self) -> String {
        let when = match self.window {
            None => self.schedule_text.clone(),
            Some(Window { from, to }) => {
                let (from, to) = (self.local(from).0, self.local(to).0);
                let start = from.format("%d.%m.%Y %H:%M");
                if from == to {
                    start.to_string()
                } else if from.date_naive() == to.date_naive() {
                    format!("{start}–{}", to.format("%H:%M"))
                } else {
                    format!("{start} – {}", to.format("%d.%m.%Y %H:%M"))
                }
            }
        };
        let parts = [when.as_str(), &self.site_name, &self.host_name].map(str::trim);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(SEPARATOR)
    }

    /// An instant in the site's zone.
    pub(super) fn local(&self, instant: DateTime<Utc>) -> PassDate {
        PassDate(instant.with_timezone(&self.zone).fixed_offset())
    }

    /// The day of an instant in the site's zone, as noon without a zone: another hour of the same day is no other value,
    /// which would be read out.
    fn day(&self, instant: DateTime<Utc>) -> PassDate {
        let noon = self.local(instant).0.date_naive().and_time(NOON);
        PassDate(noon.and_utc().fixed_offset())
    }

    /// `22:00 – 02:00 (+1 day)`, `09:00 – Fri 19 Feb, 17:00`, or the time in words.
    pub(super) fn time_text(&self) -> String {
        let Some(Window { from, to }) = self.window else {
            return self.schedule_text.clone();
        };
        clocks(from, (from != to).then_some(to), &self.zone)
    }
}

/// The Apple pass of a visitor: `generic`, and the same as a poster for iOS 27 and later.
///
/// Apple's rules are checked when the pass goes into a package ([`Pass::check`]).
pub fn apple_pass(visitor: &VisitorPass) -> Pass {
    let (service_url, token) = match &visitor.web_service {
        Some(WebService { url, token }) => (Some(url.clone()), Some(token.clone())),
        None => (None, None),
    };
    let place = visitor.site_location.and_then(|(latitude, longitude)| Location::new(latitude, longitude));
    // Wallet offers a pass of this style by date and place together; a dead pass offers itself to nobody.
    let offered = place.as_ref().filter(|_| !visitor.admission.is_void()).map(|place| Location {
        relevant_text: Some(format!("{}: show your pass at reception", visitor.site_name)),
        ..place.clone()
    });
    let relevant_dates = if offered.is_some() { relevant_dates(visitor) } else { Vec::new() };
    let front = Front::of(visitor);
    let is_preview = matches!(visitor.admission, Admission::Preview { .. });
    Pass {
        format_version: 1,
        pass_type_identifier: visitor.pass_type_identifier.clone(),
        serial_number: visitor.serial.clone(),
        team_identifier: visitor.team_identifier.clone(),
        organization_name: visitor.organisation_name.clone(),
        description: visitor.description(),
        web_service_url: service_url,
        authentication_token: token,
        expiration_date: Some(visitor.local(visitor.expires)),
        voided: visitor.admission.is_void().then_some(true),
        sharing_prohibited: Some(true),
        relevant_date: relevant_dates.first().and_then(|stretch| stretch.start_date),
        relevant_dates,
        max_distance: offered.as_ref().map(|_| NEAR_METRES.into()),
        semantics: Some(semantics(visitor, place)),
        locations: offered.into_iter().collect(),
        barcodes: visitor.admission.code().map(|code| Barcode::qr(code, SHOW_CODE)).into_iter().collect(),
        background_color: Some(BRAND.into()),
        foreground_color: Some(Color(255, 255, 255).into()),
        label_color: Some(Color(0xc9, 0xd8, 0xf2).into()),
        logo_text: Some(visitor.organisation_name.clone()),
        user_info: Some(json!({ "kind": "visitor", "preview": is_preview })),
        generic: Some(front.clone().generic(visitor)),
        poster_generic: Some(front.poster(visitor)),
        ..Pass::default()
    }
}

/// The fields of the front, which the two styles place differently.
#[derive(Clone)]
struct Front {
    date: Option<Field>,
    name: Field,
    site: Option<Field>,
    time: Option<Field>,
    host: Option<Field>,
    space: Option<Field>,
    /// Why there is no code.
    instead: Option<Field>,
}

impl Front {
    fn of(visitor: &VisitorPass) -> Self {
        let date = visitor.window.map(|window| {
            Field::new("date", "Date", visitor.day(window.from))
                .dated(DateStyle::Medium, DateStyle::None)
                .announced("Your visit is now on %@")
        });
        let label = if visitor.window.is_some() { "Time" } else { "When" };
        // An empty text is no field: nothing is read out when one goes.
        let field = |key: &str, label: &str, text: &str, message: &str| {
            (!text.trim().is_empty()).then(|| Field::new(key, label, text).announced(message))
        };
        let words = || visitor.admission.words(&visitor.organisation_name);
        let space = visitor.space_name.as_deref().unwrap_or_default();
        Self {
            date,
            name: Field::new("name", &visitor.visit_type_name, visitor.full_name()),
            site: field("site", "Site", &visitor.site_name, "Your visit is now at %@"),
            time: field("time", label, &visitor.time_text(), "The time of your visit is now %@"),
            host: field("host", "Host", &visitor.host_name, "Your host is now %@"),
            space: field("space", "Where", space, "Your visit is now in %@"),
            instead: visitor.admission.code().is_none().then(|| Field::new("instead", "Check-in", words())),
        }
    }

    fn generic(self, visitor: &VisitorPass) -> Fields {
        Fields {
            header_fields: self.date.into_iter().collect(),
            primary_fields: vec![self.name],
            secondary_fields: [self.site, self.time].into_iter().flatten().collect(),
            auxiliary_fields: [self.host, self.space, self.instead].into_iter().flatten().collect(),
            back_fields: back(visitor),
            ..Fields::default()
        }
    }

    /// A poster shows one header field, four primary ones and one at the foot; more stands below it.
    fn poster(self, visitor: &VisitorPass) -> Fields {
        Fields {
            header_fields: self.date.into_iter().collect(),
            primary_fields: [Some(self.name), self.time, self.site, self.host].into_iter().flatten().collect(),
            footer_fields: self.space.into_iter().collect(),
            additional_info_fields: self.instead.into_iter().collect(),
            back_fields: back(visitor),
            ..Fields::default()
        }
    }
}

fn back(visitor: &VisitorPass) -> Vec<Field> {
    let admission = Field::new("admission", "Check-in", visitor.admission.words(&visitor.organisation_name));
    let address = [visitor.site_name.as_str(), visitor.site_address.as_deref().unwrap_or_default()];
    let directions = address.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    let texts = [
        ("when", "When", visitor.schedule_text.as_str()),
        ("your_host", "Your host", visitor.host_name.as_str()),
        ("company", "Your company", visitor.company.as_deref().unwrap_or_default()),
        ("directions", "Directions", directions.as_str()),
    ];
    let texts = texts.into_iter().filter(|(_, _, text)| !text.trim().is_empty());
    let mut fields = vec![if visitor.admission.is_announced() { admission.announced("%@") } else { admission }];
    fields.extend(texts.map(|(key, label, text)| Field::new(key, label, text)));
    if let Some((latitude, longitude)) = visitor.site_location {
        let url = format!("https://maps.apple.com/?ll={latitude},{longitude}");
        let link = format!("<a href='{url}'>Open the map</a>");
        fields.push(Field { attributed_value: Some(link), ..Field::new("map", "Map", url) });
    }
    fields.push(Field::new("waiting", "When you arrive", WAITING));
    fields.push(Field::new("notice", "About this pass", NOTICE));
    fields
}

/// From when on the visitor is let in until the pass ends, in stretches of at most a day. A visit without a time is
/// offered by its place alone.
fn relevant_dates(visitor: &VisitorPass) -> Vec<RelevantDate> {
    let mut from = visitor.valid_from;
    let mut stretches = Vec::new();
    while visitor.window.is_some() && from < visitor.expires && stretches.len() < MAX_STRETCHES {
        let end = from.checked_add_signed(MAX_RELEVANT).map_or(visitor.expires, |day| day.min(visitor.expires));
        let (start_date, end_date) = (Some(visitor.local(from)), Some(visitor.local(end)));
        stretches.push(RelevantDate { start_date, end_date, ..RelevantDate::default() });
        from = end;
    }
    stretches
}

fn semantics(visitor: &VisitorPass, venue_location: Option<Location>) -> Semantics {
    Semantics {
        event_name: Some(format!("Visit to {}", visitor.organisation_name)),
        event_start_date: visitor.window.map(|window| visitor.local(window.from)),
        event_end_date: visitor.window.map(|window| visitor.local(window.to)),
        venue_name: Some(visitor.site_name.clone()).filter(|name| !name.is_empty()),
        venue_location,
        venue_room: visitor.space_name.clone(),
        ..Semantics::default()
    }
}

#[cfg(test)]
#[path = "visitor_tests.rs"]
mod tests;
