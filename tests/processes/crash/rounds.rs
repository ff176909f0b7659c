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
//! What runs meanwhile is a [`Subject`]: its workflow, and how the end of its executions
//! is judged.
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
use refrain::id::ExecutionId;
use refrain_tests::binary::refrain;
use refrain_tests::dice::{self, Dice};
use refrain_tests::rounds;
use serde_json::{Value, json};

use super::document;
use super::witness::Witness;

/// What runs while processes are killed.
pub(super) struct Subject {
    /// Its workflow, of version 1.0.0.
    pub(super) workflow: fn() -> Value,
    /// Databases, two at a time: usually, and where all rounds are asked for.
    pub(super) databases: (u32, u32),
    /// Rounds of each database.
    pub(super) rounds: u64,
    /// A victim dies at the latest when it has said so many lines: of an execution of
    /// its own it says one, and one for each step.
    pub(super) lines_max: u64,
    /// Whether its executions complete, or fail.
    pub(super) completes: bool,
    /// Judges a database whose executions have all ended, and says how many attempts
    /// came to nothing.
    pub(super) judge: fn(&Ended<'_>) -> Result<u64>,
}

/// A database whose executions have all ended.
pub(super) struct Ended<'a> {
    pub(super) folder: &'a Path,
    pub(super) database: &'a Path,
    pub(super) executions: Vec<ExecutionId>,
    /// What the commands themselves noted.
    pub(super) ran: Ran,
}

/// The results of the attempts of each node, by execution and node.
pub(super) type Ran = BTreeMap<(String, String), Vec<String>>;

/// How often to look how much a victim has said.
const LOOK: Duration = Duration::from_millis(1);

/// A victim that says nothing more has done so for a reason: far longer than any
/// back-off of rule R12 takes (64 s).
const LIFE_MAX: Duration = Duration::from_secs(400);

/// Kills processes at random moments while they run it, and looks at what is left.
pub(super) fn kill_while_it_runs(subject: &Subject) -> Result<()> {
    let seed = dice::seed();
    let databases = u64::from(rounds(subject.databases.0, subject.databases.1));
    let (even, odd) = std::thread::scope(|scope| {
        let lane = |from: u64| {
            let databases = (from..databases).step_by(2);
            scope.spawn(move || {
                databases
                    .map(|it| database(subject, seed.wrapping_add(it)))
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
    let are_enough = match sum.rounds >= MANY {
        true => sum.killed * 3 > sum.rounds && sum.heard * 2 > sum.rounds,
        false => sum.killed > 0 && sum.heard > 0,
    };
    ensure!(are_enough, "most of the rounds came to nothing: {sum:?}");
    Ok(())
}

/// So many rounds that a share of them is no chance: of a dozen, fewer than half may well
/// have said something.
const MANY: u64 = 60;

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
fn database(subject: &Subject, seed: u64) -> Result<Sum> {
    let folder = tempfile::tempdir()?;
    let workflow = (subject.workflow)().to_string();
    std::fs::write(folder.path().join("steps.json"), workflow)?;
    let mut rounds = Rounds {
        subject,
        folder: folder.path(),
        dice: Dice::seeded(seed),
        witness: Witness::new(&folder.path().join("killed.db")),
        first_line_after: None,
        starts: 0,
        sum: Sum::default(),
    };
    for round in 0..subject.rounds {
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
    subject: &'a Subject,
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
        let (lines, part) = (
            self.dice.below(self.subject.lines_max),
            self.dice.below(1000),
        );
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
                    ensure!(born.elapsed() < LIFE_MAX, "a victim does not go on");
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
        // The last victim may have died after it had written all ends.
        let is_over = said.starts_with("nothing to resume");
        let code = i32::from(!self.subject.completes && !is_over);
        ensure!(resumed.code() == Some(code), "the last one said: {said}");
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
        self.sum.attempts_lost += (self.subject.judge)(&Ended {
            folder: self.folder,
            database: &self.folder.join("killed.db"),
            executions: self.witness.executions().collect(),
            ran: ran(&self.folder.join("ran"))?,
        })?;
        Ok(())
    }
}

/// A result that counts is one that an attempt of the node had. How many attempts came to
/// nothing.
pub(super) fn counted_once(ran: &Ran, execution: &str, node: &str, result: &str) -> Result<u64> {
    let attempts = ran
        .get(&(execution.to_owned(), node.to_owned()))
        .with_context(|| format!("{node} of {execution} never ran"))?;
    ensure!(
        attempts.iter().any(|it| it == result),
        "{node} of {execution} counts {result}, which no attempt had: {attempts:?}"
    );
    Ok(attempts.len() as u64 - 1)
}

/// What the commands themselves noted: the attempts of each node.
fn ran(path: &Path) -> Result<Ran> {
    let mut ran = Ran::new();
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

/// A command that notes that it ran, and answers with a result that no other attempt has,
/// as this field, and with these besides (`"a":1,`).
pub(super) fn noting(field: &str, besides: &str) -> Value {
    let script = format!(
        "sleep 0.02; result=$REFRAIN_ATTEMPT.$$; \
         echo $REFRAIN_EXECUTION $REFRAIN_NODE $result >> ran; echo '{{{besides}\"{field}\": \"'$result'\"}}'"
    );
    json!({"type": "command", "argv": ["sh", "-c", script]})
}

/// Attempts to spare: each kill costs what is at work one.
pub(super) fn policies() -> Value {
    json!({"patient": {"max_attempts": 50, "backoff": "fixed", "initial_delay": 1, "max_delay": 1}})
}
