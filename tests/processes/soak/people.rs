//! People: they approve, and bring events, to executions that may wait for it
//! or not.

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
}

impl Person {
    pub(crate) fn new(ground: &Ground) -> Self {
        Self {
            said: ground.folder().join("person"),
            at: None,
            done: 0,
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
            self.done += usize::from(status.success());
        }
        let Some(id) = dice.pick(ground.waiting()) else {
            return Ok(());
        };
        let task = match dice.chance(1, 2) {
            true => ["approve", id, "gate"],
            false => ["signal", id, "go"],
        };
        let mut command = ground.refrain(&task);
        command.stdout(Stdio::null());
        command.stderr(File::create(&self.said)?);
        self.at = Some(Living(command.spawn()?));
        Ok(())
    }
}
