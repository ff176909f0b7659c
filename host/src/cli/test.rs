//! `refrain test`: cases of workflows, played by the scheduler on a simulated clock.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use anyhow::Context;
use refrain::model::Origin;
use refrain::names;
use refrain::testing::{
    CaseReport, EdgeCoverage, FileFault, Report, Row, TestFile, Verdict, span_text,
};
use serde_json::{Value, json};

use super::Answer;
use super::coded::refuse;
use super::output::{self, Form, Paint};
use super::text::{Text, text};

/// Columns of what happened: the narrowest terminal that is thought of.
const COLUMNS: usize = 80;

/// Lines of what happened: of a longer log, as one that does not end, its beginning and its
/// end are told.
const HAPPENED_LINES_MAX: usize = 50;

/// Columns of a node's name in what happened.
const NODE_COLUMNS_MAX: usize = 20;

/// Names of cases that are listed where a name is not known.
const NAMES_MAX: usize = 20;

/// Test workflows: play the cases of test files on a simulated clock
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The test files, in YAML or JSON
    #[arg(value_name = "FILE.test.yaml", required = true)]
    files: Vec<PathBuf>,
    /// Play only the cases of this name
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    #[command(flatten)]
    form: Form,
}

/// A test file, as it was named.
struct Named<'a> {
    path: &'a PathBuf,
    file: TestFile,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Answer> {
    let Arguments { files, case, form } = arguments;
    let named = read(files, *form)?;
    let name = case.as_deref();
    if let Some(name) = name {
        must_be_there(&named, name)?;
    }
    let mut reports = Vec::new();
    for it in &named {
        let report = it
            .file
            .run_where(|case| name.is_none_or(|name| case.name() == name));
        let report = report.with_context(|| format!("cannot test {}", it.path.display()))?;
        reports.push((it, report));
    }
    let passed = reports.iter().all(|(_, report)| report.passed());
    // Of a few cases it says nothing that some edges were not live.
    let covers = name.is_none();
    if form.json {
        output::document(&document(&reports, passed, covers))?;
    } else {
        let colours = output::colours(&io::stdout());
        output::data(&said(&reports, covers, colours));
    }
    Ok(Answer::good_if(passed))
}

/// Reads all files. Where one cannot be used, none is played, and all faults are told.
fn read(files: &[PathBuf], form: Form) -> anyhow::Result<Vec<Named<'_>>> {
    let (mut named, mut faults) = (Vec::new(), Vec::new());
    for path in files {
        match TestFile::read(path) {
            Ok(file) => named.push(Named { path, file }),
            Err(error) => faults.extend(error.faults),
        }
    }
    if faults.is_empty() {
        return Ok(named);
    }
    for fault in &faults {
        output::say(&fault_text(fault).trimmed());
    }
    let message = match faults.len() {
        1 => "1 fault: nothing was tested".to_owned(),
        many => format!("{many} faults: nothing was tested"),
    };
    if form.json {
        let faults: Vec<Value> = faults.iter().map(fault_document).collect();
        let error = json!({ "code": "test_file", "message": message, "remedy": null });
        output::document(&json!({ "error": error, "faults": faults }))?;
    }
    refuse!("test_file", "{message}")
}

