//! Reads that fail while an engine looks at what others have committed.

use std::pin::pin;

use refrain::model::Status;
use refrain::{Engine, ManualClock, Steps};
use refrain_tests::engines::{BEGIN, Place, start};
use refrain_tests::faulty_store::{FaultyStore, Plan};
use refrain_tests::workflows::{single, tool};

fn stepped(place: &Place, seed: u64, plan: &Plan) -> (Engine, Steps) {
    let builder = Engine::builder().store(FaultyStore::boxed(place.store(), plan));
    let builder = builder.clock(ManualClock::new(BEGIN)).seed(seed);
    builder.stepped().expect("an engine")
}

/// Whichever of its reads fails: who waits for an end that another engine has written
/// hears of it, though nobody commits any more.
#[test]
fn an_end_that_another_engine_has_written_is_heard_of_though_a_read_failed() {
    for place in Place::each() {
        let (other, mut others) = stepped(&place, 1, &Plan::default());
        let plan = Plan::default();
        let (engine, mut steps) = stepped(&place, 2, &plan);
        for operations in 0..12 {
            let ends = others.until(start(&other, &single(tool())));
            let ends = ends.expect("it is answered");
            let here = engine.execution(ends.id());
            let mut finished = pin!(here.finished());
            assert!(steps.until(finished.as_mut()).is_none(), "it runs");
            let cancelled = others.until(ends.cancel(None));
            cancelled.expect("it is answered").expect("it runs");
            plan.fail_after(operations);
            let end = (0..4).find_map(|_| steps.until(finished.as_mut()));
            let end = end.unwrap_or_else(|| panic!("not heard of, operation {operations}"));
            let end = end.expect("it can be told");
            assert_eq!(end.status, Status::Cancelled, "operation {operations}");
            // Where fewer were needed, a later one fails.
            while plan.failed() <= operations {
                steps.step();
            }
        }
    }
}
