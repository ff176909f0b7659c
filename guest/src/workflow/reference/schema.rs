//! The JSON Schema of the format (draft 2020-12). It refuses what the parser refuses,
//! as far as a schema can say it: names, types, words and bounds, not the graph.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value, json};

use super::schema_rules::{
    has_branches, merges_by_a_worker, node_rules, policy_rules, tolerance_rules,
};
use super::tables::{Object, kinds, parts};
use crate::limits::{ERROR_CLASS_BYTES_MAX, ID_BYTES_MAX, MAP_ITEMS_MAX, SPAN_MAX};
use crate::workflow::compensate::COMPENSATE;
use crate::workflow::fields::{BY_TEXT_DIGITS, Effect};
use crate::workflow::kind::{NO_BODIES, TYPE};
use crate::workflow::plan::END;
use crate::workflow::table::{Field, Type};

/// What an expression in a text begins with.
const EXPRESSION: &str = "\\$\\{";

/// The schema, as JSON.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let mut workflow = json!({});
    for part in parts() {
        match part.text.name {
            "workflow" => workflow = object(&part),
            name => drop(definitions.insert(name.into(), object(&part))),
        }
    }
    let kinds = kinds();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.text.name).collect();
    let of_each = names.iter().map(|name| {
        json!({
            "if": { "properties": { TYPE: { "const": name } }, "required": [TYPE] },
            "then": reference(&format!("kind_{name}")),
        })
    });
    definitions.insert(
        "kind".into(),
        json!({
            "type": "object",
            "properties": { TYPE: { "enum": names } },
            "required": [TYPE],
            "allOf": of_each.collect::<Vec<_>>(),
        }),
    );
    for kind in &kinds {
        definitions.insert(format!("kind_{}", kind.text.name), kind_object(kind));
    }
    let node = &mut definitions["node"];
    node["allOf"] = node_rules();
    let policy = &mut definitions["retry_policy"];
    policy["allOf"] = policy_rules();
    definitions["tolerate"]["oneOf"] = tolerance_rules();
    workflow["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    workflow["title"] = json!("A workflow of Refrain");
    workflow["$defs"] = Value::Object(definitions);
    workflow
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

fn object(object: &Object) -> Value {
    let field = |(field, text): &(&'static Field, &'static super::texts::FieldText)| {
        let mut schema = field_schema(object.text.name, field);
        let about = match field.effect {
            Effect::Some => String::from(text.about),
            Effect::None => format!("{} It has no effect.", text.about),
        };
        schema["description"] = json!(about);
        (String::from(field.name), schema)
    };
    let properties: Map<String, Value> = object.fields.iter().map(field).collect();
    let required = object.fields.iter().filter(|(field, _)| field.required);
    let required: Vec<&str> = required.map(|(field, _)| field.name).collect();
    let mut schema = json!({
        "description": object.text.about,
        "type": "object",
        "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !object.is_open {
        schema["additionalProperties"] = json!(false);
    }
    schema
}

fn kind_object(kind: &Object) -> Value {
    let mut schema = object(kind);
    schema["properties"][TYPE] = json!({ "const": kind.text.name });
    // A text that stands for itself, and that this project alone reads.
    for (field, _) in kind.fields.iter().filter(|_| !kind.is_open) {
        if field.expressions.is_none() && matches!(field.of, Type::Text | Type::Name) {
            schema["properties"][field.name]["not"] =
                json!({ "type": "string", "pattern": EXPRESSION });
        }
    }
    let names = || {
        let fields = kind.fields.iter().map(|(field, _)| field.name);
        let own = fields.filter(|name| *name != "input_mapping");
        let names: Vec<&str> = own.chain([TYPE]).collect();
        json!({ "propertyNames": { "enum": names } })
    };
    match kind.text.name {
        "condition" => {
            schema["if"] = has_branches();
            schema["then"] = names();
        }
        "join" => {
            schema["if"] = merges_by_a_worker();
            schema["else"] = names();
        }
        "wait" => {
            let present = |name: &str| json!({ "required": [name], "properties": { name: { "not": { "type": "null" } } } });
            let needs = |condition: &str, then: Value| {
                json!({
                    "if": { "properties": { "condition": { "const": condition } }, "required": ["condition"] },
                    "then": then,
                })
            };
            let timer = json!({ "anyOf": [present("timeout_secs"), present("until")] });
            let event = present("correlation_key");
            schema["allOf"] = json!([
                needs("timer", timer.clone()),
                needs("external_event", event.clone()),
                needs("either", json!({ "allOf": [event, timer] })),
            ]);
        }
        "human_approval" => schema["properties"]["timeout_secs"]["minimum"] = json!(1),
        "subgraph" => {
            let present = |name: &str| json!({ "required": [name], "properties": { name: { "not": { "type": "null" } } } });
            let named = json!({ "allOf": [present("workflow_id"), present("version")] });
            let in_place = present("body");
            schema["oneOf"] = json!([named, in_place]);
        }
        _ => {}
    }
    schema
}

fn field_schema(object: &str, field: &Field) -> Value {
    let schema = special(object, field.name).unwrap_or_else(|| of_type(field.of));
    if field.required || schema == json!({}) {
        return schema;
    }
    or_null(schema)
}

/// The same, or null, which counts as left out.
fn or_null(mut schema: Value) -> Value {
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
        return schema;
    }
    match schema.get("type").and_then(Value::as_str) {
        Some(name) => {
            schema["type"] = json!([name, "null"]);
            schema
        }
        None => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

/// What the tables leave to code.
fn special(object: &str, field: &str) -> Option<Value> {
    let no_compensations = [&NO_BODIES[..], &["subgraph"]].concat();
    let class = json!({ "type": "string", "pattern": format!("^[a-z0-9_.-]{{1,{ERROR_CLASS_BYTES_MAX}}}$") });
    let each = |definition: &str| json!({ "type": "object", "additionalProperties": reference(definition) });
    Some(match (object, field) {
        ("workflow", "version") => {
            json!({ "type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$" })
        }
        ("subgraph", "version") => json!({
            "type": "string",
            "pattern": format!("^([0-9]+\\.[0-9]+\\.[0-9]+|0\\.0\\.0\\+[0-9a-f]{{{BY_TEXT_DIGITS}}})$"),
        }),
        ("workflow", "nodes") => json!({
            "type": "object",
            "propertyNames": { "allOf": [id(), { "not": { "const": END } }] },
            "additionalProperties": reference("node"),
        }),
        ("workflow", "edges") => json!({ "type": "array", "items": reference("edge") }),
        ("workflow", "retry_policies") => each("retry_policy"),
        ("workflow", "timeouts") => reference("timeouts"),
        ("workflow", "limits") => reference("limits"),
        ("workflow", "token_budget") => json!({ "anyOf": [
            whole(),
            {
                "type": "object",
                "properties": { "total_tokens": whole(), "input_tokens": whole(), "output_tokens": whole() },
                "additionalProperties": false,
            },
        ] }),
        ("workflow", "cost_budget_usd") => json!({ "type": "number", "minimum": 0 }),
        ("workflow", "on_budget_exceeded") => json!({ "enum": ["fail", "pause"] }),
        ("node", "kind") => reference("kind"),
        ("map", "body") => json!({ "allOf": [
            reference("kind"),
            { "properties": { TYPE: { "not": { "enum": NO_BODIES } } } },
        ] }),
        ("node", COMPENSATE) => json!({ "allOf": [
            reference("kind"),
            { "properties": { TYPE: { "not": { "enum": no_compensations } } } },
        ] }),
        ("subgraph", "body") => json!({
            "type": "object",
            "required": ["start_node", "nodes"],
            "properties": {
                "nodes": special("workflow", "nodes"),
                "edges": special("workflow", "edges"),
            },
            "not": { "anyOf": [{ "required": ["workflow_id"] }, { "required": ["version"] }] },
        }),
        ("subgraph", "repeat") => reference("repeat"),
        ("map", "tolerate") => reference("tolerate"),
        ("map", "max_concurrent" | "complete_after") => {
            json!({ "type": "integer", "minimum": 1 })
        }
        ("map", "max_items") => {
            json!({ "type": "integer", "minimum": 1, "maximum": MAP_ITEMS_MAX })
        }
        ("condition", "branches") => json!({ "type": "array", "items": reference("branch") }),
        ("retry_policy", "retryable_on") => json!({
            "type": "array",
            "items": { "anyOf": [
                class,
                { "type": "object", "properties": { "custom": class }, "required": ["custom"] },
            ] },
        }),
        ("join", "merge_strategy") => json!({ "anyOf": [
            { "enum": ["collect", "first"] },
            { "type": "object", "properties": { "count": { "type": "integer", "minimum": 1 } }, "required": ["count"] },
            nested("custom", "function_ref"),
        ] }),
        ("policy", "on_violation") => json!({ "anyOf": [
            { "enum": ["fail", "warn"] },
            nested("branch", "target"),
        ] }),
        _ => return None,
    })
}

/// A whole number that may be left out.
fn whole() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0 })
}

