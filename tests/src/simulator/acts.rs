//! What the dice do to a world, one act at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use refrain::limits::CONFLICTS_IN_A_ROW_MAX;
use refrain::model::Digest;
use refrain::store::ended;
use refrain::{ClaimId, ExecutionId, Fork, Start, WorkError};
use serde_json::json;

use super::calls::{Call, Given, Operation};
use super::crews;
use super::workflows;
use super::world::{ToldExecution, World};
use crate::faulty_store::Fate;
use crate::twin;

/// Keys that callers use again and again.
const KEYS: u64 = 4;

/// Executions that a world has at most: enough to be in each other's way.
const EXECUTIONS_MAX: usize = 5;

/// The same, with their forks.
const FORKS_MAX: usize = 8;

/// An execution that no caller was told of, with the nodes and the external events of its
/// workflow.
type Untold = (ExecutionId, Vec<String>, Vec<String>);

impl World {
    /// One act.
    pub(super) fn act(&mut self) -> Result<(), String> {
        let host = usize::from(self.dice.chance(1, 2));
        if self.hosts[host].engine().is_none() && self.dice.chance(1, 2) {
            return self.open(host, true);
        }
        match self.dice.below(100) {
            0..40 => drop(self.step(host)?),
            40..50 => self.claim(host),
            50..62 => self.answer(host),
            62..65 => self.renew(host),
            65..69 => self.start(host),
            69..80 => self.operate(host)?,
            80..92 => self.wait(),
            92..94 => self.jump(host),
            94..97 => self.plan(host),
            97 => self.leave(host),
            _ => self.die(),
        }
        Ok(())
    }

    fn start(&mut self, host: usize) {
        let workflow = usize::try_from(self.dice.below(self.workflows.len() as u64)).unwrap_or(0);
        let keyed = self.dice.chance(2, 3) || self.executions.len() >= EXECUTIONS_MAX;
        let key = keyed.then(|| format!("key {workflow} {}", self.dice.below(KEYS)));
        let Some(drawn) = self.workflows.get(workflow) else {
            return;
        };
        let known = key.as_ref().is_some_and(|key| self.keys.contains_key(key));
        if known {
            self.story.fault("a caller starts with a key twice");
        } else if self.executions.len() >= EXECUTIONS_MAX {
            return;
        }
        let input = drawn.input.clone();
        let mut start = Start::new(drawn.id.clone(), "1.0.0", input.clone());
        if let Some(key) = &key {
            start = start.key(key.clone());
        } else if self.dice.chance(1, 3) {
            start = start.priority(u32::try_from(self.dice.below(10)).unwrap_or(0));
        }
        self.hosts[host].send(Call::Start {
            workflow,
            key,
            input: input.to_string(),
            start,
        });
    }

    fn claim(&mut self, host: usize) {
        for queue in crews::queues() {
            if self.dice.chance(1, 2) {
                let (max, worker) = (
                    1 + self.dice.below(3),
                    format!("outside {}", self.dice.below(3)),
                );
                let max = usize::try_from(max).unwrap_or(1);
                if self.dice.chance(1, 2) {
                    self.request(host, queue, worker);
                } else {
                    self.hosts[host].send(Call::Claim { queue, max, worker });
                }
            }
        }
    }

    /// A worker asks by one of a few requests, so that most are repeated.
    fn request(&mut self, host: usize, queue: &'static str, worker: String) {
        let number = self.dice.below(2);
        let request = (worker, format!("{queue} {number}"));
        if self.requests.sent.contains(&request) {
            self.story.fault("a worker repeats a request for work");
        }
        self.requests.sent.insert(request.clone());
        let waits = self.dice.chance(1, 3);
        self.hosts[host].send(Call::Request {
            queue,
            max: 1 + usize::try_from(number).unwrap_or(0),
            request,
            waits,
        });
    }

    fn renew(&mut self, host: usize) {
        let place = self.thrown_claim();
        if let Some(held) = self.outside.at(place) {
            self.hosts[host].send(Call::Renew(held.claim.id.clone()));
        }
    }

    /// The newest claims are the most likely to hold.
    fn thrown_claim(&mut self) -> u64 {
        let held = self.outside.len();
        let among = if self.dice.chance(2, 3) {
            held.min(4)
        } else {
            held
        };
        held.saturating_sub(1 + self.dice.below(among.max(1)))
    }

