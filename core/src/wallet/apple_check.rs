//! The rules of a pass that its types cannot hold. Wallet refuses a pass that breaks one without saying which; this
//! says which, before it is signed.

use chrono::TimeDelta;
use serde_json::Number;

use super::apple::{Field, Fields, Pass, RelevantDate};

/// The shortest serial number and authentication token, in characters.
pub const MIN_SECRET_CHARS: usize = 16;
/// The most locations of a pass.
pub const MAX_LOCATIONS: usize = 10;
/// The longest contactless payload, in bytes.
pub const MAX_NFC_BYTES: usize = 64;
/// The longest stretch of `relevantDates`.
pub const MAX_RELEVANT: TimeDelta = TimeDelta::hours(24);

/// A rule that a pass breaks: the key at fault and what Wallet asks of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` of the pass {rule}")]
pub struct PassProblem {
    /// The key of `pass.json`, or of a field.
    pub key: String,
    /// What is asked, in plain English.
    pub rule: &'static str,
}

fn ask(holds: bool, key: &str, rule: &'static str) -> Result<(), PassProblem> {
    if holds { Ok(()) } else { Err(PassProblem { key: key.to_owned(), rule }) }
}

impl Pass {
    /// Checks Apple's rules.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), PassProblem> {
        ask(self.format_version == 1, "formatVersion", "is 1")?;
        for (key, value) in [
            ("passTypeIdentifier", &self.pass_type_identifier),
            ("teamIdentifier", &self.team_identifier),
            ("organizationName", &self.organization_name),
            ("description", &self.description),
        ] {
            ask(!value.is_empty(), key, "is required")?;
        }
        let long_enough = |text: &str| text.chars().count() >= MIN_SECRET_CHARS;
        ask(long_enough(&self.serial_number), "serialNumber", "has at least 16 characters")?;
        ask(self.styles().next().is_some(), "generic", "or another style is required")?;

        match (&self.web_service_url, &self.authentication_token) {
            (None, None) => {}
            (Some(url), Some(token)) => {
                ask(url.starts_with("https://"), "webServiceURL", "begins with https://")?;
                ask(long_enough(token), "authenticationToken", "has at least 16 characters")?;
            }
            (Some(_), None) => ask(false, "authenticationToken", "comes together with `webServiceURL`")?,
            (None, Some(_)) => ask(false, "webServiceURL", "comes together with `authenticationToken`")?,
        }
        let launches = self.app_launch_url.is_none() || !self.associated_store_identifiers.is_empty();
        ask(launches, "appLaunchURL", "needs `associatedStoreIdentifiers`")?;

        ask(self.locations.len() <= MAX_LOCATIONS, "locations", "has at most 10")?;
        let within = |degrees: &Number, limit: f64| degrees.as_f64().is_some_and(|degrees| degrees.abs() <= limit);
        for place in &self.locations {
            ask(within(&place.latitude, 90.0), "latitude", "is -90 to 90 degrees")?;
            ask(within(&place.longitude, 180.0), "longitude", "is -180 to 180 degrees")?;
        }
        let nfc_fits = self.nfc.as_ref().is_none_or(|nfc| nfc.message.len() <= MAX_NFC_BYTES);
        ask(nfc_fits, "nfc", "has a message of at most 64 bytes")?;
        self.relevant_dates.iter().try_for_each(check_relevant)?;
        // A generic pass is offered by date and place together: with a date alone it never is.
        let is_dated = self.relevant_date.is_some() || !self.relevant_dates.is_empty();
        let is_generic = self.generic.is_some() || self.poster_generic.is_some();
        ask(
            !is_generic || !is_dated || !self.locations.is_empty(),
            "locations",
            "come with the dates of a generic pass",
        )?;
        let groups = self.boarding_pass.is_some() || self.event_ticket.is_some();
        ask(groups || self.grouping_identifier.is_none(), "groupingIdentifier", "is for tickets and boarding passes")?;
        for barcode in self.barcodes.iter().chain(&self.barcode) {
            ask(!barcode.message.is_empty(), "barcodes", "has a message")?;
            ask(barcode.message_encoding.is_some(), "messageEncoding", "is required")?;
        }
        self.styles().try_for_each(check_fields)
    }
}

fn check_relevant(stretch: &RelevantDate) -> Result<(), PassProblem> {
    match (stretch.date, stretch.start_date, stretch.end_date) {
        (Some(_), None, None) | (None, Some(_), None) => Ok(()),
        (None, Some(start), Some(end)) => {
            ask(start.0 <= end.0, "relevantDates", "begins before it ends")?;
            ask(end.0 - start.0 <= MAX_RELEVANT, "relevantDates", "spans at most 24 hours each")
        }
        _ => ask(false, "relevantDates", "has a date, or a start and an end"),
    }
}

fn check_fields(style: &Fields) -> Result<(), PassProblem> {
    let mut keys = Vec::new();
    for Field { key, change_message, .. } in style.all() {
        ask(!key.is_empty(), "key", "of a field is not empty")?;
        ask(!keys.contains(&key), key, "is a field's key twice in one style")?;
        keys.push(key);
        let announced = change_message.as_ref().is_none_or(|message| message.contains("%@"));
        ask(announced, key, "has a `changeMessage` that contains %@")?;
    }
    Ok(())
}
