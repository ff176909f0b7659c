//! What each kind looks like: its name, its queue and its fields, in one table
//! (rules R5 and R6).
//!
//! What JamJet's own compiler always writes but nobody needs (empty maps,
//! schemas, flags) may be left out here.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;

use super::built_in;
use crate::json::{elements, members};
use crate::time::Millis;
use crate::workflow::fault::{quoted, resembling};
use crate::workflow::fields::{AllowedField, Effect, Fields, List, Object, Read, known, value};

/// What a kind looks like.
pub(super) struct Form {
    /// The `type` in its JSON.
    pub(super) name: &'static str,
    /// The queue of its work items, where it is dispatched.
    pub(super) queue: &'static str,
    fields: &'static [Field],
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

struct Field {
    name: &'static str,
    of: Type,
    required: bool,
    effect: Effect,
}

/// What a field may hold.
#[derive(Clone, Copy)]
enum Type {
    Text,
    /// A text that is not empty.
    Name,
    /// One of these words.
    Word(&'static [&'static str]),
    Whole,
    /// A whole number of seconds, no more than a span may have.
    Seconds,
    Flag,
    AnyList,
    Texts,
    /// A list of texts that is not empty.
    SomeTexts,
    AnyObject,
    TextMap,
    Any,
}

const fn must(name: &'static str, of: Type) -> Field {
    Field {
        name,
        of,
        required: true,
        effect: Effect::Some,
    }
}

const fn may(name: &'static str, of: Type) -> Field {
    Field {
        name,
        of,
        required: false,
        effect: Effect::Some,
    }
}

/// JamJet writes it, and nothing comes of it.
const fn no_effect(name: &'static str) -> Field {
    Field {
        effect: Effect::None,
        ..may(name, Any)
    }
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
    Any, AnyList, AnyObject, Flag, Name, Seconds, SomeTexts, Text, TextMap, Texts, Whole, Word,
};

#[rustfmt::skip]
const FORMS: [Form; 24] = [
    own("command", "command", &[must("argv", SomeTexts), may("cwd", Name), may("env", TextMap)]),
    own("http", "http", &[
        must("url", Name), may("method", Word(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])),
        may("headers", TextMap), may("body", Any), may("follow_redirects", Word(&["same_origin", "anywhere", "never"])),
    ]),
    form("model", "model", &[
        must("model_ref", Text), must("prompt_ref", Text), may("system_prompt", Text), may("tools", AnyList), SCHEMA,
    ]),
    form("tool", "tool", &[must("tool_ref", Text), SCHEMA]),
    form("python_fn", "python_tool", &[must("module", Text), must("function", Text), may("agent_tool_dispatch", Flag), SCHEMA]),
    form("java_fn", "java_tool", &[must("class_name", Text), must("method", Text), may("agent_tool_dispatch", Flag), SCHEMA]),
    form("condition", GENERAL, &[may("branches", AnyList), no_effect("expression")]),
    own("parallel", GENERAL, &[may("branches", Texts)]),
    form("join", GENERAL, &[may("wait_for", Texts), may("merge_strategy", Any)]),
    own("wait", GENERAL, &[
        must("condition", Word(&["timer", "external_event", "either"])), may("correlation_key", Name), may("timeout_secs", Seconds),
    ]),
    own("human_approval", GENERAL, &[must("description", Text), may("timeout_secs", Seconds), may("fallback_node", Text)]),
    form("subgraph", GENERAL, &[]),
    form("memory_retrieval", "retrieval", &[must("connector_ref", Text), must("query_expr", Text), SCHEMA]),
    form("policy", GENERAL, &[must("policy_ref", Text), must("on_violation", Any)]),
    form("finalizer", "tool", &[must("tool_ref", Text), must("run_on", Word(&["success", "failure", "always"]))]),
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
        must("over", Name), must("body", Any), may("max_concurrent", Whole), may("tolerate", Any), may("complete_after", Whole),
        may("cancel_rest", Flag), may("output_key", Name), may("max_items", Whole),
    ]),
    own("limit_exceeded", GENERAL, &[may("description", Text)]),
];

/// Kinds that the contract has and this scheduler does not, and what to do without.
const NOT_YET: [(&str, &str); 2] = [
    (
        "terminate",
        "let the edges of a `condition` lead to \"end\"",
    ),
    (
        "task",
        "use a kind of one of the queues that there are, such as `tool`",
    ),
];

/// The queue of what has none of its own.
const GENERAL: &str = "general";

const SCHEMA: Field = may("output_schema", Text);

/// Any kind that is dispatched may map its input, JamJet's and ours alike.
const MAPPING: Field = may("input_mapping", TextMap);

const TYPE: &str = "type";

