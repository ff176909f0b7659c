//! Some hundred rounds: each starts the program, kills it at a random moment,
//! and looks whether what was acknowledged is still there.
//!
//! When the victim dies is thrown in what it has said, and in parts of the time that
//! victims take to say anything, never in seconds: on a busy machine as on an idle
//! one, opening, the first turn, work and endings are all hit.
//!
//! Nothing waits for a lease or a back-off within a round: what the dead
//! process was at rests for rule R12's two seconds or more, and meanwhile other
//! executions keep the next processes busy. Only the end of a database waits
//! until all have ended, and is audited as a whole.
//!
//! ```text
//! REFRAIN_SEED=7 cargo test --workspace --test processes crash     the kill times of seed 7
//! REFRAIN_ROUNDS=1 cargo test --workspace --test processes crash   ten times as many databases
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain_tests::binary::refrain;
use refrain_tests::dice::{self, Dice};
use refrain_tests::rounds;
use serde_json::{Map, Value, json};

use super::document;
use super::witness::Witness;

/// Databases, two at a time.
const DATABASES: u32 = 6;
const ROUNDS: u64 = 32;
const STEPS: usize = 6;

/// A victim dies at the latest when it has said so many lines: of an execution of
/// its own it says one, and one for each step.
const LINES_MAX: u64 = STEPS as u64;

/// How often to look how much a victim has said.
const LOOK: Duration = Duration::from_millis(1);

#[test]
fn what_was_acknowledged_is_there_after_every_kill() -> Result<()> {
    let seed = dice::seed();
    let databases = u64::from(rounds(DATABASES, 10 * DATABASES));
    let (even, odd) = std::thread::scope(|scope| {
        let lane = |from: u64| {
            let databases = (from..databases).step_by(2);
            scope.spawn(move || {
                databases
                    .map(|it| database(seed.wrapping_add(it)))
                    .collect()
            })
        };
        let (even, odd) = (lane(0), lane(1));
        (even.join(), odd.join())
    });
    let mut sum = Sum::default();
    for lane in [even, odd] {
        let lane: Result<Vec<Sum>> = lane.expect("a lane answers with its errors");
        lane?.iter().for_each(|it| sum.add(it));
    }
    println!("{sum:?}");
    // A kill that comes after the end, or before anything was said, shows nothing.
    ensure!(
        sum.killed * 3 > sum.rounds && sum.heard * 2 > sum.rounds,
        "most of the rounds came to nothing: {sum:?}"
    );
    Ok(())
}

/// What came of the rounds.
#[derive(Debug, Default)]
struct Sum {
    rounds: u64,
    /// Rounds whose victim was alive when it was killed.
    killed: u64,
    /// Acknowledgements by the program's own word.
    heard: u64,
    attempts_lost: u64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.killed += other.killed;
        self.heard += other.heard;
        self.attempts_lost += other.attempts_lost;
    }
}

/// All rounds of one database. Its seed is all that they depend on, as far as
/// the machine allows.
fn database(seed: u64) -> Result<Sum> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("steps.json"), steps().to_string())?;
    let mut rounds = Rounds {
        folder: folder.path(),
        dice: Dice::seeded(seed),
        witness: Witness::new(&folder.path().join("killed.db")),
        first_line_after: None,
        starts: 0,
        sum: Sum::default(),
    };
    for round in 0..ROUNDS {
        rounds
            .round(round)
            .with_context(|| format!("round {round} of REFRAIN_SEED={seed}"))?;
    }
    rounds
        .end()
        .with_context(|| format!("the end of REFRAIN_SEED={seed}"))?;
    Ok(rounds.sum)
}

struct Rounds<'a> {
    folder: &'a Path,
    dice: Dice,
    witness: Witness,
    /// How long the last one that was waited for took to say its first line.
    first_line_after: Option<Duration>,
    /// Executions that were asked for.
    starts: u64,
    sum: Sum,
}

