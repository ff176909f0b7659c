//! Which expression of a text came to null (rule R29).
//!
//! A log says where such a text stands in its node, and holds none of it: the workflow's
//! text says what stands there.

use serde_json::Value;

use crate::model::node_of_run;
use crate::templates;

/// So many expressions of one text are told of.
const TOLD_MAX: usize = 5;

/// The expressions of the text at this JSON pointer into a node, as the workflow has them;
/// none that a worker puts in. `node_id` may be that of an instance or of a compensation.
/// None at all where no text stands there.
#[must_use]
pub fn expressions_at<'w>(workflow: &'w Value, node_id: &str, pointer: &str) -> Vec<&'w str> {
    let text = workflow["nodes"][node_of_run(node_id)].pointer(pointer);
    text.and_then(Value::as_str)
        .map_or(Vec::new(), templates::expressions)
}

/// That one of these expressions, which stand in the text at this pointer, came to null.
/// `None` if there are none.
#[must_use]
pub fn unresolved(expressions: &[&str], pointer: &str) -> Option<String> {
    let told: Vec<String> = expressions
        .iter()
        .take(TOLD_MAX)
        .map(|it| format!("`${{{it}}}`"))
        .collect();
    let more = match expressions.len() {
        0 => return None,
        1 => return Some(format!("{} comes to null, in `{pointer}`", told[0])),
        many if many > TOLD_MAX => ", …",
        _ => "",
    };
    Some(format!(
        "one of {}{more} comes to null, in `{pointer}`",
        told.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(node_id: &str, pointer: &str) -> Option<String> {
        let workflow = json!({ "nodes": {
            "a": {
                "kind": { "type": "command", "argv": ["x", "${state.a} ${secret.K} $${no} ${ input['}'] }"] },
                "compensate": { "type": "http", "url": "http://h/${output.id}" },
            },
            "m": { "kind": { "type": "map", "body": { "type": "command", "env": { "A/B": "${item.x}" } } } },
            "n": { "kind": { "type": "task", "text": "${a}${b}${c}${d}${e}${f}" } },
        } });
        unresolved(&expressions_at(&workflow, node_id, pointer), pointer)
    }

    #[test]
    fn r29_what_came_to_null_is_shown_as_the_workflow_has_it() {
        for (node_id, pointer, expected) in [
            (
                "a",
                "/kind/argv/1",
                Some("one of `${state.a}`, `${input['}']}` comes to null, in `/kind/argv/1`"),
            ),
            (
                "a!undo",
                "/compensate/url",
                Some("`${output.id}` comes to null, in `/compensate/url`"),
            ),
            (
                "m[3]",
                "/kind/body/env/A~1B",
                Some("`${item.x}` comes to null, in `/kind/body/env/A~1B`"),
            ),
            (
                "n",
                "/kind/text",
                Some(
                    "one of `${a}`, `${b}`, `${c}`, `${d}`, `${e}`, … comes to null, in `/kind/text`",
                ),
            ),
            ("a", "/kind/argv/0", None),
            ("a", "/kind/argv", None),
            ("b", "/kind/argv/0", None),
        ] {
            assert_eq!(told(node_id, pointer).as_deref(), expected, "{node_id}");
        }
    }
}
