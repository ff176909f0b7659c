//! Compiling a component that somebody brought: in a thread of its own, one at
//! a time, and with a deadline.
//!
//! What a file can hold has been bounded before ([`bounds`](super::bounds)),
//! so that compiling ends; the deadline is for what those bounds do not
//! foresee. A thread cannot be stopped from outside, and a process can, but a
//! library has no program that it could start as one. So a compilation that
//! passes its deadline is refused and left to end by itself, and until then
//! nothing else that was brought is compiled in this process: there is never
//! more than one such thread, whatever people bring.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::ComponentError;

/// The least that a compilation may take, on a busy machine too.
const DEADLINE_BASE: Duration = Duration::from_secs(15);
/// More of it, for each megabyte of component.
const DEADLINE_PER_MEGABYTE: Duration = Duration::from_secs(10);

/// Stack for compiling, which nests as its input does.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// The time that a component of so many bytes has.
pub(super) fn deadline(bytes: usize) -> Duration {
    let megabytes = u32::try_from(bytes / (1024 * 1024)).unwrap_or(u32::MAX);
    DEADLINE_BASE.saturating_add(DEADLINE_PER_MEGABYTE.saturating_mul(megabytes))
}

/// Do this work, which compiles a component; or say why it was not done.
pub(super) fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    within_slot(&SLOT, deadline, work)
}

/// The one place for a compilation at work.
struct Slot {
    taken: Mutex<bool>,
    left: Condvar,
}

static SLOT: Slot = Slot {
    taken: Mutex::new(false),
    left: Condvar::new(),
};

/// The place is taken until this is dropped.
struct Taken(&'static Slot);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, bool> {
        // A flag has no half-written states.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&'static self, within: Duration) -> Option<Taken> {
        let (mut taken, _) = self
            .left
            .wait_timeout_while(self.lock(), within, |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        if *taken {
            return None;
        }
        *taken = true;
        Some(Taken(self))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.left.notify_one();
    }
}

fn within_slot<T: Send + 'static>(
    slot: &'static Slot,
    deadline: Duration,
    work: impl FnOnce() -> Result<T, ComponentError> + Send + 'static,
) -> Result<T, ComponentError> {
    let seconds = deadline.as_secs();
    let taken = slot
        .take(deadline)
        .ok_or(ComponentError::CompilerBusy { seconds })?;
    let start = Instant::now();
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("refrain-compile".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(taken);
            // Nobody waits any longer for what came too late.
            let _ = sender.send(done);
        })
        .map_err(|error| ComponentError::Malformed(format!("no thread can be started: {error}")))?;
    match receiver.recv_timeout(deadline) {
        Ok(Ok(done)) => {
            tracing::debug!(
                refrain.compile_ms = start.elapsed().as_millis(),
                "a guest is compiled"
            );
            done
        }
        Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => Err(ComponentError::Crashed),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(ComponentError::CompilesTooLong { seconds }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot() -> &'static Slot {
        Box::leak(Box::new(Slot {
            taken: Mutex::new(false),
            left: Condvar::new(),
        }))
    }

    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn what_passes_its_deadline_is_refused_and_blocks_others_until_it_ends() {
        let slot = slot();
        let (end, ends) = mpsc::channel::<()>();
        let first = within_slot(slot, SHORT, move || {
            let _ = ends.recv();
            Ok(1)
        });
        assert_eq!(first, Err(ComponentError::CompilesTooLong { seconds: 0 }));
        let second = within_slot(slot, SHORT, || Ok(2));
        assert_eq!(second, Err(ComponentError::CompilerBusy { seconds: 0 }));
        drop(end);
        assert_eq!(within_slot(slot, Duration::from_secs(60), || Ok(3)), Ok(3));
    }

    #[test]
    fn a_panic_is_a_refusal_and_leaves_the_place() {
        let slot = slot();
        let deadline = Duration::from_secs(60);
        let crashed: Result<(), _> =
            within_slot(slot, deadline, || panic!("this panic belongs to the test"));
        assert_eq!(crashed, Err(ComponentError::Crashed));
        assert_eq!(within_slot(slot, deadline, || Ok(4)), Ok(4));
    }
}
