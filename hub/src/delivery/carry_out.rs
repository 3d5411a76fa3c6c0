//! Effects, one by one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rusqlite::Transaction;
use vestibule_core::address::Mailbox;
use vestibule_core::calendar::Method;
use vestibule_core::decision::{APPROVERS_NOT_TOLD, Fact, Told};

use super::mail::{self, Access, Letter};
use super::outbox::{self, Outgoing, Pace};
use super::passes::{PassError, apple_pass, calendar_cancellation, calendar_entry, google_link};
use super::shown::Shown;
use super::{Delivery, DeliveryError, Effect, Farewell, Invitation, ToldTimes, address_key, link_hash, links};
use crate::context::Context;
use crate::credential::{self, Window};
use crate::moment::Moment;
use crate::store::outbox::Withdrawn;
use crate::store::{deliveries, outbox as outbox_rows};

/// For how long a "Review invitation" link works: longer than any visit may lie ahead unattended.
const REVIEW_LINK_LIFE: chrono::TimeDelta = chrono::TimeDelta::days(60);

/// How long a mail about a change waits for the next edit.
pub(super) const SETTLING: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// Carries out an effect in the transaction that decided it, and returns the facts for the visit's log.
pub fn carry_out(
    tx: &Transaction<'_>,
    context: &Context,
    moment: &mut Moment<'_>,
    invitation: &Invitation,
    effect: &Effect,
) -> Result<Vec<Fact>, DeliveryError> {
    let mut work = Work { tx, context, moment, invitation, facts: Vec::new() };
    match effect {
        Effect::TellPending => work.tell_pending()?,
        Effect::TellCategory => work.tell_category()?,
        Effect::Invite | Effect::Update => work.invite()?,
        Effect::Suspend => {
            let fact = credential::suspend(tx, &context.organisation, invitation.visit)?;
            work.credential_changed(fact)?;
        }
        Effect::Revive => match credential::revive(tx, &context.organisation, invitation.visit)? {
            Some(fact) => work.credential_changed(Some(fact))?,
            // Approved, and nothing there that could live again: the guest would come and find the door shut.
            None => work.invite()?,
        },
        Effect::Void => {
            work.void()?;
            if work.facts.is_empty() && credential::is_spent(tx, &context.organisation, invitation.visit)? {
                // Used up, it opens nothing more: for everybody but page and pass, which say so, that is void.
                work.credential_changed(Some(Fact::Voided))?;
            }
            // What still waits is not sent any more: its PIN is dead, and the guest hears nothing of it (S2.28).
            if let Some(delivery) = work.live()? {
                work.withdraw(&delivery)?;
            }
        }
        Effect::Cancel => work.cancel()?,
        Effect::EndDelivery { email } => work.end_delivery(email)?,
        Effect::TellHostApproved => work.tell_host(mail::approved(invitation)?)?,
        Effect::TellHostRejected { reason, r#final } => {
            work.tell_host(mail::rejected(invitation, reason.as_deref(), *r#final)?)?;
        }
        Effect::TellHostAlert { code } => work.tell_host(mail::alert(invitation, code)?)?,
    }
    Ok(work.facts)
}

struct Work<'a, 'm> {
    tx: &'a Transaction<'a>,
    context: &'a Context,
    moment: &'a mut Moment<'m>,
    invitation: &'a Invitation,
    facts: Vec<Fact>,
}

impl Work<'_, '_> {
    /// Voids what there is, mints anew, and mails the guest: the invitation, or, if one was sent to this address before,
    /// the change.
    fn invite(&mut self) -> Result<(), DeliveryError> {
        self.void()?;
        // In `reception` mode a visitor may have no address: no PIN, found by name (S4.2).
        let Some(email) = self.invitation.values.email.as_deref() else { return Ok(()) };
        let Some(to) = mail::mailbox(&self.invitation.values.display_name(), email) else {
            return self.alert_host("mail_address");
        };
        let Some(window) = Window::of(self.invitation, self.moment.now) else {
            return self.alert_host("window_passed");
        };
        let (delivery, due) = match self.live()? {
            Some(delivery) if delivery.address_key == address_key(self.context, email) => self.withdraw(&delivery)?,
            // The address is new, and nobody has ended the delivery to the one before: its words are for that one only.
            Some(delivery) => {
                deliveries::end(self.tx, &delivery.id, None, self.moment.now)?;
                (self.begin(email)?, None)
            }
            None => (self.begin(email)?, None),
        };
        self.send_access(&delivery, to, window, due)
    }

    /// `due`: when the mail that this one takes the place of was to go out.
    fn send_access(
        &mut self,
        delivery: &Delivery,
        to: Mailbox,
        window: Window,
        due: Option<DateTime<Utc>>,
    ) -> Result<(), DeliveryError> {
        let (context, invitation, now) = (self.context, self.invitation, self.moment.now);
        let minted = credential::mint(self.tx, context, self.moment, invitation, window)?;
        let good = Some(&minted.credential);
        let delivery = &self.show(delivery, &window)?;
        let told = if delivery.mails == 0 { Told::Invitation } else { Told::Change };
        let sequence = if told == Told::Change { delivery.sequence + 1 } else { delivery.sequence };
        let requested = calendar_entry(context, delivery, invitation, sequence, now);
        let times = invitation.values.schedule.filter(|_| requested.is_some());
        let times = times.and_then(|schedule| schedule.resolve(&invitation.site.zone).ok());
        let calendar = match requested {
            Some(text) => Some((Method::Request, text)),
            // The visit had a time and has none any more: the entry goes.
            None if told == Told::Change => {
                self.calendar_cancellation(delivery, to.email.as_str()).map(|text| (Method::Cancel, text))
            }
            None => None,
        };
        let page = delivery.page_link(context);
        let content_id = format!("qr.{}@{}", hex::encode(self.moment.random::<16>()), delivery.domain);
        let apple = self.or_without(apple_pass(context, delivery, invitation, good, now));
        let google = self.or_without(google_link(context, delivery, invitation, good, now));
        let letter = mail::access(
            invitation,
            Access {
                told,
                pin: &minted.pin,
                window: &minted.credential.window,
                qr_token: invitation.organisation.qr.then(|| minted.credential.qr_token(context)),
                apple_link: apple.as_ref().map(|_| format!("{page}/pass.pkpass")),
                apple_pass: apple,
                google_link: google,
                content_id,
                page: page.into(),
                calendar,
            },
        )?;
        let pace = match told {
            // Edits that follow one another become one mail; whoever goes on editing puts it off no longer.
            Told::Change => Pace::Settled(due.map_or(now + SETTLING, |due| due.min(now + SETTLING))),
            _ => Pace::InTurn,
        };
        let held_until = self.put(letter, to, Some(delivery), pace)?.map(|until| until.timestamp());
        let told_times = times.map(|times| ToldTimes { times, zone: invitation.site.zone.name().to_owned() });
        deliveries::set_told(self.tx, &delivery.id, sequence, told_times.as_ref(), now)?;
        self.facts.extend([minted.fact(), Fact::MailQueued { what: told, held_until }]);
        Ok(())
    }

    /// Writes down what the guest is told with this mail: the passes show it until the next one.
    fn show(&mut self, delivery: &Delivery, window: &Window) -> Result<Delivery, DeliveryError> {
        let sealed = Shown::of(self.invitation, window).seal(self.context, &delivery.id, self.moment.random())?;
        deliveries::set_shown(self.tx, &delivery.id, &sealed)?;
        Ok(Delivery { sealed_shown: Some(sealed), ..delivery.clone() })
    }

    /// A pass that cannot be made keeps no visitor from the invitation; an alert says that it is missing.
    fn or_without<T>(&mut self, pass: Result<Option<T>, PassError>) -> Option<T> {
        pass.unwrap_or_else(|error| {
            tracing::error!(visit = %self.invitation.visit, %error, "an invitation is sent without a wallet pass");
            self.facts.push(Fact::Alert("pass_failed".to_owned()));
            None
        })
    }

    fn begin(&mut self, email: &str) -> Result<Delivery, DeliveryError> {
        let delivery = Delivery {
            id: self.moment.random(),
            organisation: self.context.organisation.clone(),
            visit: self.invitation.visit,
            address_key: address_key(self.context, email),
            serial: URL_SAFE_NO_PAD.encode(self.moment.random::<16>()),
            domain: links::host(self.context).to_owned(),
            organizer: self.context.mail_from.clone(),
            is_live: true,
            farewell: None,
            sequence: 0,
            told: None,
            mails: 0,
            changed_at: DateTime::UNIX_EPOCH,
            sealed_shown: None,
        };
        let page = link_hash(&links::page_token(self.context, &delivery.id));
        deliveries::insert(self.tx, &delivery, &page, self.moment.now)?;
        Ok(delivery)
    }

    /// Void; and if the guest had been told, the guest is told of this too.
    fn cancel(&mut self) -> Result<(), DeliveryError> {
        self.void()?;
        let Some(delivery) = self.live()? else { return Ok(()) };
        let (delivery, _) = self.withdraw(&delivery)?;
        let mut farewell = None;
        if let Some(email) = self.invitation.values.email.as_deref()
            && delivery.mails > 0
            && delivery.address_key == address_key(self.context, email)
            && let Some(to) = mail::mailbox(&self.invitation.values.display_name(), email)
        {
            let calendar = self.calendar_cancellation(&delivery, email);
            let letter = mail::cancellation(self.invitation, calendar)?;
            self.send_last(letter, to, &delivery, Told::Cancellation)?;
            farewell = Some(Farewell::Cancelled);
        }
        deliveries::end(self.tx, &delivery.id, farewell, self.moment.now)?;
        Ok(())
    }

    /// The delivery to an earlier address ends; if it had been told, it is told that and nothing more. The same mailbox in
    /// other letters is no other address.
    fn end_delivery(&mut self, email: &str) -> Result<(), DeliveryError> {
        self.void()?;
        let is_same = |now: &str| address_key(self.context, now) == address_key(self.context, email);
        if self.invitation.values.email.as_deref().is_some_and(is_same) {
            return Ok(());
        }
        let Some(delivery) = self.live()?.filter(|live| live.address_key == address_key(self.context, email)) else {
            return Ok(());
        };
        let (delivery, _) = self.withdraw(&delivery)?;
        let mut farewell = None;
        if let Some(to) = mail::mailbox("", email).filter(|_| delivery.mails > 0) {
            let calendar = self.calendar_cancellation(&delivery, email);
            let letter = mail::bare_cancellation(self.invitation, calendar)?;
            self.send_last(letter, to, &delivery, Told::End)?;
            farewell = Some(Farewell::Moved);
        }
        deliveries::end(self.tx, &delivery.id, farewell, self.moment.now)?;
        Ok(())
    }

    fn send_last(&mut self, letter: Letter, to: Mailbox, delivery: &Delivery, what: Told) -> Result<(), DeliveryError> {
        self.put(letter, to, Some(delivery), Pace::AtOnce)?;
        deliveries::set_told(self.tx, &delivery.id, delivery.sequence + 1, None, self.moment.now)?;
        self.facts.push(Fact::MailQueued { what, held_until: None });
        Ok(())
    }

    fn calendar_cancellation(&self, delivery: &Delivery, email: &str) -> Option<String> {
        let organisation = &self.invitation.organisation.name;
        calendar_cancellation(self.context, delivery, organisation, email, self.moment.now)
    }

    /// A review link of its own for each address, so that one can be told from the other (S2.8, S2.11–13, S2.16).
    fn tell_pending(&mut self) -> Result<(), DeliveryError> {
        let mut addresses = [&self.invitation.security_address, &self.invitation.category_address]
            .into_iter()
            .flatten()
            .map(|address| address.trim())
            .collect::<Vec<_>>();
        addresses.dedup_by_key(|address| vestibule_core::address::address_key(address));
        let none_can_be_told = addresses.iter().all(|address| mail::mailbox("", address).is_none());
        if none_can_be_told && !addresses.is_empty() {
            self.alert_host(APPROVERS_NOT_TOLD)?;
        }
        for address in addresses {
            let token = links::random_token(self.moment.random());
            let (organisation, visit) = (&self.context.organisation, self.invitation.visit);
            let now = self.moment.now;
            let expires = now + REVIEW_LINK_LIFE;
            deliveries::insert_review_link(self.tx, organisation, visit, &link_hash(&token), now, expires)?;
            let review = links::hub_link(self.context, &["review", &token]).into();
            self.tell_staff(address, mail::pending(self.invitation, review)?)?;
        }
        Ok(())
    }

    fn tell_category(&mut self) -> Result<(), DeliveryError> {
        match &self.invitation.category_address {
            Some(address) => self.tell_staff(address, mail::category_notice(self.invitation)?),
            None => Ok(()),
        }
    }

    fn tell_staff(&mut self, address: &str, letter: Letter) -> Result<(), DeliveryError> {
        let Some(to) = mail::mailbox("", address) else {
            self.facts.push(Fact::Alert("notice_address".to_owned()));
            return Ok(());
        };
        self.put(letter, to, None, Pace::InTurn)?;
        Ok(())
    }

    /// What could not be sent to the guest stands in the log, and the host is told.
    fn alert_host(&mut self, code: &'static str) -> Result<(), DeliveryError> {
        self.facts.push(Fact::Alert(code.to_owned()));
        self.tell_host(mail::alert(self.invitation, code)?)
    }

    /// Counts in nobody's quota: what the hub tells a member is no member's doing.
    fn tell_host(&mut self, letter: Letter) -> Result<(), DeliveryError> {
        let host = &self.invitation.host;
        let Some(to) = mail::mailbox(&host.name, &host.email) else { return Ok(()) };
        let visit = self.invitation.visit;
        let mail = Outgoing {
            letter,
            to,
            visit,
            delivery: None,
            domain: links::host(self.context),
            host: None,
            pace: Pace::AtOnce,
        };
        outbox::put(self.tx, self.context, self.moment, mail)?;
        Ok(())
    }

    /// Until when a quota holds it back, if one does.
    fn put(
        &mut self,
        letter: Letter,
        to: Mailbox,
        delivery: Option<&Delivery>,
        pace: Pace,
    ) -> Result<Option<DateTime<Utc>>, DeliveryError> {
        let mail = Outgoing {
            letter,
            to,
            visit: self.invitation.visit,
            delivery: delivery.map(|delivery| delivery.id),
            domain: delivery.map_or_else(|| links::host(self.context), |delivery| delivery.domain.as_str()),
            host: Some(&self.invitation.host.id),
            pace,
        };
        outbox::put(self.tx, self.context, self.moment, mail)
    }

    fn void(&mut self) -> Result<(), DeliveryError> {
        let fact = credential::void(self.tx, &self.context.organisation, self.invitation.visit, self.moment.now)?;
        self.credential_changed(fact)
    }

    fn credential_changed(&mut self, fact: Option<Fact>) -> Result<(), DeliveryError> {
        if fact.is_some() {
            deliveries::touch(self.tx, &self.context.organisation, self.invitation.visit, self.moment.now)?;
        }
        self.facts.extend(fact);
        Ok(())
    }

    fn live(&self) -> Result<Option<Delivery>, DeliveryError> {
        Ok(deliveries::live(self.tx, &self.context.organisation, self.invitation.visit)?)
    }

    /// Takes back what waits for the delivery or has failed; what no server can have seen does not count as told. Gives as
    /// well when what had not been tried yet was to go out.
    fn withdraw(&self, delivery: &Delivery) -> Result<(Delivery, Option<DateTime<Utc>>), DeliveryError> {
        let Withdrawn { unseen, due } = outbox_rows::withdraw(self.tx, &delivery.id, self.moment.now)?;
        deliveries::subtract_mails(self.tx, &delivery.id, unseen)?;
        let mails = delivery.mails.saturating_sub(unseen);
        let due = due.and_then(|due| DateTime::from_timestamp(due, 0));
        Ok((Delivery { mails, ..delivery.clone() }, due))
    }
}
