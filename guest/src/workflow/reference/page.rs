//! The reference of the format as a page in Markdown.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::tables::{Object, kinds, parts};
use crate::limits::SPAN_MAX;
use crate::workflow::fields::Effect;
use crate::workflow::kind::TYPE;
use crate::workflow::table::{Field, Type};

/// The words before the first table.
const HEAD: &str = "\
# The workflow format

Every part, kind and field of a workflow, with types, defaults and examples. [Workflows](workflows.md) tells how they are used, [the rules](rules.md) what they mean. This page and the [JSON Schema](workflow.schema.json) are made from the tables that the scheduler's parser reads (`cargo renew-reference`); a test holds that they are up to date.

Fields that are in bold must be there; all others may be left out or null. A field that is not listed is refused, except in the kinds that say so: there, the worker sees it. Seconds are whole numbers, at most SECONDS; where JamJet's spelling `{\"secs\": 1, \"nanos\": 500000000}` is accepted too, the type is *span*. An *expression* is in the language of [rule R8](rules.md).

Editors complete and check a workflow that names the schema: `\"$schema\": \"workflow.schema.json\"`, next to a copy of it.
";

/// The page.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.replace("SECONDS", &(SPAN_MAX.0 / 1000).to_string());
    for part in parts() {
        section(&part, "##", &mut page);
        page.push_str(&table(&part));
    }
    page.push_str("\n## Kinds\n\nThe kind of a node is an object with a `type`, one of these.\n\n");
    for kind in kinds() {
        let name = kind.text.name;
        page.push_str(&format!("- [`{name}`](#{name}): {}\n", kind.text.about));
    }
    for kind in kinds() {
        section(&kind, "###", &mut page);
        page.push_str(&format!("\n```json\n{}\n```\n", example(&kind)));
        if !kind.fields.is_empty() {
            page.push_str(&table(&kind));
        }
        match kind.text.name {
            "condition" | "join" => page.push_str(
                "\nOther fields are the worker's, and refused where no worker does it.\n",
            ),
            _ if kind.is_open => page.push_str("\nOther fields are the worker's.\n"),
            _ => {}
        }
    }
    page
}

fn section(object: &Object, level: &str, page: &mut String) {
    let text = object.text;
    page.push_str(&format!(
        "\n{level} {}\n\n{} (Rules: {}.)\n",
        text.name, text.about, text.rules
    ));
}

/// Fields of which a kind needs some, though none of them by itself: those of the example.
const NEEDED_TOGETHER: [(&str, [&str; 2]); 2] = [
    ("wait", ["correlation_key", "timeout_secs"]),
    ("subgraph", ["workflow_id", "version"]),
];

/// A kind with no more fields than it needs.
pub(super) fn example(kind: &Object) -> String {
    let together = NEEDED_TOGETHER
        .iter()
        .find(|(name, _)| *name == kind.text.name);
    let is_needed = |name: &str| together.is_some_and(|(_, fields)| fields.contains(&name));
    let mut example = format!("{{\"{TYPE}\": \"{}\"", kind.text.name);
    let needed = kind
        .fields
        .iter()
        .filter(|(field, _)| field.required || is_needed(field.name));
    for (field, text) in needed {
        example.push_str(&format!(", \"{}\": {}", field.name, text.example));
    }
    example.push('}');
    example
}

fn table(object: &Object) -> String {
    let mut table = String::from(
        "\n| field | type | default | example | what it is for |\n|---|---|---|---|---|\n",
    );
    for (field, text) in &object.fields {
        let name = match field.required {
            true => format!("**`{}`**", field.name),
            false => format!("`{}`", field.name),
        };
        let about = match field.effect {
            Effect::Some => String::from(text.about),
            Effect::None => format!("{} It has no effect.", text.about),
        };
        let row = [
            name,
            type_of(object.text.name, field),
            text.default.into(),
            format!("`{}`", text.example),
            about,
        ];
        table.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    table
}

fn type_of(object: &str, field: &Field) -> String {
    let linked = match (object, field.name) {
        ("workflow", "nodes") => Some("object of [nodes](#node)"),
        ("workflow", "edges") => Some("list of [edges](#edge)"),
        ("workflow", "retry_policies") => Some("object of [retry policies](#retry_policy)"),
        ("workflow", "timeouts") => Some("[timeouts](#timeouts)"),
        ("workflow", "limits") => Some("[limits](#limits)"),
        ("node", "kind") => Some("[kind](#kinds)"),
        ("map", "body") => Some("[kind](#kinds)"),
        ("map", "tolerate") => Some("[tolerate](#tolerate)"),
        ("condition", "branches") => Some("list of [branches](#branch)"),
        _ => None,
    };
    if let Some(linked) = linked {
        return linked.into();
    }
    match field.of {
        Type::Text => "text".into(),
        Type::Name => "text, not empty".into(),
        Type::Id => "name".into(),
        Type::Expression => "expression".into(),
        Type::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(", ")
        }
        Type::Whole => "whole number".into(),
        Type::Range(min, max) if max >= SPAN_MAX.0 / 1000 => format!("whole number from {min} on"),
        Type::Range(min, max) => format!("whole number, {min} to {max}"),
        Type::Seconds => "seconds".into(),
        Type::Span => "span, not 0".into(),
        Type::Delay => "span".into(),
        Type::Flag => "`true` or `false`".into(),
        Type::AnyList => "list".into(),
        Type::Texts => "list of texts".into(),
        Type::SomeTexts => "list of texts, not empty".into(),
        Type::AnyObject => "object".into(),
        Type::TextMap => "object of texts".into(),
        Type::Any => "any JSON".into(),
    }
}
