//! The Google object of a visitor.

use super::google::{
    Barcode, DateTime, ENTRY_TICKET, Eligibility, GenericClass, GenericObject, GoogleProblem, LocalizedString,
    Notification, Notifications, PassConstraints, State, TextModule, TimeInterval, WalletId,
};
use super::google_template::ClassTemplate;
use super::images::BRAND_HEX;
use super::visitor::{NOTICE, VisitorPass, WAITING};

/// The suffix of the one class an organisation's visitor passes belong to.
pub const CLASS_SUFFIX: &str = "visitor";

/// The words below the code. They stay when a link has no room for text modules, so every pass says it (S1.32, S1.36).
pub const BELOW_CODE: &str = "Convenience pass, not a credential";

/// The class of an issuer's visitor passes: when, where and whom stand on the card and not in the details alone.
pub fn google_class(issuer: &str) -> Result<GenericClass, GoogleProblem> {
    let template = ClassTemplate::of_modules(&["when", "where", "host"]);
    Ok(GenericClass::personal(WalletId::new(issuer, CLASS_SUFFIX)?, template))
}

/// The Google object of a visitor, with the pass's serial number in its id.
///
/// The subheader says when, where and whom in one line, which a link has room for. Text modules stand in the order of
/// their weight, why there is no code and what the pass is not (S1.32) first: a link that is too long drops them from the
/// last. An ended pass is inactive and without a code: write it with `PUT`, since a `PATCH` leaves
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
    let instead = visitor.admission.code().is_none().then(|| visitor.admission.words(&visitor.organisation_name));
    let mut modules: Vec<_> = instead.iter().map(|words| module("admission", "Check-in", words)).collect();
    let texts = [
        ("notice", "About this pass", NOTICE),
        ("when", "When", visitor.schedule_text.as_str()),
        ("where", "Where", place.as_str()),
        ("host", "Host", visitor.host_name.as_str()),
        ("waiting", "When you arrive", WAITING),
    ];
    let texts = texts.into_iter().filter(|(_, _, text)| !text.is_empty());
    modules.extend(texts.map(|(id, header, body)| module(id, header, body)));
    Ok(GenericObject {
        id: WalletId::new(issuer, &visitor.serial)?,
        class_id: WalletId::new(issuer, CLASS_SUFFIX)?,
        generic_type: Some(ENTRY_TICKET.to_owned()),
        state: Some(if visitor.admission.is_void() { State::Inactive } else { State::Active }),
        card_title: LocalizedString::new(visitor.organisation_name.as_str()),
        subheader: Some(visitor.summary()).filter(|line| !line.is_empty()).map(LocalizedString::new),
        header: LocalizedString::new(visitor.full_name()),
        hex_background_color: Some(BRAND_HEX.to_owned()),
        barcode: visitor.admission.code().map(|code| Barcode {
            kind: "QR_CODE".to_owned(),
            value: code.to_owned(),
            alternate_text: Some(BELOW_CODE.to_owned()),
        }),
        rotating_barcode: None,
        valid_time_interval: Some(TimeInterval {
            start: visitor.window.map(|_| date(visitor.valid_from)),
            end: Some(date(visitor.expires)),
        }),
        notifications: visitor.window.map(|_| Notifications {
            upcoming_notification: Some(Notification { enable_notification: true }),
            expiry_notification: None,
        }),
        pass_constraints: Some(PassConstraints { screenshot_eligibility: Eligibility::Ineligible }),
        text_modules_data: modules,
        other: serde_json::Map::new(),
    })
}
