//! Judging a change of a visit's document, and taking it.

use vestibule_core::decision::{Approval, Presence, Standing};
use vestibule_core::document::{self, CheckedChange, ParsedChange, Replica, actor_id};
use vestibule_core::envelope::ItemId;
use vestibule_core::id::{ActorSalt, ChainHash, ChangeHash};
use vestibule_core::keys::DeviceSigner as _;
use vestibule_core::receipt::{Refusal, Verdict};
use vestibule_core::visit::{Key, VisitValues, differences};

use super::SyncProblem;
use super::push::{ChangeItem, InEnvelope, Judge};
use super::refusal::{field_of, not_permitted, over, refused, refused_change, refused_field};
use super::validity;
use crate::lifecycle;
use crate::record::{Event, record};
use crate::store::StoreError;
use crate::store::organisations::{Counted, next_number};
use crate::store::quarantine::{self, Held};
use crate::store::visits::{self, ChangeRecord, LoadedVisit, values_of};
use crate::visit::AcceptedVisit;

/// What a check says: go on, or the verdict that ends it.
type Checked<T> = Result<T, Verdict>;

impl Judge<'_, '_> {
    pub(super) fn judge_change(
        &mut self,
        place: InEnvelope<'_>,
        item: ChangeItem,
        chunk: &[u8],
    ) -> Result<Verdict, SyncProblem> {
        let change = match ParsedChange::read(chunk) {
            Ok(change) if change.hash == item.hash => change,
            Ok(_) => return Ok(refuse(refused_change(document::Refusal::Garbage))),
            Err(refusal) => return Ok(refuse(refused_change(refusal))),
        };
        // Nobody squats on another's actor: it is made of the device's key, the visit, and a salt that was signed.
        if change.actor != actor_id(&self.device.thumbprint, item.visit, &item.salt) {
            return Ok(refuse(refused_change(document::Refusal::Actor)));
        }
        if let Some(verdict) = self.cloned_actor(place, item, &change)? {
            return Ok(verdict);
        }
        match self.visit(item.visit)? {
            None => self.judge_first(place, item, change),
            Some(loaded) => {
                let mut loaded = loaded;
                let verdict = self.judge_next(place, &mut loaded, change);
                self.keep(loaded);
                verdict
            }
        }
    }

    /// Two changes under one number of one actor prove a clone or a fraud: both are quarantined, the accepted one as a
    /// copy, because what was accepted stays.
    fn cloned_actor(
        &self,
        place: InEnvelope<'_>,
        item: ChangeItem,
        change: &ParsedChange,
    ) -> Result<Option<Verdict>, StoreError> {
        let organisation = &self.context.organisation;
        let taken = visits::change_of_actor(self.tx, organisation, item.visit, &change.actor, change.seq)?;
        let Some((hash, bytes)) = taken else { return Ok(None) };
        let evidence = ItemId::Change(item.visit, hash);
        quarantine::insert(self.tx, self.from(place), Held::Evidence(&evidence), "cloned_actor", Some(&bytes))?;
        let message = "another change has this number of this author; the device was cloned or restored: enrol it anew";
        Ok(Some(refuse(refused("cloned_actor", message))))
    }

