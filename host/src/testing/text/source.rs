//! Files of YAML and JSON, read whole and within bounds.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::value::RawValue;

use super::place::{Faults, FileError, Place, whole};
use crate::json::{MARK, text_of};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::testing) enum Notation {
    Json,
    Yaml,
}

/// The notation of a file, by the end of its name.
pub(in crate::testing) fn notation(file: &Path) -> Result<Notation, FileError> {
    let extension = file
        .extension()
        .and_then(|it| it.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "json" => Ok(Notation::Json),
        "yaml" | "yml" => Ok(Notation::Yaml),
        _ => Err(about(
            file,
            "the end of its name does not say how it is written",
            "name it `.yaml`, `.yml` or `.json`",
        )),
    }
}

/// A file's text, if it is not longer than that.
pub(in crate::testing) fn text(file: &Path, bytes_max: usize) -> Result<String, FileError> {
    let bytes = bytes(file, bytes_max).map_err(|error| {
        about(
            file,
            format!("it cannot be read: {error}"),
            "check its name, and who may read it",
        )
    })?;
    if bytes.len() > bytes_max {
        let message = format!("it is longer than {bytes_max} bytes, which is the limit");
        return Err(about(file, message, "make several files of it"));
    }
    let text =
        text_of(bytes).map_err(|error| about(file, format!("it {error}"), "save it as UTF-8"))?;
    if text.starts_with(MARK) {
        let remedy = "save it as UTF-8 without one";
        return Err(about(file, "it begins with a byte order mark", remedy));
    }
    Ok(text)
}

/// One byte more than it may have shows that it is too long.
fn bytes(file: &Path, bytes_max: usize) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(file)?.is_dir() {
        return Err(std::io::Error::other("it is a folder"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reports what keeps a text from being JSON: its grammar, with the place.
pub(in crate::testing) fn must_be_json(text: &str, faults: &mut Faults<'_>) {
    if let Err(error) = serde_json::from_str::<&RawValue>(text) {
        let at = Place {
            line: error.line().max(1),
            column: error.column().max(1),
        };
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said);
        let remedy = "correct it there; a file of another notation needs another name";
        faults.report(at, format!("this is not JSON: {said}"), remedy);
    }
}

fn about(file: &Path, message: impl Into<String>, remedy: &str) -> FileError {
    FileError {
        faults: vec![whole(file, message, remedy)],
    }
}
