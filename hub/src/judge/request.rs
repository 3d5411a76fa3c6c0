//! Judging a request: a note, a decision, a deletion, a presence fact.

use vestibule_core::decision::Presence;
use vestibule_core::envelope::{Ask, Request};
use vestibule_core::feed::NoteRow;
use vestibule_core::receipt::{Refusal, Verdict};
use vestibule_core::text::{first_refused, is_blank};
use vestibule_core::visit::validate::NOTE_MAX_CHARS;

use super::SyncProblem;
use super::push::{InEnvelope, Judge};
use super::refusal::{not_permitted, over, refused, refused_field};
use crate::credential;
use crate::decide::{self, Seen};
use crate::feed;
use crate::lifecycle::{self, Decided, Outcome};
use crate::record::{Event, record};
use crate::store::organisations::{Counted, next_number};
use crate::store::quarantine;
use crate::store::visits::{self, LoadedVisit, RequestRecord};
use crate::store::{StoreError, notes};

/// What a request that may be granted brings.
enum Granted {
    /// A note to store.
    Note(String),
    /// Facts and effects.
    Outcome(Outcome),
}

impl Judge<'_, '_> {
    pub(super) fn judge_request(&mut self, place: InEnvelope<'_>, request: &Request) -> Result<Verdict, SyncProblem> {
        if visits::request(self.tx, &self.context.organisation, request.id)?.is_some() {
            return Ok(Verdict::Refused(refused("request_id", "another device's request has this id; ask anew")));
        }
        let Some(mut loaded) = self.visit(request.visit)? else {
            // What this device made of the visit was refused, so what it asks about it has nothing to stand on.
            let held = quarantine::holds_visit(self.tx, self.device, request.visit)?;
            let unknown = || Verdict::Refused(refused("unknown_visit", "The hub doesn't have this visit."));
            return Ok(if held {
                Verdict::DependencyRefused
            } else if self.may_come_back()? {
                Verdict::Later
            } else {
                unknown()
            });
        };
        let verdict = match self.grant(place, &loaded, request)? {
            Err(refusal) => Verdict::Refused(refusal),
            Ok(granted) => Verdict::Accepted(self.take_request(place, &mut loaded, request, granted)?),
        };
        self.keep(loaded);
        Ok(verdict)
    }

    /// Whether a request may be granted, and what it brings.
    fn grant(
        &self,
        place: InEnvelope<'_>,
        loaded: &LoadedVisit,
        request: &Request,
    ) -> Result<Result<Granted, Refusal>, StoreError> {
        let (visit, author) = (&loaded.visit, self.author(place.envelope));
        let decide = |decided: Decided| -> Result<Result<Granted, Refusal>, StoreError> {
            // A decision is its maker's own: nobody approves in another's name.
            if place.envelope.on_behalf_of.is_some() {
                return Ok(Err(not_permitted()));
            }
            let seen = Seen { heads: request.heads.clone(), entry: request.seen };
            let checked = decide::check(self.tx, self.moment.earliest(), visit, self.member, &decided, &seen)?;
            Ok(checked.map(|()| Granted::Outcome(lifecycle::decided(visit, decided))))
        };
        match &request.ask {
            Ask::Approve => decide(Decided::Approved { heads: visit.heads.clone() }),
            Ask::Reject { reason, r#final } => {
                if let Some(Err(refusal)) = reason.as_deref().map(|text| check_words(text, "reason")) {
                    return Ok(Err(refusal));
                }
                decide(Decided::Rejected { reason: reason.clone(), r#final: *r#final })
            }
            Ask::Reopen => decide(Decided::Reopened),
            Ask::Note(_) if !author.may_note(visit) => Ok(Err(not_permitted())),
            Ask::Note(text) => Ok(check_words(text, "note").map(|()| Granted::Note(text.clone()))),
            Ask::Delete if !author.may_edit(visit) => Ok(Err(not_permitted())),
            // Use wins over deletion; what else was decided meanwhile does not keep an invitation from being deleted.
            Ask::Delete if visit.standing.presence != Presence::Expected => {
                Ok(Err(refused("already_used", "This invitation has been used, so it stays in the log.")))
            }
            Ask::Delete if visit.is_over() => Ok(Err(over())),
            Ask::Delete => Ok(Ok(Granted::Outcome(lifecycle::deleted(visit)))),
            Ask::CheckIn | Ask::CheckOut if !author.may_receive(&visit.site) => Ok(Err(not_permitted())),
            Ask::CheckIn if visit.standing.presence == Presence::OnSite => {
                Ok(Err(refused("already_on_site", "The visitor has already checked in.")))
            }
            Ask::CheckIn => Ok(Ok(Granted::Outcome(lifecycle::arrived(visit)))),
            Ask::CheckOut if visit.standing.presence != Presence::OnSite => {
                Ok(Err(refused("not_on_site", "The visitor hasn't checked in.")))
            }
            Ask::CheckOut => Ok(Ok(Granted::Outcome(lifecycle::departed()))),
            Ask::Hold | Ask::Grant | Ask::Answers(_) | Ask::Read => {
                Ok(Err(refused("not_yet", "This hub can't do this yet; update the hub.")))
            }
        }
    }

    fn take_request(
        &mut self,
        place: InEnvelope<'_>,
        loaded: &mut LoadedVisit,
        request: &Request,
        granted: Granted,
    ) -> Result<u64, SyncProblem> {
        let me = &self.member.member.id;
        let row = RequestRecord {
            id: request.id,
            seq: next_number(self.tx, Counted::Item)?,
            visit: request.visit,
            kind: request.ask.kind(),
            author: me.clone(),
            device: self.device.thumbprint,
            counter: place.envelope.counter,
            accepted_at: self.moment.unix(),
        };
        visits::insert_request(self.tx, &self.context.organisation, &row)?;
        match granted {
            Granted::Note(text) => {
                let note = NoteRow { id: row.id, author: me.clone(), accepted_at: row.accepted_at, text };
                notes::insert(self.tx, &self.context.organisation, request.visit, &note)?;
                feed::publish_note(self.tx, self.moment, &loaded.visit, &note)?;
            }
            Granted::Outcome(outcome) => {
                if request.ask == Ask::CheckIn {
                    // Before the effects: let in by name, the visitor has used the invitation up (S4.25).
                    let organisation = &self.context.organisation;
                    credential::use_up(self.tx, organisation, request.visit, self.moment.now)?;
                }
                let event = Event { by: Some(me), request: Some(row.id), outcome, ..Event::default() };
                record(self.tx, self.context, self.moment, &mut loaded.visit, event)?;
            }
        }
        Ok(row.seq)
    }
}

/// The rules of words a member writes into a note or a reason.
fn check_words(text: &str, field: &str) -> Result<(), Refusal> {
    if text.chars().count() > NOTE_MAX_CHARS {
        Err(refused_field("too_long", "Shorten this to 2,000 characters.", field))
    } else if first_refused(text, true).is_some() {
        Err(refused_field("forbidden_character", "Remove the control or direction character.", field))
    } else if is_blank(text) {
        Err(refused_field("required", "Write something here, or leave it out.", field))
    } else {
        Ok(())
    }
}
