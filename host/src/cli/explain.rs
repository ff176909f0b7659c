//! `refrain explain`: why a node is where it is.

use std::collections::BTreeSet;

use refrain::guest::CallError;
use refrain::id::ExecutionId;
use refrain::log::Attestation;
use refrain::log::json::explanation_json;
use refrain::model::{Explanation, NodeState, SchedulerError, undone_by};
use refrain::names;
use refrain::replay::nodes::Nodes;
use refrain::replay::{Travel, TravelError};
use serde_json::{Value, json};

use super::damage::{self, TamperedDocument};
use super::ending::Ending;
use super::failure::curable_by;
use super::leases::Leases;
use super::log_source::{GuestArguments, LogArguments, OpenLog, Place};
use super::logged::Logged;
use super::output::{self, Form, Paint};
use super::paused::Pause;
use super::prospect::Told;
use super::queue_workers::{QueueWorkers, waits_on};
use super::text::{Text, text};
use super::why_ended::{self, Written};
use super::{Answer, causes, children, erased, explained, unresolved};

/// Say why a node runs, waits, was skipped or failed
///
/// With NODE, also what would make it run, where it waits: the least that has to happen, and
/// what is taken for granted of results that are not known yet. Without NODE: of each node that
/// the execution failed for, or that holds it up.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    log: LogArguments,
    #[command(flatten)]
    guests: GuestArguments,
    /// The node
    #[arg(value_name = "NODE")]
    node: Option<String>,
    /// The node, where the log is in a file
    #[arg(long = "node", value_name = "NODE", conflicts_with = "node")]
    of_file: Option<String>,
    /// Say why it was where it was behind this event
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    #[command(flatten)]
    form: Form,
}

