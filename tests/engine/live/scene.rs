//! An engine that is stepped by hand, with workers that never answer: what is
//! begun shows who was given a slot.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use refrain::model::Limits;
use refrain::{Builder, Engine, Execution, ManualClock, Steps, WorkItem, Workflow};
use refrain_tests::engines::{BEGIN, Place, audit_all, rest};
use refrain_tests::workflows::tool;
use serde_json::{Value, json};

/// An engine whose workers never answer, and how many they have begun.
pub(super) struct Scene {
    pub(super) place: Place,
    pub(super) engine: Engine,
    pub(super) steps: Steps,
    pub(super) clock: ManualClock,
    begun: Arc<AtomicUsize>,
}

impl Scene {
    pub(super) fn new(place: Place, slots: usize) -> Self {
        Self::like(place, slots, |builder| builder)
    }

    /// With an engine that is put together otherwise.
    pub(super) fn like(place: Place, slots: usize, like: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::new(BEGIN);
        let limits = Limits {
            max_concurrent_nodes: 64,
            max_dispatch_per_tick: 64,
        };
        let builder = Engine::builder()
            .boxed_store(place.store())
            .clock(clock.clone())
            .limits(limits)
            .seed(1);
        let (engine, steps) = like(builder).stepped().expect("it can be put together");
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&begun);
        engine.work_with_slots("tool", slots, move |_: WorkItem| {
            counted.fetch_add(1, Ordering::SeqCst);
            pending::<Result<Value, _>>()
        });
        Self {
            place,
            engine,
            steps,
            clock,
            begun,
        }
    }

    pub(super) fn start(&mut self, workflow: &Value) -> Execution {
        let workflow_id = workflow["workflow_id"].as_str().expect("a text").to_owned();
        let parsed = Workflow::from_json(workflow.to_string()).expect("JSON");
        let registered = self.steps.until(self.engine.register(parsed));
        registered.expect("it is answered").expect("it is valid");
        let started = self
            .steps
            .until(self.engine.start(&workflow_id, "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    }

    /// Go on until there is nothing more to do now; how many attempts have
    /// begun so far.
    pub(super) fn begun(&mut self) -> usize {
        rest(&mut self.steps);
        self.begun.load(Ordering::SeqCst)
    }

    /// The engine is gone, from one moment to the next.
    pub(super) fn into_place(self) -> Place {
        self.place
    }

    pub(super) fn end(self) {
        drop(self.steps);
        drop(self.engine);
        audit_all(&self.place, "slots");
    }
}

/// A workflow of this many nodes side by side, each with these fields.
pub(super) fn side_by_side(nodes: usize, fields: &Value) -> Value {
    let names: Vec<String> = (0..nodes).map(|number| format!("n{number:02}")).collect();
    let mut all = json!({ "a": { "kind": { "type": "parallel", "branches": names } } });
    for name in &names {
        let mut node = tool();
        for (field, value) in fields.as_object().into_iter().flatten() {
            node[field] = value.clone();
        }
        all[name] = node;
    }
    json!({ "workflow_id": format!("w{nodes}"), "version": "1.0.0", "start_node": "a", "nodes": all, "edges": [] })
}
