//! What an expression sees: its paths, and the values there.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::eval::resolve;
use super::expr::{Expr, Path, Root, Step};
use super::scope::Scope;

/// The paths of an expression in their order, each once, and the JSON text of
/// the value there. `None` if there is none.
pub(super) fn seen(root: &Expr, scope: &Scope<'_>) -> Vec<(String, Option<String>)> {
    let mut seen: Vec<(String, Option<String>)> = Vec::new();
    // No recursion: an expression is the user's.
    let mut open = Vec::from([root]);
    while let Some(expr) = open.pop() {
        if let Expr::Path(path) | Expr::Has(path) = expr {
            let text = spelling(path);
            if seen.iter().all(|(known, _)| *known != text) {
                let value = resolve(path, scope).map(|json| json.trim().to_string());
                seen.push((text, value));
            }
        }
        // The last is taken first.
        let parts = open.len();
        push_parts(expr, &mut open);
        open[parts..].reverse();
    }
    seen
}

/// The expressions that this one consists of.
fn push_parts<'a>(expr: &'a Expr, parts: &mut Vec<&'a Expr>) {
    let in_steps = |steps: &'a [Step]| steps.iter().filter_map(index);
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) => {}
        Expr::List(items) | Expr::All(items) | Expr::Any(items) => parts.extend(items),
        Expr::Path(path) | Expr::Has(path) => parts.extend(in_steps(&path.steps)),
        Expr::Steps(base, steps) => {
            parts.push(base);
            parts.extend(in_steps(steps));
        }
        Expr::Size(of) | Expr::Not(of) => parts.push(of),
        Expr::Compare(first, rest) => {
            parts.push(first);
            parts.extend(rest.iter().map(|(_, right)| right));
        }
    }
}

/// What stands in the brackets, if it is a step in brackets.
fn index(step: &Step) -> Option<&Expr> {
    match step {
        Step::Field(_) => None,
        Step::At(index) => Some(index),
    }
}

/// The path as it can be written in an expression. What is computed within brackets
/// is left out, but for literals and paths.
fn spelling(path: &Path) -> String {
    let mut text = String::from(match path.root {
        Root::State => "state",
        Root::Input => "input",
        Root::Item => "item",
        Root::Index => "index",
    });
    for step in &path.steps {
        text.push_str(&match step {
            Step::Field(name) => format!(".{name}"),
            Step::At(Expr::Text(name)) => format!("[{name:?}]"),
            Step::At(Expr::Number(number)) => format!("[{number}]"),
            // Nested as deep as the parser lets brackets be.
            Step::At(Expr::Path(path)) => format!("[{}]", spelling(path)),
            Step::At(_) => String::from("[…]"),
        });
    }
    text
}