    fn answer(&mut self, host: usize) {
        let place = self.thrown_claim();
        let now = self.hosts[host].now();
        let Some(held) = self.outside.at(place).cloned() else {
            return;
        };
        let claim = held.claim.id.clone();
        let again = held.sent.last().filter(|_| self.dice.chance(2, 3)).cloned();
        let fault = match (&again, held.sent.is_empty()) {
            (Some(_), _) => "a worker answers twice",
            (None, false) => "a worker answers otherwise than before",
            (None, true) => "a worker answers",
        };
        self.story.fault(fault);
        if held.claim.expires_at <= now {
            self.story.fault("a worker answers after its lease");
        }
        if self.outside.is_old(&claim) {
            self.story.fault("a worker answers with an old fence");
        }
        let record = self.onlooker.execution(claim.execution);
        if record.is_ok_and(|record| record.is_some_and(|record| ended(record.status))) {
            self.story.fault("a worker answers after the end");
        }
        let given = again.unwrap_or_else(|| self.given(&claim));
        if let Some(held) = self.outside.at(place) {
            held.sent.push(given.clone());
        }
        self.hosts[host].send(Call::Answer(claim, given));
    }

    fn given(&mut self, claim: &ClaimId) -> Given {
        let known = self
            .executions
            .iter()
            .find(|known| known.id == claim.execution);
        let drawn = known.map(|known| &self.workflows[known.workflow]);
        let targets = drawn.and_then(|drawn| drawn.nodes.get(&claim.node_id));
        let target = targets.and_then(|targets| self.dice.pick(targets)).cloned();
        let done = |patch, chosen_target: Option<String>| Given::Done {
            output: json!({ "node": claim.node_id, "to": chosen_target }),
            patch,
            chosen_target,
        };
        match self.dice.below(20) {
            0 => {
                self.story.fault("a worker answers what does not do");
                done(json!(["no object"]), None)
            }
            1 => {
                self.story.fault("a worker answers what does not do");
                done(json!({}), Some("nowhere".to_owned()))
            }
            2..6 => {
                let class = crews::class(&mut self.dice);
                Given::Failed(WorkError::retryable(format!("no: {class}")).class(class))
            }
            6 => Given::Failed(WorkError::permanent("never")),
            9..12 => {
                self.story.fault("a worker gives its work back");
                Given::Released
            }
            7..9 if target.is_some() => {
                self.story.fault("a worker chooses a target");
                done(workflows::patch(&mut self.dice), target)
            }
            _ => done(workflows::patch(&mut self.dice), None),
        }
    }

    fn operate(&mut self, host: usize) -> Result<(), String> {
        if self.dice.chance(1, 4)
            && let Some((id, nodes, keys)) = self.child()?
        {
            if self.may_be_erased(id) && self.dice.chance(1, 4) {
                self.story.fault("a child is erased while others go on");
                return self.erase(id);
            }
            self.story.fault("something is done to a child");
            return self.operate_on(host, id, &nodes, &keys);
        }
        let Some(ToldExecution { id, workflow }) = self.dice.pick(&self.executions).copied() else {
            return Ok(());
        };
        if self.may_be_erased(id) && self.dice.chance(1, 3) {
            self.story
                .fault("what has ended is erased while others go on");
            return self.erase(id);
        }
        if self.executions.len() < FORKS_MAX && self.dice.chance(1, 12) {
            return self.fork(host, ToldExecution { id, workflow });
        }
        let drawn = &self.workflows[workflow];
        let nodes: Vec<_> = drawn.nodes.keys().cloned().collect();
        let keys = drawn.keys.clone();
        self.operate_on(host, id, &nodes, &keys)
    }

    /// An execution that no caller was told of: a child, as a rule.
    fn child(&mut self) -> Result<Option<Untold>, String> {
        let told: BTreeSet<_> = self.executions.iter().map(|it| it.id).collect();
        let mut records = self.records()?;
        records.retain(|record| !told.contains(&record.id));
        let Some(record) = self.dice.pick(&records) else {
            return Ok(None);
        };
        let (id, version) = (&record.workflow_id, &record.workflow_version);
        let workflow = self.onlooker.workflow(&record.tenant, id, version);
        let text = workflow.map_err(|error| error.to_string())?;
        let text = text.map_or_else(String::new, |it| it.text);
        let (nodes, keys) = workflows::nodes_and_keys(&text);
        Ok(Some((record.id, nodes, keys)))
    }

    fn operate_on(
        &mut self,
        host: usize,
        id: ExecutionId,
        nodes: &[String],
        keys: &[String],
    ) -> Result<(), String> {
        let node = self.dice.pick(nodes).cloned().unwrap_or_default();
        let key = self.dice.pick(keys).cloned();
        let key = key.unwrap_or_else(|| "nobody waits for it".to_owned());
        let operation = match self.dice.below(46) {
            0..4 => Operation::Pause,
            4..10 => Operation::Unpause,
            10 | 11 => Operation::Cancel,
            12..15 => Operation::Approve(node, true),
            15..17 => Operation::Approve(node, false),
            17..23 => {
                let with_id = self.dice.chance(2, 3);
                let id = with_id.then(|| format!("{key} {}", self.dice.below(3)));
                Operation::Signal(key, id)
            }
            23..27 => Operation::Retry(node),
            27..29 => Operation::Skip(node),
            29..34 => Operation::LiftStall,
            34..37 => Operation::Look(None),
            42..46 => Operation::Upgrade(self.guest()),
            39..40 => Operation::Step,
            37..39 => {
                self.story.fault("a caller waits for the end");
                Operation::AwaitEnd
            }
            _ => Operation::Look(Some(node)),
        };
        self.hosts[host].send(Call::Operate(id, operation));
        Ok(())
    }

