//! One envelope: is it the device's next, and what becomes of its items.

use std::collections::BTreeMap;

use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use vestibule_core::envelope::{Envelope, EnvelopeError, Item, SignedEnvelope};
use vestibule_core::id::{ChainHash, ChangeHash, VisitId};
use vestibule_core::keys::{DeviceSigner as _, SignatureError};
use vestibule_core::receipt::{Receipt, Verdict};
use vestibule_core::sync::wire::{MAX_PUSH_ITEMS, PushedEnvelope, TurnedAway};

use super::SyncProblem;
use super::documents::Documents;
use super::refusal::{reason_of, refused};
use super::rights::Author;
use crate::context::Context;
use crate::moment::Moment;
use crate::restore;
use crate::store::apart::{apart, reading};
use crate::store::devices::Device;
use crate::store::members::MemberRecord;
use crate::store::quarantine::{self, From, Held};
use crate::store::visits::{self, LoadedVisit};
use crate::store::{StoreError, devices};

/// What became of an envelope.
pub(super) enum Taken {
    /// Its items were judged, now or before.
    Judged(Vec<Receipt>),
    /// It was not taken at all.
    TurnedAway(Reason),
}

/// Why an envelope is not taken.
pub(super) struct Reason {
    code: &'static str,
    message: String,
    expected: Option<u64>,
}

impl Reason {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), expected: None }
    }

    pub(super) fn at(self, index: u32) -> TurnedAway {
        TurnedAway { index, code: self.code.to_owned(), message: self.message, expected: self.expected }
    }
}

/// Judges what one device pushes, in one transaction.
pub(super) struct Judge<'a, 'm> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) context: &'a Context,
    pub(super) moment: &'a mut Moment<'m>,
    pub(super) device: &'a Device,
    pub(super) member: &'a MemberRecord,
    /// Visits read or changed in this push: an import writes many changes, and some visits many times.
    loaded: BTreeMap<VisitId, LoadedVisit>,
    /// Documents judged in earlier pushes.
    documents: &'a Documents,
    /// How many more items are judged in this push.
    room: usize,
}

/// An item with what stands around it in its envelope.
#[derive(Clone, Copy)]
pub(super) struct InEnvelope<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) hash: &'a ChainHash,
}

impl<'a, 'm> Judge<'a, 'm> {
    pub(super) fn new(
        tx: &'a Transaction<'a>,
        context: &'a Context,
        moment: &'a mut Moment<'m>,
        documents: &'a Documents,
        device: &'a Device,
        member: &'a MemberRecord,
    ) -> Self {
        Self { tx, context, moment, device, member, loaded: BTreeMap::new(), documents, room: MAX_PUSH_ITEMS }
    }

    /// Takes an envelope, or says why not.
    pub(super) fn take(&mut self, pushed: &PushedEnvelope) -> Result<Taken, SyncProblem> {
        let signed = match self.verify(pushed) {
            Ok(signed) => signed,
            Err(reason) => return Ok(Taken::TurnedAway(reason)),
        };
        let Some(room) = self.room.checked_sub(signed.envelope.items.len()) else {
            let message = "the push holds more than 4,096 items; send this envelope and those after it in another";
            return Ok(Taken::TurnedAway(Reason::new("too_large", message)));
        };
        self.room = room;
        let hash = signed.hash();
        let place = InEnvelope { envelope: &signed.envelope, hash: &hash };
        let judged_before = devices::envelope_hash(self.tx, self.device, signed.envelope.counter)? == Some(hash);
        if !judged_before && let Some(reason) = self.out_of_place(place)? {
            // A gap is the phone's to close and says nothing against it; the rest is evidence.
            if reason.expected.is_none() {
                let bytes = Some(pushed.envelope.as_slice());
                quarantine::insert(self.tx, self.from(place), Held::Envelope, reason.code, bytes)?;
            }
            return Ok(Taken::TurnedAway(reason));
        }
        let mut chunks = pushed.chunks.iter();
        let mut receipts = Vec::with_capacity(signed.envelope.items.len());
        let mut accepted = false;
        for item in &signed.envelope.items {
            let chunk = match item {
                Item::Change { .. } => chunks.next().map(|chunk| chunk.as_slice()),
                Item::Request(_) => None,
            };
            // Of an envelope that was judged before, only what could not be judged then is judged now.
            let before = if judged_before {
                reading(|| self.judged_before(item))?.unwrap_or_else(|_| Some(not_judged()))
            } else {
                None
            };
            let verdict = match before {
                Some(verdict) => verdict,
                None => self.judge_apart(place, item, chunk)?,
            };
            accepted |= matches!(verdict, Verdict::Accepted(_));
            receipts.push(Receipt { item: item.id(), verdict });
        }
        if accepted {
            let (counter, at) = (signed.envelope.counter, self.moment.unix());
            devices::insert_envelope(self.tx, self.device, counter, &hash, &signed.bytes, at)?;
        }
        Ok(Taken::Judged(receipts))
    }

