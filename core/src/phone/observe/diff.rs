//! The steps from one list to another.

use std::collections::HashMap;

use crate::id::VisitId;
use crate::store::VisitSummary;

/// A step; steps are applied in order, each to what the one before left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListDiff {
    /// The whole list, in place of what was shown.
    Reset {
        /// The visits.
        items: Vec<VisitSummary>,
    },
    /// A visit comes to stand at `index`.
    Insert {
        /// Where.
        index: usize,
        /// The visit.
        item: VisitSummary,
    },
    /// The visit at `index` is shown differently.
    Update {
        /// Where.
        index: usize,
        /// The visit, as it is now.
        item: VisitSummary,
    },
    /// The visit at `from` is taken out and put back so that it stands at `to`.
    Move {
        /// Where it stood.
        from: usize,
        /// Where it stands then.
        to: usize,
    },
    /// The visit at `index` goes.
    Remove {
        /// Where it stood.
        index: usize,
    },
}

impl ListDiff {
    /// Applies the step to a copy of the list. A step that does not fit leaves it as it is.
    pub fn apply(self, list: &mut Vec<VisitSummary>) {
        match self {
            Self::Reset { items } => *list = items,
            Self::Insert { index, item } if index <= list.len() => list.insert(index, item),
            Self::Update { index, item } => {
                if let Some(place) = list.get_mut(index) {
                    *place = item;
                }
            }
            Self::Move { from, to } if from < list.len() && to < list.len() => {
                let item = list.remove(from);
                list.insert(to, item);
            }
            Self::Remove { index } if index < list.len() => drop(list.remove(index)),
            Self::Insert { .. } | Self::Move { .. } | Self::Remove { .. } => {}
        }
    }
}

/// The steps from `old` to `new`: removals from the end, as few moves as there can be, insertions, then new contents.
/// No visit stands twice in a list.
pub(super) fn steps(old: &[VisitSummary], new: &[VisitSummary]) -> Vec<ListDiff> {
    let head = old.iter().zip(new).take_while(|(old, new)| old.id == new.id).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(old, new)| old.id == new.id).count();
    let (from, to) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let places: HashMap<VisitId, usize> = to.iter().enumerate().map(|(place, visit)| (visit.id, place)).collect();

    let mut steps = Vec::new();
    let mut kept = Vec::with_capacity(from.len().min(to.len()));
    for (index, visit) in from.iter().enumerate() {
        match places.get(&visit.id) {
            Some(&place) => kept.push(place),
            None => steps.push(ListDiff::Remove { index: head + index }),
        }
    }
    // From the end, so that no removal shifts another.
    steps.reverse();
    move_into_order(&mut kept, head, &mut steps);
    // `kept` now holds the places of the kept visits, ascending; what lies between them is new.
    let mut kept = kept.into_iter().peekable();
    for (place, visit) in to.iter().enumerate() {
        if kept.next_if_eq(&place).is_none() {
            steps.push(ListDiff::Insert { index: head + place, item: visit.clone() });
        }
    }

    let held: HashMap<VisitId, &VisitSummary> = from.iter().map(|visit| (visit.id, visit)).collect();
    let before = |index: usize| {
        let from_end = new.len() - index;
        if index < head {
            Some(&old[index])
        } else if from_end <= tail {
            Some(&old[old.len() - from_end])
        } else {
            held.get(&new[index].id).copied()
        }
    };
    for (index, item) in new.iter().enumerate() {
        if before(index).is_some_and(|before| before != item) {
            steps.push(ListDiff::Update { index, item: item.clone() });
        }
    }
    steps
}

/// Sorts `places` by moving the fewest: all but those of a longest ascending run.
fn move_into_order(places: &mut Vec<usize>, head: usize, steps: &mut Vec<ListDiff>) {
    if places.is_sorted() {
        return;
    }
    let stays = longest_ascending(places);
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let mut previous = None;
    for place in sorted {
        if stays.binary_search(&place).is_err() {
            let at = |wanted: usize| places.iter().position(|&place| place == wanted).expect("every place is in it");
            let from = at(place);
            // Right behind the one before it, counted without itself.
            let behind = previous.map_or(0, |previous| at(previous) + 1);
            let to = if from < behind { behind - 1 } else { behind };
            if from != to {
                places.remove(from);
                places.insert(to, place);
                steps.push(ListDiff::Move { from: head + from, to: head + to });
            }
        }
        previous = Some(place);
    }
}

/// A longest ascending run, not necessarily without gaps (patience sorting).
fn longest_ascending(places: &[usize]) -> Vec<usize> {
    // For each length, the index of the smallest place such a run ends with.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(places.len());
    for (index, &place) in places.iter().enumerate() {
        let length = ends.partition_point(|&end| places[end] < place);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut run: Vec<usize> =
        std::iter::successors(ends.last().copied(), |&index| before[index]).map(|index| places[index]).collect();
    run.reverse();
    run
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::visit::Status;

    fn visit(number: u8, name: u8) -> VisitSummary {
        VisitSummary {
            id: VisitId::from_parts(1_800_000_000_000, [number; 10]),
            number: None,
            name: name.to_string(),
            company: None,
            email: None,
            site: None,
            host: None,
            host_name: None,
            schedule: None,
            start: None,
            end: None,
            over_at: None,
            status: Status::Queued,
            queued: true,
            conflict: false,
            problem: None,
            mail: None,
        }
    }

    fn list() -> impl Strategy<Value = Vec<VisitSummary>> {
        let numbers = proptest::sample::subsequence((0..12_u8).collect::<Vec<_>>(), 0..12).prop_shuffle();
        (numbers, proptest::collection::vec(0..3_u8, 12))
            .prop_map(|(numbers, names)| numbers.into_iter().zip(names).map(|(n, name)| visit(n, name)).collect())
    }

    fn moves(steps: &[ListDiff]) -> usize {
        steps.iter().filter(|step| matches!(step, ListDiff::Move { .. })).count()
    }

    proptest! {
        /// The steps lead from any list to any other.
        #[test]
        fn steps_lead_there(old in list(), new in list()) {
            let mut mirror = old.clone();
            for step in steps(&old, &new) {
                let before = mirror.clone();
                step.clone().apply(&mut mirror);
                prop_assert_ne!(before, mirror.clone(), "{:?} does nothing", step);
            }
            prop_assert_eq!(mirror, new);
        }
    }

    #[test]
    fn nothing_changed_is_no_step() {
        let list = [visit(1, 0), visit(2, 0)];
        assert_eq!(steps(&list, &list), []);
    }

    #[test]
    fn one_that_moves_far_is_one_move() {
        let old: Vec<_> = (0..9).map(|n| visit(n, 0)).collect();
        for (from, to) in [(0, 8), (8, 0), (2, 6), (6, 2)] {
            let mut new = old.clone();
            let moved = new.remove(from);
            new.insert(to, moved);
            assert_eq!(steps(&old, &new), [ListDiff::Move { from, to }]);
            assert_eq!(moves(&steps(&new, &old)), 1);
        }
    }
}
