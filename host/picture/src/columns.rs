//! Text in so many columns of a terminal, without anything that steers one.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use unicode_width::UnicodeWidthStr;

use crate::escaped::escaped;

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// As much of a text as goes into so many columns. A mark stands for what is left out.
#[must_use]
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        // One column is for the mark.
        if text[..next].width() >= columns {
            break;
        }
        end = next;
    }
    let mark = if columns > 0 { "…" } else { "" };
    Cow::Owned(format!("{}{mark}", &text[..end]))
}

/// As much of a foreign text as goes into so many columns, in one line, what steers a
/// terminal spelled out.
pub(crate) fn short(text: &str, columns: usize) -> String {
    cut(&escaped(text), columns).into_owned()
}

/// The same text in the middle of so many columns.
pub(crate) fn centred(text: &str, columns: usize) -> String {
    let free = columns.saturating_sub(text.width());
    let before = free / 2;
    format!("{}{text}{}", " ".repeat(before), " ".repeat(free - before))
}

/// The same text with spaces behind it, so that it takes so many columns.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let free = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(free))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_takes_no_more_columns_than_it_is_given() {
        for (text, columns, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("漢字漢", 5, "漢字…"),
            ("漢字漢", 4, "漢…"),
            ("a\nb\u{202e}c", 20, r"a\nb\u{202e}c"),
            ("a\nb", 3, r"a\…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(short(text, columns), expected);
            assert!(width(&short(text, columns)) <= columns);
        }
        assert_eq!(centred("ab", 5), " ab  ");
        assert_eq!(padded("漢", 4), "漢  ");
    }
}