/// An object in an object with a text in it.
fn nested(outer: &str, inner: &str) -> Value {
    json!({
        "type": "object",
        "properties": { outer: {
            "type": "object",
            "properties": { inner: { "type": "string" } },
            "required": [inner],
        } },
        "required": [outer],
    })
}

fn id() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": ID_BYTES_MAX,
        "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        "not": { "type": "string", "pattern": EXPRESSION },
    })
}

fn of_type(of: Type) -> Value {
    let seconds_max = SPAN_MAX.0 / 1000;
    let span = |min: u64| {
        json!({ "anyOf": [
            { "type": "integer", "minimum": min, "maximum": seconds_max },
            {
                "type": "object",
                "properties": {
                    "secs": { "type": "integer", "minimum": 0, "maximum": seconds_max },
                    "nanos": { "type": "integer", "minimum": 0 },
                },
                "required": ["secs"],
            },
        ] })
    };
    match of {
        Type::Text | Type::Expression => json!({ "type": "string" }),
        Type::Name => json!({ "type": "string", "minLength": 1 }),
        Type::Id => id(),
        Type::Word(words) => json!({ "enum": words }),
        Type::Whole => json!({ "type": "integer", "minimum": 0 }),
        Type::Range(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Type::Seconds => json!({ "type": "integer", "minimum": 0, "maximum": seconds_max }),
        Type::Span => span(1),
        Type::Delay => span(0),
        Type::Flag => json!({ "type": "boolean" }),
        Type::AnyList => json!({ "type": "array" }),
        Type::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Type::SomeTexts => {
            json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 })
        }
        Type::AnyObject => json!({ "type": "object" }),
        Type::TextMap => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Type::Any => json!({}),
    }
}