/// What the victim was asked to do.
enum Task {
    /// Run or resume; what it says is in a file.
    Work,
    /// Record the event of this correlation key.
    Signal(String),
}

impl Rounds<'_> {
    fn round(&mut self, round: u64) -> Result<()> {
        let (mut victim, task) = self.victim(round)?;
        let born = Instant::now();
        // In half of the rounds it is the program itself that opens the file
        // as it was left; in the others a reader comes along.
        if self.dice.chance(1, 2) {
            self.witness.look()?;
        }
        self.let_live(&mut victim, &task, born)?;
        // What a reader sees counts, too.
        if self.dice.chance(1, 2) {
            self.witness.look()?;
        }
        let ended = victim.try_wait()?;
        victim.kill()?;
        victim.wait()?;
        self.sum.rounds += 1;
        self.sum.killed += u64::from(ended.is_none());
        match task {
            Task::Work => {
                let said = std::fs::read_to_string(self.said())?;
                self.witness.hear(&said);
                ensure!(!said.contains("error"), "the program said: {said}");
            }
            Task::Signal(key) if ended.is_some_and(|status| status.success()) => {
                self.witness.recorded(&key);
            }
            Task::Signal(_) => {}
        }
        Ok(())
    }

    /// Let the victim live up to its moment, or its own end: it has said so much,
    /// or a part of the time has passed that another took to say anything.
    fn let_live(&mut self, victim: &mut Child, task: &Task, born: Instant) -> Result<()> {
        let (lines, part) = (self.dice.below(LINES_MAX), self.dice.below(1000));
        let by_lines = self.dice.chance(1, 2);
        match (self.first_line_after, task) {
            (Some(usual), Task::Work) if !by_lines => {
                let dies_after = usual.mul_f64(part as f64 / 1000.0);
                std::thread::sleep(dies_after.saturating_sub(born.elapsed()));
            }
            // It says nothing that is heard, but that it was done.
            (Some(usual), Task::Signal(_)) => {
                let dies_after = usual.mul_f64(part as f64 / 500.0);
                std::thread::sleep(dies_after.saturating_sub(born.elapsed()));
            }
            _ => {
                let mut said = 0;
                while said <= lines && victim.try_wait()?.is_none() {
                    std::thread::sleep(LOOK);
                    let text = std::fs::read_to_string(self.said())?;
                    if said == 0 && text.contains('\n') {
                        self.first_line_after = Some(born.elapsed());
                    }
                    said = text.lines().count() as u64;
                }
            }
        }
        Ok(())
    }

    /// The next process: it starts another execution, goes on with all there
    /// are, or brings an event.
    fn victim(&mut self, round: u64) -> Result<(Child, Task)> {
        let mut command = refrain(self.folder);
        command.stdout(Stdio::null());
        let executions: Vec<_> = self.witness.executions().collect();
        let (arguments, task) = match (self.dice.below(6), self.dice.pick(&executions)) {
            (0, Some(id)) => {
                let key = format!("event{round}");
                let arguments = vec!["signal".into(), id.to_string(), key.clone()];
                (arguments, Task::Signal(key))
            }
            (1 | 2, Some(_)) => (vec!["resume".into()], Task::Work),
            (_, _) => (self.start(), Task::Work),
        };
        command.args(arguments).args(["--db", "killed.db"]);
        match task {
            Task::Work => command.stderr(File::create(self.said())?),
            Task::Signal(_) => command.stderr(Stdio::null()),
        };
        Ok((command.spawn()?, task))
    }

    /// Now and then the key of an execution that was asked for before.
    fn start(&mut self) -> Vec<String> {
        if self.starts == 0 || self.dice.chance(3, 4) {
            self.starts += 1;
        }
        let key = format!("key{}", 1 + self.dice.below(3).min(self.starts - 1));
        let key = if self.dice.chance(1, 4) {
            key
        } else {
            format!("key{}", self.starts)
        };
        ["run", "steps.json", "--key", &key]
            .map(str::to_owned)
            .to_vec()
    }

    fn said(&self) -> PathBuf {
        self.folder.join("said")
    }

    /// Let everything come to its end, and look at all of it.
    fn end(&mut self) -> Result<()> {
        let resumed = refrain(self.folder)
            .args(["resume", "--db", "killed.db"])
            .stdout(Stdio::null())
            .stderr(File::create(self.said())?)
            .status()?;
        let said = std::fs::read_to_string(self.said())?;
        ensure!(resumed.success(), "the last one said: {said}");
        self.witness.hear(&said);
        self.witness.look()?;
        self.sum.heard += self.witness.heard() as u64;

        let all = |command: &str, more: &[&str]| {
            let mut asked: Command = refrain(self.folder);
            asked.arg(command).args(more);
            document(asked.args(["--db", "killed.db", "--json"]))
        };
        let audit = all("audit", &["--all"])?;
        let audited = audit["executions"].as_array().context("executions")?;
        ensure!(
            audited.iter().all(|it| it["verdict"] == "clean"),
            "{audit:#}"
        );
        ensure!(
            audited.len() == self.witness.executions().count(),
            "not all were audited: {audit:#}"
        );
        let ran = ran(&self.folder.join("ran"))?;
        for id in self.witness.executions() {
            let id = id.to_string();
            let shown = all("show", &[&id])?;
            self.sum.attempts_lost += counted_once(&id, &shown["final_state"], &ran)?;
        }
        Ok(())
    }
}

