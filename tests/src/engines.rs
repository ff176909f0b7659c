//! Engines for tests: over each store, with a clock that is moved by hand.

use std::time::Duration;

use refrain::guest::{CallLimits, Library, Sandbox};
use refrain::replay::{Auditor, Verdict};
use refrain::store::{ListFilter, Many, MemoryStore, SqliteStore, Store};
use refrain::{Engine, Execution, ExecutionId, ManualClock, Next, Steps, Workflow};
use serde_json::{Value, json};
use tempfile::TempDir;

/// When manual clocks begin.
pub const BEGIN: u64 = 1_700_000_000_000;

/// How long a test waits for what must come, before it says that it did not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A place for one engine after another, or several at once.
pub enum Place {
    /// In memory.
    Memory(MemoryStore),
    /// In a file of a folder that goes with it.
    File(TempDir),
    /// In such a file, for simulated executions.
    SimulatedFile(TempDir),
}

impl Place {
    /// One of each.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn each() -> [Self; 2] {
        [Self::Memory(MemoryStore::new()), Self::file()]
    }

    /// In a file.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn file() -> Self {
        Self::File(TempDir::new().expect("a temporary folder can be made"))
    }

    /// In memory.
    #[must_use]
    pub fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    /// One of each, for simulated executions.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn each_simulated() -> [Self; 2] {
        [
            Self::Memory(MemoryStore::simulated()),
            Self::simulated_file(),
        ]
    }

    /// In a file, for simulated executions.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn simulated_file() -> Self {
        Self::SimulatedFile(TempDir::new().expect("a temporary folder can be made"))
    }

    /// In a file of a folder that is memory, where the system has one: as
    /// durable as a simulated crash asks for, and quick.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    #[must_use]
    pub fn file_in_memory() -> Self {
        match TempDir::new_in("/dev/shm") {
            Ok(folder) => Self::File(folder),
            Err(_) => Self::file(),
        }
    }

    /// The store there: another owner of the same data each time.
    ///
    /// # Panics
    /// Where the file cannot be opened.
    #[must_use]
    pub fn store(&self) -> Box<dyn Store> {
        let (folder, simulated) = match self {
            Self::Memory(store) => return Box::new(store.clone()),
            Self::File(folder) => (folder, false),
            Self::SimulatedFile(folder) => (folder, true),
        };
        let options = SqliteStore::options().simulated(simulated);
        let store = options.open(folder.path().join("refrain.db"));
        Box::new(store.expect("the database can be opened"))
    }
}

/// An engine over the machine's clock.
///
/// # Panics
/// When it cannot start.
pub async fn engine(place: &Place) -> Engine {
    Engine::builder()
        .boxed_store(place.store())
        .start()
        .await
        .expect("the engine starts")
}

/// An engine over a manual clock.
///
/// # Panics
/// When it cannot start.
pub async fn manual_engine(place: &Place) -> (Engine, ManualClock) {
    let clock = ManualClock::new(BEGIN);
    let builder = Engine::builder()
        .boxed_store(place.store())
        .clock(clock.clone())
        .lease(Duration::from_secs(10));
    (builder.start().await.expect("the engine starts"), clock)
}

/// Register a workflow of version 1.0.0 and start it.
///
/// # Panics
/// When it is not valid.
pub async fn start(engine: &Engine, workflow: &Value) -> Execution {
    let id = workflow["workflow_id"].as_str().unwrap_or_default();
    let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
    engine
        .register(workflow)
        .await
        .expect("the workflow is valid");
    engine
        .start(id, "1.0.0", json!({}))
        .await
        .expect("it starts")
}

/// Registers a workflow on an engine that is stepped by hand, and starts an execution of it.
///
/// # Panics
/// When it is not valid.
pub fn start_stepped(engine: &Engine, steps: &mut Steps, workflow: &Value) -> ExecutionId {
    let parsed = Workflow::from_json(workflow.to_string()).expect("it is JSON");
    let registered = steps.until(engine.register(parsed));
    registered.expect("it is answered").expect("it is valid");
    let id = workflow["workflow_id"].as_str().unwrap_or_default();
    let started = steps.until(engine.start(id, "1.0.0", json!({})));
    started.expect("it is answered").expect("it starts").id()
}

/// Steps until there is nothing more to do now; says what is next.
///
/// # Panics
/// When it does not come to rest.
pub fn rest(steps: &mut Steps) -> Next {
    for _ in 0..1_000 {
        match steps.step() {
            Next::Now => {}
            next => return next,
        }
    }
    panic!("it does not come to rest")
}

/// The execution's log as names: `node_completed a`.
///
/// # Panics
/// When it cannot be read.
pub async fn log(execution: &Execution) -> Vec<String> {
    let events = execution
        .events(1, 10_000)
        .await
        .expect("the log can be read");
    events.iter().map(name).collect()
}

fn name(stored: &refrain::log::StoredEvent) -> String {
    let text = refrain::log::json::write_stored(stored);
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    let node = value["node_id"]
        .as_str()
        .map(|node| format!(" {node}"))
        .unwrap_or_default();
    format!("{}{node}", value["type"].as_str().unwrap_or("?"))
}

/// Follow the execution's log until it holds this so many times.
///
/// # Panics
/// When it does not within half a minute, or the execution ends before.
pub async fn wait_for(execution: &Execution, name: &str, count: usize) {
    let mut committed = execution.subscribe(1);
    let mut held = 0;
    let holds = async {
        while held < count {
            let events = committed.next().await.expect("the log can be read");
            let events = events.expect("the execution does not end before");
            held += events
                .iter()
                .filter(|event| self::name(event) == name)
                .count();
        }
    };
    if tokio::time::timeout(PATIENCE, holds).await.is_err() {
        let lines = log(execution).await;
        let whole = execution.events(1, 10_000).await.expect("the log is there");
        let stalls: Vec<String> = whole
            .iter()
            .map(refrain::log::json::write_stored)
            .filter(|text| text.contains("\"host_stalled\""))
            .collect();
        panic!("the log never holds {name} {count} times: {lines:?} {stalls:?}");
    }
}

/// Let time pass, this span again and again, until this is ready.
///
/// # Panics
/// When it is not within half a minute.
pub async fn as_time_passes<T>(
    clock: &ManualClock,
    span: Duration,
    until: impl Future<Output = T>,
) -> T {
    let passing = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            clock.advance(span);
        }
    };
    let ready = async {
        tokio::select! {
            ready = until => ready,
            () = passing => unreachable!("time passes for ever"),
        }
    };
    let ready = tokio::time::timeout(PATIENCE, ready).await;
    ready.expect("it is ready while time passes")
}

/// The schedulers that this machine can run: the built-in one, until others are added.
///
/// # Panics
/// Where wasmtime does not run.
#[must_use]
pub fn library() -> Library {
    Library::new(Sandbox::new(CallLimits::default()).expect("wasmtime runs here"))
}

/// Audit everything there, against the queue too.
///
/// # Panics
/// When anything is not clean, saying what.
pub fn audit_all(place: &Place, context: &str) {
    let mut library = library();
    let mut store = place.store();
    let all = ListFilter {
        max: 1000,
        ..ListFilter::default()
    };
    for record in store.list(&all).and_then(Many::all).expect("a list") {
        let audit = Auditor::new(&mut library).audit_stored(store.as_mut(), record.id);
        let audit = audit.expect("it can be audited").expect("it is there");
        assert_eq!(
            audit.verdict,
            Verdict::Clean,
            "{context}: {:?}",
            audit.divergence
        );
    }
}
