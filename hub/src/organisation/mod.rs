//! Organisations: founding one, and changing what its members may do.
//!
//! Founding stores the rows, lets the root sign the first key set, and puts everything every phone may know into the
//! feed's `directory` scope and each member's roles into theirs. Security and category addresses stay in the database.

mod key_sets;
pub mod sample;

use rusqlite::Transaction;
use vestibule_core::directory::{DirectoryRow, Member, Organisation, RowValue, Site, Space};
use vestibule_core::feed::Scope;
use vestibule_core::id::{ChainHash, HubEpoch, MemberId, OrganisationId};
use vestibule_core::keys::SignerError;

pub use key_sets::{key_set, key_set_holds, sign_key_set};

use crate::context::Context;
use crate::feed;
use crate::moment::Moment;
use crate::store::members::{self, MemberRecord};
use crate::store::organisations::{self, Counted, OrganisationRecord, TypeRecord, next_number};
use crate::store::{StoreError, clock, devices};

/// How many visits come into newly kept scopes in the transaction that gives a role.
const FILLED_AT_ONCE: u32 = 200;

/// An organisation to be founded. Numbers in its sites and members are given by the hub, whatever stands there.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The organisation.
    pub organisation: Organisation,
    /// The general visitor-security address (S2.9).
    pub security_address: Option<String>,
    /// Its sites.
    pub sites: Vec<Site>,
    /// Their spaces.
    pub spaces: Vec<Space>,
    /// Its visitor types, with the categories' addresses.
    pub types: Vec<TypeRecord>,
    /// Its members. An empty issuer is the hub's own, and an empty subject the member's id.
    pub members: Vec<MemberRecord>,
}

/// An organisation was not founded or changed; completes "failed to set up the organisation: …".
#[derive(Debug, thiserror::Error)]
pub enum OrganisationError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root did not sign the key set.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The context is another organisation's.
    #[error("the keys and settings are those of another organisation")]
    OtherOrganisation,
    /// There is one of that id.
    #[error("there is an organisation {0} already")]
    Exists(OrganisationId),
    /// There is no member of that id.
    #[error("there is no member {0}")]
    NoMember(MemberId),
}

impl From<rusqlite::Error> for OrganisationError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Founds an organisation with the keys of the context. The database's epoch begins with its first organisation.
pub fn found(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    founding: Founding,
) -> Result<(), OrganisationError> {
    let id = &context.organisation;
    if founding.organisation.id != *id {
        return Err(OrganisationError::OtherOrganisation);
    }
    if organisations::get(tx, id)?.is_some() {
        return Err(OrganisationError::Exists(id.clone()));
    }
    if organisations::epoch(tx)?.is_none() {
        organisations::set_epoch(tx, HubEpoch(moment.random()))?;
    }
    let remembered = clock::get(tx)?;
    if remembered.seen.is_none() {
        clock::put(tx, &clock::Record { seen: Some(moment.now), ..remembered })?;
    }
    let version = next_number(tx, Counted::Row)?;
    let record = OrganisationRecord {
        organisation: founding.organisation.clone(),
        number: next_number(tx, Counted::Organisation)?,
        version,
        security_address: founding.security_address,
        log_head: ChainHash::ORIGIN,
    };
    organisations::insert(tx, &record)?;
    publish(tx, moment, id, version, founding.organisation)?;
    sign_key_set(tx, context, moment)?;
    for mut site in founding.sites {
        let version = next_number(tx, Counted::Row)?;
        site.number = next_number(tx, Counted::Site)?;
        organisations::insert_site(tx, id, &site, version)?;
        publish(tx, moment, id, version, site)?;
    }
    for space in founding.spaces {
        let version = next_number(tx, Counted::Row)?;
        organisations::insert_space(tx, id, &space, version)?;
        publish(tx, moment, id, version, space)?;
    }
    for kind in founding.types {
        let version = next_number(tx, Counted::Row)?;
        organisations::insert_type(tx, id, &kind, version)?;
        publish(tx, moment, id, version, kind.visitor_type)?;
    }
    for member in founding.members {
        add_member(tx, context, moment, member)?;
    }
    Ok(())
}

