//! What a visitor's pass says, and the Apple pass made of it.
//!
//! The hub fills a [`VisitorPass`] for the visitor (with the QR token); a host's phone fills one without a token to show
//! what the visitor will see. A PIN or a note has no place in it. On the front: the date, the visitor's full name, site
//! and time, host and space; on the back what helps to arrive, and that this is a convenience pass (S1.32, S1.36).

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::apple::{Barcode, Color, DateStyle, Field, Fields, Location, Pass, PassDate, RelevantDate, Semantics};
use super::apple_check::MAX_RELEVANT;
use super::images::BRAND;
use crate::schedule::clocks;
use crate::zone::Zone;

/// What the pass is not (S1.32, S1.36).
pub const NOTICE: &str = "This is a convenience pass, not a security credential.";
/// Where the visitor waits and who collects them (S4.22–S4.24).
pub const WAITING: &str =
    "Please wait in the lobby or at reception; your host will meet you there. Visitors are accompanied.";
/// The words below the code.
pub const SHOW_CODE: &str = "Show this code at reception";
/// What a host sees in place of the code.
pub const PREVIEW: &str = "This is a preview. Only the visitor's own pass carries the code.";

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
    /// One sentence for screen readers: "Visitor pass for Example AG, Zürich".
    pub description: String,
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
    /// The signed QR token; `None` on a host's preview, which shows no code.
    pub qr_token: Option<String>,
    /// Whether the pass has been ended: no code any more.
    pub voided: bool,
    /// When the pass ends by itself.
    pub expires: DateTime<Utc>,
}

impl VisitorPass {
    /// Both names as typed, or the one there is.
    pub fn full_name(&self) -> String {
        let names = [&self.first_name, &self.last_name].into_iter().flatten().map(|name| name.trim());
        let full = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        if full.is_empty() { self.visit_type_name.clone() } else { full }
    }

    /// The code to show: none on a preview, none when the pass has been ended.
    pub fn code(&self) -> Option<&str> {
        self.qr_token.as_deref().filter(|_| !self.voided)
    }

