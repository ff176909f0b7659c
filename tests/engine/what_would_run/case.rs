//! An answer, and what the model of the rules says of it.

use std::collections::BTreeMap;

use anyhow::Result;
use refrain::model::node_of_run;
use refrain::replay::{Assumption, Needs};
use refrain_guest::contract::{Event, EventKind, Status};
use serde_json::Value;

use super::world::{Given, World};

/// An answer, and what it was given for.
pub(super) struct Case<'a> {
    pub(super) workflow: &'a str,
    pub(super) log: &'a [Event],
    pub(super) target: &'a str,
    pub(super) needs: &'a Needs,
}

/// Of so many, each selection is tried.
const EACH_SELECTION_MAX: usize = 6;

impl Case<'_> {
    /// What expressions come to is not put into workflows here.
    pub(super) fn is_judged(&self) -> bool {
        let mut assumptions = self.needs.assumptions.iter();
        !assumptions.any(|it| matches!(it, Assumption::Value { .. }))
    }

    /// What is said makes the node run, and no part of it does.
    pub(super) fn judge(&self) -> Result<()> {
        // There are more of them than are tried one by one.
        let is_small = self.given().len() <= 64;
        anyhow::ensure!(
            self.needs.is_minimal == is_small,
            "it is not minimal: {:?}",
            self.needs
        );
        let wrong = match is_small {
            true => self.wrong_with(&self.needs.assumptions)?,
            false => None,
        };
        match wrong {
            Some(wrong) => anyhow::bail!("{wrong}"),
            None => Ok(()),
        }
    }

    /// Without any one of the conditions that are assumed, it is not so.
    pub(super) fn judge_assumptions(&self) -> Result<()> {
        let assumptions = &self.needs.assumptions;
        anyhow::ensure!(
            self.needs.has_least_assumptions,
            "it assumes more than is needed: {:?}",
            self.needs
        );
        for (place, left_out) in assumptions.iter().enumerate() {
            if !self.needs.is_minimal || !matches!(left_out, Assumption::Condition { .. }) {
                continue;
            }
            let rest = [&assumptions[..place], &assumptions[place + 1..]].concat();
            anyhow::ensure!(
                self.wrong_with(&rest)?.is_some(),
                "behind event {}, {} runs by the same of {:?} without {left_out:?}\n{}",
                self.log.len(),
                self.target,
                self.needs,
                self.workflow,
            );
        }
        Ok(())
    }

    fn given(&self) -> Vec<Given<'_>> {
        let acts = self.needs.acts.iter().map(Given::Act);
        acts.chain(self.needs.facts.iter().map(Given::Fact))
            .collect()
    }

    /// What is not as it is said, where just these are assumed. `None` if all is.
    fn wrong_with(&self, assumptions: &[Assumption]) -> Result<Option<String>> {
        let all = self.given();
        for others in [false, true] {
            let workflow = self.assuming(assumptions, others)?;
            let runs = |given: &[Given<'_>]| {
                let choices = choices(assumptions);
                World::runs(&workflow, (self.log, self.target), choices, given)
            };
            let told = |what: &str, given: &[Given<'_>]| {
                format!(
                    "behind event {}, {} {what} by {given:?} of {:?}, where other conditions are {others}\n{workflow}",
                    self.log.len(),
                    self.target,
                    self.needs,
                )
            };
            if !runs(&all)? {
                return Ok(Some(told("is not made to run", &all)));
            }
            for part in parts(&all) {
                if runs(&part)? {
                    return Ok(Some(told("is made to run", &part)));
                }
            }
        }
        Ok(None)
    }

    /// Where nothing was found, it does not run if all goes well either.
    pub(super) fn judge_not_found(&self) -> Result<()> {
        for others in [false, true] {
            let workflow = self.assuming(&[], others)?;
            let begins = World::begins_at_last(&workflow, self.log, self.target)?;
            anyhow::ensure!(
                !begins,
                "behind event {}, nothing was found for {}, and it runs where conditions are {others}\n{workflow}",
                self.log.len(),
                self.target,
            );
        }
        Ok(())
    }

    /// The workflow with the assumed values in the place of conditions that are not judged
    /// yet, and with this in the place of the others.
    fn assuming(&self, assumptions: &[Assumption], others: bool) -> Result<String> {
        let settled = settled(self.log);
        let mut workflow: Value = serde_json::from_str(self.workflow)?;
        let mut assumed: BTreeMap<(&str, &str, &str), bool> = BTreeMap::new();
        for it in assumptions {
            if let Assumption::Condition {
                from,
                to,
                condition,
                holds,
            } = it
            {
                assumed.insert((from, to, condition), *holds);
            }
        }
        let mut number = 0;
        let mut value = |from: &str, to: &Value, condition: &mut Value| {
            // What reads the input alone is known.
            let text = condition.as_str();
            let Some(text) = text.filter(|it| it.contains("state.") || it.contains("error."))
            else {
                return;
            };
            let key = (from, to.as_str().unwrap_or_default(), text);
            let holds = assumed.get(&key).copied().unwrap_or(others);
            number += 1;
            let relation = if holds { "==" } else { "!=" };
            *condition = format!("{number} {relation} {number}").into();
        };
        let nodes = workflow["nodes"].clone();
        for edge in workflow["edges"].as_array_mut().into_iter().flatten() {
            let from = edge["from"].as_str().unwrap_or_default().to_owned();
            let is_judged = match settled.get(from.as_str()) {
                Some(Settled::Failed) => edge["on"] == "failure" || edge["on"] == "always",
                Some(Settled::Otherwise) => true,
                None => {
                    let kind = &nodes[&from]["kind"];
                    let branches = kind["branches"].as_array();
                    kind["type"] == "condition" && branches.is_some_and(|it| !it.is_empty())
                }
            };
            if !is_judged {
                let to = edge["to"].clone();
                value(&from, &to, &mut edge["condition"]);
            }
        }
        for (id, node) in workflow["nodes"].as_object_mut().into_iter().flatten() {
            if settled.contains_key(id.as_str()) {
                continue;
            }
            let kind = &mut node["kind"];
            let is_condition = kind["type"] == "condition";
            let branches = kind["branches"].as_array_mut().filter(|_| is_condition);
            for branch in branches.into_iter().flatten() {
                let to = branch["target"].clone();
                value(id, &to, &mut branch["condition"]);
            }
            let is_loop = |it: &&Assumption| matches!(it, Assumption::LoopEnds { node_id, .. } if node_id == id);
            if !assumptions.iter().any(|it| is_loop(&it)) {
                continue;
            }
            for within in ["/repeat/while", "/body/repeat/while"] {
                let text = kind.pointer_mut(within);
                if let Some(text) = text.filter(|text| text.is_string()) {
                    *text = format!("iteration < {}", iteration(self.log, id)).into();
                }
            }
        }
        Ok(without_nulls(workflow).to_string())
    }
}

