//! A text as JSON writes it.

use alloc::string::String;

/// Append `text` in quotes, with what must be escaped escaped.
pub(crate) fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    push_escaped(json, text);
    json.push('"');
}

/// Append `text` as a part of a text in quotes, with what must be escaped escaped.
pub(crate) fn push_escaped(json: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push_str(text);
        return;
    }
    let quoted = serde_json::to_string(text).expect("a text can be written");
    json.push_str(&quoted[1..quoted.len() - 1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_as_everyone_does() {
        for text in ["", "a", "é😀", "a b/c", "\"", "\\", "\n\u{1}\u{7f}", "a\"b"] {
            let mut json = String::new();
            push_quoted(&mut json, text);
            assert_eq!(json, serde_json::to_string(text).unwrap());
        }
    }
}
