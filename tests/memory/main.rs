//! What a cursor over a long log holds. It is a program of its own, because it counts what the
//! whole program allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use refrain::guest::{CallLimits, InMemoryExecution, Library, MemoryPorts, Sandbox};
use refrain::id::ExecutionId;
use refrain::replay::{Recording, Travel};
use refrain_tests::chained;
use refrain_tests::dice::Dice;
use refrain_tests::workflows::tools;
use serde_json::json;

/// The allocator of this program: it counts the bytes that are held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

// SAFETY: all is the system's own; what is counted changes nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const EVENTS_MIN: u64 = 20_000;

const PAYLOAD_BYTES: usize = 900;

/// What the cursor may hold besides its guest: the packed log, the workflow, and the snapshots
/// on the way. The events themselves would be more than twice as much, and so would snapshots
/// at each of the places.
const HELD_MAX: usize = 48 << 20;

/// As often it goes to and fro.
const TIMES: usize = 8;

#[test]
fn a_cursor_over_20000_events_holds_little_after_going_to_and_fro() -> Result<()> {
    let library = Library::new(Sandbox::new(CallLimits::default())?);
    // What is made once for all guests is not the cursor's.
    drop(
        library
            .clone()
            .instance::<MemoryPorts>(library.built_in())?,
    );
    let before = held();
    let recording = log(&library)?;
    ensure!(
        held() - before > EVENTS_MIN as usize / 3 * PAYLOAD_BYTES,
        "nothing is counted"
    );
    let mut travel = Travel::open(Arc::new(recording), library)?;
    let last = travel.last();
    ensure!(last >= EVENTS_MIN, "{last} events");
    let mut dice = Dice::seeded(7);
    for _ in 0..TIMES {
        for place in [dice.below(last) + 1, last] {
            travel.go(place)?;
            travel.explain("node00000")?;
        }
    }
    travel.state()?;
    let holds = held() - before;
    println!("{holds} bytes for {last} events");
    ensure!(
        holds <= HELD_MAX,
        "{holds} bytes are held, not {HELD_MAX} at the most"
    );
    Ok(())
}

/// The log of a chain, each of whose nodes has another answer, all of which stay in the state.
fn log(library: &Library) -> Result<Recording> {
    let name = |n: u64| format!("node{n:05}");
    let nodes = EVENTS_MIN.div_ceil(3);
    let edges: Vec<String> = (1..nodes)
        .map(|n| format!("{} -> {}", name(n - 1), name(n)))
        .collect();
    let mut workflow = tools(&edges.join(","));
    for (_, node) in workflow["nodes"].as_object_mut().into_iter().flatten() {
        // What has no mapping is given the whole state.
        node["kind"]["input_mapping"] = json!({ "n": "0" });
    }
    let workflow = workflow.to_string();
    let id = ExecutionId::from_bytes([7; 16]);
    let ports = MemoryPorts::new(workflow.as_str(), 1_000);
    let started = ports.started(id, library.built_in().parse()?);
    let instance = library.clone().instance(library.built_in())?;
    let mut execution = InMemoryExecution::start(instance, ports, started)?;
    let mut dice = Dice::seeded(1);
    for node in (0..nodes).map(name) {
        let answer: String = std::iter::repeat_with(|| char::from(b'0' + dice.below(64) as u8))
            .take(PAYLOAD_BYTES)
            .collect();
        let patch = json!({ &node: answer }).to_string();
        let done = execution.complete(&node, &patch)?;
        done.with_context(|| format!("{node} has an item"))?;
    }
    chained::recording(&workflow, std::mem::take(&mut execution.ports.events))
}
