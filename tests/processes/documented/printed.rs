//! Whether what was printed is what a page says.
//!
//! `…` stands for anything within a line, and in a line alone for any lines. Ids, times,
//! spans of time, digests and the width of columns are other ones in each session: an id
//! is the same wherever the page has the same one. Lines of progress that stand together
//! come in any order: what goes on side by side ends as it likes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What is another one in each session, and `…`.
static VARIES: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?P<id>exec_[0-9a-f]{4,32})",
        r"|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+Z)",
        r"|(?P<span>\b\d+(\.\d+)? (ms|s|min)\b)",
        r"|(?P<digest>\b[0-9a-f]{12,64}\b)",
        r"|(?P<any>…)",
        r"|(?P<space>\s+)",
    ))
});

/// An id as it is printed.
const ID: &str = "exec_[0-9a-f]{32}";

/// A line of progress.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"^\s+\d+(\.\d+)? (ms|s|min)  \w"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// The ids of the page, and those that stand for them in this session.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// The command with the ids of this session.
    pub(super) fn real(&self, command: &str) -> Result<String, String> {
        let mut unknown = None;
        let real = regex(ID).replace_all(command, |id: &Captures<'_>| {
            let known = self.0.get(&id[0]);
            known.cloned().unwrap_or_else(|| {
                unknown = Some(format!("{} was not printed before", &id[0]));
                String::new()
            })
        });
        match unknown {
            None => Ok(real.into_owned()),
            Some(unknown) => Err(unknown),
        }
    }

    /// Compare what the page has with what was printed.
    pub(super) fn compare(&mut self, page: &[String], printed: &str) -> Result<(), String> {
        let printed: Vec<&str> = printed.trim_end().lines().collect();
        let end = page.iter().rposition(|line| !line.trim().is_empty());
        let page = &page[..end.map_or(0, |at| at + 1)];
        if self.agree(page, &printed) {
            return Ok(());
        }
        let (page, printed) = (page.join("\n"), printed.join("\n"));
        Err(format!("--- the page\n{page}\n--- printed\n{printed}"))
    }

    fn agree(&mut self, page: &[String], printed: &[&str]) -> bool {
        let Some((line, rest)) = page.split_first() else {
            return printed.is_empty();
        };
        if line.trim() == "…" {
            return (0..=printed.len()).any(|skipped| self.agree(rest, &printed[skipped..]));
        }
        if PROGRESS.is_match(line) {
            return self.agree_in_any_order(page, printed);
        }
        let Some((first, others)) = printed.split_first() else {
            return false;
        };
        let before = self.0.clone();
        let agree = self.is(line, first) && self.agree(rest, others);
        if !agree {
            self.0 = before;
        }
        agree
    }

    /// Whether the lines of progress that come first are the same ones.
    fn agree_in_any_order(&mut self, page: &[String], printed: &[&str]) -> bool {
        let count = page
            .iter()
            .take_while(|line| PROGRESS.is_match(line))
            .count();
        let Some((now, later)) = printed.split_at_checked(count) else {
            return false;
        };
        let mut now = now.to_vec();
        let all = page[..count].iter().all(|line| {
            let found = now.iter().position(|it| self.is(line, it));
            found.map(|at| now.remove(at)).is_some()
        });
        all && self.agree(&page[count..], later)
    }

    /// Whether a line is that of the page. If so, its ids are known from now on.
    fn is(&mut self, page: &str, printed: &str) -> bool {
        let mut pattern = "^".to_owned();
        let (mut at, mut ids) = (0, Vec::new());
        for varies in VARIES.captures_iter(page) {
            let whole = varies.get(0).expect("the whole");
            pattern.push_str(&regex::escape(&page[at..whole.start()]));
            let has = |name| varies.name(name).is_some();
            if has("id") && whole.len() == "exec_".len() + 32 {
                ids.push(whole.as_str().to_owned());
                match self.0.get(whole.as_str()) {
                    Some(known) => pattern.push_str(&format!("({known})")),
                    None => pattern.push_str(&format!("({ID})")),
                }
            } else {
                pattern.push_str(match () {
                    () if has("id") => r"exec_[0-9a-f]+",
                    () if has("time") => r"\d{4}-\d\d-\d\dT[\d:.]+Z",
                    () if has("span") => r"\d+(?:\.\d+)? (?:ms|s|min)",
                    () if has("digest") => r"[0-9a-f]{12,64}",
                    () if has("any") => ".*",
                    () if at == 0 && whole.start() == 0 => r"\s*",
                    () => r"\s+",
                });
            }
            at = whole.end();
        }
        pattern.push_str(&regex::escape(&page[at..]));
        pattern.push_str(r"\s*$");
        let Some(found) = regex(&pattern).captures(printed) else {
            return false;
        };
        let real = found.iter().skip(1).flatten();
        let real = real.map(|id| id.as_str().to_owned());
        self.0.extend(ids.into_iter().zip(real));
        true
    }
}

#[test]
fn what_is_printed_otherwise_is_found() {
    let id = |digit: &str| format!("exec_{}", digit.repeat(32));
    let progress = ["    1 ms  a  completed", "   20 ms  b  completed"];
    let lines = |lines: &[&str]| lines.join("\n");
    for (page, printed, agree) in [
        ("all is well", "all is well".to_owned(), true),
        ("all is well", "all is not well".to_owned(), false),
        ("all is well", "all is well\nand more".to_owned(), false),
        ("all is well\nand more", "all is well".to_owned(), false),
        ("all …", "all is well".to_owned(), true),
        ("all …", "all".to_owned(), false),
        ("a\n…\nd", "a\nb\nc\nd".to_owned(), true),
        ("a\n…\nd", "a\nb\nc".to_owned(), false),
        ("in 29 ms", "in 1.5 s".to_owned(), true),
        ("in 29 ms", "in 29 items".to_owned(), false),
        ("n  1", "n      1".to_owned(), true),
        ("n  1", "n1".to_owned(), false),
        (&lines(&progress), lines(&[progress[1], progress[0]]), true),
        (&lines(&progress), lines(&[progress[1], progress[1]]), false),
        (&id("a"), id("b"), true),
        (
            &lines(&[&id("a"), &id("a")]),
            lines(&[&id("b"), &id("b")]),
            true,
        ),
        (
            &lines(&[&id("a"), &id("a")]),
            lines(&[&id("b"), &id("c")]),
            false,
        ),
    ] {
        let page: Vec<String> = page.lines().map(str::to_owned).collect();
        let found = Names::default().compare(&page, &printed);
        assert_eq!(found.is_ok(), agree, "{page:?} and {printed:?}");
    }
}
