//! Sentences of a scheduler component and of the library, as people read them:
//! with times of a calendar, and with commands that can be typed. Who made the
//! sentence knows of no calendar, no shell and no database.

use refrain::id::ExecutionId;

use super::database::Database;
use super::text::Text;
use super::time::readable;

/// How sentences are to be read.
pub(super) struct Sentences<'a> {
    pub(super) database: &'a Database,
    /// Ids and keys that they may name. One with a backquote in it is only
    /// understood if it is among them.
    pub(super) names: Vec<&'a str>,
}

/// The commands on an execution, or on something in it.
const VERBS: [&str; 15] = [
    "approve", "audit", "cancel", "explain", "export", "fork", "log", "pause", "resume", "retry",
    "show", "signal", "skip", "unpause", "upgrade",
];

/// The commands on a whole database.
const WHOLE: [&str; 2] = ["list", "resume"];

impl Sentences<'_> {
    /// The sentence, in one line or several, for people.
    pub(super) fn text(&self, sentence: &str) -> Text {
        let sentence = readable(sentence);
        let mut parts: Vec<Part<'_>> = Vec::new();
        let mut rest = sentence.as_str();
        let mut plain = 0;
        while let Some(found) = rest[plain..].find("`refrain ") {
            let at = plain + found;
            match self.command(&rest[at + 1..]) {
                Some((command, length)) => {
                    parts.push(Part::Said(&rest[..=at]));
                    parts.push(Part::Typed(command));
                    rest = &rest[at + 1 + length..];
                    plain = 0;
                }
                None => plain = at + 1,
            }
        }
        parts.push(Part::Said(rest));
        let mut text = Text::new();
        for part in &parts {
            match part {
                // Each is a part of one text of several lines.
                Part::Said(said) => text.push(&Text::part_of_lines(said)),
                Part::Typed(command) => text.push(command),
            }
        }
        text
    }

    /// The command that this begins with, and how long it is there.
    fn command(&self, text: &str) -> Option<(Text, usize)> {
        let words = text.strip_prefix("refrain ")?;
        let is_whole = |verb: &&str| {
            let rest = words.strip_prefix(*verb);
            rest.is_some_and(|it| it.starts_with('`'))
        };
        if let Some(verb) = WHOLE.into_iter().find(is_whole) {
            let length = "refrain ".len() + verb.len();
            return Some((self.database.command::<&str>(verb, &[]), length));
        }
        let (verb, rest) = VERBS.into_iter().find_map(|verb| {
            let rest = words.strip_prefix(verb)?.strip_prefix(' ')?;
            Some((verb, rest))
        })?;
        let (id, rest) = rest.split_at_checked(ID_BYTES)?;
        let _: ExecutionId = id.parse().ok()?;
        let length = text.len() - rest.len();
        if rest.starts_with('`') {
            return Some((self.database.command(verb, &[id]), length));
        }
        let rest = rest.strip_prefix(' ')?;
        let known = self.names.iter().filter(|name| {
            let rest = rest.strip_prefix(**name);
            rest.is_some_and(|it| it.starts_with('`'))
        });
        let name = match known.max_by_key(|name| name.len()) {
            Some(name) => name,
            None => &rest[..rest.find('`')?],
        };
        let command = self.database.command(verb, &[id, name]);
        Some((command, length + 1 + name.len()))
    }
}

/// `exec_` and 32 digits.
const ID_BYTES: usize = 37;

enum Part<'a> {
    Said(&'a str),
    Typed(Text),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_sentences_can_be_typed() {
        let id = ExecutionId::from_bytes([7; 16]);
        for (path, sentence, expected) in [
            ("d", "plain", "plain"),
            ("d", "`a b` failed", "`a b` failed"),
            (
                "d",
                "`refrain skip ID a` skips",
                "`refrain skip ID a --db d` skips",
            ),
            (
                "d",
                "`a`: `refrain skip ID a`",
                "`a`: `refrain skip ID a --db d`",
            ),
            (
                "d",
                "`refrain cancel ID` gives up",
                "`refrain cancel ID --db d` gives up",
            ),
            (
                "refrain.db",
                "`refrain skip ID it is`",
                "`refrain skip ID 'it is'`",
            ),
            (
                "d",
                "`refrain skip ID -rf`",
                "`refrain skip ID --db d -- -rf`",
            ),
            (
                "d",
                "`refrain skip ID a`b` or",
                "`refrain skip ID 'a`b' --db d` or",
            ),
            (
                "d",
                "`refrain signal ID it's`, or",
                r"`refrain signal ID 'it'\''s' --db d`, or",
            ),
            ("d", "`refrain validate`", "`refrain validate`"),
            ("d", "see `refrain list`", "see `refrain list --db d`"),
            ("d", "see `refrain show ID`", "see `refrain show ID --db d`"),
            (
                "d",
                "what `refrain export` wrote",
                "what `refrain export` wrote",
            ),
            (
                "d",
                "`refrain `refrain cancel ID`",
                "`refrain `refrain cancel ID --db d`",
            ),
            (
                "d",
                "\x1b[2J`refrain cancel ID`\nno",
                "\\u{1b}[2J`refrain cancel ID --db d`\n    | no",
            ),
        ] {
            let database = Database::at(path);
            let sentences = Sentences {
                database: &database,
                names: vec!["a", "a`b"],
            };
            let said = sentences.text(&sentence.replace("ID", &id.to_string()));
            assert_eq!(said.as_str().replace(&id.to_string(), "ID"), expected);
        }
    }
}
