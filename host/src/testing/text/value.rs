//! JSON's values that know their places.
//!
//! They are no deeper than [`JSON_DEPTH_MAX`](crate::limits::JSON_DEPTH_MAX), so walks over
//! them may call themselves.

use super::place::Place;

/// A value, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::testing) struct Node {
    pub(in crate::testing) at: Place,
    pub(in crate::testing) value: Value,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::testing) enum Value {
    Null,
    Bool(bool),
    /// The number as it is spelled, in JSON's grammar.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A member of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::testing) struct Member {
    pub(in crate::testing) at: Place,
    pub(in crate::testing) key: String,
    pub(in crate::testing) node: Node,
}

impl Node {
    /// It as JSON text, in one line.
    pub(in crate::testing) fn json(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match &self.value {
            Value::Null => text.push_str("null"),
            Value::Bool(is) => text.push_str(if *is { "true" } else { "false" }),
            Value::Number(number) => text.push_str(number),
            Value::Text(it) => text.push_str(&quoted(it)),
            Value::List(nodes) => {
                text.push('[');
                for (index, node) in nodes.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    node.write(text);
                }
                text.push(']');
            }
            Value::Map(members) => {
                text.push('{');
                for (index, member) in members.iter().enumerate() {
                    text.push_str(if index > 0 { "," } else { "" });
                    text.push_str(&quoted(&member.key));
                    text.push(':');
                    member.node.write(text);
                }
                text.push('}');
            }
        }
    }

    /// What it is, in words.
    pub(in crate::testing) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