    /// An instant in the site's zone.
    pub(super) fn local(&self, instant: DateTime<Utc>) -> PassDate {
        PassDate(instant.with_timezone(&self.zone).fixed_offset())
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
    let place = visitor.site_location.map(|(latitude, longitude)| Location {
        latitude,
        longitude,
        altitude: None,
        relevant_text: Some(format!("{}: show your pass at reception", visitor.site_name)),
    });
    let front = Front::of(visitor);
    Pass {
        format_version: 1,
        pass_type_identifier: visitor.pass_type_identifier.clone(),
        serial_number: visitor.serial.clone(),
        team_identifier: visitor.team_identifier.clone(),
        organization_name: visitor.organisation_name.clone(),
        description: visitor.description.clone(),
        web_service_url: service_url,
        authentication_token: token,
        expiration_date: Some(visitor.local(visitor.expires)),
        voided: visitor.voided.then_some(true),
        sharing_prohibited: Some(true),
        relevant_date: visitor.window.map(|window| visitor.local(window.from)),
        relevant_dates: relevant_dates(visitor),
        max_distance: place.as_ref().map(|_| NEAR_METRES.into()),
        semantics: Some(semantics(visitor, place.as_ref())),
        locations: place.into_iter().collect(),
        barcodes: visitor.code().map(|code| Barcode::qr(code, SHOW_CODE)).into_iter().collect(),
        background_color: Some(BRAND),
        foreground_color: Some(Color(255, 255, 255)),
        label_color: Some(Color(0xc9, 0xd8, 0xf2)),
        logo_text: Some(visitor.organisation_name.clone()),
        grouping_identifier: Some(format!("{}.visits", visitor.pass_type_identifier)),
        user_info: Some(json!({ "kind": "visitor", "preview": visitor.qr_token.is_none() })),
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
    site: Field,
    time: Field,
    host: Field,
    space: Option<Field>,
}

impl Front {
    fn of(visitor: &VisitorPass) -> Self {
        let date = visitor.window.map(|window| {
            Field::new("date", "Date", visitor.local(window.from))
                .dated(DateStyle::Medium, DateStyle::None)
                .announced("Your visit is now on %@")
        });
        let label = if visitor.window.is_some() { "Time" } else { "When" };
        let space = visitor.space_name.as_deref().filter(|name| !name.is_empty());
        Self {
            date,
            name: Field::new("name", &visitor.visit_type_name, visitor.full_name()),
            site: Field::new("site", "Site", visitor.site_name.as_str()).announced("Your visit is now at %@"),
            time: Field::new("time", label, visitor.time_text()).announced("The time of your visit is now %@"),
            host: Field::new("host", "Host", visitor.host_name.as_str()).announced("Your host is now %@"),
            space: space.map(|name| Field::new("space", "Where", name).announced("Your visit is now in %@")),
        }
    }

    fn generic(self, visitor: &VisitorPass) -> Fields {
        Fields {
            header_fields: self.date.into_iter().collect(),
            primary_fields: vec![self.name],
            secondary_fields: vec![self.site, self.time],
            auxiliary_fields: [Some(self.host), self.space].into_iter().flatten().collect(),
            back_fields: back(visitor),
            ..Fields::default()
        }
    }

    /// A poster shows one header field, four primary ones and one at the foot.
    fn poster(self, visitor: &VisitorPass) -> Fields {
        Fields {
            header_fields: self.date.into_iter().collect(),
            primary_fields: vec![self.name, self.time, self.site, self.host],
            footer_fields: self.space.into_iter().collect(),
            back_fields: back(visitor),
            ..Fields::default()
        }
    }
}

fn back(visitor: &VisitorPass) -> Vec<Field> {
    let mut fields = vec![
        Field::new("when", "When", visitor.schedule_text.as_str()),
        Field::new("your_host", "Your host", visitor.host_name.as_str()),
    ];
    if let Some(company) = visitor.company.as_deref().filter(|company| !company.is_empty()) {
        fields.push(Field::new("company", "Your company", company));
    }
    let address = visitor.site_address.as_deref().filter(|address| !address.is_empty());
    let directions = [Some(visitor.site_name.as_str()), address].into_iter().flatten().collect::<Vec<_>>().join("\n");
    fields.push(Field::new("directions", "Directions", directions));
    if let Some((latitude, longitude)) = visitor.site_location {
        let url = format!("https://maps.apple.com/?ll={latitude},{longitude}");
        let link = format!("<a href='{url}'>Open the map</a>");
        fields.push(Field { attributed_value: Some(link), ..Field::new("map", "Map", url) });
    }
    fields.push(Field::new("waiting", "When you arrive", WAITING));
    fields.push(Field::new("notice", "About this pass", NOTICE));
    if visitor.qr_token.is_none() {
        fields.push(Field::new("preview", "Preview", PREVIEW));
    }
    fields
}

/// The window in stretches of at most a day.
fn relevant_dates(visitor: &VisitorPass) -> Vec<RelevantDate> {
    let Some(Window { mut from, to }) = visitor.window else { return Vec::new() };
    // One arrival time is offered for the hour after it.
    let to = if from == to { from + TimeDelta::hours(1) } else { to };
    let mut stretches = Vec::new();
    while from < to && stretches.len() < MAX_STRETCHES {
        let end = to.min(from + MAX_RELEVANT);
        let (start_date, end_date) = (Some(visitor.local(from)), Some(visitor.local(end)));
        stretches.push(RelevantDate { date: None, start_date, end_date });
        from = end;
    }
    stretches
}

fn semantics(visitor: &VisitorPass, place: Option<&Location>) -> Semantics {
    Semantics {
        event_name: Some(format!("Visit to {}", visitor.organisation_name)),
        event_start_date: visitor.window.map(|window| visitor.local(window.from)),
        event_end_date: visitor.window.map(|window| visitor.local(window.to)),
        venue_name: Some(visitor.site_name.clone()),
        venue_location: place.map(|place| Location { relevant_text: None, ..place.clone() }),
        venue_room: visitor.space_name.clone(),
        ..Semantics::default()
    }
}

#[cfg(test)]
#[path = "visitor_tests.rs"]
mod tests;
