//! The organisation, as the pickers of the form need it. A phone holds all of it once it has synced.

use std::sync::Arc;

use vestibule_core::directory::{Directory, Member, PrivacyMode, Role as CoreRole};
use vestibule_core::id::SiteId;
use vestibule_core::phone::HostClient as CoreClient;

use crate::argument::{rows, search_text};
use crate::error::{Outcome, guarded};

/// What a phone knows of its organisation. Every call may give `Closed`, `NotSignedIn` or `Store`; before the first sync
/// the lists are empty.
#[derive(uniffi::Object)]
pub struct DirectoryClient {
    pub(crate) core: Arc<CoreClient>,
}

/// The organisation and its policies.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OrganisationView {
    /// Its id.
    pub id: String,
    /// The name visitors know it by.
    pub name: String,
    /// Whether a visitor must have an e-mail address.
    pub email_required: bool,
    /// Whether invitations carry a QR code.
    pub qr: bool,
    /// Whether visitors get wallet passes.
    pub wallet: bool,
    /// For how many days an invitation without a time is good.
    pub unscheduled_days: u16,
    /// For how many minutes an invitation with nothing but an arrival time is good after it.
    pub arrival_minutes: u16,
}

/// A site: a building with its own time zone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SiteView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The IANA name of its time zone.
    pub zone: String,
    /// Its postal address; empty if none is set.
    pub address: String,
    /// When its day opens, in minutes after midnight on its clock.
    pub opens: u16,
    /// When its day closes, in minutes after midnight on its clock.
    pub closes: u16,
}

/// A space within a site.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SpaceView {
    /// Its id.
    pub id: String,
    /// The id of the site it is in.
    pub site: String,
    /// Its name.
    pub name: String,
}

/// A visitor type.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VisitorTypeView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether visits of this type need an approval.
    pub needs_approval: bool,
}

/// A member, as every colleague may know them.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MemberView {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
    /// Their work e-mail address.
    pub email: String,
    /// The id of the site they work at, if one is known.
    pub site: Option<String>,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            id: member.id.to_string(),
            name: member.name.clone(),
            email: member.email.clone(),
            site: member.site.as_ref().map(ToString::to_string),
        }
    }
}

/// What a member may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Role {
    /// Invites visitors of their own.
    Host,
    /// Invites for the members whose delegate they are.
    Delegate,
    /// Makes the security decision.
    Approver,
    /// Receives visitors at a site.
    Reception,
    /// Sets the organisation up.
    Administrator,
    /// A program.
    ApiClient,
}

/// What the member on this phone may do; the hub has the last word.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PermissionsView {
    /// Their roles.
    pub roles: Vec<Role>,
    /// Whether they may invite visitors at all.
    pub may_add_visitors: bool,
    /// Whether they may name any host, and not only themself and those whose delegate they are.
    pub may_name_any_host: bool,
}

#[uniffi::export]
impl DirectoryClient {
    /// The organisation; none before the first sync.
    pub fn organisation(&self) -> Outcome<Option<OrganisationView>> {
        self.read(|directory| {
            directory.organisation().map(|it| OrganisationView {
                id: it.id.to_string(),
                name: it.name.clone(),
                email_required: it.privacy == PrivacyMode::Private,
                qr: it.qr,
                wallet: it.wallet,
                unscheduled_days: it.unscheduled_days,
                arrival_minutes: it.arrival_minutes,
            })
        })
    }

    /// The sites, by name.
    pub fn sites(&self) -> Outcome<Vec<SiteView>> {
        self.read(|directory| {
            let site = |site: &vestibule_core::directory::Site| SiteView {
                id: site.id.to_string(),
                name: site.name.clone(),
                zone: site.zone.name().to_owned(),
                address: site.address.clone(),
                opens: site.opens,
                closes: site.closes,
            };
            by_name(directory.sites().map(site), |site| &site.name)
        })
    }

    /// The spaces of a site, by name; none for a site this phone does not know.
    pub fn spaces(&self, site: String) -> Outcome<Vec<SpaceView>> {
        self.read(|directory| {
            let Ok(site) = SiteId::new(site) else { return Vec::new() };
            let space = |space: &vestibule_core::directory::Space| SpaceView {
                id: space.id.to_string(),
                site: space.site.to_string(),
                name: space.name.clone(),
            };
            by_name(directory.spaces_of(&site).map(space), |space| &space.name)
        })
    }

    /// The visitor types, by name.
    pub fn visitor_types(&self) -> Outcome<Vec<VisitorTypeView>> {
        self.read(|directory| {
            let kind = |kind: &vestibule_core::directory::VisitorType| VisitorTypeView {
                id: kind.id.to_string(),
                name: kind.name.clone(),
                needs_approval: kind.needs_approval,
            };
            by_name(directory.visitor_types().map(kind), |kind| &kind.name)
        })
    }

    /// The members to offer while a person types, by name; at most `limit`, 1 to 1,000. Each word of `text` begins a
    /// word of their name or e-mail address, accents aside; an empty text means all.
    pub fn members(&self, text: String, limit: u32) -> Outcome<Vec<MemberView>> {
        let limit = rows("limit", limit)?;
        let text = search_text(&text)?;
        self.read(|directory| directory.search_members(text, limit).into_iter().map(Into::into).collect())
    }

    /// The members whose delegate the member on this phone is, by name: who a visit may be made for.
    pub fn principals(&self) -> Outcome<Vec<MemberView>> {
        let me = guarded(|| Ok(self.core.identity()?.member))?;
        self.read(|directory| {
            let principals = directory.roles(&me).map(|own| own.principals.as_slice()).unwrap_or_default();
            let known = principals.iter().filter_map(|id| directory.member(id)).map(MemberView::from);
            by_name(known, |member| &member.name)
        })
    }

    /// The member on this phone; none before the first sync.
    pub fn me(&self) -> Outcome<Option<MemberView>> {
        let me = guarded(|| Ok(self.core.identity()?.member))?;
        self.read(|directory| directory.member(&me).map(Into::into))
    }

    /// What the member on this phone may do; nothing before the first sync.
    pub fn permissions(&self) -> Outcome<PermissionsView> {
        let me = guarded(|| Ok(self.core.identity()?.member))?;
        self.read(|directory| {
            let own = directory.roles(&me);
            PermissionsView {
                roles: own.map(|own| own.roles.iter().copied().map(role).collect()).unwrap_or_default(),
                may_add_visitors: directory.may_add_visitors(&me),
                may_name_any_host: directory.may_name_any_host(&me),
            }
        })
    }
}

impl DirectoryClient {
    fn read<T>(&self, read: impl FnOnce(&Directory) -> T) -> Outcome<T> {
        guarded(|| Ok(read(self.core.directory()?.as_ref())))
    }
}

fn role(role: CoreRole) -> Role {
    match role {
        CoreRole::Host => Role::Host,
        CoreRole::Delegate => Role::Delegate,
        CoreRole::Approver => Role::Approver,
        CoreRole::Reception => Role::Reception,
        CoreRole::Administrator => Role::Administrator,
        CoreRole::ApiClient => Role::ApiClient,
    }
}

fn by_name<T>(views: impl Iterator<Item = T>, name: impl Fn(&T) -> &String) -> Vec<T> {
    let mut views: Vec<T> = views.collect();
    views.sort_by(|a, b| name(a).cmp(name(b)));
    views
}
