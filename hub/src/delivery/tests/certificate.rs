//! An Apple certificate that has run out keeps no visitor from the invitation.

use vestibule_core::decision::Fact;
use vestibule_core::visit::Key;

use crate::delivery::testing::{Hub, instant, invitation, values};
use crate::effect::Effect;

#[test]
fn the_invitation_goes_out_without_its_pass_and_says_so() {
    let (mut hub, mut invitation) = (Hub::new(), invitation());
    hub.now = instant("2060-02-01T09:00:00Z");
    invitation.values =
        values(&[(Key::Email, "ngoc@acme.example"), (Key::Schedule, "2060-02-10T09:00/2060-02-10T10:00")]);
    let facts = hub.carry_out(&invitation, &Effect::Invite);
    assert!(facts.contains(&Fact::Alert("pass_failed".to_owned())), "{facts:?}");
    let mail = hub.send_all().remove(0);
    assert!(mail.part("application/vnd.apple.pkpass").is_none());
    assert!(mail.pin().is_some() && !mail.text().contains("pass.pkpass"));
}
