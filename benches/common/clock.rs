//! Time and memory of this process.

use std::fs;
use std::time::{Duration, Instant};

use criterion::Criterion;

/// A first run that is quicker is made again, and the fastest counts: whatever else the machine does makes a run longer.
const QUICK: Duration = Duration::from_millis(300);

/// What something took.
#[derive(Clone, Copy)]
pub struct Spent {
    /// Seconds of the fastest run.
    pub seconds: f64,
    /// Most resident memory of the process in the first run, in MiB.
    pub peak: u64,
    /// The same before it, in MiB.
    pub before: u64,
}

/// Does something once, and more often under criterion if it is quick. What `prepare` does and what is dropped does not
/// count.
pub fn measured<P, R>(
    name: &str,
    mut prepare: impl FnMut() -> P,
    mut work: impl FnMut(P) -> R,
) -> (R, Spent) {
    let prepared = prepare();
    let (before, start) = (reset_peak(), Instant::now());
    let result = work(prepared);
    let first = start.elapsed();
    let peak = memory("VmHWM:");
    let mut fastest = first;
    if first < QUICK {
        let mut criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(QUICK)
            .measurement_time(QUICK * 4)
            .without_plots();
        criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|runs| {
                let times: Vec<Duration> = (0..runs).map(|_| one(&mut prepare, &mut work)).collect();
                fastest = times.iter().copied().fold(fastest, Duration::min);
                times.iter().sum()
            });
        });
    }
    (result, Spent { seconds: fastest.as_secs_f64(), peak, before })
}

fn one<P, R>(prepare: &mut impl FnMut() -> P, work: &mut impl FnMut(P) -> R) -> Duration {
    let prepared = prepare();
    let start = Instant::now();
    let result = work(prepared);
    let elapsed = start.elapsed();
    drop(result);
    elapsed
}

/// Makes the memory in use the most that was used so far; gives it in MiB.
fn reset_peak() -> u64 {
    // Where this cannot be done, the peak is that of the whole process.
    let _ = fs::write("/proc/self/clear_refs", "5");
    memory("VmRSS:")
}

/// A line of `/proc/self/status` in MiB; 0 where there is none.
pub fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}
