;; Something each time.
;;
;; Each tick burns twice the fuel that a turn has, decides something, and says
;; that there is more: nothing that is wrong with it, and it never ends.
(module
  (import "refrain:scheduler/clock@0.1.0" "now" (func $now (result i64)))
  (import "refrain:scheduler/storage@0.1.0" "append-events" (func $append_events (param i64 i32 i32 i32)))
  (memory (export "memory") 64)

  (func $tick (export "refrain:scheduler/scheduler@0.1.0#tick") (param $id i32) (param $id_length i32) (param $last i64) (result i32)
    (local $left i64)
    (local.set $left (i64.const 100000000))
    (loop $again
      (local.set $left (i64.sub (local.get $left) (i64.const 1)))
      (br_if $again (i64.ne (local.get $left) (i64.const 0))))
    ;; workflow_timed_out
    (i64.store (i32.const 1024) (i64.add (local.get $last) (i64.const 1)))
    (i64.store (i32.const 1032) (call $now))
    (i32.store8 (i32.const 1040) (i32.const 1))
    (i32.store8 (i32.const 1048) (i32.const 4))
    (call $append_events (local.get $last) (i32.const 1024) (i32.const 1) (i32.const 768))
    ;; running, until that event, and a tick is due
    (i64.store (i32.const 272) (i64.add (local.get $last) (i64.const 1)))
    (i32.store8 (i32.const 296) (i32.const 1))
    (i32.const 256))

  ;; All else is as harmless as can be: any workflow is `w` 1.0.0, and every fact
  ;; may stand.
  (global $free (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
    (local $place i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $bytes)) (i32.const 4000000))
      (then (global.set $free (i32.const 65536))))
    (local.set $place (global.get $free))
    (global.set $free (i32.and
      (i32.add (i32.add (local.get $place) (local.get $bytes)) (i32.const 7))
      (i32.const -8)))
    (local.get $place))
  (func (export "refrain:scheduler/scheduler@0.1.0#validate") (param i32 i32) (result i32)
    (i32.const 64))
  (func (export "refrain:scheduler/scheduler@0.1.0#admit") (param i32) (result i32)
    ;; running, until this fact, and a tick is due
    (i64.store (i32.const 528) (i64.load offset=8 (local.get 0)))
    (i32.store8 (i32.const 552) (i32.const 1))
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
  (data (i32.const 68) "\20\00\00\00\01\00\00\00\21\00\00\00\05\00\00\00\01\00\00\00")
  (data (i32.const 128) "\a0\00\00\00\13\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "something each time"))
