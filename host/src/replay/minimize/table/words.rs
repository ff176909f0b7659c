//! Words, JSON and texts as they may stand in a line of the notation.

use serde_json::Value;

use crate::graph::END;

/// A word that is one in the notation, too.
pub(super) fn plain(word: &str) -> Result<&str, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.[]!:".contains(c);
    match !word.is_empty() && word != END && word.chars().all(is_plain) && !word.ends_with(':') {
        true => Ok(word),
        false => Err(format!("{word:?} is no word of the notation")),
    }
}

/// JSON as it may stand in a line.
pub(super) fn inline(value: &Value) -> Result<String, String> {
    let text = value.to_string();
    match text.contains("=>") || text.contains("->") {
        true => Err(format!("{text} has an arrow in it")),
        false => Ok(text),
    }
}

/// `name=value`, where there is one.
pub(super) fn option(name: &str, value: Option<&str>) -> Result<String, String> {
    match value {
        Some(value) => Ok(format!(" {name}={}", plain(value)?)),
        None => Ok(String::new()),
    }
}

/// A text in quotation marks.
pub(super) fn why(reason: Option<&str>) -> Result<String, String> {
    match reason {
        Some(reason) if reason.contains(['"', '\\', '\n']) => {
            Err(format!("the reason {reason:?} cannot stand in a line"))
        }
        Some(reason) => Ok(format!(" why=\"{reason}\"")),
        None => Ok(String::new()),
    }
}

/// JSON behind a node, unless it is this.
pub(super) fn given(text: &str, usual: &str) -> Result<String, String> {
    if text == usual {
        return Ok(String::new());
    }
    let value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(format!(" {}", inline(&value)?))
}

pub(super) fn line(table: &mut String, line: &str) {
    table.push_str(line);
    table.push('\n');
}
