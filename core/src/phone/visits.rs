//! A host's visits: invite, edit, cancel, look up. No network is needed for any of it.

use super::{HostClient, PhoneError, Surroundings as _};
use crate::decision::Approval;
use crate::document::{Value, Write};
use crate::envelope::Ask;
use crate::id::{ActorSalt, VisitId};
use crate::problem::{Field, FieldProblem};
use crate::store::{
    Choice, HistoryEntry, ListFilter, Moment, OperationView, Page, PageCursor, TabCounts, VisitSummary, VisitView, Work,
};
use crate::text::{first_refused, is_blank};
use crate::visit::validate::NOTE_MAX_CHARS;
use crate::visit::{Key, Status, Tab, ValidDraft, VisitDraft, code, validate, validate_edit};

/// What stands in `source` of a visit made here.
const SOURCE: &str = "phone";

impl HostClient {
    /// Every problem of a draft, in the order of the form; none means that it can be sent (S1.26).
    pub fn validate(&self, draft: &VisitDraft) -> Result<Vec<FieldProblem>, PhoneError> {
        Ok(match self.valid(draft) {
            Ok(_) => Vec::new(),
            Err(PhoneError::BadDraft(problems)) => problems,
            Err(error) => return Err(error),
        })
    }

    /// Every problem of the draft of an edit.
    pub fn validate_edit(&self, visit: VisitId, draft: &VisitDraft) -> Result<Vec<FieldProblem>, PhoneError> {
        let view = self.show(visit)?;
        Ok(match self.valid_edit(&view, draft) {
            Ok(_) => Vec::new(),
            Err(PhoneError::BadDraft(problems)) => problems,
            Err(error) => return Err(error),
        })
    }

    /// Invites a visitor: durable on this phone when it returns, Queued until the hub has it (S1.6, S4.4).
    pub fn create(&self, draft: &VisitDraft) -> Result<VisitId, PhoneError> {
        let valid = self.valid(draft)?;
        self.make(&[valid], None).map(|ids| ids[0])
    }

    /// Invites many visitors: all of them, or none.
    ///
    /// # Errors
    /// [`PhoneError::BadDraft`] with the problems of the first draft that has any.
    pub fn create_all(&self, drafts: &[VisitDraft]) -> Result<Vec<VisitId>, PhoneError> {
        let (me, directory, now) = (self.me()?, self.directory()?, self.clock.now());
        let valid = drafts.iter().map(|draft| validate(draft, &directory, &me, now)).collect::<Result<Vec<_>, _>>();
        self.make(&valid.map_err(PhoneError::BadDraft)?, None)
    }

