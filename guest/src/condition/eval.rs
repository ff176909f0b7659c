//! Expression and scope to value. Recurses as deep as the expression is
//! nested, which its parser has limited.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;

use super::expr::{Expr, Part, Path, Relation, Step};
use super::number::Number;
use super::reads::Reads;
use super::root::Root;
use super::scope::Scope;
use super::value::{LIST_BYTES, Value, comparison_bytes};
use crate::json::{Object, element, member, push_quoted};
use crate::limits::{COPIES_PER_READ, EVALUATION_BYTES_MAX, PAYLOAD_BYTES_MAX};

/// One evaluation: what it sees, and how many bytes it may still make and read.
pub(super) struct Evaluation<'a> {
    scope: Scope<'a>,
    bytes_left: Cell<usize>,
    /// What it may read if it is alone.
    own_reads: Reads,
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(scope: &Scope<'a>) -> Self {
        Self {
            scope: *scope,
            bytes_left: Cell::new(EVALUATION_BYTES_MAX),
            own_reads: Reads::default(),
        }
    }

    fn reads(&self) -> &Reads {
        self.scope.reads.unwrap_or(&self.own_reads)
    }

    /// Whether the expression holds, and could be judged.
    pub(super) fn holds(&self, expr: &'a Expr) -> bool {
        self.is_true(expr) && !self.reads().is_over()
    }

    /// What the expression comes to.
    pub(super) fn value(&self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Null => Value::Null,
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Number(text) => Value::Number(Cow::Borrowed(text)),
            Expr::Text(text) => Value::Text(Cow::Borrowed(text)),
            Expr::List(items) => self.list(items),
            Expr::Path(path) => match self.resolve(path) {
                None => Value::Null,
                Some(Cow::Borrowed(json)) => self.read(json),
                Some(Cow::Owned(made)) => Value::made(made),
            },
            Expr::Steps(base, steps) => steps.iter().fold(self.value(base), |value, step| {
                let key = self.key(step);
                match self.reads().take(value.bytes()) {
                    true => child(value, &key),
                    false => Value::Null,
                }
            }),
            Expr::Has(path) => Value::Bool(self.resolve(path).is_some()),
            Expr::Size(of) => {
                let of = self.value(of);
                match self.reads().take(of.bytes()) {
                    true => Value::Number(Cow::Owned(of.size().to_string())),
                    false => Value::Null,
                }
            }
            Expr::Not(of) => Value::Bool(!self.is_true(of)),
            Expr::Compare(first, rest) => {
                rest.iter()
                    .fold(self.value(first), |left, (relation, right)| {
                        let right = self.value(right);
                        let bytes = comparison_bytes(&left, &right, *relation == Relation::In);
                        match self.reads().take(bytes) {
                            true => Value::Bool(holds(&left, *relation, &right)),
                            false => Value::Null,
                        }
                    })
            }
            Expr::All(parts) => Value::Bool(parts.iter().all(|part| self.is_true(part))),
            Expr::Any(parts) => Value::Bool(parts.iter().any(|part| self.is_true(part))),
            Expr::Sum(parts) => self.sum(parts),
            Expr::Choose(chosen, last) => {
                let mut chosen = chosen.iter();
                let first = chosen.find(|(condition, _)| self.is_true(condition));
                self.value(first.map_or(last, |(_, then)| then))
            }
            Expr::Holds(text, place, part) => {
                let (text, part) = (self.value(text), self.value(part));
                let searched = if *place == Part::Anywhere {
                    text.bytes()
                } else {
                    0
                };
                match self.reads().take(searched + part.bytes()) {
                    true => Value::Bool(is_part(&text, *place, &part)),
                    false => Value::Null,
                }
            }
        }
    }

    fn is_true(&self, expr: &'a Expr) -> bool {
        match self.value(expr) {
            Value::Number(text) if !self.reads().take(text.len()) => false,
            value => value.is_true(),
        }
    }

    /// The value of checked JSON text. A text is decoded.
    fn read(&self, json: &'a str) -> Value<'a> {
        let is_text = json.trim_start().starts_with('"');
        match is_text && !self.reads().take(json.len()) {
            true => Value::Null,
            false => Value::read(json),
        }
    }

    /// The child of a JSON text, if there is one: what stands before it is read.
    fn step(&self, json: &'a str, key: &Key<'_>) -> Option<&'a str> {
        let child = child_text(json, key);
        let read = child.map_or(json.len(), |child| {
            child.as_ptr().addr() + child.len() - json.as_ptr().addr()
        });
        match self.reads().take(read) {
            true => child,
            false => None,
        }
    }

    /// A list that is larger than a payload may be is null.
    fn list(&self, items: &'a [Expr]) -> Value<'a> {
        let mut values = Vec::with_capacity(items.len());
        let mut bytes = LIST_BYTES;
        for (index, item) in items.iter().enumerate() {
            let value = self.value(item);
            bytes += value.bytes() + usize::from(index > 0);
            if bytes > PAYLOAD_BYTES_MAX {
                return Value::Null;
            }
            values.push(value);
        }
        Value::List(values)
    }

    /// Texts joined, or lists; null where it is neither, or too large.
    fn sum(&self, parts: &'a [Expr]) -> Value<'a> {
        let mut parts = parts.iter().map(|part| self.value(part));
        let mut sum = match parts.next() {
            Some(Value::Text(text)) => Sum::Text(text.into_owned()),
            Some(list) if list.is_list() => {
                let mut json = String::new();
                list.write(&mut json);
                Sum::List(json)
            }
            _ => return Value::Null,
        };
        for part in parts {
            let is_read = self
                .reads()
                .take((sum.bytes() + part.bytes()) / COPIES_PER_READ);
            if !is_read || !sum.take(&part) || sum.bytes() > PAYLOAD_BYTES_MAX {
                return Value::Null;
            }
        }
        if !self.make(sum.bytes()) {
            return Value::Null;
        }
        match sum {
            Sum::Text(text) => Value::Text(Cow::Owned(text)),
            Sum::List(json) => Value::Json(Cow::Owned(json)),
        }
    }

    /// Takes so many bytes of what may be made; false, and none of it, if there are
    /// not so many left.
    fn make(&self, bytes: usize) -> bool {
        let left = self.bytes_left.get().checked_sub(bytes);
        if let Some(left) = left {
            self.bytes_left.set(left);
        }
        left.is_some()
    }

    /// The JSON text that a path leads to.
    pub(super) fn resolve(&self, path: &'a Path) -> Option<Cow<'a, str>> {
        let mut steps = path.steps.iter();
        let object = match path.root {
            Root::State => Some(self.scope.state),
            Root::Errors => Some(self.scope.errors?),
            _ => None,
        };
        let start = match (path.root, path.steps.first()) {
            (Root::State | Root::Errors, first) => {
                let object = object?;
                let Some(first) = first else {
                    let bytes = object.bytes_with(&Object::new());
                    let is_made = self.make(bytes) && self.reads().take(bytes);
                    return is_made.then(|| Cow::Owned(object.to_text()));
                };
                steps.next();
                match self.key(first) {
                    Key::Field(name) => object.value(name)?,
                    Key::Name(name) => object.value(&name)?,
                    Key::Index(_) | Key::None => return None,
                }
            }
            (Root::Input, _) => self.scope.input,
            (Root::Error, _) => self.scope.error?,
            (Root::Item, _) => self.scope.instance?.0,
            (Root::Index, _) => self.scope.instance?.1,
            (Root::Last, _) => self.scope.iteration?.0,
            (Root::Iteration, _) => self.scope.iteration?.1,
            (Root::Output, _) => self.scope.output?,
            (Root::NodeId, None) => return self.node_id().map(Cow::Owned),
            // A text has no members.
            (Root::NodeId, Some(_)) => return None,
        };
        steps
            .try_fold(start, |json, step| self.step(json, &self.key(step)))
            .map(Cow::Borrowed)
    }

    /// The node's id as JSON text.
    fn node_id(&self) -> Option<String> {
        let mut json = String::new();
        push_quoted(&mut json, self.scope.node_id?);
        Some(json)
    }

    fn key(&self, step: &'a Step) -> Key<'a> {
        match step {
            Step::Field(name) => Key::Field(name),
            Step::At(at) => match self.value(at) {
                Value::Text(name) => Key::Name(name),
                Value::Number(text) => Number::read(&text).index().map_or(Key::None, Key::Index),
                Value::Null | Value::Bool(_) | Value::List(_) | Value::Json(_) => Key::None,
            },
        }
    }

    /// Put what the expression comes to into a text, by `put`: a text as it is, all else
    /// as JSON text. False, and nothing, if it is null; false too where more would be read
    /// than may be.
    pub(super) fn insert(
        &self,
        expr: &'a Expr,
        into: &mut String,
        put: impl Fn(&mut String, &str),
    ) -> bool {
        match self.value(expr) {
            Value::Null => return false,
            Value::Text(value) | Value::Number(value) | Value::Json(value) => put(into, &value),
            value @ (Value::Bool(_) | Value::List(_)) => {
                let mut json = String::new();
                value.write(&mut json);
                put(into, &json);
            }
        }
        !self.reads().is_over()
    }

    /// Append what the expression comes to, as JSON text. False if it is null, or more would
    /// be read than may be.
    pub(super) fn push_json(&self, expr: &'a Expr, json: &mut String) -> bool {
        let verbatim = match expr {
            Expr::Path(path) => self.resolve(path),
            _ => None,
        };
        let start = json.len();
        match verbatim {
            Some(value) => json.push_str(value.trim()),
            None => self.value(expr).write(json),
        }
        if self.reads().is_over() {
            json.truncate(start);
            json.push_str("null");
        }
        json[start..] != *"null"
    }

    /// What the expression comes to, as JSON text.
    pub(super) fn json(&self, expr: &'a Expr) -> String {
        let mut json = String::new();
        self.push_json(expr, &mut json);
        json
    }
}

/// What several parts are joined to, so far.
enum Sum {
    Text(String),
    /// As JSON text.
    List(String),
}

impl Sum {
    /// Append a part; false if it is of another type.
    fn take(&mut self, part: &Value<'_>) -> bool {
        match (self, part) {
            (Self::Text(sum), Value::Text(text)) => sum.push_str(text),
            (Self::List(sum), list) if list.is_list() => {
                let mut more = String::new();
                list.write(&mut more);
                join_lists(sum, &more);
            }
            _ => return false,
        }
        true
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Text(sum) | Self::List(sum) => sum.len(),
        }
    }
}

/// Append the elements of `more` to the list `sum`, both as JSON text.
fn join_lists(sum: &mut String, more: &str) {
    let inner = |list: &str| list[1..list.len() - 1].trim_ascii().len();
    if inner(more) == 0 {
        return;
    }
    let comma = if inner(sum) == 0 { "" } else { "," };
    sum.truncate(sum.len() - 1);
    sum.push_str(comma);
    sum.push_str(&more[1..]);
}

/// Whether the part is in the text; false where either is no text.
fn is_part(text: &Value<'_>, place: Part, part: &Value<'_>) -> bool {
    let (Value::Text(text), Value::Text(part)) = (text, part) else {
        return false;
    };
    match place {
        Part::Anywhere => text.contains(&**part),
        Part::Start => text.starts_with(&**part),
        Part::End => text.ends_with(&**part),
    }
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
        Value::Json(Cow::Owned(json)) => {
            child_text(&json, key).map_or(Value::Null, |child| Value::made(child.to_owned()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => Value::Null,
    }
}
