//! Members with their roles.

use rusqlite::{Row, Transaction, params};
use vestibule_core::directory::{Member, OwnRoles, Role};
use vestibule_core::id::{MemberId, OrganisationId, SiteId, TypeId};

use super::StoreError;
use super::column::{Count, count, optional_text, text};

/// A member as the hub keeps them, with what they may do at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// What every colleague knows of them.
    pub member: Member,
    /// Whether they may sign in and act.
    pub active: bool,
    /// The issuer that knows them.
    pub issuer: String,
    /// What the issuer calls them.
    pub subject: String,
    /// The "Add visitor" switch (S1.10).
    pub may_add_visitors: bool,
    /// Whether they may name any host (S1.21).
    pub may_change_host: bool,
    /// Their roles.
    pub roles: Vec<RoleGrant>,
}

/// A role and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// Of a delegate: whose.
    pub principal: Option<MemberId>,
    /// Of an approver, receptionist or API client: the only site; all if none.
    pub site: Option<SiteId>,
    /// Of an approver: the only visitor type; all if none.
    pub visitor_type: Option<TypeId>,
}

impl RoleGrant {
    /// A role without restriction.
    pub fn of(role: Role) -> Self {
        Self { role, principal: None, site: None, visitor_type: None }
    }
}

impl MemberRecord {
    /// Whether they have a role, whatever for.
    pub fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|grant| grant.role == role)
    }

    /// Whether they have a role that is good at a site.
    pub fn has_at(&self, role: Role, site: &SiteId) -> bool {
        self.roles.iter().any(|grant| grant.role == role && grant.site.as_ref().is_none_or(|only| only == site))
    }

    /// Whether they may make the security decision on a visit of that site and type.
    pub fn may_decide(&self, site: &SiteId, visitor_type: Option<&TypeId>) -> bool {
        self.has(Role::Administrator)
            || self.roles.iter().any(|grant| {
                grant.role == Role::Approver
                    && grant.site.as_ref().is_none_or(|only| only == site)
                    && grant.visitor_type.as_ref().is_none_or(|only| Some(only) == visitor_type)
            })
    }

    /// The members whose delegate they are.
    pub fn principals(&self) -> impl Iterator<Item = &MemberId> {
        self.roles.iter().filter(|grant| grant.role == Role::Delegate).filter_map(|grant| grant.principal.as_ref())
    }

    /// Whether they are the delegate of that member.
    pub fn is_delegate_of(&self, principal: &MemberId) -> bool {
        self.principals().any(|theirs| theirs == principal)
    }

    /// What their own phone knows of their roles.
    pub fn own_roles(&self) -> OwnRoles {
        let mut roles: Vec<Role> = self.roles.iter().map(|grant| grant.role).collect();
        roles.sort_unstable();
        roles.dedup();
        OwnRoles {
            member: self.member.id.clone(),
            roles,
            principals: self.principals().cloned().collect(),
            may_add_visitors: self.may_add_visitors,
            may_change_host: self.may_change_host,
        }
    }
}

/// The name of a role in SQL and lists.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Host => "host",
        Role::Delegate => "delegate",
        Role::Approver => "approver",
        Role::Reception => "reception",
        Role::Administrator => "administrator",
        Role::ApiClient => "api_client",
    }
}

fn read_role(name: &str) -> Result<Role, StoreError> {
    Ok(match name {
        "host" => Role::Host,
        "delegate" => Role::Delegate,
        "approver" => Role::Approver,
        "reception" => Role::Reception,
        "administrator" => Role::Administrator,
        "api_client" => Role::ApiClient,
        _ => return Err(StoreError::Corrupt("role")),
    })
}

/// Stores a new member with their roles.
pub fn insert(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    record: &MemberRecord,
    version: u64,
) -> Result<(), StoreError> {
    let member = &record.member;
    tx.prepare_cached(
        "INSERT INTO member (organisation, id, number, version, name, email, site, active, issuer, subject,
         may_add_visitors, may_change_host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        organisation.as_str(),
        member.id.as_str(),
        Count(member.number),
        Count(version),
        member.name,
        member.email,
        member.site.as_ref().map(SiteId::as_str),
        record.active,
        record.issuer,
        record.subject,
        record.may_add_visitors,
        record.may_change_host,
    ])?;
    for grant in &record.roles {
        insert_role(tx, organisation, &member.id, grant)?;
    }
    Ok(())
}