    /// Who the envelope's author is.
    pub(super) fn author<'b>(&self, envelope: &'b Envelope) -> Author<'b>
    where
        'a: 'b,
    {
        Author { member: self.member, on_behalf_of: envelope.on_behalf_of.as_ref() }
    }

    /// The visit as it is now, if it is accepted. What is done with it has to be given back with [`Self::keep`].
    pub(super) fn visit(&mut self, id: VisitId) -> Result<Option<LoadedVisit>, StoreError> {
        if let Some(loaded) = self.loaded.remove(&id) {
            return Ok(Some(loaded));
        }
        let organisation = &self.context.organisation;
        visits::load_by(self.tx, organisation, id, |changes| self.documents.take(organisation, id, changes))
    }

    /// Leaves the documents to the pushes that follow.
    pub(super) fn done(self) {
        for (_, loaded) in self.loaded {
            self.documents.keep(&self.context.organisation, loaded.replica);
        }
    }

    pub(super) fn keep(&mut self, loaded: LoadedVisit) {
        self.loaded.insert(loaded.visit.id, loaded);
    }

    pub(super) fn from<'b>(&'b self, place: InEnvelope<'b>) -> From<'b> {
        From { device: self.device, counter: place.envelope.counter, hash: place.hash, at: self.moment.unix() }
    }

    /// Reads what was signed. A chunk that is not the one its item names proves nothing against the author, who signed
    /// hashes: somebody on the way changed it, so nothing is kept and nothing is refused.
    fn verify(&self, pushed: &PushedEnvelope) -> Result<SignedEnvelope, Reason> {
        let signed = SignedEnvelope::verify(&pushed.envelope, &self.device.key).map_err(|error| match error {
            EnvelopeError::Signature(SignatureError::UnknownKey) => {
                Reason::new("other_device", "the envelope is signed by another device than the one that syncs")
            }
            error => Reason::new(error.code(), error.to_string()),
        })?;
        let named: Vec<ChangeHash> = signed
            .envelope
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Change { hash, .. } => Some(*hash),
                Item::Request(_) => None,
            })
            .collect();
        let complete = named.len() == pushed.chunks.len()
            && named.iter().zip(&pushed.chunks).all(|(hash, chunk)| hash_of(chunk) == Some(*hash));
        if complete {
            Ok(signed)
        } else {
            Err(Reason::new("chunks", "the chunks beside the envelope are not those it names; send them again"))
        }
    }

    /// Why a signed envelope is not this device's next, for this organisation.
    fn out_of_place(&self, place: InEnvelope<'_>) -> Result<Option<Reason>, StoreError> {
        let envelope = place.envelope;
        if envelope.organisation != self.context.organisation {
            return Ok(Some(Reason::new("other_organisation", "the envelope is for another organisation")));
        }
        if Some(envelope.root) != self.context.keys.root.thumbprint() {
            return Ok(Some(Reason::new("other_root", "the envelope names another root than this organisation's")));
        }
        if envelope.member != self.device.member {
            return Ok(Some(Reason::new("other_member", "the envelope names another member than the device's")));
        }
        let last = devices::last_envelope(self.tx, self.device)?;
        let (counter, previous) = last.unwrap_or((0, ChainHash::ORIGIN));
        if envelope.counter > counter + 1 {
            let message = "envelopes before this one are missing; send them first";
            return Ok(Some(Reason { expected: Some(counter + 1), ..Reason::new("counter_gap", message) }));
        }
        if envelope.counter <= counter || envelope.previous != previous {
            let message =
                "another envelope of this device has this place; the device was cloned or restored: enrol it anew";
            return Ok(Some(Reason::new("cloned_device", message)));
        }
        Ok(None)
    }

    /// Judges an item for itself: one that the hub cannot judge is refused, and holds up no other.
    fn judge_apart(
        &mut self,
        place: InEnvelope<'_>,
        item: &Item,
        chunk: Option<&[u8]>,
    ) -> Result<Verdict, SyncProblem> {
        let tx = self.tx;
        let code = match apart(tx, || self.judge(place, item, chunk))? {
            Ok(verdict) => return Ok(verdict),
            Err(code) => code,
        };
        // What is held of the visit may be half changed.
        self.loaded.remove(&item.visit());
        let verdict = not_judged();
        let bytes = chunk.map_or_else(|| vestibule_core::cbor::write(item), <[u8]>::to_vec);
        let kept = apart(tx, || {
            let held = Held::Item(item, &verdict);
            quarantine::insert(tx, self.from(place), held, reason_of(&verdict), Some(&bytes))
        })?;
        tracing::error!(visit = %item.visit(), code, kept = kept.is_ok(), "an item could not be judged, and was refused");
        Ok(verdict)
    }

    /// Judges an item, unless it was judged before, and quarantines what is not accepted.
    fn judge(&mut self, place: InEnvelope<'_>, item: &Item, chunk: Option<&[u8]>) -> Result<Verdict, SyncProblem> {
        if let Some(verdict) = self.judged_before(item)? {
            if !matches!(verdict, Verdict::Accepted(_)) {
                quarantine::insert(self.tx, self.from(place), Held::Again(item), reason_of(&verdict), None)?;
            }
            return Ok(verdict);
        }
        let verdict = if place.envelope.not_after < self.moment.earliest().timestamp() {
            Verdict::Refused(refused("expired", "the envelope came later than its author allowed"))
        } else {
            match item {
                Item::Change { visit, hash, salt } => {
                    let chunk = chunk.unwrap_or_default();
                    self.judge_change(place, change_item(*visit, *hash, *salt), chunk)?
                }
                Item::Request(request) => self.judge_request(place, request)?,
            }
        };
        if verdict == Verdict::Later {
            // No word on the item, but the device's envelope has had its turn.
            quarantine::insert(self.tx, self.from(place), Held::Again(item), reason_of(&verdict), None)?;
            return Ok(verdict);
        }
        if !matches!(verdict, Verdict::Accepted(_)) {
            // A stale value stays with its author alone; what is refused is evidence.
            let bytes = match &verdict {
                Verdict::Stale { .. } => None,
                _ => Some(chunk.map_or_else(|| vestibule_core::cbor::write(item), <[u8]>::to_vec)),
            };
            let held = Held::Item(item, &verdict);
            quarantine::insert(self.tx, self.from(place), held, reason_of(&verdict), bytes.as_deref())?;
        }
        Ok(verdict)
    }

    /// The verdict an item has had before. A stale one is told the heads of now.
    fn judged_before(&mut self, item: &Item) -> Result<Option<Verdict>, StoreError> {
        let organisation = &self.context.organisation;
        match item {
            Item::Change { visit, hash, .. } => {
                if let Some(seq) = visits::change_seq(self.tx, organisation, *visit, hash)? {
                    return Ok(Some(Verdict::Accepted(seq)));
                }
            }
            Item::Request(request) => match visits::request(self.tx, organisation, request.id)? {
                Some((seq, device)) if device == self.device.thumbprint => return Ok(Some(Verdict::Accepted(seq))),
                _ => {}
            },
        }
        let verdict = quarantine::verdict(self.tx, self.device, &item.id())?;
        Ok(match verdict {
            Some(Verdict::Stale { keys, heads }) => {
                let now = self.visit(item.visit())?;
                let heads = now.as_ref().map_or(heads, |loaded| loaded.visit.heads.clone());
                if let Some(loaded) = now {
                    self.keep(loaded);
                }
                Some(Verdict::Stale { keys, heads })
            }
            other => other,
        })
    }

    /// Whether something that is missing may still come from a phone that had sent it before the hub was set back.
    pub(super) fn may_come_back(&self) -> Result<bool, StoreError> {
        restore::phones_may_come_by(self.tx, self.moment.earliest())
    }
}

/// What an item gets that the hub failed to judge, for a reason in it or in what is stored of its visit.
fn not_judged() -> Verdict {
    let message = "the hub could not take it; it is kept on this phone: ask your administrator, then send it again";
    Verdict::Refused(refused("not_judged", message))
}

/// A change as its envelope names it.
#[derive(Clone, Copy)]
pub(super) struct ChangeItem {
    pub(super) visit: VisitId,
    pub(super) hash: ChangeHash,
    pub(super) salt: vestibule_core::id::ActorSalt,
}

fn change_item(visit: VisitId, hash: ChangeHash, salt: vestibule_core::id::ActorSalt) -> ChangeItem {
    ChangeItem { visit, hash, salt }
}

/// The hash of a chunk: SHA-256 of what follows magic and checksum, whatever it is.
pub(super) fn hash_of(chunk: &[u8]) -> Option<ChangeHash> {
    Some(ChangeHash(Sha256::digest(chunk.get(8..)?).into()))
}
