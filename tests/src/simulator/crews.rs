//! An engine's own workers: what each attempt comes to follows from the seed
//! and the attempt's name, so that it is the same whenever it is asked.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use refrain::queues;
use refrain::{Answer, Clock, Engine, ManualClock, WorkError, WorkItem};
use refrain_guest::strategies::OWN_QUEUES;
use serde_json::json;

use super::workflows;
use crate::dice::Dice;

/// Attempts that last: woken whenever time has passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Lasting(Arc<Mutex<Vec<Waker>>>);

impl Lasting {
    /// Time has passed.
    pub(super) fn wake(&self) {
        let wakers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn until(self, clock: ManualClock, end: Duration) {
        poll_fn(|context| {
            if clock.monotonic() >= end {
                return Poll::Ready(());
            }
            let mut wakers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// All queues on which generated workflows have work.
pub(super) fn queues() -> impl Iterator<Item = &'static str> {
    queues::ALL.into_iter().chain(OWN_QUEUES)
}

/// Workers that do all sorts of things.
pub(super) fn moody(
    engine: &Engine,
    queue: &'static str,
    slots: usize,
    seed: u64,
    clock: &ManualClock,
    lasting: &Lasting,
) {
    let (clock, lasting) = (clock.clone(), lasting.clone());
    // Some are slow at everything, so that all their slots are taken at once.
    let slow = seed % 4;
    engine.work_with_slots(queue, slots, move |item: WorkItem| {
        let dice = dice_of(seed, &item);
        attempt(item, dice, slow, clock.clone(), lasting.clone())
    });
}

/// Workers that do what they are asked.
pub(super) fn willing(engine: &Engine, queue: &'static str) {
    engine.work(queue, |item: WorkItem| async move {
        Ok(Answer::output(json!({ "node": item.node_id })).patch(json!({})))
    });
}

/// FNV-1a: the same for ever, which the standard library's hashes are not.
fn dice_of(seed: u64, item: &WorkItem) -> Dice {
    let name = format!(
        "{seed} {} {} {}",
        item.execution_id, item.node_id, item.attempt
    );
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Dice::seeded(hash)
}

async fn attempt(
    item: WorkItem,
    mut dice: Dice,
    slow: u64,
    clock: ManualClock,
    lasting: Lasting,
) -> Result<Answer, WorkError> {
    if slow == 0 || dice.chance(1, 3) {
        let span = Duration::from_millis(dice.below(25_000));
        let end = clock.monotonic() + span;
        lasting.until(clock, end).await;
    }
    match dice.below(20) {
        // As a panic, but for its noise.
        0 => resume_unwind(Box::new("a simulated worker panics")),
        1 => Err(WorkError::permanent("never")),
        2..5 => Err(WorkError::retryable("not now").class(class(&mut dice))),
        5 => Ok(Answer::output(json!(1)).patch(json!(["no object"]))),
        6 => Ok(Answer::output(json!(1)).chosen_target("nowhere")),
        // Some of it costs what a workflow may have a budget of.
        7..=9 => Ok(Answer::output(json!({ "node": item.node_id }))
            .patch(workflows::patch(&mut dice))
            .telemetry(json!({ "cost_usd": 0.25 }))),
        _ => Ok(Answer::output(json!({ "node": item.node_id })).patch(workflows::patch(&mut dice))),
    }
}

/// A class of errors that policies know, or do not.
pub(super) fn class(dice: &mut Dice) -> &'static str {
    let classes = ["io_error", "timeout", "rate_limit", "own"];
    dice.pick(&classes).copied().unwrap_or("own")
}
