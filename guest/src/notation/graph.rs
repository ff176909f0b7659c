//! The lines of a graph become a workflow.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::contract::Limits;
use serde_json::{Map, Value, json};

use super::text::{split, words};

/// What the graph's lines say.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The workflow's JSON.
    pub workflow: String,
    /// The engine's limits.
    pub limits: Limits,
    /// The execution's input.
    pub input: String,
    /// The execution's seed.
    pub seed: u64,
}

/// A workflow as it grows line by line.
#[derive(Default)]
struct Draft {
    start: Option<String>,
    nodes: BTreeMap<String, Value>,
    edges: Vec<Value>,
    policies: Map<String, Value>,
    timeouts: Map<String, Value>,
    own_limits: Option<Value>,
    budget: Map<String, Value>,
}

impl Graph {
    /// Read the lines.
    ///
    /// # Errors
    /// The line that cannot be read, and why.
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut graph = Self {
            workflow: String::new(),
            limits: Limits {
                max_concurrent_nodes: 16,
                max_dispatch_per_tick: 8,
            },
            input: "{}".to_owned(),
            seed: 7,
        };
        let mut draft = Draft::default();
        for line in lines {
            graph
                .line(&mut draft, line)
                .map_err(|error| format!("the graph's line `{line}`: {error}"))?;
        }
        graph.workflow = draft.finish()?;
        Ok(graph)
    }

    fn line(&mut self, draft: &mut Draft, line: &str) -> Result<(), String> {
        if line.contains("->") {
            return split(line, ',')
                .into_iter()
                .try_for_each(|clause| draft.edges(clause));
        }
        let words = words(line);
        match words.as_slice() {
            ["policy", name, policy] => {
                draft.policies.insert((*name).to_owned(), parse(policy)?);
            }
            ["budget", budget] => {
                let Value::Object(budget) = parse(budget)? else {
                    return Err(format!("`{budget}` is no object"));
                };
                draft.budget.extend(budget);
            }
            ["timeout", seconds] => {
                draft
                    .timeouts
                    .insert("workflow_timeout".to_owned(), parse(seconds)?);
            }
            ["node_timeout", seconds] => {
                draft
                    .timeouts
                    .insert("node_timeout".to_owned(), parse(seconds)?);
            }
            ["limits", concurrent, dispatch] => {
                self.limits = Limits {
                    max_concurrent_nodes: number(concurrent)?,
                    max_dispatch_per_tick: number(dispatch)?,
                };
            }
            ["own_limits", concurrent, dispatch] => {
                draft.own_limits = Some(json!({
                    "max_concurrent_nodes": number::<u32>(concurrent)?,
                    "max_dispatch_per_tick": number::<u32>(dispatch)?,
                }));
            }
            ["input", input] => self.input = (*input).to_owned(),
            ["seed", seed] => self.seed = number(seed)?,
            [id, kind, options @ ..] if id.ends_with(':') => {
                draft.node(id.trim_end_matches(':'), kind, options)?;
            }
            _ => return Err("neither edges, nor a node, nor a setting".to_owned()),
        }
        Ok(())
    }
}

impl Draft {
    /// `a -> b -> c`, the last arrow perhaps on a failure and with a condition.
    fn edges(&mut self, clause: &str) -> Result<(), String> {
        let (chain, condition) = clause
            .split_once(" if ")
            .map_or((clause, None), |(chain, condition)| {
                (chain, Some(condition))
            });
        let (chain, on) = chain
            .split_once(" on ")
            .map_or((chain, None), |(chain, on)| (chain, Some(on)));
        let ids: Vec<&str> = chain.split("->").map(str::trim).collect();
        for pair in ids.windows(2) {
            self.mention(pair[0]);
            self.mention(pair[1]);
            let mut edge = json!({ "from": pair[0], "to": pair[1] });
            if let Some(on) = on.filter(|_| Some(&pair[1]) == ids.last()) {
                edge["on"] = on.trim().into();
            }
            if let Some(condition) = condition.filter(|_| Some(&pair[1]) == ids.last()) {
                edge["condition"] = condition.trim().into();
            }
            self.edges.push(edge);
        }
        if ids.len() < 2 {
            Err(format!("`{clause}` is no edge"))
        } else {
            Ok(())
        }
    }

    fn mention(&mut self, id: &str) {
        if id == "end" {
            return;
        }
        self.start.get_or_insert_with(|| id.to_owned());
        self.nodes.entry(id.to_owned()).or_insert_with(
            || json!({ "id": id, "kind": { "type": "condition", "branches": [] } }),
        );
    }

