//! The retry policies that nodes name in the workflows of logs. Another policy in the place of
//! one that no node names changes nothing, and is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use refrain::log::export::ExportReader;
use refrain::replay::Change;
use refrain::store::{ExecutionRecord, Reader, StoreError};
use serde_json::Value;

use super::asked::{Logs, listed};
use super::coded::refuse;
use super::database::Database;
use super::files::{self, STDIN};
use super::named::Named;

/// Policies that are named in an error.
const NAMED_MAX: usize = 20;

/// Refuses a change of policies that no node of these logs' workflows names. Logs that cannot
/// be read are told of when they are asked about.
pub(super) fn check(change: &Change, logs: &Logs<'_>, database: &Database) -> anyhow::Result<()> {
    if change.retry_policies.is_empty() {
        return Ok(());
    }
    let texts = match logs.files {
        [] => of_database(logs, database)?,
        files => of_files(files)?,
    };
    let used: BTreeSet<String> = texts.iter().flat_map(|text| policies(text)).collect();
    let mut unused = change.retry_policies.keys();
    let unused = unused.find(|name| !used.contains(*name));
    let Some(name) = unused.filter(|_| !texts.is_empty()) else {
        return Ok(());
    };
    let known: Vec<&str> = used.iter().map(String::as_str).take(NAMED_MAX).collect();
    let remedy = match known.is_empty() {
        true => "no node of them names any, so that none can be another".to_owned(),
        false => format!("their nodes name {}; give one of these", known.join(", ")),
    };
    refuse!(
        "unknown_policy",
        "no node of these workflows has the retry policy {name:?}: {remedy}"
    );
}

/// The texts of the workflows that these executions and their children are of, each once.
fn of_database(logs: &Logs<'_>, database: &Database) -> anyhow::Result<BTreeSet<String>> {
    let mut stores = database.open()?;
    let mut ids = match logs.are_all {
        true => listed(&mut stores)?.0.iter().map(|it| it.id).collect(),
        false => Named::find_all(logs.executions, database)?,
    };
    let mut seen = BTreeSet::new();
    let mut texts = BTreeSet::new();
    let mut asked = BTreeSet::new();
    while let Some(id) = ids.pop() {
        if !asked.insert(id) {
            continue;
        }
        for store in &mut stores {
            if !logs.are_all {
                let children = of_one(store.children(id))?.unwrap_or_default();
                ids.extend(children.iter().map(|child| child.child));
            }
            // A damaged record is told of later.
            let Some(record) = of_one(store.execution(id))?.flatten() else {
                continue;
            };
            let ExecutionRecord {
                tenant,
                workflow_id,
                workflow_version,
                ..
            } = record;
            let name = (tenant, workflow_id, workflow_version);
            if seen.contains(&name) {
                continue;
            }
            let found = of_one(store.workflow(&name.0, &name.1, &name.2))?;
            texts.extend(found.flatten().map(|workflow| workflow.text));
            seen.insert(name);
        }
    }
    Ok(texts)
}

/// `None` where the error is one of what was asked for, and not of the store.
fn of_one<T>(answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_of_one() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The texts of the workflows in exports' first lines.
fn of_files(files: &[PathBuf]) -> anyhow::Result<BTreeSet<String>> {
    if files.iter().any(|path| path == Path::new(STDIN)) {
        refuse!(
            "usage",
            "with --retry-policy a log is read twice, and stdin can be read once; write it to a file"
        );
    }
    let mut texts = BTreeSet::new();
    for path in files {
        // What is no export is told of later.
        if let Ok(export) = ExportReader::new(files::log(path)?) {
            texts.insert(export.header().workflow.clone());
        }
    }
    Ok(texts)
}

/// The policies that the nodes of a workflow name, and those of the workflows in its place.
fn policies(workflow: &str) -> Vec<String> {
    let workflow: Value = serde_json::from_str(workflow).unwrap_or_default();
    let mut named = Vec::new();
    let mut workflows = vec![&workflow];
    while let Some(workflow) = workflows.pop() {
        for (_, node) in workflow["nodes"].as_object().into_iter().flatten() {
            named.extend(node["retry_policy"].as_str().map(str::to_owned));
            // That of a subgraph, and that of a map over subgraphs.
            let body = &node["kind"]["body"];
            workflows.extend([body, &body["body"]]);
        }
    }
    named
}
