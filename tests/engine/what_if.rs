//! What another scheduler would have decided, of many executions at once: exactly those are
//! named that the other rule touches.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use refrain::guest::Library;
use refrain::model::EventKind;
use refrain::replay::{
    Advice, Audit, AuditError, Auditor, Change, DivergenceCode, Outcome, Recording, Rule, Summary,
    Verdict, audit_many, from_store,
};
use refrain::store::Store;
use refrain::{Engine, ExecutionId, WorkError};
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::engines::{Place, engine, library, start};
use refrain_tests::workflows::tools;
use serde_json::{Value, json};

/// How many executions of each workflow there are.
const OF_EACH: usize = 50;

/// A workflow of this name and shape.
fn workflow(name: &str, edges: &str) -> Value {
    let mut workflow = tools(edges);
    workflow["workflow_id"] = json!(name);
    workflow
}

/// Four workflows: in one of them nothing is ever ready at once, in one something is, in
/// one it is and may not run at once, and in one every second execution fails once.
fn workflows() -> [Value; 4] {
    let chain = workflow("chain", "a -> b, b -> c");
    let fan = workflow("fan", "a -> b, a -> c, b -> d, c -> d");
    let mut narrow = workflow("narrow", "a -> b, a -> c, b -> d, c -> d");
    narrow["limits"] = json!({ "max_concurrent_nodes": 1 });
    let mut often = workflow("often", "a -> b");
    often["retry_policies"] = json!({
        "often": { "max_attempts": 3, "backoff": "fixed", "initial_delay": 0, "jitter": false }
    });
    often["nodes"]["a"]["retry_policy"] = json!("often");
    [chain, fan, narrow, often]
}

/// A store of 200 executions that have ended.
struct Ended {
    place: Place,
    ids: Vec<ExecutionId>,
}

impl Ended {
    async fn new() -> Self {
        let place = Place::file_in_memory();
        let engine = engine(&place).await;
        let (mut ids, mut fails) = (Vec::new(), BTreeSet::new());
        for workflow in workflows() {
            for n in 0..OF_EACH {
                let id = start(&engine, &workflow).await.id();
                if workflow["workflow_id"] == "often" && n % 2 == 1 {
                    fails.insert(id.to_string());
                }
                ids.push(id);
            }
        }
        work(&engine, fails).await;
        engine.shutdown().await;
        Self { place, ids }
    }

    fn recordings(&self) -> Vec<Recording> {
        let mut store = self.place.store();
        let read = self.ids.iter().map(|id| {
            let reading = from_store(store.as_mut(), *id).expect("it can be read");
            reading.expect("it is there").expect("it is whole")
        });
        read.collect()
    }

    /// The executions whose logs are like this.
    fn which(&self, is: impl Fn(&Recording) -> bool) -> BTreeSet<String> {
        let like = self.recordings().into_iter().filter(|it| is(it));
        like.map(|it| it.execution_id.to_string()).collect()
    }

    /// What is answered on so many threads.
    fn asked(
        &self,
        library: &Library,
        threads: usize,
        set_up: impl for<'a> Fn(Auditor<'a>) -> Auditor<'a> + Sync,
    ) -> Vec<Audit> {
        let stores: Vec<Box<dyn Store>> = (0..threads).map(|_| self.place.store()).collect();
        let one = |auditor: &mut Auditor<'_>, store: &mut Box<dyn Store>, id: &ExecutionId| {
            auditor.audit_stored(store.as_mut(), *id)
        };
        let answers = audit_many(library, stores, &self.ids, set_up, one);
        let audits = answers
            .into_iter()
            .map(|answer| answer.expect("it can be asked"));
        audits.map(|audit| audit.expect("it is there")).collect()
    }
}

/// Works until nothing waits. The first attempt of these executions fails.
async fn work(engine: &Engine, mut fails: BTreeSet<String>) {
    loop {
        let claims = engine.claim("tool", 100, "worker").await;
        let claims = claims.expect("it can be claimed");
        if claims.is_empty() {
            return;
        }
        for claim in claims {
            let done = match fails.remove(&claim.item.execution_id) {
                true => {
                    engine
                        .fail(claim.id, WorkError::retryable("it broke"))
                        .await
                }
                false => engine.complete(claim.id, json!({})).await,
            };
            done.expect("it counts");
        }
    }
}

fn names(audits: &[Audit], outcome: Outcome) -> BTreeSet<String> {
    let those = audits.iter().filter(|it| Outcome::of(it) == outcome);
    those.filter_map(|it| it.execution_id.clone()).collect()
}

