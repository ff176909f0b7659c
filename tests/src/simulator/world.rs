//! A simulated world: one store, two hosts, workers, callers, clocks, and the
//! dice that throw them about.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::time::Duration;

use refrain::guest::{CallLimits, Library};
use refrain::limits::TurnLimits;
use refrain::model::Limits;
use refrain::store::Store;
use refrain::{ExecutionId, Next, Workflow};

use super::Simulated;
use super::calls::Call;
use super::crews::{self, Lasting};
use super::host::{Host, Settings, Stepped};
use super::outside::Outside;
use super::requests::Requests;
use super::story::Story;
use super::workflows::{self, Drawn};
use crate::checkers::{Rest, Telling, Told, TurnSeen, nothing_waits_now};
use crate::dice::Dice;
use crate::engines::{BEGIN, Place};
use crate::twin;

/// Which store a world is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The one in memory.
    Memory,
    /// A file, where there is one in a folder that is memory.
    File,
}

/// An execution that some caller was told of.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldExecution {
    /// Its id.
    pub(super) id: ExecutionId,
    /// Which of the world's workflows it runs.
    pub(super) workflow: usize,
}

/// Someone who makes the hosts wrong: what stands between them and the store,
/// and whether it has done what is wrong.
pub trait Meddler {
    /// The store as the hosts get it.
    fn between(&self, store: Box<dyn Store>) -> Box<dyn Store>;
    /// Whether everything is to be judged, from now on after every act.
    fn is_done(&self) -> bool;
}

/// A simulated world.
pub struct World {
    pub(super) dice: Dice,
    pub(super) library: Library,
    pub(super) place: Place,
    pub(super) meddler: Option<Box<dyn Meddler>>,
    /// Another owner of the same data, which only looks.
    pub(super) onlooker: Box<dyn Store>,
    pub(super) hosts: [Host; 2],
    pub(super) workflows: Vec<Drawn>,
    pub(super) executions: Vec<ToldExecution>,
    /// What callers were told that their keys started.
    pub(super) keys: BTreeMap<String, ExecutionId>,
    pub(super) told: Told,
    pub(super) outside: Outside,
    pub(super) requests: Requests,
    pub(super) lasting: Lasting,
    pub(super) story: Story,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn new(seed: u64, over: Over, library: &Library, story: Story) -> Self {
        let mut dice = Dice::seeded(seed);
        let place = match over {
            Over::Memory => Place::memory(),
            Over::File => Place::file_in_memory(),
        };
        let number = 1 + usize::try_from(dice.below(3)).unwrap_or(0);
        let drawn = (0..number).map(|number| workflows::draw(&mut dice, number));
        let mut library = library.clone();
        twin::add(&mut library);
        Self {
            workflows: drawn.collect(),
            library,
            onlooker: place.store(),
            place,
            meddler: None,
            hosts: [Host::new(BEGIN), Host::new(BEGIN)],
            executions: Vec::new(),
            keys: BTreeMap::new(),
            told: Told::default(),
            outside: Outside::default(),
            requests: Requests::default(),
            lasting: Lasting::default(),
            story,
            dice,
        }
    }

    /// The same world, with hosts that are wrong.
    #[must_use]
    pub fn meddled_with(self, meddler: Box<dyn Meddler>) -> Self {
        Self {
            onlooker: meddler.between(self.place.store()),
            meddler: Some(meddler),
            ..self
        }
    }

    /// Whether its hosts have done what is wrong with them.
    pub(super) fn is_meddled_with(&self) -> bool {
        self.meddler
            .as_ref()
            .is_some_and(|meddler| meddler.is_done())
    }

    /// The workflows are registered, before anything bad happens.
    pub(super) fn begin(&mut self) -> Result<(), String> {
        self.open(0, false)?;
        for drawn in &self.workflows {
            self.story.tell(|| format!("workflow {}", drawn.text));
            let workflow = Workflow::from_json(drawn.text.clone());
            let workflow = workflow.map_err(|error| error.to_string())?;
            self.hosts[0].send(Call::Register(workflow));
        }
        // Where it is not there, those who ask for such a child are refused.
        if self.dice.chance(7, 8) {
            let child = workflows::child(&mut self.dice);
            self.story
                .tell(|| format!("workflow of children {}", child.text()));
            self.hosts[0].send(Call::Register(child));
        }
        self.step(0)?;
        self.open(1, false)
    }

    /// A host comes up, with workers of all sorts.
    pub(super) fn open(&mut self, host: usize, tight: bool) -> Result<(), String> {
        self.open_bare(host, tight)?;
        for queue in crews::queues() {
            if self.dice.chance(1, 3) {
                let (slots, seed) = (1 + self.dice.below(3), self.dice.word());
                let Host { clock, .. } = &self.hosts[host];
                if let Some(engine) = self.hosts[host].engine() {
                    crews::moody(engine, queue, slots as usize, seed, clock, &self.lasting);
                }
            }
        }
        Ok(())
    }

    /// A host comes up, without workers.
    pub(super) fn open_bare(&mut self, host: usize, tight: bool) -> Result<(), String> {
        let settings = self.settings(tight);
        let (store, seed) = (self.place.store(), self.dice.word());
        let store = match &self.meddler {
            Some(meddler) => meddler.between(store),
            None => store,
        };
        self.story
            .tell(|| format!("{} opens: {settings:?}", name(host)));
        self.hosts[host].open(settings, name(host), store, &self.library, seed)
    }

