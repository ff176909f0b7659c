//! Splitting lines where no quotes and no brackets are open.

use alloc::vec::Vec;

/// The parts of `line` between separators that stand outside of quotes and
/// brackets, trimmed; empty ones are left out.
pub(super) fn split(line: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, c) in outside(line) {
        if c == separator {
            parts.push(&line[start..at]);
            start = at + c.len_utf8();
        }
    }
    parts.push(&line[start..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// The words of a line; JSON and quoted texts are one word each.
pub(super) fn words(line: &str) -> Vec<&str> {
    split(line, ' ')
}

/// A text without its quotes, if it has any.
pub(super) fn unquoted(text: &str) -> &str {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

/// The characters outside of quotes and brackets, and where they stand.
fn outside(line: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    line.char_indices().filter(move |(_, c)| {
        if quoted {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            quoted = !closes;
            return false;
        }
        match c {
            '"' => quoted = true,
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}
