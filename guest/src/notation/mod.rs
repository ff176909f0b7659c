//! A notation in which a test of the scheduler is a table.
//!
//! Behind the feature `proptest`, and never in the component. What the
//! [`strategies`](crate::strategies) print is written in it too.
//!
//! ```text
//! a -> b, a -> c if state.x == 1          the graph: edges, conditions
//! c: tool retry=io_default timeout=30     a node: kind, policy, timeout in seconds
//! 0000 tick              => schedule a    a turn at 0 ms, and what it decides
//! 0010 complete a {"x":1} => schedule b, schedule c
//! 0020 fail b io         => retry b @2020
//! ```
//!
//! **The graph** comes first, a line each, in any order:
//!
//! | line | meaning |
//! |---|---|
//! | `a -> b -> c, a -> d if CONDITION` | edges; the first node named is the start node; `end` is the terminal |
//! | `a -> b on failure [if CONDITION]`, `a -> b on always` | edges that are judged on a failure too |
//! | `a: KIND [WORD] [retry=NAME] [timeout=SECS] {JSON}` | a node's kind; the JSON is merged into its `kind`. A finalizer's word is its `run_on`, a wait's its `condition`, a join's its `merge_strategy` (or `count=N`, and `cancel_rest`), that of `terminate` its `status`. Fields that a kind must have and that do not matter here are filled in. `undo=KIND` or `undo={JSON}` is its `compensate`. Without a line, a node is a `condition` without branches: ordinary work |
//! | `policy NAME {JSON}` | a retry policy |
//! | `timeout SECS`, `node_timeout SECS` | the workflow's timeouts |
//! | `budget {JSON}` | the workflow's budgets: `token_budget`, `cost_budget_usd`, `on_budget_exceeded` |
//! | `limits N M` | `max_concurrent_nodes` and `max_dispatch_per_tick` of the engine (16 and 8) |
//! | `own_limits N M` | the same of the workflow |
//! | `input {JSON}`, `seed N` | the execution's input (`{}`) and seed (7) |
//!
//! **A row** is `TIME ACTION; ACTION => OUTPUT, OUTPUT`: a turn at TIME ms. Its
//! facts go into one step together, and steps without facts follow until there
//! is no more. Event 1 is implied, as the first fact of the first row.
//!
//! | action | fact |
//! |---|---|
//! | `tick` | none, time passes |
//! | `claim a [by=W]` | a worker claims |
//! | `complete a [{PATCH}] [choose=b] [output=JSON] [tokens=IN+OUT] [telemetry={JSON}]` | its result; claims first, if nobody has |
//! | `fail a [CLASS] [fatal]`, `expire a` | its failure (error `boom`), its lease expires; claims first |
//! | `release a [by=W] [times=N]` | its worker gives it back; claims first, if nobody has. N times in a row, claimed before each |
//! | `approve a [by=U] [{PATCH}]`, `reject a [by=U] [why=TEXT]` | a person decides |
//! | `signal KEY JSON` | an external event |
//! | `begin a` | the child of a node was started |
//! | `deny a unknown_workflow`, `too_deep`, `too_many` | it cannot be started |
//! | `end a {STATE}`, `end a failed [why=TEXT]`, `end a cancelled` | it has ended; it is started before, if it was not |
//! | `guest N` | the execution goes to the guest of the digest NNN… |
//! | `cancel [why=TEXT]`, `pause`, `unpause`, `retry a`, `skip a`, `stall`, `lift` | operators and host |
//! | `cut N; fork [by=W]` | the log becomes that of a fork that has N events in common with it, and goes its own way. In between may stand `complete a {PATCH} edited=W`, also of several nodes |
//!
//! `complete`, `fail`, `expire` and `release` take `attempt=N` and `fence=N`, to answer late;
//! `begin`, `deny` and `end` take `attempt=N`, `iteration=N` and `child=ID`.
//!
//! | question (no turn) | answer |
//! |---|---|
//! | `status`, `wake` | `running`; `@5000` or `never` |
//! | `explain a` | the node's state, with the reasons as detail: codes and data, remedies in brackets |
//! | `inspect /JSON/POINTER` | the value in `inspect` |
//! | `child a [/JSON/POINTER]` | the value in the input of the node's last child |
//! | `item a [/JSON/POINTER]` | the value in the payload of the node's last work item |
//!
//! **An output** is a decision, in order: `schedule a`, `retry a @NOT_BEFORE`,
//! `settle a`, `settle a -> b` (with a choice), `skip a [by_operator|run_on|not_needed]`,
//! `cancel a [by_operator|join_satisfied|terminated|budget_exceeded]`, `timeout a`, `timeout workflow`, `exhaust a`,
//! `request a`, `interrupt a`, `wait a`, `fire a`, `stall a`, `stall budget`, `completed`, `failed`,
//! `cancelled`; or `more` (the dispatch limit ended a step, another followed) or
//! `refused` (a fact was not taken; these come first). Each may be followed by its detail (an
//! error, a code with its data, a final state, a time), in full or as `~"part of it"`.
//!
//! Every table is played three times: with the machine kept, with it dropped
//! before each call, and restored from a snapshot each time. All three must
//! write the same log; and the log, replayed as law 2 has it, must answer the
//! same decisions. Facts that are offered together must be taken and refused as
//! if each were offered alone, and when there is no more, a further step must
//! come to nothing. So every table tests those laws too.
//!
//! The files, from the bottom up; each may use those above it in this list.

use alloc::string::String;

mod text;
mod codes;
mod row;
mod graph;
mod item;
mod child;
mod world;
mod facts;
mod foresee;
mod phrase;
mod replay;
mod play;

pub use child::Child;
pub use facts::facts;
pub use foresee::{Foreseen, foresee};
pub use graph::Graph;
pub use item::{Item, ItemState, item_digest, name_items};
pub(crate) use phrase::brief;
pub use play::Played;
pub(crate) use replay::goes_its_own_way;
pub use replay::replay;
pub use row::Action;
pub use world::{EXECUTION, Memory, step};

/// Play a table; panic with the row that differs.
#[track_caller]
pub fn check(table: &str) {
    if let Err(difference) = play(table) {
        panic!("{difference}");
    }
}

/// Play a table, and hand out what it came to.
///
/// # Errors
/// The row that differs, or the law that does not hold.
pub fn play(table: &str) -> Result<Played, String> {
    play::play(table)
}
