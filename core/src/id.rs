//! Typed identifiers: what is made on a phone is a UUID of version 7, what is made by the hub is a short code.
//!
//! A code matches `[a-z0-9-]{1,36}` and is never reused; a UUID carries its own time of making. The types keep a site
//! from being passed where a member is meant.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};
use uuid::Uuid;

/// An identifier that is not of its form; completes "failed to read an identifier: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {kind} is {form}")]
pub struct IdError {
    kind: &'static str,
    form: &'static str,
}

impl IdError {
    /// An identifier of that kind that is not of that form.
    pub(crate) fn new(kind: &'static str, form: &'static str) -> Self {
        Self { kind, form }
    }
}

macro_rules! code_id {
    ($($(#[$doc:meta])* $name:ident, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a code after checking its form: 1 to 36 of `a-z`, `0-9` and `-`.
            pub fn new(code: impl Into<String>) -> Result<Self, IdError> {
                let code = code.into();
                let fits = (1..=36).contains(&code.len())
                    && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
                if fits {
                    Ok(Self(code))
                } else {
                    Err(IdError { kind: $kind, form: "1 to 36 characters of a-z, 0-9 and -" })
                }
            }

            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(code: &str) -> Result<Self, IdError> {
                Self::new(code)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(code: String) -> Result<Self, IdError> {
                Self::new(code)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                Self::new(d.str()?).map_err(minicbor::decode::Error::custom)
            }
        }
    )*};
}

code_id! {
    /// An organisation: every row, key and sequence of a hub belongs to one, a phone's store to exactly one.
    OrganisationId, "organisation id";
    /// A site: a building with its own time zone (the `Node_Id` of a bulk upload).
    SiteId, "site id";
    /// A space within a site where visitors arrive or meet (the `Space_Id` of a bulk upload).
    SpaceId, "space id";
    /// A visitor type (a category), which decides questions and approval.
    TypeId, "visitor type id";
    /// A member of an organisation: host, delegate, approver, receptionist, administrator or API client.
    MemberId, "member id";
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a UUID of version 7 (RFC 9562) from Unix milliseconds and ten random bytes.
            pub fn from_parts(unix_millis: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
            }

            /// Takes 16 bytes as they are, whatever version they carry.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| IdError { kind: $kind, form: "a UUID" })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(self.0.as_bytes())?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes: [u8; 16] = d
                    .bytes()?
                    .try_into()
                    .map_err(|_| minicbor::decode::Error::message("an id is 16 bytes"))?;
                Ok(Self::from_bytes(bytes))
            }
        }
    )*};
}

uuid_id! {
    /// A visit, and the automerge document that holds it.
    VisitId, "visit id";
    /// A request of a phone to the hub (approve, delete, a note, …).
    RequestId, "request id";
    /// A series of repeated visits.
    SeriesId, "series id";
    /// An import: one file of visitors that somebody uploads.
    ImportId, "import id";
}

macro_rules! bytes_id {
    ($($(#[$doc:meta])* $name:ident, $len:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes.
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = IdError;
            fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError {
                    kind: stringify!($name),
                    form: concat!($len, " bytes"),
                })
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; $len];
                hex::decode_to_slice(text, &mut bytes)
                    .map(|()| Self(bytes))
                    .map_err(|_| IdError { kind: stringify!($name), form: concat!($len, " bytes in hexadecimal") })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), hex::encode(&self.0[..4]))
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.bytes()?.try_into().map(Self).map_err(|_| {
                    minicbor::decode::Error::message(concat!(stringify!($name), " is ", $len, " bytes"))
                })
            }
        }
    )*};
}

bytes_id! {
    /// SHA-256 of a public key's COSE form (RFC 9679): names a device, a root or a hub key.
    Thumbprint, 32;
    /// The hash of an automerge change: SHA-256 over its chunk, as the automerge format defines it.
    ChangeHash, 32;
    /// A link of a hash chain: of a feed scope, a decision log, a device's envelopes.
    ChainHash, 32;
    /// Sixteen random bytes a phone mixes into an actor id, so that nobody can squat on another's.
    ActorSalt, 16;
    /// The author of automerge operations: one per device, process and document.
    ActorId, 16;
    /// A credential: random, in the QR token, never a PIN.
    CredentialId, 16;
    /// One life of a hub's database: another epoch means that the hub was restored from a backup.
    HubEpoch, 16;
}

impl ChainHash {
    /// The head of a chain that has no link yet.
    pub const ORIGIN: Self = Self([0; 32]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_lowercase_and_short() {
        assert!(SiteId::new("zrh-room-1").is_ok());
        for bad in ["", "ZRH", "a b", "zürich", &"a".repeat(37)] {
            assert!(SiteId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_visit_id_is_a_version_7_uuid_and_keeps_its_bytes() {
        let id = VisitId::from_parts(1_700_000_000_000, [7; 10]);
        let text = id.to_string();
        assert_eq!(&text[14..15], "7");
        assert_eq!(text.parse::<VisitId>().expect("its own text"), id);
        let bytes = minicbor::to_vec(id).expect("encodes");
        assert_eq!(minicbor::decode::<VisitId>(&bytes).expect("decodes"), id);
    }
}
