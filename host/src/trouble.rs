//! A trouble that lasts is told at once, and then now and then: after 1, 2, 4 …
//! minutes, with how often it happened since; and once more when it is over.
//!
//! Work that fails is tried again and again, four times a second for as long as
//! it takes. Told each time, one full disk would fill the next one with its own
//! log, and hide all else that is told. One that comes and goes is the same
//! trouble for as long as it does not stay away for longer than it is silent.
//!
//! Nothing here reads a clock, and nothing is written: the caller that meets a trouble
//! says when, and writes what it is given, if it is given anything.

use std::collections::HashMap;
use std::time::Duration;

use crate::limits::{
    TROUBLE_SILENCE_FIRST, TROUBLE_SILENCE_MAX, TROUBLE_TEXT_BYTES_MAX, TROUBLE_VARIANTS_MAX,
    TROUBLES_MAX,
};
use crate::shorten::shortened;
use crate::time::rough_span;

/// The `tracing` target of records about what stands in an execution's log too: that a
/// lease has expired, that the host stalls it. A program that shows logs may leave them out.
pub const IN_THE_LOG: &str = "refrain::in_the_log";

/// One kind of trouble.
#[derive(Debug)]
pub(crate) struct Recurring {
    /// What was told of it, each different text once.
    texts: Vec<String>,
    /// When it began, happened last, and was told last.
    began: Duration,
    happened: Duration,
    told: Duration,
    /// How long not to tell of it again.
    silence: Duration,
    /// How often it has happened, and how often since it was told.
    times: u64,
    untold: u64,
    /// That it is over was the last that was told.
    over: bool,
}

impl Recurring {
    /// It happens for the first time, and is to be told.
    fn new(now: Duration, text: &str) -> Self {
        Self {
            texts: vec![text.to_owned()],
            began: now,
            happened: now,
            told: now,
            silence: TROUBLE_SILENCE_FIRST,
            times: 1,
            untold: 0,
            over: false,
        }
    }

    /// It happens again. What is to be told, if anything.
    fn again(&mut self, now: Duration, text: &str) -> Option<String> {
        if now.saturating_sub(self.happened) > self.silence {
            *self = Self::new(now, text);
            return Some(text.to_owned());
        }
        self.happened = now;
        self.times += 1;
        self.untold += 1;
        let passed = now.saturating_sub(self.told);
        if passed >= self.silence {
            let told = format!("{text} ({} times in {})", self.untold, rough_span(passed));
            self.told = now;
            self.untold = 0;
            self.silence = (self.silence * 2).min(TROUBLE_SILENCE_MAX);
            self.over = false;
            return Some(told);
        }
        let is_new = !self.texts.iter().any(|told| told == text);
        if is_new && self.texts.len() < TROUBLE_VARIANTS_MAX {
            self.texts.push(text.to_owned());
            self.over = false;
            return Some(text.to_owned());
        }
        None
    }

    /// It is over. What is to be told, if anything.
    fn over(&mut self) -> Option<String> {
        if std::mem::replace(&mut self.over, true) {
            return None;
        }
        let text = self.texts.first()?;
        let lasted = rough_span(self.happened.saturating_sub(self.began));
        Some(match self.times {
            1 => format!("this is over: {text}"),
            times => format!("this is over, after {times} times in {lasted}: {text}"),
        })
    }
}

/// Troubles of all kinds.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    now: Duration,
    kinds: HashMap<String, Recurring>,
}

impl Troubles {
    /// This is the time, by a clock that never goes back.
    pub(crate) fn at(&mut self, now: Duration) {
        self.now = now;
    }

    /// This kind of trouble happens, with this text. What is to be told, if
    /// anything.
    pub(crate) fn happens(&mut self, kind: &str, text: &str) -> Option<String> {
        // Several are kept, and what a guest orders may be repeated in them.
        let text = &*shortened(text, TROUBLE_TEXT_BYTES_MAX);
        if let Some(recurring) = self.kinds.get_mut(kind) {
            return recurring.again(self.now, text);
        }
        if self.kinds.len() >= TROUBLES_MAX {
            self.kinds.clear();
        }
        let recurring = Recurring::new(self.now, text);
        self.kinds.insert(kind.to_owned(), recurring);
        Some(text.to_owned())
    }

