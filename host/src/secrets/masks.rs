//! Takes the values of secrets out of what workers say.
//!
//! The exact value is replaced by `***NAME***`, wherever it stands; a value that is a
//! number or a word of JSON only where it stands alone, because other numbers and words
//! hold it by chance. Where one value is a part of another, the longer one is looked for
//! first. Spellings that are known are hidden too: that of JSON, and in a URL that in
//! percent. What else a worker has made of a value (in base64, say) is not found.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::spelling::{BEHIND_BYTES, Decoded, is_bare, is_within};
use crate::json::{Json, check};
use crate::templates::first_value;

/// The secrets that an attempt was given, and what stands for each. A clone is the same.
#[derive(Clone, Default)]
pub struct Masks(Arc<[Mask]>);

struct Mask {
    value: String,
    shown: String,
    /// It is hidden only where it stands alone.
    is_bare: bool,
}

/// What is at a place of a text.
enum At<'a> {
    Value(&'a Mask),
    /// What follows the text says whether it is a value.
    Open,
    Other,
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
                shown: Self::shown(&name),
                is_bare: is_bare(&value),
                value,
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

    /// The text without the values, and without those that escapes of JSON spell in it.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_empty() || !(self.is_in(text) || text.contains('\\')) {
            return Cow::Borrowed(text);
        }
        let hidden = self.hide_all(text.as_bytes(), true);
        // Values are whole texts, and so is what is left between them.
        let hidden = String::from_utf8_lossy(&hidden);
        if hidden == text {
            return Cow::Borrowed(text);
        }
        Cow::Owned(hidden.into_owned())
    }

    /// The beginning of a longer text without the values, and without the beginning of
    /// one at its end.
    #[cfg(feature = "http")]
    pub(crate) fn hide_beginning(&self, bytes: &[u8]) -> Vec<u8> {
        self.hide_all(bytes, false)
    }

    fn hide_all(&self, bytes: &[u8], is_end: bool) -> Vec<u8> {
        let mut hidden = Vec::with_capacity(bytes.len());
        self.take(bytes, 0, is_end, &mut hidden);
        match hidden.contains(&b'\\') {
            true => self.hide_decoded(&hidden, is_end),
            false => hidden,
        }
    }

    /// The text without the values that escapes of JSON spell in it. All else is as it was.
    fn hide_decoded(&self, text: &[u8], is_end: bool) -> Vec<u8> {
        let decoded = Decoded::new(text);
        let mut hidden = Vec::with_capacity(text.len());
        let mut place = 0;
        while place < decoded.bytes.len() {
            let length = match self.at(&decoded.bytes, place, is_end) {
                At::Value(mask) => {
                    hidden.extend_from_slice(mask.shown.as_bytes());
                    place += mask.value.len();
                    continue;
                }
                At::Open => break,
                At::Other => 1,
            };
            hidden.extend_from_slice(&text[decoded.origin(place..place + length)]);
            place += length;
        }
        hidden
    }

    /// JSON without the values: in its texts, keys included, and where a number or a word
    /// is one, which becomes a text then.
    pub(crate) fn hide_json(&self, json: &Json) -> Result<Json, Unhidden> {
        if self.is_empty() {
            return Ok(json.clone());
        }
        let hidden = self.hide_values(json.as_str());
        let is_left = |mask: &Mask| !mask.is_bare && hidden.contains(&mask.value);
        if self.0.iter().any(is_left) {
            return Err(Unhidden);
        }
        // Two keys may have become the same.
        if hidden != json.as_str() && check(&hidden, hidden.len()).is_err() {
            return Err(Unhidden);
        }
        Ok(Json::trusted(hidden))
    }

    fn hide_values(&self, json: &str) -> String {
        let mut hidden = String::with_capacity(json.len());
        let mut place = 0;
        while let Some(byte) = json.as_bytes().get(place) {
            let is_scalar = matches!(byte, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
            let Some(value) = is_scalar.then(|| first_value(&json[place..])).flatten() else {
                // The signs of JSON are of one byte each.
                let end = json.ceil_char_boundary(place + 1);
                hidden.push_str(&json[place..end]);
                place = end;
                continue;
            };
            place += value.len();
            let shown = match byte {
                b'"' => match serde_json::from_str::<Cow<'_, str>>(value) {
                    Ok(text) => match self.hide(&text) {
                        Cow::Borrowed(_) => None,
                        Cow::Owned(text) => Some(text),
                    },
                    Err(_) => None,
                },
                _ => self.word(value).map(|mask| mask.shown.clone()),
            };
            match shown {
                None => hidden.push_str(value),
                Some(text) => hidden.push_str(&serde_json::Value::from(text).to_string()),
            }
        }
        hidden
    }

    /// The mask of this number or word of JSON, if it is a value as a whole.
    fn word(&self, word: &str) -> Option<&Mask> {
        self.0.iter().find(|mask| mask.value == word)
    }

    /// Append these bytes from a place on without the values, up to where it depends on
    /// what follows them; tell up to where they were taken.
    fn take(&self, bytes: &[u8], from: usize, is_end: bool, hidden: &mut Vec<u8>) -> usize {
        let mut place = from;
        while place < bytes.len() {
            match self.at(bytes, place, is_end) {
                At::Other => {
                    hidden.push(bytes[place]);
                    place += 1;
                }
                At::Value(mask) => {
                    hidden.extend_from_slice(mask.shown.as_bytes());
                    place += mask.value.len();
                }
                At::Open => break,
            }
        }
        place
    }

    /// What begins at this place.
    fn at(&self, bytes: &[u8], place: usize, is_end: bool) -> At<'_> {
        let (before, rest) = bytes.split_at(place);
        for mask in self.0.iter() {
            let value = mask.value.as_bytes();
            let Some(after) = rest.strip_prefix(value) else {
                if !is_end && value.starts_with(rest) {
                    return At::Open;
                }
                continue;
            };
            if !mask.is_bare {
                return At::Value(mask);
            }
            if !is_end && matches!(after, [] | [b'.']) {
                return At::Open;
            }
            if !is_within(before, after) {
                return At::Value(mask);
            }
        }
        At::Other
    }
}

