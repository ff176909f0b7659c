//! The workflows of one test file, and the names of their nodes.
//!
//! A node of a child is named by the way to it: `bill/send` is the node `send` of the child
//! that `bill` starts, `each[2]/send` that of one element.

use std::collections::BTreeSet;

use crate::graph::{APPROVAL, Child, ChildWorkflow, Graph, Kind, MAP};
use crate::live::Workflow;
use crate::model::{WorkflowSummary, instance_of, node_of_run, undone_by};
use crate::resembling::meant;

/// A workflow that the scheduler takes.
#[derive(Debug)]
pub(in crate::testing) struct Given {
    pub(in crate::testing) workflow: Workflow,
    pub(in crate::testing) summary: WorkflowSummary,
    pub(in crate::testing) graph: Graph,
}

/// The workflow that is tested, and those of its children that are given beside it.
#[derive(Debug)]
pub(in crate::testing) struct Workflows {
    pub(in crate::testing) subject: Given,
    others: Vec<Given>,
}

/// A name in a test that the workflows do not bear out.
pub(in crate::testing) struct WrongName {
    pub(in crate::testing) message: String,
    pub(in crate::testing) remedy: String,
}

impl Given {
    fn is(&self, id: &str, version: &str) -> bool {
        self.summary.workflow_id == id && self.summary.version == version
    }
}

impl Workflows {
    pub(in crate::testing) fn of(subject: Given) -> Self {
        let others = Vec::new();
        Self { subject, others }
    }

    /// The same with this one, for children.
    pub(in crate::testing) fn add(&mut self, other: Given) {
        self.others.push(other);
    }

    /// The one that is tested, and the others.
    pub(in crate::testing) fn all(&self) -> impl Iterator<Item = &Given> {
        std::iter::once(&self.subject).chain(&self.others)
    }

    /// The graph of a child's workflow. `None` if that is not given.
    pub(in crate::testing) fn graph_of<'a>(&'a self, child: &'a Child) -> Option<&'a Graph> {
        match &child.workflow {
            ChildWorkflow::InPlace(graph) => Some(graph),
            ChildWorkflow::Named { id, version } => {
                let given = self.all().find(|given| given.is(id, version));
                given.map(|given| &given.graph)
            }
        }
    }

    /// The tested workflow, and those that are written in place in it, each with the way to
    /// its nodes.
    pub(in crate::testing) fn parts(&self) -> Vec<(String, &Graph)> {
        let mut parts = vec![(String::new(), &self.subject.graph)];
        let mut next = 0;
        while let Some((way, graph)) = parts.get(next).map(|(way, graph)| (way.clone(), *graph)) {
            for (node, child) in graph.children() {
                if let ChildWorkflow::InPlace(body) = &child.workflow {
                    parts.push((format!("{way}{node}/"), body));
                }
            }
            next += 1;
        }
        parts
    }

    /// The workflows that are started by name, by id and version.
    fn started(&self) -> BTreeSet<(&str, &str)> {
        let mut started: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut graphs: Vec<&Graph> = self.all().map(|given| &given.graph).collect();
        while let Some(graph) = graphs.pop() {
            for (_, child) in graph.children() {
                match &child.workflow {
                    ChildWorkflow::InPlace(body) => graphs.push(body),
                    ChildWorkflow::Named { id, version } => drop(started.insert((id, version))),
                }
            }
        }
        started
    }

    /// Those of them that are not given.
    pub(in crate::testing) fn not_given(&self) -> Vec<(&str, &str)> {
        let mut started = self.started();
        started.retain(|(id, version)| !self.all().any(|given| given.is(id, version)));
        started.into_iter().collect()
    }

    /// The place among the others of one that nothing starts, and what is wrong with it.
    pub(in crate::testing) fn without_use(&self) -> Option<(usize, WrongName)> {
        let started = self.started();
        let place = self.others.iter().position(|other| {
            let WorkflowSummary {
                workflow_id,
                version,
                ..
            } = &other.summary;
            !started.contains(&(workflow_id, version))
        })?;
        let WorkflowSummary {
            workflow_id,
            version,
            ..
        } = &self.others[place].summary;
        let names: Vec<String> = started
            .iter()
            .map(|(id, version)| format!("{id} {version}"))
            .collect();
        let remedy = match names.as_slice() {
            [] => "remove it: children are of workflows in place, if there are any".to_owned(),
            names => format!(
                "remove it, or give one that is started: {}",
                names.join(", ")
            ),
        };
        let message = format!("no node starts {workflow_id} {version}");
        Some((place, WrongName { message, remedy }))
    }

    /// There is a node of this name, or a map that may have this instance.
    pub(in crate::testing) fn check_node(&self, name: &str) -> Result<(), WrongName> {
        self.find(name).map(drop)
    }

    /// The node of this name starts children, and they are played.
    pub(in crate::testing) fn check_parent(&self, name: &str) -> Result<(), WrongName> {
        let kind = self.find(name)?;
        let last = name.rsplit('/').next().unwrap_or(name);
        if kind.child.is_some() && kind.name == MAP && instance_of(last).is_none() {
            return Err(WrongName {
                message: format!("`{name}` is a map: each of its elements has children"),
                remedy: format!("name one of them, such as `{name}[0]`"),
            });
        }
        let remedy = match &kind.child {
            None => "name a node of the kind `subgraph`, or a map of such".to_owned(),
            Some(child) if self.graph_of(child).is_some() => return Ok(()),
            Some(_) => format!(
                "add the file of its workflow to `workflows`; what `{name}` is answered with stands in `nodes`"
            ),
        };
        let message = match kind.child {
            None => format!("`{name}` starts no child: its kind is `{}`", kind.name),
            Some(_) => format!("the child of `{name}` is not played: its workflow is not given"),
        };
        Err(WrongName { message, remedy })
    }

