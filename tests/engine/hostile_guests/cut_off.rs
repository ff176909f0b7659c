//! An instance on its own: what a guest may not do ends the call, and the error
//! says what it was.

use refrain::guest::{
    CallError, CallLimits, GuestFailure, Instance, Library, LibraryError, Sandbox,
};
use refrain::id::ExecutionId;
use refrain::store::StoreError;
use refrain_tests::wat_guest::{TAKE_ALL, WatGuest, World};

use super::full_disk::FullDisk;

/// Small limits, so that a guest runs into them at once.
const FUEL: u64 = 1_000_000;
const LIMITS: CallLimits = CallLimits {
    fuel: Some(FUEL),
    fuel_per_byte: 1_000,
    memory_bytes_max: 4 << 20,
};

const NOW: &str = r#"(import "refrain:scheduler/clock@0.2.0" "now" (func $now (result i64)))"#;
const LOAD_WORKFLOW: &str = r#"(import "refrain:scheduler/storage@0.2.0" "load-workflow" (func $load_workflow (param i32)))"#;
const READ_EVENTS: &str = r#"(import "refrain:scheduler/storage@0.2.0" "read-events" (func $read_events (param i64 i32 i32)))"#;
const APPEND: &str = r#"(import "refrain:scheduler/storage@0.2.0" "append-events" (func $append (param i64 i32 i32 i32)))"#;
const ORDER: &str =
    r#"(import "refrain:scheduler/queue@0.2.0" "order" (func $order (param i32 i32 i32)))"#;

#[test]
fn misbehaving_in_a_step_is_cut_off_and_named() {
    let base = WatGuest::default();
    let steps = |step| WatGuest { step, ..base };
    let table = [
        (
            "loops",
            steps("(loop $again br $again) unreachable"),
            "ran out of fuel",
        ),
        (
            "asks for ever",
            WatGuest {
                imports: NOW,
                ..steps(ASK_FOR_EVER)
            },
            "ran out of fuel",
        ),
        ("eats memory", steps(EAT_MEMORY), "ran out of memory"),
        (
            "grows its table",
            WatGuest {
                rest: "(table $t 1 funcref)",
                ..steps(GROW_TABLE)
            },
            "ran out of memory",
        ),
        (
            "recurses",
            steps(
                "(call $step (local.get $high) (local.get $low) (local.get $last)
                    (local.get $facts) (local.get $facts_length))",
            ),
            "overflowed its call stack",
        ),
        (
            "panics",
            steps("unreachable"),
            "crashed: wasm trap: wasm `unreachable` instruction executed",
        ),
        (
            "divides by zero",
            steps("(i32.div_u (i32.const 1) (i32.const 0))"),
            "crashed: wasm trap: integer divide by zero",
        ),
        (
            "reads beyond its memory",
            steps("(i32.load (i32.const -4))"),
            "crashed: wasm trap: out of bounds memory access",
        ),
        (
            "answers from beyond its memory",
            steps("(i32.const -8)"),
            "broke the contract",
        ),
        (
            "answers no known variant",
            steps("(i32.store8 (i32.const 8) (i32.const 9)) (i32.const 8)"),
            "broke the contract",
        ),
        (
            "names a node beyond its memory",
            WatGuest {
                imports: ORDER,
                ..steps(ORDER_BEYOND)
            },
            "out of bounds of memory",
        ),
        (
            "names a node by what is no text",
            WatGuest {
                imports: ORDER,
                ..steps(ORDER_NO_TEXT)
            },
            "broke the contract",
        ),
    ];
    for (name, guest, expected) in table {
        let mut instance = instance(&guest);
        let (_, answer) = instance.step(FullDisk, execution(), 100, &[]);
        let message = failure(answer).to_string();
        assert!(message.contains(expected), "a guest that {name}: {message}");

        let (_, again) = instance.step(FullDisk, execution(), 100, &[]);
        assert_eq!(
            failure(again),
            GuestFailure::Spent,
            "a guest that {name}, called again"
        );
    }
}