/// The targets that workers are assumed to choose.
fn choices(assumptions: &[Assumption]) -> BTreeMap<String, String> {
    let choices = assumptions.iter().filter_map(|it| match it {
        Assumption::Choice { node_id, target } => Some((node_id.clone(), target.clone())),
        _ => None,
    });
    choices.collect()
}

/// Indexing has put nulls where there was nothing.
fn without_nulls(mut workflow: Value) -> Value {
    for edge in workflow["edges"].as_array_mut().into_iter().flatten() {
        if let Some(edge) = edge.as_object_mut() {
            edge.retain(|_, value| !value.is_null());
        }
    }
    for (_, node) in workflow["nodes"].as_object_mut().into_iter().flatten() {
        if let Some(kind) = node["kind"].as_object_mut() {
            kind.retain(|_, value| !value.is_null());
            for branch in kind
                .get_mut("branches")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(branch) = branch.as_object_mut() {
                    branch.retain(|_, value| !value.is_null());
                }
            }
        }
    }
    workflow
}

/// The parts of these: all of them if they are few, else those with one fewer.
fn parts<'a>(all: &[Given<'a>]) -> Vec<Vec<Given<'a>>> {
    let without = |left_out: &dyn Fn(usize) -> bool| {
        let kept = all
            .iter()
            .enumerate()
            .filter(|(place, _)| !left_out(*place));
        kept.map(|(_, given)| *given).collect()
    };
    match all.len() {
        0..=EACH_SELECTION_MAX => (1_u32..1 << all.len())
            .map(|left_out| without(&|place| left_out & (1 << place) != 0))
            .collect(),
        count => (0..count).map(|it| without(&|place| place == it)).collect(),
    }
}

/// How a node was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Failed,
    Otherwise,
}

/// The nodes that have judged their edges.
fn settled(log: &[Event]) -> BTreeMap<&str, Settled> {
    let mut settled = BTreeMap::new();
    for event in log {
        match &event.kind {
            EventKind::NodeCompleted(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeSettled(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeSkipped(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeCancelled(it) => settled.insert(&*it.node_id, Settled::Otherwise),
            EventKind::NodeExhausted(it) => settled.insert(&*it.node_id, Settled::Failed),
            EventKind::ChildEnded(it) if it.status == Status::Completed => {
                settled.insert(&*it.node_id, Settled::Otherwise)
            }
            EventKind::ChildRequested(it) => settled.remove(&*it.node_id),
            EventKind::RetryScheduled(it) => settled.remove(&*it.node_id),
            EventKind::RetryRequested(it) => settled.remove(&*it.node_id),
            _ => None,
        };
    }
    settled
}

/// The iteration that a loop is in, from 0; of a map, each instance.
fn iteration(log: &[Event], node: &str) -> u32 {
    let iterations = log.iter().rev().filter_map(|event| match &event.kind {
        EventKind::ChildRequested(it) if node_of_run(&it.node_id) == node => Some(it.iteration),
        _ => None,
    });
    iterations.into_iter().next().unwrap_or(0)
}