    fn node(&mut self, id: &str, kind: &str, options: &[&str]) -> Result<(), String> {
        self.mention(id);
        let mut fields = filled_in(kind);
        let mut node = Map::new();
        for option in options {
            match (option.split_once('='), kind) {
                _ if option.starts_with('{') => {
                    let Value::Object(given) = parse(option)? else {
                        return Err(format!("`{option}` is no object"));
                    };
                    fields.extend(given);
                }
                (Some(("count", edges)), "join") => {
                    let strategy = json!({ "count": number::<u32>(edges)? });
                    drop(fields.insert("merge_strategy".to_owned(), strategy));
                }
                (Some(("retry", name)), _) => {
                    drop(node.insert("retry_policy".to_owned(), name.into()));
                }
                (Some(("timeout", seconds)), _) => {
                    drop(node.insert("node_timeout_secs".to_owned(), parse(seconds)?));
                }
                (Some(("queue", name)), _) => {
                    drop(node.insert("queue".to_owned(), name.into()));
                }
                (Some(("priority", number)), _) => {
                    drop(node.insert("priority".to_owned(), parse(number)?));
                }
                (Some(("lease", seconds)), _) => {
                    drop(node.insert("lease_secs".to_owned(), parse(seconds)?));
                }
                (Some(("undo", given)), _) => {
                    let undo = match given.starts_with('{') {
                        true => parse(given)?,
                        false => {
                            let mut undo = filled_in(given);
                            undo.insert("type".to_owned(), given.into());
                            undo.into()
                        }
                    };
                    drop(node.insert("compensate".to_owned(), undo));
                }
                (Some(("run_on", ending)), _) => {
                    drop(node.insert("run_on".to_owned(), ending.into()));
                }
                (None, "task") => drop(fields.insert("queue".to_owned(), (*option).into())),
                (None, "finalizer") => drop(fields.insert("run_on".to_owned(), (*option).into())),
                (None, "wait") => drop(fields.insert("condition".to_owned(), (*option).into())),
                (None, "terminate") => drop(fields.insert("status".to_owned(), (*option).into())),
                (None, "join") if *option == "cancel_rest" => {
                    drop(fields.insert("cancel_rest".to_owned(), true.into()));
                }
                (None, "join") => {
                    drop(fields.insert("merge_strategy".to_owned(), (*option).into()));
                }
                _ => return Err(format!("`{option}` is no option of a node of kind {kind}")),
            }
        }
        for target in branch_targets(&fields) {
            self.mention(&target);
        }
        fields.insert("type".to_owned(), kind.into());
        node.insert("id".to_owned(), id.into());
        node.insert("kind".to_owned(), fields.into());
        self.nodes.insert(id.to_owned(), node.into());
        Ok(())
    }

    fn finish(self) -> Result<String, String> {
        let start = self.start.ok_or("a graph needs a node")?;
        let mut workflow = json!({
            "workflow_id": "w", "version": "1.0.0", "start_node": start,
            "nodes": self.nodes, "edges": self.edges, "retry_policies": self.policies,
        });
        if !self.timeouts.is_empty() {
            workflow["timeouts"] = self.timeouts.into();
        }
        if let Some(limits) = self.own_limits {
            workflow["limits"] = limits;
        }
        for (name, value) in self.budget {
            workflow[name] = value;
        }
        Ok(workflow.to_string())
    }
}

/// Targets inside a kind name nodes too.
fn branch_targets(fields: &Map<String, Value>) -> Vec<String> {
    let branches = fields
        .get("branches")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let of_branches = branches.filter_map(|branch| {
        branch
            .get("target")
            .or(Some(branch))
            .and_then(Value::as_str)
    });
    let fallback = fields.get("fallback_node").and_then(Value::as_str);
    of_branches.chain(fallback).map(ToOwned::to_owned).collect()
}

/// The fields that a kind must have and that do not matter to scheduling.
fn filled_in(kind: &str) -> Map<String, Value> {
    let fields = match kind {
        "model" => json!({ "model_ref": "m", "prompt_ref": "p" }),
        "tool" | "finalizer" => json!({ "tool_ref": "t" }),
        "python_fn" => json!({ "module": "m", "function": "f" }),
        "java_fn" => json!({ "class_name": "C", "method": "m" }),
        "mcp_tool" => json!({ "server": "s", "tool": "t" }),
        "a2a_task" => json!({ "remote_agent": "r", "skill": "s" }),
        "memory_retrieval" => json!({ "connector_ref": "c", "query_expr": "q" }),
        "command" => json!({ "argv": ["true"] }),
        "http" => json!({ "url": "http://localhost/" }),
        "human_approval" => json!({ "description": "May it?" }),
        "policy" => json!({ "policy_ref": "p", "on_violation": "fail" }),
        "agent" => json!({ "agent_ref": "a" }),
        "subgraph" => json!({ "workflow_id": "child", "version": "1.0.0" }),
        "map" => json!({ "over": "input.items", "body": { "type": "tool", "tool_ref": "t" } }),
        _ => json!({}),
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("`{text}` is no JSON: {error}"))
}

fn number<T: core::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
