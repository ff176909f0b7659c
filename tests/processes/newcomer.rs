//! What a newcomer met with: the program is left at once, and the commands that
//! it tells people to type can be typed.

use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use refrain_tests::binary::{refrain, stderr, stdout};
use serde_json::{Value, json};

#[test]
fn a_request_that_timed_out_keeps_nobody_from_leaving() -> Result<()> {
    // It takes the connection, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", silent.local_addr()?);
    let ask = json!({"kind": {"type": "http", "url": url}, "retry_policy": "no_retry", "node_timeout_secs": 1});
    let folder = tempfile::tempdir()?;
    let begun = Instant::now();
    let output = run(folder.path(), &workflow(&ask, &json!({})), "refrain.db")?;
    let told = stderr(&output);
    ensure!(output.status.code() == Some(1), "{told}");
    ensure!(told.contains("timed out after 1 s"), "{told}");
    ensure!(
        begun.elapsed() < Duration::from_secs(20),
        "it took {:?}",
        begun.elapsed()
    );
    Ok(())
}

#[test]
fn the_commands_that_lift_a_stall_name_the_database() -> Result<()> {
    let policies = json!({"ask": {
        "max_attempts": 1, "backoff": "fixed", "initial_delay": 1, "max_delay": 1, "on_exhausted": "pause",
    }});
    let fails = json!({"kind": {"type": "command", "argv": ["false"]}, "retry_policy": "ask"});
    let folder = tempfile::tempdir()?;
    let database = "my files.db";
    let output = run(folder.path(), &workflow(&fails, &policies), database)?;
    let told = stderr(&output);
    ensure!(output.status.code() == Some(1), "{told}");
    let command = told
        .split('`')
        .find_map(|words| words.strip_prefix("refrain skip "))
        .with_context(|| format!("it tells how to skip the node: {told}"))?;
    let (arguments, named) = command.split_once(" --db ").context("a database")?;
    ensure!(named == "'my files.db'", "{command}");
    let skipped = refrain(folder.path())
        .arg("skip")
        .args(arguments.split(' '))
        .args(["--db", database])
        .output()?;
    ensure!(skipped.status.success(), "{}", stderr(&skipped));
    Ok(())
}

#[test]
fn an_audit_says_once_which_event_it_is_about() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let say = json!({"kind": {"type": "command", "argv": ["echo", "hi"]}});
    let output = run(folder.path(), &workflow(&say, &json!({})), "refrain.db")?;
    ensure!(output.status.success(), "{}", stderr(&output));
    let id = only_execution(folder.path())?;
    let log = stdout(&refrain(folder.path()).args(["export", &id]).output()?);
    std::fs::write(
        folder.path().join("edited.ndjson"),
        log.replace("hi\"", "ho\""),
    )?;
    let audited = refrain(folder.path())
        .args(["audit", "--file", "edited.ndjson"])
        .output()?;
    let told = stdout(&audited);
    ensure!(audited.status.code() == Some(1), "{told}");
    ensure!(told.matches("event ").count() == 1, "{told}");
    Ok(())
}

#[test]
fn an_empty_key_is_refused_and_starts_nothing() -> Result<()> {
    // As a shell gives it whose variable is not set; all such runs would be one.
    let folder = tempfile::tempdir()?;
    let say = json!({"kind": {"type": "command", "argv": ["echo", "hi"]}});
    let workflow = workflow(&say, &json!({})).to_string();
    std::fs::write(folder.path().join("one.json"), workflow)?;
    let output = refrain(folder.path())
        .args(["run", "one.json", "--key", ""])
        .output()?;
    ensure!(output.status.code() == Some(2), "{}", stderr(&output));
    ensure!(!folder.path().join("refrain.db").exists());
    Ok(())
}

#[test]
fn whoever_resumes_a_paused_execution_is_told_how_to_lift_the_pause() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let fails = json!({"kind": {"type": "command", "argv": ["false"]}, "retry_policy": "ask"});
    let policies = json!({"ask": {
        "max_attempts": 1, "backoff": "fixed", "initial_delay": 1, "max_delay": 1, "on_exhausted": "pause",
    }});
    run(folder.path(), &workflow(&fails, &policies), "refrain.db")?;
    let id = only_execution(folder.path())?;
    for words in [["pause", &id].as_slice(), &["retry", &id, "a"]] {
        let output = refrain(folder.path()).args(words).output()?;
        ensure!(output.status.success(), "{}", stderr(&output));
    }
    let resumed = refrain(folder.path()).arg("resume").output()?;
    let told = stderr(&resumed);
    ensure!(told.contains(&format!("refrain unpause {id}")), "{told}");
    Ok(())
}

fn only_execution(folder: &Path) -> Result<String> {
    let output = refrain(folder).args(["list", "--json"]).output()?;
    let listed: Value = serde_json::from_str(&stdout(&output))?;
    let id = listed["executions"][0]["execution_id"].as_str();
    Ok(id.context("an id")?.to_owned())
}

/// A workflow of the one node `a`.
fn workflow(node: &Value, policies: &Value) -> Value {
    json!({
        "workflow_id": "one", "version": "1.0.0", "start_node": "a",
        "nodes": {"a": node}, "edges": [], "retry_policies": policies,
    })
}

fn run(folder: &Path, workflow: &Value, database: &str) -> Result<Output> {
    std::fs::write(folder.join("one.json"), workflow.to_string())?;
    Ok(refrain(folder)
        .args(["run", "one.json", "--db", database])
        .output()?)
}
