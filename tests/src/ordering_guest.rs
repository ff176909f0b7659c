//! Guests that decide to schedule a node, and order an item for it.

use refrain::model::WorkItem;

use crate::wat_guest::WatGuest;

/// The node's kind, as the workflow has it.
pub const KIND: &str = r#"{"type":"tool","tool_ref":"harmless"}"#;

/// What such guests import.
pub const IMPORTS: &str = r#"
    (import "refrain:scheduler/storage@0.2.0" "append-events" (func $append (param i64 i32 i32 i32)))
    (import "refrain:scheduler/clock@0.2.0" "now" (func $now (result i64)))
    (import "refrain:scheduler/queue@0.2.0" "order" (func $order (param i32 i32 i32)))"#;

/// A lawful order of node `a`.
#[must_use]
pub fn lawful() -> WorkItem {
    let mut item = WorkItem::default();
    item.node_id = "a".to_owned();
    item.attempt = 1;
    item.max_attempts = 3;
    item.queue = "tool".to_owned();
    item.tenant = "default".to_owned();
    item.priority = 5;
    item.payload = payload("a", KIND, "");
    item
}

/// The payload of this node and kind, with more members behind its input.
#[must_use]
pub fn payload(node: &str, kind: &str, more: &str) -> String {
    format!(r#"{{"node_id":"{node}","kind":{kind},"input":{{}}{more}}}"#)
}

/// A lawful order of node `a`, but for this.
pub fn with(change: impl FnOnce(&mut WorkItem)) -> WorkItem {
    let mut item = lawful();
    change(&mut item);
    item
}

/// A workflow with nodes to order: of one kind each, `b` with something that undoes it, `c` and
/// `d` with expressions.
pub const WORKFLOW: &str = r#"{"workflow_id":"w","version":"1.0.0","start_node":"a","edges":[{"from":"a","to":"b"},{"from":"a","to":"c"},{"from":"a","to":"d"}],
    "nodes":{"a":{"kind":{"type":"tool","tool_ref":"harmless"}},
             "b":{"kind":{"type":"command","argv":["true"]},"retry_policy":"no_retry",
                  "compensate":{"type":"http","url":"http://h/${output.id}"}},
             "c":{"kind":{"type":"command","argv":["echo","Hi ${state.who}!","${input}"],"cwd":"/tmp"}},
             "d":{"kind":{"type":"http","url":"http://h/${state.x}","headers":{"A":"${secret.KEY} ${state.y}"}}}}}"#;

/// Node `c` is ordered with this kind.
#[must_use]
pub fn of_expressions(kind: &str) -> WorkItem {
    with(|item| {
        item.node_id = "c".to_owned();
        item.queue = "command".to_owned();
        item.payload = payload("c", kind, "");
    })
}

/// Node `d` is ordered: a request of this URL and header, with this list of what the
/// worker puts something into.
#[must_use]
pub fn of_secrets(url: &str, header: &str, templates: &str) -> WorkItem {
    with(|item| {
        item.node_id = "d".to_owned();
        item.queue = "http".to_owned();
        let kind = format!(r#"{{"type":"http","url":"{url}","headers":{{"A":"{header}"}}}}"#);
        item.payload = payload("d", &kind, templates);
    })
}

/// What undoes node `b` is ordered with this kind, as this instance.
#[must_use]
pub fn of_undo(node_id: &str, kind: &str) -> WorkItem {
    with(|item| {
        item.node_id = node_id.to_owned();
        item.queue = "http".to_owned();
        item.max_attempts = 1;
        item.payload = payload(node_id, kind, "");
    })
}

/// As the workflow has it.
pub const TEMPLATES: &str = r#","templates":["/kind/headers/A"]"#;

/// The component that orders this item, and decides to schedule its node by the
/// digest that it is answered.
///
/// # Panics
/// It is no component.
#[must_use]
pub fn guest(item: &WorkItem) -> Vec<u8> {
    let (order, data) = order(item);
    let step = format!(
        "(if (i64.eq (local.get $last) (i64.const 1)) (then
            {order}
            {}
            (if (i32.eqz (i32.load8_u (i32.const 768)))
                (then (memory.copy (i32.const 2104) (i32.load (i32.const 772)) (i32.const 32))))
            (call $append (i64.const 1) (i32.const 2048) (i32.const 1) (i32.const 784))
            (local.set $last (i64.const 2))))
        (i64.store (i32.const 1040) (local.get $last))
        (i32.const 1024)",
        decision(item)
    );
    let guest = WatGuest {
        imports: IMPORTS,
        step: &step,
        rest: &data,
        ..WatGuest::default()
    };
    guest.component().expect("a component")
}

/// Where the texts of an item stand, one behind the other.
const TEXTS: usize = 3000;

fn texts(item: &WorkItem) -> [&str; 4] {
    [&item.node_id, &item.queue, &item.tenant, &item.payload]
}

/// Stores the address and the length of an item's text here.
fn point(place: usize, item: &WorkItem, text: usize) -> String {
    let texts = texts(item);
    let before: usize = texts[..text].iter().map(|text| text.len()).sum();
    format!(
        "(i32.store (i32.const {place}) (i32.const {})) (i32.store (i32.const {}) (i32.const {}))",
        TEXTS + before,
        place + 4,
        texts[text].len()
    )
}

/// Orders this item; the answer is at 768. And the texts that this needs.
///
/// # Panics
/// The texts are too long.
#[must_use]
pub fn order(item: &WorkItem) -> (String, String) {
    let [node, queue, tenant, payload] = [0, 1, 2, 3];
    let order = format!(
        "{} (i32.store (i32.const 2216) (i32.const {})) (i32.store (i32.const 2220) (i32.const {}))
        {} {} (i32.store (i32.const 2240) (i32.const {})) {} (call $order (i32.const 2200) (i32.const 1) (i32.const 768))",
        point(2208, item, node),
        item.attempt,
        item.max_attempts,
        point(2224, item, queue),
        point(2232, item, tenant),
        item.priority,
        point(2256, item, payload),
    );
    let text = texts(item).concat();
    assert!(TEXTS + text.len() < 4096, "below what the host hands over");
    let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    (order, format!("(data (i32.const {TEXTS}) \"{escaped}\")"))
}

/// Event 2 at 2048: the node of this item is scheduled. The digest is still to
/// be written, at 2104.
#[must_use]
pub fn decision(item: &WorkItem) -> String {
    format!(
        "(i64.store (i32.const 2048) (i64.const 2)) (i64.store (i32.const 2056) (call $now))
        (i32.store8 (i32.const 2064) (i32.const 1)) (i32.store8 (i32.const 2072) (i32.const 5))
        {} {} (i32.store (i32.const 2096) (i32.const {}))",
        point(2080, item, 0),
        point(2088, item, 1),
        item.attempt
    )
}