/// Adds a member; the number is given by the hub. An empty issuer is the hub's own, an empty subject the member's id.
pub fn add_member(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    mut record: MemberRecord,
) -> Result<Member, OrganisationError> {
    let id = &context.organisation;
    record.member.number = next_number(tx, Counted::Member)?;
    if record.issuer.is_empty() {
        record.issuer = own_issuer(context);
    }
    if record.subject.is_empty() {
        record.subject = record.member.id.to_string();
    }
    let version = next_number(tx, Counted::Row)?;
    members::insert(tx, id, &record, version)?;
    publish_member(tx, moment, id, version, &record)?;
    open_scopes(tx, context, moment, &record)?;
    Ok(record.member)
}

/// The name of the hub's own issuer in tokens: its address.
pub fn own_issuer(context: &Context) -> String {
    context.public_url.as_str().trim_end_matches('/').to_owned()
}

/// Changes a member: name, address, site, activity, permissions and roles. Their number, issuer and subject stay.
pub fn change_member(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    member: &MemberId,
    change: impl FnOnce(&mut MemberRecord),
) -> Result<(), OrganisationError> {
    let id = &context.organisation;
    let mut record = members::get(tx, id, member)?.ok_or_else(|| OrganisationError::NoMember(member.clone()))?;
    let fixed = (record.member.id.clone(), record.member.number);
    change(&mut record);
    (record.member.id, record.member.number) = fixed;
    let version = next_number(tx, Counted::Row)?;
    members::update(tx, id, &record, version)?;
    if !record.active {
        for device in devices::of_member(tx, id, member)? {
            devices::revoke(tx, id, &device.thumbprint, moment.unix())?;
        }
    }
    publish_member(tx, moment, id, version, &record)?;
    open_scopes(tx, context, moment, &record)
}

/// Keeps the scopes a member's roles give, from now on; what is expected next is in them when the member first syncs, and
/// the rest follows.
fn open_scopes(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    record: &MemberRecord,
) -> Result<(), OrganisationError> {
    feed::open(tx, &context.organisation, record)?;
    feed::keep_in_step(tx, context, moment, FILLED_AT_ONCE)?;
    Ok(())
}

fn publish_member(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    id: &OrganisationId,
    version: u64,
    record: &MemberRecord,
) -> Result<(), StoreError> {
    publish(tx, moment, id, version, record.member.clone())?;
    let scope = Scope::Roles(record.member.id.clone());
    feed::publish_row(tx, moment, id, &scope, &DirectoryRow::put(version, record.own_roles()))
}

fn publish(
    tx: &Transaction<'_>,
    moment: &mut Moment<'_>,
    id: &OrganisationId,
    version: u64,
    value: impl Into<RowValue>,
) -> Result<(), StoreError> {
    feed::publish_row(tx, moment, id, &Scope::Directory, &DirectoryRow::put(version, value))
}

#[cfg(test)]
mod tests {
    use super::{OrganisationError, found, own_issuer, sample};
    use crate::judge::tests::World;
    use crate::store::{devices, members};

    #[test]
    fn an_organisation_is_founded_once_and_with_its_own_keys() {
        let mut world = World::new();
        let before = world.store.dump(&[]);
        let again = world.write(|tx, context, moment| found(tx, context, moment, sample::example_ag()));
        assert!(matches!(again, Err(OrganisationError::Exists(_))));
        let mut other = sample::example_ag();
        other.organisation.id = "other".parse().expect("an id");
        let other = world.write(|tx, context, moment| found(tx, context, moment, other));
        assert!(matches!(other, Err(OrganisationError::OtherOrganisation)));
        assert!(world.store.dump(&[]) == before);
    }

    /// A member is known by issuer and subject; whoever leaves has no device any more.
    #[test]
    fn a_member_who_leaves_has_no_device_any_more() {
        let mut world = World::new();
        let ada = world.enrol("ada");
        let (id, issuer) = (world.context.organisation.clone(), own_issuer(&world.context));
        let found = world.store.read(|tx| members::by_subject(tx, &id, &issuer, "ada")).expect("a database");
        assert_eq!(found.map(|member| member.member.id), Some(ada.device.member.clone()));
        let member = ada.device.member.clone();
        world
            .write(|tx, context, moment| {
                super::change_member(tx, context, moment, &member, |member| member.active = false)
            })
            .expect("changed");
        let device = world.store.read(|tx| devices::get(tx, &id, &ada.device.thumbprint)).expect("a database");
        assert_eq!(device.and_then(|device| device.revoked_at), Some(world.now.timestamp()));
    }
}
