//! The compilation of a component that somebody brought: in a thread of its own, one
//! at a time, and with a deadline.
//!
//! The component has been bounded before ([`bounds`](super::bounds)), so that
//! compiling ends; the deadline is for cases that those bounds do not foresee. It counts the processor time of the compiling thread, so that no
//! honest component is refused because the machine is busy. (wasmtime compiles
//! in the thread that asks, as long as its feature `parallel-compilation` is
//! off.) A thread cannot be stopped from outside, and a process can, but a
//! library has no program that it could start as one. So a compilation that
//! passes its deadline is refused and left to end by itself, and until then
//! nothing else that was brought is compiled in this process: there is never
//! more than one such thread, whatever people bring.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::ComponentError;
use super::thread_clock::ThreadClock;

/// The processor time that the smallest compilation may take.
const DEADLINE_BASE: Duration = Duration::from_secs(15);
/// The additional processor time for each megabyte of component.
const DEADLINE_PER_MEGABYTE: Duration = Duration::from_secs(10);

/// The least time between two looks at a compilation's clock.
const LOOK: Duration = Duration::from_millis(10);

/// The stack of the compiling thread, which nests as deeply as its input.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// The processor time that a component of this many bytes may take.
pub(super) fn deadline(bytes: usize) -> Duration {
    let megabytes = u32::try_from(bytes / (1024 * 1024)).unwrap_or(u32::MAX);
    DEADLINE_BASE.saturating_add(DEADLINE_PER_MEGABYTE.saturating_mul(megabytes))
}

/// Does this work, which compiles a component, or answers why it was not done.
pub(super) fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    within_slot(&SLOT, deadline, work)
}

/// A compilation at work.
struct Compilation {
    /// The processor time that it may take.
    deadline: Duration,
    /// The clock of its thread, once that has begun.
    clock: OnceLock<ThreadClock>,
}

impl Compilation {
    /// Processor time that is left of its deadline and so much more; `None` if
    /// it has taken all of it. As one thread it cannot take that sooner than
    /// this much time from now.
    fn left(&self, more: Duration) -> Option<Duration> {
        let clock = self.clock.get().copied();
        let taken = clock.and_then(ThreadClock::read).unwrap_or_default();
        let left = (self.deadline.saturating_add(more)).checked_sub(taken)?;
        (!left.is_zero()).then_some(left)
    }
}

/// The one place for a compilation at work.
struct Slot {
    holder: Mutex<Option<Arc<Compilation>>>,
    left: Condvar,
}

static SLOT: Slot = Slot {
    holder: Mutex::new(None),
    left: Condvar::new(),
};

/// Holds the one place until this is dropped.
struct Taken(&'static Slot);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Compilation>>> {
        // The state behind the lock is never half written.
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the compilation before this one. If that has passed its deadline, it is
    /// waited for no longer than this one may take itself.
    fn take(&'static self, compilation: &Arc<Compilation>) -> Option<Taken> {
        let mut holder = self.lock();
        while let Some(before) = &*holder {
            let left = before.left(compilation.deadline)?;
            let waited = self.left.wait_timeout(holder, left.max(LOOK));
            (holder, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        *holder = Some(Arc::clone(compilation));
        Some(Taken(self))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.lock() = None;
        self.0.left.notify_one();
    }
}

fn within_slot<T: Send + 'static>(
    slot: &'static Slot,
    deadline: Duration,
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    let seconds = deadline.as_secs();
    let compilation = Arc::new(Compilation {
        deadline,
        clock: OnceLock::new(),
    });
    let taken = slot
        .take(&compilation)
        .ok_or(ComponentError::CompilerBusy)?;
    let start = Instant::now();
    let (sender, receiver) = mpsc::sync_channel(1);
    let in_thread = Arc::clone(&compilation);
    thread::Builder::new()
        .name("refrain-compile".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            if let Some(clock) = ThreadClock::of_this_thread() {
                // It is set here and nowhere else.
                let _ = in_thread.clock.set(clock);
            }
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(taken);
            // The caller no longer waits for a result that came too late.
            let _ = sender.send(done);
        })
        .map_err(|error| ComponentError::Malformed(format!("no thread can be started: {error}")))?;
    while let Some(left) = compilation.left(Duration::ZERO) {
        match receiver.recv_timeout(left.max(LOOK)) {
            Ok(Ok(done)) => {
                tracing::debug!(
                    refrain.compile_ms = start.elapsed().as_millis(),
                    "a guest is compiled"
                );
                return done;
            }
            Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(ComponentError::Crashed);
            }
            // The thread may have had to wait for a processor.
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
    Err(ComponentError::CompilesTooLong { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> &'static Slot {
        Box::leak(Box::new(Slot {
            holder: Mutex::new(None),
            left: Condvar::new(),
        }))
    }

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(60);

    /// Works until it is told to end.
    fn works(ends: &mpsc::Receiver<()>) {
        while ends.try_recv() == Err(mpsc::TryRecvError::Empty) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn what_passes_its_deadline_is_refused_and_blocks_others_until_it_ends() {
        let slot = slot();
        let (end, ends) = mpsc::channel::<()>();
        let first = within_slot(slot, SHORT, move || {
            works(&ends);
            Ok(1)
        });
        assert_eq!(first, Err(ComponentError::CompilesTooLong { seconds: 0 }));
        let second = within_slot(slot, SHORT, || Ok(2));
        assert_eq!(second, Err(ComponentError::CompilerBusy));
        drop(end);
        assert_eq!(within_slot(slot, LONG, || Ok(3)), Ok(3));
    }

    /// As a thread on a busy machine does, this one waits for most of its life.
    #[cfg(not(target_vendor = "apple"))]
    #[test]
    fn only_the_time_in_which_it_works_counts_and_who_comes_next_waits_for_it() {
        let slot = slot();
        let (end, ends) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel::<()>();
        let first = thread::spawn(move || {
            within_slot(slot, SHORT, move || {
                let _ = begin.send(());
                let _ = ends.recv();
                Ok(1)
            })
        });
        begun.recv().expect("it begins");
        let second = thread::spawn(move || within_slot(slot, SHORT, || Ok(2)));
        // A deadline in wall clock time would have refused both by now.
        thread::sleep(6 * SHORT);
        assert!(!first.is_finished() && !second.is_finished());
        drop(end);
        assert_eq!(first.join().expect("it answers"), Ok(1));
        assert_eq!(second.join().expect("it answers"), Ok(2));
    }

    /// With that feature, wasmtime would compile in threads whose time nobody
    /// counts.
    #[test]
    fn the_compiler_stays_in_its_thread() {
        let lock = include_str!("../../../Cargo.lock");
        let wasmtime = lock
            .split("[[package]]")
            .find(|package| package.starts_with("\nname = \"wasmtime\"\n"));
        let wasmtime = wasmtime.expect("wasmtime is in the lock file");
        assert!(
            !wasmtime.contains("\"rayon\""),
            "the feature `parallel-compilation` of wasmtime is on: count the processor time of its threads too, or turn it off"
        );
    }

    #[test]
    fn a_panic_is_a_refusal_and_leaves_the_place() {
        let slot = slot();
        let crashed: Result<(), _> =
            within_slot(slot, LONG, || panic!("this panic belongs to the test"));
        assert_eq!(crashed, Err(ComponentError::Crashed));
        assert_eq!(within_slot(slot, LONG, || Ok(4)), Ok(4));
    }
}
