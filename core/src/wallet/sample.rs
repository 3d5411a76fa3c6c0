//! The visitor of the tests.

use super::admission::Admission;
use super::visitor::{VisitorPass, WebService, Window};

/// A visitor of a night shift in Zürich: the window crosses midnight.
pub(super) fn visitor() -> VisitorPass {
    VisitorPass {
        organisation_name: "Example AG".into(),
        serial: "AZTwwn06exGeUj8KbB0uSw".into(),
        pass_type_identifier: "pass.ch.example.visit".into(),
        team_identifier: "A1B2C3D4E5".into(),
        web_service: Some(WebService {
            url: "https://visit.example.ch/apple/".into(),
            token: "0123456789abcdef0123456789abcdef".into(),
        }),
        first_name: Some("Ngọc Ánh".into()),
        last_name: Some("Müller-Ōta".into()),
        company: Some("Acme & Söhne GmbH".into()),
        host_name: "Beatrice Keller".into(),
        site_name: "Zürich Headquarters".into(),
        site_address: Some("Bahnhofstrasse 1\n8001 Zürich".into()),
        site_location: Some((47.3769, 8.5417)),
        space_name: Some("Control room 3".into()),
        zone: crate::zone::sample::zurich(),
        window: Some(Window {
            from: "2027-02-10T21:00:00Z".parse().expect("a time"),
            to: "2027-02-11T01:00:00Z".parse().expect("a time"),
        }),
        schedule_text: "Wednesday, 10 February 2027, 22:00 to 02:00 (Zürich time)".into(),
        visit_type_name: "Visitor".into(),
        admission: Admission::Code(include_str!("../../tests/golden/qr/token.txt").trim_end().into()),
        valid_from: "2027-02-10T20:30:00Z".parse().expect("a time"),
        expires: "2027-02-11T01:00:00Z".parse().expect("a time"),
    }
}