const ASK_FOR_EVER: &str = "(loop $again (drop (call $now)) br $again) unreachable";
const EAT_MEMORY: &str = "(loop $again (drop (memory.grow (i32.const 16))) br $again) unreachable";
const GROW_TABLE: &str = "(drop (table.grow $t (ref.null func) (i32.const 200000))) unreachable";
/// One order, `cancel`, of the node whose name begins at -1.
const ORDER_BEYOND: &str = "(i32.store8 (i32.const 64) (i32.const 1))
    (i32.store (i32.const 72) (i32.const -1)) (i32.store (i32.const 76) (i32.const 1))
    (call $order (i32.const 64) (i32.const 1) (i32.const 8)) unreachable";
/// The same, of a node whose name is the byte 255.
const ORDER_NO_TEXT: &str = "(i32.store8 (i32.const 64) (i32.const 1))
    (i32.store8 (i32.const 0) (i32.const 255)) (i32.store (i32.const 76) (i32.const 1))
    (call $order (i32.const 64) (i32.const 1) (i32.const 8)) unreachable";

#[test]
fn asking_for_more_memory_than_there_is_at_the_start_is_refused() {
    let mut library = library();
    let digest = add(
        &mut library,
        &WatGuest {
            memory_pages: 65,
            ..WatGuest::default()
        },
    );
    let error = library
        .instance::<FullDisk>(&digest)
        .expect_err("4 MiB and a page are too much");
    assert!(
        matches!(
            &error,
            LibraryError::Start {
                failure: GuestFailure::OutOfMemory { .. },
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn fuel_is_for_one_call_and_not_for_a_life() {
    let spend_most = "(local $left i32) (local.set $left (i32.const 100000))
        (loop $again (local.set $left (i32.sub (local.get $left) (i32.const 1))) (br_if $again (local.get $left)))
        (i32.const 512)";
    let mut instance = instance(&WatGuest {
        describe: spend_most,
        ..WatGuest::default()
    });
    for _ in 0..5 {
        instance.describe().expect("each call has its own fuel");
    }
}

/// What is handed over brings fuel, but only once in a call.
#[test]
fn reading_the_same_log_for_ever_ends() {
    let reader = |first: &str| {
        let step = format!(
            "(local $first i64)
            (loop $again
                (call $read_events {first} (i32.const 1) (i32.const 512))
                (local.set $first (i64.add (local.get $first) (i64.const 1)))
                br $again)
            unreachable"
        );
        let guest = WatGuest {
            imports: READ_EVENTS,
            step: &step,
            ..WatGuest::default()
        };
        match failure(instance(&guest).step(FullDisk, execution(), 100, &[]).1) {
            GuestFailure::OutOfFuel { fuel } => fuel,
            other => panic!("{other}"),
        }
    };
    let same_event = reader("(i64.const 1)");
    assert!((FUEL..2 * FUEL).contains(&same_event), "{same_event}");
    let every_event = reader("(local.get $first)");
    assert!(every_event > 5 * FUEL, "{every_event}");
}

#[test]
fn a_call_about_no_execution_opens_no_execution() {
    let nosy = WatGuest {
        imports: LOAD_WORKFLOW,
        describe: "(call $load_workflow (i32.const 512)) (i32.const 512)",
        ..WatGuest::default()
    };
    let error = failure(instance(&nosy).describe());
    assert_eq!(
        error,
        GuestFailure::OutOfPlace {
            import: "storage.load-workflow"
        }
    );
}

#[test]
fn a_port_that_fails_is_not_the_guests_fault() {
    // Whatever it makes of that: it crashes, or it says that all is well, asks
    // again, and appends.
    let crashes = "(call $load_workflow (i32.const 512)) unreachable";
    let goes_on = format!(
        "(call $load_workflow (i32.const 512)) (call $load_workflow (i32.const 512))
        (call $append (local.get $last) (i32.const 2048) (i32.const 0) (i32.const 512)) {TAKE_ALL}"
    );
    let imports = format!("{LOAD_WORKFLOW}{APPEND}");
    for (step, is_spent) in [(crashes, true), (goes_on.as_str(), false)] {
        let guest = WatGuest {
            imports: &imports,
            step,
            ..WatGuest::default()
        };
        let mut instance = instance(&guest);
        let (_, answer) = instance.step(FullDisk, execution(), 100, &[]);
        assert!(
            matches!(answer, Err(CallError::Store(StoreError::Full { .. }))),
            "{answer:?}"
        );
        assert_eq!(instance.is_spent(), is_spent);
    }
}

#[test]
fn what_is_no_guest_is_refused_with_a_remedy() {
    let base = WatGuest::default();
    let honest = base.component().expect("the base is a guest");
    let cut = honest[..honest.len() / 2].to_vec();
    let wasi = WatGuest {
        world: World::Wider(
            "package wasi:clocks@0.2.0; interface monotonic-clock { now: func() -> u64; } world hostile { include refrain:scheduler/scheduler@0.2.0; import monotonic-clock; }",
        ),
        imports: r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $wasi (result i64)))"#,
        step: "(drop (call $wasi)) unreachable",
        ..base
    };
    let adder = WatGuest {
        world: World::Other(
            "package some:other@1.0.0; world hostile { export add: func(a: u32, b: u32) -> u32; }",
        ),
        rest: r#"(func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))"#,
        ..base
    };
    let namesake = WatGuest {
        world: World::Other(
            "package refrain:scheduler@0.2.0; interface decisions { step: func() -> u32; } world hostile { export decisions; }",
        ),
        rest: r#"(func (export "refrain:scheduler/decisions@0.2.0#step") (result i32) i32.const 0)"#,
        ..base
    };
    let table = [
        ("nothing", vec![], "no WebAssembly component"),
        (
            "junk",
            b"#!/bin/sh\nrm -rf /\n".to_vec(),
            "no WebAssembly component",
        ),
        (
            "a core module",
            wat::parse_str(base.module()).expect("the base parses"),
            "wasm-tools component new",
        ),
        ("a component cut in half", cut, "cannot be loaded"),
        (
            "a component and much ballast",
            [honest, vec![0; 33 << 20]].concat(),
            "has more than 33554432 bytes",
        ),
        (
            "a component that imports WASI",
            wasi.component().expect("it is a component"),
            "imports `wasi:clocks/monotonic-clock@0.2.0`",
        ),
        (
            "a component of another world",
            adder.component().expect("it is a component"),
            "does not export `refrain:scheduler/decisions@0.2.0`",
        ),
        (
            "a component of another contract",
            namesake.component().expect("it is a component"),
            "another form of the contract",
        ),
    ];
    for (name, bytes, expected) in table {
        let mut library = library();
        let refusal = match library.add(bytes) {
            Err(error) => error.to_string(),
            Ok(digest) => library.check(&digest).expect_err(name).to_string(),
        };
        assert!(refusal.contains(expected), "{name}: {refusal}");
    }
}

#[test]
fn one_guests_failure_is_not_anothers() {
    let mut library = library();
    let bad = add(&mut library, &WatGuest::default());
    let good = add(
        &mut library,
        &WatGuest {
            describe: "(i32.const 512)",
            ..WatGuest::default()
        },
    );
    let mut bad: Instance<FullDisk> = library.instance(&bad).expect("it starts");
    let mut good: Instance<FullDisk> = library.instance(&good).expect("it starts");
    assert!(bad.describe().is_err());
    assert_eq!(
        good.describe()
            .expect("it has nothing to do with the other")
            .name,
        ""
    );
}

fn execution() -> ExecutionId {
    ExecutionId::from_bytes([7; 16])
}

fn library() -> Library {
    Library::new(Sandbox::new(LIMITS).expect("wasmtime runs here"))
}

fn add(library: &mut Library, guest: &WatGuest) -> String {
    library
        .add(guest.component().expect("it is a component"))
        .expect("it looks like one")
}

fn instance(guest: &WatGuest) -> Instance<FullDisk> {
    let mut library = library();
    let digest = add(&mut library, guest);
    library
        .instance(&digest)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn failure<T: std::fmt::Debug>(answer: Result<T, CallError>) -> GuestFailure {
    match answer {
        Err(CallError::Guest(failure)) => failure,
        other => panic!("expected the guest to fail, found {other:?}"),
    }
}
