//! What stays, and when the search ends.

use refrain::replay::{DivergenceCode, MinimizeError, Recording, Verdict, minimize};
use refrain_tests::workflows::tools;
use serde_json::json;

use super::guests::{Guests, Run, chain, plays, says_nothing, worked_on};

/// What conditions read stays, and its names do not.
#[test]
fn what_a_condition_reads_is_kept_and_called_otherwise() {
    let mut guests = Guests::new();
    let mut workflow = tools("secret_first -> secret_left, secret_first -> secret_right");
    for edge in workflow["edges"].as_array_mut().expect("a list") {
        edge["condition"] = json!("state.secret_tier == 'secret-gold' && input.secret_limit > 300");
    }
    // Nothing of the shape can be left out, because the other guest fails for what it is.
    let input = json!({ "secret_limit": 5_000, "secret_name": "x" });
    let run = Run::new(&mut guests, &workflow, &input);
    let log = run
        .work(|_| json!({ "secret_tier": "secret-gold", "secret_rest": [1, 2] }))
        .log();
    let other = guests.other.clone();
    let small = guests.smaller(&log, &other);
    says_nothing(&small);
    plays(&small);
}

/// A scheduler that crashes at once needs nothing but a beginning.
#[test]
fn a_log_on_which_a_scheduler_crashes_becomes_the_least_that_it_crashes_on() {
    let mut guests = Guests::new();
    let workflow = tools("a -> b, a -> c, b -> d, c -> d");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({ "secret": 1 }))).log();
    let crashing = guests.crashing.clone();
    let small = guests.smaller(&log, &crashing);
    let code = small.audit.divergence.as_ref().map(|it| it.code);
    assert_eq!(code, Some(DivergenceCode::GuestFailed));
    assert_eq!(
        (small.after.events, small.after.nodes),
        (2, 1),
        "{:?}",
        small.table
    );
    plays(&small);
}

#[test]
fn what_cannot_be_made_smaller_is_refused() {
    let mut guests = Guests::new();
    let workflow = tools("a -> b, a -> c");
    let log = worked_on(Run::new(&mut guests, &workflow, &json!({}))).log();
    let (ours, other) = (guests.ours.clone(), guests.other.clone());
    let refused =
        |guests: &mut Guests, log: &Recording, asked: &str| match guests.minimize(log, asked) {
            Err(error) => error,
            Ok(small) => panic!("{small:?}"),
        };
    let clean = refused(&mut guests, &log, &ours);
    assert!(matches!(clean, MinimizeError::NothingWrong), "{clean:?}");
    let mut changed = log.clone();
    changed.head.hash[0] ^= 1;
    let unsound = refused(&mut guests, &changed, &other);
    assert!(matches!(unsound, MinimizeError::Unsound(_)), "{unsound:?}");
    // One that is cut is another log, which ends earlier.
    let cut = log.until(3).expect("it has three events");
    let nothing = refused(&mut guests, &cut, &other);
    assert!(
        matches!(nothing, MinimizeError::NothingWrong),
        "{nothing:?}"
    );
}

/// It is told how far the search is, and stops when it is told to.
#[test]
fn the_search_ends_when_it_is_told_to() {
    let mut guests = Guests::new();
    let log = worked_on(Run::new(
        &mut guests,
        &chain(30, "< -> left, < -> right"),
        &json!({}),
    ));
    let log = log.log();
    let other = guests.other.clone();
    let mut sizes = Vec::new();
    let small = minimize(&mut guests.library, &log, Some(&other), &mut |progress| {
        sizes.push(progress.size.events);
        progress.tried < 5
    });
    let small = small.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((small.is_complete, small.tried, sizes.len()), (false, 5, 6));
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let after = guests.audit(&small.recording, Some(&other));
    assert_eq!(after.verdict, Verdict::Divergent);
}
