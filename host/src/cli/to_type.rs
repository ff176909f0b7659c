//! What the program says to type. There is one place that makes such a
//! command, so that each is understood by a shell and by this program, for
//! every id, key and path.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::text::{Text, is_steering, text};

/// The command `refrain VERB WORDS… --db DATABASE`, as a person types it.
pub(super) fn command<W: AsRef<OsStr>>(
    verb: &'static str,
    words: &[W],
    database: Option<&OsStr>,
) -> Text {
    with_option(verb, None, words, database)
}

/// The same with an option, which stands behind the words if it can.
pub(super) fn with_option<W: AsRef<OsStr>>(
    verb: &'static str,
    option: Option<(&'static str, &OsStr)>,
    words: &[W],
    database: Option<&OsStr>,
) -> Text {
    with_options(verb, option.as_slice(), words, database)
}

/// The same with several options.
pub(super) fn with_options<W: AsRef<OsStr>>(
    verb: &'static str,
    options: &[(&'static str, &OsStr)],
    words: &[W],
    database: Option<&OsStr>,
) -> Text {
    let mut shell = Shell::default();
    let mut line = text!("refrain {}", verb);
    let flag = database.map(|path| {
        // A path that begins like a flag would be taken for one.
        let between = if is_like_a_flag(path) { "=" } else { " " };
        text!(" --db{}{}", between, shell.quoted(path))
    });
    let flag = flag.unwrap_or_default();
    let options = options.iter().map(|(name, value)| {
        let between = if is_like_a_flag(value) { "=" } else { " " };
        text!(" {}{}{}", name, between, shell.quoted(value))
    });
    let options: Text = options.collect();
    let flag = text!("{}{}", options, flag);
    let mut said = false;
    for word in words.iter().map(AsRef::as_ref) {
        if !said && is_like_a_flag(word) {
            line = text!("{}{} --", line, flag);
            said = true;
        }
        line = text!("{} {}", line, shell.quoted(word));
    }
    if !said {
        line.push(&flag);
    }
    text!("{}{}", shell.before, line)
}

/// The command that enters a folder.
pub(super) fn enter(folder: &OsStr) -> Text {
    let mut shell = Shell::default();
    let no_flag = if is_like_a_flag(folder) { "-- " } else { "" };
    let folder = shell.quoted(folder);
    text!("{}cd {}{}", shell.before, no_flag, folder)
}

fn is_like_a_flag(word: &OsStr) -> bool {
    word.as_bytes().starts_with(b"-")
}

/// Writes words so that any shell of POSIX reads them as they are.
#[derive(Default)]
struct Shell {
    /// What has to be typed before the command.
    before: Text,
    variables: usize,
}

impl Shell {
    fn quoted(&mut self, word: &OsStr) -> Text {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
        // At the start of a word, some shells expand it.
        let inner =
            |word: &str| !word.starts_with('=') && word.chars().all(|c| plain(c) || c == '=');
        match word.to_str() {
            Some(word) if !word.is_empty() && inner(word) => Text::word(word),
            Some(word) if !word.contains(is_steering) => {
                text!("'{}'", word.replace('\'', r"'\''"))
            }
            // Nothing that steers a terminal may be printed, and what is not
            // UTF-8 cannot be.
            _ if !word.as_bytes().ends_with(b"\n") => {
                text!("\"$(printf '{}')\"", octal(word.as_bytes()))
            }
            _ => self.with_line_feeds(word),
        }
    }

    /// `$(…)` takes line feeds off the end; something has to stand behind them.
    fn with_line_feeds(&mut self, word: &OsStr) -> Text {
        self.variables += 1;
        let (number, octal) = (self.variables, octal(word.as_bytes()));
        self.before = text!("{}w{}=$(printf '{}.'); ", self.before, number, octal);
        text!("\"${{w{}%.}}\"", number)
    }
}

/// Bytes as `printf` takes them: letters and digits as they are, everything
/// else by its number.
fn octal(bytes: &[u8]) -> Text {
    bytes
        .iter()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => {
                Text::word(char::from(*byte).encode_utf8(&mut [0; 4]))
            }
            byte => Text::word(&format!("\\{byte:03o}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// The words that a shell makes of a command, without `refrain`.
    fn read_by_a_shell(command: &Text) -> Vec<Vec<u8>> {
        let show = r#"refrain() { for word in "$@"; do printf '%s\0' "$word"; done; }; "#;
        let output = Command::new("sh")
            .arg("-c")
            .arg(format!("{show}{}", command.as_str()))
            .output()
            .unwrap();
        assert!(output.stderr.is_empty(), "{command:?}: {output:?}");
        let mut words: Vec<Vec<u8>> = output
            .stdout
            .split(|b| *b == 0)
            .map(<[u8]>::to_vec)
            .collect();
        assert_eq!(words.pop(), Some(Vec::new()));
        words
    }

    fn hostile_words() -> Vec<Vec<u8>> {
        let texts = [
            "a",
            "a-b",
            "",
            " ",
            "a b",
            "it's",
            "''",
            "\"",
            "$HOME",
            "`id`",
            "$(id)",
            "\\",
            "a\\n",
            "!",
            "!!",
            "*",
            "~",
            "#",
            ";",
            "&",
            "|",
            "<",
            ">",
            "=x",
            "a=b",
            "%s",
            "{a,b}",
            "[a]",
            "-",
            "--",
            "-rf",
            "--help",
            "--db",
            "-\u{202e}",
            "漢字",
            "é",
            "\u{202e}gnp",
            "a\nb",
            "\n",
            "a\n\n",
            "\x1b[2J",
            "\u{85}",
            "a\tb",
            "\\001",
            "\n'",
        ];
        let mut words: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        words.extend([b"\xff".to_vec(), b"-\xfe\n".to_vec(), (1..=255).collect()]);
        words
    }

    #[test]
    fn every_word_survives_a_shell() {
        let words = hostile_words();
        for word in &words {
            let word = OsStr::from_bytes(word);
            for database in words
                .iter()
                .map(|it| OsStr::from_bytes(it))
                .filter(|it| !it.is_empty())
            {
                let typed = command("approve", &[OsStr::new("exec_1"), word], Some(database));
                assert!(!typed.as_str().contains(is_steering), "{typed:?}");
            }
        }
        // A shell for each pair would take long; each word has its turn as both.
        for (place, word) in words.iter().enumerate() {
            let word = OsStr::from_bytes(word);
            let next = OsStr::from_bytes(&words[(place + 7) % words.len()]);
            let typed = command("approve", &[OsStr::new("exec_1"), word], Some(next));
            let read = read_by_a_shell(&typed);
            let flagged = [b"--db=".as_slice(), next.as_bytes()].concat();
            let db: Vec<Vec<u8>> = if is_like_a_flag(next) {
                vec![flagged]
            } else {
                vec![b"--db".to_vec(), next.as_bytes().to_vec()]
            };
            let mut expected = vec![b"approve".to_vec(), b"exec_1".to_vec()];
            if is_like_a_flag(word) {
                expected.extend(db);
                expected.extend([b"--".to_vec(), word.as_bytes().to_vec()]);
            } else {
                expected.push(word.as_bytes().to_vec());
                expected.extend(db);
            }
            assert_eq!(read, expected, "{typed:?}");
        }
    }

    #[test]
    fn what_needs_no_quotation_marks_has_none() {
        for (word, database, line) in [
            ("a-b", None, "refrain skip e a-b"),
            ("a b", Some("it.db"), "refrain skip e 'a b' --db it.db"),
            (
                "-rf",
                Some("my it.db"),
                "refrain skip e --db 'my it.db' -- -rf",
            ),
            ("a", Some("-x"), "refrain skip e a --db=-x"),
            ("a=b", None, "refrain skip e a=b"),
            ("=b", None, "refrain skip e '=b'"),
            (
                "\u{202e}",
                None,
                r#"refrain skip e "$(printf '\342\200\256')""#,
            ),
        ] {
            let typed = command("skip", &["e", word], database.map(OsStr::new));
            assert_eq!(typed.as_str(), line);
        }
    }
}
