//! What the rows say. Each is a CBOR map with integer keys; keys are only ever added, and every field added later has
//! a default, so an older phone and a newer hub understand each other.

use minicbor::decode::Error as DecodeError;
use minicbor::{Decode, Decoder, Encode};
use serde::{Deserialize, Serialize};

use crate::id::{MemberId, OrganisationId, SiteId, SpaceId, TypeId};

/// Whether a visitor must have an e-mail address (S4.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum PrivacyMode {
    /// The address is required, the PIN goes to it alone, and the host never sees it (S4.3, S4.5).
    #[default]
    #[n(0)]
    Private,
    /// The address is optional; a visitor without one gets no PIN and is found by name at reception.
    #[n(1)]
    Reception,
}

/// The organisation and its policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Organisation {
    /// Its id.
    #[n(0)]
    pub id: OrganisationId,
    /// The name visitors know it by.
    #[n(1)]
    pub name: String,
    /// Whether visitors must have an e-mail address. A mode of a later version is read as the stricter one.
    #[n(2)]
    #[cbor(decode_with = "known_mode")]
    pub privacy: PrivacyMode,
    /// Whether invitations carry a QR code (S1.33).
    #[n(3)]
    pub qr: bool,
    /// Whether wallet passes are set up (S1.34).
    #[n(4)]
    pub wallet: bool,
    /// For how many days from its acceptance an invitation without a schedule is good.
    #[n(5)]
    pub unscheduled_days: u16,
    /// For how many minutes after its arrival time an invitation with nothing but that is good.
    #[n(6)]
    pub arrival_minutes: u16,
}

/// A space within a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Space {
    /// Its id.
    #[n(0)]
    pub id: SpaceId,
    /// The site it is in.
    #[n(1)]
    pub site: SiteId,
    /// Its name.
    #[n(2)]
    pub name: String,
}

/// A visitor type (a category).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct VisitorType {
    /// Its id.
    #[n(0)]
    pub id: TypeId,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Whether visits of this type need an approval (S2.6).
    #[n(2)]
    pub needs_approval: bool,
}

/// A member as every colleague may know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Member {
    /// Their id.
    #[n(0)]
    pub id: MemberId,
    /// Their number in the visitors API, never reused.
    #[n(1)]
    pub number: u64,
    /// Their name.
    #[n(2)]
    pub name: String,
    /// Their work e-mail address.
    #[n(3)]
    pub email: String,
    /// The site they work at, if one is known.
    #[n(4)]
    pub site: Option<SiteId>,
}

/// What a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Encode, Decode)]
#[serde(rename_all = "snake_case")]
#[cbor(index_only)]
pub enum Role {
    /// Invites visitors of their own.
    #[n(0)]
    Host,
    /// Invites for the members whose delegate they are.
    #[n(1)]
    Delegate,
    /// Makes the security decision.
    #[n(2)]
    Approver,
    /// Receives visitors at a site.
    #[n(3)]
    Reception,
    /// Sets the organisation up.
    #[n(4)]
    Administrator,
    /// A program.
    #[n(5)]
    ApiClient,
}

/// What one member may do; a phone holds only its own member's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct OwnRoles {
    /// The member.
    #[n(0)]
    pub member: MemberId,
    /// Their roles.
    #[n(1)]
    #[cbor(decode_with = "known_roles")]
    pub roles: Vec<Role>,
    /// The members whose delegate they are.
    #[n(2)]
    pub principals: Vec<MemberId>,
    /// The "Add visitor" switch, off until enabled (S1.10).
    #[cbor(n(3), default)]
    pub may_add_visitors: bool,
    /// Whether they may name any host (S1.21).
    #[cbor(n(4), default)]
    pub may_change_host: bool,
}

fn known_mode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<PrivacyMode, DecodeError> {
    Ok(match d.u32()? {
        1 => PrivacyMode::Reception,
        _ => PrivacyMode::Private,
    })
}

/// The roles this version knows; those of a later one are left out, so that an older app goes on with the others.
fn known_roles<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Vec<Role>, DecodeError> {
    let mut roles = Vec::new();
    for _ in 0..d.array()?.ok_or(DecodeError::message("the roles of a member have a definite length"))? {
        let start = d.position();
        d.skip()?;
        roles.extend(d.input().get(start..d.position()).and_then(|bytes| minicbor::decode::<Role>(bytes).ok()));
    }
    Ok(roles)
}