/// Takes the values out of a stream, also where one comes in several pieces.
#[derive(Debug)]
pub(crate) struct StreamMask {
    masks: Masks,
    /// The last bytes that were said, and what may be the beginning of a value.
    held: Vec<u8>,
    /// How many of them were said.
    said: usize,
}

impl StreamMask {
    pub(crate) fn new(masks: &Masks) -> Self {
        Self {
            masks: masks.clone(),
            held: Vec::new(),
            said: 0,
        }
    }

    /// What can be said when this has come.
    pub(crate) fn next<'a>(&mut self, chunk: &'a [u8]) -> Cow<'a, [u8]> {
        if self.masks.is_empty() {
            return Cow::Borrowed(chunk);
        }
        self.held.extend_from_slice(chunk);
        let mut hidden = Vec::with_capacity(self.held.len());
        let taken = self.masks.take(&self.held, self.said, false, &mut hidden);
        self.held.drain(..taken.saturating_sub(BEHIND_BYTES));
        self.said = taken.min(BEHIND_BYTES);
        Cow::Owned(hidden)
    }

    /// The rest, when nothing more comes.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let (held, said) = (
            std::mem::take(&mut self.held),
            std::mem::take(&mut self.said),
        );
        let mut hidden = Vec::with_capacity(held.len());
        self.masks.take(&held, said, true, &mut hidden);
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

    const SAID: [(&str, &str); 9] = [
        ("nothing", "nothing"),
        ("hunter2hunter2", "***KEY******KEY***"),
        ("<hunter2-and-more>", "<***LONG***>"),
        ("hunter2-and-mor", "***KEY***-and-mor"),
        ("hunhunter2 4711", "hun***KEY*** ***PIN***"),
        ("a\"b\né.", "***ODD***."),
        ("812345 14711 4711a", "812345 14711 4711a"),
        ("4711.5 0.4711 4711.", "4711.5 0.4711 ***PIN***."),
        (
            "\\n4711 \u{1b}[1m4711 é4711",
            "\\n***PIN*** \u{1b}[1m***PIN*** é***PIN***",
        ),
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
            (
                r#"{"hunter2":-47110,"a":847115,"b":[4711,4711.5]}"#,
                r#"{"***KEY***":-47110,"a":847115,"b":["***PIN***",4711.5]}"#,
            ),
            (
                r#"{"paid":true,"a":"4711","b":"no 4711, but x4711"}"#,
                r#"{"paid":true,"a":"***PIN***","b":"no ***PIN***, but x4711"}"#,
            ),
            (
                r#"["{\"a\":\"\\u0068unter2\"}"]"#,
                r#"["{\"a\":\"***KEY***\"}"]"#,
            ),
            (
                r#"["a\"b\n\u00e9", "\u0068unter2"]"#,
                r#"["***ODD***", "***KEY***"]"#,
            ),
            (r#""é""#, r#""é""#),
        ] {
            let json = Json::from_text(json).unwrap();
            assert_eq!(masks().hide_json(&json).unwrap().as_str(), hidden);
        }
    }

    #[test]
    fn r29_a_word_of_json_is_hidden_where_it_stands_alone() {
        let masks = Masks::new(vec![("X".to_owned(), "true".to_owned())]);
        let json = Json::from_text(r#"{"true":[true,false,"untrue, true"]}"#).unwrap();
        assert_eq!(
            masks.hide_json(&json).unwrap().as_str(),
            r#"{"***X***":["***X***",false,"untrue, ***X***"]}"#
        );
    }

    #[test]
    fn r29_what_cannot_be_hidden_is_refused() {
        let masks = Masks::new(vec![("X".to_owned(), r#""a":1"#.to_owned())]);
        for json in [r#"{"a":1}"#, r#"{"\"a\":1":1,"***X***":2}"#] {
            let json = Json::from_text(json).unwrap();
            assert_eq!(masks.hide_json(&json), Err(Unhidden));
        }
    }

    #[cfg(feature = "http")]
    #[test]
    fn r29_the_beginning_of_a_value_is_left_out_where_a_text_is_cut() {
        let hidden = masks().hide_beginning(b"hunter2 or hunter");
        assert_eq!(hidden, b"***KEY*** or ");
        let hidden = masks().hide_beginning(br#"{"a":"\u0068unter2-and","b":"h\u0075nter"#);
        assert_eq!(hidden, br#"{"a":"***KEY***-and","b":""#);
    }

    #[test]
    fn nothing_shows_the_values() {
        assert!(!format!("{:?}", masks()).contains("hunter2"));
    }
}
