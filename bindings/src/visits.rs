//! A host's visits: invite, edit, cancel, look up, observe. None of it needs a network.

use std::sync::Arc;

use vestibule_core::phone::HostClient as CoreClient;
use vestibule_core::store::Choice as CoreChoice;
use vestibule_core::visit::VisitDraft as CoreDraft;

use crate::argument::{bad, read, rows, search_text};
use crate::draft::VisitDraft;
use crate::error::{FieldProblem, Outcome, guarded};
use crate::history::HistoryEntryView;
use crate::list::{Subscription, VisitListListener, observe};
use crate::summary::{ListFilter, TabCounts, VisitPage, VisitSummary};
use crate::view::VisitView;

/// The most drafts one call takes.
const MAX_DRAFTS: usize = 10_000;

/// How a conflict is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Choice {
    /// This phone's value is written on top of the accepted one.
    Mine,
    /// The accepted value stands.
    Theirs,
}

/// The visits of a phone. A visit's id is the text the library gave out; another gives `BadArgument`, and one of no
/// visit here `NotFound`. Every call may give `Closed`, `NotSignedIn` or `Store`.
#[derive(uniffi::Object)]
pub struct Visits {
    pub(crate) core: Arc<CoreClient>,
}

#[uniffi::export]
impl Visits {
    /// Every problem of a draft, in the order of the form; none means that it can be sent.
    pub fn validate(&self, draft: VisitDraft) -> Outcome<Vec<FieldProblem>> {
        guarded(|| Ok(self.core.validate(&draft.into())?.into_iter().map(Into::into).collect()))
    }

    /// Every problem of the draft of an edit. What is as it was is no problem.
    pub fn validate_edit(&self, id: String, draft: VisitDraft) -> Outcome<Vec<FieldProblem>> {
        guarded(|| {
            let problems = self.core.validate_edit(read("id", &id)?, &draft.into())?;
            Ok(problems.into_iter().map(Into::into).collect())
        })
    }

    /// Invites a visitor, and gives the visit's id. Durable on this phone when it returns, `Queued` until the hub has
    /// it.
    ///
    /// Errors: `BadDraft` with every problem; nothing is stored then.
    pub fn create(&self, draft: VisitDraft) -> Outcome<String> {
        guarded(|| Ok(self.core.create(&draft.into())?.to_string()))
    }

    /// Invites many visitors, at most 10,000: all of them, or none.
    ///
    /// Errors: `BadDraft` with the problems of the first draft that has any.
    pub fn create_all(&self, drafts: Vec<VisitDraft>) -> Outcome<Vec<String>> {
        guarded(|| {
            if drafts.len() > MAX_DRAFTS {
                return Err(bad("drafts", format_args!("are more than {MAX_DRAFTS}")));
            }
            let drafts: Vec<CoreDraft> = drafts.into_iter().map(Into::into).collect();
            Ok(self.core.create_all(&drafts)?.iter().map(ToString::to_string).collect())
        })
    }

    /// Invites the visitor of a past, cancelled or rejected visit again, and gives the new visit's id.
    ///
    /// Errors: `BadDraft`; `Refused` with `final_rejection`, or `not_over` while the old visit is not over.
    pub fn invite_again(&self, id: String, draft: VisitDraft) -> Outcome<String> {
        guarded(|| Ok(self.core.invite_again(read("id", &id)?, &draft.into())?.to_string()))
    }

    /// Changes a visit to what the draft says; only what differs is written. A note in the draft is added.
    ///
    /// Errors: `BadDraft`; `Refused` with `over`, `rejected` or `left`.
    pub fn edit(&self, id: String, draft: VisitDraft) -> Outcome<()> {
        guarded(|| Ok(self.core.edit(read("id", &id)?, &draft.into())?))
    }

    /// Calls a visit off: shown as cancelled at once, and with `queued` until the hub has it.
    ///
    /// Errors: `Refused` with `over`.
    pub fn cancel(&self, id: String) -> Outcome<()> {
        guarded(|| Ok(self.core.cancel(read("id", &id)?)?))
    }

