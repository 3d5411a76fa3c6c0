//! What the visitor's pass will look like, for the host: made on the phone, without a code. Only the hub makes codes.

use chrono::TimeDelta;

use super::{HostClient, PhoneError};
use crate::directory::{Directory, Organisation};
use crate::id::VisitId;
use crate::store::VisitView;
use crate::visit::Status;
use crate::wallet::visitor::{VisitorPass, Window, apple_pass};

/// Apple's identifiers stand for nothing on a preview: it is never signed.
const PASS_TYPE: &str = "pass.preview";
const TEAM: &str = "PREVIEW";

impl HostClient {
    /// The visitor's pass as Apple's `pass.json`, unsigned and without a code (S1.32, S1.34, S1.36).
    ///
    /// # Errors
    /// [`PhoneError::NotFound`] for an unknown visit; [`PhoneError::Refused`] with `no_wallet` where the organisation
    /// has no passes, and `no_site` where this phone does not know the visit's site.
    pub fn pass_preview(&self, visit: VisitId) -> Result<Vec<u8>, PhoneError> {
        let view = self.show(visit)?;
        let directory = self.directory()?;
        let no_wallet = || refused("no_wallet", "the organisation has not set up wallet passes");
        let organisation = directory.organisation().filter(|it| it.wallet).ok_or_else(no_wallet)?;
        let pass = self.visitor_pass(&view, &directory, organisation)?;
        Ok(apple_pass(&pass).to_json())
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
        let wording = values.schedule.and_then(|schedule| schedule.describe(site.zone).ok());
        let degrees = |millionths: i32| f64::from(millionths) / 1e6;
        let ends = match (view.start, view.end) {
            (_, Some(end)) => end,
            (Some(arrival), None) => arrival + TimeDelta::minutes(i64::from(organisation.arrival_minutes)),
            (None, None) => self.surroundings.now() + TimeDelta::days(i64::from(organisation.unscheduled_days)),
        };
        Ok(VisitorPass {
            organisation_name: organisation.name.clone(),
            description: format!("Visitor pass for {}, {}", organisation.name, site.name),
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
            zone: site.zone,
            window: view.start.map(|from| Window { from, to: view.end.unwrap_or(from) }),
            schedule_text: wording.map_or_else(|| "Any time the site is open".to_owned(), |words| words.to_string()),
            visit_type_name: kind.map_or_else(|| "Visitor".to_owned(), |kind| kind.name.clone()),
            qr_token: None,
            voided: matches!(view.status, Status::Cancelled | Status::Rejected | Status::NoShow | Status::Expired),
            expires: ends,
        })
    }
}

fn refused(code: &str, message: &str) -> PhoneError {
    PhoneError::Refused { code: code.to_owned(), message: message.to_owned() }
}
