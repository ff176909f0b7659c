//! What each kind looks like: its name, its queue and its fields, in one table
//! (rules R5 and R6).
//!
//! A field says whether its texts may hold expressions (rule R29). Those of JamJet's
//! kinds for somebody's own workers may not: JamJet's texts have marks of their own, and
//! mean there what they mean in JamJet.
//!
//! What JamJet's own compiler always writes but nobody needs (empty maps,
//! schemas, flags) may be left out here.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::built_in;
use super::subgraph::{BODY, SUBGRAPH};
use crate::resembling::resembling;
use crate::template::Insertion;
use crate::workflow::fault::quoted;
use crate::workflow::fields::{Fields, called_elsewhere, known};
use crate::workflow::table::{Field, RUN_ON, Type, check, may, must, no_effect};

/// What a kind looks like.
pub(in crate::workflow) struct Form {
    /// The `type` in its JSON.
    pub(in crate::workflow) name: &'static str,
    /// The queue of its work items, where it is dispatched.
    pub(super) queue: &'static str,
    pub(in crate::workflow) fields: &'static [Field],
    read_by: Reader,
}

/// Who reads the fields of a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// This project alone: another field than those in the table would have no
    /// effect.
    Refrain,
    /// Somebody's own worker, who is given the kind as it is written and may
    /// make something of any field.
    AnyWorker,
}

/// A kind that this project settles or works on itself.
const fn own(name: &'static str, queue: &'static str, fields: &'static [Field]) -> Form {
    Form {
        name,
        queue,
        fields,
        read_by: Reader::Refrain,
    }
}

/// A kind for somebody's own workers.
const fn form(name: &'static str, queue: &'static str, fields: &'static [Field]) -> Form {
    Form {
        read_by: Reader::AnyWorker,
        ..own(name, queue, fields)
    }
}

use Type::{
    Any, AnyList, AnyObject, Flag, Id, Name, Seconds, SomeTexts, Text, TextMap, Texts, Whole, Word,
};

