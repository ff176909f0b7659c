// Refrain's engine for sandboxed places: executions that run in a page, at the edge, in
// Electron, in a test. What it writes is audited by `refrain audit` and `@refrain/audit`.
//
// The modules, from the bottom up; each uses only what stands above it:
//   limits, errors, clock, lease_watch, random
//   values/     texts and JSON of callers and workers, checked; facts
//   store/      what a store is, its laws, and two stores
//   workflows   registered workflows, and what is refused of them
//   component, guests   the scheduler at work
//   execution/  one execution within a turn: items, ports, what follows from a step
//   turn/       one transaction: calls, facts, steps, claims, answers, starts
//   workers/    attempts, secrets, requests
//   runtime/    what outlives a turn, and the event loop
//   log_text, shown   what is told of an execution
//   options, engine, execution_handle   what users hold

export { Engine } from './engine.js';
export { EngineError, WorkError } from './errors.js';
export { Execution } from './execution_handle.js';
export { IndexedDbStore } from './store/indexed_db.js';
export { MemoryStore } from './store/memory.js';
export { Answer } from './values/facts.js';
export { json } from './values/json_text.js';
export { httpWorker } from './workers/http.js';
