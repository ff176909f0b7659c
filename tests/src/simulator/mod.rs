//! The simulator: whole hosts with the real scheduler component, on a store of
//! one process, where one seed drives everything.
//!
//! Nothing in here waits, and nothing happens by itself: engines are stepped by
//! hand, the clocks are moved by hand, workers and callers are thrown by the
//! dice. So a seed is a story, and the same one each time.
//!
//! The modules, from the bottom up; each may use those above it in this list.

mod story;
mod calls;
mod workflows;
mod crews;
mod left_out;
mod host;
mod outside;
mod requests;
mod world;
mod erase;
mod replies;
mod acts;
mod judge;
mod heal;

pub use story::{FAULTS, Story, Width};
pub use world::{Meddler, Over, World};

use std::panic::{AssertUnwindSafe, catch_unwind};

use refrain::ExecutionId;
use refrain::guest::Library;
use refrain::store::Head;

/// Steps of the world before it heals.
const ACTS: u64 = 160;

/// How often, on average, everything is judged meanwhile: once in so many steps.
const ACTS_PER_JUDGEMENT: u64 = 80;

/// What a seed came to.
#[derive(Debug)]
pub struct Simulated {
    /// What happened.
    pub story: Story,
    /// How each execution's log ended.
    pub heads: Vec<(ExecutionId, Head)>,
    /// What broke, if anything did.
    pub broken: Option<String>,
}

/// Live through a seed: faults, then healing, then judgement. The story is
/// told in words where someone wants to read it.
#[must_use]
pub fn simulate(seed: u64, over: Over, library: &Library, told: bool) -> Simulated {
    simulate_in(World::new(seed, over, library, Story::new(told)))
}

/// Live through the seed of this world.
#[must_use]
pub fn simulate_in(mut world: World) -> Simulated {
    // A broken invariant of ours panics; that is found like all else.
    let lived = catch_unwind(AssertUnwindSafe(|| live(&mut world)));
    let broken = match lived {
        Ok(Ok(())) => None,
        Ok(Err(broken)) if world.is_meddled_with() => Some(world.and_all_laws(broken)),
        Ok(Err(broken)) => Some(broken),
        Err(_) => Some("a panic, see above".to_owned()),
    };
    world.into_simulated(broken)
}

fn live(world: &mut World) -> Result<(), String> {
    world.begin()?;
    for _ in 0..ACTS {
        world.act()?;
        if world.dice.chance(1, ACTS_PER_JUDGEMENT) {
            world.judge()?;
        }
        if world.is_meddled_with() {
            world.judge_all()?;
        }
    }
    world.heal()?;
    world.judge_the_end()
}
