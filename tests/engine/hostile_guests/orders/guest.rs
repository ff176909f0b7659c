//! Guests that decide to schedule a node, and order an item for it.

use refrain::log::digest::work_item_digest;
use refrain::model::WorkItem;
use refrain_tests::wat_guest::{ADMIT_ALL, WatGuest};

/// The node's kind, as the workflow has it.
pub(crate) const KIND: &str = r#"{"type":"tool","tool_ref":"harmless"}"#;

const IMPORTS: &str = r#"
    (import "refrain:scheduler/storage@0.1.0" "append-events" (func $append (param i64 i32 i32 i32)))
    (import "refrain:scheduler/clock@0.1.0" "now" (func $now (result i64)))
    (import "refrain:scheduler/queue@0.1.0" "enqueue"
        (func $enqueue (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32)))"#;

/// A lawful order of node `a`.
pub(crate) fn lawful() -> WorkItem {
    let mut item = WorkItem::default();
    item.node_id = "a".to_owned();
    item.attempt = 1;
    item.max_attempts = 3;
    item.queue_type = "tool".to_owned();
    item.tenant = "default".to_owned();
    item.payload = payload("a", KIND, "");
    item
}

pub(crate) fn payload(node: &str, kind: &str, more: &str) -> String {
    format!(
        r#"{{"workflow_id":"w","workflow_version":"1.0.0","node_id":"{node}","kind":{kind},"input":{{}}{more}}}"#
    )
}

pub(crate) fn with(change: impl FnOnce(&mut WorkItem)) -> WorkItem {
    let mut item = lawful();
    change(&mut item);
    item
}

/// The component that orders this item; empty, its execution's own id is meant.
pub(crate) fn guest(item: &WorkItem) -> Vec<u8> {
    let digest_after = format!(
        "the work item of attempt {} of node {:?} has digest ",
        item.attempt, item.node_id
    )
    .len();
    let refusal = format!("(i32.add (i32.load (i32.const 772)) (i32.const {digest_after}))");
    component(item, &refusal, "")
}

/// The same, in an execution that is known beforehand: no refusal is needed.
pub(crate) fn foresighted(item: &WorkItem) -> Vec<u8> {
    let digest = work_item_digest(item);
    let data = format!("(data (i32.const 2500) \"{digest}\")");
    component(item, "(i32.const 2500)", &data)
}

fn component(item: &WorkItem, digest: &str, data: &str) -> Vec<u8> {
    let texts = [
        &item.node_id,
        &item.queue_type,
        &item.tenant,
        &item.payload,
        &item.execution_id,
    ];
    let mut data = data.to_owned();
    let mut place = 3000;
    let at = texts.map(|text| {
        let escaped: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {place}) \"{escaped}\")");
        place += text.len();
        format!(
            "(i32.const {}) (i32.const {})",
            place - text.len(),
            text.len()
        )
    });
    assert!(place < 4096, "the texts fit below what the host hands over");
    let [node, queue, tenant, payload, other] = at;
    let execution = match item.execution_id.as_str() {
        "" => "(local.get $id) (local.get $id_length)",
        _ => other.as_str(),
    };
    let WorkItem {
        attempt,
        max_attempts,
        ..
    } = item;
    let order = format!(
        "(call $enqueue {execution} {node} (i32.const {attempt}) (i32.const {max_attempts}) {queue} {tenant}
            (i64.const 0) {payload} (i32.const 768))"
    );
    let refused_first = match digest.contains("load") {
        true => order.as_str(),
        false => "",
    };
    let store = |offset: u32, pair: &str| {
        let (first, second) = pair.split_once(") (").expect("an address and a length");
        format!(
            "(i32.store (i32.const {offset}) {first})) (i32.store (i32.const {}) ({second})",
            offset + 4
        )
    };
    let (node, queue) = (store(2080, &node), store(2088, &queue));
    let tick = format!(
        "(if (i64.eq (local.get $last) (i64.const 1)) (then {refused_first}
        (i64.store (i32.const 2048) (i64.const 2)) (i64.store (i32.const 2056) (call $now))
        (i32.store8 (i32.const 2064) (i32.const 1)) (i32.store8 (i32.const 2072) (i32.const 5))
        {node} {queue} (i32.store (i32.const 2096) (i32.const {attempt}))
        (i32.store (i32.const 2100) {digest})
        (i32.store (i32.const 2104) (i32.const 64))
        (call $append (i64.const 1) (i32.const 2048) (i32.const 1) (i32.const 784))
        {order}))
        (i64.store (i32.const 1040) (i64.const 2)) (i32.store8 (i32.const 1064) (i32.const 0))
        (i32.const 1024)"
    );
    let guest = WatGuest {
        imports: IMPORTS,
        admit: ADMIT_ALL,
        tick: &tick,
        rest: &data,
        ..WatGuest::default()
    };
    guest.component().expect("a component")
}
