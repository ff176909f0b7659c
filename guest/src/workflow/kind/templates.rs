//! The texts of a kind that hold expressions (rule R29).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::form::Form;
use crate::condition::Roots;
use crate::json::{Lexer, Token, decode_text, push_pointer};
use crate::limits::TEMPLATES_BYTES_MAX;
use crate::template::{Insertion, KindTemplate, TextTemplate};
use crate::workflow::fault::{Faults, Place, quoted};
use crate::workflow::fields::Fields;
use crate::workflow::syntax::report_template;
use crate::workflow::typed::Read;

/// The kind, where a text in one of its fields that may hold expressions has some;
/// what is no expression is reported. A kind without `${` costs no more than looking
/// for it.
///
/// `at` is where the kind stands in its node, and `roots` what its expressions may read.
pub(super) fn read(
    kind: &Fields<'_, '_>,
    form: &Form,
    at: &str,
    roots: Roots,
) -> Option<KindTemplate> {
    let json = kind.json;
    // Escapes can spell both characters.
    if !json.contains("${") && !json.contains('\\') {
        return None;
    }
    let mut walk = Walk {
        kind,
        form,
        at,
        roots,
        open: Vec::new(),
    };
    let template = KindTemplate::new(json, walk.texts(), at)?;
    if template
        .for_worker()
        .is_some_and(|list| list.len() > TEMPLATES_BYTES_MAX)
    {
        let message = format!(
            "the pointers of its texts with secrets or the execution's id come to more than {TEMPLATES_BYTES_MAX} bytes"
        );
        let remedy = "name each in one text, and in fields with shorter names";
        kind.faults.report(kind.place, message, remedy);
    }
    Some(template)
}

/// Report the secrets that a kind names which the scheduler settles itself: no worker is
/// there to put them in. Where its texts hold expressions, those say so.
pub(super) fn refuse_secrets(kind: &Fields<'_, '_>, form: &Form) {
    if !kind.json.contains("${secret.") {
        return;
    }
    let mut walk = Walk {
        kind,
        form,
        at: "/kind",
        roots: Roots::OF_KINDS,
        open: Vec::new(),
    };
    walk.each_text(|walk, text, _| {
        let is_plain = |field: &str| walk.form.insertion(field).is_none();
        if walk.field().is_some_and(is_plain) {
            walk.refuse_secret(&decode_text(text));
        }
    });
}

/// The text of a field that the scheduler itself reads, with its expressions; `None`
/// if it has none. What is no expression is reported.
pub(super) fn text(kind: &Fields<'_, '_>, field: &str) -> Option<TextTemplate> {
    let text: Cow<'_, str> = kind.raw(field).and_then(Read::read)?;
    parse(&kind.place.key(field), &text, Insertion::Plain, kind.faults)
}

fn parse(
    place: &Place<'_>,
    text: &str,
    insertion: Insertion,
    faults: &Faults,
) -> Option<TextTemplate> {
    TextTemplate::parse(text, Roots::OF_KINDS, insertion).unwrap_or_else(|error| {
        report_template(place.pointer(), text, &error, faults);
        None
    })
}

/// The way through a kind's JSON, whatever is in its fields. Nothing recurses: how
/// deep a body is nested is the user's.
struct Walk<'w, 'a, 'p> {
    kind: &'w Fields<'a, 'p>,
    form: &'w Form,
    /// Where the kind stands in its node, a JSON pointer.
    at: &'w str,
    /// What its expressions may read.
    roots: Roots,
    /// The objects and lists that have begun and not ended.
    open: Vec<Step<'a>>,
}

/// Where in an object or a list the next value stands.
enum Step<'a> {
    /// Under this key, once it is read.
    Key(Option<Cow<'a, str>>),
    /// So many commas from the beginning.
    Index(usize),
}

impl<'a> Walk<'_, 'a, '_> {
    fn texts(&mut self) -> Vec<(core::ops::Range<usize>, String, usize, TextTemplate)> {
        let mut texts = Vec::new();
        self.each_text(|walk, text, place| {
            if let Some((pointer, template)) = walk.template(text) {
                texts.push((place, pointer, walk.open.len(), template));
            }
        });
        texts
    }

    /// Each text that is a value, as it is written, and where it begins and ends.
    fn each_text(&mut self, mut take: impl FnMut(&Self, &'a str, core::ops::Range<usize>)) {
        let mut lexer = Lexer::new(self.kind.json);
        while let Ok(Some((start, token))) = lexer.next_token() {
            match token {
                Token::BeginObject => self.open.push(Step::Key(None)),
                Token::BeginArray => self.open.push(Step::Index(0)),
                Token::EndObject | Token::EndArray => {
                    self.open.pop();
                }
                Token::Comma => match self.open.last_mut() {
                    Some(Step::Key(key)) => *key = None,
                    Some(Step::Index(index)) => *index += 1,
                    None => {}
                },
                Token::Text(text) => match self.open.last_mut() {
                    Some(Step::Key(key @ None)) => *key = Some(decode_text(text)),
                    _ => take(self, text, start..lexer.offset()),
                },
                Token::Colon | Token::Number(_) | Token::True | Token::False | Token::Null => {}
            }
        }
    }

    /// The field of the kind in which the next value stands.
    fn field(&self) -> Option<&str> {
        match self.open.first() {
            Some(Step::Key(Some(field))) => Some(field),
            _ => None,
        }
    }

    /// The text that stands here, if it has expressions and may have them.
    fn template(&self, text: &'a str) -> Option<(String, TextTemplate)> {
        let field = self.field()?;
        let text = decode_text(text);
        let Some(insertion) = self.form.insertion(field) else {
            self.refuse_secret(&text);
            return None;
        };
        let within = self.pointer();
        let parsed = TextTemplate::parse_of_payload(&text, self.roots, insertion);
        match parsed {
            Ok(template) => Some((format!("{}{within}", self.at), template?)),
            Err(error) => {
                let pointer = self.kind.place.pointer() + &within;
                report_template(pointer, &text, &error, self.kind.faults);
                None
            }
        }
    }

    /// A text that stands for itself names no secret: nobody would put it in.
    fn refuse_secret(&self, text: &str) {
        let Some(place) = text.find("${secret.") else {
            return;
        };
        let column = text[..place].chars().count() + 1;
        let message = format!(
            "{} names a secret where nobody puts it in (column {column})",
            quoted(text)
        );
        let remedy = "a secret may stand in `url`, `headers`, `body`, `argv`, `env` and `cwd`, and in the fields of a `task`";
        let pointer = self.kind.place.pointer() + &self.pointer();
        self.kind.faults.report_at(pointer, message, remedy);
    }

    /// Where the next value stands, a JSON pointer into the kind.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.open {
            match step {
                Step::Key(key) => push_pointer(&mut pointer, key.as_deref().unwrap_or_default()),
                Step::Index(index) => push_pointer(&mut pointer, &index.to_string()),
            }
        }
        pointer
    }
}
