;; Undeclared import.
;;
;; It wants a door that the contract has not: a clock of its own. The world
;; that it is encoded for stands in undeclared_import.wit.
(module
  (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $uptime (result i64)))
  (memory (export "memory") 64)

  (func $deed (param $high i64) (param $low i64) (param $last i64) (result i32)
    (drop (call $uptime))
    (i32.const 0))

  ;; All else is as harmless as can be: any workflow is `w` 1.0.0, every fact
  ;; may stand, and what is stalled decides nothing. What the host hands over is
  ;; put one behind the other, and in the end at the beginning again.
  (func (export "refrain:scheduler/decisions@0.2.0#step")
    (param $high i64) (param $low i64) (param $last i64)
    (param $facts i32) (param $facts_length i32) (result i32)
    (local $is_stalled i32)
    (local.set $last (i64.add (local.get $last) (i64.extend_i32_u (local.get $facts_length))))
    (block $seen
      (loop $fact
        (br_if $seen (i32.eqz (local.get $facts_length)))
        ;; `host-stalled` is kind 33, and a fact has 216 bytes
        (local.set $is_stalled (i32.or (local.get $is_stalled)
          (i32.eq (i32.load8_u (local.get $facts)) (i32.const 33))))
        (local.set $facts (i32.add (local.get $facts) (i32.const 216)))
        (local.set $facts_length (i32.sub (local.get $facts_length) (i32.const 1)))
        (br $fact)))
    (if (local.get $is_stalled)
      (then ;; running, until the last fact
        (i64.store (i32.const 528) (local.get $last))
        (return (i32.const 512))))
    (call $deed (local.get $high) (local.get $low) (local.get $last)))
  (global $free (mut i32) (i32.const 110000))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
    (local $place i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $bytes)) (i32.const 130000))
      (then (global.set $free (i32.const 110000))))
    (local.set $place (global.get $free))
    (global.set $free (i32.and
      (i32.add (i32.add (local.get $place) (local.get $bytes)) (i32.const 7))
      (i32.const -8)))
    (local.get $place))
  (func (export "refrain:scheduler/decisions@0.2.0#validate") (param i32 i32) (result i32)
    (i32.const 64))
  (func (export "refrain:scheduler/decisions@0.2.0#explain") (param i64 i64 i32 i32) (result i32)
    unreachable)
  (func (export "refrain:scheduler/decisions@0.2.0#inspect") (param i64 i64) (result i32)
    unreachable)
  (func (export "refrain:scheduler/decisions@0.2.0#snapshot") (param i64 i64) (result i32)
    unreachable)
  (func (export "refrain:scheduler/decisions@0.2.0#forget") (param i64 i64))
  (func (export "refrain:scheduler/decisions@0.2.0#describe") (result i32) (i32.const 128))
  (data (i32.const 32) "w1.0.0")
  (data (i32.const 68) "\20\00\00\00\01\00\00\00\21\00\00\00\05\00\00\00\01\00\00\00")
  (data (i32.const 128) "\a0\00\00\00\11\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "undeclared import"))
