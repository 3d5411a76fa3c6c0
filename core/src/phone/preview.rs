//! What the visitor's pass will look like, for the host: made on the phone, without a code. Only the hub makes codes.

use chrono::{DateTime, TimeDelta};

use super::{HostClient, PhoneError, Surroundings as _};
use crate::directory::{Directory, Organisation};
use crate::id::VisitId;
use crate::qr::QrMatrix;
use crate::schedule::validity;
use crate::store::VisitView;
use crate::visit::{EARLY, Status};
use crate::wallet::admission::Admission;
use crate::wallet::apple::{Field, FieldValue, Pass};
use crate::wallet::visitor::{VisitorPass, Window, apple_pass};

/// Apple's identifiers stand for nothing on a preview: it is never signed.
const PASS_TYPE: &str = "pass.preview";
const TEAM: &str = "PREVIEW";

/// What a preview's QR code says: only the visitor's own mail, page and pass carry the real one.
pub const QR_PREVIEW: &str = "Preview: only the visitor's own pass carries the code.";

/// How a visitor's QR code will look, without anything to be let in by.
pub fn qr_preview() -> QrMatrix {
    QrMatrix::of(QR_PREVIEW).expect("the text is short")
}

/// The pass of a visitor, for the host's eyes.
#[derive(Debug, Clone, PartialEq)]
pub struct PassPreview {
    /// The visitor's name as typed.
    pub name: String,
    /// What stands on it, in order, front before back.
    pub lines: Vec<PassLine>,
    /// The whole pass as Apple's readers take it, without a code.
    pub pass: Pass,
}

/// Where a line stands on a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of Apple's groups of fields")]
pub enum PassPlace {
    Header,
    Primary,
    Secondary,
    Auxiliary,
    Back,
}

/// A field of a pass as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassLine {
    /// Its name within the pass.
    pub key: String,
    /// Where it stands.
    pub place: PassPlace,
    /// The words above the value.
    pub label: String,
    /// What is shown; a date in words, in the zone of the site.
    pub value: String,
}

impl HostClient {
    /// The visitor's pass as Apple's `pass.json` will be, unsigned and without a code (S1.32, S1.34, S1.36).
    ///
    /// # Errors
    /// [`PhoneError::NotFound`] for an unknown visit; [`PhoneError::Refused`] with `no_wallet` where the organisation
    /// has no passes, and `no_site` where this phone does not know the visit's site.
    pub fn pass_preview(&self, visit: VisitId) -> Result<PassPreview, PhoneError> {
        let view = self.show(visit)?;
        let directory = self.directory()?;
        let no_wallet = || refused("no_wallet", "the organisation has not set up wallet passes");
        let organisation = directory.organisation().filter(|it| it.wallet).ok_or_else(no_wallet)?;
        let pass = self.visitor_pass(&view, &directory, organisation)?;
        Ok(PassPreview { name: pass.full_name(), pass: apple_pass(&pass), lines: lines(&pass) })
    }

    fn visitor_pass(
        &self,
        view: &VisitView,
        directory: &Directory,
        organisation: &Organisation,
    ) -> Result<VisitorPass, PhoneError> {
        let values = &view.values;
        let site = values.site.as_ref().and_then(|site| directory.site(site));
        let site =
            site.ok_or_else(|| refused("no_site", "the visit's site is not known on this phone yet; sync first"))?;
        let space = values.space.as_ref().and_then(|space| directory.space(space));
        let kind = values.visitor_type.as_ref().and_then(|kind| directory.visitor_type(kind));
        let wording = values.schedule.and_then(|schedule| schedule.describe(&site.zone).ok());
        let degrees = |millionths: i32| f64::from(millionths) / 1e6;
        let ends = match (view.start, view.end) {
            (_, Some(end)) => end,
            (Some(arrival), None) => arrival + TimeDelta::minutes(i64::from(organisation.arrival_minutes)),
            (None, None) => self.clock.now() + TimeDelta::days(i64::from(organisation.unscheduled_days)),
        };
        let hours = Some((site.opens, site.closes)).filter(|(opens, closes)| opens < closes);
        let any_time = validity(self.clock.now(), ends, hours, &site.zone);
        Ok(VisitorPass {
            organisation_name: organisation.name.clone(),
            serial: format!("preview-{}", view.id),
            pass_type_identifier: PASS_TYPE.to_owned(),
            team_identifier: TEAM.to_owned(),
            web_service: None,
            first_name: values.first_name.clone(),
            last_name: values.last_name.clone(),
            company: values.company.clone(),
            host_name: view.host_name.clone().unwrap_or_default(),
            site_name: site.name.clone(),
            site_address: Some(site.address.clone()).filter(|address| !address.is_empty()),
            site_location: site.latitude.zip(site.longitude).map(|(north, east)| (degrees(north), degrees(east))),
            space_name: space.map(|space| space.name.clone()),
            zone: site.zone.clone(),
            window: view.start.map(|from| Window { from, to: view.end.unwrap_or(from) }),
            schedule_text: wording.map_or_else(|| format!("Valid {any_time}"), |words| words.to_string()),
            visit_type_name: kind.map_or_else(|| "Visitor".to_owned(), |kind| kind.name.clone()),
            admission: Admission::Preview {
                is_void: matches!(view.status, Status::Cancelled | Status::Rejected | Status::NoShow | Status::Expired),
            },
            valid_from: view
                .start
                .and_then(|start| start.checked_sub_signed(EARLY))
                .unwrap_or_else(|| self.clock.now()),
            expires: ends,
        })
    }
}

fn lines(visitor: &VisitorPass) -> Vec<PassLine> {
    let Some(generic) = apple_pass(visitor).generic else { return Vec::new() };
    let groups = [
        (PassPlace::Header, generic.header_fields),
        (PassPlace::Primary, generic.primary_fields),
        (PassPlace::Secondary, generic.secondary_fields),
        (PassPlace::Auxiliary, generic.auxiliary_fields),
        (PassPlace::Back, generic.back_fields),
    ];
    let line = |(place, field): (PassPlace, Field)| PassLine {
        value: words(&field),
        key: field.key,
        place,
        label: field.label.unwrap_or_default(),
    };
    groups
        .into_iter()
        .flat_map(|(place, fields)| fields.into_iter().map(move |field| (place, field)))
        .map(line)
        .collect()
}

/// A value as a person reads it: a pass holds its day as an instant in the site's zone.
fn words(field: &Field) -> String {
    match &field.value {
        FieldValue::Number(number) => number.to_string(),
        // No field of ours is without a text.
        FieldValue::Absent | FieldValue::Other(_) => String::new(),
        FieldValue::Text(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(date) if field.date_style.is_some() => date.format("%-d %b %Y").to_string(),
            _ => text.clone(),
        },
    }
}

fn refused(code: &str, message: &str) -> PhoneError {
    PhoneError::Refused { code: code.to_owned(), message: message.to_owned() }
}