/// The state of an ended execution holds one result of each node, and it is
/// one that an attempt had. How many attempts came to nothing.
fn counted_once(
    execution: &str,
    state: &Value,
    ran: &BTreeMap<(String, String), Vec<String>>,
) -> Result<u64> {
    let mut lost = 0;
    for step in 0..STEPS {
        let node = format!("n{step}");
        let result = state[&node].as_str().context("a result of each node")?;
        let attempts = ran
            .get(&(execution.to_owned(), node.clone()))
            .with_context(|| format!("{node} of {execution} never ran"))?;
        ensure!(
            attempts.iter().any(|it| it == result),
            "{node} of {execution} counts {result}, which no attempt had: {attempts:?}"
        );
        lost += attempts.len() as u64 - 1;
    }
    Ok(lost)
}

/// What the commands themselves noted: the attempts of each node.
fn ran(path: &Path) -> Result<BTreeMap<(String, String), Vec<String>>> {
    let mut ran: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let [execution, node, result] = line.split(' ').collect::<Vec<_>>()[..] else {
            anyhow::bail!("a line that no command wrote: {line:?}");
        };
        ran.entry((execution.to_owned(), node.to_owned()))
            .or_default()
            .push(result.to_owned());
    }
    Ok(ran)
}

/// A diamond of real commands, with attempts to spare. Each notes that it ran,
/// and has a result that no other attempt has.
fn steps() -> Value {
    let mut nodes = Map::new();
    let mut edges = Vec::new();
    for step in 0..STEPS {
        let id = format!("n{step}");
        let script = format!(
            "sleep 0.02; result=$REFRAIN_ATTEMPT.$$; \
             echo $REFRAIN_EXECUTION {id} $result >> ran; echo '{{\"{id}\": \"'$result'\"}}'"
        );
        nodes.insert(id.clone(), json!({"kind": {"type": "command", "argv": ["sh", "-c", script]}, "retry_policy": "patient"}));
        match step {
            0 => {}
            1..4 => edges.push(json!({"from": "n0", "to": id})),
            4 => edges.extend((1..4).map(|from| json!({"from": format!("n{from}"), "to": "n4"}))),
            _ => edges.push(json!({"from": format!("n{}", step - 1), "to": id})),
        }
    }
    json!({
        "workflow_id": "steps", "version": "1.0.0", "start_node": "n0", "nodes": nodes, "edges": edges,
        "retry_policies": {"patient": {"max_attempts": 50, "backoff": "fixed", "initial_delay": 1, "max_delay": 1}},
    })
}
