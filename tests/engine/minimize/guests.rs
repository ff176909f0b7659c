//! The schedulers that are asked, and executions that are worked on.

use refrain::guest::{InMemoryExecution, Library, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::model::{Event, EventKind, NodeStarted};
use refrain::replay::{
    Audit, Auditor, MinimizeError, Minimized, Recording, Verdict, Written, minimize,
};
use refrain_tests::chained;
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::library;
use refrain_tests::notation;
use refrain_tests::wat_guest::WatGuest;
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

/// The scheduler of this program, one with another rule, and one that crashes.
pub(super) struct Guests {
    pub(super) library: Library,
    pub(super) ours: String,
    pub(super) other: String,
    pub(super) crashing: String,
}

impl Guests {
    pub(super) fn new() -> Self {
        let mut library = library();
        let other = library.add(DIVERGENT.committed().expect("it is committed"));
        let crashing = library.add(WatGuest::default().component().expect("it is one"));
        Self {
            ours: library.built_in().to_owned(),
            other: other.expect("it is a component"),
            crashing: crashing.expect("it is a component"),
            library,
        }
    }

    pub(super) fn minimize(
        &mut self,
        log: &Recording,
        asked: &str,
    ) -> Result<Minimized, MinimizeError> {
        minimize(&mut self.library, log, Some(asked), &mut |_| true)
    }

    /// The audit of what is written of this log.
    pub(super) fn audit(&mut self, log: &Recording, asked: Option<&str>) -> Audit {
        let export = log.export(Vec::new()).expect("a vector takes it");
        let mut auditor = Auditor::new(&mut self.library);
        if let Some(asked) = asked {
            auditor = auditor.with_guest(asked.to_owned());
        }
        let audit = auditor.audit_export(&export[..], "memory");
        audit.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Makes a log of ours smaller, and holds what came of it against what it says of
    /// itself.
    pub(super) fn smaller(&mut self, log: &Recording, asked: &str) -> Minimized {
        let small = self.minimize(log, asked);
        let small = small.unwrap_or_else(|error| panic!("{error}"));
        assert!(small.is_complete);
        assert_eq!(small.written, Written::ByItsGuest);
        let own = self.audit(&small.recording, None);
        assert_eq!(own.verdict, Verdict::Clean, "{:?}", own.divergence);
        let before = self.audit(log, Some(asked));
        let after = self.audit(&small.recording, Some(asked));
        let code = |audit: &Audit| {
            audit
                .divergence
                .as_ref()
                .map(|it| (it.code, kind_of(&it.expected)))
        };
        assert_eq!(
            (after.verdict, code(&after)),
            (before.verdict, code(&before))
        );
        let places = [&small.audit, &after].map(|it| it.divergence.as_ref().map(|it| it.sequence));
        assert_eq!(places[0], places[1]);
        assert!(small.after.events <= small.before.events);
        small
    }
}

pub(super) fn kind_of(event: &Option<Value>) -> Option<String> {
    Some(event.as_ref()?["type"].as_str()?.to_owned())
}

/// An execution of this workflow with the scheduler of this program, and whoever works on it.
pub(super) struct Run(pub(super) InMemoryExecution);

impl Run {
    pub(super) fn new(guests: &mut Guests, workflow: &Value, input: &Value) -> Self {
        let ports = MemoryPorts::new(workflow.to_string(), 1_700_000_000_000);
        let mut started = ports.started(ExecutionId::from_bytes([7; 16]), digest(&guests.ours));
        started.initial_input = input.to_string();
        started.by = Some("alice-secret".to_owned());
        let instance = guests.library.instance(&guests.ours).expect("it runs");
        let run = InMemoryExecution::start(instance, ports, started);
        Self(run.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The item that waits longest is claimed and answered so, until none waits.
    pub(super) fn work(mut self, mut answer: impl FnMut(&str) -> Value) -> Self {
        while let Some(item) = self.0.ports.items.first() {
            let node = item.node_id.clone();
            let claim = NodeStarted::new(&node, "worker-of-alice-secret", item.attempt);
            self.offer(EventKind::NodeStarted(claim));
            let patch = answer(&node).to_string();
            let done = self
                .0
                .ports
                .completion(&node, &patch)
                .expect("it is claimed");
            self.offer(done);
        }
        self
    }

    pub(super) fn offer(&mut self, fact: EventKind) {
        self.0.ports.now += 10;
        let offered = self.0.offer(fact);
        offered.unwrap_or_else(|error| panic!("{error}"));
    }

    pub(super) fn log(self) -> Recording {
        let ports = self.0.ports;
        recording(&ports.workflow, ports.events)
    }
}

pub(super) fn digest(text: &str) -> refrain::model::Digest {
    text.parse().expect("a digest")
}

/// These events as a log, chained anew.
pub(super) fn recording(workflow: &str, events: Vec<Event>) -> Recording {
    chained::recording(workflow, events).expect("they are of an execution")
}

/// The smaller log is a table that our scheduler plays, and says what it decides.
pub(super) fn plays(small: &Minimized) {
    match &small.table {
        Ok(table) => notation::check(table),
        Err(why) => panic!("there is no table: {why}"),
    }
}

/// A long chain, and a fan behind it: only there two are ready at once.
pub(super) fn chain(nodes: usize, end: &str) -> Value {
    let name = |n: usize| format!("secret_step_{n:05}");
    let edges = (1..nodes).map(|n| format!("{} -> {}", name(n - 1), name(n)));
    let mut edges: Vec<String> = edges.collect();
    edges.push(end.replace('<', &name(nodes - 1)));
    tools(&edges.join(", "))
}

pub(super) fn worked_on(run: Run) -> Run {
    run.work(|node| json!({ node: "secret answer" }))
}

/// Nothing is left of what people and programs have said.
pub(super) fn says_nothing(small: &Minimized) {
    let export = small
        .recording
        .export(Vec::new())
        .expect("it can be written");
    let export = String::from_utf8(export).expect("it is text");
    assert!(!export.contains("secret"), "{export}");
}
