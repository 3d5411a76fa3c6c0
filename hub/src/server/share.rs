//! How much one phone, and one member with all his phones, may send in an hour and in a day.
//!
//! Who has used his share up is told when to come back: 429, with the code `later`. Nothing is lost by that: the phone
//! keeps its work, fetches what is new all the same, and sends the rest then. It is counted in the transaction that
//! judges, and so survives a restart.

use rusqlite::Transaction;
use vestibule_core::document::ParsedChange;
use vestibule_core::sync::wire::SyncRequest;

use super::problem::Refused;
use crate::config::Limits;
use crate::context::Context;
use crate::issuer::Access;
use crate::store::usage::{self, Allowance, Amount, Who};

/// A member may send as much as so many of his phones.
const PHONES: u64 = 2;

/// What a phone and a member may send.
pub struct Share {
    device: Allowance,
    member: Allowance,
}

impl Share {
    /// By the settings.
    pub fn of(limits: &Limits) -> Self {
        let times = |factor: u64| {
            let amount = |visits: u64, changes: u64, megabytes: u64| Amount {
                visits: visits.saturating_mul(factor),
                changes: changes.saturating_mul(factor),
                bytes: megabytes.saturating_mul(1 << 20).saturating_mul(factor),
            };
            Allowance {
                hour: amount(limits.visits_per_hour, limits.changes_per_hour, limits.megabytes_per_hour),
                day: amount(limits.visits_per_day, limits.changes_per_day, limits.megabytes_per_day),
            }
        };
        Self { device: times(1), member: times(PHONES) }
    }

    /// Does `work`, a push, if there is room for it in the shares of the phone and its member, and counts it.
    ///
    /// # Errors
    /// `later`, with the time there is room again.
    pub fn within<T>(
        &self,
        tx: &Transaction<'_>,
        context: &Context,
        access: &Access,
        request: &SyncRequest,
        now: i64,
        work: impl FnOnce() -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let (device, member) = (access.device.to_string(), access.member.as_str());
        let who = |kind, id| Who { organisation: &context.organisation, kind, id };
        let shares = [(who("device", &device), self.device), (who("member", member), self.member)];
        for (who, allowed) in shares {
            let Some(mut seconds) = usage::until_room(tx, who, allowed, now)? else { continue };
            if !makes_visits(request) {
                // No more invitations: what was invited may still be changed and cancelled.
                match usage::until_room(tx, who, allowed.but_for_visits(), now)? {
                    Some(later) => seconds = later,
                    None => continue,
                }
            }
            tracing::warn!(organisation = %context.organisation, kind = who.kind, seconds, "a share is used up");
            let detail = "This phone has sent as much as it may for now; it keeps the rest and sends it later.";
            return Err(Refused::later("later", detail, seconds));
        }
        let before = usage::accepted(tx)?;
        let done = work()?;
        let after = usage::accepted(tx)?;
        let bytes = request
            .push
            .iter()
            .map(|pushed| pushed.envelope.len() + pushed.chunks.iter().map(|chunk| chunk.len()).sum::<usize>());
        let sent = Amount {
            visits: after.visits.saturating_sub(before.visits),
            changes: after.changes.saturating_sub(before.changes),
            bytes: bytes.map(|bytes| bytes as u64).sum(),
        };
        for (who, _) in shares {
            usage::add(tx, who, sent, now)?;
        }
        Ok(done)
    }
}

/// Whether a push makes visits: the first change of a document builds on nothing. What cannot be read makes none.
fn makes_visits(request: &SyncRequest) -> bool {
    let mut chunks = request.push.iter().flat_map(|pushed| &pushed.chunks);
    chunks.any(|chunk| ParsedChange::read(chunk).is_ok_and(|change| change.deps.is_empty()))
}
