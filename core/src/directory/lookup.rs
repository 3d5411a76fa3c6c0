//! The rows gathered in memory, for lookups by id and by what a person types.

use std::collections::BTreeMap;

use super::{
    DirectoryRow, Member, Organisation, OwnRoles, PrivacyMode, Role, RowKind, RowValue, Site, Space, VisitorType,
};
use crate::id::{MemberId, SiteId, SpaceId, TypeId};
use crate::text::{compare_key, search_key};

/// What one phone knows of its organisation.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    versions: BTreeMap<(RowKind, String), u64>,
    organisation: Option<Organisation>,
    sites: BTreeMap<SiteId, Site>,
    spaces: BTreeMap<SpaceId, Space>,
    types: BTreeMap<TypeId, VisitorType>,
    members: BTreeMap<MemberId, Entry>,
    roles: BTreeMap<MemberId, OwnRoles>,
}

/// A member with the keys a search compares, made once: a phone may know ten thousand colleagues.
#[derive(Debug, Clone)]
struct Entry {
    member: Member,
    name: String,
    email: String,
    search: String,
}

impl Directory {
    /// Takes a row in; false if a version as high is already here, which may have been a deletion.
    pub fn apply(&mut self, row: DirectoryRow) -> bool {
        let key = (row.kind(), row.id().to_owned());
        if self.versions.get(&key).is_some_and(|&held| held >= row.version()) {
            return false;
        }
        self.remove(row.kind(), row.id());
        self.versions.insert(key, row.version());
        if let Some(value) = row.into_value() {
            self.insert(value);
        }
        true
    }

    fn insert(&mut self, value: RowValue) {
        match value {
            RowValue::Organisation(value) => self.organisation = Some(value),
            RowValue::Site(value) => drop(self.sites.insert(value.id.clone(), value)),
            RowValue::Space(value) => drop(self.spaces.insert(value.id.clone(), value)),
            RowValue::VisitorType(value) => drop(self.types.insert(value.id.clone(), value)),
            RowValue::OwnRoles(value) => drop(self.roles.insert(value.member.clone(), value)),
            RowValue::Member(member) => {
                let (name, email) = (compare_key(&member.name), compare_key(&member.email));
                let search = format!("{} {}", search_key(&member.name), search_key(&member.email));
                self.members.insert(member.id.clone(), Entry { member, name, email, search });
            }
        }
    }

    fn remove(&mut self, kind: RowKind, id: &str) {
        match kind {
            RowKind::Organisation => {
                self.organisation.take_if(|held| held.id.as_str() == id);
            }
            RowKind::Site => self.sites.retain(|held, _| held.as_str() != id),
            RowKind::Space => self.spaces.retain(|held, _| held.as_str() != id),
            RowKind::VisitorType => self.types.retain(|held, _| held.as_str() != id),
            RowKind::OwnRoles => self.roles.retain(|held, _| held.as_str() != id),
            RowKind::Member => {
                if let Ok(id) = MemberId::new(id) {
                    self.members.remove(&id);
                }
            }
        }
    }

    /// The organisation, once its row is here.
    pub fn organisation(&self) -> Option<&Organisation> {
        self.organisation.as_ref()
    }

    /// Whether visitors must have an e-mail address; the default before the organisation's row is here is yes (S4.3).
    pub fn privacy(&self) -> PrivacyMode {
        self.organisation.as_ref().map_or_else(PrivacyMode::default, |organisation| organisation.privacy)
    }

    /// The site of that id.
    pub fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.get(id)
    }

    /// Every site, by id.
    pub fn sites(&self) -> impl Iterator<Item = &Site> {
        self.sites.values()
    }

    /// The space of that id.
    pub fn space(&self, id: &SpaceId) -> Option<&Space> {
        self.spaces.get(id)
    }

    /// Every space, by id.
    pub fn spaces(&self) -> impl Iterator<Item = &Space> {
        self.spaces.values()
    }

    /// The spaces of a site, by id.
    pub fn spaces_of(&self, site: &SiteId) -> impl Iterator<Item = &Space> {
        self.spaces.values().filter(move |space| space.site == *site)
    }

    /// The visitor type of that id.
    pub fn visitor_type(&self, id: &TypeId) -> Option<&VisitorType> {
        self.types.get(id)
    }

    /// Every visitor type, by id.
    pub fn visitor_types(&self) -> impl Iterator<Item = &VisitorType> {
        self.types.values()
    }

    /// The member of that id.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.get(id).map(|entry| &entry.member)
    }

    /// Every member, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().map(|entry| &entry.member)
    }

    /// The members a person means by `text`: the one with that id, else those with that e-mail address, else those with
    /// that name (S1.22). Case, width and white space do not count.
    pub fn find_members(&self, text: &str) -> Vec<&Member> {
        if let Some(member) = MemberId::new(text.trim()).ok().and_then(|id| self.member(&id)) {
            return vec![member];
        }
        let wanted = compare_key(text);
        if wanted.is_empty() {
            return Vec::new();
        }
        let with = |key: fn(&Entry) -> &str| {
            let found = self.members.values().filter(|entry| key(entry) == wanted);
            found.map(|entry| &entry.member).collect::<Vec<_>>()
        };
        let by_email = with(|entry| &entry.email);
        if by_email.is_empty() { with(|entry| &entry.name) } else { by_email }
    }

    /// The members to offer while a person types: each word of `text` begins a word of their name or address, accents
    /// aside; at most `limit`, by name.
    pub fn search_members(&self, text: &str, limit: usize) -> Vec<&Member> {
        let wanted = search_key(text);
        let begins = |entry: &Entry, part: &str| entry.search.split(' ').any(|word| word.starts_with(part));
        let fits = |entry: &&Entry| wanted.split(' ').all(|part| begins(entry, part));
        let mut found: Vec<&Entry> = self.members.values().filter(fits).collect();
        found.sort_by(|a, b| a.search.cmp(&b.search));
        found.into_iter().take(limit).map(|entry| &entry.member).collect()
    }

    /// What a member may do, if it is known here: a phone knows only its own member's.
    pub fn roles(&self, member: &MemberId) -> Option<&OwnRoles> {
        self.roles.get(member)
    }

    /// Whether a member may invite visitors at all (S1.10): off until enabled.
    pub fn may_add_visitors(&self, me: &MemberId) -> bool {
        self.roles(me).is_some_and(|roles| roles.may_add_visitors)
    }

    /// Whether `me` may name `host` as the host: themself, a principal, or anyone with the permission (S1.21), which
    /// reception and administrators have.
    pub fn may_name_host(&self, me: &MemberId, host: &MemberId) -> bool {
        me == host || self.may_name_any_host(me) || self.roles(me).is_some_and(|own| own.principals.contains(host))
    }

    /// Whether `me` may name anyone as the host (S1.21).
    pub fn may_name_any_host(&self, me: &MemberId) -> bool {
        self.roles(me).is_some_and(|own| {
            own.may_change_host || own.roles.iter().any(|role| matches!(role, Role::Reception | Role::Administrator))
        })
    }
}
