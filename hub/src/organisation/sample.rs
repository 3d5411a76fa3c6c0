//! "Example AG": an organisation to try everything with, at addresses of example.com (RFC 2606) that no mail reaches.

use vestibule_core::directory::{Member, Organisation, PrivacyMode, Role, Site, Space, VisitorType};
use vestibule_core::id::IdError;

use super::Founding;
use crate::store::members::{MemberRecord, RoleGrant};
use crate::store::organisations::TypeRecord;
use crate::zones::built_in;

/// The organisation's id.
pub const ID: &str = "example-ag";

/// Example AG: sites in Zürich and New York, four visitor types of which `contractor` needs approval, and a member for
/// each part there is to play.
///
/// # Panics
/// Never: every id in it is of its form.
pub fn example_ag() -> Founding {
    build().expect("every id below is of its form")
}

fn build() -> Result<Founding, IdError> {
    let organisation = Organisation {
        id: ID.parse()?,
        name: "Example AG".into(),
        privacy: PrivacyMode::Private,
        qr: true,
        wallet: true,
        unscheduled_days: 30,
        arrival_minutes: 240,
    };
    let sites = vec![
        Site {
            id: "zrh".parse()?,
            number: 0,
            name: "Zürich".into(),
            zone: built_in("Europe/Zurich"),
            address: "Example AG\nBahnhofstrasse 45\n8001 Zürich\nSwitzerland".into(),
            directions: "From Zürich main station take tram 6, 7, 11 or 13 to Rennweg, two stops. The entrance is in \
                the courtyard; ring at “Reception”. There are no parking spaces: use the Urania car park."
                .into(),
            latitude: Some(47_372_400),
            longitude: Some(8_538_600),
            opens: 7 * 60,
            closes: 19 * 60,
        },
        Site {
            id: "nyc".parse()?,
            number: 0,
            name: "New York".into(),
            zone: built_in("America/New_York"),
            address: "Example AG\n350 Fifth Avenue, Floor 32\nNew York, NY 10118\nUnited States".into(),
            directions: "From Penn Station walk two blocks east along West 34th Street. Use the visitors' entrance on \
                33rd Street and take the elevators to floor 32. Bring a photo ID for the building's own desk."
                .into(),
            latitude: Some(40_748_400),
            longitude: Some(-73_985_700),
            opens: 8 * 60,
            closes: 18 * 60,
        },
    ];
    let space = |id: &str, site: &str, name: &str| {
        Ok::<_, IdError>(Space { id: id.parse()?, site: site.parse()?, name: name.into() })
    };
    let spaces = vec![
        space("zrh-reception", "zrh", "Reception Zürich")?,
        space("zrh-room-1", "zrh", "Room Limmat")?,
        space("nyc-reception", "nyc", "Reception New York")?,
        space("nyc-room-1", "nyc", "Room Hudson")?,
    ];
    let kind = |id: &str, name: &str, address: Option<&str>| {
        let visitor_type = VisitorType { id: id.parse()?, name: name.into(), needs_approval: id == "contractor" };
        Ok::<_, IdError>(TypeRecord { visitor_type, address: address.map(str::to_owned) })
    };
    let types = vec![
        kind("guest", "Guest", None)?,
        kind("interview", "Interview", None)?,
        kind("vip", "VIP", Some("vip@example.com"))?,
        kind("contractor", "Contractor", Some("contractors@example.com"))?,
    ];
    Ok(Founding {
        organisation,
        security_address: Some("security@example.com".into()),
        sites,
        spaces,
        types,
        members: members()?,
    })
}

fn members() -> Result<Vec<MemberRecord>, IdError> {
    let member = |id: &str, name: &str, site: &str, roles: Vec<RoleGrant>| {
        Ok::<_, IdError>(MemberRecord {
            member: Member {
                id: id.parse()?,
                number: 0,
                name: name.into(),
                email: format!("{id}@example.com"),
                site: Some(site.parse()?),
            },
            active: true,
            issuer: String::new(),
            subject: String::new(),
            may_add_visitors: id != "priya",
            may_change_host: ["ben", "amir", "rosa"].contains(&id),
            roles,
        })
    };
    let host = || RoleGrant::of(Role::Host);
    let for_ada = RoleGrant { principal: Some("ada".parse()?), ..RoleGrant::of(Role::Delegate) };
    let at_zrh = RoleGrant { site: Some("zrh".parse()?), ..RoleGrant::of(Role::Reception) };
    Ok(vec![
        member("ada", "Ada Keller", "zrh", vec![host()])?,
        member("ben", "Ben Carter", "nyc", vec![host()])?,
        member("chloe", "Chloé Martin", "zrh", vec![host()])?,
        member("dora", "Dora Weber", "zrh", vec![host(), for_ada])?,
        member("priya", "Priya Raman", "zrh", vec![RoleGrant::of(Role::Approver)])?,
        member("rosa", "Rosa Bianchi", "zrh", vec![at_zrh])?,
        member("amir", "Amir Haddad", "zrh", vec![RoleGrant::of(Role::Administrator)])?,
        member(
            "kiosk",
            "Kiosk Zürich",
            "zrh",
            vec![RoleGrant { site: Some("zrh".parse()?), ..RoleGrant::of(Role::ApiClient) }],
        )?,
    ])
}
