//! A file of tests: a workflow, and cases of it.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use super::case::Case;
use super::graph::{Graph, Rule, WrongName};
use super::happened::rows;
use super::judge::{elapsed, judge};
use super::play::{Subject, World, coverage, play};
use super::reading::cases;
use super::report::{CaseReport, EdgeCoverage, Report};
use super::text::place::{Faults, FileError, Place, whole};
use super::text::resembling::meant;
use super::text::source::{Notation, must_be_json, notation, text};
use super::text::tree::{Member, Node, Value, parse};
use crate::error::EngineError;
use crate::guest::{CallLimits, Library, Sandbox};
use crate::limits::{PAYLOAD_BYTES_MAX, WORKFLOW_BYTES_MAX};
use crate::live::Workflow;
use crate::model::{Fault, WorkflowSummary};

/// The keys of a test file.
const KEYS: [&str; 2] = ["workflow", "cases"];

/// Cases of one workflow.
#[derive(Debug)]
pub struct TestFile {
    workflow: Workflow,
    summary: WorkflowSummary,
    graph: Graph,
    cases: Vec<Case>,
    tester: Tester,
}

/// Why cases could not be run.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The scheduler could not be used, or does not take the workflow or the input.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A case names what the workflow does not have.
    #[error("the case {case:?} cannot be run: {message}; {remedy}")]
    Case {
        /// The case.
        case: String,
        /// What is wrong.
        message: String,
        /// What to do about it.
        remedy: String,
    },
}

/// The scheduler component that plays cases.
#[derive(Clone)]
struct Tester {
    library: Library,
}

impl std::fmt::Debug for Tester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tester").finish_non_exhaustive()
    }
}

impl Tester {
    fn new() -> Result<Self, EngineError> {
        let sandbox = Sandbox::new(CallLimits::default());
        let sandbox = sandbox.map_err(|error| EngineError::Setup(error.to_string()))?;
        Ok(Self {
            library: Library::new(sandbox),
        })
    }

    /// What the scheduler says of a workflow.
    fn summary(&self, workflow: &Workflow) -> Result<WorkflowSummary, EngineError> {
        World::new(&self.library, super::case::BEGINS_AT)?.register(workflow)
    }
}

impl TestFile {
    /// No cases yet of this workflow.
    ///
    /// # Errors
    /// [`EngineError::InvalidWorkflow`] with all that is wrong with it.
    pub fn new(workflow: Workflow) -> Result<Self, EngineError> {
        let tester = Tester::new()?;
        let summary = tester.summary(&workflow)?;
        let graph = Graph::read(workflow.text())
            .ok_or_else(|| EngineError::Setup("the workflow's edges cannot be read".to_owned()))?;
        Ok(Self {
            workflow,
            summary,
            graph,
            cases: Vec::new(),
            tester,
        })
    }