impl Arguments {
    /// The node that was named. `None` if none was.
    fn node(&self) -> Option<&str> {
        self.node.as_deref().or(self.of_file.as_deref())
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let (mut open, node) =
        arguments
            .log
            .open_for(arguments.node(), arguments.at, &arguments.guests)?;
    if let Some(attestation) = &open.record.erased {
        return say_erased(arguments, open.record.id, attestation);
    }
    if open.record.tampering.is_some() {
        return say_tampered(arguments, &open);
    }
    let mut travel = open.travel()?;
    let logged = Logged::of(&mut open)?;
    let mut told = Nodes::of(logged.events());
    unresolved::tell(&mut *open.store, &open.record, logged.events(), &mut told)?;
    let ending = Ending::of(logged.events());
    drop(logged);
    let failed = |error| failed(&arguments.log, open.record.id, &told, error);
    let nodes = match &node {
        Some(node) => vec![node.clone()],
        None => {
            let inspection = travel.inspect();
            let inspection = inspection.map_err(failed)?;
            causes::of(&open.record, &told, &ending, &inspection)
        }
    };
    let mut explanations = Vec::new();
    for node in nodes.iter().take(EXPLAINED_MAX) {
        let explanation = travel.explain(node);
        explanations.push(explanation.map_err(failed)?);
    }
    let prospect = match node {
        Some(node) => Some(Told::at(&mut travel, &node, open.now()?)),
        None => None,
    };
    if arguments.form.json {
        let leases = Leases::of(&mut open)?;
        let workers = QueueWorkers::of(&mut open)?;
        let written = Written::of(&mut *open.store, &open.record)?;
        let each = explanations.iter().map(|explanation| {
            let mut document = document(explanation, &told, &written);
            if let Some(lease) = leases.document(&explanation.node_id) {
                document["lease"] = lease;
            }
            let workers = workers.as_ref();
            if let Some(queue) = workers.and_then(|it| it.document(explanation, &told)) {
                document["queue"] = queue;
            }
            document
        });
        let mut document = documents(each.collect(), &open, prospect.is_some());
        if let Some(prospect) = prospect {
            document["what_would_run"] = prospect.document();
        }
        output::document(&document)?;
        return Ok(Answer::Good);
    }
    let shown = Explained {
        explanations,
        prospect,
        more: nodes.len().saturating_sub(EXPLAINED_MAX),
        told,
    };
    shown.say(&mut open, &mut travel)?;
    Ok(Answer::Good)
}

/// That the scheduler does not answer, in the same words wherever it is asked.
fn failed(
    log: &LogArguments,
    execution: ExecutionId,
    told: &Nodes,
    error: TravelError,
) -> anyhow::Error {
    match error {
        TravelError::Call { error, .. } => match error {
            CallError::Scheduler(SchedulerError::UnknownNode(node_id)) => {
                explained::unknown_node(execution, node_id, told)
            }
            CallError::Scheduler(SchedulerError::Illegal(_)) => {
                curable_by("log_refused", error.to_string(), log.to_audit(execution))
            }
            error => error.into(),
        },
        TravelError::Library(error) => error.into(),
        error => error.into(),
    }
}

/// What is explained.
struct Explained {
    explanations: Vec<Explanation>,
    /// What would make the one run that was named. `None` if none was.
    prospect: Option<Told>,
    /// How many nodes are left out.
    more: usize,
    told: Nodes,
}

impl Explained {
    fn say(&self, open: &mut OpenLog, travel: &mut Travel) -> anyhow::Result<()> {
        let colours = output::colours(&std::io::stdout());
        let now = open.now()?;
        let database = open.to_act_on().cloned();
        let written = Written::of(&mut *open.store, &open.record)?;
        let pause = Pause::of(&mut *open.store, open.record.id, String::new())?;
        if self.prospect.is_none() {
            self.say_standing(open, &written, pause.as_ref(), colours)?;
        }
        let leases = Leases::of(open)?;
        let workers = QueueWorkers::of(open)?;
        let mut said = BTreeSet::new();
        let mut queues = BTreeSet::new();
        for explanation in &self.explanations {
            let id = open.record.id;
            let reasons = explained::reasons(
                explanation,
                (id, database.as_ref()),
                (&self.told, &written, pause.as_ref()),
                now,
                &mut said,
            );
            output::data(&text(explanation, reasons, colours));
            output::data(&leases.text(&explanation.node_id, now));
            if let Some(workers) = &workers
                && waits_on(explanation).is_some_and(|queue| queues.insert(queue))
            {
                output::data(&workers.text(explanation, &self.told));
            }
            output::data(&explained::refused_edges(travel, explanation, &written)?);
            if let Some(prospect) = &self.prospect {
                let on = database.as_ref().map(|database| (id, database));
                for line in prospect.lines(on) {
                    output::data(&text!("  {}\n", line));
                }
            }
            if let Some(database) = &database {
                let node = &explanation.node_id;
                let causes = children::causes(&mut *open.store, id, node, database, now)?;
                output::data(&causes);
            }
        }
        if self.more > 0 {
            output::say(&text!("and {} nodes more", self.more));
        }
        Ok(())
    }

