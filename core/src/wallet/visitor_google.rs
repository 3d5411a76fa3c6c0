//! The Google object of a visitor.

use super::google::{
    Barcode, DateTime, ENTRY_TICKET, Eligibility, GenericClass, GenericObject, GoogleProblem, LocalizedString,
    Notification, Notifications, PassConstraints, State, TextModule, TimeInterval, WalletId,
};
use super::images::BRAND_HEX;
use super::visitor::{NOTICE, VisitorPass, WAITING};

/// The suffix of the one class an organisation's visitor passes belong to.
pub const CLASS_SUFFIX: &str = "visitor";

/// The words below the code. They stay when a link has no room for text modules, so every pass says it (S1.32, S1.36).
pub const BELOW_CODE: &str = "Convenience pass, not a credential";

/// The class of an issuer's visitor passes.
pub fn google_class(issuer: &str) -> Result<GenericClass, GoogleProblem> {
    Ok(GenericClass::personal(WalletId::new(issuer, CLASS_SUFFIX)?))
}

/// The Google object of a visitor, with the pass's serial number in its id.
///
/// Text modules stand in the order of their weight, what the pass is not (S1.32) first: a link that is too long drops
/// them from the last. An ended pass is inactive and without a code: write it with `PUT`, since a `PATCH` leaves
/// absent keys as they are.
///
/// # Errors
/// [`GoogleProblem::Id`] where the issuer is no number or the serial number has other characters than an id may have.
pub fn google_object(visitor: &VisitorPass, issuer: &str) -> Result<GenericObject, GoogleProblem> {
    let place = [Some(visitor.site_name.as_str()), visitor.space_name.as_deref(), visitor.site_address.as_deref()];
    let place = place.into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    let module = |id: &str, header: &str, body: &str| TextModule {
        id: id.to_owned(),
        header: header.to_owned(),
        body: body.to_owned(),
    };
    let date = |instant: chrono::DateTime<chrono::Utc>| DateTime {
        date: instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    };
    Ok(GenericObject {
        id: WalletId::new(issuer, &visitor.serial)?,
        class_id: WalletId::new(issuer, CLASS_SUFFIX)?,
        generic_type: Some(ENTRY_TICKET.to_owned()),
        state: Some(if visitor.voided { State::Inactive } else { State::Active }),
        card_title: LocalizedString::new(visitor.organisation_name.as_str()),
        subheader: Some(LocalizedString::new(visitor.visit_type_name.as_str())),
        header: LocalizedString::new(visitor.full_name()),
        hex_background_color: Some(BRAND_HEX.to_owned()),
        barcode: visitor.code().map(|code| Barcode {
            kind: "QR_CODE".to_owned(),
            value: code.to_owned(),
            alternate_text: Some(BELOW_CODE.to_owned()),
        }),
        rotating_barcode: None,
        valid_time_interval: Some(TimeInterval {
            start: visitor.window.map(|window| date(window.from)),
            end: Some(date(visitor.expires)),
        }),
        notifications: visitor.window.map(|_| Notifications {
            upcoming_notification: Some(Notification { enable_notification: true }),
            expiry_notification: None,
        }),
        pass_constraints: Some(PassConstraints { screenshot_eligibility: Eligibility::Ineligible }),
        text_modules_data: vec![
            module("notice", "About this pass", NOTICE),
            module("when", "When", &visitor.schedule_text),
            module("where", "Where", &place),
            module("host", "Host", &visitor.host_name),
            module("waiting", "When you arrive", WAITING),
        ],
        other: serde_json::Map::new(),
    })
}
