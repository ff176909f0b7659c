//! Whole hosts under faults, thousands of times.
//!
//! ```text
//! cargo test --workspace --test simulation                    the usual seeds
//! REFRAIN_SEED=17 cargo test --workspace --test simulation    one seed, told in words
//! REFRAIN_CASES=50 cargo test --workspace --test simulation   fifty times as many
//! ```

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::log::KIND_NAMES;
use refrain_tests::cases;
use refrain_tests::simulator::{FAULTS, Over, Width, simulate};
use refrain_tests::twin;

/// Seeds that found something once, and what.
const FOUND: &[(u64, &str)] = &[
    (
        8,
        "a repeated request was told that there is nothing, of an execution that rests",
    ),
    (
        234,
        "a request counted as new, by an answer that was not written for a conflict",
    ),
];

/// Seeds on the store in memory, and on a file.
const MEMORY_SEEDS: u32 = 2_000;
const FILE_SEEDS: u32 = 300;

/// How much of a story goes into a failure; all of it can be had by its seed.
const LINES_MAX: usize = 40;

/// What a world does to whole executions, to work and to callers' messages: how often it
/// happens in a thousand seeds at least. Once in all of them would prove little.
const OFTEN: [(&str, u64); 12] = [
    ("an execution is forked", 200),
    ("a fork begins with an edited result", 3),
    ("an execution is handed to another guest", 100),
    ("event: guest_changed", 100),
    ("event: node_released", 100),
    ("what has ended is erased while others go on", 100),
    ("a repeated request is given what it holds", 30),
    ("an external event comes twice", 10),
    ("event: child_started", 300),
    ("event: child_ended", 200),
    ("event: child_refused", 10),
    ("something is done to a child", 100),
];

const ENDINGS: &[&str] = &["completed", "failed", "cancelled"];

#[test]
fn laws_hold_and_everything_ends_whatever_befalls() {
    if let Some(seed) = asked_for() {
        return tell(seed);
    }
    let library = library();
    let found = FOUND.iter().map(|(seed, _)| (*seed, Over::Memory));
    let memory = (0..u64::from(cases(MEMORY_SEEDS))).map(|seed| (seed, Over::Memory));
    let file = (0..u64::from(cases(FILE_SEEDS))).map(|seed| (seed, Over::File));
    let all: Vec<_> = found.chain(memory).chain(file).collect();
    let width = in_threads(&library, &all);
    println!("{width:#?}");
    for (what, in_a_thousand) in OFTEN {
        let times = width.get(what).copied().unwrap_or(0);
        assert!(
            times * 1_000 >= in_a_thousand * all.len() as u64,
            "in {} seeds, {what} {times} times; it has to be {in_a_thousand} in a thousand",
            all.len()
        );
    }
    let missing = missing(&width);
    assert!(
        missing.is_empty(),
        "in {} seeds, these never happened: {missing:?}",
        all.len()
    );
}

#[test]
fn one_seed_gives_the_same_logs_on_every_store() {
    let library = library();
    let usual = 1_000_000..1_000_000 + u64::from(cases(15));
    for seed in asked_for().map_or(usual, |seed| seed..seed + 1) {
        let heads = |over| simulate(seed, over, &library, false).heads;
        let expected = heads(Over::Memory);
        assert!(
            heads(Over::Memory) == expected,
            "seed {seed}, again in memory"
        );
        assert!(heads(Over::File) == expected, "seed {seed}, in a file");
    }
}

/// The seed that someone asks for.
fn asked_for() -> Option<u64> {
    let text = std::env::var("REFRAIN_SEED").ok()?;
    Some(text.parse().expect("REFRAIN_SEED is a whole number"))
}

/// One seed, in words.
fn tell(seed: u64) {
    let library = library();
    let simulated = simulate(seed, Over::Memory, &library, true);
    // Not `println!`: that is shown of tests that fail, and this is asked for.
    let told = writeln!(io::stdout(), "{}", simulated.story.text());
    told.expect("somebody reads it");
    let over_file = simulate(seed, Over::File, &library, false);
    assert_eq!(simulated.broken, None, "seed {seed}");
    assert_eq!(over_file.broken, None, "seed {seed}, in a file");
}

fn library() -> Library {
    let sandbox = Sandbox::new(CallLimits::default()).expect("a sandbox");
    let mut library = Library::new(sandbox);
    twin::add(&mut library);
    for guest in [library.built_in().to_owned(), twin::digest().to_owned()] {
        library.check(&guest).expect("it is a guest");
    }
    library
}

/// All of these, as many at a time as there are cores. Says how wide it was.
fn in_threads(library: &Library, seeds: &[(u64, Over)]) -> Width {
    let next = AtomicU64::new(0);
    let width = Mutex::new(Width::new());
    let broken = Mutex::new(None);
    let work = || {
        while broken.lock().expect("no thread panics").is_none() {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some((seed, over)) = seeds.get(place as usize) else {
                return;
            };
            let simulated = simulate(*seed, *over, library, false);
            let mut width = width.lock().expect("no thread panics");
            for (what, times) in simulated.story.width() {
                *width.entry(what.clone()).or_default() += times;
            }
            if simulated.broken.is_some() {
                *broken.lock().expect("no thread panics") = Some((*seed, *over));
            }
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    if let Some((seed, over)) = broken.into_inner().expect("no thread panics") {
        fail(seed, over, library);
    }
    width.into_inner().expect("no thread panics")
}

fn fail(seed: u64, over: Over, library: &Library) -> ! {
    let simulated = simulate(seed, over, library, true);
    let story = simulated.story.text();
    let lines: Vec<_> = story.lines().collect();
    let end = lines[lines.len().saturating_sub(LINES_MAX)..].join("\n");
    panic!(
        "seed {seed} over {over:?} broke: {}\nit ended like this:\n{end}\n\nthe whole story: REFRAIN_SEED={seed} cargo test --workspace --test simulation",
        simulated.broken.unwrap_or_else(|| {
            "not again, when it was told; one seed must tell one story".to_owned()
        }),
    )
}

/// What a simulation that proves something brings about, and this one did not.
fn missing(width: &Width) -> Vec<String> {
    let faults = FAULTS.iter().map(|fault| (*fault).to_owned());
    let events = KIND_NAMES.iter().map(|kind| format!("event: {kind}"));
    let endings = ENDINGS.iter().map(|ending| format!("ending: {ending}"));
    let expected = faults.chain(events).chain(endings);
    expected.filter(|what| !width.contains_key(what)).collect()
}