    /// How the execution stands, and why, as far as its nodes do not say it.
    fn say_standing(
        &self,
        open: &mut OpenLog,
        written: &Written,
        pause: Option<&Pause>,
        colours: bool,
    ) -> anyhow::Result<()> {
        let (standing, paint) = damage::standing(&open.record);
        let why = why_ended::why(&mut *open.store, &open.record, &self.told, written)?;
        let to_go_on = pause.zip(open.to_act_on());
        let to_go_on = to_go_on.map(|(pause, database)| pause.to_go_on(database));
        let why = match (why, pause) {
            (Some(why), _) => text!("; {}", why),
            (None, Some(pause)) => pause.why(),
            (None, None) if self.explanations.is_empty() => text!("; no node holds it up"),
            (None, None) => Text::new(),
        };
        let when = match open.place {
            Some(Place { sequence, last }) => {
                text!(" behind event {} of {}", sequence, last)
            }
            None => Text::new(),
        };
        output::data(&text!(
            "{} {} {}{}{}{}\n",
            open.record.id,
            if open.place.is_some() { "was" } else { "is" },
            standing.painted(paint, colours),
            when,
            why,
            to_go_on.unwrap_or_default()
        ));
        Ok(())
    }
}

/// So many nodes are explained where none was named.
const EXPLAINED_MAX: usize = 20;

/// Why one node is where it is, in sentences as full as those for people.
fn document(explanation: &Explanation, told: &Nodes, written: &Written) -> Value {
    let mut document = explanation_json(explanation);
    let documents = document["reasons"].as_array_mut().into_iter().flatten();
    for (document, reason) in documents.zip(&explanation.reasons) {
        let sentence = explained::in_full(&explanation.node_id, &reason.cause, told, written);
        document["message"] = sentence.into();
    }
    document
}

/// The one that was asked for, or all with the execution that they are of.
fn documents(documents: Vec<Value>, open: &OpenLog, is_one: bool) -> Value {
    let record = &open.record;
    let execution_id = record.id.to_string();
    let mut documents = documents.into_iter();
    let mut all = match documents.next() {
        Some(mut document) if is_one => {
            document["execution_id"] = execution_id.into();
            document
        }
        first => json!({
            "execution_id": execution_id,
            "status": names::status(record.status),
            "causes": first.into_iter().chain(documents).collect::<Vec<_>>(),
        }),
    };
    if let Some(place) = open.place {
        all["behind"] = json!(place);
    }
    all
}

/// Of an erased log only its plain fields are left: no scheduler can say why.
fn say_erased(
    arguments: &Arguments,
    execution: ExecutionId,
    attestation: &Attestation,
) -> anyhow::Result<Answer> {
    let document = json!({ "erased": erased::document(Some(attestation)) });
    let why = text!(
        " any more: {} was {}",
        execution,
        erased::sentence(attestation)
    );
    say_untold(arguments, execution, document, &why)?;
    Ok(Answer::Good)
}

/// What is not to be believed is not explained: a scheduler that were asked would go by
/// what somebody else has written.
fn say_tampered(arguments: &Arguments, open: &OpenLog) -> anyhow::Result<Answer> {
    let record = &open.record;
    let document = json!({ "tampered": record.tampering.as_ref().map(TamperedDocument::of) });
    let why = damage::why_set_aside(record, open.to_act_on()).unwrap_or_default();
    say_untold(arguments, record.id, document, &text!(": {}", why))?;
    Ok(Answer::Bad)
}

/// Say that it cannot be told why the node is where it is, and why not.
fn say_untold(
    arguments: &Arguments,
    execution: ExecutionId,
    mut document: Value,
    why: &Text,
) -> anyhow::Result<()> {
    if arguments.form.json {
        document["execution_id"] = execution.to_string().into();
        document["node_id"] = arguments.node().into();
        output::document(&document)?;
    } else {
        let what = match arguments.node() {
            Some(node) => text!("node {:?} is where it is", node),
            None => text!("its nodes are where they are"),
        };
        output::data(&text!("why {} cannot be told{}\n", what, why));
    }
    Ok(())
}

fn text(explanation: &Explanation, reasons: Vec<Text>, colours: bool) -> Text {
    let state = Paint::of_node(explanation.state).on(names::node_state(explanation.state), colours);
    let mut text = text!("{} is {}\n", explanation.node_id, state);
    if let Some(undone) = undone_by(&explanation.node_id) {
        let undoes = match explanation.state {
            NodeState::Pending => "undoes it where the execution fails or is cancelled",
            _ => "undoes it, as the execution does not end well",
        };
        text.push(&text!("  {} was completed, and this {}\n", undone, undoes));
    }
    for reason in reasons {
        text.push(&text!("  {}\n", reason));
    }
    text
}
