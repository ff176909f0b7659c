//! What can stand in XML: text, and names of elements.

use alloc::string::String;
use core::fmt::Write;

use crate::escaped::escaped;

/// A foreign text as it stands between tags and in attributes.
pub(crate) fn text(foreign: &str) -> String {
    let foreign = escaped(foreign);
    let mut xml = String::with_capacity(foreign.len());
    for c in foreign.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // These are no characters of XML.
            '\u{fffe}' | '\u{ffff}' => xml.extend(c.escape_default()),
            _ => xml.push(c),
        }
    }
    xml
}

/// A way to a node as a part of an `id`: no two are spelled alike.
pub(crate) fn name(way: &str) -> String {
    let mut name = String::with_capacity(way.len());
    for c in way.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => name.push(c),
            _ => {
                // Writing to a text does not fail.
                let _ = write!(name, ".{:x}.", u32::from(c));
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_is_markup() {
        assert_eq!(
            text("<a b=\"c\">&\u{202e}\n"),
            r"&lt;a b=&quot;c&quot;&gt;&amp;\u{202e}\n"
        );
        assert_eq!(text("\u{ffff}é漢"), r"\u{ffff}é漢");
        assert_eq!(name("a/b.é_-"), "a.2f.b.2e..e9._-");
    }
}