    /// The same with this case.
    #[must_use]
    pub fn case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }

    /// What stands in a file, in YAML or JSON: `docs/testing-workflows.md` has its form.
    ///
    /// # Errors
    /// [`FileError`] with all that is wrong with it, or with the workflow's file.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, FileError> {
        let file = file.as_ref();
        let notation = notation(file)?;
        let text = text(file, PAYLOAD_BYTES_MAX)?;
        let (root, mut faults) = tree(file, &text, notation)?;
        let members = top(&root, &mut faults);
        let Some((at, path)) = members.workflow else {
            return faults.or(None);
        };
        let mut read = match workflow_file(&beside(file, path)) {
            Ok(read) => read,
            Err(error) => return Err(named(error, at, &faults)),
        };
        let faults = RefCell::new(faults);
        if let Some(cases) = members.cases {
            read.cases = cases::read(cases, &read.graph, &faults);
        }
        faults.into_inner().or(Some(read))
    }

    /// Its cases, in their order.
    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter()
    }

    /// How many edges between nodes the scheduler counts.
    #[cfg(test)]
    pub(super) fn edges_between_nodes(&self) -> usize {
        usize::try_from(self.summary.edges).expect("it is a number of things in memory")
    }

    /// The id and the version of its workflow.
    #[must_use]
    pub fn workflow(&self) -> (&str, &str) {
        (&self.summary.workflow_id, &self.summary.version)
    }

    /// Plays all cases, each from a start of its own, on a simulated clock. The same cases
    /// give the same report.
    ///
    /// # Errors
    /// [`TestError`], when a case cannot be played. That one does not pass is no error.
    pub fn run(&self) -> Result<Report, TestError> {
        self.run_where(|_| true)
    }

    /// The same of those cases alone that are wanted.
    ///
    /// # Errors
    /// As [`TestFile::run`].
    pub fn run_where(&self, wanted: impl Fn(&Case) -> bool) -> Result<Report, TestError> {
        let mut live_in = vec![0; self.graph.edges.len()];
        let mut reports = Vec::new();
        for case in self.cases.iter().filter(|case| wanted(case)) {
            self.check(case)?;
            reports.push(self.run_one(case, &mut live_in)?);
        }
        let edges = self.graph.edges.iter().zip(live_in);
        let edges = edges.map(|(edge, live_in)| EdgeCoverage {
            from: edge.from.clone(),
            to: edge.to.clone(),
            condition: match &edge.rule {
                Rule::Ordinary(condition) => condition.clone(),
                Rule::Chosen | Rule::Implied => None,
            },
            live_in,
        });
        Ok(Report {
            cases: reports,
            edges: edges.collect(),
        })
    }

    fn run_one(&self, case: &Case, live_in: &mut [usize]) -> Result<CaseReport, EngineError> {
        let subject = Subject {
            workflow: &self.workflow,
            id: &self.summary.workflow_id,
            version: &self.summary.version,
            queues: &self.summary.queues,
        };
        let library = &self.tester.library;
        let played = play(&subject, case, library)?;
        for place in coverage::live_edges(&self.graph, &case.input, &played, library)? {
            live_in[place] += 1;
        }
        Ok(CaseReport {
            name: case.name.clone(),
            verdicts: judge(&case.expectations, &played),
            status: played.status,
            elapsed: elapsed(&played.events),
            rows: rows(&played.events),
            state: played.state,
        })
    }

    /// The names in a case that was built in Rust; those in a file have been checked.
    fn check(&self, case: &Case) -> Result<(), TestError> {
        let workers = case
            .answers
            .keys()
            .map(|name| self.graph.check_worker(name));
        let acts = case.acts.iter().filter_map(|act| act.node());
        let expected = case.expectations.iter().flat_map(|it| it.nodes());
        let names = acts.chain(expected.map(String::as_str));
        let nodes = names.map(|name| self.graph.check_node(name));
        for checked in workers.chain(nodes) {
            checked.map_err(|WrongName { message, remedy }| TestError::Case {
                case: case.name.clone(),
                message,
                remedy,
            })?;
        }
        if case.expectations.is_empty() {
            return Err(TestError::Case {
                case: case.name.clone(),
                message: "it expects nothing".to_owned(),
                remedy: "say what is expected".to_owned(),
            });
        }
        Ok(())
    }
}

/// The tree of a file's text, and its faults, of which there are none yet.
fn tree<'a>(
    file: &'a Path,
    text: &'a str,
    notation: Notation,
) -> Result<(Node, Faults<'a>), FileError> {
    let mut faults = Faults::new(file, text);
    if notation == Notation::Json {
        must_be_json(text, &mut faults);
    }
    let root = match faults.are_none() {
        true => parse(text, &mut faults),
        false => None,
    };
    match root {
        Some(root) => Ok((root, faults)),
        None => faults.or(None),
    }
}

/// What stands at the top of a test file.
#[derive(Default)]
struct Top<'a> {
    /// Its place, and its path.
    workflow: Option<(Place, &'a str)>,
    cases: Option<&'a Node>,
}

