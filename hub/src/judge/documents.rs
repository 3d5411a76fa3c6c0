//! The documents judged lately, so that a visit that is edited again need not be read and built again.
//!
//! A document is a function of its accepted changes in their order, and each hash names a change for ever. So a kept
//! document is given out only for the very list of hashes that the database holds in the transaction that asks: one of a
//! transaction that was rolled back, of an earlier base, or of before another process wrote is never taken for the present
//! one, whenever it was put here.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vestibule_core::document::Replica;
use vestibule_core::id::{ChangeHash, OrganisationId, VisitId};

/// How many documents are kept: some 20 KB each.
const KEPT: usize = 64;

/// Documents of visits of all organisations; the one that was not needed for longest makes room.
#[derive(Default)]
pub struct Documents(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Counts what was put here.
    turn: u64,
    documents: HashMap<(OrganisationId, VisitId), (u64, Replica)>,
}

impl Documents {
    /// Takes out the document of a visit if it consists of exactly these changes in this order.
    pub fn take(&self, organisation: &OrganisationId, visit: VisitId, changes: &[ChangeHash]) -> Option<Replica> {
        let (_, replica) = self.lock().documents.remove(&(organisation.clone(), visit))?;
        replica.changes().map(|(hash, _)| hash).eq(changes).then_some(replica)
    }

    /// Keeps the document of a visit.
    pub fn keep(&self, organisation: &OrganisationId, replica: Replica) {
        let mut kept = self.lock();
        kept.turn += 1;
        let turn = kept.turn;
        kept.documents.insert((organisation.clone(), replica.id()), (turn, replica));
        if kept.documents.len() > KEPT {
            let oldest = kept.documents.iter().min_by_key(|(_, (turn, _))| *turn).map(|(key, _)| key.clone());
            oldest.and_then(|key| kept.documents.remove(&key));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::document::Write;
    use vestibule_core::id::ActorId;
    use vestibule_core::visit::Key;

    use super::*;

    fn document(number: u64, names: &[&str]) -> Replica {
        let mut replica = Replica::empty(VisitId::from_parts(number, [1; 10]));
        for name in names {
            let writes = [Write::set(Key::FirstName, *name)];
            let change = replica.write(ActorId([1; 16]), &writes, 0).expect("may be written").expect("new");
            replica.accept(change).expect("fits");
        }
        replica
    }

    fn hashes(replica: &Replica) -> Vec<ChangeHash> {
        replica.changes().map(|(hash, _)| *hash).collect()
    }

    /// Whatever was kept, only the document that the database holds now is given out.
    #[test]
    fn a_document_is_given_out_for_its_very_changes_alone() {
        let organisation: OrganisationId = "example-ag".parse().expect("an id");
        let (other, documents) = ("other-ag".parse().expect("an id"), Documents::default());
        let ada = document(1, &["Ada", "Ada Lovelace"]);
        let changes = hashes(&ada);
        let kept = |changes: &[ChangeHash]| {
            documents.keep(&organisation, ada.clone());
            documents.take(&organisation, ada.id(), changes).is_some()
        };
        assert!(kept(&changes));
        assert!(!kept(&changes[..1]), "of before the last change, which was rolled back");
        assert!(!kept(&hashes(&document(1, &["Ada", "Countess"]))), "of another last change");
        assert!(!kept(&[changes[1], changes[0]]) && !kept(&[]));
        documents.keep(&organisation, ada.clone());
        assert!(documents.take(&other, ada.id(), &changes).is_none());
        assert!(documents.take(&organisation, VisitId::from_parts(2, [1; 10]), &changes).is_none());
        assert!(documents.take(&organisation, ada.id(), &changes).is_some());
        assert!(documents.take(&organisation, ada.id(), &changes).is_none(), "it was taken out");
    }

    #[test]
    fn the_oldest_makes_room() {
        let (organisation, documents) = ("example-ag".parse().expect("an id"), Documents::default());
        let all: Vec<Replica> = (0..=KEPT as u64).map(|number| document(number, &["Ada"])).collect();
        for replica in &all {
            documents.keep(&organisation, replica.clone());
        }
        let is_kept = |replica: &Replica| documents.take(&organisation, replica.id(), &hashes(replica)).is_some();
        assert!(!is_kept(&all[0]));
        assert!(all[1..].iter().all(is_kept));
    }
}
