//! What was perhaps meant by a name that is not known.

/// Characters of a name that is compared; longer ones resemble nothing.
const CHARS_MAX: usize = 64;

/// Known names that one is compared with.
const COMPARED_MAX: usize = 1_000;

/// The known name that this one looks like. `None` if it looks like none of them.
#[must_use]
pub fn resembling<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = squeezed(name);
    if plain.len() > CHARS_MAX {
        return None;
    }
    let near = known
        .into_iter()
        .take(COMPARED_MAX)
        .filter_map(|candidate| {
            let distance = distance(&plain, &squeezed(candidate));
            let length = candidate.chars().count();
            let is_near =
                distance == 0 || (length > 2 && distance == 1) || (length > 5 && distance == 2);
            is_near.then_some((distance, candidate))
        });
    near.min().map(|(_, candidate)| candidate)
}

/// The remedy for a name that is not known: what was perhaps meant, else all that there
/// are, at most twenty of them.
pub(crate) fn meant<'k>(
    name: &str,
    what: &str,
    known: impl IntoIterator<Item = &'k str> + Clone,
) -> String {
    const NAMED_MAX: usize = 20;
    if let Some(meant) = resembling(name, known.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let names: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => format!("there are no {what}: remove it"),
        1..=NAMED_MAX => format!("the {what} are {}", names.join(", ")),
        many => format!(
            "the {what} are {} and {} more",
            names[..NAMED_MAX].join(", "),
            many - NAMED_MAX
        ),
    }
}

/// `atLeast`, `at-least` and `at_least` are one word.
fn squeezed(name: &str) -> Vec<char> {
    let letters = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// How many characters to insert, remove, replace, or exchange with their neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let above = &rows[i];
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(x != y);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_right_is_told_of() {
        let known = ["at_least", "status", "path", "by"];
        for (name, expected) in [
            ("atLeast", Some("at_least")),
            ("staus", Some("status")),
            ("statsu", Some("status")),
            ("ptah", Some("path")),
            ("htap", None),
            ("pat", Some("path")),
            ("be", None),
            ("", None),
        ] {
            assert_eq!(resembling(name, known), expected, "{name}");
        }
        let long = "x".repeat(100_000);
        assert_eq!(resembling(&long, known), None);
    }
}
