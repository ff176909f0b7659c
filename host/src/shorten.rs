//! Long texts of workers and guests, made short enough to be kept and shown.
//!
//! A failure is a fact, however much there is to say of it: what does not fit
//! is left out and counted, and the failure stands.

use std::borrow::Cow;

/// The text, if it has at most `bytes_max` bytes; otherwise as much of its
/// beginning as fits together with the mark `… (N bytes left out)`. The same
/// text is always shortened alike, so that a repeated answer is recognised.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    // As many digits as the number of bytes that are left out can have.
    let mark_bytes_max = mark(text.len()).len();
    let kept = text.floor_char_boundary(bytes_max.saturating_sub(mark_bytes_max));
    let left_out = text.len() - kept;
    Cow::Owned(format!("{}{}", &text[..kept], mark(left_out)))
}

fn mark(left_out: usize) -> String {
    format!("… ({left_out} bytes left out)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        for text in ["", "short", &"x".repeat(100), &"ä".repeat(50)] {
            assert!(matches!(shortened(text, 100), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_between_characters_and_counted() {
        for letter in ["x", "ä", "€", "🦀"] {
            for count in [40, 41, 42, 101, 1000] {
                let text = letter.repeat(count);
                if text.len() <= 100 {
                    continue;
                }
                let short = shortened(&text, 100);
                assert!(short.len() <= 100, "{short}");
                let (kept, mark) = short.split_once('…').expect("it is marked");
                assert!(text.starts_with(kept), "{short}");
                let left_out = text.len() - kept.len();
                assert_eq!(mark, format!(" ({left_out} bytes left out)"));
            }
        }
    }
}
