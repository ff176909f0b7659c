//! Logs that are written as tables of the notation.

use anyhow::{Error, Result};
use refrain::ExecutionId;
use refrain::guest::Library;

use super::super::source::Source;
use super::written;
use crate::notation::play;

/// The name of a log, what it shows, and its table.
const TABLES: [(&str, &str, &str); 8] = [
    (
        "forked_with_edits",
        "a fork that goes its own way with other results of two nodes",
        r#"
        a -> b, a -> c, b -> d, c -> d
        0000 tick => schedule a
        0010 complete a {"x":1} => schedule b, schedule c
        0015 claim b; claim c
        0020 complete b {"b":1}; complete c {"c":1} => schedule d
        0030 complete d => completed
        0040 cut 8; complete b {"b":2} edited=ada; complete c {"c":2} edited=ada; fork by=ada => schedule d
        0050 complete d {"d":1} => completed
        "#,
    ),
    (
        "children_told",
        "children that are begun, denied, ended, cancelled; one that is repeated",
        r#"
        s -> a, s -> b, s -> c
        s: parallel
        a: subgraph {"workflow_id":"other","version":"1.0.0","repeat":{"while":"last.n<2","max":3},"input_mapping":{"n":"iteration"}}
        b: subgraph {"workflow_id":"none","version":"1.0.0"}
        c: subgraph {"workflow_id":"other","version":"1.0.0"} timeout=5
        00000 tick => settle s {}, request a "1/0", request b "1/0", request c "1/0"
        00010 begin a; deny b unknown_workflow => exhaust b "child_refused ChildRefusal::UnknownWorkflow"
        00020 end a {"n":1} => request a "1/1"
        00030 end a {"n":2}
        06000 tick => timeout c
        "#,
    ),
    (
        "undone_in_turn",
        "a map and a child that are undone, with a retry and an operator in between",
        r#"
        a -> m -> c -> h on failure
        policy two {"max_attempts":2,"backoff":"fixed","initial_delay":1,"max_delay":1,"on_exhausted":"pause"}
        input {"items":["x","y"]}
        a: subgraph undo={"type":"command","argv":["undo","${output.n}"]} timeout=50
        m: map undo={"type":"task","queue":"q","of":"${item}"} retry=two timeout=5
        c: tool retry=no_retry
        h: tool retry=no_retry
        00000 tick                => request a 1/0
        00010 end a {"n":1}       => expand m 2, schedule m[0], schedule m[1]
        00020 complete m[1] output=1
        00030 complete m[0] {"x":1} output=2 => settle m, schedule c
        00040 fail c              => exhaust c, schedule h
        00050 fail h              => exhaust h, schedule m[0]!undo
        00070 claim m[0]!undo
        05070 tick                => timeout m[0]!undo, retry m[0]!undo @6070
        06070 expire m[0]!undo => exhaust m[0]!undo "lease_expired", schedule m[1]!undo "q"
        06080 skip m[0]!undo => skip m[0]!undo by_operator
        06090 complete m[1]!undo => schedule a!undo "command"
        06100 complete a!undo {"y":1} => failed "h"
        "#,
    ),
    (
        "signals_early_and_late",
        "external events that come before they are waited for",
        r#"
        a -> w -> b
        w: wait external_event {"correlation_key":"paid","timeout_secs":5}
        0000 signal other {"n":1} => schedule a
        0010 signal paid {"n":2}
        0020 complete a {"a":1} => settle w {"n":2}, schedule b "general"
        0030 complete b => completed
        "#,
    ),
    (
        "late_for_the_event",
        "an event that does not come in time",
        r#"
        a -> w -> b
        w: wait external_event {"correlation_key":"paid","timeout_secs":5}
        0000 tick => schedule a
        0010 complete a => wait w @5010
        0020 signal unpaid {"n":2}
        5010 tick => exhaust w "event_timeout paid 5000", failed "w"
        "#,
    ),
    (
        "a_loop_of_retries",
        "attempts that fail in each way, with back-off, until they are spent",
        r#"
        a -> b
        policy p {"max_attempts":5,"backoff":"exponential","initial_delay":1,"max_delay":4}
        a: tool retry=p timeout=3
        00000 tick => schedule a "tool"
        00010 fail a io => retry a @1010
        01010 expire a => retry a @5010
        05010 claim a
        08010 tick => timeout a, retry a @12010
        12010 release a
        12020 fail a => retry a @16020
        16020 fail a fatal => exhaust a "boom", failed "a"
        "#,
    ),
    (
        "paused_and_cancelled",
        "a pause, work that goes on meanwhile, and a cancel request while paused",
        r#"
        s -> a, s -> b, a -> c, b -> c
        s: parallel
        f: finalizer always
        0000 tick => settle s {}, schedule a "general", schedule b "general"
        0010 claim a
        0020 pause
        0030 complete a {"a":1}
        0040 cancel why=enough => cancel b
        0050 unpause => schedule f "tool"
        0060 complete f => cancelled "enough"
        "#,
    ),
    (
        "few_at_once",
        "more nodes than one step may order: batches that follow one another at one time",
        r#"
        s -> a, s -> b, s -> c, s -> d, s -> e, s -> f, s -> g
        s: parallel
        limits 7 2
        0000 tick => settle s {}, schedule a "general", schedule b "general", more, schedule c "general", schedule d "general", more, schedule e "general", schedule f "general", more, schedule g "general"
        0010 complete a; complete b; complete c
        0020 complete d; complete e; complete f; complete g => completed {}
        "#,
    ),
];

pub(super) fn all(library: &Library) -> Result<Vec<Source>> {
    let guest = library.built_in().parse()?;
    let tables = (0x71_u8..).zip(TABLES);
    let played = tables.map(|(number, (name, shows, table))| {
        let played = play(table).map_err(|said| Error::msg(format!("{name}: {said}")))?;
        let id = ExecutionId::from_bytes([number; 16]);
        let world = &played.world;
        let log = written::native((id, guest), &world.workflow, &world.events)?;
        Source::new(name, shows, &log)
    });
    played.collect()
}