    /// A trouble of which each text is a kind of its own.
    pub(crate) fn says(&mut self, text: &str) -> Option<String> {
        let text = &*shortened(text, TROUBLE_TEXT_BYTES_MAX);
        self.happens(text, text)
    }

    /// This kind of trouble is over, if it was there. What is to be told, if
    /// anything.
    pub(crate) fn ends(&mut self, kind: &str) -> Option<String> {
        // Mostly there is none: this is asked after all that goes well.
        if self.kinds.is_empty() {
            return None;
        }
        self.kinds.get_mut(kind)?.over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// What is told of a trouble that happens every `every` ms for so many
    /// seconds: when, in seconds, and what.
    fn told(troubles: &mut Troubles, every: u32, seconds: u32) -> Vec<(u64, String)> {
        let begun = troubles.now;
        let mut told = Vec::new();
        for number in 0..=seconds * 1000 / every {
            let passed = MS * (number * every);
            troubles.at(begun + passed);
            let text = troubles.happens("disk", "full");
            told.extend(text.map(|text| (passed.as_secs(), text)));
        }
        told
    }

    #[test]
    fn what_lasts_is_told_at_once_and_then_less_and_less_often() {
        let mut troubles = Troubles::default();
        let lines = told(&mut troubles, 250, 24 * 3600);
        let times: Vec<u64> = lines.iter().map(|(at, _)| at / 60).collect();
        assert_eq!(times[..7], [0, 1, 3, 7, 15, 31, 63]);
        let apart = times.windows(2).skip(6).map(|pair| pair[1] - pair[0]);
        assert!(apart.into_iter().all(|minutes| minutes == 60));
        assert_eq!(lines[0].1, "full");
        assert_eq!(lines[1].1, "full (240 times in 60 s)");
        assert_eq!(lines[3].1, "full (960 times in 4 min)");
    }

    #[test]
    fn the_end_is_told_once() {
        let mut troubles = Troubles::default();
        assert_eq!(troubles.ends("disk"), None, "nothing was told");
        assert_eq!(told(&mut troubles, 1000, 30).len(), 1);
        let over = troubles.ends("disk").unwrap();
        assert_eq!(over, "this is over, after 31 times in 30 s: full");
        assert_eq!(troubles.ends("disk"), None);
        assert_eq!(troubles.ends("another"), None);
        // Long after, it is news.
        troubles.at(Duration::from_secs(3600));
        assert_eq!(troubles.happens("disk", "full").unwrap(), "full");
        assert_eq!(troubles.ends("disk").unwrap(), "this is over: full");
    }

    #[test]
    fn what_comes_and_goes_is_no_news() {
        let mut troubles = Troubles::default();
        let (mut happens, mut ends) = (0, 0);
        for second in 0..15 * 60 {
            troubles.at(Duration::from_secs(second));
            happens += u32::from(troubles.happens("disk", "full").is_some());
            ends += u32::from(troubles.ends("disk").is_some());
        }
        assert_eq!((happens, ends), (4, 4), "after 0, 1, 3 and 7 minutes");
    }

    #[test]
    fn another_text_is_told_at_once_but_not_each_of_many() {
        let mut troubles = Troubles::default();
        let told: Vec<_> = (0..100)
            .filter_map(|number| troubles.happens("turn", &format!("event {number}")))
            .collect();
        assert_eq!(told, ["event 0", "event 1", "event 2"]);
        let both: Vec<_> = (0..10)
            .flat_map(|_| [troubles.says("a"), troubles.says("b")])
            .flatten()
            .collect();
        assert_eq!(both, ["a", "b"]);
    }

    #[test]
    fn a_long_text_is_told_and_kept_in_short() {
        let mut troubles = Troubles::default();
        let told = troubles.happens("call", &"\0".repeat(1_000_000)).unwrap();
        assert!(told.contains("bytes left out") && told.len() <= TROUBLE_TEXT_BYTES_MAX);
        assert!(troubles.ends("call").unwrap().len() <= TROUBLE_TEXT_BYTES_MAX + 100);
    }

    #[test]
    fn there_is_a_bound() {
        let mut troubles = Troubles::default();
        for number in 0..=TROUBLES_MAX {
            assert!(troubles.says(&number.to_string()).is_some());
        }
        assert!(troubles.kinds.len() <= TROUBLES_MAX);
    }
}
