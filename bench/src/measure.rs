//! Measuring side by side: ours and the floor take turns, and of each the median counts. What else the machine does
//! meets both alike, so that the ratio holds where the figures do not.

use std::time::{Duration, Instant};

/// The medians of two things that took turns.
#[derive(Debug, Clone, Copy)]
pub struct Pair {
    /// Ours.
    pub ours: Duration,
    /// The floor's.
    pub floor: Duration,
}

/// Lets both take turns, in turned order every second round; each says itself how long it took, so that what it needs
/// before is not counted. The first round warms up and does not count.
pub fn side_by_side(
    rounds: usize,
    mut ours: impl FnMut(usize) -> Duration,
    mut floor: impl FnMut(usize) -> Duration,
) -> Pair {
    let (mut all_ours, mut all_floor) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..=rounds {
        let (one, other);
        if round % 2 == 0 {
            one = ours(round);
            other = floor(round);
        } else {
            other = floor(round);
            one = ours(round);
        }
        if round > 0 || rounds == 1 {
            all_ours.push(one);
            all_floor.push(other);
        }
    }
    Pair { ours: median(all_ours), floor: median(all_floor) }
}

/// How long something takes.
pub fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let value = work();
    (begun.elapsed(), value)
}

/// How long it takes, where what it gives is of no interest; it is made all the same.
pub fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let (took, value) = timed(work);
    std::hint::black_box(value);
    took
}

/// The median of some times.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Microseconds.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
