//! The visitor of the tests.

use super::visitor::{VisitorPass, WebService, Window};

/// A visitor of a night shift in Zürich: the window crosses midnight.
pub(super) fn visitor() -> VisitorPass {
    VisitorPass {
        organisation_name: "Example AG".into(),
        description: "Visitor pass for Example AG, Zürich".into(),
        serial: "0194f0c2-7d3a-7b11-9e52-3f0a6c1d2e4b".into(),
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
        qr_token: Some(include_str!("../../tests/golden/qr/token.txt").trim_end().into()),
        voided: false,
        expires: "2027-02-11T02:00:00Z".parse().expect("a time"),
    }
}
