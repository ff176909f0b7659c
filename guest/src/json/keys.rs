//! The keys of one object while it is read: does one stand there twice?

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// So many keys are compared one by one; only a larger object needs a set.
const FEW_MAX: usize = 8;

/// The keys so far.
#[derive(Default)]
pub(super) struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    /// All of them, once they are no longer few.
    many: BTreeSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    /// Take note of a key. False if it was there before.
    pub(super) fn insert(&mut self, key: Cow<'a, str>) -> bool {
        if self.few.len() < FEW_MAX && self.many.is_empty() {
            let is_new = !self.few.contains(&key);
            if is_new {
                self.few.push(key);
            }
            return is_new;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(key)
    }

    /// Whether there was none yet.
    pub(super) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn few_or_many_a_key_is_new_once() {
        let mut keys = Keys::default();
        assert!(keys.is_empty());
        for count in 0..3 * FEW_MAX {
            for seen in 0..count {
                assert!(
                    !keys.insert(format!("k{seen}").into()),
                    "k{seen} of {count}"
                );
            }
            assert!(keys.insert(format!("k{count}").into()), "k{count}");
            assert!(!keys.is_empty());
        }
    }
}
