// Refrain's engine for sandboxed places: executions that run in a page, at the edge, in
// Electron, in a test. What it writes is audited by `refrain audit` and `@refrain/audit`.

export { Engine } from './engine.js';
export { EngineError, WorkError } from './errors.js';
export { Execution } from './execution_handle.js';
export { IndexedDbStore } from './store/indexed_db.js';
export { MemoryStore } from './store/memory.js';
export { Answer } from './values/facts.js';
export { json } from './values/json_text.js';
export { httpWorker } from './workers/http.js';
