//! Who is connected, and who has to go when there is no room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use super::activity::Activity;

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub total: usize,
    /// From one address, but for proxies.
    pub per_address: usize,
}

/// Whether a connection is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// In this place.
    Taken(u64),
    /// The hub is at work for every connection there is.
    Full,
}

/// The connections there are.
pub struct Table {
    room: Room,
    next: u64,
    open: HashMap<u64, Place>,
    /// Connections of each address that is counted.
    by_address: HashMap<IpAddr, usize>,
    /// How many were told to end and have not yet.
    leaving: usize,
}

struct Place {
    address: Option<IpAddr>,
    activity: Arc<Activity>,
    /// It was told to end, and is no longer counted as one there is room to be had from.
    leaving: bool,
}

impl Table {
    /// Nobody is connected.
    pub fn new(room: Room) -> Self {
        Self { room, next: 0, open: HashMap::new(), by_address: HashMap::new(), leaving: 0 }
    }

    /// Lets a connection in, where there is no room in place of the one whose client has sent nothing for longest. `address` is nothing for one that
    /// is not counted.
    pub fn enter(&mut self, address: Option<IpAddr>, now: Instant) -> (Entry, Arc<Activity>) {
        let activity = Arc::new(Activity::new(now));
        if let Some(address) = address
            && self.by_address.get(&address).is_some_and(|count| *count >= self.room.per_address)
            && !self.close_longest(|place| place.address == Some(address))
        {
            return (Entry::Full, activity);
        }
        if self.open.len() - self.leaving >= self.room.total && !self.close_longest(|_| true) {
            return (Entry::Full, activity);
        }
        self.next += 1;
        self.open.insert(self.next, Place { address, activity: Arc::clone(&activity), leaving: false });
        if let Some(address) = address {
            *self.by_address.entry(address).or_default() += 1;
        }
        (Entry::Taken(self.next), activity)
    }

    /// A connection is over.
    pub fn leave(&mut self, id: u64) {
        let Some(place) = self.open.remove(&id) else { return };
        if place.leaving {
            self.leaving -= 1;
        } else {
            self.uncount(place.address);
        }
    }

    /// Ends those that only take up room.
    pub fn sweep(&mut self, now: Instant) {
        self.end(|place| place.activity.is_over(now));
    }

    /// Ends those with no request under way: the hub stops.
    pub fn close_idle(&mut self) {
        self.end(|place| place.activity.idle_since().is_some());
    }

    /// Ends the one whose client has sent nothing for longest; whether there was one.
    pub fn close_longest_waiting(&mut self) -> bool {
        self.close_longest(|_| true)
    }

    fn close_longest(&mut self, among: impl Fn(&Place) -> bool) -> bool {
        let here = self.open.iter().filter(|(_, place)| !place.leaving && among(place));
        let longest = here.filter_map(|(id, place)| Some((place.activity.kept_waiting_since()?, *id))).min();
        let Some((_, id)) = longest else { return false };
        self.tell(id);
        true
    }

    fn end(&mut self, whom: impl Fn(&Place) -> bool) {
        let ends: Vec<u64> =
            self.open.iter().filter(|(_, place)| !place.leaving && whom(place)).map(|(id, _)| *id).collect();
        for id in ends {
            self.tell(id);
        }
    }

    /// Tells a connection to end; its file is free a moment later.
    fn tell(&mut self, id: u64) {
        let Some(place) = self.open.get_mut(&id) else { return };
        place.leaving = true;
        self.leaving += 1;
        place.activity.close();
        let address = place.address;
        self.uncount(address);
    }

    fn uncount(&mut self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(203, 0, 113, last))
    }

    #[tokio::test]
    async fn the_longest_idle_makes_room_and_one_at_work_never_has_to() {
        let mut table = Table::new(Room { total: 3, per_address: 2 });
        let begun = Instant::now();
        let (_, first) = table.enter(Some(address(1)), begun);
        let (second, idle) = table.enter(Some(address(1)), begun + Duration::from_secs(1));
        let _at_work = first.begin(false);
        // The third of that address: the idle one goes, not the one at work before it.
        assert_eq!(table.enter(Some(address(1)), begun + Duration::from_secs(2)).0, Entry::Taken(3));
        idle.closed().await;
        let Entry::Taken(second) = second else { panic!("there was room") };
        table.leave(second);
        assert_eq!(table.enter(Some(address(2)), begun).0, Entry::Taken(4));
        // No room in all: address 2 is idle for longest.
        assert_eq!(table.enter(None, begun + Duration::from_secs(3)).0, Entry::Taken(5));
        table.leave(4);
        assert_eq!(table.by_address.get(&address(2)), None);
    }

    #[test]
    fn where_all_are_at_work_nobody_is_let_in() {
        let mut table = Table::new(Room { total: 1, per_address: 1 });
        let now = Instant::now();
        let (_, activity) = table.enter(None, now);
        let at_work = activity.begin(false);
        assert_eq!(table.enter(None, now).0, Entry::Full);
        drop(at_work);
        assert_eq!(table.enter(None, now).0, Entry::Taken(2));
    }

    #[tokio::test]
    async fn what_only_takes_up_room_is_swept() {
        let mut table = Table::new(Room { total: 9, per_address: 9 });
        let now = Instant::now();
        let (_, half) = table.enter(Some(address(1)), now);
        let (_, busy) = table.enter(Some(address(1)), now);
        let _under_way = busy.begin(false);
        table.sweep(now + super::super::activity::HEAD);
        half.closed().await;
        assert_eq!(table.by_address[&address(1)], 1);
    }
}
