//! `refrain graph`: a workflow, or an execution of one, as a graph.

use std::path::{Path, PathBuf};

use refrain::ErrorRemedy;
use refrain::id::ExecutionId;
use refrain::log::KeptEvent;
use refrain::model::{Event, NodeState};
use refrain::picture::{self, Instances, Node, Picture};
use refrain::replay::nodes::Nodes;
use refrain::store::{ExecutionRecord, Reader, Timestamp};

use super::coded::refuse;
use super::database::Database;
use super::failure::curable_because;
use super::log_source::{GuestArguments, LogArguments};
use super::named::Named;

use super::output;
use super::text::{Text, text};
use super::{Answer, damage, files, guests, log, terminal, validate};

/// Draw a workflow, or an execution with the states of its nodes
///
/// As text, boxes and lines are drawn where they fit into the columns of the terminal, or
/// into 80; a wider graph becomes a list, layer by layer, of the nodes and of what each leads
/// to. A workflow that stands in a node is drawn within its box, and as text below the others.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A file with a workflow, in JSON or YAML (`-`: JSON from stdin), or an execution
    ///
    /// What is both the name of a file and the beginning of an id is taken for the file.
    #[arg(value_name = "WORKFLOW|EXECUTION", required_unless_present = "file")]
    subject: Option<String>,
    /// Draw the execution of a log that `refrain export` wrote; `-` is stdin
    #[arg(long, value_name = "LOG.ndjson", conflicts_with = "subject")]
    file: Option<PathBuf>,
    /// How it is drawn
    #[arg(long, value_name = "FORMAT", default_value = "ascii")]
    format: Format,
    /// The states behind this event of the execution; 0: before the first
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    #[command(flatten)]
    database: Database,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A picture for browsers, in one file without scripts
    Svg,
    /// A flowchart in the language of Mermaid
    Mermaid,
    /// A digraph in the language of Graphviz
    Dot,
    /// Text for a terminal
    Ascii,
}

/// What is drawn.
enum Subject {
    Workflow(PathBuf),
    Execution(LogArguments),
}

/// Edges that Mermaid draws unless its settings say more.
const MERMAID_EDGES: usize = 500;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    match subject(arguments)? {
        Subject::Workflow(path) => {
            if arguments.at.is_some() {
                refuse!(
                    "usage",
                    "--at is of executions, and {} is a workflow; leave it out, or name an execution",
                    path.display()
                );
            }
            of_workflow(&path, arguments.format)
        }
        Subject::Execution(log) => of_execution(&log, arguments),
    }
}

fn subject(arguments: &Arguments) -> anyhow::Result<Subject> {
    let Arguments {
        subject, database, ..
    } = arguments;
    let Some(subject) = subject else {
        let file = arguments
            .file
            .clone()
            .unwrap_or_else(|| files::STDIN.into());
        return Ok(Subject::Execution(LogArguments::of_file(file, database)));
    };
    let path = Path::new(subject);
    let named = subject.parse::<Named>();
    if subject == files::STDIN || path.is_file() {
        if named.is_ok() {
            output::say(&text!(
                "note: {} is taken for the file of this name; of an execution, type more of the id, or all",
                subject.as_str()
            ));
        }
        return Ok(Subject::Workflow(path.to_owned()));
    }
    match named {
        Ok(named) => Ok(Subject::Execution(LogArguments::of(named, database))),
        // It says why it cannot be read.
        Err(_) if path.exists() => Ok(Subject::Workflow(path.to_owned())),
        Err(_) => refuse!(
            "unknown_subject",
            "there is no file {subject:?}, and it does not name an execution either; name a file, an execution by its id or the beginning of it, or @last"
        ),
    }
}

fn of_workflow(path: &Path, format: Format) -> anyhow::Result<Answer> {
    let text = files::workflow(path)?;
    if let Err(faults) = guests::check(&text, None)? {
        output::tell(&validate::bad(path, &text, &faults).trimmed());
        return Ok(Answer::Bad);
    }
    draw(&picture::of_workflow(&text.json)?, format);
    Ok(Answer::Good)
}

fn of_execution(log: &LogArguments, arguments: &Arguments) -> anyhow::Result<Answer> {
    let mut open = log.open(None, &GuestArguments::default())?;
    let picture = of_log(&mut *open.store, &open.record, arguments.at)?;
    draw(&picture, arguments.format);
    if let Some(why) = damage::why_set_aside(&open.record, open.to_act_on()) {
        output::tell(&text!("error: {}", why));
    }
    match open.broken_off {
        Some(error) => Err(error),
        None => Ok(Answer::good_if(open.record.tampering.is_none())),
    }
}

