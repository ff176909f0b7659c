//! People: they approve, and bring events, to executions that may wait for it
//! or not; they fork some of them, and erase some that have ended.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Result, ensure};
use refrain_tests::dice::Dice;

use super::ground::{Ground, Living};

/// One person, who does one thing after another.
pub(crate) struct Person {
    said: PathBuf,
    at: Option<Living>,
    pub(crate) done: usize,
    pub(crate) forked: usize,
    pub(crate) erased: usize,
    /// The verb of what is at work.
    verb: &'static str,
}

impl Person {
    pub(crate) fn new(ground: &Ground) -> Self {
        Self {
            said: ground.folder().join("person"),
            at: None,
            done: 0,
            forked: 0,
            erased: 0,
            verb: "",
        }
    }

    /// The next thing, if the one before is done.
    pub(crate) fn look(&mut self, ground: &Ground, dice: &mut Dice) -> Result<()> {
        if let Some(Living(child)) = &mut self.at {
            let Some(status) = child.try_wait()? else {
                return Ok(());
            };
            self.at = None;
            // It is no fault to be refused: what is approved may not wait yet.
            let said = fs::read_to_string(&self.said)?;
            let told = matches!(status.code(), Some(0..=2)) && !said.contains("panicked at");
            ensure!(told, "a person's command ended with {status}: {said}");
            let done = usize::from(status.success());
            self.done += done;
            match self.verb {
                "fork" => self.forked += done,
                "erase" => self.erased += done,
                _ => {}
            }
        }
        let Some(id) = dice.pick(ground.waiting()) else {
            return Ok(());
        };
        let (verb, more): (_, &[&str]) = match dice.below(20) {
            0..9 => ("approve", &["gate"]),
            9..18 => ("signal", &["go"]),
            18 => ("fork", &[]),
            _ => ("erase", &[]),
        };
        self.verb = verb;
        let mut command = ground.refrain(&[&[verb, id.as_str()], more].concat());
        command.stdout(Stdio::null());
        command.stderr(File::create(&self.said)?);
        self.at = Some(Living(command.spawn()?));
        Ok(())
    }
}
