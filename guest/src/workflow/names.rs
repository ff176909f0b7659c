//! Where the node of an id is.
//!
//! Each event names a node, mostly more than once on its way. In the component,
//! texts are compared byte by byte, and ids of one workflow begin alike; so a
//! number is made of each id, and the numbers are searched. How a number begins says
//! where among them it is, so that mostly there is one to look at.

use alloc::vec::Vec;
use core::cmp::Ordering;

/// The places of texts in a list that is kept elsewhere.
#[derive(Debug)]
pub(super) struct NameIndex {
    /// Sorted by number. Texts with the same number stand in the order of their
    /// bytes, so that a workflow whose ids were chosen to meet in one number is
    /// searched no slower than by text.
    entries: Vec<(u64, u32)>,
    /// For each way in which a number begins, the first entry that begins so or is
    /// greater; and where the last of them end.
    begins: Vec<u32>,
    /// The bits of a number behind its beginning.
    rest_bits: u32,
}

impl NameIndex {
    /// The index of these texts, each of which is there once.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        Self::by(number, texts)
    }

    fn by<'a>(number: impl Fn(&str) -> u64, texts: impl Iterator<Item = &'a str>) -> Self {
        let mut entries: Vec<(u64, u32, &str)> = (0..)
            .zip(texts)
            .map(|(place, text)| (number(text), place, text))
            .collect();
        entries.sort_unstable_by_key(|(number, _, text)| (*number, *text));
        let entries: Vec<(u64, u32)> = entries
            .into_iter()
            .map(|(number, place, _)| (number, place))
            .collect();
        let beginnings = entries.len().next_power_of_two().max(2);
        let rest_bits = u64::BITS - beginnings.ilog2();
        let begins = (0..=beginnings as u64).map(|beginning| {
            let first = entries.partition_point(|(number, _)| number >> rest_bits < beginning);
            u32::try_from(first).unwrap_or(u32::MAX)
        });
        Self {
            begins: begins.collect(),
            entries,
            rest_bits,
        }
    }

    /// The place of this text. `text_at` is the list.
    pub(super) fn find<'a>(&self, text: &str, text_at: impl Fn(u32) -> &'a str) -> Option<u32> {
        self.find_by(number(text), text, text_at)
    }

    fn find_by<'a>(
        &self,
        wanted: u64,
        text: &str,
        text_at: impl Fn(u32) -> &'a str,
    ) -> Option<u32> {
        let beginning = (wanted >> self.rest_bits) as usize;
        let (first, end) = (self.begins[beginning], self.begins[beginning + 1]);
        let entries = &self.entries[first as usize..end as usize];
        let place = entries
            .binary_search_by(|(number, place)| match number.cmp(&wanted) {
                Ordering::Equal => compare(text_at(*place), text),
                other => other,
            })
            .ok()?;
        Some(entries[place].1)
    }
}

/// The order of two texts that are mostly the same: eight bytes are held against eight.
fn compare(one: &str, other: &str) -> Ordering {
    let (words, rest) = one.as_bytes().as_chunks::<8>();
    let (other_words, other_rest) = other.as_bytes().as_chunks::<8>();
    let is_same = one.len() == other.len()
        && words.iter().zip(other_words).all(|(a, b)| a == b)
        && rest.iter().zip(other_rest).all(|(a, b)| a == b);
    if is_same {
        return Ordering::Equal;
    }
    one.cmp(other)
}

/// A number that hangs on all bytes of a text, most of all in how it begins.
fn number(text: &str) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let rest = rest
        .iter()
        .fold(text.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
    words
        .iter()
        .fold(rest.wrapping_mul(FACTOR), |number, word| {
            (number.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;

    fn check(texts: &[String]) {
        let index = NameIndex::new(texts.iter().map(String::as_str));
        let at = |place: u32| texts[place as usize].as_str();
        for (place, text) in (0..).zip(texts) {
            assert_eq!(index.find(text, at), Some(place), "{text:?}");
            for other in [format!("{text}x"), format!("x{text}"), format!("{text}\0")] {
                let is_there = texts.iter().position(|text| *text == other);
                let found = index.find(&other, at).map(|place| place as usize);
                assert_eq!(found, is_there, "{other:?}");
            }
        }
        assert_eq!(index.find("nobody", at), None);
    }

    #[test]
    fn each_text_is_found_and_no_other() {
        check(&[]);
        check(&[String::new()]);
        check(&(0..300).map(|n| format!("n{n:05}")).collect::<Vec<_>>());
        let long = "resize the images of ";
        check(&(0..300).map(|n| format!("{long}{n}")).collect::<Vec<_>>());
        check(&(0..40).map(|n| "é".repeat(n)).collect::<Vec<_>>());
    }

    #[test]
    fn texts_that_meet_in_one_number_are_told_apart() {
        let texts = ["d", "b", "", "a", "c"];
        let index = NameIndex::by(|_| 7, texts.into_iter());
        let find = |text| index.find_by(7, text, |place| texts[place as usize]);
        for (place, text) in (0..).zip(texts) {
            assert_eq!(find(text), Some(place), "{text:?}");
        }
        for other in ["bb", "e", " "] {
            assert_eq!(find(other), None, "{other:?}");
        }
    }
}
