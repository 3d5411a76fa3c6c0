//! The claims of a "Save to Google Wallet" link, and how they are made to fit into one.
//!
//! A link is [`SAVE_LINK`] and a JWT, together at most [`MAX_LINK`] characters: beyond that phones cut it. The length is
//! known before signing, so [`SaveClaims::fit`] drops what may be dropped first: text modules from the last, what nobody
//! sees (the reminder, the kind of pass), the subheader, the end of the visitor's or the organisation's name, whichever is longer; never the
//! barcode, whose own words say what the pass is not (S1.32).
//!
//! Measured with a token of 197 characters, a service account of 46 and one origin: the claims may take 1,040 bytes, and
//! those of a visitor with all text modules take 1,760. All modules go, and what is unseen, and the subheader; the name
//! stays whole. Where there is REST access, insert the object first and link by id alone.

use serde::Serialize;
use unicode_normalization::char::is_combining_mark;

use super::google::{GenericClass, GenericObject, GoogleProblem, LocalizedString, WalletId};

/// What every link begins with.
pub const SAVE_LINK: &str = "https://pay.google.com/gp/v/save/";
/// The longest link, in characters.
pub const MAX_LINK: usize = 1_800;
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
    /// The sites whose pages may show a button for it.
    pub origins: Vec<String>,
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
    pub fn new(
        account: &str,
        issued_at: i64,
        origins: Vec<String>,
        class: GenericClass,
        object: GenericObject,
    ) -> Self {
        let payload =
            Payload { generic_classes: vec![class], generic_objects: vec![SaveObject::Full(Box::new(object))] };
        Self { iss: account.to_owned(), aud: "google", typ: "savetowallet", iat: issued_at, origins, payload }
    }

    /// The claims of a pass that has been put in by REST.
    pub fn by_id(account: &str, issued_at: i64, origins: Vec<String>, id: WalletId, class_id: WalletId) -> Self {
        let payload = Payload { generic_classes: Vec::new(), generic_objects: vec![SaveObject::ById { id, class_id }] };
        Self { iss: account.to_owned(), aud: "google", typ: "savetowallet", iat: issued_at, origins, payload }
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
            let Some(SaveObject::Full(object)) = self.payload.generic_objects.first_mut() else {
                return Err(GoogleProblem::TooLong);
            };
            let shorter = object.text_modules_data.pop().is_some()
                || drop_unseen(object)
                || object.subheader.take().is_some()
                || shorten_names(object);
            if !shorter {
                return Err(GoogleProblem::TooLong);
            }
        }
        Ok(self)
    }
}

/// Drops what the holder does not see: the reminder with the beginning it hangs on, then the kind of pass.
fn drop_unseen(object: &mut GenericObject) -> bool {
    let reminder = object.notifications.take().is_some();
    let start = reminder.then(|| object.valid_time_interval.as_mut()?.start.take()).flatten();
    reminder || start.is_some() || object.generic_type.take().is_some()
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
