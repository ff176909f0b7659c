//! Text that may be printed. Everything that the program prints goes through
//! here, so that nothing can steer a terminal that only came along in a log.
//!
//! Ids, errors, questions, file names and whole logs come from others. A
//! control character in one of them could move the cursor and overwrite a
//! verdict, a direction character could turn a line around, and a line feed
//! could begin a line that looks like ours. A [`Text`] is therefore only built
//! of literals of this program and of [arguments](Argument), which are escaped.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

pub(super) use refrain::escaped::is_steering;
use refrain::escaped::{escaped, escaped_but};
use refrain::id::ExecutionId;
use refrain_picture::cut;
use unicode_width::UnicodeWidthStr;

use super::output::Paint;

/// Text of this program, in which everything foreign is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(String);

/// A [`Text`] of a literal with `{}` for each argument. The arguments are
/// escaped, and cannot be named within the literal: they would escape that.
macro_rules! text {
    ($format:literal $(, $argument:expr)* $(,)?) => {
        $crate::cli::text::Text::of(format_args!(
            // Not the bare literal: names in it would be captured as they are.
            concat!($format)
            $(, $crate::cli::text::Argument(&$argument))*
        ))
    };
}
pub(super) use text;

impl Text {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// For the macro [`text!`], which escapes the arguments.
    pub(super) fn of(arguments: fmt::Arguments<'_>) -> Self {
        Self(arguments.to_string())
    }

    /// A foreign text in one line.
    pub(super) fn word(foreign: &str) -> Self {
        Self(escaped(foreign).into_owned())
    }

    /// A foreign text that may have several lines. All but the first stand
    /// behind a mark, so that none of them can be taken for a line of ours.
    pub(super) fn lines(foreign: &str) -> Self {
        Self::part_of_lines(foreign.trim_end_matches(['\n', '\r']))
    }

    /// The same of a part of such a text: line feeds at its end count.
    pub(super) fn part_of_lines(foreign: &str) -> Self {
        let line = |line: &str| Self::word(line.strip_suffix('\r').unwrap_or(line));
        Self::joined(foreign.split('\n').map(line), "\n    | ")
    }

    /// Text that a library has laid out in lines, with what it was given
    /// somewhere in it. Its lines stay where they are.
    pub(super) fn laid_out(text: &str) -> Self {
        Self(escaped_but(text, &['\n', '\t']).into_owned())
    }

    /// JSON with the same value: what a terminal could take for more than a
    /// character can only stand in its strings, and is spelled `\uXXXX` there.
    pub(super) fn json(json: &str) -> Self {
        let mut text = String::with_capacity(json.len());
        for c in json.chars() {
            match c {
                // Between the values; in a string they are escaped already.
                '\n' | '\t' | '\r' => text.push(if c == '\r' { ' ' } else { c }),
                c if is_steering(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // A `String` takes everything.
                        let _ = write!(text, "\\u{unit:04x}");
                    }
                }
                c => text.push(c),
            }
        }
        Self(text)
    }

    /// The same in one line.
    pub(super) fn json_line(json: &str) -> Self {
        // Raw, these only stand between the values.
        Self::json(&json.replace(['\n', '\r', '\t'], " "))
    }

    /// The same in a colour, if colours are wanted.
    pub(super) fn painted(self, paint: Paint, colours: bool) -> Self {
        match paint.code().filter(|_| colours && !self.0.is_empty()) {
            Some(code) => Self(format!("\x1b[{code}m{}\x1b[0m", self.0)),
            None => self,
        }
    }

    /// The same with spaces behind it, so that it takes so many columns.
    pub(super) fn padded(mut self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        self.0.extend(std::iter::repeat_n(' ', missing));
        self
    }

    /// The same with spaces before it, so that it takes so many columns.
    pub(super) fn aligned_right(self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        Self(" ".repeat(missing) + &self.0)
    }

    /// As much of it as goes into so many columns. For text without colours.
    pub(super) fn cut(self, columns: usize) -> Self {
        match cut(&self.0, columns) {
            Cow::Borrowed(_) => self,
            Cow::Owned(text) => Self(text),
        }
    }

    /// How many columns it takes on a terminal. For text without colours.
    pub(super) fn width(&self) -> usize {
        self.0.width()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, text: &Self) {
        self.0.push_str(&text.0);
    }

    /// The same without space at its end.
    pub(super) fn trimmed(mut self) -> Self {
        self.0.truncate(self.0.trim_end().len());
        self
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// These, with something of ours between them.
    pub(super) fn joined(texts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let texts: Vec<String> = texts.into_iter().map(|text| text.0).collect();
        Self(texts.join(between))
    }

    /// What replaces the line that the cursor is in. Where escape sequences
    /// are not wanted, `former` columns are overwritten with spaces.
    pub(super) fn repainting(self, former: usize, escapes: bool) -> Self {
        if escapes {
            return Self(format!("\r\x1b[K{}", self.0));
        }
        let width = self.width();
        let blanks = former.saturating_sub(width);
        let mut text = format!("\r{}{}", self.0, " ".repeat(blanks));
        if width == 0 {
            text.push('\r');
        }
        Self(text)
    }
}

