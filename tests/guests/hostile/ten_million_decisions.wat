;; Ten million decisions.
;;
;; Decisions without end: ten million of them, five hundred at a time.
(module
  (import "refrain:scheduler/clock@0.2.0" "now" (func $now (result i64)))
  (import "refrain:scheduler/storage@0.2.0" "append-events" (func $append_events (param i64 i32 i32 i32)))
  (memory (export "memory") 64)

  ;; A decision at $place, where an event has 240 bytes: its sequence, when,
  ;; that it is a decision, and its kind, by the order of `event-kind`.
  (func $decision (param $place i32) (param $sequence i64) (param $kind i32)
    (i64.store (local.get $place) (local.get $sequence))
    (i64.store offset=8 (local.get $place) (call $now))
    (i32.store8 offset=16 (local.get $place) (i32.const 1))
    (i32.store8 offset=24 (local.get $place) (local.get $kind)))

  (func $deed (param $high i64) (param $low i64) (param $last i64) (result i32)
    (local $sequence i64) (local $place i32) (local $answer i32)
    (local.set $sequence (i64.const 2))
    (loop $batches
      (local.set $place (i32.const 1024))
      (loop $batch ;; of workflow_timed_out, which needs no more to be said
        (call $decision (local.get $place) (local.get $sequence) (i32.const 4))
        (local.set $sequence (i64.add (local.get $sequence) (i64.const 1)))
        (local.set $place (i32.add (local.get $place) (i32.const 240)))
        (br_if $batch (i32.lt_u (local.get $place) (i32.const 121024))))
      (local.set $answer (call $append
        (i64.sub (local.get $sequence) (i64.const 501)) (i32.const 500)
        (i64.sub (local.get $sequence) (i64.const 1))))
      (br_if $batches (i32.and
        (i32.eqz (i32.load8_u (i32.const 256)))
        (i64.lt_u (local.get $sequence) (i64.const 10000000)))))
    (local.get $answer))

  ;; Append the decisions at 1024, and answer: with the host's refusal as it
  ;; came, or that the log ends with event $last.
  (func $append (param $expected i64) (param $decisions i32) (param $last i64) (result i32)
    (call $append_events
      (local.get $expected) (i32.const 1024) (local.get $decisions) (i32.const 768))
    (i32.store8 (i32.const 256) (i32.load8_u (i32.const 768)))
    (if (i32.load8_u (i32.const 768))
      (then ;; error: storage(…)
        (i32.store8 (i32.const 264) (i32.const 2))
        (i64.store (i32.const 272) (i64.load (i32.const 776)))
        (i64.store (i32.const 280) (i64.load (i32.const 784))))
      (else ;; ok: running, until event $last
        (i64.store (i32.const 272) (local.get $last))))
    (i32.const 256))

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
  (global $free (mut i32) (i32.const 130000))
  (func (export "cabi_realloc") (param i32 i32 i32) (param $bytes i32) (result i32)
    (local $place i32)
    (if (i32.gt_u (i32.add (global.get $free) (local.get $bytes)) (i32.const 150000))
      (then (global.set $free (i32.const 130000))))
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
  (data (i32.const 128) "\a0\00\00\00\15\00\00\00\21\00\00\00\05\00\00\00")
  (data (i32.const 160) "ten million decisions"))
