//! A text of YAML or JSON as a tree that knows its places.
//!
//! What is read is JSON's values and nothing else: anchors, tags and merge keys are
//! refused, and so is a key that stands twice. The tree is no deeper than
//! [`JSON_DEPTH_MAX`] and has no more parts than the text has bytes, so walks over it may
//! call themselves.

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span};

use super::place::{Faults, Place};
use super::scalar::resolved;
use super::value::{Member, Node, Value};
use crate::limits::JSON_DEPTH_MAX;

/// The tree of a text. `None`, and faults, if it is not what is read here.
pub(in crate::testing) fn parse(text: &str, faults: &mut Faults<'_>) -> Option<Node> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        // Each of them alone; both together are bounded below.
        flow_nesting_limit: JSON_DEPTH_MAX,
        block_nesting_limit: JSON_DEPTH_MAX,
    };
    let mut building = Building::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let taken = match event {
            Ok((event, span)) => building.take(event, span),
            Err(error) => Err(unreadable(text, &error)),
        };
        if let Err(Wrong {
            at,
            message,
            remedy,
        }) = taken
        {
            faults.report(at, message, remedy);
            return None;
        }
    }
    for Wrong {
        at,
        message,
        remedy,
    } in building.wrong
    {
        faults.report(at, message, remedy);
    }
    if building.root.is_none() {
        faults.report(
            Place::START,
            "there is nothing in it",
            "write what it is to say",
        );
    }
    building.root.filter(|_| faults.are_none())
}

/// What the parser says.
fn unreadable(text: &str, error: &granit_parser::ScanError) -> Wrong {
    let at = place_of(error.marker());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(at);
    }
    let line = text.lines().nth(at.line.saturating_sub(1));
    let remedy = match line.is_some_and(has_bare_expression) {
        true => "put the text with `${` in double quotes: without them, `{` begins a mapping",
        false => "correct it there; what stands before it may be what is wrong",
    };
    wrong(at, format!("this cannot be read: {}", error.kind()), remedy)
}

/// Whether a `${` of this line stands in no quotes, as far as the line tells.
fn has_bare_expression(line: &str) -> bool {
    line.match_indices("${").any(|(place, _)| {
        let before = &line[..place];
        ['"', '\'']
            .iter()
            .all(|it| before.matches(*it).count() % 2 == 0)
    })
}

fn too_deep(at: Place) -> Wrong {
    let message = format!("this is nested deeper than {JSON_DEPTH_MAX} levels");
    wrong(at, message, "flatten it")
}

struct Wrong {
    at: Place,
    message: String,
    remedy: String,
}

/// A tree that is being built.
#[derive(Default)]
struct Building {
    /// What is open, the outermost first.
    open: Vec<Open>,
    root: Option<Node>,
    /// What is wrong and does not keep the rest from being read.
    wrong: Vec<Wrong>,
    documents: usize,
}

/// A list or a mapping that is not closed yet.
struct Open {
    at: Place,
    parts: Parts,
}

enum Parts {
    List(Vec<Node>),
    Map {
        members: Vec<Member>,
        seen: std::collections::HashMap<String, usize>,
        /// The key whose value comes next.
        key: Option<(Place, String)>,
    },
}