fn must_be_there(named: &[Named<'_>], name: &str) -> anyhow::Result<()> {
    let mut names = Vec::new();
    for case in named.iter().flat_map(|it| it.file.cases()) {
        if case.name() == name {
            return Ok(());
        }
        names.push(format!("{:?}", case.name()));
    }
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    refuse!(
        "unknown_case",
        "no case is named {name:?}; there are {}{more}",
        names.join(", ")
    )
}

// ---- in words ------------------------------------------------------------------------

/// A fault with its place, the line itself and what helps.
fn fault_text(fault: &FileFault) -> Text {
    let FileFault {
        file,
        line,
        column,
        source,
        message,
        remedy,
        ..
    } = fault;
    let mut text = match line {
        0 => text!("{}: {}\n", file, message),
        _ => text!("{}:{}:{}: {}\n", file, *line, *column, message),
    };
    if *line > 0 && !source.trim().is_empty() {
        let before: String = source.chars().take(column.saturating_sub(1)).collect();
        let indent = Text::new().padded(Text::word(&before).width());
        let gutter = Text::new().padded(line.to_string().len());
        text.push(&text!("  {} | {}\n", *line, source));
        if indent.width() <= Text::word(source).width() {
            text.push(&text!("  {} | {}^\n", gutter, indent));
        }
    }
    text.push(&text!("  remedy: {}\n", remedy));
    text
}

fn said(reports: &[(&Named<'_>, Report)], covers: bool, colours: bool) -> Text {
    let mut text = Text::new();
    let (mut passed, mut failed) = (0_usize, 0_usize);
    for (named, report) in reports {
        let (id, version) = named.file.workflow();
        text.push(&text!("{}  {} {}\n", named.path, id, version));
        for case in &report.cases {
            *(if case.passed() {
                &mut passed
            } else {
                &mut failed
            }) += 1;
            text.push(&case_text(case, colours));
        }
        if covers {
            text.push(&edges_text(report));
        }
        text.push(&text!("\n"));
    }
    let cases = match passed + failed {
        1 => text!("1 case"),
        many => text!("{} cases", many),
    };
    text.push(&text!("{}: {} passed, {} failed\n", cases, passed, failed));
    text
}

fn case_text(case: &CaseReport, colours: bool) -> Text {
    let (word, paint) = match case.passed() {
        true => ("passed", Paint::Green),
        false => ("failed", Paint::Red),
    };
    let mut text = text!("  {}  {}\n", paint.on(word, colours), case.name);
    if case.passed() {
        return text;
    }
    for verdict in &case.verdicts {
        text.push(&verdict_text(verdict, colours));
    }
    text.push(&text!("\n{}\n", table(&case.rows, colours)));
    text
}

/// An expectation: in one line if it is met, else with what was found instead.
fn verdict_text(verdict: &Verdict, colours: bool) -> Text {
    let Verdict {
        subject,
        expected,
        found,
        is_met,
        ..
    } = verdict;
    if *is_met {
        return text!(
            "    {} {}\n",
            Paint::Green.on("+", colours),
            text!("{}: {}", subject, expected)
        );
    }
    text!(
        "    {} {}\n        expected  {}\n        found     {}\n",
        Paint::Red.on("-", colours),
        subject,
        expected,
        found
    )
}

/// Which of so many lines are left out, in the middle.
fn left_out(lines: usize) -> Range<usize> {
    let half = HAPPENED_LINES_MAX / 2;
    match lines > 2 * HAPPENED_LINES_MAX {
        true => half..lines - half,
        false => 0..0,
    }
}

/// What happened, a line each, in [`COLUMNS`]; of many, the first and the last.
fn table(rows: &[Row], colours: bool) -> Text {
    let widest = |cells: Vec<usize>, min: usize| cells.into_iter().max().unwrap_or(0).max(min);
    let times: Vec<Text> = rows
        .iter()
        .map(|row| Text::word(&span_text(row.at)))
        .collect();
    let nodes: Vec<Text> = rows
        .iter()
        .map(|row| Text::word(row.node.as_deref().unwrap_or_default()).cut(NODE_COLUMNS_MAX))
        .collect();
    let time = widest(times.iter().map(Text::width).collect(), "TIME".len());
    let what = widest(
        rows.iter().map(|row| row.what.len()).collect(),
        "WHAT".len(),
    );
    let node = widest(nodes.iter().map(Text::width).collect(), "NODE".len());
    let line = |at: Text, mark: &str, it: &str, of: Text, details: Text| {
        let line = text!(
            "    {} {} {}  {}  ",
            at.aligned_right(time),
            mark,
            Text::word(it).padded(what),
            of.padded(node)
        );
        let room = COLUMNS.saturating_sub(line.width());
        text!("{}{}", line, details.cut(room)).trimmed()
    };
    let words = ["TIME", "NODE", "DETAILS"].map(Text::word);
    let [at, of, details] = words;
    let heading = line(at, " ", "WHAT", of, details).painted(Paint::Dim, colours);
    let mut text = text!("{}\n", heading);
    let left_out = left_out(rows.len());
    for (index, ((row, at), of)) in rows.iter().zip(times).zip(nodes).enumerate() {
        if index == left_out.start && !left_out.is_empty() {
            let note = format!(
                "    … {} lines are left out; --json has them all",
                left_out.len()
            );
            text.push(&text!("{}\n", Text::lines(&note)));
        }
        if left_out.contains(&index) {
            continue;
        }
        let mark = match row.origin {
            Origin::Fact => "<",
            Origin::Decision => ">",
        };
        let details = Text::word(&row.details.replace(['\n', '\r'], " "));
        text.push(&text!("{}\n", line(at, mark, row.what, of, details)));
    }
    text
}

fn edges_text(report: &Report) -> Text {
    let all = report.edges.len();
    let missing: Vec<&EdgeCoverage> = report.uncovered().collect();
    let live = all - missing.len();
    let mut text = text!("  edges: {} of {} were live", live, all);
    if missing.is_empty() {
        text.push(&text!("\n"));
        return text;
    }
    text.push(&text!("; never live:\n"));
    for EdgeCoverage {
        from,
        to,
        on,
        condition,
        ..
    } in missing
    {
        text.push(&text!("    {} -> {}", from, to));
        if let Some(on) = on {
            text.push(&text!("  on {}", on));
        }
        if let Some(condition) = condition {
            text.push(&text!("  if {}", condition));
        }
        text.push(&text!("\n"));
    }
    text
}

// ---- as JSON -------------------------------------------------------------------------

fn fault_document(fault: &FileFault) -> Value {
    let place = |number: usize| {
        if number == 0 {
            Value::Null
        } else {
            number.into()
        }
    };
    json!({
        "file": fault.file.display().to_string(),
        "line": place(fault.line),
        "column": place(fault.column),
        "source": fault.source,
        "message": fault.message,
        "remedy": fault.remedy,
    })
}

fn document(reports: &[(&Named<'_>, Report)], passed: bool, covers: bool) -> Value {
    let file = |(named, report): &(&Named<'_>, Report)| {
        let (workflow_id, version) = named.file.workflow();
        let edges: Option<Vec<Value>> =
            covers.then(|| report.edges.iter().map(edge_document).collect());
        json!({
            "file": named.path.display().to_string(),
            "workflow_id": workflow_id,
            "version": version,
            "passed": report.passed(),
            "cases": report.cases.iter().map(case_document).collect::<Vec<_>>(),
            "edges": edges,
        })
    };
    json!({ "passed": passed, "files": reports.iter().map(file).collect::<Vec<_>>() })
}

fn case_document(case: &CaseReport) -> Value {
    let verdict = |it: &Verdict| json!({ "subject": it.subject, "expected": it.expected, "found": it.found, "met": it.is_met });
    let row = |row: &Row| {
        let origin = match row.origin {
            Origin::Fact => "fact",
            Origin::Decision => "decision",
        };
        json!({
            "at_ms": u64::try_from(row.at.as_millis()).unwrap_or(u64::MAX),
            "origin": origin,
            "what": row.what,
            "node": row.node,
            "details": row.details,
        })
    };
    json!({
        "name": case.name,
        "passed": case.passed(),
        "status": names::status(case.status),
        "elapsed_ms": u64::try_from(case.elapsed.as_millis()).unwrap_or(u64::MAX),
        "state": case.state,
        "expectations": case.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "happened": case.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn edge_document(edge: &EdgeCoverage) -> Value {
    json!({
        "from": edge.from,
        "to": edge.to,
        "on": edge.on,
        "condition": edge.condition,
        "live_in": edge.live_in,
    })
}
