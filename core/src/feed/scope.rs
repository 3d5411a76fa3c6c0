//! Scopes: who may hold what, computed by the hub.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::id::{IdError, MemberId, SiteId, TypeId};
use crate::reader::{What, knows};

/// A part of an organisation's rows that is numbered, chained and handed out together. Text: `directory`,
/// `roles/ada`, `visits/ada`, `site/zrh`, `approvals/zrh`, `approvals/zrh/vip`, `notes/member/ada`, `notes/site/zrh`,
/// `notes/approvals/zrh/vip`.
///
/// How many of them somebody holds follows from what they are: themself, their principals, their sites and types, and
/// never from how many colleagues there are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Organisation, sites, spaces, visitor types, policies, and of members id, name, work e-mail and site: everyone's.
    Directory,
    /// A member's own roles and permissions: theirs alone.
    Roles(MemberId),
    /// The visits whose host or creator is this member: theirs, and their delegates'.
    Visits(MemberId),
    /// The visits expected at a site from 7 days ago to 30 ahead: reception's, and administrators'.
    Site(SiteId),
    /// The visits of a site that need or had a decision: approvers'.
    Approvals(SiteId),
    /// Those of one type: the approvers' who are bound to it.
    TypeApprovals(SiteId, TypeId),
    /// The notes on visits this member created: theirs, and their delegates'.
    MemberNotes(MemberId),
    /// The notes on visits at a site: its reception's and approvers', and administrators'.
    SiteNotes(SiteId),
    /// The notes on visits at a site that need or had a decision and are of one type: the approvers' who are bound to it.
    TypeNotes(SiteId, TypeId),
    /// A scope of a newer hub: held like any other, so that the heads add up; its rows are kept and skipped.
    Later(String),
}

/// The longest name of a scope: two words and two ids are 89.
const MAX_NAME: usize = 160;

impl Scope {
    /// The words scopes known here begin with.
    pub(crate) const WORDS: [&'static str; 6] = ["directory", "roles", "visits", "site", "approvals", "notes"];

    /// Whether it holds notes: nothing else of a visit, which stays or goes by other scopes.
    pub fn is_of_notes(&self) -> bool {
        matches!(self, Self::MemberNotes(_) | Self::SiteNotes(_) | Self::TypeNotes(..))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Roles(member) => write!(f, "roles/{member}"),
            Self::Visits(member) => write!(f, "visits/{member}"),
            Self::Site(site) => write!(f, "site/{site}"),
            Self::Approvals(site) => write!(f, "approvals/{site}"),
            Self::TypeApprovals(site, kind) => write!(f, "approvals/{site}/{kind}"),
            Self::MemberNotes(member) => write!(f, "notes/member/{member}"),
            Self::SiteNotes(site) => write!(f, "notes/site/{site}"),
            Self::TypeNotes(site, kind) => write!(f, "notes/approvals/{site}/{kind}"),
            Self::Later(name) => f.write_str(name),
        }
    }
}

impl FromStr for Scope {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_/".contains(&byte);
        if !(1..=MAX_NAME).contains(&text.len()) || !text.bytes().all(is_of_name) {
            return Err(IdError::new("scope", "words and ids with slashes between them"));
        }
        // Also a name that begins like one known here: a later hub may cut its scopes finer.
        Ok(known(text).unwrap_or_else(|| Self::Later(text.to_owned())))
    }
}

/// The scope of that name, if it is one this version knows.
fn known(text: &str) -> Option<Scope> {
    let parts: Vec<&str> = text.split('/').collect();
    if !parts.first().is_some_and(|word| knows(What::Scope(word))) {
        return None;
    }
    Some(match parts[..] {
        ["directory"] => Scope::Directory,
        ["roles", member] => Scope::Roles(member.parse().ok()?),
        ["visits", member] => Scope::Visits(member.parse().ok()?),
        ["site", site] => Scope::Site(site.parse().ok()?),
        ["approvals", site] => Scope::Approvals(site.parse().ok()?),
        ["approvals", site, kind] => Scope::TypeApprovals(site.parse().ok()?, kind.parse().ok()?),
        ["notes", "member", member] => Scope::MemberNotes(member.parse().ok()?),
        ["notes", "site", site] => Scope::SiteNotes(site.parse().ok()?),
        ["notes", "approvals", site, kind] => Scope::TypeNotes(site.parse().ok()?, kind.parse().ok()?),
        _ => return None,
    })
}

impl<C> Encode<C> for Scope {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.str(&self.to_string())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Scope {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        d.str()?.parse().map_err(minicbor::decode::Error::custom)
    }
}
