//! Foreign text as it may be shown: on a terminal, in a page, in a picture.

use alloc::borrow::Cow;
use alloc::string::String;

/// Whether a character does something instead of being seen: it controls the
/// terminal, ends a line, changes the direction of what follows, or hides.
#[must_use]
pub fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks, embeddings, overrides and isolates of direction.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
            // Ends of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // Without width: nothing, operators, marks of byte order, notes, tags.
            | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The same text in one line, each such character spelled out (`\n`, `\u{202e}`).
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_but(text, &[])
}

/// The same, but for these characters, which stay as they are.
#[must_use]
pub fn escaped_but<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let bad = |c: char| is_steering(c) && !kept.contains(&c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) {
            whole.extend(c.escape_default());
        } else {
            whole.push(c);
        }
    }
    Cow::Owned(whole)
}
