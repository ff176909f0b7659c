//! Many logs on several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Asks about one log after the other, as long as there are any: says whether there was one.
pub type TakeNext<'a, L, R> = dyn FnMut(&mut dyn FnMut(&L) -> R) -> bool + 'a;

/// Goes through many logs on several threads, one for each of `workers`. Each thread does
/// `work`, which takes one log after the other. The answers stand in the order of the logs.
///
/// # Panics
/// When `work` does.
pub fn in_threads<L: Sync, W: Send, R: Send>(
    workers: Vec<W>,
    logs: &[L],
    work: impl Fn(W, &mut TakeNext<'_, L, R>) + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (next, work) = (&next, &work);
    let in_thread = |worker: W| {
        let mut done = Vec::new();
        work(worker, &mut |one| {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let log = logs.get(place);
            done.extend(log.map(|log| (place, one(log))));
            log.is_some()
        });
        done
    };
    let mut done = thread::scope(|scope| {
        let threads: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(|| in_thread(worker)))
            .collect();
        let done = threads.into_iter().flat_map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.collect::<Vec<_>>()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// How many threads are worth having for so many logs: as many as there are cores.
#[must_use]
pub fn threads_for(logs: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    cores.min(logs).max(1)
}