    /// The node of this name waits for a person.
    pub(in crate::testing) fn check_approval(&self, name: &str) -> Result<(), WrongName> {
        let kind = self.find(name)?;
        if kind.name == APPROVAL {
            return Ok(());
        }
        Err(WrongName {
            message: format!("nobody decides on `{name}`, whose kind is `{}`", kind.name),
            remedy: format!("name a node of the kind `{APPROVAL}`, or say that it is `refused`"),
        })
    }

    /// Somebody answers for the node of this name: a worker, or, where the workflow of its
    /// child is not given, what stands in for that.
    pub(in crate::testing) fn check_worker(&self, name: &str) -> Result<(), WrongName> {
        let kind = self.find(name)?;
        if kind.has_worker {
            return Ok(());
        }
        if let Some(child) = &kind.child {
            let Some(graph) = self.graph_of(child) else {
                return Ok(());
            };
            let worker = graph.nodes.iter().find(|(_, kind)| kind.has_worker);
            let such = worker.map(|(node, _)| format!(", such as `{name}/{node}`"));
            return Err(WrongName {
                message: format!("no worker answers `{name}`: it starts a child, which is played"),
                remedy: format!("answer the nodes of the child{}", such.unwrap_or_default()),
            });
        }
        let remedy = match kind.name.as_str() {
            APPROVAL => format!("decide in `acts`: `{{at: 5s, approve: {name}}}`"),
            "wait" => {
                "send what it waits for in `acts`, with `signal`; time passes by itself".to_owned()
            }
            _ => "leave it out: the scheduler settles it itself".to_owned(),
        };
        Err(WrongName {
            message: format!("no worker answers `{name}`, whose kind is `{}`", kind.name),
            remedy,
        })
    }

    /// Whether what answers for the node of this name stands in for a child.
    pub(in crate::testing) fn has_stand_in(&self, name: &str) -> bool {
        let child = self.find(name).ok().and_then(|kind| kind.child.as_ref());
        child.is_some_and(|child| self.graph_of(child).is_none())
    }

    /// The node of this name has attempts.
    pub(in crate::testing) fn check_attempts(&self, name: &str) -> Result<(), WrongName> {
        let kind = self.find(name)?;
        // A map has none, its instances have.
        let last = name.rsplit('/').next().unwrap_or(name);
        let is_map = kind.name == MAP && instance_of(last).is_none();
        if (kind.has_worker || kind.child.is_some()) && !is_map {
            return Ok(());
        }
        Err(WrongName {
            message: format!("`{name}` has no attempts: its kind is `{}`", kind.name),
            remedy: "remove it; `path` says whether it completed".to_owned(),
        })
    }

    /// The kind of the node of this name.
    fn find(&self, name: &str) -> Result<&Kind, WrongName> {
        let mut graph = &self.subject.graph;
        let mut way = String::new();
        for part in name.split('/') {
            if !way.is_empty() {
                graph = self.child_at(graph, &way, name)?;
                way.push('/');
            }
            way.push_str(part);
            must_have(graph, part, &way)?;
        }
        let last = name.rsplit('/').next().unwrap_or(name);
        let kind = &graph.nodes[node_of_run(last)];
        let undo = kind.undo.as_deref();
        Ok(undo.filter(|_| undone_by(last).is_some()).unwrap_or(kind))
    }

    /// The graph of the child that stands at the end of a way.
    fn child_at<'a>(
        &'a self,
        graph: &'a Graph,
        way: &str,
        name: &str,
    ) -> Result<&'a Graph, WrongName> {
        let last = way.rsplit('/').next().unwrap_or(way);
        let Some(child) = graph.child(node_of_run(last)) else {
            return Err(WrongName {
                message: format!("`{way}` starts no child, so that there is no `{name}`"),
                remedy: "name a node of the workflow; those of a child stand behind the node that starts it".to_owned(),
            });
        };
        self.graph_of(child).ok_or_else(|| WrongName {
            message: format!(
                "there is no `{name}`: the workflow of what `{way}` starts is not given"
            ),
            remedy: format!("answer for all of it, by `{way}`, or add its file to `workflows`"),
        })
    }
}

/// There is a node of this name, or a map that may have this instance, or what undoes
/// either (of a map, `m!undo` stands for what undoes each instance); it stands at the end of
/// this way.
fn must_have(graph: &Graph, name: &str, way: &str) -> Result<(), WrongName> {
    let run = undone_by(name).unwrap_or(name);
    let node = graph.nodes.get(node_of_run(run));
    let is_instance = instance_of(run).is_some() && node.is_some_and(|it| it.name == MAP);
    let is_there = run == name || node.is_some_and(|it| it.undo.is_some());
    if is_there && (graph.nodes.contains_key(run) || is_instance) {
        return Ok(());
    }
    let of = match way.rsplit_once('/') {
        None => "the workflow".to_owned(),
        Some((parent, _)) => format!("the workflow of what `{parent}` starts"),
    };
    Err(WrongName {
        message: format!("{of} has no node `{name}`"),
        remedy: meant(name, "nodes", graph.nodes.keys().map(String::as_str)),
    })
}
