//! A closed loop of requests with the processes' clocks around it.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use super::clocks::{backends_ms, process_ms};

pub(crate) const CONNECTIONS: usize = 16;

/// What an operation cost.
pub(crate) struct Cost {
    pub(crate) operations: u64,
    pub(crate) ms: f64,
    pub(crate) database_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Runs a step on every connection until the time is over, and reads the processes' clocks around it.
pub(crate) fn closed_loop<S: Send>(
    processes: (u32, Option<&str>),
    time: Duration,
    states: &mut [S],
    step: impl Fn(&mut S) -> bool + Sync,
) -> Cost {
    let start = Barrier::new(states.len() + 1);
    thread::scope(|threads| {
        let running: Vec<_> = states
            .iter_mut()
            .map(|state| {
                threads.spawn(|| {
                    start.wait();
                    let (began, mut took) = (Instant::now(), Vec::new());
                    while began.elapsed() < time {
                        let one = Instant::now();
                        if !step(state) {
                            break;
                        }
                        took.push(one.elapsed());
                    }
                    took
                })
            })
            .collect();
        let before = (process_ms(processes.0), backends_ms(processes.1));
        start.wait();
        let mut took: Vec<_> = running.into_iter().flat_map(|thread| thread.join().expect("a connection")).collect();
        let after = (process_ms(processes.0), backends_ms(processes.1));
        took.sort_unstable();
        let operations = took.len() as u64;
        let each = |all: f64| all / took.len().max(1) as f64;
        let p99_ms = took.get(took.len() * 99 / 100).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        Cost { operations, ms: each(after.0 - before.0), database_ms: each(after.1 - before.1), p99_ms }
    })
}
