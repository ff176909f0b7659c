//! Time (law 5): one for all who work on a store, and leases that no clock ends.

use std::time::Duration;

use refrain::model::{EventKind, Status};
use refrain::store::{Durability, SqliteStore, Store};
use refrain::{Claim, Engine, EngineError, Execution, ManualClock, Next, Receipt, Steps, Workflow};
use refrain_tests::engines::{BEGIN, Place, audit_all, rest};
use refrain_tests::workflows::{single, tool};
use serde_json::{Value, json};

const HOUR_MS: u64 = 3_600_000;
const LEASE: Duration = Duration::from_secs(10);

/// An engine that is stepped by hand.
struct Host {
    engine: Engine,
    steps: Steps,
}

impl Host {
    fn open(store: Box<dyn Store>, clock: &ManualClock, seed: u64) -> Self {
        let builder = Engine::builder()
            .boxed_store(store)
            .clock(clock.clone())
            .lease(LEASE)
            .seed(seed);
        let (engine, steps) = builder.stepped().expect("it can be put together");
        let mut host = Self { engine, steps };
        host.rest();
        host
    }

    /// Step until there is nothing to do now; says what is next.
    fn rest(&mut self) -> Next {
        rest(&mut self.steps)
    }

    fn start(&mut self, workflow: &Value) -> Execution {
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        let registered = self.steps.until(self.engine.register(workflow));
        registered.expect("it is answered").expect("it is valid");
        let started = self.steps.until(self.engine.start("w", "1.0.0", json!({})));
        started.expect("it is answered").expect("it starts")
    }

    fn claim(&mut self, worker: &str) -> Claim {
        let claims = self.steps.until(self.engine.claim("tool", 1, worker));
        let mut claims = claims.expect("it is answered").expect("a queue");
        claims.pop().expect("an item waits")
    }

    fn renew(&mut self, claim: &Claim) -> Result<u64, EngineError> {
        let renewed = self.steps.until(self.engine.renew(claim.id.clone()));
        renewed.expect("it is answered")
    }

    fn complete(&mut self, claim: &Claim) -> Result<Receipt, EngineError> {
        let answer = self.engine.complete(claim.id.clone(), json!({}));
        self.steps.until(answer).expect("it is answered")
    }
}

fn once() -> Value {
    single(json!({ "kind": tool()["kind"], "retry_policy": "no_retry" }))
}

fn status(place: &Place, execution: &Execution) -> Status {
    let record = place.store().execution(execution.id()).expect("it is read");
    record.expect("it is there").status
}

/// The wall clock jumps an hour ahead while a holder is silent for a second.
#[test]
fn law5_a_clock_that_jumps_ahead_ends_no_lease() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let (mut holder, mut other) = (
            Host::open(place.store(), &clock, 1),
            Host::open(place.store(), &clock, 2),
        );
        // Both have been at it for long: what they know of time is not new.
        for _ in 0..30 {
            clock.advance(Duration::from_secs(1));
            holder.rest();
            other.rest();
        }
        let execution = holder.start(&once());
        let claim = holder.claim("outside");
        clock.set(BEGIN + HOUR_MS);
        other.rest();
        clock.advance(Duration::from_secs(1));
        other.rest();
        // One that begins only now has not seen the jump.
        let mut third = Host::open(place.store(), &clock, 3);
        for _ in 0..8 {
            clock.advance(Duration::from_secs(1));
            other.rest();
            third.rest();
        }
        holder.renew(&claim).expect("it holds");
        clock.advance(Duration::from_secs(2));
        other.rest();
        third.rest();
        assert_eq!(holder.complete(&claim).ok(), Some(Receipt::Recorded));
        assert_eq!(status(&place, &execution), Status::Completed);
        audit_all(&place, "ahead");
    }
}

/// And yet a holder that stays silent loses its lease, a lease's length after that.
#[test]
fn law5_after_a_jump_a_silent_holder_still_loses_its_lease() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut host = Host::open(place.store(), &clock, 1);
        let execution = host.start(&once());
        let claim = host.claim("outside");
        clock.set(BEGIN + HOUR_MS);
        let Next::At(due_at) = host.rest() else {
            panic!("the end of the lease is due at some time");
        };
        let span = due_at - (BEGIN + HOUR_MS);
        assert!((10_000..10_100).contains(&span), "{span}");
        clock.advance(Duration::from_millis(span));
        host.rest();
        assert_eq!(status(&place, &execution), Status::Failed);
        let late = host.complete(&claim);
        assert!(matches!(late, Err(EngineError::Stale { .. })), "{late:?}");
    }
}

