//! Previews of what the visitor gets: made on the phone, with nothing to be let in by.

use std::sync::Arc;

use vestibule_core::phone::{self, HostClient as CoreClient, PassLine as CoreLine, PassPlace as CorePlace};
use vestibule_core::qr::QrMatrix as CoreMatrix;
use vestibule_core::wallet::apple::{Color, PassColor};

use crate::argument::read;
use crate::error::{Outcome, guarded};

/// Previews of passes and codes.
#[derive(uniffi::Object)]
pub struct Passes {
    pub(crate) core: Arc<CoreClient>,
}

/// Where a field stands on a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum PassPlace {
    /// At the top right.
    Header,
    /// Large.
    Primary,
    /// Below.
    Secondary,
    /// Below that.
    Auxiliary,
    /// On the back.
    Back,
}

/// A field of a pass.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PassField {
    /// Its name within the pass.
    pub key: String,
    /// Where it stands.
    pub place: PassPlace,
    /// The words above the value.
    pub label: String,
    /// What is shown.
    pub value: String,
}

impl From<CoreLine> for PassField {
    fn from(line: CoreLine) -> Self {
        Self {
            key: line.key,
            place: match line.place {
                CorePlace::Header => PassPlace::Header,
                CorePlace::Primary => PassPlace::Primary,
                CorePlace::Secondary => PassPlace::Secondary,
                CorePlace::Auxiliary => PassPlace::Auxiliary,
                CorePlace::Back => PassPlace::Back,
            },
            label: line.label,
            value: line.value,
        }
    }
}

/// The visitor's pass, without its code.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PassPreview {
    /// The organisation's name, at the top of the pass.
    pub title: String,
    /// What the pass is, for screen readers.
    pub description: String,
    /// The visitor's name as typed.
    pub name: String,
    /// The fields in their order, front before back.
    pub fields: Vec<PassField>,
    /// Whether the pass would show as ended.
    pub voided: bool,
    /// The colour behind everything, as `#rrggbb`.
    pub background: String,
    /// The colour of values, as `#rrggbb`.
    pub foreground: String,
    /// The colour of labels, as `#rrggbb`.
    pub label_colour: String,
    /// Apple's `pass.json` as it will be, unsigned and without a code.
    pub json: String,
}

/// The modules of a QR code, without the quiet zone of four light modules that belongs around it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QrMatrix {
    /// Modules per side, 21 to 177.
    pub size: u32,
    /// `size` times `size` modules, row by row from the top left; 1 is dark, 0 is light.
    pub modules: Vec<u8>,
}

impl From<CoreMatrix> for QrMatrix {
    fn from(matrix: CoreMatrix) -> Self {
        Self {
            size: u32::try_from(matrix.size).expect("a symbol has at most 177 modules"),
            modules: matrix.dark.into_iter().map(u8::from).collect(),
        }
    }
}

#[uniffi::export]
impl Passes {
    /// The visitor's pass as it will look, without its code.
    ///
    /// Errors: `NotFound`; `Refused` with `no_wallet` where the organisation has no passes, and `no_site` where this
    /// phone does not know the visit's site; `Closed`, `Store`.
    pub fn preview(&self, id: String) -> Outcome<PassPreview> {
        guarded(|| {
            let preview = self.core.pass_preview(read("id", &id)?)?;
            let colour = |colour: Option<PassColor>| {
                let Color(red, green, blue) = colour.and_then(|colour| colour.color()).unwrap_or(Color(0, 0, 0));
                format!("#{red:02x}{green:02x}{blue:02x}")
            };
            let pass = preview.pass;
            let json = String::from_utf8(pass.to_json()).expect("JSON is UTF-8");
            Ok(PassPreview {
                title: pass.organization_name,
                description: pass.description,
                name: preview.name,
                fields: preview.lines.into_iter().map(Into::into).collect(),
                voided: pass.voided == Some(true),
                background: colour(pass.background_color),
                foreground: colour(pass.foreground_color),
                label_colour: colour(pass.label_color),
                json,
            })
        })
    }

    /// How the visitor's QR code will look. It says that it is a preview: the real code is in the visitor's own mail,
    /// page and pass alone.
    pub fn qr_preview(&self) -> Outcome<QrMatrix> {
        guarded(|| Ok(phone::qr_preview().into()))
    }
}
