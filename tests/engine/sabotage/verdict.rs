//! What is made of what was found.

use refrain_tests::checkers::{Law, Violation};

use crate::sabotage::world::Outcome;

/// Why the law has not found it as it should: it finds it and says so, and
/// where it is not about the bytes, not because the chain is broken.
pub(crate) fn missed(name: &str, outcome: &Outcome, law: Law, says: &str) -> Option<String> {
    let of_law = |violation: &&Violation| violation.law == law;
    let about_bytes = [Law::Gapless, Law::Chained].contains(&law);
    let chain_broken = |violation: &Violation| {
        violation.law == Law::Chained && !violation.message.contains("binds")
    };
    let mut found = outcome.found.iter();
    let why = if !outcome.done {
        "it never did what is wrong with it".to_owned()
    } else if !found.clone().any(|violation| of_law(&violation)) {
        format!("{law} finds nothing")
    } else if !found
        .clone()
        .filter(of_law)
        .any(|violation| violation.message.contains(says))
    {
        format!("nothing says {says:?}")
    } else if !about_bytes && found.any(chain_broken) {
        "it is found by its broken chain".to_owned()
    } else {
        return None;
    };
    Some(format!("{why}: {}", described(name, outcome)))
}

/// All that was found, in lines.
pub(crate) fn described(name: &str, outcome: &Outcome) -> String {
    let when = if outcome.at_once {
        "at once"
    } else {
        "at the end"
    };
    let all: String = outcome
        .found
        .iter()
        .map(|violation| format!("\n    {violation}"))
        .collect();
    let silence = outcome
        .silence
        .as_ref()
        .map(|why| format!("\n    its callers: {why}"));
    format!(
        "a host that {name}, {when}:{all}{}",
        silence.unwrap_or_default()
    )
}
