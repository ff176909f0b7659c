//! The world that every host is put into: the same callers, workers and
//! operators each time, and the checkers after every step.

use std::sync::LazyLock;
use std::time::Duration;

use refrain::guest::Library;
use refrain::model::{
    ApprovalDecision, ApprovalReceived, EventKind, ExternalEventReceived, NodeRequest, OperatorNote,
};
use refrain::store::MemoryStore;
use refrain::{
    Approval, Claim, ClaimId, Engine, EngineError, Execution, Fork, ManualClock, Start, Steps,
    WorkError, WorkItem, Workflow,
};
use refrain_tests::checkers::{
    Evidence, Law, Offer, Receipt, Rest, Telling, Told, Violation, at_any_moment, at_the_end,
};
use refrain_tests::engines::{BEGIN, Place, library};
use refrain_tests::saboteur::{Deed, Doings, Saboteur};
use serde_json::{Value, json};

use crate::sabotage::doors::{self, Door};
use crate::sabotage::story;

/// Compiled once for all worlds.
pub(crate) static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
    let mut library = library();
    let built_in = library.built_in().to_owned();
    library.check(&built_in).expect("it is a guest");
    library
});

/// What a host is like.
#[derive(Clone, Default)]
pub(crate) struct Host {
    /// What it writes otherwise.
    pub(crate) deed: Option<Deed>,
    /// What it answers otherwise.
    pub(crate) door: Door,
    /// The guest that it runs instead of the built-in one.
    pub(crate) guest: Option<Vec<u8>>,
    /// Whether it keeps a file, rather than everything in memory.
    pub(crate) file: bool,
    /// Findings of these laws end nothing: what comes of them is to be seen.
    pub(crate) overlooked: &'static [Law],
}

/// What became of a world.
pub(crate) struct Outcome {
    /// What the checkers found.
    pub(crate) found: Vec<Violation>,
    /// Whether they found it while it ran.
    pub(crate) at_once: bool,
    /// Whether the host did what is wrong with it.
    pub(crate) done: bool,
    /// Why the world came to a halt before its end, if that was no finding.
    pub(crate) silence: Option<String>,
}

/// Why a world comes to a halt before its end.
pub(crate) enum Halt {
    /// The checkers found something.
    Found,
    /// The host answered with an error, or not at all.
    Silence(String),
}

impl From<EngineError> for Halt {
    fn from(error: EngineError) -> Self {
        Self::Silence(error.to_string())
    }
}

/// A host, and all who have to do with it.
pub(crate) struct World {
    place: Place,
    clock: ManualClock,
    engine: Engine,
    steps: Steps,
    told: Told,
    host: Host,
    doings: Doings,
    /// Whether a wrong answer was given.
    lied: bool,
    library: Library,
    seed: u64,
}

impl World {
    /// Put a host into the world, and see what becomes of it.
    #[must_use]
    pub(crate) fn with(host: Host, story: fn(&mut World) -> Result<(), Halt>) -> Outcome {
        let place = if host.file {
            Place::file()
        } else {
            Place::Memory(MemoryStore::new())
        };
        let clock = ManualClock::new(BEGIN);
        register(&place, &clock);
        let doings = Doings::default();
        let (engine, steps) = engine(&place, &clock, &host, &doings, 1);
        let mut world = Self {
            place,
            clock,
            engine,
            steps,
            told: Told::default(),
            host,
            doings,
            lied: false,
            library: LIBRARY.clone(),
            seed: 1,
        };
        let halt = story(&mut world).err();
        world.outcome(halt)
    }

    fn outcome(mut self, halt: Option<Halt>) -> Outcome {
        // A wrong guest does what it does; wrong hosts wait for their moment.
        let waits = self.host.deed.is_some() || self.host.door != Door::Right;
        let done = !waits || self.doings.deed() || self.lied;
        Outcome {
            found: self.judge(at_the_end),
            at_once: matches!(halt, Some(Halt::Found)),
            done,
            silence: match halt {
                Some(Halt::Silence(why)) => Some(why),
                _ => None,
            },
        }
    }

    /// What the checkers say now.
    pub(crate) fn check(&mut self) -> Result<(), Halt> {
        let overlooked = self.host.overlooked;
        let found = self.judge(at_any_moment);
        let halts = found
            .iter()
            .any(|violation| !overlooked.contains(&violation.law));
        if halts { Err(Halt::Found) } else { Ok(()) }
    }

