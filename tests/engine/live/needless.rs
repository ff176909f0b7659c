//! Workers on queues that no workflow uses.

use refrain::store::MemoryStore;
use refrain::{Engine, WorkItem, Workflow};
use refrain_tests::workflows::{single, tool};
use serde_json::json;

use super::lasting::Lines;

#[test]
fn a_worker_whose_queue_is_mistyped_is_told_of_at_the_first_start() {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), || {
        let builder = Engine::builder().store(MemoryStore::new());
        let (engine, mut steps) = builder.seed(1).stepped().expect("it is put together");
        // Workers may come before the workflows that they are for.
        engine.work("tol", |_: WorkItem| async { Ok(json!({})) });
        engine.work_commands(1);
        engine.work_http(1);
        let workflow = Workflow::from_json(single(tool()).to_string()).expect("JSON");
        let registered = steps.until(engine.register(workflow));
        registered.expect("it is answered").expect("it is valid");
        assert_eq!(lines.all(), [""; 0]);
        for _ in 0..2 {
            let started = steps.until(engine.start("w", "1.0.0", json!({})));
            started.expect("it is answered").expect("it starts");
        }
    });
    let said = r#"no workflow that was registered with this engine uses the queue "tol", whose worker has nothing to do; they use "tool": did you mean "tool"?"#;
    assert_eq!(lines.all(), [said]);
}
