//! Takes the values of secrets out of what workers say.
//!
//! The exact value is replaced by `***NAME***`, wherever it stands. Where one value is a
//! part of another, the longer one is looked for first. Spellings that are known are hidden
//! too: that of JSON, and in a URL that in percent. What else a worker has made of a value
//! (in base64, say) is not found.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::json::Json;
use crate::templates::first_value;

/// The secrets that an attempt was given, and what stands for each. A clone is the same.
#[derive(Clone, Default)]
pub struct Masks(Arc<[Mask]>);

struct Mask {
    value: String,
    shown: String,
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|mask| &mask.shown);
        f.debug_list().entries(shown).finish()
    }
}

/// A value stands in JSON where nothing can stand for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unhidden;

impl Masks {
    /// What stands for the secret of this name.
    pub(super) fn shown(name: &str) -> String {
        format!("***{name}***")
    }

    /// Of these values, each with the name of its secret. None is empty.
    pub(super) fn new(values: Vec<(String, String)>) -> Self {
        let mut masks: Vec<Mask> = values
            .into_iter()
            .map(|(name, value)| Mask {
                value,
                shown: Self::shown(&name),
            })
            .collect();
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.value.len()));
        Self(masks.into())
    }

    /// Whether there is nothing to hide.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|mask| text.contains(&mask.value))
    }

    /// The text without the values.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.is_in(text) {
            return Cow::Borrowed(text);
        }
        let mut hidden = Vec::with_capacity(text.len());
        self.take(text.as_bytes(), true, &mut hidden);
        // Values are whole texts, and so is what is left between them.
        Cow::Owned(String::from_utf8_lossy(&hidden).into_owned())
    }

    /// The beginning of a longer text without the values, and without the beginning of
    /// one at its end.
    #[cfg(feature = "http")]
    pub(crate) fn hide_beginning(&self, bytes: &[u8]) -> Vec<u8> {
        let mut hidden = Vec::with_capacity(bytes.len());
        self.take(bytes, false, &mut hidden);
        hidden
    }

    /// JSON without the values in its texts, keys included, and in its numbers, which
    /// become texts then.
    pub(crate) fn hide_json(&self, json: &Json) -> Result<Json, Unhidden> {
        if self.is_empty() {
            return Ok(json.clone());
        }
        let hidden = self.hide_values(json.as_str());
        match self.is_in(&hidden) {
            true => Err(Unhidden),
            false => Ok(Json::trusted(hidden)),
        }
    }

    fn hide_values(&self, json: &str) -> String {
        let mut hidden = String::with_capacity(json.len());
        let mut place = 0;
        while let Some(byte) = json.as_bytes().get(place) {
            let is_scalar = matches!(byte, b'"' | b'-' | b'0'..=b'9');
            let Some(value) = is_scalar.then(|| first_value(&json[place..])).flatten() else {
                // The signs of JSON are of one byte each.
                let end = json.ceil_char_boundary(place + 1);
                hidden.push_str(&json[place..end]);
                place = end;
                continue;
            };
            place += value.len();
            let text = match byte {
                b'"' => serde_json::from_str(value).map_or(Cow::Borrowed(value), Cow::Owned),
                _ => Cow::Borrowed(value),
            };
            match self.hide(&text) {
                Cow::Borrowed(_) => hidden.push_str(value),
                Cow::Owned(text) => {
                    hidden.push_str(&serde_json::Value::from(text).to_string());
                }
            }
        }
        hidden
    }

    /// Append these bytes without the values, up to where it depends on what follows
    /// them; tell how many were taken.
    fn take(&self, bytes: &[u8], is_end: bool, hidden: &mut Vec<u8>) -> usize {
        let mut place = 0;
        while place < bytes.len() {
            let rest = &bytes[place..];
            let found = self.0.iter().find(|mask| {
                let value = mask.value.as_bytes();
                rest.starts_with(value) || (!is_end && value.starts_with(rest))
            });
            match found {
                None => {
                    hidden.push(bytes[place]);
                    place += 1;
                }
                Some(mask) if rest.starts_with(mask.value.as_bytes()) => {
                    hidden.extend_from_slice(mask.shown.as_bytes());
                    place += mask.value.len();
                }
                // It may be a value, or not.
                Some(_) => break,
            }
        }
        place
    }
}