/// Whether two dispatches stand one behind the other: what the other scheduler turns round.
fn has_dispatches_at_once(recording: &Recording) -> bool {
    let is_dispatch = |at: usize| {
        let kind = &recording.events[at].event.kind;
        matches!(kind, EventKind::NodeScheduled(_))
    };
    (1..recording.events.len()).any(|at| is_dispatch(at - 1) && is_dispatch(at))
}

#[tokio::test]
async fn exactly_the_executions_are_named_that_a_changed_rule_touches() {
    let ended = Ended::new().await;
    let touched = ended.which(has_dispatches_at_once);
    assert_eq!(touched.len(), OF_EACH, "those that fan out");
    let mut library = library();
    let other = library.add(DIVERGENT.committed().expect("it is committed"));
    let other = other.expect("it is a component");
    let mut before: Option<Vec<(Option<String>, Verdict)>> = None;
    for threads in [1, 2, 3] {
        let audits = ended.asked(&library, threads, |it| it.with_guest(other.clone()));
        assert_eq!(
            names(&audits, Outcome::Diverges),
            touched,
            "{threads} threads"
        );
        let summary = Summary::of(&audits);
        assert_eq!(
            (summary.same, summary.diverge, summary.unsound),
            (3 * OF_EACH, OF_EACH, 0)
        );
        assert!(!summary.is_good());
        // In the order in which they were asked about, however many ask.
        let told = audits
            .iter()
            .map(|it| (it.execution_id.clone(), it.verdict));
        let told: Vec<_> = told.collect();
        assert_eq!(before.get_or_insert_with(|| told.clone()), &told);
        let found = audits.iter().filter_map(|it| it.divergence.as_ref());
        for divergence in found {
            assert_eq!(
                (divergence.code, divergence.rule, divergence.advice),
                (
                    DivergenceCode::OtherDecision,
                    Some(Rule::Scheduling(2)),
                    Advice::KeepGuest
                ),
                "{divergence}"
            );
        }
    }
    let same = ended.asked(&library, 2, |it| it);
    assert!(
        Summary::of(&same).is_good(),
        "their own guest decides the same"
    );
}

#[tokio::test]
async fn other_limits_and_other_policies_touch_those_that_came_upon_them() {
    let ended = Ended::new().await;
    let library = library();
    let policy = |text: &str| Change {
        retry_policies: BTreeMap::from([("often".to_owned(), text.to_owned())]),
        ..Change::default()
    };
    let failed = |it: &Recording| {
        let mut kinds = it.events.iter().map(|it| &it.event.kind);
        kinds.any(|kind| matches!(kind, EventKind::NodeFailed(_)))
    };
    let has_policy = |it: &Recording| it.workflow.contains("\"often\"");
    let later = r#"{ "max_attempts": 3, "backoff": "fixed", "initial_delay": 60, "max_delay": 60, "jitter": false }"#;
    let more = r#"{ "max_attempts": 4, "backoff": "fixed", "initial_delay": 0, "jitter": false }"#;
    for (what, change, touched) in [
        ("nothing", Change::default(), BTreeSet::new()),
        ("a delay", policy(later), ended.which(failed)),
        // Each of its work items says how many attempts there can be.
        ("attempts", policy(more), ended.which(has_policy)),
        (
            "one at once",
            Change {
                max_concurrent_nodes: Some(1),
                ..Change::default()
            },
            ended.which(has_dispatches_at_once),
        ),
        // The second is dispatched by the next step of the same turn: the log is the same.
        (
            "one a step",
            Change {
                max_dispatch_per_tick: Some(1),
                ..Change::default()
            },
            BTreeSet::new(),
        ),
    ] {
        let audits = ended.asked(&library, 2, |it| it.with_change(change.clone()));
        assert_eq!(names(&audits, Outcome::Diverges), touched, "{what}");
        let rest = names(&audits, Outcome::Same).len();
        assert_eq!(rest + touched.len(), ended.ids.len(), "{what}");
    }
    // A policy that is none is told, and not taken for a divergence.
    let recording = &ended.recordings()[0];
    let export = recording.export(Vec::new()).expect("it can be written");
    let mut library = library;
    let wrong = policy(r#"{ "max_attempts": "many" }"#);
    let asked = Auditor::new(&mut library)
        .with_change(wrong)
        .audit_export(BufReader::new(&export[..]), "a log");
    match asked {
        Err(AuditError::Change { problem, .. }) => {
            assert!(
                problem.contains("/retry_policies/often/max_attempts"),
                "{problem}"
            );
        }
        other => panic!("{other:?}"),
    }
}
