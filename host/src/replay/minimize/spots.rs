//! The places in the JSON of a case, and what stands there.
//!
//! JSON is a tree, and parts of a tree are left out level by level (*hierarchical delta
//! debugging*: Misherghi and Su, "HDD", 2006).

use serde_json::Value;

use super::case::Case;
use super::facts::{self, PARTS, Part};

/// A piece of JSON that a case holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Document {
    Workflow,
    Input,
    /// A part of a fact, by the fact's place among all.
    Fact(usize, Part),
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) document: Document,
    pub(super) path: Vec<Step>,
}

/// All documents, read.
pub(super) fn documents(case: &Case) -> Vec<(Document, Value)> {
    let input = serde_json::from_str(&case.started.initial_input).ok();
    let mut documents = vec![(Document::Workflow, case.workflow.clone())];
    documents.extend(input.map(|input| (Document::Input, input)));
    for (place, fact) in case.facts().enumerate() {
        let parts = PARTS.into_iter();
        let parts = parts.filter_map(|part| Some((part, facts::part(fact, part)?)));
        documents.extend(parts.map(|(part, value)| (Document::Fact(place, part), value)));
    }
    documents
}

/// Puts a document back.
pub(super) fn put(case: &mut Case, document: Document, value: Value) {
    match document {
        Document::Workflow => case.workflow = value,
        Document::Input => case.started.initial_input = value.to_string(),
        Document::Fact(place, part) => {
            if let Some(fact) = case.facts_mut().nth(place) {
                facts::put(fact, part, &value);
            }
        }
    }
}

/// The places of this depth; those of whole documents have the depth 0.
pub(super) fn of_depth(case: &Case, depth: usize) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (document, value) in documents(case) {
        let mut level: Vec<(Vec<Step>, &Value)> = vec![(Vec::new(), &value)];
        for _ in 0..depth {
            let next = level.into_iter().flat_map(|(path, value)| {
                let below = steps(value).into_iter();
                below.map(move |(step, value)| ([path.as_slice(), &[step]].concat(), value))
            });
            level = next.collect();
        }
        spots.extend(level.into_iter().map(|(path, _)| Spot { document, path }));
    }
    spots
}

/// All places at which no further values stand.
pub(super) fn leaves(case: &Case) -> Vec<(Spot, Value)> {
    let mut leaves = Vec::new();
    for (document, value) in documents(case) {
        let mut open: Vec<(Vec<Step>, Value)> = vec![(Vec::new(), value)];
        while let Some((path, value)) = open.pop() {
            let below = steps(&value);
            if below.is_empty() {
                leaves.push((Spot { document, path }, value));
                continue;
            }
            let below = below.into_iter();
            open.extend(
                below.map(|(step, value)| ([path.as_slice(), &[step]].concat(), value.clone())),
            );
        }
    }
    leaves
}

fn steps(value: &Value) -> Vec<(Step, &Value)> {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (Step::Key(name.clone()), value))
                .collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(place, value)| (Step::Index(place), value))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn at<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(name) => value.get_mut(name),
        Step::Index(place) => value.get_mut(place),
    })
}

impl Spot {
    /// Whether it is so much of a workflow that it would be none without it. What leaves
    /// out nodes knows better how.
    pub(super) fn is_frame(&self) -> bool {
        let Document::Workflow = self.document else {
            return self.path.is_empty();
        };
        match self.path.as_slice() {
            [] => true,
            [Step::Key(name)] => {
                let frame = ["workflow_id", "version", "start_node", "nodes", "edges"];
                frame.contains(&name.as_str())
            }
            [Step::Key(name), _] => name == "nodes",
            [Step::Key(nodes), _, Step::Key(name)] => {
                nodes == "nodes" && ["id", "kind"].contains(&name.as_str())
            }
            [.., Step::Key(name)] => name == "type",
            _ => false,
        }
    }
}

/// The case without what stands at the places that are marked.
pub(super) fn without(case: &Case, spots: &[Spot], removed: &[bool]) -> Option<Case> {
    let mut left = case.clone();
    let marked = spots.iter().zip(removed).filter(|(_, removed)| **removed);
    let marked: Vec<&Spot> = marked.map(|(spot, _)| spot).collect();
    for (document, mut value) in documents(case) {
        let mut of_it = marked
            .iter()
            .filter(|spot| spot.document == document)
            .peekable();
        if of_it.peek().is_none() {
            continue;
        }
        // The last of a list goes first, so that the others keep their places.
        for spot in of_it.rev() {
            let (step, path) = spot.path.split_last()?;
            match (at(&mut value, path)?, step) {
                (Value::Object(fields), Step::Key(name)) => drop(fields.remove(name)),
                (Value::Array(items), Step::Index(place)) if *place < items.len() => {
                    drop(items.remove(*place));
                }
                _ => {}
            }
        }
        put(&mut left, document, value);
    }
    Some(left)
}

/// The case with other values at these places. `None` if there is no such place.
pub(super) fn with(case: &Case, values: &[(Spot, Value)]) -> Option<Case> {
    let mut other = case.clone();
    for (document, mut whole) in documents(case) {
        let of_it = values.iter().filter(|(spot, _)| spot.document == document);
        let mut is_other = false;
        for (spot, value) in of_it {
            *at(&mut whole, &spot.path)? = value.clone();
            is_other = true;
        }
        if is_other {
            put(&mut other, document, whole);
        }
    }
    Some(other)
}
