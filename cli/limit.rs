//! Limits of time and memory: the main thread watches while another one decides.
//!
//! INVARIANT (all or nothing): a command either begins to write its answer, and then nothing stops it, or hits a limit, and
//! then nothing is written. Whatever comes first wins, once for the process.

use std::fs;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use reachproof_engine::check::CheckError;
use reachproof_engine::reach::Exhausted;

use crate::arguments::WatchArguments;
use crate::exit::{Exit, Failure};

const DECIDING: u8 = 0;
const ANSWERING: u8 = 1;
const STOPPED: u8 = 2;

/// How far the process is.
static PHASE: AtomicU8 = AtomicU8::new(DECIDING);

/// How often memory is looked at.
const PERIOD: Duration = Duration::from_millis(10);

/// The stack of the thread that decides: as large as that of the main thread commonly is.
const STACK: usize = 8 << 20;

/// Leaves the phase in which limits count. Whoever writes an answer asks before.
pub fn begin_answer() -> Result<(), Failure> {
    match enter(ANSWERING) {
        Ok(_) | Err(ANSWERING) => Ok(()),
        Err(_) => Err(Failure::new("a limit was reached: nothing was decided")),
    }
}

fn enter(phase: u8) -> Result<u8, u8> {
    PHASE.compare_exchange(DECIDING, phase, Ordering::AcqRel, Ordering::Acquire)
}

/// What may be used until the answer is written, from the start of the process on.
pub struct Limits {
    time: Option<Duration>,
    /// KiB.
    memory: Option<u64>,
    started: Instant,
}

impl Limits {
    /// The limits that were typed; `None` if there are none.
    pub fn of(arguments: &WatchArguments, started: Instant) -> Option<Self> {
        let memory = arguments.limit_memory.map(|mebibytes| u64::from(mebibytes) * 1024);
        let limits = Self { time: arguments.limit_time, memory, started };
        (limits.time.is_some() || limits.memory.is_some()).then_some(limits)
    }

    /// Runs a command until it is done or hits a limit. What it still does then ends with the process.
    pub fn watch(
        &self,
        command: impl FnOnce() -> Result<Exit, Failure> + Send + 'static,
    ) -> Result<Exit, Failure> {
        self.require_room()?;
        let (done, result) = channel();
        let work = move || {
            // Nobody listens if a limit was hit before.
            let _ = done.send(command());
        };
        let worker = thread::Builder::new().stack_size(STACK).spawn(work);
        let worker = worker.map_err(|error| Failure::new(format!("cannot start a thread: {error}")))?;
        match self.wait(&result) {
            Ok(outcome) => outcome,
            Err(Stop::Limit(failure)) => Err(failure),
            Err(Stop::Panicked) => match worker.join() {
                Err(payload) => resume_unwind(payload),
                Ok(()) => Err(Failure::new("internal error: a command ended without an answer")),
            },
        }
    }

    fn wait(&self, result: &Receiver<Result<Exit, Failure>>) -> Result<Result<Exit, Failure>, Stop> {
        loop {
            match result.recv_timeout(self.pause()) {
                Ok(outcome) => return Ok(outcome),
                Err(RecvTimeoutError::Disconnected) => return Err(Stop::Panicked),
                Err(RecvTimeoutError::Timeout) => match self.require_room() {
                    Err(failure) if enter(STOPPED).is_ok() => return Err(Stop::Limit(failure)),
                    // The answer is being written.
                    Err(_) => return result.recv().map_err(|_| Stop::Panicked),
                    Ok(()) => {}
                },
            }
        }
    }

    /// Until when there is nothing to look at.
    fn pause(&self) -> Duration {
        let left = self.time.map(|limit| limit.saturating_sub(self.started.elapsed()));
        match (left, self.memory) {
            (Some(left), None) => left,
            (left, _) => left.map_or(PERIOD, |left| left.min(PERIOD)),
        }
    }

    fn require_room(&self) -> Result<(), Failure> {
        let elapsed = self.started.elapsed();
        if let Some(limit) = self.time.filter(|limit| elapsed >= *limit) {
            let (limit, elapsed) = (limit.as_secs_f64(), elapsed.as_secs_f64());
            return Err(reached(&format!("{limit} s"), "--limit-time", &format!("after {elapsed:.2} s")));
        }
        let Some(limit) = self.memory else { return Ok(()) };
        let used = peak_memory().ok_or_else(|| {
            Failure::new(
                "--limit-memory is not supported here: /proc/self/status does not tell the memory in use",
            )
        })?;
        if used < limit {
            return Ok(());
        }
        let (limit, used) = (limit / 1024, used as f64 / 1024.0);
        Err(reached(&format!("{limit} MiB"), "--limit-memory", &format!("with {used:.1} MiB in use")))
    }
}

/// Why watching ended before the command.
enum Stop {
    Limit(Failure),
    Panicked,
}

fn reached(limit: &str, option: &str, used: &str) -> Failure {
    Failure::new(format!("the limit of {limit} ({option}) was reached {used}: nothing was decided"))
}

impl From<Exhausted> for Failure {
    fn from(Exhausted { limit, nodes }: Exhausted) -> Self {
        reached(&format!("{} nodes", limit.0), "--limit-nodes", &format!("with {nodes} in use"))
    }
}

impl From<CheckError> for Failure {
    fn from(error: CheckError) -> Self {
        error.exhausted().map_or_else(|| Self::new(error.to_string()), Self::from)
    }
}

/// The most resident memory that this process has used, in KiB, where the system tells it (Linux).
pub fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
