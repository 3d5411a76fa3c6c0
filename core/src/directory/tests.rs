//! S1.20–24, S1.10: who the host may be, and that rows survive the wire.

use super::*;

fn member(id: &str, name: &str, email: &str) -> Member {
    Member { id: id.parse().expect("an id"), number: 1, name: name.into(), email: email.into(), site: None }
}

fn zurich() -> Site {
    Site {
        id: "zrh".parse().expect("an id"),
        number: 3,
        name: "Zürich".into(),
        zone: crate::zone::sample::zurich(),
        address: "Bahnhofstrasse 1".into(),
        directions: String::new(),
        latitude: Some(47_376_900),
        longitude: None,
        opens: 420,
        closes: 1140,
    }
}

/// S1.22: a host is found by name or e-mail address, whatever the case; two of one name are both found.
#[test]
fn members_are_found_by_id_address_and_name() {
    let mut directory = Directory::default();
    for row in [
        member("m1", "Anna Müller", "anna@example.com"),
        member("m2", "anna  müller", "anna.m@example.com"),
        member("m3", "m1", "odd@example.com"),
    ] {
        assert!(directory.apply(DirectoryRow::put(1, row)));
    }
    let ids = |text| directory.find_members(text).into_iter().map(|m| m.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids("ANNA MÜLLER "), ["m1", "m2"]);
    assert_eq!(ids("Anna@Example.COM"), ["m1"]);
    assert_eq!(ids("m1"), ["m1"], "an id comes before a name");
    assert!(ids("Anna").is_empty() && ids("").is_empty() && ids("anna muller").is_empty());
    let offered = |text| directory.search_members(text, 10).len();
    assert_eq!((offered("mul an"), offered("odd@"), offered("nna"), offered("")), (2, 1, 0, 3));
}

/// A row replaces only an older version of itself, and a deletion is not undone by what came before it.
#[test]
fn the_higher_version_stands() {
    let mut directory = Directory::default();
    assert!(directory.apply(DirectoryRow::put(2, zurich())));
    assert!(!directory.apply(DirectoryRow::put(2, Site { name: "Other".into(), ..zurich() })));
    assert_eq!(directory.site(&zurich().id).expect("held").name, "Zürich");
    assert!(directory.apply(DirectoryRow::deleted(3, RowKind::Site, "zrh")));
    assert!(!directory.apply(DirectoryRow::put(2, zurich())));
    assert!(directory.site(&zurich().id).is_none());
}

/// Rows survive the wire; a row of a kind this version does not know is skipped, and a forged one is refused.
#[test]
fn rows_survive_the_wire() {
    let roles = OwnRoles {
        member: "m1".parse().expect("an id"),
        roles: vec![Role::Host, Role::Delegate],
        principals: vec!["m2".parse().expect("an id")],
        may_add_visitors: true,
        may_change_host: false,
    };
    let organisation = Organisation {
        id: "acme".parse().expect("an id"),
        name: "Acme".into(),
        privacy: PrivacyMode::Reception,
        qr: true,
        wallet: false,
        unscheduled_days: 30,
        arrival_minutes: 60,
    };
    let space = Space { id: "room-1".parse().expect("an id"), site: zurich().id, name: "Room 1".into() };
    let visitor_type = VisitorType { id: "guest".parse().expect("an id"), name: "Guest".into(), needs_approval: true };
    for row in [
        DirectoryRow::put(1, organisation),
        DirectoryRow::put(u64::MAX, zurich()),
        DirectoryRow::put(3, space),
        DirectoryRow::put(4, visitor_type),
        DirectoryRow::put(5, member("m1", "Anna", "anna@example.com")),
        DirectoryRow::put(6, roles),
        DirectoryRow::deleted(7, RowKind::Space, "room-1"),
    ] {
        let bytes = row.to_bytes();
        assert_eq!(DirectoryRow::read(&bytes).expect("reads").as_ref(), Some(&row));
        for cut in 0..bytes.len() {
            assert!(DirectoryRow::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        if let Some(value) = row.value() {
            let json = serde_json::to_string(value).expect("serialises");
            assert_eq!(&serde_json::from_str::<RowValue>(&json).expect("deserialises"), value);
        }
    }
    let unknown = hex::decode("a4001863016178020103a0").expect("hex");
    assert_eq!(DirectoryRow::read(&unknown).expect("reads"), None);
    let mut forged = DirectoryRow::put(1, zurich()).to_bytes();
    forged[5] = b'x';
    assert!(DirectoryRow::read(&forged).is_err(), "another id outside than inside");
    forged.push(0);
    assert!(DirectoryRow::read(&forged).is_err());
}

/// S1.10, S1.21: nobody may invite, or name another host, without the permission.
#[test]
fn permissions_are_off_until_given() {
    let (me, boss, other) = ("me".parse().expect("id"), "boss".parse().expect("id"), "other".parse().expect("id"));
    let mut directory = Directory::default();
    assert!(!directory.may_add_visitors(&me) && !directory.may_name_host(&me, &boss));
    assert!(directory.may_name_host(&me, &me));
    let mut own = OwnRoles {
        member: "me".parse().expect("id"),
        roles: vec![Role::Delegate],
        principals: vec!["boss".parse().expect("id")],
        may_add_visitors: true,
        may_change_host: false,
    };
    directory.apply(DirectoryRow::put(1, own.clone()));
    assert!(directory.may_add_visitors(&me) && directory.may_name_host(&me, &boss));
    assert!(!directory.may_name_host(&me, &other));
    own.may_change_host = true;
    directory.apply(DirectoryRow::put(2, own));
    assert!(directory.may_name_host(&me, &other));
}

/// A role of a newer hub is left out, and the others count.
#[test]
fn a_role_of_tomorrow_does_not_take_the_others() {
    let own = OwnRoles {
        member: "ada".parse().expect("an id"),
        roles: vec![Role::Host, Role::Approver],
        principals: vec![],
        may_add_visitors: true,
        may_change_host: false,
    };
    let mut bytes = DirectoryRow::put(1, own).to_bytes();
    let roles = bytes.windows(3).position(|window| window == [0x82, 0, 2]).expect("two roles");
    bytes[roles + 2] = 23;
    let row = DirectoryRow::read(&bytes).expect("reads").expect("a row");
    let Some(RowValue::OwnRoles(own)) = row.into_value() else { panic!("own roles") };
    assert_eq!((own.roles, own.may_add_visitors), (vec![Role::Host], true));
}
