//! The claims of a "Save to Google Wallet" link, and how they are made to fit into one.
//!
//! A link is [`SAVE_LINK`] and a JWT, together at most [`MAX_LINK`] characters: beyond that phones cut it. The length is
//! known before signing, so [`SaveClaims::fit`] drops what may be dropped first: text modules from the last, with the rows
//! of the card that show them; what nobody sees (the reminder, the kind and the state of the pass, who may hold it); the
//! colour; the class's template; host, site and time of the subheader; the end of the visitor's or the organisation's
//! name, whichever is longer; never the barcode, whose own words say what the pass is not (S1.32).
//!
//! `origins` are for pages that run Google's script, and `passConstraints` keep nobody from a photograph: a link has
//! neither, and the 90 bytes they took say when, where and whom.
//!
//! Measured with a token of 197 characters and a service account of 46: the claims may take 1,040 bytes, and those of a
//! visitor with everything take 2,000. All modules go, what is unseen and the colour; name and subheader stay whole, and
//! the list of passes shows the subheader. Where there is REST access, insert class and object first and link by id alone.

use serde::Serialize;
use unicode_normalization::char::is_combining_mark;

use super::google::{GenericClass, GenericObject, GoogleProblem, LocalizedString, State, TextModule, WalletId};
use super::visitor::SEPARATOR;

/// What every link begins with.
pub const SAVE_LINK: &str = "https://pay.google.com/gp/v/save/";
/// The longest link, in characters.
pub const MAX_LINK: usize = 1_800;
/// The text modules that a pass without a code keeps.
pub(super) const ESSENTIAL: [&str; 2] = ["admission", "notice"];
/// The fewest characters a shortened name keeps before its "…".
const MIN_NAME_CHARS: usize = 6;

/// The claims of the JWT. Editing them changes no pass that has been saved: that is done by REST.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SaveClaims {
    /// The service account.
    pub iss: String,
    /// Always `google`.
    pub aud: &'static str,
    /// Always `savetowallet`.
    pub typ: &'static str,
    /// When it was made, Unix seconds.
    pub iat: i64,
    /// What is saved.
    pub payload: Payload,
}

/// What is saved.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload {
    /// The class, unless Google has it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub generic_classes: Vec<GenericClass>,
    /// The pass.
    pub generic_objects: Vec<SaveObject>,
}

/// A pass in a link.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum SaveObject {
    /// In full: Google makes it when it is saved.
    Full(Box<GenericObject>),
    /// One that has been put in by REST.
    #[serde(rename_all = "camelCase")]
    ById {
        /// The object's id.
        id: WalletId,
        /// Its class.
        class_id: WalletId,
    },
}

impl SaveClaims {
    /// The claims of a pass that Google does not know yet, with its class.
    pub fn new(account: &str, issued_at: i64, class: GenericClass, object: GenericObject) -> Self {
        let object = GenericObject { pass_constraints: None, ..object };
        let payload =
            Payload { generic_classes: vec![class], generic_objects: vec![SaveObject::Full(Box::new(object))] };
        Self { iss: account.to_owned(), aud: "google", typ: "savetowallet", iat: issued_at, payload }
    }

    /// The claims of a pass that has been put in by REST.
    pub fn by_id(account: &str, issued_at: i64, id: WalletId, class_id: WalletId) -> Self {
        let payload = Payload { generic_classes: Vec::new(), generic_objects: vec![SaveObject::ById { id, class_id }] };
        Self { iss: account.to_owned(), aud: "google", typ: "savetowallet", iat: issued_at, payload }
    }

    /// The length of the link in characters, given the JWT's header as JSON and the signature's length in bytes.
    #[expect(clippy::missing_panics_doc, reason = "it never panics, see the `expect`")]
    pub fn link_length(&self, header: &str, signature_bytes: usize) -> usize {
        let claims = serde_json::to_vec(self).expect("claims hold only texts, numbers and string keys");
        let base64 = |bytes: usize| (bytes * 4).div_ceil(3);
        SAVE_LINK.len() + base64(header.len()) + 1 + base64(claims.len()) + 1 + base64(signature_bytes)
    }

