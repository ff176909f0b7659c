//! Where two schedulers part, whatever one of them does there instead of deciding.

use refrain::guest::{InMemoryExecution, Library, MemoryPorts};
use refrain::id::ExecutionId;
use refrain::model::Status;
use refrain::replay::{Bisected, DivergenceCode, Parting, Recording, bisect_many};
use refrain_tests::chained;
use refrain_tests::component::product::DIVERGENT;
use refrain_tests::component::workspace;
use refrain_tests::engines::library;
use refrain_tests::twin;
use refrain_tests::wat_guest::{WatGuest, assembled};
use refrain_tests::workflows::tools;

/// What this guest makes of a workflow, from its start to its end.
fn log(library: &mut Library, guest: &str, edges: &str) -> Recording {
    let ports = MemoryPorts::new(tools(edges).to_string(), 1_000);
    let digest = guest.parse().expect("a digest");
    let started = ports.started(ExecutionId::from_bytes([7; 16]), digest);
    let instance = library.instance(guest).expect("it runs");
    let mut run = InMemoryExecution::start(instance, ports, started).expect("it starts");
    let mut status = Status::Running;
    while let Some(item) = run.ports.items.first().map(|item| item.node_id.clone()) {
        let outcome = run.complete(&item, "{}").expect("it goes on");
        status = outcome.expect("it has an item").status;
    }
    assert_eq!(status, Status::Completed);
    let log = chained::recording(&run.ports.workflow, run.ports.events);
    log.expect("it is of an execution")
}

fn asked(library: &Library, logs: &[Recording], pair: (&str, &str)) -> Vec<Bisected> {
    let answers = bisect_many(library, vec![(); 2], logs, pair, |(), log| {
        Ok(Some(Ok(log.clone())))
    });
    let answers = answers
        .into_iter()
        .map(|answer| answer.expect("it can be asked"));
    answers.map(|answer| answer.expect("it is there")).collect()
}

#[test]
fn a_scheduler_that_fails_or_never_ends_decides_differently() {
    let mut library = library();
    let ours = library.built_in().to_owned();
    let logs = [log(&mut library, &ours, "a -> b")];
    let endless = workspace().join("tests/guests/hostile/infinite_loop.wat");
    let endless = assembled(&endless).expect("it is a component");
    let crashing = WatGuest::default().component().expect("it is a component");
    for component in [crashing, endless] {
        let bad = library.add(component).expect("it is a component");
        for (pair, is_bad) in [((&*ours, &*bad), true), ((&*bad, &*ours), false)] {
            let [found] = &asked(&library, &logs, pair)[..] else {
                panic!("one log")
            };
            assert_eq!((found.outcome, found.after), (Parting::Parts, Some(1)));
            let (good, bad) = (&found.good, &found.bad);
            let (fine, failed) = if is_bad { (good, bad) } else { (bad, good) };
            let code = failed.as_ref().map(|it| it.code);
            assert_eq!(
                (fine.is_none(), code),
                (true, Some(DivergenceCode::GuestFailed))
            );
        }
    }
}

/// The log need not be of either of them; what they would do after they have left it together
/// is not known.
#[test]
fn a_log_of_a_third_scheduler_tells_of_two_others() {
    let mut library = library();
    let ours = library.built_in().to_owned();
    twin::add(&mut library);
    let other = library.add(DIVERGENT.committed().expect("it is committed"));
    let other = other.expect("it is a component");
    let fan = "a -> b, b -> c, b -> d, c -> e, d -> e";
    let logs = [
        log(&mut library, &ours, "a -> b, b -> c"),
        log(&mut library, &other, fan),
        log(&mut library, &ours, fan),
    ];
    let outcomes = |pair| {
        let found = asked(&library, &logs, pair);
        found
            .into_iter()
            .map(|it| (it.outcome, it.after))
            .collect::<Vec<_>>()
    };
    let (same, parts) = ((Parting::Same, None), (Parting::Parts, Some(7)));
    assert_eq!(outcomes((&ours, &other)), [same, parts, parts]);
    assert_eq!(
        outcomes((&ours, twin::digest())),
        [same, (Parting::LeaveTogether, None), same]
    );
}