fn insert_role(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    member: &MemberId,
    grant: &RoleGrant,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO member_role (organisation, member, role, principal, site, type) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        organisation.as_str(),
        member.as_str(),
        role_name(grant.role),
        grant.principal.as_ref().map_or("", MemberId::as_str),
        grant.site.as_ref().map_or("", SiteId::as_str),
        grant.visitor_type.as_ref().map_or("", TypeId::as_str),
    ])?;
    Ok(())
}

/// Replaces what a member may do.
pub fn update(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    record: &MemberRecord,
    version: u64,
) -> Result<(), StoreError> {
    let member = &record.member;
    tx.prepare_cached(
        "UPDATE member SET version = ?3, name = ?4, email = ?5, site = ?6, active = ?7, may_add_visitors = ?8,
         may_change_host = ?9 WHERE organisation = ?1 AND id = ?2",
    )?
    .execute(params![
        organisation.as_str(),
        member.id.as_str(),
        Count(version),
        member.name,
        member.email,
        member.site.as_ref().map(SiteId::as_str),
        record.active,
        record.may_add_visitors,
        record.may_change_host,
    ])?;
    tx.prepare_cached("DELETE FROM member_role WHERE organisation = ?1 AND member = ?2")?
        .execute([organisation.as_str(), member.id.as_str()])?;
    for grant in &record.roles {
        insert_role(tx, organisation, &member.id, grant)?;
    }
    Ok(())
}

const COLUMNS: &str =
    "id, number, name, email, site, active, issuer, subject, may_add_visitors, may_change_host, organisation";

fn read_member(row: &Row<'_>) -> Result<MemberRecord, StoreError> {
    Ok(MemberRecord {
        member: Member {
            id: text(row, 0, "member id")?,
            number: count(row, 1)?,
            name: row.get(2)?,
            email: row.get(3)?,
            site: optional_text(row, 4, "site id")?,
        },
        active: row.get(5)?,
        issuer: row.get(6)?,
        subject: row.get(7)?,
        may_add_visitors: row.get(8)?,
        may_change_host: row.get(9)?,
        roles: Vec::new(),
    })
}

fn with_roles(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    mut record: MemberRecord,
) -> Result<MemberRecord, StoreError> {
    fn scope<T: std::str::FromStr>(text: &str) -> Result<Option<T>, StoreError> {
        (!text.is_empty()).then(|| text.parse().map_err(|_| StoreError::Corrupt("role's scope"))).transpose()
    }
    let mut statement = tx.prepare_cached(
        "SELECT role, principal, site, type FROM member_role WHERE organisation = ?1 AND member = ?2
         ORDER BY role, principal, site, type",
    )?;
    let mut rows = statement.query([organisation.as_str(), record.member.id.as_str()])?;
    while let Some(row) = rows.next()? {
        record.roles.push(RoleGrant {
            role: read_role(&row.get::<_, String>(0)?)?,
            principal: scope(&row.get::<_, String>(1)?)?,
            site: scope(&row.get::<_, String>(2)?)?,
            visitor_type: scope(&row.get::<_, String>(3)?)?,
        });
    }
    Ok(record)
}

/// The member of that id, with their roles as they are now.
pub fn get(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    id: &MemberId,
) -> Result<Option<MemberRecord>, StoreError> {
    let found = tx
        .prepare_cached(&format!("SELECT {COLUMNS} FROM member WHERE organisation = ?1 AND id = ?2"))?
        .query_and_then([organisation.as_str(), id.as_str()], read_member)?
        .next()
        .transpose()?;
    found.map(|record| with_roles(tx, organisation, record)).transpose()
}

/// The member an issuer calls by that subject.
pub fn by_subject(
    tx: &Transaction<'_>,
    organisation: &OrganisationId,
    issuer: &str,
    subject: &str,
) -> Result<Option<MemberRecord>, StoreError> {
    let found = tx
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM member WHERE organisation = ?1 AND issuer = ?2 AND subject = ?3"
        ))?
        .query_and_then([organisation.as_str(), issuer, subject], read_member)?
        .next()
        .transpose()?;
    found.map(|record| with_roles(tx, organisation, record)).transpose()
}

/// All members, by number.
pub fn list(tx: &Transaction<'_>, organisation: &OrganisationId) -> Result<Vec<MemberRecord>, StoreError> {
    let found: Vec<MemberRecord> = tx
        .prepare_cached(&format!("SELECT {COLUMNS} FROM member WHERE organisation = ?1 ORDER BY number"))?
        .query_and_then([organisation.as_str()], read_member)?
        .collect::<Result<_, _>>()?;
    found.into_iter().map(|record| with_roles(tx, organisation, record)).collect()
}
