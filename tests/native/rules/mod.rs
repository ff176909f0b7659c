//! The scheduling rules R1 to R29, at least one table each, on the native core.
//!
//! The notation is documented in `refrain_guest::notation`. Every table is also
//! played with the machine dropped and restored from snapshots, and its log is
//! replayed.

mod graph;
mod dispatch;
mod conditions;
mod maps;
mod children;
mod map_bodies;
mod results;
mod endings;
mod compensations;
mod forged_compensations;
mod releases;
mod failures;
mod joins;
mod budgets;
mod waits;
mod meetings;
mod laws;
mod hostile_logs;
mod failing_world;
mod shell;
mod transitions;
mod offers;
mod explained;
mod expressions;
mod forks;

use refrain_tests::notation::check;

#[test]
fn seed_schedules_in_dependency_order_and_completes() {
    check(
        r#"
        a -> b -> end
        0000 tick               => schedule a general
        0010 complete a {"x":1} => schedule b
        0020 complete b {"y":2} => completed {"x":1,"y":2}
        "#,
    );
}

#[test]
fn seed_terminal_node_failure_fails_the_workflow() {
    check(
        r#"
        a -> b -> end
        a: condition retry=no_retry
        0000 tick        => schedule a
        0010 fail a      => exhaust a boom, failed a
        0020 explain b   => pending ~"needs a, failed boom"
        "#,
    );
}