    /// A guest for an execution that has one.
    fn guest(&mut self) -> Digest {
        let nobodys = Digest::default();
        let guest = match self.dice.below(8) {
            0 => return nobodys,
            1..5 => twin::digest(),
            _ => self.library.built_in(),
        };
        guest.parse().unwrap_or(nobodys)
    }

    /// An execution is forked somewhere, or where that is refused.
    fn fork(&mut self, host: usize, of: ToldExecution) -> Result<(), String> {
        let ToldExecution { id, workflow } = of;
        let record = self.onlooker.execution(id);
        let last = match record.map_err(|error| error.to_string())? {
            Some(record) => record.head.sequence,
            None => 0,
        };
        let nodes: Vec<_> = self.workflows[workflow].nodes.keys().collect();
        let node = self.dice.pick(&nodes).map(|node| (*node).clone());
        let node = node.unwrap_or_default();
        let fork = Fork::of(id).by("cleo");
        let mut edits = 0;
        let fork = match self.dice.below(10) {
            0..2 => fork,
            2..6 => fork.at(self.dice.below(last + 2)),
            6 | 7 => fork.from_node(node),
            8 => fork.input(json!({ "k1": 1 })),
            _ => {
                self.story.fault("a result is edited in a fork");
                edits = 1;
                let fork = fork.result(node.clone(), json!({ "k2": "by hand" }));
                match self.dice.pick(&nodes) {
                    Some(other) if **other != node && self.dice.chance(1, 2) => {
                        edits += 1;
                        fork.result((*other).clone(), json!({ "k1": "too" }))
                    }
                    _ => fork,
                }
            }
        };
        self.hosts[host].send(Call::Fork {
            workflow,
            origin: id,
            edits,
            fork,
        });
        Ok(())
    }

    fn wait(&mut self) {
        let most_ms = if self.dice.chance(1, 5) {
            30_000
        } else {
            2_500
        };
        let span = Duration::from_millis(self.dice.below(most_ms));
        self.pass(span);
    }

    /// Somebody sets a clock.
    fn jump(&mut self, host: usize) {
        let most_ms = if self.dice.chance(1, 5) {
            3_600_000
        } else {
            30_000
        };
        let by = self.dice.below(most_ms);
        let now = self.hosts[host].now();
        if self.dice.chance(1, 2) {
            self.story.fault("a clock jumps forward");
            self.hosts[host].clock.set(now.saturating_add(by));
        } else {
            self.story.fault("a clock jumps back");
            self.hosts[host].clock.set(now.saturating_sub(by));
        }
        self.lasting.wake();
    }

    /// Something will befall a host's store.
    fn plan(&mut self, host: usize) {
        if self.hosts[host].engine().is_none() {
            return;
        }
        let soon = self.dice.below(40);
        let plan = &self.hosts[host].plan;
        match self.dice.below(12) {
            9.. => {
                let nth = usize::try_from(self.dice.below(8)).unwrap_or(0);
                let times = match self.dice.below(3) {
                    0 => 1 + self.dice.below(3),
                    _ => u64::from(CONFLICTS_IN_A_ROW_MAX) + self.dice.below(6),
                };
                plan.contend(nth, u32::try_from(times).unwrap_or(1));
            }
            0 => {
                self.story.fault("a commit fails");
                plan.next(Fate::Fails);
            }
            1 => {
                self.story
                    .fault("a commit succeeds, and its answer is lost");
                plan.next(Fate::AnswerLost);
            }
            2 => {
                self.story.fault("an operation of the store fails");
                plan.fail_after(soon);
            }
            3 => plan.next(Fate::DiesBefore),
            5 => {
                self.story.fault("a commit fails, and its answer is lost");
                plan.next(Fate::LostUnwritten);
            }
            4 => plan.next(Fate::DiesAfter),
            _ => plan.die_after(soon),
        }
    }

    fn leave(&mut self, host: usize) {
        let in_peace = self.dice.chance(1, 2);
        if self.hosts[host].engine().is_some() {
            self.story.fault(if in_peace {
                "a host leaves in peace"
            } else {
                "a host leaves at once"
            });
            self.hosts[host].send(Call::Leave { in_peace });
        }
    }

    fn die(&mut self) {
        let place = self.thrown_claim();
        if self.outside.at(place).is_some() {
            self.story.fault("a worker dies");
            self.outside.die(place);
        }
    }
}
