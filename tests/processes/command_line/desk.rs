//! A folder to work in, with a database of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use refrain_tests::binary;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long what must come is waited for, before it is said that it did not.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder, and what is typed there.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            out: binary::stdout(output),
            err: binary::stderr(output),
        }
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    }

    /// The names of the files there are.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("the folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("a file")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    /// Type `refrain` and these words.
    pub(crate) fn types(&self, words: &[&str]) -> Said {
        let output = binary::refrain(self.path())
            .args(words)
            .output()
            .expect("it starts");
        Said::of(&output)
    }

    /// Type `refrain` and these words, with this on stdin.
    pub(crate) fn pipes(&self, words: &[&str], stdin: &str) -> Said {
        let mut child = binary::refrain(self.path())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut pipe = child.stdin.take().expect("stdin is a pipe");
        // Who does not read all of it may close the pipe.
        let written = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        let output = child.wait_with_output().expect("it ends");
        assert!(written.is_ok() || !output.status.success(), "{written:?}");
        Said::of(&output)
    }

    /// Type this, which answers with one JSON document and this exit code.
    pub(crate) fn document(&self, words: &[&str], code: i32) -> Value {
        let said = self.types(words);
        assert_eq!(said.code, Some(code), "{words:?}: {said:?}");
        serde_json::from_str(&said.out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {said:?}"))
    }

    /// Run a workflow in the background, as in a first terminal.
    pub(crate) fn runs(&self, workflow: &Value) -> Running {
        self.file("running.json", workflow.to_string());
        self.begins(&["run", "running.json", "--json"])
    }

    /// Type these words, in a first terminal.
    pub(crate) fn begins(&self, words: &[&str]) -> Running {
        let mut command = binary::refrain_at_a_terminal(self.path());
        command.args(words);
        self.begins_with(command)
    }

    /// Begin this command, in a first terminal.
    pub(crate) fn begins_with(&self, mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let (say, lines) = mpsc::channel();
        // Ends with the pipe; nobody may be listening any more by then.
        std::thread::spawn(move || {
            BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| say.send(line))
        });
        Running {
            child,
            lines,
            heard: String::new(),
        }
    }

    /// The only execution there is, once there is one.
    pub(crate) fn execution(&self) -> String {
        self.until("an execution is listed", || {
            let said = self.types(&["list", "--json"]);
            let list: Value = serde_json::from_str(&said.out).ok()?;
            list["executions"][0]["execution_id"]
                .as_str()
                .map(str::to_owned)
        })
    }

    /// The events of an execution.
    pub(crate) fn events(&self, id: &str) -> Vec<Value> {
        let said = self.types(&["log", id, "--json"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        let lines = said.out.lines().skip(1);
        let events = lines.map(|line| serde_json::from_str(line).expect("an event"));
        events.collect()
    }

    /// Wait until an execution's log has an event of this kind.
    pub(crate) fn until_event(&self, id: &str, kind: &str) -> Value {
        self.until(kind, || {
            self.events(id)
                .into_iter()
                .find(|event| event["type"] == kind)
        })
    }

    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A `refrain` in the background.
pub(crate) struct Running {
    child: Child,
    /// What it says on stderr, line by line.
    lines: mpsc::Receiver<String>,
    heard: String,
}

impl Running {
    /// Press Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal("INT");
    }

    /// Send it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// It is killed, and cannot do anything about it.
    pub(crate) fn killed(mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
    }

    /// Wait until it has said this.
    pub(crate) fn says(&mut self, text: &str) {
        self.says_times(text, 1);
    }

    /// Wait until it has said this so many times.
    pub(crate) fn says_times(&mut self, text: &str, times: usize) {
        while self.heard.matches(text).count() < times {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never said: {text}; but: {}", self.heard));
            self.hear(&line);
        }
    }

    /// Wait for its end.
    pub(crate) fn ends(mut self) -> Said {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.hear(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    self.child.kill().expect("it lives");
                    panic!("it does not end; it said: {}", self.heard);
                }
            }
        }
        let output = self.child.wait_with_output().expect("it ends");
        Said {
            code: output.status.code(),
            out: binary::stdout(&output),
            err: self.heard,
        }
    }

    fn hear(&mut self, line: &str) {
        self.heard.push_str(line);
        self.heard.push('\n');
    }
}

/// A workflow of these nodes, one after the other, each with its kind.
pub(crate) fn chain(nodes: &[(&str, Value)]) -> Value {
    let each = nodes
        .iter()
        .map(|(id, kind)| ((*id).to_owned(), json!({ "kind": kind })));
    let edges = nodes
        .windows(2)
        .map(|pair| json!({ "from": pair[0].0, "to": pair[1].0 }));
    json!({
        "workflow_id": "chain",
        "version": "1.0.0",
        "start_node": nodes[0].0,
        "nodes": each.collect::<serde_json::Map<_, _>>(),
        "edges": edges.collect::<Vec<_>>(),
    })
}

/// A node that runs a program.
pub(crate) fn command(argv: &[&str]) -> Value {
    json!({ "type": "command", "argv": argv })
}

/// A node that waits for a person.
pub(crate) fn approval() -> Value {
    json!({ "type": "human_approval", "description": "Go on?" })
}

/// A node that waits for the external event `key`.
pub(crate) fn event() -> Value {
    json!({ "type": "wait", "condition": "external_event", "correlation_key": "key" })
}

/// A node that nobody here works on.
pub(crate) fn tool() -> Value {
    json!({ "type": "tool", "tool_ref": "any" })
}