fn top<'a>(root: &'a Node, faults: &mut Faults<'_>) -> Top<'a> {
    let Value::Map(members) = &root.value else {
        let message = format!("a test file is a mapping, and this is {}", root.kind());
        faults.report(root.at, message, "begin with `workflow:` and `cases:`");
        return Top::default();
    };
    for Member { at, key, .. } in members {
        if !KEYS.contains(&key.as_str()) && !faults.are_full() {
            let message = format!("a test file has no key `{key}`");
            faults.report(*at, message, meant(key, "keys", KEYS));
        }
    }
    let get = |key| members.iter().find(|member| member.key == key);
    let [workflow, cases] = KEYS
        .map(get)
        .map(|member| member.map(|member| &member.node));
    let workflow = match workflow.map(|node| (node, &node.value)) {
        None => {
            let remedy = "add `workflow: FILE`, a path from the folder of this file";
            faults.report(Place::START, "the workflow is not named", remedy);
            None
        }
        Some((node, Value::Text(path))) => Some((node.at, path.as_str())),
        Some((node, _)) => {
            let message = format!(
                "`workflow` is the path of a file, and this is {}",
                node.kind()
            );
            faults.report(
                node.at,
                message,
                "write its path from the folder of this file",
            );
            None
        }
    };
    if cases.is_none() {
        let remedy = "add `cases:`, and below it a case under its name";
        faults.report(Place::START, "there are no cases", remedy);
    }
    Top { workflow, cases }
}

/// The same error, where a file names a workflow's. What is about that file as a whole is
/// told where it is named.
fn named(error: FileError, at: Place, faults: &Faults<'_>) -> FileError {
    match error.faults.as_slice() {
        [fault] if fault.line == 0 => {
            let message = format!("the workflow {}: {}", fault.file.display(), fault.message);
            let fault = faults.fault(at, message, fault.remedy.clone());
            FileError {
                faults: vec![fault],
            }
        }
        _ => error,
    }
}

/// A path that is written in a file, from the file's folder.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// A workflow in a file: JSON stays as it is, YAML becomes JSON once.
fn workflow_file(file: &Path) -> Result<TestFile, FileError> {
    let notation = notation(file)?;
    let text = text(file, WORKFLOW_BYTES_MAX)?;
    let (root, mut faults) = tree(file, &text, notation)?;
    let json = match notation {
        Notation::Json => text.clone(),
        Notation::Yaml => root.json(),
    };
    match Workflow::from_json(json).and_then(TestFile::new) {
        Ok(file) => Ok(file),
        Err(EngineError::InvalidWorkflow(found)) => {
            for Fault {
                pointer,
                message,
                remedy,
            } in found
            {
                let message = match pointer.as_str() {
                    "" => message,
                    pointer => format!("at {pointer}: {message}"),
                };
                faults.report(located(&root, &pointer), message, remedy);
            }
            faults.or(None)
        }
        Err(error) => Err(FileError {
            faults: vec![whole(
                file,
                error.to_string(),
                "nothing can be tested until then",
            )],
        }),
    }
}

