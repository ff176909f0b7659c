//! Expression and scope to value. Recurses as deep as the expression is
//! nested, which its parser has limited.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};

use super::expr::{Expr, Path, Relation, Root, Step};
use super::number::Number;
use super::scope::Scope;
use super::value::Value;
use crate::json::{element, member};

/// What the expression comes to.
pub(super) fn value<'a>(expr: &'a Expr, scope: &Scope<'a>) -> Value<'a> {
    match expr {
        Expr::Null => Value::Null,
        Expr::Bool(value) => Value::Bool(*value),
        Expr::Number(text) => Value::Number(Cow::Borrowed(text)),
        Expr::Text(text) => Value::Text(Cow::Borrowed(text)),
        Expr::List(items) => Value::List(items.iter().map(|item| value(item, scope)).collect()),
        Expr::Path(path) => match resolve(path, scope) {
            None => Value::Null,
            Some(Cow::Borrowed(json)) => Value::read(json),
            Some(Cow::Owned(object)) => Value::Json(Cow::Owned(object)),
        },
        Expr::Steps(base, steps) => steps.iter().fold(value(base, scope), |value, step| {
            child(value, &key(step, scope))
        }),
        Expr::Has(path) => Value::Bool(resolve(path, scope).is_some()),
        Expr::Size(of) => Value::Number(Cow::Owned(value(of, scope).size().to_string())),
        Expr::Not(of) => Value::Bool(!value(of, scope).is_true()),
        Expr::Compare(first, rest) => rest
            .iter()
            .fold(value(first, scope), |left, (relation, right)| {
                Value::Bool(holds(&left, *relation, &value(right, scope)))
            }),
        Expr::All(parts) => Value::Bool(parts.iter().all(|part| value(part, scope).is_true())),
        Expr::Any(parts) => Value::Bool(parts.iter().any(|part| value(part, scope).is_true())),
    }
}

/// What the expression comes to, as JSON text.
pub(super) fn json(expr: &Expr, scope: &Scope<'_>) -> String {
    let verbatim = match expr {
        Expr::Path(path) => resolve(path, scope),
        _ => None,
    };
    verbatim.map_or_else(
        || {
            let mut json = String::new();
            value(expr, scope).write(&mut json);
            json
        },
        |json| json.trim().to_owned(),
    )
}

fn holds(left: &Value<'_>, relation: Relation, right: &Value<'_>) -> bool {
    match relation {
        Relation::Equal => left == right,
        Relation::Unequal => left != right,
        Relation::Less => left < right,
        Relation::AtMost => left <= right,
        Relation::Greater => left > right,
        Relation::AtLeast => left >= right,
        Relation::In => left.is_in(right),
    }
}

/// The JSON text that a path leads to.
pub(super) fn resolve<'a>(path: &'a Path, scope: &Scope<'a>) -> Option<Cow<'a, str>> {
    let mut steps = path.steps.iter();
    let start = match (path.root, path.steps.first()) {
        (Root::Input, _) => scope.input,
        (Root::Item, _) => scope.instance?.0,
        (Root::Index, _) => scope.instance?.1,
        (Root::State, None) => return Some(Cow::Owned(scope.state.to_text())),
        (Root::State, Some(first)) => {
            steps.next();
            match key(first, scope) {
                Key::Field(name) => scope.state.value(name)?,
                Key::Name(name) => scope.state.value(&name)?,
                Key::Index(_) | Key::None => return None,
            }
        }
    };
    steps
        .try_fold(start, |json, step| child_text(json, &key(step, scope)))
        .map(Cow::Borrowed)
}

/// One step, evaluated.
enum Key<'a> {
    /// A member's name, or an element's index in digits.
    Field(&'a str),
    /// A member's name.
    Name(Cow<'a, str>),
    /// An element's index.
    Index(usize),
    /// Nothing has such a key.
    None,
}

fn key<'a>(step: &'a Step, scope: &Scope<'a>) -> Key<'a> {
    match step {
        Step::Field(name) => Key::Field(name),
        Step::At(at) => match value(at, scope) {
            Value::Text(name) => Key::Name(name),
            Value::Number(text) => Number::read(&text).index().map_or(Key::None, Key::Index),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Json(_) => Key::None,
        },
    }
}

fn child_text<'a>(json: &'a str, key: &Key<'_>) -> Option<&'a str> {
    match key {
        Key::Field(name) => member(json, name).or_else(|| element(json, name.parse().ok()?)),
        Key::Name(name) => member(json, name),
        Key::Index(index) => element(json, *index),
        Key::None => None,
    }
}

/// The child of a value; null if there is none.
fn child<'a>(value: Value<'a>, key: &Key<'_>) -> Value<'a> {
    match value {
        Value::List(mut values) => {
            let index = match key {
                Key::Index(index) => Some(*index),
                Key::Field(digits) => digits.parse().ok(),
                Key::Name(_) | Key::None => None,
            };
            match index {
                Some(index) if index < values.len() => values.swap_remove(index),
                _ => Value::Null,
            }
        }
        Value::Json(Cow::Borrowed(json)) => child_text(json, key).map_or(Value::Null, Value::read),
        Value::Json(Cow::Owned(json)) => match child_text(&json, key).map(Value::read) {
            None | Some(Value::Null) => Value::Null,
            Some(Value::Bool(value)) => Value::Bool(value),
            Some(Value::Number(text)) => Value::Number(Cow::Owned(text.into_owned())),
            Some(Value::Text(text)) => Value::Text(Cow::Owned(text.into_owned())),
            Some(Value::Json(json)) => Value::Json(Cow::Owned(json.into_owned())),
            Some(Value::List(_)) => unreachable!("JSON text is read as JSON text"),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Value::Null,
    }
}
