//! The preview of a visitor's pass on a host's phone: everything but the code, which only the hub makes.

use chrono::TimeDelta;

use super::{HostClient, PhoneError};
use crate::id::VisitId;
use crate::wallet::apple::Pass;
use crate::wallet::visitor::{VisitorPass, Window, apple_pass};

/// Stands where the organisation's own identifiers are on the visitor's pass.
const PASS_TYPE: &str = "pass.preview";
const TEAM: &str = "PREVIEW";

impl HostClient {
    /// The visitor's Apple pass as it will look, without its code (S1.34, S1.35).
    ///
    /// # Errors
    /// [`PhoneError::NotFound`]; [`PhoneError::Refused`] where the organisation has no wallet passes (`no_wallet`), or
    /// the visit names a site this phone does not know (`unknown_site`).
    pub fn pass_preview(&self, visit: VisitId) -> Result<Pass, PhoneError> {
        let view = self.show(visit)?;
        let directory = self.directory()?;
        let refused = |code: &str, message: &str| PhoneError::Refused { code: code.into(), message: message.into() };
        let organisation = directory.organisation().ok_or(PhoneError::NotSignedIn)?;
        if !organisation.wallet {
            return Err(refused("no_wallet", "the organisation has not set up wallet passes"));
        }
        let site = view.values.site.as_ref().and_then(|site| directory.site(site));
        let site =
            site.ok_or_else(|| refused("unknown_site", "this phone does not know the visit's site; sync first"))?;
        let in_words = view.values.schedule.and_then(|schedule| schedule.describe(site.zone).ok());
        let degrees = |micro: i32| f64::from(micro) / 1e6;
        let now = self.surroundings.now();
        Ok(apple_pass(&VisitorPass {
            organisation_name: organisation.name.clone(),
            description: format!("Visitor pass for {}", organisation.name),
            serial: visit.to_string(),
            pass_type_identifier: PASS_TYPE.into(),
            team_identifier: TEAM.into(),
            web_service: None,
            first_name: view.values.first_name.clone(),
            last_name: view.values.last_name.clone(),
            company: view.values.company.clone(),
            host_name: view.host_name.clone().unwrap_or_default(),
            site_name: site.name.clone(),
            site_address: Some(site.address.clone()).filter(|address| !address.is_empty()),
            site_location: site.latitude.zip(site.longitude).map(|(north, east)| (degrees(north), degrees(east))),
            space_name: view.values.space.as_ref().and_then(|id| directory.space(id)).map(|space| space.name.clone()),
            zone: site.zone,
            window: view.start.map(|from| Window { from, to: view.end.unwrap_or(from) }),
            schedule_text: in_words.map_or_else(|| "See your invitation".to_owned(), |words| words.to_string()),
            visit_type_name: view
                .values
                .visitor_type
                .as_ref()
                .and_then(|id| directory.visitor_type(id))
                .map_or_else(|| "Visitor".to_owned(), |of| of.name.clone()),
            qr_token: None,
            voided: false,
            expires: view.end.or(view.start).unwrap_or(now + TimeDelta::days(i64::from(organisation.unscheduled_days))),
        }))
    }
}