#[rustfmt::skip]
static FORMS: [Form; 26] = [
    own("command", "command", &[
        must("argv", SomeTexts).with_expressions(), may("cwd", Name).with_expressions(), may("env", TextMap).with_expressions(),
        may("output", Word(&["last_line", "json", "text", "none"])),
    ]),
    own("http", "http", &[
        must("url", Name).with_expressions_in_url(), may("method", Word(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])),
        may("headers", TextMap).with_expressions(), may("body", Any).with_expressions(), may("follow_redirects", Word(&["same_origin", "anywhere", "never"])),
    ]),
    form("model", "model", &[
        must("model_ref", Text), must("prompt_ref", Text), may("system_prompt", Text), may("tools", AnyList), SCHEMA,
    ]),
    form("tool", "tool", &[must("tool_ref", Text), SCHEMA]),
    form("python_fn", "python_tool", &[must("module", Text), must("function", Text), may("agent_tool_dispatch", Flag), SCHEMA]),
    form("java_fn", "java_tool", &[must("class_name", Text), must("method", Text), may("agent_tool_dispatch", Flag), SCHEMA]),
    form("condition", GENERAL, &[may("branches", AnyList), no_effect("expression")]),
    own("parallel", GENERAL, &[may("branches", Texts)]),
    form("join", GENERAL, &[may("wait_for", Texts), may("merge_strategy", Any), may("cancel_rest", Flag)]),
    own("wait", GENERAL, &[
        must("condition", Word(&["timer", "external_event", "either"])), may("correlation_key", Name).with_expressions(), may("timeout_secs", Seconds),
        may("until", Name).with_expressions(), may("keep", Flag),
    ]),
    own("human_approval", GENERAL, &[must("description", Text).with_expressions(), may("timeout_secs", Seconds), may("fallback_node", Text)]),
    own(SUBGRAPH, GENERAL, &[
        may("workflow_id", Id), may("version", Name), may(BODY, AnyObject), may("output_key", Name), may("merge", Flag), may("detached", Flag),
        may("repeat", AnyObject),
    ]),
    form("memory_retrieval", "retrieval", &[must("connector_ref", Text), must("query_expr", Text), SCHEMA]),
    form("policy", GENERAL, &[must("policy_ref", Text), must("on_violation", Any)]),
    form("finalizer", "tool", &[must("tool_ref", Text), must("run_on", Word(RUN_ON))]),
    form("agent", GENERAL, &[must("agent_ref", Text), SCHEMA]),
    form("mcp_tool", "tool", &[must("server", Text), must("tool", Text), SCHEMA]),
    form("a2a_task", "tool", &[
        must("remote_agent", Text), must("skill", Text), may("stream", Flag), may("on_input_required", Text),
        may("timeout_secs", Whole), SCHEMA,
    ]),
    form("agent_discovery", GENERAL, &[must("skill", Text), may("protocol", Text), may("output_binding", Text)]),
    form("coordinator", GENERAL, &[
        must("task", Text), may("required_skills", Texts), may("preferred_skills", Texts), may("trust_domain", Text),
        may("budget", AnyObject), may("tiebreaker", AnyObject), may("strategy", Text), may("weights", AnyObject),
        may("output_key", Text),
    ]),
    form("agent_tool", GENERAL, &[
        must("agent", Any), may("mode", Any), may("output_key", Text), may("timeout_ms", Whole), may("budget", AnyObject),
    ]),
    form("eval", GENERAL, &[
        must("scorers", AnyList), may("on_fail", Word(&["retry_with_feedback", "escalate", "halt", "log_and_continue"])),
        may("max_retries", Whole), may("input_expr", Text),
    ]),
    own("map", GENERAL, &[
        must("over", Type::Expression), must("body", AnyObject), may("max_concurrent", Whole), may("tolerate", AnyObject), may("complete_after", Whole),
        may("cancel_rest", Flag), may("output_key", Name), may("max_items", Whole),
    ]),
    own("limit_exceeded", GENERAL, &[may("description", Text)]),
    form(TASK, GENERAL, &[must("queue", Id)]),
    own("terminate", GENERAL, &[must("status", Word(&["completed", "failed"])), may("reason", Text)]),
];

/// The queue of what has none of its own.
const GENERAL: &str = "general";

const SCHEMA: Field = may("output_schema", Text);

/// Any kind that is dispatched may map its input, JamJet's and ours alike.
pub(in crate::workflow) const MAPPING: Field = may("input_mapping", TextMap);

pub(in crate::workflow) const TYPE: &str = "type";

/// The kind of everybody's own work.
const TASK: &str = "task";

impl Form {
    /// How values are inserted into the texts of a field; `None` if a text there stands
    /// for itself.
    pub(super) fn insertion(&self, field: &str) -> Option<Insertion> {
        match self.fields.iter().find(|it| it.name == field) {
            Some(field) => field.expressions,
            // Any field of everybody's own work (rule R29).
            None if self.name == TASK => {
                (field != TYPE && field != MAPPING.name).then_some(Insertion::Plain)
            }
            None => None,
        }
    }

    /// Whether somebody is given an input, where this project alone reads the fields.
    fn is_of_input(&self) -> bool {
        self.queue != GENERAL || self.name == SUBGRAPH
    }

    /// Report the fields that this project does not read, where nobody else
    /// reads them.
    pub(super) fn refuse_unknown(&self, kind: &Fields<'_, '_>) {
        let own = self.fields.iter().map(Field::allowed);
        // What the guest settles itself has no input to map.
        let mapping = self.is_of_input().then_some(known(MAPPING.name));
        let known = own.chain([known(TYPE)]).chain(mapping);
        kind.check_names_or(known.clone(), |name| {
            let of_kind = known.clone().map(|field| field.name);
            let is_of_kind = resembling(name, of_kind).is_some();
            (!is_of_kind).then(|| beside_kind(name)).flatten()
        });
    }
}