impl Building {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Wrong> {
        let at = place_of(&span.start);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(wrong(
                        at,
                        "a second document begins here",
                        "write one file for each",
                    ));
                }
            }
            Event::Scalar(word, style, anchor, tag) => {
                refuse(at, anchor, tag.is_some())?;
                self.scalar(at, &word, style)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse(at, anchor, tag.is_some())?;
                self.open(at, Parts::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse(at, anchor, tag.is_some())?;
                self.open(
                    at,
                    Parts::Map {
                        members: Vec::new(),
                        seen: std::collections::HashMap::new(),
                        key: None,
                    },
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close()?,
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let remedy =
                    "write the value itself; a text that begins with `*` needs quotation marks";
                return Err(wrong(at, "aliases are not read here", remedy));
            }
            _ => {}
        }
        Ok(())
    }

    fn scalar(&mut self, at: Place, word: &str, style: ScalarStyle) -> Result<(), Wrong> {
        if self.expects_key() {
            return self.key(at, word, style);
        }
        let value = if matches!(style, ScalarStyle::Plain) {
            resolved(word).unwrap_or_else(|ambiguous| {
                self.wrong.push(Wrong {
                    at,
                    message: ambiguous.message,
                    remedy: ambiguous.remedy,
                });
                Value::Null
            })
        } else {
            Value::Text(word.to_owned())
        };
        self.put(Node { at, value })
    }

    /// Keys are texts as they are spelled: `1` is the key "1".
    fn key(&mut self, at: Place, word: &str, style: ScalarStyle) -> Result<(), Wrong> {
        if word == "<<" && matches!(style, ScalarStyle::Plain) {
            return Err(wrong(
                at,
                "merge keys are not read here",
                "write the members themselves",
            ));
        }
        let Some(Open {
            parts: Parts::Map {
                members, seen, key, ..
            },
            ..
        }) = self.open.last_mut()
        else {
            return Err(wrong(at, "a key stands outside of a mapping", "correct it"));
        };
        if let Some(first) = seen.get(word) {
            let first = members[*first].at.line;
            self.wrong.push(Wrong {
                at,
                message: format!("the key `{word}` stands twice; first in line {first}"),
                remedy: "remove one, or give it another name".to_owned(),
            });
        }
        seen.entry(word.to_owned()).or_insert(members.len());
        *key = Some((at, word.to_owned()));
        Ok(())
    }

    fn expects_key(&self) -> bool {
        let open = self.open.last().map(|open| &open.parts);
        matches!(open, Some(Parts::Map { key: None, .. }))
    }

    fn open(&mut self, at: Place, parts: Parts) -> Result<(), Wrong> {
        if self.expects_key() {
            let remedy = "a key is a text; quotation marks make one of anything";
            return Err(wrong(
                at,
                "a list or a mapping stands in the place of a key",
                remedy,
            ));
        }
        if self.open.len() == JSON_DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.open.push(Open { at, parts });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Wrong> {
        let Some(Open { at, parts }) = self.open.pop() else {
            return Err(wrong(Place::START, "an end has no beginning", "correct it"));
        };
        let value = match parts {
            Parts::List(nodes) => Value::List(nodes),
            Parts::Map { members, .. } => Value::Map(members),
        };
        self.put(Node { at, value })
    }

    fn put(&mut self, node: Node) -> Result<(), Wrong> {
        match self.open.last_mut().map(|open| &mut open.parts) {
            None => self.root = Some(node),
            Some(Parts::List(nodes)) => nodes.push(node),
            Some(Parts::Map { members, key, .. }) => {
                let Some((at, key)) = key.take() else {
                    return Err(wrong(node.at, "a value has no key", "correct it"));
                };
                members.push(Member { at, key, node });
            }
        }
        Ok(())
    }
}

fn wrong(at: Place, message: impl Into<String>, remedy: &str) -> Wrong {
    Wrong {
        at,
        message: message.into(),
        remedy: remedy.to_owned(),
    }
}

fn refuse(at: Place, anchor: usize, tag: bool) -> Result<(), Wrong> {
    if anchor != 0 {
        let remedy =
            "write the value where it is needed; a text that begins with `&` needs quotation marks";
        return Err(wrong(at, "anchors are not read here", remedy));
    }
    if tag {
        let remedy = "remove it; a text that begins with `!` needs quotation marks";
        return Err(wrong(at, "tags are not read here", remedy));
    }
    Ok(())
}

fn place_of(marker: &granit_parser::Marker) -> Place {
    Place {
        line: marker.line().max(1),
        column: marker.col() + 1,
    }
}

#[cfg(test)]
mod tests;
