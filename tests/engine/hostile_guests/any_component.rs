//! Nothing that a file can hold makes the door for components panic: components
//! with bytes changed, components that are composed of others in many ways, and
//! what wasm-smith makes of chance. For longer than this, `tests/fuzz/components`.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use refrain_tests::component::workspace;
use refrain_tests::dice::Dice;
use refrain_tests::fuzzing::{component, generated};
use refrain_tests::wat_guest::{WatGuest, assembled};
use refrain_tests::{cases, runner};

/// Small components, each of another kind.
fn seeds() -> Vec<Vec<u8>> {
    let hostile = fs::read_dir(workspace().join("tests/guests/hostile")).expect("the guests");
    let mut paths: Vec<_> = hostile.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wat"));
    paths.sort();
    let honest = WatGuest::default().component().expect("a component");
    let hostile = paths
        .iter()
        .map(|path| assembled(path).expect("a component"));
    let composed = Composed {
        passes: PASSES[1],
        from: "utf8",
        to: "utf16",
        depth: 2,
        memories: 2,
    };
    hostile.chain([honest, composed.component()]).collect()
}

#[test]
fn whatever_becomes_of_a_component() {
    let changes = vec((any::<Index>(), any::<u8>()), 0..4);
    let mut guests = 0;
    let outcome = runner(1500).run(&(select(seeds()), changes), |(mut bytes, changes)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        component::check(&bytes);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    for seed in seeds() {
        guests += usize::from(component::check(&seed));
    }
    assert!(guests >= 10, "only {guests} of the seeds are guests");
}

/// Each is refused with a sentence, or is a guest that begins or says why not.
#[test]
fn whatever_is_generated_is_a_guest_or_is_refused_in_words() {
    let guest = WatGuest::default().component().expect("a component");
    let mut dice = Dice::seeded(1);
    let (mut guests, mut refused) = (0, 0);
    for _ in 0..cases(400) {
        let data: Vec<u8> = (0..256).flat_map(|_| dice.word().to_le_bytes()).collect();
        let made = generated::component(&guest, &data).expect("there are bytes enough");
        // What wasm-smith makes is valid, where a sandbox has all proposals.
        match component::check(&made) {
            true => guests += 1,
            false => refused += 1,
        }
    }
    println!("{guests} guests, {refused} refused");
    assert!(guests >= 40, "only {guests} are guests");
    assert!(refused >= 40, "only {refused} are refused");
}

/// Most changes are found when it is read; what is not is compiled, and takes
/// a while.
#[test]
fn whatever_becomes_of_the_committed_component() {
    let path = workspace().join("host/component/refrain-scheduler.wasm");
    let committed = fs::read(path).expect("the component");
    let mut dice = Dice::seeded(2);
    let mut guests = 0;
    for _ in 0..cases(24) {
        let data: Vec<u8> = (0..16).flat_map(|_| dice.word().to_le_bytes()).collect();
        let changed = generated::changed(&committed, &data).expect("there are bytes enough");
        guests += u32::from(component::check(&changed));
    }
    println!("{guests} are guests all the same");
}

/// What one component hands to another: its type, and how many numbers it is
/// when it is flattened.
const PASSES: [(&str, usize); 7] = [
    ("u32", 1),
    ("string", 2),
    ("(list u8)", 2),
    ("(list (list string))", 2),
    ("(option string)", 3),
    ("(tuple string u32 (list u16))", 5),
    ("(result string (error (list string)))", 3),
];

/// Two components within others, of which one hands something to the other.
#[derive(Clone, Copy, Debug)]
struct Composed {
    passes: (&'static str, usize),
    from: &'static str,
    to: &'static str,
    depth: usize,
    memories: usize,
}

impl Composed {
    fn component(&self) -> Vec<u8> {
        let text = self.text();
        wat::parse_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    fn text(&self) -> String {
        let Self {
            passes: (passes, numbers),
            from,
            to,
            depth,
            memories,
        } = self;
        let many = |text: &str, count: usize| text.repeat(count);
        format!(
            r#"(component {open}
                (component $reader
                    (core module $m
                        (memory (export "memory") 1) {more}
                        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 512))
                        (func (export "take") (param {types})))
                    (core instance $i (instantiate $m))
                    (func (export "take") (param "it" {passes})
                        (canon lift (core func $i "take") (memory $i "memory") (realloc (func $i "realloc")) string-encoding={to})))
                (component $writer
                    (import "take" (func $take (param "it" {passes})))
                    (core module $memory (memory (export "memory") 1))
                    (core instance $memory (instantiate $memory))
                    (core func $take (canon lower (func $take) (memory $memory "memory") string-encoding={from}))
                    (core module $m
                        (import "host" "take" (func $take (param {types})))
                        (func (export "run") (call $take {zeros})))
                    (core instance $i (instantiate $m (with "host" (instance (export "take" (func $take))))))
                    (func (export "run") (canon lift (core func $i "run"))))
                (instance $reader (instantiate $reader))
                (instance $writer (instantiate $writer (with "take" (func $reader "take"))))
                (export "run" (func $writer "run"))
            {close})"#,
            open = many("(component ", *depth),
            close = many(")", *depth),
            more = many("(memory 1) ", *memories),
            types = many("i32 ", *numbers),
            zeros = many("(i32.const 0) ", *numbers),
        )
    }
}

#[test]
fn however_components_are_composed_they_are_refused_in_words() {
    let encoding = || select(vec!["utf8", "utf16", "latin1+utf16"]);
    let composed = (
        select(&PASSES[..]),
        encoding(),
        encoding(),
        0..20_usize,
        0..40_usize,
    );
    let outcome = runner(60).run(&composed, |(passes, from, to, depth, memories)| {
        let composed = Composed {
            passes,
            from,
            to,
            depth,
            memories,
        };
        assert!(
            !component::check(&composed.component()),
            "{composed:?} is no guest"
        );
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
