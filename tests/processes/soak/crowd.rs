//! Four processes on one file, and what befalls them.
//!
//! Each is killed at a random moment, or told to stop, or left to end; before
//! that, it may be stopped, also for longer than its leases hold. When it has gone,
//! another one takes its place.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain_tests::dice::Dice;
use rustix::process::{Pid, Signal, kill_process};

use super::ground::{Ground, Living};
use super::work::{HONEST, HOSTILE};

const PROCESSES: usize = 4;

/// Executions of hostile guests: as many as there are guests, some times over.
/// After that, those that there are are gone on with.
const HOSTILE_MAX: usize = 3 * HOSTILE.len();

/// How long a process lives.
const LIFE_MS: u64 = 6_000;
/// One in six of them: long enough that leases end.
const LONG_LIFE_MS: u64 = 20_000;

/// One look in so many stops one of them: about once in two seconds.
const ONE_IS_STOPPED: u64 = 80;

/// How long one is stopped; one in four for longer than a lease.
const STOPPED_MS: u64 = 2_000;
const LONG_STOPPED_MS: u64 = 12_000;

/// What a process that was told to stop may take for it. A hostile guest may
/// hold the write lock for some ten seconds, and a busy machine is slow.
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// What is said where another process that was stopped within a turn, or whose
/// guest is hostile, has held the write lock for too long: it is the remedy
/// that counts, and that nothing is lost.
const LOCKED: &str = "is locked by another process; wait for it to end, or stop it";

/// All of them.
pub(crate) struct Crowd {
    living: Vec<Process>,
    /// Which hostile guest comes first.
    first_guest: usize,
    pub(crate) sum: Sum,
}

/// What has happened to them.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    pub(crate) started: usize,
    pub(crate) hostile: usize,
    pub(crate) killed: usize,
    pub(crate) told_to_stop: usize,
    pub(crate) ended: usize,
    pub(crate) stopped: usize,
}

struct Process {
    living: Living,
    said: PathBuf,
    does: String,
    /// It is stopped, and until when.
    asleep_until: Option<Instant>,
    /// When its end comes, and how.
    end: Instant,
    dies_by: Signal,
    told_to_stop: bool,
}

