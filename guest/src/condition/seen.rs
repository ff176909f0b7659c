//! What an expression sees: its paths, and the values there.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::eval::Evaluation;
use super::expr::{Expr, Path, Step};
use super::root::Root;
use super::scope::Scope;

/// The paths of an expression in their order, each once, and the JSON text of
/// the value there. `None` if there is none.
pub(super) fn seen<'a>(root: &'a Expr, scope: &Scope<'a>) -> Vec<(String, Option<String>)> {
    let mut seen: Vec<(String, Option<String>)> = Vec::new();
    // No recursion: an expression is the user's.
    let mut open = Vec::from([root]);
    while let Some(expr) = open.pop() {
        if let Expr::Path(path) | Expr::Has(path) = expr {
            let text = spelling(path);
            if seen.iter().all(|(known, _)| *known != text) {
                let value = Evaluation::new(scope)
                    .resolve(path)
                    .map(|json| json.trim().to_string());
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

/// Whether a path of an expression begins with this root.
pub(super) fn reads(expr: &Expr, root: Root) -> bool {
    let mut open = Vec::from([expr]);
    while let Some(expr) = open.pop() {
        if let Expr::Path(path) | Expr::Has(path) = expr
            && path.root == root
        {
            return true;
        }
        push_parts(expr, &mut open);
    }
    false
}

/// The expressions that this one consists of.
fn push_parts<'a>(expr: &'a Expr, parts: &mut Vec<&'a Expr>) {
    let in_steps = |steps: &'a [Step]| steps.iter().filter_map(index);
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) => {}
        Expr::List(items) | Expr::All(items) | Expr::Any(items) | Expr::Sum(items) => {
            parts.extend(items);
        }
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
        Expr::Choose(chosen, last) => {
            parts.extend(
                chosen
                    .iter()
                    .flat_map(|(condition, then)| [condition, then]),
            );
            parts.push(last);
        }
        Expr::Holds(text, _, part) => parts.extend([&**text, part]),
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
    let mut text = String::from(path.root.name());
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