    /// Shortens the pass until its link fits; see the module for the order.
    ///
    /// # Errors
    /// [`GoogleProblem::TooLong`] where nothing is left that may go.
    pub fn fit(mut self, header: &str, signature_bytes: usize) -> Result<Self, GoogleProblem> {
        let excess = |claims: &Self| claims.link_length(header, signature_bytes).saturating_sub(MAX_LINK);
        while excess(&self) > 0 {
            let Payload { generic_classes, generic_objects } = &mut self.payload;
            let Some((SaveObject::Full(object), class)) = generic_objects.first_mut().zip(generic_classes.first_mut())
            else {
                return Err(GoogleProblem::TooLong);
            };
            let shorter = drop_module(object, class)
                || drop_unseen(object, class)
                || object.hex_background_color.take().is_some()
                || class.class_template_info.take().is_some()
                || shorten_subheader(object)
                || shorten_names(object);
            if !shorter {
                return Err(GoogleProblem::TooLong);
            }
        }
        Ok(self)
    }
}

/// Drops the last text module, and the row of the card that would show it. Without a code there is room for the ones that
/// say why, and what the pass is not (S1.32).
fn drop_module(object: &mut GenericObject, class: &mut GenericClass) -> bool {
    let is_coded = object.barcode.is_some();
    let droppable = |module: &mut TextModule| is_coded || !ESSENTIAL.contains(&module.id.as_str());
    let dropped = object.text_modules_data.pop_if(droppable).is_some();
    if let Some(template) = &mut class.class_template_info {
        template.keep_rows_of(object.text_modules_data.iter().map(|module| module.id.as_str()));
    }
    dropped
}

/// Drops what the holder does not see: the reminder with the beginning it hangs on, the kind of pass, that it is in force
/// (as an object is that does not say), who may hold it.
fn drop_unseen(object: &mut GenericObject, class: &mut GenericClass) -> bool {
    let reminder = object.notifications.take().is_some();
    let start = reminder.then(|| object.valid_time_interval.as_mut()?.start.take()).flatten();
    reminder
        || start.is_some()
        || object.generic_type.take().is_some()
        || object.state.take_if(|state| *state == State::Active).is_some()
        || class.multiple_devices_and_holders_allowed_status.take().is_some()
}

/// Takes the host from the subheader, then the site, then all of it.
fn shorten_subheader(object: &mut GenericObject) -> bool {
    let Some(subheader) = &mut object.subheader else { return false };
    let text = &mut subheader.default_value.value;
    match text.rfind(SEPARATOR) {
        Some(at) => text.truncate(at),
        None => object.subheader = None,
    }
    true
}

/// Shortens the longer of the visitor's and the organisation's name.
fn shorten_names(GenericObject { header, card_title, .. }: &mut GenericObject) -> bool {
    let bytes = |text: &LocalizedString| text.default_value.value.len();
    let (first, second) = if bytes(card_title) > bytes(header) { (card_title, header) } else { (header, card_title) };
    shorten(first) || shorten(second)
}

/// Takes the last character away and puts "…" there; whether that was possible.
///
/// A letter goes with its marks, and what a joiner binds together goes together: half of it would be another letter.
fn shorten(text: &mut LocalizedString) -> bool {
    let value = &mut text.default_value.value;
    if value.chars().count() <= MIN_NAME_CHARS {
        return false;
    }
    let mut kept: Vec<char> = value.trim_end_matches('…').chars().collect();
    let binds =
        |c: char| is_combining_mark(c) || matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    while let Some(last) = kept.pop() {
        let joined = kept.last().is_some_and(|&before| before == '\u{200d}');
        if !binds(last) && !joined {
            break;
        }
    }
    while kept.last().is_some_and(|c| c.is_whitespace()) {
        kept.pop();
    }
    kept.push('…');
    *value = kept.into_iter().collect();
    true
}

#[cfg(test)]
#[path = "google_tests.rs"]
mod tests;