    /// The first change of a visit the hub does not know.
    fn judge_first(
        &mut self,
        place: InEnvelope<'_>,
        item: ChangeItem,
        change: ParsedChange,
    ) -> Result<Verdict, SyncProblem> {
        if let Some(verdict) = self.missing_dependency(item.visit, &change, None)? {
            return Ok(verdict);
        }
        let mut replica = Replica::empty(item.visit);
        let checked = match fits(&replica, change) {
            Ok(checked) => checked,
            Err(verdict) => return Ok(verdict),
        };
        let row = self.row_of(place, &checked, 0);
        if let Err(refusal) = replica.apply(checked) {
            return Ok(refuse(refused_change(refusal)));
        }
        let values = values_of(&replica);
        let author = self.author(place.envelope);
        // The values are checked before the rights, because rights need a host and a site.
        if let Err(refusal) =
            validity::check(self.tx, &self.context.organisation, self.member, None, &values, self.moment.earliest())?
        {
            return Ok(refuse(refusal));
        }
        let (Some(site), Some(host)) = (values.site.clone(), values.host.clone()) else {
            return Ok(refuse(refused_field("required", "Choose a host.", "host")));
        };
        if !author.may_create(&site, &host) {
            return Ok(refuse(refused(
                "not_permitted",
                "You don't have permission to invite visitors for this host at this site.",
            )));
        }
        if !author.is_program() && values.source.as_deref().is_some_and(|source| !["phone", "upload"].contains(&source))
        {
            return Ok(refuse(refused_field(
                "not_permitted",
                "Only the hub may set where a visit came from.",
                "source",
            )));
        }
        if values.import.is_some() && !author.is_program() && values.source.as_deref() != Some("upload") {
            return Ok(refuse(refused_field("not_permitted", "belongs to a visit whose source is upload", "import")));
        }
        if values.occurrence.is_some() && values.series.is_none() {
            return Ok(refuse(refused_field("required", "is not given, though the visit is a day of one", "series")));
        }
        if let Some(verdict) = self.bad_previous(place, &values)? {
            return Ok(verdict);
        }
        let needs_approval = validity::needs_approval(self.tx, &self.context.organisation, &values)?;
        let mut visit = AcceptedVisit {
            id: item.visit,
            number: next_number(self.tx, Counted::Visit)?,
            organisation: self.context.organisation.clone(),
            creator: author.owner().clone(),
            site,
            host,
            heads: replica.heads().to_vec(),
            base: 0,
            standing: Standing::default(),
            last_entry: 0,
            log_head: ChainHash::ORIGIN,
            accepted_at: self.moment.unix(),
            values,
        };
        let row = ChangeRecord { seq: next_number(self.tx, Counted::Item)?, ..row };
        visits::insert(self.tx, &visit)?;
        visits::insert_change(self.tx, &visit.organisation, visit.id, &row)?;
        let outcome = lifecycle::created(visit.number, visit.creator.clone(), &visit.values, needs_approval);
        let event = Event { by: Some(&self.member.member.id), outcome, change: Some(&row), ..Event::default() };
        record(self.tx, self.context, self.moment, &mut visit, event)?;
        self.keep(LoadedVisit { visit, replica });
        Ok(Verdict::Accepted(row.seq))
    }

