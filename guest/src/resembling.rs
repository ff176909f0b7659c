//! What a mistyped name was to be.

use alloc::vec::Vec;

/// The known name that this one looks like, if it is none of them itself.
pub(crate) fn resembling<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let plain = squeezed(name);
    let mut known: Vec<(usize, &str)> = known
        .into_iter()
        .map(|candidate| (distance(&plain, &squeezed(candidate)), candidate))
        .collect();
    known.sort_unstable();
    let (distance, nearest) = *known.first()?;
    let length = squeezed(nearest).len();
    let near = distance == 0 || (length > 3 && distance == 1) || (length > 6 && distance == 2);
    near.then_some(nearest)
}

/// `retryPolicy`, `retry-policy` and `retry_policy` are one word.
fn squeezed(name: &str) -> Vec<char> {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many characters to insert, remove or replace. Names that are far apart
/// in length are not compared: known names are short, others may be long.
fn distance(a: &[char], b: &[char]) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The known name of which this one is a beginning, or that is a beginning of it:
/// `maximum` was to be `max`.
pub(crate) fn of_one_beginning<'k>(
    name: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    /// So many characters at least are a word by themselves.
    const BEGINNING_MIN: usize = 3;
    let begin = |known: &&str| {
        let shorter = name.len().min(known.len());
        shorter >= BEGINNING_MIN && (known.starts_with(name) || name.starts_with(known))
    };
    let mut found = known.into_iter().filter(begin);
    // Of several nobody knows which was meant.
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_found() {
        let known = ["retry_policy", "node_timeout_secs", "id", "kind", "labels"];
        #[rustfmt::skip]
        let rows = [
            ("retryPolicy",       Some("retry_policy")),
            ("retry_polcy",       Some("retry_policy")),
            ("retires_policy",    None),
            ("node_timeout",      None),
            ("node_timeout_sec",  Some("node_timeout_secs")),
            ("kid",               None),
            ("Kind",              Some("kind")),
            ("label",             Some("labels")),
            ("ix",                None),
            ("notes",             None),
        ];
        for (name, expected) in rows {
            assert_eq!(resembling(name, known), expected, "{name}");
        }
    }

    #[test]
    fn words_with_another_ending_are_found() {
        let known = ["while", "max", "on_max", "node_timeout", "node_label"];
        #[rustfmt::skip]
        let rows = [
            ("maximum",           Some("max")),
            ("node_timeout_secs", Some("node_timeout")),
            ("whi",               Some("while")),
            ("node",              None),
            ("wh",                None),
            ("most",              None),
        ];
        for (name, expected) in rows {
            assert_eq!(of_one_beginning(name, known), expected, "{name}");
        }
    }
}
