//! The workers that a command brings: those for `command` and `http` nodes, and
//! programs for any other queue.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::builder::RangedU64ValueParser;
use refrain::limits::WORKER_SLOTS_DEFAULT;
use refrain::{Engine, queues};

use super::coded::refuse;
use super::seen::Seen;
use super::text::{Text, text};
use super::worker_program;

/// Who does the work.
#[derive(Clone, clap::Args)]
pub(super) struct Workers {
    /// Let a program work on a queue: it reads the payload of each item on stdin, and
    /// writes the answer to stdout; may be given for several queues
    ///
    /// PROGRAM is split into words as a shell does it, and no shell runs it: nothing in it
    /// is expanded. With a slash in its name it is a path from the folder that this is
    /// typed in, and else looked up in PATH. An end with another status than 0 is a failed
    /// attempt.
    #[arg(long = "worker", value_name = "QUEUE=PROGRAM")]
    programs: Vec<Worker>,
    /// How many items of each queue are worked on at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = WORKER_SLOTS_DEFAULT,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=SLOTS_MAX),
    )]
    concurrency: usize,
}

/// Where the programs run that a command starts, for those who did not start them.
pub(super) fn where_programs_run() -> Text {
    let folder = std::env::current_dir();
    let folder = folder.map_or(text!("this folder"), |folder| {
        text!("{}", folder.as_os_str())
    });
    text!(
        "programs run in {}, with the environment of this command",
        folder
    )
}

/// More programs at once than any machine runs.
const SLOTS_MAX: u64 = 10_000;

/// A program as the worker of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Worker {
    queue: String,
    /// The program and its arguments.
    words: Vec<String>,
}

/// The queues that are worked on here.
#[derive(Clone, Debug)]
pub(super) struct Served(BTreeSet<String>);

impl Served {
    /// Whether items of this queue are worked on here. Simulated workers serve every
    /// queue.
    pub(super) fn has(&self, seen: &Seen, queue: &str) -> bool {
        seen.simulated || self.names(queue)
    }

    /// Their names, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether it is one of these.
    pub(super) fn names(&self, queue: &str) -> bool {
        self.0.contains(queue)
    }
}

impl Workers {
    /// The queues that they work on: all for which there are workers, or those of
    /// `only`, if it names any.
    ///
    /// # Errors
    /// It is not clear who works on a queue, or a program cannot be started.
    pub(super) fn served(&self, only: &[String]) -> anyhow::Result<Served> {
        let own = self.programs.iter().map(|worker| worker.queue.as_str());
        let mut served = BTreeSet::new();
        for queue in own {
            if !served.insert(queue.to_owned()) {
                refuse!(
                    "invalid_worker",
                    "two programs are given as workers of the queue {queue:?}; give one `--worker` for each queue"
                );
            }
        }
        served.extend(queues::BUILT_IN.map(str::to_owned));
        if let Some(queue) = only.iter().find(|queue| !served.contains(*queue)) {
            refuse!(
                "unknown_queue",
                "there is no worker of the queue {queue:?} here; name one with `--worker {queue}=PROGRAM`"
            );
        }
        if !only.is_empty() {
            served.retain(|queue| only.contains(queue));
        }
        for Worker { queue, words } in &self.programs {
            if served.contains(queue) {
                worker_program::check(queue, &words[0])?;
            }
        }
        Ok(Served(served))
    }

    /// Let them work. As the first process of a container, this one also becomes the
    /// parent of what their programs leave behind.
    pub(super) fn serve(&self, engine: &Engine, served: &Served) {
        tokio::spawn(refrain::reap_orphans());
        let slots = self.concurrency;
        for Worker { queue, words } in &self.programs {
            if served.names(queue) {
                engine.work_with_program(queue, slots, words);
            }
        }
        let built_in = |queue| served.names(queue) && !self.has_program(queue);
        if built_in(queues::COMMAND) {
            engine.work_commands(slots);
        }
        if built_in(queues::HTTP) {
            engine.work_http(slots);
        }
    }

    /// Whether programs are named as workers.
    pub(super) fn are_brought(&self) -> bool {
        !self.programs.is_empty()
    }

    fn has_program(&self, queue: &str) -> bool {
        self.programs.iter().any(|worker| worker.queue == queue)
    }
}

impl FromStr for Worker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (queue, program) = text
            .split_once('=')
            .filter(|(queue, _)| !queue.is_empty())
            .ok_or("it should be QUEUE=PROGRAM, as in model=./model.py")?;
        let words = shlex::split(program)
            .ok_or("a quotation mark is not closed, or nothing follows the last backslash")?;
        if words.first().is_none_or(String::is_empty) {
            return Err(format!("it names no program for the queue {queue:?}"));
        }
        let queue = queue.to_owned();
        Ok(Self { queue, words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_a_queue_and_the_words_of_a_program() {
        for (text, queue, words) in [
            ("model=./m.py", "model", &["./m.py"][..]),
            ("a=b=c d", "a", &["b=c", "d"]),
            (
                "q=sh -c 'echo \"$A\" *'",
                "q",
                &["sh", "-c", "echo \"$A\" *"],
            ),
            ("q=a\\ b \"c d\"", "q", &["a b", "c d"]),
            ("q=a '' b", "q", &["a", "", "b"]),
        ] {
            let worker: Worker = text.parse().expect(text);
            assert_eq!(
                (worker.queue.as_str(), &worker.words[..]),
                (
                    queue,
                    &words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..]
                )
            );
        }
    }

    #[test]
    fn what_is_no_worker_is_said_to_be_none() {
        for (text, error) in [
            ("model", "QUEUE=PROGRAM"),
            ("=sh", "QUEUE=PROGRAM"),
            ("q=", "no program"),
            ("q=''", "no program"),
            ("q=sh 'a", "not closed"),
            ("q=sh \\", "backslash"),
        ] {
            let said = text.parse::<Worker>().expect_err(text);
            assert!(said.contains(error), "{said}");
        }
    }
}
