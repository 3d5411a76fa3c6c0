//! A row of the feed: which kind, which id, which version, and the value or that it was deleted.

use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Serialize};

use crate::reader::{What, knows};

use super::{Member, Organisation, OwnRoles, Site, Space, VisitorType};

macro_rules! rows {
    ($($(#[$doc:meta])* $tag:literal $name:ident($value:ty) by $id:ident;)*) => {
        /// The kind of a row; its number on the wire is never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum RowKind {
            $($(#[$doc])* $name = $tag,)*
        }

        impl RowKind {
            /// The number on the wire.
            pub fn tag(self) -> u32 {
                self as u32
            }

            /// The kind of that number, if this version knows it.
            pub fn from_tag(tag: u32) -> Option<Self> {
                match tag {
                    hidden if !knows(What::Directory(hidden)) => None,
                    $($tag => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        /// The value of a row.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "value", rename_all = "snake_case")]
        pub enum RowValue {
            $($(#[$doc])* $name($value),)*
        }

        impl RowValue {
            /// The kind.
            pub fn kind(&self) -> RowKind {
                match self {
                    $(Self::$name(_) => RowKind::$name,)*
                }
            }

            /// The id of the row, which is the id of what it is about.
            pub fn id(&self) -> &str {
                match self {
                    $(Self::$name(value) => value.$id.as_str(),)*
                }
            }

            fn decode_kind<C>(kind: RowKind, d: &mut Decoder<'_>, ctx: &mut C) -> Result<Self, DecodeError> {
                Ok(match kind {
                    $(RowKind::$name => Self::$name(<$value>::decode(d, ctx)?),)*
                })
            }

            fn encode_bare<C, W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
                match self {
                    $(Self::$name(value) => value.encode(e, ctx),)*
                }
            }
        }

        $(impl From<$value> for RowValue {
            fn from(value: $value) -> Self {
                Self::$name(value)
            }
        })*
    };
}

rows! {
    /// The organisation.
    0 Organisation(Organisation) by id;
    /// A site.
    1 Site(Site) by id;
    /// A space.
    2 Space(Space) by id;
    /// A visitor type.
    3 VisitorType(VisitorType) by id;
    /// A member.
    4 Member(Member) by id;
    /// One's own roles, by the member's id.
    5 OwnRoles(OwnRoles) by member;
}

/// One version of one row. CBOR: `{0: kind, 1: id, 2: version, 3: value}`, without 3 where the row was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DirectoryRow {
    kind: RowKind,
    id: String,
    version: u64,
    value: Option<RowValue>,
}

impl DirectoryRow {
    /// A row with a value. Versions of one row only grow.
    pub fn put(version: u64, value: impl Into<RowValue>) -> Self {
        let value = value.into();
        Self { kind: value.kind(), id: value.id().to_owned(), version, value: Some(value) }
    }

    /// A row that was deleted.
    pub fn deleted(version: u64, kind: RowKind, id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), version, value: None }
    }

    /// Reads the payload of a feed row: `None` where its kind is of a later version, to be kept and skipped.
    ///
    /// # Errors
    /// The bytes are no row, or more than one.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let mut d = Decoder::new(bytes);
        let row = Self::decode_known(&mut d, &mut ())?;
        if d.position() == bytes.len() { Ok(row) } else { Err(DecodeError::message("bytes after a directory row")) }
    }

    /// The number of a row's kind, whether this version knows it or not.
    pub(crate) fn kind_of(bytes: &[u8]) -> Option<u32> {
        let mut d = Decoder::new(bytes);
        d.map().ok()?;
        (d.u32().ok()? == 0).then(|| d.u32().ok())?
    }

    /// The payload of a feed row.
    #[expect(clippy::missing_panics_doc, reason = "writing to memory does not fail")]
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to memory does not fail")
    }

    /// The kind.
    pub fn kind(&self) -> RowKind {
        self.kind
    }

    /// The id of what the row is about.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version: a higher one replaces a lower one.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The value; none where the row was deleted.
    pub fn value(&self) -> Option<&RowValue> {
        self.value.as_ref()
    }

    /// The value, taken out of the row.
    pub fn into_value(self) -> Option<RowValue> {
        self.value
    }

    fn decode_known<C>(d: &mut Decoder<'_>, ctx: &mut C) -> Result<Option<Self>, DecodeError> {
        let fields = d.map()?.ok_or(DecodeError::message("a directory row has a definite length"))?;
        let (mut tag, mut id, mut version, mut value) = (None, None, None, None);
        for _ in 0..fields {
            match d.u32()? {
                0 => tag = Some(d.u32()?),
                1 => id = Some(d.str()?.to_owned()),
                2 => version = Some(d.u64()?),
                // The kind stands before the value in deterministic CBOR, so it is known by now.
                3 => match tag.map(RowKind::from_tag) {
                    Some(Some(kind)) => value = Some(RowValue::decode_kind(kind, d, ctx)?),
                    Some(None) => d.skip()?,
                    None => return Err(DecodeError::message("a directory row names its kind first")),
                },
                _ => d.skip()?,
            }
        }
        let (Some(tag), Some(id), Some(version)) = (tag, id, version) else {
            return Err(DecodeError::message("a directory row has a kind, an id and a version"));
        };
        if value.as_ref().is_some_and(|value| value.id() != id || value.kind().tag() != tag) {
            return Err(DecodeError::message("a directory row has the kind and the id of its value"));
        }
        Ok(RowKind::from_tag(tag).map(|kind| Self { kind, id, version, value }))
    }
}

impl<C> Encode<C> for DirectoryRow {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.map(if self.value.is_some() { 4 } else { 3 })?;
        e.u32(0)?.u32(self.kind.tag())?.u32(1)?.str(&self.id)?.u32(2)?.u64(self.version)?;
        if let Some(value) = &self.value {
            e.u32(3)?;
            value.encode_bare(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for DirectoryRow {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        Self::decode_known(d, ctx)?.ok_or(DecodeError::message("a directory row of an unknown kind"))
    }
}
