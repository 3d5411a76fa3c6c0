//! What a pass is good for, and the words for it.
//!
//! A pass without a code always says why, and only a host's preview calls itself one. One field on the back holds the
//! words for as long as the pass lives. Wallet reads a changed value out on the lock screen where the field has a
//! `changeMessage`: it has one when the holder is to hear what happened, that is when the delivery ended with a word to
//! its recipient, and none when a visit was rejected, sent back or used (S2.28).

/// What a pass is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The signed QR token lets in, now or within its window.
    Code(String),
    /// The invitation is good; the organisation uses no codes.
    ByName,
    /// Not for now, and nobody says why.
    NotNow,
    /// It was used: the visitor has been let in.
    Used,
    /// Its time is over.
    Over,
    /// The visit was cancelled, and its visitor was told.
    Cancelled,
    /// The invitation went to another address, and this one was told that it ended.
    Moved,
    /// Only shown to the host, without a code.
    Preview {
        /// Whether the visitor's own pass has been ended.
        is_void: bool,
    },
}

impl Admission {
    /// The code to show.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Code(token) => Some(token),
            _ => None,
        }
    }

    /// Whether the pass has been ended, for now or for good.
    pub fn is_void(&self) -> bool {
        match self {
            Self::Code(_) | Self::ByName => false,
            Self::NotNow | Self::Used | Self::Over | Self::Cancelled | Self::Moved => true,
            Self::Preview { is_void } => *is_void,
        }
    }

    /// Whether the holder is to hear of it.
    pub fn is_announced(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Moved)
    }

    /// One sentence for the holder.
    pub fn words(&self, organisation: &str) -> String {
        match self {
            Self::Code(_) => "Show the code at reception.".to_owned(),
            Self::ByName => "Check in at reception by name.".to_owned(),
            Self::NotNow => "Not valid now. Ask your host.".to_owned(),
            Self::Used => "You have checked in with this pass.".to_owned(),
            Self::Over => "This pass has expired.".to_owned(),
            Self::Cancelled => format!("Your visit to {organisation} has been cancelled."),
            Self::Moved => format!("Your invitation to {organisation} is no longer valid."),
            Self::Preview { .. } => "This is a preview. Only the visitor's own pass carries the code.".to_owned(),
        }
    }
}
