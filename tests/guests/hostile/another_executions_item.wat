;; Another executions item.
;;
;; It orders a work item for an execution that it was not called for.
(module
  (import "refrain:scheduler/queue@0.1.0" "enqueue"
    (func $enqueue (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32)))
  (memory (export "memory") 64)

  (func $tick (export "refrain:scheduler/scheduler@0.1.0#tick") (param $id i32) (param $id_length i32) (param $last i64) (result i32)
    ;; attempt 1 of 1 of the node `a` on the queue `tool`, at once, with `{}`
    (call $enqueue
      (i32.const 192) (i32.const 37) (i32.const 229) (i32.const 1)
      (i32.const 1) (i32.const 1)
      (i32.const 230) (i32.const 4) (i32.const 234) (i32.const 7)
      (i64.const 0) (i32.const 241) (i32.const 2) (i32.const 768))
    (i32.store8 (i32.const 256) (i32.load8_u (i32.const 768)))
    (if (i32.load8_u (i32.const 768))
      (then ;; error: queue(…)
        (i32.store8 (i32.const 264) (i32.const 3))
        (i64.store (i32.const 272) (i64.load align=4 (i32.const 772))))
      (else ;; ok: running, until event 1
        (i64.store (i32.const 272) (i64.const 1))))
    (i32.const 256))
  (data (i32.const 192) "exec_00000000000000000000000000000001atooldefault{}")

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
  (data (i32.const 128) "\a0\00\00\00\17\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "another executions item"))