/// The clock is set back an hour. A process that has been there all along, but
/// wrote nothing for a while, and one that begins only now live in one time.
#[test]
fn law5_who_begins_after_the_clock_was_set_back_lives_in_the_same_time() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut first = Host::open(place.store(), &clock, 1);
        first.start(&once());
        let held = first.claim("first");
        clock.set(BEGIN - HOUR_MS);
        for _ in 0..13 {
            clock.advance(Duration::from_secs(1));
            first.rest();
            first.renew(&held).expect("it holds");
        }
        clock.advance(Duration::from_secs(20));
        let mut second = Host::open(place.store(), &clock, 2);
        let execution = second.start(&once());
        let claim = second.claim("second");
        assert_eq!(
            claim.expires_at,
            BEGIN + 33_000 + 10_000,
            "one time for both"
        );
        first.rest();
        clock.advance(Duration::from_secs(9));
        first.rest();
        second.rest();
        assert_eq!(second.complete(&claim).ok(), Some(Receipt::Recorded));
        assert_eq!(status(&place, &execution), Status::Completed);
        audit_all(&place, "back");
    }
}

/// Another machine's clock was an hour ahead. What is due is due by the log's
/// time, and the next turn is planned by it.
#[test]
fn law5_what_is_due_by_the_log_is_done_by_a_host_that_is_behind() {
    for place in Place::each() {
        let ahead = ManualClock::new(BEGIN + HOUR_MS);
        let mut other = Host::open(place.store(), &ahead, 1);
        let wait =
            single(json!({ "kind": { "type": "wait", "condition": "timer", "timeout_secs": 5 } }));
        let execution = other.start(&wait);
        drop(other);
        let clock = ManualClock::new(BEGIN);
        let mut host = Host::open(place.store(), &clock, 2);
        assert_eq!(host.rest(), Next::At(BEGIN + HOUR_MS + 5_000));
        clock.advance(Duration::from_millis(4_999));
        host.rest();
        assert_eq!(status(&place, &execution), Status::Running);
        clock.advance(Duration::from_millis(1));
        host.rest();
        assert_ne!(status(&place, &execution), Status::Running);
        audit_all(&place, "ahead");
    }
}

/// Work that is given back waits for nothing, whatever the clocks did, and has its
/// only attempt left.
#[test]
fn r25_work_of_an_engine_that_stops_waits_for_nothing() {
    for place in Place::each() {
        let clock = ManualClock::new(BEGIN);
        let mut leaving = Host::open(place.store(), &clock, 1);
        leaving
            .engine
            .work("tool", |_| std::future::pending::<Result<Value, _>>());
        let execution = leaving.start(&once());
        leaving.rest();
        let stop = leaving.engine.clone();
        leaving.steps.until(stop.stop()).expect("it stops");
        let mut other = Host::open(place.store(), &clock, 2);
        assert_eq!(other.claim("outside").id.attempt, 1);
        assert_eq!(status(&place, &execution), Status::Running);
        let log = place.store().events(execution.id(), 1, 100).expect("a log");
        let given_back =
            |kind: &EventKind| matches!(kind, EventKind::NodeReleased(it) if it.by.is_some());
        assert!(
            log.iter().any(|stored| given_back(&stored.event.kind)),
            "{log:?}"
        );
    }
}

/// A third program holds the write lock for as long as a lease lasts. The
/// holder may still renew afterwards, also if another is the first to get that lock.
#[test]
fn law5_while_nobody_could_write_no_lease_ends() {
    let place = Place::file();
    let Place::File(folder) = &place else {
        unreachable!("it is a file");
    };
    let path = folder.path().join("refrain.db");
    let open = || {
        let options = SqliteStore::options()
            .durability(Durability::Normal)
            .lock_wait(Duration::from_millis(1));
        Box::new(options.open(&path).expect("it opens"))
    };
    let clock = ManualClock::new(BEGIN);
    let mut holder = Host::open(open(), &clock, 1);
    let mut other = Host::open(open(), &clock, 2);
    for _ in 0..30 {
        clock.advance(Duration::from_secs(1));
        holder.rest();
        other.rest();
    }
    let execution = holder.start(&once());
    let claim = holder.claim("outside");
    let mut third = open();
    third.begin().expect("the lock is free");
    clock.advance(Duration::from_secs(10));
    let refused = holder.renew(&claim);
    assert!(matches!(refused, Err(EngineError::Store(_))), "{refused:?}");
    other.steps.step();
    third.rollback();
    // The other comes first, and a moment passes before the holder comes.
    for _ in 0..3 {
        other.steps.step();
        clock.advance(Duration::from_millis(300));
    }
    holder.renew(&claim).expect("it holds");
    other.rest();
    assert_eq!(holder.complete(&claim).ok(), Some(Receipt::Recorded));
    assert_eq!(status(&place, &execution), Status::Completed);
    let log = place.store().events(execution.id(), 1, 100).expect("a log");
    let expired = |kind: &EventKind| matches!(kind, EventKind::LeaseExpired(_));
    assert!(!log.iter().any(|stored| expired(&stored.event.kind)));
}
