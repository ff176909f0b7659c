//! Generated children (rules R22 and R23): of a workflow that is registered, or of one that
//! is written in place, which may have children of its own; once, or one after another.

use proptest::prelude::*;
use serde_json::{Value, json};

/// The workflow that generated subgraphs name, and its version.
pub const CHILD: (&str, &str) = ("child", "1.0.0");

/// Workflows to be written in place, if there are to be any.
pub(super) type Bodies = Option<BoxedStrategy<Value>>;

/// A generated child.
#[derive(Clone, Debug)]
pub(super) struct Child {
    /// Its workflow; none: the one that is registered.
    body: Option<Value>,
    gives: Gives,
    repeat: Option<Repeat>,
    is_mapped: bool,
}

/// What becomes of its final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gives {
    OwnKey,
    Key(&'static str),
    Merged,
    Detached,
}

/// One child after another.
#[derive(Clone, Copy, Debug)]
struct Repeat {
    condition: &'static str,
    max: u8,
    completes: bool,
}

/// How often there is another one.
const WHILE: [&str; 5] = [
    "iteration < 1",
    "last.k0 != 1",
    "last.k1 == 0 || iteration < 2",
    "state.k2",
    "!(last.k0 == 0) && input.claim > 3",
];

/// A child; one of the workflow that is registered is what it shrinks to.
pub(super) fn children(bodies: &Bodies) -> impl Strategy<Value = Child> + use<> {
    let body = match bodies {
        None => Just(None).boxed(),
        Some(bodies) => prop::option::of(bodies.clone()).boxed(),
    };
    let gives = prop_oneof![
        4 => Just(Gives::OwnKey),
        2 => prop::sample::select(&["k0", "out"][..]).prop_map(Gives::Key),
        2 => Just(Gives::Merged),
        2 => Just(Gives::Detached),
    ];
    let repeat = (prop::sample::select(&WHILE[..]), 1..=3_u8, any::<bool>());
    let repeat = repeat.prop_map(|(condition, max, completes)| Repeat {
        condition,
        max,
        completes,
    });
    let parts = (
        body,
        gives,
        prop::option::weighted(0.4, repeat),
        prop::bool::weighted(0.3),
    );
    parts.prop_map(|(body, gives, repeat, is_mapped)| Child {
        body,
        gives,
        repeat,
        is_mapped,
    })
}

impl Child {
    /// The fields of a subgraph.
    pub(super) fn fields(&self) -> Value {
        let mut fields = self.common();
        match self.gives {
            Gives::Key(key) => fields["output_key"] = json!(key),
            Gives::Merged => fields["merge"] = json!(true),
            Gives::OwnKey | Gives::Detached => {}
        }
        if self.is_mapped {
            fields["input_mapping"] = match self.is_repeated() {
                true => json!({ "a": "state.k0", "last": "last", "i": "iteration" }),
                false => json!({ "a": "state.k0", "claim": "input.claim" }),
            };
        }
        fields
    }

    /// The body of a map: its outputs are in the map's list, so that nothing else is said
    /// of them.
    pub(super) fn body_of_map(&self) -> Value {
        let mut body = self.common();
        body["type"] = json!("subgraph");
        body
    }

    fn common(&self) -> Value {
        let mut fields = match &self.body {
            // The notation names the workflow where nothing else is said.
            Some(body) => json!({ "workflow_id": null, "version": null, "body": body }),
            None => json!({ "workflow_id": CHILD.0, "version": CHILD.1 }),
        };
        if let Some(repeat) = self.repeat.filter(|_| self.is_repeated()) {
            fields["repeat"] = json!({ "while": repeat.condition, "max": repeat.max });
            if repeat.completes {
                fields["repeat"]["on_max"] = json!("complete");
            }
        }
        if self.gives == Gives::Detached {
            fields["detached"] = json!(true);
        }
        fields
    }

    /// A detached child is not waited for, so it is not repeated.
    fn is_repeated(&self) -> bool {
        self.repeat.is_some() && self.gives != Gives::Detached
    }
}