    /// Invites the visitor of a past, cancelled or rejected visit again: a new visit linked to the old one (S4.30).
    ///
    /// # Errors
    /// [`PhoneError::Refused`] after a final rejection (`final_rejection`) and while the old visit is not over
    /// (`not_over`).
    pub fn invite_again(&self, visit: VisitId, draft: &VisitDraft) -> Result<VisitId, PhoneError> {
        let view = self.show(visit)?;
        if matches!(view.approval, Approval::Rejected { r#final: true, .. }) {
            return Err(refused("final_rejection", "the visitor cannot be invited: the rejection is final"));
        }
        let over = view.tab(self.clock.now()) == Tab::Past || view.status == Status::Refused;
        if !over {
            return Err(refused("not_over", "the visit is not over; edit it instead"));
        }
        let valid = self.valid(draft)?;
        // What the hub never took, or does not show to this member any more, is nothing a new visit may name.
        let previous = Some(visit).filter(|_| view.status != Status::Refused);
        self.make(&[valid], previous).map(|ids| ids[0])
    }

    /// Changes a visit to what the draft says; only what differs is written (S1.7, S4.28).
    pub fn edit(&self, visit: VisitId, draft: &VisitDraft) -> Result<(), PhoneError> {
        let view = self.show(visit)?;
        if matches!(view.status, Status::Departed | Status::Cancelled | Status::NoShow | Status::Expired) {
            return Err(refused("over", "the visit is over; invite again instead"));
        }
        if view.status == Status::Rejected {
            return Err(refused("rejected", "the visit was rejected; change it and invite again"));
        }
        let left = |operation: &OperationView| operation.reason.as_ref().is_some_and(|reason| reason.code == "left");
        if view.status == Status::Refused && view.operations.iter().any(left) {
            return Err(refused("left", "the visit is no longer yours to edit; invite again to use the draft"));
        }
        let valid = self.valid_edit(&view, draft)?;
        let writes: Vec<Write> = valid
            .changes_from(&view.values)
            .into_iter()
            .map(|(key, value)| Write { key, value: value.map(Value::Text) })
            .collect();
        let mut work = Vec::new();
        // A refused visit is sent again even if nothing was changed: the directory may have been.
        if !writes.is_empty() || view.status == Status::Refused {
            work.push(Work::Edit { visit, writes });
        }
        work.extend(note_of(visit, &valid));
        self.write(work)
    }

    /// Calls a visit off: shown as cancelled at once, and with `queued` until the hub has it (S1.8).
    pub fn cancel(&self, visit: VisitId) -> Result<(), PhoneError> {
        match self.show(visit)?.status {
            Status::Cancelled => Ok(()),
            Status::Departed | Status::NoShow | Status::Expired | Status::Rejected => {
                Err(refused("over", "the visit is over"))
            }
            _ => self.write(vec![Work::Cancel { visit }]),
        }
    }

    /// Asks for an unused invitation to be deleted (S4.34); the PIN dies when the hub has it.
    pub fn delete(&self, visit: VisitId) -> Result<(), PhoneError> {
        match self.show(visit)?.status {
            Status::OnSite | Status::Departed => Err(refused("already_used", "a used invitation cannot be deleted")),
            _ => self.ask(visit, Ask::Delete),
        }
    }

    /// Adds an internal note (S1.19).
    pub fn note(&self, visit: VisitId, text: &str) -> Result<(), PhoneError> {
        let problem =
            |code, message: String| Err(PhoneError::BadDraft(vec![FieldProblem::new(Field::Note, code, message)]));
        if is_blank(text) {
            return problem(code::REQUIRED, "is empty".to_owned());
        }
        let chars = text.chars().count();
        if chars > NOTE_MAX_CHARS {
            let message = format!("has {chars} characters; at most {NOTE_MAX_CHARS} are allowed");
            return problem(code::TOO_LONG, message);
        }
        if let Some(place) = first_refused(text, true) {
            let message = format!("has a control or direction character at place {}; remove it", place + 1);
            return problem(code::FORBIDDEN_CHARACTER, message);
        }
        self.ask(visit, Ask::Note(text.to_owned()))
    }

    /// Asks the hub for something about a visit: a decision, a presence fact, a deletion.
    pub fn ask(&self, visit: VisitId, ask: Ask) -> Result<(), PhoneError> {
        self.write(vec![Work::Ask { visit, ask }])
    }

    /// Settles a conflict: this phone's value on top, or the accepted one.
    pub fn settle(&self, operation: i64, choice: Choice) -> Result<(), PhoneError> {
        self.in_moment(|moment| Ok(self.store()?.settle(operation, choice, moment, self.signer.as_ref())?))
    }

    /// Drops a refused draft or a conflict.
    pub fn discard(&self, operation: i64) -> Result<(), PhoneError> {
        Ok(self.store()?.discard(operation)?)
    }

    /// Everything about a visit.
    pub fn show(&self, visit: VisitId) -> Result<VisitView, PhoneError> {
        Ok(self.store()?.show(visit)?)
    }

    /// The list a visit is in now.
    pub fn tab(&self, view: &VisitView) -> Tab {
        view.tab(self.clock.now())
    }

    /// A page of a list, by start, then id.
    pub fn list(
        &self,
        filter: ListFilter,
        size: usize,
        after: Option<PageCursor>,
    ) -> Result<Page<VisitSummary>, PhoneError> {
        Ok(self.store()?.list(filter, size, after, self.clock.now())?)
    }

    /// How many visits each list holds.
    pub fn counts(&self) -> Result<TabCounts, PhoneError> {
        Ok(self.store()?.counts(self.clock.now())?)
    }

    /// The visits a person means while they type.
    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<VisitSummary>, PhoneError> {
        Ok(self.store()?.search(text, limit)?)
    }

    /// What happened to a visit, by the hub's word.
    pub fn history(&self, visit: VisitId) -> Result<Vec<HistoryEntry>, PhoneError> {
        Ok(self.store()?.history(visit)?)
    }

    fn valid(&self, draft: &VisitDraft) -> Result<ValidDraft, PhoneError> {
        let (me, directory) = (self.me()?, self.directory()?);
        validate(draft, &directory, &me, self.clock.now()).map_err(PhoneError::BadDraft)
    }

    fn valid_edit(&self, view: &VisitView, draft: &VisitDraft) -> Result<ValidDraft, PhoneError> {
        let (me, directory) = (self.me()?, self.directory()?);
        validate_edit(&view.values, draft, &directory, &me, self.clock.now()).map_err(PhoneError::BadDraft)
    }

    fn make(&self, drafts: &[ValidDraft], previous: Option<VisitId>) -> Result<Vec<VisitId>, PhoneError> {
        self.in_moment(|moment| {
            let mut ids: Vec<VisitId> = drafts.iter().map(|_| new_visit(moment)).collect();
            // Ascending within the millisecond as well (RFC 9562, section 6.2): the rows of an import go to the ends of
            // the tables, and the hub numbers the visits in the order they were given.
            ids.sort_unstable();
            let salts: Vec<ActorSalt> = drafts.iter().map(|_| ActorSalt(moment.random())).collect();
            let work = ids.iter().zip(salts).zip(drafts).flat_map(|((&visit, salt), draft)| {
                let mut writes: Vec<Write> =
                    draft.writes().into_iter().map(|(key, text)| Write::set(key, text)).collect();
                if let Some(previous) = previous {
                    writes.push(Write::set(Key::Previous, previous.to_string()));
                }
                writes.push(Write::set(Key::Source, SOURCE));
                std::iter::once(Work::Create { visit, salt, writes }).chain(note_of(visit, draft))
            });
            self.store()?.write(work, moment, self.signer.as_ref())?;
            Ok(ids)
        })
    }

    fn write(&self, work: Vec<Work>) -> Result<(), PhoneError> {
        if work.is_empty() {
            return Ok(());
        }
        self.in_moment(|moment| Ok(self.store()?.write(work, moment, self.signer.as_ref())?))
    }
}

fn new_visit(moment: &mut Moment<'_>) -> VisitId {
    VisitId::from_parts(moment.unix_millis(), moment.random())
}

fn note_of(visit: VisitId, draft: &ValidDraft) -> Option<Work> {
    Some(Work::Ask { visit, ask: Ask::Note(draft.note()?.to_owned()) })
}

fn refused(code: &str, message: &str) -> PhoneError {
    PhoneError::Refused { code: code.to_owned(), message: message.to_owned() }
}