    fn judge(&mut self, checks: fn(&mut Evidence<'_>) -> Vec<Violation>) -> Vec<Violation> {
        for turn in self.doings.turns() {
            self.told.tell(Telling::Written(turn));
        }
        let mut store = Saboteur::new(self.place.store(), self.host.deed, &self.doings);
        let evidence = Evidence::gather(&mut store, &mut self.library, &self.told);
        checks(&mut evidence.expect("the store can be read"))
    }

    // ---- callers and operators ---------------------------------------------------

    pub(crate) fn start(
        &mut self,
        workflow_id: &str,
        key: Option<&str>,
    ) -> Result<Execution, Halt> {
        let start = Start::new(workflow_id, "1.0.0", json!({ "claim": 17 }));
        let start = match key {
            Some(key) => start.key(key),
            None => start,
        };
        let started = self.steps.until(self.engine.start_with(start));
        let execution = answered(started)??;
        self.told.tell(Telling::Started {
            execution: execution.id(),
            tenant: "default".to_owned(),
            key: key.map(str::to_owned),
            workflow: (workflow_id.to_owned(), "1.0.0".to_owned()),
            input: json!({ "claim": 17 }).to_string(),
        });
        self.check()?;
        Ok(execution)
    }

    pub(crate) fn fork(&mut self, execution: &Execution) -> Result<(), Halt> {
        let fork = Fork::of(execution.id());
        let forked = self.steps.until(self.engine.fork(fork));
        answered(forked)??;
        self.check()
    }

    pub(crate) fn pause(&mut self, execution: &Execution) -> Result<(), Halt> {
        let answer = self.steps.until(execution.pause(None));
        self.acknowledged(execution, EventKind::ExecutionPaused(note()), answer)
    }

    pub(crate) fn unpause(&mut self, execution: &Execution) -> Result<(), Halt> {
        let answer = self.steps.until(execution.unpause(None));
        self.acknowledged(execution, EventKind::ExecutionUnpaused(note()), answer)
    }

    pub(crate) fn signal(&mut self, execution: &Execution, key: &str) -> Result<(), Halt> {
        let answer = self
            .steps
            .until(execution.signal(key, json!({ "paid": true })));
        let fact = ExternalEventReceived::new(key, json!({ "paid": true }).to_string());
        self.acknowledged(execution, EventKind::ExternalEventReceived(fact), answer)
    }

    pub(crate) fn approve(&mut self, execution: &Execution, node: &str) -> Result<(), Halt> {
        let answer = self
            .steps
            .until(execution.approve(node, Approval::approved("ada")));
        let fact = ApprovalReceived::new(node, "ada", ApprovalDecision::Approved);
        self.acknowledged(execution, EventKind::ApprovalReceived(fact), answer)
    }

    pub(crate) fn retry(&mut self, execution: &Execution, node: &str) -> Result<(), Halt> {
        let answer = self.steps.until(execution.retry(node, None));
        let fact = NodeRequest::new(node, None);
        self.acknowledged(execution, EventKind::RetryRequested(fact), answer)
    }

    fn acknowledged(
        &mut self,
        execution: &Execution,
        fact: EventKind,
        answer: Option<Result<(), EngineError>>,
    ) -> Result<(), Halt> {
        answered(answer)??;
        self.told.tell(Telling::Acknowledged {
            execution: execution.id(),
            fact: Box::new(fact),
            sure: true,
        });
        self.check()
    }

    // ---- workers -----------------------------------------------------------------

    /// The next item there is to do.
    pub(crate) fn claim(&mut self, worker_id: &str) -> Result<ClaimId, Halt> {
        let claims = self.claim_any(worker_id)?;
        let claim = claims.into_iter().next();
        claim.ok_or_else(|| Halt::Silence("there is nothing to claim".to_owned()))
    }

    /// The next item, if there is one.
    pub(crate) fn claim_any(&mut self, worker_id: &str) -> Result<Option<ClaimId>, Halt> {
        let granted = self.steps.until(self.engine.claim("tool", 1, worker_id));
        let mut granted = answered(granted)??;
        if granted.is_empty() && self.host.door == Door::GrantsWhatIsHeld && !self.lied {
            granted.extend(doors::grant_what_is_held(
                self.place.store().as_mut(),
                worker_id,
            ));
            self.lied = !granted.is_empty();
        }
        let granted = granted.pop();
        if let Some(Claim { id, expires_at, .. }) = &granted {
            self.told.tell(Telling::Claimed {
                claim: id.clone(),
                worker_id: worker_id.to_owned(),
                expires_at: *expires_at,
            });
        }
        self.check()?;
        Ok(granted.map(|claim| claim.id))
    }

    pub(crate) fn complete(&mut self, claim: &ClaimId, output: Value) -> Result<Receipt, Halt> {
        let offer = Offer::Completed {
            output: output.to_string(),
            state_patch: None,
        };
        let answer = self
            .steps
            .until(self.engine.complete(claim.clone(), output));
        self.told_of(claim, offer, &answered(answer)?)
    }

    pub(crate) fn fail(&mut self, claim: &ClaimId, error: WorkError) -> Result<Receipt, Halt> {
        let offer = Offer::Failed {
            error: error.to_string(),
        };
        let answer = self.steps.until(self.engine.fail(claim.clone(), error));
        self.told_of(claim, offer, &answered(answer)?)
    }

    /// Its worker gives the item back.
    pub(crate) fn release(&mut self, claim: &ClaimId) -> Result<Receipt, Halt> {
        let released = self.engine.release(claim.clone(), Some("w1"));
        let answer = self.steps.until(released);
        self.told_of(claim, Offer::Released, &answered(answer)?)
    }

    fn told_of(
        &mut self,
        claim: &ClaimId,
        offer: Offer,
        answer: &Result<refrain::Receipt, EngineError>,
    ) -> Result<Receipt, Halt> {
        let mut receipt = Receipt::from(answer);
        if !self.lied {
            let store = self.place.store();
            let said = doors::answer(self.host.door, store, claim, &offer, receipt);
            self.lied = said != receipt;
            receipt = said;
        }
        self.told.tell(Telling::Answered {
            claim: claim.clone(),
            offer,
            receipt,
        });
        self.check()?;
        match (receipt, answer) {
            (Receipt::Unknown | Receipt::Refused, Err(error)) => Err(error.clone().into()),
            _ => Ok(receipt),
        }
    }

    // ---- time, and the end of a process --------------------------------------------

    /// Time passes.
    pub(crate) fn later(&mut self, seconds: u64) -> Result<(), Halt> {
        self.clock.advance(Duration::from_secs(seconds));
        let rest = (0..100).find_map(|_| {
            let next = self.steps.step();
            Rest::of(next, &self.steps)
        });
        for turn in self.doings.turns() {
            self.told.tell(Telling::Written(turn));
        }
        let rests = rest.is_some();
        self.told.tellings.extend(rest.map(Telling::Rested));
        self.check()?;
        if rests {
            Ok(())
        } else {
            Err(Halt::Silence("the engine never comes to rest".to_owned()))
        }
    }

    /// The host gets a worker of its own, which never answers.
    pub(crate) fn work(&mut self) {
        self.engine.work_with_slots("tool", 1, |_: WorkItem| {
            std::future::pending::<Result<Value, _>>()
        });
    }

    /// The process dies, and another begins.
    pub(crate) fn restart(&mut self, execution: &mut Execution) -> Result<(), Halt> {
        self.seed += 1;
        (self.engine, self.steps) = engine(
            &self.place,
            &self.clock,
            &self.host,
            &self.doings,
            self.seed,
        );
        *execution = self.engine.execution(execution.id());
        self.check()
    }
}

/// Workflows are registered before the host in question comes: its guest may
/// not be one that judges workflows.
fn register(place: &Place, clock: &ManualClock) {
    let (engine, mut steps) = engine(place, clock, &Host::default(), &Doings::default(), 0);
    for workflow in story::workflows() {
        let workflow = Workflow::from_json(workflow.to_string()).expect("it is JSON");
        let registered = steps.until(engine.register(workflow));
        registered.expect("it answers").expect("it is valid");
    }
}

fn engine(
    place: &Place,
    clock: &ManualClock,
    host: &Host,
    doings: &Doings,
    seed: u64,
) -> (Engine, Steps) {
    let builder = Engine::builder()
        .store(Saboteur::new(place.store(), host.deed, doings))
        .library(LIBRARY.clone())
        .clock(clock.clone())
        .seed(seed)
        .lease(Duration::from_secs(10));
    let builder = match &host.guest {
        Some(guest) => builder.guest(guest.clone()),
        None => builder,
    };
    builder.stepped().expect("it can be put together")
}

fn answered<T>(answer: Option<T>) -> Result<T, Halt> {
    answer.ok_or_else(|| Halt::Silence("the host gives no answer".to_owned()))
}

fn note() -> OperatorNote {
    OperatorNote::default()
}
