//! An Apple certificate that runs out: said in time, and never signed with after.

use chrono::{DateTime, TimeDelta, Utc};
use vestibule_core::id::OrganisationId;

use super::PassSigner;

/// With so many days left an operator is told, and told again.
const DAYS: [i64; 3] = [1, 7, 30];

/// What is to be said of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Whose passes it signs.
    pub organisation: OrganisationId,
    /// When it runs out.
    pub until: DateTime<Utc>,
    /// The line it has passed: 30, 7 or 1 days before its end, or 0 for one that passes are not signed with now.
    pub line: i64,
}

impl Expiry {
    /// What is to be said at `now`; nothing of a certificate that has more than thirty days.
    pub fn of(organisation: &OrganisationId, signer: &PassSigner, now: DateTime<Utc>) -> Option<Self> {
        let (from, until) = signer.validity();
        let left = until.signed_duration_since(now);
        let line = if now < from || left <= TimeDelta::zero() {
            0
        } else {
            DAYS.into_iter().find(|&days| left <= TimeDelta::days(days))?
        };
        Some(Self { organisation: organisation.clone(), until, line })
    }

    /// The sentence for the log and for `vestibule admin check`.
    pub fn warning(&self) -> String {
        let (organisation, until) = (&self.organisation, self.until.format("%Y-%m-%d %H:%M UTC"));
        if self.line == 0 {
            format!(
                "The Apple certificate of {organisation} is not valid now (it ends {until}); invitations go out without \
                 Apple passes. Put a new certificate in place and start the hub again."
            )
        } else {
            format!(
                "The Apple certificate of {organisation} ends {until}. Renew it before then; without it, invitations go \
                 out without Apple passes."
            )
        }
    }
}
