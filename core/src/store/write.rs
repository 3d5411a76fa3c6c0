//! What a person does: writes that are durable when they return, or did not happen.

use super::ahead::ahead;
use super::intent::OperationKind;
use super::meta;
use super::outbox::{Author, drop_entry, narrow};
use super::project::{SearchRows, project, project_into, write_row};
use super::step::{Later, Maker, Step};
use super::tx::{Tx, one};
use super::working::{Entry, OperationState, Payload, Working};
use super::{Store, StoreError, Writer};
use crate::document::Write;
use crate::envelope::{Ask, Request};
use crate::id::{ActorSalt, RequestId, VisitId};
use crate::keys::DeviceSigner;
use crate::moment::Moment;

/// One operation of a person.
#[derive(Debug, Clone)]
pub enum Work {
    /// A new visit: its first values.
    Create {
        /// Its id, made on the phone.
        visit: VisitId,
        /// Random: what makes its author's actor one that nobody can tell the device by.
        salt: ActorSalt,
        /// Its values.
        writes: Vec<Write>,
    },
    /// Other values for a visit.
    Edit {
        /// The visit.
        visit: VisitId,
        /// What is to be different.
        writes: Vec<Write>,
    },
    /// The visit will not take place.
    Cancel {
        /// The visit.
        visit: VisitId,
    },
    /// Something the hub is asked to do: a note, a deletion, a decision.
    Ask {
        /// The visit.
        visit: VisitId,
        /// What is asked.
        ask: Ask,
    },
}

/// How a conflict is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This phone's value is written on top of the accepted one.
    Mine,
    /// The accepted value stands.
    Theirs,
}

impl Store {
    /// Does all of `work`, or nothing of it; durable when it returns. An edit that changes nothing is nothing.
    ///
    /// # Errors
    /// [`StoreError::NotSignedIn`]; [`StoreError::NotFound`] or [`StoreError::Erased`] for a visit that is not here;
    /// [`StoreError::Full`]; a signer that does not sign; values the document does not take.
    pub fn write(
        &self,
        work: impl IntoIterator<Item = Work, IntoIter: Send>,
        moment: &mut Moment<'_>,
        signer: &dyn DeviceSigner,
    ) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.transact(|tx, actors| {
            let identity = meta::identity(tx)?;
            let mut author = Author::begin(tx, &identity, &directory, signer, actors, moment.unix())?;
            let mut search = SearchRows::default();
            let maker = Maker { identity: &identity, directory: &directory, now: moment.unix() };
            ahead(work.into_iter().map(|work| maker.step(work)), |steps| {
                // Only one visit is held at a time: an import may bring ten thousand.
                let mut held: Option<Working> = None;
                for step in steps {
                    let (next, done) = match step? {
                        Step::First(first) => {
                            refuse_erased(tx, first.visit)?;
                            author.first(&first)?;
                            write_row(tx, first.row, &mut search)?;
                            (None, held)
                        }
                        Step::Later(visit, later) => {
                            let (mut working, done) = match held {
                                Some(working) if working.id == visit => (working, None),
                                other => (load(tx, visit)?, other),
                            };
                            do_later(&mut author, &mut working, later, moment)?;
                            (Some(working), done)
                        }
                    };
                    done.map_or(Ok(()), |done| project_into(tx, &done, &directory, &mut search))?;
                    held = next;
                }
                held.map_or(Ok(()), |done| project_into(tx, &done, &directory, &mut search))
            })?;
            author.finish()?;
            search.write(tx)
        })
    }

    /// Settles a conflict the outbox shows.
    pub fn settle(
        &self,
        operation: i64,
        choice: Choice,
        moment: &mut Moment<'_>,
        signer: &dyn DeviceSigner,
    ) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.transact(|tx, actors| {
            let identity = meta::identity(tx)?;
            let mut working = working_of(tx, operation)?;
            let entry = entry(&working, operation, |state| state == OperationState::Conflict)?;
            let mut author = Author::begin(tx, &identity, &directory, signer, actors, moment.unix())?;
            if let (Choice::Mine, Some(intent)) = (choice, entry.intent()) {
                let writes: Vec<Write> = intent.writes().collect();
                author.change(&mut working, OperationKind::Edit, &writes, None, moment)?;
            }
            drop_entry(tx, &mut working, operation)?;
            author.finish()?;
            project(tx, &working, &directory)
        })
    }

    /// Drops a draft that was refused, or a conflict, because a person says so.
    pub fn discard(&self, operation: i64) -> Result<(), StoreError> {
        let directory = self.directory()?;
        self.transact(|tx, _| {
            let mut working = working_of(tx, operation)?;
            entry(&working, operation, |state| !state.waits())?;
            drop_entry(tx, &mut working, operation)?;
            project(tx, &working, &directory)
        })
    }

    /// Runs one transaction; an actor of a transaction that did not end well is not used again.
    pub(super) fn transact<T>(
        &self,
        run: impl FnOnce(&Tx<'_>, &mut super::Actors) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer();
        let Writer { connection, actors } = &mut *writer;
        let done = Tx::begin(connection).and_then(|tx| {
            let done = run(&tx, actors)?;
            tx.commit()?;
            Ok(done)
        });
        if done.is_err() {
            actors.clear();
        }
        drop(writer);
        // Also after a failure: where the commit was made and only its acknowledgement failed, something was written.
        if let Some(watcher) = self.watcher.get() {
            watcher();
        }
        done
    }
}

