//! What one organisation's requests are handled with: its keys and the operator's settings.

use url::Url;
use vestibule_core::id::OrganisationId;

use crate::keys::OrganisationKeys;
use crate::wallet::{GoogleIssuer, PassSigner};

/// Keys and settings of one organisation on this hub.
pub struct Context {
    /// The organisation.
    pub organisation: OrganisationId,
    /// Its keys.
    pub keys: OrganisationKeys,
    /// The address phones, visitors and approvers reach the hub under.
    pub public_url: Url,
    /// The sender of its mails, as in a `From` header: `Example AG <visitors@example.com>`.
    pub mail_from: String,
    /// Signs its Apple passes; absent where none are set up (S1.34).
    pub apple: Option<PassSigner>,
    /// Makes its Google links; absent where none are set up.
    pub google: Option<GoogleIssuer>,
}
