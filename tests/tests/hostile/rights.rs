//! Fields and acts that are not the member's: roles are read by the hub in the transaction that accepts.

use vestibule_core::document::Write;
use vestibule_core::envelope::Ask;
use vestibule_core::visit::Key;
use vestibule_tests::hostile::{Document, Sent};

use crate::scene::{Expected, Scene, field, refused, visit_at, visit_with};

fn host(member: &str) -> [Write; 1] {
    [Write::set(Key::Host, member)]
}

/// Somebody else's visit is not made one's own by writing `host`, not even by who may name other hosts.
#[test]
fn another_members_visit() {
    let mut scene = Scene::with(&["ada", "ben", "chloe", "dora", "rosa", "priya"]);
    let adas = scene.visit_of("ada");
    let bens = scene.visit_of("ben");
    // Dora assists Ada and may edit the visit, but not name another host.
    let rows = [
        ("ben", refused("not_permitted")),
        ("chloe", refused("not_permitted")),
        ("dora", field("not_permitted", "host")),
    ];
    for (attacker, expected) in rows {
        let attack = format!("{attacker} writes themself in as host of Ada's visit");
        scene.refuses(&attack, attacker, expected, |http, device| {
            let document = adas.by(device);
            device.refused(http, document.edit(&host(attacker)))
        });
    }
    scene.refuses("host and phone at once", "ben", refused("not_permitted"), |http, ben| {
        ben.refused(http, adas.by(ben).edit(&[Write::set(Key::Host, "ben"), Write::set(Key::Phone, "+41 44 999")]))
    });
    scene.refuses("an edit by a stranger", "chloe", refused("not_permitted"), |http, chloe| {
        chloe.refused(http, adas.by(chloe).edit(&[Write::set(Key::Company, "Mine")]))
    });
    scene.refuses("a cancellation by a stranger", "chloe", refused("not_permitted"), |http, chloe| {
        chloe.refused(http, adas.by(chloe).edit(&[Write::raise(Key::Cancelled)]))
    });
    scene.refuses("an edit by an approver", "priya", refused("not_permitted"), |http, priya| {
        priya.refused(http, adas.by(priya).edit(&[Write::set(Key::Email, "priya@example.org")]))
    });
    scene.refuses("an edit by the reception of another site", "rosa", refused("not_permitted"), |http, rosa| {
        rosa.refused(http, bens.by(rosa).edit(&[Write::set(Key::Phone, "+41 44 999")]))
    });
    scene.refuses("a visit drawn to one's own site", "rosa", refused("not_permitted"), |http, rosa| {
        rosa.refused(http, bens.by(rosa).edit(&[Write::set(Key::Site, "zrh")]))
    });
    scene.refuses("a visit pushed to another site", "rosa", field("not_permitted", "site"), |http, rosa| {
        rosa.refused(http, adas.by(rosa).edit(&[Write::set(Key::Site, "nyc")]))
    });
}

/// Fields of one's own visit that the role may not write.
#[test]
fn fields_the_role_may_not_write() {
    let mut scene = Scene::with(&["ada", "chloe", "priya"]);
    let (own, chloes) = (scene.visit_of("ada"), scene.visit_of("chloe"));
    scene.refuses("one's visit given to another host", "ada", field("not_permitted", "host"), |http, ada| {
        ada.refused(http, own.by(ada).edit(&host("ben")))
    });
    let previous = chloes.visit.to_string();
    let rows: Vec<(&str, Expected, Vec<Write>)> = vec![
        ("a new visit of another host", field("not_permitted", "host"), visit_at("zrh", "ben")),
        (
            "a visit that claims to be made by a program",
            field("not_permitted", "source"),
            visit_with("ada", &[Write::set(Key::Source, "api")]),
        ),
        (
            "a visit that claims to be made at the door",
            field("not_permitted", "source"),
            visit_with("ada", &[Write::set(Key::Source, "kiosk")]),
        ),
        (
            "invited again from another's visit",
            refused("not_permitted"),
            visit_with("ada", &[Write::set(Key::Previous, previous.as_str())]),
        ),
        (
            "invited again from nothing",
            field("unknown", "previous"),
            visit_with("ada", &[Write::set(Key::Previous, "01900000-0000-7000-8000-000000000000")]),
        ),
        (
            "invited again from a text",
            field("malformed", "previous"),
            visit_with("ada", &[Write::set(Key::Previous, "the last one")]),
        ),
    ];
    for (attack, expected, writes) in rows {
        scene.refuses(attack, "ada", expected, |http, ada| ada.refused(http, Document::new(ada).edit(&writes)));
    }
    scene.refuses("a visit by who may not invite", "priya", field("not_permitted", "host"), |http, priya| {
        priya.refused(http, Document::new(priya).edit(&visit_at("zrh", "priya")))
    });
}

/// Requests that are not the member's to make, on visits that are theirs and on others'.
#[test]
fn acts_the_role_may_not_do() {
    let mut scene = Scene::with(&["ada", "chloe", "rosa", "priya"]);
    let contractor = scene.invites("ada", &visit_with("ada", &[Write::set(Key::Type, "contractor")]));
    let (own, nobodys) = (scene.visit_of("ada"), Document::new(scene.device("ada")));
    let reject = Ask::Reject { reason: Some("Not today".into()), r#final: true };
    let rows: Vec<(&str, &str, &Document, Ask)> = vec![
        ("a host approves their own visit", "ada", &contractor, Ask::Approve),
        ("a host rejects", "ada", &contractor, reject.clone()),
        ("a host re-opens", "ada", &own, Ask::Reopen),
        ("a host checks a visitor in", "ada", &own, Ask::CheckIn),
        ("a host checks a visitor out", "ada", &own, Ask::CheckOut),
        ("a stranger approves", "chloe", &contractor, Ask::Approve),
        ("a stranger deletes", "chloe", &own, Ask::Delete),
        ("a stranger writes a note", "chloe", &own, Ask::Note("I was here".into())),
        ("reception approves", "rosa", &contractor, Ask::Approve),
        ("an approver checks a visitor in", "priya", &own, Ask::CheckIn),
        ("an approver deletes", "priya", &own, Ask::Delete),
    ];
    for (attack, attacker, document, ask) in rows {
        let (visit, heads) = (document.visit, document.replica.heads().to_vec());
        let seen = scene.last_entry(visit);
        scene.refuses(attack, attacker, refused("not_permitted"), |http, device| {
            device.refused(http, Sent::ask_having_seen(visit, ask, heads, seen))
        });
    }
    scene.refuses("a visit there is not", "priya", refused("unknown_visit"), |http, priya| {
        priya.refused(http, Sent::ask(nobodys.visit, Ask::Approve))
    });
    for (attack, ask) in
        [("held", Ask::Hold), ("granted", Ask::Grant), ("read", Ask::Read), ("answered", Ask::Answers(vec![1].into()))]
    {
        scene.refuses(attack, "ada", refused("not_yet"), |http, ada| ada.refused(http, Sent::ask(own.visit, ask)));
    }
}
