//! A site, and its row on the wire: the zone travels as its name, the version of the tables, and the rules.

use minicbor::bytes::ByteVec;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Serialize};

use crate::id::SiteId;
use crate::zone::Zone;

/// A site: a building with its own time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// Its number in the visitors API, never reused.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// The zone its clocks show, with the rules that hub and phones compute with.
    pub zone: Zone,
    /// The postal address, for mail, page and pass; empty if none is set.
    pub address: String,
    /// How to get there and get in; empty if none are set (S4.17).
    pub directions: String,
    /// Millionths of a degree north.
    pub latitude: Option<i32>,
    /// Millionths of a degree east.
    pub longitude: Option<i32>,
    /// When the policy window of a day opens, in minutes after midnight on the site's clock.
    pub opens: u16,
    /// When it closes, in minutes after midnight on the site's clock.
    pub closes: u16,
}

/// The row: a map with integer keys, only ever added to.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Wire {
    #[n(0)]
    id: SiteId,
    #[n(1)]
    number: u64,
    #[n(2)]
    name: String,
    #[n(3)]
    zone: String,
    #[n(4)]
    address: String,
    #[n(5)]
    directions: String,
    #[n(6)]
    latitude: Option<i32>,
    #[n(7)]
    longitude: Option<i32>,
    #[n(8)]
    opens: u16,
    #[n(9)]
    closes: u16,
    #[n(10)]
    zone_tables: String,
    #[n(11)]
    zone_rules: ByteVec,
}

impl<C> Encode<C> for Site {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), EncodeError<W::Error>> {
        let site = self.clone();
        let wire = Wire {
            id: site.id,
            number: site.number,
            name: site.name,
            zone: site.zone.name().to_owned(),
            address: site.address,
            directions: site.directions,
            latitude: site.latitude,
            longitude: site.longitude,
            opens: site.opens,
            closes: site.closes,
            zone_tables: site.zone.tables().to_owned(),
            zone_rules: site.zone.rules().to_vec().into(),
        };
        wire.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Site {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, DecodeError> {
        let wire = Wire::decode(d, ctx)?;
        let zone = Zone::new(&wire.zone, &wire.zone_tables, &wire.zone_rules).map_err(DecodeError::custom)?;
        Ok(Self {
            id: wire.id,
            number: wire.number,
            name: wire.name,
            zone,
            address: wire.address,
            directions: wire.directions,
            latitude: wire.latitude,
            longitude: wire.longitude,
            opens: wire.opens,
            closes: wire.closes,
        })
    }
}