/// The picture of an execution, with what its log says of each node behind this event, or
/// behind the last.
pub(super) fn of_log(
    store: &mut dyn Reader,
    record: &ExecutionRecord,
    at: Option<u64>,
) -> anyhow::Result<Picture> {
    let id = record.id;
    let mut picture = of_stored(store, record)?;
    picture.title = format!("{} {}  {id}", record.workflow_id, record.workflow_version);
    let events = log::kept(store, id)?;
    let last = events.len() as u64;
    if let Some(sequence) = at {
        if sequence > last {
            refuse!(
                "no_event",
                "the log of {id} has {last} events, and {sequence} is none of them; give 0 to {last}"
            );
        }
        picture.title = format!("{}, behind event {sequence} of {last}", picture.title);
    }
    let events = events.iter().map(KeptEvent::event);
    let shown: Vec<&Event> = events
        .take_while(|event| at.is_none_or(|at| event.sequence <= at))
        .collect();
    let place = Place {
        id,
        sequence: shown.last().map_or(0, |it| it.sequence),
        // Logs of children have numbers of their own: they are shown up to the same time.
        until: at.map(|_| shown.last().map_or(0, |it| it.at)),
    };
    show_states(store, &mut picture, &Nodes::of(shown), Some(place))?;
    Ok(picture)
}

/// The picture of an execution's workflow, as it was registered.
fn of_stored(store: &mut dyn Reader, record: &ExecutionRecord) -> anyhow::Result<Picture> {
    let ExecutionRecord {
        tenant,
        workflow_id,
        workflow_version,
        ..
    } = record;
    let stored = store.workflow(tenant, workflow_id, workflow_version)?;
    let text = stored.map(|it| it.text).unwrap_or_default();
    picture::of_workflow(&text).map_err(|error| {
        let message = format!("the text of workflow {workflow_id} {workflow_version} is damaged");
        let remedy = ErrorRemedy::Audit(record.id);
        curable_because("workflow_damaged", message, remedy, error)
    })
}

/// A place in the log of an execution.
struct Place {
    id: ExecutionId,
    /// The event that it is behind.
    sequence: u64,
    /// The time until which logs of children are shown. `None`: all of them.
    until: Option<Timestamp>,
}

/// Puts the states of nodes into a picture, and those of the last child of each node whose
/// workflow stands in it. `None` in the place of an execution: it was not started.
fn show_states(
    store: &mut dyn Reader,
    picture: &mut Picture,
    told: &Nodes,
    place: Option<Place>,
) -> anyhow::Result<()> {
    let children = match &place {
        Some(place) if picture.nodes.iter().any(|node| node.inner.is_some()) => {
            let mut children = store.children(place.id)?;
            children.retain(|child| child.sequence <= place.sequence);
            children
        }
        _ => Vec::new(),
    };
    let until = place.and_then(|place| place.until);
    for node in &mut picture.nodes {
        if node.is_end() {
            continue;
        }
        show_state(node, told);
        // A map has many of them.
        let Some(inner) = node.inner.as_deref_mut().filter(|_| node.kind != "map") else {
            continue;
        };
        let child = children.iter().rev().find(|it| it.node_id == node.id);
        let Some(child) = child else {
            // One that was asked for, and whose log is not at hand, has states all the same.
            if told.named(&node.id).is_none_or(|it| !it.child) {
                show_states(store, inner, &Nodes::default(), None)?;
            }
            continue;
        };
        let events = log::kept(store, child.child)?;
        let events = events.iter().map(KeptEvent::event);
        let shown: Vec<&Event> = events
            .take_while(|event| until.is_none_or(|until| event.at <= until))
            .collect();
        let place = Place {
            id: child.child,
            sequence: shown.last().map_or(0, |it| it.sequence),
            until,
        };
        show_states(store, inner, &Nodes::of(shown), Some(place))?;
    }
    Ok(())
}

fn show_state(node: &mut Node, told: &Nodes) {
    let found = told.named(&node.id);
    node.state = Some(picture::state(
        found.map_or(NodeState::Pending, |it| it.state),
    ));
    if let Some((map, all)) = found.and_then(|it| Some((it, it.instances?))) {
        let states = told.instances_of(map).unwrap_or_default();
        let count = |name| states.get(name).copied().unwrap_or_default();
        let done = count("completed") + count("skipped");
        node.instances = Some(Instances::new(done, count("failed"), all));
    }
    node.iterations = found.map_or(0, |it| it.iterations);
    if let Some(undo) = &mut node.compensation {
        let told = told.named(&format!("{}!undo", node.id));
        undo.state = told.map(|it| picture::state(it.state));
    }
}

fn draw(picture: &Picture, format: Format) {
    let drawn = match format {
        Format::Svg => picture::svg(picture),
        Format::Mermaid => picture::mermaid(picture),
        Format::Dot => picture::dot(picture),
        Format::Ascii => picture::text(picture, terminal::columns_of(&std::io::stdout())),
    };
    output::data(&Text::laid_out(&drawn));
    let (_, edges) = picture.size();
    if format == Format::Mermaid && edges > MERMAID_EDGES {
        output::say(&text!(
            "note: there are {} edges, and Mermaid draws {} unless its setting `maxEdges` says more",
            edges,
            MERMAID_EDGES
        ));
    }
}
