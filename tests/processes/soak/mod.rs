//! A soak: four processes of the real program on one file, for as long as one
//! likes. They are killed, stopped for a while and told to end at random; the
//! machine's clock is set back and forth; hostile guests have executions among
//! honest ones. In the end every honest execution has ended as it should,
//! every log is clean, and nobody has panicked.
//!
//! ```text
//! crowd     four processes, and what befalls them
//! people    who approve and bring events
//! work      honest workflows, hostile guests
//! end       all that was left comes to its end, and is judged
//! ground    the folder, the database, and what was begun there
//!
//! REFRAIN_ROUNDS=1 cargo test --workspace --test processes soak     half an hour instead of half a minute
//! REFRAIN_SEED=7 cargo test --workspace --test processes soak       what is thrown with seed 7
//! ```

mod crowd;
mod end;
mod ground;
mod people;
mod work;

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use refrain_tests::dice::{self, Dice};
use refrain_tests::rounds;

use crowd::Crowd;
use ground::Ground;
use people::Person;

/// How long in every run of the tests, and how long it takes as a whole.
const SECONDS: u32 = 30;
const SECONDS_WHOLE: u32 = 30 * 60;

/// How often somebody looks.
const PAUSE: Duration = Duration::from_millis(20);

/// The clock is set again no later than after this: also the shortest soak has it set
/// more than once, however slow the machine is.
const CLOCK_IS_SET_MS_MAX: u64 = 10_000;

/// How far the clock is set at most, to either side.
const JUMP_MS_MAX: u64 = 60 * 60 * 1000;

#[test]
fn honest_work_comes_to_its_end_whatever_befalls_the_machine() -> Result<()> {
    let seed = dice::seed();
    let mut dice = Dice::seeded(seed);
    let length = Duration::from_secs(u64::from(rounds(SECONDS, SECONDS_WHOLE)));
    let mut ground = Ground::new()?;
    let mut crowd = Crowd::new(&mut dice);
    let mut person = Person::new(&ground);
    let mut clock_set = 0;
    let begun = Instant::now();
    let mut set_next = until_clock_is_set(&mut dice);
    while begun.elapsed() < length {
        crowd.look(&mut ground, &mut dice)?;
        person.look(&ground, &mut dice)?;
        if ground.clock.can_be_set() && begun.elapsed() >= set_next {
            let ahead_ms = (dice.word() % (2 * JUMP_MS_MAX)).cast_signed();
            ground.clock.set(ahead_ms - JUMP_MS_MAX.cast_signed())?;
            clock_set += 1;
            set_next = begun.elapsed() + until_clock_is_set(&mut dice);
        }
        sleep(PAUSE);
    }
    crowd.disperse(&mut ground)?;
    end::heal(&ground, length)?;
    end::judge(&ground)?;
    println!(
        "{:?}; the clock was set {clock_set} times, people did {} things, forked {} times and erased {} times; {} executions were begun",
        crowd.sum,
        person.done,
        person.forked,
        person.erased,
        ground.begun().len()
    );
    // A soak in which nothing happens shows nothing.
    let sum = &crowd.sum;
    ensure!(sum.killed > 0 && sum.stopped > 0 && sum.hostile > 0);
    ensure!(clock_set > 0 || !ground.clock.can_be_set());
    Ok(())
}

/// How long the clock is left alone.
fn until_clock_is_set(dice: &mut Dice) -> Duration {
    Duration::from_millis(dice.word() % CLOCK_IS_SET_MS_MAX)
}
