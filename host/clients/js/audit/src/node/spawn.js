// Workers where there are threads of Node's.

import { Worker } from 'node:worker_threads';

/** Megabytes of JavaScript's own memory that a worker may have; that of guests is bounded elsewhere. */
const HEAP_MB_MAX = 2048;

/**
 * @returns {import('../contained/contained.js').Spawned}
 */
export function spawnInNode() {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  return {
    post: (task) => worker.postMessage(task),
    listen: (onNews, onFailure) => {
      worker.on('message', onNews);
      worker.on('error', (error) => onFailure(error.message));
      worker.on('exit', () => onFailure('the worker has ended'));
    },
    stop: () => void worker.terminate(),
  };
}
