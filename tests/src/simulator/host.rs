//! One host of a simulated world: an engine that is stepped by hand, its clock,
//! and a store that fails as planned.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use refrain::guest::{CallLimits, Library};
use refrain::limits::TurnLimits;
use refrain::model::Limits;
use refrain::secrets::Secrets;
use refrain::store::{Store, Turn};
use refrain::{Clock, Engine, ExecutionId, ManualClock, Next, Steps, WorkError};

use super::calls::{Call, Operation, Outcome, Sent};
use super::left_out::LeftOut;
use crate::checkers::Rest;
use crate::faulty_store::{FaultyStore, Plan};

/// A host, up or down.
pub(super) struct Host {
    /// Its clock; it goes on while the host is down.
    pub(super) clock: ManualClock,
    /// What befalls its store.
    pub(super) plan: Plan,
    /// Whether its guests may take less than usual.
    pub(super) is_tight: bool,
    up: Option<(Engine, Steps)>,
    sent: Vec<Sent>,
    /// How often operations of its store had failed when it was last asked.
    failed: u64,
    /// Who is left out of its turns.
    left_out: LeftOut,
}

/// Whatever secret a drawn workflow names is there.
struct AnySecret;

impl Secrets for AnySecret {
    fn secret(&self, tenant: &str, name: &str) -> Result<Option<String>, WorkError> {
        Ok(Some(format!("the {name} of {tenant}")))
    }
}

/// How a host is set up, this time.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The limits of executions that start there.
    pub(super) limits: Limits,
    /// How often snapshots are taken.
    pub(super) events_per_snapshot: NonZeroU64,
    /// What its guests may take, where it is less than usual.
    pub(super) tight: Option<CallLimits>,
    /// What goes into a turn, where it is less than usual.
    pub(super) turn_limits: Option<TurnLimits>,
    /// What it works on, where that is not all.
    pub(super) works_on: Option<BTreeSet<ExecutionId>>,
}

/// What a step came to.
pub(super) struct Stepped {
    /// What comes next; or the operation of its store at which the host died.
    pub(super) next: Result<Next, &'static str>,
    /// What callers heard.
    pub(super) heard: Vec<(Call, Outcome)>,
    /// What was asked and will not be answered: the host is gone.
    pub(super) unheard: Vec<Call>,
    /// What it wrote.
    pub(super) written: Vec<Turn>,
    /// The executions that it worked on when it began; none: all.
    pub(super) works_on: Option<BTreeSet<ExecutionId>>,
    /// Whether its store failed meanwhile.
    pub(super) store_failed: bool,
    /// The groups whose writes conflicted.
    pub(super) conflicts: Vec<BTreeSet<ExecutionId>>,
    /// Who was left out of its turn, because writes to it conflict.
    pub(super) left_out: BTreeSet<ExecutionId>,
}

impl Host {
    /// A host that is down.
    pub(super) fn new(now: u64) -> Self {
        Self {
            clock: ManualClock::new(now),
            plan: Plan::default(),
            is_tight: false,
            up: None,
            sent: Vec::new(),
            failed: 0,
            left_out: LeftOut::default(),
        }
    }

    /// The engine, if the host is up.
    pub(super) fn engine(&self) -> Option<&Engine> {
        self.up.as_ref().map(|(engine, _)| engine)
    }

    /// Come up. The engine's chance is its own, each time.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn open(
        &mut self,
        settings: Settings,
        name: &str,
        store: Box<dyn Store>,
        library: &Library,
        seed: u64,
    ) -> Result<(), String> {
        self.plan = Plan::recording();
        self.failed = 0;
        self.left_out = LeftOut::default();
        self.is_tight = settings.tight.is_some();
        let builder = Engine::builder()
            .boxed_store(Box::new(FaultyStore::boxed(store, &self.plan)))
            .library(library.clone())
            .call_limits(settings.tight.unwrap_or_default())
            .clock(self.clock.clone())
            .worker_id(name)
            .limits(settings.limits)
            .turn_limits(settings.turn_limits.unwrap_or_default())
            .events_per_snapshot(settings.events_per_snapshot)
            .secrets(AnySecret)
            .seed(seed);
        let builder = match settings.works_on {
            Some(executions) => builder.only(executions),
            None => builder,
        };
        let up = builder.stepped().map_err(|error| error.to_string())?;
        self.up = Some(up);
        Ok(())
    }

    /// What it says after this step, if it is up and rests.
    pub(super) fn rest(&self, next: Next) -> Option<Rest> {
        let (_, steps) = self.up.as_ref()?;
        let mut rest = Rest::of(next, steps)?;
        rest.left_out = self.left_out.resting(self.clock.monotonic());
        Some(rest)
    }

    /// Ask the engine, if it is up.
    pub(super) fn send(&mut self, call: Call) {
        if let Some((engine, _)) = &self.up {
            self.sent.push(Sent::new(engine, call));
        }
    }

    /// One step. A host whose store died is gone after it, and nobody has
    /// heard of what it did last.
    pub(super) fn step(&mut self) -> Option<Stepped> {
        let (_, steps) = self.up.as_mut()?;
        let works_on = steps.works_on();
        let began = self.clock.monotonic();
        let next = steps.step();
        let (failed, written) = (self.plan.failed(), self.plan.take_committed());
        let conflicts = self.plan.take_conflicts();
        let left_out = self
            .left_out
            .after_step(began, &conflicts, !written.is_empty());
        let mut stepped = Stepped {
            next: self.plan.died_at().map_or(Ok(next), Err),
            heard: Vec::new(),
            unheard: Vec::new(),
            written,
            works_on,
            conflicts,
            left_out,
            store_failed: std::mem::replace(&mut self.failed, failed) != failed,
        };
        if stepped.next.is_ok() {
            stepped.heard = self.hear();
        }
        if matches!(stepped.next, Err(_) | Ok(Next::Ended)) {
            stepped.unheard = self.crash();
        }
        Some(stepped)
    }

    fn hear(&mut self) -> Vec<(Call, Outcome)> {
        let (mut heard, mut unheard) = (Vec::new(), Vec::new());
        for mut sent in self.sent.drain(..) {
            match sent.heard() {
                Some(outcome) => heard.push((sent.call, outcome)),
                None => unheard.push(sent),
            }
        }
        self.sent = unheard;
        heard
    }

    /// Gone, from one moment to the next. Says what it was asked and has not
    /// answered.
    pub(super) fn crash(&mut self) -> Vec<Call> {
        // The steps first: an engine that is dropped would tell them to close.
        if let Some((engine, steps)) = self.up.take() {
            drop(steps);
            drop(engine);
        }
        self.sent.drain(..).map(|sent| sent.call).collect()
    }

    /// Whether anything was asked that steps alone have to answer.
    pub(super) fn is_asked(&self) -> bool {
        let waits = |call: &Call| matches!(call, Call::Operate(_, Operation::AwaitEnd));
        self.sent.iter().any(|sent| !waits(&sent.call))
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_silent(&self) -> bool {
        self.sent.is_empty()
    }

    /// What the wall clock shows.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }
}
