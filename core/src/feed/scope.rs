//! Scopes: who may hold what, computed by the hub.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::id::{IdError, MemberId, SiteId};

/// A part of an organisation's rows that is numbered, chained and handed out together. Text: `directory`,
/// `roles/ada`, `visits/ada`, `notes/ada`, `site/zrh`, `approvals/zrh`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Organisation, sites, spaces, visitor types, policies, and of members id, name, work e-mail and site: everyone's.
    Directory,
    /// A member's own roles and permissions: theirs alone.
    Roles(MemberId),
    /// The visits whose host or creator is this member: theirs, and their delegates'.
    Visits(MemberId),
    /// The notes on visits this member created: theirs, their delegates', approvers', reception's, administrators'.
    Notes(MemberId),
    /// The visits expected at a site from 7 days ago to 30 ahead: reception's.
    Site(SiteId),
    /// The visits of a site that need or had a decision: approvers'.
    Approvals(SiteId),
    /// A scope of a newer hub: held like any other, so that the heads add up; its rows are kept and skipped.
    Later(String),
}

/// The longest name of a scope: a word and an id.
const MAX_NAME: usize = 80;

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory => f.write_str("directory"),
            Self::Roles(member) => write!(f, "roles/{member}"),
            Self::Visits(member) => write!(f, "visits/{member}"),
            Self::Notes(member) => write!(f, "notes/{member}"),
            Self::Site(site) => write!(f, "site/{site}"),
            Self::Approvals(site) => write!(f, "approvals/{site}"),
            Self::Later(name) => f.write_str(name),
        }
    }
}

impl FromStr for Scope {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::new("scope", "a word, and behind a slash an id");
        let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_/".contains(&byte);
        let (kind, id) = text.split_once('/').unwrap_or((text, ""));
        Ok(match kind {
            "directory" if text == "directory" => Self::Directory,
            "roles" => Self::Roles(id.parse()?),
            "visits" => Self::Visits(id.parse()?),
            "notes" => Self::Notes(id.parse()?),
            "site" => Self::Site(id.parse()?),
            "approvals" => Self::Approvals(id.parse()?),
            "directory" => return Err(wrong()),
            _ if (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_of_name) => Self::Later(text.to_owned()),
            _ => return Err(wrong()),
        })
    }
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