    /// Asks for an unused invitation to be deleted; the credential dies when the hub has it.
    ///
    /// Errors: `Refused` with `already_used`.
    pub fn delete(&self, id: String) -> Outcome<()> {
        guarded(|| Ok(self.core.delete(read("id", &id)?)?))
    }

    /// Adds an internal note, of at most 2,000 characters.
    ///
    /// Errors: `BadDraft` with a problem of the field `Note`.
    pub fn note(&self, id: String, text: String) -> Outcome<()> {
        guarded(|| Ok(self.core.note(read("id", &id)?, &text)?))
    }

    /// Settles the conflict an operation of a visit is in.
    pub fn settle(&self, operation: i64, choice: Choice) -> Outcome<()> {
        let choice = match choice {
            Choice::Mine => CoreChoice::Mine,
            Choice::Theirs => CoreChoice::Theirs,
        };
        guarded(|| Ok(self.core.settle(operation, choice)?))
    }

    /// Drops a refused draft or a conflict.
    pub fn discard(&self, operation: i64) -> Outcome<()> {
        guarded(|| Ok(self.core.discard(operation)?))
    }

    /// The form filled from a visit, to edit it or to invite again. The note is empty: notes are added, never edited.
    pub fn form(&self, id: String) -> Outcome<VisitDraft> {
        guarded(|| Ok(VisitDraft::of(&self.core.show(read("id", &id)?)?.values)))
    }

    /// Everything about a visit.
    pub fn show(&self, id: String) -> Outcome<VisitView> {
        guarded(|| {
            let view = self.core.show(read("id", &id)?)?;
            let tab = self.core.tab(&view);
            Ok(VisitView::of(view, tab, self.core.directory()?.as_ref()))
        })
    }

    /// What happened to a visit by the hub's word, oldest first, then what the hub has not taken yet.
    pub fn history(&self, id: String) -> Outcome<Vec<HistoryEntryView>> {
        guarded(|| Ok(self.core.history(read("id", &id)?)?.into_iter().map(Into::into).collect()))
    }

    /// A page of a list, by start, then id; 1 to 1,000 visits, from where the page before ended. What comes or goes
    /// between two pages neither repeats nor hides another visit.
    pub fn list(&self, filter: ListFilter, size: u32, after: Option<String>) -> Outcome<VisitPage> {
        guarded(|| {
            let after = after.map(|after| read("after", &after)).transpose()?;
            let page = self.core.list(filter.into(), rows("size", size)?, after)?;
            let directory = self.core.directory()?;
            let items = page.items.into_iter().map(|visit| VisitSummary::of(visit, &directory)).collect();
            Ok(VisitPage { items, next: page.next.map(|next| next.to_string()) })
        })
    }

    /// How many visits each list holds.
    pub fn counts(&self) -> Outcome<TabCounts> {
        guarded(|| Ok(self.core.counts()?.into()))
    }

    /// The visits whose name, company, e-mail address or host has words that begin with those of `text`, latest start
    /// first; at most `limit`, 1 to 1,000. Case, accents and width do not count.
    pub fn search(&self, text: String, limit: u32) -> Outcome<Vec<VisitSummary>> {
        guarded(|| {
            let found = self.core.search(search_text(&text)?, rows("limit", limit)?)?;
            let directory = self.core.directory()?;
            Ok(found.into_iter().map(|visit| VisitSummary::of(visit, &directory)).collect())
        })
    }

    /// Observes a list: its first `page_size` visits, 1 to 1,000, and more of them by the subscription's `load_more`.
    /// The listener is told of the list as it is, then of every change, until the subscription is cancelled or dropped,
    /// or the client closed.
    pub fn observe(
        &self,
        filter: ListFilter,
        page_size: u32,
        listener: Arc<dyn VisitListListener>,
    ) -> Outcome<Arc<Subscription>> {
        guarded(|| observe(&self.core, filter, rows("page_size", page_size)?, listener))
    }
}
