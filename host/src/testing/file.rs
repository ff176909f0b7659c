//! A file of tests: a workflow, and cases of it.

use std::cell::RefCell;
use std::path::Path;

use super::case::{BEGINS_AT, Case, Expectation};
use super::graph::{Given, Graph, Rule, Workflows, WrongName};
use super::happened::rows;
use super::judge::{elapsed, judge};
use super::play::{coverage, play};
use super::reading::cases;
use super::reading::top::{from_folder_of, located, top, tree};
use super::report::{CaseReport, EdgeCoverage, Report};
use super::text::place::{Faults, FileError, Place, whole};
use super::text::source::{Notation, notation, text};
use crate::error::EngineError;
use crate::guest::{CallLimits, Library, Sandbox};
use crate::limits::{PAYLOAD_BYTES_MAX, WORKFLOW_BYTES_MAX};
use crate::live::Workflow;
use crate::model::Fault;
use crate::world::World;

/// Cases of one workflow.
#[derive(Debug)]
pub struct TestFile {
    workflows: Workflows,
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

    /// A workflow, with what the scheduler says of it.
    fn given(&self, workflow: Workflow) -> Result<Given, EngineError> {
        let summary = World::new(&self.library, BEGINS_AT)?.register(&workflow)?;
        let graph = Graph::read(workflow.text())
            .ok_or_else(|| EngineError::Setup("the workflow's edges cannot be read".to_owned()))?;
        Ok(Given {
            workflow,
            summary,
            graph,
        })
    }
}

impl TestFile {
    /// No cases yet of this workflow.
    ///
    /// # Errors
    /// [`EngineError::InvalidWorkflow`] with all that is wrong with it.
    pub fn new(workflow: Workflow) -> Result<Self, EngineError> {
        let tester = Tester::new()?;
        Ok(Self {
            workflows: Workflows::of(tester.given(workflow)?),
            cases: Vec::new(),
            tester,
        })
    }

    /// The same, where the children of this workflow are played too. Those of workflows
    /// that are not given are answered for as a whole, as if a worker did their work.
    ///
    /// # Errors
    /// [`EngineError::InvalidWorkflow`] with all that is wrong with it.
    pub fn child_workflow(mut self, workflow: Workflow) -> Result<Self, EngineError> {
        self.workflows.add(self.tester.given(workflow)?);
        Ok(self)
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
        let mut read = match workflow_file(&from_folder_of(file, path), Self::new) {
            Ok(read) => read,
            Err(error) => return Err(named(error, at, &faults)),
        };
        for (at, path) in &members.workflows {
            let given = workflow_file(&from_folder_of(file, path), |it| read.tester.given(it));
            match given {
                Ok(given) => read.workflows.add(given),
                Err(error) => return Err(named(error, *at, &faults)),
            }
        }
        if let Some((place, WrongName { message, remedy })) = read.workflows.without_use() {
            faults.report(members.workflows[place].0, message, remedy);
        }
        let faults = RefCell::new(faults);
        if let Some(cases) = members.cases {
            read.cases = cases::read(cases, &read.workflows, &faults);
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
        let edges = self.workflows.subject.summary.edges;
        usize::try_from(edges).expect("it is a number of things in memory")
    }

    /// The id and the version of its workflow.
    #[must_use]
    pub fn workflow(&self) -> (&str, &str) {
        let summary = &self.workflows.subject.summary;
        (&summary.workflow_id, &summary.version)
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
        let parts = self.workflows.parts();
        let mut live_in: Vec<Vec<usize>> = parts
            .iter()
            .map(|(_, graph)| vec![0; graph.edges.len()])
            .collect();
        let mut reports = Vec::new();
        for case in self.cases.iter().filter(|case| wanted(case)) {
            self.check(case)?;
            reports.push(self.run_one(case, &mut live_in)?);
        }
        let mut edges = Vec::new();
        for ((way, graph), live_in) in parts.iter().zip(live_in) {
            let of_part = graph.edges.iter().zip(live_in);
            edges.extend(of_part.map(|(edge, live_in)| EdgeCoverage {
                from: format!("{way}{}", edge.from),
                to: format!("{way}{}", edge.to),
                on: edge.on.name().map(str::to_owned),
                condition: match &edge.rule {
                    Rule::Ordinary(condition) => condition.clone(),
                    Rule::Chosen | Rule::Implied => None,
                },
                live_in,
            }));
        }
        Ok(Report {
            cases: reports,
            edges,
        })
    }

    /// `live_in`: in how many cases each edge was live, by part and place.
    fn run_one(&self, case: &Case, live_in: &mut [Vec<usize>]) -> Result<CaseReport, EngineError> {
        let library = &self.tester.library;
        let played = play(&self.workflows, case, library)?;
        for (part, place) in coverage::live_edges(&self.workflows, &played, library)? {
            live_in[part][place] += 1;
        }
        let subject = played.subject();
        Ok(CaseReport {
            name: case.name.clone(),
            verdicts: judge(&case.expectations, &played),
            status: subject.status,
            elapsed: elapsed(&subject.events),
            rows: rows(&played),
            state: subject.state.clone(),
        })
    }

    /// The names in a case that was built in Rust; those in a file have been checked.
    fn check(&self, case: &Case) -> Result<(), TestError> {
        let workflows = &self.workflows;
        let workers = case.answers.keys();
        let workers = workers.map(|name| workflows.check_worker(name));
        let acts = case.acts.iter().flat_map(|act| {
            let node = act.deed.node().map(|node| workflows.check_node(node));
            let child = act.child.as_ref().map(|it| workflows.check_parent(it));
            node.into_iter().chain(child)
        });
        let expected = case.expectations.iter();
        let expected = expected.map(|it| checked("", it, workflows));
        let nodes = acts.chain(expected);
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

/// What is expected names what is there; `way` leads to the child that it is expected of.
fn checked(way: &str, expected: &Expectation, workflows: &Workflows) -> Result<(), WrongName> {
    for node in expected.nodes() {
        workflows.check_node(&format!("{way}{node}"))?;
        if let Some((parent, node)) = node.rsplit_once('/') {
            return Err(WrongName {
                message: format!("`{node}` is a node of the child of `{parent}`"),
                remedy: "expect it of that child, by `Child` or `Children`".to_owned(),
            });
        }
    }
    if let Some(node) = expected.parent() {
        let parent = format!("{way}{node}");
        workflows.check_parent(&parent)?;
        for of_child in expected.of_children() {
            checked(&format!("{parent}/"), of_child, workflows)?;
        }
    }
    Ok(())
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

/// What is made of a workflow in a file: JSON stays as it is, YAML becomes JSON once.
fn workflow_file<T>(
    file: &Path,
    take: impl FnOnce(Workflow) -> Result<T, EngineError>,
) -> Result<T, FileError> {
    let notation = notation(file)?;
    let text = text(file, WORKFLOW_BYTES_MAX)?;
    let (root, mut faults) = tree(file, &text, notation)?;
    let json = match notation {
        Notation::Json => text.clone(),
        Notation::Yaml => root.json(),
    };
    match Workflow::from_json(json).and_then(take) {
        Ok(taken) => Ok(taken),
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