    /// "Invite again" names the visit it was made from: one's own, and not one that was rejected for good (S2.27).
    fn bad_previous(&mut self, place: InEnvelope<'_>, values: &VisitValues) -> Result<Option<Verdict>, StoreError> {
        let Some(previous) = values.previous else { return Ok(None) };
        let Some(loaded) = self.visit(previous)? else {
            let unknown = refused_field("unknown", "The visit to invite again from isn't on the hub.", "previous");
            return Ok(Some(if self.may_come_back()? { Verdict::Later } else { refuse(unknown) }));
        };
        let refusal = if !self.author(place.envelope).may_edit(&loaded.visit) {
            Some(not_permitted())
        } else if matches!(loaded.visit.standing.approval, Approval::Rejected { r#final: true, .. }) {
            Some(refused("rejected_finally", "This guest has been rejected for good and can't be invited again."))
        } else {
            None
        };
        self.keep(loaded);
        Ok(refusal.map(refuse))
    }

    /// A later change. `loaded` is as it was unless the verdict is "accepted".
    fn judge_next(
        &mut self,
        place: InEnvelope<'_>,
        loaded: &mut LoadedVisit,
        change: ParsedChange,
    ) -> Result<Verdict, SyncProblem> {
        // Rights first, on the accepted state: a stranger learns nothing of the visit, not even what has changed.
        if !self.author(place.envelope).may_edit(&loaded.visit) {
            return Ok(refuse(not_permitted()));
        }
        if let Some(verdict) = self.missing_dependency(loaded.visit.id, &change, Some(loaded))? {
            return Ok(verdict);
        }
        let changes = visits::count_changes(self.tx, &self.context.organisation, loaded.visit.id)?;
        if changes >= document::MAX_CHANGES as u64 {
            return Ok(refuse(refused_change(document::Refusal::TooManyChanges)));
        }
        let checked = match fits(&loaded.replica, change) {
            Ok(checked) => checked,
            Err(verdict) => return Ok(verdict),
        };
        let row = self.row_of(place, &checked, loaded.visit.base);
        let mut replica = loaded.replica.clone();
        if let Err(refusal) = replica.apply(checked) {
            return Ok(refuse(refused_change(refusal)));
        }
        let after = values_of(&replica);
        if let Err(refusal) = self.may_become(place, &loaded.visit, &after)? {
            return Ok(refuse(refusal));
        }
        let row = ChangeRecord { seq: next_number(self.tx, Counted::Item)?, ..row };
        loaded.replica = replica;
        self.take_change(loaded, after, &row)?;
        Ok(Verdict::Accepted(row.seq))
    }

    /// Whether a visit may become what a change makes of it.
    fn may_become(
        &self,
        place: InEnvelope<'_>,
        visit: &AcceptedVisit,
        after: &VisitValues,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let keys = differences(&visit.values, after);
        let ends = keys.iter().all(|key| key.is_end());
        if visit.is_over() {
            return Ok(Err(over()));
        }
        if after.deleted && visit.standing.presence != Presence::Expected {
            return Ok(Err(refused("already_used", "This invitation has been used, so it stays in the log.")));
        }
        if ends {
            return Ok(Ok(()));
        }
        if matches!(visit.standing.approval, Approval::Rejected { .. }) {
            return Ok(Err(refused("rejected", "This visit was rejected; change it and invite the visitor again.")));
        }
        let author = self.author(place.envelope);
        if keys.contains(&Key::Host) && !author.may_change_host(visit) {
            return Ok(Err(refused_field("not_permitted", "You don't have permission to change the host.", "host")));
        }
        let moved = [Key::Site, Key::Type, Key::Host].into_iter().find(|key| keys.contains(key));
        if let (Some(key), Some(site)) = (moved, &after.site)
            && !author.may_move_to(visit, site)
        {
            return Ok(Err(refused_field(
                "not_permitted",
                "You don't have permission to edit visits at that site.",
                field_of(key),
            )));
        }
        let before = Some(&visit.values);
        validity::check(self.tx, &self.context.organisation, self.member, before, after, self.moment.earliest())
    }

    /// Stores an accepted change and records what follows. A new host gets a fresh base without earlier values, made by
    /// the hub's own device.
    fn take_change(
        &mut self,
        loaded: &mut LoadedVisit,
        after: VisitValues,
        row: &ChangeRecord,
    ) -> Result<(), SyncProblem> {
        let organisation = &self.context.organisation;
        let needs_approval = validity::needs_approval(self.tx, organisation, &after)?;
        let outcome = lifecycle::edited(&loaded.visit, &after, needs_approval);
        visits::insert_change(self.tx, organisation, loaded.visit.id, row)?;
        let visit = &mut loaded.visit;
        let rebased = after.host.as_ref() != Some(&visit.host);
        if let (Some(site), Some(host)) = (&after.site, &after.host) {
            (visit.site, visit.host) = (site.clone(), host.clone());
        }
        visit.values = after;
        if rebased {
            self.rebase(loaded, row)?;
        }
        loaded.visit.heads = loaded.replica.heads().to_vec();
        let event = Event { by: Some(&self.member.member.id), outcome, change: Some(row), rebased, ..Event::default() };
        record(self.tx, self.context, self.moment, &mut loaded.visit, event)?;
        Ok(())
    }

    fn rebase(&mut self, loaded: &mut LoadedVisit, row: &ChangeRecord) -> Result<(), SyncProblem> {
        const GOOD: &str = "fresh base of an accepted visit";
        let device = self.context.keys.device.thumbprint().ok_or(StoreError::Corrupt("hub's device key"))?;
        let actor = actor_id(&device, loaded.visit.id, &ActorSalt(self.moment.random()));
        let at = self.moment.unix();
        let base = loaded.replica.fresh_base(actor, at).map_err(|_| StoreError::Corrupt(GOOD))?;
        let mut replica = Replica::empty(loaded.visit.id);
        replica.accept(base.clone()).map_err(|_| StoreError::Corrupt(GOOD))?;
        loaded.visit.base += 1;
        let fresh = ChangeRecord {
            seq: next_number(self.tx, Counted::Item)?,
            base: loaded.visit.base,
            hash: base.hash,
            actor,
            actor_seq: base.seq,
            bytes: base.bytes,
            author: row.author.clone(),
            on_behalf_of: row.on_behalf_of.clone(),
            device,
            counter: None,
            accepted_at: at,
        };
        visits::insert_change(self.tx, &self.context.organisation, loaded.visit.id, &fresh)?;
        loaded.replica = replica;
        Ok(())
    }

    /// What follows from a dependency that is not in the accepted document: it stood on an earlier base or was itself
    /// stale, then the intent is replayed; or it was refused, and this with it.
    fn missing_dependency(
        &self,
        visit: vestibule_core::id::VisitId,
        change: &ParsedChange,
        loaded: Option<&LoadedVisit>,
    ) -> Result<Option<Verdict>, StoreError> {
        let organisation = &self.context.organisation;
        let stale = || Verdict::Stale {
            keys: change.ops.iter().map(|op| op.key.to_string()).collect(),
            heads: loaded.map(|loaded| loaded.visit.heads.clone()).unwrap_or_default(),
        };
        let held = |dep: &ChangeHash| loaded.is_some_and(|loaded| loaded.replica.contains(dep));
        for dep in change.deps.iter().filter(|dep| !held(dep)) {
            if visits::change_seq(self.tx, organisation, visit, dep)?.is_some() {
                return Ok(Some(stale()));
            }
            match quarantine::verdict_of_change(self.tx, organisation, visit, *dep)? {
                Some(Verdict::Stale { .. }) => return Ok(Some(stale())),
                Some(_) => return Ok(Some(Verdict::DependencyRefused)),
                None if self.may_come_back()? => return Ok(Some(Verdict::Later)),
                None => {}
            }
        }
        Ok(None)
    }

    /// The row of a change that may be accepted; its sequence is given when it is.
    fn row_of(&self, place: InEnvelope<'_>, checked: &CheckedChange, base: u32) -> ChangeRecord {
        let change = checked.change();
        ChangeRecord {
            seq: 0,
            base,
            hash: change.hash,
            actor: change.actor,
            actor_seq: change.seq,
            bytes: change.bytes.clone(),
            author: self.member.member.id.clone(),
            on_behalf_of: place.envelope.on_behalf_of.clone(),
            device: self.device.thumbprint,
            counter: Some(place.envelope.counter),
            accepted_at: self.moment.unix(),
        }
    }
}

fn refuse(refusal: Refusal) -> Verdict {
    Verdict::Refused(refusal)
}

/// Holds a change against the profile. The actor was compared with the envelope's before.
fn fits(replica: &Replica, change: ParsedChange) -> Checked<CheckedChange> {
    let actor = change.actor;
    match replica.check(change, &actor) {
        Ok(document::Verdict::Fits(checked)) => Ok(checked),
        Ok(document::Verdict::Stale { keys, heads }) => {
            Err(Verdict::Stale { keys: keys.iter().map(ToString::to_string).collect(), heads })
        }
        Err(refusal) => Err(refuse(refused_change(refusal))),
    }
}