impl Crowd {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            living: Vec::new(),
            first_guest: dice.below(HOSTILE.len() as u64) as usize,
            sum: Sum::default(),
        }
    }

    /// See to each of them, and that there are enough. A few times a second.
    pub(crate) fn look(&mut self, ground: &mut Ground, dice: &mut Dice) -> Result<()> {
        for mut process in std::mem::take(&mut self.living) {
            match process.living.0.try_wait()? {
                Some(status) => self.gone(process, status, ground)?,
                None => {
                    self.befall(&mut process)?;
                    self.living.push(process);
                }
            }
        }
        while self.living.len() < PROCESSES {
            let process = self.process(ground, dice)?;
            self.living.push(process);
        }
        if dice.chance(1, ONE_IS_STOPPED) {
            self.stop_one(dice)?;
        }
        Ok(())
    }

    /// One of those that run is stopped for a while.
    fn stop_one(&mut self, dice: &mut Dice) -> Result<()> {
        let asleep_ms = if dice.chance(1, 4) {
            LONG_STOPPED_MS
        } else {
            STOPPED_MS
        };
        let asleep_for = Duration::from_millis(dice.below(asleep_ms));
        let runs = |process: &&mut Process| process.asleep_until.is_none() && !process.told_to_stop;
        let mut running: Vec<_> = self.living.iter_mut().filter(runs).collect();
        if running.is_empty() {
            return Ok(());
        }
        let process = running.swap_remove(dice.below(running.len() as u64) as usize);
        process.send(Signal::STOP)?;
        process.asleep_until = Some(Instant::now() + asleep_for);
        self.sum.stopped += 1;
        Ok(())
    }

    /// It is over: all of them are killed.
    pub(crate) fn disperse(&mut self, ground: &mut Ground) -> Result<()> {
        for mut process in std::mem::take(&mut self.living) {
            process.living.0.kill()?;
            let status = process.living.0.wait()?;
            self.gone(process, status, ground)?;
        }
        Ok(())
    }

    fn process(&mut self, ground: &mut Ground, dice: &mut Dice) -> Result<Process> {
        let number = self.sum.started;
        let said = ground.folder().join(format!("said{number}"));
        let task = self.task(number, ground, dice);
        let does = task.join(" ");
        let child = ground
            .refrain(&task)
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()?;
        self.sum.started += 1;
        let now = Instant::now();
        let within = |dice: &mut Dice, ms: u64| Duration::from_millis(dice.below(ms));
        let life_ms = if dice.chance(1, 6) {
            LONG_LIFE_MS
        } else {
            LIFE_MS
        };
        let life = within(dice, life_ms);
        Ok(Process {
            living: Living(child),
            said,
            does,
            asleep_until: None,
            end: now + life,
            dies_by: match dice.below(6) {
                0 => Signal::TERM,
                1 => Signal::INT,
                _ => Signal::KILL,
            },
            told_to_stop: false,
        })
    }

    /// What the next one is asked to do.
    fn task(&mut self, number: usize, ground: &Ground, dice: &mut Dice) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        // The first ones see to it that there is some of everything.
        let hostile = number % 3 == 2;
        if hostile && self.sum.hostile < HOSTILE_MAX {
            let guest = HOSTILE[(self.sum.hostile + self.first_guest) % HOSTILE.len()];
            self.sum.hostile += 1;
            return words(&["run", "hostile.json", "--guest", &format!("{guest}.wasm")]);
        }
        if hostile && let Some(id) = dice.pick(ground.hostile()) {
            return words(&["resume", id]);
        }
        if dice.chance(1, 2) {
            let (workflow, _) = HONEST[number % HONEST.len()];
            // Now and then a key that has been asked for before.
            let again = number >= HONEST.len() && dice.chance(1, 4);
            let key = number - if again { HONEST.len() } else { 0 };
            let file = format!("{workflow}.json");
            return words(&["run", &file, "--key", &key.to_string()]);
        }
        words(&["resume"])
    }

    fn befall(&mut self, process: &mut Process) -> Result<()> {
        let now = Instant::now();
        if process.asleep_until.is_some_and(|until| now >= until) {
            process.send(Signal::CONT)?;
            process.asleep_until = None;
        }
        if now < process.end {
            return Ok(());
        }
        if process.dies_by == Signal::KILL {
            self.sum.killed += usize::from(!process.told_to_stop);
            return process.send(Signal::KILL);
        }
        if !process.told_to_stop {
            if process.asleep_until.take().is_some() {
                process.send(Signal::CONT)?;
            }
            process.told_to_stop = true;
            self.sum.told_to_stop += 1;
            return process.send(process.dies_by);
        }
        ensure!(
            now < process.end + STOPS_WITHIN,
            "told to stop by {:?}, it goes on: {}",
            process.dies_by,
            process.does
        );
        // Once more means: at once.
        process.send(process.dies_by)
    }

    /// It has ended; by itself, it ends as a program that knows how.
    fn gone(&mut self, process: Process, status: ExitStatus, ground: &mut Ground) -> Result<()> {
        let said = fs::read_to_string(&process.said).context("what it said")?;
        fs::remove_file(&process.said)?;
        let about = || format!("{} ended with {status}, and said: {said}", process.does);
        ensure!(!said.contains("panicked at"), "{}", about());
        match status.signal() {
            // One that has no workers yet may die of being told to stop.
            Some(signal) => {
                let told = process.told_to_stop && signal == process.dies_by.as_raw();
                ensure!(told || signal == Signal::KILL.as_raw(), "{}", about());
            }
            None => {
                self.sum.ended += 1;
                // Good or bad; or stopped before it could tell.
                let told = match status.code() {
                    Some(0 | 1) => true,
                    Some(2) => {
                        process.told_to_stop || said.contains(LOCKED) || is_erased(ground, &said)
                    }
                    _ => false,
                };
                ensure!(told, "{}", about());
            }
        }
        ground.hear(&said);
        Ok(())
    }
}

/// Whether it was told that its key has started what people erased since: they erase
/// some of what may wait for them.
fn is_erased(ground: &Ground, said: &str) -> bool {
    let mut known = ground.waiting().iter();
    known.any(|id| said.contains(&format!("{id}, which was erased since")))
}

impl Process {
    fn send(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.living.0);
        match kill_process(pid, signal) {
            // It has ended, which is noticed at the next look.
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