impl FromIterator<Text> for Text {
    fn from_iter<I: IntoIterator<Item = Text>>(texts: I) -> Self {
        Self::joined(texts, "")
    }
}

/// Something that stands in a [`Text`]: foreign text is escaped, and stays in
/// one line; a `Text` stands as it is.
pub(super) struct Argument<'a, T: ?Sized>(pub(super) &'a T);

/// What can be an [`Argument`].
pub(super) trait Shown {
    fn shown(&self) -> Cow<'_, str>;
}

impl<T: Shown + ?Sized> fmt::Display for Argument<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.shown())
    }
}

/// In quotation marks.
impl<T: AsRef<str> + ?Sized> fmt::Debug for Argument<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escaped(&format!("{:?}", self.0.as_ref())))
    }
}

impl<T: Shown + ?Sized> Shown for &T {
    fn shown(&self) -> Cow<'_, str> {
        (**self).shown()
    }
}

impl Shown for Text {
    fn shown(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl Shown for str {
    fn shown(&self) -> Cow<'_, str> {
        escaped(self)
    }
}

impl Shown for OsStr {
    fn shown(&self) -> Cow<'_, str> {
        Cow::Owned(escaped(&self.to_string_lossy()).into_owned())
    }
}

macro_rules! shown {
    ($($type:ty: $it:ident => $shown:expr),* $(,)?) => { $(
        impl Shown for $type {
            fn shown(&self) -> Cow<'_, str> {
                let $it = self;
                $shown
            }
        }
    )* };
}

shown! {
    String: it => it.as_str().shown(),
    OsString: it => it.as_os_str().shown(),
    Path: it => it.as_os_str().shown(),
    PathBuf: it => it.as_os_str().shown(),
    ExecutionId: it => Cow::Owned(it.to_string()),
    u32: it => Cow::Owned(it.to_string()),
    u64: it => Cow::Owned(it.to_string()),
    usize: it => Cow::Owned(it.to_string()),
    serde_json::Value: it => Cow::Owned(Text::json(&it.to_string()).0),
    std::io::Error: it => Cow::Owned(escaped(&it.to_string()).into_owned()),
}

/// So many of something: `1 event`, `2 events`.
pub(super) fn counted(count: u64, noun: &str) -> Text {
    let several = if count == 1 { "" } else { "s" };
    text!("{} {}{}", count, noun, several)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that could steer a terminal.
    fn hostile() -> String {
        let all = (0..=0x10_ffff).filter_map(char::from_u32);
        all.filter(|c| is_steering(*c)).collect()
    }

    fn assert_tame(text: &Text) {
        assert!(!text.as_str().contains(is_steering), "{text:?}");
    }

    #[test]
    fn nothing_foreign_steers_a_terminal() {
        let foreign = format!("a{}z", hostile());
        assert!(foreign.chars().count() > 200);
        for text in [
            Text::word(&foreign),
            text!("{} {}", foreign, foreign.as_str()),
            text!("{:?}", foreign),
            text!("{}", Path::new(&foreign)),
            text!("{}", serde_json::Value::from(foreign.as_str())),
        ] {
            assert_tame(&text);
        }
        let lines = Text::lines(&foreign);
        for line in lines.as_str().split("\n    | ") {
            assert_tame(&Text(line.to_owned()));
        }
        assert_eq!(Text::word("e\u{301} 漢字 🧑‍🚒").as_str(), "e\u{301} 漢字 🧑‍🚒");
        assert_eq!(
            Text::word("\x1b[2K\n\u{202e}").as_str(),
            r"\u{1b}[2K\n\u{202e}"
        );
        assert_eq!(Text::lines("a\nb\r\nc\n").as_str(), "a\n    | b\n    | c");
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ hostile(): [hostile(), 1.5] });
        for json in [
            value.to_string(),
            serde_json::to_string_pretty(&value).unwrap(),
        ] {
            let text = Text::json(&json);
            assert!(!text.as_str().contains(|c| is_steering(c) && c != '\n'));
            let read: serde_json::Value = serde_json::from_str(text.as_str()).unwrap();
            assert_eq!(read, value);
        }
    }

    #[test]
    fn columns_are_counted_as_a_terminal_does() {
        for (text, columns, expected) in [
            ("abcdef", 6, "abcdef"),
            ("abcdef", 5, "abcd…"),
            ("漢字漢字", 8, "漢字漢字"),
            ("漢字漢字", 7, "漢字漢…"),
            ("漢字漢字", 6, "漢字…"),
            ("abc", 1, "…"),
            ("abc", 0, ""),
        ] {
            let text = Text::word(text).cut(columns);
            assert_eq!(text.as_str(), expected);
            assert!(text.width() <= columns);
        }
        assert_eq!(Text::word("漢").padded(4).as_str(), "漢  ");
        assert_eq!(Text::word("漢").aligned_right(4).as_str(), "  漢");
    }

    #[test]
    fn a_line_is_replaced_with_and_without_escape_sequences() {
        for (former, escapes, line, text) in [
            (9, true, "new", "\r\x1b[Knew"),
            (5, false, "new", "\rnew  "),
            (2, false, "new", "\rnew"),
            (3, false, "", "\r   \r"),
        ] {
            assert_eq!(Text::word(line).repainting(former, escapes).as_str(), text);
        }
    }
}