fn load(tx: &Tx<'_>, id: VisitId) -> Result<Working, StoreError> {
    refuse_erased(tx, id)?;
    let working = Working::load(tx, id)?;
    if working.is_nothing() { Err(StoreError::NotFound) } else { Ok(working) }
}

fn refuse_erased(tx: &Tx<'_>, id: VisitId) -> Result<(), StoreError> {
    let erased = one(tx, "SELECT 1 FROM tombstone WHERE visit = ?1", [id.as_bytes()], |_| Ok(()))?;
    if erased.is_some() { Err(StoreError::Erased) } else { Ok(()) }
}

fn do_later(
    author: &mut Author<'_, '_>,
    working: &mut Working,
    later: Later,
    moment: &mut Moment<'_>,
) -> Result<(), StoreError> {
    match later {
        // Its document is being received anew: what is wanted now waits with the rest.
        Later::Edit(writes) if waits_for_document(working) => {
            author.later(working, OperationKind::Edit, &writes)?;
        }
        Later::Edit(writes) => edit(author, working, writes, moment)?,
        Later::Cancel if waits_for_document(working) => {
            author.later(working, OperationKind::Cancel, &[Write::raise(crate::visit::Key::Cancelled)])?;
        }
        Later::Cancel => {
            if working.current().is_empty() {
                // Only drafts are left of it: calling it off is dropping them.
                for entry in working.outbox.clone() {
                    drop_entry(author.tx, working, entry.id)?;
                }
                return Ok(());
            }
            let raise = [Write::raise(crate::visit::Key::Cancelled)];
            author.change(working, OperationKind::Cancel, &raise, None, moment)?;
        }
        Later::Ask(ask) => ask_hub(author, working, ask, moment)?,
    }
    Ok(())
}

fn waits_for_document(working: &Working) -> bool {
    working.current().is_empty() && working.outbox.iter().any(|entry| entry.state == OperationState::Stale)
}

/// An edit takes over the keys that refused drafts and conflicts are about. A visit whose first change was refused is
/// written anew, with everything its drafts wanted.
fn edit(
    author: &mut Author<'_, '_>,
    working: &mut Working,
    writes: Vec<Write>,
    moment: &mut Moment<'_>,
) -> Result<(), StoreError> {
    let anew = working.current().is_empty();
    let mut all = if anew { working.drafted() } else { Vec::new() };
    all.retain(|old| !writes.iter().any(|new| new.key == old.key));
    all.extend(writes);
    if anew {
        all.retain(|write| write.value.is_some());
    }
    let drafts: Vec<Entry> = working.outbox.iter().filter(|entry| !entry.state.waits()).cloned().collect();
    for draft in drafts {
        if let Some(intent) = draft.intent() {
            let left = if anew { super::intent::Intent::default() } else { intent.without(&all) };
            narrow(author.tx, working, draft.id, left)?;
        }
    }
    let kind = if anew { OperationKind::Create } else { OperationKind::Edit };
    author.change(working, kind, &all, None, moment)?;
    if anew {
        notes_again(author, working, moment)?;
    }
    Ok(())
}

/// Notes that were refused with the visit they are about are sent with it again, as requests of their own.
fn notes_again(author: &mut Author<'_, '_>, working: &mut Working, moment: &mut Moment<'_>) -> Result<(), StoreError> {
    for entry in working.outbox.clone() {
        if entry.code.as_deref() == Some("dependency_refused")
            && let Payload::Request(Request { ask: ask @ Ask::Note(_), .. }) = entry.payload
        {
            drop_entry(author.tx, working, entry.id)?;
            ask_hub(author, working, ask, moment)?;
        }
    }
    Ok(())
}

fn ask_hub(
    author: &mut Author<'_, '_>,
    working: &mut Working,
    ask: Ask,
    moment: &mut Moment<'_>,
) -> Result<(), StoreError> {
    let id = RequestId::from_parts(moment.unix_millis(), moment.random());
    let heads = working.accepted.heads().to_vec();
    author.request(working, Request { id, visit: working.id, ask, heads, seen: working.log.1 })
}

fn working_of(tx: &Tx<'_>, operation: i64) -> Result<Working, StoreError> {
    let visit = one(tx, "SELECT visit FROM outbox WHERE id = ?1", [operation], |row| row.get(0))?;
    Working::load(tx, visit.map(VisitId::from_bytes).ok_or(StoreError::NotFound)?)
}

fn entry(working: &Working, operation: i64, fits: impl Fn(OperationState) -> bool) -> Result<Entry, StoreError> {
    let found = working.outbox.iter().find(|entry| entry.id == operation && fits(entry.state));
    found.cloned().ok_or(StoreError::NotFound)
}
