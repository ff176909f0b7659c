//! Generated maps (rule R21): work, or a child, for each element of a list.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::child::{Bodies, Child, children};

/// A generated map.
#[derive(Clone, Debug)]
pub(super) struct Map {
    /// How many elements; none: it is over what is no list as a rule.
    items: Option<u16>,
    /// The child of each instance; none: a worker does it.
    child: Option<Child>,
    window: Option<u8>,
    tolerance: Tolerance,
    enough: Option<u8>,
    cancels_rest: bool,
    is_mapped: bool,
    is_filled: bool,
}

/// How many of its instances may fail.
#[derive(Clone, Copy, Debug)]
enum Tolerance {
    None,
    Failures(u8),
    Percent(u8),
}

/// A map; a small one without more is what it shrinks to.
pub(super) fn maps(bodies: &Bodies) -> impl Strategy<Value = Map> + use<> {
    let items = prop_oneof![
        20 => (0..=6_u16).prop_map(Some),
        4 => (0..=40_u16).prop_map(Some),
        1 => (0..=300_u16).prop_map(Some),
        2 => Just(None),
    ];
    // A whole execution for each element is a lot: of these there are few.
    let few = prop_oneof![8 => (0..=4_u16).prop_map(Some), 1 => Just(None)];
    let of_children = (few, children(bodies).prop_map(Some));
    let runs = prop_oneof![4 => (items, Just(None)), 1 => of_children];
    let tolerance = prop_oneof![
        3 => Just(Tolerance::None),
        2 => (0..=3_u8).prop_map(Tolerance::Failures),
        2 => (0..=100_u8).prop_map(Tolerance::Percent),
    ];
    let parts = (
        runs,
        prop::option::of(1..=4_u8),
        tolerance,
        prop::option::weighted(0.3, 1..=5_u8),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
    );
    parts.prop_map(
        |((items, child), window, tolerance, enough, cancels_rest, is_mapped, is_filled)| Map {
            items,
            child,
            window,
            tolerance,
            enough,
            cancels_rest,
            is_mapped,
            is_filled,
        },
    )
}

impl Map {
    /// Whether workers do what it is made of.
    pub(super) fn is_work(&self) -> bool {
        self.child.is_none()
    }

    pub(super) fn fields(&self) -> Value {
        let numbers = self.items.map(|count| {
            let numbers: Vec<String> = (0..count).map(|number| (number % 10).to_string()).collect();
            format!("[{}]", numbers.join(","))
        });
        let mut fields = json!({
            "over": numbers.unwrap_or_else(|| "state.list".to_string()),
            "body": self.body(),
        });
        if let Some(window) = self.window {
            fields["max_concurrent"] = json!(window);
        }
        match self.tolerance {
            Tolerance::None => {}
            Tolerance::Failures(most) => fields["tolerate"] = json!({ "failures": most }),
            Tolerance::Percent(most) => fields["tolerate"] = json!({ "percent": most }),
        }
        if let Some(enough) = self.enough {
            fields["complete_after"] = json!(enough);
        }
        if self.cancels_rest {
            fields["cancel_rest"] = json!(true);
        }
        fields
    }

    fn body(&self) -> Value {
        let mut body = match (&self.child, self.is_filled) {
            (Some(child), _) => child.body_of_map(),
            (None, true) => json!({
                "type": "command",
                "argv": ["run", "${node_id}", "${has(errors.a.message) ? errors.a.attempts : 'none'}", "${index}/${item}", "<${index == 3 ? state.k1 : item}>"],
            }),
            (None, false) => json!({ "type": "tool", "tool_ref": "t" }),
        };
        if self.is_mapped {
            body["input_mapping"] = json!({ "a": "item", "b": "index", "c": "state.k0" });
        }
        body
    }
}
