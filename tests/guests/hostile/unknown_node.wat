;; Unknown node.
;;
;; It dispatches a node that its workflow has not.
(module
  (import "refrain:scheduler/clock@0.1.0" "now" (func $now (result i64)))
  (import "refrain:scheduler/storage@0.1.0" "append-events" (func $append_events (param i64 i32 i32 i32)))
  (memory (export "memory") 64)

  ;; A decision at $place, where an event has 200 bytes: its sequence, when,
  ;; that it is a decision, and its kind, by the order of `event-kind`.
  (func $decision (param $place i32) (param $sequence i64) (param $kind i32)
    (i64.store (local.get $place) (local.get $sequence))
    (i64.store offset=8 (local.get $place) (call $now))
    (i32.store8 offset=16 (local.get $place) (i32.const 1))
    (i32.store8 offset=24 (local.get $place) (local.get $kind)))

  (func $tick (export "refrain:scheduler/scheduler@0.1.0#tick") (param $id i32) (param $id_length i32) (param $last i64) (result i32)
    ;; node_scheduled, of attempt 1 of the node `nowhere` on the queue `tool`
    (call $decision (i32.const 1024) (i64.const 2) (i32.const 5))
    (i32.store (i32.const 1056) (i32.const 192))
    (i32.store (i32.const 1060) (i32.const 7))
    (i32.store (i32.const 1064) (i32.const 199))
    (i32.store (i32.const 1068) (i32.const 4))
    (i32.store (i32.const 1072) (i32.const 1))
    (i32.store (i32.const 1076) (i32.const 400))
    (i32.store (i32.const 1080) (i32.const 64))
    (call $append (i64.const 1) (i32.const 1) (i64.const 2)))

  ;; Append the decisions at 1024, and answer: with the host's refusal as it
  ;; came, or that the log ends with event $last.
  (func $append (param $expected i64) (param $decisions i32) (param $last i64) (result i32)
    (call $append_events
      (local.get $expected) (i32.const 1024) (local.get $decisions) (i32.const 768))
    (i32.store8 (i32.const 256) (i32.load8_u (i32.const 768)))
    (if (i32.load8_u (i32.const 768))
      (then ;; error: append(…)
        (i32.store8 (i32.const 264) (i32.const 2))
        (i64.store (i32.const 272) (i64.load (i32.const 776)))
        (i64.store (i32.const 280) (i64.load (i32.const 784))))
      (else ;; ok: running, until event $last
        (i64.store (i32.const 272) (local.get $last))))
    (i32.const 256))
  (data (i32.const 192) "nowheretool")
  (data (i32.const 400) "0000000000000000000000000000000000000000000000000000000000000000")

  ;; All else is as harmless as can be: any workflow is `w` 1.0.0, every fact
  ;; may stand, and what the host hands over is put where nobody looks.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536))
  (func (export "refrain:scheduler/scheduler@0.1.0#validate") (param i32 i32) (result i32)
    (i32.const 64))
  (func (export "refrain:scheduler/scheduler@0.1.0#admit") (param i32) (result i32)
    (i32.const 512))
  (func (export "refrain:scheduler/scheduler@0.1.0#explain") (param i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "refrain:scheduler/scheduler@0.1.0#inspect") (param i32 i32) (result i32)
    unreachable)
  (func (export "refrain:scheduler/scheduler@0.1.0#snapshot") (param i32 i32) (result i32)
    unreachable)
  (func (export "refrain:scheduler/scheduler@0.1.0#forget") (param i32 i32))
  (func (export "refrain:scheduler/scheduler@0.1.0#describe") (result i32) (i32.const 128))
  (data (i32.const 32) "w1.0.0")
  ;; running, until event 1, and a tick is due
  (data (i32.const 528) "\01")
  (data (i32.const 552) "\01")
  (data (i32.const 68) "\20\00\00\00\01\00\00\00\21\00\00\00\05\00\00\00\01\00\00\00")
  (data (i32.const 128) "\a0\00\00\00\0c\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "unknown node"))
