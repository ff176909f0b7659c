//! Files and arguments that bring text in.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use refrain::json::{MARK, text_of};
use refrain::limits::{PAYLOAD_BYTES_MAX, WORKFLOW_BYTES_MAX};

/// A workflow's text.
pub(super) fn workflow(path: &Path) -> anyhow::Result<String> {
    text(path, WORKFLOW_BYTES_MAX)
        .with_context(|| format!("cannot read the workflow {}", path.display()))
}

/// JSON that was given as an argument: itself, or `@` and a file.
pub(super) fn json(argument: &str, what: &str) -> anyhow::Result<String> {
    let Some(path) = argument.strip_prefix('@') else {
        return Ok(argument.to_owned());
    };
    text(Path::new(path), PAYLOAD_BYTES_MAX)
        .with_context(|| format!("cannot read the {what} {path}"))
}

/// A file's text, if it is not longer than that.
fn text(path: &Path, bytes_max: usize) -> anyhow::Result<String> {
    let limit = u64::try_from(bytes_max)?;
    if fs::metadata(path)?.is_dir() {
        bail!("it is a folder; name a file");
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        bail!("it is longer than {bytes_max} bytes, which is the limit; make it shorter");
    }
    let text = text_of(bytes).map_err(|error| anyhow!("it {error}"))?;
    if text.starts_with(MARK) {
        bail!("it begins with a byte order mark; save it as UTF-8 without one");
    }
    Ok(text)
}
