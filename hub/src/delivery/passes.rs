//! What the guest's phone keeps: the Apple pass, the Google link and the calendar entry of a delivery, as they are now.

use chrono::{DateTime, Utc};
use vestibule_core::address::{EmailAddress, Mailbox};
use vestibule_core::calendar::{CalendarEntry, Method, Party};
use vestibule_core::wallet::images;
use vestibule_core::wallet::package::PassPackage;
use vestibule_core::wallet::visitor::{self, NOTICE, VisitorPass, WAITING, WebService, Window};
use vestibule_core::wallet::visitor_google::{google_class, google_object};
use vestibule_core::zone::Zone;

use super::{Delivery, Invitation, ToldTimes, links};
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

/// The `.pkpass` of a delivery; `None` where passes are not set up (S1.34). Without a credential that is good, or with
/// an ended delivery, the pass is voided and carries no code.
pub fn apple_pass(
    context: &Context,
    delivery: &Delivery,
    invitation: &Invitation,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> Result<Option<Vec<u8>>, PassError> {
    let Some(signer) = context.apple.as_ref().filter(|_| invitation.organisation.wallet) else { return Ok(None) };
    let mut says = pass_content(context, delivery, invitation, credential, now);
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
    let says = pass_content(context, delivery, invitation, credential, now);
    if says.voided {
        return Ok(None);
    }
    let class = google_class(issuer.issuer()).map_err(PassError::of)?;
    let object = google_object(&says, issuer.issuer()).map_err(PassError::of)?;
    issuer.save_link(class, object, now).map(Some).map_err(PassError::of)
}

/// What a pass says. An ended delivery's says nothing of the visit as it is now: the visitor may be someone else. Nor
/// does one whose credential is void: the visit may have been edited since, and wait for an approval (S2.15).
fn pass_content(
    context: &Context,
    delivery: &Delivery,
    invitation: &Invitation,
    credential: Option<&Credential>,
    now: DateTime<Utc>,
) -> VisitorPass {
    let good = credential.filter(|credential| delivery.is_live && credential.is_good(now));
    let is_current = delivery.is_live && credential.is_some_and(|credential| credential.state != State::Void);
    let (organisation, site) = (&invitation.organisation, &invitation.site);
    let (times, zone) = if is_current {
        (invitation.values.schedule.and_then(|schedule| schedule.resolve(&site.zone).ok()), site.zone.clone())
    } else {
        // In the zone they were told in; where the visit has moved to a site in another, in UTC.
        let zone = delivery.told.as_ref().filter(|told| told.zone == site.zone.name()).map(|_| site.zone.clone());
        (delivery.told.as_ref().map(|told| told.times), zone.unwrap_or_else(Zone::utc))
    };
    let when = invitation.when().filter(|_| is_current).map(|when| when.to_string());
    let valid = credential.filter(|_| is_current).and_then(|credential| invitation.valid(&credential.window));
    let when = match (when, valid) {
        (Some(when), Some(valid)) => Some(format!("{when}. Valid {valid}")),
        (when, valid) => when.or_else(|| valid.map(|valid| format!("Valid {valid}"))),
    };
    let shown = |text: &Option<String>| text.clone().filter(|_| is_current);
    VisitorPass {
        organisation_name: organisation.name.clone(),
        description: format!("Visitor pass for {}", organisation.name),
        serial: delivery.serial.clone(),
        pass_type_identifier: String::new(),
        team_identifier: String::new(),
        // Apple takes no address that is not https; a hub tried out over http makes passes that cannot be updated.
        web_service: (context.public_url.scheme() == "https")
            .then(|| WebService { url: links::apple_web_service(context).into(), token: delivery.pass_token(context) }),
        first_name: shown(&invitation.values.first_name),
        last_name: shown(&invitation.values.last_name),
        company: shown(&invitation.values.company),
        host_name: if is_current { invitation.host.name.clone() } else { organisation.name.clone() },
        site_name: if is_current { site.name.clone() } else { organisation.name.clone() },
        site_address: Some(site.address.clone()).filter(|address| is_current && !address.is_empty()),
        site_location: invitation.coordinates().filter(|_| is_current),
        space_name: invitation.space.as_ref().filter(|_| is_current).map(|space| space.name.clone()),
        zone,
        window: times.map(|times| Window { from: times.start, to: times.end.unwrap_or(times.start) }),
        schedule_text: when.unwrap_or_else(|| "See your invitation".to_owned()),
        visit_type_name: invitation
            .visitor_type
            .as_ref()
            .filter(|_| is_current)
            .map_or_else(|| "Visitor".to_owned(), |of| of.name.clone()),
        qr_token: good.filter(|_| organisation.qr).map(|credential| credential.qr_token(context)),
        voided: good.is_none(),
        expires: credential.map_or(now, |credential| credential.window.expires),
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
