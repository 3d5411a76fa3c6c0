//! What the guest's phone keeps: the Apple pass, the Google link and the calendar entry of a delivery, as they are now.

use chrono::{DateTime, Utc};
use vestibule_core::address::{EmailAddress, Mailbox};
use vestibule_core::calendar::{CalendarEntry, Method, Party};
use vestibule_core::directory::Organisation;
use vestibule_core::wallet::admission::Admission;
use vestibule_core::wallet::images;
use vestibule_core::wallet::package::PassPackage;
use vestibule_core::wallet::visitor::{self, NOTICE, VisitorPass, WAITING, WebService, Window};
use vestibule_core::wallet::visitor_google::{google_class, google_object};
use vestibule_core::zone::Zone;

use super::{Delivery, Farewell, Invitation, ToldTimes, links};
use crate::context::Context;
use crate::credential::{Credential, State};

/// A pass could not be made; completes "failed to make a pass: …".
#[derive(Debug, thiserror::Error)]
#[error("the pass could not be made: {0}")]
pub struct PassError(String);

impl PassError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// The `.pkpass` of a delivery; `None` where passes are not set up (S1.34), or its recipient was never told anything.
/// Without a credential that is good, or with an ended delivery, the pass is void and carries no code.
pub fn apple_pass(
    context: &Context,
    delivery: &Delivery,
    invitation: &Invitation,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, PassError> {
    let Some(signer) = context.apple.as_ref().filter(|_| invitation.organisation.wallet) else { return Ok(None) };
    let Some(mut says) = pass_content(context, delivery, &invitation.organisation, credential, now) else {
        return Ok(None);
    };
    says.pass_type_identifier.clone_from(&signer.identity().pass_type_identifier);
    says.team_identifier.clone_from(&signer.identity().team_identifier);
    let pass = visitor::apple_pass(&says);
    let mut package = PassPackage::new(&pass).map_err(PassError::of)?;
    for image in images::standard() {
        package.add_image(image).map_err(PassError::of)?;
    }
    package.seal(|manifest| signer.sign(manifest, now)).map(Some).map_err(PassError::of)
}

/// The "Save to Google Wallet" link of a delivery; `None` where passes are not set up or nothing is good any more.
pub fn google_link(
    context: &Context,
    delivery: &Delivery,
    invitation: &Invitation,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> Result<Option<String>, PassError> {
    let Some(issuer) = context.google.as_ref().filter(|_| invitation.organisation.wallet) else { return Ok(None) };
    let says = pass_content(context, delivery, &invitation.organisation, credential, now);
    let Some(says) = says.filter(|says| !says.admission.is_void()) else { return Ok(None) };
    let class = google_class(issuer.issuer()).map_err(PassError::of)?;
    let object = google_object(&says, issuer.issuer()).map_err(PassError::of)?;
    issuer.save_link(class, object, now).map(Some).map_err(PassError::of)
}

/// What a pass says: what its holder was last told, and what it is good for now.
fn pass_content(
    context: &Context,
    delivery: &Delivery,
    organisation: &Organisation,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> Option<VisitorPass> {
    let mut shown = delivery.shown(context)?;
    // The address may have been a stranger's.
    if !delivery.is_live && delivery.farewell != Some(Farewell::Cancelled) {
        shown = shown.without_visit();
    }
    Some(VisitorPass {
        admission: admission(context, delivery, organisation.qr, credential, now >= shown.expires),
        organisation_name: shown.organisation_name,
        serial: delivery.serial.clone(),
        pass_type_identifier: String::new(),
        team_identifier: String::new(),
        // Apple takes no address that is not https; a hub tried out over http makes passes that cannot be updated.
        web_service: (context.public_url.scheme() == "https")
            .then(|| WebService { url: links::apple_web_service(context).into(), token: delivery.pass_token(context) }),
        first_name: shown.first_name,
        last_name: shown.last_name,
        company: shown.company,
        host_name: shown.host_name,
        site_name: shown.site_name,
        site_address: Some(shown.site_address).filter(|address| !address.is_empty()),
        site_location: shown.site_location,
        space_name: shown.space_name,
        zone: shown.zone,
        window: shown.times.map(|(from, to)| Window { from, to }),
        schedule_text: shown.schedule_text,
        visit_type_name: shown.visit_type_name,
        valid_from: shown.valid_from,
        expires: shown.expires,
    })
}

/// What a delivery's passes are good for. The credential is the visit's, and counts for the delivery that lives.
fn admission(
    context: &Context,
    delivery: &Delivery,
    has_codes: bool,
    credential: Option<&Credential>,
    is_over: bool,
) -> Admission {
    match (delivery.farewell, credential.filter(|_| delivery.is_live)) {
        (Some(Farewell::Cancelled), _) => Admission::Cancelled,
        (Some(Farewell::Moved), _) => Admission::Moved,
        _ if is_over => Admission::Over,
        (None, Some(credential)) => match credential.state {
            State::Live if has_codes => Admission::Code(credential.qr_token(context)),
            State::Live => Admission::ByName,
            State::Spent => Admission::Used,
            State::Suspended | State::Void => Admission::NotNow,
        },
        (None, None) => Admission::NotNow,
    }
}

/// The calendar entry of a delivery that lives; `None` without a schedule.
pub fn calendar_entry(
    context: &Context,
    delivery: &Delivery,
    invitation: &Invitation,
    sequence: u32,
    stamp: DateTime<Utc>,
) -> Option<String> {
    let times = invitation.values.schedule?.resolve(&invitation.site.zone).ok()?;
    let address = invitation.site.address.replace('\n', ", ");
    let place = [invitation.place(), address];
    let entry = CalendarEntry {
        uid: delivery.calendar_uid(),
        sequence,
        method: Method::Request,
        organizer: organizer(delivery, &invitation.organisation.name)?,
        sent_by: sent_by(context, delivery),
        attendee: Party {
            name: invitation.values.display_name(),
            email: sendable(invitation.values.email.as_deref().unwrap_or_default()),
        },
        summary: format!("Visit to {}", invitation.organisation.name),
        location: place.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
        description: format!("Your host: {}\n{WAITING}\n{NOTICE}", invitation.host.name),
        times: Some(times),
        zone: invitation.site.zone.clone(),
        stamp,
        // The page's link is the visitor's own, and calendars are shared.
        url: None,
    };
    entry.to_text()
}

/// Takes the entry out of the recipient's calendar: nothing in it but what the recipient was told.
pub(super) fn calendar_cancellation(
    context: &Context,
    delivery: &Delivery,
    organisation: &str,
    email: &str,
    stamp: DateTime<Utc>,
) -> Option<String> {
    let ToldTimes { times, .. } = delivery.told.as_ref()?;
    let entry = CalendarEntry {
        uid: delivery.calendar_uid(),
        sequence: delivery.sequence + 1,
        method: Method::Cancel,
        organizer: organizer(delivery, organisation)?,
        sent_by: sent_by(context, delivery),
        attendee: Party { name: String::new(), email: sendable(email) },
        summary: format!("Cancelled: visit to {organisation}"),
        location: String::new(),
        description: String::new(),
        times: Some(*times),
        // The entry is found by its UID; its zone may not be known here any more.
        zone: Zone::utc(),
        stamp,
        url: None,
    };
    entry.to_text()
}

/// The sender when the delivery began: calendars take a change only from whom the entry came from (RFC 5546, 3.2.5).
fn organizer(delivery: &Delivery, organisation: &str) -> Option<Party> {
    let from: Mailbox = delivery.organizer.parse().ok()?;
    Some(Party { name: from.name.unwrap_or_else(|| organisation.to_owned()), email: from.email.to_string() })
}

/// Who sends for the organizer, where the settings have changed since: the mail comes from there (RFC 6047, 3).
fn sent_by(context: &Context, delivery: &Delivery) -> Option<String> {
    let now: Mailbox = context.mail_from.parse().ok()?;
    let then: Mailbox = delivery.organizer.parse().ok()?;
    (now.email.key() != then.email.key()).then(|| now.email.to_string())
}

/// An address as it goes out.
fn sendable(email: &str) -> String {
    EmailAddress::parse_local(email.trim()).map_or_else(|_| email.to_owned(), |address| address.to_string())
}