impl Form {
    /// Report the fields that this project does not read, where nobody else
    /// reads them.
    pub(super) fn refuse_unknown(&self, kind: &Fields<'_, '_>) {
        let own = self.fields.iter().map(|field| AllowedField {
            name: field.name,
            effect: field.effect,
        });
        // What the guest settles itself has no input to map.
        let mapping = (self.queue != GENERAL).then_some(known(MAPPING.name));
        kind.check_names(own.chain([known(TYPE)]).chain(mapping));
    }
}

/// The form of a node's kind, its fields checked; None, and a fault, if there
/// is no such kind.
pub(super) fn form_of(kind: &Fields<'_, '_>) -> Option<&'static Form> {
    let name: Cow<'_, str> = kind.required(TYPE)?;
    let Some(form) = FORMS.iter().find(|form| form.name == name) else {
        if let Some((_, remedy)) = NOT_YET.iter().find(|(kind, _)| *kind == name) {
            kind.fault(TYPE, format!("`{name}` is not supported yet"), *remedy);
            return None;
        }
        let names = FORMS
            .iter()
            .map(|form| form.name)
            .filter(|name| *name != "subgraph");
        let remedy = match resembling(&name, names.clone()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the kinds are {}", names.collect::<Vec<_>>().join(", ")),
        };
        kind.fault(TYPE, format!("unknown kind {}", quoted(&name)), remedy);
        return None;
    };
    if form.name == "subgraph" {
        let remedy = "put the nodes of the other workflow into this one, or start it from a `command` or `http` node";
        kind.fault(TYPE, "`subgraph` is not supported yet", remedy);
        return None;
    }
    match form.read_by {
        Reader::Refrain => form.refuse_unknown(kind),
        Reader::AnyWorker => {
            let known = form.fields.iter().map(|field| field.name);
            kind.refuse_misspelled(known.chain([TYPE, MAPPING.name]));
        }
    }
    for field in form.fields.iter().chain([&MAPPING]) {
        check(kind, field);
    }
    built_in::check(kind, form.name);
    Some(form)
}

fn check(kind: &Fields<'_, '_>, field: &Field) {
    match field.of {
        Text => present::<Cow<'_, str>>(kind, field, |_| {}),
        Name => present(kind, field, |text: Cow<'_, str>| {
            if text.is_empty() {
                kind.fault(
                    field.name,
                    format!("`{}` may not be empty", field.name),
                    "write a text here",
                );
            }
        }),
        Word(words) => present(kind, field, |text: Cow<'_, str>| {
            if !words.contains(&&*text) {
                let message = format!("{} is no `{}`", quoted(&text), field.name);
                kind.fault(
                    field.name,
                    message,
                    format!("write one of {}", words.join(", ")),
                );
            }
        }),
        Whole => present::<u64>(kind, field, |_| {}),
        Seconds => present(kind, field, |seconds| {
            kind.check_span(field.name, Millis::from_secs(seconds));
        }),
        Flag => present::<bool>(kind, field, |_| {}),
        AnyList => present::<List<'_>>(kind, field, |_| {}),
        Texts => present(kind, field, |List(json)| check_texts(kind, field, json)),
        SomeTexts => present(kind, field, |List(json)| {
            check_texts(kind, field, json);
            if elements(json).next().is_none() {
                kind.fault(
                    field.name,
                    format!("`{}` may not be empty", field.name),
                    "write at least one text",
                );
            }
        }),
        AnyObject => present::<Object<'_>>(kind, field, |_| {}),
        TextMap => present(kind, field, |Object(json)| {
            let place = kind.place.key(field.name);
            for (name, json) in members(json) {
                value::<Cow<'_, str>>(&place.key(&name), json, kind.faults);
            }
        }),
        Any => {
            if field.required && kind.raw(field.name).is_none() {
                let message = format!("the field `{}` is missing", field.name);
                kind.faults
                    .report(kind.place, message, format!("add `{}`", field.name));
            }
        }
    }
}

fn present<'a, T: Read<'a>>(kind: &Fields<'a, '_>, field: &Field, check: impl FnOnce(T)) {
    let value = if field.required {
        kind.required(field.name)
    } else {
        kind.optional(field.name)
    };
    if let Some(value) = value {
        check(value);
    }
}

fn check_texts(kind: &Fields<'_, '_>, field: &Field, json: &str) {
    let place = kind.place.key(field.name);
    for (index, json) in elements(json).enumerate() {
        value::<Cow<'_, str>>(&place.index(index), json, kind.faults);
    }
}

/// All kinds and their queues.
#[cfg(test)]
pub(in crate::workflow) fn queues() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORMS.iter().map(|form| (form.name, form.queue))
}
