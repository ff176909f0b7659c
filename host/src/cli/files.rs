//! Files and arguments. What is read whole has a limit, so that a device without an end is
//! refused like any file that is too long. `-` is stdin.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use refrain::json::{MARK, text_of};
use refrain::limits::{COMPONENT_BYTES_MAX, PAYLOAD_BYTES_MAX, WORKFLOW_BYTES_MAX};
use refrain::model::Fault;
use refrain::testing::{FileError, FileFault, YamlWorkflow};

use super::coded::{OrCoded, coded, refuse};

/// Bytes of a file of anchors: room for the list of some hundred thousand executions.
const ANCHORS_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What stands for stdin in the place of a file.
pub(super) const STDIN: &str = "-";

/// Bytes of a file with one key: far more than any has.
const KEY_BYTES_MAX: usize = 64 * 1024;

/// A workflow as it was read.
pub(super) struct WorkflowText {
    /// Its JSON.
    pub(super) json: String,
    /// What it was made of, where it is written in YAML.
    pub(super) yaml: Option<YamlWorkflow>,
    /// What keeps YAML from being read, which is then in the place of the JSON. `None` if
    /// nothing does.
    pub(super) broken: Option<Vec<Fault>>,
}

/// A workflow's text. YAML, which the end of a file's name tells, becomes JSON here and
/// nowhere else.
pub(super) fn workflow(path: &Path) -> anyhow::Result<WorkflowText> {
    let unreadable = || format!("cannot read the workflow {}", path.display());
    let json = text(path, WORKFLOW_BYTES_MAX).or_coded("workflow_unreadable", unreadable)?;
    if !YamlWorkflow::is_one(path) {
        return Ok(WorkflowText {
            json,
            yaml: None,
            broken: None,
        });
    }
    Ok(match YamlWorkflow::read(path, &json) {
        Ok(yaml) => WorkflowText {
            json: yaml.json().to_owned(),
            yaml: Some(yaml),
            broken: None,
        },
        Err(FileError { faults, .. }) => {
            let faults = faults.into_iter().map(|it| fault_of_text(it, &json));
            let broken = Some(faults.collect());
            WorkflowText {
                json,
                yaml: None,
                broken,
            }
        }
    })
}

/// A fault of YAML as one of a text: with its byte, as those of JSON have it.
fn fault_of_text(fault: FileFault, text: &str) -> Fault {
    let FileFault {
        line,
        column,
        message,
        remedy,
        ..
    } = fault;
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let of_line = text[before..].chars().take(column.saturating_sub(1));
    let byte = before + of_line.map(char::len_utf8).sum::<usize>();
    Fault {
        pointer: String::new(),
        message: format!("{message} at byte {byte}"),
        remedy,
    }
}

/// JSON that was given as an argument: itself, or `@` and a file.
pub(super) fn json(argument: &str, what: &str) -> anyhow::Result<String> {
    let Some(path) = argument.strip_prefix('@') else {
        return Ok(argument.to_owned());
    };
    text(Path::new(path), PAYLOAD_BYTES_MAX).or_coded("json_unreadable", || {
        format!("cannot read the {what} {path}")
    })
}

/// The bytes of what may be a component.
pub(super) fn component(path: &Path) -> anyhow::Result<Vec<u8>> {
    let place = path.display();
    // One byte more shows that it is too long, which is then told like all else
    // that keeps it from being a guest.
    read(path, COMPONENT_BYTES_MAX + 1).or_coded("component_unreadable", || {
        format!("cannot read the component {place}")
    })
}

/// A log that was exported, to be read line by line: it has no limit.
pub(super) fn log(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = match path == Path::new(STDIN) {
        true => io::stdin().as_fd().try_clone_to_owned().map(File::from),
        false => File::open(path),
    };
    let file = file.or_coded("log_unreadable", || {
        format!("cannot open the log {}", path.display())
    })?;
    Ok(BufReader::new(file))
}

/// These files, and the logs in these folders, by their names.
pub(super) fn logs(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    for path in files {
        if !path.is_dir() {
            logs.push(path.clone());
            continue;
        }
        let unreadable = || format!("cannot read the folder {}", path.display());
        let entries = fs::read_dir(path).or_coded("log_unreadable", unreadable)?;
        let mut found = Vec::new();
        for entry in entries {
            let log = entry.or_coded("log_unreadable", unreadable)?.path();
            if log.extension() == Some(OsStr::new("ndjson")) {
                found.push(log);
            }
        }
        if found.is_empty() {
            refuse!(
                "log_unreadable",
                "there is no log in the folder {}: none of its files ends in .ndjson",
                path.display()
            );
        }
        found.sort();
        logs.extend(found);
    }
    Ok(logs)
}

/// The text of heads that were noted.
pub(super) fn anchors(path: &Path) -> anyhow::Result<String> {
    text(path, ANCHORS_BYTES_MAX).or_coded("anchors_unreadable", || {
        format!("cannot read the anchors {}", path.display())
    })
}

/// The text of a file with a key.
pub(super) fn key(file: &File) -> anyhow::Result<String> {
    text_of_bytes(read_open(file, KEY_BYTES_MAX + 1)?, KEY_BYTES_MAX)
}

/// A file's text, if it is not longer than that.
fn text(path: &Path, bytes_max: usize) -> anyhow::Result<String> {
    text_of_bytes(read(path, bytes_max + 1)?, bytes_max)
}

fn text_of_bytes(bytes: Vec<u8>, bytes_max: usize) -> anyhow::Result<String> {
    if bytes.len() > bytes_max {
        refuse!(
            "unreadable",
            "it is longer than {bytes_max} bytes, which is the limit; make it shorter"
        );
    }
    let text = text_of(bytes).map_err(|error| coded("unreadable", format!("it {error}")))?;
    if text.starts_with(MARK) {
        refuse!(
            "unreadable",
            "it begins with a byte order mark; save it as UTF-8 without one"
        );
    }
    Ok(text)
}

/// A file's bytes, no more of them than that.
fn read(path: &Path, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    if path == Path::new(STDIN) {
        return read_open(io::stdin().lock(), bytes_max);
    }
    if fs::metadata(path)?.is_dir() {
        refuse!("unreadable", "it is a folder; name a file");
    }
    read_open(&File::open(path)?, bytes_max)
}

fn read_open(file: impl Read, bytes_max: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max)?;
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