/// Takes the values out of a stream, also where one comes in several pieces.
#[derive(Debug)]
pub(crate) struct StreamMask {
    masks: Masks,
    /// What may be the beginning of a value.
    held: Vec<u8>,
}

impl StreamMask {
    pub(crate) fn new(masks: &Masks) -> Self {
        Self {
            masks: masks.clone(),
            held: Vec::new(),
        }
    }

    /// What can be said when this has come.
    pub(crate) fn next<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        if self.masks.is_empty() {
            return Cow::Borrowed(chunk);
        }
        self.held.extend_from_slice(chunk);
        let mut hidden = Vec::with_capacity(self.held.len());
        let taken = self.masks.take(&self.held, false, &mut hidden);
        self.held.drain(..taken);
        Cow::Owned(hidden)
    }

    /// The rest, when nothing more comes.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut hidden = Vec::with_capacity(held.len());
        self.masks.take(&held, true, &mut hidden);
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Masks {
        let values = [
            ("LONG", "hunter2-and-more"),
            ("KEY", "hunter2"),
            ("PIN", "4711"),
            ("ODD", "a\"b\né"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Masks::new(values.into())
    }

    const SAID: [(&str, &str); 6] = [
        ("nothing", "nothing"),
        ("hunter2hunter2", "***KEY******KEY***"),
        ("<hunter2-and-more>", "<***LONG***>"),
        ("hunter2-and-mor", "***KEY***-and-mor"),
        ("hunhunter2 4711", "hun***KEY*** ***PIN***"),
        ("a\"b\né.", "***ODD***."),
    ];

    #[test]
    fn r29_the_longest_value_is_hidden_first() {
        for (said, hidden) in SAID {
            assert_eq!(masks().hide(said), hidden);
        }
    }

    /// However it is cut, and cut again.
    #[test]
    fn r29_a_value_is_hidden_that_comes_in_pieces() {
        for (said, hidden) in SAID {
            for first in 0..=said.len() {
                for second in first..=said.len() {
                    let mut stream = StreamMask::new(&masks());
                    let (said, mut told) = (said.as_bytes(), Vec::new());
                    for piece in [&said[..first], &said[first..second], &said[second..]] {
                        told.extend_from_slice(&stream.next(piece));
                    }
                    told.extend(stream.end());
                    assert_eq!(String::from_utf8_lossy(&told), hidden, "{first} {second}");
                }
            }
        }
    }

    #[test]
    fn r29_json_stays_json() {
        for (json, hidden) in [
            (
                r#"{"a": ["x hunter2"], "n": 1.50}"#,
                r#"{"a": ["x ***KEY***"], "n": 1.50}"#,
            ),
            (r#"{"hunter2":-47110}"#, r#"{"***KEY***":"-***PIN***0"}"#),
            (
                r#"["a\"b\n\u00e9", "\u0068unter2"]"#,
                r#"["***ODD***", "***KEY***"]"#,
            ),
            (r#""é""#, r#""é""#),
        ] {
            let json = Json::from_text(json).unwrap();
            assert_eq!(masks().hide_json(&json).unwrap().as_str(), hidden);
        }
        let masks = Masks::new(vec![("X".to_owned(), "true".to_owned())]);
        assert_eq!(
            masks.hide_json(&Json::from_text("[true]").unwrap()),
            Err(Unhidden)
        );
    }

    #[cfg(feature = "http")]
    #[test]
    fn r29_the_beginning_of_a_value_is_left_out_where_a_text_is_cut() {
        let hidden = masks().hide_beginning(b"hunter2 or hunter");
        assert_eq!(hidden, b"***KEY*** or ");
    }

    #[test]
    fn nothing_shows_the_values() {
        assert!(!format!("{:?}", masks()).contains("hunter2"));
    }
}
