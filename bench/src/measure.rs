//! Measuring side by side: ours and the floor take turns, and of each the median counts. What else the machine does
//! meets both alike, so that the ratio holds where the figures do not.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

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

/// A clock that something is measured by: one of the functions below.
pub type Clock = fn(&mut dyn FnMut()) -> Duration;

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

/// How long this thread runs on a processor to do something: what other programs do in the meantime does not count, nor does
/// waiting for the disk.
pub fn cpu_timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = thread_cpu();
    let value = work();
    (thread_cpu().saturating_sub(begun), value)
}

/// The same, where what it gives is of no interest.
pub fn cpu_time<T>(work: impl FnOnce() -> T) -> Duration {
    let (took, value) = cpu_timed(work);
    std::hint::black_box(value);
    took
}

/// How long all threads of this process run on processors while something is done.
pub fn all_cpu_time<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = process_cpu();
    let value = work();
    let took = process_cpu().saturating_sub(begun);
    std::hint::black_box(value);
    took
}

fn process_cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("a process has run for no less than nothing")
}

fn thread_cpu() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a thread has run for no less than nothing")
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
