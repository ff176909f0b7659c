;; Another program.
;;
;; The workflow has a harmless tool, and it orders a shell for that node. The
;; host's first refusal names the digest that the decision must have.
(module
  (import "refrain:scheduler/clock@0.1.0" "now" (func $now (result i64)))
  (import "refrain:scheduler/storage@0.1.0" "append-events" (func $append_events (param i64 i32 i32 i32)))
  (import "refrain:scheduler/queue@0.1.0" "enqueue"
    (func $enqueue (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32)))
  (memory (export "memory") 64)

  (func $tick (export "refrain:scheduler/scheduler@0.1.0#tick") (param $id i32) (param $id_length i32) (param $last i64) (result i32)
    (call $order (local.get $id) (local.get $id_length))
    ;; node_scheduled at 2048: event 2, now, a decision, the sixth kind; the
    ;; node, its queue, attempt 1, and the 64 digits behind the refusal's first 50 bytes
    (i64.store (i32.const 2048) (i64.const 2))
    (i64.store (i32.const 2056) (call $now))
    (i32.store8 (i32.const 2064) (i32.const 1))
    (i32.store8 (i32.const 2072) (i32.const 5))
    (i32.store (i32.const 2080) (i32.const 192))
    (i32.store (i32.const 2084) (i32.const 1))
    (i32.store (i32.const 2088) (i32.const 193))
    (i32.store (i32.const 2092) (i32.const 7))
    (i32.store (i32.const 2096) (i32.const 1))
    (i32.store (i32.const 2100) (i32.add (i32.load (i32.const 772)) (i32.const 50)))
    (i32.store (i32.const 2104) (i32.const 64))
    (call $append_events (i64.const 1) (i32.const 2048) (i32.const 1) (i32.const 784))
    (call $order (local.get $id) (local.get $id_length))
    ;; ok: running, until event 2
    (i32.store8 (i32.const 256) (i32.const 0))
    (i64.store (i32.const 272) (i64.const 2))
    (i32.const 256))

  ;; attempt 1 of 3 of the node `a` on the queue `command`, at once
  (func $order (param $id i32) (param $id_length i32)
    (call $enqueue
      (local.get $id) (local.get $id_length) (i32.const 192) (i32.const 1)
      (i32.const 1) (i32.const 3)
      (i32.const 193) (i32.const 7) (i32.const 200) (i32.const 7)
      (i64.const 0) (i32.const 3072) (i32.const 121) (i32.const 768)))
  (data (i32.const 192) "acommanddefault")
  (data (i32.const 3072) "{\"workflow_id\":\"w\",\"workflow_version\":\"1.0.0\",\"node_id\":\"a\",\"kind\":{\"type\":\"command\",\"argv\":[\"sh\",\"-c\",\"id\"]},\"input\":{}}")

  ;; All else is as harmless as can be: any workflow is `w` 1.0.0, every fact
  ;; may stand, and what the host hands over is put one behind the other.
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
    (global.get $free)
    (global.set $free (i32.and
      (i32.add (i32.add (global.get $free) (local.get $bytes)) (i32.const 7)) (i32.const -8))))
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
  (data (i32.const 128) "\a0\00\00\00\0f\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "another program"))
