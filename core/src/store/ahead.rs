//! Work ahead: what needs nothing of the file is made on another thread while this one writes what came before.

use std::sync::mpsc;
use std::thread;

/// How many items change hands at once: enough that waking a thread costs nothing, few enough to be held in memory.
const PARCEL: usize = 64;
/// How many parcels the maker may be ahead.
const AHEAD: usize = 2;

/// Lets `take` go through `items` in order, which another thread makes a little ahead of it. Fewer than a parcel are made
/// on this thread, and all of them where the system gives no thread.
///
/// If making one panics, `take` sees the end of the items, and this function panics after it: whatever makes the work final
/// comes later.
pub(super) fn ahead<T: Send, I: Iterator<Item = T> + Send, R>(
    mut items: I,
    take: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
) -> R {
    let begun: Vec<T> = items.by_ref().take(PARCEL).collect();
    if begun.len() < PARCEL {
        return take(&mut begun.into_iter());
    }
    let (give, parcels) = mpsc::sync_channel(AHEAD);
    let (hand_over, source) = mpsc::sync_channel::<I>(1);
    thread::scope(|scope| {
        let maker = move || {
            let Ok(mut items) = source.recv() else { return };
            loop {
                let parcel: Vec<T> = items.by_ref().take(PARCEL).collect();
                if parcel.is_empty() || give.send(parcel).is_err() {
                    return;
                }
            }
        };
        let here = match thread::Builder::new().name("vestibule-ahead".to_owned()).spawn_scoped(scope, maker) {
            Ok(_) => hand_over.send(items).err().map(|mpsc::SendError(items)| items),
            Err(_) => Some(items),
        };
        take(&mut begun.into_iter().chain(parcels.into_iter().flatten()).chain(here.into_iter().flatten()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the number: all of them, in order.
    #[test]
    fn items_come_in_order() {
        for count in [0, 1, PARCEL - 1, PARCEL, PARCEL + 1, 10 * PARCEL + 3] {
            let taken: Vec<usize> = ahead(0..count, |items| items.collect());
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
        }
    }

    /// The rest is not made for nobody, and the thread ends.
    #[test]
    fn an_early_end_stops_the_maker() {
        let made = std::sync::atomic::AtomicUsize::new(0);
        let items = (0..100 * PARCEL).inspect(|_| {
            made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(ahead(items, |items| items.next()), Some(0));
        assert!(made.into_inner() <= (AHEAD + 3) * PARCEL);
    }

    /// What was taken until then is never made final.
    #[test]
    fn a_panic_of_the_maker_is_one_here() {
        let items = (0..10 * PARCEL).map(|n| if n == 5 * PARCEL { panic!("a fault") } else { n });
        let run = std::panic::AssertUnwindSafe(|| ahead(items, |items| items.count()));
        assert!(std::panic::catch_unwind(run).is_err());
    }

    /// A few are made by whoever takes them.
    #[test]
    fn few_items_need_no_thread() {
        let here = thread::current().id();
        let makers =
            |count: usize| -> Vec<_> { ahead((0..count).map(|_| thread::current().id()), |items| items.collect()) };
        assert!(makers(PARCEL - 1).iter().all(|&maker| maker == here));
        assert!(makers(3 * PARCEL).iter().any(|&maker| maker != here));
    }
}
