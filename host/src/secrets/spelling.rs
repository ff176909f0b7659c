//! How values stand in texts: in which places a number is one, and what an escape of JSON
//! spells.

use std::ops::Range;

/// How many bytes before a value can say whether it stands in a longer word.
pub(super) const BEHIND_BYTES: usize = 16;

/// Whether this is a number, or a word of JSON: other numbers and words hold such values by
/// chance.
pub(super) fn is_bare(value: &str) -> bool {
    let of_numbers = |it: u8| it.is_ascii_digit() || b"+-.eE".contains(&it);
    matches!(value, "true" | "false" | "null")
        || (value.bytes().all(of_numbers) && value.bytes().any(|it| it.is_ascii_digit()))
}

/// Whether a bare value between these two would be a part of a longer word or number.
pub(super) fn is_within(before: &[u8], after: &[u8]) -> bool {
    continues_before(before) || continues_after(after)
}

fn continues_after(after: &[u8]) -> bool {
    match after {
        [b'.', next, ..] => next.is_ascii_digit(),
        [next, ..] => next.is_ascii_alphanumeric(),
        [] => false,
    }
}

fn continues_before(before: &[u8]) -> bool {
    match before {
        [.., digit, b'.'] => digit.is_ascii_digit(),
        [.., last] => last.is_ascii_alphanumeric() && !ends_in_escape(before),
        [] => false,
    }
}

/// Whether the letters and digits at the end of this spell another sign: `\n`, `\u000a`,
/// `%20`, a colour of a terminal.
fn ends_in_escape(before: &[u8]) -> bool {
    let is_hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    let colour = || {
        let (Some(letter), Some(start)) =
            (before.last(), before.iter().rposition(|it| *it == 0x1b))
        else {
            return false;
        };
        let within = &before[start + 1..before.len() - 1];
        let parameters = within.strip_prefix(b"[");
        letter.is_ascii_alphabetic()
            && parameters.is_some_and(|it| it.iter().all(|it| it.is_ascii_digit() || *it == b';'))
    };
    match before {
        [.., b'\\', letter] => b"bfnrt".contains(letter),
        [.., b'\\', b'u', a, b, c, d] => is_hex(&[*a, *b, *c, *d]),
        [.., b'%', a, b] => is_hex(&[*a, *b]),
        _ => colour(),
    }
}

/// A text with its escapes of JSON decoded, and from where in it each byte comes.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// Where each byte begins in the text; and the end.
    starts: Vec<usize>,
}

impl Decoded {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut decoded = Self {
            bytes: Vec::with_capacity(text.len()),
            starts: Vec::with_capacity(text.len() + 1),
        };
        let mut place = 0;
        while place < text.len() {
            let (sign, length) = match escape(&text[place..]) {
                Some((sign, length)) => (sign, length),
                None => {
                    decoded.push(&text[place..=place], place);
                    place += 1;
                    continue;
                }
            };
            decoded.push(sign.encode_utf8(&mut [0; 4]).as_bytes(), place);
            place += length;
        }
        decoded.starts.push(text.len());
        decoded
    }

    fn push(&mut self, bytes: &[u8], place: usize) {
        self.bytes.extend_from_slice(bytes);
        self.starts.extend(bytes.iter().map(|_| place));
    }

    /// Where these bytes come from in the text.
    pub(super) fn origin(&self, range: Range<usize>) -> Range<usize> {
        self.starts[range.start]..self.starts[range.end]
    }
}

/// The sign that an escape at the beginning spells, and how many bytes it takes.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    let [b'\\', letter, rest @ ..] = text else {
        return None;
    };
    let sign = match letter {
        b'"' | b'\\' | b'/' => char::from(*letter),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let unit = unit(rest)?;
            let pair = || Some([unit, unit_of_escape(rest.get(4..)?)?]);
            let sign = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
            return match sign(&[unit]) {
                Some(sign) => Some((sign, 6)),
                None => Some((sign(&pair()?)?, 12)),
            };
        }
        _ => return None,
    };
    Some((sign, 2))
}

fn unit_of_escape(text: &[u8]) -> Option<u16> {
    unit(text.strip_prefix(b"\\u")?)
}

/// The four digits of a UTF-16 unit.
fn unit(text: &[u8]) -> Option<u16> {
    let digits = text.get(..4)?;
    let digit = |unit: u16, digit: &u8| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    };
    digits.iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r29_a_number_within_another_is_not_the_value() {
        for (before, after, within) in [
            ("", "", false),
            ("8", "5", true),
            ("a", "", true),
            ("pin=", "&", false),
            ("-", ".", false),
            ("x.", ". ", false),
            ("0.", "", true),
            ("", ".5", true),
            ("a\\n", "", false),
            ("\\u000a", "\\n", false),
            ("q=%20", "%20", false),
            ("\u{1b}[31;1m", "\u{1b}[0m", false),
            ("é", "é", false),
        ] {
            let found = is_within(before.as_bytes(), after.as_bytes());
            assert_eq!(found, within, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_is_decoded_knows_where_it_comes_from() {
        let text = r"a\u0062\\\ud83d\ude00\x\ud83d.";
        let decoded = Decoded::new(text.as_bytes());
        assert_eq!(
            String::from_utf8(decoded.bytes.clone()).unwrap(),
            r"ab\😀\x\ud83d."
        );
        assert_eq!(decoded.origin(1..3), 1..9);
        assert_eq!(decoded.origin(3..7), 9..21);
        let end = decoded.bytes.len();
        assert_eq!(decoded.origin(end..end), text.len()..text.len());
    }
}