/// The place of what a JSON pointer names, or of the last part of its way that is there.
fn located(root: &Node, pointer: &str) -> Place {
    let mut at = root.at;
    let mut node = root;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.value {
            Value::Map(members) => members
                .iter()
                .find(|member| member.key == part)
                .map(|member| (member.at, &member.node)),
            Value::List(nodes) => {
                let index: Option<usize> = part.parse().ok();
                index
                    .and_then(|index| nodes.get(index))
                    .map(|node| (node.at, node))
            }
            _ => None,
        };
        let Some((place, next)) = next else {
            break;
        };
        (at, node) = (place, next);
    }
    at
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::error::WorkError;
    use crate::live::{Answer, Approval};
    use crate::model::Status;
    use crate::testing::{Act, Expectation, NodeAnswer};

    fn file() -> TestFile {
        let text = json!({
            "workflow_id": "w", "version": "1.0.0", "start_node": "a",
            "nodes": {
                "a": { "kind": { "type": "tool", "tool_ref": "t" }, "node_timeout_secs": 60 },
                "b": { "kind": { "type": "human_approval", "description": "?" } },
                "c": { "kind": { "type": "tool", "tool_ref": "t" } },
                "d": { "kind": { "type": "tool", "tool_ref": "t" } },
            },
            "edges": [
                { "from": "a", "to": "b", "condition": "state.x > 1 && input.go" },
                { "from": "a", "to": "c", "condition": "state.x <= 1" },
                { "from": "b", "to": "d" }, { "from": "c", "to": "d" },
            ],
        });
        let workflow = Workflow::from_json(text.to_string()).expect("JSON");
        TestFile::new(workflow).expect("it is valid")
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn status(status: Status) -> Expectation {
        Expectation::Status(status)
    }

    #[test]
    fn cases_are_built_without_a_file() {
        let x = |x: u64| NodeAnswer::completes(json!({ "x": x }));
        let approval = Approval::approved("ada").state_patch(json!({ "by": "ada" }));
        let file = file()
            .case(
                Case::new("long way")
                    .input(json!({ "go": true }))
                    .attempts("a", [NodeAnswer::times_out(), NodeAnswer::dies(), x(2)])
                    .answer(
                        "d",
                        NodeAnswer::completes(Answer::output(json!([1]))).after(seconds(7)),
                    )
                    .act(Act::decide(seconds(100), "b", approval).by("desk"))
                    .expect(status(Status::Completed))
                    .expect(Expectation::path(["a", "b", "d"]))
                    .expect(Expectation::skipped(["c"]))
                    .expect(Expectation::State(
                        json!({ "x": 2.0, "by": "ada", "d": [1] }).into(),
                    ))
                    .expect(Expectation::elapsed(seconds(107))),
            )
            .case(
                Case::new("short way")
                    .answer("a", x(1))
                    .expect(Expectation::path(["a", "c", "d"])),
            );
        let report = file.run().expect("they are played");
        assert!(report.passed(), "{report:#?}");
        let live: Vec<usize> = report.edges.iter().map(|edge| edge.live_in).collect();
        assert_eq!(live, [1, 1, 1, 1]);
        assert_eq!(
            file.run().expect("they are played"),
            report,
            "the same again"
        );
    }

    #[test]
    fn r7_conditions_are_true_as_the_scheduler_sees_them() {
        let edges = |input, x| {
            let answer = NodeAnswer::completes(json!({ "x": x }));
            let case = Case::new("one").input(input).answer("a", answer);
            let file = file().case(case.expect(Expectation::Order(vec!["a".into()])));
            let report = file.run().expect("it is played");
            let live = report.edges.into_iter().filter(|edge| edge.live_in > 0);
            live.map(|edge| format!("{}{}", edge.from, edge.to))
                .collect::<Vec<_>>()
        };
        assert_eq!(edges(json!({ "go": 1 }), json!(2)), ["ab"]);
        assert_eq!(edges(json!({}), json!(2)), [""; 0]);
        assert_eq!(edges(json!({}), json!(0)), ["ac", "cd"]);
        assert_eq!(edges(json!({}), json!("text")), [""; 0]);
    }

    #[test]
    fn a_case_that_names_what_is_not_there_is_refused() {
        let error = |case: Case| {
            let error = file().case(case).run().expect_err("it cannot be played");
            error.to_string()
        };
        let expects = || Case::new("c").expect(status(Status::Failed));
        let fails = || NodeAnswer::fails(WorkError::permanent("no"));
        for (case, said) in [
            (Case::new("c"), "it expects nothing"),
            (
                expects().answer("e", fails()),
                "the workflow has no node `e`",
            ),
            (expects().answer("b", fails()), "no worker answers `b`"),
            (
                expects().act(Act::skip(seconds(1), "e")),
                "the workflow has no node `e`",
            ),
            (
                expects().expect(Expectation::path(["e"])),
                "the workflow has no node `e`",
            ),
        ] {
            let error = error(case);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn an_execution_that_waits_is_running_at_the_end() {
        let answer = NodeAnswer::completes(json!({ "x": 2 }));
        let case = Case::new("one")
            .input(json!({ "go": 1 }))
            .answer("a", answer);
        let pauses = [
            Act::pause(seconds(5)),
            Act::unpause(seconds(9)).reason("it is day"),
        ];
        let case = pauses.into_iter().fold(case, Case::act);
        let case = case
            .expect(status(Status::Running))
            .expect(Expectation::elapsed(seconds(9)));
        let report = file().case(case).run().expect("it is played");
        assert!(report.passed(), "{report:#?}");
    }
}
