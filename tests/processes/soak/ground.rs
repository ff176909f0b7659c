//! Where a soak takes place: a folder with a database, a clock, and what is to
//! be run; and which executions were begun there, by the program's own word.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use refrain_tests::binary::{refrain_at_a_terminal, stderr, stdout};
use refrain_tests::odd_clock::OddClock;
use serde_json::Value;

use super::work;

const DATABASE: &str = "soak.db";

/// A process that is killed when it is let go of: where a soak fails, none is
/// left behind.
pub(crate) struct Living(pub(crate) Child);

impl Drop for Living {
    fn drop(&mut self) {
        // One that has gone already needs no killing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Ground {
    folder: tempfile::TempDir,
    pub(crate) clock: OddClock,
    /// Which workflow each execution is of.
    begun: BTreeMap<String, String>,
    hostile: Vec<String>,
    waiting: Vec<String>,
}

impl Ground {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let clock = OddClock::new(folder.path())?;
        work::write(folder.path())?;
        let mut ground = Self {
            folder,
            clock,
            begun: BTreeMap::new(),
            hostile: Vec::new(),
            waiting: Vec::new(),
        };
        // The scheduler is compiled once, and not by four processes at a time;
        // and there is a database to resume.
        let first = ground.refrain(&["run", "steps.json"]).output()?;
        ensure!(first.status.success(), "{}", stderr(&first));
        ground.hear(&stderr(&first));
        Ok(ground)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program, in this folder, on its database and by its clock.
    pub(crate) fn refrain<T: AsRef<str>>(&self, arguments: &[T]) -> Command {
        let mut command = refrain_at_a_terminal(self.folder.path());
        command.args(arguments.iter().map(AsRef::as_ref));
        command.args(["--db", DATABASE]);
        command.env("XDG_CACHE_HOME", self.folder.path().join("cache"));
        self.clock.rules(&mut command);
        command
    }

    /// The JSON document that the program answers with.
    pub(crate) fn document(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.refrain(arguments).arg("--json").output()?;
        serde_json::from_str(&stdout(&output))
            .with_context(|| format!("{arguments:?}: {}", stderr(&output)))
    }

    /// What a process has said: which executions it has begun.
    pub(crate) fn hear(&mut self, said: &str) {
        for line in said.lines() {
            let [id, workflow, "1.0.0"] = line.split_whitespace().collect::<Vec<_>>()[..] else {
                continue;
            };
            if !id.starts_with("exec_") || self.begun.contains_key(id) {
                continue;
            }
            self.begun.insert(id.to_owned(), workflow.to_owned());
            match workflow {
                "w" => self.hostile.push(id.to_owned()),
                "waits" => self.waiting.push(id.to_owned()),
                _ => {}
            }
        }
    }

    /// Executions, as the program said that it had begun them, and their workflows.
    pub(crate) fn begun(&self) -> &BTreeMap<String, String> {
        &self.begun
    }

    /// Those of hostile guests.
    pub(crate) fn hostile(&self) -> &[String] {
        &self.hostile
    }

    /// Those that wait for people.
    pub(crate) fn waiting(&self) -> &[String] {
        &self.waiting
    }
}
