//! A text as JSON writes it.

use alloc::string::String;

/// Append `text` in quotes, with what must be escaped escaped.
pub(crate) fn push_quoted(json: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        json.push('"');
        json.push_str(text);
        json.push('"');
        return;
    }
    json.push_str(&serde_json::to_string(text).expect("a text can be written"));
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
