;; More and more.
;;
;; A tick that burns fuel, decides nothing, and says that there is more: asked on
;; and on, it would hold the turn, and with it the write lock, for hours.
(module
  (import "refrain:scheduler/clock@0.1.0" "now" (func $now (result i64)))
  (memory (export "memory") 64)

  (func $tick (export "refrain:scheduler/scheduler@0.1.0#tick") (param $id i32) (param $id_length i32) (param $last i64) (result i32)
    (local $left i32)
    (local.set $left (i32.const 10000000))
    (loop $again
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (local.get $left)))
    ;; running, until the last event, and a tick is due
    (i64.store (i32.const 272) (local.get $last))
    (i32.store8 (i32.const 296) (i32.const 1))
    (i32.const 256))

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
  (data (i32.const 128) "\a0\00\00\00\0d\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "more and more"))
