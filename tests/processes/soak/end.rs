//! The end of a soak: nothing befalls anybody any more, and every honest
//! execution must come to its end.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use refrain_tests::binary::stderr;

use super::ground::{Ground, Living};
use super::work::HONEST;

/// How long all that was left may take, besides what is said of the soak itself.
const PATIENCE: Duration = Duration::from_secs(180);

/// Of each execution, its workflow and status.
type Standing = BTreeMap<String, (String, String)>;

fn standing(ground: &Ground) -> Result<Standing> {
    let listed = ground.document(&["list"])?;
    let executions = listed["executions"].as_array().context("executions")?;
    let text = |of: &serde_json::Value, name: &str| of[name].as_str().unwrap_or("").to_owned();
    Ok(executions
        .iter()
        .map(|it| {
            let how = (text(it, "workflow_id"), text(it, "status"));
            (text(it, "execution_id"), how)
        })
        .collect())
}

fn expected(workflow: &str) -> Option<&'static str> {
    let found = HONEST.iter().find(|(name, _)| *name == workflow);
    found.map(|(_, status)| *status)
}

/// One process works on what honest people left, and people do what it waits for.
pub(crate) fn heal(ground: &Ground, after: Duration) -> Result<()> {
    let until = Instant::now() + PATIENCE + after / 4;
    loop {
        let left: Vec<_> = standing(ground)?
            .into_iter()
            .filter(|(_, (workflow, status))| expected(workflow).is_some_and(|end| end != status))
            .collect();
        let Some((id, (workflow, status))) = left.first() else {
            return Ok(());
        };
        ensure!(
            status == "running" && Instant::now() < until,
            "{id} of {workflow} is {status}: {}",
            told(ground, id)?
        );
        let said = ground.folder().join("last");
        let mut arguments = vec!["resume"];
        arguments.extend(left.iter().map(|(id, _)| id.as_str()));
        let mut last = ground.refrain(&arguments);
        last.stdout(Stdio::null()).stderr(File::create(&said)?);
        let mut last = Living(last.spawn()?);
        for (id, (workflow, _)) in &left {
            if workflow == "waits" {
                await_people(ground, id)?;
            }
        }
        let patience = until.saturating_duration_since(Instant::now());
        let waited = Instant::now();
        while last.0.try_wait()?.is_none() && waited.elapsed() < patience {
            sleep(Duration::from_millis(100));
        }
        drop(last);
        let said = fs::read_to_string(&said)?;
        ensure!(!said.contains("panicked at"), "the last one said: {said}");
    }
}

/// Approve, as soon as it waits for that, and bring the event.
fn await_people(ground: &Ground, id: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let approved = ground.refrain(&["approve", id, "gate"]).output()?;
        let said = stderr(&approved);
        if approved.status.success() || said.contains("is completed") || said.contains("has ended")
        {
            break;
        }
        if Instant::now() > until {
            bail!("{id} never waits for an approval: {said}");
        }
        sleep(Duration::from_millis(200));
    }
    // It may have had it before.
    ground.refrain(&["signal", id, "go"]).output()?;
    Ok(())
}

fn told(ground: &Ground, id: &str) -> Result<String> {
    let shown = ground.refrain(&["show", id]).output()?;
    let log = ground.refrain(&["log", id]).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(format!("{}\n{}", text(&shown.stdout), text(&log.stdout)))
}

/// What must be so at the end.
pub(crate) fn judge(ground: &Ground) -> Result<()> {
    let standing = standing(ground)?;
    for (id, workflow) in ground.begun() {
        let (found, status) = standing
            .get(id)
            .with_context(|| format!("{id} of {workflow} was begun, and is gone"))?;
        ensure!(found == workflow, "{id} of {workflow} is of {found} now");
        if let Some(end) = expected(workflow) {
            ensure!(status == end, "{id} of {workflow} is {status}");
        }
    }
    let audit = ground.document(&["audit", "--all"])?;
    let audited = audit["executions"].as_array().context("executions")?;
    for log in audited {
        let verdict = log["verdict"].as_str();
        ensure!(matches!(verdict, Some("clean" | "erased")), "{log:#}");
        let link = &log["forked_from"]["link"];
        ensure!(link.is_null() || link == "linked", "{log:#}");
    }
    ensure!(
        audited.len() == standing.len(),
        "{} logs of {} were audited",
        audited.len(),
        standing.len()
    );
    Ok(())
}