/// What a node says of itself, and its kind does not.
const BESIDE_KIND: [&str; 9] = [
    "retry_policy",
    "node_timeout_secs",
    "queue",
    "priority",
    "lease_secs",
    "run_on",
    "compensate",
    "description",
    "labels",
];

/// What to do about a field in a kind that belongs to the node, if this is one.
fn beside_kind(name: &str) -> Option<String> {
    const THERE: &str = "belongs to the node itself, beside its `kind`";
    if BESIDE_KIND.contains(&name) {
        return Some(format!("put it elsewhere: `{name}` {THERE}"));
    }
    let meant = called_elsewhere(name, &BESIDE_KIND).or_else(|| resembling(name, BESIDE_KIND))?;
    Some(format!("did you mean `{meant}`? It {THERE}"))
}

/// The form of a node's kind, its fields checked; None, and a fault, if there
/// is no such kind.
pub(super) fn form_of(kind: &Fields<'_, '_>) -> Option<&'static Form> {
    let name: Cow<'_, str> = kind.required(TYPE)?;
    let Some(form) = FORMS.iter().find(|form| form.name == name) else {
        let names = FORMS.iter().map(|form| form.name);
        let remedy = match resembling(&name, names.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the kinds are {}", names.collect::<Vec<_>>().join(", ")),
        };
        kind.fault(TYPE, format!("unknown kind {}", quoted(&name)), remedy);
        return None;
    };
    match form.read_by {
        Reader::Refrain => form.refuse_unknown(kind),
        Reader::AnyWorker => {
            let known = form.fields.iter().map(|field| field.name);
            kind.refuse_misspelled(known.chain([TYPE, MAPPING.name]));
        }
    }
    for field in form.fields.iter().chain([&MAPPING]) {
        check(kind, field);
        refuse_expression(kind, form, field);
    }
    built_in::check(kind, form.name);
    Some(form)
}

/// Report what looks like an expression in a text that stands for itself, where this project
/// alone reads the field: it would be taken as it is written (law 9).
fn refuse_expression(kind: &Fields<'_, '_>, form: &Form, field: &Field) {
    // What is an id is refused for that, and what says when a wait ends for being no time.
    let is_plain = field.expressions.is_none() && matches!(field.of, Text | Name);
    if !is_plain || form.read_by != Reader::Refrain || field.name == "until" {
        return;
    }
    let Some(text) = kind.get::<Cow<'_, str>>(field.name) else {
        return;
    };
    // Of the kinds that the scheduler settles itself, secrets are refused for what they are.
    let is_settled_here = matches!(form.name, "terminate" | "limit_exceeded" | "human_approval");
    let is_secret = is_settled_here && text.contains("${secret.");
    let Some(place) = text.find("${").filter(|_| !is_secret) else {
        return;
    };
    let message = format!(
        "{} would be taken as it is written: `{}` holds no expressions (column {})",
        quoted(&text),
        field.name,
        text[..place].chars().count() + 1
    );
    kind.fault(field.name, message, "write a text without `${`");
}

/// See [`BESIDE_KIND`].
#[cfg(test)]
pub(in crate::workflow) fn beside_kinds() -> [&'static str; 9] {
    BESIDE_KIND
}

/// All kinds and their queues.
#[cfg(test)]
pub(in crate::workflow) fn queues() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORMS.iter().map(|form| (form.name, form.queue))
}

/// All kinds.
#[cfg(not(target_family = "wasm"))]
pub(in crate::workflow) fn forms() -> impl Iterator<Item = &'static Form> {
    FORMS.iter()
}

#[cfg(not(target_family = "wasm"))]
impl Form {
    /// Whether somebody's own worker may make something of any other field.
    pub(in crate::workflow) fn is_open(&self) -> bool {
        self.read_by == Reader::AnyWorker
    }

    /// Whether a node of this kind may say what its input is.
    pub(in crate::workflow) fn may_map_its_input(&self) -> bool {
        self.is_open() || self.is_of_input()
    }
}