    fn settings(&mut self, tight: bool) -> Settings {
        let mut number = |most| 1 + u32::try_from(self.dice.below(most)).unwrap_or(0);
        let limits = Limits {
            max_concurrent_nodes: number(12),
            max_dispatch_per_tick: number(4),
        };
        let events_per_snapshot = NonZeroU64::MIN.saturating_add(self.dice.below(40));
        let turn_limits = if tight { self.short_turns() } else { None };
        let works_on = if tight { self.some() } else { None };
        let tight = if tight { self.tight() } else { None };
        Settings {
            limits,
            events_per_snapshot,
            tight,
            turn_limits,
            works_on,
        }
    }

    /// Hosts that work on some executions only, as `refrain run` does: on those
    /// that they start, and perhaps on others.
    fn some(&mut self) -> Option<BTreeSet<ExecutionId>> {
        if self.dice.chance(2, 3) {
            return None;
        }
        self.story.fault("a host works on some executions only");
        let known = self.executions.iter().map(|known| known.id);
        Some(known.filter(|_| self.dice.chance(1, 2)).collect())
    }

    /// Turns into which little goes, so that few executions have to wait for
    /// theirs.
    fn short_turns(&mut self) -> Option<TurnLimits> {
        if self.dice.chance(1, 2) {
            return None;
        }
        self.story.fault("turns are short");
        // As much as some calls take, so that turns end between any two.
        let fuel = 20_000 << self.dice.below(8);
        let bytes = 100 << self.dice.below(8);
        let mut few = || 1 + usize::try_from(self.dice.below(4)).unwrap_or(0);
        Some(TurnLimits {
            facts: few(),
            claims: few(),
            wakes: few(),
            expiries: few(),
            fuel,
            bytes,
        })
    }

    /// Limits for the guests of a host: mostly none to speak of, sometimes so
    /// tight that some calls are cut off.
    fn tight(&mut self) -> Option<CallLimits> {
        let usual = CallLimits::default();
        match self.dice.below(8) {
            0 | 1 => Some(CallLimits {
                fuel: Some(20_000 << self.dice.below(7)),
                fuel_per_byte: self.dice.below(200),
                ..usual
            }),
            2 => Some(CallLimits {
                memory_bytes_max: (1 << 20)
                    + (usize::try_from(self.dice.below(16)).unwrap_or(0) << 16),
                ..usual
            }),
            _ => None,
        }
    }

    /// A host goes one step on, and callers hear what came of their calls.
    /// None: it is down.
    pub(super) fn step(&mut self, host: usize) -> Result<Option<Next>, String> {
        let Some(stepped) = self.hosts[host].step() else {
            return Ok(None);
        };
        let Stepped {
            next,
            heard,
            unheard,
            written,
            works_on,
            store_failed,
            conflicts,
            left_out,
        } = stepped;
        for group in &conflicts {
            self.story.fault(match group.len() {
                1 => "writes to an execution conflict",
                _ => "writes to linked executions conflict",
            });
        }
        if !left_out.is_empty() {
            self.story.tell(|| format!("left out: {left_out:?}"));
        }
        self.story
            .tell(|| format!("{} steps: {next:?}", name(host)));
        for turn in &written {
            let mut turn = TurnSeen::from(turn);
            turn.works_on = works_on.clone();
            turn.left_out = left_out.clone();
            self.told.tell(Telling::Written(turn));
        }
        for (call, outcome) in heard {
            self.hear(host, call, outcome, store_failed, &left_out)?;
        }
        for call in unheard {
            self.never_hear(&call);
        }
        if let (Ok(next), false) = (next, store_failed)
            && let Some(rest) = self.hosts[host].rest(next)
        {
            self.rests(host, rest)?;
        }
        match next {
            Ok(next) => Ok(Some(next)),
            Err(died_at) => {
                self.story.fault(match died_at {
                    "commit" => "a host crashes before a commit",
                    "commit, written" => "a host crashes after a commit",
                    _ => "a host crashes between commits",
                });
                Ok(None)
            }
        }
    }

    /// A host has nothing more to do now. Then nothing waits that could go on.
    fn rests(&mut self, host: usize, rest: Rest) -> Result<(), String> {
        let judged = nothing_waits_now(self.onlooker.as_mut(), &rest);
        self.told.tell(Telling::Rested(rest));
        judged.map_err(|broken| format!("{} rests: {broken}", name(host)))
    }

    /// Time passes, everywhere.
    pub(super) fn pass(&mut self, span: Duration) {
        self.story.tell(|| format!("{span:?} pass"));
        for host in &self.hosts {
            host.clock.advance(span);
        }
        self.lasting.wake();
    }

    /// What became of it.
    pub(super) fn into_simulated(mut self, broken: Option<String>) -> Simulated {
        let heads = self.heads();
        Simulated {
            story: self.story,
            heads,
            broken,
        }
    }
}

/// How a host is called, by its workers too.
pub(super) fn name(host: usize) -> &'static str {
    ["left", "right"][host]
}
